//! The shape of a tensor.

use crate::limits;
use std::fmt;

/// A shape without batch, channels first: `[C]`, `[C, L]`, `[C, H, W]` or `[C, D, H, W]`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Shape(Vec<usize>);

impl Shape {
    /// The shape of those extents, if it has one to four, none zero, and at most [`limits::ELEMENTS`].
    pub fn new(dims: impl Into<Vec<usize>>) -> Option<Shape> {
        let dims = dims.into();
        if dims.is_empty() || dims.len() > 4 {
            return None;
        }
        let elements = dims
            .iter()
            .try_fold(1usize, |product, &dim| product.checked_mul(dim))?;
        (elements > 0 && elements <= limits::ELEMENTS).then_some(Shape(dims))
    }
    /// All extents, channels first.
    pub fn dims(&self) -> &[usize] {
        &self.0
    }
    /// Number of channels.
    pub fn channels(&self) -> usize {
        self.0[0]
    }
    /// Extents behind the channels.
    pub fn spatial(&self) -> &[usize] {
        &self.0[1..]
    }
    /// Depth, height and width, 1 where the rank is lower.
    pub fn dhw(&self) -> [usize; 3] {
        let mut dhw = [1; 3];
        let spatial = self.spatial();
        dhw[3 - spatial.len()..].copy_from_slice(spatial);
        dhw
    }
    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.0.iter().product()
    }
    /// The same spatial extents with another number of channels.
    pub fn with_channels(&self, channels: usize) -> Option<Shape> {
        let mut dims = self.0.clone();
        dims[0] = channels;
        Shape::new(dims)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, dim) in self.0.iter().enumerate() {
            write!(f, "{}{dim}", if index == 0 { "" } else { "x" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
