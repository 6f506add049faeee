//! Parts of photographs that show one thing each.

use super::folders;
use super::random::Random;
use cnnc::rt::answer::BBox;
use cnnc::rt::image::Picture;
use cnnc::train::{Data, Kept, Known, Samples, Source};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// Makes the numbers of these pictures others than those of another kind.
const KIND: u64 = 3;

/// Share of another box from which on a part shows two things.
const MOST_OF_ANOTHER: f32 = 0.25;

/// How often a place around a box is looked for where it is alone.
const TRIES: usize = 20;

/// A network that takes the photographs, so that their boxes are read as for training.
const NETWORK: &str = r#"cnn 1
model Cells {
  input image: 3x480x640 { resize 640x480 }
  conv 1x1 8 /32
  head yolo2 { labels ["RBC", "WBC", "Platelets"]  anchors cells (1, 1) }
}"#;

/// Writes parts of the photographs of a VOC folder: for each box that can be alone in one, a square around it, from 1.1 to 2 times as large, with the box anywhere in it.
pub fn write(from: &Path, out: &Path, seed: u64) -> Result<(), Box<dyn Error>> {
    let model = cnnc::compile_str("cells.cnn", NETWORK)?;
    let source = Source {
        path: from.to_owned(),
        ..Source::default()
    };
    let data = Data::within(&source, model.graph(), Some(0))?;
    let places = folders(out)?;
    let mut written = 0;
    for (samples, purpose) in [(&data.train, "train"), (&data.test, "val")] {
        for sample in 0..samples.len() {
            let which = samples.name(sample).unwrap_or_default().bytes();
            let which = which.fold(0, |sum: usize, byte| {
                sum.wrapping_mul(31) + usize::from(byte)
            });
            let random = &mut Random::new(seed, KIND, which);
            let place = places.each_ref().map(|folder| folder.join(purpose));
            written += parts(samples, sample, &place, random)?;
        }
    }
    println!("{written} pictures in {}", out.display());
    Ok(())
}

/// Writes the parts of one photograph; how many there are.
fn parts(
    samples: &Samples,
    sample: usize,
    [images, labels]: &[PathBuf; 2],
    random: &mut Random,
) -> Result<usize, Box<dyn Error>> {
    let Known { numbers, .. } = samples.known(sample)?;
    let (wide, tall) = (640.0_f32, 480.0_f32);
    let boxes: Vec<(f32, BBox)> = numbers
        .chunks(5)
        .filter(|row| row[0] >= 0.0)
        .map(|row| {
            let bbox = BBox::around(row[1] * wide, row[2] * tall, row[3] * wide, row[4] * tall);
            (row[0], bbox)
        })
        .collect();
    let Kept::Bytes(photograph) = samples.kept(sample)? else {
        return Err("photographs are bytes".into());
    };
    let name = Path::new(samples.name(sample).unwrap_or_default());
    let stem = name.file_stem().unwrap_or_default().to_string_lossy();
    let mut count = 0;
    for (index, (class, own)) in boxes.iter().enumerate() {
        let mut tries = (0..TRIES).map(|_| around(own, (wide, tall), random));
        let alone = tries.find(|part| {
            let mut others = boxes
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != index);
            let crowded = others
                .any(|(_, (_, other))| other.clip(part).area() > MOST_OF_ANOTHER * other.area());
            !crowded && own.clip(part).area() >= 0.99 * own.area()
        });
        let Some(part) = alone else {
            continue;
        };
        let seen = own.clip(&part);
        let (left, top, side) = (part.left, part.top, part.width());
        let name = format!("{stem}-{index:02}");
        cut(&photograph, &part)?.write_png(images.join(format!("{name}.png")))?;
        let (x, y) = seen.centre();
        let row = format!(
            "{class} {:.6} {:.6} {:.6} {:.6}\n",
            (x - left) / side,
            (y - top) / side,
            seen.width() / side,
            seen.height() / side
        );
        fs::write(labels.join(format!("{name}.txt")), row)?;
        count += 1;
    }
    Ok(count)
}

/// A square of whole pixels around a box, within extents.
fn around(own: &BBox, (wide, tall): (f32, f32), random: &mut Random) -> BBox {
    let growth = random.between(1.1, 2.0) as f32;
    let side = (growth * own.width().max(own.height())).ceil().min(tall);
    let mut corner = |edge: f32, size: f32, extent: f32| {
        let least = (edge + size - side).max(0.0);
        let room = (edge.min(extent - side) - least).max(0.0);
        let at = least + random.between(0.0, 1.0) as f32 * room;
        at.round().clamp(0.0, extent - side)
    };
    let left = corner(own.left, own.width(), wide);
    let top = corner(own.top, own.height(), tall);
    BBox::new(left, top, left + side, top + side)
}

/// A square part of a photograph, in its own pixels.
fn cut(photograph: &[u8], part: &BBox) -> Result<Picture, Box<dyn Error>> {
    let (left, top) = (part.left as usize, part.top as usize);
    let side = (part.width() as usize).max(1);
    let mut rgb = Vec::with_capacity(3 * side * side);
    for (y, x) in (0..side).flat_map(|y| (0..side).map(move |x| (y, x))) {
        let at = (top + y) * 640 + left + x;
        rgb.extend([0, 1, 2].map(|channel| photograph[channel * 480 * 640 + at]));
    }
    Picture::from_rgb(side, side, rgb).ok_or_else(|| "a part without pixels".into())
}
