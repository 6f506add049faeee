//! Takes what threads have made of files, answers it in batches, and hands answers on.

use super::frames::another_size;
use super::progress::Progress;
use super::sink::{Of, Sink};
use super::targets::{Targets, create, drawn, tensors};
use crate::answer::{self, Context};
use crate::inputs::{self, Runs, Sample};
use crate::raw::Raw;
use crate::{Failure, finite, print};
use cnnc::rt::answer::Head;
use cnnc::rt::files::same_file;
use cnnc::rt::image::Picture;
use cnnc::{Network, Session};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What a thread has made of it.
pub struct Made {
    pub name: String,
    /// Where what is made of it goes, in a folder.
    pub place: PathBuf,
    /// Whether it is a file, whose place another one may have.
    pub is_file: bool,
    pub runs: Result<Runs, Failure>,
    /// Whether nothing follows a failure.
    pub ends: bool,
    pub time: Duration,
}

/// A sample that waits for its batch.
pub struct Waiting {
    sample: Sample,
    place: PathBuf,
    /// The file, where it has several.
    file: Option<Arc<str>>,
    last: bool,
}

/// A run under way.
pub struct Run<'a> {
    /// Where drawn pictures go.
    pub draw: Option<&'a Path>,
    /// Where answers go that are pictures.
    pub out: Option<&'a Path>,
    /// Where raw outputs go.
    pub raw: Option<&'a Path>,
    /// Labels of the tensors that are outputs, too.
    pub taps: &'a [String],
    /// Whether drawn pictures go to standard output.
    pub piped: bool,
    pub head: Head,
    pub session: Session,
    pub sink: Sink,
    pub progress: Progress,
    pub targets: Targets,
    pub waiting: Vec<Waiting>,
    /// Width and height of the first frame on standard output.
    pub size: Option<(usize, usize)>,
}

impl Run<'_> {
    /// Takes what is made of a file, and answers when there is a batch.
    pub fn take(&mut self, network: &Network, made: Made) -> Result<(), Failure> {
        self.progress.making += made.time;
        let (count, samples) = match made.runs.and_then(Runs::begin) {
            Ok(samples) => samples,
            Err(failure) if made.ends => {
                // What came before is answered.
                self.answer(network)?;
                return Err(failure);
            }
            Err(failure) => return self.broken(&made.name, &failure),
        };
        // What has no place of its own is not computed.
        let mut places = Vec::new();
        if made.is_file && self.targets.are_some() {
            for at in 0..count {
                match self.targets.claim(&made.place, at, count) {
                    Ok(place) => places.push(place),
                    Err(failure) => return self.broken(&made.name, &failure),
                }
            }
        }
        let mut places = places.into_iter();
        let file: Arc<str> = made.name.into();
        for (at, sample) in samples.enumerate() {
            let sample = sample?;
            self.waiting.push(Waiting {
                place: places.next().unwrap_or_else(|| made.place.clone()),
                file: (sample.name != *file).then(|| Arc::clone(&file)),
                last: at + 1 == count,
                sample,
            });
            if self.waiting.len() >= network.batch() {
                self.answer(network)?;
            }
        }
        Ok(())
    }

    /// Reports a file that cannot be answered, and leaves it out.
    fn broken(&mut self, name: &str, failure: &Failure) -> Result<(), Failure> {
        self.progress.broken += 1;
        if !self.sink.tells() {
            self.progress.aside(|| print::error(failure));
        }
        self.sink.broken(name, failure)
    }

    /// Answers what waits.
    pub fn answer(&mut self, network: &Network) -> Result<(), Failure> {
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() {
            return Ok(());
        }
        let samples: Vec<&Sample> = waiting.iter().map(|waiting| &waiting.sample).collect();
        let inputs = inputs::together(&samples)?;
        let all = self.session.run(&inputs::views(&inputs))?;
        for (index, waiting) in waiting.iter().enumerate() {
            let Waiting {
                sample,
                place,
                file,
                last,
            } = waiting;
            let outputs = all.image(index);
            let not_finite = network.not_finite(&sample.views(), &outputs)?;
            let found = outputs.answer(&self.head, &sample.placement(network.inputs()))?;
            let of = Context {
                head: &self.head,
                taps: self.taps,
                outputs: &outputs,
            };
            if !not_finite.is_empty() && !self.sink.tells() {
                self.progress
                    .aside(|| finite::warn(&not_finite, Some(&sample.name)));
            }
            if let Some(path) = self.draw {
                let picture = sample.picture("--draw")?;
                let own = (picture.width(), picture.height());
                let first = *self.size.get_or_insert(own);
                if self.piped && own != first {
                    return Err(another_size(&sample.name, own, first));
                }
                let named = drawn(place);
                let drawn = answer::draw(&self.head, &found, picture)?;
                match self.piped {
                    true => {
                        let mut out = std::io::stdout();
                        out.write_all(drawn.rgb()).map_err(Failure::Write)?;
                    }
                    false => write(&drawn, &path.join(named), &sample.name)?,
                }
            }
            if let (Some(folder), cnnc::Answer::Picture(picture)) = (self.out, &found) {
                write(picture, &folder.join(drawn(place)), &sample.name)?;
            }
            if let Some(folder) = self.raw {
                let path = folder.join(tensors(place));
                into(&path, &sample.name)?;
                let mut raw = Raw::default();
                raw.add(&outputs)?;
                raw.write(&path)?;
            }
            let nth = Of {
                file: file.as_deref(),
                last: *last,
            };
            self.sink.answer(sample, &nth, &found, &of, &not_finite)?;
            self.progress.answered += usize::from(*last);
        }
        Ok(())
    }
}

/// Writes a picture, in a folder of a folder; not over the one that was read.
fn write(picture: &Picture, path: &Path, read: &str) -> Result<(), Failure> {
    into(path, read)?;
    Ok(picture.write_png(path)?)
}

/// Makes the folder that a file is written to, which is not the one that was read.
fn into(path: &Path, read: &str) -> Result<(), Failure> {
    if same_file(Path::new(read), path) {
        let file = path.display().to_string();
        return Err(Failure::Overwrite { file });
    }
    if let Some(folder) = path.parent() {
        create(folder)?;
    }
    Ok(())
}
