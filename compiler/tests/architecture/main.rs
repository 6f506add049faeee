//! Modules know what ARCHITECTURE.md lets them know, and nothing else.

mod circles;
mod paths;
mod rules;

use rules::{CIRCLES, COMPILER, Part, RUNTIME, USERS};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every source below a folder but the tests, with its path in it.
fn sources(folder: &Path, below: &str, out: &mut Vec<(String, String)>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    for entry in entries {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy();
        let inner = format!("{below}{name}");
        if path.is_dir() && name != "tests" {
            sources(&path, &format!("{inner}/"), out);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            let text = fs::read_to_string(&path).expect("a source");
            out.push((inner, text));
        }
    }
}

/// The modules that a file is in, outermost first.
fn modules(file: &str) -> Vec<&str> {
    let parts = file.trim_end_matches(".rs").split('/');
    parts
        .filter(|part| !["mod", "lib", "main"].contains(part))
        .collect()
}

/// What is wrong with a source of the part.
fn violations(part: &Part, file: &str, source: &str) -> Vec<String> {
    let inside = modules(file);
    let module = inside.first().copied().unwrap_or("");
    let row = part
        .rows
        .iter()
        .find(|(name, _)| [module, ""].contains(name));
    let Some((_, knows)) = row else {
        return Vec::new();
    };
    let allowed = |path: &[String]| {
        let path = path.join("::");
        let mut knows = knows.iter().copied().chain([module]);
        knows.any(|known| {
            let below = path.strip_prefix(known);
            !known.is_empty() && below.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        })
    };
    let rows: Vec<&str> = part.rows.iter().map(|(name, _)| *name).collect();
    let found = paths::below(part.root, inside.len(), &rows, source).into_iter();
    let wrong = found.filter(|(_, path)| !path.is_empty() && !allowed(path));
    wrong
        .map(|(line, path)| {
            format!(
                "{}/{file}:{line}: names `{}::{}`, but {} may know only [{}]",
                part.folder,
                part.root,
                path.join("::"),
                if row.is_some_and(|(name, _)| name.is_empty()) {
                    "it"
                } else {
                    module
                },
                knows.join(", ")
            )
        })
        .collect()
}

#[test]
fn modules_know_only_what_their_row_says() {
    let mut wrong = Vec::new();
    for part in [&COMPILER, &RUNTIME].into_iter().chain(USERS) {
        let mut files = Vec::new();
        sources(&root().join(part.folder), "", &mut files);
        assert!(!files.is_empty(), "{}", part.folder);
        for (file, text) in &files {
            wrong.extend(violations(part, file, text));
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\n(the rows: compiler/tests/architecture/rules.rs; why: ARCHITECTURE.md)",
        wrong.join("\n")
    );
}

#[test]
fn every_module_has_a_row() {
    for part in [&COMPILER, &RUNTIME] {
        let mut files = Vec::new();
        sources(&root().join(part.folder), "", &mut files);
        let there = files
            .iter()
            .filter_map(|(file, _)| modules(file).first().copied());
        let there: BTreeSet<&str> = there.collect();
        let rows: BTreeSet<&str> = part.rows.iter().map(|(name, _)| *name).collect();
        assert_eq!(
            there, rows,
            "{}: the modules, and the rows of rules.rs",
            part.folder
        );
    }
}

#[test]
fn rows_know_only_rows_above_them() {
    for part in [&COMPILER, &RUNTIME] {
        for (at, (module, knows)) in part.rows.iter().enumerate() {
            for path in *knows {
                let known = path.split("::").next().expect("a name");
                let above = part.rows[..at].iter().any(|(name, _)| *name == known);
                let knot = part.knot.contains(module) && part.knot.contains(&known);
                assert!(
                    above || knot,
                    "`{module}` knows `{known}`, which is not above it"
                );
            }
        }
    }
}

#[test]
fn files_side_by_side_know_each_other_in_no_circle() {
    let mut found = Vec::new();
    // Of the compiler's and the runtime's own modules the rows say it.
    for (folder, outermost) in [
        (COMPILER.folder, false),
        (RUNTIME.folder, false),
        ("src", true),
        ("cli/src", true),
    ] {
        let mut files = Vec::new();
        sources(&root().join(folder), "", &mut files);
        found.extend(circles::circles(folder, &files, outermost));
    }
    assert_eq!(found, CIRCLES, "circles, and those that rules.rs knows of");
}

#[test]
fn the_table_of_architecture_names_every_module() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let (_, table) = text
        .split_once("**`compiler/`")
        .expect("the compiler's table");
    let (table, _) = table.split_once("**`macros/`").expect("what follows it");
    let cells = table
        .lines()
        .filter_map(|line| line.strip_prefix('|')?.split('|').next());
    let names: BTreeSet<&str> = cells
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .map(|name| name.split('/').next().expect("a name"))
        // Folders and files without Rust.
        .filter(|name| !["preset", "cnn.pest"].contains(name))
        .collect();
    let rows: BTreeSet<&str> = COMPILER.rows.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names, rows,
        "the first column of the table, and the rows of rules.rs"
    );
}

#[test]
fn a_rule_can_be_broken() {
    let wrong = |part: &Part, file: &str, text: &str| violations(part, file, text);
    let jit = |text| wrong(&COMPILER, "jit/body.rs", text);
    assert_eq!(
        jit("use crate::loops::Stmt;\n// crate::graph\nuse crate::graph::{Graph, Node};\n"),
        [
            "compiler/src/jit/body.rs:3: names `crate::graph::Graph`, but jit may know only [id, loops, lower::Lowered]",
            "compiler/src/jit/body.rs:3: names `crate::graph::Node`, but jit may know only [id, loops, lower::Lowered]",
        ]
    );
    assert_eq!(jit("use crate::lower::{Lowered, Lower};").len(), 1);
    assert_eq!(
        jit("use crate::{id::Id, layer::{self, conv::Conv}};").len(),
        2
    );
    assert_eq!(jit("fn f(_: &crate::emit::Model) {}").len(), 1);
    assert_eq!(jit("use super::super::graph;").len(), 1);
    assert_eq!(jit("use super::graph;").len(), 0);
    assert_eq!(
        jit("#[cfg(test)]\nmod tests {\n    use crate::graph;\n}").len(),
        0
    );
    assert_eq!(
        wrong(&COMPILER, "words.rs", "use super::graph::Graph;").len(),
        1
    );
    let cli = USERS
        .iter()
        .find(|part| part.root == "cnnc::compiler")
        .expect("a row");
    let text = "use cnnc::{Model, compiler::{words, resolve::Program}};";
    assert_eq!(
        wrong(cli, "run/mod.rs", text)[0].split(',').next(),
        Some("cli/src/run/mod.rs:1: names `cnnc::compiler::resolve::Program`")
    );
    assert_eq!(wrong(cli, "run/mod.rs", text).len(), 1);
}
