//! Samples: where they come from, and which of them are left out.

use crate::made::{CLASSES, Made, NET, SIDE, cnnc, text};
use serde_json::Value;

#[test]
fn data_that_are_broken_are_told_by_file() {
    let made = Made::new(NET);
    let pixels = vec![0; 120 * SIDE * SIDE - 1];
    made.idx("train-images-idx3-ubyte", &[120, SIDE, SIDE], &pixels);
    let error = made.error(&[]);
    let message = "DIR/data/train-images-idx3-ubyte: 7679 bytes follow a header that says 120x8x8";
    assert!(error.contains(message), "{error}");
    made.idx(
        "train-images-idx3-ubyte",
        &[1, SIDE, SIDE],
        &[0; SIDE * SIDE],
    );
    let error = made.error(&[]);
    assert!(error.contains("120 labels, but 1 pictures in"), "{error}");
    std::fs::remove_file(made.path("data/train-labels-idx1-ubyte")).unwrap();
    let error = made.error(&[]);
    assert!(
        error.contains("DIR/data: no data is known by these files"),
        "{error}"
    );
    std::fs::create_dir(made.path("data/cats")).unwrap();
    let error = made.error(&[]);
    assert!(
        error.contains("DIR/data: 1 folders, but the network has 4 classes"),
        "{error}"
    );
}

#[test]
fn folders_of_classes_are_read_and_what_is_no_picture_is_named() {
    let made = Made::new(NET);
    std::fs::remove_dir_all(made.path("data")).unwrap();
    made.classes("data", 3);
    made.classes("many", 20);
    let many = made.path("many");
    let more = [
        "--test",
        many.to_str().unwrap(),
        "--batch",
        "4",
        "--epochs",
        "30",
    ];
    let output = made.train(&[&more[..], &["--rate", "0.05"]].concat());
    let (printed, warned) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{warned}");
    let counts = "12 samples, 80 to be judged by (folders of 4 classes, 5.8 KiB)";
    assert!(printed.contains(counts), "{printed}");
    assert!(warned.contains("skipped what is no picture: "), "{warned}");
    assert_eq!(warned.matches("notes.txt").count(), 2 * CLASSES, "{warned}");
    let best = printed
        .lines()
        .find(|line| line.starts_with("best: "))
        .unwrap();
    assert!(best.contains("100.00 %"), "{printed}");
}

/// Pictures that judge are read while they are judged; what is broken among them is named, and a table of the others is the same.
#[test]
fn what_cannot_be_read_is_left_out_of_what_judges() {
    let made = Made::new(NET);
    made.classes("signs", 12);
    made.classes("fewer", 12);
    let [spec, weights] = ["net.cnn", "net.safetensors"].map(|name| made.path(name));
    let (spec, weights) = (spec.to_str().unwrap(), weights.to_str().unwrap());
    let output = cnnc(&["convert", spec, "--weights", "synthetic", weights]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let evaluate = |data: &str, more: &[&str]| {
        let data = made.path(data);
        let data = data.to_str().unwrap();
        let args = ["evaluate", spec, "--weights", weights, "--data", data];
        cnnc(&[&args[..], more].concat())
    };
    let judged = |data: &str, threads: &str| -> Value {
        let output = evaluate(data, &["--threads", threads, "--json"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let broken = ["signs/0/3.PNG", "signs/2/11.PNG"].map(|name| made.path(name));
    for file in &broken {
        std::fs::write(file, "no picture").unwrap();
    }
    for file in ["fewer/0/3.PNG", "fewer/2/11.PNG"] {
        std::fs::remove_file(made.path(file)).unwrap();
    }
    let whole = judged("signs", "1");
    assert_eq!(
        (&whole["samples"], &judged("fewer", "1")["confusion"]),
        (&Value::from(46), &whole["confusion"])
    );
    assert_eq!(judged("signs", "3")["worst"], whole["worst"]);
    let said: Vec<&str> = whole["broken"]
        .as_array()
        .unwrap()
        .iter()
        .map(|why| why.as_str().unwrap())
        .collect();
    for (why, file) in said.iter().zip(&broken) {
        assert!(why.starts_with(file.to_str().unwrap()), "{why}");
    }
    assert_eq!(said.len(), 2);
    let output = evaluate("signs", &[]);
    let (printed, warned) = (text(&output.stdout), text(&output.stderr));
    assert!(
        printed.contains("46 samples (folders of 4 classes) in ") && printed.contains(" a second"),
        "{printed}"
    );
    assert_eq!(warned.matches("left out: ").count(), 2, "{warned}");
    // More than ten are no accident.
    for number in 0..12 {
        std::fs::write(made.path(&format!("signs/1/{number}.PNG")), "").unwrap();
    }
    let output = evaluate("signs", &[]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    let many = format!(
        "{}: more than 10 files are broken; the next is ",
        made.path("signs").display()
    );
    assert!(said.contains(&many), "{said}");
    // And of nothing else there is no accuracy.
    std::fs::remove_dir_all(made.path("signs")).unwrap();
    made.classes("signs", 1);
    for class in 0..CLASSES {
        std::fs::write(made.path(&format!("signs/{class}/0.PNG")), "").unwrap();
    }
    let output = evaluate("signs", &[]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("signs: nothing to be judged by"), "{said}");
}

#[test]
fn classes_without_samples_are_named() {
    let made = Made::new(
        "input x: 1x8x8; flatten; dense 6; head classify { labels [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\"] }",
    );
    let output = made.train(&["--epochs", "1"]);
    let warning = "warning: no sample to learn from is of the class `e`, `f`\n";
    assert!(
        text(&output.stderr).contains(warning),
        "{}",
        text(&output.stderr)
    );
    let output = made.train(&["--epochs", "1", "--json"]);
    assert!(
        !text(&output.stderr).contains("warning"),
        "{}",
        text(&output.stderr)
    );
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["without_samples"], serde_json::json!(["e", "f"]));
    let all = Made::new(NET).train(&["--epochs", "1", "--json"]);
    let report: Value = serde_json::from_slice(&all.stdout).unwrap();
    assert_eq!(report["without_samples"], Value::Null);
}

#[test]
fn data_are_those_of_the_section_unless_a_flag_names_others() {
    let made = Made::new(NET);
    let spec = made.path("net.cnn");
    let with = |clause: &str| {
        let text = format!("cnn 1\nmodel Net {{ {NET}; train {{ {clause}  epochs 1 }} }}\n");
        std::fs::write(&spec, text).unwrap();
        let runs = made.path("runs");
        cnnc(&[
            "train",
            spec.to_str().unwrap(),
            "--runs",
            runs.to_str().unwrap(),
        ])
    };
    let output = with("data idx \"data/\"");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let output = with("data idx \"data/\" split 50 50 by hash");
    let printed = text(&output.stdout);
    assert!(
        printed.contains("to be judged by (idx files"),
        "{}",
        text(&output.stderr)
    );
    assert!(!printed.contains("120 samples, 40"), "{printed}");
    let error = text(&with("data wav \"data/\"").stderr);
    assert!(
        error.contains("data/: no data of the kind `wav` are here"),
        "{error}"
    );
    let error = text(&with("batch 4").stderr);
    let message = "there is nothing to learn from: name it, `--data PATH`, or in the train section, `data folder \"signs/\"`";
    assert!(error.contains(message), "{error}");
    assert!(made.train(&["--epochs", "1"]).status.success());
}
