//! Layers against numbers from elsewhere: node tests of ONNX 1.17.0 (Apache-2.0), written as layers.
//!
//! `onnx_nodes.txt` has a block of lines for each: its name there, the layer, shape and elements of each operand, and those of the result. Where the first
//! extent of a test is a batch of one, it is left out.

use cnnc_compiler::diagnostic::MemoryLoader;
use cnnc_compiler::graph::{Graph, Param};
use cnnc_compiler::reference::evaluate;
use cnnc_compiler::{Files, compile_source};
use ndarray::{ArrayD, IxDyn};
use std::collections::{BTreeMap, BTreeSet};

fn compile(body: &str) -> Graph {
    let text = format!("cnn 1\nmodel Sample {{\n{body}\n}}\n");
    let mut files = Files::new(MemoryLoader(BTreeMap::new()));
    match compile_source(&mut files, "sample.cnn", &text) {
        Ok(model) => model.graph,
        Err(problems) => panic!("`{body}`\n{}", problems.render(false)),
    }
}

fn tensor(shape: &str, elements: &str) -> ArrayD<f64> {
    let shape = shape
        .split('x')
        .map(|extent| extent.parse().expect("an extent"));
    let shape: Vec<usize> = shape.collect();
    let elements = elements.split(' ').map(|x| x.parse().expect("a number"));
    ArrayD::from_shape_vec(IxDyn(&shape), elements.collect()).expect("as many elements")
}

fn none(param: &Param) -> ArrayD<f64> {
    panic!("`{}` is not given", param.name)
}

#[test]
fn layers_have_the_values_of_node_tests() {
    let mut keywords = BTreeSet::new();
    for block in include_str!("onnx_nodes.txt").split("\n\n") {
        let lines: Vec<&str> = block.lines().collect();
        let [name, layer, tensors @ ..] = lines.as_slice() else {
            panic!("{block}");
        };
        let mut tensors: Vec<ArrayD<f64>> = tensors
            .chunks_exact(2)
            .map(|pair| tensor(pair[0], pair[1]))
            .collect();
        let result = tensors.pop().expect("a result");
        let mut body = String::new();
        let mut names = Vec::new();
        for (index, operand) in tensors.iter().enumerate() {
            let extents: Vec<String> = operand.shape().iter().map(usize::to_string).collect();
            body += &format!("input i{index}: {}\n", extents.join("x"));
            names.push(format!("i{index}"));
        }
        body += &match names.len() {
            1 => (*layer).to_owned(),
            _ => format!("{layer}({})", names.join(", ")),
        };
        let found = evaluate(&compile(&body), &none, &tensors).remove(0);
        assert_eq!(found.shape(), result.shape(), "{name}: {body}");
        let most = result.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        for (found, right) in found.iter().zip(&result) {
            let off = (found - right).abs();
            assert!(
                off <= 1e-6 * most.max(1e-3),
                "{name}: {body}: {found} is not {right}"
            );
        }
        keywords.insert(layer.split(' ').next().expect("a keyword"));
    }
    let compared = [
        "add",
        "avgpool",
        "ceil",
        "celu",
        "div",
        "floor",
        "hardsigmoid",
        "log",
        "logsoftmax",
        "lppool",
        "matmul",
        "maxpool",
        "mul",
        "reduce",
        "resize",
        "round",
        "shrink",
        "sign",
        "softmax",
        "sub",
        "thresholdedrelu",
        "tile",
    ];
    assert_eq!(keywords, BTreeSet::from(compared));
}
