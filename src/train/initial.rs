//! First values of a network's tensors.

use super::random::{Purpose, Random};
use cnnc_compiler::graph::Param;

/// Values that a tensor begins with: Glorot's for what is multiplied with, 1 for scales and variances, 0 for everything that is added.
///
/// X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010: uniform within ±√(6 / (fan in + fan out)).
pub fn initial(param: &Param, seed: u64) -> Vec<f32> {
    let elements = param.elements();
    if let Some(values) = param.constants() {
        return values.collect();
    }
    match (&*param.shape, param.role) {
        (_, "bias" | "running_mean") => vec![0.0; elements],
        ([_] | [], _) => vec![1.0; elements],
        (&[out, ins, ref taps @ ..], _) => {
            let field: usize = taps.iter().product();
            let fans = ((out + ins) * field).max(1) as f64;
            let bound = (6.0 / fans).sqrt();
            let mut random = Random::new(seed, Purpose::Initial, param.name.as_bytes());
            let value = |_| (bound * (2.0 * random.unit() - 1.0)) as f32;
            (0..elements).map(value).collect()
        }
    }
}
