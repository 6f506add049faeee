//! `cnnc propose`: regions of pictures in which something may be, and how many of known things they find.

use crate::{Failure, outputs, print};
use cnnc::propose::{Settings, drawn, propose};
use cnnc::rt::answer::BBox;
use cnnc::rt::image::Picture;
use cnnc::train::{Annotations, Proposed};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What may be written behind `propose`.
#[derive(clap::Args)]
pub struct Args {
    /// Pictures
    #[arg(value_name = "IMG")]
    files: Vec<PathBuf>,
    /// Folder of pictures with boxes, VOC's XML or YOLO's rows: how many of these are found in its test set, or in all if it has none
    #[arg(long, value_name = "DIR", conflicts_with_all = ["files", "draw", "out"])]
    data: Option<PathBuf>,
    /// Keep so many proposals of a picture, the regions that were last to merge
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    most: Option<u32>,
    /// Most pixels of the longer side of a picture: larger ones are reduced before they are segmented
    #[arg(long, default_value_t = 400, value_name = "N", value_parser = clap::value_parser!(u16).range(16..=2048))]
    side: u16,
    /// Draw the first segmentation, and the proposals on the photo: .png or .jpg
    #[arg(long, value_name = "FILE")]
    draw: Option<PathBuf>,
    /// Most proposals that are drawn, evenly chosen
    #[arg(long, default_value_t = 60, value_name = "N", requires = "draw")]
    drawn: u16,
    /// Write the proposals as rows `left,top,right,bottom` in pixels: .csv
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print it as JSON: of several pictures an object a line, as they are ready
    #[arg(long)]
    pub json: bool,
}

/// Most proposals that are printed for people.
const PRINTED: usize = 12;

/// Proposes regions of each picture, or judges by data.
pub fn run(args: &Args) -> Result<(), Failure> {
    let settings = Settings {
        side: args.side.into(),
        ..Settings::default()
    };
    let most = args.most.map_or(usize::MAX, |most| most as usize);
    if let Some(folder) = &args.data {
        return judged(folder, &settings, most, args.json);
    }
    if args.files.is_empty() {
        return Err(Failure::NothingToPropose);
    }
    let written = [&args.draw, &args.out];
    let written = written.into_iter().flatten().map(PathBuf::as_path);
    outputs::apart(written, args.files.iter().map(PathBuf::as_path))?;
    outputs::pictures(args.draw.iter().map(PathBuf::as_path))?;
    for (flag, path) in [("--draw", &args.draw), ("--out", &args.out)] {
        if path.is_some() && args.files.len() > 1 {
            return Err(Failure::OneOut(flag));
        }
    }
    let mut broken = 0;
    for file in &args.files {
        let proposed = proposed(file, &settings, most, args);
        let (found, seconds) = match proposed {
            Ok(proposed) => proposed,
            // Of several the others are answered.
            Err(failure) if args.files.len() > 1 => {
                broken += 1;
                let input = file.display().to_string();
                match args.json {
                    true => print::line(json!({ "input": input, "error": failure.to_string() }))?,
                    false => print::error(&failure),
                }
                continue;
            }
            Err(failure) => return Err(failure),
        };
        let of_one = || to_json(file, &found, seconds);
        match (args.json, args.files.len()) {
            (true, 1) => print::json(&json!({ "results": [of_one()] }))?,
            (true, _) => print::line(of_one())?,
            _ => print::line(format_args!(
                "{}: {} proposals in {seconds:.2} s\n{}",
                file.display(),
                found.len(),
                text(&found)
            ))?,
        }
    }
    match broken {
        0 => Ok(()),
        _ => Err(Failure::LeftOut {
            broken,
            of: args.files.len(),
        }),
    }
}

/// The proposals of a picture, which are drawn and written where that is asked for, and how many seconds they took.
fn proposed(
    file: &Path,
    settings: &Settings,
    most: usize,
    args: &Args,
) -> Result<(Vec<BBox>, f64), Failure> {
    let picture = Picture::open(file)?;
    let start = Instant::now();
    let mut found = propose(&picture, settings)?;
    let seconds = start.elapsed().as_secs_f64();
    found.truncate(most);
    if let Some(path) = &args.draw {
        let some = spread(&found, args.drawn.into());
        outputs::picture(&drawn(&picture, settings, &some)?, path)?;
    }
    if let Some(path) = &args.out {
        outputs::write(path, &csv(&found))?;
    }
    Ok((found, seconds))
}

/// So many of them at most, from the largest regions to the smallest.
fn spread(boxes: &[BBox], most: usize) -> Vec<BBox> {
    let count = boxes.len().min(most);
    (0..count)
        .map(|at| boxes[at * boxes.len() / count])
        .collect()
}

/// Left, top, width, height.
fn pixels(of: &BBox) -> [f32; 4] {
    [of.left, of.top, of.width(), of.height()]
}

fn text(boxes: &[BBox]) -> String {
    let mut table = print::table(&[">x", ">y", ">width", ">height"]);
    for of in boxes.iter().take(PRINTED) {
        table.add_row(pixels(of).map(|side| format!("{side:.0}")));
    }
    let more = match boxes.len().saturating_sub(PRINTED) {
        0 => String::new(),
        more => format!("\nand {more} more: `--json` and `--out FILE.csv` have all"),
    };
    table.trim_fmt() + &more
}

fn csv(boxes: &[BBox]) -> String {
    let mut text = "left,top,right,bottom\n".to_owned();
    for of in boxes {
        let _ = writeln!(
            text,
            "{:.1},{:.1},{:.1},{:.1}",
            of.left, of.top, of.right, of.bottom
        );
    }
    text
}

fn to_json(file: &Path, boxes: &[BBox], seconds: f64) -> Value {
    let boxes = boxes.iter().map(|of| {
        let [x, y, width, height] = pixels(of);
        json!({ "x": x, "y": y, "width": width, "height": height })
    });
    json!({
        "input": file.display().to_string(), "proposals": boxes.collect::<Vec<_>>(), "seconds": seconds,
    })
}

/// How many things of a folder's pictures are found.
fn judged(folder: &Path, settings: &Settings, most: usize, as_json: bool) -> Result<(), Failure> {
    let data = Annotations::open(folder)?;
    if !as_json {
        print::broken(&data.left_out);
    }
    let all = Proposed::of(&data.to_judge(), settings, most)?;
    let mean = all.boxes as f64 / all.pictures.max(1) as f64;
    let seconds = all.time.as_secs_f64() / all.pictures.max(1) as f64;
    if as_json {
        let classes = all.classes.iter().map(
            |(label, (found, there))| json!({ "class": label, "found": found, "boxes": there }),
        );
        return Ok(print::json(&json!({
            "pictures": all.pictures, "recall": all.recall(), "proposals": mean, "seconds": seconds,
            "classes": classes.collect::<Vec<_>>(),
        }))?);
    }
    let mut table = print::table(&["class", ">boxes", ">found", ">recall"]);
    for (label, (found, there)) in &all.classes {
        let recall = format!("{:.1} %", 100.0 * *found as f64 / (*there).max(1) as f64);
        table.add_row([label.clone(), there.to_string(), found.to_string(), recall]);
    }
    print::line(format_args!(
        "{} pictures, {mean:.0} proposals and {seconds:.2} s each\nrecall {:.1} % at an intersection over union of .5\n{}",
        all.pictures,
        100.0 * all.recall(),
        table.trim_fmt()
    ))?;
    Ok(())
}
