//! What may be written behind `run`.

use super::many_args::Flags;
use crate::{compare, network, onnx, size, thresholds, windows};
use cnnc::Backend;
use cnnc::rt::image::MAX_PIXELS;
use std::path::PathBuf;

/// Inputs, settings and where to write.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub(super) network: network::Args,
    /// Pictures (PNG, JPEG, BMP, PNM, GIF, WebP), sounds (WAV), .npy, .npz or .safetensors files; folders with all that is in them, patterns in quotes ('photos/**/*.jpg'), lists (.txt, a path on each line), or `-` for a list on standard input
    #[arg(value_name = "INPUT")]
    pub(super) files: Vec<PathBuf>,
    /// Run on made-up numbers instead of files
    #[arg(long, value_name = "synthetic", conflicts_with = "files")]
    pub(super) input: Option<Synthetic>,
    #[command(flatten)]
    pub(super) thresholds: thresholds::Args,
    #[command(flatten)]
    pub(super) look: onnx::Look,
    /// Of an .onnx: keep pictures' proportions, on grey
    #[arg(long, value_name = "N|WxH")]
    pub(super) letterbox: Option<String>,
    /// Of an .onnx: the file with the names of the classes
    #[arg(long, value_name = "FILE")]
    pub(super) labels: Option<PathBuf>,
    /// Write the network's raw outputs (a classifier's logits) and taps as .safetensors, those of several files that are named stacked; into a folder a file for each input, INPUT.safetensors, or of one input alone output_0.npy and so on, those of an .onnx as the file has them
    #[arg(long, value_name = "FILE|DIR/", conflicts_with_all = ["scales", "background", "stride", "memory"])]
    pub(super) raw: Option<PathBuf>,
    /// Make the tensor of that label an output too
    #[arg(long, value_name = "LABEL")]
    pub(super) tap: Vec<String>,
    #[command(flatten)]
    pub(super) compare: compare::Args,
    /// Write the answer, where it is a picture: .png or .jpg; of many inputs, a folder: answers are written to part-I.jsonl in it, and pictures beside it as .png
    #[arg(long, value_name = "FILE|FOLDER")]
    pub(super) out: Option<PathBuf>,
    /// Write the picture with the boxes, points or classes of pixels that were found drawn on it: .png or .jpg; of many inputs, into a folder, as .png
    #[arg(long, value_name = "FILE|FOLDER")]
    pub(super) draw: Option<PathBuf>,
    /// Write the picture twice, side by side: with all boxes before suppression, and with those that are kept: .png or .jpg
    #[arg(long, value_name = "FILE", conflicts_with_all = ["slide", "frames"])]
    pub(super) draw_all: Option<PathBuf>,
    /// Read frames of a video from standard input, that many columns and rows of three bytes each, red, green, blue; `--draw` names a folder for PNG files, or is `-` for frames on standard output
    #[arg(long, value_name = "WxH", value_parser = frame_size, conflicts_with_all = ["input", "slide", "resume", "shard"])]
    pub(super) frames: Option<(usize, usize)>,
    /// What runs the network: jit (machine code), interp (the same loops, interpreted), reference (the layers' definitions in f64)
    #[arg(long, default_value_t, value_name = "BACKEND")]
    pub(super) backend: Backend,
    /// Answer for every window of larger pictures, each in one pass
    #[arg(long, conflicts_with_all = ["input", "tap", "out", "top", "nms", "threshold"])]
    pub(super) slide: bool,
    #[command(flatten)]
    pub(super) windows: windows::Args,
    /// With `--slide`: write the photo under a heat map of what windows show: .png or .jpg
    #[arg(long, value_name = "FILE", requires = "slide", conflicts_with = "raw")]
    pub(super) heat: Option<PathBuf>,
    /// With `--slide`: measure what it would take to cut windows out and to answer each by itself
    #[arg(long, requires = "slide", conflicts_with = "raw")]
    pub(super) cost: bool,
    #[command(flatten)]
    pub(super) many: Flags,
    /// Print the answer as JSON; those to several inputs (files, a folder, a pattern, a list, frames) an object a line, as they come
    #[arg(long)]
    pub json: bool,
}

/// Width and height of a frame.
fn frame_size(text: &str) -> Result<(usize, usize), String> {
    let sides = size::both(text, 1 << 14);
    let sides = sides.map(|(width, height)| (width as usize, height as usize));
    let sound = |&(width, height): &(usize, usize)| width * height <= MAX_PIXELS;
    sides.filter(sound).ok_or_else(|| {
        format!(
            "a size is written like 640x480, 16384 at most each and {MAX_PIXELS} pixels at most in all"
        )
    })
}

/// The one word behind `--input`.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(super) enum Synthetic {
    Synthetic,
}
