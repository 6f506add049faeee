//! `cnnc convert`: weights of any format, as safetensors.

use crate::{Failure, network, outputs, print, spec};
use clap::CommandFactory as _;
use cnnc::compiler::words;
use serde_json::json;
use std::path::{Path, PathBuf};

/// What may be written behind `convert`.
#[derive(clap::Args)]
#[command(override_usage = "cnnc convert [OPTIONS] --weights <FILE|synthetic> [SPEC] <OUT>")]
pub struct Args {
    /// The spec (or the name of a network of the zoo) whose names the tensors get (needed for darknet's files, which have none), and the .safetensors file to write
    #[arg(value_name = "SPEC OUT", required = true, num_args = 1..=2)]
    paths: Vec<PathBuf>,
    /// Weights: .safetensors, .pt, .pth, .npz or darknet's .weights (the content tells which), or `synthetic` for made-up ones
    #[arg(long, value_name = "FILE|synthetic")]
    weights: PathBuf,
    /// Refuse weights with tensors that the network does not read
    #[arg(long)]
    strict: bool,
    /// Print what was written as JSON
    #[arg(long)]
    pub json: bool,
}

/// Endings of the formats that are read but not written.
const OTHERS: [&str; 6] = ["npz", "npy", "pt", "pth", "weights", "cnn"];

/// Converts the weights; writes the whole file or nothing.
pub fn run(args: &Args) -> Result<(), Failure> {
    let (spec, out) = match &args.paths[..] {
        [spec, out] => (Some(network::named(spec)), out),
        [out] => (None, out),
        // Behind `--weights` there may be two more.
        [_, _, more @ ..] => usage(more),
        [] => unreachable!("clap asks for one"),
    };
    let ending = out.extension().and_then(|ending| ending.to_str());
    if let Some(ending) = ending
        && OTHERS
            .iter()
            .any(|other| ending.eq_ignore_ascii_case(other))
    {
        let (file, ending) = (out.display().to_string(), ending.to_owned());
        return Err(Failure::Ending { file, ending });
    }
    let weights = (!network::is_made_up(&args.weights)).then_some(&args.weights);
    let given = spec.iter().chain(weights);
    outputs::apart([out.as_path()], given.map(PathBuf::as_path))?;
    let mut weights = network::open(&args.weights)?;
    if args.strict {
        weights = weights.strict();
    }
    let (written, left, notes): (usize, Vec<&str>, Vec<String>);
    let sources;
    match &spec {
        Some(spec) => {
            let model = spec::compile(spec)?;
            let read = model.files().iter().map(PathBuf::as_path);
            outputs::apart([out.as_path()], read)?;
            if !args.json {
                print::diagnostics(model.warnings());
            }
            sources = model.graph().sources();
            let bound = weights.bind(&sources);
            let bound = bound.map_err(|error| model.unfit(error, &weights))?;
            bound.check_finite()?;
            bound.write_safetensors(out)?;
            (written, left) = (sources.len(), bound.unused().to_vec());
            notes = bound.notes().to_vec();
        }
        None if weights.is_nameless() || weights.names().len() == 0 => {
            let file = weights.origin().to_owned();
            return Err(Failure::Nameless { file });
        }
        None => {
            weights.write_safetensors(out)?;
            (written, left) = (weights.names().len(), Vec::new());
            notes = weights.notes().to_vec();
        }
    }
    if args.json {
        let out = out.display().to_string();
        print::json(&json!({ "out": out, "tensors": written, "notes": notes, "unused": left }))?;
        return Ok(());
    }
    print::notes(&notes);
    print::unused(&left, weights.origin());
    let out = out.display();
    print::line(format_args!("{out}: {}", words::count(written, "tensor")))?;
    Ok(())
}

/// Ends the program as clap does.
fn usage(more: &[PathBuf]) -> ! {
    let more = more.first().map_or(Path::new(""), PathBuf::as_path);
    let message = format!("unexpected argument '{}' found", more.display());
    crate::Cli::command()
        .error(clap::error::ErrorKind::TooManyValues, message)
        .exit()
}
