//! Labelled samples, as they lie on a disk.
//!
//! | file | what it reads |
//! |---|---|
//! | `idx`, `strips` | MNIST's files; strips of pictures, as CIFAR-10 comes |
//! | `folder` | a folder for each class, of pictures, sounds (`wav`) or arrays (`array`) |
//! | `csv`, `series`, `wav` | rows of numbers or of paths; `.ts` files; sounds whose names say their class |
//! | `points` | rows of pictures with points |
//! | `boxes`, `voc`, `rows` | pictures with boxes: what they have in common, VOC's XML, YOLO's rows of text |
//! | `annotation` | the same for those who look at pictures otherwise |
//! | `regions`, `region_rows` | the same with proposed regions, for networks that classify these |
//! | `classes`, `split` | the class that a label is; which samples judge |
//! | `gathered` | samples of identities, which are learned together with others |
//! | `pairs`, `maps` | pictures with a picture each: classes of pixels, or brightness |
//! | `volumes` | arrays of numpy with a target for each |
//! | `told` | what a loss is told of one box, or of points |
//! | `samples`, `filling`, `store` | all of them, while they are read, and what is kept |
//! | `ahead` | picture files, read on several threads; those that are left out |
//! | `room` | how much of memory samples may take |

mod ahead;
mod annotated;
mod annotation;
mod array;
mod boxes;
mod classes;
mod csv;
mod error;
mod files;
mod filling;
mod folder;
mod gathered;
mod idx;
mod known;
mod maps;
mod memory;
mod pairs;
mod points;
mod reader;
mod region_rows;
mod regions;
mod room;
mod rows;
mod samples;
mod series;
mod split;
mod store;
mod strips;
mod told;
mod voc;
mod volumes;
mod wav;

pub(super) use ahead::{is_of_the_file, leave_out};
pub use annotation::{Annotation, Annotations};
pub(super) use boxes::class_called;
pub use boxes::sizes_of;
pub use error::DataError;
pub use gathered::Gathered;
pub use known::Known;
pub(super) use region_rows::rows;
pub use region_rows::takes_regions;
pub use samples::Samples;
pub use store::Kept;

use cnnc_compiler::graph::Graph;
use cnnc_compiler::recipe::{Source, Split};
use cnnc_runtime::memory::ask;
pub(super) use files::entries;
use reader::Reader;
pub(super) use reader::{gathered_by, takes_two_alike};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a network learns from, and what it is judged by.
#[derive(Clone, Debug, Default)]
pub struct Data {
    /// What it learns from.
    pub train: Samples,
    /// What it is judged by.
    pub test: Samples,
    /// What a split keeps apart from both.
    pub apart: Samples,
    /// What was found, in a few words.
    pub kind: String,
    /// What is no sample among those of classes.
    pub skipped: Vec<PathBuf>,
    /// What is broken and was left out: each with its file.
    pub broken: Vec<String>,
    /// Where it was found.
    pub(super) from: From,
}

/// Where data come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct From {
    /// The place, and which samples judge.
    pub source: Source,
    /// How many of the samples are kept, if not all.
    pub only: Option<usize>,
    /// How many of those to learn from are kept, if not all.
    pub limit: Option<usize>,
    /// Bytes that samples may take, if that was said.
    pub most: Option<usize>,
}

impl Data {
    /// Samples of which some judge, with what was left out of them.
    fn divided(kind: String, mut train: Samples, judges: &[bool], broken: Vec<String>) -> Data {
        let test = train.take_out(|_, index| judges[index]);
        Data {
            kind,
            train,
            test,
            broken,
            ..Data::default()
        }
    }

    /// The samples at a path for a classifier; the files tell their kind. Those that judge it are a set of their own that lies there, those of `test` (or of the list
    /// in it, if it is a text file), or one in five, chosen by the hash of its number.
    ///
    /// # Errors
    /// A path with none of the known kinds, files that are broken, labels that do not fit, or a network that takes other samples.
    pub fn open(path: &Path, test: Option<&Path>, network: &Graph) -> Result<Data, DataError> {
        let source = Source {
            path: path.to_owned(),
            test: test.map(Path::to_owned),
            ..Source::default()
        };
        Data::of(&source, network)
    }

    /// The samples that a `data` clause names, whose paths are those of the program.
    ///
    /// # Errors
    /// As [`Data::open`].
    pub fn of(source: &Source, network: &Graph) -> Result<Data, DataError> {
        Data::within(source, network, None)
    }

    /// The same, where pictures that have files, and take more bytes than these, are read when they are needed. Where nothing is said, that is half of the memory that is free, 4 GiB at most.
    ///
    /// # Errors
    /// As [`Data::open`].
    pub fn within(
        source: &Source,
        network: &Graph,
        most: Option<usize>,
    ) -> Result<Data, DataError> {
        let mut reader = Reader::new(network, most);
        let source = absolute(source);
        reader.columns.clone_from(&source.columns);
        let mut data = reader.open(&source.path, source.kind)?;
        // What is taken out is copied.
        ask(data.train.bytes() as u64)
            .map_err(|error| DataError::Memory(source.path.clone(), error))?;
        if let Some(test) = &source.test {
            let other = reader.open(test, source.kind)?;
            data.test = other.train;
            data.test.append(other.test);
            data.skipped.extend(other.skipped);
            data.broken.extend(other.broken);
        } else if let Some(split) = &source.split {
            data.train.append(std::mem::take(&mut data.test));
            data.split(split)?;
        } else if data.test.is_empty() {
            data.split_without_a_word();
        }
        let place = source.path.clone();
        data.from.source = source;
        data.from.most = most;
        for (samples, what) in [
            (&data.train, "to learn from"),
            (&data.test, "to be judged by"),
        ] {
            if samples.is_empty() {
                return Err(DataError::Empty(place, what));
            }
        }
        Ok(data)
    }

    /// The samples at a path that judge a network: its test set if it has one, else all of them, which are the `test` of the result. Pictures of classes,
    /// and of identities, are read while they are judged: what is broken among them is what [`Judgement::broken`](super::Judgement::broken) and
    /// [`Likeness::broken`](super::Likeness::broken) name.
    ///
    /// # Errors
    /// As [`Data::open`].
    pub fn to_judge(path: &Path, network: &Graph) -> Result<Data, DataError> {
        Data::judged_by(path, &[], None, network)
    }

    /// The same, of a table with labels and pictures in those columns, if they are named, or those of a list: a text file with a sample or a folder a line.
    ///
    /// # Errors
    /// As [`Data::open`].
    pub fn judged_by(
        path: &Path,
        columns: &[String],
        list: Option<&Path>,
        network: &Graph,
    ) -> Result<Data, DataError> {
        let reader = Reader {
            columns: columns.to_vec(),
            ..Reader::to_judge(network)
        };
        let mut data = reader.open(path, None)?;
        if let Some(list) = list {
            data.train.append(std::mem::take(&mut data.test));
            data.split(&Split::List(list.to_owned()))?;
        } else if data.test.is_empty() {
            data.test = std::mem::take(&mut data.train);
        }
        match data.test.is_empty() {
            true => Err(DataError::Empty(path.to_owned(), "to be judged by")),
            false => Ok(data),
        }
    }

    /// Whether it can be read again.
    pub(super) fn lies_somewhere(&self) -> bool {
        !self.from.source.path.as_os_str().is_empty()
    }

    /// The samples that a run began with.
    pub(super) fn again(from: &From, network: &Graph) -> Result<Data, DataError> {
        let mut data = Data::within(&from.source, network, from.most)?;
        if let Some(count) = from.limit {
            data.limit(count);
        }
        if let Some(count) = from.only {
            data.overfit(count);
        }
        Ok(data)
    }

    /// Keeps the first samples only, to learn from and to be judged by; of identities as [`Data::limit`] does.
    pub fn overfit(&mut self, count: usize) {
        let count = self.at_least(count);
        self.from.only = Some(count);
        match self.train.are_identities() {
            true => self.keep_of_each(count),
            false => self.train.keep(&(0..count).collect::<Vec<usize>>()),
        }
        self.test = self.train.clone();
    }

    /// Keeps so many of the samples to learn from: the first ones of each class, of all classes as many as there are; where a sample has no class, the first ones. Of identities, two of two at least are kept, and none has a single sample left that had more. Those that judge stay.
    pub fn limit(&mut self, count: usize) {
        let count = self.at_least(count);
        self.from.limit = Some(count);
        match self.train.labels_each() == 1 {
            true => self.keep_of_each(count),
            false => self.train.keep(&(0..count).collect::<Vec<usize>>()),
        }
    }

    /// So many of the samples to learn from as there are, and as it takes to learn.
    fn at_least(&self, count: usize) -> usize {
        let least = match self.train.are_identities() {
            true => 4,
            false => 1,
        };
        count.max(least).min(self.train.len())
    }

    /// Keeps so many, of each class as many as there are: one each, or of identities two, then another one of each.
    fn keep_of_each(&mut self, count: usize) {
        let first = match self.train.are_identities() {
            true => 2,
            false => 1,
        };
        let mut classes: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for index in 0..self.train.len() {
            let class = self.train.label(index);
            classes.entry(class).or_default().push(index);
        }
        // The first of every class, then the second of every class, and so on.
        let mut turns: Vec<(usize, usize)> = classes
            .values()
            .flat_map(|of| of.iter().copied().enumerate())
            .collect();
        turns.sort_by_key(|&(turn, _)| (turn + 1).saturating_sub(first));
        // One of two, the other one of which is left out, has nothing to be compared with.
        let cut = |of: &[(usize, usize)]| first == 2 && of[0].0 == 0 && of[1].0 == 1;
        let alone = turns
            .get(count.saturating_sub(1)..count + 1)
            .is_some_and(cut);
        turns.truncate(count - usize::from(alone));
        let mut kept: Vec<usize> = turns.into_iter().map(|(_, index)| index).collect();
        kept.sort_unstable();
        self.train.keep(&kept);
    }

    /// Classes, of so many, that none of the samples to learn from has, where each has one.
    pub fn lacks(&self, classes: usize) -> Vec<usize> {
        if self.train.labels_each() != 1 {
            return Vec::new();
        }
        let mut there = vec![false; classes];
        for index in 0..self.train.len() {
            if let Some(there) = there.get_mut(self.train.label(index) as usize) {
                *there = true;
            }
        }
        (0..classes).filter(|&class| !there[class]).collect()
    }

    /// Whether pictures are read when they are needed.
    pub fn are_in_files(&self) -> bool {
        self.train.are_in_files() || self.test.are_in_files()
    }

    /// Bytes of memory that all samples take.
    pub fn bytes(&self) -> usize {
        [&self.train, &self.test, &self.apart]
            .iter()
            .map(|samples| samples.bytes())
            .sum()
    }
}

/// With paths that do not depend on where the program runs; a test that is a text file is a list.
fn absolute(source: &Source) -> Source {
    let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
    let mut source = Source {
        path: absolute(&source.path),
        test: source.test.as_ref().map(absolute),
        split: match &source.split {
            Some(Split::List(list)) => Some(Split::List(absolute(list))),
            other => other.clone(),
        },
        ..source.clone()
    };
    let is_list = |test: &mut PathBuf| test.extension().is_some_and(|end| end == "txt");
    if let Some(list) = source.test.take_if(is_list) {
        source.split = Some(Split::List(list));
    }
    source
}
