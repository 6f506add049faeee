//! Training runs: one that stops and goes on is the one that never stopped.

mod losses;

use cnnc::train::{
    Augment, Augmenter, Batch, Clip, Data, Loader, Recipe, Run, Samples, Schedule, Trainer, order,
};
use serde_json::Value;
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

const AUGMENT: Augment = Augment {
    mirror: true,
    crop: Some(5),
    pad: 1,
    rotate: 20.0,
    shear: 5.0,
    scale: 0.1,
    shift: 0.5,
    colour: [0.1, 0.1, 0.2],
    tint: 10.0,
};

#[test]
fn a_run_that_goes_on_is_the_run_that_never_stopped() {
    let folder = tempfile::tempdir().expect("a folder");
    strips(folder.path());
    let recipe = Recipe {
        batch: 16,
        epochs: 12,
        threads: 2,
        augment: Some(AUGMENT),
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
    // Stopped behind an epoch, and in the middle of one.
    parts.epoch(|_, _, _| true).expect("an epoch");
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
    let stopped = parts.epoch(|done, _, _| done < 2).expect("no error");
    assert_eq!(stopped, None);
    let error = Run::resume(&at, None).map(|_| ());
    let error = error.expect_err("it is held").to_string();
    assert!(
        error.ends_with("runs/parts: this run goes on somewhere else right now"),
        "{error}"
    );
    drop(parts);
    // A run has its own copies.
    fs::remove_file(&spec).expect("it is there");
    fs::remove_file(&part).expect("it is there");
    let mut parts = Run::resume(&at, Some(1)).expect("a run");
    assert_eq!((parts.epochs().len(), parts.steps_within()), (1, 2));
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

/// Rates of steps, limits, and a state of a day when there was neither.
#[test]
fn curves_and_limits_go_on() {
    let folder = tempfile::tempdir().expect("a folder");
    strips(folder.path());
    let spec = folder.path().join("net.cnn");
    let text =
        "cnn 1; model Net { input x: 3x6x6; conv 3x3 4 relu; flatten; dense 3; head classify }";
    fs::write(&spec, text).expect("written");
    for (schedule, clip) in [
        (
            Schedule::At {
                epochs: vec![0.5, 2.0],
                by: 0.2,
            },
            Some(Clip::Norm(0.5)),
        ),
        (Schedule::Polynomial { power: 2.0 }, Some(Clip::Value(0.01))),
        (Schedule::Constant, None),
    ] {
        let recipe = Recipe {
            batch: 16,
            epochs: 3,
            schedule: schedule.clone(),
            clip,
            ..Recipe::default()
        };
        let runs = folder.path().join(schedule.name());
        let begin = |name: &str| {
            let model = cnnc::compile_file(&spec).expect("it is right");
            let data = Data::open(folder.path(), None, model.graph()).expect("strips");
            Run::begin(model, &spec, &recipe, data, &runs, Some(name)).expect("it can be trained")
        };
        let state =
            |run: &Run| fs::read(run.folder().join("state-003.safetensors")).expect("saved");
        let mut whole = begin("whole");
        while !whole.is_done() {
            whole.epoch(|_, _, _| true).expect("an epoch");
        }
        let mut parts = begin("parts");
        parts.epoch(|_, _, _| true).expect("an epoch");
        assert_eq!(parts.epoch(|done, _, _| done < 2).expect("no error"), None);
        let at = parts.folder().to_owned();
        drop(parts);
        if clip.is_none() {
            // As it was written before there were other curves and limits.
            let path = at.join("state.json");
            let text = fs::read_to_string(&path).expect("it is there");
            let mut json: Value = serde_json::from_str(&text).expect("JSON");
            let recipe = json["recipe"].as_object_mut().expect("a recipe");
            assert!(recipe.remove("curve").is_some() && recipe.remove("clip").is_some());
            recipe.insert("cosine".to_owned(), Value::Bool(false));
            let all = json.as_object_mut().expect("a state");
            for key in ["network", "known", "test_samples"] {
                assert!(all.remove(key).is_some(), "{key}");
            }
            fs::write(&path, json.to_string()).expect("written");
            fs::remove_file(at.join("log.jsonl")).expect("it is there");
        }
        let mut parts = Run::resume(&at, None).expect("a run");
        assert_eq!(parts.recipe(), &recipe);
        while !parts.is_done() {
            parts.epoch(|_, _, _| true).expect("an epoch");
        }
        assert!(state(&parts) == state(&whole), "{schedule:?}");
    }
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

/// What the loader's thread makes is what is made without one, sample by sample, and each epoch changes samples in its own way.
#[test]
fn batches_are_those_that_samples_make() {
    let folder = tempfile::tempdir().expect("a folder");
    strips(folder.path());
    let spec = "cnn 1; model Net { input x: 3x6x6; flatten; dense 3; head classify }";
    let model = cnnc::compile_str("net", spec).expect("it is right");
    let data = Data::open(folder.path(), None, model.graph()).expect("strips");
    let augmenter = Augmenter::new(&AUGMENT, 7, model.graph()).expect("it fits");
    let samples = &data.train;
    let recipe = Recipe::default();
    let order = order(recipe.seed, 1, samples.len());
    let batches = |augmenter: Option<&Augmenter>, epoch| {
        let loader = Loader {
            samples,
            augmenter,
            epoch,
            batch: 16,
        };
        let mut all = Vec::new();
        let taken = loader.each(&order, |index, batch: &Batch| {
            assert_eq!(index, all.len());
            all.push((batch.inputs.clone(), batch.known.labels.clone()));
            Ok(true)
        });
        assert!(taken.expect("enough memory"));
        all
    };
    let by_hand = |fill: &dyn Fn(&Samples, usize, &mut [f32])| -> Vec<(Vec<f32>, Vec<u32>)> {
        let batch = |samples_of: &[u32]| {
            let mut inputs = vec![0.0; samples_of.len() * samples.elements()];
            for (to, &sample) in inputs.chunks_mut(samples.elements()).zip(samples_of) {
                fill(samples, sample as usize, to);
            }
            let labels = samples_of
                .iter()
                .map(|&sample| samples.label(sample as usize));
            (inputs, labels.collect())
        };
        order.chunks(16).map(batch).collect()
    };
    let plain = by_hand(&|samples, sample, to| {
        to.copy_from_slice(&samples.input(sample).expect("in memory"))
    });
    assert!(batches(None, 1) == plain);
    let first = by_hand(&|samples, sample, to| {
        augmenter.fill(samples, sample, 1, to).expect("in memory");
    });
    assert!(batches(Some(&augmenter), 1) == first);
    assert!(first != plain && batches(Some(&augmenter), 2) != first);
    // Nothing that changes is nothing changed.
    let none = Augmenter::new(&Augment::default(), 7, model.graph()).expect("it fits");
    let near = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6);
    let unchanged = batches(Some(&none), 1);
    assert!(unchanged.iter().zip(&plain).all(|(a, b)| near(&a.0, &b.0)));
    // Refused in the middle, the thread ends.
    let loader = Loader {
        samples,
        augmenter: None,
        epoch: 1,
        batch: 1,
    };
    let taken = loader.each(&order, |index, _| Ok(index < 3));
    assert!(!taken.expect("enough memory"));
}

/// Regions are proposed in pictures as they are.
#[test]
fn augmentation_beside_regions_is_refused() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/specs/bccd_rcnn.cnn");
    let model = cnnc::compile_file(path).expect("it is right");
    let mirror = Augment {
        mirror: true,
        ..Augment::default()
    };
    let error = Augmenter::new(&mirror, 1, model.graph()).expect_err("regions stay");
    assert!(error.to_string().contains("leave `augment` out"), "{error}");
}

#[test]
fn augmentation_that_does_not_fit_is_refused() {
    let refused = |shape: &str, augment: Augment| {
        let spec =
            format!("cnn 1; model Net {{ input x: {shape}; flatten; dense 3; head classify }}");
        let model = cnnc::compile_str("net", &spec).expect("it is right");
        let error = Augmenter::new(&augment, 1, model.graph()).expect_err("it does not fit");
        error.to_string()
    };
    let crop = Augment {
        crop: Some(9),
        pad: 1,
        ..Augment::default()
    };
    assert_eq!(
        refused("3x6x6", crop),
        "`crop 9` does not fit into 6x6 pixels with 1 around them"
    );
    let mirror = Augment {
        mirror: true,
        ..Augment::default()
    };
    assert_eq!(
        refused("1x6", mirror),
        "a series can be augmented by `scale` and `shift` only"
    );
    assert_eq!(
        refused("1x6x6x6", mirror),
        "samples of 1x6x6x6 cannot be augmented; pictures and series can"
    );
}

/// Each number of the section does what it is called, on a series that rises by one.
#[test]
fn a_series_is_moved_and_stretched() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.csv");
    let numbers: Vec<String> = (0..101).map(|number| number.to_string()).collect();
    let row = numbers.join(",");
    fs::write(&path, format!("{row},0\n{row},1\n")).expect("written");
    let spec = "cnn 1; model Net { input x: 1x101; flatten; dense 2; head classify }";
    let model = cnnc::compile_str("net", spec).expect("it is right");
    let data = Data::open(&path, Some(&path), model.graph()).expect("two rows");
    let augment = Augment {
        shift: 10.0,
        scale: 0.2,
        ..Augment::default()
    };
    let augmenter = Augmenter::new(&augment, 3, model.graph()).expect("it fits");
    let mut series = vec![0.0; 101];
    let (mut shifts, mut scales) = (Vec::new(), Vec::new());
    for epoch in 0..200 {
        let filled = augmenter.fill(&data.train, 0, epoch, &mut series);
        filled.expect("in memory");
        // Still a line, which the middle and its slope tell.
        let slope = series[51] - series[50];
        assert!((series[55] - series[45] - 10.0 * slope).abs() < 1e-3);
        scales.push(1.0 / slope);
        shifts.push((50.0 - series[50]) / slope);
    }
    let range = |values: &[f32]| {
        let least = values.iter().copied().fold(f32::INFINITY, f32::min);
        (
            least,
            values.iter().copied().fold(f32::NEG_INFINITY, f32::max),
        )
    };
    let within = |(least, most): (f32, f32), low: f32, high: f32| {
        let slack = 0.1 * (high - low);
        (low - 1e-3..low + slack).contains(&least) && (high - slack..high + 1e-3).contains(&most)
    };
    assert!(within(range(&scales), 0.8, 1.2), "{:?}", range(&scales));
    assert!(within(range(&shifts), -10.0, 10.0), "{:?}", range(&shifts));
}
