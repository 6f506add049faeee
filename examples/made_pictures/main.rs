//! Pictures that networks learn to find things in, made from a seed: `cargo run --release -p cnnc --example made_pictures -- boxes OUT`.
//!
//! ```text
//! boxes OUT         one circle, square or triangle on clutter, or nothing: images, and labels with YOLO's rows
//! points OUT        a figure like a face: images, and train.csv and val.csv with five points in pixels
//! cells BCCD OUT    parts of the photographs of a VOC folder, each with one of its boxes: images, and labels with YOLO's rows
//! --count N         how many, 5000 if nothing is said; every fifth is to be judged by
//! --seed N          another seed than 1
//! ```
//!
//! A picture is a function of the seed and its number. Only operations are used whose results IEEE 754 states, so that all bytes are the same everywhere.

mod canvas;
mod cells;
mod faces;
mod random;
pub mod shapes;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// How a person calls it.
const USAGE: &str = "made_pictures boxes OUT | points OUT | cells BCCD OUT [--count N] [--seed N]";

/// Whether a picture is kept to be judged by.
fn judges(number: usize) -> bool {
    number % 5 == 4
}

/// The folder within `images` and `labels` of a picture.
fn purpose(number: usize) -> &'static str {
    if judges(number) { "val" } else { "train" }
}

/// What is asked for.
struct Asked {
    words: Vec<String>,
    count: usize,
    seed: u64,
}

impl Asked {
    fn read(args: impl Iterator<Item = String>) -> Result<Asked, Box<dyn Error>> {
        let mut asked = Asked {
            words: Vec::new(),
            count: 5000,
            seed: 1,
        };
        let mut args = args;
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--count" => asked.count = args.next().ok_or(USAGE)?.parse()?,
                "--seed" => asked.seed = args.next().ok_or(USAGE)?.parse()?,
                _ => asked.words.push(arg),
            }
        }
        Ok(asked)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let Asked { words, count, seed } = Asked::read(std::env::args().skip(1))?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["boxes", out] => boxes(Path::new(out), count, seed),
        ["points", out] => points(Path::new(out), count, seed),
        ["cells", from, out] => cells::write(Path::new(from), Path::new(out), seed),
        _ => Err(USAGE.into()),
    }
}

/// The folders of pictures with rows of YOLO's: `images/train`, `labels/val` and so on.
fn folders(out: &Path) -> Result<[PathBuf; 2], Box<dyn Error>> {
    let folders = ["images", "labels"].map(|name| out.join(name));
    for folder in &folders {
        for purpose in ["train", "val"] {
            fs::create_dir_all(folder.join(purpose))?;
        }
    }
    Ok(folders)
}

/// Writes pictures with one shape or none, and their rows.
pub fn boxes(out: &Path, count: usize, seed: u64) -> Result<(), Box<dyn Error>> {
    let [images, labels] = folders(out)?;
    for number in 0..count {
        let (picture, thing) = shapes::picture(seed, number);
        let place = |folder: &Path, end: &str| {
            let name = format!("{}/{number:04}.{end}", purpose(number));
            folder.join(name)
        };
        picture.write_png(place(&images, "png"))?;
        let row = thing.map_or_else(String::new, |thing| thing.row());
        fs::write(place(&labels, "txt"), row)?;
    }
    println!("{count} pictures in {}", out.display());
    Ok(())
}

/// Writes pictures with a face, and both lists of points.
pub fn points(out: &Path, count: usize, seed: u64) -> Result<(), Box<dyn Error>> {
    let images = out.join("images");
    fs::create_dir_all(&images)?;
    let head: Vec<String> = faces::NAMES
        .iter()
        .map(|name| format!("{name} x,{name} y"))
        .collect();
    let head = format!("picture,{}\n", head.join(","));
    let mut rows = [head.clone(), head];
    for number in 0..count {
        let (picture, points) = faces::picture(seed, number);
        let name = format!("images/{number:04}.png");
        picture.write_png(out.join(&name))?;
        let points = points.map(|[x, y]| format!("{x:.3},{y:.3}"));
        rows[usize::from(judges(number))] += &format!("{name},{}\n", points.join(","));
    }
    for (rows, name) in rows.iter().zip(["train.csv", "val.csv"]) {
        fs::write(out.join(name), rows)?;
    }
    println!("{count} pictures in {}", out.display());
    Ok(())
}
