//! Networks of as many nodes as one may have are imported in the time that so many lines take, however they hang together.

use super::messages::{ints, model, node, tensor, value};
use cnnc::onnx::proto::*;
use cnnc::onnx::{Options, import};
use prost::Message;
use std::time::{Duration, Instant};

/// What so many nodes may take; a second or two on an idle processor.
const MOST: Duration = Duration::from_secs(20);

fn x() -> Vec<ValueInfoProto> {
    vec![value("x", &[1, 2, 2, 2])]
}

/// Imports a network with the output `last`.
#[track_caller]
fn imported(what: &str, nodes: Vec<NodeProto>, last: &str, constants: Vec<TensorProto>) {
    let mut network = model(nodes, x(), constants);
    network.graph.as_mut().unwrap().output = vec![value(last, &[1, 2, 2, 2])];
    let bytes = network.encode_to_vec();
    let start = Instant::now();
    let imported = import(bytes, None, &Options::default());
    let time = start.elapsed();
    assert!(imported.is_ok(), "{what}: {imported:?}");
    assert!(time < MOST, "{what}: {time:?}");
}

/// A chain of `count` activations `y0`, `y1`, …
fn chain(count: usize) -> Vec<NodeProto> {
    let link = |at: usize| {
        let before = match at {
            0 => "x".to_owned(),
            at => format!("y{}", at - 1),
        };
        let op = if at.is_multiple_of(2) {
            "Relu"
        } else {
            "Sigmoid"
        };
        node(op, &[&before], &[&format!("y{at}")], vec![])
    };
    (0..count).map(link).collect()
}

/// `z = tanh(z) + y` for every `y` of a chain, the last one innermost.
#[test]
fn sums_within_sums() {
    let count = 6_000;
    let mut nodes = chain(count);
    let mut last = format!("y{}", count - 1);
    for at in 0..count {
        let (t, z) = (format!("t{at}"), format!("z{at}"));
        let other = match count - 1 - at {
            0 => "x".to_owned(),
            other => format!("y{}", other - 1),
        };
        nodes.push(node("Tanh", &[&last], &[&t], vec![]));
        nodes.push(node("Add", &[&t, &other], &[&z], vec![]));
        last = z;
    }
    imported("sums within sums", nodes, &last, vec![]);
}

/// `((a + b) + c) + …`, of tensors that are all there before.
#[test]
fn sums_of_sums() {
    let count = 9_000;
    let mut nodes: Vec<NodeProto> = (0..count)
        .map(|at| node("Relu", &["x"], &[&format!("y{at}")], vec![]))
        .collect();
    let mut last = "y0".to_owned();
    for at in 1..count {
        let z = format!("z{at}");
        nodes.push(node("Add", &[&last, &format!("y{at}")], &[&z], vec![]));
        last = z;
    }
    imported("sums of sums", nodes, &last, vec![]);
}

#[test]
fn as_many_tensors_side_by_side() {
    let count = 9_000;
    let names: Vec<String> = (0..count).map(|at| format!("y{at}")).collect();
    let parts = names.iter().enumerate().flat_map(|(at, name)| {
        let own = format!("r{at}");
        [
            node("Relu", &["x"], &[&own], vec![]),
            node("Sigmoid", &[&own], &[name], vec![]),
        ]
    });
    let mut nodes: Vec<NodeProto> = parts.collect();
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    let axis = AttributeProto {
        name: "axis".to_owned(),
        i: 1,
        r#type: attribute_type::INT,
        ..AttributeProto::default()
    };
    nodes.push(node("Concat", &all, &["y"], vec![axis]));
    imported("tensors side by side", nodes, "y", vec![]);
}

/// Blocks of which no two are alike but in pairs.
#[test]
fn as_many_blocks() {
    let count = 3_000;
    let weights = |channels: i64| {
        let n = (channels * 2) as usize;
        [
            tensor(&format!("in{channels}"), &[channels, 2, 1, 1], vec![0.5; n]),
            tensor(
                &format!("out{channels}"),
                &[2, channels, 1, 1],
                vec![0.5; n],
            ),
        ]
    };
    let mut nodes = Vec::new();
    let mut last = "x".to_owned();
    let widths = 40;
    for at in 0..count {
        let width = 1 + at % widths;
        let [a, b, c, y] = ["a", "b", "c", "y"].map(|name| format!("{name}{at}"));
        let kernel = || vec![ints("kernel_shape", &[1, 1])];
        nodes.push(node(
            "Conv",
            &[&last, &format!("in{width}")],
            &[&a],
            kernel(),
        ));
        nodes.push(node("Relu", &[&a], &[&b], vec![]));
        nodes.push(node("Conv", &[&b, &format!("out{width}")], &[&c], kernel()));
        nodes.push(node("Add", &[&c, &last], &[&y], vec![]));
        last = y;
    }
    let constants = (1..=widths as i64).flat_map(weights).collect();
    imported("blocks", nodes, &last, constants);
}

/// Branches that a constant chooses, one behind another.
#[test]
fn as_many_branches() {
    let mut nodes = Vec::new();
    let mut last = "x".to_owned();
    for at in 0..8_000 {
        let made = format!("i{at}");
        let inner = GraphProto {
            node: vec![node("Identity", &[&last], &["r"], vec![])],
            output: vec![value("r", &[1, 2, 2, 2])],
            ..GraphProto::default()
        };
        let branch = |name: &str| AttributeProto {
            name: name.to_owned(),
            g: inner.encode_to_vec().into(),
            r#type: attribute_type::GRAPH,
            ..AttributeProto::default()
        };
        let both = vec![branch("then_branch"), branch("else_branch")];
        nodes.push(node("If", &["c"], &[&made], both));
        last = made;
    }
    nodes.push(node("Relu", &[&last], &["y"], vec![]));
    let chosen = TensorProto {
        name: "c".to_owned(),
        data_type: data_type::BOOL,
        raw_data: vec![1u8].into(),
        ..TensorProto::default()
    };
    imported("branches", nodes, "y", vec![chosen]);
}
