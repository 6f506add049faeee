//! Sounds: `CLASS_….wav` in one folder, or a folder for each class.
//!
//! A sound is as long as the network's input: a longer one is its middle, a shorter one has silence on both sides. Whole numbers become −1 … 1. Where a name ends with the
//! number of a take, `7_nicolas_3.wav`, the takes 0 to 4 are the test set, as Free Spoken Digits has it.

use super::classes::Labels;
use super::files::{ends_with, name, within};
use super::filling::Filling;
use super::reader::Reader;
use super::samples::Samples;
use super::{Data, DataError};
use cnnc_runtime::files::open_ordinary;
use hound::{SampleFormat, WavReader, WavSpec};
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// Takes that judge are those below.
const TEST_TAKES: u32 = 5;

/// A sound that has been read: channels one behind the other.
struct Sound {
    channels: Vec<Vec<f32>>,
    rate: u32,
}

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
            let sound = open(path)?;
            let (other, rate) = *first.get_or_insert((path, sound.rate));
            if rate != sound.rate {
                let why = format!(
                    "{} Hz, but {} has {rate} Hz; a network hears one rate",
                    sound.rate,
                    other.display()
                );
                return Err(DataError::Broken(path.clone(), why));
            }
            let sound = match sound.channels.len() {
                found if found == channels => sound.channels,
                _ if channels == 1 => vec![mean(&sound.channels)],
                found => {
                    let why = format!("{found} channels, but the network hears {channels}");
                    return Err(DataError::Broken(path.clone(), why));
                }
            };
            for (from, to) in sound.iter().zip(numbers.chunks_exact_mut(length)) {
                centred(from, to);
            }
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

fn mean(channels: &[Vec<f32>]) -> Vec<f32> {
    let share = 1.0 / channels.len() as f32;
    let at = |index: usize| channels.iter().map(|channel| channel[index]).sum::<f32>() * share;
    (0..channels[0].len()).map(at).collect()
}

/// The middle of what is longer, silence around what is shorter.
fn centred(from: &[f32], to: &mut [f32]) {
    to.fill(0.0);
    let length = from.len().min(to.len());
    let (skip, left) = ((from.len() - length) / 2, (to.len() - length) / 2);
    to[left..left + length].copy_from_slice(&from[skip..skip + length]);
}

fn open(path: &Path) -> Result<Sound, DataError> {
    let failed = |error| DataError::File(path.to_owned(), error);
    let broken = |why: String| DataError::Broken(path.to_owned(), why);
    let file = open_ordinary(path).map_err(failed)?;
    let most = file.metadata().map_err(failed)?.len();
    let wrong = |error: hound::Error| broken(format!("the sound is broken: {error}"));
    let mut reader = WavReader::new(BufReader::new(file)).map_err(wrong)?;
    let WavSpec {
        channels,
        sample_rate,
        bits_per_sample,
        sample_format,
    } = reader.spec();
    // A file has a byte at least for each.
    if channels == 0 || u64::from(reader.len()) > most {
        return Err(broken("the sound is shorter than it says".to_owned()));
    }
    let values: Vec<f32> = match sample_format {
        SampleFormat::Float => reader.samples::<f32>().collect::<Result<_, _>>(),
        SampleFormat::Int => {
            let one = 1.0 / f64::from(bits_per_sample.saturating_sub(1)).exp2();
            let samples = reader.samples::<i32>();
            let scaled = samples.map(|sample| Ok((f64::from(sample?) * one) as f32));
            scaled.collect()
        }
    }
    .map_err(wrong)?;
    if values.is_empty() {
        return Err(broken("a sound without samples".to_owned()));
    }
    let channels = usize::from(channels);
    let of = |channel: usize| values.iter().copied().skip(channel).step_by(channels);
    Ok(Sound {
        channels: (0..channels).map(|channel| of(channel).collect()).collect(),
        rate: sample_rate,
    })
}

/// `1x8000`
pub(super) fn shown(shape: &[usize]) -> String {
    let extents: Vec<String> = shape.iter().map(ToString::to_string).collect();
    extents.join("x")
}
