//! `share_factors`: the learned factors of an `add` with `shares`, and the gradient of what they are made of.

use super::maxpool::MaxPoolInput;
use super::slope::Slope;
use super::sums::Together;
use crate::gradient::Adjoint;
use crate::id::ValueId;
use crate::layer::add::Shares;
use crate::layer::permute::Permute;
use crate::layer::pool::PoolWindow;
use crate::layer::relu::Relu;
use crate::layer::slice::Slice;
use crate::layer::window::{Padding, Window};
use crate::layer::{Attribute, Attributes, Inferred, Layer, Lowering, ParamSpec, ShapeError};
use crate::loops::Affine;
use crate::lower::Lower;
use crate::shape::Shape;
use cnnc_runtime::kernel::{CopyCall, Fusion, Move};
use ndarray::ArrayD;

/// Keyword of [`ShareFactors`].
pub const FACTORS: &str = "share_factors";

/// What the layer is told of its shares.
#[derive(Clone, Copy, Debug)]
pub struct Sharing {
    /// Whose factors there are.
    pub shares: Shares,
    /// What the tensor becomes.
    pub fusion: Fusion,
    /// Operands and channels.
    pub extents: [usize; 2],
}

/// What the operands are multiplied by: operands × channels, made of the layer's tensor.
#[derive(Clone, Debug)]
pub struct ShareFactors(
    /// The layer's.
    pub Sharing,
);

/// What one channel's factors are made of.
struct Column {
    /// Before they are divided.
    parts: Vec<f64>,
    /// What they are divided by.
    whole: f64,
}

impl Sharing {
    fn tensor(&self) -> ParamSpec {
        let [operands, channels] = self.extents;
        let shape = match self.shares {
            Shares::Tensor => vec![operands],
            Shares::Channel => vec![operands, channels],
        };
        ParamSpec::learned("shares", shape)
    }

    fn attributes(&self) -> Attributes {
        let mut attributes = self.shares.attributes(self.fusion);
        attributes.push(("extents", Attribute::extents(&self.extents)));
        attributes
    }

    fn matrix(&self) -> Shape {
        Shape::new(self.extents).expect("no larger than the operands together")
    }

    fn column(&self, tensor: &ArrayD<f64>, channel: usize) -> Column {
        let raw = (0..self.extents[0]).map(|operand| match self.shares {
            Shares::Tensor => tensor[[operand]],
            Shares::Channel => tensor[[operand, channel]],
        });
        let raw: Vec<f64> = raw.collect();
        let most = raw.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let part = |&w: &f64| match self.fusion {
            Fusion::Unbounded => w,
            Fusion::Fast(_) => w.max(0.0),
            Fusion::Exponential(_) => (w - most).exp(),
        };
        let parts: Vec<f64> = raw.iter().map(part).collect();
        let whole = match self.fusion {
            Fusion::Unbounded => 1.0,
            Fusion::Fast(eps) | Fusion::Exponential(eps) => eps + parts.iter().sum::<f64>(),
        };
        Column { parts, whole }
    }

    /// Pushes the gradient of the tensor, from the sums of products of each operand's channels with the cotangent, operands × channels. With the
    /// factors `f`, made of parts and the whole that these are divided by, and `m = Σ f · d`, a number has `(d − m)` times what its part changes by, over the
    /// whole; where powers are of distances from the largest number, that one has what all parts change by.
    pub fn gradient(&self, g: &mut Adjoint<'_>, sums: ValueId) -> ValueId {
        let operands = self.extents[0];
        // A number for all channels has the sum over them.
        let (columns, d) = match self.shares {
            Shares::Channel => (self.extents[1], sums),
            Shares::Tensor => (1, g.pixel_sum(sums)),
        };
        let own = Sharing {
            extents: [operands, columns],
            ..*self
        };
        let d = g.reshape(d, &own.matrix());
        if self.fusion == Fusion::Unbounded {
            return d;
        }
        let factors = g.push_with(ShareFactors(own), &[], &[g.param(0)]);
        let numbers = g.tensor(0, &own.matrix());
        let product = g.mul(factors, d);
        let mean = g.push(Together::Channels, &[product]);
        let rest = g.sub(d, mean);
        match self.fusion {
            Fusion::Unbounded => d,
            Fusion::Fast(eps) => {
                let parts = g.push(Relu, &[numbers]);
                let whole = g.push(Together::Channels, &[parts]);
                let whole = g.scale(whole, 1.0, eps);
                let rest = g.push(Slope(Relu), &[numbers, rest]);
                g.div(rest, whole)
            }
            Fusion::Exponential(_) => {
                let direct = g.mul(factors, rest);
                // What the factors lack of 1 is eps over the whole.
                let sum = g.push(Together::Channels, &[factors]);
                let lacking = g.scale(sum, -1.0, 1.0);
                let compared = g.mul(mean, lacking);
                let row = Slice::range(0, Some(1), 0);
                let compared = g.push(row, &[compared]);
                let turn = || Permute { axes: vec![1, 0] };
                let (numbers, compared) = (g.push(turn(), &[numbers]), g.push(turn(), &[compared]));
                let window = Window {
                    rank: 1,
                    kernel: [1, 1, operands],
                    stride: [1, 1, operands],
                    dilation: [1; 3],
                    padding: Padding::Valid,
                    ceil: false,
                };
                let first = MaxPoolInput {
                    window: PoolWindow(window),
                };
                let largest = g.push(first, &[numbers, compared]);
                let largest = g.push(turn(), &[largest]);
                g.sub(direct, largest)
            }
        }
    }
}

impl Layer for ShareFactors {
    fn attributes(&self) -> (&'static str, Attributes) {
        (FACTORS, self.0.attributes())
    }

    fn infer(&self, _: &[Shape]) -> Result<Inferred, ShapeError> {
        Ok(Inferred {
            params: vec![self.0.tensor()],
            ..Inferred::plain(self.0.matrix())
        })
    }

    fn evaluate(&self, _: &[&ArrayD<f64>], params: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let mut factors = ArrayD::zeros(self.0.extents.to_vec());
        for channel in 0..self.0.extents[1] {
            let Column { parts, whole } = self.0.column(params[0], channel);
            for (operand, part) in parts.iter().enumerate() {
                factors[[operand, channel]] = part / whole;
            }
        }
        factors
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }
}

impl Lowering for ShareFactors {
    fn lower(&self, cx: &mut Lower<'_>) {
        let Sharing {
            shares,
            fusion,
            extents,
        } = self.0;
        let out = cx.output();
        let [operands, channels] = extents;
        let padded = channels.next_multiple_of(cx.lanes());
        let x = cx.shares(extents, shares == Shares::Channel, padded, fusion);
        let mut axes = [Move::ONCE; 5];
        axes[3] = Move {
            count: channels,
            out: out.strides[2],
            from: 1,
        };
        axes[4] = Move {
            count: operands,
            out: 1,
            from: padded as i64,
        };
        cx.call(CopyCall {
            out: out.access(Affine::default()),
            x,
            axes,
            flush: false,
        });
    }
}
