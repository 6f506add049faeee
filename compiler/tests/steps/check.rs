//! A step against the definition, and its machine code against its loops.

use crate::exact::exact;
use cnnc_compiler::diagnostic::MemoryLoader;
use cnnc_compiler::graph::Graph;
use cnnc_compiler::loops::interpret::interpret_step;
use cnnc_compiler::lower::lower_step;
use cnnc_compiler::step::{Method, Optimizer, Recipe, Step};
use cnnc_compiler::target::{Arithmetic, Machine, Target};
use cnnc_compiler::{Files, compile_source, jit};
use cnnc_runtime::Isa;
use cnnc_runtime::session::{State, StepSession};
use cnnc_runtime::synthetic::Synthetic;
use cnnc_runtime::threads::Pool;
use ndarray::{ArrayD, IxDyn};
use std::collections::BTreeMap;

pub fn compile(body: &str) -> Graph {
    let text = format!("cnn 1\nmodel Sample {{\n{body}\n}}\n");
    let mut files = Files::new(MemoryLoader(BTreeMap::new()));
    match compile_source(&mut files, "sample.cnn", &text) {
        Ok(model) => model.graph,
        Err(problems) => panic!("`{body}`\n{}", problems.render(false)),
    }
}

/// Numbers that are functions of a name.
pub fn numbers(name: &str, shape: &[usize]) -> ArrayD<f64> {
    let elements = shape.iter().product();
    let values = Synthetic::tensor(name, shape).values(elements);
    let values = values.into_iter().map(f64::from);
    ArrayD::from_shape_vec(IxDyn(shape), values.collect()).expect("as many as asked for")
}

pub fn narrow(tensor: &ArrayD<f64>) -> impl Iterator<Item = f32> {
    tensor.iter().map(|&x| x as f32)
}

/// State and inputs of a step for so many images.
pub struct Given {
    state: Vec<ArrayD<f64>>,
    inputs: Vec<Vec<ArrayD<f64>>>,
}

impl Given {
    pub fn new(step: &Step, images: usize) -> Given {
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

    pub fn flat(&self) -> (Vec<Vec<f32>>, Vec<Vec<f32>>) {
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
pub const TOLERANCE: f64 = 4.5e-5;

pub fn largest<'a>(values: impl Iterator<Item = &'a f64>) -> f64 {
    values.fold(0.0, |most: f64, x| most.max(x.abs()))
}

/// Compares a tensor, one of several of which `whole` is the largest element: of what is nothing but rounding errors in f64 (a bias before a norm), nothing
/// but rounding errors is asked.
pub fn close(what: &str, found: &[f32], want: &[f64], whole: f64) {
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
pub fn check(name: &str, step: &Step, images: usize) -> bool {
    check_on(Machine::of, name, step, images)
}

/// The same on another machine.
pub fn check_on(machine: fn(Isa) -> Machine, name: &str, step: &Step, images: usize) -> bool {
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
pub fn same_bits(what: &str, found: &[f32], want: &[f32]) {
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

pub const SGD: Optimizer = Optimizer {
    momentum: 0.9,
    nesterov: true,
    decay: 0.05,
    ..Optimizer::new(Method::Sgd)
};

pub fn train(body: &str, optimizer: &Optimizer) -> Step {
    let recipe = Recipe {
        optimizer,
        trained: &|_| true,
        decayed: &|param| param.role != "bias",
    };
    Step::classifier(&compile(body), &recipe).unwrap_or_else(|error| panic!("{body}: {error}"))
}
