//! Trained networks on real data: exactly as accurate as they should be, with the logits and probabilities that other engines give.

use crate::data::{self, Sample};
use crate::models;
use crate::shared::{file, json, model, numbers, shared};
use cnnc::compiler::head::Head;
use cnnc::rt::answer::{Placement, Tone};
use cnnc::rt::image::Picture;
use cnnc::{Answer, Model, Options, Session, Weights};
use std::path::Path;

#[test]
fn lenet5_on_mnist() {
    let (Some(digits), Some(weights)) = (
        data::mnist(),
        shared("data/lenet5_mnist/lenet5.safetensors"),
    ) else {
        return;
    };
    let expected = Expected::open("data/lenet5_mnist/expected.json", "test_accuracy");
    let mut session = session(&model("lenet5"), &weights);
    expected.check(&digits, |image| {
        session.run(&[image]).expect("an image").raw().to_vec()
    });

    let generated = models::LeNet5::load(&weights).expect("weights that fit");
    let mut session = generated.session();
    expected.check(&digits, |image| {
        session.run(image).expect("an image").raw().to_vec()
    });
}

#[test]
fn resnet20_on_cifar10() {
    let (Some(images), Some(weights)) = (
        data::cifar10(),
        shared("data/resnet20_cifar10/resnet20.safetensors"),
    ) else {
        return;
    };
    let expected = Expected::open("data/resnet20_cifar10/expected.json", "accuracy_first_500");
    let mut session = session(&model("resnet20_cifar10"), &weights);
    expected.check(&images, |image| {
        session.run(&[image]).expect("an image").raw().to_vec()
    });
}

/// What ncnn gives for these pictures; resize filters differ a little between libraries.
#[test]
fn squeezenet_on_photographs() {
    const ANSWERS: [(&str, &str, f32); 7] = [
        ("pelican.jpeg", "pelican", 0.912),
        ("chelsea.png", "Egyptian cat", 0.451),
        ("coffee.png", "espresso", 0.979),
        ("Chicken.jpg", "cock", 0.903),
        ("bald_eagle.jpeg", "bald eagle", 0.763),
        ("elephants.jpg", "tusker", 0.561),
        ("grace_hopper.jpg", "bow tie", 0.735),
    ];
    let (Some(weights), Some(pictures)) = (
        shared("data/squeezenet1_1/squeezenet1_1.safetensors"),
        shared("data/images"),
    ) else {
        return;
    };
    let model = model("squeezenet1_1_caffe");
    let Some(Head { labels, .. }) = &model.graph().head else {
        panic!("the spec has a head");
    };
    let pre = model.graph().inputs[0]
        .pre
        .as_ref()
        .expect("the spec says how pictures are prepared");
    let mut session = session(&model, &weights);
    for (name, class, probability) in ANSWERS {
        let picture = Picture::open(pictures.join(name)).expect("a picture");
        let image = pre
            .apply(&picture, name)
            .expect("a picture of a usual size");
        let outputs = session.run(&[&image]).expect("an image");
        let probabilities = outputs
            .get("probabilities")
            .expect("a classifier has them")
            .data;
        let found = best(probabilities);
        let name_of = labels[found].split(',').next().unwrap_or_default();
        assert_eq!(name_of, class, "{name}");
        let error = (probabilities[found] - probability).abs();
        assert!(
            error <= 0.03,
            "{name}: {class} {}, not {probability}",
            probabilities[found]
        );
    }
}

/// What another engine gives for these sines, each within half a percent of what it is.
#[test]
fn crepe_on_sines() {
    const ANSWERS: [(f64, f64); 6] = [
        (110.0, 109.87),
        (196.0, 195.56),
        (261.63, 261.35),
        (440.0, 440.98),
        (659.26, 659.43),
        (880.0, 881.24),
    ];
    let Some(weights) = shared("data/crepe/crepe_tiny.safetensors") else {
        return;
    };
    let model = model("crepe_tiny");
    let mut session = session(&model, &weights);
    for (sine, expected) in ANSWERS {
        let wave = |n: usize| (std::f64::consts::TAU * sine * n as f64 / 16_000.0).sin();
        let samples: Vec<f64> = (0..1024).map(wave).collect();
        let mean = samples.iter().sum::<f64>() / 1024.0;
        let variance = samples.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 1024.0;
        let normal = samples
            .iter()
            .map(|x| ((x - mean) / variance.sqrt()) as f32);
        let input: Vec<f32> = normal.collect();
        let outputs = session.run(&[&input]).expect("1024 samples");
        let answer = outputs.answer(&model.head(), &Placement::new(1, 1));
        let Ok(Answer::Pitch(Tone {
            hertz: Some(hertz),
            confidence,
        })) = answer
        else {
            panic!("{answer:?}");
        };
        assert!(
            (f64::from(hertz) - expected).abs() <= 0.01,
            "{hertz} Hz, not {expected}"
        );
        assert!(
            (hertz / sine as f32 - 1.0).abs() <= 0.005,
            "{hertz} Hz, not {sine}"
        );
        assert!(confidence > 0.8, "{confidence}");
    }
}

/// What `expected.json` says of a test set.
struct Expected {
    accuracy: f64,
    /// Of the first images, one after another.
    logits: Vec<f64>,
}

impl Expected {
    fn open(path: &str, accuracy: &str) -> Expected {
        let expected = json(&file("../shared").join(path));
        Expected {
            accuracy: expected[accuracy].as_f64().expect("a number"),
            logits: numbers(&expected["logits_first_8"]),
        }
    }

    /// The share of right answers is exactly as expected, and the first logits are within what f32 allows.
    fn check(&self, samples: &[Sample], mut run: impl FnMut(&Vec<f32>) -> Vec<f32>) {
        let mut right = 0;
        let mut logits = self.logits.iter();
        for (image, class) in samples {
            let raw = run(image);
            right += usize::from(best(&raw) == *class);
            for (&found, &expected) in raw.iter().zip(&mut logits) {
                let error = (f64::from(found) - expected).abs();
                assert!(
                    error <= 1e-4 * expected.abs().max(1.0),
                    "logit {found}, not {expected}"
                );
            }
        }
        assert_eq!(right as f64 / samples.len() as f64, self.accuracy);
    }
}

fn session(model: &Model, weights: &Path) -> Session {
    let weights = Weights::open(weights).expect("readable weights");
    let network = model
        .jit(&weights, &Options::new())
        .expect("weights that fit");
    network.session().expect("enough memory")
}

/// The index of the largest.
fn best(outputs: &[f32]) -> usize {
    let indices = 0..outputs.len();
    indices
        .max_by(|&a, &b| outputs[a].total_cmp(&outputs[b]))
        .expect("an output")
}
