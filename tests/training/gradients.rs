//! Gradients of the first step, of every tensor that is trained and of every input, in the definition in f64 and as compiled programs in f32.

use crate::case::Case;
use crate::compare::{Found, compare, floor, frozen, l2};
use crate::compiled::Compiled;
use crate::steps::{Run, begun};
use cnnc::compiler::gradient::Wanted;
use cnnc::compiler::graph::{Graph, Output, Param};
use cnnc::compiler::loss::{Loss, Terms};
use cnnc::compiler::step::Step;
use cnnc::compiler::target::Arithmetic;
use ndarray::ArrayD;
use std::collections::{BTreeMap, HashSet};

/// What is behind the outputs of a step: gradients by the names of what they are of.
type Gradients = BTreeMap<String, Vec<f64>>;

/// Checks a case; in f64 too, if a step is of at most so many multiplications on the way forward.
pub fn check(case: &Case, most: u64) -> Result<(), String> {
    let graph = case.model().graph().clone();
    let (loss, optimizer, step) = begun(case, &graph);
    let frozen = frozen(case);
    let trained = |param: &Param| !frozen(param);
    let before = loss.looks().then(|| step.up_to_outputs());
    // As it is trained, and with the inputs'.
    let half = step.up_to_gradients();
    let all = with_inputs(case, &graph, &*loss, &trained);
    let run = |step| Run {
        case,
        step,
        before: before.as_ref(),
        loss: &*loss,
        output: &graph.values[graph.outputs[0].value].shape,
        optimizer: &optimizer,
    };
    for arithmetic in [Arithmetic::Exact, Arithmetic::Fast] {
        let made = run(&half).made(arithmetic);
        for (step, inputs_too) in [(&half, false), (&all, true)] {
            let run = run(step);
            let mut code = Compiled::new(step, case.number("batch", 1), arithmetic, &run.start());
            code.run(&run.inputs(0, made.as_deref()));
            let outputs = (0..step.graph.outputs.len()).map(|index| code.output(index));
            let found = named(step, outputs);
            held(
                case,
                &found,
                inputs_too,
                Some(floor(case, "floor_gradient")),
            );
        }
    }
    let work = graph.macs() * case.number("batch", 1) as u64;
    if work > most {
        return Err(format!("in f64: {work} multiplications a step"));
    }
    let flat = |of: &Vec<ArrayD<f64>>| of.iter().flatten().copied().collect();
    let made = before.as_ref().map(|before| {
        let run = run(&half);
        let made = before.evaluate(&run.start(), &run.inputs(0, None)).outputs;
        made.iter().map(flat).collect::<Vec<Vec<f64>>>()
    });
    let run = run(&all);
    let evaluated = all.evaluate(&run.start(), &run.inputs(0, made.as_deref()));
    let found = named(&all, evaluated.outputs.iter().map(flat));
    held(case, &found, true, None);
    Ok(())
}

/// The loss of the network and its gradients, of inputs too.
fn with_inputs(
    case: &Case,
    network: &Graph,
    loss: &dyn Loss,
    trained: &dyn Fn(&Param) -> bool,
) -> Step {
    let mut graph = network.clone();
    (graph.head, graph.names) = (None, Vec::new());
    // Goldens drop nothing; a mask would be an input behind the targets.
    for id in graph.order.clone() {
        let node = &graph.nodes[id];
        if node.layer.keyword() == "dropout" {
            let (from, to) = (node.output, node.inputs[0]);
            graph.order.retain(|other| *other != id);
            for other in graph.order.clone() {
                let inputs = graph.nodes[other].inputs.iter_mut();
                inputs
                    .filter(|value| **value == from)
                    .for_each(|value| *value = to);
            }
        }
    }
    let outputs = graph.outputs.iter().take(loss.outputs());
    let outputs = outputs.map(|output| output.value).collect();
    let mut terms = Terms::of(&mut graph, outputs);
    let value = loss.push(&mut terms);
    let targets = terms.targets();
    graph.outputs = vec![Output {
        name: "raw".to_owned(),
        value,
    }];
    // What only the head reads is not part of it.
    let mut needed = HashSet::from([value]);
    let mut order = std::mem::take(&mut graph.order);
    order.reverse();
    order.retain(|&id| {
        let node = &graph.nodes[id];
        let is_needed = needed.contains(&node.output);
        if is_needed {
            needed.extend(node.inputs.iter().copied());
        }
        is_needed
    });
    order.reverse();
    graph.order = order;
    let wanted = Wanted {
        inputs: graph.inputs.len() - targets,
        params: trained,
    };
    let step = Step::gradients_in_training(&graph, &wanted);
    let mut step = step.unwrap_or_else(|error| panic!("{}: {error}", case.name));
    step.targets = targets;
    step
}

/// Gradients among the outputs of a step.
fn named(step: &Step, values: impl Iterator<Item = Vec<f64>>) -> Gradients {
    let named = step.graph.outputs.iter().zip(values);
    let named = named.filter_map(|(output, values)| {
        let name = output.name.strip_prefix("d(")?.strip_suffix(')')?;
        Some((name.to_owned(), values))
    });
    named.collect()
}

/// Compares gradients with those of the case: `floor` is for f32.
fn held(case: &Case, found: &Gradients, inputs_too: bool, floor: Option<f64>) {
    let inputs = case.get("inputs").as_array().expect("inputs");
    let of_inputs = |name: &str| inputs.iter().any(|input| input["name"] == *name);
    let mut tensors: [Gradients; 2] = Default::default();
    for (name, values) in found {
        tensors[usize::from(of_inputs(name))].insert(name.clone(), values.clone());
    }
    let parts = ["gradient", "input"].into_iter().zip(&tensors);
    for (part, tensors) in parts.take(1 + usize::from(inputs_too)) {
        let found = Found {
            part,
            tensors,
            floor,
            exact: 1e-9,
        };
        compare(case, case.get(part), &found);
    }
    let expected = case.get("gradient").as_object().expect("gradients");
    let number = |of: &serde_json::Value, key: &str| of[key].as_f64().unwrap_or(0.0);
    let lengths = expected.values().map(|of| number(of, "l2"));
    let longest = lengths.fold(0.0, f64::max);
    let want = case.get("gradient_l2").as_f64();
    let want = want.unwrap_or_else(|| panic!("{}: no `gradient_l2`", case.name));
    // Lengths of what belongs together are no farther apart than what they are of.
    let bound = match floor {
        None => 1e-9 * want,
        Some(floor) => {
            let apart = expected.iter().map(|(name, of)| match of["zero"] == true {
                true => 1e-5 * longest * (tensors[0][name].len() as f64).sqrt(),
                false => 5.0 * number(of, "e2") + floor * number(of, "l2"),
            });
            l2(&apart.collect::<Vec<f64>>())
        }
    };
    let all: Vec<f64> = tensors[0].values().flatten().copied().collect();
    // NaN is near nothing.
    let near = (l2(&all) - want).abs() <= bound;
    if !near {
        case.differs("gradient_l2", "all", l2(&all), want);
    }
}
