//! Sounds: `CLASS_….wav` in one folder, or a folder for each class.
//!
//! A sound is as long as the network's input: a longer one is its middle, a shorter one has silence on both sides. Whole numbers become −1 … 1; what the
//! input's declaration says of its rate and deviation is done. Where a name ends with the
//! number of a take, `7_nicolas_3.wav`, the takes 0 to 4 are the test set, as Free Spoken Digits has it.

use super::classes::Labels;
use super::files::{ends_with, name, within};
use super::filling::Filling;
use super::reader::Reader;
use super::samples::Samples;
use super::{Data, DataError};
use crate::source::{Heard, SoundError};
use std::path::{Path, PathBuf};

/// Takes that judge are those below.
const TEST_TAKES: u32 = 5;

impl Reader<'_> {
    /// The sounds of a folder, if it has some: a name begins with its class.
    pub(super) fn sounds(
        &self,
        folder: &Path,
        files: &[PathBuf],
    ) -> Result<Option<Data>, DataError> {
        let (sounds, others): (Vec<PathBuf>, Vec<PathBuf>) = files
            .iter()
            .cloned()
            .partition(|path| ends_with(path, "wav"));
        if sounds.is_empty() {
            return Ok(None);
        }
        let mut labels = Labels::default();
        let mut numbered = Vec::new();
        for path in sounds {
            let Some((label, _)) = name(&path).split_once('_') else {
                let why = "its name does not say its class: `CLASS_….wav`".to_owned();
                return Err(DataError::Broken(path, why));
            };
            let number = labels.number(label, self, folder)?;
            numbered.push((path, number));
        }
        let classes = labels.numbering(self, folder)?;
        for (_, class) in &mut numbered {
            *class = classes[*class as usize];
        }
        let takes: Option<Vec<u32>> = numbered.iter().map(|(path, _)| take(path)).collect();
        let mut train = self.sound_files(folder, &numbered)?;
        let test = takes.map(|takes| train.take_out(|_, index| takes[index] < TEST_TAKES));
        Ok(Some(Data {
            kind: "sounds".to_owned(),
            train,
            test: test.unwrap_or_default(),
            skipped: others,
            ..Data::default()
        }))
    }

    /// Makes samples of sound files with their classes.
    pub(super) fn sound_files(
        &self,
        from: &Path,
        files: &[(PathBuf, u32)],
    ) -> Result<Samples, DataError> {
        let (channels, length) = match *self.shape {
            [length] => (1, length),
            [channels, length] => (channels, length),
            _ => {
                let why = format!(
                    "sounds are learned by networks whose input is 1xLENGTH, not {}",
                    shown(self.shape)
                );
                return Err(DataError::Shape(from.to_owned(), why));
            }
        };
        let mut filling: Filling = self.filling(from);
        filling.reserve(files.len())?;
        let mut first: Option<(&Path, u32)> = None;
        let mut numbers = vec![0.0; self.elements()];
        for (path, class) in files {
            let failed = |error| failed(path, error);
            let heard = Heard::open(path, self.hearing, [channels, length]).map_err(failed)?;
            let (other, rate) = *first.get_or_insert((path, heard.rate()));
            if rate != heard.rate() {
                let why = format!(
                    "{} Hz, but {} has {rate} Hz; a network hears one rate: `rate` in the input's declaration can help",
                    heard.rate(),
                    other.display()
                );
                return Err(DataError::Broken(path.clone(), why));
            }
            heard.frame(None, &mut numbers);
            filling.numbers(&numbers, *class)?;
            filling.name(within(from, path));
        }
        Ok(filling.done())
    }
}

/// The number at the end of a name.
fn take(path: &Path) -> Option<u32> {
    let (_, take) = path.file_stem()?.to_str()?.rsplit_once('_')?;
    take.parse().ok()
}

fn failed(path: &Path, error: SoundError) -> DataError {
    match error {
        SoundError::Read(error) => DataError::File(path.to_owned(), error),
        SoundError::Broken(why) => DataError::Broken(path.to_owned(), why),
    }
}

/// `1x8000`
pub(super) fn shown(shape: &[usize]) -> String {
    let extents: Vec<String> = shape.iter().map(ToString::to_string).collect();
    extents.join("x")
}
