//! `cnnc train`: what it learns, what it leaves behind, and what it says of what it cannot do.

mod data;
mod dry;
mod made;
mod mistakes;

use cnnc::rt::image::Picture;
use cnnc_testing::{file, shared};
use made::{Made, NET, cnnc, read, text};
use serde_json::Value;

#[test]
fn a_run_leaves_weights_that_run_takes() {
    let made = Made::new(NET);
    let output = made.train(&["--epochs", "6", "--batch", "16", "--rate", "0.1"]);
    let printed = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(
        printed.contains("120 samples, 40 to be judged by (idx files, 10.0 KiB)"),
        "{printed}"
    );
    assert!(printed.contains("best: epoch "), "{printed}");
    let run = made.path("runs/net-01");
    for name in [
        "spec.cnn",
        "last.safetensors",
        "state-006.safetensors",
        "state.json",
    ] {
        assert!(!read(&run.join(name)).is_empty(), "{name}");
    }
    for name in ["loss", "rate", "batch", "confusion", "predictions"] {
        let drawn = Picture::open(run.join(format!("{name}.png"))).unwrap();
        let ink = drawn.rgb().iter().filter(|&&byte| byte < 200).count();
        assert!(drawn.width() > 150 && ink > 100, "{name}: {ink}");
        let svg = text(&read(&run.join(format!("{name}.svg"))));
        assert!(
            svg.starts_with("<svg ") && svg.ends_with("</svg>\n"),
            "{name}"
        );
        let pictures = svg.matches("<image ").count();
        let expected = match name {
            "batch" => 16,
            "predictions" => 25,
            _ => 0,
        };
        assert_eq!(pictures, expected, "{name}");
    }
    assert!(text(&read(&run.join("confusion.svg"))).contains(">Net: 100.00 % of 40 right<"));
    let log = text(&read(&run.join("log.jsonl")));
    let log: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!((log.len(), &log[0]["event"]), (7, &Value::from("begin")));
    assert_eq!(
        (&log[0]["samples"], &log[0]["test_samples"]),
        (&120.into(), &40.into())
    );
    assert_eq!(
        (&log[6]["event"], &log[6]["epoch"]),
        (&"epoch".into(), &6.into())
    );
    assert_eq!(log[6]["test_accuracy"], 1.0);
    assert!(
        log.iter()
            .all(|line| line["time"].as_u64().unwrap() > 1_700_000_000)
    );
    let table = text(&read(&run.join("results.csv")));
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows[0], "epoch,rate,loss,accuracy,test_accuracy,seconds");
    assert_eq!(rows.len(), 7, "{table}");
    let accuracy: f64 = rows[6].split(',').nth(4).unwrap().parse().unwrap();
    assert_eq!(accuracy, 1.0, "{table}");
    let weights = run.join("weights.safetensors");
    let output = cnnc(&[
        "weights",
        weights.to_str().unwrap(),
        run.join("spec.cnn").to_str().unwrap(),
    ]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    // Another run has another folder.
    assert!(made.train(&["--epochs", "1"]).status.success());
    assert!(made.path("runs/net-02/weights.safetensors").exists());
}

#[test]
fn weights_do_not_depend_on_threads_and_runs() {
    let made = Made::new(
        "input x: 1x8x8; conv 3x3 6 bn relu; maxpool 2x2; flatten; dropout 0.2; dense 4; head classify; train { augment { shift 1 ; rotate 5 } }",
    );
    // The last step of an epoch is shorter than the others.
    let all: Vec<Vec<u8>> = ["1", "2", "3", "1"]
        .iter()
        .zip(["a", "b", "c", "d"])
        .map(|(threads, name)| {
            let more = [
                "--epochs",
                "2",
                "--batch",
                "32",
                "--threads",
                threads,
                "--name",
                name,
            ];
            let output = made.train(&more);
            assert!(output.status.success(), "{}", text(&output.stderr));
            read(&made.path("runs").join(name).join("state-002.safetensors"))
        })
        .collect();
    assert!(all.iter().all(|state| *state == all[0]));
    let output = made.train(&[
        "--epochs", "2", "--batch", "32", "--seed", "2", "--name", "e",
    ]);
    assert!(output.status.success());
    assert!(read(&made.path("runs/e/state-002.safetensors")) != all[0]);
}

#[test]
fn lenet_learns_digits() {
    let Some(data) = shared("data/mnist") else {
        return;
    };
    let runs = tempfile::tempdir().unwrap();
    let spec = file("specs/lenet5.cnn");
    let [spec, data, runs] = [&*spec, &*data, runs.path()].map(|path| path.to_str().unwrap());
    let args = ["train", spec, "--data", data, "--runs", runs];
    let output = cnnc(&[&args[..], &["--threads", "2", "--json"]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let last = report["epochs"].as_array().unwrap().last().unwrap();
    // Measured: 98.95 to 99.1 %.
    assert!(last["test_accuracy"].as_f64().unwrap() >= 0.987, "{report}");
}

#[test]
fn series_are_learned() {
    for (spec, data, least) in [
        ("specs/gunpoint_fcn.cnn", "data/ucr/GunPoint_TRAIN.ts", 0.9),
        (
            "specs/italy_power_fcn.cnn",
            "data/ucr/ItalyPowerDemand_TRAIN.ts",
            0.95,
        ),
    ] {
        let Some(data) = shared(data) else {
            return;
        };
        let runs = tempfile::tempdir().unwrap();
        let spec = file(spec);
        let [spec, data, runs] = [&*spec, &*data, runs.path()].map(|path| path.to_str().unwrap());
        let output = cnnc(&["train", spec, "--data", data, "--runs", runs, "--json"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let last = report["epochs"].as_array().unwrap().last().unwrap();
        // Measured: 100 %, and 96.5 to 97 %.
        let accuracy = last["test_accuracy"].as_f64().unwrap();
        assert!(accuracy >= least, "{spec}: {accuracy}");
    }
}
