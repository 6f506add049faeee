//! Small inputs on which the project was wrong once, with the right answers, through the program: `../shared/cases`.
//!
//! One module a folder of inputs, one test a row of its README.

mod compiler;
mod heads;
mod import;
mod language;
mod numerics;
mod pictures;
mod process;
mod weights;

use cnnc::rt::tensor_file::read_tensors;
use cnnc_testing::shared;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Memory that no case needs: bytes of address space, of which code, stacks and reserved ranges are a part.
const MEMORY: u64 = 6_000_000_000;

/// The folder of cases, and one for what is written.
struct Cases {
    folder: PathBuf,
    place: TempDir,
}

/// The cases, or `None` after saying that the test is skipped.
fn cases() -> Option<Cases> {
    let folder = shared("cases")?;
    let place = tempfile::tempdir().unwrap();
    Some(Cases { folder, place })
}

impl Cases {
    /// A file of the cases.
    fn file(&self, path: &str) -> String {
        self.folder.join(path).to_str().unwrap().to_owned()
    }

    /// A copy of a case, for commands that might harm it.
    fn copy(&self, path: &str) -> String {
        let name = Path::new(path).file_name().unwrap();
        let copy = self.place.path().join(name);
        let bytes = std::fs::read(self.folder.join(path)).unwrap();
        std::fs::write(&copy, bytes).unwrap();
        copy.to_str().unwrap().to_owned()
    }

    /// A file that a command may write.
    fn out(&self, name: &str) -> String {
        self.place.path().join(name).to_str().unwrap().to_owned()
    }

    /// A spec written for this test.
    fn spec(&self, text: &str) -> String {
        let path = self.out("spec.cnn");
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Runs the program among the cases, within so many bytes of memory.
    fn within(&self, memory: u64, args: &[&str]) -> Output {
        Command::new("sh")
            .args([
                "-c",
                &format!("ulimit -v {} && exec \"$0\" \"$@\"", memory / 1024),
            ])
            .arg(env!("CARGO_BIN_EXE_cnnc"))
            .args(args)
            .current_dir(&self.folder)
            .output()
            .unwrap()
    }

    /// Runs the program among the cases.
    fn cnnc(&self, args: &[&str]) -> Output {
        self.within(MEMORY, args)
    }

    /// What it prints, and says besides, when it succeeds.
    #[track_caller]
    fn prints(&self, args: &[&str]) -> (String, String) {
        let output = self.cnnc(args);
        let [out, error] =
            [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        assert!(output.status.success(), "{args:?}: {out}{error}");
        (out, error)
    }

    /// What it says when it fails as a mistake of the user.
    #[track_caller]
    fn fails(&self, args: &[&str]) -> String {
        self.ends(args, 1)
    }

    /// What a command says that ends with that code.
    #[track_caller]
    fn ends(&self, args: &[&str], code: i32) -> String {
        let output = self.cnnc(args);
        let [out, error] =
            [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        assert_eq!(output.status.code(), Some(code), "{args:?}: {out}{error}");
        out + &error
    }

    /// What `check` finds in a spec: code and message of each diagnostic.
    #[track_caller]
    fn check(&self, spec: &str) -> Vec<(String, String)> {
        let output = self.cnnc(&["check", "--json", spec]);
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        let mut found = Vec::new();
        diagnostics(&json, &mut found);
        found
    }

    /// The raw outputs of a network in a backend, in the order of their names.
    #[track_caller]
    fn raw(&self, spec: &str, weights: &str, input: &[&str], more: &[&str]) -> Vec<Vec<f32>> {
        let out = self.out("raw.safetensors");
        let _ = std::fs::remove_file(&out);
        let args = [
            &["run", spec, "--weights", weights, "--raw", &out],
            input,
            more,
        ]
        .concat();
        self.prints(&args);
        let tensors = read_tensors(&out).unwrap();
        tensors.into_iter().map(|tensor| tensor.values).collect()
    }
}

/// Every object with a code and a message, anywhere.
fn diagnostics(json: &Value, found: &mut Vec<(String, String)>) {
    match json {
        Value::Array(items) => items.iter().for_each(|item| diagnostics(item, found)),
        Value::Object(fields) => {
            if let (Some(Value::String(code)), Some(Value::String(message))) =
                (fields.get("code"), fields.get("message"))
            {
                found.push((code.clone(), message.clone()));
            }
            fields.values().for_each(|value| diagnostics(value, found));
        }
        _ => {}
    }
}

/// Made-up weights and inputs.
const SYNTHETIC: [&str; 4] = ["--weights", "synthetic", "--input", "synthetic"];

/// Everything that runs a network.
const BACKENDS: [&[&str]; 3] = [
    &["--backend", "reference"],
    &["--backend", "interp", "--exact"],
    &["--backend", "jit", "--exact"],
];

/// Fails when something took so long that it can only be a fault: the times that the README gives are those of an idle core.
#[track_caller]
fn in_time(idle: Duration, what: impl FnOnce()) {
    let start = Instant::now();
    what();
    let (took, bound) = (start.elapsed(), 20 * idle + Duration::from_secs(2));
    assert!(took < bound, "it took {took:?}");
}

#[track_caller]
fn close(found: &[f32], expected: &[f64], relative: f64) {
    assert_eq!(found.len(), expected.len());
    for (&found, &expected) in found.iter().zip(expected) {
        let off = (f64::from(found) - expected).abs();
        let same = f64::from(found) == expected || (found.is_nan() && expected.is_nan());
        assert!(
            same || off <= relative * expected.abs(),
            "{found:e} is not {expected:e}"
        );
    }
}
