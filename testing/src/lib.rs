//! What the tests of all packages share: where files are, and properties whose chance can be repeated.

mod files;
mod property;

pub use files::{file, say, shared};
pub use property::{Run, number, property};
