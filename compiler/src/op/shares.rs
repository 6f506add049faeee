//! `share_factors` and `share_gradient`: the learned factors of an `add` with `shares`, and their gradient.

use super::flat;
use crate::layer::add::Shares;
use crate::layer::{Inferred, Layer, ParamSpec, ShapeError};
use crate::shape::Shape;
use cnnc_runtime::kernel::Fusion;
use ndarray::ArrayD;

/// Keyword of [`ShareFactors`].
pub const FACTORS: &str = "share_factors";

/// Keyword of [`ShareGradient`].
pub const GRADIENT: &str = "share_gradient";

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

/// The gradient of the tensor, of the operand that has for every operand of the layer and every channel the sum of its products with the cotangent.
#[derive(Clone, Debug)]
pub struct ShareGradient(
    /// The layer's.
    pub Sharing,
);

/// One channel's factors, and what they are made of.
struct Column {
    /// The tensor's numbers.
    raw: Vec<f64>,
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

    fn attributes(&self) -> Vec<(&'static str, String)> {
        vec![("sharing", format!("{self:?}"))]
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
        Column { raw, parts, whole }
    }

    /// The gradient of one channel's numbers from that of its factors.
    fn through(&self, column: &Column, given: &[f64]) -> Vec<f64> {
        let Column { raw, parts, whole } = column;
        let mean = parts
            .iter()
            .zip(given)
            .map(|(part, dy)| part * dy)
            .sum::<f64>()
            / whole;
        let each = raw.iter().zip(parts).zip(given);
        match self.fusion {
            Fusion::Unbounded => given.to_vec(),
            Fusion::Fast(_) => each
                .map(|((&w, _), dy)| if w > 0.0 { (dy - mean) / whole } else { 0.0 })
                .collect(),
            Fusion::Exponential(eps) => {
                let mut gradient: Vec<f64> = each
                    .map(|((_, part), dy)| part / whole * (dy - mean))
                    .collect();
                // The largest is what the others are compared with.
                let most = (0..raw.len()).reduce(|a, b| if raw[b] > raw[a] { b } else { a });
                gradient[most.expect("at least two operands")] -= mean * eps / whole;
                gradient
            }
        }
    }
}

impl Layer for ShareFactors {
    fn attributes(&self) -> (&'static str, Vec<(&'static str, String)>) {
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
            let Column { parts, whole, .. } = self.0.column(params[0], channel);
            for (operand, part) in parts.iter().enumerate() {
                factors[[operand, channel]] = part / whole;
            }
        }
        factors
    }
}

impl Layer for ShareGradient {
    fn attributes(&self) -> (&'static str, Vec<(&'static str, String)>) {
        (GRADIENT, self.0.attributes())
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        super::same_shape(GRADIENT, &[self.0.matrix(), inputs[0].clone()])?;
        let tensor = self.0.tensor();
        Ok(Inferred {
            params: vec![tensor.clone()],
            ..Inferred::plain(flat(&tensor.shape))
        })
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], params: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let mut gradient = ArrayD::zeros(self.0.tensor().shape);
        for channel in 0..self.0.extents[1] {
            let column = self.0.column(params[0], channel);
            let given = (0..self.0.extents[0]).map(|operand| inputs[0][[operand, channel]]);
            let given: Vec<f64> = given.collect();
            for (operand, d) in self.0.through(&column, &given).into_iter().enumerate() {
                match self.0.shares {
                    Shares::Tensor => gradient[[operand]] += d,
                    Shares::Channel => gradient[[operand, channel]] += d,
                }
            }
        }
        gradient
    }
}
