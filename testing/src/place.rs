//! A folder in which a program runs.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A folder of its own, and the program that runs in it. It goes when this does.
#[derive(Debug)]
pub struct Place {
    folder: TempDir,
    program: &'static str,
}

impl Place {
    /// An empty one.
    pub fn new(program: &'static str) -> Place {
        let folder = tempfile::tempdir().expect("a folder");
        Place { folder, program }
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file in it.
    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The program with arguments between blanks.
    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(self.program);
        command
            .current_dir(self.folder.path())
            .args(line.split_whitespace());
        command
    }

    /// What becomes of it.
    pub fn output(&self, line: &str) -> Output {
        self.command(line).output().expect("it can be started")
    }

    /// What becomes of it with that on standard input.
    pub fn fed(&self, line: &str, text: &[u8]) -> Output {
        let mut command = self.command(line);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("it can be started");
        let mut input = child.stdin.take().expect("it is piped");
        std::thread::scope(|scope| {
            // One that fails does not read all of it.
            scope.spawn(move || input.write_all(text).ok());
            child.wait_with_output().expect("it ends")
        })
    }

    /// What it prints, where it succeeds.
    pub fn prints(&self, line: &str) -> String {
        let output = self.output(line);
        assert!(output.status.success(), "{line}: {}", told(&output));
        String::from_utf8(output.stdout).expect("text")
    }

    /// What it says, where it fails with 1.
    pub fn fails(&self, line: &str) -> String {
        let output = self.output(line);
        assert_eq!(output.status.code(), Some(1), "{line}: {}", told(&output));
        told(&output)
    }
}

/// What a program said to its user.
pub fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
