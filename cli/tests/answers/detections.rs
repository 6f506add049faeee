//! Boxes: in pixels of the picture, whatever its size; which of them are kept, and how they are drawn.

use super::{
    BLUE, Folder, RED, SPOTS, boxes, failure, json_of, picture, results_of, shown, spots, text,
};
use cnnc::rt::answer::class_colour;
use cnnc::rt::tensor_file::{read_tensors, write_npy, write_safetensors};
use cnnc_testing::Raster;
use serde_json::{Value, json};

#[test]
fn boxes_are_in_pixels_of_the_picture_whatever_its_size() {
    let folder = Folder::new("sizes");
    let [spec, weights] = spots(&folder, SPOTS);
    for (width, height) in [(640, 320), (64, 32), (1280, 640)] {
        let squares = [(RED, 2, 0), (BLUE, 0, 1)];
        let name = format!("{width}.png");
        let file = folder.picture(&name, &picture(width, height, &squares));
        let found = json_of(&["run", &spec, "--weights", &weights, &file]);
        let unit = (width / 4) as i64;
        let mut found = boxes(&found, 0);
        found.sort();
        let expected = [
            ("blue".to_owned(), [0, unit, unit, unit]),
            ("red".to_owned(), [2 * unit, 0, unit, unit]),
        ];
        assert_eq!(found, expected, "{width}x{height}");
    }
    // A tall one lies between columns of grey: 16 pixels of the input are 80 of its own, from 40 left of it on.
    let tall = Raster::of(160, 320, |x, y| {
        let inside = x < 80 && (80..160).contains(&y);
        if inside { RED } else { [0; 3] }
    });
    let file = folder.picture("tall.png", &tall);
    let found = json_of(&["run", &spec, "--weights", &weights, &file]);
    assert_eq!(boxes(&found, 0), [("red".to_owned(), [0, 80, 80, 80])]);
}

#[test]
fn a_camera_that_was_held_upright_changes_nothing() {
    let folder = Folder::new("exif");
    let [spec, weights] = spots(&folder, SPOTS);
    let upright = Raster::of(320, 640, |x, y| {
        let inside = x >= 160 && (160..320).contains(&y);
        if inside { RED } else { [0; 3] }
    });
    // The same as the sensor saw it, to be turned right by 90 degrees (orientation 6).
    let turned = cnnc_testing::file("runtime/tests/data/pictures/spot_turned.jpg");
    let files = [
        turned.to_str().unwrap().to_owned(),
        folder.picture("upright.png", &upright),
    ];
    let run = ["run", &spec, "--weights", &weights];
    let lines = [&run[..], &[&files[0], &files[1], "--json"]].concat();
    let found = results_of(&text(&lines));
    for result in [0, 1] {
        assert_eq!(
            boxes(&found, result),
            [("red".to_owned(), [160, 160, 160, 160])]
        );
    }
    // What is drawn on is upright too.
    let drawn = folder.path("drawn.png");
    text(&[&run[..], &[&files[0], "--draw", &drawn]].concat());
    let drawn = shown(&drawn);
    assert_eq!((drawn.width(), drawn.height()), (320, 640));
}

#[test]
fn thresholds_and_suppression_are_the_specs_or_the_command_lines() {
    let folder = Folder::new("thresholds");
    // Boxes of twice the cell overlap their neighbours.
    let [spec, weights] = spots(&folder, &SPOTS.replace("(1, 1)", "(2, 2)"));
    let squares = [(RED, 1, 0), (RED, 2, 0), (BLUE, 1, 1)];
    let file = folder.picture("three.png", &picture(640, 640, &squares));
    let count = |flags: &[&str]| {
        let args = [&["run", &spec, "--weights", &weights, &file], flags].concat();
        boxes(&json_of(&args), 0).len()
    };
    // Side by side, two boxes share half of each: 2/6 of their union; at the edge they are cut alike.
    assert_eq!(count(&[]), 3);
    assert_eq!(count(&["--iou", "0.3"]), 2);
    assert_eq!(count(&["--iou", "0.3", "--nms", "score"]), 1);
    assert_eq!(count(&["--iou", "0.3", "--nms", "off"]), 3);
    assert_eq!(count(&["--keep", "1"]), 0);
    let none = text(&["run", &spec, "--weights", &weights, &file, "--keep", "1"]);
    assert_eq!(none.trim(), "nothing found");
    let table = text(&["run", &spec, "--weights", &weights, &file, "--nms", "off"]);
    let heading: Vec<&str> = table.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(heading, ["score", "class", "x", "y", "width", "height"]);
    assert!(table.contains("1.000  red"), "{table}");
    // The raw output stays what it is.
    let raw = folder.path("raw.safetensors");
    text(&[
        "run",
        &spec,
        "--weights",
        &weights,
        &file,
        "--keep",
        "1",
        "--raw",
        &raw,
    ]);
    let tensors = read_tensors(&raw).unwrap();
    assert_eq!(
        (tensors[0].name.as_str(), &tensors[0].shape[..]),
        ("raw", &[7, 4, 4][..])
    );
    for (flags, code, message) in [
        (&["--keep", "2"][..], 2, "between 0 and 1"),
        (
            &["--top", "3"],
            1,
            "`--top` is for specs with `head classify`",
        ),
        (&["--threshold", "3"], 1, "`--threshold` is for"),
        (&["--out", "x.png"], 1, "no `head image`"),
    ] {
        let args = [&["run", &spec, "--weights", &weights, &file], flags].concat();
        let (found, error) = failure(&args);
        assert!(
            found == Some(code) && error.contains(message),
            "{flags:?}: {error}"
        );
    }
}

/// The red channel as an objectness, and no classes.
const ONE_THING: &str = r#"cnn 1
model OneThing {
  input image: 3x64x64 { letterbox 64  filter bilinear }
  map: conv 16x16 5 /16
  head yolo2 { anchors cells (1, 1)  keep 0.5  nms class iou 0.45 }
}"#;

#[test]
fn a_detector_of_one_thing_says_how_sure_it_is_that_there_is_one() {
    let folder = Folder::new("one_thing");
    let spec = folder.write("one.cnn", ONE_THING);
    let weights = folder.path("one.safetensors");
    let mut kernel = vec![0.0; 5 * 3 * 256];
    kernel[4 * 3 * 256..][..256].fill(4.0 / 256.0);
    let bias = [0.0, 0.0, 0.0, 0.0, -2.0];
    let tensors: [(&str, &[usize], &[f32]); 2] = [
        ("map.weight", &[5, 3, 16, 16], &kernel),
        ("map.bias", &[5], &bias),
    ];
    write_safetensors(&weights, &tensors).unwrap();
    let file = folder.picture("one.png", &picture(64, 64, &[(RED, 1, 2)]));
    let run = ["run", &spec, "--weights", &weights, &file];
    // The logistic function of 2, where the others have that of -2.
    let score = 1.0 / (1.0 + (-2f64).exp());
    let found = json_of(&run);
    let boxes = found["results"][0]["boxes"].as_array().unwrap();
    assert_eq!(boxes.len(), 1);
    assert_eq!(
        (&boxes[0]["class"], &boxes[0]["label"]),
        (&json!(0), &Value::Null)
    );
    assert!(
        (boxes[0]["score"].as_f64().unwrap() - score).abs() < 1e-5,
        "{found}"
    );
    let table = text(&run);
    assert!(table.contains("0.881  object  16  32"), "{table}");
    let named = ONE_THING.replace("anchors", "labels [\"spot\"] anchors");
    let spec = folder.write("named.cnn", &named);
    let found = json_of(&["run", &spec, "--weights", &weights, &file]);
    assert_eq!(found["results"][0]["boxes"][0]["label"], "spot");
}

#[test]
fn boxes_are_drawn_on_a_copy() {
    let folder = Folder::new("drawn");
    let [spec, weights] = spots(&folder, SPOTS);
    let original = picture(640, 320, &[(BLUE, 1, 0)]);
    let file = folder.picture("in.png", &original);
    let drawn = folder.path("out.png");
    text(&["run", &spec, "--weights", &weights, &file, "--draw", &drawn]);
    let drawn = shown(&drawn);
    assert!(shown(&file) == original);
    // A frame in the class's colour along the inside of the box, nothing far from it.
    let colour = class_colour(1);
    assert_eq!((drawn[(160, 100)], drawn[(319, 100)]), (colour, colour));
    assert_eq!((drawn[(240, 100)], drawn[(500, 250)]), (BLUE, [0; 3]));
    let tensor = folder.path("in.npy");
    write_npy(&tensor, &[3, 64, 64], &vec![0.0; 3 * 64 * 64]).unwrap();
    let (code, error) = failure(&[
        "run",
        &spec,
        "--weights",
        &weights,
        &tensor,
        "--draw",
        &folder.path("no.png"),
    ]);
    assert!(
        code == Some(1) && error.contains("not a picture"),
        "{error}"
    );
    let (_, error) = failure(&[
        "run",
        &spec,
        "--weights",
        &weights,
        &file,
        &file,
        "--draw",
        "x.png",
    ]);
    assert!(
        error.contains("`--draw` takes the answer to one input"),
        "{error}"
    );
}

/// Two kernels that find the same squares: each is found twice, and once behind suppression.
const TWICE: &str = r#"cnn 1
model Twice {
  input image: 3x64x64 { letterbox 64  filter bilinear }
  out: conv 16x16 7 /16
  both: concat(out, out)
  head yolo2 { labels ["red", "blue"]  anchors cells (1, 1) (1, 0.9)  keep 0.5  nms class iou 0.45 }
}
"#;

#[test]
fn what_is_suppressed_is_drawn_beside_what_is_kept() {
    let folder = Folder::new("draw_all");
    let [spec, weights] = spots(&folder, TWICE);
    let file = folder.picture("in.png", &picture(640, 640, &[(BLUE, 1, 0), (RED, 2, 3)]));
    let both = folder.path("both.png");
    let run = ["run", &spec, "--weights", &weights, &file];
    let answer = json_of(&[&run[..], &["--nms", "off"]].concat());
    assert_eq!(boxes(&answer, 0).len(), 4);
    assert_eq!(boxes(&json_of(&run), 0).len(), 2);
    text(&[&run[..], &["--draw-all", &both]].concat());
    let drawn = shown(&both);
    // Two pictures with a margin around each, and a line of text above.
    assert_eq!((drawn.width(), drawn.height()), (2 * 640 + 30, 640 + 38));
    let colour = class_colour(1);
    let [left, right] = [10, 660].map(|x| move |at: (usize, usize)| (x + at.0, 28 + at.1));
    // The frame of the large box stands on both sides, that of the small one, eight pixels within it, on the left alone.
    assert_eq!(
        (drawn[left((161, 100))], drawn[right((161, 100))]),
        (colour, colour)
    );
    assert_eq!(drawn[left((240, 150))], colour);
    assert_ne!(drawn[right((240, 150))], colour);
    let (_, error) = failure(&[&run[..], &[&file, "--draw-all", &both]].concat());
    assert!(
        error.contains("`--draw-all` takes the answer to one input"),
        "{error}"
    );
    let classes = folder.write(
        "classes.cnn",
        "cnn 1\nmodel C {\n input image: 3x2x2 { resize 2x2 }\n globalavgpool\n head classify\n}\n",
    );
    let (_, error) = failure(&["run", &classes, &file, "--draw-all", &both]);
    assert!(
        error.contains("the answer of the spec's head has no boxes"),
        "{error}"
    );
}
