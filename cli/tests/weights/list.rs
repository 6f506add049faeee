//! `cnnc weights`: what it lists, and what it says of a fit.

use super::{Place, SPEC, WITH_BIAS, darknet, sample};
use serde_json::{Value, json};

fn listed(place: &Place, args: &[&str]) -> (bool, Value) {
    let output = place.cnnc(&[&["weights", "--json"], args].concat());
    let value = serde_json::from_slice(&output.stdout).expect("one JSON value");
    (output.status.success(), value)
}

#[test]
fn tensors_with_shape_type_and_size() {
    let place = Place::new(SPEC);
    let file = sample("torch_objects.pt");
    let said = place.prints(&["weights", file.to_str().unwrap()]);
    let lines: Vec<Vec<&str>> = said
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert!(
        said.lines()
            .next()
            .unwrap()
            .ends_with("torch_objects.pt: PyTorch, 7 tensors, 27 numbers, 5.5 KiB"),
        "{said}"
    );
    for row in [
        &["tensor", "shape", "type", "numbers"][..],
        &["conv.weight", "2x1x2x3", "F32", "12"],
        &["bn.running_var", "2", "BF16", "2"],
        &["bn.num_batches_tracked", "1", "I64", "1"],
        &["spectrum", "a", "tensor", "of", "complex128"],
    ] {
        assert!(lines.iter().any(|line| line == row), "{row:?}: {said}");
    }

    let (_, list) = listed(&place, &[sample("stored.npz").to_str().unwrap()]);
    assert_eq!(list["format"], "npz");
    assert_eq!(list["tensors"].as_array().unwrap().len(), 4);
    let fc = json!({ "name": "fc.weight", "shape": [3, 2], "type": "F32", "numbers": 6 });
    assert_eq!(list["tensors"][3], fc);
}

#[test]
fn which_layer_reads_what() {
    let place = Place::new(WITH_BIAS);
    let parallel = sample("torch_checkpoint.pt");
    let parallel = parallel.to_str().unwrap();
    let said = place.prints(&["weights", parallel, "net.cnn"]);
    let rows: Vec<Vec<&str>> = said
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    for row in [
        &[
            "module.conv.weight",
            "2x1x2x3",
            "F32",
            "12",
            "conv,",
            "weight",
        ][..],
        &["module.bn.weight", "2", "F64", "2", "-"],
    ] {
        assert!(rows.iter().any(|line| line == row), "{row:?}: {said}");
    }
    assert!(
        said.ends_with("Sample reads 3 tensors, and all fit\n"),
        "{said}"
    );

    let (sound, list) = listed(&place, &[parallel, "net.cnn"]);
    let network = &list["network"];
    assert!(sound && network["fits"] == true);
    assert_eq!(network["prefix"], "module.");
    assert_eq!(network["notes"], json!(["names are read behind `module.`"]));
    assert_eq!(network["unused"].as_array().unwrap().len(), 3);
    let reader = |name: &str| {
        let mut tensors = list["tensors"].as_array().unwrap().iter();
        tensors.find(|tensor| tensor["name"] == name).unwrap()["layer"].clone()
    };
    assert_eq!(reader("module.fc.weight"), "fc, weight");
    assert_eq!(reader("module.bn.weight"), Value::Null);
}

#[test]
fn what_does_not_fit_is_said_of_each() {
    let place = Place::new(
        &WITH_BIAS
            .replace("conv 2x3 2", "conv 3x2 2")
            .replace("fc:", "last:"),
    );
    let file = sample("torch.pt");
    let file = file.to_str().unwrap();
    let said = place.complains(&["weights", file, "net.cnn"]);
    assert!(
        said.contains(
            "`conv.weight` has shape 2x1x2x3, but the network needs 2x1x3x2; transposed?"
        ),
        "{said}"
    );
    assert!(
        said.contains(
            "`last.weight` (3x2) is missing; did you mean `fc.weight`, which has that shape?"
        ),
        "{said}"
    );
    // The list is printed all the same.
    let output = place.cnnc(&["weights", file, "net.cnn"]);
    let list = String::from_utf8(output.stdout).unwrap();
    assert!(list.contains("conv, weight: needs 2x1x3x2"), "{list}");

    let (sound, list) = listed(&place, &[file, "net.cnn"]);
    let network = &list["network"];
    assert!(!sound && network["fits"] == false);
    assert_eq!(network["problems"].as_array().unwrap().len(), 2);
    assert_eq!(
        network["problems"][1],
        json!({
            "name": "last.weight", "problem": "missing", "needed": [3, 2], "nearest": "fc.weight",
            "same_shape": ["fc.weight"], "pair": null,
            "message": "tensor `last.weight` (3x2) is missing; did you mean `fc.weight`, which has that shape?",
        })
    );
}

#[test]
fn darknets_files_are_listed_by_a_spec() {
    let place = Place::new(&WITH_BIAS.replace("dense 3 bias off", "dense 3"));
    let file = darknet(&place);
    let file = file.to_str().unwrap();
    let said = place.prints(&["weights", file]);
    assert!(
        said.ends_with("sample.weights: darknet, numbers without names, 112 bytes\n"),
        "{said}"
    );
    let said = place.prints(&["weights", file, "net.cnn"]);
    let rows: Vec<Vec<&str>> = said
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert!(
        rows.contains(&vec!["conv,", "weight", "2x1x2x3", "F32", "12"]),
        "{said}"
    );
    assert_eq!(
        listed(&place, &[file, "net.cnn"]).1["network"]["fits"],
        true
    );
}

#[test]
fn what_is_no_weights_file_is_named() {
    let place = Place::new(SPEC);
    std::fs::write(
        place.path("net.onnx"),
        b"\x08\x08\x12\x07pytorch:\xff\x01\x0a",
    )
    .unwrap();
    let said = place.complains(&[
        "run",
        "net.cnn",
        "--weights",
        "net.onnx",
        "--input",
        "synthetic",
    ]);
    assert!(said.contains("net.onnx: not a weights file"), "{said}");
    assert!(
        said.contains("it looks like an ONNX model; under a name that ends in .onnx it stands in the place of a spec"),
        "{said}"
    );
    let said = place.complains(&["weights", "net.cnn", "net.cnn"]);
    assert!(
        said.contains("a spec of cnnc; specs come first, weights behind `--weights`"),
        "{said}"
    );
}
