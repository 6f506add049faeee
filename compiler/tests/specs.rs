//! The specs of the repository compile to the networks that they are named after.

use cnnc_compiler::compile_file;
use cnnc_compiler::graph::{dump, verify};
use cnnc_compiler::hash;
use std::path::PathBuf;

fn specs() -> Vec<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../specs");
    let mut specs: Vec<PathBuf> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "cnn"))
        .collect();
    specs.sort();
    specs
}

#[test]
fn every_spec_compiles_without_warnings() {
    assert!(specs().len() >= 8);
    for path in specs() {
        match compile_file(&path) {
            Ok(model) => {
                assert!(model.warnings.is_empty(), "{}", model.warnings);
                assert_eq!(verify(&model.graph), Ok(()), "{path:?}");
            }
            Err(problems) => panic!("{problems}"),
        }
    }
}

/// Names and shapes of a model's parameters, those that a state dict has.
fn tensors(name: &str) -> Vec<(String, Vec<usize>)> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../specs/{name}.cnn"));
    let graph = compile_file(path)
        .unwrap_or_else(|problems| panic!("{problems}"))
        .graph;
    let mut tensors: Vec<_> = graph
        .params
        .values()
        .map(|param| (param.name.clone(), param.shape.clone()))
        .collect();
    tensors.sort();
    tensors
}

#[test]
fn tensors_are_called_as_in_the_published_weights() {
    let Some(path) = cnnc_testing::shared("goldens/state_dict_names.json") else {
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let published: serde_json::Value = serde_json::from_str(&text).unwrap();
    for (name, tensors_of_it) in published.as_object().unwrap() {
        let mut expected: Vec<(String, Vec<usize>)> = tensors_of_it
            .as_array()
            .unwrap()
            .iter()
            .map(|row| serde_json::from_value(row.clone()).unwrap())
            .filter(|(name, _): &(String, Vec<usize>)| !name.ends_with("num_batches_tracked"))
            .collect();
        expected.sort();
        assert_eq!(tensors(name), expected, "{name}");
    }
}

const LENET5: &str = "\
graph LeNet5
%v0: 1x28x28 = input image
%v1: 6x28x28 = conv(%v0) {kernel 5x5, out 6, stride /1x1, pad (2, 2, 2, 2), dilation 1x1, groups 1, bias on} [c1.weight, c1.bias] @c1_conv
%v2: 6x28x28 = tanh(%v1) @c1
";

#[test]
fn the_dump_of_a_graph_is_stable() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../specs/lenet5.cnn");
    let graph = compile_file(path)
        .unwrap_or_else(|problems| panic!("{problems}"))
        .graph;
    let text = dump(&graph);
    println!(
        "{text}{}{}",
        hash::canonical(&graph),
        hash::architecture(&graph)
    );
    assert!(text.starts_with(LENET5), "{text}");
    assert!(
        text.ends_with("@softmax_1\nraw = %v12\nprobabilities = %v13\n"),
        "{text}"
    );
}

#[test]
fn passes_keep_every_spec_valid() {
    for path in specs() {
        let graph = compile_file(path)
            .unwrap_or_else(|problems| panic!("{problems}"))
            .graph;
        // It verifies after each pass.
        let (optimised, _) = cnnc_compiler::pass::optimize(&graph);
        assert!(optimised.order.len() <= graph.order.len());
    }
}

/// The hash of the normal form of a network.
fn normal(text: &str) -> String {
    let mut files = cnnc_compiler::Files::default();
    let model = cnnc_compiler::compile_source(&mut files, "net.cnn", text);
    let model = model.unwrap_or_else(|problems| panic!("{problems}"));
    hash::normal(&cnnc_compiler::pass::folded(&model.graph))
}

#[test]
fn the_normal_form_is_of_the_network_and_not_of_how_it_is_written() {
    let net = |body: &str| {
        normal(&format!(
            "cnn 1\nmodel M {{\n  input x: 3x15x14\n  {body}\n}}\n"
        ))
    };
    let same = [
        ("conv 3x3 8 pad half", "conv 3x3 8 pad 1"),
        ("conv 3x3 8 /2 pad same", "conv 3x3 8 /2 pad (1, 1, 0, 1)"),
        ("conv 3x3 8 bias off bn relu", "conv 3x3 8 relu"),
        ("conv 3x3 8 bn affine off", "conv 3x3 8 bias off bn"),
        ("relu dropout 0.3 tanh", "relu tanh"),
        ("maxpool 3x3 /2 ceil", "maxpool 3x3 /2 pad (0, 0, 0, 1)"),
        ("conv 3x3 8 bias off; bn eps 1e-5", "conv 3x3 8"),
        ("leaky 0.1", "leaky 0.10000000149011612"),
        ("a: relu; b: tanh; add(a, b)", "a: relu; b: tanh; add(b, a)"),
        ("slice 1", "slice 1 3"),
        (
            "conv 1x2 2 weight [[1, 2]]",
            "conv 1x2 2 weight [[[[1, 2]], [[1, 2]], [[1, 2]]], [[[1, 2]], [[1, 2]], [[1, 2]]]]",
        ),
        (
            "k: constant 2x2 weight [[1, 2], [3, 4]]",
            "k: constant 2x2 weight [1, 2, 3, 4]",
        ),
        ("relu; tap x", "relu"),
        ("subsample /2", "subsample /2x2"),
        ("avgpool 1x1 relu", "adaptiveavgpool 15x14 relu"),
        (
            "adaptiveavgpool 1x1 conv 1x1 4 relu flatten",
            "globalavgpool dense 4 relu",
        ),
        (
            "globalavgpool; out: dense 5; head classify",
            "globalavgpool; out: dense 5; softmax; tap out",
        ),
    ];
    for (one, other) in same {
        assert_eq!(net(one), net(other), "{one} | {other}");
    }
    let different = [
        ("conv 3x3 8 bias off", "conv 3x3 8"),
        ("conv 3x3 8 pad 1", "conv 3x3 8"),
        ("maxpool 3x3 /2", "maxpool 3x3 /2 ceil"),
        (
            "avgpool 3x3 /1 pad 1",
            "avgpool 3x3 /1 pad 1 count_include_pad",
        ),
        ("relu bn eps 1e-3", "relu bn eps 1e-5"),
        ("leaky 0.1", "leaky 0.2"),
        ("a: relu; b: tanh; sub(a, b)", "a: relu; b: tanh; sub(b, a)"),
        ("slice 0 2", "slice 1 3"),
        ("shrink 0.5", "shrink 0.5 bias 0.5"),
        ("conv 1x2 2 weight [[1, 2]]", "conv 1x2 2"),
        ("conv 1x2 2 weight [[1, 2]]", "conv 1x2 2 weight [[1, 3]]"),
    ];
    for (one, other) in different {
        assert_ne!(net(one), net(other), "{one} | {other}");
    }
}

/// Shared weights are one thing in the normal form, too.
#[test]
fn two_calls_are_not_two_networks() {
    let shared = "cnn 1\nmodel M {\n  input a, b: 3x8x8\n  shared f { conv 3x3 4 bn }\n  add(f(a), f(b))\n}\n";
    let own = "cnn 1\nmodel M {\n  input a, b: 3x8x8\n  p: route a conv 3x3 4 bn\n  q: route b conv 3x3 4 bn\n  add(p, q)\n}\n";
    assert_ne!(normal(shared), normal(own));
}
