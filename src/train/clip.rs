//! Gradients that are as long at most as a recipe says.

use cnnc_compiler::recipe::Clip;

/// Added to a norm that is divided by, as in PyTorch's `clip_grad_norm_`.
const EPS: f64 = 1e-6;

/// What becomes of each number of the gradients of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Limit {
    /// It stays.
    None,
    /// It is multiplied.
    Scale(f32),
    /// It lies between this below zero and this above.
    Clamp(f32),
}

impl Limit {
    /// Of the gradients of all tensors: with the norm n of all of them as one vector and the largest m, a factor of m / (n + 1e-6) where that is below 1.
    /// Sums are in f64 and in one order, so that it is the same for any number of threads.
    ///
    /// # Errors
    /// The name of the first tensor whose gradient is not finite; of single numbers, is none at all.
    pub fn of(clip: Option<Clip>, gradients: &[(String, Vec<f32>)]) -> Result<Limit, String> {
        let first = |odd: fn(&f32) -> bool| {
            let mut tensors = gradients.iter();
            let found = tensors.find(|(_, values)| values.iter().any(odd));
            found.map(|(name, _)| name.clone())
        };
        match clip {
            None => Ok(Limit::None),
            Some(Clip::Value(most)) => match first(|value| value.is_nan()) {
                None => Ok(Limit::Clamp(most as f32)),
                Some(tensor) => Err(tensor),
            },
            Some(Clip::Norm(most)) => {
                let tensors = gradients.iter();
                let squares = tensors.map(|(_, values)| {
                    let values = values.iter().map(|&value| f64::from(value));
                    values.map(|value| value * value).sum::<f64>()
                });
                let norm = squares.sum::<f64>().sqrt();
                if let Some(tensor) = first(|value| !value.is_finite()) {
                    return Err(tensor);
                }
                Ok(match most / (norm + EPS) {
                    factor if factor < 1.0 => Limit::Scale(factor as f32),
                    _ => Limit::None,
                })
            }
        }
    }

    /// Copies a gradient as it may be.
    pub fn copy(self, from: &[f32], to: &mut [f32]) {
        match self {
            Limit::None => to.copy_from_slice(from),
            Limit::Scale(factor) => {
                let values = to.iter_mut().zip(from);
                values.for_each(|(to, from)| *to = factor * from);
            }
            Limit::Clamp(most) => {
                let values = to.iter_mut().zip(from);
                values.for_each(|(to, from)| *to = from.clamp(-most, most));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gradients(values: &[&[f32]]) -> Vec<(String, Vec<f32>)> {
        let named = values.iter().enumerate();
        let named = named.map(|(index, values)| (format!("t{index}"), values.to_vec()));
        named.collect()
    }

    fn clipped(clip: Clip, values: &[&[f32]]) -> Vec<f32> {
        let all = gradients(values);
        let limit = Limit::of(Some(clip), &all).expect("finite");
        let mut to = vec![0.0; all.iter().map(|(_, values)| values.len()).sum()];
        limit.copy(&values.concat(), &mut to);
        to
    }

    /// The norm of (3, 0) and (4, 12) is 13: 6.5 / 13.000001 is a half but for 4e-8.
    #[test]
    fn a_norm_is_that_of_all_tensors() {
        let found = clipped(Clip::Norm(6.5), &[&[3.0, 0.0], &[-4.0, 12.0]]);
        let want = [1.5, 0.0, -2.0, 6.0];
        for (found, want) in found.iter().zip(want) {
            assert!((found - want).abs() < 1e-6, "{found} is not {want}");
        }
        // What is short enough stays to the bit.
        let short: [&[f32]; 2] = [&[0.3, 1e-30], &[-0.1]];
        assert_eq!(clipped(Clip::Norm(1.0), &short), short.concat());
        assert_eq!(clipped(Clip::Norm(1.0), &[&[0.0]]), [0.0]);
    }

    #[test]
    fn values_are_between_both_ends() {
        let inf = f32::INFINITY;
        let found = clipped(Clip::Value(0.5), &[&[3.0, 0.25], &[-4.0, -inf]]);
        assert_eq!(found, [0.5, 0.25, -0.5, -0.5]);
    }

    #[test]
    fn what_is_not_finite_is_named() {
        let all = gradients(&[&[1.0], &[f32::INFINITY], &[f32::NAN]]);
        let of = |clip| Limit::of(Some(clip), &all).expect_err("it is not finite");
        assert_eq!([of(Clip::Norm(1.0)), of(Clip::Value(1.0))], ["t1", "t2"]);
        assert_eq!(Limit::of(None, &all), Ok(Limit::None));
    }
}
