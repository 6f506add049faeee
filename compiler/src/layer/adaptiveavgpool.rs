//! `adaptiveavgpool`: means over as many bins as wanted.

use super::Sliding;
use super::avgpool::AvgPool;
use super::pool::{self, Bin, PoolWindow, Pooling, Segment};
use super::window::{Window, show};
use super::{
    ArgError, Args, Attribute, Attributes, Decl, Inferred, Kind, Layer, Lowering, ParamDecl,
    ShapeError, grid,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::limits;
use crate::lower::Lower;
use crate::op::along::{Along, mean};
use crate::shape::Shape;
use ndarray::{ArrayD, s};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "adaptiveavgpool",
    doc: "Means over bins, as many as wanted: bin `i` of `m` over `n` elements is `⌊i·n/m⌋ .. ⌈(i+1)·n/m⌉` (PyTorch's). Bins overlap where `m` does not divide `n`.",
    params: &[ParamDecl {
        name: "size",
        kind: Kind::Dims,
        positional: true,
        default: None,
        doc: "Extents of the result: `6x6`.",
    }],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 5x9x7; adaptiveavgpool 3x3",
        "input x: 17x6x6; adaptiveavgpool 6x6",
        "input x: 3x5x5; adaptiveavgpool 1x1",
        "input x: 2x18; adaptiveavgpool 12",
        "input x: 3x4x5; adaptiveavgpool 7x6",
        "input x: 3x20; adaptiveavgpool 7",
        "input x: 5x4x6x7; adaptiveavgpool 2x4x3",
    ],
};

/// Means over bins.
#[derive(Clone, Debug)]
pub struct AdaptiveAvgPool {
    /// Extents of the result.
    pub size: Vec<usize>,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let size = args.dims("size")?.ok_or_else(|| args.missing("size"))?;
    Ok(Box::new(AdaptiveAvgPool { size }))
}

/// The elements of bin `i` of `m` over `n`.
fn bin(i: usize, m: usize, n: usize) -> std::ops::Range<usize> {
    i * n / m..((i + 1) * n).div_ceil(m)
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// After how many of `m` bins over `n` elements they repeat.
fn kinds(m: usize, n: usize) -> usize {
    m / gcd(n, m)
}

/// The segments of `m` bins over `n` elements, one for each of their kinds; neighbours may be fewer segments, as long as there are not very
/// many.
fn segments(m: usize, n: usize) -> Vec<Segment> {
    let seen = |output: usize| {
        let bin = bin(output, m, n);
        Bin {
            start: bin.start,
            taps: bin.len(),
            counted: bin.len(),
        }
    };
    let kinds = kinds(m, n);
    let times = m / kinds;
    let repeated = (0..kinds).map(|output| Segment {
        every: if times > 1 { kinds } else { 1 },
        count: times,
        step: if times > 1 { n / times } else { 0 },
        ..Segment::one(output, seen(output))
    });
    let repeated: Vec<Segment> = repeated.collect();
    if m > limits::CALLS {
        return repeated;
    }
    let neighbours = pool::segments(m, 0..0, seen);
    match neighbours.len() <= repeated.len() {
        true => neighbours,
        false => repeated,
    }
}

impl Layer for AdaptiveAvgPool {
    fn attributes(&self) -> (&'static str, Attributes) {
        (DECL.keyword, vec![("size", Attribute::extents(&self.size))])
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let x = &inputs[0];
        if x.spatial().len() != self.size.len() {
            let message = format!("a pool to {} cannot be applied to {x}", show(&self.size));
            return Err(
                ShapeError::new(message).help(format!("write {} extents", x.spatial().len()))
            );
        }
        let bins = self.size.iter().zip(x.spatial());
        let kinds = bins.fold(1usize, |all, (&m, &n)| all.saturating_mul(kinds(m, n)));
        pool::check_kinds(kinds, x)?;
        let mut dims = vec![x.channels()];
        dims.extend(&self.size);
        Shape::new(dims)
            .map(|output| Inferred {
                pieces: kinds,
                ..Inferred::plain(output)
            })
            .ok_or_else(|| ShapeError::new(format!("{} of {x} is too large", show(&self.size))))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let mut dims = vec![inputs[0].shape()[0]];
        dims.extend(&self.size);
        let output = Shape::new(dims).expect("infer accepted it");
        let x = grid::view(inputs[0]);
        let (from, to) = (grid::shape(inputs[0]).dhw(), output.dhw());
        grid::tabulate(&output, |[c, d, h, w]| {
            let [d, h, w] = [(d, 0), (h, 1), (w, 2)].map(|(i, axis)| bin(i, to[axis], from[axis]));
            let seen = x.slice(s![c, d, h, w]);
            seen.sum() / seen.len() as f64
        })
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let (x, y) = (g.shape(g.x(0)), g.shape(g.y()));
        let adjoint = Along::adjoint(self.attributes(), &x, &y, |axis, place| {
            let bin = bin(place, y.dhw()[axis], x.dhw()[axis]);
            mean(bin.start, bin.len(), bin.len())
        });
        let dx = g.push(adjoint, &[g.dy()]);
        g.give(0, dx);
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn sliding(&self, operands: &[Shape]) -> Sliding {
        let x = &operands[0];
        if self.size == x.spatial() {
            return Sliding::Window(
                Box::new(AvgPool {
                    window: PoolWindow(Window::pixel(x)),
                    count_padding: false,
                }),
                [1; 3],
            );
        }
        if self.size.iter().all(|&size| size == 1) {
            return Sliding::Whole(Box::new(AvgPool {
                window: PoolWindow(Window::whole(x)),
                count_padding: false,
            }));
        }
        Sliding::Fixed(format!("cuts {x} into bins, which windows do not share"))
    }
}

impl Lowering for AdaptiveAvgPool {
    fn lower(&self, cx: &mut Lower<'_>) {
        let (from, to) = (cx.input_shape(0).dhw(), cx.output_shape().dhw());
        pool::lower(cx, Pooling::Average, [1; 3], |axis| {
            segments(to[axis], from[axis])
        });
    }
}
