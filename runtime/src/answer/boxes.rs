//! Axis-parallel boxes and how much two of them overlap.

/// A box, in whatever unit its maker says: fractions of an input, or pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BBox {
    /// Left edge.
    pub left: f32,
    /// Top edge.
    pub top: f32,
    /// Right edge.
    pub right: f32,
    /// Bottom edge.
    pub bottom: f32,
}

/// A box with what is in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// Where.
    pub bbox: BBox,
    /// Index of the class.
    pub class: usize,
    /// How sure: objectness × probability of the class.
    pub score: f32,
}

impl BBox {
    /// The box between two corners, in any order.
    pub fn new(left: f32, top: f32, right: f32, bottom: f32) -> BBox {
        BBox {
            left: left.min(right),
            top: top.min(bottom),
            right: left.max(right),
            bottom: top.max(bottom),
        }
    }

    /// The box of that size around a point.
    pub fn around(x: f32, y: f32, width: f32, height: f32) -> BBox {
        let (width, height) = (width / 2.0, height / 2.0);
        BBox::new(x - width, y - height, x + width, y + height)
    }

    /// Extent from left to right.
    pub fn width(&self) -> f32 {
        self.right - self.left
    }

    /// Extent from top to bottom.
    pub fn height(&self) -> f32 {
        self.bottom - self.top
    }

    /// Its middle.
    pub fn centre(&self) -> (f32, f32) {
        (
            (self.left + self.right) / 2.0,
            (self.top + self.bottom) / 2.0,
        )
    }

    /// Width × height.
    pub fn area(&self) -> f32 {
        self.width() * self.height()
    }

    /// Whether all edges are finite numbers.
    pub fn is_finite(&self) -> bool {
        [self.left, self.top, self.right, self.bottom]
            .iter()
            .all(|edge| edge.is_finite())
    }

    /// The part that lies inside another box; of no extent where there is none.
    pub fn clip(&self, to: &BBox) -> BBox {
        let x = |x: f32| x.max(to.left).min(to.right);
        let y = |y: f32| y.max(to.top).min(to.bottom);
        BBox {
            left: x(self.left),
            top: y(self.top),
            right: x(self.right),
            bottom: y(self.bottom),
        }
    }

    /// Intersection over union: 1 for equal boxes, 0 where they share no area, and for boxes without any.
    pub fn iou(&self, other: &BBox) -> f32 {
        let width = self.right.min(other.right) - self.left.max(other.left);
        let height = self.bottom.min(other.bottom) - self.top.max(other.top);
        if width <= 0.0 || height <= 0.0 {
            return 0.0;
        }
        let both = width * height;
        let union = self.area() + other.area() - both;
        if union > 0.0 { both / union } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn textbook_overlaps() {
        let unit = BBox::new(0.0, 0.0, 1.0, 1.0);
        for (other, expected) in [
            (unit, 1.0),
            // Half beside: 1/2 shared of 3/2.
            (BBox::new(0.5, 0.0, 1.5, 1.0), 1.0 / 3.0),
            // A quarter shared of 7/4.
            (BBox::new(0.5, 0.5, 1.5, 1.5), 1.0 / 7.0),
            // Inside: the smaller over the larger.
            (BBox::new(0.25, 0.25, 0.75, 0.75), 0.25),
            // A cross.
            (BBox::new(-1.0, 0.25, 2.0, 0.75), 0.5 / 2.0),
            // An edge, a corner, apart, no area.
            (BBox::new(1.0, 0.0, 2.0, 1.0), 0.0),
            (BBox::new(1.0, 1.0, 2.0, 2.0), 0.0),
            (BBox::new(5.0, 5.0, 6.0, 6.0), 0.0),
            (BBox::new(0.5, 0.5, 0.5, 0.5), 0.0),
        ] {
            assert!((unit.iou(&other) - expected).abs() < 1e-6, "{other:?}");
            assert_eq!(unit.iou(&other), other.iou(&unit), "{other:?}");
        }
        let empty = BBox::default();
        assert_eq!(empty.iou(&empty), 0.0);
        let nowhere = BBox::around(f32::NAN, 0.0, 1.0, 1.0);
        assert_eq!((nowhere.iou(&unit), nowhere.is_finite()), (0.0, false));
    }

    #[test]
    fn corners_centres_and_clipping() {
        let bbox = BBox::around(3.0, 2.0, 4.0, 2.0);
        assert_eq!(bbox, BBox::new(5.0, 3.0, 1.0, 1.0));
        assert_eq!((bbox.width(), bbox.height(), bbox.area()), (4.0, 2.0, 8.0));
        assert_eq!(bbox.centre(), (3.0, 2.0));
        let picture = BBox::new(0.0, 0.0, 4.0, 2.0);
        assert_eq!(bbox.clip(&picture), BBox::new(1.0, 1.0, 4.0, 2.0));
        assert_eq!(BBox::new(9.0, 9.0, 10.0, 10.0).clip(&picture).area(), 0.0);
    }
}
