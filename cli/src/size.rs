//! Sizes as flags have them: `384`, or width and height as `640x480`.

/// What a flag says of a picture's size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Size {
    /// One side.
    Side(u32),
    /// Width and height.
    Both(u32, u32),
}

/// `384` or `640x480`, with sides from 1 to `most`.
pub fn one_or_both(text: &str, most: u32) -> Option<Size> {
    match text.contains('x') {
        false => side(text, most).map(Size::Side),
        true => both(text, most).map(|(width, height)| Size::Both(width, height)),
    }
}

/// `640x480`: width and height, from 1 to `most`.
pub fn both(text: &str, most: u32) -> Option<(u32, u32)> {
    let (width, height) = text.split_once('x')?;
    side(width, most).zip(side(height, most))
}

fn side(text: &str, most: u32) -> Option<u32> {
    // `+3` is a number, but no side.
    let digits = text.bytes().all(|letter| letter.is_ascii_digit());
    let side = text.parse().ok().filter(|_| digits);
    side.filter(|side| (1..=most).contains(side))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_numbers_from_one_on() {
        assert_eq!(one_or_both("384", 400), Some(Size::Side(384)));
        assert_eq!(one_or_both("384x1", 400), Some(Size::Both(384, 1)));
        assert_eq!(both("640x480", u32::MAX), Some((640, 480)));
        for wrong in [
            "",
            "x",
            "0",
            "401",
            "+3",
            "-3",
            "3x",
            "x3",
            "3x0",
            "3x3x3",
            "3 x 3",
            "3X3",
            "99999999999",
        ] {
            assert_eq!(one_or_both(wrong, 400), None, "{wrong}");
            assert_eq!(both(wrong, 400), None, "{wrong}");
        }
        assert_eq!(both("384", 400), None);
    }
}
