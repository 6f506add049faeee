//! `cnnc graph`: a picture of a network.

use crate::{Failure, network, onnx, outputs, print};
use cnnc::rt::image::is_device;
use cnnc::{Picture, TooLarge, View};
use std::path::PathBuf;

/// What may be written behind `graph`.
#[derive(clap::Args)]
pub struct Args {
    /// The spec, `-` for its text on standard input, an .onnx, or the name of a network of the zoo
    #[arg(value_name = "SPEC", value_parser = network::spec())]
    spec: PathBuf,
    #[command(flatten)]
    open: onnx::Open,
    /// How it is written, if not as the file's name says: .svg, .png, .jpg, .mmd (Mermaid), .dot [default: svg]
    #[arg(long, value_enum)]
    format: Option<Format>,
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

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Format {
    /// A picture for browsers and documents, dark where those are
    Svg,
    /// A picture of pixels, two for one of SVG
    Png,
    /// The same as JPEG
    Jpg,
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
    let format = format(args)?;
    let view = match args.depth {
        _ if args.expand => View::Everything,
        Some(depth) => View::Depth(depth),
        None => View::Auto,
    };
    let picture: Picture = model.picture(view)?;
    let text = match format {
        Format::Svg => picture.to_svg(),
        Format::Mermaid => picture.to_mermaid(),
        Format::Dot => picture.to_dot(),
        Format::Png | Format::Jpg => {
            let flag = match format {
                Format::Jpg => "--format jpg",
                _ => "--format png",
            };
            let boxes = picture.boxes();
            let pixels = picture.to_pixels(SCALE).ok_or(TooLarge { boxes })?;
            let path = args.output.as_deref().ok_or(Failure::FileOnly(flag))?;
            // What has no name that says a format is written as the flag says.
            match format {
                Format::Jpg => pixels.write_jpeg(path)?,
                _ => pixels.write_png(path)?,
            }
            print::wrote(path);
            return Ok(());
        }
    };
    match &args.output {
        None => Ok(print::line(text.trim_end())?),
        Some(path) => outputs::write(path, &text),
    }
}

/// Pixels for one of SVG.
const SCALE: f64 = 2.0;

/// What the flag says, or else the name of the file.
fn format(args: &Args) -> Result<Format, Failure> {
    let Some(path) = &args.output else {
        return Ok(args.format.unwrap_or(Format::Svg));
    };
    let ending = path.extension().unwrap_or_default();
    let said = match ending.to_string_lossy().to_lowercase().as_str() {
        "svg" => Some(Format::Svg),
        "png" => Some(Format::Png),
        "jpg" | "jpeg" => Some(Format::Jpg),
        "mmd" | "mermaid" => Some(Format::Mermaid),
        "dot" | "gv" => Some(Format::Dot),
        _ => None,
    };
    let name = || path.display().to_string();
    match (args.format, said) {
        (Some(format), Some(said)) if format != said => Err(Failure::OtherFormat(name())),
        (Some(format), _) | (None, Some(format)) => Ok(format),
        // Pipes and devices have no names that would say it.
        (None, None) if is_device(path) => Ok(Format::Svg),
        (None, None) => Err(Failure::Format(name())),
    }
}
