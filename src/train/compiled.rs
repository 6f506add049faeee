//! Steps that are compiled.

use cnnc_compiler::jit::Code;
use cnnc_runtime::session::StepSession;

/// Which part of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    Outputs,
    Whole,
    Gradients,
    Update,
}

/// The step for so many samples, or a part of it.
pub(super) struct Compiled {
    pub half: Half,
    pub samples: usize,
    pub session: StepSession,
    pub code: Code,
}
