//! The text of `dump --stage=graph`: one line per node, stable.
//!
//! ```text
//! graph LeNet5
//! %v0: 1x28x28 = input image
//! %v1: 6x28x28 = conv(%v0) {kernel 5x5, out 6, …} [c1.weight, c1.bias] @c1_conv
//! %v2: 6x28x28 = tanh(%v1) @c1
//! raw = %v2
//! ```

use super::{Def, Graph};
use crate::layer::attribute::listed;
use std::fmt::Write;

/// The live part of the graph as text.
pub fn dump(graph: &Graph) -> String {
    let mut out = format!("graph {}\n", graph.name);
    for input in &graph.inputs {
        let shape = &graph.values[input.value].shape;
        line(
            &mut out,
            format_args!("%{}: {shape} = input {}", input.value, input.name),
        );
    }
    for (id, value) in graph.values.iter() {
        if let Def::Param(param) = value.def {
            let name = &graph.params[param].name;
            line(&mut out, format_args!("%{id}: {} = [{name}]", value.shape));
        }
    }
    for (_, node) in graph.live() {
        let (keyword, attributes) = node.layer.attributes();
        let operands: Vec<String> = node
            .inputs
            .iter()
            .map(|value| format!("%{value}"))
            .collect();
        let params: Vec<&str> = node
            .params
            .iter()
            .map(|&param| graph.params[param].name.as_str())
            .collect();
        let mut text = format!(
            "%{}: {} = {keyword}({})",
            node.output,
            graph.values[node.output].shape,
            operands.join(", ")
        );
        if !attributes.is_empty() {
            let _ = write!(text, " {{{}}}", listed(&attributes, " ", ", "));
        }
        if !params.is_empty() {
            let _ = write!(text, " [{}]", params.join(", "));
        }
        line(&mut out, format_args!("{text} @{}", node.label));
    }
    for output in &graph.outputs {
        line(
            &mut out,
            format_args!("{} = %{}", output.name, output.value),
        );
    }
    for (param, value) in &graph.stores {
        let name = &graph.params[*param].name;
        line(&mut out, format_args!("[{name}] := %{value}"));
    }
    out
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = writeln!(out, "{text}");
}
