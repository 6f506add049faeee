//! Gradients of single layers.

use crate::check::{check, compile};
use cnnc_compiler::gradient::Wanted;
use cnnc_compiler::layer::LAYERS;
use cnnc_compiler::step::{Step, Untrainable};
use std::collections::BTreeSet;

/// Groups × stride × dilation × padding × rows and columns of odd and even number, on both axes: loops and machine code compute every gradient, and bits are those
/// of the loops.
#[test]
fn gradients_of_every_window() {
    let mut checked = 0;
    for groups in [1, 2, 3] {
        for stride in [1, 2, 3] {
            for dilation in [1, 2] {
                for pad in ["0", "1", "(2, 0, 1, 3)"] {
                    for extents in ["5x6", "6x5", "7x7", "8x8"] {
                        let kernel = if (stride + dilation) % 2 == 0 {
                            "3x2"
                        } else {
                            "2x3"
                        };
                        let body = format!(
                            "input x: 6x{extents}; conv {kernel} 12 /{stride} pad {pad} dilation {dilation} groups {groups}"
                        );
                        let step = Step::gradients(&compile(&body), &Wanted::all());
                        let step = step.unwrap_or_else(|error| panic!("{body}: {error}"));
                        assert!(check(&body, &step, 2), "{body}: no bits to compare");
                        checked += 1;
                    }
                }
            }
        }
    }
    assert_eq!(checked, 3 * 3 * 2 * 3 * 4);
}

/// Gradients of every layer in every sample: loops compute all of them.
#[test]
fn gradients_of_every_layer() {
    let mut without: BTreeSet<String> = BTreeSet::new();
    let mut bits: BTreeSet<&str> = BTreeSet::new();
    for decl in LAYERS {
        for sample in decl.samples {
            let graph = compile(sample);
            match Step::gradients(&graph, &Wanted::all()) {
                Ok(step) => {
                    if check(sample, &step, 2) {
                        bits.insert(decl.keyword);
                    }
                }
                Err(Untrainable::Loops { keyword, .. }) => {
                    without.insert(keyword.to_owned());
                }
                Err(error) => panic!("{sample}: {error}"),
            }
        }
    }
    assert_eq!(without.len(), 0, "{without:?} have no compiled gradient");
    // Powers of e, roots and powers of numbers are approximations of their twins, in forward passes too; of all else bits were compared.
    let near: Vec<&str> = LAYERS
        .iter()
        .map(|decl| decl.keyword)
        .filter(|keyword| !bits.contains(keyword))
        .collect();
    let expected = [
        "bn",
        "instancenorm",
        "groupnorm",
        "layernorm",
        "lrn",
        "softmax",
        "logsoftmax",
        "sigmoid",
        "tanh",
        "silu",
        "mish",
        "softplus",
        "elu",
        "selu",
        "celu",
        "gelu",
        "exp",
        "log",
        "erf",
        "power",
    ];
    assert_eq!(near, expected);
}

/// What the samples of layers leave open: operands that are equal, factors of all kinds, groups of all sizes, regions that meet.
#[test]
fn gradients_where_samples_are_plain() {
    for body in [
        "input a: 17x3; b: a relu; max(a, b)",
        "input a: 5x4x3; b: a relu; c: a abs; min(a, b, c)",
        "input a: 6x5x4; input b: 6; max(a, b, a)",
        "input a, b: 7x3x3; add(a, b) shares per_tensor",
        "input a, b: 7x3x3; add(a, b) shares per_channel",
        "input a: 7x3x3; input b: 7; input c: 7x3x3; add(a, b, c) shares per_tensor fusion exponential",
        "input a, b, c: 33; add(a, b, c) shares per_channel fusion fast",
        "input x: 34x3x5; groupnorm 17 affine off",
        "input x: 80x4; groupnorm 4",
        "input x: 18x2x3x2; instancenorm affine",
        "input x: 9x2; relu; pow 1",
        "input x: 40; prelu single",
        "input x: 6; dense 9 softmax; dense 4",
        "input x: 9x3; scale 1e-3; l2norm eps 1",
        "input x: 9x3; lrn 3 alpha 2 beta 0",
        "input x: 9x3; lrn 4 alpha 2 beta 1.2 k 0.3",
        "input x: 40x5x7; gram all",
        "input x: 9x7x6; local 3x3 5 /2 pad (1, 0, 0, 2); local 1x2 3 bias off",
        "input x: 9x7x6; input r: 8x5; b: route r scale 5; roipool(x, b) 3x2",
        "input x: 40x7x6; input r: 8x4; b: route r scale 5; roialign(x, b) 3x2 samples 3 aligned",
    ] {
        let step = Step::gradients(&compile(body), &Wanted::all());
        let step = step.unwrap_or_else(|error| panic!("{body}: {error}"));
        for images in [1, 3] {
            check(body, &step, images);
        }
    }
}
