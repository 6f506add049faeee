//! Groups of statements that differ in their numbers only become calls of a block.

use super::label::Labels;
use super::lines::{Writer, indented};
use super::tree::{Form, Item};
use std::collections::HashMap;

/// What parameters are called that are neither strides nor kernels.
const NAMES: [&str; 10] = ["w", "v", "u", "t", "r", "q", "p", "n", "m", "h"];
/// What strides are called.
const STRIDES: [&str; 2] = ["s", "z"];
/// What kernels are called.
const KERNELS: [&str; 2] = ["k", "j"];

/// A block of the spec.
pub(super) struct Block {
    pub name: String,
    pub params: Vec<String>,
    pub lines: Vec<String>,
}

/// What a number is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Stride,
    Kernel,
}

/// A number of a statement.
#[derive(Clone)]
struct Number {
    kind: Kind,
    /// As it is an argument,
    text: String,
    /// and what it is; of a kernel nothing.
    value: u64,
    /// Whether it stands beside convolutions: in a dense layer, or among arguments.
    beside: bool,
}

/// Statements as words, numbers left out.
type Shape = Vec<Vec<String>>;

/// How each number is written, and parameters with the places of their numbers.
type Plan = (Vec<String>, Vec<(String, usize)>);

/// A word without its number, and the number; `kernel`: whether extents are one.
fn numeral(word: &str, kernel: bool) -> Option<(&'static str, Kind, &str)> {
    let whole = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    // A pool's stride is not a convolution's: what is left out differs.
    for (mark, kind) in [("/=", Kind::Stride), ("/", Kind::Stride), ("", Kind::Plain)] {
        if let Some(rest) = word.strip_prefix(mark)
            && whole(rest)
        {
            return Some((mark, kind, rest));
        }
    }
    let extents = kernel && word.contains('x') && word.split('x').all(whole);
    extents.then_some(("", Kind::Kernel, word))
}

/// Text with its numbers taken out, and these; `kernels`: also those of convolutions.
fn shape(lines: &[String], kernels: bool) -> (Shape, Vec<Number>) {
    let mut numbers = Vec::new();
    let shape = lines.iter().map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        let mut called = false;
        let dense = words.contains(&"dense");
        let word = |(at, word): (usize, &&str)| {
            called = word.ends_with('(') || called && *word != ")";
            let kernel = kernels && (called || at > 0 && words[at - 1] == "conv");
            let found = numeral(word, kernel).and_then(|(mark, kind, text)| {
                let value = match kind {
                    Kind::Kernel => 0,
                    _ => text.parse().ok()?,
                };
                Some((mark, kind, text, value))
            });
            let Some((mark, kind, text, value)) = found else {
                return (*word).to_owned();
            };
            numbers.push(Number {
                kind,
                text: text.to_owned(),
                value,
                beside: dense || called,
            });
            format!("{mark}#")
        };
        words.iter().enumerate().map(word).collect()
    });
    (shape.collect(), numbers)
}

/// What a number is beside another one.
enum Ratio {
    Same,
    Times(u64),
    Part(u64),
}

impl Ratio {
    /// That of two numbers, if it is the same everywhere.
    fn of(sites: &[Vec<Number>], at: usize, source: usize) -> Option<Ratio> {
        let (own, other) = (&sites[0][at], &sites[0][source]);
        let all = |fits: &dyn Fn(&Number, &Number) -> bool| {
            sites.iter().all(|site| fits(&site[at], &site[source]))
        };
        if own.kind != other.kind {
            return None;
        }
        if all(&|own, other| own.text == other.text) {
            return Some(Ratio::Same);
        }
        if own.kind != Kind::Plain {
            return None;
        }
        let times = own.value.checked_div(other.value).unwrap_or(0);
        if times > 0 && all(&|own, other| other.value.checked_mul(times) == Some(own.value)) {
            return Some(Ratio::Times(times));
        }
        let parts = other.value.checked_div(own.value).unwrap_or(0);
        let fits =
            parts > 0 && all(&|own, other| own.value.checked_mul(parts) == Some(other.value));
        fits.then_some(Ratio::Part(parts))
    }

    /// The number, where the other one has that name.
    fn written(&self, name: &str) -> String {
        match self {
            Ratio::Same => name.to_owned(),
            Ratio::Times(factor) => format!("({factor}*{name})"),
            Ratio::Part(parts) => format!("({name}/{parts})"),
        }
    }
}

/// How each number is written, and which places are parameters.
fn plan(sites: &[Vec<Number>]) -> Option<Plan> {
    let first = &sites[0];
    let mut varies: Vec<usize> = (0..first.len())
        .filter(|&at| sites.iter().any(|site| site[at].text != first[at].text))
        .collect();
    let sum = |at: usize| {
        sites
            .iter()
            .map(|site| site[at].value)
            .fold(0, u64::saturating_add)
    };
    varies.sort_by_key(|&at| (first[at].beside, sum(at), at));
    let mut sources: Vec<usize> = Vec::new();
    let mut of: HashMap<usize, (usize, Ratio)> = HashMap::new();
    for &at in &varies {
        let found = sources
            .iter()
            .find_map(|&source| Some((source, Ratio::of(sites, at, source)?)));
        match found {
            Some(found) => {
                of.insert(at, found);
            }
            None => sources.push(at),
        }
        if sources.len() > NAMES.len() + STRIDES.len() + KERNELS.len() {
            return None;
        }
    }
    // In the order of their first use.
    sources.sort_unstable();
    let (mut strides, mut kernels) = (STRIDES.iter(), KERNELS.iter());
    let mut others = NAMES.iter();
    let mut names: Vec<(String, usize)> = Vec::new();
    for &at in &sources {
        let name = match first[at].kind {
            Kind::Stride => strides.next()?,
            Kind::Kernel => kernels.next()?,
            Kind::Plain => others.next()?,
        };
        names.push(((*name).to_owned(), at));
    }
    let name = |at: usize| {
        let found = names.iter().find(|(_, own)| *own == at);
        found.map_or("", |(name, _)| name)
    };
    let texts = (0..first.len()).map(|at| match of.get(&at) {
        Some((source, ratio)) => ratio.written(name(*source)),
        None if sources.contains(&at) => name(at).to_owned(),
        None => first[at].text.clone(),
    });
    Some((texts.collect(), names))
}

/// A name for a block of that kind.
fn named(lines: &[String], taken: &mut Labels) -> String {
    let narrow = lines
        .iter()
        .filter(|line| line.contains("conv 1x1"))
        .count()
        > 1;
    taken.word(match lines[0].split(' ').next() {
        Some("residual") if narrow => "bottleneck",
        Some("residual") => "unit",
        Some("branch") if lines[0] == "branch {" => "cell",
        Some("branch") => "gate",
        _ => "stage",
    })
}

/// Blocks for what has a shape that others have, too, and the calls that take the places of these: groups as lines, none for what is none.
/// `kernels`: whether a block's kernels may differ.
pub(super) fn calls(
    groups: &[Option<Vec<String>>],
    kernels: bool,
    taken: &mut Labels,
) -> (Vec<Block>, Vec<Option<String>>) {
    let mut sites: HashMap<Shape, Vec<Vec<Number>>> = HashMap::new();
    let mut order: Vec<Shape> = Vec::new();
    let shapes = groups
        .iter()
        .map(|lines| Some(shape(lines.as_ref()?, kernels)));
    let shapes: Vec<Option<(Shape, Vec<Number>)>> = shapes.collect();
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
    let calls = shapes.into_iter().map(|found| {
        let (shape, numbers) = found?;
        let (name, params) = plans.get(&shape)?;
        let list: Vec<&str> = params.iter().map(|&(_, at)| &*numbers[at].text).collect();
        // Numbers are words, so that those of a call within a group are found as well: see `spec`.
        Some(match list.is_empty() {
            true => name.clone(),
            false => format!("{name}( {} )", list.join(" , ")),
        })
    });
    (blocks, calls.collect())
}

/// Replaces groups of the same shape by calls.
pub(super) fn extract(
    writer: &Writer<'_>,
    items: Vec<Item>,
    taken: &mut Labels,
) -> (Vec<Block>, Vec<Item>) {
    let groups = items.iter().map(|item| {
        matches!(item.form, Form::Group(..) | Form::Scope(..))
            .then(|| writer.lines(item, item.label.as_deref()))
    });
    let (blocks, calls) = calls(&groups.collect::<Vec<_>>(), false, taken);
    let mut all = Vec::new();
    for (mut item, call) in items.into_iter().zip(calls) {
        match (call, item.form) {
            (Some(call), form) => {
                item.form = form;
                item.becomes(call);
                all.push(item);
            }
            (None, Form::Scope(items)) => all.extend(items),
            (None, form) => all.push(Item { form, ..item }),
        }
    }
    (blocks, all)
}
