//! Parts of tensors as f32, for as long as a piece needs them.

use crate::memory::OutOfMemory;
use crate::plan::Base;
use crate::weights::{Fault, Values};
use std::ops::Range;

/// Elements beyond which a buffer is given back when less is needed.
const LARGE: usize = 1 << 20;

/// What one thread has read last, for each argument.
#[derive(Default)]
pub(super) struct Images(Vec<Image>);

#[derive(Default)]
struct Image {
    /// Whose elements these are.
    of: Option<Base>,
    /// Index of the first.
    start: usize,
    values: Vec<f32>,
}

impl Images {
    /// The elements of a range, which the tensor has. What lies in memory already is not copied.
    pub fn of<'a>(
        &'a mut self,
        arg: usize,
        base: Base,
        values: Values<'a>,
        range: Range<usize>,
    ) -> Result<&'a [f32], Fault> {
        if let Some(floats) = values.borrow(range.clone()) {
            return Ok(floats);
        }
        if self.0.len() <= arg {
            self.0.resize_with(arg + 1, Image::default);
        }
        let image = &mut self.0[arg];
        let known = image.start..image.start + image.values.len();
        if image.of != Some(base) || range.start < known.start || range.end > known.end {
            let all = match values.in_parts() {
                true => range.clone(),
                false => 0..values.len(),
            };
            image.read(values, all)?;
            image.of = Some(base);
        }
        Ok(&image.values[range.start - image.start..][..range.len()])
    }
}

impl Image {
    fn read(&mut self, values: Values<'_>, range: Range<usize>) -> Result<(), Fault> {
        self.of = None;
        let len = range.len();
        if self.values.capacity() > LARGE.max(len) {
            self.values = Vec::new();
        }
        let room = len.saturating_sub(self.values.len());
        let reserved = self.values.try_reserve_exact(room);
        reserved.map_err(|_| OutOfMemory::of::<f32>(len))?;
        self.values.resize(len, 0.0);
        self.start = range.start;
        values.read(range.start, &mut self.values)
    }
}
