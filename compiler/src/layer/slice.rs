//! `slice`: a range along an axis.

use super::axes::{self, AXIS};
use super::pad::{Mode, Pad};
use super::padchannels::PadChannels;
use super::{
    ArgError, Args, Attributes, Decl, Inferred, Kind, Layer, Lowering, ParamDecl, ShapeError,
    Sliding, copy,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::Lower;
use crate::op::along;
use crate::shape::Shape;
use ndarray::{ArrayD, Axis, Slice as Range};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "slice",
    doc: "A range of channels, or of another axis: `from` up to, but not including, `to`. `crop` is a box of pixels.",
    params: &[
        ParamDecl {
            name: "from",
            kind: Kind::Int,
            positional: true,
            default: None,
            doc: "First channel, row, … that is taken, counted from 0.",
        },
        ParamDecl {
            name: "to",
            kind: Kind::Int,
            positional: true,
            default: Some("the extent of the axis"),
            doc: "One past the last.",
        },
        AXIS,
        ParamDecl {
            name: "step",
            kind: Kind::Int,
            positional: false,
            default: Some("1"),
            doc: "From one that is taken to the next.",
        },
    ],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 7x4x3; slice 2 5",
        "input x: 17; slice 16",
        "input x: 5x2x3x4; slice from 0 to 3",
        "input x: 6x5x5; a: slice 0 3; x; b: slice 3; concat(b, a); conv 3x3 4 pad half",
        "input x: 7x5x3; slice 1 4 axis 1",
        "input x: 5x9; slice 3 axis 1; conv 3 4 pad half",
        "input x: 3x4x5x6; slice 1 3 axis 2",
        "input x: 6x5x7; conv 3x3 5 pad half; slice 2 5 axis 2; conv 3x3 4 pad half",
        "input x: 3x2x5x4; slice 1 axis 3",
        "input x: 17x4x3; slice 1 step 3",
        "input x: 5x9x4; slice 2 8 axis 1 step 2; conv 3x3 4 pad half",
        "input x: 3x2x5x7; slice 0 axis 3 step 4",
    ],
};

/// A range along an axis.
#[derive(Clone, Debug)]
pub struct Slice {
    /// First index.
    pub from: usize,
    /// One past the last index; `None` for all that follow.
    pub to: Option<usize>,
    /// The axis, channels first.
    pub axis: usize,
    /// From one element to the next.
    pub step: usize,
}

impl Slice {
    /// A range without gaps.
    pub fn range(from: usize, to: Option<usize>, axis: usize) -> Slice {
        let step = 1;
        Slice {
            from,
            to,
            axis,
            step,
        }
    }
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let from = args.whole("from")?.ok_or_else(|| args.missing("from"))?;
    let to = args.whole("to")?;
    let axis = args.whole(AXIS.name)?.unwrap_or(0);
    if to.is_some_and(|to| to <= from) {
        let what = if axis == 0 { "channel" } else { "element" };
        return Err(args.error("to", format!("a slice must have at least one {what}")));
    }
    let step = args.positive("step")?.unwrap_or(1);
    Ok(Box::new(Slice {
        from,
        to,
        axis,
        step,
    }))
}

impl Layer for Slice {
    fn attributes(&self) -> (&'static str, Attributes) {
        let mut range = vec![("from", self.from.into())];
        range.extend(self.to.map(|to| ("to", to.into())));
        range.extend(axes::attribute(self.axis));
        range.extend((self.step > 1).then(|| ("step", self.step.into())));
        (DECL.keyword, range)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let x = &inputs[0];
        let extent = axes::extent(x, self.axis)?;
        let (from, to) = (self.from, self.to.unwrap_or(extent));
        if from >= to || to > extent {
            let (message, help) = match self.axis {
                0 => (
                    format!("channels {from}..{to} are not all channels of {x}"),
                    format!("its channels are 0..{extent}"),
                ),
                axis => (
                    format!("{from}..{to} is not within axis {axis} of {x}"),
                    format!("that axis is 0..{extent}"),
                ),
            };
            return Err(ShapeError::new(message).help(help));
        }
        let output = axes::with_extent(x, self.axis, (to - from).div_ceil(self.step));
        Ok(Inferred::plain(output.expect("no larger than the operand")))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let to = self.to.map(|to| to as isize);
        inputs[0]
            .slice_axis(
                Axis(self.axis),
                Range::new(self.from as isize, to, self.step as isize),
            )
            .to_owned()
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let x = g.shape(g.x(0));
        let extent = x.dims()[self.axis];
        if self.step > 1 {
            let term = |place: usize| vec![(self.from + place * self.step, 1.0)];
            let dx = along::back(g, self.attributes(), g.dy(), (self.axis, extent), term);
            g.give(0, dx);
            return Ok(());
        }
        let after = extent - self.to.unwrap_or(extent);
        let dx = match self.axis.checked_sub(1) {
            None => {
                let before = self.from;
                g.push(PadChannels::zeros(before, after), &[g.dy()])
            }
            Some(axis) => {
                let mut sides = vec![(0, 0); x.spatial().len()];
                sides[axis] = (self.from, after);
                let mode = Mode::Constant(0.0);
                g.push(Pad { sides, mode }, &[g.dy()])
            }
        };
        g.give(0, dx);
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn sliding(&self, _: &[Shape]) -> Sliding {
        match self.axis {
            0 => Sliding::Pixels,
            axis => Sliding::Fixed(format!("cuts pixels off, along axis {axis}")),
        }
    }
}

impl Lowering for Slice {
    fn lower(&self, cx: &mut Lower<'_>) {
        let to = cx.output();
        let count = cx.output_shape().dims()[self.axis];
        let from = axes::part(&cx.input(0), cx.input_shape(0), self.axis, self.from, count);
        let step = self.step as i64;
        let mut dims = copy::all(&to, &from);
        dims[axes::spatial(cx.input_shape(0), self.axis).unwrap_or(3)].2 *= step;
        copy::copy(cx, &to, &from, &dims);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array, IxDyn};

    /// `torch.arange(12).reshape(2, 2, 3)[1:]`, `[:, 1:]`, `[:, :, 0:2]`
    #[test]
    fn ranges_are_those_of_their_axis() {
        let x = Array::from_iter((0..12).map(f64::from));
        let x = x.into_shape_with_order(IxDyn(&[2, 2, 3])).unwrap();
        for (axis, from, to, expected) in [
            (0, 1, None, vec![6, 7, 8, 9, 10, 11]),
            (1, 1, None, vec![3, 4, 5, 9, 10, 11]),
            (2, 0, Some(2), vec![0, 1, 3, 4, 6, 7, 9, 10]),
        ] {
            let slice = Slice::range(from, to, axis).evaluate(&[&x], &[]);
            let expected: Vec<f64> = expected.into_iter().map(f64::from).collect();
            assert_eq!(slice.into_iter().collect::<Vec<_>>(), expected);
        }
    }
}
