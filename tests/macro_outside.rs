//! `cnn_model!` in a crate outside this workspace, under another name: what it computes, that an edit of the spec is
//! noticed, and where mistakes are shown.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The crate, copied to where it can be edited. It shares this workspace's target directory, versions, profile and features, so
/// that little has to be built.
struct Outside(PathBuf);

impl Outside {
    fn new(name: &str) -> Outside {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let to = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&to);
        copy(&root.join("tests/outside"), &to);
        let manifest = fs::read_to_string(to.join("Cargo.toml")).unwrap();
        let manifest = manifest.replace("../..", root.to_str().unwrap());
        // Crates of one name in one target directory must not be confused.
        let manifest = manifest.replace("\"outside\"", &format!("\"{name}\""));
        let workspace = fs::read_to_string(root.join("Cargo.toml")).unwrap();
        let (_, profile) = workspace.split_once("[profile.release]").unwrap();
        let manifest = format!("{manifest}\n[profile.release]{profile}");
        fs::write(to.join("Cargo.toml"), manifest).unwrap();
        fs::copy(root.join("Cargo.lock"), to.join("Cargo.lock")).unwrap();
        Outside(to)
    }

    fn cargo(&self, command: &str, bin: &str, more: &[&str]) -> Output {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(&self.0).env("CARGO_TARGET_DIR", target);
        cargo
            .args([command, "--offline", "--release", "--quiet", "--bin", bin])
            .args(more);
        cargo.output().unwrap()
    }

    fn run(&self, bin: &str) -> String {
        let output = self.cargo("run", bin, &[]);
        let problems = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{problems}");
        assert_eq!(problems, "", "no warnings either");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Errors of a program that must not build: message, and the text that is underlined.
    fn errors(&self, bin: &str) -> Vec<(String, String)> {
        let output = self.cargo("check", bin, &["--message-format=json"]);
        assert!(!output.status.success(), "{bin} builds");
        let mut errors = Vec::new();
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let message = &line["message"];
            let spans = message["spans"].as_array();
            // The last says only how many there were.
            if message["level"] != "error" || spans.is_none_or(|spans| spans.is_empty()) {
                continue;
            }
            let span = spans
                .unwrap()
                .iter()
                .find(|span| span["is_primary"] == true)
                .unwrap();
            assert_eq!(span["file_name"], format!("src/bin/{bin}.rs"));
            let text = span["text"].as_array().unwrap();
            assert_eq!(text.len(), 1, "on one line");
            let number = |key: &str| text[0][key].as_u64().unwrap() as usize - 1;
            let (from, to) = (number("highlight_start"), number("highlight_end"));
            let line = text[0]["text"].as_str().unwrap().chars();
            let underlined = line.skip(from).take(to - from).collect();
            errors.push((message["message"].as_str().unwrap().to_owned(), underlined));
        }
        errors
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (from, to) = (
            entry.as_ref().unwrap().path(),
            to.join(entry.unwrap().file_name()),
        );
        match from.is_dir() {
            true => copy(&from, &to),
            false => drop(fs::copy(from, to).unwrap()),
        }
    }
}

#[test]
fn a_renamed_crate_and_an_edited_spec() {
    let outside = Outside::new("outside_renamed");
    let before = outside.run("outside_renamed");
    let lines: Vec<&str> = before.lines().collect();
    assert_eq!(lines.len(), 2, "{before}");
    assert_eq!(lines[0], lines[1], "the file and the text say the same");
    assert!(lines[0].starts_with("55 ["), "{before}");
    // Cargo notices an edit by its time, which must not be that of the build.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let spec = fs::read_to_string(outside.0.join("net.cnn")).unwrap();
    fs::write(
        outside.0.join("net.cnn"),
        spec.replace("dense 3", "dense 2"),
    )
    .unwrap();
    let after = outside.run("outside_renamed");
    assert!(after.starts_with("50 ["), "{after}");
    assert_eq!(after.lines().nth(1), Some(lines[1]));
}

#[test]
fn mistakes_are_underlined() {
    let outside = Outside::new("outside_wrong");
    let fit = |error: &(String, String), underlined: &str, message: &str| {
        assert_eq!(error.1, underlined, "{}", error.0);
        assert!(error.0.contains(message), "{}", error.0);
    };
    // In a file: the rendered diagnostic, at the name of the file.
    let errors = outside.errors("wrong_file");
    assert_eq!(errors.len(), 1, "{errors:?}");
    fit(&errors[0], "\"wrong.cnn\"", "rellu");
    fit(&errors[0], "\"wrong.cnn\"", "wrong.cnn:4:17");
    fit(&errors[0], "\"wrong.cnn\"", "^^^^^");
    fit(&errors[0], "\"wrong.cnn\"", "did you mean `relu`?");

    let errors = outside.errors("no_file");
    assert_eq!(errors.len(), 1, "{errors:?}");
    fit(&errors[0], "\"missing.cnn\"", "cannot be read");

    // Between braces: each mistake at its own token.
    let errors = outside.errors("wrong_word");
    assert_eq!(errors.len(), 2, "{errors:?}");
    fit(&errors[0], "hlaf", "did you mean `half`?");
    fit(&errors[1], "rellu", "did you mean `relu`?");

    let errors = outside.errors("wrong_argument");
    assert_eq!(errors.len(), 1, "{errors:?}");
    fit(&errors[0], "wights", "unknown argument `wights`");

    let weights = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/lenet5.safetensors");
    fs::copy(weights, outside.0.join("other.safetensors")).unwrap();
    let errors = outside.errors("wrong_weights");
    assert_eq!(errors.len(), 1, "{errors:?}");
    fit(&errors[0], "\"other.safetensors\"", "c.weight");
}
