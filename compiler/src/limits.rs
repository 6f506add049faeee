//! How large things may be: the limits that front end, lowering and proof have in common.
//!
//! What the front end accepts is bounded here such that whatever lowering makes of it, padded copies and strides included, is within
//! what the proof of loops works with. A spec beyond them is refused before anything is allocated for it.
//!
//! | what | limit |
//! |---|---|
//! | an extent, stride or width that is written | [`EXTENT`] |
//! | padding that is written | [`PADDING`] |
//! | a tensor, with the zeros around it; a parameter | [`ELEMENTS`] |
//! | all tensors, all parameters | [`TOTAL`] |
//! | multiplications of a layer | [`MACS`] |
//! | calls that one layer is cut into; all such layers | [`CALLS`]; [`PIECES`] |
//! | layers; operands of all of them; inputs | [`NODES`]; [`OPERANDS`]; [`INPUTS`] |
//! | steps of expansion | [`STEPS`] |
//! | a size or stride among a kernel's constants | [`CONSTANT`] |
//! | an address, or the product of a call's counts | [`ADDRESS`] |
//! | a number of the network | [`ranged`] |

/// Largest extent, stride, dilation or width that may be written.
pub const EXTENT: i64 = 1 << 24;

/// Most padding that may be written for one edge.
pub const PADDING: usize = 1 << 16;

/// Most elements of a tensor, of its copy with the zeros that its readers want around it, and of a parameter.
pub const ELEMENTS: usize = 1 << 31;

/// Most elements in all tensors, and in all parameters.
pub const TOTAL: u64 = 1 << 35;

/// Most multiplications of one layer.
pub const MACS: u64 = 1 << 47;

/// Most calls that one layer is cut into because they work on differently clipped windows.
pub const CALLS: usize = 1 << 12;

/// Most phases of one transposed convolution, each of which has its own part of the weights.
pub const PHASES: usize = 1 << 10;

/// Most calls that the layers of a network are cut into because windows are clipped differently, or strides are large: code for so many takes a
/// second and some 100 MB to write.
pub const PIECES: usize = 1 << 14;

/// Most layers in a network.
pub const NODES: usize = 20_000;

/// Most operands that the layers of a network have together.
pub const OPERANDS: usize = 1 << 16;

/// Most inputs of a network: each has its own code, and its own place in what calls it.
pub const INPUTS: usize = 1 << 10;

/// Most steps of expansion: statements, arguments, operators and constants, each time they are evaluated.
pub const STEPS: usize = 2_000_000;

/// Largest size or stride among a kernel's constants: no stride within a tensor is larger than the tensor, and a kernel may multiply two.
pub const CONSTANT: u64 = ELEMENTS as u64;

/// Addresses, and products of counts, stay below this, so that sums of a few of them are numbers of 64 bits.
pub const ADDRESS: i64 = 1 << 48;

/// A number with the range of f32: infinite where it would be rounded to infinity, zero of its sign where it is less than the smallest normal one.
pub fn ranged(x: f64) -> f64 {
    let narrow = x as f32;
    if narrow.is_infinite() {
        f64::from(narrow)
    } else if narrow.abs() < f32::MIN_POSITIVE {
        0f64.copysign(x)
    } else {
        x
    }
}
