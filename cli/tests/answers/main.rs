//! `cnnc run` and `identify` answer in kind: boxes, points, same or different, who; in pixels of the picture, whatever its size.
//!
//! The networks are small enough to know what they must say: their weights are written here.

mod batches;
mod heads;
mod segment;
mod videos;

use cnnc::rt::image::Picture;
use cnnc::rt::tensor_file::write_safetensors;
use cnnc_testing::Raster;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.0.join(name), text).unwrap();
        self.path(name)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn picture(&self, name: &str, raster: &Raster) -> String {
        let path = self.path(name);
        fs::create_dir_all(Path::new(&path).parent().unwrap()).unwrap();
        let rgb = raster.rgb().to_vec();
        let picture = Picture::from_rgb(raster.width(), raster.height(), rgb);
        picture.unwrap().write_png(&path).unwrap();
        path
    }
}

/// What a file shows.
fn shown(path: &str) -> Raster {
    let picture = Picture::open(path).unwrap();
    Raster::from_rgb(picture.width(), picture.rgb())
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn cnnc(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cnnc"));
    command.args(args).output().unwrap()
}

/// What it prints when it succeeds.
#[track_caller]
fn text(args: &[&str]) -> String {
    let output = cnnc(args);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn json_of(args: &[&str]) -> Value {
    serde_json::from_str(&text(&[args, &["--json"]].concat())).unwrap()
}

/// What it says when it fails, and its exit code.
#[track_caller]
fn failure(args: &[&str]) -> (Option<i32>, String) {
    let output = cnnc(args);
    assert!(!output.status.success(), "{args:?} succeeds");
    let error = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), error)
}

const RED: [u8; 3] = [255, 0, 0];
const BLUE: [u8; 3] = [0, 0, 255];

/// Finds squares of one colour: a cell of 16x16 pixels each.
const SPOTS: &str = r#"cnn 1
model Spots {
  input image: 3x64x64 { letterbox 64  filter bilinear }
  out: conv 16x16 7 /16
  head yolo2 { labels ["red", "blue"]  anchors cells (1, 1)  keep 0.5  nms class iou 0.45 }
}
"#;

/// The spec and its weights. Objectness is 40·(red + blue − 1.5·green) − 20, a class its colour times 20.
fn spots(folder: &Folder, spec: &str) -> [String; 2] {
    let mean = 1.0 / 256.0;
    let mut weight = vec![0.0f32; 7 * 3 * 256];
    let mut bias = [0.0f32; 7];
    let mut set = |out: usize, colour: usize, value: f32| {
        weight[(3 * out + colour) * 256..][..256].fill(value * mean);
    };
    for (colour, value) in [(0, 40.0), (1, -60.0), (2, 40.0)] {
        set(4, colour, value);
    }
    bias[4] = -20.0;
    set(5, 0, 20.0);
    set(6, 2, 20.0);
    let file = folder.path("spots.safetensors");
    let tensors: [(&str, &[usize], &[f32]); 2] = [
        ("out.weight", &[7, 3, 16, 16], &weight),
        ("out.bias", &[7], &bias),
    ];
    write_safetensors(&file, &tensors).unwrap();
    [folder.write("spots.cnn", spec), file]
}

/// Black, with filled squares: left, top and side in eighths of the width.
fn picture(width: usize, height: usize, squares: &[([u8; 3], usize, usize)]) -> Raster {
    let side = width / 4;
    Raster::of(width, height, |x, y| {
        let square = squares
            .iter()
            .find(|(_, column, row)| (x / side, y / side) == (*column, *row));
        square.map_or([0; 3], |(colour, ..)| *colour)
    })
}

/// Label, x, y, width, height of each box, in whole pixels.
fn boxes(answer: &Value, result: usize) -> Vec<(String, [i64; 4])> {
    let boxes = answer["results"][result]["boxes"]
        .as_array()
        .unwrap()
        .iter();
    let side = |found: &Value, key: &str| found[key].as_f64().unwrap().round() as i64;
    boxes
        .map(|found| {
            let sides = ["x", "y", "width", "height"].map(|key| side(found, key));
            (found["label"].as_str().unwrap().to_owned(), sides)
        })
        .collect()
}

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
    let found = json_of(&[&run[..], &[&files[0], &files[1]]].concat());
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
    let tensors = cnnc::rt::tensor_file::read_tensors(&raw).unwrap();
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
fn answers_of_made_up_weights_say_so() {
    let folder = Folder::new("made_up");
    let [spec, weights] = spots(&folder, SPOTS);
    let run = |weights: &'static str| ["run", &spec, "--weights", weights, "--input", "synthetic"];
    let remark = "the weights are synthetic";
    assert!(text(&run("synthetic")).contains(remark));
    assert_eq!(json_of(&run("synthetic"))["weights"], "synthetic");
    let read = ["run", &spec, "--weights", &weights, "--input", "synthetic"];
    assert!(!text(&read).contains(remark));
    assert_eq!(json_of(&read)["weights"], weights);
    // A network without weights has none that are made up.
    let spec = folder.write("plain.cnn", "cnn 1\nmodel Plain { input x: 3; relu }");
    let plain = [
        "run",
        &spec,
        "--weights",
        "synthetic",
        "--input",
        "synthetic",
    ];
    assert!(!text(&plain).contains(remark));
}

/// Arrays of numpy are tensors, not pictures, whatever the shape of the input.
#[test]
fn an_archive_of_arrays_is_read_as_tensors() {
    let folder = Folder::new("arrays");
    let net = folder.write("net.cnn", "cnn 1\nmodel M {\n input x: 3x2\n relu\n}\n");
    let arrays = cnnc_testing::file("runtime/tests/data/stored.npz");
    let (_, error) = failure(&["run", &net, arrays.to_str().unwrap()]);
    assert!(
        error.contains("it has no tensor for input `x`") && error.contains("`fc.weight`"),
        "{error}"
    );
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
    let colour = cnnc::rt::answer::class_colour(1);
    assert_eq!((drawn[(160, 100)], drawn[(319, 100)]), (colour, colour));
    assert_eq!((drawn[(240, 100)], drawn[(500, 250)]), (BLUE, [0; 3]));
    let tensor = folder.path("in.npy");
    cnnc::rt::tensor_file::write_npy(&tensor, &[3, 64, 64], &vec![0.0; 3 * 64 * 64]).unwrap();
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
    let colour = cnnc::rt::answer::class_colour(1);
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
    assert_eq!(drawn[(20, 40)], cnnc::rt::answer::class_colour(2));

    // The brightest square is where it is, and half of the way to its neighbour with all of them.
    let maps = |around: usize| {
        let text = format!(
            "cnn 1\nmodel Map {{ input image: 1x2x2 {{ resize 2x2 filter nearest gray }}; scale 1; head keypoints {{ around {around} }} }}"
        );
        folder.write("map.cnn", &text)
    };
    let found = json_of(&["run", &maps(0), &file]);
    assert_eq!(
        found["results"][0]["points"][0],
        serde_json::json!([75.0, 75.0])
    );
    let drawn = folder.path("map.png");
    text(&["run", &maps(0), &file, "--draw", &drawn]);
    assert_eq!(shown(&drawn)[(75, 75)], cnnc::rt::answer::class_colour(2));
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

#[test]
fn same_or_different() {
    let folder = Folder::new("pairs");
    let spec = folder.write(
        "pair.cnn",
        "cnn 1
        model Pair {
          input a, b: 3x4x4 { resize 4x4 }
          shared colour { globalavgpool }
          head verify { measure distance  threshold 0.5; sub(colour(a), colour(b)) }
        }",
    );
    let plain = |name: &str, colour| folder.picture(name, &Raster::of(20, 10, |_, _| colour));
    let (red, dark, blue) = (
        plain("red.png", RED),
        plain("dark.png", [204, 0, 0]),
        plain("blue.png", BLUE),
    );
    assert_eq!(
        text(&["run", &spec, &red, &dark]).trim(),
        "same: distance 0.2000, the threshold is 0.5"
    );
    let different = text(&["run", &spec, &red, &blue]);
    assert!(
        different.starts_with("different: distance 1.4142"),
        "{different}"
    );
    let changed = json_of(&["run", &spec, &red, &blue, "--threshold", "2"]);
    assert_eq!(changed["results"][0]["alike"], true);

    let spec = folder.write("colour.cnn", COLOUR);
    let found = json_of(&["run", &spec, &red, &dark, &blue]);
    let alike: Vec<bool> = found["comparisons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| pair["alike"].as_bool().unwrap())
        .collect();
    assert_eq!(alike, [true, false]);
    let found = text(&["run", &spec, &red, &blue]);
    assert!(
        found.contains("different: distance 1.4142, the threshold is 0.4"),
        "{found}"
    );
}

/// Where a picture's colour points.
const COLOUR: &str = "cnn 1
model Colour { input image: 3x4x4 { resize 4x4 }; globalavgpool; l2norm; head embed { threshold 0.4 } }";

#[test]
fn whose_face_it_is() {
    let folder = Folder::new("faces");
    let spec = folder.write("colour.cnn", COLOUR);
    let plain = |name: &str, colour| folder.picture(name, &Raster::of(20, 10, |_, _| colour));
    plain("gallery/anna/1.png", RED);
    plain("gallery/anna/2.png", [255, 120, 0]);
    plain("gallery/ben.png", BLUE);
    folder.write("gallery/notes.txt", "not a picture");
    folder.write("gallery/anna/.DS_Store", "nor this");
    fs::create_dir(folder.path("gallery/nobody")).unwrap();
    let (orange, green) = (
        plain("orange.png", [255, 110, 10]),
        plain("green.png", [0, 255, 0]),
    );
    let gallery = folder.path("gallery");
    let args = ["identify", &spec, "--gallery", &gallery, &orange, &green];
    let found = json_of(&args);
    assert_eq!(found["faces"], 3);
    let notes = format!("{gallery}/notes.txt");
    let inner = format!("{gallery}/anna/.DS_Store");
    let nobody = format!("{gallery}/nobody");
    assert_eq!(found["skipped"], json!([inner, nobody, notes]));
    let warned = String::from_utf8(cnnc(&args).stderr).unwrap();
    assert!(
        warned.contains(&format!("no picture: {inner}, {nobody}, {notes}")),
        "{warned}"
    );
    assert_eq!(found["results"][0]["identity"], "anna");
    assert!(
        found["results"][0]["picture"]
            .as_str()
            .unwrap()
            .ends_with("2.png")
    );
    assert_eq!(found["results"][1]["identity"], Value::Null);
    let table = text(&args);
    assert!(table.lines().nth(2).unwrap().contains("unknown"), "{table}");
    let anybody = json_of(&[&args[..], &["--threshold", "3"]].concat());
    assert_eq!(anybody["results"][1]["identity"], "anna");

    fs::create_dir(folder.path("empty")).unwrap();
    let (code, error) = failure(&[
        "identify",
        &spec,
        "--gallery",
        &folder.path("empty"),
        &green,
    ]);
    assert!(
        code == Some(1) && error.contains("no picture in it"),
        "{error}"
    );
    let (_, error) = failure(&[
        "identify",
        &spec,
        "--gallery",
        &folder.path("nowhere"),
        &green,
    ]);
    assert!(error.contains("cannot be read"), "{error}");
    let [spots, _] = spots(&folder, SPOTS);
    let (_, error) = failure(&["identify", &spots, "--gallery", &gallery, &green]);
    assert!(error.contains("no `head embed`"), "{error}");
}

/// `explain --weights` compares every layer with the reference, fused as it runs.
#[test]
fn explain_measures_the_error_of_every_layer() {
    let folder = Folder::new("accuracy");
    let net = folder.write(
        "net.cnn",
        "cnn 1\nmodel M {\n input x: 4x16x16\n c: conv 3x3 8 pad half bn relu\n p: globalavgpool\n f: dense 3\n}\n",
    );
    let input = folder.path("x.safetensors");
    let values: Vec<f32> = (0..1024).map(|i| (i % 17) as f32 / 8.0 - 1.0).collect();
    write_safetensors(Path::new(&input), &[("x", &[4, 16, 16], &values)]).unwrap();
    for more in [&[][..], &["--input", &input], &["--exact"]] {
        let args = [&["explain", &net, "--weights", "synthetic", "--json"], more].concat();
        let found: Value = serde_json::from_str(&text(&args)).unwrap();
        assert!(
            found["passes"]
                .as_array()
                .is_some_and(|passes| !passes.is_empty())
        );
        let accuracy = &found["accuracy"];
        let exact = more.contains(&"--exact");
        // The passes are those of the network that was measured.
        let passes = found["passes"].as_array().unwrap();
        let winograd = |pass: &Value| pass["pass"] == "winograd";
        assert_eq!(passes.iter().any(winograd), !exact, "{passes:?}");
        assert_eq!(
            accuracy["arithmetic"],
            if exact { "exact" } else { "default" }
        );
        let layers = accuracy["layers"].as_array().unwrap();
        let labels: Vec<&str> = layers
            .iter()
            .map(|layer| layer["label"].as_str().unwrap())
            .collect();
        assert_eq!(labels, ["c", "p", "f"]);
        for layer in layers {
            let number = |name: &str| layer[name].as_f64().unwrap();
            // Machine code rounds to f32, so that some element is off, and sums a hundred terms at most.
            let largest = number("largest_in_deviations");
            assert!(largest > 0.0 && largest < 1e-5, "{layer}");
            assert!(number("typical") <= number("largest"), "{layer}");
            assert_eq!(layer["not_finite"], 0);
        }
    }
    // In f64 this would be finite; a layer's result is a number of 32 bits.
    let net = folder.write(
        "large.cnn",
        "cnn 1\nmodel M {\n input x: 5\n a: scale 3e38\n b: scale 1e3\n}\n",
    );
    let printed = text(&["explain", &net, "--weights", "synthetic"]);
    assert!(printed.contains("5 not finite"), "{printed}");
}
