//! `cnnc run` and `identify` answer in kind: boxes, points, same or different, who; in pixels of the picture, whatever its size.
//!
//! The networks are small enough to know what they must say: their weights are written here.

mod batches;
mod detections;
mod heads;
mod likeness;
mod numbers;
mod points;
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

/// What is printed of several inputs, an object a line.
fn results_of(printed: &str) -> Value {
    let line = |line: &str| serde_json::from_str::<Value>(line).unwrap();
    let lines: Vec<Value> = printed.lines().map(line).collect();
    json!({ "results": lines })
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
