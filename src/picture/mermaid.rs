//! A diagram as Mermaid's flowchart, which GitHub and many editors draw.
//!
//! ```text
//! flowchart TD
//!   n0(["image"]):::port
//!   n1["<b>c1</b><br/>conv 5x5 6 · tanh"]:::convolution
//!   n0 -->|"1×28×28"| n1
//! ```

use super::diagram::{Diagram, Item, Kind};
use super::family::Family;
use std::collections::BTreeSet;
use std::fmt::Write;

/// The flowchart.
pub fn mermaid(diagram: &Diagram) -> String {
    let mut out = "flowchart TD\n".to_owned();
    let mut families = BTreeSet::new();
    write(&mut out, diagram, &[], &mut families);
    for link in diagram.links() {
        let _ = writeln!(
            out,
            "  {} -->|\"{}\"| {}",
            id(&link.from),
            escaped(&link.shape),
            id(&link.to)
        );
    }
    for family in families {
        let (fill, stroke) = family.colours();
        let ink = if family == Family::Port {
            "#ffffff"
        } else {
            "#1f2933"
        };
        let _ = writeln!(
            out,
            "  classDef {} fill:{fill},stroke:{stroke},color:{ink}",
            class(family)
        );
    }
    out
}

fn write(out: &mut String, diagram: &Diagram, path: &[usize], families: &mut BTreeSet<Family>) {
    let indent = "  ".repeat(path.len() + 1);
    for (index, item) in diagram.items.iter().enumerate() {
        let path = [path, &[index]].concat();
        let (id, label) = (id(&path), label(item));
        match &item.kind {
            Kind::Gate => {}
            Kind::Frame(inner) => {
                let _ = writeln!(out, "{indent}subgraph {id}[\"{label}\"]");
                write(out, inner, &path, families);
                let _ = writeln!(out, "{indent}end");
            }
            kind => {
                families.insert(item.family);
                let (open, close) = match kind {
                    Kind::Port => ("([", "])"),
                    Kind::Block => ("[[", "]]"),
                    _ => ("[", "]"),
                };
                let class = class(item.family);
                let _ = writeln!(out, "{indent}{id}{open}\"{label}\"{close}:::{class}");
            }
        }
    }
}

fn label(item: &Item) -> String {
    let mut rows = Vec::new();
    let times = match item.times {
        1 => String::new(),
        times => format!(" ×{times}"),
    };
    if !item.title.is_empty() {
        rows.push(format!("<b>{}</b>{times}", escaped(&item.title)));
    }
    for (index, line) in item.lines.iter().enumerate() {
        let times = if index == 0 && item.title.is_empty() {
            times.as_str()
        } else {
            ""
        };
        rows.push(format!("{}{times}", escaped(line)));
    }
    for line in &item.cost {
        rows.push(format!("<small>{}</small>", escaped(line)));
    }
    rows.join("<br/>")
}

fn id(path: &[usize]) -> String {
    let parts: Vec<String> = path.iter().map(usize::to_string).collect();
    format!("n{}", parts.join("_"))
}

fn class(family: Family) -> &'static str {
    match family {
        Family::Port => "port",
        Family::Norm => "norm",
        family => family.name(),
    }
}

/// Text within quotes: whatever is not plainly a letter, digit, blank or harmless sign becomes its number, so that neither
/// Mermaid nor the HTML that it makes sees anything but text.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            c if c.is_alphanumeric() => out.push(c),
            ' ' | '.' | ',' | '·' | '×' | '…' | '_' | '-' | '/' | '(' | ')' | '–' => {
                out.push(c)
            }
            c => {
                let _ = write!(out, "#{};", u32::from(c));
            }
        }
    }
    out
}
