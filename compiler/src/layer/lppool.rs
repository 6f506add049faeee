//! `lppool`: the norm of each window.

use super::abs::Abs;
use super::pointwise::map;
use super::pool::{self, PoolWindow, Pooling};
use super::pow::Pow;
use super::window::{DILATION, PAD, Window};
use super::{
    ArgError, Args, Attributes, Decl, Inferred, Kind, Layer, Lowering, NO_HALO, ParamDecl,
    ShapeError, Sliding,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::Lower;
use crate::op::slope::Slope;
use crate::shape::Shape;
use cnnc_runtime::kernel::Step;
use ndarray::ArrayD;

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "lppool",
    doc: "Norm of each window, of the rank of its kernel: `(Σ |x|ᵖ)^(1/p)`. Padding is 0.",
    params: &[
        pool::KERNEL,
        pool::STRIDE,
        PAD,
        pool::ROUNDING,
        DILATION,
        ParamDecl {
            name: "p",
            kind: Kind::Int,
            positional: false,
            default: Some("2"),
            doc: "Which norm: 1 to 16.",
        },
    ],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 6x8x8; lppool 2x2",
        "input x: 4x7x6; lppool 3x3 /2 pad 1 ceil p 3",
        "input x: 17x9; lppool 4 /1 pad half p 1",
        "input x: 3x4x5x6; lppool 2x2x3 /1 dilation 2x1x1",
    ],
};

/// The norm of each window.
#[derive(Clone, Debug)]
pub struct LpPool {
    /// Its window.
    pub window: PoolWindow,
    /// Which norm.
    pub p: usize,
}

/// Largest exponent of a norm.
const MOST: usize = 16;

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let window = PoolWindow::from_args(args)?;
    let p = args.positive("p")?.unwrap_or(2);
    if p > MOST {
        return Err(args.error("p", format!("`p` must be between 1 and {MOST}, not {p}")));
    }
    Ok(Box::new(LpPool { window, p }))
}

impl Layer for LpPool {
    fn attributes(&self) -> (&'static str, Attributes) {
        let mut attributes = self.window.attributes();
        attributes.push(("p", self.p.into()));
        (DECL.keyword, attributes)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        self.window.infer(&inputs[0])
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let p = self.p as f64;
        self.window.evaluate(inputs[0], |elements, _| {
            let sum: f64 = elements.iter().map(|x| x.abs().powf(p)).sum();
            sum.powf(p.recip())
        })
    }

    /// Where a window is all zeros and p is more than 1, there is none, and the quotient is NaN.
    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let (x, y) = (g.shape(g.x(0)), g.shape(g.y()));
        let adjoint = self
            .window
            .adjoint(self.attributes(), (&x, &y), false, |_| 1.0);
        // With s the norm, the derivative of each element x is sign x · (|x| / s)^(p − 1).
        let power = Pow {
            p: self.p as f64 - 1.0,
        };
        let mut dy = g.dy();
        if self.p > 1 {
            let below = g.push(power.clone(), &[g.y()]);
            dy = g.div(dy, below);
        }
        let mut dx = g.push(adjoint, &[dy]);
        if self.p > 1 {
            let size = g.push(Abs, &[g.x(0)]);
            let above = g.push(power, &[size]);
            dx = g.mul(dx, above);
        }
        let dx = g.push(Slope(Abs), &[g.x(0), dx]);
        g.give(0, dx);
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn window(&self) -> Option<&Window> {
        Some(&self.window.0)
    }

    fn sliding(&self, operands: &[Shape]) -> Sliding {
        self.window
            .sliding(&operands[0], |window| Box::new(LpPool { window, ..*self }))
    }
}

impl Lowering for LpPool {
    fn lower(&self, cx: &mut Lower<'_>) {
        let x = cx.input_shape(0);
        let (to, from) = (cx.output(), cx.input(0));
        let (placed, _) = self.window.place(x).expect("infer accepted it");
        let extents = x.dhw();
        let p = self.p as f64;
        let (steps, root) = match self.p {
            1 => (vec![Step::Abs], Vec::new()),
            2 => (vec![Step::Square], vec![Step::Sqrt]),
            _ => (vec![Step::Abs, Step::Pow(p)], vec![Step::Pow(p.recip())]),
        };
        let terms = cx.scratch(x, NO_HALO);
        map(cx, &terms, &from, &steps);
        let window = &self.window;
        pool::blocks(
            cx,
            Pooling::Average,
            window.0.dilation,
            (&to, &terms),
            |axis| {
                let mut segments = window.segments(&placed, extents[axis], axis, false);
                segments
                    .iter_mut()
                    .for_each(|segment| segment.bin.counted = 1);
                segments
            },
        );
        if !root.is_empty() {
            map(cx, &to, &to, &root);
        }
    }
}
