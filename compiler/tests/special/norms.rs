//! Norms have the exact mean and variance, whatever these are to each other.

use super::{ISAS, engines};
use crate::compile;
use crate::support::{inputs, proven, reference};
use cnnc_compiler::target::{Arithmetic, Target};

/// Two channels of four pixels, with means and variances that are known.
#[test]
fn norms_are_over_what_they_say() {
    const X: [f32; 8] = [1.0, 2.0, 3.0, 4.0, -1.0, 0.0, 5.0, 8.0];
    const FIRST: (f64, f64) = (2.5, 1.25);
    const SECOND: (f64, f64) = (3.0, 13.5);
    let pixels = [(0.0, 1.0), (1.0, 1.0), (4.0, 1.0), (6.0, 4.0)];
    let channels = [[FIRST; 4], [SECOND; 4]].concat();
    for (body, eps, statistics) in [
        ("instancenorm", 1e-5, channels.clone()),
        ("groupnorm 2 eps 0.5 affine off", 0.5, channels),
        ("groupnorm 1 affine off", 1e-5, vec![(2.75, 7.4375); 8]),
        (
            "layernorm over channels affine off",
            1e-5,
            [pixels, pixels].concat(),
        ),
    ] {
        let graph = compile(&format!("input x: 2x2x2; {body}")).expect("a network");
        for isa in ISAS {
            let lowered = proven(body, &graph, &Target::new(isa, Arithmetic::Fast));
            for (engine, [outputs]) in engines(&lowered, [&[X.to_vec()]]) {
                for ((&y, x), (mean, variance)) in outputs[0].iter().zip(X).zip(&statistics) {
                    let right = (f64::from(x) - mean) / (variance + eps).sqrt();
                    let off = (f64::from(y) - right).abs();
                    assert!(
                        off <= 1e-7 * right.abs(),
                        "{body}, {isa}, {engine}: {y} of {x}, must be {right}"
                    );
                }
            }
        }
    }
}

#[test]
fn norms_keep_their_accuracy() {
    for body in [
        "input x: 3x300x300; instancenorm",
        "input x: 2x40x50x30; instancenorm",
        "input x: 34x70x61; groupnorm 17 affine off",
        "input x: 40x70x61; groupnorm 2 affine off",
        "input x: 5x200x210; groupnorm 1 affine off",
        "input x: 70001; layernorm affine off",
        "input x: 3001x7; layernorm over channels affine off",
    ] {
        let graph = compile(body).unwrap_or_else(|problems| panic!("{body}\n{problems}"));
        let random = inputs(&graph).remove(0);
        for (factor, shift) in [(1.0, 0.0), (1e-3, 7.0), (1.0, 4e4), (1e30, -1e30)] {
            let x: Vec<f32> = random.iter().map(|x| x * factor + shift).collect();
            let exact = reference(&graph, std::slice::from_ref(&x));
            for isa in ISAS {
                let lowered = proven(body, &graph, &Target::new(isa, Arithmetic::Fast));
                for (engine, [outputs]) in engines(&lowered, [std::slice::from_ref(&x)]) {
                    for (&x, y) in outputs[0].iter().zip(&exact[0]) {
                        let off = (f64::from(x) - y).abs();
                        assert!(
                            off <= 1e-6 * y.abs().max(0.01),
                            "{body} of x * {factor:e} + {shift:e}, {isa}, {engine}: {x}, must be {y}"
                        );
                    }
                }
            }
        }
    }
}
