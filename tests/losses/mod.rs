//! Networks learn by losses of every kind: a filter from pictures and what it makes of them, several labels at once, a class for every pixel.

use cnnc::Model;
use cnnc::train::{Data, Loss, Measure, Recipe, Run, Samples, Targets, Trainer};
use cnnc_testing::Random;
use std::fs;

/// A number from -1 to 1.
fn number(random: &mut Random) -> f32 {
    (random.word() >> 40) as f32 / (1u64 << 23) as f32 - 1.0
}

fn model(body: &str) -> Model {
    let model = cnnc::compile_str("net", &format!("cnn 1; model Net {{ {body} }}"));
    model.unwrap_or_else(|error| panic!("{body}: {error}"))
}

/// Trains a spec on samples in memory, to the end; the run, and its table.
fn train(spec: &str, train: Samples, test: Samples) -> (Run, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("net.cnn");
    fs::write(&path, spec).expect("written");
    let model = cnnc::compile_file(&path).unwrap_or_else(|error| panic!("{error}"));
    let recipe = Recipe::of(&model);
    let data = Data::in_memory(train, test);
    let runs = folder.path().join("runs");
    let run = Run::begin(model, &path, &recipe, data, &runs, Some("run"));
    let mut run = run.unwrap_or_else(|error| panic!("{error}"));
    while !run.is_done() {
        run.epoch(|_, _, _| true).expect("an epoch");
    }
    let table = fs::read_to_string(run.folder().join("results.csv")).expect("a table");
    let chart = fs::read_to_string(run.folder().join("loss.svg")).expect("curves");
    assert!(
        chart.contains(&run.measure().name().replace('_', " ")),
        "{chart}"
    );
    let error = Run::resume(run.folder(), None).expect_err("nothing to go on with");
    assert!(
        error
            .to_string()
            .contains("its data were in memory, and are gone"),
        "{error}"
    );
    (run, table)
}

const SOBEL: [f32; 9] = [-1.0, 0.0, 1.0, -2.0, 0.0, 2.0, -1.0, 0.0, 1.0];

/// Pictures of noise, and what the filter makes of them.
fn filtered(count: usize, seed: u64) -> Samples {
    const SIDE: usize = 14;
    let mut random = Random(seed);
    let (mut inputs, mut targets) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let picture: Vec<f32> = (0..SIDE * SIDE).map(|_| number(&mut random)).collect();
        for row in 0..SIDE - 2 {
            for column in 0..SIDE - 2 {
                let term =
                    |tap: usize| SOBEL[tap] * picture[(row + tap / 3) * SIDE + column + tap % 3];
                targets.push((0..9).map(term).sum());
            }
        }
        inputs.extend(picture);
    }
    Samples::of_numbers(inputs, SIDE * SIDE, targets).expect("as many")
}

/// The course's first network: it finds the nine numbers of the filter.
#[test]
fn a_convolution_learns_sobels_filter() {
    let spec = include_str!("../../examples/learned_filter.cnn");
    let (run, table) = train(spec, filtered(256, 1), filtered(32, 2));
    assert_eq!(run.measure(), Measure::MeanError);
    let (_, weights) = run.trainer().tensors().next().expect("the filter");
    for (found, want) in weights.iter().zip(SOBEL) {
        assert!((found - want).abs() <= 1e-3, "{weights:?}");
    }
    let header = table.lines().next().expect("a header");
    assert_eq!(header, "epoch,rate,loss,mean_error,test_mean_error,seconds");
    assert!(run.best().expect("an epoch").test < 1e-3, "{table}");
}

/// Numbers, and three questions about each eight of them.
fn questions(count: usize, seed: u64) -> Samples {
    let mut random = Random(seed);
    let (mut inputs, mut targets) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let x: Vec<f32> = (0..8).map(|_| number(&mut random)).collect();
        let answers = [x[0] > 0.0, x[1] + x[2] > 0.0, x[3] > x[4]];
        targets.extend(answers.map(|yes| f32::from(u8::from(yes))));
        inputs.extend(x);
    }
    Samples::of_numbers(inputs, 8, targets).expect("as many")
}

/// Several labels at once, each by itself: what ends in a sigmoid learns by the logistic loss.
#[test]
fn several_labels_are_learned_at_once() {
    let spec = "cnn 1
model Questions {
  input x: 8
  dense 16 tanh
  dense 3 sigmoid
  train { rate 0.5  batch 32  epochs 12 }
}
";
    let (run, table) = train(spec, questions(640, 1), questions(200, 2));
    assert_eq!(run.trainer().loss(), &Loss::new("logistic"));
    assert!(
        table.starts_with("epoch,rate,loss,label_accuracy,test_label_accuracy,seconds"),
        "{table}"
    );
    assert!(run.best().expect("an epoch").test >= 0.95, "{table}");
}

/// A square or a disc on noise, and what each pixel is.
fn shapes(count: usize, seed: u64) -> Samples {
    const SIDE: usize = 16;
    let mut random = Random(seed);
    let (mut inputs, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let disc = random.below(2) == 1;
        let [row, column] = [0; 2].map(|_| 5 + random.below(6) as i64);
        for pixel in 0..(SIDE * SIDE) as i64 {
            let (down, right) = (pixel / SIDE as i64 - row, pixel % SIDE as i64 - column);
            let inside = match disc {
                true => down * down + right * right <= 16,
                false => down.abs() <= 3 && right.abs() <= 3,
            };
            let class = u32::from(inside) * (1 + u32::from(disc));
            let bright = [0.0, 1.0, -1.0][class as usize];
            inputs.push(bright + 0.5 * number(&mut random));
            labels.push(class);
        }
    }
    Samples::of_classes(inputs, SIDE * SIDE, labels).expect("as many")
}

/// A class for every pixel, with more weight on what is rare; judged by the mean of intersection over union.
#[test]
fn shapes_are_segmented() {
    let spec = "cnn 1
model Shapes {
  input x: 1x16x16
  conv 3x3 8 pad half bn relu
  conv 3x3 8 pad half bn relu
  conv 1x1 3
  head segment { labels [\"ground\", \"square\", \"disc\"] }
  train {
    loss cross_entropy { weights 0.5 1 1 }
    rate 0.1  batch 16  epochs 8
  }
}
";
    let (run, table) = train(spec, shapes(160, 1), shapes(40, 2));
    assert_eq!(run.measure(), Measure::MeanIou);
    assert!(
        table.starts_with("epoch,rate,loss,mean_iou,test_mean_iou,seconds"),
        "{table}"
    );
    assert!(run.best().expect("an epoch").test >= 0.9, "{table}");
}

/// Pairs of noisy pictures of three things, and whether both are of one.
fn pairs(count: usize, seed: u64) -> Samples {
    let mut random = Random(seed);
    let (mut inputs, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let first = random.below(3);
        let second = match random.below(2) {
            0 => first,
            other => (first + other) % 3,
        };
        for thing in [first, second] {
            let place = |at: usize| if at % 3 == thing { 1.0 } else { 0.0 };
            inputs.extend((0..6).map(|at| place(at) + 0.3 * number(&mut random)));
        }
        labels.push(u32::from(first == second));
    }
    Samples::of_classes(inputs, 12, labels).expect("as many")
}

/// Networks of two inputs learn which are alike: by a score, and by the length of a difference.
#[test]
fn pairs_are_told_apart() {
    for (last, loss, measure) in [
        (
            "abs(twin(a) - twin(b)) ; dense 1 sigmoid",
            "logistic",
            "label_accuracy",
        ),
        (
            "measure distance ; sub(twin(a), twin(b))",
            "contrastive",
            "pair_accuracy",
        ),
    ] {
        let spec = format!(
            "cnn 1
model Pairs {{
  input a, b: 6
  shared twin {{ dense 12 tanh ; dense 4 }}
  head verify {{ {last} }}
  train {{ rate 0.2  batch 20  epochs 10 }}
}}
"
        );
        let (run, table) = train(&spec, pairs(400, 1), pairs(100, 2));
        assert_eq!(run.trainer().loss(), &Loss::new(loss));
        assert_eq!(run.measure().name(), measure);
        assert!(run.best().expect("an epoch").test >= 0.95, "{table}");
    }
}

/// The same bits for any number of threads.
#[test]
fn tensors_do_not_depend_on_threads() {
    let body = "input x: 1x16x16; conv 3x3 4 pad half tanh; conv 1x1 3";
    let model = model(body);
    let mut random = Random(3);
    let inputs: Vec<f32> = (0..6 * 256).map(|_| number(&mut random)).collect();
    let numbers: Vec<f32> = (0..6 * 3 * 256)
        .map(|_| number(&mut random).abs())
        .collect();
    let weights: Vec<f32> = numbers.iter().map(|number| 1.0 - number).collect();
    for name in ["logistic", "squared", "smooth_l1"] {
        let all = [1, 2, 3].map(|threads| {
            let recipe = Recipe {
                loss: Some(Loss::new(name)),
                threads,
                ..Recipe::default()
            };
            let mut trainer = Trainer::new(&model, &recipe).expect("it can be trained");
            let known = Targets::Weighted(&numbers, &weights);
            let done = (0..3).map(|_| trainer.step_targets(&inputs, known, 0.1));
            let losses: Vec<f64> = done.map(|done| done.expect("a step").loss).collect();
            assert!(losses[2] < losses[0], "{name}: {losses:?}");
            let tensors = trainer.tensors().map(|(_, values)| values.to_vec());
            tensors.collect::<Vec<_>>()
        });
        assert!(all.iter().all(|tensors| *tensors == all[0]), "{name}");
    }
}

/// PyTorch's mean with class weights is over the weights, and what has no label counts for nothing.
#[test]
fn classes_have_weights() {
    let model = model("input x: 2; dense 2; head classify");
    let of = |weights: &[f64]| {
        let mut loss = Loss::new("cross_entropy");
        loss.settings = vec![("weights", weights.to_vec())];
        let recipe = Recipe {
            loss: Some(loss),
            ..Recipe::default()
        };
        let mut trainer = Trainer::new(&model, &recipe).expect("it can be trained");
        let inputs = [1.0, 0.0, 0.0, 1.0];
        let mut loss = |inputs: &[f32], labels: &[u32]| {
            let done = trainer.step(inputs, labels, 1e-12).expect("a step");
            done.loss
        };
        (
            loss(&inputs[..2], &[0]),
            loss(&inputs[2..], &[1]),
            loss(&inputs, &[0, 1]),
        )
    };
    let (first, second, both) = of(&[3.0, 1.0]);
    assert!(
        (both - (3.0 * first + second) / 4.0).abs() < 1e-6,
        "{first} {second} {both}"
    );
}

#[test]
fn what_cannot_be_learned_is_said_before_the_first_step() {
    let new = |body: &str, loss: Option<Loss>| {
        let recipe = Recipe {
            loss,
            ..Recipe::default()
        };
        Trainer::new(&model(body), &recipe)
            .map(|_| ())
            .expect_err("it cannot be")
            .to_string()
    };
    let error = new("input x: 4; dense 3", None);
    assert!(
        error.contains("a network without a head has no loss of its own; choose one, for example `train { loss squared }`, of"),
        "{error}"
    );
    for loss in ["cross_entropy", "heatmaps", "yolo1", "yolo3"] {
        assert!(error.contains(loss), "{error}");
    }
    let error = new(
        "input x: 3; dense 12 sigmoid; head pitch { first 1200  step 100  around 2 }",
        None,
    );
    assert!(
        error.contains("`head pitch` has no loss of its own"),
        "{error}"
    );
    let mut weighted = Loss::new("squared");
    weighted.settings = vec![("weights", vec![1.0, 2.0])];
    let error = new("input x: 4; dense 3", Some(weighted));
    assert_eq!(error, "2 weights cannot be those of 3 channels");
    let mut smoothed = Loss::new("squared");
    smoothed.set("smooth", 0.1);
    let error = new("input x: 4; dense 3", Some(smoothed));
    assert_eq!(error, "the loss `squared` has no setting `smooth`");
    // Samples are held against the network, each of them.
    let trainer = |body: &str| Trainer::new(&model(body), &Recipe::default()).expect("it can be");
    let classifier = trainer("input x: 8; dense 2; head classify");
    let error = classifier
        .check(&questions(3, 1))
        .expect_err("numbers")
        .to_string();
    assert_eq!(error, "sample 1: 3 numbers are not 2 for each of 1 samples");
    let error = classifier
        .check(&pairs(3, 1))
        .expect_err("twelve")
        .to_string();
    assert_eq!(
        error,
        "samples of 12 numbers are not those of a network whose inputs have 8"
    );
    let labels = Samples::of_classes(vec![0.0; 16], 8, vec![1, 2]).expect("two samples");
    let error = classifier.check(&labels).expect_err("no class").to_string();
    assert_eq!(error, "sample 2: the class 2 is none of the network's 2");
    let error = Samples::of_classes(vec![0.0; 16], 8, vec![1, 0, 1]).expect_err("three");
    assert!(
        error
            .to_string()
            .contains("16 numbers in inputs of 8, and 3 classes, are not samples"),
        "{error}"
    );
}
