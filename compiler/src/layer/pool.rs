//! What all pools share: windows clipped to the operand, and their lowering by segments.
//!
//! A pooling kernel does not clip, so the output is cut, along each axis, into *segments*: runs of outputs whose windows
//! see equally many elements and lie at equal distances. A 3-wide window at stride 2 with padding 1 over 7 elements:
//!
//! ```text
//!     output     0     1     2     3
//!     sees      .01   123   345   56.
//!     segments  [-]   [-------]   [-]
//! ```
//!
//! Each combination of segments along depth, height and width is one call.

use super::window::{Placed, Window};
use super::{
    ArgError, Args, Attributes, Inferred, Kind, Layer, ParamDecl, ShapeError, Sliding, grid,
};
use crate::limits;
use crate::lower::{Lower, Storage};
use crate::op::along::Along;
use crate::shape::Shape;
use cnnc_runtime::kernel::{AvgPoolCall, Axis, MaxPoolCall, Pixels};
use ndarray::ArrayD;
use std::ops::Range;

/// Declaration of a pool's kernel.
pub const KERNEL: ParamDecl = ParamDecl {
    name: "kernel",
    kind: Kind::Dims,
    positional: true,
    default: None,
    doc: "Extents of the window: `3x3`; one number for one dimension, `2x2x2` for three.",
};

/// Declaration of a pool's stride.
pub const STRIDE: ParamDecl = ParamDecl {
    default: Some("the kernel"),
    ..super::window::STRIDE
};

/// Declaration of `floor` and `ceil`.
pub const ROUNDING: ParamDecl = ParamDecl {
    name: "rounding",
    kind: Kind::Word(&["floor", "ceil"]),
    positional: true,
    default: Some("floor"),
    doc: "Whether a last window that is only partly inside is left out (`floor`) or clipped (`ceil`; it must begin inside the operand or \
          the padding before it, which is PyTorch's rule).",
};

/// What one output sees along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bin {
    /// First element.
    pub start: usize,
    /// Elements inside the operand.
    pub taps: usize,
    /// Elements that a mean divides by.
    pub counted: usize,
}

/// Outputs along one axis that see equally many elements, at equal distances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// First output.
    pub first: usize,
    /// From one output to the next.
    pub every: usize,
    /// Number of outputs.
    pub count: usize,
    /// Elements from one window to the next.
    pub step: usize,
    /// What the first output sees.
    pub bin: Bin,
}

impl Segment {
    /// One output.
    pub fn one(output: usize, bin: Bin) -> Segment {
        Segment {
            first: output,
            every: 1,
            count: 1,
            step: 0,
            bin,
        }
    }
}

/// Cuts neighbouring outputs of one axis into segments, as few as possible. Those of `inside` are known to see equally many
/// elements at equal distances: however many there are, three of them are looked at.
pub fn segments(outputs: usize, inside: Range<usize>, bin: impl Fn(usize) -> Bin) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    let skip = inside.start + 3..inside.end;
    let mut output = 0;
    while output < outputs {
        match segments.last_mut() {
            Some(last) if skip.contains(&output) => {
                last.count += skip.len();
                output = skip.end;
                continue;
            }
            Some(last) => {
                let next = bin(output);
                let alike = (last.bin.taps, last.bin.counted) == (next.taps, next.counted);
                let distance = next.start - last.bin.start;
                if alike && (last.count == 1 || distance == last.count * last.step) {
                    last.step = distance / last.count;
                    last.count += 1;
                } else {
                    segments.push(Segment::one(output, next));
                }
            }
            None => segments.push(Segment::one(output, bin(output))),
        }
        output += 1;
    }
    segments
}

/// What a pool computes from the elements it sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// The largest.
    Max,
    /// The sum, divided by [`Bin::counted`] of each axis.
    Average,
}

/// Emits the calls of a pool from the one operand to the result; `along(axis)` are the segments of depth, height or width, and taps are so far apart.
pub fn lower(
    cx: &mut Lower<'_>,
    pooling: Pooling,
    dilation: [usize; 3],
    along: impl Fn(usize) -> Vec<Segment>,
) {
    let (output, input) = (cx.output(), cx.input(0));
    blocks(cx, pooling, dilation, (&output, &input), along);
}

/// Emits the calls of a pool from one tensor to another.
pub(super) fn blocks(
    cx: &mut Lower<'_>,
    pooling: Pooling,
    dilation: [usize; 3],
    (output, input): (&Storage, &Storage),
    along: impl Fn(usize) -> Vec<Segment>,
) {
    let along: [Vec<Segment>; 3] = std::array::from_fn(along);
    for &planes in &along[0] {
        for &rows in &along[1] {
            for &pixels in &along[2] {
                block(
                    cx,
                    pooling,
                    dilation,
                    (output, input),
                    [planes, rows, pixels],
                );
            }
        }
    }
}

/// One combination of segments: planes in a loop, rows shared among threads, pixels in the kernel.
fn block(
    cx: &mut Lower<'_>,
    pooling: Pooling,
    dilation: [usize; 3],
    (output, input): (&Storage, &Storage),
    along: [Segment; 3],
) {
    let [planes, rows, pixels] = along;
    let taps = along.map(|segment| segment.bin.taps);
    let [out, into] = [output.strides, input.strides];
    // From one output to the next: strides in output and operand.
    let step = |axis: usize| {
        let Segment { every, step, .. } = along[axis];
        (every as i64 * out[axis], step as i64 * into[axis])
    };
    let origin = (
        (0..3)
            .map(|axis| along[axis].first as i64 * out[axis])
            .sum::<i64>(),
        (0..3)
            .map(|axis| along[axis].bin.start as i64 * into[axis])
            .sum::<i64>(),
    );
    let work: usize = along
        .iter()
        .map(|segment| segment.count * segment.bin.taps)
        .product();
    let cut = cx.machine().shares(rows.count, work * output.channels);
    let rows_in_chunk = rows.count / cut;
    let window = std::array::from_fn(|axis| Axis {
        count: taps[axis],
        stride: dilation[axis] as i64 * into[axis],
    });
    let (pixels, channels) = (pixels.count, output.channels);
    cx.parallel(cut, |cx, chunk| {
        cx.repeat(planes.count, |cx, plane| {
            let offset = |pick: fn((i64, i64)) -> i64| {
                let rows = chunk.clone().times(pick(step(1)) * rows_in_chunk as i64);
                rows.add(&plane.clone().times(pick(step(0))))
                    .offset(pick(origin))
            };
            let rows = rows_in_chunk;
            let out = Pixels {
                at: output.access(offset(|pair| pair.0)),
                row: step(1).0,
                pixel: step(2).0,
            };
            let x = Pixels {
                at: input.access(offset(|pair| pair.1)),
                row: step(1).1,
                pixel: step(2).1,
            };
            match pooling {
                Pooling::Max => cx.call(MaxPoolCall {
                    rows,
                    pixels,
                    channels,
                    window,
                    out,
                    x,
                }),
                Pooling::Average => {
                    let counted = along.map(|segment| segment.bin.counted as f64);
                    cx.call(AvgPoolCall {
                        rows,
                        pixels,
                        channels,
                        window,
                        out,
                        x,
                        scale: 1.0 / counted.iter().product::<f64>(),
                    });
                }
            }
        });
    });
}

/// A window of a pool: placed, with every output seeing at least one element.
#[derive(Clone, Debug)]
pub struct PoolWindow(
    /// The window.
    pub Window,
);

impl PoolWindow {
    /// Reads `kernel`, `stride` (by default the kernel), `pad` and `rounding`.
    ///
    /// # Errors
    /// As [`Window::from_args`].
    pub fn from_args(args: &Args) -> Result<PoolWindow, ArgError> {
        Window::from_args(args, true).map(PoolWindow)
    }

    /// The parameters as written.
    pub fn attributes(&self) -> Attributes {
        let mut attributes = self.0.attributes();
        if self.0.dilation == [1; 3] {
            attributes.retain(|(name, _)| *name != "dilation");
        }
        let rounding = if self.0.ceil { "ceil" } else { "floor" };
        attributes.push((ROUNDING.name, rounding.into()));
        attributes
    }

    /// Where the window stands, and the shape of the result.
    ///
    /// # Errors
    /// As [`Window::place`]; a window that sees only padding.
    pub fn place(&self, x: &Shape) -> Result<(Placed, Shape), ShapeError> {
        let placed = self.0.place(x)?;
        for axis in 0..3 {
            let (before, extent) = (placed.before[axis], x.dhw()[axis]);
            let last = (placed.out[axis] - 1) * self.0.stride[axis];
            // Taps that are further apart than the operand is long may be on both sides of it.
            let apart = self.0.dilation[axis] > extent
                && (0..placed.out[axis])
                    .any(|output| self.bin(&placed, extent, axis, output, false).taps == 0);
            if before >= self.0.reach()[axis] || last >= before + extent || apart {
                let message = format!(
                    "a window of {} over {x} sees nothing but padding at one edge",
                    self.0.show(&self.0.kernel)
                );
                return Err(ShapeError::new(message).help("pad less than the kernel's extent"));
            }
        }
        let mut dims = vec![x.channels()];
        dims.extend(&placed.out[3 - self.0.rank..]);
        let output = Shape::new(dims);
        let output = output.ok_or_else(|| {
            ShapeError::new(format!("the result of a pool over {x} is too large"))
        })?;
        Ok((placed, output))
    }

    /// The outputs along an axis of `extent` elements whose windows are not clipped; empty, and perhaps with its end before its start, where there are none.
    fn inside(&self, placed: &Placed, extent: usize, axis: usize) -> Range<usize> {
        let (outputs, before) = (placed.out[axis], placed.before[axis]);
        let (stride, reach) = (self.0.stride[axis], self.0.reach()[axis]);
        let first = before.div_ceil(stride);
        let end = (before + extent)
            .checked_sub(reach)
            .map_or(0, |last| last / stride + 1);
        first..end.min(outputs)
    }

    /// How differently windows are clipped, at most: each that reaches over an edge may be of a kind of its own.
    fn kinds(&self, placed: &Placed, x: &Shape) -> usize {
        let along = |axis: usize| {
            let outputs = placed.out[axis];
            let inside = self.inside(placed, x.dhw()[axis], axis);
            (inside.start + (outputs - inside.end) + 1).min(outputs)
        };
        (0..3).map(along).fold(1, usize::saturating_mul)
    }

    /// The result of a pool.
    ///
    /// # Errors
    /// As [`PoolWindow::place`]; more kinds of clipped windows than are reasonable.
    pub fn infer(&self, x: &Shape) -> Result<Inferred, ShapeError> {
        let (placed, output) = self.place(x)?;
        let kinds = self.kinds(&placed, x);
        check_kinds(kinds, x)?;
        Ok(Inferred {
            pieces: kinds,
            ..Inferred::plain(output)
        })
    }

    /// The segments of an axis of `extent` elements; `padding` as of [`PoolWindow::bin`].
    pub fn segments(
        &self,
        placed: &Placed,
        extent: usize,
        axis: usize,
        padding: bool,
    ) -> Vec<Segment> {
        let inside = self.inside(placed, extent, axis);
        segments(placed.out[axis], inside, |output| {
            self.bin(placed, extent, axis, output, padding)
        })
    }

    /// What an output sees along an axis of `extent` elements. `counted` takes padding as elements if `padding` counts.
    pub fn bin(
        &self,
        placed: &Placed,
        extent: usize,
        axis: usize,
        output: usize,
        padding: bool,
    ) -> Bin {
        let (before, after) = (placed.before[axis], placed.after[axis]);
        // In padded coordinates.
        let from = output * self.0.stride[axis];
        let dilation = self.0.dilation[axis];
        // Taps that lie before a place.
        let until = |place: usize| {
            let taps = place.saturating_sub(from).div_ceil(dilation);
            taps.min(self.0.kernel[axis])
        };
        let (first, end) = (until(before), until(before + extent));
        let counted = match padding {
            true => until(before + extent + after),
            false => end - first,
        };
        Bin {
            start: (from + first * dilation).saturating_sub(before),
            taps: end - first,
            counted,
        }
    }

    /// How a pool over `x` slides; `unpadded` is the same pool with a window that has no padding.
    pub fn sliding(
        &self,
        x: &Shape,
        unpadded: impl FnOnce(PoolWindow) -> Box<dyn Layer>,
    ) -> Sliding {
        match self.0.unpadded(x) {
            Ok(window) => {
                let stride = window.stride;
                Sliding::Window(unpadded(PoolWindow(window)), stride)
            }
            Err(why) => Sliding::Fixed(why),
        }
    }

    /// The adjoint of a weighted sum of each window, of the pool `of` from `x` to `y`: `factor` of what an output sees along an axis, its padding counted as
    /// `padding` says, is that of each element along it.
    pub fn adjoint(
        &self,
        of: (&'static str, Attributes),
        (x, y): (&Shape, &Shape),
        padding: bool,
        factor: fn(Bin) -> f64,
    ) -> Along {
        let (placed, _) = self.place(x).expect("infer accepted it");
        Along::adjoint(of, x, y, |axis, place| {
            let bin = self.bin(&placed, x.dhw()[axis], axis, place, padding);
            let factor = factor(bin);
            self.seen(bin, axis).map(|place| (place, factor)).collect()
        })
    }

    /// The elements that an output sees along an axis.
    fn seen(&self, bin: Bin, axis: usize) -> impl Iterator<Item = usize> + use<> {
        let dilation = self.0.dilation[axis];
        (0..bin.taps).map(move |tap| bin.start + tap * dilation)
    }

    /// The plain definition: `value(elements, positions)` of each window, where `elements` are those inside the operand
    /// and `positions` counts the taps that fall on the operand or its declared padding.
    pub fn evaluate(&self, x: &ArrayD<f64>, value: impl Fn(&[f64], usize) -> f64) -> ArrayD<f64> {
        let shape = grid::shape(x);
        let (placed, output) = self.place(&shape).expect("infer accepted it");
        let (x, extents, kernel) = (grid::view(x), shape.dhw(), self.0.kernel);
        let mut elements = Vec::new();
        grid::tabulate(&output, |[c, d, h, w]| {
            elements.clear();
            let mut positions = 0;
            // Coordinate in the padded operand, if the tap falls on it.
            let padded = |axis: usize, output: usize, tap: usize| {
                let at = output * self.0.stride[axis] + tap * self.0.dilation[axis];
                (at < placed.before[axis] + extents[axis] + placed.after[axis]).then_some(at)
            };
            let inside = |axis: usize, at: usize| {
                at.checked_sub(placed.before[axis])
                    .filter(|&at| at < extents[axis])
            };
            for i in (0..kernel[0]).map_while(|tap| padded(0, d, tap)) {
                for j in (0..kernel[1]).map_while(|tap| padded(1, h, tap)) {
                    for k in (0..kernel[2]).map_while(|tap| padded(2, w, tap)) {
                        positions += 1;
                        if let (Some(i), Some(j), Some(k)) =
                            (inside(0, i), inside(1, j), inside(2, k))
                        {
                            elements.push(x[[c, i, j, k]]);
                        }
                    }
                }
            }
            value(&elements, positions)
        })
    }
}

/// Refuses a pool that would be cut into very many calls.
///
/// # Errors
/// More than that.
pub fn check_kinds(kinds: usize, x: &Shape) -> Result<(), ShapeError> {
    if kinds <= limits::CALLS {
        return Ok(());
    }
    let message =
        format!("a pool over {x} with up to {kinds} differently clipped windows is too irregular");
    Err(ShapeError::new(message).help("choose a smaller kernel or extents that divide one another"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::window::Padding;

    #[test]
    fn segments_are_maximal_runs() {
        // The picture above.
        let bins = [(0, 2), (1, 3), (3, 3), (5, 2)];
        let cut = segments(4, 1..3, |i| Bin {
            start: bins[i].0,
            taps: bins[i].1,
            counted: bins[i].1,
        });
        let runs: Vec<_> = cut
            .iter()
            .map(|s| (s.first, s.count, s.step, s.bin.start))
            .collect();
        assert_eq!(runs, [(0, 1, 0, 0), (1, 2, 2, 1), (3, 1, 0, 5)]);
    }

    #[test]
    fn what_is_inside_is_not_looked_at_one_by_one() {
        for kernel in 1..5 {
            for stride in 1..4 {
                for pad in 0..kernel {
                    for extent in kernel..20 {
                        let window = PoolWindow(Window {
                            rank: 1,
                            kernel: [1, 1, kernel],
                            stride: [1, 1, stride],
                            dilation: [1; 3],
                            padding: Padding::Explicit([(0, 0), (0, 0), (pad, pad)]),
                            ceil: extent % 2 == 0,
                        });
                        let placed = window.0.place(&Shape::new([1, extent]).unwrap()).unwrap();
                        let bin = |output| window.bin(&placed, extent, 2, output, true);
                        assert_eq!(
                            window.segments(&placed, extent, 2, true),
                            segments(placed.out[2], 0..0, bin),
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn unequal_distances_split() {
        let starts = [0, 1, 3, 5, 6];
        let cut = segments(5, 0..0, |i| Bin {
            start: starts[i],
            taps: 2,
            counted: 2,
        });
        let runs: Vec<_> = cut.iter().map(|s| (s.first, s.count, s.step)).collect();
        assert_eq!(runs, [(0, 2, 1), (2, 2, 2), (4, 1, 0)]);
    }
}
