//! The command on an ONNX file: what it writes, in what order, and what it leaves alone.

use super::command::{complains, prints};
use cnnc::rt::image::Picture;
use cnnc::rt::tensor_file::read_tensors;
use cnnc_testing::message::{number, part};
use cnnc_testing::{Place, file, told};
use std::path::Path;
use tempfile::TempDir;

/// `y = Gemm(x, w)` of `x` 1x2 and `w` 2x3, which lies in `beside`.
fn gemm(beside: &str) -> Vec<u8> {
    let value = |name: &str, dims: [u64; 2]| {
        let shape = dims.map(|n| part(1, number(1, n))).concat();
        let tensor = [number(1, 1), part(2, shape)].concat();
        [part(1, name), part(2, part(1, tensor))].concat()
    };
    let node = [part(1, "x"), part(1, "w"), part(2, "y"), part(4, "Gemm")].concat();
    let place = [part(1, "location"), part(2, beside)].concat();
    let weights = [
        number(1, 2),
        number(1, 3),
        number(2, 1),
        part(8, "w"),
        part(13, place),
        number(14, 1),
    ];
    let graph = [
        part(1, node),
        part(2, "net"),
        part(5, weights.concat()),
        part(11, value("x", [1, 2])),
        part(12, value("y", [1, 3])),
    ];
    let set = number(2, 17);
    [number(1, 8), part(7, graph.concat()), part(8, set)].concat()
}

/// A folder with `net.onnx`, whose weights lie in `net.safetensors`.
fn place() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("net.onnx"), gemm("net.safetensors")).unwrap();
    std::fs::write(place.path().join("net.safetensors"), weights()).unwrap();
    place
}

fn weights() -> Vec<u8> {
    let numbers = [1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0];
    numbers.iter().flat_map(|x| x.to_le_bytes()).collect()
}

fn import<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["import", "net.onnx", "-o"][..], more].concat()
}

#[track_caller]
fn holds(place: &Path, file: &str, bytes: &[u8]) {
    assert!(
        std::fs::read(place.join(file)).unwrap() == bytes,
        "{file} has changed"
    );
}

#[test]
fn what_is_read_is_not_written() {
    let place = place();
    let place = place.path();
    let said = complains(place, &import(&["net.cnn"]));
    assert!(
        said.contains("`net.safetensors` would be overwritten, and it is read"),
        "{said}"
    );
    holds(place, "net.safetensors", &weights());
    // Not even by force.
    complains(place, &import(&["net.cnn", "--force"]));
    holds(place, "net.safetensors", &weights());
    assert!(!place.join("net.cnn").exists());

    std::fs::write(place.join("names.safetensors"), "a\nb\nc\n").unwrap();
    let labels = ["names.cnn", "--labels", "names.safetensors"];
    let said = complains(place, &import(&labels));
    assert!(
        said.contains("`names.safetensors` would be overwritten"),
        "{said}"
    );
    holds(place, "names.safetensors", b"a\nb\nc\n");
    assert!(!place.join("names.cnn").exists());
}

#[test]
fn weights_of_others_stay() {
    let place = place();
    let place = place.path();
    prints(place, &import(&["a.cnn"]));
    let made = std::fs::read(place.join("a.safetensors")).unwrap();
    prints(
        place,
        &[
            "run",
            "a.cnn",
            "--weights",
            "a.safetensors",
            "--input",
            "synthetic",
        ],
    );
    // Those of an import are made again.
    prints(place, &import(&["a.cnn"]));
    holds(place, "a.safetensors", &made);
    // Trained ones have the same tensors, and say nothing of an import.
    prints(
        place,
        &[
            "convert",
            "a.cnn",
            "--weights",
            "a.safetensors",
            "b.safetensors",
        ],
    );
    let trained = std::fs::read(place.join("b.safetensors")).unwrap();
    let said = complains(place, &import(&["b.cnn"]));
    assert!(
        said.contains("`b.safetensors` would be replaced, and no import of this network wrote it"),
        "{said}"
    );
    assert!(said.contains("--force"), "{said}");
    holds(place, "b.safetensors", &trained);
    assert!(!place.join("b.cnn").exists());
    prints(place, &import(&["b.cnn", "--force"]));
    holds(place, "b.safetensors", &made);
    // Those of another network that was imported.
    std::fs::copy(place.join("net.onnx"), place.join("other.onnx")).unwrap();
    let said = complains(place, &["import", "other.onnx", "-o", "b.cnn"]);
    assert!(said.contains("would be replaced"), "{said}");
    holds(place, "b.safetensors", &made);
}

#[test]
fn both_files_or_none() {
    let place = place();
    let place = place.path();
    std::fs::create_dir(place.join("a.safetensors")).unwrap();
    let said = complains(place, &import(&["a.cnn"]));
    assert!(said.contains("cannot write a.safetensors"), "{said}");
    assert!(!place.join("a.cnn").exists());

    std::fs::create_dir(place.join("b.cnn")).unwrap();
    let said = complains(place, &import(&["b.cnn"]));
    assert!(said.contains("cannot write b.cnn"), "{said}");
    assert!(!place.join("b.safetensors").exists());
}

/// Boxes that a file has in a form of its own, and masks beside boxes, are numbers, and that is said once.
#[test]
fn what_is_not_decoded_is_said() {
    let place = Place::new(env!("CARGO_BIN_EXE_cnnc"));
    for name in ["distances", "fractions", "masks"] {
        let name = format!("{name}.onnx");
        let tail = file("tests/onnx/tails").join(&name);
        std::fs::copy(tail, place.path(&name)).unwrap();
    }
    let picture = Picture::from_rgb(64, 32, vec![90; 64 * 32 * 3]).unwrap();
    for name in ["a.png", "b.png"] {
        picture.write_png(place.path(name)).unwrap();
    }
    for (name, what) in [
        ("fractions", "they are not decoded"),
        ("masks", "masks or points are among the numbers"),
    ] {
        for pictures in ["a.png", "a.png b.png"] {
            let output = place.output(&format!("run {name}.onnx {pictures}"));
            let said = told(&output);
            assert!(output.status.success(), "{said}");
            assert_eq!(said.matches(what).count(), 1, "{said}");
        }
        let output = place.output(&format!("import {name}.onnx -o {name}.cnn"));
        assert_eq!(told(&output).matches(what).count(), 1, "{name}");
        place.prints(&format!("run {name}.onnx a.png --raw {name}/"));
        let raw = read_tensors(place.path(name).join("output_0.npy")).unwrap();
        assert_eq!(raw[0].shape[..2], [1, if name == "masks" { 12 } else { 6 }]);
    }
    let said = told(&place.output("run distances.onnx a.png"));
    assert!(!said.contains("decoded"), "{said}");
}
