//! Targets that are pictures: what a network should make of each pixel of its output, a class or a brightness.
//!
//! They are kept as pixels of the input, where the pictures' steps put them, or of the output, if that is what their files have; a map leads from the output to them, by which augmentation moves
//! them with the picture.

use super::DataError;
use super::known::Known;
use super::store::{keep, of, pick};
use crate::train::affine::{Affine, nearest, resample};
use cnnc_compiler::loss::UNLABELLED;
use cnnc_runtime::image::{Picture, PreProcess};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The byte of a pixel that counts for nothing.
pub(super) const NOTHING: u8 = u8::MAX;

/// What a pixel of a target is.
#[derive(Clone, Debug)]
pub(super) enum Pixel {
    /// One of so many classes: the index or the grey value that is stored.
    Index(usize),
    /// A class: that of its colour, of a list.
    Colour(Vec<([u8; 3], u8)>),
    /// So many channels of brightness, black 0 and white 1.
    Shade(usize),
}

/// How files become targets.
#[derive(Debug)]
pub(super) struct View {
    /// How pictures become the input.
    pub pre: PreProcess,
    pub pixel: Pixel,
    /// Columns and rows of the output.
    pub output: (usize, usize),
    /// From pixels of the output to those of the input.
    pub to_input: Affine,
    /// Whether the files have the output's extents, not those of the pictures.
    pub of_output: bool,
}

impl View {
    /// Columns and rows of what is kept.
    fn extents(&self) -> (usize, usize) {
        match self.of_output {
            true => self.output,
            false => (self.pre.width, self.pre.height),
        }
    }

    fn channels(&self) -> usize {
        match self.pixel {
            Pixel::Shade(channels) => channels,
            _ => 1,
        }
    }

    /// Bytes that are kept of each target.
    pub fn elements(&self) -> usize {
        let (width, height) = self.extents();
        self.channels() * width * height
    }

    /// What is kept of a file; it is held against the size of its picture, where that is known.
    pub fn read(&self, file: &Path, of: Option<(usize, usize)>) -> Result<Vec<u8>, DataError> {
        let picture = match self.pixel {
            Pixel::Index(_) => Picture::open_indices(file),
            _ => Picture::open(file),
        };
        let picture = picture.map_err(DataError::Picture)?;
        let size = (picture.width(), picture.height());
        let (wanted, whose) = match self.of_output {
            true => (
                Some(self.output),
                "the network's output, as the first target has,",
            ),
            false => (of, "its picture,"),
        };
        if let Some(wanted) = wanted.filter(|wanted| *wanted != size) {
            let why = format!(
                "{}x{} pixels are not those of {whose} {}x{}",
                size.0, size.1, wanted.0, wanted.1
            );
            return Err(DataError::Broken(file.to_owned(), why));
        }
        match &self.pixel {
            Pixel::Shade(channels) => {
                let mut pre = PreProcess {
                    channels: *channels,
                    bgr: false,
                    ..self.pre.clone()
                };
                if self.of_output {
                    pre.steps = Vec::new().into();
                    (pre.width, pre.height) = self.output;
                }
                let seen = pre.see(&picture, &file.display().to_string());
                Ok(seen.map_err(DataError::Picture)?.bytes)
            }
            Pixel::Index(count) => {
                let of = |pixel: &[u8; 3]| {
                    let class = pixel[0];
                    (usize::from(class) < *count || class == NOTHING)
                        .then_some(class)
                        .ok_or_else(|| format!("the class {class} is none of the network's {count}, which are 0 to {}; 255 counts for nothing", count - 1))
                };
                self.classes(file, &picture, of)
            }
            Pixel::Colour(list) => {
                let of = |pixel: &[u8; 3]| {
                    let found = list.iter().find(|(colour, _)| colour == pixel);
                    let [r, g, b] = pixel;
                    found
                        .map(|(_, class)| *class)
                        .ok_or_else(|| format!("the colour {r} {g} {b} is not in the list"))
                };
                self.classes(file, &picture, of)
            }
        }
    }

    /// The class of each pixel that is kept: of the nearest one of the file. Around the picture nothing counts.
    fn classes(
        &self,
        file: &Path,
        picture: &Picture,
        of: impl Fn(&[u8; 3]) -> Result<u8, String>,
    ) -> Result<Vec<u8>, DataError> {
        let (pixels, _) = picture.rgb().as_chunks::<3>();
        let size = (picture.width(), picture.height());
        let mut classes = Vec::with_capacity(pixels.len());
        for (at, pixel) in pixels.iter().enumerate() {
            classes.push(of(pixel).map_err(|why| {
                let (x, y) = (at % size.0, at / size.0);
                DataError::Broken(
                    file.to_owned(),
                    format!("pixel {x} of row {y}, from 0: {why}"),
                )
            })?);
        }
        if self.of_output {
            return Ok(classes);
        }
        let place = self.pre.placement(size.0, size.1);
        let (width, height) = self.extents();
        let inside =
            |at: f32, extent: usize| (at >= 0.0 && at < extent as f32).then_some(at as usize);
        let mut kept = Vec::with_capacity(width * height);
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            let middle = |at: usize, of: usize| (at as f32 + 0.5) / of as f32;
            let (x, y) = place.point(middle(x, width), middle(y, height));
            kept.push(match (inside(x, size.0), inside(y, size.1)) {
                (Some(x), Some(y)) => classes[y * size.0 + x],
                _ => NOTHING,
            });
        }
        Ok(kept)
    }

    /// Writes a target as the output has it, of a sample that has been moved.
    fn write(&self, bytes: &[u8], moved: Affine, known: &mut Known) {
        let back = moved.inverse().expect("what is drawn leaves a picture");
        let to_kept = match self.of_output {
            true => self
                .to_input
                .inverse()
                .expect("the output is a part of the plane"),
            false => Affine::IDENTITY,
        };
        // What nobody has moved is where it was, to the bit.
        let back = match (moved == Affine::IDENTITY, self.of_output) {
            (true, true) => Affine::IDENTITY,
            (true, false) => self.to_input,
            (false, _) => self.to_input.then(back).then(to_kept),
        };
        let (extents, (width, height)) = (self.extents(), self.output);
        match self.pixel {
            Pixel::Shade(_) => {
                for plane in bytes.chunks_exact(extents.0 * extents.1) {
                    let start = known.numbers.len();
                    known.numbers.resize(start + width * height, 0.0);
                    let to = &mut known.numbers[start..];
                    resample(plane, extents, back, to, width);
                    to.iter_mut().for_each(|shade| *shade /= 255.0);
                }
            }
            _ => nearest(bytes, extents, back, (width, height), |class| {
                known.labels.push(match class {
                    NOTHING => UNLABELLED,
                    class => class.into(),
                });
            }),
        }
    }
}

/// The targets of samples.
#[derive(Clone, Debug)]
pub(super) struct Maps {
    view: Arc<View>,
    files: Vec<PathBuf>,
    /// What is kept of all files, one behind another, unless each is read when it is needed.
    bytes: Option<Vec<u8>>,
}

impl Maps {
    /// None yet.
    pub fn new(view: View, in_memory: bool) -> Maps {
        Maps {
            view: Arc::new(view),
            files: Vec::new(),
            bytes: in_memory.then(Vec::new),
        }
    }

    /// The file of a sample's target.
    pub fn file(&self, index: usize) -> Option<&Path> {
        self.files.get(index).map(PathBuf::as_path)
    }

    /// How files become targets.
    pub fn view(&self) -> &Arc<View> {
        &self.view
    }

    /// Adds what has been read of a file.
    pub fn add(&mut self, file: PathBuf, read: &[u8]) {
        self.files.push(file);
        if let Some(bytes) = &mut self.bytes {
            bytes.extend(read);
        }
    }

    /// Adds the targets of another set.
    pub fn append(&mut self, mut other: Maps) {
        self.files.append(&mut other.files);
        self.bytes = match (self.bytes.take(), other.bytes) {
            (Some(mut bytes), Some(more)) => {
                bytes.extend(more);
                Some(bytes)
            }
            _ => None,
        };
    }

    /// Bytes of memory.
    pub fn len(&self) -> usize {
        self.bytes.as_ref().map_or(0, Vec::len)
    }

    /// Whether these are classes.
    pub fn are_classes(&self) -> bool {
        !matches!(self.view.pixel, Pixel::Shade(_))
    }

    /// Columns and rows of a target.
    pub fn output(&self) -> (usize, usize) {
        self.view.output
    }

    /// Keeps these only, whose numbers rise.
    pub fn keep(&mut self, indices: &[usize]) {
        self.files = of(&self.files, indices);
        if let Some(bytes) = &mut self.bytes {
            keep(bytes, indices, self.view.elements());
        }
    }

    /// These only.
    pub fn copy(&self, indices: &[usize]) -> Maps {
        let bytes = self.bytes.as_ref();
        Maps {
            view: Arc::clone(&self.view),
            files: of(&self.files, indices),
            bytes: bytes.map(|bytes| pick(bytes, indices, self.view.elements())),
        }
    }

    /// Writes the target of a sample that has been moved.
    ///
    /// # Errors
    /// A file that is not any more what it was.
    pub fn write(&self, index: usize, moved: Affine, known: &mut Known) -> Result<(), DataError> {
        match &self.bytes {
            Some(bytes) => {
                let elements = self.view.elements();
                let bytes = &bytes[index * elements..][..elements];
                self.view.write(bytes, moved, known);
            }
            None => {
                let bytes = self.view.read(&self.files[index], None)?;
                self.view.write(&bytes, moved, known);
            }
        }
        Ok(())
    }
}
