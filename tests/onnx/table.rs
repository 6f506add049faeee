//! The tables of docs/onnx.md: operators, from the importer's own, and how many node tests are right. `UPDATE=1` writes them.

use crate::expected::Expected;
use crate::packs::node_tests;
use cnnc_testing::{file, shared};

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

#[test]
fn conformance() {
    let Some(pack) = shared("onnx") else { return };
    let mut expected = Expected::read("node/");
    let tiers = node_tests(&mut expected, &pack);
    let mut table = String::from(
        "| tier | tests | that the language can hold | of these right, by machine code and by the reference |\n|---|---|---|---|\n",
    );
    for (tier, [all, fit, right]) in &tiers {
        table += &format!("| {tier} | {all} | {fit} | {right} |\n");
    }
    between("conformance", &table);
    expected.finish();
}
