//! Answers drawn on a picture: frames with legible labels, and points.

mod chart;
mod segments;
mod shapes;

use super::{BBox, Detection};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

/// Red, green, blue.
pub type Colour = [u8; 3];

/// Most detections that are drawn, the best ones; more could not be read.
const MAX_DRAWN: usize = 200;

/// Bytes of a pixel.
const CHANNELS: usize = 3;

/// A picture that can be drawn on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canvas {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

/// The colour of a class: the same in every picture, and far from those of its neighbours.
pub fn class_colour(class: usize) -> Colour {
    // Steps of the golden ratio around the circle of hues never come close to each other; two
    // levels of brightness tell apart what the hue alone would not.
    let hue = (class as f64 * 0.618_033_988_749_895).fract() * 6.0;
    let value = if class.is_multiple_of(2) {
        255.0
    } else {
        200.0
    };
    let channel = |offset: f64| {
        let distance = ((hue + offset) % 6.0 - 3.0).abs();
        let saturated = (distance - 1.0).clamp(0.0, 1.0);
        (value * (0.15 + 0.85 * saturated)).round() as u8
    };
    [channel(0.0), channel(4.0), channel(2.0)]
}

/// A rectangle of whole pixels, the ends excluded.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Area {
    x: [i64; 2],
    y: [i64; 2],
}

impl Area {
    fn meets(&self, other: &Area) -> bool {
        let apart = |a: [i64; 2], b: [i64; 2]| a[1] <= b[0] || b[1] <= a[0];
        !apart(self.x, other.x) && !apart(self.y, other.y)
    }
}

/// Sizes that fit the picture.
#[derive(Clone, Copy, Debug)]
struct Style {
    font: RasterHeight,
    /// Pixels for one of the font.
    zoom: f32,
    line: i64,
}

impl Style {
    /// Pixels from one letter to the next.
    fn glyph(self) -> i64 {
        self.zoomed(get_raster_width(FontWeight::Bold, self.font))
    }

    /// Pixels of the picture for so many of the font.
    fn zoomed(self, pixels: usize) -> i64 {
        (pixels as f32 * self.zoom).round() as i64
    }

    /// Width and height of a plate with that text.
    fn extents(self, text: &str) -> (i64, i64) {
        let letters = text.chars().count() as i64;
        let height = self.zoomed(self.font.val());
        (self.glyph() * letters + 2 * self.line, height)
    }
}

impl Canvas {
    /// A canvas of rows of red, green, blue; `None` unless there are exactly `3 · width · height` bytes.
    pub fn new(width: usize, height: usize, rgb: Vec<u8>) -> Option<Canvas> {
        let bytes = width.checked_mul(height)?.checked_mul(CHANNELS)?;
        (bytes == rgb.len()).then_some(Canvas { width, height, rgb })
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Red, green, blue of every pixel, row by row.
    pub fn into_rgb(self) -> Vec<u8> {
        self.rgb
    }

    /// Draws every detection as a frame in the colour of its class, with its label and score; boxes
    /// are in pixels. The best are drawn last, and no label covers another where there is room.
    pub fn detections(&mut self, detections: &[Detection], labels: &[impl AsRef<str>]) {
        let mut order: Vec<&Detection> = detections.iter().collect();
        order.sort_by(|a, b| b.score.total_cmp(&a.score));
        order.retain(|detection| detection.bbox.is_finite());
        order.truncate(MAX_DRAWN);
        for detection in order.iter().rev() {
            self.frame(&detection.bbox, class_colour(detection.class));
        }
        let mut taken = Vec::new();
        for detection in order {
            let name = match labels.get(detection.class) {
                Some(label) => label.as_ref().to_owned(),
                None => format!("class {}", detection.class),
            };
            let text = format!("{name} {:.2}", detection.score);
            self.label(
                &detection.bbox,
                &text,
                class_colour(detection.class),
                &mut taken,
            );
        }
    }

    /// Draws the outline of a box, in pixels, along the inside of its edges, with a thin dark one inside it.
    pub fn frame(&mut self, bbox: &BBox, colour: Colour) {
        let line = self.style().line;
        let Area {
            x: [left, right],
            y: [top, bottom],
        } = self.area(bbox);
        // A dark edge on the inside keeps the line apart from what has its colour, foliage or sky.
        for (line, colour, share) in [(line + 1, [0; 3], 0.6), (line, colour, 1.0)] {
            // Four sides that share no pixel.
            for (x, y) in [
                ([left, right], [top, top + line]),
                ([left, right], [(bottom - line).max(top + line), bottom]),
                ([left, left + line], [top + line, bottom - line]),
                (
                    [(right - line).max(left + line), right],
                    [top + line, bottom - line],
                ),
            ] {
                self.fill(Area { x, y }, colour, share);
            }
        }
    }

    /// Draws points, in pixels, as discs with a dark rim.
    pub fn points(&mut self, points: &[(f32, f32)], colour: Colour) {
        let radius = self.style().line as f32 + 0.5;
        for &(x, y) in points
            .iter()
            .filter(|(x, y)| x.is_finite() && y.is_finite())
        {
            let reach = radius + 2.0;
            let area = self.area(&BBox::around(x, y, 2.0 * reach, 2.0 * reach));
            for row in area.y[0]..area.y[1] {
                for column in area.x[0]..area.x[1] {
                    // Pixels are known by their centres; coverage fades over one pixel.
                    let distance =
                        ((column as f32 + 0.5 - x).powi(2) + (row as f32 + 0.5 - y).powi(2)).sqrt();
                    self.blend(
                        column,
                        row,
                        [0; 3],
                        (radius + 1.5 - distance).clamp(0.0, 1.0),
                    );
                    self.blend(
                        column,
                        row,
                        colour,
                        (radius + 0.5 - distance).clamp(0.0, 1.0),
                    );
                }
            }
        }
    }

    /// Writes a label on a plate of that colour where it covers none of `taken`: above the box,
    /// else inside its top, else further down.
    fn label(&mut self, bbox: &BBox, text: &str, colour: Colour, taken: &mut Vec<Area>) {
        let style = self.style();
        let (width, height) = style.extents(text);
        let Area {
            x: [left, _],
            y: [top, bottom],
        } = self.area(bbox);
        let left = left.min(self.width as i64 - width).max(0);
        let last = (self.height as i64 - height).max(0);
        let plate = |y: i64| {
            let y = y.clamp(0, last);
            Area {
                x: [left, left + width],
                y: [y, y + height],
            }
        };
        let mut places = vec![top - height, top];
        places.extend(
            (1..)
                .map(|step| top + step * height)
                .take_while(|y| y + height <= bottom),
        );
        places.push(bottom);
        let free = |area: &Area| taken.iter().all(|other| !area.meets(other));
        let area = places
            .iter()
            .map(|&y| plate(y))
            .find(free)
            .unwrap_or(plate(places[0]));
        taken.push(area);
        self.plate(area, text, colour, style);
    }

    /// Writes text on a plate of that colour, in ink that can be read on it.
    fn plate(&mut self, area: Area, text: &str, colour: Colour, style: Style) {
        self.fill(area, colour, 1.0);
        let [red, green, blue] = colour.map(f32::from);
        let light = 0.299 * red + 0.587 * green + 0.114 * blue > 140.0;
        let ink = if light { [0; 3] } else { [255; 3] };
        for (index, character) in text.chars().enumerate() {
            let x = area.x[0] + style.line + index as i64 * style.glyph();
            self.glyph(character, (x, area.y[0]), style, ink);
        }
    }

    fn glyph(&mut self, character: char, (left, top): (i64, i64), style: Style, ink: Colour) {
        let raster = |character| get_raster(character, FontWeight::Bold, style.font);
        // What the font lacks is shown as something missing.
        let Some(raster) = raster(character).or_else(|| raster('?')) else {
            return;
        };
        let covered = |x: i64, y: i64| {
            let place = usize::try_from(x).ok().zip(usize::try_from(y).ok());
            let coverage = place.and_then(|(x, y)| raster.pixel(x, y));
            f32::from(coverage.unwrap_or(0)) / 255.0
        };
        // Between the pixels of the font, by how near they are: letters larger than the font's have smooth edges.
        let place = |pixel: i64| {
            let at = (pixel as f32 + 0.5) / style.zoom - 0.5;
            (at.floor() as i64, at - at.floor())
        };
        for row in 0..style.zoomed(raster.height()) {
            for column in 0..style.zoomed(raster.width()) {
                let ((x, right), (y, below)) = (place(column), place(row));
                let upper = covered(x, y) * (1.0 - right) + covered(x + 1, y) * right;
                let lower = covered(x, y + 1) * (1.0 - right) + covered(x + 1, y + 1) * right;
                let share = upper * (1.0 - below) + lower * below;
                self.blend(left + column, top + row, ink, share);
            }
        }
    }

    /// Covers an area by that share of a colour.
    fn fill(&mut self, area: Area, colour: Colour, share: f32) {
        let clamp = |[from, to]: [i64; 2], end: usize| from.max(0)..to.min(end as i64);
        for y in clamp(area.y, self.height) {
            for x in clamp(area.x, self.width) {
                self.blend(x, y, colour, share);
            }
        }
    }

    /// Covers a pixel, if it is one, by that share of a colour.
    fn blend(&mut self, x: i64, y: i64, colour: Colour, share: f32) {
        let inside = (0..self.width as i64).contains(&x) && (0..self.height as i64).contains(&y);
        if !inside || share <= 0.0 {
            return;
        }
        let start = (y as usize * self.width + x as usize) * CHANNELS;
        for (old, new) in self.rgb[start..start + CHANNELS].iter_mut().zip(colour) {
            let mixed = f32::from(*old) * (1.0 - share) + f32::from(new) * share;
            *old = mixed.round() as u8;
        }
    }

    /// The pixels of a box, no further out than it takes to tell that it leaves the picture.
    fn area(&self, bbox: &BBox) -> Area {
        let pixel = |edge: f32, size: usize| (edge.round() as i64).clamp(-1, size as i64 + 1);
        Area {
            x: [pixel(bbox.left, self.width), pixel(bbox.right, self.width)],
            y: [
                pixel(bbox.top, self.height),
                pixel(bbox.bottom, self.height),
            ],
        }
    }

    /// Letters of about a thirtieth of the shorter side, but for small pictures, where they would be too small to read.
    fn style(&self) -> Style {
        let side = self.width.min(self.height);
        let (font, zoom) = match side {
            0..480 => (RasterHeight::Size16, 1.0),
            480..900 => (RasterHeight::Size24, 1.0),
            900..1024 => (RasterHeight::Size32, 1.0),
            _ => (RasterHeight::Size32, side as f32 / 1024.0),
        };
        Style {
            font,
            zoom,
            line: (side / 200).clamp(2, 400) as i64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canvas(width: usize, height: usize) -> Canvas {
        Canvas::new(width, height, vec![0; 3 * width * height]).unwrap()
    }

    fn pixel(canvas: &Canvas, x: usize, y: usize) -> Colour {
        let start = 3 * (y * canvas.width + x);
        [0, 1, 2].map(|channel| canvas.rgb[start + channel])
    }

    #[test]
    fn colours_are_stable_and_apart() {
        assert_eq!(class_colour(0), [255, 38, 38]);
        assert_eq!(class_colour(7), class_colour(7));
        for a in 0..80 {
            for b in a + 1..80 {
                let distance: u32 = (0..3)
                    .map(|c| u32::from(class_colour(a)[c].abs_diff(class_colour(b)[c])))
                    .sum();
                assert!(distance >= 8, "{a} and {b}");
            }
        }
    }

    #[test]
    fn frames_lie_inside_their_boxes_and_inside_the_picture() {
        let mut canvas = canvas(20, 10);
        canvas.frame(&BBox::new(4.0, 2.0, 12.0, 9.0), [9; 3]);
        assert_eq!(
            (pixel(&canvas, 4, 2), pixel(&canvas, 11, 8)),
            ([9; 3], [9; 3])
        );
        assert_eq!(
            (pixel(&canvas, 3, 2), pixel(&canvas, 12, 8)),
            ([0; 3], [0; 3])
        );
        assert_eq!(pixel(&canvas, 8, 5), [0; 3]);
        // Far outside, to the ends of the numbers: nothing to see, nothing to fear.
        canvas.frame(&BBox::new(-1e30, -1e30, 1e30, 1e30), [5; 3]);
        assert_eq!(pixel(&canvas, 4, 2), [9; 3]);
        canvas.points(
            &[(f32::NAN, 0.0), (1e30, 5.0), (-5.0, f32::INFINITY)],
            [7; 3],
        );
        assert!(canvas.into_rgb().iter().all(|&value| value != 7));
        assert_eq!(Canvas::new(2, 2, vec![0; 11]), None);
        assert_eq!(Canvas::new(usize::MAX, 2, vec![]), None);
    }

    #[test]
    fn labels_do_not_cover_each_other_and_stay_in_the_picture() {
        let mut canvas = canvas(300, 200);
        let mut taken = Vec::new();
        for (left, top) in [
            (10.0, 50.0),
            (12.0, 52.0),
            (14.0, 54.0),
            (280.0, 0.0),
            (290.0, 190.0),
        ] {
            let bbox = BBox::new(left, top, left + 120.0, top + 100.0);
            canvas.label(&bbox, "dog 0.95", [200; 3], &mut taken);
        }
        for (index, area) in taken.iter().enumerate() {
            assert!(area.x[0] >= 0 && area.y[0] >= 0 && area.x[1] <= 300 && area.y[1] <= 200);
            assert!(
                taken[..index].iter().all(|other| !area.meets(other)),
                "{taken:?}"
            );
        }
        // A label that is longer than the picture begins at its left edge.
        canvas.label(
            &BBox::new(5.0, 5.0, 9.0, 9.0),
            &"long ".repeat(20),
            [200; 3],
            &mut taken,
        );
        assert_eq!(taken.last().unwrap().x[0], 0);
    }

    #[test]
    fn labels_scale_with_the_picture() {
        for (side, height) in [(60, 16), (600, 24), (1024, 32), (1800, 56), (3000, 94)] {
            let canvas = Canvas {
                width: side * 2,
                height: side,
                rgb: Vec::new(),
            };
            let (_, found) = canvas.style().extents("dog 0.95");
            assert_eq!(found, height, "{side}");
            if side >= 1024 {
                assert!((side as f32 / found as f32 - 32.0).abs() < 0.5);
            }
        }
        // Letters twice as large cover about four times as many pixels.
        let ink = |zoom: f32| {
            let mut canvas = canvas(200, 200);
            let style = Style {
                font: RasterHeight::Size32,
                zoom,
                line: 0,
            };
            canvas.glyph('m', (10, 10), style, [255; 3]);
            canvas
                .rgb
                .iter()
                .map(|&value| f64::from(value))
                .sum::<f64>()
        };
        let share = ink(2.0) / ink(1.0);
        assert!((share - 4.0).abs() < 0.1, "{share}");
    }

    #[test]
    fn points_are_discs() {
        let mut canvas = canvas(20, 20);
        canvas.points(&[(10.0, 10.0)], [250; 3]);
        assert_eq!(
            (pixel(&canvas, 10, 10), pixel(&canvas, 9, 9)),
            ([250; 3], [250; 3])
        );
        assert_eq!(pixel(&canvas, 14, 14), [0; 3]);
        let lit = canvas.rgb.chunks(3).filter(|pixel| pixel[0] > 125).count() as f32;
        assert!(
            (lit - 2.5f32.powi(2) * std::f32::consts::PI).abs() < 4.0,
            "{lit}"
        );
    }
}
