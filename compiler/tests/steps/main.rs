//! Training steps: what loops compute is what the definition in f64 says, machine code has the interpreter's bits for any number of threads, and
//! the program is proven.
#![cfg(feature = "jit")]

mod check;
#[path = "../support/exact.rs"]
mod exact;
mod layers;
mod losses;
mod winograd;

use check::{SGD, check, check_on, compile, train};
use cnnc_compiler::lower::lower_step;
use cnnc_compiler::op::{OPS, STEPS};
use cnnc_compiler::step::{Method, Optimizer, Recipe, Step};
use cnnc_compiler::target::{Arithmetic, Machine, Target};
use cnnc_compiler::{layer, loss, recipe};
use cnnc_runtime::Isa;
use std::collections::BTreeSet;

#[test]
fn whole_networks() {
    for body in [
        "input x: 1x12x12; conv 5x5 3 pad 2 tanh; avgpool 2x2 /2; conv 3x3 5 relu; flatten; dense 7",
        "input x: 4x9x8; conv 3x3 6 /2 pad 1 groups 2; sigmoid; flatten; dense 3",
        "input x: 3x10x9; conv 3x3 8 relu; maxpool 3x3 /2 pad 1; conv 3x3 8 groups 8; globalavgpool; dense 4",
        "input x: 3x8x8; a: conv 3x3 18 leaky; b: conv 1x1 18; c: add(a, b); relu; conv 3x3 5 /3 dilation 2 pad 2",
        "input x: 3x9x8; conv 3x3 6 bn relu; r: conv 3x3 6 bn; relu; globalavgpool; dropout 0.4; dense 3",
        "input x: 3x21; conv 5 6 /2 tanh; maxpool 2; flatten; dense 4",
        "input x: 2x5x6x4; conv 3x3x3 4 relu; globalavgpool; dense 3",
        "input x: 3x8x9; conv 3x3 12 groupnorm 3 gelu; prelu; local 2x2 6 /2 silu; flatten; dense 7 layernorm softmax; dense 3",
    ] {
        for images in [1, 3, 18] {
            check(body, &train(body, &SGD), images);
        }
    }
}

/// A step on squares of differences, in which no kernel needs to be an approximation.
fn squares(body: &str, optimizer: &Optimizer) -> Step {
    let network = compile(body);
    let loss = loss::build(&network, &recipe::Loss::new("squared")).expect("it fits");
    let recipe = Recipe {
        optimizer,
        trained: &|_| true,
        decayed: &|param| param.role != "bias",
    };
    Step::new(&network, &*loss, &recipe).unwrap_or_else(|error| panic!("{body}: {error}"))
}

/// Whole networks, with everything that a step keeps: machine code has the interpreter's bits, of outputs, tensors, running statistics and moments.
#[test]
fn machine_code_has_the_bits_of_the_loops() {
    let of = |method, momentum| Optimizer {
        momentum,
        decay: 0.05,
        ..Optimizer::new(method)
    };
    let optimizers = [
        SGD,
        of(Method::RmsProp, 0.9),
        of(Method::Adam, 0.0),
        of(Method::AdamW, 0.0),
    ];
    for (body, images) in [
        (
            "input x: 1x12x12; conv 5x5 3 pad 2 relu; avgpool 2x2 /2; conv 3x3 5 relu6; flatten; dense 7",
            3,
        ),
        (
            "input x: 4x9x8; conv 3x3 6 /2 pad 1 groups 2 leaky; flatten; dense 3",
            3,
        ),
        (
            "input x: 3x10x9; conv 3x3 8 relu; maxpool 3x3 /2 pad 1; conv 3x3 8 groups 8; globalavgpool; dense 4",
            18,
        ),
        (
            "input x: 3x8x8; a: conv 3x3 18 leaky; b: conv 1x1 18; c: add(a, b); relu; conv 3x3 5 /3 dilation 2 pad 2",
            3,
        ),
        (
            "input x: 3x9x8; conv 3x3 6 bn relu; r: conv 3x3 6 bn; relu; globalavgpool; dropout 0.4; dense 3",
            4,
        ),
        (
            "input x: 3x21; conv 5 6 /2 bn relu; maxpool 2; flatten; dense 4",
            2,
        ),
        (
            "input x: 2x5x6x4; conv 3x3x3 4 relu; globalavgpool; dense 3",
            3,
        ),
        (
            "input x: 16x24x24; conv 3x3 32 bn relu; conv 3x3 16 relu; maxpool 2x2; conv 3x3 40 /2; globalavgpool; dense 5",
            2,
        ),
        (
            "input x: 3x8x9; conv 3x3 12 groupnorm 3 relu; prelu; local 2x2 6 /2; flatten; dense 7; dense 3",
            3,
        ),
    ] {
        for optimizer in &optimizers {
            let step = squares(body, optimizer);
            assert!(
                step.state.len() > step.tensors,
                "{body}: an optimiser keeps nothing"
            );
            // Norms divide by roots, which are near their twins'; all else has the bits.
            let near = ["bn", "norm"].iter().any(|norm| body.contains(norm));
            assert_eq!(
                check(body, &step, images),
                !near,
                "{body}: {optimizer:?}: whether all kernels have their twins' bits"
            );
        }
    }
}

/// Small pictures of several images: tiles of Winograd's in one block, with weights that are packed and with those that are expanded, groups of
/// images that the last one does not fill, and direct convolutions with panels outermost. Pictures that are halves of tiles, steps, activations that
/// are no clamps, sums of cotangents.
#[test]
fn images_that_share_weights() {
    let packed = |isa| Machine {
        read: [0.1; 3],
        transforms: [1.0; 2],
        packing: 1.0,
        ..Machine::tiny(isa)
    };
    let expanded = |isa| Machine {
        read: [0.1; 3],
        transforms: [1.0; 2],
        expanding: 20.0,
        packing: 1000.0,
        ..Machine::tiny(isa)
    };
    let direct = |isa| Machine {
        transforms: [1000.0; 2],
        ..Machine::tiny(isa)
    };
    let small = "input x: 16x6x4; conv 3x3 16; relu; conv 3x3 20 pad half; a: tanh; b: conv 3x3 20 pad half bn; add(a, b); conv 3x3 16 /2 pad half; globalavgpool; dense 3";
    let wide =
        "input x: 64x5x3; conv 3x3 64 pad half relu; conv 3x3 64 pad half; globalavgpool; dense 3";
    let plain = "input x: 20x5x3; conv 1x1 40 bias off; conv 3x3 300 /2 pad half; conv 1x1 30 /2 silu; globalavgpool; dense 3";
    let said = |machine: fn(Isa) -> Machine, step: &Step, images: usize| {
        let target = Target {
            machine: machine(Isa::Avx512),
            ..Target::new(Isa::Avx512, Arithmetic::Fast).batch(images)
        };
        let lowered = lower_step(&step.graph, &step.single, &step.state, &target);
        let notes = lowered.notes.iter().map(|note| note.text.clone());
        (notes.collect::<Vec<_>>(), lowered.program.to_string())
    };
    let has = |notes: &[String], what: &str| notes.iter().any(|text| text.contains(what));
    let step = train(small, &SGD);
    for images in [1, 2, 5, 7, 18] {
        check_on(packed, small, &step, images);
    }
    assert!(has(&said(packed, &step, 7).0, "of 7 images at once, by"));
    let step = train(wide, &SGD);
    for images in [3, 7] {
        check_on(expanded, wide, &step, images);
    }
    assert!(has(
        &said(expanded, &step, 7).0,
        "of 7 images at once, its weights expanded"
    ));
    let step = train(plain, &SGD);
    for images in [2, 5] {
        check_on(direct, plain, &step, images);
    }
    // Where reading costs nothing, nothing is gained by reading once.
    let free = |isa| Machine {
        read: [0.0; 3],
        transforms: [1000.0; 2],
        ..Machine::tiny(isa)
    };
    assert_ne!(said(direct, &step, 5).1, said(free, &step, 5).1);
}

/// What follows a norm or a convolution is a part of it, and so are sums of cotangents.
#[test]
fn what_follows_is_fused() {
    let body = "input x: 4x9x8; conv 3x3 6 pad half bn; a: relu; b: conv 3x3 6 pad half bn; add(a, b); c: relu; conv 1x1 6; d: leaky 0.1; \
                add(c, d); tanh; globalavgpool; dense 3";
    let step = train(body, &SGD);
    let of = |keyword: &str| {
        let live = step.graph.live();
        live.filter(|(_, node)| node.layer.keyword() == keyword)
            .count()
    };
    assert_eq!([of("relu"), of("leaky")], [0, 1]);
    check(body, &step, 4);
}

#[test]
fn every_optimizer() {
    let body = "input x: 2x5x5; conv 3x3 4 tanh; flatten; dense 3";
    let of = |method, momentum, nesterov| Optimizer {
        momentum,
        nesterov,
        decay: 0.05,
        ..Optimizer::new(method)
    };
    for optimizer in [
        of(Method::Sgd, 0.0, false),
        of(Method::Sgd, 0.9, false),
        of(Method::Sgd, 0.9, true),
        of(Method::RmsProp, 0.0, false),
        of(Method::RmsProp, 0.9, false),
        of(Method::Adam, 0.0, false),
        of(Method::AdamW, 0.0, false),
    ] {
        check(&format!("{optimizer:?}"), &train(body, &optimizer), 3);
    }
}

/// Steps are made of nothing that no table has, and each operation of steps is in one of them.
#[test]
fn steps_are_made_of_listed_operations() {
    let body = "input x: 3x9x8; conv 3x3 6 bn relu; globalavgpool; dense 3";
    let steps: Vec<Step> = losses::steps().chain([train(body, &SGD)]).collect();
    let nodes = steps.iter().flat_map(|step| step.graph.live());
    let found: BTreeSet<&str> = nodes.map(|(_, node)| node.layer.keyword()).collect();
    for keyword in &found {
        let known =
            STEPS.contains(keyword) || OPS.contains(keyword) || layer::find(keyword).is_some();
        assert!(known, "{keyword}");
    }
    for keyword in STEPS {
        assert!(found.contains(keyword), "{keyword}");
    }
}

/// Numbers worked out by hand for the loss w² from w = 1, with the rate 0.1 and the decay 0.1.
#[test]
fn optimizers_are_those_that_they_are_called_after() {
    let sgd = Optimizer { decay: 0.1, ..SGD };
    let rmsprop = Optimizer {
        alpha: 0.9,
        momentum: 0.9,
        ..Optimizer::new(Method::RmsProp)
    };
    let adam = |method| Optimizer {
        decay: 0.1,
        ..Optimizer::new(method)
    };
    for (optimizer, want) in [
        (sgd, [0.601, 0.191101, -0.140468399]),
        (rmsprop, [0.683772239, 0.214265629, -0.268256739]),
        (adam(Method::Adam), [0.9, 0.800412229, 0.701586273]),
        (adam(Method::AdamW), [0.89, 0.781571856, 0.675101222]),
    ] {
        let found = optimizer.trace(1.0, |w| 2.0 * w, 0.1, 3);
        for (found, want) in found.iter().zip(want) {
            assert!(
                (found - want).abs() <= 1e-9,
                "{optimizer:?}: {found} is not {want}"
            );
        }
    }
}
