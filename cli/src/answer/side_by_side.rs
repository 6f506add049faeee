//! Boxes before and after suppression, side by side.

use crate::Failure;
use cnnc::Answer;
use cnnc::rt::answer::{BBox, Canvas, Colour, Detection, Head, Thresholds, class_colour};
use cnnc::rt::image::Picture;

/// Pixels that the longer side of a small picture is enlarged to, at least.
const LEAST: usize = 480;
/// Pixels between both pictures and around them, and above them for what they are.
const GAP: i64 = 10;
const CAPTION: i64 = 28;
/// Most boxes that are drawn before suppression, the surest ones.
const MOST: usize = 300;
const BLACK: Colour = [0; 3];
const WHITE: Colour = [255; 3];

/// The same head, which keeps every box that is sure enough; one that suppresses nothing keeps its box however unsure it is that there is one.
pub fn without_suppression(head: &Head) -> Head {
    let mut all = head.clone();
    let off = Thresholds::default().nms(None);
    if all.set(&off).is_err() {
        // Such a head may have no threshold either: then both pictures are the same.
        let _ = all.set(&Thresholds::default().keep(0.0));
    }
    all
}

/// Both answers drawn on a picture.
pub fn side_by_side(
    head: &Head,
    [before, after]: [&Answer; 2],
    picture: &Picture,
) -> Result<Picture, Failure> {
    let flag = "--draw-all";
    let refused = |why| Failure::NotShown { flag, why };
    let (Answer::Boxes(before), Answer::Boxes(after)) = (before, after) else {
        return Err(refused("the answer of the spec's head has no boxes"));
    };
    let suppresses = head.clone().settings().nms.is_some();
    let [all, kept] = match suppresses {
        true => ["before suppression", "after"],
        false => ["whether or not anything is there", "kept"],
    };
    let zoom = LEAST.div_ceil(picture.width().max(picture.height()).max(1));
    let large = enlarged(picture, zoom);
    let grown = |boxes: &[Detection]| -> Vec<Detection> {
        let of = |found: &Detection| {
            let BBox {
                left,
                top,
                right,
                bottom,
            } = found.bbox;
            let [left, top, right, bottom] = [left, top, right, bottom].map(|at| at * zoom as f32);
            Detection {
                bbox: BBox::new(left, top, right, bottom),
                ..*found
            }
        };
        boxes.iter().map(of).collect()
    };
    let (width, height) = (large.width() as i64, large.height() as i64);
    let canvas = |picture: &Picture| {
        let rgb = picture.rgb().to_vec();
        Canvas::new(picture.width(), picture.height(), rgb)
            .ok_or_else(|| refused("the picture has no pixels"))
    };
    // Labels of boxes on one another could not be read.
    let mut left = canvas(&large)?;
    for found in grown(before)
        .iter()
        .take(MOST)
        .rev()
        .filter(|found| found.bbox.is_finite())
    {
        left.frame(&found.bbox, class_colour(found.class));
    }
    let mut right = canvas(&large)?;
    right.detections(&grown(after), &head.labels);
    let [left, right] = [left, right].map(|canvas| canvas.into_rgb());
    let too_large = || refused("the picture is too large");
    let whole = (
        (2 * width + 3 * GAP) as usize,
        (height + CAPTION + GAP) as usize,
    );
    let mut sheet = Canvas::blank(whole.0, whole.1, WHITE).ok_or_else(too_large)?;
    let drawn = match before.len() {
        count if count > MOST => format!(", the {MOST} surest drawn"),
        _ => String::new(),
    };
    sheet.text(
        (GAP, 7),
        &format!("{all}: {}{drawn}", boxes(before.len())),
        BLACK,
    );
    let second = 2 * GAP + width;
    sheet.text(
        (second, 7),
        &format!("{kept}: {}", boxes(after.len())),
        BLACK,
    );
    let mut rgb = sheet.into_rgb();
    for (pixels, corner) in [(left, GAP), (right, second)] {
        for (row, from) in pixels.chunks_exact(3 * large.width()).enumerate() {
            let start = 3 * ((row + CAPTION as usize) * whole.0 + corner as usize);
            rgb[start..][..from.len()].copy_from_slice(from);
        }
    }
    Picture::from_rgb(whole.0, whole.1, rgb).ok_or_else(too_large)
}

fn boxes(count: usize) -> String {
    match count {
        1 => "1 box".to_owned(),
        count => format!("{count} boxes"),
    }
}

/// Each pixel as a square.
fn enlarged(picture: &Picture, zoom: usize) -> Picture {
    if zoom <= 1 {
        return picture.clone();
    }
    let (width, height) = (picture.width() * zoom, picture.height() * zoom);
    let mut rgb = Vec::with_capacity(3 * width * height);
    for row in picture.rgb().chunks_exact(3 * picture.width()) {
        let wide: Vec<u8> = row
            .chunks_exact(3)
            .flat_map(|pixel| pixel.repeat(zoom))
            .collect();
        (0..zoom).for_each(|_| rgb.extend_from_slice(&wide));
    }
    Picture::from_rgb(width, height, rgb).expect("as many pixels")
}
