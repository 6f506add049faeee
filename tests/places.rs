//! Networks that find one box, or points: what their answers are worth, and that they learn from pictures made from a seed.

#[allow(dead_code)]
#[path = "../examples/made_pictures/main.rs"]
mod made_pictures;

use cnnc::Model;
use cnnc::rt::answer::BBox;
use cnnc::rt::image::Picture;
use cnnc::train::{
    Data, Located, Measure, Method, Optimizer, Place, Recipe, Run, Whereabouts, Worth, worst_places,
};
use cnnc_testing::fnv;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

fn model(text: &str) -> Model {
    cnnc::compile_str("net.cnn", text).unwrap_or_else(|error| panic!("{error}"))
}

fn made(write: impl Fn(&Path)) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path());
    folder
}

/// The files below a folder with what is in them, in the order of their names.
fn files(folder: &Path, all: &mut Vec<(String, Vec<u8>)>) {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a name").path()).collect();
    paths.sort();
    for path in paths {
        match path.is_dir() {
            true => files(&path, all),
            false => {
                let name = path.file_name().expect("a name").to_string_lossy();
                all.push((name.into_owned(), fs::read(&path).expect("bytes")));
            }
        }
    }
}

/// All bytes are those of the seed: the same again, and what they were on the machine that wrote this test; pixels are told by one number, so that another encoder may come.
#[test]
fn made_pictures_are_functions_of_the_seed() {
    let all = |seed: u64| {
        let of = |path: &Path| {
            made_pictures::boxes(&path.join("boxes"), 12, seed).expect("written");
            made_pictures::points(&path.join("points"), 12, seed).expect("written");
        };
        let folder = made(of);
        let mut found = Vec::new();
        files(folder.path(), &mut found);
        found
    };
    let (first, again, other) = (all(1), all(1), all(2));
    assert_eq!(first, again);
    let names = |of: &[(String, Vec<u8>)]| of.iter().map(|file| file.0.clone()).collect::<Vec<_>>();
    assert_eq!((first.len(), names(&first)), (38, names(&other)));
    let same = first.iter().zip(&other).filter(|(one, other)| one == other);
    assert!(
        same.clone().all(|(one, _)| one.1.is_empty()),
        "those without a shape"
    );
    let told = |of: &(String, Vec<u8>)| match of.0.ends_with(".png") {
        true => {
            let picture = Picture::decode(&of.1, &of.0).expect("a picture");
            fnv(picture.rgb().iter().copied())
        }
        false => fnv(of.1.iter().copied()),
    };
    let sum = first.iter().map(told).fold(0, u64::wrapping_add);
    assert_eq!(sum, PINNED, "{sum:#018x}");
}

/// Sum of what tells the files of twelve pictures of each kind.
const PINNED: u64 = 0xc26e_43f4_6b5f_add4;

/// What is inside of a box is brighter than what is around it, up to its edges, and every class is there.
#[test]
fn boxes_are_where_the_shapes_are() {
    let mut classes = [0; 4];
    for number in 0..60 {
        let (picture, thing) = made_pictures::shapes::picture(7, number);
        let Some(thing) = thing else {
            classes[3] += 1;
            continue;
        };
        classes[thing.class] += 1;
        let [left, top, right, bottom] = thing.edges;
        assert!(left >= 0.0 && top >= 0.0 && right <= 64.0 && bottom <= 64.0);
        let grey = |x: usize, y: usize| -> u32 {
            let at = 3 * (y * 64 + x);
            picture.rgb()[at..at + 3]
                .iter()
                .map(|&value| u32::from(value))
                .sum()
        };
        // The middle of a shape is in it, and so is the middle of a triangle's base.
        let middle = ((left + right) / 2.0) as usize;
        let inside = grey(middle, ((top + bottom) / 2.0) as usize);
        let (low, outside) = ((bottom - 2.5) as usize, (bottom + 1.5) as usize);
        if thing.class == 0 && outside < 64 {
            let (near, far) = (grey(middle, low), grey(middle, outside));
            assert!(near.abs_diff(inside) < 60, "{number}: {near}, {inside}");
            assert!(
                far + 60 < inside || far.abs_diff(inside) > 60,
                "{number}: {far}, {inside}"
            );
        }
    }
    assert!(
        classes.iter().all(|count| (5..30).contains(count)),
        "{classes:?}"
    );
}

const SHAPES: &str = "cnn 1
model Shapes {
  input image: 3x64x64 { resize 64x64 }
  conv 5x5 /4 12 pad half relu
  conv 3x3 /2 16 pad half relu
  flatten ; dense 48 relu ; dense 8
  head boxes { labels [\"circle\", \"square\", \"triangle\"]  presence }
}
";

#[test]
fn answers_have_the_worth_that_geometry_says() {
    let located = Located::of(model(SHAPES).graph()).expect("a box");
    assert_eq!(located.names(), ["circle", "square", "triangle", "nothing"]);
    let known = located.known(&[1.0, 0.5, 0.5, 0.5, 0.5, 2.0]);
    assert_eq!(known, Place::Box(2, BBox::new(0.25, 0.25, 0.75, 0.75)));
    assert_eq!(located.known(&[0.0; 6]), Place::Nothing);
    let output = |model: &Model| {
        let graph = model.graph();
        graph.values[graph.outputs[0].value].shape.clone()
    };
    let shape = output(&model(SHAPES));
    // Moved by half of its width: a third is common. Of another class; nothing at all; a box where there is none.
    let raw = [3.0, 0.75, 0.5, 0.5, 0.5, 0.0, 1.0, 5.0];
    let found = located.found(&raw, &shape);
    let worth = located.worth(&known, &found);
    assert!((worth.number.expect("a number") - 1.0 / 3.0).abs() < 1e-6);
    assert_eq!(worth.right, Some(true));
    let other = located.found(&[3.0, 0.5, 0.5, 0.5, 0.5, 0.0, 7.0, 5.0], &shape);
    let expected = |number, right| Worth {
        number,
        right: Some(right),
    };
    assert_eq!(located.worth(&known, &other), expected(Some(1.0), false));
    let nothing = located.found(&[-3.0, 0.5, 0.5, 0.5, 0.5, 0.0, 7.0, 5.0], &shape);
    assert_eq!(nothing, Place::Nothing);
    assert_eq!(located.worth(&known, &nothing), expected(Some(0.0), false));
    assert_eq!(located.worth(&nothing, &found), expected(None, false));
    assert_eq!(located.worth(&nothing, &nothing), expected(None, true));
    // Points of an input twice as wide as it is high, off by 3 and 4 of its 40 columns and 20 rows.
    for (head, wanted) in [
        (
            "flatten; dense 2; head landmarks { range pixels }",
            [1.0, 13.0, 14.0],
        ),
        ("flatten; dense 2; head landmarks", [1.0, 0.325, 0.7]),
        (
            "flatten; dense 2; head landmarks { range symmetric }",
            [1.0, -0.35, 0.4],
        ),
    ] {
        let text = format!("cnn 1; model M {{ input x: 3x20x40 {{ resize 40x20 }}; {head} }}");
        let net = model(&text);
        let located = Located::of(net.graph()).expect("points");
        let raw = match wanted[1] {
            pixels if pixels > 1.0 => [10.0, 10.0],
            fraction if fraction > 0.0 => [0.25, 0.5],
            _ => [-0.5, 0.0],
        };
        let found = located.found(&raw, &output(&net));
        let worth = located.worth(&located.known(&wanted), &found);
        assert!(
            (worth.number.expect("a distance") - 5.0 / 40.0).abs() < 1e-6,
            "{head}: {worth:?}"
        );
        assert_eq!((worth.right, located.names().len()), (None, 0));
    }
    // Points that are not found, or are no numbers, are a width off.
    let net = model(
        "cnn 1; model M { input x: 3x20x40 { resize 40x20 }; flatten; dense 5; head landmarks { presence } }",
    );
    let located = Located::of(net.graph()).expect("points");
    let known = located.known(&[1.0, 0.5, 0.5, 0.25, 0.5]);
    for (raw, far) in [
        ([3.0, 0.5, 0.5, 0.25, 0.5], 0.0),
        ([-3.0, 0.5, 0.5, 0.25, 0.5], 1.0),
        ([3.0, f32::INFINITY, 0.5, 0.25, 0.5], 0.5),
        ([3.0, 0.5, 0.5, 0.25, f32::NAN], 0.5),
    ] {
        let found = located.found(&raw, &output(&net));
        assert_eq!(located.worth(&known, &found).number, Some(far), "{raw:?}");
    }
}

/// A short run of a network on few pictures, by heart.
fn by_heart(text: &str, spec: &Path, data: Data, epochs: usize, rate: f64) -> Run {
    fs::write(spec, text).expect("written");
    let recipe = Recipe {
        optimizer: Optimizer::new(Method::AdamW),
        batch: 12,
        epochs,
        rate,
        ..Recipe::of(&model(text))
    };
    let runs = spec.with_file_name("runs");
    let mut run = Run::begin(model(text), spec, &recipe, data, &runs, None).expect("it fits");
    while !run.is_done() {
        run.epoch(|_, _, _| true).expect("an epoch");
    }
    run
}

#[test]
fn a_small_network_learns_shapes_by_heart() {
    let folder = made(|path| made_pictures::boxes(path, 60, 3).expect("written"));
    let mut data = Data::open(folder.path(), None, model(SHAPES).graph()).expect("boxes");
    data.overfit(36);
    let run = by_heart(SHAPES, &folder.path().join("net.cnn"), data, 60, 4e-3);
    let last = run.epochs().last().expect("epochs");
    assert_eq!(run.measure(), Measure::Box);
    assert!(
        last.test > 0.7 && last.named.expect("classes") > 0.9,
        "{last:?}"
    );
    let table = fs::read_to_string(run.folder().join("results.csv")).expect("a table");
    assert!(table.starts_with("epoch,rate,loss,box_iou,test_box_iou,test_named,seconds\n"));
    // Judged once more from the file, the same.
    let weights = cnnc::Weights::open(run.folder().join("last.safetensors")).expect("weights");
    let samples = &run.data().test;
    let net = model(SHAPES);
    let found = Whereabouts::of(&net, &weights, samples, run.recipe(), 5).expect("it fits");
    let found = found.expect("a head with a place");
    assert!((found.mean() - last.test).abs() < 1e-9);
    assert_eq!(found.accuracy(), last.named);
    assert_eq!((found.worst.len(), found.points.len()), (5, 0));
    let far = found
        .worst
        .iter()
        .filter(|one| one.worth.right == Some(true));
    let far: Vec<f64> = far.filter_map(|one| one.worth.number).collect();
    assert!(far.is_sorted(), "{far:?}");
    let pre = net.graph().inputs[0].pre.clone().expect("pictures");
    let sheet = worst_places(&found, &pre, samples, |of| of.to_string()).expect("a sheet");
    assert!(sheet.to_svg().contains("what was found"));
}

const FACES: &str = "cnn 1
model Faces {
  input image: 3x64x64 { resize 64x64 }
  conv 5x5 /4 12 pad half relu
  conv 3x3 16 pad half relu
  conv 3x3 16 pad half dilation 3 relu
  conv 1x1 5
  head keypoints
}
";

#[test]
fn a_small_network_learns_points_by_heart() {
    let folder = made(|path| made_pictures::points(path, 30, 3).expect("written"));
    let of = |name: &str| folder.path().join(name);
    let net = model(FACES);
    let mut data = Data::open(&of("train.csv"), Some(&of("val.csv")), net.graph()).expect("points");
    assert_eq!((data.train.len(), data.test.len()), (24, 6));
    assert_eq!(data.kind, "pictures with 5 points");
    data.overfit(12);
    let run = by_heart(FACES, &of("net.cnn"), data, 150, 1e-2);
    let last = run.epochs().last().expect("epochs");
    assert_eq!((run.measure(), last.named), (Measure::Points, None));
    assert!(last.test < 0.02, "{last:?}");
    let weights = cnnc::Weights::open(run.folder().join("last.safetensors")).expect("weights");
    let found = Whereabouts::of(&net, &weights, &run.data().test, run.recipe(), 3);
    let found = found.expect("it fits").expect("points");
    assert_eq!((found.points.len(), found.named.is_none()), (5, true));
    let mean = found.points.iter().sum::<f64>() / 5.0;
    assert!((mean - last.test).abs() < 1e-9 && (found.mean() - mean).abs() < 1e-9);
    assert!(
        found.quantile(0.0) <= found.quantile(0.5) && found.quantile(0.5) <= found.quantile(1.0)
    );
}

/// The specs with recipes reach what docs/training.md says, the worst of three seeds: minutes.
#[test]
#[ignore = "minutes: cargo test --release -p cnnc --test places long -- --ignored"]
fn long_recipes_reach_what_is_said() {
    let folder = made(|path| {
        made_pictures::boxes(&path.join("boxes"), 5000, 1).expect("written");
        made_pictures::points(&path.join("points"), 5000, 1).expect("written");
    });
    let of = |name: &str| folder.path().join(name);
    let (points, judges) = (of("points/train.csv"), of("points/val.csv"));
    let most = f64::INFINITY;
    for (spec, data, test, holds) in [
        ("localize_shapes", of("boxes"), None, (0.8, most, 0.98)),
        (
            "landmarks_faces",
            points.clone(),
            Some(&judges),
            (0.0, 0.025, 0.0),
        ),
        ("keypoints_faces", points, Some(&judges), (0.0, 0.01, 0.0)),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("specs/{spec}.cnn"));
        let net = cnnc::compile_file(&path).expect("a spec");
        for seed in [1, 2, 3] {
            let data = Data::open(&data, test.map(|path| &**path), net.graph()).expect("pictures");
            let recipe = Recipe {
                seed,
                ..Recipe::of(&net)
            };
            let runs = of("runs");
            let mut run =
                Run::begin(net.clone(), &path, &recipe, data, &runs, None).expect("a run");
            while !run.is_done() {
                run.epoch(|_, _, _| true).expect("an epoch");
            }
            let last = run.epochs().last().expect("epochs");
            let (least, most, named) = holds;
            assert!(
                (least..=most).contains(&last.test) && last.named.unwrap_or(1.0) >= named,
                "{spec}, seed {seed}: {last:?}"
            );
        }
    }
}
