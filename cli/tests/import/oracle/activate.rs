//! The little darknet's activations.

/// An activation of darknet's, by its name.
pub fn activate(name: &str, x: f64) -> f64 {
    let logistic = 1.0 / (1.0 + (-x).exp());
    match name {
        "linear" => x,
        "logistic" => logistic,
        "loggy" => 2.0 * logistic - 1.0,
        "leaky" | "revleaky" if x <= 0.0 => 0.1 * x,
        "relie" if x <= 0.0 => 0.01 * x,
        "leaky" | "revleaky" | "relie" => x,
        "ramp" => x.max(0.0) + 0.1 * x,
        "relu6" => x.clamp(0.0, 6.0),
        "tanh" => x.tanh(),
        "hardtan" => x.clamp(-1.0, 1.0),
        "elu" if x < 0.0 => x.exp() - 1.0,
        "elu" => x,
        "selu" if x < 0.0 => 1.0507 * 1.6732 * (x.exp() - 1.0),
        "selu" => 1.0507 * x,
        // Darknet rounds both constants to six digits.
        "gelu" => {
            let root = (2.0 / std::f64::consts::PI).sqrt();
            0.5 * x * (1.0 + (root * (x + 0.044715 * x.powi(3))).tanh())
        }
        "swish" => x * logistic,
        "mish" => x * (1.0 + x.exp()).ln().tanh(),
        "hard_mish" if x > 0.0 => x,
        "hard_mish" if x > -2.0 => x * x / 2.0 + x,
        "hard_mish" => 0.0,
        "lhtan" if x < 0.0 => 0.001 * x,
        "lhtan" if x > 1.0 => 0.001 * (x - 1.0) + 1.0,
        "lhtan" => x,
        "plse" if x < -4.0 => 0.01 * (x + 4.0),
        "plse" if x > 4.0 => 0.01 * (x - 4.0) + 1.0,
        "plse" => 0.125 * x + 0.5,
        // And what it does not know.
        _ => x.max(0.0),
    }
}
