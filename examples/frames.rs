//! Writes pictures as the raw frames of a video, three bytes a pixel, all of one size, to standard output: what `cnnc run --frames` reads where no camera or `ffmpeg` is at hand.
//!
//! ```sh
//! cargo run --release -p cnnc --example frames -- 640x480 data/images/*.jpg | cnnc run net.cnn --weights W --frames 640x480
//! ```

use cnnc::rt::image::{Filter, Picture};
use std::error::Error;
use std::io::{Write, stdout};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [size, pictures @ ..] = &args[..] else {
        return Err("say a size and name pictures: `frames 640x480 PICTURE…`".into());
    };
    let (width, height) = size.split_once('x').ok_or("a size is like 640x480")?;
    let (width, height) = (width.parse::<usize>()?, height.parse::<usize>()?);
    let mut out = stdout().lock();
    for path in pictures {
        let picture = Picture::open(path)?;
        let frame = picture.resized(width, height, Filter::Antialias);
        let frame = frame.map_err(|problem| problem.of(path.as_str()))?;
        out.write_all(frame.rgb())?;
    }
    Ok(out.flush()?)
}
