//! docs/course.md: every command of every lecture, with networks that learn for a moment, or as it stands.

use cnnc_testing::{file, has, shared};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What makes a command short: its beginning, and flags with the values that they then have.
const SHORT: [(&str, &[[&str; 2]]); 5] = [
    ("cnnc train", &[["--limit", "128"], ["--epochs", "1"]]),
    ("cnnc bench", &[["--seconds", "0.1"]]),
    ("cnnc style", &[["--steps", "2"], ["--size", "64"]]),
    ("cnnc visualize", &[["--crops", "2"], ["--steps", "2"]]),
    ("cnnc propose", &[["--side", "100"]]),
];
/// Pictures of blood cells that short commands learn from, and are judged by.
const CELLS: [(&str, usize); 2] = [("train.txt", 12), ("val.txt", 4)];

/// A lecture: its number, and its commands.
struct Lecture {
    number: usize,
    commands: Vec<String>,
}

/// The lectures of a week.
fn lectures(week: usize) -> Vec<Lecture> {
    let page = fs::read_to_string(file("docs/course.md")).unwrap();
    let weeks: Vec<&str> = page.split("\n## ").collect();
    let of_week = weeks[week];
    assert!(of_week.starts_with(&format!("Week {week}: ")), "{of_week}");
    let lectures = of_week.split("\n### ").skip(1).map(|lecture| {
        let (number, text) = lecture.split_once(". ").expect("a number");
        let number = number.parse().unwrap_or_else(|_| panic!("### {number}"));
        let blocks = text.split("```sh\n").skip(1);
        let blocks = blocks.map(|block| block.split("```").next().unwrap());
        let commands = blocks.flat_map(str::lines).map(str::to_owned).collect();
        Lecture { number, commands }
    });
    lectures.collect()
}

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

/// A command as the shell takes it, and the least percentage that it promises.
fn prepared(line: &str, short: bool, programs: &Path) -> (String, Option<f64>) {
    let (command, promise) = line.split_once("    # ").unwrap_or((line, ""));
    let mut command = command.trim().to_owned();
    if let Some(rest) = command.strip_prefix("cargo run --release -p cnnc --example ") {
        let (name, arguments) = rest.split_once(" -- ").unwrap_or((rest, ""));
        command = format!("{} {arguments}", example(name, programs).display());
    }
    let flags = SHORT
        .iter()
        .find(|(start, _)| short && command.starts_with(start));
    for [flag, value] in flags.iter().flat_map(|(_, flags)| *flags) {
        // Gram matrices take no steps.
        if *flag != "--steps" || !command.contains(" --gram ") {
            command = with(&command, flag, value);
        }
    }
    let promise = promise
        .strip_suffix(" %")
        .map(|least| least.parse().unwrap());
    (command, promise)
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

/// The last percentage of the line that says what came out, or of the last one with any.
fn percentage(printed: &str) -> Option<f64> {
    let in_line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let pairs = words.windows(2).filter(|pair| pair[1].starts_with('%'));
        pairs.rev().find_map(|pair| pair[0].parse().ok())
    };
    let best = printed.lines().find(|line| line.starts_with("best: "));
    best.and_then(in_line)
        .or_else(|| printed.lines().rev().find_map(in_line))
}

/// Runs the lectures of a week, one behind the other, in a folder of its own.
fn week(week: usize, short: bool) {
    let Some(data) = shared("data") else {
        return;
    };
    let python = Command::new("python3").arg("--version").output();
    let python = has(python.is_ok(), "python3");
    let folder = tempfile::tempdir().unwrap();
    data_sets(&data, &folder.path().join("data"), short);
    for name in ["specs", "examples", "docs"] {
        symlink(file(name), folder.path().join(name)).unwrap();
    }
    let programs = Path::new(env!("CARGO_BIN_EXE_cnnc")).parent().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", programs.display());
    for lecture in lectures(week) {
        assert!(!lecture.commands.is_empty(), "lecture {}", lecture.number);
        for line in &lecture.commands {
            if line.starts_with("python3") && !python {
                return;
            }
            let (command, promise) = prepared(line, short, programs);
            let mut shell = Command::new("sh");
            shell.args(["-c", &command]).current_dir(folder.path());
            let output = shell.env("PATH", &path).output().unwrap();
            let printed = String::from_utf8_lossy(&output.stdout);
            assert!(
                output.status.success(),
                "lecture {}: {command}\n{printed}{}",
                lecture.number,
                String::from_utf8_lossy(&output.stderr)
            );
            let Some(least) = promise.filter(|_| !short) else {
                continue;
            };
            let reached = percentage(&printed);
            println!("lecture {}: {line}: {reached:?} %", lecture.number);
            assert!(
                reached.is_some_and(|reached| reached >= least),
                "lecture {}: {command}: {reached:?} of {least} %\n{printed}",
                lecture.number
            );
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

#[test]
fn what_came_out_is_found() {
    let printed = "    1  0.1  35.60 %\nbest: epoch 6, accuracy 68.20 % of the test samples\nruns/a (4.0 s)\n";
    assert_eq!(percentage(printed), Some(68.2));
    assert_eq!(
        percentage("accuracy 91.20 % (456 of 500)\nmore\n"),
        Some(91.2)
    );
    assert_eq!(percentage("nothing\n"), None);
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
