//! `power`: a tensor to the power of another, element by element.

use super::abs::Abs;
use super::choose::{Choose, zeros};
use super::elementwise::{Elementwise, Op, combined, element, operand, sliding};
use super::log::Log;
use super::{Attributes, Decl, Inferred, Layer, Lowering, ShapeError, Sliding, grid};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::{Lower, Storage, Sweep};
use crate::shape::Shape;
use cnnc_runtime::kernel::PowerCall;
use ndarray::ArrayD;

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "power",
    doc: "A tensor to the power of another, element by element: `power(a, b)` is `aᵇ`, within 1e-6 of the exact one, relative to it. What is negative has NaN \
          for its power, but where the exponent is whole; anything to the power of 0 is 1. An axis of extent 1 is repeated, and a vector has one value for \
          each channel. With a constant exponent: `pow`. Gradients are PyTorch's.",
    params: &[],
    operands: (2, 2),
    build: |_| Ok(Box::new(Power)),
    samples: &[
        "input a, b: 5x4x3; x: a exp; power(x, b)",
        "input a: 17; input b: 17x3x3; x: a abs scale 1 shift 0.5; y: b scale 2; power(x, y)",
        "input a: 9x1x3; input b: 1x4x1; x: a exp; power(x, b)",
        "input a: 7x5; input b: 1; x: a abs scale 3 shift 0.25; power(x, b)",
    ],
};

/// A power.
#[derive(Clone, Copy, Debug)]
pub struct Power;

impl Layer for Power {
    fn attributes(&self) -> (&'static str, Attributes) {
        (DECL.keyword, Vec::new())
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        combined(DECL.keyword, inputs).map(Inferred::plain)
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let shapes: Vec<Shape> = inputs.iter().map(|input| grid::shape(input)).collect();
        let views: Vec<_> = inputs.iter().map(|input| grid::view(input)).collect();
        let output = combined(DECL.keyword, &shapes).expect("infer accepted it");
        grid::tabulate(&output, |at| {
            element(&views[0], at).powf(element(&views[1], at))
        })
    }

    /// `b·aᵇ⁻¹` and `aᵇ·ln a`; 0 for a base whose exponent is 0, and for the exponent of 0, unless that is negative.
    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let (base, exponent, dy) = (g.x(0), g.x(1), g.dy());
        g.give_wanted(0, |g| {
            let less = g.scale(exponent, 1.0, -1.0);
            let power = g.push(Power, &[base, less]);
            let slope = g.mul(power, exponent);
            let all = g.mul(dy, slope);
            let counts = g.push(Abs, &[exponent]);
            let nothing = zeros(g, dy);
            g.push(Choose, &[counts, all, nothing])
        });
        g.give_wanted(1, |g| {
            let log = g.push(Log, &[base]);
            let product = g.mul(dy, g.y());
            let all = g.mul(product, log);
            let (size, turned) = (g.push(Abs, &[base]), g.scale(exponent, -1.0, 0.0));
            let counts = g.push(Elementwise(Op::Max), &[size, turned]);
            let nothing = zeros(g, dy);
            g.push(Choose, &[counts, all, nothing])
        });
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn sliding(&self, operands: &[Shape]) -> Sliding {
        sliding(operands)
    }
}

impl Lowering for Power {
    fn lower(&self, cx: &mut Lower<'_>) {
        let output = cx.output();
        let [base, exponent]: [Storage; 2] =
            std::array::from_fn(|index| operand(cx, index, &output));
        cx.sweep(&[output, base, exponent], |cx, sweep| {
            let Sweep {
                rows,
                pixels: runs,
                channels: run,
                tensors: [out, base, exponent],
            } = sweep.runs();
            cx.call(PowerCall {
                rows,
                runs,
                run,
                out,
                base,
                exponent,
            });
        });
    }
}
