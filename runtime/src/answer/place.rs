//! Where a picture lies in the network's input, to map what was found back to it.

use super::BBox;

/// How the pixels of a picture became those of an input: scaled along both axes, and shifted.
///
/// It is built step by step, as the picture was: see [`Placement::resized`] and [`Placement::placed`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// Width and height of the picture.
    picture: (f32, f32),
    /// Pixels of the input for one of the picture.
    scale: (f32, f32),
    /// Where the picture's left top corner lies in the input.
    corner: (f32, f32),
    /// Width and height of the input.
    input: (f32, f32),
}

impl Placement {
    /// A picture that is the input itself. One without pixels counts as one pixel.
    pub fn new(width: usize, height: usize) -> Placement {
        let size = (width.max(1) as f32, height.max(1) as f32);
        Placement {
            picture: size,
            scale: (1.0, 1.0),
            corner: (0.0, 0.0),
            input: size,
        }
    }

    /// What it was so far, scaled to another size.
    pub fn resized(self, width: usize, height: usize) -> Placement {
        let input = (width.max(1) as f32, height.max(1) as f32);
        let factor = (input.0 / self.input.0, input.1 / self.input.1);
        let scaled = |(x, y): (f32, f32)| (x * factor.0, y * factor.1);
        Placement {
            picture: self.picture,
            scale: scaled(self.scale),
            corner: scaled(self.corner),
            input,
        }
    }

    /// What it was so far, put on a new area with its corner at `at`: inside for a border, outside
    /// (negative) where it is cut.
    pub fn placed(self, width: usize, height: usize, at: (i64, i64)) -> Placement {
        Placement {
            corner: (self.corner.0 + at.0 as f32, self.corner.1 + at.1 as f32),
            input: (width.max(1) as f32, height.max(1) as f32),
            ..self
        }
    }

    /// A point, in fractions of the input, to pixels of the picture; it may lie outside.
    pub fn point(&self, x: f32, y: f32) -> (f32, f32) {
        (
            (x * self.input.0 - self.corner.0) / self.scale.0,
            (y * self.input.1 - self.corner.1) / self.scale.1,
        )
    }

    /// A point of the picture, in its pixels, to fractions of the input; outside of 0 to 1 where it was cut off.
    pub fn fraction(&self, x: f32, y: f32) -> (f32, f32) {
        (
            (x * self.scale.0 + self.corner.0) / self.input.0,
            (y * self.scale.1 + self.corner.1) / self.input.1,
        )
    }

    /// Width and height of the picture.
    pub fn picture(&self) -> (usize, usize) {
        (self.picture.0 as usize, self.picture.1 as usize)
    }

    /// A box, in fractions of the input, to pixels of the picture, cut at its edges.
    pub fn bbox(&self, bbox: &BBox) -> BBox {
        let (left, top) = self.point(bbox.left, bbox.top);
        let (right, bottom) = self.point(bbox.right, bbox.bottom);
        let picture = BBox::new(0.0, 0.0, self.picture.0, self.picture.1);
        BBox::new(left, top, right, bottom).clip(&picture)
    }
}

#[cfg(test)]
impl Placement {
    /// 640 x 480 in the middle of 320 x 320.
    pub(super) fn letterbox() -> Placement {
        Placement::new(640, 480)
            .resized(320, 240)
            .placed(320, 320, (0, 40))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: BBox, b: BBox) -> bool {
        let edges = |b: BBox| [b.left, b.top, b.right, b.bottom];
        edges(a)
            .iter()
            .zip(edges(b))
            .all(|(a, b)| (a - b).abs() < 1e-3)
    }

    #[test]
    fn resized_pictures_scale_both_axes_apart() {
        let place = Placement::new(640, 480).resized(320, 320);
        assert_eq!(place.point(0.5, 0.5), (320.0, 240.0));
        let whole = place.bbox(&BBox::new(-0.5, 0.0, 1.0, 1.5));
        assert_eq!(whole, BBox::new(0.0, 0.0, 640.0, 480.0));
    }

    #[test]
    fn letterboxed_pictures_lie_in_the_middle() {
        let wide = Placement::new(640, 480)
            .resized(416, 312)
            .placed(416, 416, (0, 52));
        assert!(close(
            wide.bbox(&BBox::new(0.0, 52.0 / 416.0, 1.0, 364.0 / 416.0)),
            BBox::new(0.0, 0.0, 640.0, 480.0)
        ));
        let tall = Placement::new(100, 400)
            .resized(50, 200)
            .placed(200, 200, (75, 0));
        assert!(close(
            tall.bbox(&BBox::new(75.0 / 200.0, 0.5, 125.0 / 200.0, 1.0)),
            BBox::new(0.0, 200.0, 100.0, 400.0)
        ));
    }

    #[test]
    fn cropped_pictures_hang_over() {
        // Short side to 256, the middle 224: 58 columns and 16 rows are cut.
        let place = Placement::new(680, 512)
            .resized(340, 256)
            .placed(224, 224, (-58, -16));
        assert_eq!(place.point(0.0, 0.0), (116.0, 32.0));
        assert_eq!(place.point(1.0, 1.0), (564.0, 480.0));
        // Twice as large again: the same pixels.
        let larger = place.resized(448, 448);
        assert_eq!(larger.point(1.0, 1.0), (564.0, 480.0));
        assert!(
            Placement::new(0, 0)
                .resized(0, 0)
                .point(0.5, 0.5)
                .0
                .is_finite()
        );
    }
}
