//! Regions and proposals, drawn.

use super::colour::planes;
use super::segment::segment;
use super::{Settings, reduced};
use cnnc_runtime::answer::{BBox, Canvas, class_colour};
use cnnc_runtime::image::{ImageError, ImageProblem, Picture};

/// Columns between both pictures.
const GAP: usize = 8;

/// Two pictures side by side: the regions of the first segmentation, each in the mean of its colours and with a dark border, and the photo with proposals as thin frames, the first ones on top.
///
/// # Errors
/// A picture that would be too large, or too little memory.
pub fn drawn(
    picture: &Picture,
    settings: &Settings,
    boxes: &[BBox],
) -> Result<Picture, ImageError> {
    let (width, height) = (picture.width(), picture.height());
    let too_large = || {
        ImageProblem::TooLarge {
            width: 2 * width + GAP,
            height,
        }
        .of("the drawing")
    };
    let regions = regions(picture, settings)?;
    let white = [255; 3 * GAP];
    let mut rgb = Vec::with_capacity(3 * (2 * width + GAP) * height);
    let rows = |of: &[u8], row: usize| of[3 * width * row..][..3 * width].to_vec();
    for row in 0..height {
        rgb.extend(rows(&regions, row));
        rgb.extend(white);
        rgb.extend(rows(picture.rgb(), row));
    }
    let mut canvas = Canvas::new(2 * width + GAP, height, rgb).ok_or_else(too_large)?;
    let line = (width.min(height) / 400).max(1) as i64;
    for (index, bbox) in boxes.iter().enumerate().rev() {
        let colour = class_colour(index);
        let edge = |edge: f32, most: usize| (edge.round() as i64).clamp(0, most as i64);
        let start = (width + GAP) as i64;
        let (left, right) = (
            start + edge(bbox.left, width),
            start + edge(bbox.right, width),
        );
        let (top, bottom) = (edge(bbox.top, height), edge(bbox.bottom, height));
        let across = (right - left, line);
        let down = (line, bottom - top);
        canvas.rectangle((left, top), across, colour);
        canvas.rectangle((left, bottom - line), across, colour);
        canvas.rectangle((left, top), down, colour);
        canvas.rectangle((right - line, top), down, colour);
    }
    Picture::from_rgb(2 * width + GAP, height, canvas.into_rgb()).ok_or_else(too_large)
}

/// The regions of the first segmentation, as large as the picture.
fn regions(picture: &Picture, settings: &Settings) -> Result<Vec<u8>, ImageError> {
    let Some(first) = settings.segmentations.first() else {
        return Ok(picture.rgb().to_vec());
    };
    let small = reduced(picture, settings.side)?;
    let small = small.as_ref().unwrap_or(picture);
    let found = segment(&planes(small, first.colours), first.k);
    let mut sums = vec![([0_u64; 3], 0_u64); found.count];
    for (pixel, &label) in small.rgb().as_chunks::<3>().0.iter().zip(&found.labels) {
        let (sum, count) = &mut sums[label as usize];
        for (sum, &value) in sum.iter_mut().zip(pixel) {
            *sum += u64::from(value);
        }
        *count += 1;
    }
    let (width, height) = (picture.width(), picture.height());
    // Where a pixel of the picture lies in the reduced one.
    let label = |x: usize, y: usize| {
        let column = x * small.width() / width;
        let row = y * small.height() / height;
        found.labels[row * small.width() + column]
    };
    let mut rgb = Vec::with_capacity(3 * width * height);
    for y in 0..height {
        for x in 0..width {
            let own = label(x, y);
            let border = (x > 0 && label(x - 1, y) != own) || (y > 0 && label(x, y - 1) != own);
            let (sum, count) = sums[own as usize];
            let mean = sum.map(|sum| (sum / count.max(1)) as u8);
            rgb.extend(if border { mean.map(|of| of / 3) } else { mean });
        }
    }
    Ok(rgb)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_and_frames_are_where_they_should_be() {
        let value = |at: usize| if at % 60 < 30 { 20 } else { 220 };
        let grey: Vec<u8> = (0..60 * 50).map(value).collect();
        let picture = Picture::from_grey(60, 50, &grey).expect("pixels");
        let boxes = [BBox::new(10.0, 5.0, 40.0, 45.0)];
        let drawn = drawn(&picture, &Settings::default(), &boxes).expect("small");
        assert_eq!((drawn.width(), drawn.height()), (128, 50));
        let at = |x: usize, y: usize| {
            let at = 3 * (y * 128 + x);
            [0, 1, 2].map(|channel| drawn.rgb()[at + channel])
        };
        assert_eq!(at(5, 5), [20; 3]);
        assert_eq!(at(55, 5), [220; 3]);
        assert_eq!(at(64, 5), [255; 3]);
        for (x, y) in [(10, 20), (39, 20), (20, 5), (20, 44)] {
            assert_eq!(at(68 + x, y), class_colour(0), "{x} {y}");
        }
        assert_eq!(at(68 + 20, 20), [20; 3]);
    }
}
