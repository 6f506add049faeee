//! What the tests of all packages share: where files are, chance that can be repeated, pictures, memory that is counted, folders in which a program runs.

mod files;
mod hash;
mod memory;
pub mod message;
mod place;
mod property;
mod random;
mod raster;

pub use files::{file, has, say, shared};
pub use hash::fnv;
pub use memory::{Counting, blocks, most};
pub use place::{Place, told};
pub use property::{Run, number, property};
pub use random::Random;
pub use raster::Raster;
