//! `fmt`, `check --fix`, `export` and `summary`: what they write, what they leave, and what they say.

use cnnc_testing::{Place, told};
use std::fs;
use std::io::Write as _;
use std::process::Stdio;

const NEAT: &str = "cnn 1
model N {
  input image: 3x8x8
  c1:  conv 3x3 4  relu
  out: globalavgpool
  head classify { labels [\"a\", \"b\", \"c\", \"d\"] }
}
";

const MESSY: &str = "cnn 1
model N { input image : 3x8x8
c1: conv 3x3 4   relu
out :globalavgpool
head classify {labels [\"a\",\"b\",\"c\",\"d\"]} }";

fn place(spec: &str) -> Place {
    let place = Place::new(env!("CARGO_BIN_EXE_cnnc"));
    fs::write(place.path("net.cnn"), spec).unwrap();
    place
}

fn text(place: &Place) -> String {
    String::from_utf8(place.read("net.cnn")).unwrap()
}

#[test]
fn specs_are_formatted_in_place() {
    let place = place(MESSY);
    let output = place.output("fmt --check net.cnn");
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "net.cnn:2: not as `cnnc fmt` writes it\n"
    );
    assert_eq!(text(&place), MESSY);
    let output = place.output("fmt net.cnn");
    assert_eq!(told(&output), "wrote net.cnn\n");
    assert!(output.status.success() && output.stdout.is_empty());
    assert_eq!(text(&place), NEAT);
    assert_eq!(place.prints("fmt net.cnn"), "");
    assert_eq!(place.prints("fmt --check net.cnn"), "");
}

#[test]
fn standard_input_is_printed() {
    let place = place(NEAT);
    let mut command = place.command("fmt -");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(MESSY.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), NEAT);
}

#[test]
fn nothing_is_printed_of_nothing() {
    let place = place(NEAT);
    let output = place
        .command("fmt -")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success());
    assert!(output.stdout.is_empty(), "{:?}", output.stdout);
}

#[test]
fn what_does_not_parse_is_left() {
    let broken = "cnn 1\nmodel N {\n  input image: 3x8x8\n    relu (\n}\n";
    let place = place(broken);
    fs::write(place.path("other.cnn"), MESSY).unwrap();
    let said = place.fails("fmt net.cnn other.cnn");
    assert!(
        said.contains("`(` is never closed") && said.contains("net.cnn:4"),
        "{said}"
    );
    assert_eq!(text(&place), broken);
    // The others are formatted all the same.
    assert_eq!(place.read("other.cnn"), NEAT.as_bytes());
    fs::write(place.path("other.cnn"), MESSY).unwrap();
    let said = place.fails("fmt nowhere.cnn other.cnn");
    assert!(said.contains("`nowhere.cnn` cannot be read"), "{said}");
    assert_eq!(place.read("other.cnn"), NEAT.as_bytes());
}

#[test]
fn fixes_are_applied_and_told() {
    let place = place(
        "cnn 1\nmodel N {\n  input image: 3x8x8\n  c1: conv 3x3 4 rellu\n  gloablavgpool\n}\n",
    );
    let said = place.prints("check --fix net.cnn");
    assert_eq!(
        said,
        "net.cnn:4:18: `rellu` became `relu`\nnet.cnn:5:3: `gloablavgpool` became `globalavgpool`\nnet.cnn: N is sound, 3 layers\n"
    );
    assert!(text(&place).contains("conv 3x3 4 relu\n  globalavgpool\n"));
    assert_eq!(
        place.prints("check --fix net.cnn"),
        "net.cnn: N is sound, 3 layers\n"
    );
}

/// Whatever is wrong with a file, those behind it are looked at.
#[test]
fn every_spec_is_looked_at() {
    let place = place(NEAT);
    fs::write(place.path("empty.onnx"), "").unwrap();
    let specs = "empty.onnx net.cnn absent.onnx no_such_network net.cnn";
    let output = place.output(&format!("check {specs}"));
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let sound = "net.cnn: N is sound, 4 layers\n";
    assert_eq!(String::from_utf8_lossy(&output.stdout), sound.repeat(2));
    for name in ["empty.onnx", "absent.onnx", "no_such_network"] {
        assert!(told(&output).contains(name), "{}", told(&output));
    }
    let output = place.output(&format!("check {specs} --json"));
    assert_eq!(output.status.code(), Some(1));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let sound = found
        .as_array()
        .unwrap()
        .iter()
        .map(|of| of["sound"] == true);
    assert_eq!(
        sound.collect::<Vec<bool>>(),
        [false, true, false, false, true]
    );
    let why = found[0]["error"].as_str().unwrap_or_default();
    assert!(why.contains("empty.onnx"), "{found:#}");
    fs::write(place.path("net.cnn"), NEAT.replace("relu", "rellu")).unwrap();
    let output = place.output("check --fix empty.onnx net.cnn");
    assert_eq!(output.status.code(), Some(1));
    fs::write(place.path("net.cnn"), text(&place).replace("  ", "   ")).unwrap();
    place.fails("fmt --check absent.cnn net.cnn");
    let said = place.fails("fmt absent.cnn net.cnn");
    assert!(
        said.contains("absent.cnn") && said.contains("wrote net.cnn"),
        "{said}"
    );
    assert_eq!(text(&place), NEAT);
}

/// What a spec imports is another file, which is left, and that is told.
#[test]
fn fixes_of_imported_files_are_told() {
    let place = place(
        "cnn 1\nimport \"blocks.cnn\"\nmodel N {\n  input image: 3x8x8\n  unit()\n  globalavgpool\n}\n",
    );
    let blocks = "cnn 1\nblock unit() {\n  conv 3x3 4 rellu\n}\n";
    fs::write(place.path("blocks.cnn"), blocks).unwrap();
    let said = place.fails("check --fix net.cnn");
    assert!(
        said.contains("blocks.cnn: a fix is offered there, in what net.cnn imports"),
        "{said}"
    );
    assert_eq!(place.read("blocks.cnn"), blocks.as_bytes());
}

#[test]
fn without_a_fix_the_file_is_left() {
    let spec = "cnn 1\nmodel N {\n  input image: 3x8x8\n  conv 30x30 4\n}\n";
    let place = place(spec);
    let before = fs::metadata(place.path("net.cnn"))
        .unwrap()
        .modified()
        .unwrap();
    let said = place.fails("check --fix net.cnn");
    assert!(said.contains("does not fit"), "{said}");
    assert_eq!(text(&place), spec);
    let after = fs::metadata(place.path("net.cnn"))
        .unwrap()
        .modified()
        .unwrap();
    assert_eq!(before, after);
}

#[test]
fn fixes_are_data_too() {
    let place = place("cnn 1\nmodel N {\n  input image: 3x8x8\n  rellu\n}\n");
    let json = place.prints("check --fix --hash --json net.cnn");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json[0]["sound"], true);
    assert_eq!(json[0]["fixed"][0]["from"], "rellu");
    assert_eq!(json[0]["fixed"][0]["line"], 4);
    let hash = json[0]["hash"].as_str().unwrap();
    assert_eq!(hash.len(), 64);
    let text = place.prints("check --hash net.cnn");
    assert!(text.ends_with(&format!("net.cnn: {hash}\n")), "{text}");
}

#[test]
fn a_network_is_exported() {
    let place = place(NEAT);
    let said = place.prints("export net.cnn --weights synthetic -o net.onnx");
    assert_eq!(said, "wrote net.onnx: 5 nodes, opset 17, 2 tensors\n");
    let bytes = place.read("net.onnx");
    // The spec is in it, and the names of weights.
    let has = |text: &str| {
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    assert!(has(NEAT) && has("c1.weight") && has("cnnc.spec"));
}

#[test]
fn what_is_wrong_with_an_export_is_told() {
    let place = place(NEAT);
    let output = place.output("export net.cnn -o net.onnx");
    assert_eq!(output.status.code(), Some(2));
    assert!(told(&output).contains("--weights"), "{}", told(&output));
    let said = place.fails("export net.cnn --weights synthetic -o nowhere/net.onnx");
    assert!(said.contains("cannot write nowhere/net.onnx"), "{said}");
    let said = place.fails("export net.cnn --weights synthetic -o net.cnn");
    assert!(
        said.contains("`net.cnn` would be overwritten, and it is read"),
        "{said}"
    );
    let said = place.fails("export net.cnn --weights nowhere.safetensors -o net.onnx");
    assert!(said.contains("nowhere.safetensors"), "{said}");
    fs::write(place.path("picture.cnn"), b"\x89PNG\r\n\x1a\n").unwrap();
    let said = place.fails("export picture.cnn --weights synthetic -o net.onnx");
    assert!(said.contains("a PNG picture"), "{said}");
    let resize =
        "cnn 1\nmodel N {\n  input image: 3x8x8\n  small: resize 4x4 linear antialias on\n}\n";
    fs::write(place.path("resize.cnn"), resize).unwrap();
    // Nothing is wrong with it.
    let output = place.output("export resize.cnn --weights synthetic -o net.onnx");
    let said = told(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("resize.cnn: `small` cannot be written as ONNX, opset 17: `resize`"),
        "{said}"
    );
    assert!(!place.path("net.onnx").exists());
}

/// What dense layers would cost that make the same maps: all numbers that go in, times all that come out.
#[test]
fn a_summary_says_what_dense_layers_would_cost() {
    let place = place(NEAT);
    let spec = cnnc_testing::file("specs/lenet5.cnn");
    let command = format!("summary {} --dense-equivalent", spec.display());
    let printed = place.prints(&command);
    let dense: [(&str, u64, &str); 5] = [
        ("c1_conv", 28 * 28 * 6 * 28 * 28, "3,687,936"),
        ("c3_conv", 6 * 14 * 14 * 16 * 10 * 10, "1,881,600"),
        ("c5_conv", 16 * 5 * 5 * 120, "48,000"),
        ("f6_dense", 120 * 84, "10,080"),
        ("out", 84 * 10, "840"),
    ];
    for (label, _, shown) in dense {
        let row = printed.lines().find(|line| line.starts_with(label));
        let row = row.unwrap_or_else(|| panic!("no {label} in {printed}"));
        assert_eq!(row.split_whitespace().next_back(), Some(shown), "{row}");
    }
    let whole = "5,628,456 weights and MACs, 91 times the parameters";
    assert!(printed.contains(whole), "{printed}");
    let report = place.prints(&format!("{command} --json"));
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let layers = report["layers"].as_array().unwrap();
    let costs = layers
        .iter()
        .filter(|layer| !layer["dense_equivalent"].is_null());
    let costs: Vec<u64> = costs
        .map(|layer| layer["dense_equivalent"].as_u64().unwrap())
        .collect();
    assert_eq!(costs, dense.map(|(_, cost, _)| cost));
    // Nobody has asked.
    let plain = place.prints(&command.replace(" --dense-equivalent", ""));
    assert!(!plain.contains("as dense"), "{plain}");
}
