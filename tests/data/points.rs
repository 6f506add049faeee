//! Pictures with one box or with points, for heads that find one thing: what is read, how it moves with the picture, and what is said of mistakes.

use super::{Folder, is_in};
use cnnc::Model;
use cnnc::train::{Augment, Augmenter, Loader};

fn net(head: &str) -> Model {
    let spec = format!("cnn 1; model Net {{ input x: 3x20x40 {{ resize 40x20 }}; {head} }}");
    cnnc::compile_str("net.cnn", &spec).unwrap_or_else(|error| panic!("{error}"))
}

fn boxes(more: &str, outputs: usize) -> Model {
    net(&format!(
        "flatten; dense {outputs}; head boxes {{ {more} }}"
    ))
}

fn landmarks(more: &str, outputs: usize) -> Model {
    net(&format!(
        "flatten; dense {outputs}; head landmarks {{ {more} }}"
    ))
}

const LABELS: &str = "labels [\"cat\", \"dog\"]";

/// Pictures `a` and `b` of 10 by 10 pixels, with those rows.
fn folder(rows: [&str; 2]) -> Folder {
    let folder = Folder::new();
    for (name, rows) in ["a", "b"].into_iter().zip(rows) {
        folder.picture(&format!("d/images/{name}.png"), 10, 100);
        folder.write(&format!("d/labels/{name}.txt"), rows);
    }
    folder
}

/// What the loss is told of each sample.
fn told(folder: &Folder, name: &str, model: &Model) -> Vec<Vec<f32>> {
    let data = folder
        .open(name, Some(name), model)
        .unwrap_or_else(|error| panic!("{error}"));
    let known = |index| data.train.known(index).unwrap().numbers;
    (0..data.train.len()).map(known).collect()
}

#[test]
fn a_box_becomes_presence_numbers_and_class() {
    let folder = folder(["1 0.5 0.25 0.5 0.25\n", ""]);
    let with = format!("{LABELS}  presence");
    let none = [0.0; 6].to_vec();
    let centre = [1.0, 0.5, 0.25, 0.5, 0.25, 1.0].to_vec();
    assert_eq!(told(&folder, "d", &boxes(&with, 7)), [centre, none.clone()]);
    let corners = format!("{with}  format corners");
    let edges = [1.0, 0.25, 0.125, 0.75, 0.375, 1.0].to_vec();
    assert_eq!(told(&folder, "d", &boxes(&corners, 7)), [edges, none]);
    // Without classes their numbers say nothing.
    let alone = [1.0, 0.5, 0.25, 0.5, 0.25].to_vec();
    let found = told(&folder, "d", &boxes("presence", 5));
    assert_eq!(found, [alone, [0.0; 5].to_vec()]);
}

#[test]
fn what_one_box_cannot_say_is_told_with_its_file() {
    let good = "1 0.5 0.25 0.5 0.25\n";
    let with = format!("{LABELS}  presence");
    for (rows, model, message) in [
        (
            [good, "0 0.5 0.5 0.5 0.5\n1 0.2 0.2 0.1 0.1\n"],
            boxes(&with, 7),
            "labels/b.txt: b.png has 2 boxes, and `head boxes` finds one; heads such as `yolo2` find several",
        ),
        (
            [good, ""],
            boxes(LABELS, 6),
            "labels/b.txt: b.png shows no box, and the head has no `presence` that says so",
        ),
        (
            [good, "2 0.5 0.5 0.5 0.5\n"],
            boxes(&with, 7),
            "labels/b.txt: the class `2` is none of the head's labels `cat`, `dog`",
        ),
        (
            [good, "1 0.9 0.5 0.5 0.1\n"],
            boxes(&with, 7),
            "labels/b.txt: the box 0.65 0.45 1.15 0.55 of `1` is outside of the picture of 1 by 1",
        ),
        (
            [good, "1 0.9 0.5 -0.5 0.1\n"],
            boxes(&with, 7),
            "of `1` is inverted: its right edge is left of the left one",
        ),
    ] {
        let folder = folder(rows);
        is_in(&folder.open("d", Some("d"), &model).unwrap_err(), message);
    }
}

/// Two pictures of 10 by 10 pixels with two points each, where the second may show nothing.
const ROWS: &str = "picture,left x,left y,right x,right y\na.png,2,5,7.5,1\nb.png,,,,\n";

fn points(rows: &str) -> Folder {
    let folder = Folder::new();
    for name in ["a", "b"] {
        folder.picture(&format!("{name}.png"), 10, 100);
    }
    folder.write("rows.csv", rows);
    folder
}

#[test]
fn points_become_what_the_head_writes() {
    let folder = points(ROWS);
    for (more, numbers) in [
        ("", [0.2, 0.5, 0.75, 0.1]),
        ("range symmetric", [-0.6, 0.0, 0.5, -0.8]),
        ("range pixels", [8.0, 10.0, 30.0, 2.0]),
        ("order axes", [0.2, 0.75, 0.5, 0.1]),
    ] {
        let found = told(
            &folder,
            "rows.csv",
            &landmarks(&format!("presence  {more}"), 5),
        );
        let apart = found[0][1..]
            .iter()
            .zip(numbers)
            .map(|(one, other)| (one - other).abs());
        assert!(apart.fold(0.0, f32::max) < 1e-5, "{more}: {found:?}");
        assert_eq!((found[0][0], &*found[1]), (1.0, &[0.0; 5][..]), "{more}");
    }
    let maps = net("conv 1x1 2; head keypoints");
    let one = points("a.png,2,5,7.5,1\n");
    assert_eq!(told(&one, "rows.csv", &maps), [[0.2, 0.5, 0.75, 0.1]]);
}

#[test]
fn rows_of_points_that_are_broken_are_told_with_their_line() {
    for (rows, model, message) in [
        (
            ROWS,
            landmarks("", 4),
            "rows.csv: line 3: no points, and the head has no `presence` that says so",
        ),
        (
            "a.png,1,2\n",
            landmarks("", 4),
            "rows.csv: line 1: 2 numbers are not x and y of 2 points",
        ),
        (
            "a.png,1\n",
            landmarks("", 4),
            "line 1: 1 number is not x and y of 2 points",
        ),
        (
            "a.png,1,2,3,4\nb.png,1,2,3,four\n",
            landmarks("", 4),
            "line 2: `four` is no number",
        ),
        (
            "a.png,1,2,3,\n",
            landmarks("", 4),
            "line 1: `` is no number",
        ),
        (
            "a.png,1,2,3,NaN\n",
            landmarks("", 4),
            "line 1: `NaN` is no number",
        ),
        (
            "a.png,1,2,10.6,4\n",
            landmarks("", 4),
            "line 1: the point 10.6, 4 is outside of the picture of 10 by 10 pixels",
        ),
        (
            "a.png,1,-2,3,4\n",
            net("conv 1x1 2; head keypoints"),
            "line 1: the point 1, -2 is outside of the picture of 10 by 10 pixels",
        ),
        (
            "a.png,1,2,3,4l\nb.png,1,2,3,4\n",
            landmarks("", 4),
            "line 1: `4l` is no number",
        ),
        (
            "c.png,1,2,3,4\n",
            landmarks("", 4),
            "rows.csv: none of its pictures can be read: ",
        ),
    ] {
        let folder = points(rows);
        is_in(
            &folder
                .open("rows.csv", Some("rows.csv"), &model)
                .unwrap_err(),
            message,
        );
    }
}

/// A picture that cannot be read is left out, with its points.
#[test]
fn a_broken_picture_among_points_is_left_out() {
    let folder = points("a.png,1,2,3,4\nc.png,5,6,7,8\nb.png,5,5,5,5\n");
    folder.write("c.png", "no picture");
    let net = landmarks("", 4);
    let data = folder.open("rows.csv", Some("rows.csv"), &net).unwrap();
    assert_eq!(data.train.len(), 2);
    assert_eq!(
        data.train.known(1).unwrap().numbers,
        [1.0, 0.5, 0.5, 0.5, 0.5]
    );
    // Once for those that are learned, once for those that judge.
    assert_eq!(data.broken.len(), 2);
    is_in(&data.broken[0], "c.png");
}

/// A mirror exchanges the points of a pair; other maps move points and leave their order.
#[test]
fn points_move_with_their_pictures() {
    let folder = points("a.png,2,5,7.5,1\nb.png,3,5,6,9\n");
    let of = |head: &str, augment: &Augment| {
        let model = net(head);
        let data = folder
            .open("rows.csv", Some("rows.csv"), &model)
            .expect("points");
        let augmenter = Augmenter::new(augment, 1, model.graph()).expect("it fits");
        let loader = |epoch| Loader {
            samples: &data.train,
            augmenter: Some(&augmenter),
            epoch,
            batch: 1,
        };
        let told = |epoch| loader(epoch).batch(&[0]).expect("read").known.numbers;
        (1..=16)
            .map(|epoch| (augmenter.change(epoch, 0).affine, told(epoch)))
            .collect::<Vec<_>>()
    };
    let mirror = Augment {
        mirror: true,
        ..Augment::default()
    };
    let maps = "conv 1x1 2; head keypoints { swap (0, 1) }";
    let stays = "conv 1x1 2; head keypoints { swap (0, 0) }";
    let close = |one: &[f32], other: &[f32]| {
        one.len() == other.len()
            && one
                .iter()
                .zip(other)
                .all(|(one, other)| (one - other).abs() < 1e-6)
    };
    let mut mirrored = 0;
    for ((affine, swapped), (_, kept)) in of(maps, &mirror).into_iter().zip(of(stays, &mirror)) {
        mirrored += usize::from(affine.mirrors());
        match affine.mirrors() {
            true => {
                assert!(close(&swapped, &[0.25, 0.1, 0.8, 0.5]), "{swapped:?}");
                assert!(close(&kept, &[0.8, 0.5, 0.25, 0.1]), "{kept:?}");
            }
            false => assert!(close(&swapped, &[0.2, 0.5, 0.75, 0.1])),
        }
    }
    assert!((1..16).contains(&mirrored));
    let turn = Augment {
        rotate: 40.0,
        shift: 3.0,
        ..Augment::default()
    };
    for (affine, told) in of("conv 1x1 2; head keypoints", &turn) {
        // The input has 40 by 20 pixels.
        let (x, y) = affine.point(0.2 * 40.0, 0.5 * 20.0);
        assert!(
            close(&told[..2], &[(x / 40.0) as f32, (y / 20.0) as f32]),
            "{told:?}"
        );
    }
    // Who mirrors says what becomes of points.
    let model = net("conv 1x1 2; head keypoints");
    let error = Augmenter::new(&mirror, 1, model.graph()).expect_err("which is left");
    is_in(
        &error.to_string(),
        "`mirror` makes left right, and `head keypoints` does not say which of its points change places: `swap (0, 1) (3, 4)`, or `swap (0, 0)` where none do",
    );
}

/// The one box of a picture moves as those of detectors do, and is none where too little of it is left.
#[test]
fn one_box_moves_with_its_picture() {
    let folder = folder(["1 0.1 0.5 0.2 0.5\n", "0 0.5 0.5 0.5 0.5\n"]);
    let model = boxes(&format!("{LABELS}  presence"), 7);
    let data = folder.open("d", Some("d"), &model).expect("boxes");
    let augment = Augment {
        mirror: true,
        shift: 8.0,
        ..Augment::default()
    };
    let augmenter = Augmenter::new(&augment, 3, model.graph()).expect("it fits");
    let (mut there, mut gone) = (0, 0);
    for epoch in 1..=32 {
        let loader = Loader {
            samples: &data.train,
            augmenter: Some(&augmenter),
            epoch,
            batch: 1,
        };
        let told = loader.batch(&[0]).expect("read").known.numbers;
        let affine = augmenter.change(epoch, 0).affine;
        let edges = [0.0, 8.0].map(|x| affine.point(x, 0.0).0.clamp(0.0, 40.0));
        let wide = (edges[1] - edges[0]).abs();
        if told[0] == 0.0 {
            gone += 1;
            assert_eq!(told, [0.0; 6]);
            continue;
        }
        there += 1;
        assert_eq!((told.len(), told[5]), (6, 1.0));
        assert!((f64::from(told[3]) - wide / 40.0).abs() < 1e-6, "{told:?}");
    }
    assert!(there > 0 && gone > 0, "{there} and {gone}");
}
