//! From boxes in the network's input back to the picture.

use super::BBox;
use crate::image::Placement;

impl Placement {
    /// A box, in fractions of the input, to pixels of the picture, cut at its edges.
    pub fn bbox(&self, bbox: &BBox) -> BBox {
        let (left, top) = self.point(bbox.left, bbox.top);
        let (right, bottom) = self.point(bbox.right, bbox.bottom);
        let (width, height) = self.picture();
        let picture = BBox::new(0.0, 0.0, width as f32, height as f32);
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
