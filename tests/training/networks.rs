//! Whole networks: outputs, loss and gradients of the first step. The gradient of a loss is the cotangent of the network's output.

use crate::case::{Batch, Case, batch_statistics, largest, numbers, tensor};
use cnnc::compiler::gradient::{Wanted, differentiate};
use cnnc::compiler::graph::Param;
use cnnc::compiler::reference;
use ndarray::{ArrayD, Axis};
use serde_json::Value;
use std::collections::BTreeMap;

/// What the loss makes of one sample's output: its part of the loss, and the gradient.
type Loss = Box<dyn Fn(usize, &ArrayD<f64>) -> (f64, ArrayD<f64>)>;

pub fn check(case: &Case) -> Result<(), String> {
    let model = case.model();
    let mut graph = model.graph().clone();
    if batch_statistics(&graph) {
        return Err("statistics of the batch".to_owned());
    }
    let batch = case.number("batch", 1);
    let loss = loss(case, batch)?;
    graph.outputs.truncate(1);
    let frozen = frozen(case);
    let trained = |param: &Param| !frozen(param);
    let wanted = Wanted {
        inputs: true,
        params: &trained,
    };
    let gradients = differentiate(&graph, &wanted);
    let gradients = gradients.unwrap_or_else(|error| panic!("{}: {error}", case.name));
    let (mut found, mut total) = (Batch::default(), 0.0);
    for sample in 0..batch {
        let inputs = graph.inputs.iter().map(|of| {
            let shape = graph.values[of.value].shape.dims();
            case.sample(&of.name, sample, shape)
        });
        let inputs: Vec<ArrayD<f64>> = inputs.collect();
        let outputs = reference::evaluate(&graph, &tensor, &inputs);
        let (part, dy) = loss(sample, &outputs[0]);
        total += part;
        found.add(&graph, &gradients, &inputs, &[dy]);
    }
    let want = numbers(case.get("loss_per_step"))[0];
    if (total - want).abs() > 1e-9 * want.abs() {
        case.differs("loss 0", "loss", total, want);
    }
    let of_inputs = |name: &String| graph.inputs.iter().any(|input| input.name == *name);
    let (inputs, params): (BTreeMap<_, _>, BTreeMap<_, _>) = found
        .gradients
        .into_iter()
        .partition(|(name, _)| of_inputs(name));
    let output = BTreeMap::from([("output.0".to_owned(), found.outputs)]);
    part(case, "output", &output);
    part(case, "gradient", &params);
    let length = l2(&params.values().flatten().copied().collect::<Vec<f64>>());
    let want = case.get("gradient_l2").as_f64().expect("a length");
    if (length - want).abs() > 1e-9 * want {
        case.differs("gradient_l2", "all", length, want);
    }
    part(case, "input", &inputs);
    Ok(())
}

/// Which tensors are not trained.
pub fn frozen(case: &Case) -> impl Fn(&Param) -> bool {
    let names = case.get("frozen").as_array();
    let names: Vec<String> = names.into_iter().flatten().map(text).collect();
    move |param| {
        let stands = |name: &String| {
            let rest = param.name.strip_prefix(name.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        names.iter().any(stands)
    }
}

/// The class of a pixel of a sample.
pub fn label(sample: usize, pixel: usize, pixels: usize, classes: usize) -> usize {
    (7 * (sample * pixels + pixel) + 3) % classes
}

pub fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

pub fn l2(values: &[f64]) -> f64 {
    values.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// The loss of a case.
fn loss(case: &Case, batch: usize) -> Result<Loss, String> {
    let settings = case.get("loss");
    let mean = 1.0 / batch as f64;
    match &*text(&settings["kind"]) {
        "cross_entropy" => {
            let smoothing = settings["smoothing"].as_f64().unwrap_or(0.0);
            Ok(Box::new(move |sample, z| {
                cross_entropy(sample, z, smoothing, mean)
            }))
        }
        "logistic_pair" => Ok(Box::new(move |sample, p| {
            let (p, y) = (p[[0]], ((7 * sample + 3) % 2) as f64);
            let loss = -(y * p.ln() + (1.0 - y) * (1.0 - p).ln());
            let slope = (p - y) / (p * (1.0 - p));
            (mean * loss, ArrayD::from_elem(vec![1], mean * slope))
        })),
        kind @ ("localise" | "landmarks" | "contrastive" | "triplet" | "yolo2" | "yolo3") => {
            Err(format!("the loss `{kind}`"))
        }
        kind => panic!("{}: loss `{kind}`", case.name),
    }
}

/// Of the logits of one sample, or of each of its pixels.
fn cross_entropy(sample: usize, z: &ArrayD<f64>, smoothing: f64, mean: f64) -> (f64, ArrayD<f64>) {
    let classes = z.shape()[0];
    let pixels = z.len() / classes;
    let (mut loss, mut dz) = (0.0, z.clone());
    for (pixel, mut lane) in dz.lanes_mut(Axis(0)).into_iter().enumerate() {
        let label = label(sample, pixel, pixels, classes);
        let most = lane.fold(f64::NEG_INFINITY, |most, &x| most.max(x));
        let sum = lane.fold(0.0, |sum, x| sum + (x - most).exp());
        for (class, x) in lane.iter_mut().enumerate() {
            let hot = if class == label { 1.0 - smoothing } else { 0.0 };
            let target = hot + smoothing / classes as f64;
            let log = *x - most - sum.ln();
            loss -= target * log;
            *x = (log.exp() - target) * mean / pixels as f64;
        }
    }
    (loss * mean / pixels as f64, dz)
}

/// Compares the tensors of a part, exact ones.
fn part(case: &Case, part: &str, found: &BTreeMap<String, Vec<f64>>) {
    let found = Found {
        part,
        tensors: found,
        floor: None,
        exact: 1e-9,
    };
    compare(case, case.get(part), &found);
}

/// What is compared, and by which limits.
pub struct Found<'f> {
    pub part: &'f str,
    pub tensors: &'f BTreeMap<String, Vec<f64>>,
    /// For results in f32: what is not ordinary.
    pub floor: Option<f64>,
    /// For results in f64: the limit.
    pub exact: f64,
}

/// Compares tensors with those of a case.
pub fn compare(case: &Case, expected: &Value, found: &Found<'_>) {
    let part = found.part;
    let expected = expected.as_object();
    let expected = expected.unwrap_or_else(|| panic!("{}: no `{part}`", case.name));
    let mut wanted: Vec<&String> = expected.keys().collect();
    wanted.sort();
    let present: Vec<&String> = found.tensors.keys().collect();
    assert_eq!(present, wanted, "{}: {part}", case.name);
    let lengths = found.tensors.values().map(|values| l2(values));
    let longest = lengths.fold(0.0, f64::max);
    for (name, want) in expected {
        let values = &found.tensors[name];
        if want["zero"] == true {
            let limit = if found.floor.is_some() {
                1e-5
            } else {
                found.exact
            };
            if largest(values) > limit * longest {
                case.differs(part, name, largest(values), 0.0);
            }
            continue;
        }
        let number = |key: &str| want[key].as_f64().expect("a number");
        let (most, length) = (number("max"), number("l2"));
        // Of the whole tensor, and of single elements.
        let (whole, single) = match found.floor {
            Some(floor) => (
                5.0 * number("e2") + floor * length,
                5.0 * number("es") + floor * most,
            ),
            None => (found.exact * length, found.exact * most),
        };
        let apart = |what: &str, value: f64, want: f64, bound: f64| {
            if (value - want).abs() > bound {
                case.differs(part, &format!("{name}: {what}"), value, want);
            }
        };
        apart("l2", l2(values), length, whole);
        if found.floor.is_none() {
            let count = (values.len() as f64).sqrt();
            apart("max", largest(values), most, single);
            apart("sum", values.iter().sum(), number("sum"), whole * count);
        }
        let positions = numbers(&case.get("tensors")[name]["positions"]);
        for (at, want) in positions.iter().zip(numbers(&want["values"])) {
            apart(&format!("[{at}]"), values[*at as usize], want, single);
        }
    }
}
