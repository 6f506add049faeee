//! Groups of statements as text.

use super::net::{Id, Net, Op};
use super::tree::{Form, Item};
use super::word::{Defaults, written};
use std::collections::HashMap;

/// Longest line that holds a whole group.
const WIDE: usize = 96;

/// Writes what stands in groups.
pub(super) struct Writer<'a> {
    pub net: &'a Net,
    pub defaults: Defaults,
    /// What tensors that are referred to are called.
    pub labels: HashMap<Id, String>,
}

impl Writer<'_> {
    /// Layers one behind another.
    pub fn words(&self, ids: &[Id]) -> String {
        let word = |&id: &Id| written(self.net, id, &self.labels, self.defaults);
        ids.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    /// The lines of a statement without its label, in which labels begin behind `prefix`.
    pub fn lines(&self, item: &Item, prefix: Option<&str>) -> Vec<String> {
        match &item.form {
            Form::Text(text, _) => vec![text.clone()],
            Form::Chain(ids, _) => vec![self.words(ids)],
            Form::Scope(items) => {
                let mut all = vec!["{".to_owned()];
                all.extend(indented(self.all(items, prefix)));
                all.push("}".to_owned());
                all
            }
            Form::Group(paths, ids) => self.group(paths, ids, prefix),
        }
    }

    /// The lines of statements, with their labels.
    pub fn all(&self, items: &[Item], prefix: Option<&str>) -> Vec<String> {
        items
            .iter()
            .flat_map(|item| {
                let within = item.label.as_deref().or(prefix);
                let mut lines = self.lines(item, within);
                let label = item.label.as_deref().map(|label| match prefix {
                    Some(prefix) => label
                        .strip_prefix(prefix)
                        .map_or(label, |rest| rest.trim_start_matches('.')),
                    None => label,
                });
                if let Some(label) = label.filter(|label| !label.is_empty()) {
                    lines[0] = format!("{label}: {}", lines[0]);
                }
                lines
            })
            .collect()
    }

    fn group(&self, paths: &[Vec<Item>], ids: &[Id], prefix: Option<&str>) -> Vec<String> {
        let then = self.words(&ids[1..]);
        let op = self.net.op(ids[0]);
        let whole = paths.len() == 2 && op == Some(&Op::Word("add"));
        let mut all: Vec<Vec<String>> = paths.iter().map(|path| self.all(path, prefix)).collect();
        let mut lines = Vec::new();
        if whole {
            if all[0].is_empty() {
                all.swap(0, 1);
            }
            let short = match all[1].len() {
                0 => None,
                _ => Some(all[1].join(" ; ")),
            };
            let line = match &short {
                None => format!("residual {{ {} }} {then}", all[0].join(" ; ")),
                Some(short) => format!(
                    "residual {{ {} }} shortcut {{ {short} }} {then}",
                    all[0].join(" ; ")
                ),
            };
            if line.len() <= 60 && all.iter().flatten().all(|line| closed(line)) {
                return vec![line.trim_end().to_owned()];
            }
            lines.push("residual {".to_owned());
            lines.extend(indented(std::mem::take(&mut all[0])));
            match short {
                None => lines.push(format!("}} {then}")),
                Some(short) if short.len() <= WIDE && all[1].iter().all(|line| closed(line)) => {
                    lines.push(format!("}} shortcut {{ {short} }} {then}"));
                }
                Some(_) => {
                    lines.push("} shortcut {".to_owned());
                    lines.extend(indented(std::mem::take(&mut all[1])));
                    lines.push(format!("}} {then}"));
                }
            }
        } else {
            let open = match op {
                Some(Op::Concat(0)) => "branch {".to_owned(),
                Some(Op::Concat(axis)) => format!("branch concat axis {axis} {{"),
                Some(Op::Word(word)) => format!("branch {word} {{"),
                _ => "branch {".to_owned(),
            };
            lines.push(open);
            for (path, of) in all.into_iter().zip(paths) {
                if of.len() == 1 && !path[0].starts_with('{') {
                    lines.extend(indented(path));
                } else if path.iter().all(|line| closed(line))
                    && path.iter().map(|line| line.len() + 3).sum::<usize>() <= WIDE
                {
                    lines.push(format!("  {{ {} }}", path.join(" ; ")));
                } else {
                    lines.push("  {".to_owned());
                    lines.extend(indented(indented(path)));
                    lines.push("  }".to_owned());
                }
            }
            lines.push(format!("}} {then}"));
        }
        lines
            .iter()
            .map(|line| line.trim_end().to_owned())
            .collect()
    }
}

/// Whether a line is a statement as it is.
fn closed(line: &str) -> bool {
    line.matches('{').count() == line.matches('}').count() && !line.starts_with(' ')
}

/// Lines within braces.
pub(super) fn indented(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().map(|line| format!("  {line}")).collect()
}
