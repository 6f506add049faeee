//! Diagnostics for tools.

use super::{Diagnostic, Files, Severity};
use crate::span::Span;
use serde_json::{Value, json};

pub(super) fn to_json(items: &[Diagnostic], files: &Files) -> Value {
    items.iter().map(|item| one(item, files)).collect()
}

fn one(item: &Diagnostic, files: &Files) -> Value {
    json!({
        "code": item.code.id(),
        "severity": match item.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "message": item.message,
        "at": item.span.map(|span| place(span, files)),
        "label": item.label,
        "related": item.secondary.iter()
            .map(|(span, text)| json!({ "at": place(*span, files), "label": text }))
            .collect::<Vec<_>>(),
        "notes": item.notes,
        "help": item.help,
        "fixes": item.fixes.iter()
            .map(|fix| json!({
                "message": fix.message,
                "at": place(fix.span, files),
                "replacement": fix.replacement,
            }))
            .collect::<Vec<_>>(),
    })
}

fn place(span: Span, files: &Files) -> Value {
    if !files.contains(span) {
        return Value::Null;
    }
    let (line, column) = files.position(span.file, span.start as usize);
    let (end_line, end_column) = files.position(span.file, span.end as usize);
    json!({
        "file": files.path(span.file).display().to_string(),
        "start": span.start, "end": span.end,
        "line": line, "column": column, "end_line": end_line, "end_column": end_column,
    })
}
