//! Training steps: what loops compute is what the definition in f64 says, machine code has the interpreter's bits for any number of threads, and
//! the program is proven.
#![cfg(feature = "jit")]

#[path = "support/exact.rs"]
mod exact;
mod losses;

use cnnc_compiler::diagnostic::MemoryLoader;
use cnnc_compiler::gradient::Wanted;
use cnnc_compiler::graph::Graph;
use cnnc_compiler::layer::{self, LAYERS};
use cnnc_compiler::loops::interpret::interpret_step;
use cnnc_compiler::loss;
use cnnc_compiler::lower::lower_step;
use cnnc_compiler::op::{OPS, STEPS};
use cnnc_compiler::step::{Method, Optimizer, Recipe, Step, Untrainable};
use cnnc_compiler::target::{Arithmetic, Machine, Target};
use cnnc_compiler::{Files, compile_source, jit, recipe};
use cnnc_runtime::Isa;
use cnnc_runtime::session::{State, StepSession};
use cnnc_runtime::synthetic::Synthetic;
use cnnc_runtime::threads::Pool;
use exact::exact;
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

/// Numbers that are functions of a name.
fn numbers(name: &str, shape: &[usize]) -> ArrayD<f64> {
    let elements = shape.iter().product();
    let values = Synthetic::tensor(name, shape).values(elements);
    let values = values.into_iter().map(f64::from);
    ArrayD::from_shape_vec(IxDyn(shape), values.collect()).expect("as many as asked for")
}

fn narrow(tensor: &ArrayD<f64>) -> impl Iterator<Item = f32> {
    tensor.iter().map(|&x| x as f32)
}

/// State and inputs of a step for so many images.
struct Given {
    state: Vec<ArrayD<f64>>,
    inputs: Vec<Vec<ArrayD<f64>>>,
}

impl Given {
    fn new(step: &Step, images: usize) -> Given {
        let graph = &step.graph;
        let state = step.state.iter().enumerate().map(|(index, id)| {
            let param = &graph.params[*id];
            let tensor = match param.constants() {
                Some(values) => {
                    let values = values.map(f64::from).collect();
                    ArrayD::from_shape_vec(IxDyn(&param.shape), values).expect("as many")
                }
                None => numbers(&param.name, &param.shape),
            };
            // What an optimiser keeps is a mean of squares, among others.
            if index < step.tensors {
                tensor
            } else {
                tensor.mapv(f64::abs)
            }
        });
        let inputs = graph.inputs.iter().map(|input| {
            let shape = graph.values[input.value].shape.dims();
            let count = if step.single.contains(&input.value) {
                1
            } else {
                images
            };
            let one = |image| numbers(&format!("{}.{image}", input.name), shape);
            (0..count).map(one).collect()
        });
        Given {
            state: state.collect(),
            inputs: inputs.collect(),
        }
    }

    fn flat(&self) -> (Vec<Vec<f32>>, Vec<Vec<f32>>) {
        let state = self.state.iter().map(|tensor| narrow(tensor).collect());
        let inputs = self
            .inputs
            .iter()
            .map(|all| all.iter().flat_map(narrow).collect());
        (state.collect(), inputs.collect())
    }
}

/// How far f32 may be off, relative to the largest element of a tensor: a chain of up to a dozen layers, each a sum of at most a few thousand terms of
/// both signs whose rounding errors add up as their root does, 12 · √4000 · 2⁻²⁴, and Winograd's transforms where they are used.
const TOLERANCE: f64 = 4.5e-5;

fn largest<'a>(values: impl Iterator<Item = &'a f64>) -> f64 {
    values.fold(0.0, |most: f64, x| most.max(x.abs()))
}

/// Compares a tensor, one of several of which `whole` is the largest element: of what is nothing but rounding errors in f64 (a bias before a norm), nothing
/// but rounding errors is asked.
fn close(what: &str, found: &[f32], want: &[f64], whole: f64) {
    assert_eq!(found.len(), want.len(), "{what}");
    let most = match largest(want.iter()) {
        most if most <= 1e-12 * whole => whole,
        most => most,
    };
    for (index, (found, want)) in found.iter().zip(want).enumerate() {
        let apart = (f64::from(*found) - want).abs();
        assert!(
            apart <= TOLERANCE * most,
            "{what}[{index}]: {found} is not {want}, of at most {most}"
        );
    }
}

/// Compares a step's loops with its definition, and its machine code with its loops: outputs, and all that stays. Says whether bit for bit, which
/// is where no kernel on the way is an approximation of its twin.
fn check(name: &str, step: &Step, images: usize) -> bool {
    check_on(Machine::of, name, step, images)
}

/// The same on another machine.
fn check_on(machine: fn(Isa) -> Machine, name: &str, step: &Step, images: usize) -> bool {
    let mut same = true;
    let given = Given::new(step, images);
    let expected = step.evaluate(&given.state, &given.inputs);
    let whole = largest(expected.outputs.iter().flatten().flatten());
    let (state, inputs) = given.flat();
    for isa in [Isa::Avx512, Isa::Avx2, Isa::Portable] {
        let target = Target {
            machine: machine(isa),
            ..Target::new(isa, Arithmetic::Fast).batch(images)
        };
        let lowered = lower_step(&step.graph, &step.single, &step.state, &target);
        let mut became = state.clone();
        let slices: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        let outputs = interpret_step(&lowered.program, &mut became, &slices).expect("memory");
        let what = format!("{name}, {images} images, {isa}");
        for ((output, found), want) in step
            .graph
            .outputs
            .iter()
            .zip(&outputs)
            .zip(&expected.outputs)
        {
            let want: Vec<f64> = want.iter().flatten().copied().collect();
            close(&format!("{what}: {}", output.name), found, &want, whole);
        }
        for ((id, found), want) in step.state.iter().zip(&became).zip(&expected.state) {
            let want: Vec<f64> = want.iter().copied().collect();
            close(
                &format!("{what}: {}", step.graph.params[*id].name),
                found,
                &want,
                whole,
            );
        }
        if !cnnc_testing::has(isa.available(), isa) {
            lowered.prove().expect("no more than the proof can take");
            continue;
        }
        let code = jit::compile(&lowered).expect("proven");
        let mut first: Option<Vec<Vec<f32>>> = None;
        // What the interpreter made: outputs, then state.
        let loops: Vec<Vec<f32>> = outputs.iter().chain(&became).cloned().collect();
        let exact = exact(&lowered.program);
        same &= exact;
        for threads in [1, 2, 3] {
            let driver = code.drivers()[0];
            // SAFETY: the program is proven for the plan.
            let session = unsafe { StepSession::new(lowered.plan.clone(), driver) };
            let mut session = session.expect("memory");
            let mut stays = State::new(&lowered.plan.state).expect("memory");
            for (index, tensor) in state.iter().enumerate() {
                stays.tensor_mut(index).copy_from_slice(tensor);
            }
            for (index, input) in inputs.iter().enumerate() {
                session.input_mut(index).copy_from_slice(input);
            }
            let pool = (threads > 1).then(|| Pool::new(threads));
            session.run(&mut stays, pool.as_ref());
            let outputs = (0..outputs.len()).map(|index| session.output(index).to_vec());
            let tensors = (0..stays.len()).map(|index| stays.tensor(index).to_vec());
            let all: Vec<Vec<f32>> = outputs.chain(tensors).collect();
            if exact {
                for (index, (found, want)) in all.iter().zip(&loops).enumerate() {
                    let what =
                        format!("{what}, {threads} threads: tensor {index} of {}", all.len());
                    same_bits(&what, found, want);
                }
            }
            let state = expected.state.iter().map(|of| of.iter().copied().collect());
            let wanted = expected.outputs.iter();
            let wanted = wanted.map(|of| of.iter().flatten().copied().collect());
            let wanted: Vec<Vec<f64>> = wanted.chain(state).collect();
            assert_eq!(all.len(), wanted.len(), "{what}");
            for (found, want) in all.iter().zip(&wanted) {
                close(&format!("{what}, machine code"), found, want, whole);
            }
            let first = first.get_or_insert_with(|| all.clone());
            assert_eq!(*first, all, "{what}: {threads} threads");
        }
    }
    same
}

/// Fails where a number has other bits, a zero of the other sign among them.
fn same_bits(what: &str, found: &[f32], want: &[f32]) {
    assert_eq!(found.len(), want.len(), "{what}");
    for (index, (found, want)) in found.iter().zip(want).enumerate() {
        let bits = [found, want].map(|x| x.to_bits());
        assert!(
            bits[0] == bits[1],
            "{what}: [{index}] is {found} ({:x}) as machine code, {want} ({:x}) by loops",
            bits[0],
            bits[1]
        );
    }
}

const SGD: Optimizer = Optimizer {
    momentum: 0.9,
    nesterov: true,
    decay: 0.05,
    ..Optimizer::new(Method::Sgd)
};

fn train(body: &str, optimizer: &Optimizer) -> Step {
    let recipe = Recipe {
        optimizer,
        trained: &|_| true,
        decayed: &|param| param.role != "bias",
    };
    Step::classifier(&compile(body), &recipe).unwrap_or_else(|error| panic!("{body}: {error}"))
}

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

#[test]
fn convolutions_by_winograd_and_of_many_channels() {
    let body = "input x: 16x24x24; conv 3x3 32 relu; conv 3x3 16 relu; maxpool 2x2; conv 3x3 40 /2; globalavgpool; dense 5";
    check(body, &train(body, &SGD), 4);
}

/// Forward and in gradients of what is convolved, on tiles that hang over; weights' gradients are direct sums.
#[test]
fn convolutions_of_five_taps_by_winograd() {
    let machine = |isa| Machine {
        read: [0.01; 3],
        transforms_five: [1.0; 2],
        packing_five: 1.0,
        ..Machine::tiny(isa)
    };
    for (body, images) in [
        (
            "input x: 5x11x14; conv 5x5 16 pad half; conv 5x5 9; globalavgpool; dense 3",
            3,
        ),
        (
            "input x: 16x5x4; conv 5x5 16 pad half relu; a: conv 5x5 20 pad half tanh; b: conv 5x5 20 pad half bn; add(a, b); globalavgpool; dense 3",
            7,
        ),
    ] {
        let step = train(body, &SGD);
        check_on(machine, body, &step, images);
        let target = Target {
            machine: machine(Isa::Avx512),
            ..Target::new(Isa::Avx512, Arithmetic::Fast).batch(images)
        };
        let lowered = lower_step(&step.graph, &step.single, &step.state, &target);
        let mut notes = lowered.notes.iter();
        let five = notes.any(|note| note.applied && note.text.starts_with("F(2x2, 5x5)"));
        assert!(five, "{body}");
        let program = lowered.program.to_string();
        assert!(!program.contains("f32_winograd_filtergrad"), "{body}");
    }
}

/// Blocks of several images and of parts of one, images that no block is full of, sums for chunks and for all.
#[test]
fn gradients_of_weights_by_winograd() {
    let machine = |isa| Machine {
        transforms: [1.0, 1.0],
        ..Machine::tiny(isa)
    };
    for (picture, images) in [
        ("4x17x9", 5),
        ("4x24x24", 7),
        ("4x40x40", 2),
        ("7x9x17", 5),
        ("8x40x40", 2),
    ] {
        let body = format!(
            "input x: {picture}; conv 3x3 5 pad half; conv 3x3 4 pad 0; conv 3x3 7; globalavgpool; dense 3"
        );
        check_on(machine, &body, &train(&body, &SGD), images);
    }
    let body = "input x: 8x9x9; conv 3x3 44 pad half; globalavgpool; dense 3";
    let step = train(body, &SGD);
    check_on(machine, body, &step, 3);
    let target = Target {
        machine: machine(Isa::Avx512),
        ..Target::new(Isa::Avx512, Arithmetic::Fast).batch(3)
    };
    let lowered = lower_step(&step.graph, &step.single, &step.state, &target);
    assert!(
        lowered
            .program
            .to_string()
            .contains("f32_winograd_filtergrad")
    );
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
