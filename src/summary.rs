//! What a network is made of and what it costs: the figures of `cnnc summary`.

use crate::picture::{Context, Tree, Unit, describe, repeat};
use cnnc_compiler::graph::{Graph, Node};
use cnnc_compiler::hash;
use cnnc_compiler::id::{Id, NodeId, ParamId};
use cnnc_compiler::layer::Attributes;
use cnnc_compiler::layer::written::{declaration, said, written};
use cnnc_compiler::lower::Lowered;
use cnnc_compiler::outline::Outline;
use cnnc_runtime::session::session_bytes;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// One layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its label.
    pub label: String,
    /// Its keyword.
    pub layer: &'static str,
    /// Every parameter with the value in use, defaults included.
    pub attributes: Attributes,
    /// As it would be written, without parameters that have their declared default.
    pub written: String,
    /// Shape of its result, channels first.
    pub output: Vec<usize>,
    /// Learned parameters; those that an earlier layer shares are counted there.
    pub parameters: u64,
    /// Whether an earlier layer has the same parameters.
    pub shared: bool,
    /// Multiply-adds of convolutions and dense layers.
    pub macs: u64,
    /// Weights, and as many multiply-adds, that a dense layer takes for the same map: inputs times outputs. `None` of layers without multiply-adds.
    pub dense_equivalent: Option<u64>,
}

/// Rows that do the same, in the same shapes, as those just before them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// Indices of the rows.
    pub rows: Range<usize>,
    /// How many times they repeat what is before them.
    pub times: usize,
    /// What of them is called: `layer3.2 … layer3.35`.
    pub label: String,
    /// What they repeat: `layer3.1`.
    pub like: String,
}

/// A network's layers and totals.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Name of the model.
    pub name: String,
    /// Its doc comment.
    pub doc: String,
    /// Inputs: name and shape.
    pub inputs: Vec<(String, Vec<usize>)>,
    /// Layers, in order, as they are written.
    pub rows: Vec<Row>,
    /// Which of them only repeat those before.
    pub folds: Vec<Fold>,
    /// Learned parameters.
    pub parameters: u64,
    /// Multiply-adds of convolutions and dense layers.
    pub macs: u64,
    /// Bytes of a session: the arena, inputs and outputs.
    pub arena_bytes: usize,
    /// Images that a session is for, at most.
    pub batch: usize,
    /// Bytes of the packed weights.
    pub weight_bytes: usize,
    /// The ISA that the bytes are for.
    pub isa: cnnc_runtime::Isa,
    /// Hash of the architecture, independent of names and formatting.
    pub hash: String,
    /// Declared defaults that no row shows, as `layer.parameter value`.
    pub defaults: Vec<String>,
}

impl Summary {
    pub(crate) fn new(graph: &Graph, outline: &Outline, lowered: &Lowered) -> Summary {
        let mut seen = HashSet::new();
        let rows: Vec<Row> = graph
            .live()
            .map(|(_, node)| row(graph, node, &mut seen))
            .collect();
        let inputs = graph.inputs.iter().map(|input| {
            let shape = graph.values[input.value].shape.dims().to_vec();
            (input.name.clone(), shape)
        });
        let mut defaults: Vec<String> = Vec::new();
        for row in &rows {
            for (name, value) in &row.attributes {
                let default = format!("{}.{name} {}", row.layer, value.short());
                let declared = declaration(row.layer, name);
                let is_default = declared.is_some_and(|param| said(param, value).is_none());
                if is_default && !defaults.contains(&default) {
                    defaults.push(default);
                }
            }
        }
        Summary {
            name: graph.name.clone(),
            doc: graph.doc.clone(),
            inputs: inputs.collect(),
            parameters: rows.iter().map(|row| row.parameters).sum(),
            macs: rows.iter().map(|row| row.macs).sum(),
            rows,
            folds: folds(graph, outline),
            arena_bytes: session_bytes(&lowered.plan),
            batch: lowered.plan.batch,
            weight_bytes: lowered.plan.packed * size_of::<f32>(),
            isa: lowered.plan.isa,
            hash: hash::architecture(graph),
            defaults,
        }
    }
}

/// What repeats, outer parts before what is in them.
fn folds(graph: &Graph, outline: &Outline) -> Vec<Fold> {
    let context = Context::new(graph);
    let rows: HashMap<usize, usize> = graph
        .order
        .iter()
        .enumerate()
        .map(|(row, id)| (id.index(), row))
        .collect();
    let mut folds = Vec::new();
    let tree = Tree::new(graph, outline);
    let mut open = vec![&tree];
    while let Some(part) = open.pop() {
        let units = context.units(part);
        for run in repeat::runs(&context, &units, repeat::EXACT) {
            let units = &units[run.units];
            open.extend(units[0].part);
            let again: Vec<usize> = units[1..]
                .iter()
                .flat_map(|unit| unit.nodes.iter().map(|node| rows[node]))
                .collect();
            let (Some(&first), Some(&last)) = (again.first(), again.last()) else {
                continue;
            };
            // One row in place of two says no more, and a layer may stand between.
            if again.len() < 3 || last + 1 - first != again.len() {
                continue;
            }
            // What has no label of its own is called by the tensor that it makes.
            let label = |unit: &Unit<'_>| match describe::name(&context, unit) {
                name if name.is_empty() => {
                    let last = unit.nodes.last().map(|&node| NodeId::new(node));
                    last.map_or(name, |node| graph.nodes[node].label.clone())
                }
                name => name,
            };
            let ends = match &units[1..] {
                [only] => vec![label(only)],
                [first, .., last] => vec![label(first), label(last)],
                [] => Vec::new(),
            };
            folds.push(Fold {
                rows: first..last + 1,
                times: units.len() - 1,
                label: ends.join(" … "),
                like: label(&units[0]),
            });
        }
    }
    folds.sort_by_key(|fold| fold.rows.start);
    folds
}

fn row(graph: &Graph, node: &Node, seen: &mut HashSet<ParamId>) -> Row {
    let (keyword, attributes) = node.layer.attributes();
    let learned: Vec<ParamId> = node
        .params
        .iter()
        .copied()
        .filter(|&id| graph.params[id].learned)
        .collect();
    let new = learned.iter().filter(|&&id| seen.insert(id));
    let parameters = new
        .map(|&id| graph.params[id].shape.iter().product::<usize>() as u64)
        .sum();
    let inputs = node.inputs.first();
    let inputs = inputs.map_or(0, |&input| graph.values[input].shape.elements() as u64);
    let outputs = graph.values[node.output].shape.elements() as u64;
    Row {
        dense_equivalent: (node.inferred.macs > 0).then(|| inputs.saturating_mul(outputs)),
        label: node.label.clone(),
        layer: keyword,
        attributes,
        written: written(&*node.layer),
        output: graph.values[node.output].shape.dims().to_vec(),
        parameters,
        shared: parameters == 0 && !learned.is_empty(),
        macs: node.inferred.macs,
    }
}

#[cfg(test)]
mod tests {
    use super::Fold;
    use crate::Options;

    fn folds(text: &str) -> (Vec<Fold>, usize) {
        let summary = crate::compile_str("test", text)
            .unwrap_or_else(|error| panic!("{error}"))
            .summary(&Options::new())
            .unwrap();
        (summary.folds, summary.rows.len())
    }

    #[test]
    fn blocks_that_repeat_fold() {
        let (folds, rows) = folds(
            "cnn 1
             block b(w, s) {
               residual { one: conv 3x3 /s w pad half bn relu ; two: conv 3x3 w pad half bn }
                 shortcut auto { down: conv 1x1 /s w bn }
               relu
             }
             model M {
               input x: 8x32x32
               for i, (w, n, s) in [(8, 3, 1), (16, 36, 2), (32, 2, 2)] {
                 repeat n as j { b(w, if j == 0 { s } else { 1 }) }
               }
             }",
        );
        // A block has seven rows. The first of a stage that narrows has two more, so what repeats begins with the second.
        let expected = [
            (7..21, 2, "0.1 … 0.2", "0.0"),
            (37..275, 34, "1.2 … 1.35", "1.1"),
        ];
        let found: Vec<_> = folds
            .iter()
            .map(|fold| {
                let (label, like) = (fold.label.as_str(), fold.like.as_str());
                (fold.rows.clone(), fold.times, label, like)
            })
            .collect();
        assert_eq!(found, expected);
        assert_eq!(rows, 275 + 9 + 7);
    }

    #[test]
    fn what_differs_in_size_or_is_read_elsewhere_does_not_fold() {
        let grows = "cnn 1; model M { input x: 4x8x8
            for w in [8, 16, 32] { { conv 1x1 w ; conv 3x3 w pad half ; conv 1x1 w relu } } }";
        assert_eq!(folds(grows).0, []);
        let read = "cnn 1; block b() { one: conv 1x1 8 ; two: conv 3x3 8 pad half ; three: conv 1x1 8 relu }
            model M { input x: 8x8x8 ; p: b() ; q: b() ; r: b() ; add(p, r) }";
        let found = folds(read).0;
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(
            (found[0].label.as_str(), found[0].like.as_str()),
            ("r", "q")
        );
    }
}
