//! `lrn`: local response normalisation across channels.

use super::{
    ArgError, Args, Attributes, Decl, Inferred, Kind, Layer, Lowering, ParamDecl, ShapeError,
    Sliding, grid,
};
use crate::args::TINY;
use crate::gradient::{Adjoint, NoGradient};
use crate::limits;
use crate::lower::Lower;
use crate::op::lrn::{Near, Power};
use crate::shape::Shape;
use cnnc_runtime::kernel::LrnCall;
use ndarray::ArrayD;

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "lrn",
    doc: "Local response normalisation across channels: `x / (k + alpha / size · Σ x²)^beta`, the sum over `size` channels around, \
          as many as there are. PyTorch's and Caffe's definition: `alpha` is divided by `size` (in Krizhevsky et al. 2012 it is not).",
    params: &[
        ParamDecl {
            name: "size",
            kind: Kind::Int,
            positional: true,
            default: Some("5"),
            doc: "Channels that are summed: from `size / 2` (rounded down) before the channel on.",
        },
        ParamDecl {
            name: "alpha",
            kind: Kind::Float,
            positional: false,
            default: Some("1e-4"),
            doc: "Weight of the mean square.",
        },
        ParamDecl {
            name: "beta",
            kind: Kind::Float,
            positional: false,
            default: Some("0.75"),
            doc: "Exponent.",
        },
        ParamDecl {
            name: "k",
            kind: Kind::Float,
            positional: false,
            default: Some("1"),
            doc: "Constant term, positive.",
        },
    ],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 17x4x3; lrn",
        "input x: 5x4x3; lrn 3 alpha 0.5 beta 0.5 k 2",
        "input x: 33x2; lrn 4 alpha 1",
        "input x: 3; lrn 9 alpha 2 beta 0.75",
    ],
};

/// Local response normalisation.
#[derive(Clone, Debug)]
pub struct Lrn {
    /// Channels that are summed.
    pub size: usize,
    /// Weight of the mean square.
    pub alpha: f64,
    /// Exponent.
    pub beta: f64,
    /// Constant term.
    pub k: f64,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let size = args.positive("size")?.unwrap_or(5);
    let alpha = args.number("alpha")?.unwrap_or(1e-4);
    let beta = args.number("beta")?.unwrap_or(0.75);
    let k = args.number("k")?.unwrap_or(1.0);
    if k < f64::from(f32::MIN_POSITIVE) {
        return Err(args.error("k", "`k` must be positive").help(TINY));
    }
    if alpha < 0.0 {
        return Err(args.error(
            "alpha",
            format!("`alpha` must not be negative, but is {alpha}"),
        ));
    }
    Ok(Box::new(Lrn {
        size,
        alpha,
        beta,
        k,
    }))
}

impl Lrn {
    /// The factor of the sum, a constant as others are.
    fn alpha_over(&self) -> f64 {
        limits::ranged(self.alpha / self.size as f64)
    }
}

impl Layer for Lrn {
    fn attributes(&self) -> (&'static str, Attributes) {
        let constants = vec![
            ("size", self.size.into()),
            ("alpha", self.alpha.into()),
            ("beta", self.beta.into()),
            ("k", self.k.into()),
        ];
        (DECL.keyword, constants)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        Ok(Inferred::plain(inputs[0].clone()))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let x = grid::view(inputs[0]);
        let shape = grid::shape(inputs[0]);
        grid::tabulate(&shape, |[c, d, h, w]| {
            let first = c.saturating_sub(self.size / 2);
            let end = (c + self.size - self.size / 2).min(shape.channels());
            let sum: f64 = (first..end).map(|j| x[[j, d, h, w]].powi(2)).sum();
            x[[c, d, h, w]] / (self.k + self.alpha_over() * sum).powf(self.beta)
        })
    }

    /// With `u` the sum that `x` is divided by, to the power of `beta`:
    /// `dx[c] = dy[c] · u[c]^−beta − 2 · alpha · beta / size · x[c] · Σ dy[j] · x[j] · u[j]^(−beta − 1)`, over those `j` whose sum has `x[c]` in it.
    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let (x, dy) = (g.x(0), g.dy());
        if self.beta == 0.0 {
            g.give(0, dy);
            return Ok(());
        }
        let (before, behind) = (self.size / 2, self.size - self.size / 2 - 1);
        let square = g.mul(x, x);
        let sum = g.push(Near { before, behind }, &[square]);
        let u = g.scale(sum, self.alpha_over(), self.k);
        let inverse = g.push(Power { p: -self.beta }, &[u]);
        let scaled = g.mul(dy, inverse);
        let through = g.mul(scaled, x);
        let through = g.div(through, u);
        // Sums that have this element are those of the channels on the other side.
        let other_side = Near {
            before: behind,
            behind: before,
        };
        let others = g.push(other_side, &[through]);
        let others = g.mul(x, others);
        let others = g.scale(others, 2.0 * self.alpha_over() * self.beta, 0.0);
        let dx = g.sub(scaled, others);
        g.give(0, dx);
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn sliding(&self, _: &[Shape]) -> Sliding {
        Sliding::Pixels
    }
}

impl Lowering for Lrn {
    fn lower(&self, cx: &mut Lower<'_>) {
        let (output, input) = (cx.output(), cx.input(0));
        cx.sweep(&[output, input], |cx, sweep| {
            cx.call(LrnCall {
                over: sweep.pixelwise(),
                size: self.size,
                alpha_over: self.alpha_over(),
                beta: self.beta,
                k: self.k,
            });
        });
    }
}
