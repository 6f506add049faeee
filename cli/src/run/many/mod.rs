//! `cnnc run` on many files, or on a video: folders, patterns, lists and raw frames are answered one by one, and drawn one by one.
//!
//! ```text
//! Entries or Frames ──source::each, threads that decode and prepare──▶ batches ──session──▶ Sink, drawn pictures
//! ```

mod csv;
mod frames;
mod part;
mod progress;
mod sink;

use super::Args;
use crate::answer::{self, Context};
use crate::inputs::{self, Sample};
use crate::{Failure, finite, print};
use cnnc::rt::answer::Head;
use cnnc::rt::files::same_file;
use cnnc::rt::image::{Picture, is_called_a_picture};
use cnnc::rt::plan::Port;
use cnnc::source::{self, Ahead, Entries, Entry, Place, Wanted};
use cnnc::{Model, Network, Session, Weights};
use frames::{Frames, another_size};
use part::Part;
use progress::Progress;
use serde_json::json;
use sink::{Form, Of, Sink};
use std::collections::{BTreeSet, HashSet};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Whether the inputs are many, or are to be answered as many are.
pub fn is_many(args: &Args, model: &Model) -> bool {
    let is_folder =
        |path: &PathBuf| path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/");
    let in_folder = [&args.draw, &args.out].into_iter().flatten().any(is_folder);
    if args.frames.is_some() || args.many.any() || in_folder {
        return true;
    }
    let framed = inputs::takes_frames(model);
    let places = || args.files.iter().map(|word| Place::of(word));
    if places().any(|place| place.is_many() && !(framed && matches!(place, Place::Folder(_)))) {
        return true;
    }
    // Pictures whose answers have nothing to do with each other.
    let head = model.graph().head.as_ref();
    let embeds = head.is_some_and(|head| head.decl.keyword == "embed");
    let written = [&args.raw, &args.out, &args.draw, &args.draw_all];
    args.files.len() > 1
        && args.files.iter().all(|file| is_called_a_picture(file))
        && model.graph().inputs.len() == 1
        && !embeds
        && !(args.json || written.into_iter().any(Option::is_some) || !args.tap.is_empty())
}

/// Whether drawn frames go to standard output, as they would come from standard input.
pub fn is_pipe(path: &Path) -> bool {
    path == Path::new("-")
}

/// What is to be answered.
enum Work {
    File(Entry),
    Frame(String, Picture),
    /// There is no more.
    Failed(Failure),
}

/// What a thread has made of it.
struct Made {
    name: String,
    /// Where what is drawn of it goes, in a folder.
    place: PathBuf,
    samples: Result<Vec<Sample>, Failure>,
    /// Whether nothing follows a failure.
    ends: bool,
    time: Duration,
}

/// A sample that waits for its batch.
struct Waiting {
    sample: Sample,
    place: Arc<Path>,
    /// The file, where it has several.
    file: Option<Arc<str>>,
    last: bool,
}

/// Answers for every file.
pub fn run(args: &Args, model: &Model, weights: &Weights) -> Result<(), Failure> {
    let piped = args.draw.as_deref().is_some_and(is_pipe);
    refuse(args, model, piped)?;
    let form = match (args.json, args.many.csv) {
        _ if piped => Form::Nothing,
        (_, true) => Form::Csv,
        (true, _) => Form::Json,
        _ if args.out.is_some() => Form::Json,
        _ => Form::Text,
    };
    let shard = args.many.shard;
    let identity = json!({
        "model": model.graph().name,
        "weights": args.network.origin(),
        "shard": shard.map(|shard| shard.to_string()),
    });
    let mut sink = Sink::new(form, identity);
    let number = shard.map_or(0, |shard| shard.index);
    let mut open = || -> Result<HashSet<String>, Failure> {
        let Some(folder) = &args.out else {
            return Ok(HashSet::new());
        };
        let ending = if form == Form::Csv { "csv" } else { "jsonl" };
        let name = format!("part-{number}.{ending}");
        let (part, done) = Part::open(folder, &name, args.many.resume, &sink.identity)?;
        sink.part = Some(part);
        let aside = folder.join(format!("broken-{number}.jsonl"));
        // What an earlier run could not answer is tried again.
        let _ = std::fs::remove_file(&aside);
        sink.aside = Some(aside);
        Ok(done)
    };
    // What has been done is known before files are listed; without it nothing is written before all is in order.
    let resumed = args.many.resume.then(&mut open).transpose()?;
    let entries = match args.frames {
        Some(_) => None,
        None => Some(entries(args, model, resumed.unwrap_or_default())?),
    };
    let network = args.network.network(model, weights, args.backend, &[])?;
    let session = network.session()?;
    let head = args.thresholds.apply(model)?;
    if !args.many.resume {
        open()?;
    }
    for folder in [args.draw.as_ref().filter(|_| !piped), args.out.as_ref()]
        .into_iter()
        .flatten()
    {
        create(folder)?;
    }
    let (count, before) = match &entries {
        Some(entries) => (entries.count(), entries.skipped()),
        None => (None, 0),
    };
    let alone = sink.part.is_some() || !std::io::stdout().is_terminal();
    let threads = args.network.threads();
    let ahead = match args.many.decoders {
        Some(decoders) => Ahead::with(decoders.into(), network.batch()),
        None => Ahead::beside(threads, network.batch()),
    };
    let mut work: Box<dyn Iterator<Item = Work> + Send> = match (entries, args.frames) {
        (Some(entries), _) => Box::new(entries.map(|entry| match entry {
            Ok(entry) => Work::File(entry),
            Err(error) => Work::Failed(error.into()),
        })),
        (None, size) => Box::new(
            Frames::of(size.unwrap_or_default()).map(|frame| match frame {
                Ok((name, picture)) => Work::Frame(name, picture),
                Err(failure) => Work::Failed(failure),
            }),
        ),
    };
    let port = &network.inputs()[0];
    let kept = args.draw.is_some();
    let make = |work: Work| made(model, port, work, kept);
    let mut run = Run {
        args,
        piped,
        head,
        session,
        sink,
        progress: Progress::new(count, before, alone),
        waiting: Vec::new(),
        size: None,
    };
    let all = source::each(&mut *work, &make, ahead, &mut |made| {
        let begun = Instant::now();
        let more = run.take(&network, made);
        run.progress.computing += begun.elapsed();
        run.progress.say();
        more.map(|()| true)
    });
    let begun = Instant::now();
    all.and_then(|_| run.answer(&network))?;
    run.progress.computing += begun.elapsed();
    run.progress.end(ahead.threads);
    if form == Form::Text
        && let Some(remark) = args.network.remark(model)
    {
        print::line(remark)?;
    }
    match run.progress.broken {
        0 => Ok(()),
        broken => Err(Failure::LeftOut {
            broken,
            of: broken + run.progress.answered,
        }),
    }
}

/// Refuses what many have no place for.
fn refuse(args: &Args, model: &Model, piped: bool) -> Result<(), Failure> {
    for (flag, given) in [
        ("--raw", args.raw.is_some()),
        ("--draw-all", args.draw_all.is_some()),
        ("--tap", !args.tap.is_empty()),
    ] {
        if given {
            let why = "frames are answered one by one, and only `--draw` and `--out` have a place for each";
            return Err(Failure::NotShown { flag, why });
        }
    }
    if args.json && piped {
        let (flag, why) = ("--draw", "`--json` has standard output already");
        return Err(Failure::NotShown { flag, why });
    }
    let refused = |flag, why: String| Err(Failure::Flag { flag, why });
    for (flag, path) in [("--out", &args.out), ("--draw", &args.draw)] {
        if let Some(path) = path
            && !path.is_dir()
            && is_called_a_picture(path)
        {
            let path = path.display();
            return refused(
                flag,
                format!(
                    "it names a folder where there are many inputs, and `{path}` is called as a picture"
                ),
            );
        }
    }
    let named: Vec<&PathBuf> = args.files.iter().filter(|file| !is_pipe(file)).collect();
    if args.frames.is_some() && !named.is_empty() {
        return refused(
            "--frames",
            "frames come from standard input, and no other file is read".to_owned(),
        );
    }
    let piped_in = args.frames.is_some() || named.len() < args.files.len();
    if piped_in && is_pipe(&args.network.spec) {
        return refused("-", "standard input has the spec, and no inputs".to_owned());
    }
    if args.files.is_empty() && args.frames.is_none() {
        let names = model.graph().inputs.iter().map(|input| input.name.clone());
        return Err(Failure::NoInput {
            names: names.collect(),
        });
    }
    let inputs = &model.graph().inputs;
    let takes = match args.frames {
        Some(_) => inputs[0].pre.is_some(),
        None => true,
    };
    if inputs.len() != 1 || !takes {
        let shape = &model.graph().values[inputs[0].value].shape;
        return Err(Failure::NotAPicture {
            file: "frames".to_owned(),
            input: inputs[0].name.clone(),
            shape: print::shape(shape.dims()),
        });
    }
    Ok(())
}

/// The files that are named, but those that have been done.
fn entries(args: &Args, model: &Model, done: HashSet<String>) -> Result<Entries, Failure> {
    let framed = inputs::takes_frames(model);
    let places = args.files.iter().map(|word| match Place::of(word) {
        Place::Folder(folder) if framed => Place::File(folder),
        place => place,
    });
    let places: Vec<Place> = places.collect();
    let written = [&args.draw, &args.out].into_iter().flatten();
    let without: Vec<&Path> = written.map(PathBuf::as_path).collect();
    let same = |one: &Path, other: &Path| match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    };
    for place in &places {
        if let Place::Folder(folder) = place
            && without.iter().any(|written| same(folder, written))
        {
            let file = folder.display().to_string();
            return Err(Failure::Overwrite { file });
        }
    }
    let kind = |path: &Path| inputs::is_called_an_input(model, path);
    let wanted = Wanted {
        kind: Some(&kind),
        without: &without,
        shard: args.many.shard,
        done,
    };
    let entries = Entries::of(&places, wanted)?;
    if let Some(folder) = args.draw.as_deref().filter(|draw| !is_pipe(draw)) {
        let mut taken = BTreeSet::new();
        let mut places = entries.known().iter().map(|entry| drawn(&entry.place()));
        if let Some(file) = places.find(|place| !taken.insert(place.clone())) {
            let file = folder.join(file).display().to_string();
            return Err(Failure::Twice { file });
        }
    }
    Ok(entries)
}

/// The drawn picture's file: the picture's own name where that is a PNG, else with that ending behind it.
fn drawn(place: &Path) -> PathBuf {
    match place.extension() {
        Some(ending) if ending.eq_ignore_ascii_case("png") => place.to_owned(),
        _ => place.with_added_extension("png"),
    }
}

fn create(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| Failure::WriteFile {
        file: folder.display().to_string(),
        error,
    })
}

fn made(model: &Model, port: &Port, work: Work, kept: bool) -> Made {
    let begun = Instant::now();
    let (name, place, samples, ends) = match work {
        Work::File(entry) => {
            let samples = inputs::each(model, port, &entry.path, kept);
            (entry.name(), entry.place(), samples, false)
        }
        Work::Frame(name, picture) => {
            let pre = model.graph().inputs[0].pre.as_ref();
            let sample = pre.map(|pre| Sample::of_picture(name.clone(), picture, pre, kept));
            let samples = sample.into_iter().collect();
            (name.clone(), PathBuf::from(name), samples, false)
        }
        Work::Failed(failure) => (String::new(), PathBuf::new(), Err(failure), true),
    };
    Made {
        name,
        place: drawn(&place),
        samples,
        ends,
        time: begun.elapsed(),
    }
}

/// A run under way.
struct Run<'a> {
    args: &'a Args,
    piped: bool,
    head: Head,
    session: Session,
    sink: Sink,
    progress: Progress,
    waiting: Vec<Waiting>,
    /// Width and height of the first frame on standard output.
    size: Option<(usize, usize)>,
}

impl Run<'_> {
    /// Takes what is made of a file, and answers when there is a batch.
    fn take(&mut self, network: &Network, made: Made) -> Result<(), Failure> {
        self.progress.making += made.time;
        let samples = match made.samples {
            Ok(samples) => samples,
            Err(failure) if made.ends => {
                // What came before is answered.
                self.answer(network)?;
                return Err(failure);
            }
            Err(failure) => {
                self.progress.broken += 1;
                if !self.sink.tells() {
                    self.progress.aside(|| print::error(&failure));
                }
                return self.sink.broken(&made.name, &failure);
            }
        };
        let place: Arc<Path> = made.place.into();
        let count = samples.len();
        let several = samples
            .first()
            .is_some_and(|sample| sample.name != made.name);
        let file: Option<Arc<str>> = several.then(|| made.name.into());
        for (at, sample) in samples.into_iter().enumerate() {
            self.waiting.push(Waiting {
                sample,
                place: Arc::clone(&place),
                file: file.clone(),
                last: at + 1 == count,
            });
            if self.waiting.len() >= network.batch() {
                self.answer(network)?;
            }
        }
        Ok(())
    }

    /// Answers what waits.
    fn answer(&mut self, network: &Network) -> Result<(), Failure> {
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
                taps: &[],
                outputs: &outputs,
            };
            if !not_finite.is_empty() && !self.sink.tells() {
                self.progress
                    .aside(|| finite::warn(&not_finite, Some(&sample.name)));
            }
            if let Some(path) = &self.args.draw {
                let picture = sample.picture("--draw")?;
                let own = (picture.width(), picture.height());
                let first = *self.size.get_or_insert(own);
                if self.piped && own != first {
                    return Err(another_size(&sample.name, own, first));
                }
                let drawn = answer::draw(&self.head, &found, picture)?;
                match self.piped {
                    true => {
                        let mut out = std::io::stdout();
                        out.write_all(drawn.rgb()).map_err(Failure::Write)?;
                    }
                    false => write(&drawn, &path.join(place), &sample.name)?,
                }
            }
            if let (Some(folder), cnnc::Answer::Picture(picture)) = (&self.args.out, &found) {
                write(picture, &folder.join(place), &sample.name)?;
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
    if same_file(Path::new(read), path) {
        let file = path.display().to_string();
        return Err(Failure::Overwrite { file });
    }
    if let Some(folder) = path.parent() {
        create(folder)?;
    }
    Ok(picture.write_png(path)?)
}
