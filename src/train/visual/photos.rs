//! Photographs, and parts of them, as a network sees them.

use crate::Model;
use crate::train::data::{DataError, entries};
use crate::train::error::TrainError;
use crate::train::picture::tensors::pixels;
use crate::train::picture::{Pixels, Size};
use crate::train::random::{Purpose, Random};
use cnnc_runtime::image::{Picture, is_called_a_picture};
use std::path::{Path, PathBuf};

/// Parts that are looked at, at most, and the bytes that they take.
const MOST: usize = 2000;
const BYTES: usize = 1 << 30;
/// Parts of photographs that there should be where nothing else is said.
const ENOUGH: usize = 200;
/// Sides of a part, as shares of the largest that fits.
const SIDES: [f64; 2] = [0.3, 0.9];
/// Folders within folders.
const DEPTH: usize = 8;

/// A part of a photograph.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Which photograph.
    pub photo: usize,
    /// Left, top, width and height in it.
    pub area: [f64; 4],
    /// What the network sees of it, a byte for each number.
    pub bytes: Vec<u8>,
}

/// Photographs and parts of them, scaled to a network's input.
#[derive(Clone, Debug)]
pub struct Photos {
    pub(super) parts: Vec<Part>,
    pub(super) pixels: Pixels,
    pub(super) extents: [usize; 2],
    photos: usize,
    /// Pictures that could not be read, with the reason.
    pub broken: Vec<String>,
}

/// The picture files in a folder and in those within it, in the order of their names.
///
/// # Errors
/// A folder that cannot be read, or has none.
pub fn photographs(folder: &Path) -> Result<Vec<PathBuf>, TrainError> {
    let mut found = Vec::new();
    gather(folder, DEPTH, &mut found)?;
    match found.is_empty() {
        true => Err(DataError::Empty(folder.to_owned(), "that is a picture").into()),
        false => Ok(found),
    }
}

fn gather(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), TrainError> {
    for path in entries(folder)? {
        if path.is_dir() {
            if depth > 0 {
                gather(&path, depth - 1, found)?;
            }
        } else if is_called_a_picture(&path) {
            found.push(path);
        }
    }
    Ok(())
}

impl Photos {
    /// So many parts of each photograph, the first of which is all of it; without a number as many as make 200 together. Of more than 2,000, or than a GiB holds, every so many-th photograph is taken.
    ///
    /// # Errors
    /// A network without pictures, or no picture that can be read.
    pub fn read(
        model: &Model,
        files: &[PathBuf],
        parts: Option<usize>,
        seed: u64,
    ) -> Result<Photos, TrainError> {
        let pixels = pixels(model)?;
        let shape = model.graph().values[model.graph().inputs[0].value]
            .shape
            .clone();
        let extents = [shape.spatial()[0], shape.spatial()[1]];
        let most = (BYTES / shape.elements().max(1)).clamp(1, MOST);
        let each = parts
            .unwrap_or(ENOUGH.div_ceil(files.len().max(1)))
            .clamp(1, most);
        let every = (files.len() * each).div_ceil(most).max(1);
        let mut photos = Photos {
            parts: Vec::new(),
            pixels,
            extents,
            photos: 0,
            broken: Vec::new(),
        };
        for file in files.iter().step_by(every) {
            match Picture::open(file) {
                Ok(picture) => photos.add(&picture, each, seed, &file.display().to_string())?,
                Err(error) => photos.broken.push(error.to_string()),
            }
        }
        match photos.parts.is_empty() {
            true => Err(TrainError::Network(format!(
                "no picture can be read: {}",
                photos.broken.join("; ")
            ))),
            false => Ok(photos),
        }
    }

    /// One picture, all of it; errors call it by that name.
    ///
    /// # Errors
    /// A network without pictures.
    pub fn one(model: &Model, picture: &Picture, name: &str) -> Result<Photos, TrainError> {
        let mut photos = Photos::read_none(model)?;
        photos.add(picture, 1, 0, name)?;
        Ok(photos)
    }

    fn read_none(model: &Model) -> Result<Photos, TrainError> {
        let pixels = pixels(model)?;
        let shape = &model.graph().values[model.graph().inputs[0].value].shape;
        Ok(Photos {
            parts: Vec::new(),
            pixels,
            extents: [shape.spatial()[0], shape.spatial()[1]],
            photos: 0,
            broken: Vec::new(),
        })
    }

    /// Adds parts of a photograph: the largest in the input's proportions around its middle, and random ones.
    fn add(
        &mut self,
        picture: &Picture,
        parts: usize,
        seed: u64,
        name: &str,
    ) -> Result<(), TrainError> {
        let [height, width] = self.extents.map(|extent| extent as f64);
        let (wide, high) = (picture.width() as f64, picture.height() as f64);
        let scale = (wide / width).min(high / height);
        let mut random = Random::new(seed, Purpose::Crops, &self.photos.to_le_bytes());
        for part in 0..parts {
            let draws: [f64; 3] = std::array::from_fn(|_| random.unit());
            let share = if part == 0 {
                1.0
            } else {
                SIDES[0] + (SIDES[1] - SIDES[0]) * draws[0]
            };
            let (w, h) = (width * scale * share, height * scale * share);
            let place = if part == 0 {
                [0.5, 0.5]
            } else {
                [draws[1], draws[2]]
            };
            let area = [(wide - w) * place[0], (high - h) * place[1], w, h];
            let cut = cut(picture, area);
            let size = Size::Exactly(self.extents[1], self.extents[0]);
            let bytes = self.pixels.see(&cut, size, name)?;
            self.parts.push(Part {
                photo: self.photos,
                area,
                bytes,
            });
        }
        self.photos += 1;
        Ok(())
    }

    /// How many parts there are.
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// How many photographs they are of.
    pub fn photographs(&self) -> usize {
        self.photos
    }

    /// A part as it is seen.
    pub fn picture(&self, part: usize) -> Picture {
        self.pixels.picture(&self.numbers(part), self.extents)
    }

    /// The network's numbers of a part.
    pub(super) fn numbers(&self, part: usize) -> Vec<f32> {
        self.pixels.numbers_of(&self.parts[part].bytes)
    }
}

/// A part of a picture, of at least one pixel.
pub(super) fn cut(picture: &Picture, [left, top, width, height]: [f64; 4]) -> Picture {
    let range = |from: f64, size: f64, all: usize| {
        let from = (from.round().max(0.0) as usize).min(all - 1);
        from..(from + (size.round() as usize).max(1)).min(all)
    };
    let (columns, rows) = (
        range(left, width, picture.width()),
        range(top, height, picture.height()),
    );
    let at = (-(columns.start as i64), -(rows.start as i64));
    let part = picture.placed((columns.len(), rows.len()), at, [0; 3]);
    part.expect("a part of a picture")
}

/// Runs a network on parts with these tensors as outputs.
pub(super) fn run(
    model: &Model,
    weights: &crate::Weights,
    labels: &[String],
    photos: &Photos,
    threads: usize,
    mut look: impl FnMut(usize, usize, &[f32]),
) -> Result<(), TrainError> {
    let options = labels
        .iter()
        .fold(crate::Options::new().threads(threads), |options, label| {
            options.tap(label)
        });
    let network = model.jit(weights, &options)?;
    let mut session = network.session()?;
    for number in 0..photos.len() {
        let numbers = photos.numbers(number);
        let outputs = session.run(&[&numbers])?;
        for (index, label) in labels.iter().enumerate() {
            let output = outputs.get(label).expect("it is tapped");
            look(number, index, output.data);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_lie_within_the_photograph() {
        let model = crate::compile_str(
            "p",
            "cnn 1; model P { input x: 3x20x30; a: conv 3x3 2; globalavgpool }",
        )
        .unwrap();
        let rgb = (0..3 * 50 * 40).map(|i| (i * 7 % 256) as u8).collect();
        let picture = Picture::from_rgb(50, 40, rgb).unwrap();
        let mut photos = Photos::one(&model, &picture, "photo").unwrap();
        photos.add(&picture, 40, 3, "it").unwrap();
        assert_eq!((photos.len(), photos.photographs()), (41, 2));
        for part in &photos.parts {
            let [left, top, width, height] = part.area;
            assert!(left >= 0.0 && top >= 0.0 && left + width <= 50.001 && top + height <= 40.001);
            assert!((width / height - 1.5).abs() < 1e-9);
            assert_eq!(part.bytes.len(), 3 * 20 * 30);
        }
        // All of it is as wide as the photograph.
        assert_eq!(photos.parts[0].area[2], 50.0);
        // The same seed gives the same parts.
        let mut again = Photos::one(&model, &picture, "photo").unwrap();
        again.add(&picture, 40, 3, "it").unwrap();
        assert_eq!(again.parts[17].area, photos.parts[17].area);
        assert_eq!(cut(&picture, [49.9, 39.9, 0.1, 0.1]).width(), 1);
    }
}
