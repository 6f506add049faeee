//! Which tensors a case has, and how they are compared with what was found.

use crate::case::{Case, largest, numbers};
use cnnc::compiler::graph::Param;
use serde_json::Value;
use std::collections::BTreeMap;

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
        let shape = numbers(&case.get("tensors")[name]["shape"]);
        let elements: f64 = shape.iter().product();
        if values.len() as f64 != elements {
            case.differs(part, &format!("{name}: elements"), values.len(), elements);
        }
        if want["zero"] == true {
            let limit = if found.floor.is_some() {
                1e-5
            } else {
                found.exact
            };
            // NaN is near nothing.
            let near = values.iter().all(|x| x.abs() <= limit * longest);
            if !near {
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
            let near = (value - want).abs() <= bound;
            if !near {
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

/// The floor of a part, for results in f32.
pub fn floor(case: &Case, key: &str) -> f64 {
    let floor = case.get(key).as_f64();
    floor.unwrap_or_else(|| panic!("{}: no `{key}`", case.name))
}

/// The floor of a loss: of the first step, or of those that follow.
pub fn floor_of_loss(case: &Case, step: usize) -> f64 {
    floor(case, if step == 0 { "floor" } else { "floor_loss" })
}

/// The floor of what a step changes.
pub fn floor_of_change(case: &Case, step: usize) -> f64 {
    let key = if step == 0 {
        "floor_gradient"
    } else {
        "floor_later"
    };
    floor(case, key)
}
