//! An .onnx in the place of a spec: the commands that take one, what `run` makes of pictures and arrays, and what is refused.

mod arrays;
mod commands;
mod made;
mod pictures;
mod refused;

use cnnc::rt::tensor_file::{Tensor, read_tensors, write_npy};
use cnnc_testing::{Place, Random};
use serde_json::Value;
use std::fs;

/// Three numbers of a picture; what stands for SETTINGS makes an input of one.
const NET: &str = "cnn 1
model Colours {
  input image: 3x8x8 { SETTINGS }
  c1: conv 3x3 4 relu
  globalavgpool
  scores: dense 3
}
";

/// A folder with `net.cnn` and, exported from it with made-up weights, `net.onnx`.
fn place() -> Place {
    let place = Place::new(env!("CARGO_BIN_EXE_cnnc"));
    write(&place, "net.cnn", NET.replace("SETTINGS", "resize 8x8"));
    exported(&place, "net");
    place
}

fn write(place: &Place, name: &str, text: impl AsRef<[u8]>) {
    fs::write(place.path(name), text).unwrap();
}

/// Writes NAME.onnx of NAME.cnn.
fn exported(place: &Place, name: &str) {
    let said = place.prints(&format!(
        "export {name}.cnn --weights synthetic -o {name}.onnx"
    ));
    assert!(said.contains(&format!("wrote {name}.onnx")), "{said}");
}

/// Writes an array of numbers between 0 and 1.
fn array(place: &Place, name: &str, dims: &[usize]) -> Vec<f32> {
    let mut random = Random(name.len() as u64);
    let count = dims.iter().product();
    let values: Vec<f32> = (0..count)
        .map(|_| random.below(1000) as f32 / 1000.0)
        .collect();
    write_npy(place.path(name), dims, &values).unwrap();
    values
}

/// The one tensor of a file.
fn tensor(place: &Place, name: &str) -> Tensor {
    let mut all = read_tensors(place.path(name)).unwrap();
    assert_eq!(all.len(), 1, "{name}");
    all.remove(0)
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Whether numbers are the same but for rounding: importer and spec may fuse differently.
#[track_caller]
fn alike(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(1e-3f32, |most, x| most.max(x.abs()));
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() <= 1e-4 * largest,
            "{what}: {found} and not {expected}"
        );
    }
}
