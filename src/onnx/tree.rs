//! Statements that belong together: branches that are joined, and runs of layers under one name.
//!
//! ```text
//! a: conv 1x1 8 relu                     a: conv 1x1 8 relu
//! u.b: conv 3x3 8 relu                   u: residual {
//! u.c: conv 3x3 8               ──▶           b: conv 3x3 8 relu
//!      add(u.c, a) relu                       c: conv 3x3 8
//!                                           } relu
//! ```

use super::net::{Id, Net, Op};
use super::statement::Body;
use super::tensor::{Data, Tensor};
use std::collections::{HashMap, HashSet};

/// A statement, or several as one.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// As a whole path, whatever it stands in.
    pub label: Option<String>,
    /// Tensors that it reads, besides those that it makes.
    pub needs: Vec<Id>,
    /// The tensor that it makes.
    pub value: Id,
    pub form: Form,
}

/// What a statement consists of.
#[derive(Clone, Debug)]
pub(super) enum Form {
    /// Layers one behind another, and whether one has weights.
    Chain(Vec<Id>, bool),
    /// Paths from one tensor, in the order of the operands of the layer that joins them, which is the first of the chain; the tensor itself is
    /// an empty path.
    Group(Vec<Vec<Item>>, Vec<Id>),
    /// Statements one behind another.
    Scope(Vec<Item>),
    /// As it is written, and the layers.
    Text(String, Vec<Id>),
}

impl Item {
    /// Its layers, in the order in which they are written.
    pub fn layers(&self, all: &mut Vec<Id>) {
        match &self.form {
            Form::Chain(ids, _) | Form::Text(_, ids) => all.extend(ids),
            Form::Scope(items) => items.iter().for_each(|item| item.layers(all)),
            Form::Group(paths, ids) => {
                for item in paths.iter().flatten() {
                    item.layers(all);
                }
                all.extend(ids);
            }
        }
    }

    /// Takes a text for what it was.
    pub fn becomes(&mut self, text: String) {
        let mut layers = Vec::new();
        self.layers(&mut layers);
        self.form = Form::Text(text, layers);
    }

    /// Labels of what stands in it.
    fn labels<'a>(&'a self, all: &mut Vec<&'a str>) {
        match &self.form {
            Form::Group(paths, _) => {
                for item in paths.iter().flatten() {
                    all.extend(item.label.as_deref());
                    item.labels(all);
                }
            }
            Form::Scope(items) => {
                for item in items {
                    all.extend(item.label.as_deref());
                    item.labels(all);
                }
            }
            Form::Chain(..) | Form::Text(..) => {}
        }
    }
}

/// How many groups may stand within one another: in networks that people write there are a few, and each one more is a level of braces.
const DEPTH: usize = 16;

/// Whether a layer may join paths.
fn joins(op: &Op) -> bool {
    matches!(
        op,
        Op::Concat(_) | Op::Word("add" | "mul" | "sub" | "div" | "max" | "min")
    )
}

/// Statements with what belongs together in one.
pub(super) fn grow(net: &Net, body: &Body, outputs: &[Id]) -> Vec<Item> {
    let (_, mut reads) = net.live(outputs);
    let mut taken: HashSet<String> = body.labels.values().cloned().collect();
    let mut items: Vec<Item> = Vec::new();
    // How many groups stand within one another in each.
    let mut heights: Vec<usize> = Vec::new();
    for statement in &body.statements {
        let first = net.values[statement.ids[0]]
            .layer
            .as_ref()
            .expect("a layer");
        let item = Item {
            label: statement.label.clone(),
            needs: first.operands.clone(),
            value: *statement.ids.last().expect("a layer"),
            form: Form::Chain(statement.ids.clone(), statement.weighty),
        };
        let joined = match joins(&first.op) && first.params.is_empty() {
            true => paths(&items, &first.operands, &reads),
            false => None,
        };
        let height = |at: usize| heights[at..].iter().max().map_or(1, |most| most + 1);
        let Some((at, from, places)) = joined.filter(|(at, ..)| height(*at) <= DEPTH) else {
            items.push(item);
            heights.push(0);
            continue;
        };
        let height = height(at);
        heights.truncate(at);
        heights.push(height);
        let tail = items.split_off(at);
        let place = |range: &(usize, usize)| {
            let part = &tail[range.0 - at..range.1 - at];
            part.iter().cloned().map(inner).collect::<Vec<_>>()
        };
        let paths: Vec<Vec<Item>> = places.iter().map(place).collect();
        reads[from] = reads[from] + 1 - paths.len().min(reads[from]);
        let mut group = Item {
            label: None,
            needs: vec![from],
            value: item.value,
            form: Form::Group(paths, statement.ids.clone()),
        };
        group.label = scope(&group, &taken).or(statement.label.clone());
        taken.extend(group.label.clone());
        items.push(group);
    }
    items
}

/// A statement without a label that nothing needs, within paths.
fn inner(mut item: Item) -> Item {
    if matches!(item.form, Form::Chain(_, false)) || !speaks(item.label.as_deref()) {
        item.label = None;
    }
    item
}

/// Whether a label is of the file, and no number of a kind of layer.
fn speaks(label: Option<&str>) -> bool {
    label.is_some_and(|label| {
        let word = label.trim_end_matches(|c: char| c.is_ascii_digit());
        !matches!(word, "conv" | "fc" | "deconv" | "affine" | "bn" | "prelu") || label.contains('.')
    })
}

/// What all labels within have in common up to a dot, if there is such a thing and it is no other's label.
fn scope(item: &Item, taken: &HashSet<String>) -> Option<String> {
    let mut all = Vec::new();
    item.labels(&mut all);
    let (first, rest) = all.split_first()?;
    let mut prefix = first.rsplit_once('.')?.0;
    for label in rest {
        while label
            .strip_prefix(prefix)
            .is_none_or(|rest| !rest.is_empty() && !rest.starts_with('.'))
        {
            prefix = prefix.rsplit_once('.')?.0;
        }
    }
    // A group's own label may be it, that of a statement not.
    (!taken.contains(prefix) || !all.contains(&prefix)).then(|| prefix.to_owned())
}

/// Where the first path begins, which tensor all come from, and the range of each.
type Paths = (usize, Id, Vec<(usize, usize)>);

/// Where the paths to operands stand: where the first begins, which tensor they come from, and the range of each.
fn paths(items: &[Item], operands: &[Id], reads: &[usize]) -> Option<Paths> {
    if operands.len() < 2 {
        return None;
    }
    let mut found: HashMap<Id, (usize, usize)> = HashMap::new();
    let mut open: HashSet<Id> = operands.iter().copied().collect();
    let mut from: Option<Id> = None;
    let mut at = items.len();
    loop {
        if let Some(from) = from
            && (open.is_empty() || open.len() == 1 && open.contains(&from))
        {
            // One empty path is enough for anybody.
            if operands.iter().filter(|&&id| id == from).count() > 1 {
                return None;
            }
            break;
        }
        let end = at;
        let last = items[..at].last()?;
        if !open.contains(&last.value) || reads[last.value] != 1 {
            return None;
        }
        at -= 1;
        let source = loop {
            let &[source] = &items[at].needs[..] else {
                return None;
            };
            let goes_on = at > 0 && items[at - 1].value == source && reads[source] == 1;
            if !goes_on {
                break source;
            }
            at -= 1;
        };
        if from.is_some_and(|from| from != source) {
            return None;
        }
        from = Some(source);
        open.remove(&last.value);
        found.insert(last.value, (at, end));
    }
    let from = from?;
    let range = |id: &Id| found.get(id).copied().unwrap_or((at, at));
    Some((at, from, operands.iter().map(range).collect()))
}

/// The labels of runs of statements: `features.4.conv.0.0` is of `features.4`, `conv2.a` of `conv2`.
fn of_run(label: &str) -> Option<&str> {
    let first = label.find('.')?;
    let second = label[first + 1..].find('.').map(|at| first + 1 + at);
    match second {
        Some(second) if label[first + 1..second].bytes().all(|c| c.is_ascii_digit()) => {
            Some(&label[..second])
        }
        _ => Some(&label[..first]),
    }
}

/// Whether a label begins with a name.
fn is_under(label: &str, name: &str) -> bool {
    let rest = label.strip_prefix(name);
    rest.is_some_and(|rest| rest.starts_with('.'))
}

/// Runs of statements under one name as one statement each; they are undone where nothing comes of it.
///
/// They consist of chains, and of groups but sums where these are `deep`: under the longest name that several have then.
pub(super) fn runs(net: &Net, items: Vec<Item>, outputs: &[Id], deep: bool) -> Vec<Item> {
    let mut reads: HashMap<Id, usize> = HashMap::new();
    for id in items.iter().flat_map(|item| &item.needs).chain(outputs) {
        *reads.entry(*id).or_default() += 1;
    }
    let belongs = |item: &Item| match &item.form {
        Form::Chain(..) => true,
        Form::Group(_, ids) => deep && net.op(ids[0]) != Some(&Op::Word("add")),
        _ => false,
    };
    // How many labels there are under each name, and the first of them.
    let mut under: HashMap<&str, (usize, usize)> = HashMap::new();
    for (at, item) in items.iter().enumerate() {
        let mut name = item.label.as_deref();
        while let Some(own) = name {
            under.entry(own).or_insert((at, 0)).1 += 1;
            name = own.rsplit_once('.').map(|(start, _)| start);
        }
    }
    let run = |at: usize, name: &str| {
        let (first, count) = *under.get(name)?;
        let whole = first == at && count > 1 && at + count <= items.len();
        let within = |label: &str| match deep {
            true => is_under(label, name),
            false => of_run(label) == Some(name),
        };
        let goes_on = |next: usize| {
            let (before, item) = (items[next - 1].value, &items[next]);
            belongs(item)
                && item.label.as_deref().is_some_and(within)
                && item.needs == [before]
                && reads.get(&before) == Some(&1)
        };
        (whole && (at + 1..at + count).all(goes_on)).then_some(at + count)
    };
    let mut all = Vec::new();
    let mut at = 0;
    while at < items.len() {
        let item = &items[at];
        let label = item
            .label
            .as_deref()
            .filter(|_| belongs(item) && item.needs.len() == 1);
        let found = label.and_then(|label| {
            let shortest = of_run(label)?;
            let mut name = match deep {
                true => label.rsplit_once('.')?.0,
                false => shortest,
            };
            loop {
                if let Some(end) = run(at, name) {
                    break Some((name, end));
                }
                name = name.rsplit_once('.')?.0;
                if name.len() < shortest.len() {
                    break None;
                }
            }
        });
        let Some((name, end)) = found else {
            all.push(item.clone());
            at += 1;
            continue;
        };
        all.push(Item {
            label: Some(name.to_owned()),
            needs: item.needs.clone(),
            value: items[end - 1].value,
            form: Form::Scope(items[at..end].to_vec()),
        });
        at = end;
    }
    all
}

/// Whether two tensors are one in the file.
fn one(a: &Tensor, b: &Tensor) -> bool {
    a.dims == b.dims
        && match (&a.data, &b.data) {
            (Data::Raw(a), Data::Raw(b)) => a == b,
            (Data::Float(a) | Data::Listed(a), Data::Float(b) | Data::Listed(b)) => a == b,
            _ => false,
        }
}

/// Whether two chains are the same layers with the same weights.
fn twins(net: &Net, one_of: &Item, other: &Item) -> bool {
    let (Form::Chain(a, _), Form::Chain(b, _)) = (&one_of.form, &other.form) else {
        return false;
    };
    let same = |(&a, &b): (&Id, &Id)| match (&net.values[a].layer, &net.values[b].layer) {
        (Some(a), Some(b)) => {
            a.op == b.op
                && a.operands.len() == 1
                && b.operands.len() == 1
                && (a.params.is_empty() || a.hint.weights == b.hint.weights)
                && a.params.len() == b.params.len()
                && a.params
                    .iter()
                    .zip(&b.params)
                    .all(|((_, a), (_, b))| one(a, b))
        }
        _ => false,
    };
    a.len() == b.len()
        && a.iter().zip(b).all(same)
        && net.dims(one_of.value) == net.dims(other.value)
}

/// A network that is called `twin`, if there is one that is applied to two tensors: its statements; the calls take their places.
pub(super) fn share(net: &Net, items: &mut Vec<Item>, outputs: &[Id]) -> Option<Vec<Item>> {
    let (_, reads) = net.live(outputs);
    let weighty = |item: &Item| matches!(item.form, Form::Chain(_, true));
    let goes_on =
        |at: usize| items[at].needs == [items[at - 1].value] && reads[items[at - 1].value] == 1;
    let count = items.len().min(512);
    for from in 0..count {
        for other in from + 1..count {
            if !twins(net, &items[from], &items[other]) {
                continue;
            }
            let mut n = 1;
            while from + n < other
                && other + n < count
                && twins(net, &items[from + n], &items[other + n])
                && goes_on(from + n)
                && goes_on(other + n)
            {
                n += 1;
            }
            if items[from].needs == items[other].needs || !items[from..from + n].iter().any(weighty)
            {
                continue;
            }
            let shared: Vec<Item> = items[from..from + n]
                .iter()
                .cloned()
                .map(inner_of)
                .collect();
            // The later first, so that places stay.
            for at in [other, from] {
                let call: Vec<Item> = items.drain(at..at + n).collect();
                let mut layers = Vec::new();
                call.iter().for_each(|item| item.layers(&mut layers));
                items.insert(
                    at,
                    Item {
                        label: None,
                        needs: call[0].needs.clone(),
                        value: call[n - 1].value,
                        form: Form::Text("twin".to_owned(), layers),
                    },
                );
            }
            return Some(shared);
        }
    }
    None
}

/// A statement within a shared network.
fn inner_of(mut item: Item) -> Item {
    if matches!(item.form, Form::Chain(_, false)) {
        item.label = None;
    }
    item
}
