//! Activations are accurate relative to their result, however small it is.

use super::{ISAS, engines};
use crate::compile;
use crate::support::proven;
use cnnc_compiler::layer::{LAYERS, Layer, Role};
use cnnc_compiler::target::{Arithmetic, Target};
use ndarray::{ArrayD, IxDyn};
use std::collections::BTreeSet;

/// As they are written.
pub(super) const ACTIVATIONS: &[&str] = &[
    "abs",
    "ceil",
    "celu",
    "celu 0.3",
    "cos",
    "clip -1 2",
    "elu",
    "elu 0.3",
    "erf",
    "exp",
    "floor",
    "gelu",
    "gelu approximate",
    "hardsigmoid",
    "hardsigmoid alpha 0.2",
    "hardswish",
    "leaky 0.1",
    "log",
    "mish",
    "pow 0.3",
    "pow 0.5",
    "pow -1",
    "pow -1.75",
    "pow -3",
    "pow 1",
    "pow 2.2",
    "pow 5",
    "pow 16",
    "pow 17",
    "pow 20",
    "relu",
    "relu6",
    "round",
    "scale 3",
    "selu",
    "shrink",
    "shrink 0.25 bias 0.125",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "softplus",
    "softsign",
    "sqrt",
    "tanh",
    "thresholdedrelu",
    "thresholdedrelu -0.5",
];

/// The layer of a network that has no other.
fn layer(body: &str) -> Box<dyn Layer> {
    let graph = compile(body).unwrap_or_else(|problems| panic!("{body}\n{problems}"));
    let (_, node) = graph.live().next_back().expect("one layer");
    node.layer.clone_layer()
}

/// Its reference evaluation of one number.
fn exact(layer: &dyn Layer, x: f64) -> f64 {
    layer.evaluate(&[&ArrayD::from_elem(IxDyn(&[1]), x)], &[])[[0]]
}

#[test]
fn every_activation_is_in_the_list() {
    let listed: BTreeSet<&str> = (ACTIVATIONS.iter())
        .filter_map(|written| written.split(' ').next())
        .collect();
    for decl in LAYERS {
        let sample = compile(decl.samples[0]).expect("a sample");
        let own = |layer: &dyn Layer| layer.attributes().0 == decl.keyword;
        let mut nodes = sample
            .live()
            .map(|(_, node)| &node.layer)
            .filter(|layer| own(&***layer));
        if nodes.any(|layer| matches!(layer.role(), Role::Pointwise(_))) {
            assert!(listed.contains(decl.keyword), "{}", decl.keyword);
        }
    }
}

/// The reference against numbers from elsewhere.
#[test]
fn the_reference_has_the_exact_values() {
    let mut current = None;
    let mut compared = 0;
    for line in include_str!("activations.txt").lines() {
        if line.starts_with('#') {
            continue;
        }
        if let Some(written) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            current = Some(layer(&format!("input x: 1; {written}")));
            continue;
        }
        let (x, right) = line.split_once(' ').expect("two numbers");
        let (x, right): (f64, f64) = (x.parse().expect("x"), right.parse().expect("a value"));
        let found = exact(&**current.as_ref().expect("a heading"), x);
        // A few roundings; where the value is an exponential, one in the exponent, which is up to 90.
        let bound = 200.0 * f64::EPSILON * right.abs();
        assert!(
            (found - right).abs() <= bound,
            "{:?} of {x} is {right}, not {found}",
            current.map(|layer| layer.attributes().0)
        );
        compared += 1;
    }
    assert!(compared > 400, "the table is read");
}

/// Every engine against the reference, at arguments of both signs and all magnitudes: results below the smallest normal number are zero, those beyond the largest infinite.
#[test]
fn activations_are_relatively_accurate() {
    const PROMISED: f64 = 1e-6;
    // Forty to a factor of ten, from the smallest normal number to the largest.
    let magnitudes = (-1516..1540).map(|k| 10f64.powf(f64::from(k) / 40.0) as f32);
    let arguments: Vec<f32> = magnitudes.flat_map(|x| [x, -x]).collect();
    for written in ACTIVATIONS {
        let body = format!("input x: {}; {written}", arguments.len());
        let graph = compile(&body).expect("a network");
        let layer = layer(&body);
        let right: Vec<f64> = (arguments.iter())
            .map(|&x| exact(&*layer, f64::from(x)))
            .collect();
        for isa in ISAS {
            let lowered = proven(written, &graph, &Target::new(isa, Arithmetic::Exact));
            for (engine, [outputs]) in engines(&lowered, [std::slice::from_ref(&arguments)]) {
                for ((&found, &right), x) in outputs[0].iter().zip(&right).zip(&arguments) {
                    let (least, most) = (f64::from(f32::MIN_POSITIVE), f64::from(f32::MAX));
                    let limit = match right.abs() {
                        // A NaN is for other tests; at a limit itself, rounding decides.
                        size if size.is_nan() => continue,
                        size if size < least * (1.0 - PROMISED) => Some(0.0f32),
                        size if size > most * (1.0 + PROMISED) => Some(f32::INFINITY),
                        size if !(least..most).contains(&size) => continue,
                        _ => None,
                    };
                    if let Some(limit) = limit {
                        let same = found.abs() == limit
                            && (right == 0.0
                                || found.is_sign_negative() == right.is_sign_negative());
                        assert!(
                            same,
                            "{written} of {x:e}, {isa}, {engine}: {found:e}, must be {limit} for {right:e}"
                        );
                        continue;
                    }
                    let off = (f64::from(found) / right - 1.0).abs();
                    assert!(
                        off <= PROMISED,
                        "{written} of {x:e}, {isa}, {engine}: {found:e}, must be {right:e}: {off:e}"
                    );
                }
            }
        }
    }
}

/// Lengths neither overflow nor vanish on the way.
#[test]
fn lengths_are_right_for_very_large_and_very_small_vectors() {
    let body = "input x: 16; l2norm eps 1.2e-38";
    let graph = compile(body).expect("a network");
    for size in [3e38f32, 1e30, 1.0, 1e-20, 1.2e-38] {
        let vector: Vec<f32> = (0..16)
            .map(|i| if i % 2 == 0 { size } else { -size })
            .collect();
        for isa in ISAS {
            let lowered = proven(body, &graph, &Target::new(isa, Arithmetic::Exact));
            for (engine, [outputs]) in engines(&lowered, [std::slice::from_ref(&vector)]) {
                for (x, y) in outputs[0].iter().zip(&vector) {
                    assert_eq!(*x, 0.25f32.copysign(*y), "{size:e}, {isa}, {engine}");
                }
            }
        }
    }
}
