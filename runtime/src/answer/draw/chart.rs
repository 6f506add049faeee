//! Rectangles, lines and small text: what charts and tables are drawn of.

use super::{Area, Canvas, Colour, Style};
use noto_sans_mono_bitmap::RasterHeight;

/// Letters of charts.
const STYLE: Style = Style {
    font: RasterHeight::Size16,
    zoom: 1.0,
    line: 0,
};

impl Canvas {
    /// A canvas of one colour; `None` if it would be too large.
    pub fn blank(width: usize, height: usize, colour: Colour) -> Option<Canvas> {
        let pixels = width
            .checked_mul(height)
            .filter(|pixels| *pixels <= 1 << 28)?;
        Canvas::new(width, height, colour.repeat(pixels))
    }

    /// Fills a rectangle, given by its left upper corner.
    pub fn rectangle(
        &mut self,
        (left, top): (i64, i64),
        (width, height): (i64, i64),
        colour: Colour,
    ) {
        let area = Area {
            x: [left, left + width],
            y: [top, top + height],
        };
        self.fill(area, colour, 1.0);
    }

    /// Writes small letters, from their left upper corner on.
    pub fn text(&mut self, (left, top): (i64, i64), text: &str, colour: Colour) {
        for (index, character) in text.chars().enumerate() {
            let at = (left + index as i64 * STYLE.glyph(), top);
            self.glyph(character, at, STYLE, colour);
        }
    }

    /// Width and height of small letters.
    pub fn extents(text: &str) -> (i64, i64) {
        STYLE.extents(text)
    }

    /// Draws a line with round ends.
    pub fn line(&mut self, from: (f32, f32), to: (f32, f32), width: f32, colour: Colour) {
        let ((x0, y0), (x1, y1)) = (from, to);
        if [x0, y0, x1, y1].iter().any(|number| !number.is_finite()) {
            return;
        }
        let reach = width / 2.0 + 1.0;
        let clamp = |low: f32, high: f32, size: usize| {
            let low = (low - reach).floor().clamp(0.0, size as f32) as i64;
            low..(high + reach).ceil().clamp(0.0, size as f32) as i64
        };
        let (dx, dy) = (x1 - x0, y1 - y0);
        let length = (dx * dx + dy * dy).max(f32::MIN_POSITIVE);
        for y in clamp(y0.min(y1), y0.max(y1), self.height) {
            for x in clamp(x0.min(x1), x0.max(x1), self.width) {
                let (px, py) = (x as f32 + 0.5 - x0, y as f32 + 0.5 - y0);
                let along = ((px * dx + py * dy) / length).clamp(0.0, 1.0);
                let distance = ((px - along * dx).powi(2) + (py - along * dy).powi(2)).sqrt();
                let share = (width / 2.0 + 0.5 - distance).clamp(0.0, 1.0);
                self.blend(x, y, colour, share);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_rectangles_are_where_they_should_be() {
        let mut canvas = Canvas::blank(12, 8, [255; 3]).expect("small");
        canvas.rectangle((-3, 6), (5, 9), [0; 3]);
        canvas.line((4.0, 1.5), (10.0, 1.5), 1.0, [9, 0, 0]);
        canvas.line((f32::NAN, 0.0), (3.0, 3.0), 1.0, [1; 3]);
        let rgb = canvas.clone().into_rgb();
        let at = |x: usize, y: usize| &rgb[3 * (12 * y + x)..][..3];
        assert_eq!(
            (at(1, 6), at(2, 6), at(1, 5)),
            (&[0; 3][..], &[255; 3][..], &[255; 3][..])
        );
        assert_eq!((at(6, 1), at(6, 3)), (&[9, 0, 0][..], &[255; 3][..]));
        let (width, height) = Canvas::extents("ab");
        canvas.text((0, 0), "ab", [0; 3]);
        assert!(width > 10 && height == 16 && canvas.into_rgb() != rgb);
        assert_eq!(Canvas::blank(1 << 20, 1 << 20, [0; 3]), None);
    }
}
