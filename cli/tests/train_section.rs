//! `cnnc train`: what it says of its recipe, and of sections that cannot be followed.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder of its own with eight pictures of two classes, halves that are dark and bright.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("train")
        .join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    std::fs::create_dir_all(&folder).unwrap();
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
        std::fs::write(folder.join(format!("{of}-images-idx3-ubyte")), pictures).unwrap();
        std::fs::write(folder.join(format!("{of}-labels-idx1-ubyte")), labels).unwrap();
    }
    folder
}

/// What `cnnc train` makes of a small network with this section.
fn train(name: &str, section: &str, flags: &[&str]) -> Output {
    let folder = folder(name);
    let spec = folder.join("net.cnn");
    let text = format!(
        "cnn 1\nmodel Halves {{\n  input x: 1x4x4\n  flatten dense 2\n  head classify\n  {section}\n}}\n"
    );
    std::fs::write(&spec, text).unwrap();
    Command::new(env!("CARGO_BIN_EXE_cnnc"))
        .arg("train")
        .arg(&spec)
        .arg("--data")
        .arg(&folder)
        .arg("--runs")
        .arg(folder.join("runs"))
        .args(flags)
        .output()
        .unwrap()
}

fn prints(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn it_says_where_its_recipe_comes_from() {
    let out = prints(&train("without", "", &["--dry", "--batch", "4"]));
    let line = "no train section: the defaults of classifiers, but for --batch\n\
                sgd, momentum 0.9, nesterov, decay 0.0005; rate 0.05 falling like a cosine; batch 4, 5 epochs, seed 1: 10 steps\n";
    assert!(out.contains(line), "{out}");
    let section = "train { optimizer adamw  rate 0.01 { constant }  batch 8  epochs 2 }";
    let out = prints(&train("with", section, &["--dry"]));
    let line = "as the train section says\n\
                adamw, betas 0.9 0.999, decay 0.01; rate 0.01; batch 8, 2 epochs, seed 1: 2 steps\n";
    assert!(out.contains(line), "{out}");
}

#[test]
fn a_section_is_followed() {
    let section = "train { rate 1 { warmup 0 constant }  batch 2  epochs 3  seed 4 }";
    let by_section = prints(&train("section", section, &["--name", "run"]));
    assert!(
        by_section.contains("as the train section says"),
        "{by_section}"
    );
    // `constant` and `warmup` have no flags.
    let other = "train { rate 5 { warmup 0 constant }  batch 8 }";
    let flags = [
        "--name", "run", "--rate", "1", "--batch", "2", "--epochs", "3", "--seed", "4",
    ];
    prints(&train("flags", other, &flags));
    let weights = |name: &str| {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("train")
            .join(name);
        std::fs::read(root.join("runs/run/last.safetensors")).unwrap()
    };
    assert!(weights("section") == weights("flags"));
}

#[test]
fn sections_that_cannot_be_followed_are_errors() {
    let output = train("wrong", "train { augment { mirror }  batch 0 }", &[]);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8_lossy(&output.stderr);
    for part in [
        "E0309",
        "this version cannot do `augment`",
        "`batch` must be at least 1",
    ] {
        assert!(error.contains(part), "{error}");
    }
    let output = train(
        "long",
        "train { rate 0.1 { warmup 2 } }",
        &["--epochs", "1"],
    );
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        error.contains("the warm-up is a share of the whole"),
        "{error}"
    );
}
