//! `add`: the sum of tensors, each with a learned share in it if that is wanted.

use super::concat::Concat;
use super::elementwise::{combined, element, operand, sliding, zip};
use super::slice::Slice;
use super::{
    ArgError, Args, Attributes, Decl, Inferred, Kind, Layer, Lowering, ParamDecl, ParamSpec, Role,
    ShapeError, Sliding, grid,
};
use crate::args::TINY;
use crate::gradient::{Adjoint, NoGradient};
use crate::loops::Affine;
use crate::lower::Lower;
use crate::op::shares::{ShareFactors, Sharing};
use crate::shape::Shape;
use cnnc_runtime::kernel::Fusion;
use cnnc_runtime::kernel::ZipOp;
use ndarray::ArrayD;

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "add",
    doc: "Sum of two or more tensors, element by element. An axis of extent 1 is repeated, and a vector has one value for each channel. \
          As an operator in expressions: `a + b`. With `shares`, every operand is multiplied by a learned factor of its own: `shares` is a \
          tensor of (operands), or of (operands, channels). BiFPN's fusion (Tan et al. 2020), and darknet's weighted shortcuts.",
    params: &[
        ParamDecl {
            name: "shares",
            kind: Kind::Word(&["equal", "per_tensor", "per_channel"]),
            positional: false,
            default: Some("equal"),
            doc: "Whether operands have a factor each, or one for each of their channels; `equal` is the plain sum.",
        },
        ParamDecl {
            name: "fusion",
            kind: Kind::Word(&["unbounded", "fast", "exponential"]),
            positional: false,
            default: Some("unbounded"),
            doc: "What the factors `w` of the operands become: `unbounded` leaves them, `fast` makes `max(w, 0) / (eps + Σ max(w, 0))` of them, \
                  `exponential` `e / (eps + Σ e)` with `e = exp(w − the largest w)`.",
        },
        ParamDecl {
            name: "eps",
            kind: Kind::Float,
            positional: false,
            default: Some("1e-4"),
            doc: "Added to the sum that factors are divided by, with `fast` and `exponential`.",
        },
    ],
    operands: (2, usize::MAX),
    build,
    samples: &[
        "input a, b: 5x4x3; add(a, b)",
        "input a, b, c: 17x3; add(a, b, c)",
        "input a: 6x5x4; input b: 6; add(a, b)",
        "input a: 1x5x1; input b: 9x1x4; add(a, b)",
        "input a: 17x5; input b: 1x5; s: add(a, b) shares per_tensor",
        "input x: 3x5x5; a: conv 3x3 5 pad half; b: conv 1x1 5; add(a, b); relu",
        "input x: 2x56x60; a: conv 3x3 6 pad half; b: conv 1x1 6; add(a, b); conv 3x3 2 pad half",
        "input a, b, c: 9x4x3; s: add(a, b, c) shares per_tensor fusion fast",
        "input a, b: 17x5x3; s: add(a, b) shares per_channel fusion exponential",
        "input a: 6x5x4; input b: 6; s: add(a, b) per_channel fusion fast eps 1e-3; relu",
    ],
};

/// Whose factors there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shares {
    /// Every operand has one.
    Tensor,
    /// Every channel of every operand has one.
    Channel,
}

impl Shares {
    /// What a layer is told of them and of what becomes of its tensor.
    pub fn attributes(self, fusion: Fusion) -> Attributes {
        let shares = match self {
            Shares::Tensor => "per_tensor",
            Shares::Channel => "per_channel",
        };
        let (fusion, eps) = match fusion {
            Fusion::Unbounded => ("unbounded", None),
            Fusion::Fast(eps) => ("fast", Some(eps)),
            Fusion::Exponential(eps) => ("exponential", Some(eps)),
        };
        let mut attributes = vec![("shares", shares.into()), ("fusion", fusion.into())];
        attributes.extend(eps.map(|eps| ("eps", eps.into())));
        attributes
    }
}

/// A sum.
#[derive(Clone, Debug)]
pub struct Add {
    shares: Option<(Shares, Fusion)>,
}

impl Add {
    /// The plain sum.
    pub fn plain() -> Add {
        Add { shares: None }
    }
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let eps = args.number("eps")?.unwrap_or(1e-4);
    if eps <= 0.0 {
        return Err(args.error("eps", "`eps` must be positive").help(TINY));
    }
    let fusion = match args.word("fusion") {
        Some("fast") => Fusion::Fast(eps),
        Some("exponential") => Fusion::Exponential(eps),
        _ => Fusion::Unbounded,
    };
    let shares = match args.word("shares") {
        Some("per_tensor") => Some(Shares::Tensor),
        Some("per_channel") => Some(Shares::Channel),
        _ => None,
    };
    let unbounded = matches!(fusion, Fusion::Unbounded);
    if shares.is_none() && !unbounded && args.is_written("fusion") {
        let message = "`fusion` is of sums with `shares` only";
        let help = "write `shares per_tensor` or `shares per_channel` too";
        return Err(args.error("fusion", message).help(help));
    }
    if (shares.is_none() || unbounded) && args.is_written("eps") {
        let message = "`eps` is of sums with `fusion fast` or `fusion exponential` only";
        return Err(args.error("eps", message));
    }
    Ok(Box::new(Add {
        shares: shares.map(|shares| (shares, fusion)),
    }))
}

impl Layer for Add {
    fn attributes(&self) -> (&'static str, Attributes) {
        let sharing = self
            .shares
            .map(|(shares, fusion)| shares.attributes(fusion));
        (DECL.keyword, sharing.unwrap_or_default())
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let output = combined(DECL.keyword, inputs)?;
        let params = self.shares.map(|(shares, _)| {
            let shape = match shares {
                Shares::Tensor => vec![inputs.len()],
                Shares::Channel => vec![inputs.len(), output.channels()],
            };
            ParamSpec::learned("shares", shape)
        });
        Ok(Inferred {
            params: params.into_iter().collect(),
            ..Inferred::plain(output)
        })
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], params: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let shapes: Vec<Shape> = inputs.iter().map(|input| grid::shape(input)).collect();
        let views: Vec<_> = inputs.iter().map(|input| grid::view(input)).collect();
        let output = combined(DECL.keyword, &shapes).expect("infer accepted it");
        grid::tabulate(&output, |place| {
            let at = |index: usize| element(&views[index], place);
            let c = place[0];
            let Some((shares, fusion)) = self.shares else {
                return (1..inputs.len()).fold(at(0), |sum, index| sum + at(index));
            };
            let raw = |index: usize| match shares {
                Shares::Tensor => params[0][[index]],
                Shares::Channel => params[0][[index, c]],
            };
            let all = || (0..inputs.len()).map(raw);
            let most = all().fold(f64::NEG_INFINITY, f64::max);
            let part = |w: f64| match fusion {
                Fusion::Unbounded => w,
                Fusion::Fast(_) => w.max(0.0),
                Fusion::Exponential(_) => (w - most).exp(),
            };
            let whole = match fusion {
                Fusion::Unbounded => 1.0,
                Fusion::Fast(eps) | Fusion::Exponential(eps) => eps + all().map(part).sum::<f64>(),
            };
            let terms = (0..inputs.len()).map(|index| part(raw(index)) / whole * at(index));
            terms.sum()
        })
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let Some((shares, fusion)) = self.shares else {
            for i in 0..g.operands() {
                g.give_wanted(i, |g| g.dy());
            }
            return Ok(());
        };
        let channels = g.shape(g.y()).channels();
        let extents = [g.operands(), channels];
        let sharing = Sharing {
            shares,
            fusion,
            extents,
        };
        let factors = g.push_with(ShareFactors(sharing), &[], &[g.param(0)]);
        let vector = Shape::new([channels]).expect("no larger than the result");
        for i in 0..g.operands() {
            g.give_wanted(i, |g| {
                let (from, to, axis) = (i, Some(i + 1), 0);
                let row = g.push(Slice::range(from, to, axis), &[factors]);
                let row = g.reshape(row, &vector);
                g.mul(g.dy(), row)
            });
        }
        if g.wants_param(0) {
            let row = Shape::new([1, channels]).expect("no larger than the result");
            let mut sums = Vec::new();
            for i in 0..g.operands() {
                let product = g.mul(g.dy(), g.x(i));
                let sum = g.pixel_sum(product);
                sums.push(g.reshape(sum, &row));
            }
            let sums = g.push(Concat { axis: 0 }, &sums);
            let gradient = sharing.gradient(g, sums);
            g.give_param(0, gradient);
        }
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn role(&self) -> Role {
        match self.shares {
            None => Role::Add,
            Some(_) => Role::Opaque,
        }
    }

    fn sliding(&self, operands: &[Shape]) -> Sliding {
        sliding(operands)
    }
}

impl Lowering for Add {
    fn lower(&self, cx: &mut Lower<'_>) {
        let output = cx.output();
        let first = operand(cx, 0, &output);
        let Some((shares, fusion)) = self.shares else {
            let mut so_far = first;
            for index in 1..cx.operands() {
                let next = operand(cx, index, &output);
                zip(cx, ZipOp::Add, &output, &so_far, &next);
                so_far = output.clone();
            }
            return;
        };
        let term = cx.scratch(cx.output_shape(), super::NO_HALO);
        let padded = output.channels.next_multiple_of(cx.lanes());
        let extents = [cx.operands(), output.channels];
        let shares = cx.shares(extents, shares == Shares::Channel, padded, fusion);
        let zeros = shares.moved(&Affine::constant((cx.operands() * padded) as i64));
        for index in 0..cx.operands() {
            let share = shares.moved(&Affine::constant((index * padded) as i64));
            let zeros = zeros.clone();
            let next = operand(cx, index, &output);
            let to = if index == 0 { &output } else { &term };
            cx.scale_shift_by(&[to.clone(), next], share, zeros);
            if index > 0 {
                zip(cx, ZipOp::Add, &output, &output, &term);
            }
        }
    }
}
