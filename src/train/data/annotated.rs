//! Pictures with boxes, as files say them.

use cnnc_runtime::answer::BBox;
use std::path::{Path, PathBuf};

/// A picture and its boxes, as they are written.
#[derive(Debug)]
pub(super) struct Annotated {
    pub picture: PathBuf,
    /// Where the boxes are written.
    pub file: PathBuf,
    /// Width and height of the picture, if they are written there.
    pub size: Option<(usize, usize)>,
    pub boxes: Vec<Written>,
    pub purpose: Purpose,
}

/// What a picture is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Learn,
    Judge,
    Nothing,
}

impl Purpose {
    /// What folders within one of pictures are for, and the pictures beside them.
    pub fn folders(images: &Path) -> [(&'static str, Purpose); 4] {
        // Where there is a set to choose by, the test is kept for the end.
        let test = match images.join("val").is_dir() {
            true => Purpose::Nothing,
            false => Purpose::Judge,
        };
        [
            ("", Purpose::Learn),
            ("train", Purpose::Learn),
            ("val", Purpose::Judge),
            ("test", test),
        ]
    }
}

/// A box, as it is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Written {
    /// A name, or the number of a class.
    pub class: String,
    /// Edges in pixels of the picture, or fractions of it.
    pub bbox: BBox,
}
