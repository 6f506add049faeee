//! What a network is made of and what it costs: the figures of `cnnc summary`.

use cnnc_compiler::graph::{Graph, Node, ParamId};
use cnnc_compiler::hash;
use cnnc_compiler::layer::{self, Layer, ParamDecl};
use cnnc_compiler::lower::Lowered;
use cnnc_runtime::session::session_bytes;
use std::collections::HashSet;

/// One layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its label.
    pub label: String,
    /// Its keyword.
    pub layer: &'static str,
    /// Every parameter with the value in use, defaults included.
    pub attributes: Vec<(&'static str, String)>,
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
    /// Learned parameters.
    pub parameters: u64,
    /// Multiply-adds of convolutions and dense layers.
    pub macs: u64,
    /// Bytes of a session: the arena, inputs and outputs.
    pub arena_bytes: usize,
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
    pub(crate) fn new(graph: &Graph, lowered: &Lowered) -> Summary {
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
                let default = format!("{}.{name} {}", row.layer, short(value));
                if is_default(row.layer, name, value) && !defaults.contains(&default) {
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
            arena_bytes: session_bytes(&lowered.plan),
            weight_bytes: lowered.plan.packed * size_of::<f32>(),
            isa: lowered.plan.isa,
            hash: hash::architecture(graph),
            defaults,
        }
    }
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
    Row {
        label: node.label.clone(),
        layer: keyword,
        attributes,
        written: describe(&*node.layer),
        output: graph.values[node.output].shape.dims().to_vec(),
        parameters,
        shared: parameters == 0 && !learned.is_empty(),
        macs: graph.node_macs(node),
    }
}

/// A layer as it would be written, without parameters that have their declared default.
pub(crate) fn describe(layer: &dyn Layer) -> String {
    let (keyword, attributes) = layer.attributes();
    let mut text = keyword.to_owned();
    for (name, value) in attributes {
        let declared = declaration(keyword, name);
        let value = match declared.is_some_and(|param| param.default.is_some()) {
            true => short(&value),
            false => value,
        };
        if declared.is_some_and(|param| param.default == Some(&value)) {
            continue;
        }
        text.push(' ');
        if !declared.is_some_and(|param| param.positional) {
            text += name;
            text.push(' ');
        }
        text += &value;
    }
    text
}

fn is_default(keyword: &str, name: &str, value: &str) -> bool {
    let declared = declaration(keyword, name);
    declared.is_some_and(|param| param.default == Some(&short(value)))
}

fn declaration(keyword: &str, name: &str) -> Option<&'static ParamDecl> {
    let params = layer::find(keyword)?.params;
    params.iter().find(|param| param.name == name)
}

/// What stands for the same along every axis, once: `/2` for `/2x2`, `1` for `(1, 1, 1, 1)`.
fn short(value: &str) -> String {
    let stride = value.strip_prefix('/');
    let list = value
        .strip_prefix('(')
        .and_then(|value| value.strip_suffix(')'));
    let (prefix, parts): (&str, Vec<&str>) = match (stride, list) {
        (Some(extents), _) => ("/", extents.split('x').collect()),
        (_, Some(list)) => ("", list.split(", ").collect()),
        _ => ("", value.split('x').collect()),
    };
    match parts[..] {
        [first, ref rest @ ..]
            if !rest.is_empty() && !first.is_empty() && rest.iter().all(|part| *part == first) =>
        {
            format!("{prefix}{first}")
        }
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn equal_axes_are_written_once() {
        let values = [
            "/2x2",
            "/2x1",
            "1x1x1",
            "(2, 2, 2, 2)",
            "(0, 1, 0, 1)",
            "half",
            "x",
            "3",
        ];
        let expected = ["/2", "/2x1", "1", "2", "(0, 1, 0, 1)", "half", "x", "3"];
        assert_eq!(values.map(short), expected);
    }
}
