//! The tables of docs/onnx.md: operators, from the importer's own, and how many node tests are right. `UPDATE=1` writes them.

use crate::expected::Expected;
use crate::packs::node_tests;
use cnnc_testing::{file, shared};
use serde_json::Value;

/// Puts a table between its marks in docs/onnx.md, or compares it with what is there.
fn between(name: &str, table: &str) {
    let path = file("docs/onnx.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = (format!("<!-- generated: {name} -->\n"), "<!-- end -->");
    let start = text
        .find(&begin)
        .unwrap_or_else(|| panic!("docs/onnx.md has no {begin}"))
        + begin.len();
    let stop = start + text[start..].find(end).unwrap();
    if text[start..stop] == *table {
        return;
    }
    assert!(
        std::env::var_os("UPDATE").is_some(),
        "the table `{name}` of docs/onnx.md is out of date: UPDATE=1 writes it"
    );
    std::fs::write(&path, format!("{}{table}{}", &text[..start], &text[stop..])).unwrap();
}

#[test]
fn operators() {
    let mut table = String::from(
        "| operator (in brackets: its own first set, if that is later) | from operator set | becomes | limits |\n|---|---|---|---|\n",
    );
    for row in cnnc::onnx::imported_operators() {
        let name = |name: &&str| match row.first(name) {
            first if first > row.since => format!("`{name}` ({first})"),
            _ => format!("`{name}`"),
        };
        let names: Vec<String> = row.names.iter().map(name).collect();
        table += &format!(
            "| {} | {} | {} | {} |\n",
            names.join(", "),
            row.since,
            row.layer,
            row.limits
        );
    }
    between("operators", &table);
}

/// Files have operators of the sets that they name, so no operator of theirs is younger than its set.
#[test]
fn first_sets_are_those_of_files() {
    let Some(pack) = shared("onnx") else { return };
    let rows = cnnc::onnx::imported_operators();
    let first = |name: &str| {
        let row = rows.iter().find(|row| row.names.contains(&name));
        row.map(|row| row.first(name))
    };
    let mut seen = 0;
    for index in ["nodes.json", "models/index.json"] {
        let text = std::fs::read_to_string(pack.join(index)).unwrap();
        let index: Value = serde_json::from_str(&text).unwrap();
        let files: Vec<&Value> = match &index {
            Value::Object(files) => files.values().collect(),
            Value::Array(files) => files.iter().collect(),
            _ => panic!("an index of files"),
        };
        for file in files {
            let Some(set) = file["opset"]["ai.onnx"].as_i64() else {
                continue;
            };
            let names: Vec<&str> = match &file["ops"] {
                Value::Object(counts) => counts.keys().map(String::as_str).collect(),
                list => list
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .collect(),
            };
            for name in names {
                if let Some(first) = first(name) {
                    assert!(first <= set, "{name} of {first} in a file of {set}");
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 1000, "{seen}");
}

#[test]
fn conformance() {
    let Some(pack) = shared("onnx") else { return };
    let mut expected = Expected::read("node/");
    let tiers = node_tests(&mut expected, &pack);
    let mut table = String::from(
        "| tier | tests | that the language can hold | of these right by machine code | by the reference |\n|---|---|---|---|---|\n",
    );
    for (tier, [all, fit, code, reference]) in &tiers {
        table += &format!("| {tier} | {all} | {fit} | {code} | {reference} |\n");
    }
    between("conformance", &table);
    expected.finish();
}
