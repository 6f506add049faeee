//! `head segment`: a class for every pixel of the picture, whatever became of it on the way in.

use super::{BLUE, Folder, RED, failure, json_of, shown, text};
use cnnc::rt::answer::class_colour;
use cnnc_testing::Raster;
use serde_json::Value;

const GREEN: [u8; 3] = [0, 255, 0];

/// The brightest of the three colours is the class of a pixel.
fn spec(folder: &Folder, steps: &str, head: &str) -> String {
    let text = format!(
        "cnn 1
        model Colours {{
          input image: 3x64x64 {{ {steps}  filter nearest }}
          conv 1x1 3 bias off weight [
            [[[1]], [[0]], [[0]]],  [[[0]], [[1]], [[0]]],  [[[0]], [[0]], [[1]]]
          ]
          head segment {{ {head} }}
        }}"
    );
    folder.write("colours.cnn", &text)
}

const LABELS: &str = r#"labels ["poppy", "grass", "water"]"#;

/// Red on the left, on the right blue above green.
fn flag(folder: &Folder) -> String {
    let picture = Raster::of(320, 160, |x, y| match (x < 160, y < 80) {
        (true, _) => RED,
        (false, true) => BLUE,
        (false, false) => GREEN,
    });
    folder.picture("flag.png", &picture)
}

/// Class, label, pixels and share of each.
fn shares(answer: &Value) -> Vec<(u64, String, u64, f64)> {
    let shares = answer["segments"].as_array().unwrap().iter();
    shares
        .map(|share| {
            let whole = |key: &str| share[key].as_u64().unwrap();
            let label = share["label"].as_str().unwrap().to_owned();
            (
                whole("class"),
                label,
                whole("pixels"),
                share["share"].as_f64().unwrap(),
            )
        })
        .collect()
}

#[test]
fn shares_are_of_the_picture_and_not_of_what_lies_around_it() {
    let folder = Folder::new("segments");
    let file = flag(&folder);
    let name = |name: &str| name.to_owned();
    // The border of a letterbox is grey, of which the first class would be.
    let net = spec(&folder, "letterbox 64", LABELS);
    let found = json_of(&["run", &net, &file]);
    let answer = &found["results"][0];
    let expected = [
        (0, name("poppy"), 160 * 160, 0.5),
        (1, name("grass"), 160 * 80, 0.25),
        (2, name("water"), 160 * 80, 0.25),
    ];
    assert_eq!(shares(answer), expected);
    assert_eq!(answer["seen"], 1.0);
    let table = text(&["run", &net, &file]);
    let lines: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(
        lines,
        [
            ["share", "class"],
            ["0.500", "poppy"],
            ["0.250", "grass"],
            ["0.250", "water"]
        ]
    );
    // Squeezed into the input.
    let net = spec(&folder, "resize 64x64", LABELS);
    let found = json_of(&["run", &net, &file]);
    assert_eq!(shares(&found["results"][0]), expected);
    // The middle, which is half of it.
    let net = spec(&folder, "resize 64  crop 64", "");
    let found = json_of(&["run", &net, &file]);
    let answer = &found["results"][0];
    assert_eq!(
        (&answer["seen"], answer["segments"][0]["pixels"].as_u64()),
        (&Value::from(0.5), Some(80 * 160))
    );
    let table = text(&["run", &net, &file]);
    assert!(table.contains("0.500  class 0"), "{table}");
    assert!(
        table.contains("the network saw 0.500 of the picture"),
        "{table}"
    );
}

#[test]
fn classes_are_drawn_in_their_colours() {
    let folder = Folder::new("overlay");
    let file = flag(&folder);
    let net = spec(&folder, "resize 64  crop 64", LABELS);
    let out = folder.path("drawn.png");
    text(&["run", &net, &file, "--draw", &out]);
    let drawn = shown(&out);
    let half = |a: [u8; 3], class: usize| {
        let colour = class_colour(class);
        [0, 1, 2].map(|channel| {
            ((f32::from(a[channel]) + f32::from(colour[channel])) / 2.0).round() as u8
        })
    };
    // Below the legend; what was cut off is left as it is.
    assert_eq!((drawn[(100, 150)], drawn[(79, 150)]), (half(RED, 0), RED));
    assert_eq!(
        (drawn[(200, 150)], drawn[(200, 10)]),
        (half(GREEN, 1), half(BLUE, 2))
    );
    assert_eq!(drawn[(240, 10)], BLUE);
    // A line for each class, in its colour, the largest first.
    assert_eq!(
        [0, 16, 32].map(|y| drawn[(0, y)]),
        [0, 1, 2].map(class_colour)
    );
    assert_eq!(drawn[(0, 48)], RED);
    let (_, error) = failure(&["run", &net, &file, "--keep", "0.5"]);
    assert!(error.contains("`--keep` is for specs with"), "{error}");
}

/// A margin is what convolutions that do not pad leave out.
#[test]
fn a_margin_is_left_out() {
    let folder = Folder::new("margin");
    let text = "cnn 1
        model Middle {
          input image: 1x6x8
          both: conv 3x3 2 bias off weight [
            [[[0, 0, 0], [0, 1, 0], [0, 0, 0]]],  [[[0, 0, 0], [0, -1, 0], [0, 0, 0]]]
          ]
          head segment { margin 1 }
        }";
    let net = folder.write("middle.cnn", text);
    let tensor = folder.path("middle.npy");
    // Positive but for a block of 2x3 in the middle and an edge that is not seen.
    let value = |at: usize| match (at / 8, at % 8) {
        (2..4, 2..5) | (0, _) => -1.0,
        _ => 1.0,
    };
    let values: Vec<f32> = (0..48).map(value).collect();
    cnnc::rt::tensor_file::write_npy(&tensor, &[1, 6, 8], &values).unwrap();
    let found = json_of(&["run", &net, &tensor]);
    let answer = &found["results"][0];
    let pixels = [0, 1].map(|class| answer["segments"][class]["pixels"].as_u64());
    assert_eq!(pixels, [Some(24 - 6), Some(6)]);
    assert_eq!(answer["seen"], 0.5);
}
