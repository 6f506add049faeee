//! What the tests of all packages share: where files are, properties whose chance can be repeated, pictures.

mod files;
mod property;
mod raster;

pub use files::{file, say, shared};
pub use property::{Run, number, property};
pub use raster::Raster;
