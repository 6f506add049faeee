//! Walking several tensors of equal extent together: the loop nest that every elementwise layer shares.

use super::{Lower, Storage};
use crate::loops::{Access, Affine};
use cnnc_runtime::kernel::{Pace, Pixels, Pixelwise, ScaleShiftCall};

/// What one kernel call of a sweep covers: `rows × pixels` of each tensor.
pub struct Sweep<const N: usize> {
    /// Rows.
    pub rows: usize,
    /// Pixels in a row.
    pub pixels: usize,
    /// Channels of the first tensor.
    pub channels: usize,
    /// The tensors.
    pub tensors: [Pixels<Access>; N],
}

impl<const N: usize> Sweep<N> {
    /// The same as contiguous runs: `channels` is the length of a run, `pixels` their number in a row. A row
    /// whose pixels stand close together in every tensor is one run.
    #[must_use]
    pub fn runs(self) -> Sweep<N> {
        let channels = self.channels as i64;
        if self.tensors.iter().any(|tensor| tensor.pixel != channels) {
            return self;
        }
        Sweep {
            rows: 1,
            pixels: self.rows,
            channels: self.pixels * self.channels,
            tensors: self.tensors.map(|Pixels { at, row, .. }| Pixels {
                at,
                row: 0,
                pixel: row,
            }),
        }
    }
}

impl Sweep<2> {
    /// The same as the argument of a kernel.
    pub fn pixelwise(self) -> Pixelwise<Access> {
        let [out, x] = self.tensors;
        Pixelwise {
            rows: self.rows,
            pixels: self.pixels,
            channels: self.channels,
            out,
            x,
        }
    }
}

/// The axes of all pixels of all images, and those of a tensor of the same extents beside it.
///
/// # Panics
/// Where they are more than three that cannot be walked as one.
pub fn across(a: &Storage, b: Option<&Storage>) -> [Pace; 3] {
    let mut axes: Vec<Pace> = Vec::new();
    let images = (a.images, a.image, b.map_or(0, |b| b.image));
    let extents = [2, 1, 0].map(|axis| {
        let stride = b.map_or(0, |b| b.strides[axis]);
        (a.dhw[axis], a.strides[axis], stride)
    });
    for (count, a, b) in extents.into_iter().chain([images]) {
        match axes.last_mut() {
            _ if count == 1 => {}
            Some(inner)
                if a == inner.count as i64 * inner.a && b == inner.count as i64 * inner.b =>
            {
                inner.count *= count;
            }
            _ => axes.push(Pace { count, a, b }),
        }
    }
    axes.resize(3.max(axes.len()), Pace::ONCE);
    axes.reverse();
    axes.try_into().expect("no more than three axes")
}

impl Lower<'_> {
    /// Emits the loops that visit every pixel of `tensors` (equal extents; the output first) and calls
    /// `body` inside them, once.
    pub fn sweep<const N: usize>(
        &mut self,
        tensors: &[Storage; N],
        body: impl FnOnce(&mut Self, Sweep<N>),
    ) {
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
        let cut = self
            .machine
            .shares(if by_pixels { pixels } else { rows }, total);
        let step: Vec<i64> = if by_pixels {
            pixels /= cut;
            pixel.iter().map(|stride| stride * pixels as i64).collect()
        } else {
            rows /= cut;
            row.iter().map(|stride| stride * rows as i64).collect()
        };
        self.parallel(cut, |cx, i| {
            cx.repeat(outer, |cx, j| {
                let tensors = std::array::from_fn(|t| {
                    let from = i
                        .clone()
                        .times(step[t])
                        .add(&j.clone().times(outer_strides[t]));
                    Pixels {
                        at: tensors[t].access(from),
                        row: row[t],
                        pixel: pixel[t],
                    }
                });
                let sweep = Sweep {
                    rows,
                    pixels,
                    channels,
                    tensors,
                };
                body(cx, sweep);
            });
        });
    }

    /// Scales and shifts each channel of the second tensor into the first.
    pub fn scale_shift_by(&mut self, tensors: &[Storage; 2], scale: Access, shift: Access) {
        self.sweep(tensors, |cx, sweep| {
            cx.call(ScaleShiftCall {
                over: sweep.pixelwise(),
                scale,
                shift,
                slope: 1.0,
                hi: f64::INFINITY,
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
