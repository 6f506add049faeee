//! `cnnc new`, `evaluate`, `plot`, and runs that are stopped: what they say, leave behind, and end with.

use cnnc::rt::image::Picture;
use cnnc_testing::{Place, told};
use serde_json::Value;
use std::fs;
use std::ops::Deref;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A folder with pictures of three classes, which are bright in a third each, and a spec.
struct Made(Place);

const SPEC: &str = "cnn 1
model Bars {
  input x: 1x6x6
  c: conv 3x3 6 relu
  globalavgpool
  fc: dense 3
  head classify { labels [\"left\", \"middle\", \"right\"] }
  EXPECT
}
";

impl Made {
    fn new(expect: &str) -> Made {
        let made = Made(Place::new(env!("CARGO_BIN_EXE_cnnc")));
        for (class, name) in ["left", "middle", "right"].into_iter().enumerate() {
            let folder = made.path("data").join(name);
            fs::create_dir_all(&folder).unwrap();
            for number in 0..20 {
                let bright = |at: usize| if at % 6 / 2 == class { 180 } else { 10 };
                let pixels: Vec<u8> = (0..36)
                    .map(|at| bright(at) + ((at * 7 + number * 13) % 50) as u8)
                    .collect();
                let picture = Picture::from_grey(6, 6, &pixels).unwrap();
                picture
                    .write_png(folder.join(format!("{number:02}.png")))
                    .unwrap();
            }
        }
        fs::write(made.path("net.cnn"), SPEC.replace("EXPECT", expect)).unwrap();
        made
    }
}

impl Deref for Made {
    type Target = Place;

    fn deref(&self) -> &Place {
        &self.0
    }
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

const TRAIN: &str = "train net.cnn --data data --batch 8 --rate 0.05";

#[test]
fn no_picture_is_drawn_over_what_is_read() {
    let made = Made::new("");
    made.prints("convert net.cnn --weights synthetic w.safetensors");
    // Files that are read, under the names of pictures.
    fs::rename(made.path("net.cnn"), made.path("net.svg")).unwrap();
    fs::rename(made.path("w.safetensors"), made.path("w.png")).unwrap();
    fs::copy(made.path("data/left/00.png"), made.path("data/rest.png")).unwrap();
    let judge = "evaluate net.svg --weights w.png --data data";
    let learn = "train net.svg --data data --overfit 3 --dry";
    for (command, file) in [
        (format!("{judge} --worst"), "data/left/00.png"),
        (format!("{judge} --worst"), "./data/../data/right/19.png"),
        (format!("{judge} --worst"), "w.png"),
        (format!("{judge} -o"), "net.svg"),
        (format!("{judge} -o"), "data/middle/07.png"),
        (format!("{learn} --show-batch"), "data/left/00.png"),
        (format!("{learn} --init w.png --show-batch"), "w.png"),
    ] {
        let before = made.read(file);
        let message = made.fails(&format!("{command} {file}"));
        let told = format!("`{file}` would be overwritten, and it is read");
        assert!(message.contains(&told), "{command} {file}: {message}");
        assert!(made.read(file) == before, "{command} {file}");
    }
    let message = made.fails(&format!("{judge} -o a.png --worst a.png"));
    assert!(
        message.contains("`a.png` would be written twice"),
        "{message}"
    );
    // What lies there and is no sample may be replaced.
    made.prints(&format!("{judge} --worst data/rest.png"));
}

#[test]
fn a_spec_of_a_run_says_how_it_was_trained() {
    let made = Made::new("");
    made.prints(&format!(
        "{TRAIN} --epochs 2 --seed 7 --optimizer adam --name first"
    ));
    let spec = String::from_utf8(made.read("runs/first/spec.cnn")).unwrap();
    for line in [
        "optimizer adam { betas 0.9 0.999  eps 0.00000001  decay 0.0005 }",
        "batch 8  epochs 2  seed 7  threads ",
        "rate 0.05 { warmup 0.1  cosine }",
    ] {
        assert!(spec.contains(line), "{spec}");
    }
    let again = made.prints("train runs/first/spec.cnn --data data --name again");
    assert!(again.contains("as the train section says\n"), "{again}");
    assert!(
        made.read("runs/again/state-002.safetensors")
            == made.read("runs/first/state-002.safetensors")
    );
}

#[cfg(unix)]
#[test]
fn a_run_that_is_interrupted_goes_on_to_the_bit() {
    let made = Made::new("");
    let line = format!("{TRAIN} --epochs 4000");
    let mut run = made
        .command(&format!("{line} --name stopped"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !made.path("runs/stopped/last.safetensors").exists() {
        assert!(
            begun.elapsed() < Duration::from_secs(120),
            "it does not begin"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    let pid = run.id().to_string();
    assert!(
        Command::new("kill")
            // As Ctrl-C, which a caller in the background may have ignored.
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(run.wait().unwrap().code(), Some(143));
    let mut said = String::new();
    std::io::Read::read_to_string(&mut run.stderr.take().unwrap(), &mut said).unwrap();
    let message =
        "stopped, and saved behind its last step; `cnnc train --resume runs/stopped` goes on";
    assert!(said.contains(message), "{said}");
    let state: Value = serde_json::from_slice(&made.read("runs/stopped/state.json")).unwrap();
    let done = state["epochs"].as_array().unwrap().len();
    assert!(done < 4000);
    // As many epochs more as fit the test: the schedule is that of all.
    let mut run = cnnc::train::Run::resume(&made.path("runs/stopped"), Some(2)).unwrap();
    let mut whole = made.whole(&run);
    for run in [&mut run, &mut whole] {
        while run.epochs().len() < done + 2 {
            run.epoch(|_, _, _| true).unwrap();
        }
    }
    assert!(
        read(&run.folder().join("last.safetensors"))
            == read(&whole.folder().join("last.safetensors"))
    );
}

impl Made {
    /// A run of the same recipe that has not stopped yet.
    fn whole(&self, run: &cnnc::train::Run) -> cnnc::train::Run {
        let spec = self.path("net.cnn");
        let model = cnnc::compile_file(&spec).unwrap();
        let data = cnnc::train::Data::open(&self.path("data"), None, model.graph()).unwrap();
        cnnc::train::Run::begin(
            model,
            &spec,
            run.recipe(),
            data,
            &self.path("runs"),
            Some("whole"),
        )
        .unwrap()
    }
}

#[test]
fn a_judgement_says_what_is_taken_for_what() {
    let made = Made::new("expect { accuracy 0.9 on \"data\"  accuracy 0.3 }");
    made.prints("train net.cnn --data data --batch 8 --epochs 40 --rate 0.2 --name good");
    made.prints("train net.cnn --data data --batch 8 --epochs 1 --rate 1e-9 --name bad");
    let good = "evaluate net.cnn --weights runs/good/weights.safetensors";
    let out = made.prints(&format!("{good} -o m.svg --worst w.png"));
    for part in [
        "60 samples (folders of 3 classes)",
        "accuracy 100.00 % (60 of 60)\n",
        "expected at least 90 % on data: it is\n",
        "expected at least 30 %: it is\n",
    ] {
        assert!(out.contains(part), "{out}");
    }
    assert!(
        String::from_utf8(made.read("m.svg"))
            .unwrap()
            .contains("Bars: 100.00 % of 60 right")
    );
    let sheet = Picture::open(made.path("w.png")).unwrap();
    assert_eq!(
        (sheet.width(), sheet.height()),
        (5 * 176 + 16, 5 * 220 + 12)
    );
    made.prints(&format!("{good} -o m.png"));
    assert!(Picture::open(made.path("m.png")).is_ok());
    let bad = "evaluate net.cnn --weights runs/bad/weights.safetensors";
    let output = made.output(bad);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        told(&output).contains("the accuracy is less than the spec expects"),
        "{}",
        told(&output)
    );
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(
        printed.contains("expected at least 90 % on data: it is LESS"),
        "{printed}"
    );
    assert!(printed.contains("taken for"), "{printed}");
    let output = made.output(&format!("{bad} --json"));
    assert_eq!(output.status.code(), Some(1));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let right: u64 = (0..3)
        .map(|class| json["confusion"][class][class].as_u64().unwrap())
        .sum();
    assert_eq!(
        (json["samples"].as_u64(), json["right"].as_u64()),
        (Some(60), Some(right))
    );
    assert_eq!(json["expected"][0]["met"], false);
    assert_eq!(json["worst"].as_array().unwrap().len(), 25);
    let worst = json["worst"][0]["sample"].as_str().unwrap();
    assert!(
        worst.ends_with(".png") && made.path("data").join(worst).exists(),
        "{worst}"
    );
    // What is expected on another folder is not checked.
    let other = made.prints(&format!("{good} --data runs/../data/"));
    assert!(other.contains("on data: it is\n"), "{other}");
    fs::create_dir(made.path("few")).unwrap();
    for class in ["left", "middle", "right"] {
        fs::create_dir(made.path("few").join(class)).unwrap();
        fs::copy(
            made.path("data/left/00.png"),
            made.path("few").join(class).join("a.png"),
        )
        .unwrap();
    }
    let few = made.prints(&format!("{good} --data few"));
    assert!(few.contains("on data: not checked"), "{few}");
    assert!(few.contains("accuracy 33.33 % (1 of 3)"), "{few}");
    let message = made.fails(&format!("{good} -o m.gif"));
    assert!(
        message.contains("m.gif: it is written as .svg, .png or .jpg"),
        "{message}"
    );
    let message = made.fails(&format!("{good} --worst w.svg"));
    assert!(
        message.contains("w.svg: a sheet of pictures is written as .png or .jpg"),
        "{message}"
    );
    let plain = Made::new("");
    let message = plain.fails(&format!(
        "evaluate net.cnn --weights {}",
        made.path("runs/good/weights.safetensors").display()
    ));
    assert!(
        message.contains("nothing says which pictures: give `--data DIR`"),
        "{message}"
    );
}

#[test]
fn runs_are_drawn_over_one_another() {
    let made = Made::new("");
    for (name, rate) in [("slow", "0.001"), ("fast", "0.2")] {
        made.prints(&format!(
            "train net.cnn --data data --batch 8 --epochs 3 --rate {rate} --name {name}"
        ));
    }
    let printed = made.prints("plot runs/slow runs/fast/ -o p.svg");
    assert_eq!(printed, "p.svg: 2 runs, 6 epochs\n");
    let svg = String::from_utf8(made.read("p.svg")).unwrap();
    for part in [
        ">slow</text>",
        ">fast</text>",
        ">training loss</text>",
        ">test accuracy</text>",
        ">3 epochs, loss ",
    ] {
        assert!(svg.contains(part), "{svg}");
    }
    made.prints("plot runs/slow -o p.png");
    let picture = Picture::open(made.path("p.png")).unwrap();
    assert_eq!(picture.width(), 760);
    let message = made.fails("plot runs -o p.svg");
    assert!(
        message.contains("runs/state.json: No such file"),
        "{message}"
    );
}

/// The last epoch of each run over the pictures that it learned from: what stands beside the curve is what `results.csv` has.
#[test]
fn runs_are_drawn_over_what_they_learned_from() {
    let made = Made::new("");
    let mut ends = Vec::new();
    for count in [8, 16, 24] {
        made.prints(&format!(
            "{TRAIN} --epochs 3 --limit {count} --name few-{count:03}"
        ));
        let rows =
            String::from_utf8(made.read(&format!("runs/few-{count:03}/results.csv"))).unwrap();
        let mut rows = rows
            .lines()
            .map(|row| row.split(',').collect::<Vec<&str>>());
        let heading = rows.next().unwrap();
        let column = heading
            .iter()
            .position(|name| *name == "test_accuracy")
            .unwrap_or_else(|| panic!("{heading:?}"));
        let last: f64 = rows.next_back().unwrap()[column].parse().unwrap();
        ends.push(format!("{:.1} % with {count}", 100.0 * last));
    }
    // In whatever order they are named.
    let printed = made.prints("plot runs/few-016 runs/few-008 runs/few-024 -x pictures -o few.svg");
    assert_eq!(printed, "few.svg: 3 runs, 9 epochs\n");
    let svg = String::from_utf8(made.read("few.svg")).unwrap();
    for part in [&ends[0], &ends[2], ">few</text>", ">test accuracy</text>"] {
        assert!(svg.contains(part), "`{part}` is not in {svg}");
    }
    assert!(!svg.contains(&ends[1]), "the middle is not named: {svg}");
}

#[test]
fn a_new_head_learns_on_an_old_trunk() {
    let made = Made::new("");
    made.prints(&format!("{TRAIN} --epochs 10 --name old"));
    let line = "new --from net.cnn --weights runs/old/weights.safetensors --data data";
    let printed = made.prints(&format!("{line} -o new.cnn"));
    assert_eq!(
        printed,
        "new.cnn: 3 classes, c frozen\nnext: cnnc train new.cnn --data data\n"
    );
    let spec = String::from_utf8(made.read("new.cnn")).unwrap();
    assert!(spec.contains("model Data {"), "{spec}");
    let printed = made.prints("train new.cnn --data data --epochs 2 --name new");
    assert!(printed.contains("frozen layers up to `globalavgpool_1` have run once for all 60 samples: the rest learns from 6 features each"), "{printed}");
    assert!(
        printed.contains("/runs/old/weights.safetensors; at random fc\nfrozen c\n"),
        "{printed}"
    );
    let message = made.fails(&format!("{line} -o new.cnn"));
    assert!(
        message.contains("new.cnn: it is there already"),
        "{message}"
    );
    let message = made.fails(
        "new --from net.cnn --weights runs/old/weights.safetensors --data runs/old -o x.cnn",
    );
    assert!(
        message.contains("runs/old: it has no folder of pictures for each class"),
        "{message}"
    );
    let message =
        made.fails("new --from net.cnn --weights missing.safetensors --data data -o x.cnn");
    assert!(message.contains("missing.safetensors"), "{message}");
    assert!(!made.path("x.cnn").exists());
}

#[test]
fn mistakes_of_fine_tuning_are_told_before_the_first_step() {
    let made = Made::new("train { freeze \"*\" }");
    let message = made.fails(&format!("{TRAIN} --epochs 1"));
    assert!(
        message.contains("everything is frozen: nothing is left to train"),
        "{message}"
    );
    let made = Made::new(
        "train { freeze \"c\"  init \"none.safetensors\"  schedule { unfreeze \"c\" at 3 } }",
    );
    let message = made.fails(&format!("{TRAIN} --epochs 4"));
    assert!(message.contains("none.safetensors"), "{message}");
    let message = made.fails(&format!("{TRAIN} --epochs 2"));
    assert!(
        message.contains("what is unfrozen behind epoch 3 is never trained: there are 2"),
        "{message}"
    );
    assert!(!made.path("runs").exists());
}
