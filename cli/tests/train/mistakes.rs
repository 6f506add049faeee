//! What is refused, and what is said of it.

use crate::made::{Made, NET, SIDE, cnnc, read, text};

#[test]
fn mistakes_are_told_before_the_first_step() {
    let made = Made::new(NET);
    for (more, message) in [
        (&["--rate", "0"][..], "a rate is a number above 0, not 0"),
        (&["--rate", "nan"], "a rate is a number above 0, not NaN"),
        (&["--batch", "0"], "a batch and the epochs are 1 at least"),
        (
            &["--batch", "500"],
            "a batch of 500 is more than the 120 samples to learn from",
        ),
        (&["--decay=-1"], "the decay is 0 or more, not -1"),
        (
            &["--smoothing", "1"],
            "the smoothing is a share of the whole, at least 0 and below 1, not 1",
        ),
        (
            &["--test", "/nowhere"],
            "/nowhere: No such file or directory",
        ),
    ] {
        let error = made.error(more);
        assert!(error.contains(message), "{more:?}: {error}");
    }
    assert!(!made.path("runs").exists());
    assert!(
        made.train(&["--epochs", "1", "--name", "plain"])
            .status
            .success()
    );
    let error = made.error(&["--epochs", "1", "--name", "../plain"]);
    assert!(
        error.contains("`../plain` is no name of a run: it is one folder in that of all runs"),
        "{error}"
    );
    let error = made.error(&["--epochs", "1", "--name", "plain"]);
    assert!(error.contains("DIR/runs/plain: File exists"), "{error}");
}

#[test]
fn networks_that_cannot_be_trained_say_which_layer_is_why() {
    for (body, message) in [
        (
            "input x: 1x8x8; flatten; head classify",
            "no tensor is left to train",
        ),
        (
            "input x: 64; dense 4; head classify",
            "the input of `Net` is no picture, so that pictures cannot train it",
        ),
        (
            "input x: 1x8x8; flatten; dense 3; head classify",
            "the class 3 is none of the network's 3, which are 0 to 2",
        ),
        (
            "input x: 1x8x8; conv 3x3 2\nlast: conv 6x6 4 pad valid bn; flatten; dense 4; head classify",
            "`last_bn` cannot learn: its maps have one pixel, and a single sample has no variance there: choose another batch\n --> DIR/net.cnn:3:",
        ),
    ] {
        let made = Made::new(body);
        let error = made.error(&["--batch", "17"]);
        assert!(error.contains(message), "{body}: {error}");
    }
}

#[test]
fn a_loss_that_explodes_names_the_tensor() {
    let made = Made::new("input x: 1x8x8; conv 3x3 6; conv 3x3 6; flatten; dense 4; head classify");
    let error = made.error(&["--rate", "1e12", "--batch", "8"]);
    assert!(
        error.contains("the loss is not a number any more in epoch 1, step "),
        "{error}"
    );
    assert!(
        error.contains("the first tensor that is not finite is `"),
        "{error}"
    );
    // Behind the last step of an epoch there is no loss any more.
    let last = made.error(&["--rate", "1e39", "--batch", "120"]);
    let message = "the update is not a number any more in epoch 1, step 1; the first tensor that is not finite is `";
    assert!(last.contains(message), "{last}");
    assert!(last.contains(" and 115 more, or try"), "{last}");
    // What has no name has a number.
    assert!(error.contains(": look at its samples, sample "), "{error}");
    assert!(
        error.contains(" and 3 more, or try a smaller rate"),
        "{error}"
    );
    made.classes("photos", 6);
    let photos = made.path("photos");
    let flags = [
        "--rate",
        "1e12",
        "--batch",
        "4",
        "--data",
        photos.to_str().unwrap(),
    ];
    let spec = made.path("net.cnn");
    let output = cnnc(
        &[
            &["train", spec.to_str().unwrap()],
            &flags[..],
            &["--runs", made.path("runs").to_str().unwrap()],
        ]
        .concat(),
    );
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    let named = error.split("look at its samples, ").nth(1).unwrap();
    let files = named.split(", or try").next().unwrap().split(", ");
    let files: Vec<&str> = files.collect();
    assert_eq!(files.len(), 4, "{error}");
    for file in files {
        assert!(photos.join(file).exists(), "{file}");
    }
}

#[test]
fn a_run_goes_on_with_what_it_began_with_only() {
    let made = Made::new(NET);
    assert!(
        made.train(&["--epochs", "1", "--name", "one"])
            .status
            .success()
    );
    // The state is of a run that has more to do.
    let state = made.path("runs/one/state.json");
    let more = text(&read(&state)).replace("\"epochs\": 1,", "\"epochs\": 2,");
    std::fs::write(&state, more).unwrap();
    let spec = made.path("runs/one/spec.cnn");
    let whole = text(&read(&spec));
    for (from, to) in [("relu", "tanh"), ("3x3 6", "3x3 7")] {
        std::fs::write(&spec, whole.replace(from, to)).unwrap();
        let error = made.refused("one");
        let message = "DIR/runs/one/spec.cnn is another network than the one that DIR/runs/one/state.json is the state of: a run goes on with the spec that it began with";
        assert!(error.contains(message), "{error}");
        assert!(
            error.contains("`--init DIR/runs/one/last.safetensors`"),
            "{error}"
        );
    }
    // Remarks are none of the network.
    std::fs::write(&spec, format!("{whole}# mine\n")).unwrap();
    let labels = "train-labels-idx1-ubyte";
    let before = read(&made.path("data").join(labels));
    let mut other = before.clone();
    other[8] = (other[8] + 1) % 4;
    std::fs::write(made.path("data").join(labels), &other).unwrap();
    let error = made.refused("one");
    let message = "DIR/runs/one/state.json is of a run with the same number of samples, but some have other names or are of other classes in DIR/data: a run goes on with the data that it began with";
    assert!(error.contains(message), "{error}");
    made.idx(
        "t10k-images-idx3-ubyte",
        &[39, SIDE, SIDE],
        &[0; 39 * SIDE * SIDE],
    );
    made.idx("t10k-labels-idx1-ubyte", &[39], &[1; 39]);
    let error = made.refused("one");
    let message = "DIR/runs/one/state.json is of a run with 120 samples to learn from and 40 to be judged by, and DIR/data has 120 and 39";
    assert!(error.contains(message), "{error}");
    // Nor has it another spec.
    let [net, folder] = ["net.cnn", "runs/one"].map(|name| made.path(name));
    let output = cnnc(&[
        "train",
        net.to_str().unwrap(),
        "--resume",
        folder.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("cannot be used with"),
        "{}",
        text(&output.stderr)
    );
    // What it began with is taken.
    let again = Made::new(NET);
    for name in ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", labels] {
        std::fs::copy(again.path("data").join(name), made.path("data").join(name)).unwrap();
    }
    let output = made.resume("one");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let log = text(&read(&made.path("runs/one/log.jsonl")));
    assert!(log.contains("\"event\":\"resume\""), "{log}");
}
