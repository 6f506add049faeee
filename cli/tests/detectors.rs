//! A detector from data to pictures: the textbook's grid of 3x3 cells with two anchors learns to find things on made streets, and is judged.

#[allow(dead_code)]
#[path = "../../examples/street.rs"]
mod street;

use cnnc::rt::image::Picture;
use cnnc_testing::file;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

struct Made(tempfile::TempDir);

impl Made {
    /// A folder with so many pictures in `street`.
    fn new(pictures: usize) -> Made {
        let made = Made(tempfile::tempdir().unwrap());
        street::write(&made.path("street"), pictures, 1).unwrap();
        made
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn output(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cnnc"));
        command.current_dir(self.0.path()).args(args);
        command.output().unwrap()
    }

    /// What a command prints that succeeds.
    #[track_caller]
    fn prints(&self, args: &[&str]) -> String {
        let output = self.output(args);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn fails(&self, args: &[&str]) -> String {
        let output = self.output(args);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

const WEIGHTS: &str = "runs/street/weights.safetensors";

#[test]
fn the_textbooks_detector_is_trained_drawn_and_judged() {
    let made = Made::new(30);
    let spec = file("specs/street_3x3x2x8.cnn");
    let spec = text(&spec);
    let train = ["train", spec, "--data", "street", "--name", "street"];
    let printed = made.prints(&[&train[..], &["--epochs", "2", "--batch", "8"]].concat());
    assert!(
        printed.contains("25 samples, 5 to be judged by"),
        "{printed}"
    );
    let evaluate = ["evaluate", spec, "--weights", WEIGHTS, "--data", "street"];
    let drawn = ["-o", "curves.svg", "--show-targets", "targets.png"];
    let printed = made.prints(&[&evaluate[..], &drawn].concat());
    for part in [
        "targets of 5 pictures with ",
        "VOC 2007",
        "VOC 2010",
        "COCO .75",
        "mean",
    ] {
        assert!(printed.contains(part), "{printed}");
    }
    let svg = fs::read_to_string(made.path("curves.svg")).unwrap();
    for part in [
        "Street: precision over recall at an overlap of .5",
        ">car<",
        ">recall<",
    ] {
        assert!(svg.contains(part), "{svg}");
    }
    // Five pictures in rows of four.
    let sheet = Picture::open(made.path("targets.png")).unwrap();
    assert!(sheet.width() > 4 * 384 && sheet.height() > 2 * 384);
    let json: Value =
        serde_json::from_str(&made.prints(&[&evaluate[..], &["--json"]].concat())).unwrap();
    let means = json["means"].as_object().unwrap();
    assert_eq!(means.len(), 5);
    assert_eq!(means["voc2010"], json["map50"]);
    let error = made.fails(&[&evaluate[..], &["--worst", "worst.png"]].concat());
    assert!(error.contains("`--out` and `--worst` draw what"), "{error}");
    let classes = file("specs/lenet5.cnn");
    let args = [
        "evaluate",
        text(&classes),
        "--weights",
        WEIGHTS,
        "--data",
        "street",
        "--show-targets",
        "no.png",
    ];
    made.fails(&args);
    // What is odd is said once, of those that are learned.
    let two = ["--limit", "2", "--epochs", "1", "--batch", "2"];
    for number in ["0000", "0001"] {
        fs::write(made.path(&format!("street/labels/train/{number}.txt")), "").unwrap();
    }
    let error = made.fails(&[&train[..4], &two].concat());
    assert!(
        error
            .contains("none of the 2 pictures to learn from has a box (`--limit 2` keeps no more)"),
        "{error}"
    );
    let car = "1 0.5 0.5 0.5 0.3\n";
    fs::write(made.path("street/labels/train/0000.txt"), car).unwrap();
    let output = made.output(&[&train[..4], &two].concat());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert_eq!(
        said.matches("no box to learn from is of the class").count(),
        1,
        "{said}"
    );
    // Anchors in another unit are told before there is a run.
    let wrong = fs::read_to_string(spec)
        .unwrap()
        .replace("anchors pixels", "anchors cells");
    fs::write(made.path("wrong.cnn"), wrong).unwrap();
    let error = made.fails(&["train", "wrong.cnn", "--data", "street", "--name", "wrong"]);
    assert!(
        error.contains("the anchors of `Street` fit badly"),
        "{error}"
    );
    assert!(!made.path("runs/wrong").exists());
}

/// The whole recipe, in the worst of three seeds.
#[test]
#[ignore = "a minute a seed"]
fn long_the_textbooks_detector_finds_what_is_there() {
    let made = Made::new(600);
    let spec = file("specs/street_3x3x2x8.cnn");
    let spec = text(&spec);
    for seed in ["1", "2", "3"] {
        let name = format!("street{seed}");
        made.prints(&[
            "train", spec, "--data", "street", "--name", &name, "--seed", seed,
        ]);
        let weights = format!("runs/{name}/last.safetensors");
        let args = [
            "evaluate",
            spec,
            "--weights",
            &weights,
            "--data",
            "street",
            "--json",
        ];
        let json: Value = serde_json::from_str(&made.prints(&args)).unwrap();
        assert!(
            json["map50"].as_f64().unwrap() >= 0.9,
            "seed {seed}: {json}"
        );
    }
}
