//! What a `.cfg` says that darknet does not listen to: one line of the spec, so that a misspelt key does not go unseen.

use super::cfg::{Cfg, Section};
use super::error::show;
use super::keys::Keys;
use cnnc_compiler::words;
use std::collections::BTreeSet;

/// Most remarks that are spelt out.
const MOST: usize = 3;

/// Remarks, in the order of the file.
#[derive(Debug, Default)]
pub(super) struct Notes {
    remarks: Vec<String>,
    /// Those that are not spelt out.
    more: usize,
    /// Sections and keys that have been spoken of.
    seen: BTreeSet<(String, String)>,
}

impl Notes {
    /// Remarks on lines that are no settings.
    pub fn new(cfg: &Cfg) -> Notes {
        let mut notes = Notes::default();
        for line in &cfg.stray {
            notes.add(|| format!("line {line}, which is no setting"));
        }
        notes
    }

    fn add(&mut self, remark: impl FnOnce() -> String) {
        match self.remarks.len() < MOST {
            true => self.remarks.push(remark()),
            false => self.more += 1,
        }
    }

    /// Speaks of the keys that darknet does not read in such a section, once for each.
    pub fn unread(&mut self, section: &Section, keys: &Keys) {
        for (key, _, line) in section.settings().filter(|(key, ..)| !keys.known(key)) {
            if !self.seen.insert((section.name.clone(), key.to_owned())) {
                continue;
            }
            self.add(|| {
                let nearest = words::nearest(key, &keys.read());
                let meant = nearest.map(|nearest| format!("; is `{nearest}` meant?"));
                let (key, name) = (show(key), show(&section.name));
                format!(
                    "`{key}` in [{name}] (line {line}{})",
                    meant.unwrap_or_default()
                )
            });
        }
    }

    /// Speaks of a value that darknet does not know, and what it does instead.
    pub fn unknown(&mut self, section: &Section, key: &str, instead: &str) {
        let value = section.text(key).unwrap_or_default();
        if self.seen.insert((key.to_owned(), value.to_owned())) {
            let (name, value) = (show(&section.name), show(value));
            self.add(|| format!("`{key}={value}` in [{name}], which is {instead} to it"));
        }
    }

    /// All of it, if there is anything.
    pub fn line(&self) -> Option<String> {
        let more = match self.more {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        let remarks = self.remarks.join(", ");
        (!remarks.is_empty()).then(|| format!("Darknet ignores {remarks}{more}."))
    }
}
