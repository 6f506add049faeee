//! Everything that can go wrong between a spec and its results.

use cnnc_compiler::diagnostic::Diagnostics;
use cnnc_compiler::jit::JitError;
use cnnc_compiler::loops::Unproven;
use cnnc_compiler::resolve::TORCHVISION;
use cnnc_compiler::slide::SlideError;
use cnnc_runtime::isa::IsaError;
use cnnc_runtime::memory::OutOfMemory;
use cnnc_runtime::session::RunError;
use cnnc_runtime::weights::WeightsError;
use std::fmt;

/// Why there is no result.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The spec cannot be read, or has mistakes.
    Spec(Box<Diagnostics>),
    /// No tensor of the network has this label.
    NoTap {
        /// What was asked for.
        label: String,
        /// The label most like it, if one is.
        nearest: Option<String>,
        /// The labels that there are, as a list to print.
        known: String,
    },
    /// The network cannot slide over a larger picture.
    Slide(SlideError),
    /// The weights do not fit the network.
    Weights(WeightsError),
    /// The weights do not fit the network under its names, but would with `weights torchvision`.
    Names(WeightsError),
    /// No ISA could be chosen.
    Isa(IsaError),
    /// The network is too much for the proof that its code is safe.
    Unproven(Unproven),
    /// No machine code could be made.
    Jit(JitError),
    /// The network could not run on these inputs.
    Run(RunError),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Spec(diagnostics) => f.write_str(diagnostics.render(false).trim_end()),
            Error::NoTap {
                label,
                nearest,
                known,
            } => {
                write!(f, "no tensor is called `{label}`")?;
                match nearest {
                    Some(nearest) => write!(f, "; is `{nearest}` meant?"),
                    None if known.is_empty() => Ok(()),
                    None => write!(f, "; labels are: {known}"),
                }
            }
            Error::Slide(error) => error.fmt(f),
            Error::Weights(error) => error.fmt(f),
            Error::Names(error) => write!(f, "{error}\n{TORCHVISION}"),
            Error::Isa(error) => error.fmt(f),
            Error::Unproven(error) => error.fmt(f),
            Error::Jit(error) => error.fmt(f),
            Error::Run(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Jit(error) => error.source(),
            // These print their cause themselves.
            _ => None,
        }
    }
}

/// Implements `From` for errors that become a variant as they are.
macro_rules! from {
    ($($variant:ident($error:ty))*) => {$(
        impl From<$error> for Error {
            fn from(error: $error) -> Error {
                Error::$variant(error)
            }
        }
    )*};
}

from! {
    Slide(SlideError)
    Weights(WeightsError)
    Isa(IsaError)
    Unproven(Unproven)
    Run(RunError)
}

impl From<OutOfMemory> for Error {
    fn from(error: OutOfMemory) -> Error {
        Error::Run(RunError::Memory(error))
    }
}

impl From<JitError> for Error {
    fn from(error: JitError) -> Error {
        match error {
            JitError::Unproven(error) => Error::Unproven(error),
            error => Error::Jit(error),
        }
    }
}

impl From<Diagnostics> for Error {
    fn from(diagnostics: Diagnostics) -> Error {
        Error::Spec(Box::new(diagnostics))
    }
}
