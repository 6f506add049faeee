//! ONNX files: the pack of `../shared/onnx`, broken files, and the tables of docs/onnx.md.

mod bombs;
mod expected;
mod messages;
mod mutants;
mod packs;
mod round_trip;
mod semantics;
mod table;
mod tails;
mod truth;
mod whole;
