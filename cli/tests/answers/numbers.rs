//! What answers are computed from and how well: made-up weights, arrays in the place of pictures, the error of every layer.

use super::{Folder, SPOTS, failure, json_of, spots, text};
use cnnc::rt::tensor_file::write_safetensors;
use serde_json::Value;

#[test]
fn answers_of_made_up_weights_say_so() {
    let folder = Folder::new("made_up");
    let [spec, weights] = spots(&folder, SPOTS);
    let run = |weights: &'static str| ["run", &spec, "--weights", weights, "--input", "synthetic"];
    let remark = "the weights are synthetic";
    assert!(text(&run("synthetic")).contains(remark));
    assert_eq!(json_of(&run("synthetic"))["weights"], "synthetic");
    let read = ["run", &spec, "--weights", &weights, "--input", "synthetic"];
    assert!(!text(&read).contains(remark));
    assert_eq!(json_of(&read)["weights"], weights);
    // A network without weights has none that are made up.
    let spec = folder.write("plain.cnn", "cnn 1\nmodel Plain { input x: 3; relu }");
    let plain = [
        "run",
        &spec,
        "--weights",
        "synthetic",
        "--input",
        "synthetic",
    ];
    assert!(!text(&plain).contains(remark));
}

/// Arrays of numpy are tensors, not pictures, whatever the shape of the input.
#[test]
fn an_archive_of_arrays_is_read_as_tensors() {
    let folder = Folder::new("arrays");
    let net = folder.write("net.cnn", "cnn 1\nmodel M {\n input x: 3x2\n relu\n}\n");
    let arrays = cnnc_testing::file("runtime/tests/data/stored.npz");
    let (_, error) = failure(&["run", &net, arrays.to_str().unwrap()]);
    assert!(
        error.contains("it has no tensor for input `x`") && error.contains("`fc.weight`"),
        "{error}"
    );
}

/// `explain --weights` compares every layer with the reference, fused as it runs.
#[test]
fn explain_measures_the_error_of_every_layer() {
    let folder = Folder::new("accuracy");
    let net = folder.write(
        "net.cnn",
        "cnn 1\nmodel M {\n input x: 4x16x16\n c: conv 3x3 8 pad half bn relu\n p: globalavgpool\n f: dense 3\n}\n",
    );
    let input = folder.path("x.safetensors");
    let values: Vec<f32> = (0..1024).map(|i| (i % 17) as f32 / 8.0 - 1.0).collect();
    write_safetensors(&input, &[("x", &[4, 16, 16], &values)]).unwrap();
    for more in [&[][..], &["--input", &input], &["--exact"]] {
        let args = [&["explain", &net, "--weights", "synthetic", "--json"], more].concat();
        let found: Value = serde_json::from_str(&text(&args)).unwrap();
        assert!(
            found["passes"]
                .as_array()
                .is_some_and(|passes| !passes.is_empty())
        );
        let accuracy = &found["accuracy"];
        let exact = more.contains(&"--exact");
        // The passes are those of the network that was measured.
        let passes = found["passes"].as_array().unwrap();
        let winograd = |pass: &Value| pass["pass"] == "winograd";
        assert_eq!(passes.iter().any(winograd), !exact, "{passes:?}");
        assert_eq!(
            accuracy["arithmetic"],
            if exact { "exact" } else { "default" }
        );
        let layers = accuracy["layers"].as_array().unwrap();
        let labels: Vec<&str> = layers
            .iter()
            .map(|layer| layer["label"].as_str().unwrap())
            .collect();
        assert_eq!(labels, ["c", "p", "f"]);
        for layer in layers {
            let number = |name: &str| layer[name].as_f64().unwrap();
            // Machine code rounds to f32, so that some element is off, and sums a hundred terms at most.
            let largest = number("largest_in_deviations");
            assert!(largest > 0.0 && largest < 1e-5, "{layer}");
            assert!(number("typical") <= number("largest"), "{layer}");
            assert_eq!(layer["not_finite"], 0);
        }
    }
    // In f64 this would be finite; a layer's result is a number of 32 bits.
    let net = folder.write(
        "large.cnn",
        "cnn 1\nmodel M {\n input x: 5\n a: scale 3e38\n b: scale 1e3\n}\n",
    );
    let printed = text(&["explain", &net, "--weights", "synthetic"]);
    assert!(printed.contains("5 not finite"), "{printed}");
}
