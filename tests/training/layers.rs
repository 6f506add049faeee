//! Single layers: all elements of all gradients.

use crate::case::{Batch, Case, array, batch_statistics, input, largest, numbers};
use cnnc::compiler::gradient::{Wanted, differentiate};
use ndarray::ArrayD;

pub fn check(file: &Case) -> Result<(), String> {
    let cases = file.get("cases").as_array().expect("cases");
    let mut left_out = Vec::new();
    for json in cases {
        let case = Case::new(json.clone());
        match one(&case) {
            true => {}
            false => left_out.push(case.name),
        }
    }
    match left_out.is_empty() {
        true => Ok(()),
        false => Err(format!("statistics of the batch: {}", left_out.join(", "))),
    }
}

/// Checks a case, unless it needs what there is not yet.
fn one(case: &Case) -> bool {
    let model = case.model();
    let graph = model.graph();
    if case.text("mode") == "train" && batch_statistics(graph) {
        return false;
    }
    let gradients = differentiate(graph, &Wanted::all());
    let gradients = gradients.unwrap_or_else(|error| panic!("{}: {error}", case.name));
    let output = &graph.values[graph.outputs[0].value].shape;
    let (mut batch, mut value, mut size) = (Batch::default(), 0.0, 0.0);
    for sample in 0..case.number("batch", 1) {
        let number = case.number("first", 0) + sample;
        let inputs = graph.inputs.iter().map(|of| {
            let dims = graph.values[of.value].shape.dims();
            let given = &case.get("given")[&of.name];
            match given.is_null() {
                true => input(&format!("{}.{number}", of.name), dims),
                false => {
                    let count = dims.iter().product();
                    let values = numbers(given).into_iter().skip(sample * count).take(count);
                    array(dims, &values.map(|x| x as f32).collect::<Vec<_>>())
                }
            }
        });
        let inputs: Vec<ArrayD<f64>> = inputs.collect();
        let u = input(&format!("u.{number}"), output.dims());
        let before = batch.outputs.len();
        batch.add(graph, &gradients, &inputs, std::slice::from_ref(&u));
        for (y, u) in batch.outputs[before..].iter().zip(&u) {
            value += y * u;
            size += (y * u).abs();
        }
    }
    let want = case.get("value").as_f64().expect("a value");
    if (value - want).abs() > 1e-9 * size {
        case.differs("value", "y", value, want);
    }
    let expected = case.get("gradient").as_object().expect("gradients");
    for (name, want) in expected {
        let want = numbers(want);
        let Some(found) = batch.gradients.get(name) else {
            case.differs("gradient", name, "absent", &want);
        };
        assert_eq!(found.len(), want.len(), "{}: `{name}`", case.name);
        let most = largest(&want);
        for (index, (found, want)) in found.iter().zip(&want).enumerate() {
            if (found - want).abs() > 1e-9 * most {
                case.differs("gradient", &format!("{name}[{index}]"), found, want);
            }
        }
    }
    for name in batch.gradients.keys() {
        assert!(
            expected.contains_key(name),
            "{}: `{name}` has a gradient",
            case.name
        );
    }
    true
}
