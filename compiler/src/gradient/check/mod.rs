//! Gradients compared with differences, in f64.
//!
//! [`layer()`] checks one layer by itself, on numbers that are made up: `⟨dy, f(x + h·v)⟩ − ⟨dy, f(x − h·v)⟩` over `2·h` is what the gradient says of the
//! direction `v`, with a cotangent `dy` and directions that are random, but the same in every run. A direction over all elements of a
//! tensor sees every mistake in any of them; single elements say where nothing is to be given. [`network()`] does so for every layer of a network, on
//! operands that are cut where they are large; [`numbers()`] for a small network as a whole, element by element.

mod layer;
mod network;
mod numbers;
mod points;

pub use layer::{LayerError, alone, layer};
pub use network::{Row, network};
pub use numbers::{MOST_WORK, Number, TooMuch, Verdict, numbers};

/// The largest relative error that is a gradient's.
pub const TOLERANCE: f64 = 1e-6;

/// Half of a difference's width: far below the distances of [`points`], and with rounding errors far below [`TOLERANCE`].
const STEP: f64 = 1.0 / (1 << 18) as f64;

/// What errors are relative to where a gradient is next to nothing: this share of what is differentiated. Differences are no better than that.
const FLOOR: f64 = 1e-3;
