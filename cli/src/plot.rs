//! `cnnc plot`: curves of runs over one another.

use crate::{Failure, outputs, print};
use cnnc::train::{by_pictures, overlaid, ran};
use std::path::{Path, PathBuf};

/// What may be written behind `plot`.
#[derive(clap::Args)]
pub struct Args {
    /// Folders of runs
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// The picture: .svg, .png or .jpg
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
    /// Draw over epochs, or the last epoch of each run over the number of pictures that it learned from; runs whose names differ in the number at their end are then one curve
    #[arg(short, long, value_enum, default_value = "epoch")]
    x: Across,
}

/// The axis from left to right.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Across {
    Epoch,
    Pictures,
}

/// Draws the losses and the accuracies of all of them.
pub fn run(args: &Args) -> Result<(), Failure> {
    outputs::sheets([args.out.as_path()], false)?;
    let mut runs = Vec::new();
    for folder in &args.runs {
        runs.push(ran(folder, name(folder))?);
    }
    let sheet = match args.x {
        Across::Epoch => overlaid(&runs)?,
        Across::Pictures => by_pictures(&runs)?,
    };
    sheet.write(&args.out)?;
    print::wrote(&args.out);
    let epochs: usize = runs.iter().map(|ran| ran.epochs.len()).sum();
    print::line(format_args!(
        "{}: {} runs, {epochs} epochs",
        args.out.display(),
        runs.len()
    ))?;
    Ok(())
}

/// What a run is called: its folder, however it is written.
fn name(folder: &Path) -> String {
    let whole = folder.canonicalize();
    let whole = whole.as_deref().unwrap_or(folder);
    let name = whole.file_name().unwrap_or(whole.as_os_str());
    name.to_string_lossy().into_owned()
}
