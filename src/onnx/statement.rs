//! Layers as statements: chains that read like a table.

use super::label::{Labels, suggested};
use super::net::{Id, Net, Op};
use super::word::{Defaults, keyword, written};
use std::collections::HashMap;

/// A chain of layers.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub label: Option<String>,
    /// The tensor that it goes on from, if that is not the one before; operands of a layer of several stand in the text.
    pub route: Option<Id>,
    /// The layers, each as it is written.
    pub words: Vec<String>,
    /// The layers.
    pub ids: Vec<Id>,
    /// Whether one has weights.
    pub weighty: bool,
}

/// The statements of a network, in order.
pub(super) struct Body {
    pub statements: Vec<Statement>,
    /// What every tensor that is referred to is called.
    pub labels: HashMap<Id, String>,
}

/// Writes layers as statements. Outputs besides the last tensor have labels, and those that are `labelled`; `plain` gives labels that say nothing.
pub(super) fn statements(
    net: &Net,
    order: &[Id],
    inputs: &[(Id, String)],
    outputs: &[Id],
    labelled: &[Id],
    defaults: Defaults,
    plain: bool,
) -> Body {
    let (_, reads) = net.live(outputs);
    let readers = readers(net, order);
    let mut taken = Labels::default();
    let mut labels: HashMap<Id, String> = HashMap::new();
    for (id, name) in inputs {
        labels.insert(*id, taken.unique(name.clone()));
    }
    // Chains first.
    let mut chains: Vec<Vec<Id>> = Vec::new();
    for &id in order {
        let layer = net.values[id].layer.as_ref().expect("a layer");
        let last = chains.last().and_then(|chain| chain.last().copied());
        let goes_on = layer.operands.len() == 1
            && last == layer.operands.first().copied()
            && last.is_some_and(|last| reads[last] == 1)
            && continues(net, last.expect("one"), &layer.op)
            && chains.last().is_some_and(|chain| chain.len() < 12);
        match chains.last_mut() {
            Some(chain) if goes_on => chain.push(id),
            _ => chains.push(vec![id]),
        }
    }
    // What must have a label: operands that are not the value so far, and what is given out.
    let mut named: HashMap<Id, bool> = HashMap::new();
    let mut current = match inputs {
        [(id, _)] => Some(*id),
        _ => None,
    };
    for chain in &chains {
        let first = net.values[chain[0]].layer.as_ref().expect("a layer");
        match first.operands[..] {
            [operand] => {
                if current != Some(operand) {
                    named.insert(operand, true);
                }
            }
            _ => {
                for &operand in &first.operands {
                    named.insert(operand, true);
                }
            }
        }
        current = chain.last().copied();
    }
    let last = current;
    for &id in outputs {
        if Some(id) != last {
            named.insert(id, true);
        }
    }
    named.extend(labelled.iter().map(|&id| (id, true)));
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut all = Vec::new();
    let mut current = match inputs {
        [(id, _)] => Some(*id),
        _ => None,
    };
    for chain in chains {
        let value = *chain.last().expect("a layer");
        let weighty = chain.iter().find(|&&id| {
            !net.values[id]
                .layer
                .as_ref()
                .expect("a layer")
                .params
                .is_empty()
        });
        let label = (weighty.is_some() || named.contains_key(&value)).then(|| {
            let speaker = weighty.copied().unwrap_or(chain[0]);
            let layer = net.values[speaker].layer.as_ref().expect("a layer");
            let word = keyword(&layer.op);
            let wanted = match plain {
                true => None,
                false => suggested(&layer.hint, weighty.is_some()),
            };
            let wanted = wanted.unwrap_or_else(|| {
                let count = counts.entry(word.clone()).or_default();
                *count += 1;
                format!("{word}{count}")
            });
            taken.unique(wanted)
        });
        if let Some(label) = &label {
            labels.insert(value, label.clone());
        }
        let first = net.values[chain[0]].layer.as_ref().expect("a layer");
        let route = match first.operands[..] {
            [operand] if current != Some(operand) => Some(operand),
            _ => None,
        };
        let words = chain.iter().map(|&id| written(net, id, &labels, defaults));
        let mut words: Vec<String> = words.collect();
        if drops(net, current, chain[0], &readers, outputs) {
            words[0] = anew(&words[0]);
        }
        all.push(Statement {
            label,
            route,
            words,
            ids: chain.clone(),
            weighty: weighty.is_some(),
        });
        current = Some(value);
    }
    Body {
        statements: all,
        labels,
    }
}

/// The first layer that reads each tensor.
pub(super) fn readers(net: &Net, order: &[Id]) -> HashMap<Id, Id> {
    let mut readers = HashMap::new();
    for &id in order {
        let layer = net.values[id].layer.as_ref().expect("a layer");
        for &operand in &layer.operands {
            readers.entry(operand).or_insert(id);
        }
    }
    readers
}

/// Whether a layer that joins others stands behind a tensor that is none of them and is needed further on, as if it had been forgotten.
pub(super) fn drops(
    net: &Net,
    before: Option<Id>,
    id: Id,
    readers: &HashMap<Id, Id>,
    outputs: &[Id],
) -> bool {
    let operands = &net.values[id].layer.as_ref().expect("a layer").operands;
    before.is_some_and(|before| {
        operands.len() > 1
            && net.values[before].layer.is_some()
            && !operands.contains(&before)
            && !outputs.contains(&before)
            && readers.get(&before).is_none_or(|&reader| reader > id)
    })
}

/// A layer that joins others as one that begins with the first of them: `add(a, b)` is `route a add(b)`.
pub(super) fn anew(word: &str) -> String {
    let parts = word.split_once('(');
    let parts = parts.and_then(|(start, rest)| Some((start, rest.split_once(", ")?)));
    match parts {
        Some((start, (first, others))) => format!("route {first} {start}({others}"),
        None => word.to_owned(),
    }
}

/// Whether a layer stands on the line of the one before.
fn continues(net: &Net, before: Id, op: &Op) -> bool {
    let before = net.op(before);
    match op {
        Op::Word("globalavgpool" | "globalmaxpool" | "matmul") => false,
        Op::Word(_) | Op::Scale(..) | Op::Clip(..) => !matches!(before, Some(Op::Constant)),
        Op::Text("bn", _) | Op::Affine => matches!(before, Some(Op::Conv(_) | Op::Dense(_))),
        Op::Text(word, _) => matches!(
            *word,
            "prelu"
                | "leaky"
                | "elu"
                | "celu"
                | "gelu"
                | "pow"
                | "thresholdedrelu"
                | "shrink"
                | "l2norm"
                | "hardsigmoid"
        ),
        Op::Permute(_) => !matches!(before, Some(Op::Constant)),
        Op::Reshape | Op::FlattenSpatial => !matches!(before, Some(Op::Constant | Op::Conv(_))),
        _ => false,
    }
}
