//! `cnnc anchors`: sizes that the boxes of a set of pictures are near to, as a detector's head takes them.

use crate::{Failure, print, size};
use cnnc::train::{DataError, TrainError, anchors, sizes_of};
use serde_json::json;
use std::path::PathBuf;

/// What may be written behind `anchors`.
#[derive(clap::Args)]
pub struct Args {
    /// Folder of pictures with boxes: VOC's XML or YOLO's rows
    #[arg(value_name = "DATA")]
    data: PathBuf,
    /// How many anchors
    #[arg(short = 'n', long = "count", default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100))]
    count: u16,
    /// Width and height of the network's input, in whose pixels the anchors are
    #[arg(long, default_value = "416x416", value_name = "WxH", value_parser = input)]
    input: (u32, u32),
    /// Where the search begins
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

fn input(text: &str) -> Result<(u32, u32), String> {
    size::both(text, u32::MAX).ok_or_else(|| "a size is written like 416x416".to_owned())
}

/// Looks for them, and prints the line of the head.
pub fn run(args: &Args) -> Result<(), Failure> {
    let (sizes, pictures) = sizes_of(&args.data).map_err(TrainError::from)?;
    let count = usize::from(args.count);
    let Some(found) = anchors(&sizes, count, args.seed) else {
        let why = format!(
            "{} boxes in {pictures} pictures have fewer than {count} different sizes",
            sizes.len()
        );
        return Err(TrainError::from(DataError::Broken(args.data.clone(), why)).into());
    };
    let (width, height) = args.input;
    let pixels = found.sizes.iter().map(|[w, h]| {
        [w * f64::from(width), h * f64::from(height)].map(|side| (10.0 * side).round() / 10.0)
    });
    let pixels: Vec<[f64; 2]> = pixels.collect();
    if args.json {
        return Ok(print::json(&json!({
            "anchors": pixels,
            "unit": "pixels",
            "input": [width, height],
            "mean_iou": found.overlap,
            "boxes": sizes.len(),
            "pictures": pictures,
        }))?);
    }
    let pairs: Vec<String> = pixels.iter().map(|[w, h]| format!("({w}, {h})")).collect();
    print::line(format_args!(
        "anchors pixels {}\n{} boxes in {pictures} pictures; in an input of {width}x{height} they overlap their anchors by {:.3} on average",
        pairs.join(" "),
        sizes.len(),
        found.overlap
    ))?;
    Ok(())
}
