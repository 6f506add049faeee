//! The networks of specs/ without files: their texts, and what they read, are part of the program.
//!
//! A network is `zoo:/NAME.cnn` for [`compile_file`](crate::compile_file), and [`path`] is that path; imports and lists of labels
//! are found beside it as they are on a disk.

use cnnc_compiler::diagnostic::{DiskLoader, Loader};
use cnnc_compiler::words::nearest;
use flate2::read::DeflateDecoder;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Where they are, as a folder.
const FOLDER: &str = "zoo:";

/// Every file, in order of names; `build.rs` packs them.
fn shelf() -> &'static [(String, String)] {
    static SHELF: OnceLock<Vec<(String, String)>> = OnceLock::new();
    SHELF.get_or_init(|| {
        let packed: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/zoo.deflate"));
        let mut text = String::new();
        let read = DeflateDecoder::new(packed).read_to_string(&mut text);
        read.expect("what build.rs packed");
        let mut files = Vec::new();
        let mut rest = text.as_str();
        while let Some((name, length, after)) = entry(rest) {
            let (file, after) = after.split_at(length);
            files.push((name.to_owned(), file.to_owned()));
            rest = after;
        }
        files
    })
}

/// Name and length of the first file, and what is behind that line.
fn entry(text: &str) -> Option<(&str, usize, &str)> {
    let (line, after) = text.split_once('\n')?;
    let (name, length) = line.rsplit_once(' ')?;
    Some((name, length.parse().ok()?, after))
}

/// The text of a file, by its path within the zoo.
fn file(name: &str) -> Option<&'static str> {
    let found = shelf().iter().find(|(other, _)| other == name);
    found.map(|(_, text)| text.as_str())
}

/// Names of all networks, in order.
pub fn names() -> Vec<&'static str> {
    let files = shelf().iter().filter(|(name, _)| !name.contains('/'));
    files
        .filter_map(|(name, _)| name.strip_suffix(".cnn"))
        .collect()
}

/// The text of the spec of that name.
pub fn text(name: &str) -> Option<&'static str> {
    file(&format!("{name}.cnn")).filter(|_| names().contains(&name))
}

/// The path by which a network of that name is compiled, if there is one.
pub fn path(name: &str) -> Option<PathBuf> {
    text(name).map(|_| Path::new(FOLDER).join(format!("{name}.cnn")))
}

/// The name of the network that this is the path of.
pub fn name(path: &Path) -> Option<&str> {
    let name = path.strip_prefix(FOLDER).ok()?.to_str()?;
    name.strip_suffix(".cnn")
}

/// Bytes of a file: of the zoo if the path is one of it, else of the file system.
///
/// # Errors
/// When there is no such file, or it cannot be read.
pub fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let Ok(inside) = path.strip_prefix(FOLDER) else {
        return std::fs::read(path);
    };
    let found = inside.to_str().and_then(file);
    let text = found.ok_or(std::io::ErrorKind::NotFound)?;
    Ok(text.as_bytes().to_vec())
}

/// The zoo and, for all other paths, the file system.
#[derive(Clone, Copy)]
pub(crate) struct Shelf;

impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shelf")
    }
}

impl Loader for Shelf {
    fn read(&self, path: &Path) -> Result<String, String> {
        if let Ok(inside) = path.strip_prefix(FOLDER) {
            let found = inside.to_str().and_then(file);
            return found.map(str::to_owned).ok_or_else(|| missing(inside));
        }
        DiskLoader.read(path).map_err(|why| match is_bare(path) {
            true => missing(path),
            false => why,
        })
    }
}

/// Whether the path is one word that names no file: it may have been meant as a name of the zoo.
fn is_bare(path: &Path) -> bool {
    let word = path.parent() == Some(Path::new("")) && path.extension().is_none();
    word && !path.exists()
}

/// Why a name is nothing: what it may have been meant to be.
fn missing(path: &Path) -> String {
    let name = path.with_extension("");
    let name = name.to_str().unwrap_or_default();
    let near = nearest(name, &names());
    let near = near.map(|near| format!("; did you mean `{near}`?"));
    format!(
        "there is no such file, and no such network in the zoo{}",
        near.unwrap_or_else(|| ", which `cnnc zoo` lists".to_owned())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_every_file_of_the_folder() {
        let specs = Path::new(env!("CARGO_MANIFEST_DIR")).join("specs");
        for folder in ["", "common"] {
            for entry in std::fs::read_dir(specs.join(folder)).unwrap() {
                let path = entry.unwrap().path();
                if path.is_file() {
                    let inside = path.strip_prefix(&specs).unwrap();
                    let own = read(&Path::new(FOLDER).join(inside)).unwrap();
                    assert_eq!(own, std::fs::read(&path).unwrap(), "{inside:?}");
                }
            }
        }
    }

    #[test]
    fn every_network_is_compiled_as_from_its_file() {
        let specs = Path::new(env!("CARGO_MANIFEST_DIR")).join("specs");
        assert!(names().len() > 60);
        for name in names() {
            let inside = crate::compile_file(path(name).unwrap()).unwrap();
            let outside = crate::compile_file(specs.join(format!("{name}.cnn"))).unwrap();
            let dump = cnnc_compiler::graph::dump;
            assert_eq!(dump(inside.graph()), dump(outside.graph()), "{name}");
            let (a, b) = (inside.head(), outside.head());
            assert_eq!(format!("{a:?}"), format!("{b:?}"), "{name}: labels");
        }
    }

    #[test]
    fn near_misses_are_suggested() {
        let error = crate::compile_file("squeeznet1_1").unwrap_err().to_string();
        assert!(error.contains("did you mean `squeezenet1_1`?"), "{error}");
        let error = crate::compile_file("zoo:/lenet.cnn").unwrap_err();
        assert!(error.to_string().contains("`lenet5`"), "{error}");
        let error = crate::compile_file("qqqqqqqq").unwrap_err().to_string();
        assert!(error.contains("`cnnc zoo` lists"), "{error}");
        // Of what looks like a file, the system says why.
        let error = crate::compile_file("lenet.cnn").unwrap_err().to_string();
        assert!(!error.contains("zoo"), "{error}");
    }
}
