//! Points, and one box for the whole picture.

use super::{Folder, json_of, shown, text};
use cnnc::rt::answer::class_colour;
use cnnc_testing::Raster;
use serde_json::json;

/// Four squares of grey, whose values are the network's numbers.
fn four(values: [u8; 4], size: usize) -> Raster {
    Raster::of(size, size, |x, y| {
        let quarter = 2 * (y / (size / 2)) + x / (size / 2);
        [values[quarter]; 3]
    })
}

#[test]
fn points_and_one_box() {
    let folder = Folder::new("points");
    let net = |head: &str| {
        let text = format!(
            "cnn 1\nmodel Four {{ input image: 1x2x2 {{ resize 2x2 filter nearest gray }}; flatten; {head} }}"
        );
        folder.write("four.cnn", &text)
    };
    let file = folder.picture("four.png", &four([51, 102, 153, 204], 100));
    let found = json_of(&["run", &net("head landmarks"), &file]);
    let points = found["results"][0]["points"].as_array().unwrap();
    let point = |index: usize| [0, 1].map(|axis| points[index][axis].as_f64().unwrap().round());
    assert_eq!((point(0), point(1)), ([20.0, 40.0], [60.0, 80.0]));
    let found = json_of(&["run", &net("head landmarks { order axes }"), &file]);
    let points = found["results"][0]["points"].as_array().unwrap();
    assert_eq!(points[0][1].as_f64().unwrap().round(), 60.0);
    let drawn = folder.path("points.png");
    text(&["run", &net("head landmarks"), &file, "--draw", &drawn]);
    let drawn = shown(&drawn);
    assert_eq!(drawn[(20, 40)], class_colour(2));

    // The brightest square is where it is, and half of the way to its neighbour with all of them.
    let maps = |around: usize| {
        let text = format!(
            "cnn 1\nmodel Map {{ input image: 1x2x2 {{ resize 2x2 filter nearest gray }}; scale 1; head keypoints {{ around {around} }} }}"
        );
        folder.write("map.cnn", &text)
    };
    let found = json_of(&["run", &maps(0), &file]);
    assert_eq!(found["results"][0]["points"][0], json!([75.0, 75.0]));
    let drawn = folder.path("map.png");
    text(&["run", &maps(0), &file, "--draw", &drawn]);
    assert_eq!(shown(&drawn)[(75, 75)], class_colour(2));
    let found = json_of(&["run", &maps(1), &file]);
    // Softmax of 0.2, 0.4, 0.6, 0.8.
    let powers = [0.2_f64, 0.4, 0.6, 0.8].map(f64::exp);
    let share = |of: [usize; 2]| (powers[of[0]] + powers[of[1]]) / powers.iter().sum::<f64>();
    let wanted = [25.0 + 50.0 * share([1, 3]), 25.0 + 50.0 * share([2, 3])];
    for (axis, wanted) in wanted.into_iter().enumerate() {
        let found = found["results"][0]["points"][0][axis].as_f64().unwrap();
        assert!((found - wanted).abs() < 1e-3, "{found} is not {wanted}");
    }

    let file = folder.picture("box.png", &four([51, 102, 204, 153], 100));
    let found = json_of(&["run", &net("head boxes { format corners }"), &file]);
    let found = &found["results"][0]["boxes"][0];
    assert_eq!(found["score"], 1.0);
    let sides = ["x", "y", "width", "height"].map(|key| found[key].as_f64().unwrap().round());
    assert_eq!(sides, [20.0, 40.0, 60.0, 20.0]);
}
