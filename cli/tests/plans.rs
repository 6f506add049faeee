//! What a network is compiled for: `--isa`, `--exact` and `--batch` of the commands that look at its plan.

use cnnc_testing::{Place, told};
use serde_json::Value;
use std::fs;

/// A convolution that Winograd's algorithm is worth its larger weights for, and a dense layer that takes as long as its weights take to be read.
const NET: &str = "cnn 1
model Plan {
  input image: 64x28x28
  c1: conv 3x3 64 relu
  maxpool 7x7 /7
  flatten
  fc: dense 2000
}
";

fn place() -> Place {
    let place = Place::new(env!("CARGO_BIN_EXE_cnnc"));
    fs::write(place.path("net.cnn"), NET).unwrap();
    place
}

fn summary(place: &Place, flags: &str) -> Value {
    let text = place.prints(&format!("summary net.cnn --json {flags}"));
    serde_json::from_str(&text).unwrap()
}

fn number(value: &Value, key: &str) -> u64 {
    value[key]
        .as_u64()
        .unwrap_or_else(|| panic!("{key}: {value:#}"))
}

#[test]
fn plans_of_other_machines_are_summed_up() {
    let place = place();
    for isa in ["portable", "portable16", "avx2", "avx512"] {
        let plan = summary(&place, &format!("--isa {isa}"));
        assert_eq!(plan["isa"], isa);
        let text = place.prints(&format!("summary net.cnn --isa {isa}"));
        assert!(text.contains(&format!("packed for {isa}")), "{text}");
        // A filter of Winograd's has 36 numbers for 9.
        let exact = summary(&place, &format!("--isa {isa} --exact"));
        let more = number(&plan, "weight_bytes") - number(&exact, "weight_bytes");
        assert!(more >= 64 * 64 * 27 * 4, "{isa}: {more}");
        assert_eq!(plan["parameters"], exact["parameters"]);
        assert_eq!(plan["hash"], exact["hash"]);
    }
    for command in [
        "summary net.cnn",
        "explain net.cnn",
        "dump net.cnn --stage=loops",
    ] {
        let output = place.output(&format!("{command} --isa sse"));
        assert_eq!(output.status.code(), Some(2), "{command}");
        assert!(told(&output).contains("avx512"), "{}", told(&output));
        let output = place.output(&format!("{command} --batch 0"));
        assert_eq!(output.status.code(), Some(2), "{command}");
    }
}

#[test]
fn plans_for_batches_are_explained() {
    let place = place();
    let once = "computed for all 8 images at once: its weights are read once";
    let text = place.prints("explain net.cnn --batch 8");
    assert_eq!(text.matches(once).count(), 1, "{text}");
    let line = text.lines().find(|line| line.contains(once)).unwrap();
    assert!(line.contains("fc") && line.contains("batch"), "{line}");
    let alone = place.prints("explain net.cnn");
    assert!(!alone.contains("at once"), "{alone}");
    let json = place.prints("explain net.cnn --batch 8 --json");
    let json: Value = serde_json::from_str(&json).unwrap();
    let of_batch = |note: &Value| note["pass"] == "batch" && note["label"] == "fc";
    assert!(json.as_array().unwrap().iter().any(of_batch), "{json:#}");
    // Its numbers are as near to the exact ones as those of one image are.
    let found = place.prints("explain net.cnn --batch 3 --weights synthetic --json");
    let found: Value = serde_json::from_str(&found).unwrap();
    for layer in found["accuracy"]["layers"].as_array().unwrap() {
        assert!(
            layer["typical_in_deviations"].as_f64().unwrap() < 1e-5,
            "{layer:#}"
        );
    }
    let one = number(&summary(&place, ""), "arena_bytes");
    assert!(number(&summary(&place, "--batch 8"), "arena_bytes") > one);
}

#[test]
fn exact_plans_are_explained() {
    let place = place();
    let fast = place.prints("explain net.cnn");
    let exact = place.prints("explain net.cnn --exact");
    assert!(fast.contains("F(4x4, 3x3)"), "{fast}");
    assert!(!exact.contains("F(4x4, 3x3)"), "{exact}");
}
