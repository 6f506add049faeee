//! From `.cnn` text to a graph, to proven loops, to Rust tokens or machine code.
//!
//! ```text
//! text ─parse─▶ Ast ─resolve─▶ Graph ─passes─▶ Graph ─lower─▶ Loops ─┬─▶ Rust tokens
//!                                │                                   ├─▶ machine code (feature `jit`)
//!                                └─▶ reference evaluation            └─▶ interpreter
//! ```

pub mod graph;
pub mod id;
#[cfg(feature = "jit")]
pub mod jit;
pub mod layer;
pub mod loops;
pub mod lower;
pub mod pass;
pub mod reference;
