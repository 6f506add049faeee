//! `cnnc run` on many files, or on a video: folders, patterns, lists and raw frames are answered one by one, and drawn one by one.
//!
//! ```text
//! Entries or Frames ──source::each, threads that decode and prepare──▶ batches ──session──▶ Sink, drawn pictures
//! ```

mod csv;
mod frames;
mod identity;
mod measured;
mod part;
mod progress;
mod sink;
mod taker;
mod targets;
mod work;

use super::Args;
use crate::{Failure, inputs, onnx, print};
use cnnc::rt::image::is_called_a_picture;
use cnnc::source::{Ahead, Entries, Feed, Place};
use cnnc::{Model, Weights};
use frames::Frames;
pub use measured::measured;
use part::Part;
pub use progress::Pace;
use progress::Progress;
use sink::{Form, Sink};
use std::collections::HashSet;
use std::io::{ErrorKind, IsTerminal};
use std::path::{Path, PathBuf};
use taker::Run;
use targets::{Named, Targets, create, drawn, tensors};
use work::{Work, listed};

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
    // Files whose answers have nothing to do with each other.
    let head = model.graph().head.as_ref();
    let embeds = head.is_some_and(|head| head.decl.keyword == "embed");
    let written = [&args.raw, &args.out, &args.draw, &args.draw_all];
    let apart = !embeds && args.compare.file().is_none();
    let alone = args.tap.is_empty() && written.into_iter().all(Option::is_none);
    // An .onnx has outputs of its own, whose batches named files are.
    let each = raw(args).is_some() && args.network.imported().is_none();
    let several = args.files.len() > 1 && model.graph().inputs.len() == 1;
    several && apart && (alone || each)
}

/// The folder that raw outputs go to, a file for each input.
fn raw(args: &Args) -> Option<&Path> {
    args.raw.as_deref().filter(|path| onnx::is_folder(path))
}

/// Whether drawn frames go to standard output, as they would come from standard input.
pub fn is_pipe(path: &Path) -> bool {
    path == Path::new("-")
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
    let head = args.thresholds.apply(model)?;
    let identity = identity::identity(&args.network, model, &head, shard, args.out.is_some())?;
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
        if let Err(error) = std::fs::remove_file(&aside)
            && error.kind() != ErrorKind::NotFound
        {
            let file = aside.display().to_string();
            return Err(Failure::WriteFile { file, error });
        }
        sink.aside = Some(aside);
        Ok(done)
    };
    // What has been done is known before files are listed; without it nothing is written before all is in order.
    let resumed = args.many.resume.then(&mut open).transpose()?;
    let entries = match args.frames {
        Some(_) => None,
        None => Some(entries(args, model, resumed.unwrap_or_default())?),
    };
    let is_open = args.files.iter().any(|file| is_pipe(file));
    let makes_pictures = model.graph().head.as_ref();
    let makes_pictures = makes_pictures.is_some_and(|head| head.decl.keyword == "image");
    let raw = raw(args);
    let draw = args.draw.as_deref().filter(|_| !piped);
    let out = args.out.as_deref();
    let folders: [(Option<&Path>, Named); 3] = [
        (draw, drawn),
        (out.filter(|_| makes_pictures), drawn),
        (raw, tensors),
    ];
    let folders = folders.into_iter();
    let folders = folders.filter_map(|(folder, named)| Some((folder?.to_owned(), named)));
    let folders = folders.collect();
    let targets = Targets::new(folders, is_open, args.many.resume);
    if let Some(entries) = &entries {
        targets.apart(entries.known(), entries.skipped())?;
    }
    let network = args
        .network
        .network(model, weights, args.backend, &args.tap)?;
    let session = network.session()?;
    if !args.many.resume {
        open()?;
    }
    for folder in [draw, out, raw].into_iter().flatten() {
        create(folder)?;
    }
    let (count, before) = match &entries {
        Some(entries) => (entries.count(), entries.skipped().len()),
        None => (None, 0),
    };
    let alone = sink.part.is_some() || !std::io::stdout().is_terminal();
    let threads = args.network.threads();
    let ahead = match args.many.decoders {
        Some(decoders) => Ahead::with(decoders.into(), network.batch()),
        None => Ahead::beside(threads, network.batch()),
    };
    let mut work: Box<dyn Iterator<Item = Work> + Send> = match (entries, args.frames) {
        (Some(entries), _) => Box::new(entries.map(Work::of)),
        (None, size) => Box::new(
            Frames::of(size.unwrap_or_default()).map(|frame| match frame {
                Ok((name, picture)) => Work::Frame(name, picture),
                Err(failure) => Work::Failed(failure),
            }),
        ),
    };
    // Nobody waits for standard input once answers go nowhere.
    let mut over = None;
    if is_open || args.frames.is_some() {
        let (feed, end) = Feed::of(work);
        work = Box::new(feed);
        over = Some(end);
    }
    let over = || {
        if let Some(over) = &over {
            over.end();
        }
    };
    let mut run = Run {
        draw: args.draw.as_deref(),
        out,
        raw,
        taps: &args.tap,
        piped,
        head,
        session,
        sink,
        progress: Progress::new(count, before, alone),
        targets,
        waiting: Vec::new(),
        size: None,
    };
    run.all(model, &network, &mut *work, ahead, &over)?;
    run.progress.end(ahead.threads);
    if form == Form::Text
        && let Some(remark) = args.network.remark(model)
    {
        print::line(remark)?;
    }
    match run.progress.broken {
        0 => Ok(()),
        _ if args.many.allow_broken => Ok(()),
        broken => Err(Failure::LeftOut {
            broken,
            of: broken + run.progress.answered,
        }),
    }
}

/// Refuses what many have no place for.
fn refuse(args: &Args, model: &Model, piped: bool) -> Result<(), Failure> {
    let what = match args.frames {
        Some(_) => {
            "frames are answered one by one, and only `--draw`, `--out` and `--raw FOLDER/` have a place for each"
        }
        None => {
            "inputs are answered one by one, and only `--draw`, `--out` and `--raw FOLDER/` have a place for each"
        }
    };
    let has_raw = raw(args).is_some();
    for (flag, given) in [
        ("--raw", args.raw.is_some() && !has_raw),
        ("--draw-all", args.draw_all.is_some()),
        ("--tap", !args.tap.is_empty() && !has_raw),
    ] {
        if given {
            return Err(Failure::NotShown { flag, why: what });
        }
    }
    if args.json && piped {
        let (flag, why) = ("--draw", "`--json` has standard output already");
        return Err(Failure::NotShown { flag, why });
    }
    let refused = |flag, why: String| Err(Failure::Flag { flag, why });
    if args.compare.file().is_some() {
        return refused(
            "--compare",
            "it has a tensor for inputs that are named one by one, and none for each of a folder, a pattern or a list"
                .to_owned(),
        );
    }
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
    if inputs.len() != 1 {
        let file = match args.files.first() {
            Some(file) => file.display().to_string(),
            None => "standard input".to_owned(),
        };
        let why = format!(
            "the network has {} inputs, and of many files or frames each is answered alone: name the files of one run",
            inputs.len()
        );
        return Err(Failure::Read { file, why });
    }
    if args.frames.is_some() && inputs[0].pre.is_none() {
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
    let written = [args.draw.as_deref(), args.out.as_deref(), raw(args)];
    let without: Vec<&Path> = written.into_iter().flatten().collect();
    listed(model, &args.files, &without, args.many.shard, done)
}
