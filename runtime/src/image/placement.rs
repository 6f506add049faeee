//! Where a picture lies in the network's input.

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
}
