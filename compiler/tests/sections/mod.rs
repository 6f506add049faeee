//! Tests as named sections with the expectation inline.
//!
//! ```text
//! === name of the case
//! cnn 1
//! model M { … }
//! --- lib.cnn              (a file that can be imported; optional)
//! cnn 1
//! ---
//! error[E0201]: …
//! ```
//!
//! `UPDATE=1 cargo test --release --workspace` writes what is made of each now; read the difference before committing it.

// Each test uses a part of this.
#![allow(dead_code)]

use cnnc_compiler::diagnostic::MemoryLoader;
use cnnc_compiler::{Diagnostics, Files, Model, compile_source};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A section.
pub struct Case {
    pub name: String,
    pub spec: String,
    pub files: Vec<(String, String)>,
    pub expected: String,
}

impl Case {
    /// Compiles a spec among the section's files.
    pub fn compile(&self, spec: &str) -> Result<Model, Diagnostics> {
        let files: BTreeMap<PathBuf, String> = self
            .files
            .iter()
            .map(|(path, text)| (PathBuf::from(path), text.clone()))
            .collect();
        let mut files = Files::new(MemoryLoader(files));
        compile_source(&mut files, "net.cnn", spec)
    }
}

/// The files of a folder of sections.
pub fn files(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

/// The sections of a file.
pub fn cases(path: &Path) -> Vec<Case> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut cases: Vec<Case> = Vec::new();
    // What the lines are added to: the spec, the last file, or the expectation.
    let mut part = 0;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("=== ") {
            part = 0;
            cases.push(Case {
                name: name.to_owned(),
                spec: String::new(),
                files: Vec::new(),
                expected: String::new(),
            });
            continue;
        }
        let Some(case) = cases.last_mut() else {
            continue;
        };
        match line.strip_prefix("--- ") {
            Some(file) => {
                part = 1;
                case.files.push((file.to_owned(), String::new()));
                continue;
            }
            None if line == "---" => {
                part = 2;
                continue;
            }
            None => {}
        }
        let to = match part {
            0 => &mut case.spec,
            1 => &mut case.files.last_mut().unwrap().1,
            _ => &mut case.expected,
        };
        to.push_str(line);
        to.push('\n');
    }
    cases
}

/// Compares what each section makes with what is written, or writes it.
pub fn compare(folder: &str, make: impl Fn(&Case) -> String) {
    let mut names = BTreeSet::new();
    let mut wrong = Vec::new();
    for path in files(folder) {
        let cases = cases(&path);
        let made: Vec<String> = cases
            .iter()
            .map(|case| make(case).trim_end().to_owned())
            .collect();
        if std::env::var_os("UPDATE").is_some() {
            let text: Vec<String> = cases
                .iter()
                .zip(&made)
                .map(|(case, made)| written(case, made))
                .collect();
            std::fs::write(&path, text.join("\n")).unwrap();
            continue;
        }
        for (case, made) in cases.iter().zip(made) {
            if made != case.expected.trim_end() {
                wrong.push(format!("=== {}\n{made}", case.name));
            }
            assert!(
                names.insert(case.name.clone()),
                "{} is there twice",
                case.name
            );
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\nUPDATE=1 writes these",
        wrong.join("\n")
    );
}

fn written(case: &Case, made: &str) -> String {
    let mut out = format!("=== {}\n{}", case.name, case.spec);
    for (name, text) in &case.files {
        out += &format!("--- {name}\n{text}");
    }
    out + &format!("---\n{made}\n")
}
