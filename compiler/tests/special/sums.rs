//! Sums of very many terms keep their accuracy: averages, Gram matrices and lengths 1e-6 of the mean of their terms' magnitudes, convolutions of more
//! than 16,384 terms 1e-6 of `Σ |x · w|`.

use super::{ISAS, engines};
use crate::compile;
use crate::support::{inputs, parameter, proven, reference, widened};
use cnnc_compiler::graph::Param;
use cnnc_compiler::reference::evaluate;
use cnnc_compiler::target::{Arithmetic, Target};

const PROMISED: f64 = 1e-6;

/// Checks every engine against the reference; the bound of each output is 1e-6 of what the reference makes of the magnitudes.
fn check(body: &str, arithmetic: Arithmetic, inputs: &[Vec<f32>]) {
    let graph = compile(body).unwrap_or_else(|problems| panic!("{body}\n{problems}"));
    let exact = reference(&graph, inputs);
    let positive = |param: &Param| parameter(param).mapv(f64::abs);
    // Constant weights are positive here.
    let operands = widened(&graph, inputs);
    let operands: Vec<_> = operands.iter().map(|x| x.mapv(f64::abs)).collect();
    let magnitudes = evaluate(&graph, &positive, &operands);
    for isa in ISAS {
        let lowered = proven(body, &graph, &Target::new(isa, arithmetic));
        for (engine, [outputs]) in engines(&lowered, [inputs]) {
            for ((&x, y), terms) in outputs[0].iter().zip(&exact[0]).zip(&magnitudes[0]) {
                let off = (f64::from(x) - y).abs() / terms;
                assert!(
                    off <= PROMISED,
                    "{body}, {isa}, {engine}: {x}, must be {y}: off by {off:e} of {terms}"
                );
            }
        }
    }
}

/// One number everywhere, whose additions all round the same way, and numbers of both signs.
fn checked(body: &str, arithmetic: Arithmetic) {
    let graph = compile(body).unwrap_or_else(|problems| panic!("{body}\n{problems}"));
    let random = inputs(&graph);
    let constant: Vec<Vec<f32>> = random.iter().map(|x| vec![0.1; x.len()]).collect();
    check(body, arithmetic, &constant);
    check(body, arithmetic, &random);
}

#[test]
fn averages_keep_their_accuracy() {
    for body in [
        "input x: 3x300x300; globalavgpool",
        "input x: 17x61x37; globalavgpool",
        "input x: 2x70000; globalavgpool",
        "input x: 2x40x50x30; globalavgpool",
        "input x: 3x200x210; adaptiveavgpool 1x1",
        "input x: 2x500x300; adaptiveavgpool 2x3",
        "input x: 1x300x300; avgpool 250x250 /25",
        "input x: 5x40x40; avgpool 4x4 /3 pad 1 ceil count_include_pad",
        "input x: 2x30x60x20; avgpool 30x60x20",
        "input x: 9x5000; avgpool 4001 /499",
        "input x: 3000x2; lrn 2999 alpha 1e9",
    ] {
        checked(body, Arithmetic::Fast);
    }
}

#[test]
fn gram_matrices_and_lengths_keep_their_accuracy() {
    for body in [
        "input x: 3x300x300; gram",
        "input x: 19x70x41; gram all",
        "input x: 2x100000; gram sum",
        "input x: 100000; l2norm",
        "input x: 70001x2; l2norm",
    ] {
        checked(body, Arithmetic::Fast);
    }
}

#[test]
fn long_convolutions_keep_their_accuracy() {
    for body in [
        "input x: 20000x1x1; c: conv 1x1 3",
        "input x: 16400; d: dense 70 relu",
        "input x: 41x20x20; flatten; d: dense 5",
        "input x: 48x19x25; c: conv 19x19 34 /1x2",
        "input x: 1x130x131; c: conv 129x129 1 bias off",
        "input x: 3x130x130; c: conv 129x129 3 groups 3",
        "input x: 16500x1x2; l: local 1x1 40",
        "input x: 16500x2x2; t: convtranspose 1x1 3",
        "input x: 262144x1x1; conv 1x1 1 bias off weight [[0.1]]",
    ] {
        for arithmetic in [Arithmetic::Exact, Arithmetic::Fast] {
            checked(body, arithmetic);
        }
    }
}

/// The inputs of strangers, with their answers to as many digits as they had.
#[test]
fn long_sums_have_the_right_values() {
    let cases = [
        (
            "input x: 262144x1x1; scale 0 shift 0.1; conv 1x1 1 bias off weight [[0.1]]",
            2621.44008,
        ),
        ("input x: 1000000; scale 0 shift 0.1; l2norm", 0.001),
    ];
    for (body, right) in cases {
        let graph = compile(body).expect("a network");
        for isa in ISAS {
            let lowered = proven(body, &graph, &Target::new(isa, Arithmetic::Fast));
            for (engine, [outputs]) in engines(&lowered, [&inputs(&graph)]) {
                let found = f64::from(outputs[0][0]);
                let off = (found / right - 1.0).abs();
                assert!(
                    off <= PROMISED,
                    "{body}, {isa}, {engine}: {found}, must be {right}"
                );
            }
        }
    }
}
