//! Whole networks, from the text of their spec to their answer, against engines and labels that nobody here made.

mod accuracy;
mod batch;
mod data;
mod goldens;
mod models;
mod same_bits;
mod shared;
mod zoo;
