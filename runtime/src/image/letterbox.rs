//! A picture in an area of other proportions: how large it becomes, and where it lies.

/// Where a picture lies in a larger area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the middle; of an odd rest, the smaller half is left and above.
    Center,
    /// In a corner.
    TopLeft,
    /// In a corner.
    TopRight,
    /// In a corner.
    BottomLeft,
    /// In a corner.
    BottomRight,
}

impl Place {
    /// Columns and rows before the picture, of those that it leaves free.
    pub(super) fn corner(self, (columns, rows): (usize, usize)) -> (usize, usize) {
        match self {
            Place::Center => (columns / 2, rows / 2),
            Place::TopLeft => (0, 0),
            Place::TopRight => (columns, 0),
            Place::BottomLeft => (0, rows),
            Place::BottomRight => (columns, rows),
        }
    }
}

/// What becomes of a side that is no whole number of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Rounded down, in whole numbers: darknet's `letterbox_image` (src/image.c).
    Floor,
    /// The nearest, and the even one of two, in doubles: `LetterBox` of ultralytics (ultralytics/data/augment.py),
    /// `round(side * min(…))` in Python.
    Round,
}

impl Rounding {
    /// Width and height of a picture that is scaled to the largest size that fits, at least a pixel.
    pub(super) fn fit(self, size: (usize, usize), to: (usize, usize)) -> (usize, usize) {
        let (width, height) = (size.0.max(1), size.1.max(1));
        let fitted = match self {
            Rounding::Floor if to.0 * height < to.1 * width => (to.0, height * to.0 / width),
            Rounding::Floor => (width * to.1 / height, to.1),
            Rounding::Round => {
                let ratio = |to: usize, side: usize| to as f64 / side as f64;
                let ratio = ratio(to.1, height).min(ratio(to.0, width));
                let scaled = |side: usize| (side as f64 * ratio).round_ties_even() as usize;
                (scaled(width), scaled(height))
            }
        };
        (fitted.0.max(1), fitted.1.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_rounded_as_they_are_elsewhere() {
        for (size, to, floor, round) in [
            ((353, 500), (416, 416), (293, 416), (294, 416)),
            ((810, 1080), (640, 640), (480, 640), (480, 640)),
            ((1280, 853), (640, 640), (640, 426), (640, 426)),
            ((1280, 855), (640, 640), (640, 427), (640, 428)),
            ((500, 333), (640, 640), (640, 426), (640, 426)),
            ((640, 427), (320, 320), (320, 213), (320, 214)),
            ((3, 2000), (64, 64), (1, 64), (1, 64)),
            ((0, 0), (8, 6), (6, 6), (6, 6)),
        ] {
            assert_eq!(Rounding::Floor.fit(size, to), floor, "{size:?}");
            assert_eq!(Rounding::Round.fit(size, to), round, "{size:?}");
        }
    }

    #[test]
    fn the_smaller_half_of_a_rest_is_before() {
        assert_eq!(Place::Center.corner((5, 0)), (2, 0));
        assert_eq!(Place::BottomLeft.corner((5, 1)), (0, 1));
        assert_eq!(Place::TopRight.corner((5, 1)), (5, 0));
    }
}
