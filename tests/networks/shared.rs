//! Where things are: specs in this repository, goldens and data in `../shared` beside it.

use cnnc::Model;
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A file of this repository.
pub fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The network of that name.
pub fn model(name: &str) -> Model {
    let compiled = cnnc::compile_file(file(&format!("specs/{name}.cnn")));
    compiled.unwrap_or_else(|error| panic!("{error}"))
}

/// A file of `../shared`, or `None` after saying that the test is skipped.
///
/// # Panics
/// When it is absent and `CI` is set: there nothing may be skipped.
pub fn shared(path: &str) -> Option<PathBuf> {
    let found = file("../shared").join(path);
    if found.exists() {
        return Some(found);
    }
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    say(&format!("SKIPPED: {test} needs ../shared/{path}"));
    let ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
    assert!(!ci, "../shared/{path} is absent, and CI skips nothing");
    None
}

/// Writes a line that the test runner does not capture.
pub fn say(line: &str) {
    // Not a macro: their output is shown of failing tests only.
    let _ = writeln!(std::io::stderr(), "{line}");
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
