//! `cnnc train`: what it learns, what it leaves behind, and what it says of what it cannot do.

use cnnc::rt::image::Picture;
use cnnc_testing::{Random, file, shared};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn cnnc(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cnnc"));
    command.args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A folder with a spec and made pictures: class k is bright in column k.
struct Made {
    folder: tempfile::TempDir,
}

const CLASSES: usize = 4;
const SIDE: usize = 8;

impl Made {
    fn new(body: &str) -> Made {
        let made = Made {
            folder: tempfile::tempdir().unwrap(),
        };
        let spec = format!("cnn 1\nmodel Net {{ {body} }}\n");
        std::fs::write(made.path("net.cnn"), spec).unwrap();
        std::fs::create_dir(made.path("data")).unwrap();
        let mut random = Random(1);
        for (of, count) in [("train", 120), ("t10k", 40)] {
            let (mut pixels, mut labels) = (Vec::new(), Vec::new());
            for _ in 0..count {
                let class = random.below(CLASSES);
                labels.push(class as u8);
                for place in 0..SIDE * SIDE {
                    let bright = place % SIDE == 2 * class;
                    pixels.push((random.below(80) + if bright { 170 } else { 0 }) as u8);
                }
            }
            made.idx(
                &format!("{of}-images-idx3-ubyte"),
                &[count, SIDE, SIDE],
                &pixels,
            );
            made.idx(&format!("{of}-labels-idx1-ubyte"), &[count], &labels);
        }
        made
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn idx(&self, name: &str, extents: &[usize], bytes: &[u8]) {
        let mut file = vec![0, 0, 8, extents.len() as u8];
        file.extend(extents.iter().flat_map(|&n| (n as u32).to_be_bytes()));
        file.extend(bytes);
        std::fs::write(self.path("data").join(name), file).unwrap();
    }

    /// A folder with so many pictures for each class, and something else beside them.
    fn classes(&self, folder: &str, count: usize) {
        let mut random = Random(count as u64);
        for class in 0..CLASSES {
            let within = self.path(folder).join(class.to_string());
            std::fs::create_dir_all(&within).unwrap();
            std::fs::write(within.join("notes.txt"), "").unwrap();
            for number in 0..count {
                let bright = |place: usize| if place % SIDE == 2 * class { 200 } else { 0 };
                let pixels = (0..SIDE * SIDE).map(|place| random.below(50) + bright(place));
                let pixels: Vec<u8> = pixels.map(|pixel| pixel as u8).collect();
                let picture = Picture::from_grey(SIDE, SIDE, &pixels).unwrap();
                picture
                    .write_png(within.join(format!("{number}.PNG")))
                    .unwrap();
            }
        }
    }

    /// `cnnc train` of its spec on its data, with runs in its folder.
    fn train(&self, more: &[&str]) -> Output {
        let [spec, data, runs] = ["net.cnn", "data", "runs"].map(|name| self.path(name));
        let mut args = vec![
            "train",
            spec.to_str().unwrap(),
            "--data",
            data.to_str().unwrap(),
        ];
        args.extend(["--runs", runs.to_str().unwrap()]);
        args.extend(more);
        let mut command = Command::new(env!("CARGO_BIN_EXE_cnnc"));
        command.args(args).current_dir(self.folder.path());
        command.output().unwrap()
    }

    fn resume(&self, run: &str) -> Output {
        let folder = self.path("runs").join(run);
        cnnc(&["train", "--resume", folder.to_str().unwrap()])
    }

    /// What is said of a run that cannot go on.
    fn refused(&self, run: &str) -> String {
        let output = self.resume(run);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
        let message = text(&output.stderr);
        message.replace(self.folder.path().to_str().unwrap(), "DIR")
    }

    fn error(&self, more: &[&str]) -> String {
        let output = self.train(more);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
        let message = text(&output.stderr);
        message.replace(self.folder.path().to_str().unwrap(), "DIR")
    }
}

const NET: &str = "input x: 1x8x8; conv 3x3 6 relu; maxpool 2x2; flatten; dense 4; head classify";

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

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
