//! From `.cnn` text to a graph, to proven loops, to Rust tokens or machine code.
//!
//! ```text
//! text ─parse─▶ Ast ─resolve─▶ Graph ─passes─▶ Graph ─lower─▶ Loops ─┬─▶ Rust tokens (feature `emit`)
//!                                │                                   ├─▶ machine code (feature `jit`)
//!                                └─▶ reference evaluation            └─▶ interpreter
//! ```

// Code that pest derives without its feature `std` names it.
extern crate alloc;

pub mod args;
pub mod ast;
pub mod diagnostic;
#[cfg(feature = "emit")]
pub mod emit;
pub mod field;
pub mod foreign;
pub mod format;
pub mod frameworks;
pub mod gradient;
pub mod graph;
pub mod hash;
pub mod head;
pub mod id;
#[cfg(feature = "jit")]
pub mod jit;
pub mod layer;
pub mod limits;
pub mod loops;
pub mod loss;
pub mod lower;
pub mod note;
pub mod op;
pub mod outline;
pub mod parse;
pub mod pass;
pub mod recipe;
pub mod reference;
pub mod resolve;
pub mod shape;
pub mod slide;
mod slip;
pub mod span;
pub mod step;
pub mod target;
pub mod tuning;
pub mod words;

pub use diagnostic::{Diagnostics, Files};
pub use resolve::{Model, compile_file, compile_source};
