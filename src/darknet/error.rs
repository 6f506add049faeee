//! What is wrong with a `.cfg`, or beyond what is imported: section, key and line.

use std::fmt;

/// A `.cfg` that cannot be imported.
#[derive(Clone, Debug, PartialEq)]
pub struct CfgError {
    /// Line of the file, from 1; 0 where it is about the whole file.
    pub line: usize,
    /// Name of the section.
    pub section: Option<String>,
    /// Key of the setting.
    pub key: Option<String>,
    /// What is wrong.
    pub mistake: Mistake,
}

/// What can be wrong with a `.cfg`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Mistake {
    /// The file is larger than any network's.
    TooLarge {
        /// Its bytes.
        bytes: usize,
    },
    /// The line is neither `[section]`, `key=value`, comment nor blank.
    NotASetting,
    /// A setting before the first section.
    NoSection,
    /// The first section is not `[net]`.
    NoNet,
    /// There is nothing behind `[net]`.
    NoLayers,
    /// No section of darknet's is called so.
    UnknownSection {
        /// The name most like it.
        nearest: Option<String>,
    },
    /// The key is needed.
    Missing,
    /// The value is not a number, or not one of a list.
    NotANumber {
        /// The value.
        value: String,
    },
    /// The number is too small or too large.
    Range {
        /// The number.
        value: String,
        /// The least that is taken.
        least: i64,
        /// The most that is taken.
        most: i64,
    },
    /// Darknet has it, but it is not imported.
    Unsupported {
        /// What.
        what: String,
    },
    /// The layer that is named is not before this one.
    NoSuchLayer {
        /// As it is written.
        index: String,
        /// Layers before this one.
        layers: usize,
    },
    /// The layer's operand, or operands, do not suit it.
    Shapes {
        /// What does not fit.
        why: String,
    },
    /// Beyond what a network can be here.
    Limit {
        /// Which limit.
        why: String,
    },
}

impl CfgError {
    pub(super) fn file(mistake: Mistake) -> CfgError {
        CfgError {
            line: 0,
            section: None,
            key: None,
            mistake,
        }
    }

    pub(super) fn line(line: usize, mistake: Mistake) -> CfgError {
        CfgError {
            line,
            section: None,
            key: None,
            mistake,
        }
    }
}

impl fmt::Display for CfgError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        if let Some(section) = &self.section {
            write!(f, "[{}]: ", show(section))?;
        }
        let key = || format!("`{}`", show(self.key.as_deref().unwrap_or_default()));
        let meant = |nearest: &Option<String>| {
            let meant = |nearest| format!("; is `{nearest}` meant?");
            nearest.as_ref().map(meant).unwrap_or_default()
        };
        match &self.mistake {
            Mistake::TooLarge { bytes } => write!(
                f,
                "the file has {bytes} bytes, more than any configuration of a network"
            ),
            Mistake::NotASetting => {
                f.write_str("this is neither `[section]` nor `key=value` nor a comment")
            }
            Mistake::NoSection => f.write_str("a setting before the first section"),
            Mistake::NoNet => f.write_str("the first section of a configuration is [net]"),
            Mistake::NoLayers => f.write_str("there are no layers behind [net]"),
            Mistake::UnknownSection { nearest } => {
                write!(f, "darknet has no such section{}", meant(nearest))
            }
            Mistake::Missing => write!(f, "{} is missing", key()),
            Mistake::NotANumber { value } => {
                write!(f, "{}: `{}` is no number here", key(), show(value))
            }
            Mistake::Range { value, least, most } => write!(
                f,
                "{} is {}, which is not between {least} and {most}",
                key(),
                show(value)
            ),
            Mistake::Unsupported { what } => write!(f, "{} cannot be imported", show(what)),
            Mistake::NoSuchLayer { index, layers } => write!(
                f,
                "{}: there is no layer {} before this one, which has {layers} before it",
                key(),
                show(index)
            ),
            Mistake::Shapes { why } | Mistake::Limit { why } => f.write_str(why),
        }
    }
}

impl std::error::Error for CfgError {}

/// What a file says, made fit to be printed: no control characters, not too long.
pub(super) fn show(text: &str) -> String {
    const MOST: usize = 60;
    let printable = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut shown: String = text.chars().take(MOST).map(printable).collect();
    if text.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}
