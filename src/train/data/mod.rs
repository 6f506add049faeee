//! Labelled samples, as they lie on a disk: idx files, strips of pictures, a folder for each class.

mod error;
mod folder;
mod idx;
mod strips;

pub use error::DataError;

use cnnc_compiler::graph::Graph;
use cnnc_runtime::files::read_ordinary;
use cnnc_runtime::image::{Picture, PreProcess};
use cnnc_runtime::synthetic::mix;
use std::path::{Path, PathBuf};

/// Most floats of all samples: 4 GiB.
const MOST: usize = 1 << 30;

/// Samples as a network takes them.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    inputs: Vec<f32>,
    labels: Vec<u32>,
    elements: usize,
}

impl Samples {
    /// Number of samples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// A sample's numbers.
    pub fn input(&self, index: usize) -> &[f32] {
        &self.inputs[index * self.elements..][..self.elements]
    }

    /// A sample's class.
    pub fn label(&self, index: usize) -> u32 {
        self.labels[index]
    }
}

/// What a network learns from, and what it is judged by.
#[derive(Clone, Debug)]
pub struct Data {
    /// What it learns from.
    pub train: Samples,
    /// What it is judged by.
    pub test: Samples,
    /// What was found, in a few words.
    pub kind: String,
    /// What is no picture among those of classes.
    pub skipped: Vec<PathBuf>,
    /// Where it was found.
    pub(super) from: From,
}

/// Where data come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct From {
    /// The folder.
    pub folder: PathBuf,
    /// The folder of the test set, if that is another one.
    pub test: Option<PathBuf>,
    /// How many of the samples are kept, if not all.
    pub only: Option<usize>,
}

/// A picture with its class, before it is made an input.
struct Labelled {
    picture: Picture,
    class: u32,
}

/// How files become samples of a network.
struct Reader<'g> {
    pre: &'g PreProcess,
    classes: usize,
    labels: &'g [String],
}

impl Data {
    /// The samples in a folder for a classifier of pictures. Those that judge it are the folder's own test set, those of `test`, or one in five, chosen by the
    /// hash of its place.
    ///
    /// # Errors
    /// A folder that is none of the known kinds, files that are broken, labels that do not fit, or a network that is no classifier of pictures.
    pub fn open(path: &Path, test: Option<&Path>, network: &Graph) -> Result<Data, DataError> {
        let pre = network.inputs.first().and_then(|input| input.pre.as_ref());
        let pre = pre.ok_or_else(|| DataError::NoPicture(network.name.clone()))?;
        let raw = &network.values[network.outputs[0].value].shape;
        let labels = network.answer_head();
        let reader = Reader {
            pre,
            classes: raw.channels(),
            labels: &labels_of(&labels),
        };
        let mut data = reader.open(path)?;
        if let Some(test) = test {
            let other = reader.open(test)?;
            data.test = other.train;
            data.test.append(other.test);
            data.skipped.extend(other.skipped);
        } else if data.test.is_empty() {
            data.split();
        }
        data.from = From {
            folder: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
            test: test.map(|test| std::path::absolute(test).unwrap_or_else(|_| test.to_owned())),
            only: None,
        };
        for (samples, what) in [
            (&data.train, "to learn from"),
            (&data.test, "to be judged by"),
        ] {
            if samples.is_empty() {
                return Err(DataError::Empty(path.to_owned(), what));
            }
        }
        Ok(data)
    }

    /// Keeps the first samples only, to learn from and to be judged by.
    pub fn overfit(&mut self, count: usize) {
        let count = count.clamp(1, self.train.len());
        self.from.only = Some(count);
        self.train.inputs.truncate(count * self.train.elements);
        self.train.labels.truncate(count);
        self.test = self.train.clone();
    }

    /// Takes every fifth sample out, by the hash of its number.
    fn split(&mut self) {
        let all = std::mem::take(&mut self.train);
        let (mut train, mut test) = (Samples::default(), Samples::default());
        (train.elements, test.elements) = (all.elements, all.elements);
        for index in 0..all.len() {
            let to = if mix(index as u64 + 1).is_multiple_of(5) {
                &mut test
            } else {
                &mut train
            };
            to.inputs.extend(all.input(index));
            to.labels.push(all.label(index));
        }
        (self.train, self.test) = (train, test);
    }
}

impl Samples {
    fn append(&mut self, mut other: Samples) {
        self.inputs.append(&mut other.inputs);
        self.labels.append(&mut other.labels);
    }
}

/// The labels of a head that has them.
fn labels_of(head: &cnnc_runtime::answer::Head) -> Vec<String> {
    head.labels.iter().map(|label| label.to_string()).collect()
}

impl Reader<'_> {
    fn open(&self, path: &Path) -> Result<Data, DataError> {
        let (folders, files): (Vec<_>, Vec<_>) =
            entries(path)?.into_iter().partition(|path| path.is_dir());
        if let Some(data) = self.idx(&files)? {
            return Ok(data);
        }
        if let Some(data) = self.strips(&files)? {
            return Ok(data);
        }
        if folders.is_empty() {
            return Err(DataError::Unknown(path.to_owned()));
        }
        self.folders(path, &folders)
    }

    /// Makes samples of pictures.
    fn samples(
        &self,
        from: &Path,
        count: usize,
        pictures: impl Iterator<Item = Result<Labelled, DataError>>,
    ) -> Result<Samples, DataError> {
        let elements = self.pre.elements();
        if count.saturating_mul(elements) > MOST {
            return Err(DataError::TooLarge(from.to_owned(), count, elements));
        }
        let mut samples = Samples {
            elements,
            ..Samples::default()
        };
        let reserved = samples.inputs.try_reserve_exact(count * elements);
        reserved.map_err(|_| DataError::TooLarge(from.to_owned(), count, elements))?;
        for labelled in pictures {
            let Labelled { picture, class } = labelled?;
            if class as usize >= self.classes {
                return Err(DataError::Class(from.to_owned(), class, self.classes));
            }
            let name = from.display().to_string();
            let input = self
                .pre
                .apply(&picture, &name)
                .map_err(DataError::Picture)?;
            samples.inputs.extend(input);
            samples.labels.push(class);
        }
        Ok(samples)
    }
}

/// A file's name.
fn name(path: &Path) -> &str {
    path.file_name()
        .and_then(|name| name.to_str())
        .unwrap_or("")
}

/// What is in a folder, in the order of names.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let read = || {
        let entries = std::fs::read_dir(folder)?;
        let paths = entries.map(|entry| Ok(entry?.path()));
        paths.collect::<std::io::Result<Vec<_>>>()
    };
    let mut paths = read().map_err(|error| DataError::File(folder.to_owned(), error))?;
    paths.sort();
    Ok(paths)
}

/// An ordinary file, all of it.
fn read(path: &Path) -> Result<Vec<u8>, DataError> {
    read_ordinary(path).map_err(|error| DataError::File(path.to_owned(), error))
}

/// The file of that name, with or without `.gz`.
fn find<'f>(files: &'f [PathBuf], wanted: &str) -> Option<&'f PathBuf> {
    files
        .iter()
        .find(|path| name(path).trim_end_matches(".gz") == wanted)
}
