//! A diagram as DOT, the language of Graphviz.

use super::diagram::{Diagram, Item, Kind};
use std::fmt::Write;

/// The graph.
pub fn dot(name: &str, diagram: &Diagram) -> String {
    let mut out = format!("digraph {} {{\n", quoted(name));
    out += "  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", fontsize=11];\n";
    out +=
        "  edge [fontname=\"Helvetica\", fontsize=9, color=\"#7b8794\", fontcolor=\"#5f6f7f\"];\n";
    write(&mut out, diagram, &[]);
    for link in diagram.links() {
        let _ = writeln!(
            out,
            "  {} -> {} [label={}];",
            id(&link.from),
            id(&link.to),
            quoted(&link.shape)
        );
    }
    out += "}\n";
    out
}

fn write(out: &mut String, diagram: &Diagram, path: &[usize]) {
    let indent = "  ".repeat(path.len() + 1);
    for (index, item) in diagram.items.iter().enumerate() {
        let path = [path, &[index]].concat();
        let label = quoted(&label(item));
        let (fill, stroke) = item.family.colours();
        match &item.kind {
            Kind::Gate => {}
            Kind::Frame(inner) => {
                let id = id(&path);
                let _ = writeln!(out, "{indent}subgraph cluster_{id} {{");
                let _ = writeln!(
                    out,
                    "{indent}  label={label}; color=\"{stroke}\"; fontname=\"Helvetica\"; fontsize=11;"
                );
                write(out, inner, &path);
                let _ = writeln!(out, "{indent}}}");
            }
            kind => {
                let more = match kind {
                    Kind::Port => ", shape=oval, fontcolor=\"#ffffff\"",
                    Kind::Block => ", penwidth=2",
                    _ => "",
                };
                let _ = writeln!(
                    out,
                    "{indent}{} [label={label}, fillcolor=\"{fill}\", color=\"{stroke}\"{more}];",
                    id(&path)
                );
            }
        }
    }
}

fn label(item: &Item) -> String {
    let mut rows: Vec<String> = Vec::new();
    if !item.title.is_empty() {
        rows.push(item.title.clone());
    }
    rows.extend(item.lines.iter().cloned());
    rows.extend(item.cost.iter().cloned());
    if let (true, Some(first)) = (item.times > 1, rows.first_mut()) {
        *first += &format!(" ×{}", item.times);
    }
    rows.join("\n")
}

fn id(path: &[usize]) -> String {
    let parts: Vec<String> = path.iter().map(usize::to_string).collect();
    format!("n{}", parts.join("_"))
}

/// A string of DOT: quotes and backslashes are the only signs that mean something in it.
fn quoted(text: &str) -> String {
    let mut out = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
