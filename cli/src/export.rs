//! `cnnc export`: a network as an ONNX file.

use crate::{Failure, network, outputs, print, spec};
use cnnc::compiler::words;
use cnnc::onnx::{OPSET, Texts, export};
use cnnc::rt::files::write_atomically;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// What may be written behind `export`.
#[derive(clap::Args)]
pub struct Args {
    /// The spec, `-` for its text on standard input, or the name of a network of the zoo
    #[arg(value_name = "SPEC", value_parser = network::spec())]
    spec: PathBuf,
    /// Weights: .safetensors, .pt, .pth, .npz or darknet's .weights (the content tells which), or `synthetic` for made-up ones
    #[arg(long, value_name = "FILE|synthetic")]
    weights: PathBuf,
    /// The .onnx to write
    #[arg(short, long, value_name = "NET.onnx")]
    out: PathBuf,
    /// Refuse weights with tensors that the network does not read: they may be another network's
    #[arg(long)]
    strict: bool,
}

/// Exports the network; writes the whole file or nothing.
pub fn run(args: &Args) -> Result<(), Failure> {
    let given = (!network::is_made_up(&args.weights)).then_some(&args.weights);
    let read = given.into_iter().chain([&args.spec]);
    outputs::apart([args.out.as_path()], read.map(PathBuf::as_path))?;
    let model = spec::compile(&args.spec)?;
    print::diagnostics(model.warnings());
    let read = model.files().iter().map(PathBuf::as_path);
    outputs::apart([args.out.as_path()], read)?;
    let mut weights = network::open(&args.weights)?;
    if args.strict {
        weights = weights.strict();
    }
    let texts = texts(&args.spec, model.files());
    let exported = export(&model, &weights, &texts).map_err(|error| Failure::Export {
        spec: args.spec.display().to_string(),
        error: Box::new(error),
    })?;
    print::notes(&exported.notes);
    print::unused(&exported.unused, weights.origin());
    let written = write_atomically(&args.out, |file| file.write_all(&exported.bytes));
    written.map_err(|error| Failure::WriteFile {
        file: args.out.display().to_string(),
        error,
    })?;
    print::line(format_args!(
        "wrote {}: {}, opset {OPSET}, {}",
        args.out.display(),
        words::count(exported.nodes, "node"),
        words::count(model.graph().sources().len(), "tensor")
    ))?;
    Ok(())
}

/// The spec and what it reads, by the names that it reads it by.
fn texts(path: &Path, files: &[PathBuf]) -> Texts {
    let folder = path.parent().unwrap_or(Path::new(""));
    let text = |path: &Path| String::from_utf8(cnnc::zoo::read(path).ok()?).ok();
    // Not what stands on standard input, either.
    let own = [path, spec::name(path)];
    let files = files.iter().filter(|file| !own.contains(&file.as_path()));
    let files = files.filter_map(|file| {
        let name = file.strip_prefix(folder).unwrap_or(file);
        Some((name.display().to_string(), text(file)?))
    });
    Texts {
        spec: spec::read(path).ok(),
        files: files.collect(),
    }
}
