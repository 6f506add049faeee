//! How samples are changed at random each time that they are learned from.

/// What `augment { … }` says; a number of 0 changes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Augment {
    /// Left and right are exchanged in half of the samples.
    pub mirror: bool,
    /// Side of a square that is cut out anywhere, and becomes the whole sample.
    pub crop: Option<usize>,
    /// Pixels around the sample in which that square may lie, too.
    pub pad: usize,
    /// Degrees that it is turned by at most, either way.
    pub rotate: f64,
    /// Degrees that its vertical lines lean at most, either way.
    pub shear: f64,
    /// Share by which it grows or shrinks at most.
    pub scale: f64,
    /// Pixels, or elements of a series, that it is moved by at most, along each axis.
    pub shift: f64,
    /// Shares by which brightness, contrast and saturation change at most.
    pub colour: [f64; 3],
    /// Levels, of 255, that are added to red, green and blue at most, each by itself, either way.
    pub tint: f64,
}
