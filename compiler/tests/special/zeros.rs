//! Signs of zeros, and results beyond the range of f32: docs/language.md, "Numbers".

use super::activations::ACTIVATIONS;
use super::{ISAS, engines};
use crate::compile;
use crate::support::{proven, reference};
use cnnc_compiler::graph::Graph;
use cnnc_compiler::pass::optimize;
use cnnc_compiler::target::{Arithmetic, Target};

/// Zeros, and numbers that layers make zeros of.
const OPERANDS: [f32; 12] = [
    -0.0,
    0.0,
    -1.0,
    1.0,
    -5.0,
    7.0,
    -200.0,
    200.0,
    -3e38,
    3e38,
    f32::NEG_INFINITY,
    f32::INFINITY,
];

/// What the reference makes of a network, in f32.
fn narrow(graph: &Graph, inputs: &[Vec<f32>]) -> Vec<f32> {
    let outputs = reference(graph, inputs);
    outputs[0].iter().map(|&x| x as f32).collect()
}

/// What every engine makes of a network: the reference first, of the graph as it is written and as passes leave it, then the others for each ISA.
fn everywhere(body: &str, inputs: &[Vec<f32>]) -> Vec<(String, Vec<f32>)> {
    let graph = compile(body).unwrap_or_else(|problems| panic!("{body}\n{problems}"));
    let (optimized, _) = optimize(&graph);
    let mut results = vec![
        ("the reference".to_owned(), narrow(&graph, inputs)),
        (
            "the reference, fused".to_owned(),
            narrow(&optimized, inputs),
        ),
    ];
    for isa in ISAS {
        for (form, graph) in [("as written", &graph), ("fused", &optimized)] {
            let lowered = proven(body, graph, &Target::new(isa, Arithmetic::Exact));
            for (engine, [outputs]) in engines(&lowered, [inputs]) {
                results.push((format!("{engine}, {form}, {isa}"), outputs[0].clone()));
            }
        }
    }
    results
}

/// Whether two numbers are the same number, zeros with their sign.
fn same(x: f32, y: f32) -> bool {
    x.to_bits() == y.to_bits() || (x.is_nan() && y.is_nan())
}

/// All engines agree on which results are zeros, and on their signs, in whole vectors and in what is left of them.
#[test]
fn zeros_of_activations_have_one_sign() {
    let more = [
        "elu -0.5",
        "leaky",
        "leaky 0",
        "leaky -0.5",
        "clip -0.0 1",
        "clip -1 0",
        "clip 0 0",
        "scale -2",
        "scale 0",
        "prelu",
        "prelu single",
    ];
    for written in ACTIVATIONS.iter().chain(&more) {
        for length in [1, 2, 7, 14, 16, 17, 103] {
            let input: Vec<f32> = OPERANDS.iter().copied().cycle().take(length).collect();
            let body = format!("input x: {length}; p: {written}");
            let results = everywhere(&body, std::slice::from_ref(&input));
            let (_, right) = &results[0];
            for (engine, found) in &results {
                for ((&x, &y), operand) in found.iter().zip(right).zip(&input) {
                    assert!(
                        same(x, y) || (x != 0.0 && y != 0.0),
                        "{body}, {engine}: {x:?} of {operand:?}, must be {y:?}"
                    );
                }
            }
        }
    }
}

/// The rule itself: limits leave alone what is not beyond them, and what is becomes the limit.
#[test]
fn limits_are_positive_zeros() {
    let sure = [
        ("relu", [-0.0, 0.0, 0.0]),
        ("relu6", [-0.0, 0.0, 0.0]),
        ("clip 0 6", [-0.0, 0.0, 0.0]),
        ("clip -0.0 6", [-0.0, 0.0, 0.0]),
        ("elu 0", [-0.0, 0.0, -0.0]),
        ("leaky 0.1", [-0.0, 0.0, -0.3]),
        ("hardsigmoid", [0.5, 0.5, 0.0]),
        ("abs", [0.0, 0.0, 3.0]),
        ("hardswish", [-0.0, 0.0, -0.0]),
    ];
    for (written, right) in sure {
        for (engine, found) in
            everywhere(&format!("input x: 3; {written}"), &[vec![-0.0, 0.0, -3.0]])
        {
            for (&x, &y) in found.iter().zip(&right) {
                let near = y != 0.0 && (x - y).abs() < 1e-6;
                assert!(near || same(x, y), "{written}, {engine}: {found:?}");
            }
        }
    }
}

/// Fused into what makes their operand, in every kernel that does so, rectifiers make the same zeros.
#[test]
fn fused_rectifiers_make_positive_zeros() {
    for activation in ["relu", "relu6", "clip 0 6", "clip -0.0 6"] {
        for (channels, makers) in [
            (1, "conv 1x1 1 bias off weight [[[[1]]]]"),
            (
                1,
                "conv 3x3 1 pad half bias off weight [[[[0,0,0],[0,1,0],[0,0,0]]]]",
            ),
            (2, "conv 1x1 2 groups 2 bias off weight [[[[1]]], [[[1]]]]"),
            (1, "conv 1x1 19 bias off weight [REPEATED]"),
            (1, "flatten dense 23 bias off"),
            (1, "conv 1x1 5 bn"),
            (1, "c: conv 1x1 1 bias off weight [[[[1]]]]; add(c, x)"),
            (1, "add(x, x)"),
        ] {
            let makers = makers.replace("REPEATED", &["[[[1]]]"; 19].join(","));
            let body = format!("input x: {channels}x5x7; {makers}\n {activation}");
            for value in [-1.0, -3e38, f32::NEG_INFINITY] {
                // Weights of 1 make a sum of the operand and zeros; what 3×3 weights of zero make of infinities is NaN.
                if value.is_infinite() && (makers.contains("3x3") || makers.contains("dense")) {
                    continue;
                }
                for (engine, found) in everywhere(&body, &[vec![value; 35 * channels]]) {
                    let positive = |x: &f32| x.is_nan() || x.is_sign_positive();
                    assert!(
                        found.iter().all(positive),
                        "{body} of {value}, {engine}: {found:?}"
                    );
                    let synthetic = makers.contains("dense") || makers.contains("bn");
                    let zero = |x: &f32| synthetic || same(*x, 0.0);
                    assert!(
                        found.iter().all(zero),
                        "{body} of {value}, {engine}: {found:?}"
                    );
                }
            }
        }
    }
}

/// Among zeros of both signs, a pool has the first and `max` the last.
#[test]
fn maxima_of_zeros_are_one_of_them() {
    let (plus, minus) = (0.0f32, -0.0f32);
    for (first, second) in [(plus, minus), (minus, plus)] {
        for (engine, found) in everywhere("input x: 1x2; maxpool 2", &[vec![first, second]]) {
            assert!(same(found[0], first), "maxpool, {engine}: {found:?}");
        }
        for (engine, found) in everywhere("input x: 1x2; globalmaxpool", &[vec![first, second]]) {
            assert!(same(found[0], first), "globalmaxpool, {engine}: {found:?}");
        }
        for (engine, found) in everywhere("input x, y: 1; max(x, y)", &[vec![first], vec![second]])
        {
            assert!(same(found[0], second), "max, {engine}: {found:?}");
        }
    }
}

/// A result of a layer is infinite where f32 ends, and zero where its normal numbers do.
#[test]
fn results_have_the_range_of_f32() {
    const INF: f32 = f32::INFINITY;
    let cases = [
        ("scale 3e38 scale 10 scale 1e-37", 1.0, INF),
        ("scale 3e38 scale -10 scale 1e-37", 1.0, -INF),
        ("scale 3e38 scale 10 relu6", 1.0, 6.0),
        ("scale 3e38 scale 10 scale 0", 1.0, f32::NAN),
        // The largest number, and the next.
        ("scale 2", f32::MAX / 2.0, f32::MAX),
        ("scale 2", 2f32.powi(127), INF),
        ("exp exp", 5.0, INF),
        ("scale 1e-30 scale 1e-30 scale 1e30 scale 1e30", 1.0, 0.0),
        ("scale 1e-30 scale -1e-30 scale 1e30", 1.0, -0.0),
        ("scale 1", 1e-40, 0.0),
        ("add(x, x) scale 0.5", 3e38, INF),
    ];
    for (layers, operand, right) in cases {
        for length in [1, 37] {
            let body = format!("input x: {length}; {layers}");
            for (engine, found) in everywhere(&body, &[vec![operand; length]]) {
                assert!(
                    found.iter().all(|&x| same(x, right)),
                    "{layers} of {operand:e}, {engine}: {found:?}, must be {right:?}"
                );
            }
        }
    }
}

/// A constant is zero where machine code would read zero, in the reference too, however large its operand is.
#[test]
fn constants_that_are_denormal_are_zero() {
    let cases = [
        ("scale 1e-40", 1e20, 0.0),
        ("scale -1e-40", 1e20, -0.0),
        // Rounded to a normal number, and to a denormal one.
        ("scale 1.1754942e-38 scale 1e38", 1.0, 0.0),
        ("scale 1.17549434e-38 scale 8.5070592e37", 1.0, 1.0),
        ("scale 0 shift 1e-40 scale 1e38 scale 1e10", 1.0, 0.0),
        ("leaky 1e-40 scale 1e30", -1e20, -0.0),
        ("clip 1e-40 1 pow -1", -1.0, f32::INFINITY),
        (
            "pad (0, 1) value 1e-40 slice 1 2 axis 1 scale 1e38",
            1.0,
            0.0,
        ),
        ("conv 1 1 bias off weight [[[1e-40]]]", 1e20, 0.0),
        // A third of it is denormal.
        ("lrn 3 alpha 2e-38 beta 1 k 2e-38", 1e16, f32::INFINITY),
    ];
    for (layers, operand, right) in cases {
        let body = format!("input x: 1x1; {layers}");
        for (engine, found) in everywhere(&body, &[vec![operand]]) {
            let near = |x: f32| right != 0.0 && (x - right).abs() < 1e-6;
            assert!(
                found.iter().all(|&x| same(x, right) || near(x)),
                "{layers} of {operand:e}, {engine}: {found:?}, must be {right:?}"
            );
        }
    }
}
