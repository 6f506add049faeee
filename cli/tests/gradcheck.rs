//! `cnnc gradcheck`: what it prints, and what it says of what it cannot do.

use cnnc::rt::synthetic::Synthetic;
use cnnc_testing::file;
use serde_json::Value;
use std::process::{Command, Output};

fn cnnc(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cnnc"));
    command.arg("gradcheck").args(args).output().unwrap()
}

fn spec(name: &str) -> String {
    file(&format!("specs/{name}.cnn"))
        .to_str()
        .unwrap()
        .to_owned()
}

/// A spec of one model with that body.
fn written(folder: &tempfile::TempDir, body: &str) -> String {
    let path = folder.path().join("net.cnn");
    std::fs::write(&path, format!("cnn 1\nmodel Net {{ {body} }}\n")).unwrap();
    path.to_str().unwrap().to_owned()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn every_layer_has_a_row() {
    let output = cnnc(&[&spec("lenet5")]);
    let printed = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let rows: Vec<&str> = printed.lines().skip(4).collect();
    let labels = rows
        .iter()
        .map(|row| row.split_whitespace().next().unwrap());
    let labels: Vec<&str> = labels.collect();
    assert_eq!(labels.first(), Some(&"c1_conv"), "{printed}");
    assert_eq!(rows.len(), 13, "{printed}");
    assert!(
        rows.iter().all(|row| row.trim_end().ends_with("pass")),
        "{printed}"
    );
    // The same in every run.
    assert_eq!(text(&cnnc(&[&spec("lenet5")]).stdout), printed);
}

#[test]
fn elements_are_shown() {
    let output = cnnc(&[&spec("lenet5"), "--show", "--json"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["pass"], true);
    let elements = report["elements"].as_array().unwrap();
    // Three of the picture, of five weights and of five biases.
    assert_eq!(elements.len(), 33);
    for element in elements {
        let number = |key: &str| element[key].as_f64().unwrap();
        assert_eq!(element["verdict"], "pass", "{element}");
        let size = number("gradient").abs().max(1e-3);
        assert!(
            (number("gradient") - number("difference")).abs() <= 1e-5 * size,
            "{element}"
        );
    }
    let printed = text(&cnnc(&[&spec("lenet5"), "--show"]).stdout);
    assert!(
        printed.contains("Elements of the network as a whole."),
        "{printed}"
    );
    assert!(printed.contains("out.weight"), "{printed}");
}

/// The gradient of a pool of maxima goes to the number that is the largest of its four, and to no other.
#[test]
fn gradients_go_to_the_largest() {
    let net = file("examples/max_pool_4x4.cnn");
    let output = cnnc(&[net.to_str().unwrap(), "--show", "--json"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let square = Synthetic::input("x").values(16);
    let (mut largest, mut others) = (0, 0);
    for element in report["elements"].as_array().unwrap() {
        let number = |key: &str| element[key].as_f64().unwrap();
        let at = |axis: usize| element["element"][axis].as_u64().unwrap() as usize;
        let (row, column) = (at(1), at(2));
        assert_eq!(number("value") as f32, square[4 * row + column]);
        let corner = 4 * (row / 2 * 2) + column / 2 * 2;
        let four = [corner, corner + 1, corner + 4, corner + 5].map(|index| square[index]);
        let most = four.into_iter().fold(f32::NEG_INFINITY, f32::max);
        match number("value") as f32 == most {
            true => {
                largest += 1;
                assert_ne!(number("gradient"), 0.0, "{element}");
                let apart = number("gradient") - number("difference");
                assert!(apart.abs() <= 1e-6, "{element}");
            }
            false => {
                others += 1;
                assert_eq!(
                    [number("gradient"), number("difference")],
                    [0.0; 2],
                    "{element}"
                );
            }
        }
    }
    assert!(largest > 0 && others > 0, "{report}");
}

/// Powers that overflow have no numbers to compare, which is no agreement.
#[test]
fn what_does_not_agree_fails() {
    let folder = tempfile::tempdir().unwrap();
    let net = written(&folder, "input x: 3x4x4; conv 3x3 2; big: pow 700");
    let output = cnnc(&[&net]);
    assert_eq!(output.status.code(), Some(1));
    let (printed, said) = (text(&output.stdout), text(&output.stderr));
    let row = printed.lines().find(|row| row.starts_with("big")).unwrap();
    assert!(row.trim_end().ends_with("FAIL"), "{printed}");
    assert_eq!(
        said.trim(),
        "error: gradients are not those of differences: `big`"
    );
    let output = cnnc(&[&net, "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["pass"], false);
    assert_eq!(report["layers"][0]["pass"], true);
    assert_eq!(report["layers"][1]["pass"], false);
}

#[test]
fn mistakes_are_told() {
    let output = cnnc(&["nowhere.cnn"]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("nowhere.cnn"), "{said}");

    let output = cnnc(&[&spec("vgg16"), "--show"]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.starts_with("error: `--show` takes "), "{said}");
    assert!(said.contains("help: leave out `--show`"), "{said}");
    assert!(output.stdout.is_empty());

    let folder = tempfile::tempdir().unwrap();
    let output = cnnc(&[&written(&folder, "input x: 3x4x4; convolve 3x3 2")]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("convolve"), "{said}");
}
