//! Fine-tuning: what is frozen stays and costs nothing, features that are computed once change no bit, and a run that stops in an epoch goes on to the bit.

use cnnc::train::{Data, Recipe, Run, Section, Targets, Trainer};
use cnnc::{Model, Weights};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// Strips of pictures, whose class is the colour that they have most of.
fn strips(folder: &Path) {
    let (side, count) = (8, 60);
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
    let picture = cnnc::rt::image::Picture::from_rgb(side * side, count, rgb);
    let path = folder.join("strip.png");
    picture
        .expect("as many pixels")
        .write_png(path)
        .expect("written");
    fs::write(folder.join("labels.txt"), text).expect("written");
}

fn spec(section: &str) -> String {
    format!(
        "cnn 1
model Colours {{
  defaults {{ pad half }}
  input x: 3x8x8
  conv1: conv 3x3 8
  bn1: bn relu
  a: conv 3x3 8 relu
  b: conv 3x3 8
  s: add(b, a)
  relu
  conv2: conv 3x3 16 /2
  bn2: bn relu
  globalavgpool
  dropout 0.2
  fc: dense 3
  head classify
  {section}
}}
"
    )
}

fn model(section: &str) -> Model {
    cnnc::compile_str("net.cnn", &spec(section)).unwrap_or_else(|error| panic!("{error}"))
}

/// A run of a section on strips in a folder.
fn begin(folder: &Path, name: &str, section: &str, threads: usize) -> Run {
    let path = folder.join(format!("{name}.cnn"));
    fs::write(&path, spec(section)).expect("written");
    let model = cnnc::compile_file(&path).unwrap_or_else(|error| panic!("{error}"));
    let data = Data::open(folder, None, model.graph()).expect("strips");
    let recipe = Recipe {
        threads,
        ..Recipe::of(&model)
    };
    let runs = folder.join("runs");
    Run::begin(model, &path, &recipe, data, &runs, Some(name))
        .unwrap_or_else(|error| panic!("{error}"))
}

fn finish(run: &mut Run) {
    while !run.is_done() {
        run.epoch(|_, _, _| true).expect("an epoch");
    }
}

fn last(run: &Run) -> Weights {
    Weights::open(run.folder().join("last.safetensors")).expect("written")
}

fn values(weights: &Weights, name: &str) -> Vec<f32> {
    let tensor = weights.get(name).unwrap_or_else(|| panic!("{name}"));
    tensor.to_f32().expect("floats").into_owned()
}

const NAMES: [&str; 13] = [
    "conv1.weight",
    "bn1.weight",
    "bn1.bias",
    "bn1.running_mean",
    "bn1.running_var",
    "a.weight",
    "b.weight",
    "conv2.weight",
    "bn2.weight",
    "bn2.running_mean",
    "bn2.running_var",
    "fc.weight",
    "fc.bias",
];

#[test]
fn features_that_are_computed_once_change_no_bit() {
    let folder = tempfile::tempdir().expect("a folder");
    strips(folder.path());
    let section = "train { freeze \"conv1\" \"bn1\" \"a\" \"b\"  batch 10  epochs 3  rate 0.1 }";
    let mut run = begin(folder.path(), "cached", section, 2);
    let front = run.front().expect("a front").clone();
    // The sum of the frozen layers and its rectifier, but not the convolution behind them.
    assert_eq!(front.shape, [8, 8, 8]);
    finish(&mut run);
    // The same steps with all layers in them.
    let model = model(section);
    let data = Data::open(folder.path(), None, model.graph()).expect("strips");
    let recipe = Recipe::of(&model);
    let mut whole = Trainer::new(&model, &recipe).expect("it can be trained");
    let first = whole.weights().expect("names of their own");
    let order = fs::read_to_string(run.folder().join("results.csv")).expect("written");
    assert_eq!(order.lines().count(), 4);
    let steps = data.train.len().div_ceil(10) as u64 * 3;
    for epoch in 1..=3 {
        for batch in cnnc::train::order(recipe.seed, epoch, data.train.len()).chunks(10) {
            let inputs = batch
                .iter()
                .flat_map(|&index| data.train.input(index as usize).expect("in memory"));
            let inputs: Vec<f32> = inputs.collect();
            let labels: Vec<u32> = batch
                .iter()
                .map(|&index| data.train.label(index as usize))
                .collect();
            let rate = recipe.rate_of(whole.steps(), steps);
            whole.draws(epoch, batch.iter().map(|&index| index.into()));
            whole.step(&inputs, &labels, rate).expect("a step");
        }
    }
    let (whole, cached) = (whole.weights().expect("names of their own"), last(&run));
    for name in NAMES {
        assert!(values(&whole, name) == values(&cached, name), "{name}");
        let frozen = ["conv1", "bn1", "a", "b"]
            .iter()
            .any(|of| name.starts_with(&format!("{of}.")));
        let same = values(&first, name) == values(&cached, name);
        assert_eq!(same, frozen, "{name}");
    }
}

#[test]
fn what_is_frozen_costs_nothing_on_the_way_back() {
    let parts = |section: &str| {
        let model = model(section);
        let mut trainer = Trainer::new(&model, &Recipe::of(&model)).expect("it can be trained");
        let parts = trainer.profile(4).expect("it can be compiled");
        parts
            .into_iter()
            .map(|(name, _)| name)
            .collect::<Vec<String>>()
    };
    let of = |parts: &[String], layer: &str| {
        let of_layer = |name: &&String| name.starts_with(&format!("{layer} "));
        parts.iter().filter(of_layer).count()
    };
    let all = parts("");
    let head = parts("train { freeze \"conv1\" \"bn1\" \"a\" \"b\" }");
    // Only the way forward, and what is packed for it.
    for layer in ["conv1", "a", "b"] {
        assert!(of(&head, layer) < of(&all, layer), "{layer}: {head:?}");
        assert!(
            !head
                .iter()
                .any(|name| name.starts_with(&format!("{layer} ")) && name.contains("grad")),
            "{head:?}"
        );
    }
    // The gradient of the first trained layer's input is nobody's.
    assert!(of(&head, "conv2") < of(&all, "conv2"), "{head:?}");
}

#[test]
fn tensors_begin_with_weights_but_for_what_is_excepted() {
    let folder = tempfile::tempdir().expect("a folder");
    strips(folder.path());
    let mut first = begin(folder.path(), "first", "train { epochs 1 batch 10 }", 1);
    finish(&mut first);
    let path = folder.path().join("first.safetensors");
    fs::copy(first.folder().join("last.safetensors"), &path).expect("copied");
    let section =
        "train { init \"first.safetensors\" except \"fc\" \"bn2.*\"  seed 2  batch 10 epochs 1 }";
    let second = begin(folder.path(), "second", section, 1);
    let (old, new) = (
        last(&first),
        second.trainer().weights().expect("names of their own"),
    );
    for name in NAMES {
        let except = name.starts_with("fc") || name.starts_with("bn2");
        // A bias begins with 0 and is not yet moved far: compared as it is.
        assert_eq!(values(&old, name) == values(&new, name), !except, "{name}");
    }
    // A head of another size does not fit, and the message says what to do.
    let wider = spec("train { init \"first.safetensors\" }").replace("dense 3", "dense 4");
    let path = folder.path().join("wider.cnn");
    fs::write(&path, wider).expect("written");
    let model = cnnc::compile_file(&path).expect("it is right");
    let error = Trainer::new(&model, &Recipe::of(&model))
        .expect_err("it does not fit")
        .to_string();
    assert!(error.contains("fc.weight"), "{error}");
    assert!(
        error.contains("begins at random if `except` names it"),
        "{error}"
    );
}

#[test]
fn a_run_that_unfreezes_goes_on_wherever_it_stops() {
    let folder = tempfile::tempdir().expect("a folder");
    strips(folder.path());
    let section = "train { optimizer adam  freeze \"conv1\" \"bn1\" \"a\" \"b\" \"conv2\" \"bn2\"  batch 10  epochs 4  rate 0.01
        schedule { unfreeze \"conv2\" at 2 rate 0.002  unfreeze \"b*\" at 3 } }";
    let mut whole = begin(folder.path(), "whole", section, 1);
    assert_eq!(whole.front().expect("a front").shape, [16]);
    let mut still = Vec::new();
    while !whole.is_done() {
        whole.epoch(|_, _, _| true).expect("an epoch");
        let weights = last(&whole);
        still.push(["conv2.weight", "b.weight", "conv1.weight"].map(|name| values(&weights, name)));
    }
    // Each from the epoch on that it is unfrozen at.
    assert!(still[0] == still[1]);
    assert!(still[1][0] != still[2][0] && still[1][1] == still[2][1]);
    assert!(still[2][1] != still[3][1] && still[0][2] == still[3][2]);
    let end = fs::read(whole.folder().join("state-004.safetensors")).expect("saved");
    let results = |run: &Run| -> Vec<(f64, f64)> {
        run.epochs()
            .iter()
            .map(|epoch| (epoch.loss, epoch.test))
            .collect()
    };
    // Stopped behind every step, with another number of threads each time.
    let mut parts = begin(folder.path(), "parts", section, 1);
    let mut threads = 1;
    while !parts.is_done() {
        let before = parts.steps_within();
        let epoch = parts.epoch(|_, _, _| false).expect("no error");
        assert_eq!(epoch.is_none(), parts.steps_within() == before + 1);
        threads = 3 - threads;
        let at = parts.folder().to_owned();
        drop(parts);
        parts = Run::resume(&at, Some(threads)).unwrap_or_else(|error| panic!("{error}"));
    }
    assert!(fs::read(parts.folder().join("state-004.safetensors")).expect("saved") == end);
    assert_eq!(results(&parts), results(&whole));
}

#[test]
fn a_long_epoch_is_saved_within() {
    let folder = tempfile::tempdir().expect("a folder");
    strips(folder.path());
    let section = "train { batch 10  epochs 1 }";
    let mut run = begin(folder.path(), "long", section, 1);
    run.save_every(Duration::ZERO);
    let at = run.folder().to_owned();
    let copy = folder.path().join("copy");
    // Killed in its third step: what is there then is what the second one saved.
    run.epoch(|done, _, _| {
        if done == 3 {
            fs::create_dir(&copy).expect("a folder");
            for entry in fs::read_dir(&at).expect("a folder") {
                let path = entry.expect("a file").path();
                fs::copy(&path, copy.join(path.file_name().expect("a name"))).expect("copied");
            }
        }
        true
    })
    .expect("an epoch");
    let mut killed = Run::resume(&copy, None).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(killed.steps_within(), 2);
    finish(&mut killed);
    let read = |folder: &Path| fs::read(folder.join("state-001.safetensors")).expect("saved");
    assert!(read(&copy) == read(&at));
}

#[test]
fn runs_stop_and_keep_as_they_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    strips(folder.path());
    // The rate is so small that no epoch is better than the first.
    let section = "train { rate 1e-12 { warmup 0 constant }  batch 10  epochs 9  stop after 2 }";
    let mut run = begin(folder.path(), "stuck", section, 1);
    finish(&mut run);
    assert_eq!(run.epochs().len(), 3);
    let section = "train { rate 0.01  batch 10  epochs 3  keep best loss }";
    let mut run = begin(folder.path(), "loss", section, 1);
    finish(&mut run);
    let least = run
        .epochs()
        .iter()
        .map(|epoch| epoch.loss)
        .fold(f64::MAX, f64::min);
    assert_eq!(run.best().expect("three").loss, least);
}

#[test]
fn rates_have_a_curve_for_each_part() {
    let of = |section: &str| {
        let model = model(section);
        let recipe = Recipe::of(&model);
        (0..40)
            .map(|step| recipe.rate_of(step, 40))
            .collect::<Vec<f64>>()
    };
    let rates = of(
        "train { freeze \"conv1\"  epochs 4  rate 1 { warmup 0 }  schedule { unfreeze \"conv1\" at 1 rate 0.5 } }",
    );
    let alone = of("train { epochs 4  rate 1 { warmup 0 } }");
    assert_eq!((rates[0], rates[10]), (1.0, 0.5));
    assert!(rates[9] < 0.03 && rates[39] < 0.003);
    assert!(rates[10..].windows(2).all(|pair| pair[1] < pair[0]));
    let same = of(
        "train { freeze \"conv1\"  epochs 4  rate 1 { warmup 0 }  schedule { unfreeze \"conv1\" at 1 } }",
    );
    assert_eq!(same, alone);
    let late = model("train { freeze \"conv1\" schedule { unfreeze \"conv1\" at 3 } }");
    let section: &Section = late.recipe().expect("a section");
    let recipe = Recipe {
        epochs: 2,
        ..Recipe::from(section)
    };
    let error = Trainer::new(&late, &recipe).expect_err("never").to_string();
    assert!(
        error.contains("what is unfrozen behind epoch 3 is never trained: there are 2"),
        "{error}"
    );
}

#[test]
fn a_step_in_two_halves_is_the_step() {
    for section in [
        "train { optimizer sgd { momentum 0.9 nesterov decay 5e-4 } }",
        "train { optimizer adamw  freeze \"conv1\" \"bn1\" }",
        "train { optimizer rmsprop }",
        "train { clip 0.3 }",
        "train { optimizer adam  clip 0.01 { value } }",
    ] {
        let model = model(section);
        let recipe = Recipe::of(&model);
        let [mut whole, mut halves] =
            [(); 2].map(|()| Trainer::new(&model, &recipe).expect("it can be trained"));
        for step in 0..3_u32 {
            let inputs: Vec<f32> = (0..6 * 192)
                .map(|at| ((at * 37 + step * 11) % 97) as f32 / 97.0)
                .collect();
            let labels = [0, 1, 2, 2, 1, 0];
            let done = whole.step(&inputs, &labels, 0.05).expect("a step");
            let (same, gradients) = halves
                .gradients(&inputs, Targets::Classes(&labels))
                .expect("gradients");
            assert_eq!((done, gradients.divisor), (same, 6.0));
            halves.apply(&gradients, 0.05).expect("applied");
            assert_eq!(whole.steps(), halves.steps());
        }
        let state = |trainer: &Trainer| -> Vec<f32> {
            trainer
                .tensors()
                .flat_map(|(_, values)| values.to_vec())
                .collect()
        };
        assert!(state(&whole) == state(&halves), "{section}");
    }
    let model = model("");
    let mut trainer = Trainer::new(&model, &Recipe::of(&model)).expect("it can be trained");
    let (_, mut gradients) = trainer
        .gradients(&[0.5; 2 * 192], Targets::Classes(&[0, 1]))
        .expect("gradients");
    let (first, rest) = (
        gradients.clone(),
        trainer
            .gradients(&[0.5; 192 * 4], Targets::Classes(&[0, 1, 2, 0]))
            .expect("gradients")
            .1,
    );
    gradients.merge(&rest).expect("of one network");
    assert_eq!(gradients.divisor, 6.0);
    let at = |of: &cnnc::train::Gradients| of.tensors.last().expect("one").1[0];
    assert!((at(&gradients) - (2.0 * at(&first) + 4.0 * at(&rest)) / 6.0).abs() < 1e-6);
    gradients.tensors.pop();
    let error = trainer
        .apply(&gradients, 0.1)
        .expect_err("one is missing")
        .to_string();
    assert!(
        error.contains("not gradients of this network's tensors"),
        "{error}"
    );
    assert!(gradients.merge(&first).is_err());
}

/// w − r · g · m / (‖g‖ + 1e-6), or with each number of g between −m and m.
#[test]
fn gradients_are_as_long_as_they_may_be() {
    for (clip, norm) in [("clip 0.25", true), ("clip 0.004 { value }", false)] {
        let plain = "train { optimizer sgd { momentum 0 decay 0 }";
        let (clipped, free) = (
            model(&format!("{plain}  {clip} }}")),
            model(&format!("{plain} }}")),
        );
        let inputs: Vec<f32> = (0..6 * 192)
            .map(|at| ((at * 37) % 97) as f32 / 97.0)
            .collect();
        let labels = [0, 1, 2, 2, 1, 0];
        let mut trainer = Trainer::new(&free, &Recipe::of(&free)).expect("it can be trained");
        let begun: Vec<(String, Vec<f32>)> = trainer
            .tensors()
            .map(|(param, values)| (param.name.clone(), values.to_vec()))
            .collect();
        let (_, gradients) = trainer
            .gradients(&inputs, Targets::Classes(&labels))
            .expect("gradients");
        let squares = gradients.tensors.iter().flat_map(|(_, values)| values);
        let length = squares.map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        assert!(length > 0.25, "{length}");
        let mut trainer = Trainer::new(&clipped, &Recipe::of(&clipped)).expect("it can be trained");
        trainer.step(&inputs, &labels, 0.5).expect("a step");
        let mut clamped = 0;
        for (name, gradient) in &gradients.tensors {
            let (_, before) = begun
                .iter()
                .find(|(known, _)| known == name)
                .expect("it is there");
            let mut tensors = trainer.tensors();
            let (_, after) = tensors
                .find(|(param, _)| param.name == *name)
                .expect("it is there");
            for ((before, after), gradient) in before.iter().zip(after).zip(gradient) {
                let gradient = f64::from(*gradient);
                clamped += usize::from(gradient.abs() > 0.004);
                let short = match norm {
                    true => gradient * 0.25 / (length + 1e-6),
                    false => gradient.clamp(-0.004, 0.004),
                };
                let expected = f64::from(*before) - 0.5 * short;
                let far = (f64::from(*after) - expected).abs();
                assert!(far < 1e-6, "{name}: {after} is not {expected}");
            }
        }
        assert!(clamped > 0);
    }
    // Of one that is not a number, the tensor is named.
    let model = model("train { clip 1 }");
    let mut trainer = Trainer::new(&model, &Recipe::of(&model)).expect("it can be trained");
    let (_, mut gradients) = trainer
        .gradients(&[0.5; 2 * 192], Targets::Classes(&[0, 1]))
        .expect("gradients");
    let last = gradients.tensors.last_mut().expect("one");
    last.1[0] = f32::NAN;
    let name = last.0.clone();
    let error = trainer
        .apply(&gradients, 0.1)
        .expect_err("it is no number")
        .to_string();
    assert!(
        error.contains("the gradient is not a number any more") && error.contains(&name),
        "{error}"
    );
}

/// What dropout drops of a sample is the same wherever in a batch it is.
#[test]
fn masks_are_those_of_their_samples() {
    let spec = "cnn 1; model Net { input x: 64; dropout 0.5; dense 3; head classify }";
    let model = cnnc::compile_str("net.cnn", spec).expect("it is right");
    let inputs = |samples: &[usize]| -> Vec<f32> {
        let all = samples
            .iter()
            .flat_map(|sample| (0..64).map(move |at| (sample, at)));
        all.map(|(sample, at)| ((sample * 64 + at) * 31 % 89) as f32 / 89.0)
            .collect()
    };
    let gradients = |epoch: usize, shares: &[&[usize]]| {
        let mut all: Option<cnnc::train::Gradients> = None;
        for samples in shares {
            let mut trainer = Trainer::new(&model, &Recipe::default()).expect("it can be trained");
            trainer.draws(epoch, samples.iter().map(|&sample| sample as u64));
            let labels: Vec<u32> = samples.iter().map(|&sample| sample as u32 % 3).collect();
            let known = Targets::Classes(&labels);
            let (_, found) = trainer
                .gradients(&inputs(samples), known)
                .expect("gradients");
            match &mut all {
                None => all = Some(found),
                Some(all) => all.merge(&found).expect("of one network"),
            }
        }
        all.expect("one share at least").tensors
    };
    let near = |a: &[(String, Vec<f32>)], b: &[(String, Vec<f32>)]| {
        let pairs = a.iter().zip(b).flat_map(|((_, a), (_, b))| a.iter().zip(b));
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) < 1e-6
    };
    let whole = gradients(1, &[&[4, 9, 2, 7]]);
    // Another order, and two machines.
    assert!(near(&gradients(1, &[&[7, 4, 2, 9]]), &whole));
    assert!(near(&gradients(1, &[&[9], &[2, 4, 7]]), &whole));
    assert!(!near(&gradients(2, &[&[4, 9, 2, 7]]), &whole));
}
