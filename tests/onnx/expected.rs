//! Networks that are known not to be imported, with reasons: `expected.txt` beside this file. One that is, and stands there, fails the test, too.

use crate::packs::Verdict;
use std::collections::BTreeMap;

/// What is expected of networks whose names begin alike, and what was seen.
pub struct Expected {
    /// Name and reason.
    known: BTreeMap<String, String>,
    seen: Vec<String>,
    wrong: Vec<String>,
}

impl Expected {
    pub fn read(prefix: &str) -> Expected {
        let lines = include_str!("expected.txt").lines();
        let rows = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let rows = rows.map(|line| {
            line.split_once("  ")
                .unwrap_or_else(|| panic!("no reason: {line}"))
        });
        let known = rows.filter(|(name, _)| name.starts_with(prefix));
        Expected {
            known: known
                .map(|(name, why)| (name.to_owned(), why.trim().to_owned()))
                .collect(),
            seen: Vec::new(),
            wrong: Vec::new(),
        }
    }

    /// What became of a network. `models/NAME/…` stands for all of its variants.
    pub fn saw(&mut self, name: &str, verdict: Verdict) {
        let family = |known: &&String| {
            name == known.as_str() || (known.ends_with('/') && name.starts_with(known.as_str()))
        };
        let known = self.known.keys().find(family).cloned();
        match (verdict, known) {
            (Verdict::Right, None) => {}
            (Verdict::Not(_), Some(known)) => self.seen.push(known),
            (Verdict::Not(why), None) => self.wrong.push(format!("{name}: {why}")),
            (Verdict::Right, Some(known)) => self
                .wrong
                .push(format!("{name} is right: take {known} out of expected.txt")),
        }
    }

    pub fn broke(&mut self, why: String) {
        self.wrong.push(why);
    }

    pub fn finish(self) {
        let gone = self.known.keys().filter(|known| !self.seen.contains(known));
        let gone =
            gone.map(|known| format!("{known} is in expected.txt, and there is no such network"));
        let all: Vec<String> = self.wrong.iter().cloned().chain(gone).collect();
        assert!(all.is_empty(), "{}", all.join("\n"));
    }
}
