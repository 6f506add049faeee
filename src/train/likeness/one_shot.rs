//! One-shot learning: which of several classes a picture is of, when one picture of each is known.
//!
//! ```text
//! DIR/run01/class_labels.txt       run01/test/item01.png run01/training/class08.png
//!                                  …
//! DIR/run01/test/item01.png …      what is asked
//! DIR/run01/training/class01.png … what is known
//! ```
//!
//! That is how the 20-way runs of Omniglot come (B. Lake, R. Salakhutdinov and J. Tenenbaum 2015). What may be answered is every picture beside one that is right.

use super::compare::{BATCH, Comparer};
use crate::source::Viewed;
use crate::train::data::{DataError, entries};
use crate::train::error::TrainError;
use crate::train::readable::Readable;
use crate::{Model, Weights};
use cnnc_runtime::files::read_ordinary;
use cnnc_runtime::image::is_called_a_picture;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The file of a run that says what is right.
const LIST: &str = "class_labels.txt";

/// What came of one-shot runs.
#[derive(Clone, Debug, PartialEq)]
pub struct OneShot {
    /// Each of them, in the order of their names.
    pub runs: Vec<OneShotRun>,
    /// What is wrong with pictures that could not be read and were left out.
    pub broken: Vec<String>,
}

/// A run: pictures that are asked, and those that are known.
#[derive(Clone, Debug, PartialEq)]
pub struct OneShotRun {
    /// The folder.
    pub name: String,
    /// How many are known: those that can be read.
    pub ways: usize,
    /// What was asked: of pictures that can be read, those whose class is known.
    pub tried: Vec<Tried>,
}

/// A picture that is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    /// It.
    pub picture: PathBuf,
    /// The known one of its class.
    pub right: PathBuf,
    /// The nearest of those that are known: of equal ones the first.
    pub said: PathBuf,
}

impl Tried {
    /// Whether the nearest is the right one.
    pub fn is_right(&self) -> bool {
        self.said == self.right
    }
}

impl OneShotRun {
    /// How many are right.
    pub fn right(&self) -> usize {
        self.tried.iter().filter(|tried| tried.is_right()).count()
    }
}

impl OneShot {
    /// Number of pictures that were asked.
    pub fn tried(&self) -> usize {
        self.runs.iter().map(|run| run.tried.len()).sum()
    }

    /// Share of them that are right.
    pub fn accuracy(&self) -> f64 {
        let right: usize = self.runs.iter().map(OneShotRun::right).sum();
        right as f64 / self.tried().max(1) as f64
    }
}

/// Tries a network on the one-shot runs in a folder. Pictures are read on threads ahead; those that cannot be read are left out, up to ten, or one in a hundred of all.
///
/// # Errors
/// A folder without runs, lists that name what is not there, more broken pictures, a network that compares no pictures.
pub fn one_shot(
    model: &Model,
    weights: &Weights,
    folder: &Path,
    threads: usize,
) -> Result<OneShot, TrainError> {
    let mut comparer = Comparer::new(model, weights, threads)?;
    let Some(pre) = &model.graph().inputs[0].pre else {
        return Err(DataError::NoPicture(model.graph().name.clone()).into());
    };
    let see = |path: &Path| {
        let viewed = Viewed::open(path, pre, false)?;
        pre.input(&viewed.seen, &path.display().to_string())
    };
    let listed = listed_runs(folder)?;
    let count = listed
        .iter()
        .map(|(_, asked, known)| asked.len() + known.len());
    let mut readable = Readable::new(folder, count.sum(), threads, BATCH);
    let mut runs = Vec::new();
    for (inside, asked, known) in listed {
        let files = asked.iter().map(|(picture, _)| picture).chain(&known);
        let files: Vec<&PathBuf> = files.collect();
        let see = |at: usize| see(files[at]).map_err(DataError::Picture);
        let mut seen = comparer.stand_ins(files.len(), &see, &mut readable)?;
        let faces = seen.split_off(asked.len());
        let known = known.into_iter().zip(faces);
        let known = known.filter_map(|(picture, face)| Some((picture, face?)));
        let (known, faces): (Vec<PathBuf>, Vec<Vec<f32>>) = known.unzip();
        // Nobody finds what is not known.
        let asked = asked.into_iter().zip(seen);
        let asked = asked.filter_map(|(asked, query)| Some((asked, query?)));
        let asked = asked.filter(|((_, right), _)| known.contains(right));
        let (asked, queries): (Asked, Vec<Vec<f32>>) = asked.unzip();
        let pairs = (0..asked.len()).flat_map(|one| (0..known.len()).map(move |at| (one, at)));
        let pairs: Vec<(usize, usize)> = pairs.collect();
        let far = comparer.distances(&queries, &faces, &pairs)?;
        let tried = asked.into_iter().zip(far.chunks(known.len().max(1)));
        let tried = tried.map(|((picture, right), far)| {
            let nearest = (0..far.len()).min_by(|&one, &other| far[one].total_cmp(&far[other]));
            Tried {
                picture,
                right,
                said: known[nearest.unwrap_or(0)].clone(),
            }
        });
        let name = inside.file_name().unwrap_or_default();
        runs.push(OneShotRun {
            name: name.to_string_lossy().into_owned(),
            ways: known.len(),
            tried: tried.collect(),
        });
    }
    if runs.iter().all(|run| run.tried.is_empty()) {
        return Err(DataError::Empty(folder.to_owned(), "to be judged by").into());
    }
    let broken = readable.done()?;
    Ok(OneShot { runs, broken })
}

/// All files that the one-shot runs in a folder read: lists, and pictures that are asked and known.
///
/// # Errors
/// A folder without runs, lists that name what is not there.
pub fn one_shot_files(folder: &Path) -> Result<Vec<PathBuf>, TrainError> {
    let mut files = Vec::new();
    for (inside, asked, known) in listed_runs(folder)? {
        files.push(inside.join(LIST));
        files.extend(asked.into_iter().map(|(picture, _)| picture));
        files.extend(known);
    }
    Ok(files)
}

/// What is asked, each with the right answer.
type Asked = Vec<(PathBuf, PathBuf)>;

/// The folders of all runs, with what is asked and what is known.
fn listed_runs(folder: &Path) -> Result<Vec<(PathBuf, Asked, Vec<PathBuf>)>, TrainError> {
    let mut runs = Vec::new();
    for inside in entries(folder)? {
        let list = inside.join(LIST);
        if list.is_file() {
            let (asked, known) = listed(folder, &inside, &list)?;
            runs.push((inside, asked, known));
        }
    }
    if runs.is_empty() {
        let why = format!(
            "there is no folder with a `{LIST}`, whose lines name a picture and the known one of its class"
        );
        return Err(DataError::Broken(folder.to_owned(), why).into());
    }
    Ok(runs)
}

/// What a list asks, and all that is known.
fn listed(folder: &Path, run: &Path, list: &Path) -> Result<(Asked, Vec<PathBuf>), TrainError> {
    let bytes = read_ordinary(list).map_err(|error| DataError::File(list.to_owned(), error))?;
    let text = String::from_utf8_lossy(&bytes);
    let broken = |number: usize, why: String| {
        DataError::Broken(list.to_owned(), format!("line {}: {why}", number + 1))
    };
    let (mut asked, mut places) = (Asked::new(), BTreeSet::new());
    for (number, line) in text.lines().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [picture, right] = match words.as_slice() {
            [] => continue,
            &[picture, right] => [picture, right],
            _ => {
                let why = "a picture and the known one of its class are expected".to_owned();
                return Err(broken(number, why).into());
            }
        };
        // As seen from the folder of all runs, or from that of this one.
        let found = |name: &str| {
            let mut all = [folder, run].into_iter().map(|place| place.join(name));
            let found = all.find(|path| path.is_file());
            found.ok_or_else(|| broken(number, format!("there is no file `{name}`")))
        };
        let (picture, right) = (found(picture)?, found(right)?);
        places.insert(right.parent().unwrap_or(run).to_owned());
        asked.push((picture, right));
    }
    if asked.is_empty() {
        return Err(DataError::Empty(list.to_owned(), "in it").into());
    }
    let mut known = Vec::new();
    for place in places {
        let inside = entries(&place)?;
        known.extend(inside.into_iter().filter(|path| is_called_a_picture(path)));
    }
    if let Some((_, stranger)) = asked.iter().find(|(_, right)| !known.contains(right)) {
        let why = "it is called like no picture that is read".to_owned();
        return Err(DataError::Broken(stranger.clone(), why).into());
    }
    Ok((asked, known))
}
