//! `concat`: tensors behind one another along an axis.

use super::axes::{self, AXIS};
use super::slice::Slice;
use super::{
    ArgError, Args, Attributes, Decl, Inferred, Layer, Lowering, ParamDecl, Role, ShapeError, copy,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::Lower;
use crate::shape::Shape;
use ndarray::{ArrayD, Axis};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "concat",
    doc: "Two or more tensors behind one another along an axis; all other extents are equal. `branch` joins with it, along channels, if nothing else is said.",
    params: &[ParamDecl {
        doc: "The axis along which they stand: 0 is that of the channels, 1 the first of the pixels. `concat(a, b) axis 1` stacks pictures.",
        ..AXIS
    }],
    operands: (2, usize::MAX),
    build,
    samples: &[
        "input a: 3x4x5; input b: 5x4x5; concat(a, b)",
        "input a: 3; input b: 17; concat(a, b, a)",
        "input x: 4x5x5; a: conv 3x3 3 pad half; b: conv 1x1 6 relu; concat(a, b, x); conv 3x3 5 pad half",
        "input x: 4x5x5; a: conv 1x1 3; concat(a, a); b: relu; concat(b, a, b)",
        "input x: 4x48x40; a: conv 1x1 6; b: relu; concat(b, x, a); conv 3x3 4 pad half",
        "input a: 3x4x5; input b: 3x2x5; concat(a, b, a) axis 1",
        "input a: 5x3; input b: 5x8; concat(b, a) axis 1; conv 3 4 pad half",
        "input x: 4x5x7; a: conv 3x3 4 pad 1x0; b: conv 1x1 4 relu; concat(a, b, x) axis 2; conv 3x3 5 pad half",
        "input a: 2x3x1x4; input b: 2x3x5x4; concat(a, b) axis 2",
        "input a: 3x2x5x4; input b: 3x2x5x3; c: concat(a, b) axis 3; concat(c, a) axis 3",
    ],
};

/// Tensors behind one another.
#[derive(Clone, Debug)]
pub struct Concat {
    /// The axis along which they stand, channels first.
    pub axis: usize,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let axis = args.whole(AXIS.name)?.unwrap_or(0);
    Ok(Box::new(Concat { axis }))
}

impl Layer for Concat {
    fn attributes(&self) -> (&'static str, Attributes) {
        (
            DECL.keyword,
            axes::attribute(self.axis).into_iter().collect(),
        )
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let (first, axis) = (&inputs[0], self.axis);
        let mut sum = axes::extent(first, axis)?;
        for other in &inputs[1..] {
            let alike = other.dims().len() == first.dims().len()
                && (other.dims().iter().zip(first.dims()).enumerate())
                    .all(|(index, (a, b))| index == axis || a == b);
            if !alike {
                let (along, but) = match axis {
                    0 => (String::new(), "the channels".to_owned()),
                    _ => (
                        format!(" along axis {axis}"),
                        format!("that of axis {axis}"),
                    ),
                };
                let message = format!("`concat` cannot put {other} behind {first}{along}");
                let help = format!("all extents but {but} must be equal");
                return Err(ShapeError::new(message).help(help));
            }
            sum = sum.saturating_add(other.dims()[axis]);
        }
        axes::with_extent(first, axis, sum)
            .map(Inferred::plain)
            .ok_or_else(|| ShapeError::new("the concatenation is too large"))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let views: Vec<_> = inputs.iter().map(|input| input.view()).collect();
        ndarray::concatenate(Axis(self.axis), &views).expect("infer accepted these operands")
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let mut from = 0;
        for i in 0..g.operands() {
            let to = from + g.shape(g.x(i)).dims()[self.axis];
            if g.wants(i) {
                let part = Slice::range(from, Some(to), self.axis);
                let dx = g.push(part, &[g.dy()]);
                g.give(i, dx);
            }
            from = to;
        }
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn role(&self) -> Role {
        Role::Concat(self.axis)
    }
}

impl Lowering for Concat {
    /// Operands that were written in place need nothing; the others are copied.
    fn lower(&self, cx: &mut Lower<'_>) {
        let output = cx.output();
        let mut from = 0;
        for index in 0..cx.operands() {
            let operand = cx.input(index);
            let count = cx.input_shape(index).dims()[self.axis];
            let window = axes::part(&output, cx.output_shape(), self.axis, from, count);
            from += count;
            if operand != window {
                copy::copy(cx, &window, &operand, &copy::all(&window, &operand));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array, IxDyn};

    /// `torch.cat((torch.arange(4).reshape(1, 2, 2), 10 * torch.ones(1, 2, 2)), dim)`
    #[test]
    fn operands_stand_behind_one_another() {
        let a = Array::from_iter((0..4).map(f64::from));
        let a = a.into_shape_with_order(IxDyn(&[1, 2, 2])).unwrap();
        let b = ArrayD::from_elem(IxDyn(&[1, 2, 2]), 10.0);
        for (axis, shape, expected) in [
            (0, [2, 2, 2], [0, 1, 2, 3, 10, 10, 10, 10]),
            (1, [1, 4, 2], [0, 1, 2, 3, 10, 10, 10, 10]),
            (2, [1, 2, 4], [0, 1, 10, 10, 2, 3, 10, 10]),
        ] {
            let joined = Concat { axis }.evaluate(&[&a, &b], &[]);
            assert_eq!(joined.shape(), shape);
            let elements: Vec<f64> = joined.into_iter().collect();
            assert_eq!(elements, expected.map(f64::from));
        }
    }
}
