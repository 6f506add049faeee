//! Pictures that do not fit in memory are read when they are needed: the same bits either way.

use super::{Folder, is_in, model};
use cnnc::rt::image::Picture;
use cnnc::train::{Augment, Data, Recipe, Run, Source, Split};
use std::fs;

/// Two classes of pictures, each of its own noise.
fn pictures(folder: &Folder, count: usize) {
    for (class, name) in ["dark", "light"].into_iter().enumerate() {
        for number in 0..count {
            let value = |at: usize| (100 * class + (at * 37 + number * 53) % 120) as u8;
            let grey: Vec<u8> = (0..64).map(value).collect();
            let picture = Picture::from_grey(8, 8, &grey).expect("pixels");
            let path = folder.write(&format!("d/{name}/{number:02}.png"), "");
            picture.write_png(path).expect("written");
        }
    }
}

#[test]
fn bits_do_not_depend_on_where_pictures_are() {
    let folder = Folder::new();
    pictures(&folder, 20);
    let spec = folder.write(
        "net.cnn",
        "cnn 1; model Net { input x: 1x8x8; conv 3x3 4 relu; flatten; dense 2; head classify }",
    );
    let source = Source {
        path: folder.path("d"),
        split: Some(Split::Hash([70, 30, 0])),
        ..Source::default()
    };
    let augment = Augment {
        mirror: true,
        shift: 1.0,
        ..Augment::default()
    };
    let run = |name: &str, most: Option<usize>, augment: Option<Augment>| {
        let model = cnnc::compile_file(&spec).expect("it is right");
        let data = Data::within(&source, model.graph(), most).expect("pictures");
        let (streams, bytes) = (data.are_in_files(), data.bytes());
        assert_eq!(
            (streams, bytes),
            match most {
                Some(_) => (true, 0),
                None => (false, 40 * 64),
            }
        );
        let recipe = Recipe {
            batch: 8,
            epochs: 3,
            augment,
            ..Recipe::default()
        };
        let runs = folder.path("runs");
        let mut run =
            Run::begin(model, &spec, &recipe, data, &runs, Some(name)).expect("it can be");
        run.epoch(|_, _, _| true).expect("an epoch");
        let at = run.folder().to_owned();
        drop(run);
        // Whoever goes on has as much room.
        let mut run = Run::resume(&at, None).expect("a run");
        assert_eq!(run.data().are_in_files(), streams);
        while !run.is_done() {
            run.epoch(|_, _, _| true).expect("an epoch");
        }
        let losses: Vec<f64> = run.epochs().iter().map(|epoch| epoch.loss).collect();
        (
            losses,
            fs::read(at.join("last.safetensors")).expect("written"),
        )
    };
    for (at, augment) in [None, Some(augment)].into_iter().enumerate() {
        // A byte less than all of them take.
        let small = run(&format!("small{at}"), Some(40 * 64 - 1), augment);
        assert!(small == run(&format!("large{at}"), None, augment));
    }
}

/// A picture that goes away while a network learns from it ends the run with its name, and what is saved stays.
#[test]
fn a_picture_that_goes_away_is_named() {
    let folder = Folder::new();
    pictures(&folder, 20);
    let spec = folder.write(
        "net.cnn",
        "cnn 1; model Net { input x: 1x8x8; flatten; dense 2; head classify }",
    );
    let model = cnnc::compile_file(&spec).expect("it is right");
    let source = Source {
        path: folder.path("d"),
        ..Source::default()
    };
    let data = Data::within(&source, model.graph(), Some(1)).expect("pictures");
    let recipe = Recipe {
        batch: 8,
        epochs: 3,
        ..Recipe::default()
    };
    let mut run =
        Run::begin(model, &spec, &recipe, data, &folder.path("runs"), None).expect("it can be");
    run.epoch(|_, _, _| true).expect("an epoch");
    let name = run.data().train.name(3).expect("a name").to_owned();
    fs::rename(folder.path("d").join(&name), folder.path("away")).expect("it was there");
    let error = run
        .epoch(|_, _, _| true)
        .expect_err("it is gone")
        .to_string();
    is_in(
        &folder.shortened(&error),
        &format!("cannot read DIR/d/{name}: No such file"),
    );
    fs::rename(folder.path("away"), folder.path("d").join(&name)).expect("it is there");
    let at = run.folder().to_owned();
    drop(run);
    let mut again = Run::resume(&at, None).expect("a run");
    assert_eq!(again.epochs().len(), 1);
    again.epoch(|_, _, _| true).expect("an epoch");
}

/// Broken pictures are left out before the first step, wherever the others are.
#[test]
fn broken_pictures_are_left_out_of_both() {
    let folder = Folder::new();
    pictures(&folder, 10);
    folder.write("d/dark/03.png", "no picture");
    let net = model("1x8x8", 2, "");
    let source = Source {
        path: folder.path("d"),
        ..Source::default()
    };
    let [small, large] =
        [Some(1), None].map(|most| Data::within(&source, net.graph(), most).expect("pictures"));
    assert!(small.are_in_files() && !large.are_in_files());
    assert_eq!((&small.broken, small.broken.len()), (&large.broken, 1));
    for (few, all) in [(&small.train, &large.train), (&small.test, &large.test)] {
        assert_eq!(few.len(), all.len());
        for index in 0..all.len() {
            assert_eq!(few.name(index), all.name(index));
            assert_eq!(
                few.input(index).expect("a picture"),
                all.input(index).expect("in memory")
            );
            assert_eq!(
                few.known(index).expect("a class"),
                all.known(index).expect("a class")
            );
        }
    }
}
