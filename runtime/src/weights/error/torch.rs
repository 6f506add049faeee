//! What is wrong with PyTorch's files, and with the pickles in them.

use std::fmt;

/// Most instructions of one pickle: a state dict has about forty for each tensor.
pub(in super::super) const MAX_STEPS: usize = 4 << 20;

/// What is wrong with a PyTorch file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TorchError {
    /// The pickle in it.
    Pickle(PickleError),
    /// A program made by `torch.jit`, not a state dict.
    Script,
    /// A format that is not read.
    Format(&'static str),
    /// What was saved is no dictionary of tensors.
    NoStateDict {
        /// What it is.
        found: String,
    },
    /// The elements of a storage are not in the file, or not all of them.
    Storage {
        /// A tensor that needs it.
        tensor: String,
        /// What the file calls the storage.
        key: String,
    },
    /// A tensor reaches beyond its storage, or cannot be counted.
    Bounds(String),
}

impl fmt::Display for TorchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TorchError::Pickle(error) => error.fmt(f),
            TorchError::Script => {
                f.write_str("a TorchScript program; save the module's `state_dict()` instead")
            }
            TorchError::Format(what) => write!(f, "a PyTorch file that is not read: {what}"),
            TorchError::NoStateDict { found } => write!(
                f,
                "a PyTorch file with {found}, where a dictionary of tensors should be; save `model.state_dict()`"
            ),
            TorchError::Storage { tensor, key } => write!(
                f,
                "tensor `{tensor}`: its storage `{key}` is missing, compressed or truncated"
            ),
            TorchError::Bounds(tensor) => {
                write!(f, "tensor `{tensor}` reaches beyond the end of its storage")
            }
        }
    }
}

impl std::error::Error for TorchError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            TorchError::Pickle(error) => Some(error),
            _ => None,
        }
    }
}

/// Why a pickle is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PickleError {
    /// It ends inside an instruction, or without its last one.
    Truncated,
    /// It has more instructions than are run.
    TooLong,
    /// It builds more than fits the memory that a file of its size may take.
    TooLarge,
    /// An instruction that no pickle has.
    Opcode {
        /// The instruction.
        opcode: u8,
        /// Its offset in the pickle.
        at: usize,
    },
    /// Values on the stack are not what an instruction needs.
    Malformed {
        /// What is expected.
        expected: &'static str,
        /// Offset of the instruction in the pickle.
        at: usize,
    },
}

impl fmt::Display for PickleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PickleError::Truncated => f.write_str("the pickle ends before its last instruction"),
            PickleError::TooLong => {
                write!(f, "the pickle has more than {MAX_STEPS} instructions")
            }
            PickleError::TooLarge => {
                f.write_str("the pickle builds far more than the state dict of a file of its size")
            }
            PickleError::Opcode { opcode, at } => write!(
                f,
                "the pickle is damaged at byte {at}: {opcode:#04x} is no instruction"
            ),
            PickleError::Malformed { expected, at } => {
                write!(f, "the pickle is damaged at byte {at}: expected {expected}")
            }
        }
    }
}

impl std::error::Error for PickleError {}
