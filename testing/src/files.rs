//! Where things are: specs in the repository, goldens and data in `../shared` beside it.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// A file of the repository.
pub fn file(path: &str) -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = package.parent().expect("this package is not the root");
    root.join(path)
}

/// A file of `../shared`, or `None` after saying that the test is skipped.
///
/// # Panics
/// When it is absent and `CI` is set: there nothing may be skipped.
pub fn shared(path: &str) -> Option<PathBuf> {
    let found = file("../shared").join(path);
    if found.exists() {
        return Some(found);
    }
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    say(&format!("SKIPPED: {test} needs ../shared/{path}"));
    let ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
    assert!(!ci, "../shared/{path} is absent, and CI skips nothing");
    None
}

/// Writes a line that the test runner does not capture.
pub fn say(line: &str) {
    // Not a macro: their output is shown of failing tests only.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Whether the machine has what a test needs, such as an instruction set; if not, the test says once what it leaves out.
pub fn has(there: bool, what: impl std::fmt::Display) -> bool {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if !there {
        let what = what.to_string();
        let new = SAID.lock().is_ok_and(|mut said| said.insert(what.clone()));
        if new {
            say(&format!(
                "SKIPPED: tests of {what}, which this machine lacks"
            ));
        }
    }
    there
}
