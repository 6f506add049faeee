//! `cnnc run` on many files: folders, patterns, lists and pipes; shards, of which some are killed and go on; what is broken is reported.

mod folders;
mod kinds;
mod mistakes;
mod written;

use cnnc::rt::image::Picture;
use cnnc_testing::Place;
use serde_json::Value;
use std::fs;
use std::process::Output;

/// Looks at the mean of each colour.
const NET: &str = "cnn 1
model Colours {
  input image: 3x8x8 { resize 8x8 }
  globalavgpool
  flatten
  scores: dense 3
  head classify { labels [\"red\", \"green, or so\", \"blue\"]  top 1 }
}
";

/// The same with so much to do in front of it that a process can be killed in the middle.
const SLOW: &str = "cnn 1
model Slow {
  input image: 3x64x64 { resize 64x64 }
  conv 3x3 16 relu
  conv 3x3 32 relu
  globalavgpool
  flatten
  scores: dense 3
  head classify { top 1 }
}
";

fn place() -> Place {
    let place = Place::new(env!("CARGO_BIN_EXE_cnnc"));
    fs::write(place.path("net.cnn"), NET).unwrap();
    fs::write(place.path("slow.cnn"), SLOW).unwrap();
    place
}

/// A picture of one colour, under a name in a folder.
fn picture(place: &Place, name: &str, colour: [u8; 3]) {
    let path = place.path(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let picture = Picture::from_rgb(12, 10, colour.repeat(120)).unwrap();
    picture.write_png(path).unwrap();
}

fn lines(text: &str) -> Vec<Value> {
    let line = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
    text.lines().map(line).collect()
}

fn inputs(lines: &[Value]) -> Vec<String> {
    lines
        .iter()
        .map(|line| line["input"].as_str().unwrap().to_owned())
        .collect()
}

fn text_of(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// With text on standard input.
fn fed(place: &Place, line: &str, text: &[u8]) -> Output {
    place.fed(line, text)
}

const RUN: &str = "run net.cnn --weights synthetic";
