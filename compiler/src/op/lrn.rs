//! `lrn_input`: the adjoint of local response normalisation.

use super::same_shape;
use crate::layer::lrn::Lrn;
use crate::layer::{Inferred, Layer, ShapeError, grid};
use crate::shape::Shape;
use ndarray::ArrayD;

/// Its keyword.
pub const KEYWORD: &str = "lrn_input";

/// With `u = k + alpha/size · Σ x²` the sum that `x` is divided by, to the power of `beta`:
/// `dx[c] = dy[c] · u[c]^−beta − 2 · alpha · beta / size · x[c] · Σ dy[j] · x[j] · u[j]^(−beta − 1)`, over those `j` whose sum has `x[c]` in it. Of
/// the operands x and dy.
#[derive(Clone, Debug)]
pub struct LrnInput(
    /// The layer.
    pub Lrn,
);

impl Layer for LrnInput {
    fn attributes(&self) -> (&'static str, Vec<(&'static str, String)>) {
        (KEYWORD, self.0.attributes().1)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        same_shape(KEYWORD, inputs).map(Inferred::plain)
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let Lrn {
            size,
            alpha,
            beta,
            k,
        } = self.0;
        let (x, dy) = (grid::view(inputs[0]), grid::view(inputs[1]));
        let shape = grid::shape(inputs[0]);
        let channels = shape.channels();
        let (before, behind) = (size / 2, size - size / 2 - 1);
        let near = |c: usize, before: usize, behind: usize| {
            c.saturating_sub(before)..(c + behind + 1).min(channels)
        };
        let factor = alpha / size as f64;
        let u = grid::tabulate(&shape, |[c, d, h, w]| {
            let sum = near(c, before, behind)
                .map(|j| x[[j, d, h, w]].powi(2))
                .sum::<f64>();
            k + factor * sum
        });
        let u = grid::view(&u);
        grid::tabulate(&shape, |[c, d, h, w]| {
            let through = |j: usize| {
                let at = [j, d, h, w];
                dy[at] * x[at] * u[at].powf(-beta - 1.0)
            };
            // Sums that have this element are those of the channels on the other side.
            let others: f64 = near(c, behind, before).map(through).sum();
            let at = [c, d, h, w];
            dy[at] * u[at].powf(-beta) - 2.0 * factor * beta * x[at] * others
        })
    }
}
