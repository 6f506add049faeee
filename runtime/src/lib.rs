//! What a compiled network needs to run: SIMD micro-kernels, a thread pool, weights and pictures.
//!
//! This crate knows nothing of layers, graphs or `.cnn` text. It knows *kernels* (named, with a
//! footprint and a naive twin), *plans* (the constants of one compiled network) and the edges of
//! the world: tensor files and pictures.

pub mod answer;
pub mod denormals;
pub mod files;
pub mod generated;
pub mod image;
pub mod input;
pub mod isa;
pub mod kernel;
pub mod memory;
mod npy;
pub mod pack;
pub mod peak;
pub mod plan;
pub mod session;
mod simd;
pub mod sniff;
pub mod synthetic;
pub mod tensor_file;
pub mod threads;
pub mod weights;

pub use isa::Isa;
