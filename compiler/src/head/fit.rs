//! Why a head does not fit what enters it.

use super::Head;
use crate::diagnostic::codes;
use crate::diagnostic::codes::Code;
use crate::shape::Shape;
use crate::span::Span;

/// Why a head does not fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Misfit {
    /// The diagnostic's code.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// The key that says so; the head itself if `None`.
    pub span: Option<Span>,
    /// Which of the tensors is meant.
    pub tensor: Option<usize>,
    /// What would help.
    pub help: Option<String>,
}

impl Misfit {
    /// A tensor that the head cannot do with.
    pub(super) fn shape(tensor: usize, message: String) -> Misfit {
        Misfit {
            code: codes::SHAPE,
            message,
            span: None,
            tensor: Some(tensor),
            help: None,
        }
    }

    /// A key that is wrong, or missing.
    pub(super) fn key(head: &Head, key: &str, message: String) -> Misfit {
        Misfit {
            code: codes::ARGUMENT,
            message,
            span: head.span_of(key),
            tensor: None,
            help: None,
        }
    }

    pub(super) fn help(mut self, help: &str) -> Misfit {
        self.help = Some(help.to_owned());
        self
    }
}

/// The number of elements of a vector.
pub(super) fn vector(head: &Head, shape: &Shape) -> Result<usize, Misfit> {
    match shape.dims() {
        &[values] => Ok(values),
        _ => {
            let message = format!("`head {}` needs a vector, not {shape}", head.decl.keyword);
            Err(Misfit::shape(0, message).help("put `flatten` before it"))
        }
    }
}

/// The number of channels of a map of pixels.
pub(super) fn channels(head: &Head, tensor: usize, shape: &Shape) -> Result<usize, Misfit> {
    if shape.dims().len() != 3 {
        let message = format!(
            "`head {}` needs channels, rows and columns, not {shape}",
            head.decl.keyword
        );
        return Err(Misfit::shape(tensor, message));
    }
    Ok(shape.channels())
}
