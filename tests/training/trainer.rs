//! A [`Trainer`] as a recipe makes it, with weights to begin with and layers that stay as they are.

use crate::case::{Case, numbers};
use crate::compare::{Found, compare, floor_of_change, floor_of_loss, frozen, label, text};
use crate::steps::optimizer;
use cnnc::rt::synthetic::Synthetic;
use cnnc::train::{Init, Recipe, Trainer, Tuning};
use cnnc::{Model, Weights};
use std::collections::BTreeMap;

/// Checks a case that freezes layers and learns classes by gradient descent; whether it is one.
pub fn check(case: &Case) -> bool {
    let names = case.get("frozen").as_array();
    let names: Vec<String> = names.into_iter().flatten().map(text).collect();
    let kinds = ["loss", "optimizer"].map(|key| text(&case.get(key)["kind"]));
    if names.is_empty() || kinds != ["cross_entropy", "sgd"] {
        return false;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let model = case.model();
    let first = first(&model);
    let file = folder.path().join("first.safetensors");
    let tensors = first
        .iter()
        .map(|(name, (shape, values))| (name.as_str(), shape.as_slice(), values.as_slice()));
    let weights = Weights::from_tensors(tensors).expect("names of their own");
    weights.write_safetensors(&file).expect("written");
    let optimizer = optimizer(case.get("optimizer"));
    let recipe = Recipe {
        optimizer: optimizer.clone(),
        batch: case.number("batch", 1),
        // Another seed would begin elsewhere, if anything began at random.
        seed: 7,
        tuning: Tuning {
            init: Some(Init {
                file,
                except: Vec::new(),
            }),
            freeze: names,
            ..Tuning::default()
        },
        ..Recipe::default()
    };
    let mut trainer = Trainer::new(&model, &recipe).expect("it can be trained");
    let stays = frozen(case);
    let (batch, dataset) = (case.number("batch", 1), case.number("dataset", 1));
    let (losses, errors) = (case.get("loss_per_step"), case.get("loss_error"));
    let (losses, errors) = (numbers(losses), numbers(errors));
    let rates = numbers(case.get("rate"));
    let graph = model.graph();
    let input = &graph.inputs[0];
    let shape = graph.values[input.value].shape.dims();
    let classes = graph.values[graph.outputs[0].value].shape.channels();
    // What weights that decay lose by it, as a share of themselves; momentum adds up.
    let (mut pull, mut lost) = (0.0, 0.0);
    for (step, want) in losses.iter().enumerate() {
        let samples: Vec<usize> = (0..batch).map(|i| (step * batch + i) % dataset).collect();
        let inputs = samples.iter().flat_map(|&sample| {
            let values = case.sample(&input.name, sample, shape);
            values.into_iter().map(|x| x as f32)
        });
        let inputs: Vec<f32> = inputs.collect();
        let labels = samples
            .iter()
            .map(|&sample| label(sample, 0, 1, classes) as u32);
        let labels: Vec<u32> = labels.collect();
        let done = trainer.step(&inputs, &labels, rates[step]).expect("a step");
        let bound = 5.0 * errors[step] + floor_of_loss(case, step) * want.abs();
        // NaN is near nothing.
        let near = (done.loss - want).abs() <= bound;
        if !near {
            case.differs(&format!("trainer, loss {step}"), "loss", done.loss, want);
        }
        pull = optimizer.momentum * pull + optimizer.decay;
        lost += rates[step] * pull;
        let after = &case.get("after")[(step + 1).to_string()];
        if after.is_null() {
            continue;
        }
        let changes = trainer.tensors().map(|(param, values)| {
            let (_, start) = &first[&param.name];
            let moves = values.iter().zip(start);
            // The case lets everything decay, a recipe spares what has one dimension: to first order that is this share of what it was.
            let learns = !matches!(param.role, "running_mean" | "running_var");
            let spared = learns && param.shape.len() == 1 && !stays(param);
            let share = if spared { lost } else { 0.0 };
            let change =
                |(now, was): (&f32, &f32)| f64::from(*now) - f64::from(*was) * (1.0 + share);
            let change: Vec<f64> = moves.map(change).collect();
            if stays(param) {
                assert!(values == start, "{}: `{}` has moved", case.name, param.name);
            }
            (param.name.clone(), change)
        });
        let changes: BTreeMap<String, Vec<f64>> = changes.collect();
        let found = Found {
            part: &format!("trainer, after {}", step + 1),
            tensors: &changes,
            floor: Some(floor_of_change(case, step)),
            exact: 1e-8,
        };
        compare(case, after, &found);
    }
    true
}

/// Shapes and values of all tensors, which their names say.
fn first(model: &Model) -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
    let params = model.graph().params.values();
    let params = params.filter(|param| param.literal.is_none());
    let value = |param: &cnnc::compiler::graph::Param| {
        let synthetic = Synthetic::tensor(&param.name, &param.shape);
        (param.shape.to_vec(), synthetic.values(param.elements()))
    };
    params
        .map(|param| (param.name.clone(), value(param)))
        .collect()
}
