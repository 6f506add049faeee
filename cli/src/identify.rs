//! `cnnc identify`: whose face a picture shows, 1:K against a gallery.

use crate::{Failure, finite, inputs, network, print};
use cnnc::rt::answer::{Embed, Metric, Task, identify};
use cnnc::rt::image::is_called_a_picture;
use cnnc::{Backend, Model, NotFinite, Session};
use serde_json::json;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// What may be written behind `identify`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    network: network::Args,
    /// Known faces: a sub-folder of pictures for each identity, or a picture named after it
    #[arg(long, value_name = "FOLDER")]
    gallery: PathBuf,
    /// Distance beyond which a face is unknown, instead of what the spec says
    #[arg(long, value_name = "X")]
    threshold: Option<f32>,
    /// Pictures of the faces in question
    #[arg(value_name = "PICTURE", required = true)]
    pictures: Vec<PathBuf>,
    /// Print the answers as JSON
    #[arg(long)]
    pub json: bool,
}

/// A known face.
struct Known {
    identity: String,
    picture: PathBuf,
    vector: Vec<f32>,
}

/// Compares every picture with the gallery.
pub fn run(args: &Args) -> Result<(), Failure> {
    let model = args.network.model(args.json)?;
    let head = model.head();
    let Task::Embed(Embed { metric, threshold }) = head.task else {
        return Err(Failure::NoEmbedding);
    };
    let threshold = args.threshold.unwrap_or(threshold);
    let Gallery { faces, skipped } = Gallery::read(&args.gallery)?;
    if !args.json {
        print::skipped(&skipped);
    }
    let weights = args.network.weights(&model)?;
    let network = args.network.network(&model, &weights, Backend::Jit, &[])?;
    let mut embedder = Embedder {
        model: &model,
        session: network.session()?,
    };
    let mut known = Vec::new();
    let mut doubtful = Vec::new();
    for (identity, picture) in faces {
        let (vector, broken) = embedder.embed(&picture)?;
        if !broken.is_empty() {
            let name = picture.display().to_string();
            match args.json {
                true => doubtful
                    .push(json!({ "picture": name, "not_finite": finite::to_json(&broken) })),
                false => finite::warn(&broken, Some(&name)),
            }
        }
        known.push(Known {
            identity,
            picture,
            vector,
        });
    }
    let mut table = print::table(&["picture", "identity", ">distance", "nearest"]);
    let mut results = Vec::new();
    let mut unread = 0;
    for picture in &args.pictures {
        let name = picture.display().to_string();
        let (query, broken) = match embedder.embed(picture) {
            Ok(made) => made,
            // Of several the others are answered.
            Err(failure) if args.pictures.len() > 1 => {
                unread += 1;
                match args.json {
                    true => results.push(json!({ "input": name, "error": failure.to_string() })),
                    false => print::error(&failure),
                }
                continue;
            }
            Err(failure) => return Err(failure),
        };
        let found = nearest(&query, &known, metric);
        let same = found.filter(|(_, distance)| *distance <= threshold);
        if args.json {
            results.push(json!({
                "input": name,
                "identity": same.map(|(face, _)| &face.identity),
                "nearest": found.map(|(face, _)| &face.identity),
                "picture": found.map(|(face, _)| face.picture.display().to_string()),
                "distance": found.map(|(_, distance)| distance),
                "not_finite": finite::to_json(&broken),
            }));
            continue;
        }
        finite::warn(&broken, Some(&name));
        let identity = same.map_or("unknown", |(face, _)| &face.identity);
        let distance = found.map_or_else(String::new, |(_, distance)| format!("{distance:.4}"));
        let nearest =
            found.map_or_else(String::new, |(face, _)| face.picture.display().to_string());
        table.add_row([&name, identity, &distance, &nearest]);
    }
    let left_out = match unread {
        0 => Ok(()),
        broken => Err(Failure::LeftOut {
            broken,
            of: args.pictures.len(),
        }),
    };
    if args.json {
        print::json(&json!({
            "model": network.name(),
            "weights": args.network.origin(),
            "faces": known.len(),
            "faces_not_finite": doubtful,
            "skipped": skipped.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
            "threshold": threshold,
            "results": results,
        }))?;
        return left_out;
    }
    print::line(table.trim_fmt())?;
    if let Some(remark) = args.network.remark(&model) {
        print::line(remark)?;
    }
    left_out
}

/// The nearest face, however far it is.
fn nearest<'k>(query: &[f32], known: &'k [Known], metric: Metric) -> Option<(&'k Known, f32)> {
    let vectors = known.iter().map(|face| face.vector.as_slice());
    let (index, distance) = identify(query, vectors, metric, f32::INFINITY)?;
    Some((&known[index], distance))
}

/// Makes vectors of pictures.
struct Embedder<'a> {
    model: &'a Model,
    session: Session,
}

impl Embedder<'_> {
    /// The vector that stands for a picture, and whether it is finite.
    fn embed(&mut self, picture: &Path) -> Result<(Vec<f32>, Vec<NotFinite>), Failure> {
        let network = self.session.network().clone();
        let (elements, _) = inputs::picture(self.model, 0, &network.inputs()[0], picture)?;
        let outputs = self.session.run(&[&elements])?;
        let broken = network.not_finite(&[&elements], &outputs)?;
        Ok((outputs.raw().to_vec(), broken))
    }
}

/// What is in a folder of known faces.
#[derive(Default)]
struct Gallery {
    /// Identities and pictures, in order of their names.
    faces: Vec<(String, PathBuf)>,
    /// What is no picture, nor a folder with pictures.
    skipped: Vec<PathBuf>,
}

impl Gallery {
    fn read(folder: &Path) -> Result<Gallery, Failure> {
        let mut gallery = Gallery::default();
        for entry in entries(folder)? {
            if entry.is_dir() {
                let identity = name(entry.file_name());
                let within = entries(&entry)?;
                if within.is_empty() {
                    gallery.skipped.push(entry);
                }
                for path in within {
                    gallery.add(&identity, path);
                }
            } else {
                gallery.add(&name(entry.file_stem()), entry);
            }
        }
        match gallery.faces.len() {
            0 => Err(Failure::EmptyGallery(folder.display().to_string())),
            _ => Ok(gallery),
        }
    }

    fn add(&mut self, identity: &str, path: PathBuf) {
        match !path.is_dir() && is_called_a_picture(&path) {
            true => self.faces.push((identity.to_owned(), path)),
            false => self.skipped.push(path),
        }
    }
}

fn name(part: Option<&OsStr>) -> String {
    part.unwrap_or_default().to_string_lossy().into_owned()
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let read = || {
        let entries = fs::read_dir(folder)?;
        let paths = entries.map(|entry| Ok(entry?.path()));
        paths.collect::<std::io::Result<Vec<_>>>()
    };
    let mut paths = read().map_err(|error| Failure::Read {
        file: folder.display().to_string(),
        why: error.to_string(),
    })?;
    paths.sort();
    Ok(paths)
}
