//! Why a network could not be trained.

use super::data::DataError;
use crate::sliding::SlidingError;
use cnnc_compiler::span::Span;
use cnnc_compiler::step::Untrainable;
use cnnc_runtime::session::RunError;
use cnnc_runtime::tensor_file::TensorFileError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a network could not be trained.
#[derive(Debug)]
#[non_exhaustive]
pub enum TrainError {
    /// A layer has no gradient, or nothing is left to train.
    Untrainable(Untrainable),
    /// The network has several inputs, or no head with a loss.
    Network(String),
    /// A layer cannot be trained so.
    Layer {
        /// Its label.
        label: String,
        /// Why.
        why: String,
        /// Where it is written.
        span: Span,
    },
    /// The recipe cannot be followed.
    Recipe(String),
    /// Samples do not fit the network.
    Data(DataError),
    /// A step could not be compiled, or a network run.
    Cnnc(crate::Error),
    /// The weights that tensors should begin with do not fit.
    Init(crate::Error),
    /// Not enough memory.
    Run(RunError),
    /// Windows do not slide.
    Sliding(SlidingError),
    /// A loss that is not a number, or a gradient.
    NotFinite {
        /// Which of them: `loss`, `gradient` where its length is limited, or `update` where the last step of an epoch left a tensor that is none.
        of: &'static str,
        /// The epoch, from 1.
        epoch: usize,
        /// The step, from 1.
        step: u64,
        /// The first tensor whose gradient or value is not finite.
        tensor: Option<String>,
        /// The places in the batch of the samples whose own loss is none.
        places: Vec<usize>,
        /// The samples of the batch, these in front; none of a step outside a run.
        samples: Vec<String>,
    },
    /// A file of the run could not be written.
    File(PathBuf, io::Error),
    /// Weights could not be written.
    Weights(TensorFileError),
}

impl fmt::Display for TrainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TrainError::Untrainable(error) => error.fmt(f),
            TrainError::Layer { label, why, .. } => write!(f, "`{label}` cannot learn: {why}"),
            TrainError::Network(why) | TrainError::Recipe(why) => f.write_str(why),
            TrainError::Data(error) => error.fmt(f),
            TrainError::Cnnc(error) => error.fmt(f),
            TrainError::Init(error) => write!(
                f,
                "{error}\nwhat has no weights there begins at random if `except` names it: `init \"FILE\" except \"classifier.*\"`"
            ),
            TrainError::Run(error) => error.fmt(f),
            TrainError::Sliding(error) => error.fmt(f),
            TrainError::NotFinite {
                of,
                epoch,
                step,
                tensor,
                samples,
                ..
            } => {
                write!(
                    f,
                    "the {of} is not a number any more in epoch {epoch}, step {step}"
                )?;
                match tensor {
                    Some(tensor) => {
                        write!(f, "; the first tensor that is not finite is `{tensor}`")
                    }
                    None => Ok(()),
                }?;
                match samples.as_slice() {
                    [] => f.write_str(": try a smaller rate"),
                    all => write!(
                        f,
                        ": look at its samples, {}, or try a smaller rate",
                        few(all)
                    ),
                }
            }
            TrainError::File(path, error) => write!(f, "{}: {error}", path.display()),
            TrainError::Weights(error) => error.fmt(f),
        }
    }
}

impl TrainError {
    /// The same with the line of the spec that it is about, if it is about one; the spec is read once more.
    #[must_use]
    pub fn placed(self, spec: &Path) -> TrainError {
        let TrainError::Layer { span, .. } = &self else {
            return self;
        };
        match crate::model::complain(spec, *span, self.to_string()) {
            Some(diagnostics) => TrainError::Cnnc(crate::Error::Spec(Box::new(diagnostics))),
            None => self,
        }
    }
}

/// `a.png, b.png and 62 more`
fn few(names: &[String]) -> String {
    const NAMED: usize = 5;
    let named = &names[..names.len().min(NAMED)];
    let more = match names.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", named.join(", "))
}

impl std::error::Error for TrainError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            TrainError::Untrainable(error) => error.source(),
            TrainError::Data(error) => error.source(),
            TrainError::Cnnc(error) | TrainError::Init(error) => error.source(),
            TrainError::Run(error) => error.source(),
            TrainError::File(_, error) => Some(error),
            TrainError::Weights(error) => error.source(),
            _ => None,
        }
    }
}

impl From<Untrainable> for TrainError {
    fn from(error: Untrainable) -> TrainError {
        TrainError::Untrainable(error)
    }
}

impl From<DataError> for TrainError {
    fn from(error: DataError) -> TrainError {
        TrainError::Data(error)
    }
}

impl From<crate::Error> for TrainError {
    fn from(error: crate::Error) -> TrainError {
        TrainError::Cnnc(error)
    }
}

impl From<RunError> for TrainError {
    fn from(error: RunError) -> TrainError {
        TrainError::Run(error)
    }
}

impl From<SlidingError> for TrainError {
    fn from(error: SlidingError) -> TrainError {
        TrainError::Sliding(error)
    }
}

impl From<TensorFileError> for TrainError {
    fn from(error: TensorFileError) -> TrainError {
        TrainError::Weights(error)
    }
}
