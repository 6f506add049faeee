//! Shapes with smooth edges, and letters of any size: what diagrams are drawn of.

use super::{Canvas, Colour, Style};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster_width};

/// A place, to the right and down, in pixels.
type Point = (f32, f32);

impl Canvas {
    /// Fills a rectangle with round corners, `[left, top, width, height]`, and draws its outline, `line` pixels wide, around its edge.
    pub fn rounded(
        &mut self,
        [left, top, width, height]: [f32; 4],
        round: f32,
        (fill, stroke): (Colour, Colour),
        line: f32,
    ) {
        let round = round.clamp(0.0, width.min(height).max(0.0) / 2.0);
        let (x, y) = (left + width / 2.0, top + height / 2.0);
        let half = (width / 2.0 - round, height / 2.0 - round);
        // Distance from the edge, negative inside.
        let distance = |px: f32, py: f32| {
            let (dx, dy) = ((px - x).abs() - half.0, (py - y).abs() - half.1);
            dx.max(0.0).hypot(dy.max(0.0)) + dx.max(dy).min(0.0) - round
        };
        let reach = line / 2.0 + 1.0;
        let corners = [
            (left - reach, top - reach),
            (left + width + reach, top + height + reach),
        ];
        self.cover(&corners, |canvas, column, row, (px, py)| {
            let distance = distance(px, py);
            canvas.blend(column, row, fill, (0.5 - distance).clamp(0.0, 1.0));
            if line > 0.0 {
                let share = line / 2.0 + 0.5 - distance.abs();
                canvas.blend(column, row, stroke, share.clamp(0.0, line.min(1.0)));
            }
        });
    }

    /// Fills a triangle.
    pub fn triangle(&mut self, corners: [Point; 3], colour: Colour) {
        let [a, b, c] = corners;
        let cross =
            |a: Point, b: Point, p: Point| (b.0 - a.0) * (p.1 - a.1) - (b.1 - a.1) * (p.0 - a.0);
        let sign = cross(a, b, c).signum();
        self.cover(&corners, |canvas, column, row, p| {
            let sides = [(a, b), (b, c), (c, a)].map(|(a, b)| {
                let length = (b.0 - a.0).hypot(b.1 - a.1).max(f32::MIN_POSITIVE);
                sign * cross(a, b, p) / length
            });
            let inside = sides.into_iter().fold(f32::INFINITY, f32::min);
            canvas.blend(column, row, colour, (inside + 0.5).clamp(0.0, 1.0));
        });
    }

    /// Draws a line through points, with round ends.
    pub fn polyline(&mut self, points: &[Point], width: f32, colour: Colour) {
        for pair in points.windows(2) {
            self.line(pair[0], pair[1], width, colour);
        }
    }

    /// Writes letters on a base line, from its left end on, each so many pixels wide.
    pub fn letters(&mut self, (left, base): Point, cell: f32, text: &str, colour: Colour) {
        let sizes = [
            RasterHeight::Size16,
            RasterHeight::Size24,
            RasterHeight::Size32,
        ];
        let wide = |font| get_raster_width(FontWeight::Bold, font) as f32;
        // The smallest that need not grow, so that little is lost.
        let font = sizes.into_iter().find(|&font| wide(font) >= cell * 0.95);
        let font = font.unwrap_or(RasterHeight::Size32);
        let style = Style {
            font,
            zoom: cell / wide(font),
            line: 0,
        };
        // The letters of the font stand on four fifths of its height.
        let top = base - 0.8 * font.val() as f32 * style.zoom;
        for (index, character) in text.chars().enumerate() {
            let x = left + index as f32 * cell;
            self.glyph(
                character,
                (x.round() as i64, top.round() as i64),
                style,
                colour,
            );
        }
    }

    /// Calls it for every pixel of the canvas in the box around some points, with the pixel's centre.
    fn cover(&mut self, around: &[Point], mut paint: impl FnMut(&mut Canvas, i64, i64, Point)) {
        if around
            .iter()
            .any(|(x, y)| !(x.is_finite() && y.is_finite()))
        {
            return;
        }
        let range = |of: fn(&Point) -> f32, size: usize| {
            let all = || around.iter().map(of);
            let low = all().fold(f32::INFINITY, f32::min) - 1.0;
            let high = all().fold(f32::NEG_INFINITY, f32::max) + 1.0;
            low.floor().clamp(0.0, size as f32) as i64..high.ceil().clamp(0.0, size as f32) as i64
        };
        let (columns, rows) = (range(|p| p.0, self.width), range(|p| p.1, self.height));
        for row in rows {
            for column in columns.clone() {
                paint(self, column, row, (column as f32 + 0.5, row as f32 + 0.5));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_where_they_should_be() {
        let blank = || Canvas::blank(40, 40, [255; 3]).expect("small");
        let at = |canvas: &Canvas, x: usize, y: usize| {
            let rgb = canvas.clone().into_rgb();
            [0, 1, 2].map(|channel| rgb[3 * (40 * y + x) + channel])
        };
        let mut canvas = blank();
        canvas.rounded([10.0, 10.0, 20.0, 20.0], 6.0, ([9; 3], [90; 3]), 2.0);
        assert_eq!(
            [at(&canvas, 20, 20), at(&canvas, 20, 10)],
            [[9; 3], [90; 3]]
        );
        // Its corner is round.
        assert_eq!([at(&canvas, 10, 10), at(&canvas, 5, 20)], [[255; 3]; 2]);
        let mut canvas = blank();
        canvas.triangle([(10.0, 10.0), (30.0, 10.0), (20.0, 30.0)], [7; 3]);
        assert_eq!(
            [at(&canvas, 20, 15), at(&canvas, 11, 28)],
            [[7; 3], [255; 3]]
        );
        // The other way round, and without a size.
        canvas.triangle([(20.0, 30.0), (30.0, 10.0), (10.0, 10.0)], [8; 3]);
        assert_eq!(at(&canvas, 20, 15), [8; 3]);
        let before = canvas.clone();
        canvas.triangle([(f32::NAN, 0.0); 3], [1; 3]);
        canvas.rounded([f32::INFINITY, 0.0, 1.0, 1.0], 1.0, ([1; 3], [1; 3]), 1.0);
        canvas.polyline(&[], 1.0, [1; 3]);
        assert_eq!(canvas, before);
        // Letters stand on their line.
        let mut canvas = blank();
        canvas.letters((2.0, 30.0), 12.0, "H", [0; 3]);
        let dark = |y: usize| (0..40).any(|x| at(&canvas, x, y)[0] < 100);
        assert!(dark(28) && !dark(32) && !dark(8));
    }
}
