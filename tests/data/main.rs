//! Samples as they lie on a disk: what is read, what becomes of it, and what is said of files that are broken.

mod kinds;
mod labels;
mod pairs;
mod points;
mod room;
mod shared;
mod splits;
mod unpacked;
mod volumes;

use cnnc::Model;
use cnnc::rt::image::Picture;
use cnnc::train::{Data, Samples};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder of files.
struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(&path, bytes).expect("written");
        path
    }

    /// A picture of one grey.
    fn picture(&self, name: &str, side: usize, grey: u8) {
        let path = self.write(name, "");
        let picture = Picture::from_grey(side, side, &vec![grey; side * side]).expect("pixels");
        picture.write_png(path).expect("written");
    }

    /// What is read, or the message with the folder's name shortened.
    fn open(&self, name: &str, test: Option<&str>, model: &Model) -> Result<Data, String> {
        let test = test.map(|name| self.path(name));
        let data = Data::open(&self.path(name), test.as_deref(), model.graph());
        data.map_err(|error| self.shortened(&error.to_string()))
    }

    fn shortened(&self, text: &str) -> String {
        text.replace(&self.0.path().display().to_string(), "DIR")
    }
}

/// A classifier of inputs of that shape.
fn model(shape: &str, classes: usize, labels: &str) -> Model {
    let spec = format!(
        "cnn 1; model Net {{ input x: {shape}; flatten; dense {classes}; head classify {labels} }}"
    );
    cnnc::compile_str("net.cnn", &spec).unwrap_or_else(|error| panic!("{error}"))
}

/// Inputs and labels of all samples.
fn all(samples: &Samples) -> Vec<(Vec<f32>, u32)> {
    (0..samples.len())
        .map(|index| {
            let input = samples.input(index).expect("it is there");
            (input, samples.label(index))
        })
        .collect()
}

/// How often each class is there.
fn counts(samples: &Samples, classes: usize) -> Vec<usize> {
    let mut counts = vec![0; classes];
    for index in 0..samples.len() {
        counts[samples.label(index) as usize] += 1;
    }
    counts
}

fn is_in(message: &str, part: &str) {
    assert!(message.contains(part), "`{part}` is not in: {message}");
}

fn exists(path: &Path) -> bool {
    path.exists()
}
