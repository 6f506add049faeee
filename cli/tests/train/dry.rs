//! What is seen before a run, and runs of few samples.

use crate::made::{Made, NET, cnnc, read, text};
use cnnc::rt::image::Picture;
use serde_json::Value;

#[test]
fn memory_is_said_before_the_first_epoch() {
    let made = Made::new(NET);
    // 6 · 9 + 6 numbers of the convolution, 54 · 4 + 4 of the dense layer, a velocity of each.
    let output = made.train(&["--dry", "--json", "--batch", "8"]);
    let dry: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&dry["parameter_bytes"], &dry["optimizer_bytes"]),
        (&1120.into(), &1120.into())
    );
    assert_eq!(dry["state_bytes"], 2240);
    // Inputs and what the convolution makes of them, of eight samples, at least.
    let step = dry["step_bytes"].as_u64().unwrap();
    assert!((8 * 4 * (64 + 216)..1 << 20).contains(&step), "{step}");
    let output = made.train(&["--dry", "--json", "--batch", "8", "--optimizer", "adam"]);
    let adam: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&adam["parameter_bytes"], &adam["optimizer_bytes"]),
        (&1120.into(), &2240.into())
    );
    let output = made.train(&["--epochs", "1", "--batch", "8"]);
    let printed = text(&output.stdout);
    let line = printed
        .lines()
        .find(|line| line.starts_with("parameters "))
        .unwrap();
    assert!(
        line.starts_with("parameters 1.1 KiB, optimiser 1.1 KiB, activations and gradients "),
        "{line}"
    );
    assert!(printed.find(line).unwrap() < printed.find("epoch ").unwrap());
}

#[test]
fn a_few_samples_are_learned_by_heart() {
    // Augmentation is left out.
    let made = Made::new(&format!(
        "{NET}; train {{ augment {{ rotate 90 ; shift 4 }} }}"
    ));
    let output = made.train(&[
        "--overfit",
        "8",
        "--batch",
        "8",
        "--epochs",
        "60",
        "--rate",
        "0.2",
        "--json",
    ]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let last = report["epochs"].as_array().unwrap().last().unwrap();
    assert!(last["loss"].as_f64().unwrap() < 0.02, "{report}");
    assert_eq!(last["test_accuracy"], 1.0, "{report}");
}

#[test]
fn a_dry_run_draws_its_first_batch_and_is_no_run() {
    let made = Made::new(NET);
    let output = made.train(&["--dry", "--layers"]);
    let printed = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    for part in ["ms a step", "conv_weight", "maxpool_input", "update"] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    assert!(!made.path("runs").exists());
    assert!(
        text(&output.stderr).contains("wrote net-batch.png"),
        "{}",
        text(&output.stderr)
    );
    let drawn = Picture::open(made.path("net-batch.png")).unwrap();
    // Eight columns of tiles.
    assert_eq!(drawn.width(), 8 * 78 + 6);
}

#[test]
fn the_first_batch_is_drawn_as_it_is_learned() {
    let made = Made::new(
        "input x: 1x8x8; conv 3x3 6 relu; flatten; dense 4; head classify { labels [\"one\", \"two\", \"three\", \"four\"] }; train { augment { rotate 30 } }",
    );
    let [first, second, plain] = ["a.png", "b.png", "c.png"].map(|name| made.path(name));
    for (file, more) in [(&first, &[][..]), (&second, &["--seed", "2"])] {
        let shown = [
            "--dry",
            "--batch",
            "6",
            "--show-batch",
            file.to_str().unwrap(),
        ];
        let output = made.train(&[&shown[..], more].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains("; rotate 30; batch 6"));
    }
    let sheet = Picture::open(&first).unwrap();
    // Two columns of tiles, 72 pixels and a caption high.
    assert_eq!((sheet.width(), sheet.height()), (2 * 78 + 6, 3 * 96 + 6));
    assert!(read(&first) != read(&second));
    let output = made.train(&[
        "--dry",
        "--show-batch",
        made.path("no/c.png").to_str().unwrap(),
    ]);
    assert!(
        text(&output.stderr).contains("c.png") && text(&output.stderr).contains("No such file"),
        "{}",
        text(&output.stderr)
    );
    assert!(!plain.exists());
}

#[test]
fn a_limit_is_kept_by_a_run_that_goes_on() {
    let made = Made::new(NET);
    let begun = [
        "--epochs", "2", "--batch", "8", "--limit", "30", "--name", "few",
    ];
    let output = made.train(&begun);
    let printed = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(
        printed.contains("30 samples, 40 to be judged by"),
        "{printed}"
    );
    let folder = made.path("runs/few");
    let state = text(&read(&folder.join("state.json")));
    let state: Value = serde_json::from_str(&state).unwrap();
    assert_eq!(state["data"]["limit"], 30);
    let output = cnnc(&["train", "--resume", folder.to_str().unwrap()]);
    assert!(
        text(&output.stdout).contains("30 samples"),
        "{}",
        text(&output.stderr)
    );
}
