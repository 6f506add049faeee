//! The file of a shard's answers, `part-I.jsonl`, and going on with one that a run has left behind.
//!
//! A line is written at once, and has one answer. What a kill has cut off is no line, and is dropped. Of a file with several answers (a
//! sound with frames) the last says so: without it they are dropped, too.

use crate::{Failure, print};
use serde_json::Value;
use std::collections::HashSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// What lines of one run have in common.
pub const IDENTITY: [(&str, &str); 5] = [
    ("/model", "model"),
    ("/run/network", "network (by its hash)"),
    ("/run/weights", "weights (by their hash)"),
    ("/run/settings", "head or thresholds (by their hash)"),
    ("/shard", "shard"),
];

/// The file of a shard's answers.
pub struct Part {
    file: File,
    path: PathBuf,
}

impl Part {
    /// The file in this folder, behind the answers that are there, and the names of files that they are to.
    pub fn open(
        folder: &Path,
        name: &str,
        resume: bool,
        identity: &Value,
    ) -> Result<(Part, HashSet<String>), Failure> {
        let failed = |path: &Path, error| Failure::WriteFile {
            file: path.display().to_string(),
            error,
        };
        std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
        let path = folder.join(name);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(|error| failed(&path, error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let why = format!("`{}` is being written by another process", path.display());
                return Err(Failure::Flag { flag: "--out", why });
            }
            // File systems without locks.
            Err(TryLockError::Error(error)) => print::warning(format_args!(
                "`{}` cannot be locked ({error}): nothing keeps another process from writing it, too",
                path.display()
            )),
        }
        let length = file.metadata().map_err(|error| failed(&path, error))?.len();
        if length > 0 && !resume {
            let why = format!(
                "`{}` is there already; `--resume` goes on with it",
                path.display()
            );
            return Err(Failure::Flag { flag: "--out", why });
        }
        let (done, end) = read(&file, &path, identity)?;
        let set = file.set_len(end).and_then(|()| file.seek(SeekFrom::End(0)));
        set.map_err(|error| failed(&path, error))?;
        Ok((Part { file, path }, done))
    }

    /// Adds lines, at once.
    pub fn write(&mut self, lines: &str) -> Result<(), Failure> {
        let written = self.file.write_all(lines.as_bytes());
        written.map_err(|error| Failure::WriteFile {
            file: self.path.display().to_string(),
            error,
        })
    }
}

/// The names of files whose answers are there, and where the last of these ends.
fn read(file: &File, path: &Path, identity: &Value) -> Result<(HashSet<String>, u64), Failure> {
    let refused = |why: String| Failure::Read {
        file: path.display().to_string(),
        why,
    };
    let (mut done, mut end, mut at) = (HashSet::new(), 0, 0);
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    // A line that is none, which only a cut may have left, at the end.
    let mut broken: Option<usize> = None;
    for number in 1.. {
        line.clear();
        let read = reader.read_until(b'\n', &mut line);
        if read.map_err(|error| refused(error.to_string()))? == 0 {
            break;
        }
        if let Some(number) = broken {
            return Err(refused(format!("line {number} is no answer of a run")));
        }
        at += line.len() as u64;
        let whole = line.ends_with(b"\n");
        let value = serde_json::from_slice::<Value>(&line).ok();
        let value = value.filter(|value| whole && value["input"].is_string());
        let Some(value) = value else {
            broken = Some(number);
            continue;
        };
        for (key, what) in IDENTITY {
            let [then, now] = [&value, identity].map(|of| of.pointer(key).unwrap_or(&Value::Null));
            if then != now {
                return Err(refused(format!(
                    "line {number} is of another run: its {what} is {then}, and now {now}"
                )));
            }
        }
        match (&value["file"], &value["last"]) {
            // One of several, more of which follow.
            (Value::String(_), Value::Null) => continue,
            (Value::String(name), _) | (_, Value::String(name)) => done.insert(name.clone()),
            _ => done.insert(value["input"].as_str().unwrap_or_default().to_owned()),
        };
        end = at;
    }
    Ok((done, end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn identity() -> Value {
        json!({ "model": "M", "weights": "./w", "run": { "weights": "w", "network": "n", "settings": "s" }, "shard": null })
    }

    fn line(input: &str, more: &str) -> String {
        format!(
            "{{\"input\":\"{input}\",\"model\":\"M\",\"run\":{{\"weights\":\"w\",\"network\":\"n\",\"settings\":\"s\"}}{more}}}\n"
        )
    }

    /// What is done after a run that has left this, and what is left of it.
    fn after(left: &str) -> Result<(Vec<String>, String), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("part-0.jsonl");
        std::fs::write(&path, left).unwrap();
        let opened = Part::open(folder.path(), "part-0.jsonl", true, &identity());
        let (mut part, done) = opened.map_err(|failure| failure.to_string())?;
        part.write("more\n").unwrap();
        let mut done: Vec<String> = done.into_iter().collect();
        done.sort();
        Ok((done, std::fs::read_to_string(&path).unwrap()))
    }

    #[test]
    fn a_cut_line_is_dropped() {
        let (a, b) = (line("a", ""), line("b", ""));
        let whole = format!("{a}{b}");
        for cut in 0..b.len() {
            let (done, left) = after(&whole[..a.len() + cut]).unwrap();
            assert_eq!(
                (done, left),
                (vec!["a".to_owned()], format!("{a}more\n")),
                "{cut}"
            );
        }
        assert_eq!(after(&whole).unwrap().0, ["a", "b"]);
        assert_eq!(after("").unwrap(), (vec![], "more\n".to_owned()));
    }

    #[test]
    fn frames_without_the_last_are_dropped() {
        let frame = |number, more| {
            line(
                &format!("s.wav@{number}"),
                &format!(",\"file\":\"s.wav\"{more}"),
            )
        };
        let (a, first, last) = (line("a", ""), frame(0, ""), frame(1, ",\"last\":true"));
        let (done, left) = after(&format!("{a}{first}")).unwrap();
        assert_eq!((done, left), (vec!["a".to_owned()], format!("{a}more\n")));
        assert_eq!(
            after(&format!("{a}{first}{last}")).unwrap().0,
            ["a", "s.wav"]
        );
    }

    #[test]
    fn what_another_run_has_left_is_not_gone_on_with() {
        let other = |from: &str, to: &str| {
            let quoted = |text: &str| format!("\"{text}\"");
            line("a", "").replace(&quoted(from), &quoted(to))
        };
        for (left, why) in [
            (
                other("w", "v"),
                "line 1 is of another run: its weights (by their hash) is \"v\", and now \"w\"",
            ),
            (
                other("n", "m"),
                "its network (by its hash) is \"m\", and now \"n\"",
            ),
            (
                other("s", "t"),
                "its head or thresholds (by their hash) is \"t\", and now \"s\"",
            ),
            (
                line("a", ",\"shard\":\"0/2\""),
                "its shard is \"0/2\", and now null",
            ),
            (
                format!("{}text\n{}", line("a", ""), line("b", "")),
                "line 2 is no answer of a run",
            ),
        ] {
            let said = after(&left).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("p"), line("a", "")).unwrap();
        let again = Part::open(folder.path(), "p", false, &identity())
            .err()
            .unwrap();
        assert!(
            again.to_string().contains("`--resume` goes on with it"),
            "{again}"
        );
        let _first = Part::open(folder.path(), "p", true, &identity()).unwrap();
        let second = Part::open(folder.path(), "p", true, &identity())
            .err()
            .unwrap();
        assert!(
            second
                .to_string()
                .contains("is being written by another process"),
            "{second}"
        );
    }
}
