//! Batch norm with the statistics of the batch: `batch_mean`, `batch_variance`, `batch_product`, `batch_count`, `normalise` and `normalise_input`.
//!
//! ```text
//! mean     = Σ x / n                over the n elements that a channel has in all images
//! variance = Σ (x − mean)² / n
//! y        = γ · (x − mean) / √(variance + ε) + β
//! dx       = γ / √(variance + ε) · (dy − mean(dy) − (x − mean) · mean(dy · (x − mean)) / (variance + ε))
//! ```
//!
//! The gradient of `normalise` is that of all of it: what mean and variance owe to the operand is in `dx`, so that nothing goes back through them.

use super::same_shape;
use crate::gradient::{Adjoint, NoGradient};
use crate::layer::epilogue::{Epilogue, FoldedNorm, clamp};
use crate::layer::pointwise::map;
use crate::layer::pow::Pow;
use crate::layer::{Attributes, Inferred, Layer, Lowering, ParamSpec, ShapeError, copy};
use crate::loops::Affine;
use crate::lower::{Lower, Storage, across};
use crate::shape::Shape;
use cnnc_runtime::kernel::{
    CentredCall, CentredFactorsCall, FillCall, MomentsCall, MomentsTogetherCall, Pace, Pixels,
    Statistic, Step, SumCall, SumPairCall, Term,
};
use ndarray::{ArrayD, Axis, IxDyn};

/// Keyword of [`Moment::Mean`].
pub const MEAN: &str = "batch_mean";
/// Keyword of [`Moment::Variance`].
pub const VARIANCE: &str = "batch_variance";
/// Keyword of [`Moment::Product`].
pub const PRODUCT: &str = "batch_product";
/// Keyword of [`Moment::Count`].
pub const COUNT: &str = "batch_count";
/// Keyword of [`Normalise`].
pub const FORWARD: &str = "normalise";
/// Keyword of [`NormaliseInput`].
pub const BACKWARD: &str = "normalise_input";

/// A mean over all that a channel has in all images: a vector of the channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Of the operand.
    Mean,
    /// Of the squared distance of the operand from its mean, the second operand.
    Variance,
    /// Of the products of the first operand with the second, less the second's mean, the third.
    Product,
    /// The number of these elements.
    Count,
}

/// The channels of a tensor as a vector.
fn vector(of: &Shape) -> Shape {
    Shape::new([of.channels()]).expect("no larger than the operand")
}

impl Layer for Moment {
    fn attributes(&self) -> (&'static str, Attributes) {
        let keyword = match self {
            Moment::Mean => MEAN,
            Moment::Variance => VARIANCE,
            Moment::Product => PRODUCT,
            Moment::Count => COUNT,
        };
        (keyword, Vec::new())
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let wanted = match self {
            Moment::Mean | Moment::Count => vec![inputs[0].clone()],
            Moment::Variance => vec![inputs[0].clone(), vector(&inputs[0])],
            Moment::Product => vec![inputs[0].clone(), inputs[0].clone(), vector(&inputs[0])],
        };
        match wanted == inputs {
            true => Ok(Inferred::plain(vector(&inputs[0]))),
            false => Err(ShapeError::new(format!(
                "`{}` takes a tensor and vectors of its channels",
                self.keyword()
            ))),
        }
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], params: &[&ArrayD<f64>]) -> ArrayD<f64> {
        self.evaluate_all(&[inputs.to_vec()], params)
    }

    fn evaluate_all(&self, images: &[Vec<&ArrayD<f64>>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let channels = images[0][0].shape()[0];
        let count = (images.len() * images[0][0].len() / channels) as f64;
        let mut sums = ArrayD::zeros(IxDyn(&[channels]));
        for operands in images {
            for c in 0..channels {
                let channel = |index: usize| operands[index].index_axis(Axis(0), c);
                let vector = |index: usize| operands[index][[c]];
                sums[[c]] += match self {
                    Moment::Mean => channel(0).sum(),
                    Moment::Variance => {
                        let mean = vector(1);
                        channel(0).iter().map(|x| (x - mean).powi(2)).sum()
                    }
                    Moment::Product => {
                        let mean = vector(2);
                        let pairs = channel(0)
                            .into_owned()
                            .into_iter()
                            .zip(channel(1).into_owned());
                        pairs.map(|(a, b)| a * (b - mean)).sum()
                    }
                    Moment::Count => count * count / images.len() as f64,
                };
            }
        }
        sums / count
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn reduces(&self) -> bool {
        true
    }
}

impl Lowering for Moment {
    /// Of what has been taken of each image; of the operand, where nothing has been.
    fn lower(&self, cx: &mut Lower<'_>) {
        let (x, out) = (cx.input(0), cx.output());
        match self {
            Moment::Count => cx.call(FillCall {
                out: out.access(Affine::default()),
                axes: [cnnc_runtime::kernel::Axis::ONCE; 3],
                run: x.channels,
                value: (x.images * x.pixels()) as f64,
            }),
            Moment::Variance => {
                let taken = cx.gathered();
                moment(cx, Statistic::Variance, &x, &taken);
            }
            Moment::Product => {
                let taken = cx.gathered();
                total(cx, &x, &taken, x.channels);
            }
            Moment::Mean => match cx.gathered_of(0) {
                Some((by, taken)) if by.layer.downcast() == Some(&Moment::Variance) => {
                    moment(cx, Statistic::Mean, &x, &taken);
                }
                Some((_, taken)) => total(cx, &x, &taken, 0),
                None => plain_mean(cx, &x),
            },
        }
    }

    fn gathers(&self) -> Option<(&'static [usize], usize)> {
        match self {
            Moment::Variance => Some((&[0], 3)),
            Moment::Product => Some((&[0, 1, 2], 2)),
            _ => None,
        }
    }

    fn gather(&self, cx: &mut Lower<'_>) {
        let x = cx.input(0).of_one();
        let out = cx.gathered().access(Affine::default());
        let start = |storage: &Storage| storage.access(Affine::default());
        if *self == Moment::Variance {
            return cx.call(MomentsCall {
                pixels: across(&x, None),
                channels: x.channels,
                out,
                x: start(&x),
            });
        }
        let (b, centre) = (cx.input(1).of_one(), cx.input(2));
        cx.call(SumPairCall {
            pixels: across(&x, Some(&b)),
            channels: x.channels,
            out,
            a: start(&x),
            b: start(&b),
            centre: start(&centre),
        });
    }
}

/// Emits the mean or the variance of x, of the moments of each image.
fn moment(cx: &mut Lower<'_>, of: Statistic, x: &Storage, taken: &Storage) {
    let out = cx.output().access(Affine::default());
    cx.call(MomentsTogetherCall {
        images: x.images,
        channels: x.channels,
        of,
        out,
        x: taken.access(Affine::default()),
    });
}

/// Emits the mean, over all elements of x, of sums of each image, which are `from` numbers behind one another's start.
fn total(cx: &mut Lower<'_>, x: &Storage, taken: &Storage, from: usize) {
    let out = cx.output().access(Affine::default());
    let images = Pace {
        count: x.images,
        a: taken.image,
        b: 0,
    };
    cx.call(SumCall {
        pixels: [images, Pace::ONCE, Pace::ONCE],
        channels: x.channels,
        out,
        a: taken.access(Affine::constant(from as i64)),
        b: None,
        term: Term::Plain,
        scale: 1.0 / (x.images * x.pixels()) as f64,
    });
}

/// Emits the mean of x: sums of each image, then of all.
fn plain_mean(cx: &mut Lower<'_>, x: &Storage) {
    let channels = x.channels;
    let sums = copy::scratch(cx, x.images * channels);
    let one = x.of_one();
    cx.parallel(x.images, |cx, image| {
        cx.call(SumCall {
            pixels: across(&one, None),
            channels,
            out: sums.access(image.clone().times(channels as i64)),
            a: x.access(image.times(x.image)),
            b: None,
            term: Term::Plain,
            scale: 1.0,
        });
    });
    let taken = Storage {
        images: x.images,
        image: channels as i64,
        ..sums
    };
    total(cx, x, &taken, 0);
}

/// `γ · (x − mean) / √(variance + ε) + β` of the operands x, mean and variance.
#[derive(Clone, Debug)]
pub struct Normalise {
    /// The norm's constants.
    norm: FoldedNorm,
    /// What is added, and the activation.
    epilogue: Epilogue,
}

impl Normalise {
    /// A norm that nothing follows yet.
    pub fn new(norm: FoldedNorm) -> Normalise {
        Normalise {
            norm,
            epilogue: Epilogue::default(),
        }
    }
}

/// Its gradient in x: of x, dy, mean, variance, and the means of dy and of `dy · (x − mean)`.
#[derive(Clone, Debug)]
pub struct NormaliseInput(
    /// The norm's constants.
    pub FoldedNorm,
);

/// The scale, and the shift where it is read.
fn affine(norm: FoldedNorm, channels: usize, roles: &[&'static str]) -> Vec<ParamSpec> {
    let roles = roles.iter().filter(|_| norm.affine);
    roles
        .map(|role| ParamSpec::learned(role, [channels]))
        .collect()
}

fn attributes(norm: FoldedNorm) -> Attributes {
    vec![("eps", norm.eps.into()), ("affine", norm.affine.into())]
}

/// Checks that a tensor, or several, are followed by vectors of its channels.
fn check(keyword: &str, tensors: usize, inputs: &[Shape]) -> Result<Shape, ShapeError> {
    let shape = same_shape(keyword, &inputs[..tensors])?;
    let wanted = vector(&shape);
    match inputs[tensors..].iter().find(|input| **input != wanted) {
        None => Ok(shape),
        Some(other) => Err(ShapeError::new(format!(
            "`{keyword}` of {shape} takes vectors of {wanted}, not {other}"
        ))),
    }
}

impl Layer for Normalise {
    fn attributes(&self) -> (&'static str, Attributes) {
        let mut attributes = attributes(self.norm);
        attributes.extend(self.epilogue.attributes());
        (FORWARD, attributes)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let vectors = inputs.len() - usize::from(self.epilogue.add);
        let shape = check(FORWARD, 1, &inputs[..vectors])?;
        self.epilogue.check_residual(&inputs[vectors..], &shape)?;
        Ok(Inferred {
            params: affine(self.norm, shape.channels(), &["weight", "bias"]),
            ..Inferred::plain(shape)
        })
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], params: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let mut y = inputs[0].clone();
        for (c, mut channel) in y.axis_iter_mut(Axis(0)).enumerate() {
            let (mean, spread) = (inputs[1][[c]], inputs[2][[c]] + self.norm.eps);
            let (scale, shift) = match self.norm.affine {
                true => (params[0][[c]], params[1][[c]]),
                false => (1.0, 0.0),
            };
            channel.mapv_inplace(|x| scale * (x - mean) / spread.sqrt() + shift);
        }
        self.epilogue.evaluate(y, inputs, params)
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let (x, mean, variance, dy) = (g.x(0), g.x(1), g.x(2), g.dy());
        let product = g.push(Moment::Product, &[dy, x, mean]);
        let count = |g: &mut Adjoint<'_>| g.push(Moment::Count, &[dy]);
        let of_dy = g.push(Moment::Mean, &[dy]);
        if self.norm.affine && g.wants_param(0) {
            let count = count(g);
            let spread = g.scale(variance, 1.0, self.norm.eps);
            let inverse = g.push(Pow { p: -0.5 }, &[spread]);
            let sum = g.mul(product, count);
            let dscale = g.mul(sum, inverse);
            g.give_param(0, dscale);
        }
        if self.norm.affine && g.wants_param(1) {
            let count = count(g);
            let sum = g.mul(of_dy, count);
            g.give_param(1, sum);
        }
        if g.wants(0) {
            let operands = [x, dy, mean, variance, of_dy, product];
            let layer = NormaliseInput(self.norm);
            let dx = match self.norm.affine {
                true => g.push_with(layer, &operands, &[g.param(0)]),
                false => g.push(layer, &operands),
            };
            g.give(0, dx);
        }
        Ok(())
    }

    fn epilogue_mut(&mut self) -> Option<&mut Epilogue> {
        Some(&mut self.epilogue)
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }
}

impl Layer for NormaliseInput {
    fn attributes(&self) -> (&'static str, Attributes) {
        (BACKWARD, attributes(self.0))
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let shape = check(BACKWARD, 2, inputs)?;
        Ok(Inferred {
            params: affine(self.0, shape.channels(), &["weight"]),
            ..Inferred::plain(shape)
        })
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], params: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let mut dx = inputs[1].clone();
        for (c, mut channel) in dx.axis_iter_mut(Axis(0)).enumerate() {
            let vector = |index: usize| inputs[index][[c]];
            let (mean, spread) = (vector(2), vector(3) + self.0.eps);
            let scale = if self.0.affine { params[0][[c]] } else { 1.0 };
            let x = inputs[0].index_axis(Axis(0), c);
            channel.zip_mut_with(&x, |dy, x| {
                let centred = *dy - vector(4) - (x - mean) * vector(5) / spread;
                *dy = scale / spread.sqrt() * centred;
            });
        }
        dx
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }
}

/// Emits the factors and, for every pixel, what is made of them.
fn emit(
    cx: &mut Lower<'_>,
    norm: FoldedNorm,
    act: &[Step],
    dy: Option<&Storage>,
    [mean, variance]: [&Storage; 2],
    [shift, products]: [Option<crate::loops::Access>; 2],
) {
    let (out, x) = (cx.output(), cx.input(0));
    let channels = x.channels;
    let scale = norm.affine.then(|| cx.tensor(0));
    let factors = copy::scratch(cx, 3 * channels);
    let start = |storage: &Storage| storage.access(Affine::default());
    cx.call(CentredFactorsCall {
        channels,
        eps: norm.eps,
        out: start(&factors),
        variance: start(variance),
        scale,
        shift,
        products,
    });
    let (slope, hi) = clamp(act).unwrap_or((1.0, f64::INFINITY));
    let [planes, rows, pixels] = x.dhw;
    cx.repeat(planes, |cx, plane| {
        let part = |storage: &Storage| Pixels {
            at: storage.access(plane.clone().times(storage.strides[0])),
            row: storage.strides[1],
            pixel: storage.strides[2],
        };
        cx.call(CentredCall {
            rows,
            pixels,
            channels,
            out: part(&out),
            x: part(&x),
            dy: dy.map(part),
            centre: start(mean),
            factors: start(&factors),
            slope,
            hi,
        });
    });
    if clamp(act).is_none() {
        map(cx, &out, &out, act);
    }
}

impl Lowering for Normalise {
    fn lower(&self, cx: &mut Lower<'_>) {
        let (mean, variance) = (cx.input(1), cx.input(2));
        let shift = self.norm.affine.then(|| cx.tensor(1));
        let residual = self.epilogue.residual(cx);
        let (act, statistics) = (&self.epilogue.act, [&mean, &variance]);
        emit(
            cx,
            self.norm,
            act,
            residual.as_ref(),
            statistics,
            [shift, None],
        );
    }
}

impl Lowering for NormaliseInput {
    fn lower(&self, cx: &mut Lower<'_>) {
        let (dy, mean, variance) = (cx.input(1), cx.input(2), cx.input(3));
        let means = [4, 5].map(|index| Some(cx.input(index).access(Affine::default())));
        emit(cx, self.0, &[], Some(&dy), [&mean, &variance], means);
    }
}
