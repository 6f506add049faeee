//! What broken specs are told.
//!
//! `tests/diagnostics/*.txt` are sections: a spec, and the text that it must be told.

mod sections;

use cnnc_compiler::Diagnostics;
use cnnc_compiler::diagnostic::Severity;
use cnnc_compiler::layer::LAYERS;
use cnnc_compiler::words;
use sections::Case;
use std::collections::BTreeSet;
use std::path::Path;

/// What the case's spec is told.
fn told(case: &Case) -> Diagnostics {
    match case.compile(&case.spec) {
        Ok(model) => model.warnings,
        Err(problems) => problems,
    }
}

fn all() -> Vec<Case> {
    sections::files("diagnostics")
        .iter()
        .flat_map(|path| sections::cases(path))
        .collect()
}

#[test]
fn broken_specs_are_told_what_is_written() {
    sections::compare("diagnostics", |case| {
        without_tables(&told(case).render(false))
    });
}

/// The text without the lists of all layers and all parameters, which grow with every layer.
fn without_tables(text: &str) -> String {
    let layers: BTreeSet<&str> = LAYERS.iter().map(|decl| decl.keyword).collect();
    let params = LAYERS.iter().flat_map(|decl| decl.params);
    let params: BTreeSet<&str> = params.map(|param| param.name).collect();
    let list = |names: BTreeSet<&str>| {
        let list = words::list(&names.into_iter().collect::<Vec<_>>());
        // As far in as the note.
        list.replace('\n', "\n          ")
    };
    text.replace(&list(layers), " (every layer)")
        .replace(&list(params), " (every parameter)")
}

#[test]
fn there_are_many_kinds_of_mistakes() {
    let cases: Vec<Case> = all();
    assert!(cases.len() >= 60, "{}", cases.len());
    let codes: BTreeSet<&str> = cases
        .iter()
        .flat_map(|case| {
            told(case)
                .items()
                .iter()
                .map(|item| item.code.id())
                .collect::<Vec<_>>()
        })
        .collect();
    let missing: Vec<&str> = cnnc_compiler::diagnostic::codes::ALL
        .iter()
        .map(|code| code.id())
        .filter(|id| !codes.contains(id))
        .collect();
    assert!(missing.is_empty(), "no case shows {missing:?}");
}

/// Errors and warnings of a spec.
fn counts(told: &Diagnostics) -> (usize, usize) {
    let items = told.items();
    let errors = items
        .iter()
        .filter(|item| item.severity() == Severity::Error)
        .count();
    (errors, items.len() - errors)
}

#[test]
fn every_fix_removes_its_mistake() {
    let mut fixes = 0;
    for case in all() {
        let told = told(&case);
        for item in told.items() {
            for fix in &item.fixes {
                if told.files().path(fix.span.file) != Path::new("net.cnn") {
                    continue;
                }
                let mut spec = case.spec.clone();
                spec.replace_range(fix.span.range(), &fix.replacement);
                let now = match case.compile(&spec) {
                    Ok(model) => model.warnings,
                    Err(problems) => problems,
                };
                assert!(
                    counts(&now) < counts(&told),
                    "{}: the fix `{}` does not help:\n{spec}\n{now}",
                    case.name,
                    fix.message,
                );
                fixes += 1;
            }
        }
    }
    assert!(fixes >= 30, "only {fixes} fixes");
}

#[test]
fn json_has_what_the_text_has() {
    for case in all() {
        let told = told(&case);
        let json = told.to_json();
        let rows = json.as_array().unwrap();
        assert_eq!(rows.len(), told.items().len());
        for (row, item) in rows.iter().zip(told.items()) {
            assert_eq!(row["code"], item.code.id());
            assert_eq!(row["message"], item.message);
            assert_eq!(row["fixes"].as_array().unwrap().len(), item.fixes.len());
            if let Some(span) = item.span {
                assert_eq!(row["at"]["start"], span.start);
                assert!(row["at"]["line"].as_u64().unwrap() >= 1);
            }
        }
    }
}

#[test]
fn colours_change_nothing_but_colours() {
    let cases = all();
    let told = told(&cases[0]);
    let colored = told.render(true);
    assert!(colored.contains("\u{1b}["), "{colored:?}");
    let mut plain = String::new();
    let mut rest = colored.as_str();
    while let Some(at) = rest.find("\u{1b}[") {
        plain += &rest[..at];
        rest = &rest[at..];
        rest = &rest[rest.find('m').unwrap() + 1..];
    }
    assert_eq!(plain + rest, told.render(false));
}
