//! README.md: its commands run, and its dependencies have the features that they name.

use cnnc_testing::file;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

fn readme() -> String {
    fs::read_to_string(file("README.md")).unwrap()
}

/// The blocks of that language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let begin = format!("```{language}\n");
    let rest = text.split(&begin).skip(1);
    rest.map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}

/// Files for the names that commands are shown with.
fn prepare(folder: &Path) {
    let net = "cnn 1
model Net {
  input x: 3x16x16 { resize 16x16 }
  map: conv 3x3 4 relu
  globalavgpool
  head embed
}
";
    fs::write(folder.join("net.cnn"), net).unwrap();
    let cfg = "[net]\nwidth=16\nheight=16\nchannels=3\n\n[convolutional]\nfilters=4\nsize=3\n";
    fs::write(folder.join("net.cfg"), cfg).unwrap();
    let picture = file("examples/data/pelican.jpeg");
    fs::create_dir(folder.join("DIR")).unwrap();
    fs::copy(&picture, folder.join("DIR/pelican.jpeg")).unwrap();
    fs::copy(&picture, folder.join("IMG")).unwrap();
    fs::copy(&picture, folder.join("PAINTING")).unwrap();
    run(
        folder,
        &["convert", "net.cnn", "--weights", "synthetic", "FILE"],
    );
    // Eighty digits, all of them empty.
    let mnist = folder.join("MNIST");
    fs::create_dir(&mnist).unwrap();
    for of in ["train", "t10k"] {
        let images = [
            &[0, 0, 8, 3, 0, 0, 0, 80, 0, 0, 0, 28, 0, 0, 0, 28][..],
            &[0; 80 * 28 * 28],
        ];
        let labels = [&[0, 0, 8, 1, 0, 0, 0, 80][..], &[7; 80]];
        fs::write(
            mnist.join(format!("{of}-images-idx3-ubyte")),
            images.concat(),
        )
        .unwrap();
        fs::write(
            mnist.join(format!("{of}-labels-idx1-ubyte")),
            labels.concat(),
        )
        .unwrap();
    }
    for class in ["no", "yes"] {
        fs::create_dir_all(folder.join("SIGNS").join(class)).unwrap();
        fs::write(folder.join("SIGNS").join(class).join("a.png"), "").unwrap();
    }
    // A picture with two boxes, as YOLO has them.
    for part in ["images", "labels"] {
        fs::create_dir_all(folder.join("BOXES").join(part)).unwrap();
    }
    fs::copy(&picture, folder.join("BOXES/images/a.jpeg")).unwrap();
    let rows = "0 0.5 0.5 0.2 0.4\n1 0.3 0.3 0.1 0.1\n";
    fs::write(folder.join("BOXES/labels/a.txt"), rows).unwrap();
    for name in ["specs", "examples"] {
        copy(&file(name), &folder.join(name));
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

#[track_caller]
fn run(folder: &Path, args: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cnnc"));
    let output = command.current_dir(folder).args(args).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {error}");
}

#[test]
fn every_command_runs() {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let mut commands = BTreeSet::new();
    for line in blocks(&readme(), "sh")
        .iter()
        .flat_map(|block| block.lines())
    {
        let line = line.split(" # ").next().unwrap().trim();
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut args = match words.as_slice() {
            ["cnnc", args @ ..] | ["cargo", "run", "--release", "--", args @ ..] => args.to_vec(),
            ["cargo", "test", "--release", "--workspace"] => continue,
            ["cargo", "install", "--path", path] => {
                assert!(file(path).join("Cargo.toml").exists(), "{line}");
                continue;
            }
            _ => panic!("this test does not know how to check `{line}`"),
        };
        commands.insert(args[0].to_owned());
        // Its answer is the same in less time.
        if args[0] == "bench" {
            args.extend(["--seconds", "0.01"]);
        }
        if args[0] == "style" {
            args.extend(["--steps", "3"]);
        }
        run(folder.path(), &args);
    }
    let help = Command::new(env!("CARGO_BIN_EXE_cnnc"))
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let there: BTreeSet<String> = list
        .lines()
        .map_while(|line| {
            line.split_whitespace()
                .next()
                .filter(|_| line.starts_with("  "))
        })
        .filter(|word| *word != "help")
        .map(str::to_owned)
        .collect();
    assert_eq!(commands, there, "README.md shows every command");
}

#[test]
fn features_exist() {
    let manifest = fs::read_to_string(file("Cargo.toml")).unwrap();
    let (_, features) = manifest.split_once("[features]\n").unwrap();
    let features: BTreeSet<&str> = features
        .lines()
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| Some(line.split_once(" = ")?.0))
        .collect();
    let mut lines = 0;
    for block in blocks(&readme(), "toml") {
        for line in block.lines().filter(|line| line.starts_with("cnnc = ")) {
            lines += 1;
            assert_eq!(
                block.matches("cnnc = ").count(),
                1,
                "alternatives, each by itself"
            );
            let named = line.split_once("features = [").map_or("", |(_, rest)| rest);
            let named = named.split(']').next().unwrap();
            for feature in named.split(", ").filter(|name| !name.is_empty()) {
                assert!(features.contains(feature.trim_matches('"')), "{line}");
            }
        }
    }
    assert_eq!(lines, 3);
}
