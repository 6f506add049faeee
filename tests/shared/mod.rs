//! Files that tests need and the repository does not hold: `../shared`, beside the workspace.

use std::path::{Path, PathBuf};

/// A file or folder there; `None`, said aloud, where it is absent. Under continuous integration that is a failure.
pub fn path(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared")
        .join(name);
    if path.exists() {
        return Some(path);
    }
    println!("SKIPPED: this test needs ../shared/{name}");
    assert!(
        std::env::var_os("CI").is_none(),
        "../shared/{name} must be there under CI"
    );
    None
}

/// The text of a file there.
pub fn text(name: &str) -> Option<String> {
    path(name).map(|path| std::fs::read_to_string(path).expect("the file can be read"))
}
