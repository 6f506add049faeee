//! `reduce`: elements along some axes become one.

use super::abs::Abs;
use super::axes;
use super::elementwise::{self, zip};
use super::exp::Exp;
use super::pointwise::{larger, map, smaller};
use super::tile::Tile;
use super::{
    ArgError, Args, Attribute, Attributes, Decl, Inferred, Kind, Layer, Lowering, NO_HALO,
    ParamDecl, ShapeError, Sliding,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::id::ValueId;
use crate::lower::{Lower, Storage};
use crate::op::extremum::Extremum;
use crate::op::slope::Slope;
use crate::shape::Shape;
use cnnc_runtime::kernel::{Axis, Pace, ReduceCall, Reduction, Step, ZipOp};
use ndarray::{ArrayD, Dimension, IxDyn};

/// Declaration of `keep`.
pub const KEEP: ParamDecl = ParamDecl {
    name: "keep",
    kind: Kind::Flag,
    positional: false,
    default: Some("off"),
    doc: "Whether the axes stay, with extent 1; else those behind them move up, and of a tensor without axes a vector of one element is left.",
};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "reduce",
    doc: "Elements along some axes become one: `reduce mean (1, 2)` is the mean of each channel, `reduce max (0) keep` the largest channel of each pixel. \
          Of elements `x`: their `mean`, `sum`, `max`, `min`, product (`prod`), `l1` (Σ|x|), `l2` (√Σx²), `sumsq` (Σx²), `logsum` (ln Σx), and `logsumexp` \
          (ln Σeˣ). `globalavgpool` and `globalmaxpool` are those of all pixels.",
    params: &[
        ParamDecl {
            name: "of",
            kind: Kind::Word(&[
                "mean",
                "sum",
                "max",
                "min",
                "prod",
                "l1",
                "l2",
                "sumsq",
                "logsum",
                "logsumexp",
            ]),
            positional: true,
            default: Some("mean"),
            doc: "What becomes of them.",
        },
        ParamDecl {
            name: "axes",
            kind: Kind::Numbers,
            positional: true,
            default: Some("all of them"),
            doc: "The axes, counted from 0, which is that of the channels: `(1, 2)`.",
        },
        KEEP,
    ],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 5x4x3; reduce mean (1, 2)",
        "input x: 5x4x3; reduce sum (0) keep",
        "input x: 17x40x36; reduce max (1)",
        "input x: 40x5x7; reduce min (0, 2)",
        "input x: 3x2x3x4; reduce sum (1, 3) keep on",
        "input x: 3x2x3x4; reduce max (0, 1, 2, 3)",
        "input x: 19; reduce prod",
        "input x: 7x3; exp; reduce prod (1) keep",
        "input x: 5x4x3; reduce l1 (2)",
        "input x: 33x2x3; reduce l2 (0) keep",
        "input x: 5x4x3; reduce sumsq axes (0, 1)",
        "input x: 5x4x3; exp; reduce logsum (1)",
        "input x: 21x4x3; scale 9; reduce logsumexp (0)",
        "input x: 3x2x3x4; reduce of logsumexp (2, 3) keep",
        "input x: 4x6x5; conv 3x3 8 pad half; reduce mean (0) keep; conv 3x3 5 pad half",
    ],
};

/// What becomes of elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Their mean.
    Mean,
    /// Their sum.
    Sum,
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// Their product.
    Product,
    /// The sum of their absolute values.
    L1,
    /// The root of the sum of their squares.
    L2,
    /// The sum of their squares.
    SumOfSquares,
    /// The logarithm of their sum.
    LogSum,
    /// The logarithm of the sum of their powers of e.
    LogSumExp,
}

const ALL: [(&str, Of); 10] = [
    ("mean", Of::Mean),
    ("sum", Of::Sum),
    ("max", Of::Max),
    ("min", Of::Min),
    ("prod", Of::Product),
    ("l1", Of::L1),
    ("l2", Of::L2),
    ("sumsq", Of::SumOfSquares),
    ("logsum", Of::LogSum),
    ("logsumexp", Of::LogSumExp),
];

/// Elements along some axes that become one.
#[derive(Clone, Debug)]
pub struct Reduce {
    /// What becomes of them.
    pub of: Of,
    /// The axes, channels first, in order; all without.
    pub axes: Option<Vec<usize>>,
    /// Whether the axes stay.
    pub keep: bool,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let of = args.word("of").unwrap_or("mean");
    let of = ALL
        .iter()
        .find(|(word, _)| *word == of)
        .map_or(Of::Mean, |found| found.1);
    Ok(Box::new(Reduce {
        of,
        axes: axes::list(args, "axes")?,
        keep: args.flag(KEEP.name)?.unwrap_or(false),
    }))
}

impl Reduce {
    /// A sum over these axes, which stay.
    pub fn sum(axes: Vec<usize>) -> Reduce {
        Reduce {
            of: Of::Sum,
            axes: Some(axes),
            keep: true,
        }
    }

    /// The axes that go, of a tensor of so many.
    fn gone(&self, rank: usize) -> Vec<usize> {
        self.axes.clone().unwrap_or_else(|| (0..rank).collect())
    }
}

/// The shape that is left: with the axes as they are, but for their extents, and as asked for.
pub(super) fn left(x: &Shape, gone: &[usize], keep: bool) -> [Shape; 2] {
    let dims = x.dims().iter().enumerate();
    let kept: Vec<usize> = dims
        .map(|(axis, &n)| if gone.contains(&axis) { 1 } else { n })
        .collect();
    let rest = kept
        .iter()
        .enumerate()
        .filter(|(axis, _)| !gone.contains(axis));
    let mut rest: Vec<usize> = rest.map(|(_, &n)| n).collect();
    if rest.is_empty() {
        rest.push(1);
    }
    let shape = |dims| Shape::new(dims).expect("no larger than the operand");
    let kept = shape(kept);
    let asked = if keep { kept.clone() } else { shape(rest) };
    [kept, asked]
}

/// Checks that the operand has these axes.
///
/// # Errors
/// One that it does not have.
pub(super) fn check(x: &Shape, gone: &[usize]) -> Result<(), ShapeError> {
    gone.iter()
        .try_for_each(|&axis| axes::extent(x, axis).map(drop))
}

/// What is reduced to each element of the result, each in row-major order.
pub(super) fn groups(x: &ArrayD<f64>, gone: &[usize]) -> Vec<Vec<f64>> {
    let mut dims = x.shape().to_vec();
    gone.iter().for_each(|&axis| dims[axis] = 1);
    let mut groups = vec![Vec::new(); dims.iter().product()];
    for (at, &value) in x.indexed_iter() {
        let places = at.slice().iter().zip(&dims);
        let number = places.fold(0, |number, (&place, &n)| number * n + place.min(n - 1));
        groups[number].push(value);
    }
    groups
}

impl Layer for Reduce {
    fn attributes(&self) -> (&'static str, Attributes) {
        let word = ALL
            .iter()
            .find(|(_, of)| *of == self.of)
            .map_or("mean", |found| found.0);
        let mut attributes = vec![("of", word.into())];
        attributes.extend(
            self.axes
                .clone()
                .map(|axes| ("axes", Attribute::List(axes))),
        );
        attributes.push((KEEP.name, self.keep.into()));
        (DECL.keyword, attributes)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let x = &inputs[0];
        let gone = self.gone(x.dims().len());
        check(x, &gone)?;
        let [_, asked] = left(x, &gone, self.keep);
        Ok(Inferred::plain(asked))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let x = inputs[0];
        let gone = self.gone(x.ndim());
        let shape = Shape::new(x.shape()).expect("infer accepted it");
        let [_, asked] = left(&shape, &gone, self.keep);
        let groups = groups(x, &gone);
        let of = |x: &Vec<f64>| {
            let sum = |term: fn(f64) -> f64| x.iter().map(|&x| term(x)).sum::<f64>();
            let most = || x.iter().fold(f64::NEG_INFINITY, |most, &x| larger(x, most));
            match self.of {
                Of::Mean => sum(|x| x) / x.len() as f64,
                Of::Sum => sum(|x| x),
                Of::Max => most(),
                Of::Min => x.iter().fold(f64::INFINITY, |least, &x| smaller(x, least)),
                Of::Product => x.iter().product(),
                Of::L1 => sum(f64::abs),
                Of::L2 => sum(|x| x * x).sqrt(),
                Of::SumOfSquares => sum(|x| x * x),
                Of::LogSum => sum(|x| x).ln(),
                Of::LogSumExp => {
                    let most = most();
                    most + x.iter().map(|x| (x - most).exp()).sum::<f64>().ln()
                }
            }
        };
        let values = groups.iter().map(of).collect();
        ArrayD::from_shape_vec(IxDyn(asked.dims()), values).expect("an element for each group")
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let (x, dy) = (g.x(0), g.dy());
        let shape = g.shape(x);
        let gone = self.gone(shape.dims().len());
        let [kept, _] = left(&shape, &gone, true);
        let count: usize = gone.iter().map(|&axis| shape.dims()[axis]).product();
        let (dy, y) = (g.reshape(dy, &kept), g.reshape(g.y(), &kept));
        let repeats: Vec<usize> = (shape.dims().iter().zip(kept.dims()))
            .map(|(n, left)| n / left)
            .collect();
        let repeated = |g: &mut Adjoint<'_>, value: ValueId| {
            let repeats = repeats.clone();
            g.push(Tile { repeats }, &[value])
        };
        let dx = match self.of {
            Of::Sum => repeated(g, dy),
            Of::Mean => {
                let dy = g.scale(dy, 1.0 / count as f64, 0.0);
                repeated(g, dy)
            }
            Of::SumOfSquares => {
                let dy = g.scale(dy, 2.0, 0.0);
                g.mul(x, dy)
            }
            Of::L1 => {
                let dy = repeated(g, dy);
                g.push(Slope(Abs), &[x, dy])
            }
            Of::L2 => {
                let dy = g.div(dy, y);
                g.mul(x, dy)
            }
            Of::LogSum => {
                // The sum is what its logarithm is of.
                let sum = g.push(Exp, &[y]);
                let dy = g.div(dy, sum);
                repeated(g, dy)
            }
            Of::LogSumExp => {
                let below = g.sub(x, y);
                let share = g.push(Exp, &[below]);
                g.mul(share, dy)
            }
            Of::Product => {
                let dy = g.mul(dy, y);
                let dy = repeated(g, dy);
                g.div(dy, x)
            }
            // Equal parts for all that are equal. Each is compared with the result, which then is its only equal.
            Of::Max | Of::Min => {
                let largest = self.of == Of::Max;
                let ones = g.scale(x, 0.0, 1.0);
                let equal = g.push(Extremum { of: 0, largest }, &[x, y, ones]);
                let count = g.push(Reduce::sum(gone), &[equal]);
                let dy = g.div(dy, count);
                g.mul(equal, dy)
            }
        };
        g.give(0, dx);
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn sliding(&self, operands: &[Shape]) -> Sliding {
        match self.gone(operands[0].dims().len())[..] {
            [0] if self.keep => Sliding::Pixels,
            _ => Sliding::Fixed("reduces axes of pictures".to_owned()),
        }
    }
}

impl Lowering for Reduce {
    fn lower(&self, cx: &mut Lower<'_>) {
        let (x, y) = (cx.input_shape(0), cx.output_shape());
        let (from, to) = (cx.input(0), cx.output());
        let gone = self.gone(x.dims().len());
        let count: usize = gone.iter().map(|&axis| x.dims()[axis]).product();
        let axes = Gone {
            axes: &gone,
            keep: self.keep,
        };
        let steps = match self.of {
            Of::L1 => vec![Step::Abs],
            Of::L2 | Of::SumOfSquares => vec![Step::Square],
            _ => Vec::new(),
        };
        let mut terms = from.clone();
        if !steps.is_empty() {
            terms = cx.scratch(x, NO_HALO);
            map(cx, &terms, &from, &steps);
        }
        match self.of {
            Of::Max => axes.emit(cx, Reduction::Largest, (&to, y), (&from, x)),
            Of::Min => axes.emit(cx, Reduction::Smallest, (&to, y), (&from, x)),
            Of::Product => axes.emit(cx, Reduction::Product, (&to, y), (&from, x)),
            Of::Mean => axes.sum(cx, 1.0 / count as f64, (&to, y), (&from, x)),
            Of::Sum | Of::L1 | Of::SumOfSquares => axes.sum(cx, 1.0, (&to, y), (&terms, x)),
            Of::L2 => {
                axes.sum(cx, 1.0, (&to, y), (&terms, x));
                map(cx, &to, &to, &[Step::Sqrt]);
            }
            Of::LogSum => {
                axes.sum(cx, 1.0, (&to, y), (&from, x));
                map(cx, &to, &to, &[Step::Log]);
            }
            Of::LogSumExp => {
                let most = cx.scratch(y, NO_HALO);
                axes.emit(cx, Reduction::Largest, (&most, y), (&from, x));
                let [kept, _] = left(x, &gone, true);
                let below = cx.scratch(x, NO_HALO);
                let beside = reshaped(cx, (&most, y), &kept);
                let beside = elementwise::spread(cx, beside, &below);
                zip(cx, ZipOp::Sub, &below, &from, &beside);
                map(cx, &below, &below, &[Step::Exp]);
                axes.sum(cx, 1.0, (&to, y), (&below, x));
                map(cx, &to, &to, &[Step::Log]);
                zip(cx, ZipOp::Add, &to, &to, &most);
            }
        }
    }
}

/// A tensor with other axes of extent 1, where it lies or as a copy.
fn reshaped(cx: &mut Lower<'_>, (from, y): (&Storage, &Shape), shape: &Shape) -> Storage {
    use super::copy::{copy, inverse, row_major, unfolded};
    if y == shape {
        return from.clone();
    }
    let flat = unfolded(cx, from);
    let to = cx.scratch(shape, NO_HALO);
    copy(cx, &to, &flat, &inverse(&row_major(&to)));
    to
}

/// Axes that go.
pub(super) struct Gone<'a> {
    /// The axes, channels first, in order.
    pub axes: &'a [usize],
    /// Whether they stay, with extent 1.
    pub keep: bool,
}

impl Gone<'_> {
    /// Emits a multiple of the sum.
    pub fn sum(
        &self,
        cx: &mut Lower<'_>,
        scale: f64,
        to: (&Storage, &Shape),
        from: (&Storage, &Shape),
    ) {
        self.calls(cx, (Reduction::Sum, scale), to, from);
    }

    /// Emits another reduction.
    pub fn emit(
        &self,
        cx: &mut Lower<'_>,
        op: Reduction,
        to: (&Storage, &Shape),
        from: (&Storage, &Shape),
    ) {
        self.calls(cx, (op, 1.0), to, from);
    }

    /// Threads share the outermost axis that stays.
    fn calls(
        &self,
        cx: &mut Lower<'_>,
        (op, scale): (Reduction, f64),
        (to, y): (&Storage, &Shape),
        (from, x): (&Storage, &Shape),
    ) {
        let mut kept: Vec<Pace> = Vec::new();
        let mut gone: Vec<Axis> = Vec::new();
        // Where the next axis that stays is in the result.
        let mut place = usize::from(self.keep || !self.axes.contains(&0));
        for axis in 1..x.dims().len() {
            let (count, stride) = (x.dims()[axis], axes::stride(from, x, axis));
            if self.axes.contains(&axis) {
                gone.push(Axis { count, stride });
                place += usize::from(self.keep);
            } else {
                kept.push(Pace {
                    count,
                    a: axes::stride(to, y, place),
                    b: stride,
                });
                place += 1;
            }
        }
        let channels = x.channels();
        let (run, mut within) = match self.axes.contains(&0) {
            true => (1, channels),
            false => (channels, 1),
        };
        // Pixels of one channel are adjacent, too.
        if run == 1
            && within == 1
            && let Some(&Axis { count, stride: 1 }) = gone.last()
        {
            within = count;
            gone.pop();
        }
        kept.retain(|pace| pace.count > 1);
        let work = x.elements();
        let mut shared = Pace::ONCE;
        let mut parts = 1;
        if let Some(outer) = kept.first_mut() {
            parts = cx.machine().shares(outer.count, work);
            outer.count /= parts;
            let step = outer.count as i64;
            shared = Pace {
                count: parts,
                a: step * outer.a,
                b: step * outer.b,
            };
        }
        let mut around = Pace::ONCE;
        if kept.len() > 2 {
            around = kept.remove(0);
        }
        while kept.len() < 2 {
            kept.insert(0, Pace::ONCE);
        }
        gone.resize(3, Axis::ONCE);
        cx.parallel(parts, |cx, i| {
            cx.repeat(around.count, |cx, j| {
                let out = i.clone().times(shared.a).add(&j.clone().times(around.a));
                let x = i.times(shared.b).add(&j.times(around.b));
                cx.call(ReduceCall {
                    kept: [kept[0], kept[1]],
                    run,
                    gone: [gone[0], gone[1], gone[2]],
                    within,
                    out: to.access(out),
                    x: from.access(x),
                    op,
                    scale,
                });
            });
        });
    }
}
