//! The runs of a file, one after another: frames of a sound are cut as they are taken, and sounds that are long are read then, too.

use super::Sample;
use crate::Failure;
use cnnc::compiler::graph::Hearing;
use cnnc::rt::memory::zeros;
use cnnc::source::Heard;
use std::path::PathBuf;

/// Bytes of a file from which on its sound is read when its frames are taken: of those that wait for that there are several.
const LONG: u64 = 4 << 20;

/// The runs of a file.
pub enum Runs {
    /// They are there.
    Made(Vec<Sample>),
    /// Frames of a sound of that name.
    Frames(String, Heard),
    /// A long sound, which is read when it is its turn.
    Long(Unheard),
}

/// A sound that has not been read.
pub struct Unheard {
    /// What it is called.
    pub name: String,
    /// Where it is.
    pub file: PathBuf,
    /// How it becomes an input.
    pub hearing: Hearing,
    /// Channels and samples of the input.
    pub shape: [usize; 2],
}

/// How many runs there are, and each of them.
pub type Each = (usize, Box<dyn Iterator<Item = Result<Sample, Failure>>>);

impl Runs {
    /// One after another.
    pub fn begin(self) -> Result<Each, Failure> {
        match self {
            Runs::Made(samples) => {
                let count = samples.len();
                Ok((
                    count,
                    Box::new(samples.into_iter().map(Ok::<Sample, Failure>)),
                ))
            }
            Runs::Frames(name, heard) => Ok(frames(name, heard)),
            Runs::Long(sound) => {
                let (name, heard) = sound.heard()?;
                Ok(frames(name, heard))
            }
        }
    }

    /// Whether all of them are pictures that may be drawn on.
    pub fn are_shown(&self) -> bool {
        match self {
            Runs::Made(samples) => samples.iter().all(|sample| sample.picture.is_some()),
            Runs::Frames(..) | Runs::Long(_) => false,
        }
    }
}

impl Unheard {
    /// Its frames: read now, unless that would be much.
    pub fn runs(self) -> Result<Runs, Failure> {
        let size = self.file.metadata().map_or(0, |metadata| metadata.len());
        if size > LONG {
            return Ok(Runs::Long(self));
        }
        let (name, heard) = self.heard()?;
        Ok(Runs::Frames(name, heard))
    }

    fn heard(self) -> Result<(String, Heard), Failure> {
        let heard = Heard::open(&self.file, self.hearing, self.shape);
        match heard {
            Ok(heard) => Ok((self.name, heard)),
            Err(error) => Err(Failure::Source(error.of(&self.file))),
        }
    }
}

/// The frames of a sound, or its middle.
fn frames(name: String, heard: Heard) -> Each {
    let starts = heard.starts();
    let starts: Vec<Option<usize>> = match starts.is_empty() {
        true => vec![None],
        false => starts.into_iter().map(Some).collect(),
    };
    let count = starts.len();
    let frame = move |start: Option<usize>| -> Result<Sample, Failure> {
        let mut numbers = zeros(heard.elements())?;
        heard.frame(start, &mut numbers);
        let name = match start {
            Some(start) => format!("{name}@{:.3}", start as f64 / f64::from(heard.rate())),
            None => name.clone(),
        };
        Ok(Sample {
            name,
            tensors: vec![numbers],
            picture: None,
        })
    };
    (count, Box::new(starts.into_iter().map(frame)))
}
