//! Networks as types: what `cnn_model!` writes, used as its users do.
// Users may forbid unsafe code: what the macro writes is not theirs.
#![forbid(unsafe_code)]
#![deny(missing_docs, unused, clippy::all)]

use cnnc::rt::generated::LoadError;
use cnnc::rt::weights::Weights;
use cnnc::rt::{Isa, session::RunError};
use cnnc::train::{Data, Recipe, Run};

cnnc::cnn_model! {
    /// Digits.
    pub LeNet5 = "specs/lenet5.cnn", weights = "examples/data/lenet5.safetensors",
}

cnnc::cnn_model! {
    Twin {
        input a, b: 2x6x6
        shared side { conv: conv 3x3 4 pad half relu;  globalavgpool }
        left: side(a)
        right: side(b)
        tap left
        tap right
        out: abs(left - right)
    }
}

cnnc::cnn_model!(pub(crate) Whole = r#"
cnn 1
block pair(w) { c: conv 3x3 w relu; d: conv 1x1 w relu }
model AnyName {
  input image: 3x9x9
  first: pair(5)
  second: pair(9)
}
"#);

cnnc::cnn_model! {
    Blend {
        input a, b: 2x1x2
        fused: add(a, b) shares per_channel fusion fast eps 0.5
        out: add(fused, a) shares per_tensor
    }
}

const PLAIN: &str = "cnn 1\nmodel Plain { input x: 32x24x24; c: conv 3x3 32 pad half }";

cnnc::cnn_model! {
    Plain {
        input x: 32x24x24
        c: conv 3x3 32 pad half
    },
    exact
}

cnnc::cnn_model! {
    /// Its first dense layer is so large that it is computed for all images at once.
    Many {
        input x: 4x16x16
        flatten
        first: dense 80
        relu
        second: dense 5
        softmax
    },
    batch = 3
}

/// The first test digit of MNIST, a seven, is in the examples' data.
fn pixels() -> Vec<f32> {
    let mut image = vec![0.0; LeNet5::INPUT_LEN];
    // A bar at the top and a slope: enough of a seven.
    for x in 6..22 {
        (6..9).for_each(|y| image[28 * y + x] = 1.0);
    }
    for y in 9..24 {
        let x = 21 - (y - 9) / 2;
        (x - 2..x + 1).for_each(|x| image[28 * y + x] = 1.0);
    }
    image
}

fn most(of: &[f32]) -> usize {
    (0..of.len())
        .max_by(|&a, &b| of[a].total_cmp(&of[b]))
        .unwrap()
}

#[test]
fn a_file_with_weights() {
    assert_eq!((LeNet5::PARAMETERS, LeNet5::MACS), (61_706, 416_520));
    assert_eq!((LeNet5::INPUT_SHAPE, LeNet5::INPUT_LEN), ([1, 28, 28], 784));
    assert_eq!(LeNet5::PROBABILITIES_SHAPE, [10]);
    let net = LeNet5::embedded().unwrap();
    let mut session = net.session();
    let image = pixels();
    let outputs = session.run(&image).unwrap();
    let (raw, probabilities): (&[f32; 10], &[f32; 10]) = (outputs.raw(), outputs.probabilities());
    assert_eq!(most(raw), 7);
    assert_eq!(most(probabilities), 7);
    assert!((probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-5);
}

#[test]
fn every_way_to_load_gives_the_same() {
    let bytes = std::fs::read("examples/data/lenet5.safetensors").unwrap();
    let weights = Weights::open("examples/data/lenet5.safetensors").unwrap();
    let nets = [
        LeNet5::embedded(),
        LeNet5::load("examples/data/lenet5.safetensors"),
        LeNet5::from_bytes(bytes),
        LeNet5::with_weights(&weights),
    ];
    let raw: Vec<[f32; 10]> = nets
        .into_iter()
        .map(|net| *net.unwrap().session().run(&pixels()).unwrap().raw())
        .collect();
    assert!(raw.iter().all(|other| *other == raw[0]), "{raw:?}");
    let made_up = LeNet5::synthetic().unwrap();
    assert_ne!(*made_up.session().run(&pixels()).unwrap().raw(), raw[0]);
}

/// A run's weights are what a type loads: it answers as the trained network does, bit for bit.
#[test]
fn what_training_writes_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    // A bright bar, whose place is the class.
    let (count, mut grey, mut labels) = (160, Vec::new(), String::new());
    let bright = |class: usize, at: usize| at % 28 / 2 == class + 2;
    for sample in 0..count {
        let class = 7 * sample % 10;
        labels += &format!("{class}\n");
        let noise = |at: usize| ((31 * sample + 17 * at) % 60) as u8;
        grey.extend((0..784).map(|at| noise(at) + if bright(class, at) { 190 } else { 0 }));
    }
    std::fs::create_dir(path("data")).unwrap();
    let strip = cnnc::rt::image::Picture::from_grey(784, count, &grey).unwrap();
    strip.write_png(path("data/strip.png")).unwrap();
    std::fs::write(path("data/labels.txt"), labels).unwrap();
    let spec = "specs/lenet5.cnn";
    let model = cnnc::compile_file(spec).unwrap();
    let data = Data::open(&path("data"), Some(&path("data")), model.graph()).unwrap();
    let recipe = Recipe {
        batch: 16,
        epochs: 6,
        rate: 0.05,
        ..Recipe::default()
    };
    let run = Run::begin(
        model,
        spec.as_ref(),
        &recipe,
        data,
        &path("runs"),
        Some("bars"),
    );
    let mut run = run.unwrap();
    while !run.is_done() {
        run.epoch(|_, _, _| true).unwrap();
    }
    let file = run.folder().join("weights.safetensors");
    let net = LeNet5::load(&file).unwrap();
    let weights = Weights::open(&file).unwrap();
    let model = cnnc::compile_file(spec).unwrap();
    let network = model.jit(&weights, &cnnc::Options::default()).unwrap();
    let (mut session, mut other) = (net.session(), network.session().unwrap());
    let mut right = 0;
    for class in 0..10 {
        let picture: Vec<f32> = (0..784)
            .map(|at| f32::from(u8::from(bright(class, at))))
            .collect();
        let outputs = session.run(&picture).unwrap();
        let (raw, probabilities) = (*outputs.raw(), *outputs.probabilities());
        right += usize::from(most(&raw) == class);
        let outputs = other.run(&[&picture]).unwrap();
        let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&raw), bits(outputs.raw()), "{class}");
        assert_eq!(
            bits(&probabilities),
            bits(outputs.get("probabilities").unwrap().data),
            "{class}"
        );
    }
    assert!(
        right >= 9,
        "{right} of 10: it has not learned, or the weights are others"
    );
}

#[test]
fn threads_and_memory_change_nothing() {
    let net = Whole::synthetic().unwrap();
    let image =
        ndarray::Array3::from_shape_fn((3, 9, 9), |(c, y, x)| (c + 2 * y + 3 * x) as f32 / 40.0);
    let expected = *net.session().run(&image).unwrap().raw();
    assert_eq!(*net.session_with(3).run(&image).unwrap().raw(), expected);
    let mut arena = vec![0xa5u8; Whole::ARENA_BYTES];
    let mut session = net.session_in(&mut arena).unwrap();
    for _ in 0..2 {
        assert_eq!(*session.run(&image).unwrap().raw(), expected);
    }
    // Sessions are independent, and go to other threads.
    let other = net.clone();
    let there = std::thread::spawn(move || *other.session().run(&image).unwrap().raw());
    assert_eq!(there.join().unwrap(), expected);
}

#[test]
fn several_inputs_and_outputs() {
    assert_eq!((Twin::A_SHAPE, Twin::B_LEN), ([2, 6, 6], 72));
    let net = Twin::synthetic().unwrap();
    let mut session = net.session();
    let (a, b) = ([0.25f32; 72], vec![0.75f32; 72]);
    let outputs = session.run(&a, &b).unwrap();
    let (left, right) = (*outputs.left(), *outputs.right());
    for (out, (left, right)) in outputs.raw().iter().zip(left.iter().zip(&right)) {
        assert_eq!(*out, (left - right).abs());
    }
    let outputs = session.run(&b, &b[..]).unwrap();
    assert_eq!(outputs.left(), outputs.right());
    assert_eq!(outputs.raw(), &[0.0; 4]);
}

#[test]
fn sums_with_shares() {
    let factors: [(&str, &[usize], &[f32]); 2] = [
        ("fused.shares", &[2, 2], &[1.0, -3.0, 0.5, 1.5]),
        ("out.shares", &[2], &[2.0, -1.0]),
    ];
    let net = Blend::with_weights(&Weights::from_tensors(factors).unwrap()).unwrap();
    let (a, b) = ([1.0, 2.0, 3.0, 4.0], [8.0, 16.0, 32.0, 64.0]);
    // Of 1 and 0.5 over 2, a half and a quarter; of nothing and 1.5 over 2, three quarters of the second.
    let fused = [2.5, 5.0, 24.0, 48.0];
    let expected: Vec<f32> = fused
        .iter()
        .zip(a)
        .map(|(fused, a)| 2.0 * fused - a)
        .collect();
    assert_eq!(
        net.session().run(&a, &b).unwrap().raw().as_slice(),
        expected
    );
}

#[test]
fn mistakes_are_errors() {
    let net = LeNet5::embedded().unwrap();
    let mut session = net.session();
    let short = session.run(&[0.0; 783]).unwrap_err();
    assert_eq!(
        short.to_string(),
        "input `image` is 1x28x28, 784 elements, but 783 were given"
    );
    let mut arena = vec![0u8; LeNet5::ARENA_BYTES / 2];
    let small = net.session_in(&mut arena).map(drop);
    assert!(matches!(small, Err(RunError::Arena { .. })));
    let missing = LeNet5::load("examples/data/none.safetensors").unwrap_err();
    assert!(matches!(missing, LoadError::Weights(_)));
    let other = LeNet5::load("examples/data/resnet20.safetensors")
        .unwrap_err()
        .to_string();
    assert!(other.contains("c1.weight"), "{other}");
}

/// The plan of 16 lanes, on any machine, and the plain one: each is an ISA that loading may choose.
#[test]
fn every_plan_gives_nearly_the_same() {
    let weights = Weights::open("examples/data/lenet5.safetensors").unwrap();
    let image = pixels();
    let mut all: Vec<(Isa, [f32; 10])> = Vec::new();
    for isa in Isa::ALL
        .into_iter()
        .filter(|isa| cnnc_testing::has(isa.available(), isa))
    {
        let net = LeNet5::on(isa, &weights).unwrap();
        assert_eq!(net.isa(), isa);
        all.push((isa, *net.session().run(&image).unwrap().raw()));
    }
    assert!(all.len() >= 2);
    for (isa, raw) in &all {
        for (x, y) in raw.iter().zip(&all[0].1) {
            assert!((x - y).abs() < 1e-4, "{isa}: {raw:?}, {:?}", all[0]);
        }
    }
}

#[test]
fn batches_answer_as_images_do_one_by_one() {
    const {
        assert!(Many::BATCH == 3 && Plain::BATCH == 1);
    }
    let net = Many::synthetic().unwrap();
    let mut session = net.session();
    let images: Vec<Vec<f32>> = (1..=3)
        .map(|image| {
            (0..Many::INPUT_LEN)
                .map(|i| (i % (16 + image)) as f32 - 8.0)
                .collect()
        })
        .collect();
    let alone: Vec<[f32; 5]> = images
        .iter()
        .map(|image| session.run(image).unwrap().raw()[0])
        .collect();
    assert!(alone[0] != alone[1] && alone[1] != alone[2]);
    for count in [2, 3] {
        let outputs = session.run(&images[..count].concat()).unwrap();
        assert_eq!(outputs.images(), count);
        assert_eq!(outputs.raw(), &alone[..count]);
        assert_eq!(outputs.image(1).raw(), &alone[1..2]);
    }
    let four = session.run(&vec![0.0; 4 * Many::INPUT_LEN]).unwrap_err();
    assert_eq!(
        four.to_string(),
        "input `x` has 4 images, but the network takes 3 images at once"
    );
}

#[test]
fn exact_models_compute_sums_as_they_are_defined() {
    let x: Vec<f32> = (0..Plain::INPUT_LEN)
        .map(|i| (i % 17) as f32 - 8.0)
        .collect();
    let model = cnnc::compile_str("plain.cnn", PLAIN).unwrap();
    let jit = |options: &cnnc::Options| {
        let net = model.jit(&Weights::synthetic(), options).unwrap();
        let mut session = net.session().unwrap();
        session.run(&[&x]).unwrap().raw().to_vec()
    };
    let net = Plain::synthetic().unwrap();
    let found = net.session().run(&x).unwrap().raw().to_vec();
    assert_eq!(found, jit(&cnnc::Options::new().exact()));
    assert_ne!(found, jit(&cnnc::Options::new()));
}
