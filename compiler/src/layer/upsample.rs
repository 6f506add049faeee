//! `upsample`: larger by a whole factor.

use super::window::show;
use super::{
    ArgError, Args, Attribute, Attributes, Decl, Inferred, Kind, Layer, Lowering, ParamDecl,
    ShapeError, copy, grid,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::loops::Affine;
use crate::lower::Lower;
use crate::op::along::Along;
use crate::shape::Shape;
use cnnc_runtime::kernel::BilinearCall;
use ndarray::ArrayD;

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "upsample",
    doc: "Larger by a whole factor. `nearest` repeats pixels; `bilinear` (in one dimension: linear) interpolates as PyTorch does: with \
          `align_corners` the first and last pixels of operand and result coincide, without it the result's pixels are centred in their \
          share of the operand and clamped to its edge.",
    params: &[
        ParamDecl {
            name: "factor",
            kind: Kind::Dims,
            positional: true,
            default: None,
            doc: "Factor of every axis, or one for each: `2`, `2x4`.",
        },
        ParamDecl {
            name: "mode",
            kind: Kind::Word(&["nearest", "bilinear"]),
            positional: true,
            default: Some("nearest"),
            doc: "How new pixels are made; `bilinear` works in one or two dimensions.",
        },
        ParamDecl {
            name: "align_corners",
            kind: Kind::Flag,
            positional: false,
            default: Some("off"),
            doc: "Whether corner pixels coincide; of `bilinear` only.",
        },
    ],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 5x4x3; upsample 2",
        "input x: 6x30x32; upsample 2",
        "input x: 17x3x2; upsample 2x3 nearest",
        "input x: 3x2x3x2; upsample 1x2x2",
        "input x: 3x2x3x2; upsample 2; relu",
        "input x: 5x4x3; upsample 2 bilinear",
        "input x: 3x5x4; upsample 3 bilinear align_corners",
        "input x: 4x1x5; upsample 4x2 bilinear align_corners off",
        "input x: 4x7; upsample 3 bilinear",
        "input x: 4x7; upsample 2 bilinear align_corners on",
        "input x: 2x5; upsample 3",
    ],
};

/// How an [`Upsample`] makes new pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Repeats them.
    Nearest,
    /// Interpolates between them.
    Bilinear {
        /// Whether corner pixels coincide.
        align_corners: bool,
    },
}

/// Larger by a whole factor.
#[derive(Clone, Debug)]
pub struct Upsample {
    /// Factor of every axis, or one for each.
    pub factor: Vec<usize>,
    /// How new pixels are made.
    pub mode: Mode,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let factor = args.dims("factor")?.ok_or_else(|| args.missing("factor"))?;
    let align_corners = args.flag("align_corners")?.unwrap_or(false);
    let mode = match args.word("mode") {
        Some("bilinear") => Mode::Bilinear { align_corners },
        _ if align_corners && args.is_written("align_corners") => {
            let message = "`align_corners` is a parameter of `bilinear` only";
            return Err(args.error("align_corners", message));
        }
        _ => Mode::Nearest,
    };
    Ok(Box::new(Upsample { factor, mode }))
}

impl Upsample {
    /// Factors of depth, height and width.
    fn factors(&self, x: &Shape) -> Result<[usize; 3], ShapeError> {
        let factor = grid::per_axis(&self.factor, x, "factor")?;
        let mut factors = [1; 3];
        factors[3 - factor.len()..].copy_from_slice(&factor);
        Ok(factors)
    }
}

/// Where output `i` lies between inputs: the one before, the one behind, and how far towards that.
fn between(i: usize, outputs: usize, inputs: usize, align_corners: bool) -> (usize, usize, f64) {
    let (i, last) = (i as f64, (inputs - 1) as f64);
    let position = match align_corners {
        true if outputs == 1 => 0.0,
        true => i * last / (outputs as f64 - 1.0),
        false => ((i + 0.5) * inputs as f64 / outputs as f64 - 0.5).clamp(0.0, last),
    };
    let first = position.floor();
    (first as usize, position.ceil() as usize, position - first)
}

/// The value `t` of the way from `a` to `b`; what `b` is does not matter where `t` is zero.
fn mix(a: f64, b: f64, t: f64) -> f64 {
    if t == 0.0 { a } else { (1.0 - t) * a + t * b }
}

impl Layer for Upsample {
    fn attributes(&self) -> (&'static str, Attributes) {
        let mut attributes = vec![("factor", Attribute::extents(&self.factor))];
        match self.mode {
            Mode::Nearest => attributes.push(("mode", "nearest".into())),
            Mode::Bilinear { align_corners } => {
                attributes.push(("mode", "bilinear".into()));
                attributes.push(("align_corners", align_corners.into()));
            }
        }
        (DECL.keyword, attributes)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let x = &inputs[0];
        let factors = self.factors(x)?;
        let rank = x.spatial().len();
        if self.mode != Mode::Nearest && rank > 2 {
            return Err(ShapeError::new(format!(
                "{x} has {rank} spatial dimensions: `bilinear` works in one or two"
            ))
            .help("use `nearest`"));
        }
        let mut dims = vec![x.channels()];
        dims.extend(
            x.spatial()
                .iter()
                .zip(&factors[3 - rank..])
                .map(|(n, factor)| n.saturating_mul(*factor)),
        );
        Shape::new(dims).map(Inferred::plain).ok_or_else(|| {
            ShapeError::new(format!(
                "{x} enlarged {} times is too large",
                show(&self.factor)
            ))
        })
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let shape = grid::shape(inputs[0]);
        let factors = self.factors(&shape).expect("infer accepted it");
        let output = self
            .infer(std::slice::from_ref(&shape))
            .expect("infer accepted it")
            .output;
        let x = grid::view(inputs[0]);
        let ([_, height, width], [_, rows, columns]) = (shape.dhw(), output.dhw());
        grid::tabulate(&output, |[c, d, h, w]| match self.mode {
            Mode::Nearest => x[[c, d / factors[0], h / factors[1], w / factors[2]]],
            Mode::Bilinear { align_corners } => {
                let (top, bottom, down) = between(h, rows, height, align_corners);
                let (left, right, along) = between(w, columns, width, align_corners);
                let row = |h: usize| mix(x[[c, d, h, left]], x[[c, d, h, right]], along);
                mix(row(top), row(bottom), down)
            }
        })
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let (x, y) = (g.shape(g.x(0)), g.shape(g.y()));
        let factors = self.factors(&x).expect("infer accepted it");
        let adjoint = Along::adjoint(self.attributes(), &x, &y, |axis, place| match self.mode {
            Mode::Bilinear { align_corners } => {
                let (from, to) = (x.dhw()[axis], y.dhw()[axis]);
                let (first, last, t) = between(place, to, from, align_corners);
                match t == 0.0 {
                    true => vec![(first, 1.0)],
                    false => vec![(first, 1.0 - t), (last, t)],
                }
            }
            Mode::Nearest => vec![(place / factors[axis], 1.0)],
        });
        let dx = g.push(adjoint, &[g.dy()]);
        g.give(0, dx);
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }
}

impl Lowering for Upsample {
    fn lower(&self, cx: &mut Lower<'_>) {
        let (to, from) = (cx.output(), cx.input(0));
        match self.mode {
            Mode::Nearest => {
                let factors = self.factors(cx.input_shape(0)).expect("infer accepted it");
                let mut dims = Vec::new();
                for (axis, factor) in factors.into_iter().enumerate() {
                    let stride = to.strides[axis];
                    dims.push((from.dhw[axis], factor as i64 * stride, from.strides[axis]));
                    dims.push((factor, stride, 0));
                }
                dims.push((to.channels, 1, 1));
                copy::copy(cx, &to, &from, &dims);
            }
            Mode::Bilinear { align_corners } => {
                let [_, rows, _] = to.dhw;
                cx.call(BilinearCall {
                    from: [from.dhw[1], from.dhw[2]],
                    to: [to.dhw[1], to.dhw[2]],
                    channels: to.channels,
                    out: to.plane(Affine::default()),
                    x: from.plane(Affine::default()),
                    align_corners,
                    rows: 0..rows,
                });
            }
        }
    }
}
