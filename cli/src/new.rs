//! `cnnc new`: a spec with a new head, for the classes of a folder, on a trunk that has been trained.

use crate::{Failure, network, outputs, print};
use cnnc::train::{NewHead, Recipe, Trainer, classes, name_of};
use std::path::PathBuf;

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
    outputs::with_what_it_reads(&args.out, &text, &model, &args.from)?;
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
