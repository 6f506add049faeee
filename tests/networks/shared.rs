//! Specs and goldens, read.

use cnnc::Model;
use serde_json::Value;
use std::fs;
use std::path::Path;

pub use cnnc_testing::{file, say, shared};

/// The network of that name.
pub fn model(name: &str) -> Model {
    let compiled = cnnc::compile_file(file(&format!("specs/{name}.cnn")));
    compiled.unwrap_or_else(|error| panic!("{error}"))
}

/// A file's bytes.
pub fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A JSON file.
pub fn json(path: &Path) -> Value {
    serde_json::from_slice(&read(path))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The numbers of a JSON array, those of nested arrays in order.
pub fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().expect("a number")],
    }
}
