//! Two pictures, pixel by pixel: boxes, arrows and colours, without text, whose fonts differ from machine to machine.

use super::super::View;
use super::raster::pixels;
use crate::rt::image::Picture;
use cnnc_testing::Raster;
use std::path::{Path, PathBuf};

/// Where pictures differ by more than the smoothing of edges may: how many pixels, and the box around them.
fn differences(a: &Raster, b: &Raster) -> Option<String> {
    let size = |raster: &Raster| (raster.width(), raster.height());
    if size(a) != size(b) {
        return Some(format!("{:?} pixels instead of {:?}", size(a), size(b)));
    }
    let far = |a: [u8; 3], b: [u8; 3]| a.iter().zip(b).any(|(a, b)| a.abs_diff(b) > 24);
    let mut count = 0;
    let (mut left, mut top, mut right, mut bottom) = (usize::MAX, usize::MAX, 0, 0);
    for y in 0..a.height() {
        for x in 0..a.width() {
            if far(a[(x, y)], b[(x, y)]) {
                count += 1;
                (left, top) = (left.min(x), top.min(y));
                (right, bottom) = (right.max(x), bottom.max(y));
            }
        }
    }
    (count > 0)
        .then(|| format!("{count} pixels differ, from ({left}, {top}) to ({right}, {bottom})"))
}

fn save(raster: &Raster, file: &Path) {
    let picture = Picture::from_rgb(raster.width(), raster.height(), raster.rgb().to_vec());
    picture.unwrap().write_png(file).unwrap();
}

fn golden(name: &str) {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let model = crate::compile_file(root.join(format!("specs/{name}.cnn"))).unwrap();
    let now = pixels(&model.picture(View::Auto).unwrap().to_svg());
    let file = root.join(format!("tests/pictures/{name}.png"));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        save(&now, &file);
    }
    let golden = Picture::open(&file).unwrap();
    let golden = Raster::from_rgb(golden.width(), golden.rgb());
    if let Some(difference) = differences(&golden, &now) {
        let other = std::env::temp_dir().join(format!("{name}.png"));
        save(&now, &other);
        panic!(
            "{name}: {difference}. {} has it as it is drawn now; if that is meant, `UPDATE=1 cargo test --release -p cnnc pixels` keeps it",
            other.display()
        );
    }
}

#[test]
fn lenet5_looks_as_it_did() {
    golden("lenet5");
}

#[test]
fn resnet20_looks_as_it_did() {
    golden("resnet20_cifar10");
}

#[test]
fn a_box_that_moves_is_noticed() {
    let svg = |x: u32| {
        format!(
            "<svg width=\"40\" height=\"40\">\n<rect x=\"{x}\" y=\"10\" width=\"10\" height=\"10\" fill=\"#4a86c8\"/>\n</svg>"
        )
    };
    let (a, b) = (pixels(&svg(10)), pixels(&svg(12)));
    assert_eq!(differences(&a, &a), None);
    let difference = differences(&a, &b).unwrap();
    assert_eq!(difference, "40 pixels differ, from (10, 10) to (21, 19)");
}
