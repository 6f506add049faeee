//! Where answers go as they are ready: text, JSON lines or rows of CSV, on standard output or in a shard's file.

use super::csv::Columns;
use super::part::Part;
use crate::answer::{self, Context};
use crate::inputs::Sample;
use crate::{Failure, finite, print};
use cnnc::{Answer, NotFinite};
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

/// Bytes of answers to one file that are held back, at most.
const HELD: usize = 1 << 20;

/// How answers are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Text,
    Json,
    Csv,
    /// Standard output has drawn frames.
    Nothing,
}

/// Where answers go.
pub struct Sink {
    pub form: Form,
    pub part: Option<Part>,
    /// The file beside the shard's of those that could not be answered.
    pub aside: Option<PathBuf>,
    /// What all lines have.
    pub identity: Value,
    /// Whether the row of headings is written.
    headed: bool,
    /// Lines of a file with several answers, until the last.
    held: String,
}

/// Which answer of its file it is.
pub struct Of<'a> {
    /// The file, where it has several.
    pub file: Option<&'a str>,
    /// Whether it is the last.
    pub last: bool,
}

impl Sink {
    pub fn new(form: Form, identity: Value) -> Sink {
        Sink {
            form,
            part: None,
            aside: None,
            identity,
            headed: false,
            held: String::new(),
        }
    }

    /// Writes an answer.
    pub fn answer(
        &mut self,
        sample: &Sample,
        of: &Of<'_>,
        found: &Answer,
        context: &Context<'_>,
        not_finite: &[NotFinite],
    ) -> Result<(), Failure> {
        let name = &sample.name;
        match self.form {
            Form::Nothing => return Ok(()),
            Form::Text => {
                self.held += &format!(
                    "\x1b[1m{name}\x1b[0m\n{}\n",
                    answer::to_text(found, context)
                );
            }
            Form::Json => {
                let mut entry = answer::to_json(found, context);
                entry["input"] = json!(name);
                entry["not_finite"] = finite::to_json(not_finite);
                self.identify(&mut entry);
                if let Some(file) = of.file {
                    entry["file"] = json!(file);
                    if of.last {
                        entry["last"] = json!(true);
                    }
                }
                self.held += &format!("{entry}\n");
            }
            Form::Csv => {
                let columns = Columns::of(found);
                if !std::mem::replace(&mut self.headed, true) {
                    self.held += &format!("{}\n", columns.header());
                }
                for row in columns.rows(name, &answer::to_json(found, context)) {
                    self.held += &format!("{row}\n");
                }
            }
        }
        // Those of a file at once, as far as they are not too many: without its last they are dropped after a kill.
        let lines = match (of.last, &self.part) {
            (false, Some(_)) if self.held.len() < HELD => return Ok(()),
            _ => std::mem::take(&mut self.held),
        };
        match &mut self.part {
            Some(part) => part.write(&lines),
            None => Ok(print::line(lines.trim_end_matches('\n'))?),
        }
    }

    /// Writes that a file could not be answered.
    pub fn broken(&mut self, name: &str, failure: &Failure) -> Result<(), Failure> {
        let mut entry = json!({ "input": name, "error": failure.to_string() });
        self.identify(&mut entry);
        match (&self.aside, self.form) {
            (Some(path), _) => {
                let file = OpenOptions::new().append(true).create(true).open(path);
                let written = file.and_then(|mut file| writeln!(file, "{entry}"));
                written.map_err(|error| Failure::WriteFile {
                    file: path.display().to_string(),
                    error,
                })
            }
            (None, Form::Json) => Ok(print::line(entry)?),
            _ => Ok(()),
        }
    }

    /// Whether what is broken is told by what is written, and not to people.
    pub fn tells(&self) -> bool {
        self.form == Form::Json && self.part.is_none()
    }

    fn identify(&self, entry: &mut Value) {
        for (key, value) in self.identity.as_object().into_iter().flatten() {
            if !value.is_null() || key == "weights" {
                entry[key] = value.clone();
            }
        }
    }
}
