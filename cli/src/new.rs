//! `cnnc new`: a spec with a new head, for the classes of a folder, on a trunk that has been trained.

use crate::{Failure, network, print};
use cnnc::rt::files::write_atomically;
use cnnc::train::{NewHead, Recipe, Trainer, classes, name_of};
use std::io::Write;
use std::path::{Path, PathBuf};

/// What may be written behind `new`.
#[derive(clap::Args)]
pub struct Args {
    /// The spec, or the name of a network of the zoo, whose layers it keeps, but for the last one with weights and what is behind it
    #[arg(long, value_name = "SPEC", value_parser = network::spec())]
    from: PathBuf,
    /// Weights of that spec
    #[arg(long, value_name = "FILE")]
    weights: PathBuf,
    /// Folder of pictures for each class
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The new spec
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
}

/// Writes the spec, and all that it reads beside it.
pub fn run(args: &Args) -> Result<(), Failure> {
    if args.out.exists() {
        return Err(Failure::Exists(args.out.clone()));
    }
    let (labels, pictures) = classes(&args.data)?;
    let head = NewHead {
        from: &args.from,
        weights: &args.weights,
        name: &name_of(&args.data),
        classes: &labels,
        // A fifth is kept for the test.
        samples: pictures * 4 / 5,
    };
    let (text, model) = head.write()?;
    // Before anything is written: whether it can be trained from there.
    let recipe = Recipe::of(&model);
    Trainer::new(&model, &recipe)?;
    let home = args.from.parent().unwrap_or(Path::new(""));
    let folder = args.out.parent().unwrap_or(Path::new(""));
    for file in model.files() {
        let Ok(place) = file.strip_prefix(home) else {
            continue;
        };
        copy(file, &folder.join(place))?;
    }
    write(&args.out, text.as_bytes())?;
    let frozen = recipe.tuning.freeze.join(" ");
    print::line(format_args!(
        "{}: {} classes, {frozen} frozen\nnext: cnnc train {} --data {}",
        args.out.display(),
        labels.len(),
        args.out.display(),
        args.data.display()
    ))?;
    Ok(())
}

/// Copies what the spec imports, unless it is there.
fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let read = |path: &Path| {
        cnnc::zoo::read(path).map_err(|error| Failure::Read {
            file: path.display().to_string(),
            why: error.to_string(),
        })
    };
    let bytes = read(from)?;
    if to.exists() {
        return match read(to)? == bytes {
            true => Ok(()),
            false => Err(Failure::Exists(to.to_owned())),
        };
    }
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(|error| unwritten(folder, error))?;
    }
    write(to, &bytes)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = write_atomically(path, |file| file.write_all(bytes));
    written.map_err(|error| unwritten(path, error))
}

fn unwritten(path: &Path, error: std::io::Error) -> Failure {
    Failure::WriteFile {
        file: path.display().to_string(),
        error,
    }
}
