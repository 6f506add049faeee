//! `argmax` and `argmin`: where along an axis the largest and the smallest element is.

use super::axes::{self, AXIS};
use super::reduce::{Gone, KEEP, groups, left};
use super::{
    ArgError, Args, Attributes, Decl, Inferred, Kind, Layer, Lowering, ParamDecl, ShapeError,
    Sliding,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::Lower;
use crate::shape::Shape;
use cnnc_runtime::kernel::Reduction;
use ndarray::{ArrayD, IxDyn};

const LAST: ParamDecl = ParamDecl {
    name: "last",
    kind: Kind::Flag,
    positional: false,
    default: Some("off"),
    doc: "Whether of equal ones the last counts, or the first.",
};

/// Row of the table of layers: `argmax`.
pub static MAX: Decl = Decl {
    keyword: "argmax",
    doc: "Where along an axis the largest element is: its number, counted from 0, as a number among others. NaN counts as −infinity. Nothing is learned through it: its gradient is 0.",
    params: &[AXIS, KEEP, LAST],
    operands: (1, 1),
    build: |args| build(args, true),
    samples: &[
        "input x: 21x4x3; argmax",
        "input x: 17; argmax last",
        "input x: 5x4x3; argmax axis 1",
        "input x: 3x2x5x4; argmax axis 3 keep",
    ],
};

/// Row of the table of layers: `argmin`.
pub static MIN: Decl = Decl {
    keyword: "argmin",
    doc: "Where along an axis the smallest element is, as `argmax` says where the largest one is. NaN counts as infinity.",
    params: &[AXIS, KEEP, LAST],
    operands: (1, 1),
    build: |args| build(args, false),
    samples: &[
        "input x: 21x4x3; argmin",
        "input x: 17; argmin last",
        "input x: 5x4x3; argmin axis 2 keep",
    ],
};

/// Where an extreme element is.
#[derive(Clone, Debug)]
pub struct ArgExtreme {
    /// Whether it is the largest, or the smallest.
    pub largest: bool,
    /// The axis, channels first.
    pub axis: usize,
    /// Whether the axis stays.
    pub keep: bool,
    /// Whether of equal ones the last counts.
    pub last: bool,
}

fn build(args: &mut Args, largest: bool) -> Result<Box<dyn Layer>, ArgError> {
    Ok(Box::new(ArgExtreme {
        largest,
        axis: args.whole(AXIS.name)?.unwrap_or(0),
        keep: args.flag(KEEP.name)?.unwrap_or(false),
        last: args.flag(LAST.name)?.unwrap_or(false),
    }))
}

impl Layer for ArgExtreme {
    fn attributes(&self) -> (&'static str, Attributes) {
        let row = if self.largest { &MAX } else { &MIN };
        let mut attributes: Attributes = axes::attribute(self.axis).into_iter().collect();
        attributes.push((KEEP.name, self.keep.into()));
        attributes.push((LAST.name, self.last.into()));
        (row.keyword, attributes)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        axes::extent(&inputs[0], self.axis)?;
        let [_, asked] = left(&inputs[0], &[self.axis], self.keep);
        Ok(Inferred::plain(asked))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let x = inputs[0];
        let shape = Shape::new(x.shape()).expect("infer accepted it");
        let [_, asked] = left(&shape, &[self.axis], self.keep);
        let groups = groups(x, &[self.axis]);
        let place = |x: &Vec<f64>| {
            let sign = if self.largest { 1.0 } else { -1.0 };
            let value = |x: f64| {
                if x.is_nan() {
                    f64::NEG_INFINITY
                } else {
                    sign * x
                }
            };
            let (mut best, mut most) = (0, value(x[0]));
            for (place, &x) in x.iter().enumerate() {
                if value(x) > most || (self.last && value(x) == most) {
                    (best, most) = (place, value(x));
                }
            }
            best as f64
        };
        let places = groups.iter().map(place).collect();
        ArrayD::from_shape_vec(IxDyn(asked.dims()), places).expect("an element for each group")
    }

    /// None: a small change of the operand moves nothing.
    fn gradient(&self, _: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn sliding(&self, _: &[Shape]) -> Sliding {
        match (self.axis, self.keep) {
            (0, true) => Sliding::Pixels,
            _ => Sliding::Fixed("reduces an axis of pictures".to_owned()),
        }
    }
}

impl Lowering for ArgExtreme {
    fn lower(&self, cx: &mut Lower<'_>) {
        let op = match (self.largest, self.last) {
            (true, false) => Reduction::FirstLargest,
            (true, true) => Reduction::LastLargest,
            (false, false) => Reduction::FirstSmallest,
            (false, true) => Reduction::LastSmallest,
        };
        let (to, from) = (cx.output(), cx.input(0));
        let gone = Gone {
            axes: &[self.axis],
            keep: self.keep,
        };
        gone.emit(cx, op, (&to, cx.output_shape()), (&from, cx.input_shape(0)));
    }
}
