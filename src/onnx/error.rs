//! What is wrong with an ONNX file, or beyond what is imported.

use std::fmt;

/// An ONNX file that is not imported.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum OnnxError {
    /// The file cannot be read.
    Read(String),
    /// The file is damaged, or contradicts itself.
    Invalid(String),
    /// An input's shape is open, and nothing says what it is.
    Open {
        /// Name of the input.
        input: String,
        /// Its shape, as the file writes it.
        shape: String,
    },
    /// The network is sound, and beyond what can be said here: every node that is.
    Unsupported(Vec<Unsupported>),
    /// What was written for it does not compile: the first reason.
    Beyond(String),
}

/// Nodes of one kind that are not imported, for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// The operator, behind the name of its set if that is not ONNX's own.
    pub operator: String,
    /// How many nodes.
    pub count: usize,
    /// Name of the first, or of what it makes.
    pub first: String,
    /// Why not, and what would help.
    pub remedy: String,
}

impl OnnxError {
    /// Whether the file is sound, but not supported.
    pub fn is_unsupported(&self) -> bool {
        matches!(self, OnnxError::Unsupported(_) | OnnxError::Beyond(_))
    }
}

/// Most rows of the table of what is not supported that are shown.
const ROWS: usize = 50;

impl fmt::Display for OnnxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OnnxError::Read(why) => f.write_str(why),
            OnnxError::Invalid(why) => f.write_str(why),
            OnnxError::Open { input, shape } => {
                write!(
                    f,
                    "input `{input}` is {shape}: its shape is open; give `--shape {input}=3x640x640`, the extents behind the batch"
                )
            }
            OnnxError::Beyond(why) => write!(f, "the network is not supported: {why}"),
            OnnxError::Unsupported(rows) => {
                f.write_str("not supported:")?;
                let (rows, more) = rows.split_at(rows.len().min(ROWS));
                let width = |of: fn(&Unsupported) -> &str| {
                    rows.iter()
                        .map(|row| of(row).chars().count())
                        .max()
                        .unwrap_or(0)
                };
                let (operator, first) =
                    (width(|row| &row.operator), width(|row| &row.first).min(40));
                for row in rows {
                    let count = format!("{} ×", row.count);
                    write!(
                        f,
                        "\n  {:operator$}  {count:>6}  {:first$}  {}",
                        row.operator, row.first, row.remedy
                    )?;
                }
                match more.len() {
                    0 => Ok(()),
                    more => write!(f, "\n  and {more} more"),
                }
            }
        }
    }
}

impl std::error::Error for OnnxError {}

/// Why one node is not imported.
#[derive(Clone, Debug)]
pub(super) enum Why {
    /// It is sound, but beyond what is imported: what would help.
    Unsupported(String),
    /// It contradicts itself.
    Invalid(String),
}

/// A refusal.
pub(super) fn unsupported<T>(why: impl Into<String>) -> Result<T, Why> {
    Err(Why::Unsupported(why.into()))
}

/// A contradiction.
pub(super) fn invalid<T>(why: impl Into<String>) -> Result<T, Why> {
    Err(Why::Invalid(why.into()))
}

/// What a file says, made fit to be printed: no control characters, not too long.
pub(super) fn show(text: &str) -> String {
    const MOST: usize = 80;
    let printable = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut shown: String = text.chars().take(MOST).map(printable).collect();
    if text.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}
