//! Groups of statements that differ in their numbers only become calls of a block.

use super::net::{Id, Net, Op};
use super::statement::{Defaults, written};
use super::tree::{Form, Item};
use std::collections::{HashMap, HashSet};

/// What parameters that are no strides are called.
const NAMES: [&str; 10] = ["w", "v", "u", "t", "r", "q", "p", "n", "m", "k"];
/// What strides are called.
const STRIDES: [&str; 2] = ["s", "z"];
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

fn indented(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().map(|line| format!("  {line}")).collect()
}

/// A block of the spec.
pub(super) struct Block {
    pub name: String,
    pub params: Vec<String>,
    pub lines: Vec<String>,
}

/// The number in a word: a stride, or any other.
fn numeral(word: &str) -> Option<(&str, u64)> {
    for start in ["/=", "/", ""] {
        if let Some(rest) = word.strip_prefix(start)
            && rest.bytes().all(|c| c.is_ascii_digit())
            && let Ok(number) = rest.parse()
        {
            return Some((if start.is_empty() { "" } else { "/=" }, number));
        }
    }
    None
}

/// Statements as words, numbers left out.
type Shape = Vec<Vec<String>>;

/// The numbers of statements, and whether each has a mark.
type Numbers = Vec<(bool, u64)>;

/// How each number is written, and parameters with the places of their numbers.
type Plan = (Vec<String>, Vec<(String, usize)>);

/// Text with its numbers taken out, and these.
fn shape(lines: &[String]) -> (Shape, Numbers) {
    let mut numbers = Vec::new();
    let shape = lines.iter().map(|line| {
        let word = |word: &str| match numeral(word) {
            // A pool's stride is not a convolution's: what is left out differs.
            Some((mark, number)) => {
                numbers.push((!mark.is_empty(), number));
                let own = word.starts_with('/') && !word.starts_with("/=");
                format!("{}#", if own { "/" } else { mark })
            }
            None => word.to_owned(),
        };
        line.split(' ').map(word).collect()
    });
    (shape.collect(), numbers)
}

/// How each number is written, and which places are parameters.
fn plan(sites: &[Numbers]) -> Option<Plan> {
    let first = &sites[0];
    let column = |at: usize| sites.iter().map(move |site| site[at].1);
    let varies: Vec<usize> = (0..first.len())
        .filter(|&at| column(at).any(|number| number != first[at].1))
        .collect();
    let mut smallest = varies.clone();
    smallest.sort_by_key(|&at| (column(at).sum::<u64>(), at));
    let mut sources: Vec<usize> = Vec::new();
    let mut of: HashMap<usize, (usize, u64)> = HashMap::new();
    for &at in &smallest {
        let multiple = sources.iter().find_map(|&source| {
            if first[at].0 != first[source].0 {
                return None;
            }
            let factor = first[at].1.checked_div(first[source].1)?;
            let fits = column(at)
                .zip(column(source))
                .all(|(own, other)| other.checked_mul(factor) == Some(own));
            (factor > 0 && fits && (factor == 1 || !first[at].0)).then_some((source, factor))
        });
        match multiple {
            Some(found) => {
                of.insert(at, found);
            }
            None => sources.push(at),
        }
    }
    // In the order of their first use.
    sources.sort_unstable();
    let (mut strides, mut others) = (STRIDES.iter(), NAMES.iter());
    let mut names: Vec<(String, usize)> = Vec::new();
    for &at in &sources {
        let name = match first[at].0 {
            true => strides.next()?,
            false => others.next()?,
        };
        names.push(((*name).to_owned(), at));
    }
    let name = |at: usize| {
        let found = names.iter().find(|(_, own)| *own == at);
        found.map_or(String::new(), |(name, _)| name.clone())
    };
    let texts = (0..first.len()).map(|at| match of.get(&at) {
        Some(&(source, 1)) => name(source),
        Some(&(source, factor)) => format!("({factor}*{})", name(source)),
        None if sources.contains(&at) => name(at),
        None => first[at].1.to_string(),
    });
    Some((texts.collect(), names))
}

/// A name for a block of that kind.
fn named(lines: &[String], taken: &mut HashSet<String>) -> String {
    let narrow = lines
        .iter()
        .filter(|line| line.contains("conv 1x1"))
        .count()
        > 1;
    let word = match lines[0].split(' ').next() {
        Some("residual") if narrow => "bottleneck",
        Some("residual") => "unit",
        Some("branch") if lines[0] == "branch {" => "cell",
        Some("branch") => "gate",
        _ => "stage",
    };
    let mut name = word.to_owned();
    let mut more = 1;
    while cnnc_compiler::layer::find(&name).is_some() || !taken.insert(name.clone()) {
        more += 1;
        name = format!("{word}{more}");
    }
    name
}

/// Replaces groups of the same shape by calls.
pub(super) fn extract(
    writer: &Writer<'_>,
    items: Vec<Item>,
    taken: &mut HashSet<String>,
) -> (Vec<Block>, Vec<Item>) {
    let mut sites: HashMap<Shape, Vec<Numbers>> = HashMap::new();
    let mut order: Vec<Shape> = Vec::new();
    let shapes: Vec<Option<(Shape, Numbers)>> = items
        .iter()
        .map(|item| {
            matches!(item.form, Form::Group(..) | Form::Scope(..))
                .then(|| shape(&writer.lines(item, item.label.as_deref())))
        })
        .collect();
    for (shape, numbers) in shapes.iter().flatten() {
        let known = sites.entry(shape.clone()).or_default();
        if known.is_empty() {
            order.push(shape.clone());
        }
        known.push(numbers.clone());
    }
    let mut blocks = Vec::new();
    let mut plans: HashMap<Shape, (String, Vec<(String, usize)>)> = HashMap::new();
    for shape in order {
        let known = &sites[&shape];
        if known.len() < 2 {
            continue;
        }
        let Some((texts, params)) = plan(known) else {
            continue;
        };
        let mut texts = texts.into_iter();
        let lines: Vec<String> = shape
            .iter()
            .map(|line| {
                let word = |word: &String| match word.strip_suffix('#') {
                    Some(mark) if matches!(mark, "" | "/" | "/=") => {
                        format!("{mark}{}", texts.next().unwrap_or_default())
                    }
                    _ => word.clone(),
                };
                line.iter().map(word).collect::<Vec<_>>().join(" ")
            })
            .collect();
        let name = named(&lines, taken);
        // The block's own braces are those of a scope.
        let scope = lines[0] == "{";
        blocks.push(Block {
            name: name.clone(),
            params: params.iter().map(|(name, _)| name.clone()).collect(),
            lines: match scope {
                true => lines[1..lines.len() - 1].to_vec(),
                false => indented(lines),
            },
        });
        plans.insert(shape, (name, params));
    }
    let mut all = Vec::new();
    for (item, shape) in items.into_iter().zip(shapes) {
        let call = shape.and_then(|(shape, numbers)| {
            let (name, params) = plans.get(&shape)?;
            let list: Vec<String> = params
                .iter()
                .map(|&(_, at)| numbers[at].1.to_string())
                .collect();
            Some(match list.is_empty() {
                true => name.clone(),
                false => format!("{name}({})", list.join(", ")),
            })
        });
        match (call, item.form) {
            (Some(call), form) => {
                let item = Item { form, ..item };
                let mut layers = Vec::new();
                item.layers(&mut layers);
                all.push(Item {
                    form: Form::Text(call, layers),
                    ..item
                });
            }
            (None, Form::Scope(items)) => all.extend(items),
            (None, form) => all.push(Item { form, ..item }),
        }
    }
    (blocks, all)
}
