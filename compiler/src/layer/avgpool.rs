//! `avgpool`: the mean of each window.

use super::Sliding;
use super::pool::{self, Bin, PoolWindow, Pooling};
use super::window::{DILATION, PAD, Window};
use super::{
    ArgError, Args, Attributes, Decl, Inferred, Kind, Layer, Lowering, ParamDecl, ShapeError,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::Lower;
use crate::shape::Shape;
use ndarray::ArrayD;

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "avgpool",
    doc: "Mean of each window, of the rank of its kernel.",
    params: &[
        pool::KERNEL,
        pool::STRIDE,
        PAD,
        pool::ROUNDING,
        DILATION,
        ParamDecl {
            name: "count_include_pad",
            kind: Kind::Flag,
            positional: false,
            default: Some("off"),
            doc: "Divisor of the sum: the elements that the window sees (`off`), or those and the padding (`on`, PyTorch's default; \
                  what a `ceil` window reaches beyond the padding never counts).",
        },
    ],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 6x8x8; avgpool 2x2",
        "input x: 4x7x6; avgpool 3x3 /2 pad 1 ceil",
        "input x: 4x7x6; avgpool 3x3 /2 pad 1 ceil count_include_pad",
        "input x: 17x5x7; avgpool 3x3 /1 pad half count_include_pad on",
        "input x: 5x7x8; avgpool 3x3 /2 pad same count_include_pad off",
        "input x: 3x6x6; avgpool 2x2 /1 pad (0, 1, 0, 1) floor",
        "input x: 3x22; avgpool 5 /3 ceil",
        "input x: 5x4x6x7; avgpool 2x3x3 /1x2x2 pad (1, 0, 1, 1, 0, 1) count_include_pad",
        "input x: 8x64x48; avgpool 3x3 /1 pad 1",
        "input x: 5x9x8; avgpool 3x2 /2 pad 1 dilation 2 ceil count_include_pad",
        "input x: 7x9; avgpool 3 /1 pad half dilation 3",
    ],
};

/// An average pool.
#[derive(Clone, Debug)]
pub struct AvgPool {
    /// Its window.
    pub window: PoolWindow,
    /// Whether padding counts as elements.
    pub count_padding: bool,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    Ok(Box::new(AvgPool {
        window: PoolWindow::from_args(args)?,
        count_padding: args.flag("count_include_pad")?.unwrap_or(false),
    }))
}

impl Layer for AvgPool {
    fn attributes(&self) -> (&'static str, Attributes) {
        let mut attributes = self.window.attributes();
        attributes.push(("count_include_pad", self.count_padding.into()));
        (DECL.keyword, attributes)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        self.window.infer(&inputs[0])
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        self.window.evaluate(inputs[0], |elements, positions| {
            let count = if self.count_padding {
                positions
            } else {
                elements.len()
            };
            elements.iter().sum::<f64>() / count as f64
        })
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let (x, y) = (g.shape(g.x(0)), g.shape(g.y()));
        let mean = |bin: Bin| 1.0 / bin.counted as f64;
        let adjoint = self
            .window
            .adjoint(self.attributes(), (&x, &y), self.count_padding, mean);
        let dx = g.push(adjoint, &[g.dy()]);
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
            .sliding(&operands[0], |window| Box::new(AvgPool { window, ..*self }))
    }
}

impl Lowering for AvgPool {
    fn lower(&self, cx: &mut Lower<'_>) {
        let x = cx.input_shape(0);
        let (placed, _) = self.window.place(x).expect("infer accepted it");
        let extents = x.dhw();
        pool::lower(cx, Pooling::Average, self.window.0.dilation, |axis| {
            self.window
                .segments(&placed, extents[axis], axis, self.count_padding)
        });
    }
}
