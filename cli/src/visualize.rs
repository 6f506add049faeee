//! `cnnc visualize`: what the layers of a network look for.

use crate::{Failure, network, outputs, print, spec, threads};
use cnnc::rt::image::Picture;
use cnnc::train::TrainError;
use cnnc::train::visual::{
    AscentOptions, Patches, Photos, ascent, feature_maps, layers, photographs, saliency,
};
use cnnc::{Model, Weights};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What may be written behind `visualize`.
#[derive(clap::Args)]
pub struct Args {
    /// The spec of a network that takes pictures, `-` for its text on standard input, or its name in the zoo
    #[arg(value_name = "SPEC", value_parser = network::spec())]
    spec: PathBuf,
    /// Its weights
    #[arg(long, value_name = "FILE")]
    weights: PathBuf,
    /// Folder of pictures, and of folders with pictures: a sheet for each layer with the nine patches of them that excite a unit most
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// One photograph: a sheet for each layer with its feature maps, and which of its pixels the class depends on
    #[arg(long, value_name = "FILE")]
    photo: Option<PathBuf>,
    /// Make pictures that excite the units, by ascent: a sheet for each layer
    #[arg(long)]
    ascent: bool,
    /// Layers to be shown; without it four of the labelled ones, from the first to the last
    #[arg(long, value_name = "LABEL", num_args = 1..)]
    layer: Vec<String>,
    /// Units of a layer
    #[arg(long, default_value_t = 12, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    units: u16,
    /// With `--data`: parts of each picture that are looked at: all of it, and random ones; without it as many as make 200 together
    #[arg(long, value_name = "N", requires = "data", value_parser = clap::value_parser!(u16).range(1..=2000))]
    crops: Option<u16>,
    /// With `--photo`: the class in question, by its label or its number from 0 on, instead of the one with the largest score
    #[arg(long, value_name = "CLASS", requires = "photo")]
    class: Option<String>,
    /// With `--ascent`: steps of each picture
    #[arg(long, default_value_t = 120, value_name = "N", requires = "ascent", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    steps: u32,
    /// Seed of what is random
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Folder for the sheets, which are PNG files [default: MODEL-layers]
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Threads to run on; what comes out is the same for any number [default: every processor, 16 at most]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

/// What is written, and what is said of it.
struct Written {
    /// The folder of the sheets.
    folder: PathBuf,
    lines: Vec<String>,
    json: Vec<Value>,
}

impl Written {
    fn add(&mut self, path: &Path, what: String) {
        self.lines.push(format!("{}: {what}", path.display()));
        self.json
            .push(json!({ "file": path.display().to_string(), "what": what }));
    }
}

/// Draws the sheets.
pub fn run(args: &Args) -> Result<(), Failure> {
    let start = Instant::now();
    let model = spec::compile(&args.spec)?;
    if !args.json {
        print::diagnostics(model.warnings());
    }
    if args.data.is_none() && args.photo.is_none() && !args.ascent {
        let why = "nothing says what to show: `--data DIR` for patches, `--photo FILE` for feature maps and saliency, `--ascent` for pictures that excite units";
        return Err(TrainError::Recipe(why.to_owned()).into());
    }
    let name = model.graph().name.to_lowercase();
    let out = args.out.clone();
    let out = out.unwrap_or_else(|| PathBuf::from(format!("{name}-layers")));
    outputs::folder("--out", &out)?;
    let labels = layers(&model, &args.layer)?;
    let files = args
        .data
        .as_ref()
        .map(|folder| photographs(folder))
        .transpose()?;
    let photo = args.photo.as_ref().map(Picture::open).transpose()?;
    let class = args
        .class
        .as_ref()
        .map(|class| class_of(&model, class))
        .transpose()?;
    let sheets = sheets_of(args, &out, &labels);
    let read = model
        .files()
        .iter()
        .chain([&args.spec, &args.weights])
        .chain(&args.photo);
    let read = read.chain(files.iter().flatten()).map(PathBuf::as_path);
    outputs::apart(sheets.iter().map(PathBuf::as_path), read)?;
    let weights = network::open(&args.weights)?;
    std::fs::create_dir_all(&out).map_err(|error| Failure::WriteFile {
        file: out.display().to_string(),
        error,
    })?;
    let mut written = Written {
        folder: out,
        lines: Vec::new(),
        json: Vec::new(),
    };
    let units = usize::from(args.units);
    let mut channels: Vec<Vec<usize>> = labels.iter().map(|_| (0..units).collect()).collect();
    if let Some(files) = &files {
        channels = patches(args, &model, &weights, &labels, files, &mut written)?;
    }
    if let Some(photo) = &photo {
        photograph(args, &model, &weights, &labels, photo, class, &mut written)?;
    }
    if args.ascent {
        let options = AscentOptions {
            steps: args.steps as usize,
            seed: args.seed,
            threads: threads::many(args.threads),
            ..AscentOptions::default()
        };
        for (label, channels) in labels.iter().zip(&channels) {
            let all = model.graph().values[model.find(label)?].shape.channels();
            let channels: Vec<usize> = channels
                .iter()
                .copied()
                .filter(|channel| *channel < all)
                .collect();
            let found = ascent(&model, &weights, label, &channels, &options)?;
            let path = sheet_of(&written.folder, "ascent", label);
            found.sheet(&model.graph().name).write(&path)?;
            written.add(&path, format!("{} pictures by ascent", found.units.len()));
        }
    }
    if args.out.is_none() {
        print::wrote(&written.folder);
    }
    let seconds = start.elapsed().as_secs_f64();
    match args.json {
        true => print::json(&json!({ "sheets": written.json, "seconds": seconds }))?,
        false => print::line(format_args!("{}\n{seconds:.1} s", written.lines.join("\n")))?,
    }
    Ok(())
}

/// A file for what is shown of a layer.
fn sheet_of(folder: &Path, what: &str, label: &str) -> PathBuf {
    let label: String = label
        .chars()
        .map(|letter| {
            if letter.is_alphanumeric() || "._-".contains(letter) {
                letter
            } else {
                '-'
            }
        })
        .collect();
    folder.join(format!("{what}-{label}.png"))
}

/// Every file that will be written.
fn sheets_of(args: &Args, folder: &Path, labels: &[String]) -> Vec<PathBuf> {
    let kinds = [
        ("patches", args.data.is_some()),
        ("maps", args.photo.is_some()),
        ("ascent", args.ascent),
    ];
    let kinds = kinds.into_iter().filter(|(_, wanted)| *wanted);
    let mut sheets: Vec<PathBuf> = kinds
        .flat_map(|(what, _)| {
            labels
                .iter()
                .map(move |label| sheet_of(folder, what, label))
        })
        .collect();
    if args.photo.is_some() {
        sheets.push(folder.join("saliency.png"));
    }
    sheets
}

/// A class by its label or its number.
fn class_of(model: &Model, class: &str) -> Result<usize, Failure> {
    let head = model.head();
    let labels: Vec<&str> = head.labels.iter().map(AsRef::as_ref).collect();
    if let Some(found) = labels.iter().position(|label| *label == class) {
        return Ok(found);
    }
    let number: usize = class.parse().map_err(|_| {
        let nearest = cnnc::compiler::words::nearest(class, &labels);
        let nearest = nearest.map_or_else(String::new, |nearest| format!("; `{nearest}` is one"));
        TrainError::Recipe(format!("no class is called `{class}`{nearest}"))
    })?;
    let graph = model.graph();
    let classes = graph.values[graph.outputs[0].value].shape.channels();
    match number < classes {
        true => Ok(number),
        false => Err(TrainError::Recipe(format!(
            "there is no class {number}: `{}` has {classes}, from 0 on",
            graph.name
        ))
        .into()),
    }
}

/// Sheets of patches. Gives the channels that are on them.
fn patches(
    args: &Args,
    model: &Model,
    weights: &Weights,
    labels: &[String],
    files: &[PathBuf],
    written: &mut Written,
) -> Result<Vec<Vec<usize>>, Failure> {
    let photos = Photos::read(model, files, args.crops.map(usize::from), args.seed)?;
    if !args.json {
        print::broken(&photos.broken);
    }
    let found = Patches::of(
        model,
        weights,
        labels,
        &photos,
        args.units.into(),
        threads::many(args.threads),
    )?;
    let classes: Vec<String> = model
        .head()
        .labels
        .iter()
        .map(ToString::to_string)
        .collect();
    for layer in &found {
        let path = sheet_of(&written.folder, "patches", &layer.label);
        layer.sheet(&model.graph().name, &classes).write(&path)?;
        let [height, width] = layer.field;
        let what = format!(
            "{} of {} channels, {width}x{height} pixels each, of {} parts of {} pictures",
            layer.units.len(),
            layer.channels,
            photos.len(),
            photos.photographs()
        );
        written.add(&path, what);
    }
    let channels = found
        .iter()
        .map(|layer| layer.units.iter().map(|unit| unit.channel).collect());
    Ok(channels.collect())
}

/// Feature maps and saliency of a photograph.
fn photograph(
    args: &Args,
    model: &Model,
    weights: &Weights,
    labels: &[String],
    photo: &Picture,
    class: Option<usize>,
    written: &mut Written,
) -> Result<(), Failure> {
    let threads = threads::many(args.threads);
    let name = args.photo.as_deref().unwrap_or(Path::new(""));
    let photo = Photos::one(model, photo, &name.display().to_string())?;
    let sheets = feature_maps(model, weights, labels, &photo, threads)?;
    for (label, sheet) in labels.iter().zip(sheets) {
        let path = sheet_of(&written.folder, "maps", label);
        sheet.write(&path)?;
        written.add(&path, "feature maps".to_owned());
    }
    let raw = &model.graph().values[model.graph().outputs[0].value].shape;
    if raw.elements() != raw.channels() && class.is_none() {
        return Ok(());
    }
    let found = saliency(model, weights, &photo, class, args.seed, threads)?;
    let head = model.head();
    let label = head
        .labels
        .get(found.class)
        .map_or_else(|| "class".to_owned(), |label| label.to_string());
    let path = written.folder.join("saliency.png");
    let first = label.split(',').next().unwrap_or(&label);
    found.sheet(first).write(&path)?;
    written.add(
        &path,
        format!(
            "which pixels `{label}` (class {}, score {:.2}) depends on",
            found.class, found.score
        ),
    );
    Ok(())
}
