//! Applying fixes: those of one text that do not touch each other, in one go.

use super::{Diagnostics, Fix};
use std::path::Path;

/// A fix that was applied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Repair {
    /// Where, in the text before: line and column, from 1.
    pub at: (usize, usize),
    /// What stood there.
    pub from: String,
    /// What stands there now.
    pub to: String,
    /// What the fix said of itself.
    pub message: String,
}

impl Diagnostics {
    /// Files other than that one in which a first fix is, each once: what it imports.
    pub fn fixes_elsewhere(&self, path: &Path) -> Vec<&Path> {
        let firsts = self.items.iter().filter_map(|item| item.fixes.first());
        let mut files: Vec<&Path> = Vec::new();
        for fix in firsts {
            let file = self.files.path(fix.span.file);
            if file != path && !files.contains(&file) {
                files.push(file);
            }
        }
        files
    }

    /// The text of that file with the first fix of each diagnostic applied, and what was done; `None` where there is none. Of fixes that overlap the
    /// first is applied: the others may no longer be right.
    pub fn repair(&self, path: &Path) -> Option<(String, Vec<Repair>)> {
        let here = |fix: &&Fix| self.files.path(fix.span.file) == path;
        let firsts = self.items.iter().filter_map(|item| item.fixes.first());
        let mut fixes: Vec<&Fix> = firsts.filter(here).collect();
        fixes.sort_by_key(|fix| (fix.span.start, fix.span.end));
        let file = fixes.first()?.span.file;
        let text = self.files.text(file);
        let (mut out, mut end, mut repairs) = (String::with_capacity(text.len()), 0, Vec::new());
        for (index, fix) in fixes.iter().enumerate() {
            let range = fix.span.range();
            let Some(from) = text.get(range.clone()) else {
                continue;
            };
            // Two insertions at one place are one too many.
            if range.start < end || (index > 0 && range.start == end && range.is_empty()) {
                continue;
            }
            if from == fix.replacement {
                continue;
            }
            out += &text[end..range.start];
            out += &fix.replacement;
            end = range.end;
            repairs.push(Repair {
                at: self.files.position(file, range.start),
                from: from.to_owned(),
                to: fix.replacement.clone(),
                message: fix.message.clone(),
            });
        }
        out += &text[end..];
        (!repairs.is_empty()).then_some((out, repairs))
    }
}
