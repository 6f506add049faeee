//! The command: what it prints, writes and refuses.

use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

const CFG: &str = "[net]\nwidth=8\nheight=8\nchannels=3\n[convolutional]\nfilters=12\nactivation=linear\n\
    [region]\nanchors=1,2,3,4\nclasses=1\nnum=2\nsoftmax=1\n";

fn place() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    std::fs::create_dir(place.path().join("specs")).unwrap();
    for (name, text) in [
        ("tiny.cfg", CFG),
        ("names.txt", "thing\n"),
        ("two.txt", "a\nb\n"),
    ] {
        std::fs::write(place.path().join(name), text).unwrap();
    }
    place
}

fn cnnc(place: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cnnc"));
    command.args(args).current_dir(place).output().unwrap()
}

#[track_caller]
pub fn prints(place: &Path, args: &[&str]) -> String {
    let output = cnnc(place, args);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{args:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
pub fn complains(place: &Path, args: &[&str]) -> String {
    let output = cnnc(place, args);
    assert_eq!(output.status.code(), Some(1), "{args:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_spec_is_printed_or_written_and_runs() {
    let place = place();
    let place = place.path();
    let spec = prints(place, &["import", "tiny.cfg"]);
    assert!(
        spec.starts_with("cnn 1\n/// Imported from tiny.cfg"),
        "{spec}"
    );
    assert!(spec.contains("model Tiny {"), "{spec}");
    let said = prints(
        place,
        &[
            "import",
            "tiny.cfg",
            "-o",
            "specs/tiny.cnn",
            "--labels",
            "names.txt",
        ],
    );
    assert_eq!(said, "specs/tiny.cnn: Tiny, 1 layer\n");
    let written = std::fs::read_to_string(place.join("specs/tiny.cnn")).unwrap();
    // Labels are found from where the spec is.
    assert!(written.contains("labels \"../names.txt\""), "{written}");
    prints(place, &["check", "specs/tiny.cnn"]);
    prints(
        place,
        &[
            "run",
            "specs/tiny.cnn",
            "--weights",
            "synthetic",
            "--input",
            "synthetic",
        ],
    );
}

#[test]
fn refusals_write_nothing() {
    let place = place();
    let place = place.path();
    let before = std::fs::read(place.join("tiny.cfg")).unwrap();
    let said = complains(place, &["import", "tiny.cfg", "-o", "tiny.cfg"]);
    assert!(said.contains("would be overwritten"), "{said}");
    let said = complains(
        place,
        &[
            "import",
            "tiny.cfg",
            "-o",
            "names.txt",
            "--labels",
            "names.txt",
        ],
    );
    assert!(said.contains("would be overwritten"), "{said}");
    assert_eq!(std::fs::read(place.join("tiny.cfg")).unwrap(), before);

    std::fs::write(
        place.join("bad.cfg"),
        CFG.replace("filters=12", "filters=13"),
    )
    .unwrap();
    let said = complains(place, &["import", "bad.cfg", "-o", "bad.cnn"]);
    assert!(
        said.contains("bad.cfg: line 8: [region]: 2 anchors and 1 classes"),
        "{said}"
    );
    // Two names for one class.
    let said = complains(
        place,
        &["import", "tiny.cfg", "-o", "bad.cnn", "--labels", "two.txt"],
    );
    assert!(
        said.contains("--labels two.txt: there are 2 labels"),
        "{said}"
    );
    assert!(!said.contains("bad.cnn"), "{said}");
    for (file, expected) in [("none.cfg", "none.cfg"), ("specs", "it is a directory")] {
        let said = complains(place, &["import", file, "-o", "bad.cnn"]);
        assert!(said.contains(expected), "{said}");
    }
    assert!(!place.join("bad.cnn").exists());
    assert_eq!(cnnc(place, &["import"]).status.code(), Some(2));
}
