//! What is known to be in pictures, without a network that learns it.

use super::DataError;
use super::ahead::{ahead, unbroken};
use super::annotated::{Annotated, Purpose};
use super::boxes::{Boxed, same_size, sound};
use cnnc_compiler::recipe::DataKind;
use cnnc_runtime::answer::BBox;
use cnnc_runtime::image::Picture;
use std::path::{Path, PathBuf};

/// A picture and what is known to be in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Annotation {
    /// Its file.
    pub picture: PathBuf,
    /// Where its boxes are written.
    pub file: PathBuf,
    /// Its width and height, if they are written there.
    pub size: Option<(usize, usize)>,
    /// What things are, and where, in fractions of the picture.
    pub boxes: Vec<(String, BBox)>,
    /// Whether it is one of those that judge.
    pub judges: bool,
}

impl Annotation {
    /// Reads the picture.
    ///
    /// # Errors
    /// One that cannot be read, or is not as large as the file of its boxes says.
    pub fn open(&self) -> Result<Picture, DataError> {
        let picture = Picture::open(&self.picture).map_err(DataError::Picture)?;
        let size = (picture.width(), picture.height());
        same_size(self.size, size, &self.file, &self.picture)?;
        Ok(picture)
    }

    /// The folder that it is in.
    pub(in crate::train) fn root(&self) -> PathBuf {
        let folder = self.picture.parent();
        folder.unwrap_or(&self.picture).to_owned()
    }

    /// The boxes in pixels of a picture of that size.
    pub fn in_pixels(&self, width: usize, height: usize) -> Vec<(String, BBox)> {
        let (width, height) = (width as f32, height as f32);
        let boxes = self.boxes.iter().map(|(label, of)| {
            let edges = (of.left * width, of.top * height);
            let far = (of.right * width, of.bottom * height);
            (label.clone(), BBox::new(edges.0, edges.1, far.0, far.1))
        });
        boxes.collect()
    }
}

/// Pictures and what is known to be in them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Annotations {
    /// All that judge or are learned from, in the order of their names.
    pub pictures: Vec<Annotation>,
    /// Boxes, and pictures, that are broken and were left out: each with its file.
    pub left_out: Vec<String>,
}

impl Annotations {
    /// What lies in a folder of pictures with boxes, VOC's XML or YOLO's rows.
    ///
    /// # Errors
    /// A folder without any, boxes that are broken, or more broken pictures than are left out.
    pub fn open(folder: &Path) -> Result<Annotations, DataError> {
        let Some(Boxed { kind, pictures }) = Boxed::find(folder, None)? else {
            return Err(DataError::NotThat(folder.to_owned(), "voc` or `yolo"));
        };
        let mut all = Annotations::default();
        let used = pictures.iter().filter(|of| of.purpose != Purpose::Nothing);
        let used: Vec<&Annotated> = used.collect();
        let mut sizes: Vec<Option<(usize, usize)>> = match kind {
            DataKind::Voc => used.iter().map(|of| of.size).collect(),
            _ => vec![Some((1, 1)); used.len()],
        };
        let unsaid = (0..used.len()).filter(|&at| sizes[at].is_none());
        let unsaid: Vec<usize> = unsaid.collect();
        let size = |at: usize| {
            let picture = Picture::open(&used[at].picture);
            (at, picture.map(|of| (of.width(), of.height())))
        };
        ahead(&mut unsaid.into_iter(), &size, &mut |(at, size)| {
            sizes[at] = unbroken(folder, size, used.len(), &mut all.left_out)?;
            Ok(())
        })?;
        let sized = used.into_iter().zip(sizes);
        for (of, size) in sized.filter_map(|(of, size)| Some((of, size?))) {
            let (boxes, left_out) = sound(of, (size.0 as f32, size.1 as f32))?;
            all.left_out.extend(left_out);
            let boxes = boxes.into_iter().map(|of| (of.class, of.bbox));
            all.pictures.push(Annotation {
                picture: of.picture.clone(),
                file: of.file.clone(),
                size: of.size,
                boxes: boxes.collect(),
                judges: of.purpose == Purpose::Judge,
            });
        }
        match all.pictures.is_empty() {
            true => Err(DataError::Empty(folder.to_owned(), "with boxes")),
            false => Ok(all),
        }
    }

    /// Those that judge, or all if none do.
    pub fn to_judge(&self) -> Vec<&Annotation> {
        let judges = self.pictures.iter().filter(|of| of.judges);
        let judges: Vec<&Annotation> = judges.collect();
        match judges.is_empty() {
            true => self.pictures.iter().collect(),
            false => judges,
        }
    }

    /// What things are called, each once, in the order of the alphabet.
    pub fn labels(&self) -> Vec<String> {
        let boxes = self.pictures.iter().flat_map(|of| &of.boxes);
        let mut labels: Vec<String> = boxes.map(|(label, _)| label.clone()).collect();
        labels.sort();
        labels.dedup();
        labels
    }
}
