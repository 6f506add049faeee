//! ONNX files: the pack of `../shared/onnx`, broken files, and the tables of docs/onnx.md.

mod bombs;
mod expected;
mod large;
mod messages;
mod mutants;
mod normal;
mod packs;
mod round_trip;
mod scatter;
mod semantics;
mod table;
mod tails;
mod truth;
mod whole;
