//! Axes that go: what is left of a shape, and the calls that reduce elements along them.

use super::{Kind, ParamDecl, ShapeError, axes};
use crate::lower::{Lower, Storage};
use crate::shape::Shape;
use cnnc_runtime::kernel::{Axis, Pace, ReduceCall, Reduction};
use ndarray::{ArrayD, Dimension};

/// Declaration of `keep`.
pub const KEEP: ParamDecl = ParamDecl {
    name: "keep",
    kind: Kind::Flag,
    positional: false,
    default: Some("off"),
    doc: "Whether the axes stay, with extent 1; else those behind them move up, and of a tensor without axes a vector of one element is left.",
};

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
        let (mut run, mut within) = match self.axes.contains(&0) {
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
        } else if run > cx.lanes() && run.is_multiple_of(cx.lanes()) {
            parts = cx.machine().shares(run / cx.lanes(), work);
            run /= parts;
            shared = Pace {
                count: parts,
                a: run as i64,
                b: run as i64,
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
