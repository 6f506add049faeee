//! `cnnc plot`: curves of runs over one another.

use crate::{Failure, print};
use cnnc::train::{overlaid, ran};
use std::path::{Path, PathBuf};

/// What may be written behind `plot`.
#[derive(clap::Args)]
pub struct Args {
    /// Folders of runs
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// The picture: .svg or .png
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
}

/// Draws the losses and the accuracies of all of them.
pub fn run(args: &Args) -> Result<(), Failure> {
    let mut runs = Vec::new();
    for folder in &args.runs {
        runs.push(ran(folder, name(folder))?);
    }
    overlaid(&runs)?.write(&args.out)?;
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
