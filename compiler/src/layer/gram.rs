//! `gram`: how strongly every two channels occur together.

use super::permute::Permute;
use super::{ArgError, Args, Attributes};
use super::{Decl, Inferred, Kind, Layer, Lowering, ParamDecl, ShapeError, grid};
use crate::gradient::{Adjoint, NoGradient};
use crate::loops::Affine;
use crate::lower::Lower;
use crate::op::product::Product;
use crate::shape::Shape;
use cnnc_runtime::kernel::{Axis, CrossCall};
use ndarray::{ArrayD, IxDyn};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "gram",
    doc: "Gram matrix of the channels over all positions: `g[i, j] = Σ x[i, p] · x[j, p] / n`, the result is C×C. Gatys et al. 2015 \
          compare styles by it. The paper divides by nothing here and by `4·C²·P²` in its loss; `mean` divides by the `P` positions, as most \
          programs do.",
    params: &[ParamDecl {
        name: "divide",
        kind: Kind::Word(&["mean", "sum", "all"]),
        positional: true,
        default: Some("mean"),
        doc: "Divisor of the sums: `mean` the number of positions, `sum` nothing, `all` positions times channels.",
    }],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 5x4x3; gram",
        "input x: 17x9x7; gram sum",
        "input x: 33x6; relu; gram all",
        "input x: 6x2x3x4; gram",
        "input x: 7; gram",
        "input x: 3x20x20; conv 3x3 40 pad half relu; gram; flatten; dense 3",
    ],
};

/// What the sums of a [`Gram`] are divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Divide {
    /// The number of positions.
    Mean,
    /// Nothing.
    Sum,
    /// Positions times channels.
    All,
}

/// A Gram matrix.
#[derive(Clone, Debug)]
pub struct Gram {
    /// What the sums are divided by.
    pub divide: Divide,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let divide = match args.word("divide") {
        Some("sum") => Divide::Sum,
        Some("all") => Divide::All,
        _ => Divide::Mean,
    };
    Ok(Box::new(Gram { divide }))
}

impl Gram {
    fn divisor(&self, x: &Shape) -> f64 {
        let positions = x.elements() / x.channels();
        match self.divide {
            Divide::Mean => positions as f64,
            Divide::Sum => 1.0,
            Divide::All => x.elements() as f64,
        }
    }
}

impl Layer for Gram {
    fn attributes(&self) -> (&'static str, Attributes) {
        let divide = match self.divide {
            Divide::Mean => "mean",
            Divide::Sum => "sum",
            Divide::All => "all",
        };
        (DECL.keyword, vec![("divide", divide.into())])
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let channels = inputs[0].channels();
        Shape::new([channels, channels])
            .map(Inferred::plain)
            .ok_or_else(|| {
                ShapeError::new(format!("the Gram matrix of {} is too large", inputs[0]))
            })
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let shape = grid::shape(inputs[0]);
        let (channels, divisor) = (shape.channels(), self.divisor(&shape));
        let x = inputs[0].as_standard_layout();
        let x = x
            .view()
            .into_shape_with_order([channels, shape.elements() / channels])
            .expect("as many elements");
        let gram = x.dot(&x.t()) / divisor;
        ArrayD::from_shape_vec(IxDyn(&[channels, channels]), gram.iter().copied().collect())
            .expect("a square")
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let divisor = self.divisor(&g.shape(g.x(0)));
        let turned = g.push(Permute { axes: vec![1, 0] }, &[g.dy()]);
        let symmetric = g.add(g.dy(), turned);
        let symmetric = g.scale(symmetric, 1.0 / divisor, 0.0);
        let dx = g.push(Product, &[symmetric, g.x(0)]);
        g.give(0, dx);
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }
}

impl Lowering for Gram {
    fn lower(&self, cx: &mut Lower<'_>) {
        let (output, input) = (cx.output(), cx.input(0));
        let scale = 1.0 / self.divisor(cx.input_shape(0));
        let work = input.channels * input.channels * input.pixels();
        let cut = cx.machine().shares(input.channels, work);
        let outs = input.channels / cut;
        let grid = std::array::from_fn(|axis| Axis {
            count: input.dhw[axis],
            stride: input.strides[axis],
        });
        // The result has one spatial dimension, and is symmetric.
        let out_px = output.strides[2];
        cx.parallel(cut, |cx, i| {
            cx.call(CrossCall {
                grid,
                outs,
                channels: input.channels,
                out: output.access(i.clone().times(outs as i64 * out_px)),
                out_px,
                x: input.access(Affine::default()),
                y: input.access(i.times(outs as i64)),
                scale,
            });
        });
    }
}
