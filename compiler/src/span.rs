//! Where something is written: a range of bytes in a source text.

use crate::id::Id;
use std::ops::Range;

crate::id!(
    /// A source text: the spec itself is 0, imports follow.
    FileId, "f"
);

/// A range of bytes in a source text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Span {
    /// Which text.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The span of a byte range.
    pub fn new(file: FileId, range: Range<usize>) -> Span {
        Span {
            file,
            start: range.start as u32,
            end: range.end as u32,
        }
    }
    /// The byte range.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
    /// From the start of `self` to the end of `other`.
    pub fn to(self, other: Span) -> Span {
        Span {
            end: other.end.max(self.end),
            ..self
        }
    }
    /// A span for what no text says.
    pub fn none() -> Span {
        Span {
            file: FileId::new(0),
            start: 0,
            end: 0,
        }
    }
}
