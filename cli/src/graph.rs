//! `cnnc graph`: a picture of a network.

use crate::{Failure, onnx, outputs, print};
use cnnc::{Picture, View};
use std::path::PathBuf;

/// What may be written behind `graph`.
#[derive(clap::Args)]
pub struct Args {
    /// The spec, or an .onnx
    #[arg(value_name = "SPEC")]
    spec: PathBuf,
    #[command(flatten)]
    open: onnx::Open,
    /// How it is written
    #[arg(long, value_enum, default_value = "svg")]
    format: Format,
    /// Open so many levels of blocks, instead of as many as fit a screen
    #[arg(long, value_name = "N", conflicts_with = "expand")]
    depth: Option<usize>,
    /// Show every layer
    #[arg(long)]
    expand: bool,
    /// Write it to a file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    /// A picture for browsers and documents
    Svg,
    /// A flowchart that GitHub draws
    Mermaid,
    /// For Graphviz
    Dot,
}

/// Draws.
pub fn run(args: &Args) -> Result<(), Failure> {
    let model = onnx::model(&args.spec, &args.open)?;
    print::diagnostics(model.warnings());
    let read = model.files().iter().chain([&args.spec]);
    outputs::apart(args.output.as_deref(), read.map(PathBuf::as_path))?;
    let view = match args.depth {
        _ if args.expand => View::Everything,
        Some(depth) => View::Depth(depth),
        None => View::Auto,
    };
    let picture: Picture = model.picture(view)?;
    let text = match args.format {
        Format::Svg => picture.to_svg(),
        Format::Mermaid => picture.to_mermaid(),
        Format::Dot => picture.to_dot(),
    };
    match &args.output {
        None => Ok(print::line(text.trim_end())?),
        Some(path) => outputs::write(path, &text),
    }
}
