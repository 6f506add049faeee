//! Region proposals: boxes of a picture in which an object may be, of whatever class.
//!
//! ```text
//!     picture ─┬─ colours, k ──segment──▶ regions ──merge──▶ hierarchy ─┐
//!              ├─ colours, k ──segment──▶ regions ──merge──▶ hierarchy ─┼─ boxes, each once
//!              └─ …                                                     ─┘
//! ```
//!
//! A segmentation by the graph of pixels (P. Felzenszwalb and D. Huttenlocher, "Efficient graph-based image segmentation", 2004) gives regions, and of two that touch those most alike become one until all are (J. Uijlings et al., "Selective search for
//! object recognition", 2013). The box around each region on the way is a proposal. What one segmentation tears apart another keeps together, so there are several, by other colours and other scales `k`.
//!
//! ```
//! use cnnc::propose::{Settings, propose};
//! use cnnc::rt::image::Picture;
//! // A dark square on a bright ground.
//! let dark = |at: usize| (20..40).contains(&(at % 80)) && (30..50).contains(&(at / 80));
//! let grey: Vec<u8> = (0..80 * 80).map(|at| if dark(at) { 30 } else { 220 }).collect();
//! let picture = Picture::from_grey(80, 80, &grey).expect("a byte a pixel");
//! let boxes = propose(&picture, &Settings::default())?;
//! assert!(boxes.iter().any(|found| found.iou(&cnnc::rt::answer::BBox::new(20.0, 30.0, 40.0, 50.0)) > 0.8));
//! # Ok::<(), cnnc::rt::image::ImageError>(())
//! ```

mod colour;
mod draw;
mod features;
mod merge;
mod segment;

pub use colour::Colours;
pub use draw::drawn;

use cnnc_runtime::answer::BBox;
use cnnc_runtime::image::{Filter, ImageError, Picture};
use segment::segment;

/// How regions are found.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Most pixels of the longer side: larger pictures are reduced before they are segmented.
    pub side: usize,
    /// The segmentations, whose proposals are put together.
    pub segmentations: Vec<Segmentation>,
    /// Least width and height of a proposal, as a share of the picture's longer side.
    pub least: f32,
    /// Intersection over union from which on two proposals are one.
    pub same: f32,
}

/// One segmentation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segmentation {
    /// In which colours pixels are compared.
    pub colours: Colours,
    /// How much larger regions become: the `k` of Felzenszwalb and Huttenlocher, for colours from 0 to 255.
    pub k: f32,
}

impl Default for Settings {
    fn default() -> Settings {
        let of = |colours, k| Segmentation { colours, k };
        Settings {
            side: 400,
            segmentations: vec![
                of(Colours::Lab, 30.0),
                of(Colours::Lab, 100.0),
                of(Colours::Hsv, 50.0),
                of(Colours::Rgb, 50.0),
            ],
            least: 0.025,
            same: 0.9,
        }
    }
}

/// The boxes of a picture in which an object may be, in its pixels: from those of whole hierarchies down to single regions, in the order in which regions were last to merge.
///
/// # Errors
/// Too little memory.
pub fn propose(picture: &Picture, settings: &Settings) -> Result<Vec<BBox>, ImageError> {
    let reduced = reduced(picture, settings.side)?;
    let picture_of = reduced.as_ref().unwrap_or(picture);
    let (across, down) = (
        picture.width() as f32 / picture_of.width() as f32,
        picture.height() as f32 / picture_of.height() as f32,
    );
    let least = settings.least * picture.width().max(picture.height()) as f32;
    let mut all: Vec<(usize, BBox)> = Vec::new();
    for of in &settings.segmentations {
        let image = colour::planes(picture_of, of.colours);
        let regions = segment(&image, of.k);
        let boxes = merge::hierarchy(&image, &regions);
        // The last to merge first.
        all.extend(boxes.into_iter().rev().enumerate());
    }
    // Stable: of equal ranks the first segmentation's first.
    all.sort_by_key(|(rank, _)| *rank);
    let mut kept: Vec<BBox> = Vec::new();
    for (_, found) in all {
        let found = BBox::new(
            found.left * across,
            found.top * down,
            found.right * across,
            found.bottom * down,
        );
        let large = found.width() >= least && found.height() >= least;
        if large && !kept.iter().any(|other| other.iou(&found) >= settings.same) {
            kept.push(found);
        }
    }
    Ok(kept)
}

/// A picture whose longer side has so many pixels at most; `None` where it has already.
fn reduced(picture: &Picture, side: usize) -> Result<Option<Picture>, ImageError> {
    let (width, height) = (picture.width(), picture.height());
    let longer = width.max(height);
    let side = side.max(1);
    if longer <= side {
        return Ok(None);
    }
    let shrunk = |of: usize| (of * side).div_ceil(longer);
    let reduced = picture.resized(shrunk(width), shrunk(height), Filter::Antialias);
    Ok(Some(reduced.map_err(|problem| problem.of("a picture"))?))
}
