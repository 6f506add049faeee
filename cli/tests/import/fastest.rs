//! Yolo-Fastest-1.1-xl, from its `.cfg` and `.weights` to what is on four photographs.

use cnnc::darknet::{Options, import};
use cnnc_testing::shared;
use serde_json::Value;
use std::process::Command;

/// Class, score, and x, y, width and height in pixels of the picture.
type Found = (&'static str, f64, [f64; 4]);

/// What OpenCV finds, above a score of 0.3, on each picture.
const EXPECTED: &[(&str, &[Found])] = &[
    (
        "dog.jpg",
        &[
            ("dog", 0.958, [114., 189., 272., 347.]),
            ("bicycle", 0.894, [113., 127., 460., 371.]),
            ("car", 0.841, [450., 78., 235., 84.]),
        ],
    ),
    (
        "person.jpg",
        &[
            ("person", 0.995, [188., 103., 84., 260.]),
            ("dog", 0.981, [58., 252., 149., 102.]),
            ("cow", 0.969, [389., 143., 220., 191.]),
        ],
    ),
    (
        "giraffe.jpg",
        &[
            ("giraffe", 0.995, [156., 14., 271., 419.]),
            ("zebra", 0.943, [300., 213., 113., 225.]),
        ],
    ),
    ("eagle.jpg", &[("bird", 0.993, [144., 79., 427., 376.])]),
];

#[test]
fn the_spec_is_the_one_that_is_kept_here() {
    let Some(cfg) = shared("data/yolo_fastest_xl/yolo-fastest-1.1-xl.cfg") else {
        return;
    };
    let options = Options {
        name: "yolo-fastest-1.1-xl".to_owned(),
        doc: "Imported from yolo-fastest-1.1-xl.cfg, a configuration of darknet.".to_owned(),
        ..Options::default()
    };
    let spec = import(&std::fs::read(cfg).unwrap(), &options).unwrap();
    let kept = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/import/yolo_fastest_xl.cnn"
    );
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(kept, &spec).unwrap();
    }
    assert_eq!(spec, std::fs::read_to_string(kept).unwrap());
}

#[test]
fn what_is_on_the_pictures() {
    let folder = "data/yolo_fastest_xl/";
    let files = [
        "yolo-fastest-1.1-xl.cfg",
        "yolo-fastest-1.1-xl.weights",
        "coco.names",
    ];
    let found = files.map(|name| shared(&format!("{folder}{name}")));
    let [Some(cfg), Some(weights), Some(names)] = found else {
        return;
    };
    let place = tempfile::tempdir().unwrap();
    let cnnc = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cnnc"));
        let output = command
            .args(args)
            .current_dir(place.path())
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    };
    let text = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    let (cfg, weights, names) = (text(&cfg), text(&weights), text(&names));
    cnnc(&["import", &cfg, "-o", "net.cnn", "--labels", &names]);
    let spec = std::fs::read_to_string(place.path().join("net.cnn")).unwrap();
    let spec = spec.replace("keep 0.5", "keep 0.3");
    std::fs::write(place.path().join("net.cnn"), spec).unwrap();
    // The same from darknet's file and from one with names.
    cnnc(&[
        "convert",
        "net.cnn",
        "--weights",
        &weights,
        "net.safetensors",
    ]);
    for weights in [weights.as_str(), "net.safetensors"] {
        for (picture, expected) in EXPECTED {
            let Some(path) = shared(&format!("data/images/{picture}")) else {
                return;
            };
            let answer = cnnc(&[
                "run",
                "net.cnn",
                "--weights",
                weights,
                "--json",
                &text(&path),
            ]);
            let answer: Value = serde_json::from_str(&answer).unwrap();
            compare(picture, &answer["results"][0]["boxes"], expected);
        }
    }
}

#[track_caller]
fn compare(picture: &str, found: &Value, expected: &[(&str, f64, [f64; 4])]) {
    let boxes = found
        .as_array()
        .unwrap_or_else(|| panic!("{picture}: no boxes: {found}"));
    assert_eq!(boxes.len(), expected.len(), "{picture}: {found:#}");
    for (found, (label, score, sides)) in boxes.iter().zip(expected) {
        assert_eq!(found["label"], *label, "{picture}");
        let difference = (found["score"].as_f64().unwrap() - score).abs();
        assert!(difference <= 0.03, "{picture}: {label}: {found}");
        for (key, side) in ["x", "y", "width", "height"].iter().zip(sides) {
            let found = found[key].as_f64().unwrap();
            assert!(
                (found - side).abs() <= 6.0,
                "{picture}: {label}: {key} {found}, not {side}"
            );
        }
    }
}
