//! Training runs: one that stops and goes on is the one that never stopped.

use cnnc::train::{Data, Recipe, Run, Trainer};
use std::fs;
use std::path::Path;

/// Strips of pictures, whose class is the colour that they have most of.
fn strips(folder: &Path) {
    let (side, count) = (6, 90);
    let mut text = String::new();
    let mut rgb = Vec::new();
    for sample in 0..count {
        let class = (sample * 7 + sample / 3) % 3;
        text += &format!("{class}\n");
        for pixel in 0..side * side {
            let noise = (sample * 31 + pixel * 17) % 90;
            rgb.extend((0..3).map(|colour| (noise + if colour == class { 120 } else { 0 }) as u8));
        }
    }
    let picture =
        cnnc::rt::image::Picture::from_rgb(side * side, count, rgb).expect("as many pixels");
    picture
        .write_png(folder.join("strip.png"))
        .expect("written");
    fs::write(folder.join("labels.txt"), text).expect("written");
}

const SPEC: &str = "cnn 1
import \"parts/first.cnn\"
model Colours {
  input x: 3x6x6
  first(5)
  globalavgpool
  dropout 0.1
  dense 3
  head classify
}
";

#[test]
fn a_run_that_goes_on_is_the_run_that_never_stopped() {
    let folder = tempfile::tempdir().expect("a folder");
    strips(folder.path());
    let recipe = Recipe {
        batch: 16,
        epochs: 12,
        threads: 2,
        ..Recipe::default()
    };
    let spec = folder.path().join("colours.cnn");
    let part = folder.path().join("parts/first.cnn");
    fs::write(&spec, SPEC).expect("written");
    fs::create_dir(folder.path().join("parts")).expect("a folder");
    fs::write(&part, "cnn 1\nblock first(n) { conv 3x3 (n) bn relu }\n").expect("written");
    let begin = |name: &str| {
        let model = cnnc::compile_file(&spec).expect("it is right");
        let data = Data::open(folder.path(), None, model.graph()).expect("strips");
        let runs = folder.path().join("runs");
        Run::begin(model, &spec, &recipe, data, &runs, Some(name)).expect("it can be trained")
    };
    let state = |run: &Run| fs::read(run.folder().join("state-012.safetensors")).expect("saved");
    let mut whole = begin("whole");
    while !whole.is_done() {
        whole.epoch(|_, _, _| true).expect("an epoch");
    }
    let mut parts = begin("parts");
    // Stopped behind an epoch, and in the middle of one, of which nothing stays.
    parts.epoch(|_, _, _| true).expect("an epoch");
    let stopped = parts.epoch(|done, _, _| done < 2).expect("no error");
    assert_eq!(stopped, None);
    let at = parts.folder().to_owned();
    // Killed while it saved the next epoch: one file is of that, and the count is not.
    let torn = folder.path().join("torn");
    fs::create_dir(&torn).expect("a folder");
    fs::create_dir(torn.join("parts")).expect("a folder");
    for name in [
        "spec.cnn",
        "parts/first.cnn",
        "state.json",
        "state-001.safetensors",
    ] {
        fs::copy(at.join(name), torn.join(name)).expect("it is there");
    }
    drop(parts);
    // A run has its own copies.
    fs::remove_file(&spec).expect("it is there");
    fs::remove_file(&part).expect("it is there");
    let mut parts = Run::resume(&at, Some(1)).expect("a run");
    assert_eq!(parts.epochs().len(), 1);
    while !parts.is_done() {
        parts.epoch(|_, _, _| true).expect("an epoch");
    }
    assert!(state(&parts) == state(&whole));
    let numbers = |run: &Run| -> Vec<(f64, f64)> {
        run.epochs()
            .iter()
            .map(|epoch| (epoch.loss, epoch.test))
            .collect()
    };
    assert_eq!(numbers(&parts), numbers(&whole));
    assert_eq!(whole.epochs().last().expect("twelve").test, 1.0);
    fs::copy(
        whole.folder().join("state-012.safetensors"),
        torn.join("state-002.safetensors"),
    )
    .expect("it is there");
    let mut torn = Run::resume(&torn, None).expect("a run");
    while !torn.is_done() {
        torn.epoch(|_, _, _| true).expect("an epoch");
    }
    assert!(state(&torn) == state(&whole));
    let error = Run::resume(folder.path(), None)
        .expect_err("it is no run")
        .to_string();
    assert!(error.contains("state.json: No such file"), "{error}");
}

#[test]
fn a_trainer_goes_on_from_weights() {
    let spec = "cnn 1; model Net { input x: 3; dense 4 tanh; dense 2; head classify }";
    let model = cnnc::compile_str("net", spec).expect("it is right");
    let recipe = Recipe::default();
    let mut first = Trainer::new(&model, &recipe).expect("it can be trained");
    let (inputs, labels) = ([0.5, -1.0, 2.0, 0.0, 1.0, 0.0], [1, 0]);
    first.step(&inputs, &labels, 0.1).expect("a step");
    let weights = first.weights().expect("names of their own");
    let second = Trainer::from_weights(&model, &recipe, &weights).expect("they fit");
    assert!(
        first
            .tensors()
            .map(|(_, values)| values)
            .eq(second.tensors().map(|(_, values)| values))
    );
    let other = cnnc::compile_str("net", &spec.replace("dense 4", "dense 5")).expect("it is right");
    let error = Trainer::from_weights(&other, &recipe, &weights).expect_err("they do not fit");
    assert!(error.to_string().contains("dense_1.weight"), "{error}");
}
