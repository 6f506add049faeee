//! Laws of gradients, for every layer of the table and each of its samples.

use cnnc_compiler::diagnostic::MemoryLoader;
use cnnc_compiler::gradient::check::{self, TOLERANCE};
use cnnc_compiler::gradient::{Wanted, differentiate};
use cnnc_compiler::graph::{Graph, Node};
use cnnc_compiler::layer::{Decl, LAYERS};
use cnnc_compiler::op::OPS;
use cnnc_compiler::{Files, compile_source};
use std::collections::{BTreeMap, BTreeSet};

/// The graph of a model with that body.
fn compile(body: &str) -> Graph {
    let text = format!("cnn 1\nmodel Sample {{\n{body}\n}}\n");
    let mut files = Files::new(MemoryLoader(BTreeMap::new()));
    match compile_source(&mut files, "sample.cnn", &text) {
        Ok(model) => model.graph,
        Err(problems) => panic!("`{body}`\n{}", problems.render(false)),
    }
}

fn each_sample(mut law: impl FnMut(&str, &'static Decl, &Graph)) {
    for decl in LAYERS {
        for sample in decl.samples {
            law(sample, decl, &compile(sample));
        }
    }
}

/// Each layer's own nodes in its samples.
fn each_node(mut law: impl FnMut(&str, &'static Decl, &Graph, &Node)) {
    each_sample(|sample, decl, graph| {
        for (_, node) in graph.live() {
            if node.layer.keyword() == decl.keyword {
                law(sample, decl, graph, node);
            }
        }
    });
}

fn names(graph: &Graph, node: &Node) -> Vec<String> {
    let params = node.params.iter();
    params.map(|&id| graph.params[id].name.clone()).collect()
}

/// What has no gradient by its nature: corners of regions.
const CONSTANT: [(&str, usize); 2] = [("roipool", 1), ("roialign", 1)];

#[test]
fn gradients_are_those_of_differences() {
    let mut nodes = 0;
    each_node(|sample, decl, graph, node| {
        let operands = graph.operand_shapes(node);
        let found = check::layer(&*node.layer, &operands, &names(graph, node));
        let found = found.unwrap_or_else(|error| panic!("`{sample}`: {error}"));
        for (index, entry) in found.iter().enumerate() {
            let constant = CONSTANT.contains(&(decl.keyword, index));
            assert_eq!(entry.error.is_none(), constant, "`{sample}`: {}", entry.of);
            let error = entry.error.unwrap_or(0.0);
            assert!(
                error <= TOLERANCE,
                "`{sample}`: {} is off by {error:e}",
                entry.of
            );
        }
        let learned = node.params.iter().filter(|&&id| graph.params[id].learned);
        assert_eq!(found.len(), operands.len() + learned.count(), "`{sample}`");
        nodes += 1;
    });
    assert!(nodes >= 300, "{nodes} nodes");
}

/// Every layer has a gradient, and what gradients are made of is what the tables list: all of it, and nothing else.
#[test]
fn every_layer_has_a_gradient_of_listed_operations() {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    each_sample(|sample, _, graph| {
        let gradients = differentiate(graph, &Wanted::all());
        let gradients = gradients.unwrap_or_else(|error| panic!("`{sample}`: {error}"));
        seen.extend(gradients.keywords());
    });
    let listed = LAYERS.iter().map(|decl| decl.keyword);
    let listed: BTreeSet<&str> = listed.chain(OPS.iter().copied()).collect();
    assert_eq!(seen, listed);
}
