//! Graphs, tensors and error bounds that the law tests share.

#[cfg(feature = "jit")]
pub mod exact;
#[cfg(feature = "jit")]
pub mod machine;

use cnnc_compiler::graph::{Graph, Input, Node, Param};
use cnnc_compiler::id::ValueId;
use cnnc_compiler::loops::{
    self, Place,
    interpret::{interpret, interpret_load},
    verify, verify_load, verify_plan,
};
use cnnc_compiler::lower::{Lowered, lower};
use cnnc_compiler::pass::optimize;
use cnnc_compiler::reference::{Reference, evaluate};
use cnnc_compiler::target::{Arithmetic, Machine, Target};
use cnnc_runtime::Isa;
use cnnc_runtime::memory::Aligned;
use cnnc_runtime::pack::pack;
use cnnc_runtime::plan::Plan;
use cnnc_runtime::synthetic::Synthetic;
use cnnc_runtime::weights::Weights;
use ndarray::{ArrayD, Dimension, IxDyn};
use std::collections::HashMap;

/// The synthetic tensor of a parameter.
pub fn parameter(param: &Param) -> ArrayD<f64> {
    let synthetic = Synthetic::tensor(&param.name, &param.shape);
    wide(
        &param.shape,
        &synthetic.values(param.shape.iter().product()),
    )
}

/// Synthetic inputs.
pub fn inputs(graph: &Graph) -> Vec<Vec<f32>> {
    let tensor = |input: &Input| {
        Synthetic::input(&input.name).values(graph.values[input.value].shape.elements())
    };
    graph.inputs.iter().map(tensor).collect()
}

/// Values as a tensor in f64.
pub fn wide(dims: &[usize], values: &[f32]) -> ArrayD<f64> {
    let values = values.iter().map(|&x| f64::from(x)).collect();
    ArrayD::from_shape_vec(IxDyn(dims), values).expect("as many values")
}

/// Inputs of a graph as tensors in f64.
pub fn widened(graph: &Graph, inputs: &[Vec<f32>]) -> Vec<ArrayD<f64>> {
    (graph.inputs.iter().zip(inputs))
        .map(|(input, values)| wide(graph.values[input.value].shape.dims(), values))
        .collect()
}

/// What the reference makes of these inputs.
pub fn reference(graph: &Graph, inputs: &[Vec<f32>]) -> Vec<ArrayD<f64>> {
    evaluate(graph, &parameter, &widened(graph, inputs))
}

/// Exact outputs, and how far from them f32 arithmetic may end.
pub struct Expected {
    /// One tensor for each output.
    pub exact: Vec<ArrayD<f64>>,
    /// One bound for each output.
    pub bound: Vec<f64>,
}

/// A node's result from operands, with its synthetic parameters changed by `change`.
fn apply(
    graph: &Graph,
    node: &Node,
    operands: &[ArrayD<f64>],
    change: fn(f64) -> f64,
) -> ArrayD<f64> {
    let params: Vec<ArrayD<f64>> = node
        .params
        .iter()
        .map(|&id| {
            let param = &graph.params[id];
            let values = param
                .constants()
                .map(|values| wide(&param.shape, &values.collect::<Vec<f32>>()));
            values.unwrap_or_else(|| parameter(param)).mapv(change)
        })
        .collect();
    let operands: Vec<&ArrayD<f64>> = operands.iter().collect();
    node.layer
        .evaluate(&operands, &params.iter().collect::<Vec<_>>())
}

fn largest(tensor: &ArrayD<f64>) -> f64 {
    tensor.iter().fold(0.0, |most, x| most.max(x.abs()))
}

/// Exact outputs with bounds from a forward error analysis.
///
/// A node that sums `n` terms errs by at most `n · ε` times the sum of the terms' magnitudes; that sum is the
/// node's result when operands and parameters are made positive. Errors of operands are
/// carried on by moving each operand by its bound, up or down element by element, and taking twice the change of the result: in signs
/// by chance, and in turns along the channels and along the pixels, because a norm of two elements only sees by how much they differ.
/// Winograd's algorithm adds up `C` products where the definition has `9·C`, but its matrices magnify: in the worst case, which needs
/// every sign to conspire, by 9.14² (the largest of `Σ |A| |G| |B|` of both dimensions, over that of the definition); of 5×5 taps it
/// adds up `C` where the definition has `25·C`, and magnifies by 7.83² at most. The bound makes no allowance for that.
pub fn expected(graph: &Graph) -> Expected {
    let every: Vec<ValueId> = graph.values.ids().collect();
    let exact = Reference::new(graph, &parameter)
        .keep(&every)
        .run(&widened(graph, &inputs(graph)));
    let mut bound: HashMap<ValueId, f64> = HashMap::new();
    let mut coin = 0x9E37_79B9_7F4A_7C15_u64;
    let mut flip = move || {
        coin = coin
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        if coin >> 63 == 0 { 1.0 } else { -1.0 }
    };
    for (_, node) in graph.live() {
        let result = &exact[&node.output];
        let operands: Vec<ArrayD<f64>> = node
            .inputs
            .iter()
            .map(|value| exact[value].clone())
            .collect();
        let mut carried = 0.0_f64;
        for pattern in 0..PATTERNS {
            let moved: Vec<ArrayD<f64>> = (node.inputs.iter().zip(&operands))
                .map(|(value, operand)| {
                    let by = bound.get(value).copied().unwrap_or(0.0);
                    let mut moved = operand.clone();
                    for (at, x) in moved.indexed_iter_mut() {
                        *x += by * pattern_sign(pattern, at.slice()).unwrap_or_else(&mut flip);
                    }
                    moved
                })
                .collect();
            carried = carried.max(largest(&(apply(graph, node, &moved, |x| x) - result)));
        }
        let positive: Vec<ArrayD<f64>> = operands
            .iter()
            .map(|operand| operand.mapv(f64::abs))
            .collect();
        let magnitude = largest(result)
            .max(largest(&apply(graph, node, &positive, f64::abs)))
            .max(operands.iter().map(largest).fold(0.0, f64::max));
        let terms = match node.inferred.macs {
            0 => {
                graph.values[node.inputs[0]].shape.elements()
                    / result.shape()[0].min(graph.values[node.inputs[0]].shape.channels())
            }
            macs => macs as usize / result.len(),
        };
        let own = (terms + 8) as f64 * f64::from(f32::EPSILON) * magnitude;
        bound.insert(node.output, 2.0 * carried + own);
    }
    let outputs = || graph.outputs.iter().map(|output| output.value);
    Expected {
        bound: outputs()
            .map(|value| bound.get(&value).copied().unwrap_or(0.0))
            .collect(),
        exact: outputs().map(|value| exact[&value].clone()).collect(),
    }
}

/// Ways to move an operand, see [`expected`].
const PATTERNS: usize = 3;

/// Up or down, for the element at that index; by chance if `None`.
fn pattern_sign(pattern: usize, at: &[usize]) -> Option<f64> {
    let (&channel, pixel) = at.split_first()?;
    let along = match pattern {
        0 => return None,
        1 => channel,
        _ => pixel.iter().sum(),
    };
    Some(if along.is_multiple_of(2) { 1.0 } else { -1.0 })
}

impl Expected {
    /// Compares outputs in f32 with the exact ones.
    pub fn check(&self, what: &str, outputs: &[Vec<f32>]) {
        assert_eq!(outputs.len(), self.exact.len(), "{what}: number of outputs");
        for ((exact, &bound), output) in self.exact.iter().zip(&self.bound).zip(outputs) {
            assert_eq!(output.len(), exact.len(), "{what}: elements");
            for (index, (&x, &y)) in output.iter().zip(exact).enumerate() {
                let off = (f64::from(x) - y).abs();
                assert!(
                    off <= bound,
                    "{what}: element {index} is {x}, must be {y}: off by {off:e}, bound {bound:e}"
                );
            }
        }
    }
}

/// Each image of a batch has the bits that it has alone, whatever the others are.
fn batches_agree(what: &str, graph: &Graph, target: Target, alone: &[Vec<f32>]) {
    let what = format!("{what}, a batch");
    let lowered = proven(&what, graph, &target);
    let three = |one: Vec<f32>| {
        // The same numbers, so that roots and powers of them are numbers too.
        let other: Vec<f32> = one.iter().rev().copied().collect();
        [one.clone(), other, one].concat()
    };
    let inputs: Vec<Vec<f32>> = inputs(graph).into_iter().map(three).collect();
    let outputs = interpreted(&lowered, &inputs);
    // What is not a number has many bit patterns.
    let bit = |x: &f32| if x.is_nan() { u32::MAX } else { x.to_bits() };
    let bits = |values: &[f32]| values.iter().map(bit).collect::<Vec<_>>();
    for (output, alone) in outputs.iter().zip(alone) {
        let images: Vec<&[f32]> = output.chunks(alone.len()).collect();
        assert_eq!(images.len(), 3, "{what}");
        assert_eq!(bits(images[0]), bits(alone), "{what}");
        assert_eq!(bits(images[2]), bits(alone), "{what}, behind another");
    }
    #[cfg(feature = "jit")]
    if lowered.program.isa.available() && exact::exact(&lowered.program) {
        for threads in [1, 3] {
            let [compiled] = machine::compiled(&lowered, [&inputs], threads);
            for (compiled, output) in compiled.iter().zip(&outputs) {
                let same = bits(compiled) == bits(output);
                assert!(same, "{what}, compiled, {threads} threads");
            }
        }
    }
}

/// Lowers a graph for a target, and proves the loops.
pub fn proven(what: &str, graph: &Graph, target: &Target) -> Lowered {
    let lowered = lower(graph, target);
    let proof =
        verify(&lowered.program).and_then(|()| verify_plan(&lowered.program, &lowered.plan));
    let proof = proof.and_then(|()| verify_load(&lowered.load, &lowered.plan));
    if let Err(violations) = proof {
        let dump = loops::dump::dump(&lowered.program);
        panic!(
            "{what}: {} violations, the first: {:?}\n{dump}",
            violations.len(),
            violations[0]
        );
    }
    lowered
}

/// Synthetic weights as the plan packs them, which is as the load program's twins do.
pub fn packed(lowered: &Lowered) -> Aligned {
    let weights = Weights::synthetic();
    let bound = weights
        .bind(&lowered.plan.sources)
        .expect("synthetic weights fit every plan");
    let packed = pack(&lowered.plan, &bound, 2).expect("synthetic weights are sound");
    let params = params(lowered);
    let params: Vec<&[f32]> = params.iter().map(Vec::as_slice).collect();
    let twins = interpret_load(&lowered.load, &params).expect("networks of tests are small");
    let same = |(a, b): (&f32, &f32)| a.to_bits() == b.to_bits();
    assert!(
        twins.len() == packed.len() && twins.iter().zip(&packed[..]).all(same),
        "{}: the load program packs other weights than the plan",
        lowered.plan.name
    );
    packed
}

/// Synthetic parameters as the load program reads them.
fn params(lowered: &Lowered) -> Vec<Vec<f32>> {
    let Plan {
        sources, literals, ..
    } = &lowered.plan;
    let buffers = lowered.load.buffers.values();
    let params = buffers.filter_map(|buffer| match buffer.place {
        Place::Param(index) => Some((index, buffer.len)),
        _ => None,
    });
    let values = |(index, len): (usize, usize)| match sources.get(index) {
        Some(source) => Synthetic::tensor(&source.name, &source.shape).values(len),
        None => {
            let literal = &literals[index - sources.len()];
            literal.iter().copied().cycle().take(len).collect()
        }
    };
    params.map(values).collect()
}

/// Interprets loops with synthetic weights.
pub fn interpreted(lowered: &Lowered, inputs: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
    interpret(&lowered.program, &packed(lowered), &inputs).expect("networks of tests are small")
}

/// Every engine computes the graph, as it is written and optimized, for each of these ISAs.
pub fn every_engine_agrees(what: &str, graph: &Graph, isas: &[Isa]) {
    let expected = expected(graph);
    let (optimized, _) = optimize(graph);
    for &isa in isas {
        // On a tiny machine, small tensors reach the schedules of large ones.
        for (form, graph, machine) in [
            ("as written", graph, Machine::of(isa)),
            ("optimized", &optimized, Machine::of(isa)),
            ("optimized", &optimized, Machine::tiny(isa)),
        ] {
            let what = format!("{what}, {form}, {machine:?}");
            let target = Target {
                machine,
                arithmetic: Arithmetic::Fast,
                batch: 1,
                schedule: None,
            };
            let lowered = proven(&what, graph, &target);
            let outputs = interpreted(&lowered, &inputs(graph));
            expected.check(&what, &outputs);
            batches_agree(&what, graph, target.batch(3), &outputs);
            #[cfg(feature = "jit")]
            if cnnc_testing::has(isa.available(), isa) {
                for threads in [1, 2] {
                    let what = format!("{what}, compiled, {threads} threads");
                    let [compiled] = machine::compiled(&lowered, [&inputs(graph)], threads);
                    match exact::exact(&lowered.program) {
                        true => assert_eq!(
                            compiled, outputs,
                            "{what}: other bits than the interpreter's"
                        ),
                        false => expected.check(&what, &compiled),
                    }
                }
            }
        }
    }
}
