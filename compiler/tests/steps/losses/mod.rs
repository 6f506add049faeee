//! Losses: loops against the definition, gradients against differences, values against numbers that were worked out by PyTorch's formulas.

mod boxes;

use crate::check::{check, compile, numbers};
use cnnc_compiler::graph::{Graph, Output, Param};
use cnnc_compiler::loss::{self, Batch, LOSSES, Loss, LossDecl, Targets, Terms, UNLABELLED};
use cnnc_compiler::recipe;
use cnnc_compiler::reference;
use cnnc_compiler::shape::Shape;
use cnnc_compiler::step::{Method, Optimizer, Recipe, Step};
use ndarray::{ArrayD, IxDyn};

/// Every loss with settings that are not its defaults, where it has some; weights are for so many classes or channels.
fn settings(decl: &LossDecl, channels: usize) -> Vec<recipe::Loss> {
    let plain = recipe::Loss::new(decl.name);
    let mut other = plain.clone();
    for setting in decl.settings {
        if setting.name != WEIGHTS.0 {
            other.set(setting.name, 0.25);
        }
    }
    let mut all = vec![plain];
    if other != all[0] {
        all.push(other.clone());
    }
    if decl.settings.iter().any(|of| of.name == WEIGHTS.0) {
        let weights = (0..channels).map(|channel| 0.5 + 0.75 * (channel % 4) as f64);
        other.settings.push((WEIGHTS.0, weights.collect()));
        all.push(other);
    }
    all
}

fn step(network: &Graph, loss: &dyn Loss, optimizer: &Optimizer) -> Step {
    let recipe = Recipe {
        optimizer,
        trained: &|_| true,
        decayed: &|_| true,
    };
    Step::new(network, loss, &recipe).unwrap_or_else(|error| panic!("{loss:?}: {error}"))
}

/// A step on each loss, of a network of its row.
pub fn steps() -> impl Iterator<Item = Step> {
    LOSSES.iter().map(|decl| {
        let network = compile(decl.samples[0]);
        let loss = loss::build(&network, &recipe::Loss::new(decl.name));
        step(&network, &*loss.expect("a sample fits"), &super::SGD)
    })
}

/// Calls with every loss, its settings and the networks of its row.
fn each(mut call: impl FnMut(&str, &Graph, &dyn Loss)) {
    let mut weighted = 0;
    for decl in LOSSES {
        for body in decl.samples {
            let network = compile(body);
            let output = &network.values[network.outputs[0].value].shape;
            for written in settings(decl, output.channels()) {
                weighted += usize::from(!written.numbers(WEIGHTS.0).is_empty());
                let loss = loss::build(&network, &written).expect("a sample fits");
                call(&format!("{written:?} of {body}"), &network, &*loss);
            }
        }
    }
    assert!(weighted >= 4, "{weighted} losses weigh their classes");
}

#[test]
fn loops_are_the_definition() {
    each(|what, network, loss| {
        for images in [1, 3, 18] {
            check(what, &step(network, loss, &super::SGD), images);
        }
    });
}

/// Targets as a loss writes them, of images that are functions of their numbers, and of what the network makes of them.
fn targets(
    loss: &dyn Loss,
    step: &Step,
    output: &Shape,
    images: usize,
    made: &[Vec<f64>],
) -> (Vec<Vec<f64>>, f64) {
    let elements = output.elements();
    let places = step.graph.inputs[step.first_target()..][..step.targets].iter();
    let room = places.map(|of| vec![0.0; images * step.graph.values[of.value].shape.elements()]);
    let mut into: Vec<Vec<f64>> = room.collect();
    let pixels = elements / output.channels();
    let labels = (0..images * pixels).map(|index| (7 * index % output.channels()) as u32);
    let labels: Vec<u32> = labels.collect();
    let unit = |index: usize| (index * 5 % 9) as f32 / 8.0;
    let values: Vec<f32> = (0..images * elements).map(unit).collect();
    let weights: Vec<f32> = (0..images * elements).map(|at| unit(at + 4)).collect();
    let mut write = |targets: Targets<'_>| {
        let batch = Batch {
            images,
            output,
            targets,
            made: Some(made),
        };
        loss.write(&batch, &mut into)
    };
    let divisor = write(Targets::Weighted(&values, &weights));
    let divisor = divisor.or_else(|_| write(Targets::Classes(&labels)));
    let pairs: Vec<u32> = (0..images as u32).map(|image| image % 2).collect();
    let divisor = divisor.or_else(|_| write(Targets::Classes(&pairs)));
    // A box in each, and another in the second: of the second class, if there is one.
    let boxes = |class: f32| -> Vec<f32> {
        let of = |image: usize| {
            let other = if image == 1 { class } else { -1.0 };
            [0.0, 0.3, 0.6, 0.4, 0.5, other, 0.8, 0.2, 0.3, 0.3]
        };
        (0..images).flat_map(of).collect()
    };
    let divisor = [1.0, 0.0].into_iter().fold(divisor, |divisor, class| {
        divisor.or_else(|_| write(Targets::Numbers(&boxes(class))))
    });
    // Of what is there, and which of two classes it is.
    let located = |values: usize| -> Vec<f32> {
        let truth = |image: usize| {
            let numbers = (0..values).map(move |at| unit(image + at));
            let class = (image % 2) as f32;
            std::iter::once(if image == 1 { 0.0 } else { 1.0 })
                .chain(numbers)
                .chain([class])
        };
        (0..images).flat_map(truth).collect()
    };
    let divisor = (2..=elements).fold(divisor, |divisor, values| {
        divisor.or_else(|_| write(Targets::Numbers(&located(values))))
    });
    let divisor = divisor.expect("one of them fits");
    (into, divisor)
}

/// Along a random direction through all tensors the loss changes as its gradients say, which plain descent shows.
#[test]
fn gradients_are_differences() {
    const RATE: f64 = 0.5;
    let images = 3;
    each(|what, network, loss| {
        let optimizer = Optimizer::new(Method::Sgd);
        let step = step(network, loss, &optimizer);
        let output = network.values[network.outputs[0].value].shape.clone();
        let first = step.first_target();
        let start: Vec<ArrayD<f64>> = step.state.iter().map(|id| tensor(&step, *id)).collect();
        let seen = step.graph.inputs[..first].iter().map(|input| {
            let shape = step.graph.values[input.value].shape.dims();
            let of = |image| numbers(&format!("{}.{image}", input.name), shape);
            (0..images).map(of).collect()
        });
        let seen: Vec<Vec<ArrayD<f64>>> = seen.collect();
        let made = step.up_to_outputs().evaluate(&start, &seen).outputs;
        let made: Vec<Vec<f64>> = made
            .iter()
            .map(|of| of.iter().flatten().copied().collect())
            .collect();
        let (targets, divisor) = targets(loss, &step, &output, images, &made);
        let inputs = step.graph.inputs.iter().enumerate().map(|(index, input)| {
            let shape = step.graph.values[input.value].shape.dims();
            match index {
                index if index < first => seen[index].clone(),
                index if index < first + step.targets => targets[index - first]
                    .chunks(shape.iter().product())
                    .map(|one| ArrayD::from_shape_vec(IxDyn(shape), one.to_vec()).expect("fits"))
                    .collect(),
                index if index == first + step.targets => {
                    vec![ArrayD::from_elem(IxDyn(shape), 1.0 / divisor)]
                }
                index => {
                    let factors = step.factors[index - first - step.targets - 1];
                    let values = step.factors_of(factors, &optimizer, RATE, 1, images);
                    vec![ArrayD::from_shape_vec(IxDyn(shape), values).expect("as many")]
                }
            }
        });
        let inputs: Vec<Vec<ArrayD<f64>>> = inputs.collect();
        let direction = step.state.iter().map(|id| {
            let param = &step.graph.params[*id];
            numbers(&format!("{}.direction", param.name), &param.shape)
        });
        let direction: Vec<ArrayD<f64>> = direction.collect();
        let loss_at = |far: f64| {
            let moved = start.iter().zip(&direction);
            let moved: Vec<_> = moved.map(|(x, d)| x + &(d * far)).collect();
            let evaluated = step.evaluate(&moved, &inputs);
            let losses = evaluated.outputs.last().expect("the loss").iter().flatten();
            (losses.sum::<f64>() / divisor, evaluated.state)
        };
        let (_, stepped) = loss_at(0.0);
        let slope: f64 = start
            .iter()
            .zip(&stepped)
            .zip(&direction)
            .map(|((before, after), d)| ((before - after) * d).sum() / RATE)
            .sum();
        const FAR: f64 = 1e-5;
        let difference = (loss_at(FAR).0 - loss_at(-FAR).0) / (2.0 * FAR);
        assert!(
            (slope - difference).abs() <= 1e-6 * slope.abs().max(0.1),
            "{what}: {slope} is not {difference}"
        );
    });
}

fn tensor(step: &Step, id: cnnc_compiler::id::ParamId) -> ArrayD<f64> {
    let Param { name, shape, .. } = &step.graph.params[id];
    numbers(name, shape)
}

/// The loss of outputs that are given, of so many images.
fn value(
    loss: &dyn Loss,
    output: &[usize],
    z: &[f64],
    targets: Targets<'_>,
) -> Result<f64, String> {
    let output = Shape::new(output.to_vec()).expect("a shape");
    let images = z.len() / output.elements();
    let mut graph = Graph::default();
    let raw = graph.push_input("z", output.clone());
    let mut terms = Terms::new(&mut graph, raw);
    let value = loss.push(&mut terms);
    let targets_of = graph.inputs[1..].iter();
    let room = targets_of.map(|of| vec![0.0; images * graph.values[of.value].shape.elements()]);
    let mut into: Vec<Vec<f64>> = room.collect();
    let batch = Batch {
        images,
        output: &output,
        targets,
        made: None,
    };
    let divisor = loss.write(&batch, &mut into)?;
    graph.outputs = vec![Output {
        name: "loss".to_owned(),
        value,
    }];
    let losses = (0..images).map(|image| {
        let given = std::iter::once(z).chain(into.iter().map(Vec::as_slice));
        let inputs = graph.inputs.iter().zip(given).map(|(of, values)| {
            let shape = &graph.values[of.value].shape;
            let own = values[image * shape.elements()..][..shape.elements()].to_vec();
            ArrayD::from_shape_vec(IxDyn(shape.dims()), own).expect("as many")
        });
        let inputs: Vec<ArrayD<f64>> = inputs.collect();
        reference::evaluate(&graph, &|_| unreachable!("no tensors"), &inputs)[0].sum()
    });
    Ok(losses.sum::<f64>() / divisor)
}

fn build(name: &'static str, settings: &[(&'static str, &[f64])]) -> Box<dyn Loss> {
    let settings = settings.iter().map(|(name, of)| (*name, of.to_vec()));
    let loss = recipe::Loss {
        name,
        settings: settings.collect(),
    };
    (loss::find(name).expect("a loss").build)(&loss, &Graph::default())
}

const WEIGHTS: (&str, &[f64]) = ("weights", &[1.0, 2.0, 0.5]);

/// PyTorch's formulas, written out in another language: `cross_entropy` with `weight` and `label_smoothing`, `binary_cross_entropy_with_logits`, `mse_loss` and `smooth_l1_loss`.
#[test]
fn values_are_those_of_pytorchs_formulas() {
    let two = &[1.0, 2.0, 3.0, 0.5, 0.0, -1.0];
    let classes = Targets::Classes(&[1, 0]);
    let shares = Targets::Numbers(&[0.2, 0.3, 0.5, 0.0, 0.0, 1.0]);
    let pixels = Targets::Classes(&[0, 1, UNLABELLED]);
    let z = &[1.0, -2.0, 0.5, 3.0, 0.0, -1.0];
    let known = Targets::Numbers(&[1.0, 0.0, 0.25, 0.0, 1.0, 1.0]);
    let counted = Targets::Weighted(
        &[1.0, 0.0, 0.25, 0.0, 1.0, 1.0],
        &[1.0, 0.0, 2.0, 0.0, 0.5, 1.0],
    );
    let smooth: (&str, &[f64]) = ("smooth", &[0.1]);
    let two_by_three = &[1.0, -1.0, 5.0, 0.0, 2.0, 7.0];
    type Row<'r> = (
        &'static str,
        &'r [(&'static str, &'r [f64])],
        &'r [usize],
        &'r [f64],
        Targets<'r>,
        f64,
    );
    let rows: [Row<'_>; 12] = [
        ("cross_entropy", &[], &[3], two, classes, 1.0058682848905545),
        (
            "cross_entropy",
            &[WEIGHTS, smooth],
            &[3],
            two,
            classes,
            1.1290369602035788,
        ),
        ("cross_entropy", &[], &[3], two, shares, 1.6058682848905543),
        (
            "cross_entropy",
            &[("weights", &[1.0, 3.0])],
            &[2, 1, 3],
            two_by_three,
            pixels,
            0.11475593555986224,
        ),
        ("logistic", &[], &[3], z, known, 1.0573771503988691),
        ("logistic", &[WEIGHTS], &[3], z, known, 1.0138614596911615),
        ("squared", &[], &[3], z, known, 3.0104166666666665),
        ("squared", &[], &[3], z, counted, 0.7708333333333334),
        ("smooth_l1", &[], &[3], z, known, 1.0052083333333333),
        (
            "smooth_l1",
            &[("beta", &[0.5])],
            &[3],
            z,
            known,
            1.1770833333333333,
        ),
        ("smooth_l1", &[("beta", &[0.0])], &[3], z, known, 1.375),
        // ½ (6² · 0 + (3 − √5.25)²) and ½ · 10, halved.
        (
            "contrastive",
            &[("margin", &[3.0])],
            &[3],
            z,
            Targets::Classes(&[0, 1]),
            2.62556822878312,
        ),
    ];
    for (name, settings, shape, z, targets, want) in rows {
        let found = value(&*build(name, settings), shape, z, targets).expect("it fits");
        // Shares are f32.
        assert!(
            (found - want).abs() <= 1e-7 * want,
            "{name} {settings:?}: {found} is not {want}"
        );
    }
}

/// Logits far from zero neither overflow nor lose what is small.
#[test]
fn losses_of_logits_are_stable() {
    let logistic = build("logistic", &[]);
    let of = |z, t| value(&*logistic, &[1], &[z], Targets::Numbers(&[t])).expect("it fits");
    assert_eq!(of(1000.0, 0.0), 1000.0);
    assert_eq!(of(1000.0, 1.0), 0.0);
    assert_eq!(of(-1000.0, 1.0), 1000.0);
    assert!((of(-20.0, 0.0) / (-20.0_f64).exp() - 1.0).abs() < 1e-8);
    let cross_entropy = build("cross_entropy", &[]);
    let far = value(
        &*cross_entropy,
        &[2],
        &[1000.0, -1000.0],
        Targets::Classes(&[1]),
    );
    assert_eq!(far, Ok(2000.0));
}

#[test]
fn what_does_not_fit_is_said() {
    let of = |name, settings, shape: &[usize], z: &[f64], targets| {
        value(&*build(name, settings), shape, z, targets).expect_err("it does not fit")
    };
    let z = &[0.0; 6];
    for (name, targets, message) in [
        (
            "cross_entropy",
            Targets::Classes(&[0, 3]),
            "the class 3 is none of the network's 3",
        ),
        (
            "cross_entropy",
            Targets::Classes(&[0]),
            "1 labels are not 1 for each of 2 samples",
        ),
        (
            "squared",
            Targets::Classes(&[0, 1]),
            "this loss learns from numbers, 3 for each sample, not from classes",
        ),
        (
            "squared",
            Targets::Numbers(&[0.0; 4]),
            "4 numbers are not 3 for each of 2 samples",
        ),
        (
            "squared",
            Targets::Numbers(&[f32::NAN; 6]),
            "a target is NaN",
        ),
        (
            "logistic",
            Targets::Numbers(&[2.0; 6]),
            "a target of `logistic` is between 0 and 1, not 2",
        ),
        (
            "smooth_l1",
            Targets::Weighted(&[0.0; 6], &[0.0]),
            "1 weights are not 3 for each of 2 samples",
        ),
    ] {
        assert_eq!(of(name, &[], &[3], z, targets), message, "{name}");
    }
    let single = build("cross_entropy", &[]).fit(&Shape::new([1]).expect("a shape"));
    let message = single.expect_err("a single output").message;
    assert!(
        message.contains("of a single one `logistic` is the loss"),
        "{message}"
    );
}

#[test]
fn heads_and_last_layers_have_their_losses() {
    for (body, usual) in [
        ("input x: 5; dense 3; head classify", "cross_entropy"),
        ("input x: 3x8x8; conv 1x1 2; head segment", "cross_entropy"),
        ("input x: 5; dense 3 softmax", "cross_entropy"),
        ("input x: 5; dense 3 sigmoid", "logistic"),
        ("input x: 5; dense 1; head verify", "logistic"),
        (
            "input a, b: 5; head verify { measure distance; sub(a, b) }",
            "contrastive",
        ),
        ("input x: 5; dense 4; head boxes", "localize"),
        ("input x: 5; dense 4; head landmarks", "localize"),
        ("input x: 3x4x4; conv 1x1 2; head keypoints", "heatmaps"),
        ("input x: 5; dense 3; head embed", "triplet"),
        ("input x: 3; dense 52; head yolo1 { side 2 }", "yolo1"),
        (
            "input x: 3x4x4; conv 1x1 6; head yolo2 { anchors (1, 1) }",
            "yolo2",
        ),
        (
            "input x: 3x4x4; conv 1x1 6; head yolo3 { anchors (1, 1) }",
            "yolo3",
        ),
    ] {
        assert_eq!(
            loss::usual(&compile(body)).expect("one").name,
            usual,
            "{body}"
        );
    }
    for (body, what) in [
        ("input x: 5; dense 3", "a network without a head"),
        (
            "input x: 3; dense 12 sigmoid; head pitch { first 1200  step 100  around 2 }",
            "`head pitch`",
        ),
    ] {
        let error = loss::usual(&compile(body)).expect_err("none");
        let want = format!(
            "nothing says what is made small: {what} has no loss of its own; choose one, for example `train {{ loss squared }}`, of"
        );
        assert!(error.starts_with(&want), "{error}");
        for loss in ["cross_entropy", "heatmaps", "yolo1", "yolo3"] {
            assert!(error.contains(loss), "{error}");
        }
    }
}

/// A map of two rows and three columns whose point is in the middle of a cell; one that is between two; one outside of the picture, which counts for nothing.
#[test]
fn heat_maps_are_gaussians_that_add_up_to_one() {
    let network = compile("input x: 1x2x3; conv 1x1 3; head keypoints");
    let output = network.values[network.outputs[0].value].shape.clone();
    let mut written = recipe::Loss::new("heatmaps");
    written.set("sigma", 0.8);
    let loss = loss::build(&network, &written).expect("it fits");
    let told = |known: &[f32], into: &mut [Vec<f64>]| {
        let batch = Batch {
            images: 1,
            output: &output,
            targets: Targets::Numbers(known),
            made: None,
        };
        loss.write(&batch, into)
    };
    let mut into = vec![vec![9.0; 18]];
    let known = [0.5, 0.25, 0.5, 0.5, 1.25, 0.5];
    assert_eq!(told(&known, &mut into), Ok(2.0 / 3.0));
    let share = |x: f64, y: f64, point: [f64; 2]| {
        let square = (x - point[0]).powi(2) + (y - point[1]).powi(2);
        (-square / (2.0 * 0.64)).exp()
    };
    let cells = || (0..2).flat_map(|row| (0..3).map(move |column| (row, column)));
    for (index, point) in [[1.5, 0.5], [1.5, 1.0]].into_iter().enumerate() {
        let at = |(row, column)| share(f64::from(column) + 0.5, f64::from(row) + 0.5, point);
        let sum: f64 = cells().map(at).sum();
        for (cell, place) in cells().enumerate() {
            let (found, want) = (into[0][3 * cell + index], at(place) / sum);
            assert!(
                (found - want).abs() < 1e-12,
                "{index}, {place:?}: {found} is not {want}"
            );
        }
    }
    assert!((0..6).all(|cell| into[0][3 * cell + 2] == 0.0));
    for (known, message) in [
        (vec![0.5; 4], "4 numbers are not 6 for each of 1 samples"),
        (vec![f32::NAN; 6], "a target is NaN"),
    ] {
        assert_eq!(told(&known, &mut into), Err(message.to_owned()));
    }
    for (sigma, body, message) in [
        (
            0.0,
            "input x: 1x2x3; conv 1x1 3; head keypoints",
            "`sigma` is more than 0",
        ),
        (
            0.7,
            "input x: 1x2x3; conv 1x1 3",
            "`heatmaps` is for networks with `head keypoints`",
        ),
    ] {
        let mut written = recipe::Loss::new("heatmaps");
        written.set("sigma", sigma);
        assert_eq!(
            loss::build(&compile(body), &written).expect_err("a misfit"),
            message
        );
    }
}
