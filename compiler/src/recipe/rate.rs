//! How the rate changes while a network is trained, and how long its gradients may be.

/// How the rate changes while a network is trained, once it has warmed up.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// Not at all.
    Constant,
    /// Half a cosine from the rate down to zero.
    Cosine,
    /// (1 − t)^power, where t is the share of the steps that are done: PyTorch's `PolynomialLR`.
    Polynomial {
        /// A straight line with 1.
        power: f64,
    },
    /// Multiplied by a factor behind each of these epochs: PyTorch's `MultiStepLR`.
    At {
        /// Epochs that are done, also parts of one; they rise.
        epochs: Vec<f64>,
        /// The factor.
        by: f64,
    },
    /// Multiplied by a factor again and again, after so many epochs: PyTorch's `StepLR`.
    Every {
        /// Epochs, also parts of one.
        epochs: f64,
        /// The factor.
        by: f64,
    },
}

impl Schedule {
    /// All curves, as they are written.
    pub const NAMES: [&'static str; 4] = ["cosine", "constant", "steps", "polynomial"];
    /// What steps multiply by where nothing is said.
    pub const BY: f64 = 0.1;
    /// The power where nothing is said.
    pub const POWER: f64 = 1.0;

    /// As it is written.
    pub fn name(&self) -> &'static str {
        match self {
            Schedule::Cosine => "cosine",
            Schedule::Constant => "constant",
            Schedule::At { .. } | Schedule::Every { .. } => "steps",
            Schedule::Polynomial { .. } => "polynomial",
        }
    }

    /// The same with its settings, as they are written: `steps at 10 20 by 0.1`.
    pub fn written(&self) -> String {
        let name = self.name();
        match self {
            Schedule::Cosine | Schedule::Constant => name.to_owned(),
            Schedule::Polynomial { power } => format!("{name} power {power}"),
            Schedule::Every { epochs, by } => format!("{name} every {epochs} by {by}"),
            Schedule::At { epochs, by } => {
                let epochs = epochs.iter().map(|epoch| format!("{epoch} "));
                format!("{name} at {}by {by}", epochs.collect::<String>())
            }
        }
    }
}

/// How long gradients may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Clip {
    /// All of a step together, as one vector, are made as short: PyTorch's `clip_grad_norm_`.
    Norm(f64),
    /// Each number lies between this below zero and this above: PyTorch's `clip_grad_value_`.
    Value(f64),
}

impl Clip {
    /// What is limited, as it is written.
    pub const NAMES: [&'static str; 2] = ["norm", "value"];

    /// What is limited, and to what.
    pub fn parts(self) -> (&'static str, f64) {
        match self {
            Clip::Norm(most) => ("norm", most),
            Clip::Value(most) => ("value", most),
        }
    }

    /// Of such parts.
    pub fn of(name: &str, most: f64) -> Option<Clip> {
        match name {
            "norm" => Some(Clip::Norm(most)),
            "value" => Some(Clip::Value(most)),
            _ => None,
        }
    }
}
