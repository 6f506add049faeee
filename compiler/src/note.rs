//! What is said of a rewrite: what was done, or why it was not.

/// What a pass did to a candidate, or why it left it alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Name of the pass.
    pub pass: &'static str,
    /// Label of the candidate.
    pub label: String,
    /// Whether the rewrite was done.
    pub applied: bool,
    /// What was done, or why not.
    pub text: String,
}

/// The notes of a run.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// The pass that is running.
    pub(crate) pass: &'static str,
    /// In the order in which they were made.
    pub list: Vec<Note>,
}

impl Notes {
    /// A rewrite that was done.
    pub(crate) fn applied(&mut self, label: &str, text: impl Into<String>) {
        self.list.push(Note {
            pass: self.pass,
            label: label.to_owned(),
            applied: true,
            text: text.into(),
        });
    }
    /// A rewrite that was not done.
    pub(crate) fn refused(&mut self, label: &str, text: impl Into<String>) {
        self.list.push(Note {
            pass: self.pass,
            label: label.to_owned(),
            applied: false,
            text: text.into(),
        });
    }
}
