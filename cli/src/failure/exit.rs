//! Exit codes, and which mistakes are those of a spec.

use super::Failure;
use cnnc::compiler::diagnostic::{Diagnostic, Diagnostics, Severity, codes};
use cnnc::compiler::jit::JitError;
use cnnc::darknet::Mistake;
use cnnc::onnx::ExportError;
use cnnc::rt::image::ImageProblem;
use cnnc::rt::isa::IsaError;

impl Failure {
    /// The exit code: 1 for a mistake, or figures that are not what is expected; 3 for what this version, or this machine, does not support. `main` has
    /// 2, for a command line that cannot be understood.
    pub fn exit_code(&self) -> u8 {
        match self {
            _ if self.is_unsupported() => 3,
            _ => 1,
        }
    }

    /// Whether nothing is wrong, but that it cannot be done here.
    fn is_unsupported(&self) -> bool {
        match self {
            Failure::Network(cnnc::Error::Spec(diagnostics)) => {
                let errors = diagnostics.items().iter();
                let mut errors = errors.filter(|item| item.severity() == Severity::Error);
                let later = |item: &Diagnostic| {
                    let said = |note: &String| note.starts_with("not supported yet");
                    item.code == codes::NOT_YET || item.notes.iter().any(said)
                };
                errors.next().is_some_and(later) && errors.all(later)
            }
            Failure::Network(cnnc::Error::Isa(IsaError::Unavailable(_))) => true,
            Failure::Network(cnnc::Error::Jit(JitError::Host(_) | JitError::Unavailable(_))) => {
                true
            }
            Failure::Unsupported => true,
            Failure::Image(error) => matches!(error.problem, ImageProblem::Unsupported(_)),
            Failure::Cfg { error, .. } => matches!(error.mistake, Mistake::Unsupported { .. }),
            Failure::Onnx { error, .. } => error.is_unsupported(),
            Failure::Export { error, .. } => !matches!(**error, ExportError::Weights(_)),
            _ => false,
        }
    }

    /// The mistakes in a spec, if that is what it is.
    pub fn diagnostics(&self) -> Option<&Diagnostics> {
        match self {
            Failure::Network(cnnc::Error::Spec(diagnostics)) => Some(diagnostics),
            _ => None,
        }
    }
}
