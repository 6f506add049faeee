//! A file of goldens, and numbers from names.

use cnnc::Model;
use cnnc::compiler::graph::Param;
use cnnc::rt::synthetic::Synthetic;
use ndarray::{ArrayD, IxDyn};
use serde_json::Value;
use std::path::Path;

/// A JSON object with a name for messages.
pub struct Case {
    pub name: String,
    json: Value,
}

impl Case {
    pub fn read(path: &Path) -> Case {
        let bytes = std::fs::read(path);
        let bytes = bytes.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let json: Result<Value, _> = serde_json::from_slice(&bytes);
        let json = json.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let known = crate::keys::check(&json);
        known.unwrap_or_else(|problem| panic!("{}: {problem}", path.display()));
        Case::new(json)
    }

    pub fn new(json: Value) -> Case {
        let name = json["name"].as_str().expect("a name").to_owned();
        Case { name, json }
    }

    pub fn get(&self, key: &str) -> &Value {
        &self.json[key]
    }

    pub fn text(&self, key: &str) -> String {
        let text = self.json[key].as_str();
        text.unwrap_or_else(|| panic!("{}: no `{key}`", self.name))
            .to_owned()
    }

    /// A number, or what stands for it where it is left out.
    pub fn number(&self, key: &str, otherwise: usize) -> usize {
        self.json[key].as_u64().map_or(otherwise, |n| n as usize)
    }

    /// The network, whose text or path the case has.
    pub fn model(&self) -> Model {
        let spec = self.text("spec");
        let model = match spec.starts_with("cnn 1") {
            true => cnnc::compile_str(&self.name, &spec),
            false => cnnc::compile_file(cnnc_testing::file(&spec)),
        };
        model.unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// An input of that sample.
    pub fn sample(&self, name: &str, sample: usize, shape: &[usize]) -> ArrayD<f64> {
        let values = input(
            &format!("{name}.{}", self.number("first", 0) + sample),
            shape,
        );
        match self.get("quantum").as_f64() {
            Some(q) => values.mapv(|x| (x / q).floor() * q),
            None => values,
        }
    }

    /// Fails, naming the case.
    pub fn differs(
        &self,
        part: &str,
        tensor: &str,
        found: impl std::fmt::Debug,
        want: impl std::fmt::Debug,
    ) -> ! {
        panic!(
            "{}: {part}: `{tensor}` is {found:?}, not {want:?}",
            self.name
        )
    }
}

/// Numbers of an array.
pub fn numbers(value: &Value) -> Vec<f64> {
    let items = value.as_array().expect("an array");
    items
        .iter()
        .map(|item| item.as_f64().expect("a number"))
        .collect()
}

/// A tensor of f32 numbers in f64.
pub fn array(shape: &[usize], values: &[f32]) -> ArrayD<f64> {
    let values = values.iter().map(|&x| f64::from(x)).collect();
    ArrayD::from_shape_vec(IxDyn(shape), values).expect("as many values")
}

/// What a name says of an input.
pub fn input(name: &str, shape: &[usize]) -> ArrayD<f64> {
    let values = Synthetic::input(name).values(shape.iter().product());
    array(shape, &values)
}

/// What a name says of a tensor.
pub fn tensor(param: &Param) -> ArrayD<f64> {
    let values = Synthetic::tensor(&param.name, &param.shape).values(param.elements());
    array(&param.shape, &values)
}

pub fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most, x| x.abs().max(most))
}
