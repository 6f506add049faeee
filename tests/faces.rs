//! Networks that compare pictures of identities: which pairs and batches they learn, how they are judged, and that people who were never seen are told apart.

use cnnc::Model;
use cnnc::rt::weights::Weights;
use cnnc::train::{
    Augmenter, Data, Draw, Gathered, Likeness, Loader, Recipe, Roc, Run, Source, Split, Trainer,
    one_shot,
};
use cnnc_testing::{Random, file, shared};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const SIDE: usize = 12;

/// What a network makes of one picture, and of two.
const ALONE: &str = "cnn 1\nmodel Alone { input x: 1x12x12; conv 3x3 4 relu; maxpool 2x2; flatten; dense 6; head embed { threshold 2 }; train { augment { rotate 5 ; shift 1 } } }";
const TWIN: &str = "cnn 1\nmodel Twin { input a, b: 1x12x12; shared twin { conv 3x3 4 relu; maxpool 2x2; flatten; dense 6 }; head verify { measure distance  threshold 1; sub(twin(a), twin(b)) }; train { augment { rotate 5 ; shift 1 } } }";

fn model(text: &str) -> Model {
    cnnc::compile_str("net.cnn", text).unwrap_or_else(|error| panic!("{error}"))
}

/// Pictures of so many identities, each of blots of its own, with some noise: text of PGM.
fn people(folder: &Path, identities: usize, pictures: usize) {
    for identity in 0..identities {
        let within = folder.join(format!("p{identity:02}"));
        fs::create_dir_all(&within).expect("a folder");
        let mut own = Random(identity as u64 + 1);
        let face: Vec<usize> = (0..SIDE * SIDE).map(|_| 150 * own.below(2)).collect();
        for picture in 0..pictures {
            let mut noise = Random((100 * identity + picture) as u64 + 7);
            let pixels = face.iter().map(|value| value + noise.below(100));
            let pixels: Vec<String> = pixels.map(|value| value.to_string()).collect();
            let text = format!("P2\n{SIDE} {SIDE} 255\n{}\n", pixels.join("\n"));
            fs::write(within.join(format!("{picture}.pgm")), text).expect("written");
        }
    }
}

fn labels(data: &Data) -> (BTreeSet<u32>, BTreeSet<u32>) {
    let of =
        |samples: &cnnc::train::Samples| (0..samples.len()).map(|at| samples.label(at)).collect();
    (of(&data.train), of(&data.test))
}

#[test]
fn identities_stay_whole_however_samples_are_divided() {
    let folder = tempfile::tempdir().expect("a folder");
    people(folder.path(), 10, 3);
    let list = folder.path().join("judge.txt");
    fs::write(&list, "# two of them\np03/\n./p07\n").expect("written");
    for text in [ALONE, TWIN] {
        let network = model(text);
        let open = |split: Option<Split>| {
            let source = Source {
                path: folder.path().to_owned(),
                split,
                ..Source::default()
            };
            Data::of(&source, network.graph()).expect("identities")
        };
        for (split, judging) in [
            (None, 2),
            (Some(Split::List(list.clone())), 2),
            (Some(Split::Hash([70, 30, 0])), 4),
        ] {
            let data = open(split);
            let (learned, judged) = labels(&data);
            assert!(learned.is_disjoint(&judged));
            assert_eq!(judged.len(), judging);
            assert_eq!(data.test.len(), 3 * judging);
            assert_eq!(data.train.len(), 30 - 3 * judging);
        }
        let listed = open(Some(Split::List(list.clone())));
        assert_eq!(labels(&listed).1, BTreeSet::from([3, 7]));
        let expected = match text == TWIN {
            true => Gathered::Pairs,
            false => Gathered::Identities,
        };
        assert_eq!(listed.train.gathered(), expected);
    }
    fs::write(&list, "p03\np99\n").expect("written");
    let network = model(ALONE);
    let error =
        Data::judged_by(folder.path(), &[], Some(&list), network.graph()).expect_err("nobody");
    let error = error.to_string();
    assert!(
        error.ends_with("line 2: there is no sample `p99`, nor a folder with some"),
        "{error}"
    );
    // Where rows say who it is, folders do not: here each has pictures of three people.
    let place = |row: usize| format!("p{:02}/{}.pgm", row / 3, row % 3);
    let rows: String = (0..30)
        .map(|row| format!("{},{}\n", place(row), row % 10))
        .collect();
    let table = folder.path().join("people.csv");
    fs::write(&table, rows).expect("written");
    let source = Source {
        path: table,
        split: Some(Split::Hash([50, 50, 0])),
        ..Source::default()
    };
    let data = Data::of(&source, network.graph()).expect("identities");
    let (learned, judged) = labels(&data);
    assert!(learned.is_disjoint(&judged), "{learned:?} {judged:?}");
    assert_eq!((data.train.len(), data.test.len()), (18, 12));
    assert_eq!(data.train.identity(0), None);
}

#[test]
fn few_samples_of_identities_are_two_of_each() {
    let folder = tempfile::tempdir().expect("a folder");
    people(folder.path(), 6, 4);
    let network = model(ALONE);
    // Two of six judge.
    let kept = |change: &dyn Fn(&mut Data)| {
        let mut data = Data::open(folder.path(), None, network.graph()).expect("identities");
        change(&mut data);
        let recipe = Recipe {
            batch: 4,
            each: 2,
            ..Recipe::of(&network)
        };
        Draw::of(&recipe, &data.train).expect("batches");
        let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
        for at in 0..data.train.len() {
            *counts.entry(data.train.label(at)).or_default() += 1;
        }
        counts.into_values().collect::<Vec<usize>>()
    };
    for (count, expected) in [
        (1, vec![2, 2]),
        (5, vec![2, 2]),
        (7, vec![2, 2, 2]),
        (11, vec![3, 3, 3, 2]),
        (100, vec![4, 4, 4, 4]),
    ] {
        assert_eq!(kept(&|data: &mut Data| data.limit(count)), expected);
        assert_eq!(kept(&|data: &mut Data| data.overfit(count)), expected);
    }
}

/// Both pictures of a pair come one behind the other, with whether they are of one identity; each is changed by its place, not by its number.
#[test]
fn batches_of_pairs_are_two_pictures_each() {
    let folder = tempfile::tempdir().expect("a folder");
    people(folder.path(), 6, 4);
    let network = model(TWIN);
    let recipe = Recipe {
        batch: 5,
        ..Recipe::of(&network)
    };
    let data = Data::open(folder.path(), None, network.graph()).expect("identities");
    let (train, elements) = (&data.train, data.train.elements());
    let order = Draw::of(&recipe, train).expect("pairs").order(1, 2);
    assert_eq!(order.len(), 2 * train.len());
    let plain = Loader::of(train, 5);
    let augmenter = Augmenter::new(
        recipe.augment.as_ref().expect("some"),
        recipe.seed,
        network.graph(),
    )
    .expect("it fits");
    let changed = Loader {
        samples: train,
        augmenter: Some(&augmenter),
        epoch: 2,
        batch: 5,
    };
    let (mut pairs, mut alike, mut moved) = (0, 0, BTreeSet::new());
    plain
        .each(&order, |index, batch| {
            assert_eq!(batch.inputs.len(), 2 * elements * batch.len());
            for (at, label) in batch.known.labels.iter().enumerate() {
                let place = 2 * (5 * index + at);
                let [one, other] = [order[place], order[place + 1]].map(|sample| sample as usize);
                let inputs = &batch.inputs[2 * elements * at..];
                assert_eq!(inputs[..elements], train.input(one).expect("a picture"));
                assert_eq!(
                    inputs[elements..2 * elements],
                    train.input(other).expect("a picture")
                );
                assert_eq!(*label, u32::from(train.label(one) == train.label(other)));
                alike += label;
                pairs += 1;
            }
            Ok(true)
        })
        .expect("batches");
    assert_eq!((pairs, alike), (train.len(), train.len() as u32 / 2));
    // A picture that comes again is changed anew.
    changed
        .each(&order, |_, batch| {
            moved.extend(batch.inputs.chunks(elements).map(|picture| {
                let bits: Vec<u32> = picture.iter().map(|number| number.to_bits()).collect();
                bits
            }));
            Ok(true)
        })
        .expect("batches");
    assert_eq!(moved.len(), order.len());
}

/// A run that stops within an epoch and goes on has the same weights as one that never stopped, on another number of threads.
#[test]
fn runs_of_identities_go_on_to_the_bit() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("people");
    people(&data, 8, 4);
    for (text, name) in [(ALONE, "alone"), (TWIN, "twin")] {
        let spec = folder.path().join(format!("{name}.cnn"));
        fs::write(&spec, text).expect("written");
        let network = model(text);
        let recipe = Recipe {
            batch: 7,
            each: 3,
            alike: 0.4,
            epochs: 3,
            threads: 2,
            ..Recipe::of(&network)
        };
        let begin = |name: &str| {
            let data = Data::open(&data, None, network.graph()).expect("identities");
            let runs = folder.path().join("runs");
            Run::begin(network.clone(), &spec, &recipe, data, &runs, Some(name)).expect("a run")
        };
        let mut whole = begin(&format!("{name}-whole"));
        while !whole.is_done() {
            whole.epoch(|_, _, _| true).expect("an epoch");
        }
        let mut parts = begin(&format!("{name}-parts"));
        parts.epoch(|_, _, _| true).expect("an epoch");
        let stopped = parts.epoch(|done, _, _| done < 2).expect("a part");
        assert_eq!((stopped, parts.steps_within()), (None, 2));
        let place = parts.folder().to_owned();
        drop(parts);
        let mut parts = Run::resume(&place, Some(1)).expect("it goes on");
        while !parts.is_done() {
            parts.epoch(|_, _, _| true).expect("an epoch");
        }
        let last = |run: &Run| fs::read(run.folder().join("last.safetensors")).expect("weights");
        assert!(last(&whole) == last(&parts), "{name}");
        let losses = |run: &Run| -> Vec<u64> {
            run.epochs()
                .iter()
                .map(|epoch| epoch.loss.to_bits())
                .collect()
        };
        assert_eq!(losses(&whole), losses(&parts));
    }
}

#[test]
fn tensors_begin_as_the_section_says() {
    let network = model(
        "cnn 1\nmodel M { input x: 4; a: dense 3 tanh; out: dense 1; head verify; train { start { set \"out.weight\" to -1  set out.bias to (8 / 2) } } }",
    );
    let recipe = Recipe::of(&network);
    let trainer = Trainer::new(&network, &recipe).expect("it can be trained");
    let of = |name: &str| {
        let mut tensors = trainer.tensors();
        let found = tensors.find(|(param, _)| param.name == name);
        found.unwrap_or_else(|| panic!("{name}")).1
    };
    assert_eq!(of("out.weight"), [-1.0; 3]);
    assert_eq!(of("out.bias"), [4.0]);
    assert!(of("a.weight").iter().all(|value| value.abs() < 1.0));
}

#[test]
fn pairs_that_are_no_share_are_refused() {
    let network = model(TWIN);
    for alike in [f64::NAN, -0.1, 2.0] {
        let recipe = Recipe {
            alike,
            ..Recipe::of(&network)
        };
        let error = Trainer::new(&network, &recipe).expect_err("no share");
        let error = error.to_string();
        assert!(
            error.contains("the pairs that are alike are a share of all"),
            "{error}"
        );
    }
}

/// Vectors are the pixels themselves, so that everything can be computed here.
#[test]
fn comparisons_by_vectors_and_by_runs_are_those_of_the_pixels() {
    let folder = tempfile::tempdir().expect("a folder");
    people(folder.path(), 5, 4);
    let none = Weights::from_tensors([]).expect("nothing");
    let vectors = model("cnn 1\nmodel V { input x: 1x12x12; flatten; head embed { threshold 3 } }");
    let lengths = model(
        "cnn 1\nmodel L { input a, b: 1x12x12; head verify { measure distance  threshold 3; sub(a, b) flatten } }",
    );
    let scores = model(
        "cnn 1\nmodel S { input a, b: 1x12x12; head verify { threshold 0.5; abs(a - b) flatten; out: dense 1 } }",
    );
    let minus = Weights::from_tensors([
        ("out.weight", &[1, 144][..], &[-1.0; 144][..]),
        ("out.bias", &[1], &[60.0]),
    ])
    .expect("two tensors");
    let mut areas = Vec::new();
    for (network, weights, manhattan) in [
        (&vectors, &none, false),
        (&lengths, &none, false),
        (&scores, &minus, true),
    ] {
        let data = Data::to_judge(folder.path(), network.graph()).expect("identities");
        let samples = &data.test;
        assert_eq!(samples.len(), 20);
        let all = Likeness::of(network, weights, samples, 1).expect("it compares");
        let (mut pairs, input) = (Vec::new(), |at: usize| {
            samples.input(at).expect("a picture")
        });
        for (one, other) in (0..20).flat_map(|one| (one + 1..20).map(move |other| (one, other))) {
            let apart = input(one).into_iter().zip(input(other));
            let apart = apart.map(|(x, y)| f64::from(x - y).abs());
            let far = match manhattan {
                true => apart.sum::<f64>() - 60.0,
                false => apart.map(|x| x * x).sum::<f64>().sqrt(),
            };
            pairs.push((far as f32, samples.label(one) == samples.label(other)));
        }
        // The share of comparisons of an alike pair with an unlike one that are right.
        let of = |alike: bool| pairs.iter().filter(move |(_, is)| *is == alike);
        let right = of(true)
            .flat_map(|(near, _)| of(false).map(move |(far, _)| f64::from(u8::from(near < far))));
        let right: f64 = right.sum();
        let (roc, expected) = (all.roc(), right / (30.0 * 160.0));
        assert_eq!(roc.pairs, (30, 160));
        assert!((roc.area() - expected).abs() < 1e-12, "{}", roc.area());
        let own = Roc::of(pairs.clone()).expect("both kinds");
        assert!((roc.equal_error().0 - own.equal_error().0).abs() < 1e-12);
        let head = roc.at(all.threshold);
        let threshold = if manhattan { -0.5 } else { 3.0 };
        assert_eq!(all.threshold, threshold);
        let accepted = of(false).filter(|(far, _)| *far <= threshold).count();
        assert_eq!(head.false_accepts, accepted as f64 / 160.0);
        assert_eq!(all.hardest(3).len(), 3);
        assert_eq!(all.galleries(threshold).len(), 3);
        areas.push(roc.area());
    }
    assert_eq!(areas[0], areas[1]);
    // The same of all pictures but one.
    let data = Data::to_judge(folder.path(), vectors.graph()).expect("identities");
    let whole = Likeness::of(&vectors, &none, &data.test, 2).expect("it compares");
    let file = folder.path().join("p00/0.pgm");
    let kept = fs::read(&file).expect("a picture");
    fs::write(&file, "no picture").expect("written");
    let all = Likeness::of(&vectors, &none, &data.test, 2).expect("it compares");
    assert_eq!(all.samples, whole.samples[1..]);
    assert_eq!(all.roc().pairs, (27, 144));
    assert_eq!(all.broken.len(), 1);
    assert!(all.broken[0].starts_with(&file.display().to_string()));
    let hard = |all: &Likeness| all.hardest(200).into_iter().find(|of| of.anchor == 19);
    assert_eq!(
        hard(&all).map(|of| of.alike),
        hard(&whole).map(|of| of.alike)
    );
    fs::write(&file, kept).expect("written");
    let flat = model("cnn 1\nmodel F { input x: 1x12x12; flatten; dense 2; head classify }");
    let data = Data::to_judge(folder.path(), vectors.graph()).expect("identities");
    let error = Likeness::of(&flat, &none, &data.test, 1).expect_err("it does not compare");
    assert!(error.to_string().starts_with("`F` compares no pictures"));
    // Both are made of one picture, which is not made in two ways.
    let odd = model(
        "cnn 1\nmodel O { input a: 1x12x12; input b: 1x12x12 { mean [1]  std [0.25] }; head verify { measure distance; sub(a, b) flatten } }",
    );
    let error = Likeness::of(&odd, &none, &data.test, 1).expect_err("two kinds of inputs");
    assert!(error.to_string().starts_with("`O` compares no pictures"));
}

/// Three known faces, and three to be told, of which one looks like another's.
#[test]
fn one_shot_runs_are_answered_by_the_nearest() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = |name: &str| folder.path().join(name);
    people(&place("people"), 3, 3);
    for inside in ["runs/run1/test", "runs/run1/training", "runs/other"] {
        fs::create_dir_all(place(inside)).expect("a folder");
    }
    let copy = |from: &str, to: &str| {
        fs::copy(place("people").join(from), place("runs/run1").join(to)).expect("copied");
    };
    for person in 0..3 {
        copy(
            &format!("p0{person}/0.pgm"),
            &format!("training/c{person}.pgm"),
        );
    }
    copy("p00/1.pgm", "test/a.pgm");
    copy("p01/1.pgm", "test/b.pgm");
    // Said to be of the third, and of the first.
    copy("p00/2.pgm", "test/c.pgm");
    let list = place("runs/run1/class_labels.txt");
    let lines = "run1/test/a.pgm run1/training/c0.pgm\ntest/b.pgm training/c1.pgm\n\nrun1/test/c.pgm run1/training/c2.pgm\n";
    fs::write(&list, lines).expect("written");
    let network = model("cnn 1\nmodel V { input x: 1x12x12; flatten; head embed }");
    let none = Weights::from_tensors([]).expect("nothing");
    let all = one_shot(&network, &none, &place("runs"), 1).expect("a run");
    assert_eq!((all.runs.len(), all.tried()), (1, 3));
    let run = &all.runs[0];
    assert_eq!((run.name.as_str(), run.ways, run.right()), ("run1", 3, 2));
    assert!((all.accuracy() - 2.0 / 3.0).abs() < 1e-12);
    assert!(run.tried[2].said.ends_with("training/c0.pgm"));
    assert!(all.broken.is_empty());
    // Without a picture that is asked, and without one that is known: nobody is asked for what is not.
    for (broken, ways, asked) in [("test/b.pgm", 3, 2), ("training/c2.pgm", 2, 1)] {
        let file = place("runs/run1").join(broken);
        fs::write(&file, "no picture").expect("written");
        let all = one_shot(&network, &none, &place("runs"), 2).expect("a run");
        let run = &all.runs[0];
        assert_eq!(
            (run.ways, run.tried.len(), run.right()),
            (ways, asked, asked.min(1))
        );
        let named = |why: &&String| why.starts_with(&file.display().to_string());
        assert_eq!(
            all.broken.iter().filter(named).count(),
            1,
            "{:?}",
            all.broken
        );
    }
    for (from, to) in [
        ("p01/1.pgm", "test/b.pgm"),
        ("p02/0.pgm", "training/c2.pgm"),
    ] {
        copy(from, to);
    }
    for (lines, why) in [
        ("", "in it"),
        (
            "run1/test/a.pgm\n",
            "line 1: a picture and the known one of its class are expected",
        ),
        (
            "run1/test/a.pgm run1/training/c0.pgm\nrun1/test/z.pgm run1/training/c0.pgm\n",
            "line 2: there is no file `run1/test/z.pgm`",
        ),
    ] {
        fs::write(&list, lines).expect("written");
        let error = one_shot(&network, &none, &place("runs"), 1).expect_err(why);
        assert!(error.to_string().contains(why), "{error}");
    }
    let error = one_shot(&network, &none, &place("people"), 1).expect_err("no runs");
    assert!(
        error
            .to_string()
            .contains("there is no folder with a `class_labels.txt`"),
        "{error}"
    );
}

/// The area under the curve of people 25 to 30, by the last epoch of a spec that learns from the others.
fn area(name: &str, seed: u64) -> Option<f64> {
    let faces = shared("data/att_faces")?;
    let folder = tempfile::tempdir().expect("a folder");
    let list = folder.path().join("judge.txt");
    let people: String = (25..=30).map(|person| format!("s{person}\n")).collect();
    fs::write(&list, people).expect("written");
    let (spec, network) = spec(name);
    let source = Source {
        path: faces,
        test: Some(list),
        ..Source::default()
    };
    let data = Data::of(&source, network.graph()).expect("faces");
    let test = data.test.clone();
    let weights = trained(&spec, &network, data, seed, folder.path());
    let all = Likeness::of(&network, &weights, &test, 1).expect("it compares");
    assert_eq!(all.identities(), 6);
    Some(all.roc().area())
}

fn spec(name: &str) -> (PathBuf, Model) {
    let spec = file(&format!("specs/{name}.cnn"));
    let network = cnnc::compile_file(&spec).unwrap_or_else(|error| panic!("{error}"));
    (spec, network)
}

fn trained(spec: &Path, network: &Model, data: Data, seed: u64, runs: &Path) -> Weights {
    let recipe = Recipe {
        seed,
        ..Recipe::of(network)
    };
    let run = Run::begin(network.clone(), spec, &recipe, data, runs, None);
    let mut run = run.expect("a run");
    while !run.is_done() {
        run.epoch(|_, _, _| true).expect("an epoch");
    }
    Weights::open(run.folder().join("last.safetensors")).expect("weights")
}

#[test]
fn people_who_were_never_seen_are_told_apart() {
    if let Some(area) = area("faces_triplet", 1) {
        assert!(area >= 0.96, "{area}");
    }
}

#[test]
#[ignore = "the long run: a minute"]
fn long_all_losses_tell_people_apart() {
    for name in ["faces_contrastive", "faces_triplet", "faces_logistic"] {
        for seed in 1..=3 {
            let Some(area) = area(name, seed) else { return };
            cnnc_testing::say(&format!("{name}, seed {seed}: {area:.4}"));
            assert!(area >= 0.96, "{name} {seed}: {area}");
        }
    }
}
