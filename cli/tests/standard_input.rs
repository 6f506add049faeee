//! `-` in the place of a spec: its text on standard input, for every command that reads one.

use cnnc_testing::{Place, told};
use serde_json::Value;
use std::fs;
use std::process::Output;

const NEAT: &str = "cnn 1
model N {
  input image: 3x8x8
  c1:  conv 3x3 4  relu
  out: globalavgpool
  head classify { labels [\"a\", \"b\", \"c\", \"d\"] }
}
";

fn place() -> Place {
    let place = Place::new(env!("CARGO_BIN_EXE_cnnc"));
    fs::write(place.path("net.cnn"), NEAT).unwrap();
    place
}

fn printed(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What a command prints of the text.
#[track_caller]
fn prints(place: &Place, line: &str, text: &str) -> String {
    let output = place.fed(line, text.as_bytes());
    assert!(output.status.success(), "{line}: {}", told(&output));
    printed(&output)
}

/// What a command says of the text, where it fails with 1.
#[track_caller]
fn fails(place: &Place, line: &str, text: impl AsRef<[u8]>) -> String {
    let output = place.fed(line, text.as_ref());
    assert_eq!(output.status.code(), Some(1), "{line}: {}", told(&output));
    told(&output)
}

#[test]
fn a_text_is_what_a_file_is() {
    let place = place();
    for line in [
        "summary SPEC",
        "summary SPEC --unfold --batch 4",
        "summary SPEC --json",
        "graph SPEC",
        "graph SPEC --format dot --expand",
        "explain SPEC",
        "explain SPEC --json",
        "explain SPEC --exact --weights synthetic",
        "dump SPEC --stage=ast",
        "dump SPEC --stage=graph",
        "dump SPEC --stage=graph --passes",
        "dump SPEC --stage=loops",
        "dump SPEC --stage=load",
        "dump SPEC --stage=rust",
        "dump SPEC --stage=clif",
        "gradcheck SPEC --json",
    ] {
        let file = place.prints(&line.replace("SPEC", "net.cnn"));
        let text = prints(&place, &line.replace("SPEC", "-"), NEAT);
        assert!(text.len() > 40, "{line}: {text}");
        assert_eq!(text, file, "{line}");
    }
    let text = prints(&place, "check - --hash", NEAT);
    assert_eq!(
        text,
        place
            .prints("check net.cnn --hash")
            .replace("net.cnn:", "standard input:")
    );
}

#[test]
fn files_are_made_of_a_text() {
    let place = place();
    prints(&place, "graph - -o drawn.svg", NEAT);
    place.prints("graph net.cnn -o net.svg");
    assert_eq!(place.read("drawn.svg"), place.read("net.svg"));
    prints(&place, "export - --weights synthetic -o text.onnx", NEAT);
    place.prints("export net.cnn --weights synthetic -o net.onnx");
    // With its text, as of a file.
    assert_eq!(place.read("text.onnx"), place.read("net.onnx"));
    prints(
        &place,
        "convert - --weights synthetic text.safetensors",
        NEAT,
    );
    place.prints("convert net.cnn --weights synthetic net.safetensors");
    assert_eq!(
        place.read("text.safetensors"),
        place.read("net.safetensors")
    );
    let fit = prints(&place, "weights net.safetensors -", NEAT);
    assert_eq!(fit, place.prints("weights net.safetensors net.cnn"));
}

#[test]
fn mistakes_stand_in_standard_input() {
    let place = place();
    let wrong = NEAT.replace("relu", "rellu");
    for line in [
        "check -",
        "summary -",
        "graph -",
        "explain -",
        "dump - --stage=loops",
        "dump - --stage=rust",
        "gradcheck -",
        "bench -",
        "run - --input synthetic",
    ] {
        let said = fails(&place, line, &wrong);
        assert!(said.contains("standard input:4:"), "{line}: {said}");
        assert!(said.contains("`relu`"), "{line}: {said}");
        fails(&place, line, "");
    }
    let said = fails(
        &place,
        "dump - --stage=ast",
        "cnn 1\nmodel N {\n  relu (\n}\n",
    );
    assert!(said.contains("standard input:3:"), "{said}");
    let said = fails(&place, "check -", b"cnn 1\nmodel \xff");
    assert!(
        said.contains("`standard input` cannot be read: it is not UTF-8 text (byte 12)"),
        "{said}"
    );
    let long = format!("{NEAT}{}", "# so long\n".repeat(200_000));
    let said = fails(&place, "check -", long);
    assert!(said.contains("larger than 1024 KiB"), "{said}");
    let output = place.fed("check - --json", wrong.as_bytes());
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found[0]["spec"], "-");
    assert_eq!(found[0]["diagnostics"][0]["at"]["file"], "standard input");
}

/// What it imports is looked for where the command runs.
#[test]
fn a_text_imports_files() {
    let place = place();
    let blocks = "cnn 1\nblock unit() {\n  conv 3x3 4 relu\n}\n";
    fs::write(place.path("blocks.cnn"), blocks).unwrap();
    let text = "cnn 1\nimport \"blocks.cnn\"\nmodel N {\n  input image: 3x8x8\n  unit()\n  globalavgpool\n}\n";
    let said = prints(&place, "check -", text);
    assert_eq!(said, "standard input: N is sound, 3 layers\n");
    let fixable = blocks.replace("relu", "rellu");
    fs::write(place.path("blocks.cnn"), &fixable).unwrap();
    let said = fails(&place, "check --fix -", text);
    assert!(
        said.contains("blocks.cnn: a fix is offered there, in what standard input imports"),
        "{said}"
    );
    assert_eq!(place.read("blocks.cnn"), fixable.as_bytes());
}

/// There is one text, however often it is asked for.
#[test]
fn a_text_is_read_once() {
    let place = place();
    let said = prints(&place, "check - net.cnn -", NEAT);
    let sound = "N is sound, 4 layers";
    let sound = format!("standard input: {sound}\nnet.cnn: {sound}\nstandard input: {sound}\n");
    assert_eq!(said, sound);
}

#[test]
fn a_text_is_fixed_and_printed() {
    let place = place();
    let wrong = NEAT
        .replace("relu", "rellu")
        .replace("globalavgpool", "gloablavgpool");
    let output = place.fed("check --fix -", wrong.as_bytes());
    assert!(output.status.success(), "{}", told(&output));
    assert_eq!(printed(&output), NEAT);
    assert_eq!(
        told(&output),
        "standard input:4:20: `rellu` became `relu`\nstandard input:5:8: `gloablavgpool` became `globalavgpool`\nstandard input: N is sound, 4 layers\n"
    );
    // One without a mistake is printed as it is, and so is what no fix helps.
    assert_eq!(prints(&place, "check --fix -", NEAT), NEAT);
    let hopeless = NEAT.replace("3x3 4", "30x30 4");
    let output = place.fed("check --fix -", hopeless.as_bytes());
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(printed(&output), hopeless);
    assert!(told(&output).contains("does not fit"), "{}", told(&output));
    // Half of it is better than nothing.
    let output = place.fed(
        "check --fix -",
        hopeless.replace("relu", "rellu").as_bytes(),
    );
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(printed(&output), hopeless);
    // What takes two rounds leaves no file, either.
    let twice = "cnn 1\nmodel N { input x: 3x8x8; convv 3x3 8 padd 1 }\n";
    let output = place.fed("check --fix -", twice.as_bytes());
    assert_eq!(
        printed(&output),
        twice.replace("convv", "conv").replace("padd", "pad")
    );
    assert!(!place.path("standard input").exists());
    // Without the flag there is nothing to print.
    let output = place.fed("check -", wrong.as_bytes());
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty(), "{}", printed(&output));
    let found = prints(&place, "check --fix - --json --hash", &wrong);
    let found: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(found[0]["text"], NEAT);
    assert_eq!(found[0]["sound"], true);
    assert_eq!(found[0]["fixed"].as_array().unwrap().len(), 2);
    assert_eq!(found[0]["hash"].as_str().unwrap().len(), 64);
    let of_file = place.prints("check --fix net.cnn --json");
    let of_file: Value = serde_json::from_str(&of_file).unwrap();
    assert_eq!(of_file[0]["text"], Value::Null);
}
