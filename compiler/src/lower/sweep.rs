//! Walking several tensors of equal extent together: the loop nest that every elementwise layer shares.

use super::{Lower, Storage};
use crate::loops::{Access, Affine};

/// What one kernel call of a sweep covers: `rows × pixels`, with each tensor's strides.
pub struct Sweep {
    /// One pointer per tensor.
    pub at: Vec<Access>,
    /// Rows.
    pub rows: i64,
    /// Row stride of each tensor.
    pub row: Vec<i64>,
    /// Pixels in a row.
    pub pixels: i64,
    /// Pixel stride of each tensor.
    pub pixel: Vec<i64>,
    /// Channels of the first tensor.
    pub channels: i64,
}

impl Sweep {
    /// Pointers as arguments of a call.
    pub fn args(&self) -> Vec<Option<Access>> {
        self.at.iter().cloned().map(Some).collect()
    }

    /// The constants `rows, row of each, pixels, pixel of each, channels` that many kernels begin with.
    pub fn consts(&self) -> Vec<i64> {
        let mut consts = vec![self.rows];
        consts.extend(&self.row);
        consts.push(self.pixels);
        consts.extend(&self.pixel);
        consts.push(self.channels);
        consts
    }

    /// The same as contiguous runs in two loops: `[outer, inner, run]`, and `[outer, inner]` strides of each tensor. A row
    /// whose pixels stand close together in every tensor is one run.
    pub fn runs(&self) -> ([i64; 3], Vec<[i64; 2]>) {
        if self.pixel.iter().all(|&pixel| pixel == self.channels) {
            let strides = self.row.iter().map(|&row| [0, row]).collect();
            ([1, self.rows, self.pixels * self.channels], strides)
        } else {
            let strides = self
                .row
                .iter()
                .zip(&self.pixel)
                .map(|(&row, &pixel)| [row, pixel])
                .collect();
            ([self.rows, self.pixels, self.channels], strides)
        }
    }
}

/// Elements below which a loop is not worth sharing among threads (about 5 µs of elementwise work).
pub const SERIAL: usize = 1 << 14;

/// Into how many equal chunks `n` rows of work are best cut for a thread pool: a divisor of `n`, about eight.
pub fn chunks(n: usize) -> usize {
    let divisors = (1..=n.min(64)).filter(|d| n.is_multiple_of(*d));
    divisors
        .min_by_key(|&d| if d < 8 { 8 - d } else { (d - 8) / 2 })
        .unwrap_or(1)
}

impl Lower<'_> {
    /// Emits the loops that visit every pixel of `tensors` (equal extents; the output first) and calls
    /// `body` inside them, once.
    pub fn sweep(&mut self, tensors: &[Storage], body: impl FnOnce(&mut Self, Sweep)) {
        // Dimensions, innermost first, merged where every tensor's strides allow it.
        let mut dims: Vec<(usize, Vec<i64>)> = Vec::new();
        for axis in [2, 1, 0] {
            let count = tensors[0].dhw[axis];
            let strides: Vec<i64> = tensors.iter().map(|tensor| tensor.strides[axis]).collect();
            match dims.last_mut() {
                _ if count == 1 => {}
                Some((inner, inner_strides))
                    if strides
                        .iter()
                        .zip(&*inner_strides)
                        .all(|(outer, stride)| *outer == *inner as i64 * stride) =>
                {
                    *inner *= count;
                }
                _ => dims.push((count, strides)),
            }
        }
        let zero = vec![0; tensors.len()];
        dims.resize(3, (1, zero));
        let channels = tensors[0].channels;
        let total = dims.iter().map(|dim| dim.0).product::<usize>() * channels;
        let (outer, outer_strides) = dims[2].clone();
        let (mut rows, row) = dims[1].clone();
        let (mut pixels, pixel) = dims[0].clone();
        // Cut rows into chunks for the pool; a single row is cut by pixels.
        let by_pixels = rows == 1;
        let cut = match total {
            0..SERIAL => 1,
            _ if by_pixels => chunks(pixels),
            _ => chunks(rows),
        };
        let step: Vec<i64> = if by_pixels {
            pixels /= cut;
            pixel.iter().map(|stride| stride * pixels as i64).collect()
        } else {
            rows /= cut;
            row.iter().map(|stride| stride * rows as i64).collect()
        };
        self.parallel(cut, |cx, i| {
            cx.repeat(outer, |cx, j| {
                let at = tensors.iter().enumerate().map(|(t, tensor)| {
                    tensor.access(
                        i.clone()
                            .times(step[t])
                            .add(&j.clone().times(outer_strides[t])),
                    )
                });
                let sweep = Sweep {
                    at: at.collect(),
                    rows: rows as i64,
                    row,
                    pixels: pixels as i64,
                    pixel,
                    channels: channels as i64,
                };
                body(cx, sweep);
            });
        });
    }
}

impl Affine {
    /// Every part multiplied by `factor`.
    #[must_use]
    pub fn times(mut self, factor: i64) -> Affine {
        self.base *= factor;
        self.terms
            .iter_mut()
            .for_each(|(_, coefficient)| *coefficient *= factor);
        self.terms.retain(|&(_, coefficient)| coefficient != 0);
        self
    }
    /// The sum of both.
    #[must_use]
    #[allow(clippy::should_implement_trait)] // takes a reference, as terms are copied anyway
    pub fn add(mut self, other: &Affine) -> Affine {
        self.base += other.base;
        for &(var, coefficient) in &other.terms {
            self = self.plus(var, coefficient);
        }
        self
    }
}
