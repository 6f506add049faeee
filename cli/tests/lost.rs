//! What is never lost: a run that is killed goes on from what it saved, a full disk leaves the last whole state, and two runs have two folders.

use cnnc_testing::Place;
use std::ops::Deref;
use std::process::{Child, Stdio};
use std::time::Duration;

struct Made(Place);

impl Made {
    /// A spec with some recipe, and rows of numbers.
    fn new(recipe: &str) -> Made {
        let made = Made(Place::new(env!("CARGO_BIN_EXE_cnnc")));
        let spec = format!(
            "cnn 1; model Net {{ input x: 8; dense 32 tanh; dropout 0.2; dense 3; head classify; train {{ {recipe} }} }}"
        );
        std::fs::write(made.path("net.cnn"), spec).unwrap();
        let mut rows = String::new();
        for row in 0..600_u32 {
            let class = row * 7 % 3;
            for column in 0..8_u32 {
                let noise = row
                    .wrapping_mul(2_654_435_761)
                    .wrapping_add(column * 40_503)
                    >> 20;
                let number = noise % 100 + if column % 3 == class { 60 } else { 0 };
                rows += &format!("{},", f64::from(number) / 100.0);
            }
            rows += &format!("{class}\n");
        }
        std::fs::write(made.path("data.csv"), rows).unwrap();
        made
    }

    fn child(&self, line: &str) -> Child {
        let mut command = self.command(line);
        let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
        quiet.spawn().unwrap()
    }

    fn last(&self, run: &str) -> Vec<u8> {
        std::fs::read(self.path(run).join("last.safetensors")).unwrap()
    }
}

impl Deref for Made {
    type Target = Place;

    fn deref(&self) -> &Place {
        &self.0
    }
}

const TRAIN: &str = "train net.cnn --data data.csv";

/// Killed again and again, at moments that nobody chose.
#[test]
fn a_run_that_is_killed_goes_on_from_what_it_saved() {
    let made = Made::new("rate 0.1  batch 4  epochs 30");
    made.prints(&format!("{TRAIN} --name whole"));
    let state = made.path("runs/parts/state.json");
    let mut line = format!("{TRAIN} --name parts");
    let mut kills = 0;
    for round in 0..40_u64 {
        let mut child = made.child(&line);
        // A run that has not begun is begun again.
        let mut waits = 0;
        while !state.exists() && waits < 6000 && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(5));
            waits += 1;
        }
        std::thread::sleep(Duration::from_millis(20 + 37 * round % 160));
        let done = child.try_wait().unwrap().is_some();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(state.exists());
        line = "train --resume runs/parts".to_owned();
        if done {
            break;
        }
        kills += 1;
    }
    assert!(kills > 0);
    made.prints("train --resume runs/parts");
    assert!(made.last("runs/parts") == made.last("runs/whole"));
    // What could not be finished lies around nowhere but in the folder of the run.
    let files = std::fs::read_dir(made.path("runs")).unwrap();
    assert_eq!(files.count(), 2);
}

/// `/dev/full` is where the state of the second epoch would be.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_the_last_whole_state() {
    // Epochs that take long enough to come in between.
    let made = Made::new("rate 0.01  batch 1  epochs 4");
    made.prints(&format!("{TRAIN} --name whole"));
    let mut child = made.child(&format!("{TRAIN} --name parts"));
    let full = made.path("runs/parts/state-002.safetensors");
    let mut waits = 0;
    while std::os::unix::fs::symlink("/dev/full", &full).is_err() && waits < 20_000 {
        std::thread::sleep(Duration::from_millis(1));
        waits += 1;
    }
    assert!(!child.wait().unwrap().success());
    let output = made.output("train --resume runs/parts");
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(
        error.contains("runs/parts/state-002.safetensors: No space left on device"),
        "{error}"
    );
    assert!(error.contains("cnnc train --resume runs/parts"), "{error}");
    std::fs::remove_file(full).unwrap();
    let printed = made.prints("train --resume runs/parts");
    assert!(!printed.contains("\n    1 "), "{printed}");
    assert!(made.last("runs/parts") == made.last("runs/whole"));
}

#[test]
fn two_runs_never_share_a_folder() {
    let made = Made::new("rate 0.1  batch 20  epochs 2");
    let all: Vec<Child> = (0..4).map(|_| made.child(TRAIN)).collect();
    for mut child in all {
        assert!(child.wait().unwrap().success());
    }
    let whole = made.last("runs/net-01");
    for number in 2..=4 {
        assert!(made.last(&format!("runs/net-0{number}")) == whole);
    }
    assert!(!made.path("runs/net-05").exists());
    let all: Vec<Child> = (0..3)
        .map(|_| made.child(&format!("{TRAIN} --name one")))
        .collect();
    let well = all
        .into_iter()
        .map(|mut child| child.wait().unwrap().success());
    assert_eq!(well.filter(|well| *well).count(), 1);
    assert!(made.last("runs/one") == whole);
    // Nor do a run and one that goes on with it at the same time.
    let mut long = made.child(&format!("{TRAIN} --name long --epochs 100000"));
    while !made.path("runs/long/state.json").exists() {
        std::thread::sleep(Duration::from_millis(5));
        assert!(long.try_wait().unwrap().is_none());
    }
    let output = made.output("train --resume runs/long");
    long.kill().unwrap();
    long.wait().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(
        error.contains("runs/long: this run goes on somewhere else right now"),
        "{error}"
    );
}
