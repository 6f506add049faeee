//! Pictures with answers drawn on them, compared with pictures that have been looked at.
//!
//! `UPDATE=1 cargo test --release --workspace --test drawing` rewrites them.

use cnnc_runtime::answer::{BBox, Canvas, Detection, class_colour};
use cnnc_runtime::image::Picture;
use std::path::PathBuf;

#[track_caller]
fn golden(name: &str, canvas: Canvas) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name);
    let (width, height) = (canvas.width(), canvas.height());
    let drawn = Picture::from_rgb(width, height, canvas.into_rgb()).unwrap();
    if std::env::var_os("UPDATE").is_some() {
        drawn.write_png(&path).unwrap();
    }
    let golden = Picture::open(&path).unwrap();
    assert!(
        golden == drawn,
        "{name} is drawn otherwise: look at it, then UPDATE=1"
    );
}

/// A soft gradient, so that what is drawn must be legible on light and dark.
fn background(width: usize, height: usize) -> Canvas {
    let pixel = |n: usize| {
        let (x, y) = (n % width * 255 / width, n / width * 255 / height);
        [x as u8, y as u8, (255 - x) as u8]
    };
    Canvas::new(width, height, (0..width * height).flat_map(pixel).collect()).unwrap()
}

#[test]
fn boxes() {
    let mut canvas = background(320, 240);
    let detection = |class, score, [left, top, right, bottom]: [f32; 4]| {
        let bbox = BBox::new(left, top, right, bottom);
        Detection { bbox, class, score }
    };
    let detections = [
        detection(0, 0.958, [60.0, 80.0, 180.0, 220.0]),
        detection(1, 0.894, [64.0, 84.0, 300.0, 200.0]),
        detection(2, 0.841, [250.0, 5.0, 340.0, 60.0]),
        detection(3, 0.31, [5.0, 200.0, 50.0, 239.0]),
        detection(9, 0.5, [200.0, 100.0, 230.0, 130.0]),
    ];
    canvas.detections(&detections, &["dog", "bicycle", "car", "grüße ☃"]);
    golden("boxes.png", canvas);
}

#[test]
fn points() {
    let mut canvas = background(160, 120);
    let turn = |n: usize| (n as f32 * std::f32::consts::TAU / 17.0).sin_cos();
    let face: Vec<(f32, f32)> = (0..17)
        .map(|n| (80.0 + 50.0 * turn(n).0, 60.0 + 45.0 * turn(n).1))
        .collect();
    canvas.points(&face, class_colour(4));
    canvas.points(&[(0.0, 0.0), (80.5, 60.5), (159.5, 119.0)], class_colour(0));
    golden("points.png", canvas);
}
