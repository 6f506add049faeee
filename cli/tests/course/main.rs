//! docs/course.md: every command of every lecture, with networks that learn for a moment, or as it stands.

mod files;
mod page;
mod printed;

use cnnc_testing::{file, has, shared};
use page::{Lecture, Line, Promise, lectures, promises};
use printed::{Outcome, last_of};
use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Flags with the values that they then have.
type Flags = &'static [[&'static str; 2]];

/// What makes a command short: its beginning, and flags.
const SHORT: [(&str, Flags); 5] = [
    ("cnnc train", &[["--limit", "128"], ["--epochs", "1"]]),
    ("cnnc bench", &[["--seconds", "0.1"]]),
    ("cnnc style", &[["--steps", "2"], ["--size", "64"]]),
    ("cnnc visualize", &[["--crops", "2"], ["--steps", "2"]]),
    ("cnnc propose", &[["--side", "100"]]),
];
/// Runs that take a second or two as they stand: their promises, and those of what uses them, hold in the short form, too.
const WHOLE: [&str; 7] = [
    "likeness",
    "triplet",
    "contrastive",
    "logistic",
    "gunpoint",
    "power",
    "voxels",
];
/// Runs that learn for longer than a moment in the short form, and what they then come to: well below what seeds 1 and 2 have come to.
const LONGER: [(&str, Flags, &str); 5] = [
    ("lenet5", &[["--limit", "2000"], ["--epochs", "2"]], "75 %"),
    ("transfer", &[["--epochs", "10"]], "70 %"),
    (
        "localize",
        &[["--limit", "1000"], ["--epochs", "3"]],
        "box iou ≥ 30 %",
    ),
    (
        "keypoints",
        &[["--limit", "1000"], ["--epochs", "2"]],
        "point error ≤ 8 %",
    ),
    ("digits", &[["--epochs", "6"]], "30 %"),
];
/// Of two runs of a lecture the first one's loss is the higher one.
const WORSE: [(usize, &str, &str); 1] = [(15, "plain", "residual")];
/// Pictures of blood cells that short commands learn from, and are judged by.
const CELLS: [(&str, usize); 2] = [("train.txt", 12), ("val.txt", 4)];

/// The program of an example, which is built if it is not there.
fn example(name: &str, programs: &Path) -> PathBuf {
    let path = programs.join("examples").join(name);
    if !path.exists() {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--release", "-p", "cnnc", "--example", name]);
        let built = cargo.current_dir(file(".")).status().unwrap();
        assert!(built.success(), "the example `{name}` is not built");
    }
    path
}

/// A command as it runs.
struct Prepared {
    /// What the shell takes.
    command: String,
    /// What it has to come to.
    promises: Vec<Promise>,
    /// The name of the run that it trains.
    run: Option<String>,
    /// Whether its figures are those of the page.
    whole: bool,
}

/// A command of the page as it stands, or short; `runs` are those that have learned all that the page promises.
fn prepared(line: &Line, short: bool, programs: &Path, runs: &HashSet<String>) -> Prepared {
    let mut command = line.command.clone();
    if let Some(rest) = command.strip_prefix("cargo run --release -p cnnc --example ") {
        let (name, arguments) = rest.split_once(" -- ").unwrap_or((rest, ""));
        command = format!("{} {arguments}", example(name, programs).display());
    }
    let trains = command.starts_with("cnnc train ");
    let run = files::behind(&command, &["--name"]).first().copied();
    let run = run.filter(|_| trains).map(str::to_owned);
    let mut prepared = Prepared {
        promises: line.promises.clone(),
        whole: true,
        command,
        run,
    };
    if !short {
        return prepared;
    }
    let run = prepared.run.as_deref();
    if run.is_some_and(|run| WHOLE.contains(&run)) {
        return prepared;
    }
    let longer = LONGER.iter().find(|(name, ..)| run == Some(*name));
    let starts = |(start, _): &&(&str, Flags)| prepared.command.starts_with(start);
    let flags: Flags = match longer {
        Some((_, flags, _)) => *flags,
        None => SHORT.iter().find(starts).map_or(&[], |(_, flags)| *flags),
    };
    for [flag, value] in flags {
        // Gram matrices take no steps.
        if *flag != "--steps" || !prepared.command.contains(" --gram ") {
            prepared.command = with(&prepared.command, flag, value);
        }
    }
    let used = prepared.command.split("runs/").skip(1);
    let mut used = used.filter_map(|rest| rest.split(['/', ' ']).next());
    prepared.whole = flags.is_empty()
        && !prepared.command.contains("data/bccd")
        && used.all(|run| runs.contains(run));
    if let Some((_, _, promised)) = longer {
        prepared.promises = promises(promised);
        prepared.whole = true;
    }
    prepared
}

/// A command with a flag that has this value, whatever it had.
fn with(command: &str, flag: &str, value: &str) -> String {
    let mut words: Vec<&str> = command.split(' ').collect();
    match words.iter().position(|&word| word == flag) {
        Some(at) => words[at + 1] = value,
        None => words.extend([flag, value]),
    }
    words.join(" ")
}

/// The data sets, as links; where it is to be short, with few blood cells.
fn data_sets(from: &Path, to: &Path, short: bool) {
    if !short {
        return symlink(from, to).unwrap();
    }
    let link = |from: &Path, to: &Path, but: &str| {
        fs::create_dir(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let name = entry.unwrap().file_name();
            if name != but {
                symlink(from.join(&name), to.join(&name)).unwrap();
            }
        }
    };
    link(from, to, "bccd");
    link(&from.join("bccd"), &to.join("bccd"), "ImageSets");
    let lists = Path::new("bccd/ImageSets/Main");
    fs::create_dir_all(to.join(lists)).unwrap();
    for (name, count) in CELLS {
        let list = fs::read_to_string(from.join(lists).join(name)).unwrap();
        let few: Vec<&str> = list.lines().take(count).collect();
        fs::write(to.join(lists).join(name), few.join("\n")).unwrap();
    }
}

/// A folder in which the commands of a week run, one behind the other.
struct Week {
    folder: tempfile::TempDir,
    programs: PathBuf,
    short: bool,
    /// Runs that have learned all that the page promises.
    runs: HashSet<String>,
}

impl Week {
    fn new(data: &Path, short: bool) -> Week {
        let folder = tempfile::tempdir().unwrap();
        data_sets(data, &folder.path().join("data"), short);
        for name in ["specs", "examples", "docs"] {
            symlink(file(name), folder.path().join(name)).unwrap();
        }
        let programs = Path::new(env!("CARGO_BIN_EXE_cnnc")).parent().unwrap();
        Week {
            folder,
            programs: programs.to_owned(),
            short,
            runs: HashSet::new(),
        }
    }

    /// Runs a command, and looks at what it has printed and written.
    fn run(&mut self, line: &Line) {
        let ready = prepared(line, self.short, &self.programs, &self.runs);
        let command = &ready.command;
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{path}", self.programs.display());
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).current_dir(&self.folder);
        let output = shell.env("PATH", &path).output().unwrap();
        let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
        let printed = format!("{out}{err}");
        assert!(output.status.success(), "{command}\n{printed}");
        files::are_written(command, self.folder.path());
        let run = ready.run.as_ref();
        let run = run.map(|run| self.folder.path().join("runs").join(run));
        if let Some(run) = &run {
            files::has_learned(run, command);
        }
        let outcome = Outcome {
            printed: &printed,
            run: run.as_deref(),
        };
        for promise in &ready.promises {
            if !ready.whole && !matches!(promise, Promise::Words(_)) {
                continue;
            }
            match outcome.keeps(promise) {
                Ok(kept) => println!("{command}: {kept}"),
                Err(why) => panic!("{command}: {why}\n{printed}"),
            }
        }
        if ready.promises == line.promises && ready.whole {
            self.runs.extend(ready.run);
        }
    }

    /// A run's loss on what it learned from, in its last epoch.
    fn loss(&self, run: &str) -> f64 {
        let table = self
            .folder
            .path()
            .join("runs")
            .join(run)
            .join("results.csv");
        let table = fs::read_to_string(table).unwrap();
        last_of(&table, |head| head == "loss").unwrap()
    }
}

/// Runs the lectures of a week.
fn week(number: usize, short: bool) {
    let Some(data) = shared("data") else {
        return;
    };
    let python = Command::new("python3").arg("--version").output();
    let python = has(python.is_ok(), "python3");
    let mut week = Week::new(&data, short);
    for Lecture { number, commands } in lectures(number) {
        assert!(!commands.is_empty(), "lecture {number}");
        println!("lecture {number}");
        for line in &commands {
            if line.command.starts_with("python3") && !python {
                return;
            }
            week.run(line);
        }
        for (_, worse, better) in WORSE.iter().filter(|(of, ..)| *of == number && !short) {
            let [worse, better] = [worse, better].map(|run| week.loss(run));
            assert!(worse > better, "lecture {number}: {worse}, {better}");
        }
    }
}

#[test]
fn there_are_44_lectures() {
    let numbers: Vec<usize> = (1..=4)
        .flat_map(lectures)
        .map(|lecture| lecture.number)
        .collect();
    let all: Vec<usize> = (1..=44).collect();
    assert_eq!(numbers, all);
}

/// A lecture ends in a figure or a picture: something that is promised, or a file that is written.
#[test]
fn every_lecture_promises_something() {
    for lecture in (1..=4).flat_map(lectures) {
        let shows = |line: &Line| {
            let drawn = ["-o", "--out", "--draw", "--draw-all", "--heat"];
            !line.promises.is_empty() || !files::behind(&line.command, &drawn).is_empty()
        };
        assert!(
            lecture.commands.iter().any(shows),
            "lecture {}",
            lecture.number
        );
    }
}

/// Runs that the short form treats in another way are on the page.
#[test]
fn runs_are_those_of_the_page() {
    let commands = (1..=4)
        .flat_map(lectures)
        .flat_map(|lecture| lecture.commands);
    let all: HashSet<String> = commands
        .flat_map(|line| {
            files::behind(&line.command, &["--name"])
                .into_iter()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    let compared = WORSE.iter().flat_map(|(_, worse, better)| [worse, better]);
    let known = WHOLE.iter().chain(LONGER.iter().map(|(name, ..)| name));
    for name in known.chain(compared) {
        assert!(all.contains(*name), "{name}");
    }
}

/// Tests of a week, short and as it stands.
macro_rules! weeks {
    ($($name:ident, $long:ident: $week:literal;)*) => { $(
        #[test]
        fn $name() {
            week($week, true);
        }

        #[test]
        #[ignore = "networks that learn for minutes"]
        fn $long() {
            week($week, false);
        }
    )* };
}

weeks! {
    the_first_week_runs, the_first_week_runs_as_it_stands: 1;
    the_second_week_runs, the_second_week_runs_as_it_stands: 2;
    the_third_week_runs, the_third_week_runs_as_it_stands: 3;
    the_fourth_week_runs, the_fourth_week_runs_as_it_stands: 4;
}
