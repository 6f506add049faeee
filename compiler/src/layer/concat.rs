//! `concat`: tensors behind one another along their channels.

use super::{Decl, Inferred, Layer, Role, ShapeError, copy};
use crate::graph::Shape;
use crate::lower::Lower;
use ndarray::{ArrayD, Axis};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "concat",
    doc: "Two or more tensors behind one another along their channels; all other extents are equal. `branch` joins with it if nothing else is said.",
    params: &[],
    operands: (2, usize::MAX),
    build: |_| Ok(Box::new(Concat)),
    samples: &[
        "input a: 3x4x5; input b: 5x4x5; concat(a, b)",
        "input a: 3; input b: 17; concat(a, b, a)",
        "input x: 4x5x5; a: conv 3x3 3 pad half; b: conv 1x1 6 relu; concat(a, b, x); conv 3x3 5 pad half",
        "input x: 4x5x5; a: conv 1x1 3; concat(a, a); b: relu; concat(b, a, b)",
        "input x: 4x48x40; a: conv 1x1 6; b: relu; concat(b, x, a); conv 3x3 4 pad half",
    ],
};

/// Tensors behind one another.
#[derive(Clone, Debug)]
pub struct Concat;

impl Layer for Concat {
    fn attributes(&self) -> (&'static str, Vec<(&'static str, String)>) {
        (DECL.keyword, Vec::new())
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let first = &inputs[0];
        if let Some(other) = inputs
            .iter()
            .find(|shape| shape.spatial() != first.spatial())
        {
            let message = format!("`concat` cannot put {other} behind {first}");
            return Err(ShapeError::new(message).help("all extents but the channels must be equal"));
        }
        inputs
            .iter()
            .try_fold(0usize, |sum, shape| sum.checked_add(shape.channels()))
            .and_then(|channels| first.with_channels(channels))
            .map(Inferred::plain)
            .ok_or_else(|| ShapeError::new("the concatenation is too large"))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let views: Vec<_> = inputs.iter().map(|input| input.view()).collect();
        ndarray::concatenate(Axis(0), &views).expect("infer accepted these operands")
    }

    /// Operands that were written in place need nothing; the others are copied.
    fn lower(&self, cx: &mut Lower<'_>) {
        let output = cx.output();
        let mut from = 0;
        for index in 0..cx.operands() {
            let operand = cx.input(index);
            let window = output.window(from, operand.channels);
            from += operand.channels;
            if operand != window {
                copy::copy(cx, &window, &operand, &copy::all(&window, &operand));
            }
        }
    }

    fn role(&self) -> Role {
        Role::Concat
    }
}
