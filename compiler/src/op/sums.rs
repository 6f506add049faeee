//! `pixel_sum` and `together`: sums over a part of a tensor.

use crate::layer::elementwise::repeated;
use crate::layer::{Attributes, Inferred, Layer, Lowering, ShapeError, copy};
use crate::loops::Affine;
use crate::lower::{Lower, Storage, across};
use crate::shape::Shape;
use cnnc_runtime::kernel::{GroupSumCall, SumCall, Term};
use ndarray::{ArrayD, Axis, IxDyn};

/// Keyword of [`PixelSum`].
pub const PIXELS: &str = "pixel_sum";

/// Keyword of [`Together`].
pub const TOGETHER: &str = "together";

/// A vector of the channels: the sum of each over all pixels.
#[derive(Clone, Debug)]
pub struct PixelSum;

impl Layer for PixelSum {
    fn attributes(&self) -> (&'static str, Attributes) {
        (PIXELS, Vec::new())
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let vector = Shape::new([inputs[0].channels()]);
        Ok(Inferred::plain(vector.expect("no larger than the operand")))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let sums = inputs[0].axis_iter(Axis(0)).map(|channel| channel.sum());
        let sums: Vec<f64> = sums.collect();
        ArrayD::from_shape_vec(IxDyn(&[sums.len()]), sums).expect("one for each channel")
    }
    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }
}

impl Lowering for PixelSum {
    fn lower(&self, cx: &mut Lower<'_>) {
        let (out, x) = (cx.output(), cx.input(0));
        sum(cx, &out, &x);
    }
}

/// Emits the sum of each channel over all pixels, of all images.
pub(super) fn sum(cx: &mut Lower<'_>, out: &Storage, x: &Storage) {
    cx.call(SumCall {
        pixels: across(x, None),
        channels: x.channels,
        out: out.access(Affine::default()),
        a: x.access(Affine::default()),
        b: None,
        term: Term::Plain,
        scale: 1.0,
    });
}

/// Every element becomes the sum of those that go together with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Together {
    /// The channels of a pixel.
    Channels,
    /// All pixels of a group of adjacent channels, of so many groups.
    Groups(usize),
}

impl Together {
    /// How many elements of a tensor of that shape go together.
    pub fn count(self, shape: &Shape) -> usize {
        match self {
            Together::Channels => shape.channels(),
            Together::Groups(groups) => shape.elements() / groups,
        }
    }
}

impl Layer for Together {
    fn attributes(&self) -> (&'static str, Attributes) {
        let of = match self {
            Together::Channels => ("of", "channels".into()),
            Together::Groups(groups) => ("groups", (*groups).into()),
        };
        (TOGETHER, vec![of])
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        Ok(Inferred::plain(inputs[0].clone()))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let mut result = inputs[0].clone();
        match *self {
            Together::Channels => {
                for mut pixel in result.lanes_mut(Axis(0)) {
                    let sum = pixel.sum();
                    pixel.fill(sum);
                }
            }
            Together::Groups(groups) => {
                let size = result.shape()[0] / groups;
                for mut group in result.axis_chunks_iter_mut(Axis(0), size) {
                    let sum = group.sum();
                    group.fill(sum);
                }
            }
        }
        result
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }
}

impl Lowering for Together {
    /// The channels of each pixel; or first each channel over all pixels, then its group, and the sums are repeated.
    fn lower(&self, cx: &mut Lower<'_>) {
        let (out, x) = (cx.output(), cx.input(0));
        let Together::Groups(groups) = *self else {
            return group_sums(cx, &out, &x, 1);
        };
        let channels = copy::scratch(cx, x.channels);
        sum(cx, &channels, &x);
        if groups != x.channels {
            group_sums(cx, &channels, &channels, groups);
        }
        let repeated = repeated(channels, &out);
        copy::copy(cx, &out, &repeated, &copy::all(&out, &repeated));
    }
}

/// Emits sums of groups of each pixel's channels.
fn group_sums(cx: &mut Lower<'_>, out: &Storage, x: &Storage, groups: usize) {
    cx.sweep(&[out.clone(), x.clone()], |cx, sweep| {
        cx.call(GroupSumCall {
            over: sweep.pixelwise(),
            groups,
        });
    });
}
