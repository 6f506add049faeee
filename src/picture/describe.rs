//! What stands in a box: label, layers, costs.

use super::diagram::{Item, Kind};
use super::drawing::Heading;
use super::family::Family;
use super::parts::{Tree, follows};
use super::repeat;

use super::text::{joined, rounded, shown};
use super::units::{Context, Detail, Unit};
use cnnc_compiler::graph::Graph;
use cnnc_compiler::id::{Id, NodeId, ParamId, ValueId};
use cnnc_compiler::layer::Attribute;
use cnnc_compiler::layer::conv::is_depthwise;
use cnnc_compiler::layer::written::{declaration, said};
use cnnc_compiler::outline;
use std::collections::BTreeSet;

/// Longest line in a box.
const LINE: usize = 32;
/// Longest title.
const TITLE: usize = 32;

/// The text of a box.
pub struct Words {
    title: String,
    names: Vec<String>,
    call: Option<String>,
    lines: Vec<String>,
    cost: Vec<String>,
    family: Family,
    times: usize,
    /// What labels inside begin with.
    pub scope: String,
}

/// A box with that text.
pub fn item(kind: Kind, words: Words) -> Item {
    Item {
        family: match kind {
            Kind::Frame(_) => Family::Block,
            _ => words.family,
        },
        // Open, it shows itself what it is made of.
        lines: match kind {
            Kind::Frame(_) => words.call.into_iter().collect(),
            _ => words.call.into_iter().chain(words.lines).collect(),
        },
        title: words.title,
        names: words.names,
        // Open, its text stands beside an arrow and should be narrow.
        cost: match kind {
            Kind::Frame(_) => words.cost,
            _ if words.cost.is_empty() => Vec::new(),
            _ => vec![words.cost.join(" · ")],
        },
        kind,
        times: words.times,
    }
}

impl Words {
    /// What a run of units is, within a scope whose labels are not repeated.
    pub fn new(context: &Context<'_>, units: &[Unit<'_>], scope: &str) -> Words {
        let first = &units[0];
        let ends: Vec<&Unit<'_>> = match units {
            [first, .., last] => vec![first, last],
            units => units.iter().collect(),
        };
        let names: Vec<String> = ends.iter().map(|unit| name(context, unit)).collect();
        let titles = ends.iter().map(|unit| title(context, unit));
        // Nor is what the block around it is called: its result has that name.
        let local = |name: String| match name.strip_prefix(scope) {
            Some("") if !scope.is_empty() => String::new(),
            Some(rest) if !scope.is_empty() && rest.starts_with('.') => rest[1..].to_owned(),
            _ => name,
        };
        let mut title = joined(&titles.map(local).collect::<Vec<_>>(), units.len());
        if title.chars().count() > TITLE {
            title = shortened(&title);
        }
        let lines = match first.part {
            Some(part) => {
                let lines = part_lines(context, part);
                let mut others = units.iter().skip(1).filter_map(|unit| unit.part);
                // Turns of different sizes: what all have.
                match others.any(|other| part_lines(context, other) != lines) {
                    true => listed(&counted(context, part), 3),
                    false => lines,
                }
            }
            None => layer_lines(context, &first.nodes),
        };
        let calls = units.iter().map(|unit| unit.part.and_then(call));
        let call = calls.reduce(|a, b| match (a, b) {
            (Some(a), Some(b)) if a != b => {
                let name = a.split('(').next().unwrap_or_default();
                Some(format!("{name}(…)"))
            }
            (a, _) => a,
        });
        let mut call = call.flatten();
        // A name is said once: with its arguments, if it has some.
        if let Some(text) = &call {
            let called = text.split('(').next().unwrap_or_default();
            if called == title && text.contains('(') && !text.ends_with("(…)") {
                title.clone_from(text);
                call = None;
            } else if called == title || names.iter().any(|name| name == called) {
                call = None;
            }
        }
        let graph = context.graph;
        Words {
            title: shown(&title, TITLE),
            call,
            lines,
            cost: cost(context, units),
            family: match first.part {
                Some(_) => Family::Block,
                None => Family::of(graph, &graph.nodes[NodeId::new(first.nodes[0])]),
            },
            times: units.len(),
            scope: match first.part {
                Some(_) if !names[0].is_empty() => names[0].clone(),
                _ => scope.to_owned(),
            },
            names,
        }
    }
}

/// A long title without what its path begins with, which the boxes around it have too.
fn shortened(title: &str) -> String {
    let mut rest = title;
    while rest.chars().count() > TITLE
        && let Some((head, tail)) = rest.split_once('.')
        && !head.contains(' ')
    {
        rest = tail;
    }
    rest.to_owned()
}

/// The name of a unit: the label of its tensor, or the path that all labels in it begin with.
pub fn name(context: &Context<'_>, unit: &Unit<'_>) -> String {
    let mut labels = unit
        .nodes
        .iter()
        .map(|&node| context.graph.nodes[NodeId::new(node)].label.as_str());
    match unit.part {
        Some(part) if part.kind == Some(outline::Kind::Group) => part.name.clone(),
        Some(_) => common(labels),
        None => labels.next_back().unwrap_or_default().to_owned(),
    }
}

/// The name as it is shown: nothing if nobody wrote it.
fn title(context: &Context<'_>, unit: &Unit<'_>) -> String {
    let name = name(context, unit);
    match unit.part.is_none() && is_number(context, unit, &name) {
        true => String::new(),
        false => name,
    }
}

/// Whether the label ends in a layer's keyword or a number after one: nobody wrote it.
fn is_number(context: &Context<'_>, unit: &Unit<'_>, label: &str) -> bool {
    let end = label.rsplit('.').next().unwrap_or(label);
    let mut keywords = unit.nodes.iter().map(|&node| {
        let node = &context.graph.nodes[NodeId::new(node)];
        node.layer.keyword()
    });
    // `conv_2`, or what follows in the chain of a label: `up_conv`, `up_conv_2`.
    let numbered = end.rsplit_once('_').filter(|(_, digits)| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    let word = numbered.map_or(end, |(word, _)| word);
    keywords.any(|keyword| {
        let follows = word
            .strip_suffix(keyword)
            .is_some_and(|rest| rest.ends_with('_'));
        follows || (numbered.is_some() && word == keyword)
    })
}

/// The dotted path that all begin with.
fn common<'p>(mut paths: impl Iterator<Item = &'p str>) -> String {
    let Some(first) = paths.next() else {
        return String::new();
    };
    let mut shared: Vec<&str> = first.split('.').collect();
    // The last component is the layer's own.
    shared.pop();
    for path in paths {
        let same = shared
            .iter()
            .zip(path.split('.'))
            .take_while(|(a, b)| *a == b);
        let same = same.count();
        shared.truncate(same);
    }
    shared.join(".")
}

/// `conv 3x3 64 /2 · bn · relu`
fn layer_lines(context: &Context<'_>, nodes: &[usize]) -> Vec<String> {
    let layers: Vec<String> = nodes
        .iter()
        .map(|&node| brief(context.graph, NodeId::new(node)))
        .collect();
    listed(&layers, 3)
}

/// `fire(16, 64)`; of many arguments the first.
fn call(part: &Tree) -> Option<String> {
    if part.name.is_empty() || part.kind == Some(outline::Kind::Group) {
        return None;
    }
    if part.name.chars().count() <= LINE {
        return Some(shown(&part.name, LINE));
    }
    let start: String = part.name.chars().take(LINE - 3).collect();
    Some(match start.rsplit_once(", ") {
        Some((kept, _)) => format!("{}, …)", shown(kept, LINE)),
        None => shown(&part.name, LINE),
    })
}

/// What a part is made of.
fn part_lines(context: &Context<'_>, part: &Tree) -> Vec<String> {
    let contents = contents(context, part);
    match contents.len() {
        0..=5 => listed(&contents, 3),
        _ => listed(&counted(context, part), 3),
    }
}

/// The units of a part in a few words each, with repetitions.
fn contents(context: &Context<'_>, part: &Tree) -> Vec<String> {
    let units = context.units(part);
    let detail = Detail {
        depth: 0,
        fold: true,
        loose: true,
    };
    let mut entries: Vec<(String, usize)> = Vec::new();
    for run in repeat::runs(context, &units, detail) {
        let unit = &units[run.units.start];
        let text = match unit.part {
            Some(part) if !part.name.is_empty() => {
                part.name.split('(').next().unwrap_or_default().to_owned()
            }
            Some(part) => counted(context, part).join(", "),
            None => brief(context.graph, NodeId::new(unit.nodes[0])),
        };
        match entries.last_mut() {
            // Layers side by side are not repetitions.
            Some((last, times)) if *last == text && unit.part.is_some() => {
                *times += run.units.len()
            }
            _ => entries.push((text, run.units.len())),
        }
    }
    entries
        .into_iter()
        .map(|(text, times)| match times {
            1 => text,
            times => format!("{text} ×{times}"),
        })
        .collect()
}

/// `6 conv`, `maxpool`, `concat`: layers by keyword, those that only follow others left out.
fn counted(context: &Context<'_>, part: &Tree) -> Vec<String> {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for node in part.live(&context.live) {
        if follows(context.graph, node) {
            continue;
        }
        let keyword = context.graph.nodes[NodeId::new(node)].layer.keyword();
        match counts.iter_mut().find(|(word, _)| *word == keyword) {
            Some((_, count)) => *count += 1,
            None => counts.push((keyword, 1)),
        }
    }
    counts
        .into_iter()
        .map(|(word, count)| match count {
            1 => word.to_owned(),
            count => format!("{count} {word}"),
        })
        .collect()
}

/// Entries in lines, with dots between them; of too many, the first.
fn listed(entries: &[String], most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for entry in entries {
        let entry = shown(entry, LINE);
        match lines.last_mut() {
            Some(line) if line.chars().count() + 3 + entry.chars().count() <= LINE => {
                line.push_str(" · ");
                line.push_str(&entry);
            }
            _ => lines.push(entry),
        }
    }
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            *last = shown(&format!("{} · …", shown(last, LINE - 4)), LINE);
        }
    }
    lines
}

/// A layer with what it says without naming it (kernel, channels, stride), and its groups.
pub fn brief(graph: &Graph, node: NodeId) -> String {
    let node = &graph.nodes[node];
    let (keyword, attributes) = node.layer.attributes();
    let mut text = keyword.to_owned();
    let channels = |value: ValueId| graph.values[value].shape.channels();
    let depthwise = |groups: usize| {
        let (ins, outs) = (channels(node.inputs[0]), channels(node.output));
        is_depthwise(groups, ins, outs)
    };
    for (name, value) in &attributes {
        let Some(declared) = declaration(keyword, name) else {
            continue;
        };
        let Some(said) = said(declared, value).map(brief_padding) else {
            continue;
        };
        match (*name, value) {
            ("groups", Attribute::Int(groups)) if depthwise(*groups) => text += " depthwise",
            (_, Attribute::Stride(_)) => text += &format!(" {said}"),
            _ if declared.positional => text += &format!(" {said}"),
            ("groups" | "dilation", _) => text += &format!(" {name} {said}"),
            _ => {}
        }
    }
    shown(&text, LINE)
}

/// `1` for `(1, 1, 1, 1)`: the same on every side.
fn brief_padding(said: String) -> String {
    let inside = said
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'));
    let mut sides = inside.unwrap_or_default().split(", ");
    let first = sides.next().unwrap_or_default();
    match sides.clone().count() {
        1.. if sides.all(|side| side == first) => first.to_owned(),
        _ => said,
    }
}

/// `70.4 k parameters · 231 M MACs`, of all units together.
fn cost(context: &Context<'_>, units: &[Unit<'_>]) -> Vec<String> {
    let graph = context.graph;
    let mut learned: BTreeSet<ParamId> = BTreeSet::new();
    let mut shared = false;
    let mut macs = 0;
    for &node in units.iter().flat_map(|unit| &unit.nodes) {
        let node = &graph.nodes[NodeId::new(node)];
        macs += node.inferred.macs;
        learned.extend(node.params.iter().filter(|&&id| graph.params[id].learned));
    }
    let first = units[0].nodes[0];
    for id in &learned {
        shared |= context.owners.get(id).is_some_and(|&owner| owner < first);
    }
    let count: u64 = learned
        .iter()
        .map(|&id| graph.params[id].shape.iter().product::<usize>() as u64)
        .sum();
    let mut words = Vec::new();
    if shared {
        words.push("shared weights".to_owned());
    } else if count > 0 {
        words.push(format!("{} parameters", rounded(count)));
    }
    if macs > 0 {
        words.push(format!("{} MACs", rounded(macs)));
    }
    words
}

/// Name, doc comment and totals of the network.
pub fn heading(context: &Context<'_>) -> Heading {
    let graph = context.graph;
    let totals = format!(
        "{} parameters · {} MACs",
        rounded(graph.parameters()),
        rounded(graph.macs())
    );
    Heading {
        name: shown(&graph.name, 48),
        doc: graph.doc.clone(),
        totals,
    }
}
