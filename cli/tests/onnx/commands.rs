//! Every command that takes a spec to look at it takes the file.

use super::{exported, json, made, place, write};
use cnnc_testing::told;

#[test]
fn a_file_is_checked() {
    let place = place();
    let said = place.prints("check net.onnx net.cnn --hash");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 4, "{said}");
    assert!(lines[0].starts_with("net.onnx: Net is sound, "), "{said}");
    // The file is the spec's network.
    let hash = |line: &str| line.split(": ").nth(1).unwrap().to_owned();
    assert_eq!(hash(lines[1]), hash(lines[3]));
    // There is no text in it to put right.
    let before = place.read("net.onnx");
    place.prints("check net.onnx --fix");
    assert_eq!(place.read("net.onnx"), before);
    let found = json(&place.prints("check net.onnx --json"));
    assert_eq!(found[0]["sound"], true);
    assert_eq!(found[0]["spec"], "net.onnx");
}

#[test]
fn a_file_is_summed_up() {
    let place = place();
    let text = place.prints("summary net.onnx");
    assert!(text.contains("Imported from net.onnx."), "{text}");
    assert!(text.contains("conv 3x3 4"), "{text}");
    let summary = |name: &str| json(&place.prints(&format!("summary {name} --json")));
    let (file, spec) = (summary("net.onnx"), summary("net.cnn"));
    for figure in ["parameters", "macs"] {
        assert_eq!(file[figure], spec[figure], "{figure}");
        assert!(file[figure].as_u64().unwrap() > 100, "{file:#}");
    }
    assert_eq!(file["inputs"][0]["shape"], spec["inputs"][0]["shape"]);
}

#[test]
fn a_file_is_drawn() {
    let place = place();
    place.prints("graph net.onnx -o net.svg");
    let svg = String::from_utf8(place.read("net.svg")).unwrap();
    assert!(
        svg.starts_with("<svg") && svg.contains("conv 3x3 4 · relu"),
        "{svg}"
    );
    place.prints("graph net.onnx --expand -o net.png");
    assert!(place.read("net.png").starts_with(b"\x89PNG"));
    let text = place.prints("graph net.onnx --format mermaid");
    assert!(text.starts_with("flowchart"), "{text}");
    let before = place.read("net.onnx");
    let said = place.fails("graph net.onnx --format svg -o net.onnx");
    assert!(
        said.contains("`net.onnx` would be overwritten, and it is read"),
        "{said}"
    );
    assert_eq!(place.read("net.onnx"), before);
}

#[test]
fn a_file_is_explained() {
    let place = place();
    let text = place.prints("explain net.onnx");
    assert!(text.contains("fuse_activation"), "{text}");
    let found = json(&place.prints("explain net.onnx --weights synthetic --json"));
    let layers = found["accuracy"]["layers"].as_array().unwrap();
    assert!(layers.len() >= 3, "{found:#}");
    let near = |layer: &serde_json::Value| layer["typical_in_deviations"].as_f64().unwrap() < 1e-5;
    assert!(layers.iter().all(near), "{found:#}");
}

#[test]
fn a_file_is_timed() {
    let place = place();
    // With the weights in it.
    let found = json(&place.prints("bench net.onnx --runs 3 --json"));
    assert_eq!(found["model"], "Net");
    let spec = json(&place.prints("bench net.cnn --weights synthetic --runs 3 --json"));
    assert_eq!(found["macs"], spec["macs"]);
    assert!(found["median_ms"].as_f64().unwrap() > 0.0);
    let text = place.prints("bench net.onnx net.cnn --weights synthetic --runs 3");
    assert!(text.contains("Net") && text.contains("Colours"), "{text}");
}

#[test]
fn a_file_becomes_a_spec_of_the_same_network() {
    let place = place();
    place.prints("import net.onnx -o again.cnn");
    let hash = |name: &str| place.prints(&format!("check --hash --json {name}"));
    let (again, spec) = (json(&hash("again.cnn")), json(&hash("net.cnn")));
    assert_eq!(again[0]["hash"], spec[0]["hash"]);
}

/// Extents that the file leaves open are said, to every command.
#[test]
fn open_extents_are_given() {
    let place = place();
    write(&place, "open.onnx", made::node("Relu", &[0, 3, 0, 0]));
    let lines = [
        "check open.onnx",
        "summary open.onnx",
        "graph open.onnx",
        "explain open.onnx",
        "run open.onnx --input synthetic",
        "bench open.onnx --runs 2",
        "import open.onnx",
    ];
    for line in lines {
        let said = place.fails(line);
        assert!(
            said.contains("its shape is open; give `--shape x=3x640x640`"),
            "{line}: {said}"
        );
        place.prints(&format!("{line} --shape x=3x4x6"));
    }
    let found = json(&place.prints("summary open.onnx --shape x=3x4x6 --json"));
    assert_eq!(found["inputs"][0]["shape"], serde_json::json!([3, 4, 6]));
    for (shape, why) in [
        (
            "z=3x4x6",
            "there is no input `z` to have a shape; inputs are `x`",
        ),
        ("x=4x4x6", "4x4x6 does not fit that"),
        ("x=3x4", "3x4 does not fit that"),
    ] {
        let said = place.fails(&format!("check open.onnx --shape {shape}"));
        assert!(said.contains(why), "{shape}: {said}");
    }
    for shape in ["x", "x=", "x=3xA", "x=0x4x6", "x=3x4x99999999999"] {
        let output = place.output(&format!("check open.onnx --shape {shape}"));
        assert_eq!(output.status.code(), Some(2), "{shape}");
        let said = told(&output);
        assert!(
            said.contains("a shape is written like images=3x640x640"),
            "{said}"
        );
    }
}

/// What the file itself does not tell apart: several inputs, of which each is a file.
#[test]
fn a_file_has_several_inputs() {
    let place = place();
    let two = "cnn 1
model Two {
  input a: 2x3x3
  input b: 2x3x3
  difference: sub(a, b)
}
";
    write(&place, "two.cnn", two);
    exported(&place, "two");
    for (name, dims) in [("p.npy", &[1, 2, 3, 3]), ("other.npy", &[1, 2, 3, 3])] {
        super::array(&place, name, dims);
    }
    place.prints("run two.onnx p.npy other.npy --raw out/");
    let (p, other) = (
        super::tensor(&place, "p.npy"),
        super::tensor(&place, "other.npy"),
    );
    let expected: Vec<f32> = p
        .values
        .iter()
        .zip(&other.values)
        .map(|(a, b)| a - b)
        .collect();
    let found = super::tensor(&place, "out/output_0.npy");
    assert_eq!(found.shape, [1, 2, 3, 3]);
    super::alike(&found.values, &expected, "two inputs");
    let said = place.fails("run two.onnx p.npy");
    assert!(
        said.contains("1 files do not make whole runs of a network with 2 inputs"),
        "{said}"
    );
}
