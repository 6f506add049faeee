//! `check --fix` on everything that the compiler's tests say of broken specs (`compiler/tests/diagnostics/`), in files and on standard input.

use cnnc_testing::{Place, file, told};
use serde_json::Value;
use std::fs;

/// A broken spec and what it reads.
struct Case {
    name: String,
    files: Vec<(String, String)>,
}

/// The sections of all files: a name, the spec, and files behind lines `--- NAME`; what is expected, behind `---`, is left out.
fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut folder: Vec<_> = fs::read_dir(file("compiler/tests/diagnostics"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folder.sort();
    for path in folder {
        let mut reading = false;
        for line in fs::read_to_string(path).unwrap().lines() {
            if let Some(name) = line.strip_prefix("=== ") {
                let spec = ("net.cnn".to_owned(), String::new());
                cases.push(Case {
                    name: name.to_owned(),
                    files: vec![spec],
                });
                reading = true;
                continue;
            }
            let Some(case) = cases.last_mut() else {
                continue;
            };
            match line.strip_prefix("--- ") {
                Some(name) => case.files.push((name.to_owned(), String::new())),
                None if line == "---" => reading = false,
                None if reading => {
                    let text = &mut case.files.last_mut().unwrap().1;
                    text.push_str(line);
                    text.push('\n');
                }
                None => {}
            }
        }
    }
    cases
}

/// What `check` finds in `net.cnn`, and the exit code.
fn found(place: &Place, flags: &str) -> (Value, Option<i32>) {
    let output = place.output(&format!("check net.cnn --json {flags}"));
    let found: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", told(&output)));
    (found[0].clone(), output.status.code())
}

fn diagnostics(found: &Value) -> &[Value] {
    found["diagnostics"].as_array().unwrap()
}

/// Errors and warnings.
fn counts(found: &Value) -> (usize, usize) {
    let all = diagnostics(found);
    let errors = all.iter().filter(|item| item["severity"] == "error");
    let errors = errors.count();
    (errors, all.len() - errors)
}

/// Whether a fix of the spec itself is offered.
fn carries(found: &Value) -> bool {
    let mut fixes = diagnostics(found)
        .iter()
        .flat_map(|item| item["fixes"].as_array().unwrap());
    fixes.any(|fix| fix["at"]["file"] == "net.cnn")
}

#[test]
fn every_fix_is_applied() {
    let mut repaired = 0;
    for case in cases() {
        let name = &case.name;
        let place = Place::new(env!("CARGO_BIN_EXE_cnnc"));
        for (file, text) in &case.files {
            let path = place.path(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let spec = &case.files[0].1;
        let (before, _) = found(&place, "");
        let (fixed, code) = found(&place, "--fix");
        let text = String::from_utf8(place.read("net.cnn")).unwrap();
        let repairs = fixed["fixed"].as_array().unwrap();
        if !carries(&before) {
            assert!(repairs.is_empty(), "{name}: {fixed:#}");
            assert_eq!(&text, spec, "{name}");
            continue;
        }
        assert!(!repairs.is_empty(), "{name}: {before:#}");
        assert!(
            repairs.iter().all(|repair| repair["from"] != repair["to"]),
            "{name}: {fixed:#}"
        );
        assert_ne!(&text, spec, "{name}");
        // What is said is said of what the file is now, and no fix is left in it.
        let (after, _) = found(&place, "");
        assert_eq!(after["diagnostics"], fixed["diagnostics"], "{name}");
        assert!(counts(&after) < counts(&before), "{name}: {after:#}");
        assert!(!carries(&after), "{name}: {after:#}");
        let expected = i32::from(counts(&after).0 > 0);
        assert!(
            code == Some(expected) || code == Some(3),
            "{name}: {code:?}"
        );
        // What it imports is left.
        for (file, text) in &case.files[1..] {
            assert_eq!(place.read(file), text.as_bytes(), "{name}: {file}");
        }
        let output = place.fed("check --fix -", spec.as_bytes());
        assert_eq!(output.status.code(), code, "{name}: {}", told(&output));
        assert_eq!(String::from_utf8(output.stdout).unwrap(), text, "{name}");
        repaired += 1;
    }
    assert!(repaired >= 30, "only {repaired} cases");
}
