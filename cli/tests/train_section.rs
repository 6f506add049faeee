//! `cnnc train`: what it says of its recipe, and of sections that cannot be followed.

use std::process::{Command, Output};
use tempfile::TempDir;

/// A folder with eight pictures of two classes, halves that are dark and bright.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for of in ["train", "t10k"] {
        let (count, side) = (8_u32, 4_u32);
        let header = |magic: u32, extents: &[u32]| -> Vec<u8> {
            let numbers = [magic].into_iter().chain(extents.iter().copied());
            numbers.flat_map(u32::to_be_bytes).collect()
        };
        let mut pictures = header(0x803, &[count, side, side]);
        let mut labels = header(0x801, &[count]);
        for sample in 0..count {
            let class = sample % 2;
            labels.push(class as u8);
            let bright = |at: u32| if at % side / 2 == class { 200 } else { 20 };
            pictures.extend((0..side * side).map(|at| bright(at) + sample as u8));
        }
        std::fs::write(
            folder.path().join(format!("{of}-images-idx3-ubyte")),
            pictures,
        )
        .unwrap();
        std::fs::write(
            folder.path().join(format!("{of}-labels-idx1-ubyte")),
            labels,
        )
        .unwrap();
    }
    folder
}

/// What `cnnc train` makes of a small network with this section.
fn train(section: &str, flags: &[&str]) -> (TempDir, Output) {
    let folder = folder();
    let spec = folder.path().join("net.cnn");
    let text = format!(
        "cnn 1\nmodel Halves {{\n  input x: 1x4x4\n  flatten dense 2\n  head classify\n  {section}\n}}\n"
    );
    std::fs::write(&spec, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cnnc"));
    let command = command
        .arg("train")
        .arg(&spec)
        .arg("--data")
        .arg(folder.path())
        .arg("--runs")
        .arg(folder.path().join("runs"))
        .args(flags);
    let output = command.current_dir(folder.path()).output().unwrap();
    (folder, output)
}

fn prints(section: &str, flags: &[&str]) -> String {
    let (_, output) = train(section, flags);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn it_says_where_its_recipe_comes_from() {
    let out = prints("", &["--dry", "--batch", "4"]);
    let lines = "no train section: the defaults of classifiers, but for --batch\n\
                 sgd, momentum 0.9, nesterov, decay 0.0005; rate 0.05 after 0.25 epochs, falling like a cosine; loss cross_entropy; batch 4, 5 epochs, seed 1: 10 steps\n";
    assert!(out.contains(lines), "{out}");
    let section = "train { optimizer adamw  rate 0.01 { constant warmup 0 }  batch 8  epochs 2 }";
    let out = prints(section, &["--dry"]);
    let lines = "as the train section says\n\
                 adamw, betas 0.9 0.999, decay 0.01; rate 0.01; loss cross_entropy; batch 8, 2 epochs, seed 1: 2 steps\n";
    assert!(out.contains(lines), "{out}");
}

#[test]
fn a_section_is_followed() {
    let last = |section: &str, flags: &[&str]| {
        let (folder, output) = train(section, &[&["--name", "run"], flags].concat());
        assert!(output.status.success(), "{output:?}");
        std::fs::read(folder.path().join("runs/run/last.safetensors")).unwrap()
    };
    let section = "train { rate 1 { warmup 0 constant }  batch 2  epochs 3  seed 4 }";
    // `constant` and `warmup` have no flags.
    let other = "train { rate 5 { warmup 0 constant }  batch 8 }";
    let flags = [
        "--rate", "1", "--batch", "2", "--epochs", "3", "--seed", "4",
    ];
    let by_section = last(section, &[]);
    assert!(by_section == last(other, &flags));
    assert!(by_section != last(other, &flags[2..]));
}

#[test]
fn sections_that_cannot_be_followed_are_errors() {
    let (_, output) = train("train { loss style  batch 0 }", &[]);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8_lossy(&output.stderr);
    for part in ["E0309", "`style`", "`batch` must be at least 1"] {
        assert!(error.contains(part), "{error}");
    }
    let (_, output) = train("train { rate 0.1 { warmup 2 } }", &["--epochs", "1"]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        error.contains("the warm-up is a share of the whole"),
        "{error}"
    );
}
