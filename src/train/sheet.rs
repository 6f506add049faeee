//! Charts and tables as marks on a sheet, which becomes SVG or a picture.

use super::error::TrainError;
use cnnc_runtime::answer::{Canvas, Colour};
use cnnc_runtime::files::write_atomically;
use cnnc_runtime::image::{Picture, is_device, is_jpeg};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

/// Which point of a text is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A mark.
#[derive(Clone, Debug)]
enum Mark {
    Rectangle {
        corner: (f64, f64),
        size: (f64, f64),
        colour: Colour,
    },
    Text {
        /// On the base line.
        at: (f64, f64),
        anchor: Anchor,
        text: String,
        colour: Colour,
    },
    Line {
        points: Vec<(f64, f64)>,
        width: f64,
        colour: Colour,
    },
    Picture {
        corner: (f64, f64),
        picture: Picture,
    },
}

/// A white sheet with marks on it.
#[derive(Clone, Debug)]
pub struct Sheet {
    width: f64,
    height: f64,
    marks: Vec<Mark>,
}

/// How a sheet is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SheetFormat {
    /// Marks, at any size; of sheets without pictures.
    Svg,
    /// Pixels, and for what has no name: pipes and devices.
    Png,
    /// Pixels in less space.
    Jpeg,
}

impl SheetFormat {
    /// What a file's name says, of a sheet with pictures or without.
    ///
    /// # Errors
    /// An ending of another format, or none, with a list of those that there are.
    pub fn of(path: &Path, pictures: bool) -> Result<SheetFormat, TrainError> {
        let ending = path.extension().unwrap_or_default();
        let is_svg = ending.eq_ignore_ascii_case("svg") && !is_device(path);
        match is_jpeg(path) {
            _ if is_svg && !pictures => Ok(SheetFormat::Svg),
            Ok(true) => Ok(SheetFormat::Jpeg),
            Ok(false) => Ok(SheetFormat::Png),
            Err(_) => Err(TrainError::Recipe(format!(
                "{}: {}",
                path.display(),
                match pictures {
                    true => "a sheet of pictures is written as .png or .jpg",
                    false => "it is written as .svg, .png or .jpg",
                }
            ))),
        }
    }
}

impl Sheet {
    pub(super) fn new(width: f64, height: f64) -> Sheet {
        Sheet {
            width,
            height,
            marks: Vec::new(),
        }
    }

    pub(super) fn rectangle(&mut self, corner: (f64, f64), size: (f64, f64), colour: Colour) {
        self.marks.push(Mark::Rectangle {
            corner,
            size,
            colour,
        });
    }

    pub(super) fn text(
        &mut self,
        at: (f64, f64),
        anchor: Anchor,
        text: impl Into<String>,
        colour: Colour,
    ) {
        self.marks.push(Mark::Text {
            at,
            anchor,
            text: text.into(),
            colour,
        });
    }

    pub(super) fn line(&mut self, points: Vec<(f64, f64)>, width: f64, colour: Colour) {
        self.marks.push(Mark::Line {
            points,
            width,
            colour,
        });
    }

    pub(super) fn picture(&mut self, corner: (f64, f64), picture: Picture) {
        self.marks.push(Mark::Picture { corner, picture });
    }

    /// Writes it as SVG, PNG or JPEG: the name's ending says which.
    ///
    /// # Errors
    /// Another ending, SVG of a sheet with pictures, or a file that cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), TrainError> {
        let is_picture = |mark: &Mark| matches!(mark, Mark::Picture { .. });
        let failed = |error| TrainError::File(path.to_owned(), error);
        let format = SheetFormat::of(path, self.marks.iter().any(is_picture))?;
        if format == SheetFormat::Svg {
            let svg = self.to_svg();
            return write_atomically(path, |file| file.write_all(svg.as_bytes())).map_err(failed);
        }
        let too_large = || failed(std::io::Error::other("the picture would be too large"));
        let picture = self.to_picture().ok_or_else(too_large)?;
        let written = match format {
            SheetFormat::Jpeg => picture.write_jpeg(path),
            _ => picture.write_png(path),
        };
        written.map_err(|error| failed(std::io::Error::other(error.to_string())))
    }

    /// As SVG; pictures are PNG files in it.
    pub fn to_svg(&self) -> String {
        let Sheet { width, height, .. } = self;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
        );
        for mark in &self.marks {
            let _ = match mark {
                Mark::Rectangle {
                    corner: (x, y),
                    size: (width, height),
                    colour,
                } => writeln!(
                    svg,
                    "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{}\"/>",
                    hex(*colour)
                ),
                Mark::Text {
                    at: (x, y),
                    anchor,
                    text,
                    colour,
                } => {
                    let anchor = match anchor {
                        Anchor::Start => "start",
                        Anchor::Middle => "middle",
                        Anchor::End => "end",
                    };
                    let text = escaped(text);
                    writeln!(
                        svg,
                        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{}\">{text}</text>",
                        hex(*colour)
                    )
                }
                Mark::Line {
                    points,
                    width,
                    colour,
                } => {
                    let points: Vec<String> = points
                        .iter()
                        .map(|(x, y)| format!("{x:.1},{y:.1}"))
                        .collect();
                    writeln!(
                        svg,
                        "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{width}\" stroke-linecap=\"round\"/>",
                        points.join(" "),
                        hex(*colour)
                    )
                }
                Mark::Picture {
                    corner: (x, y),
                    picture,
                } => writeln!(
                    svg,
                    "<image x=\"{x:.1}\" y=\"{y:.1}\" width=\"{}\" height=\"{}\" href=\"data:image/png;base64,{}\"/>",
                    picture.width(),
                    picture.height(),
                    base64(&picture.to_png())
                ),
            };
        }
        svg.push_str("</svg>\n");
        svg
    }

    /// As a picture; `None` if it would be too large.
    pub fn to_picture(&self) -> Option<Picture> {
        let (width, height) = (self.width.ceil() as usize, self.height.ceil() as usize);
        let mut canvas = Canvas::blank(width, height, [255; 3])?;
        let whole = |(x, y): (f64, f64)| (x.round() as i64, y.round() as i64);
        for mark in &self.marks {
            match mark {
                Mark::Rectangle {
                    corner,
                    size,
                    colour,
                } => {
                    let end = whole((corner.0 + size.0, corner.1 + size.1));
                    let start = whole(*corner);
                    canvas.rectangle(start, (end.0 - start.0, end.1 - start.1), *colour);
                }
                Mark::Text {
                    at,
                    anchor,
                    text,
                    colour,
                } => {
                    // The letters of a canvas have no such point.
                    let text = &text.replace('…', "..");
                    let (width, height) = Canvas::extents(text);
                    let (x, base) = whole(*at);
                    let left = match anchor {
                        Anchor::Start => x,
                        Anchor::Middle => x - width / 2,
                        Anchor::End => x - width,
                    };
                    canvas.text((left, base - height + 4), text, *colour);
                }
                Mark::Line {
                    points,
                    width,
                    colour,
                } => {
                    let small = |(x, y): (f64, f64)| (x as f32, y as f32);
                    for pair in points.windows(2) {
                        canvas.line(small(pair[0]), small(pair[1]), *width as f32, *colour);
                    }
                    if let [only] = points[..] {
                        canvas.line(small(only), small(only), *width as f32, *colour);
                    }
                }
                Mark::Picture { corner, picture } => {
                    let (left, top) = whole(*corner);
                    let pixels = picture.rgb().as_chunks::<3>().0.iter().enumerate();
                    for (index, &pixel) in pixels {
                        let (x, y) = (index % picture.width(), index / picture.width());
                        canvas.rectangle((left + x as i64, top + y as i64), (1, 1), pixel);
                    }
                }
            }
        }
        Picture::from_rgb(width, height, canvas.into_rgb())
    }
}

/// Bytes as text (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for letter in 0..4 {
            let six = bits >> (18 - 6 * letter) & 63;
            text.push(match letter <= three.len() {
                true => LETTERS[six as usize] as char,
                false => '=',
            });
        }
    }
    text
}

fn hex([red, green, blue]: Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.chars()
        .map(|letter| {
            if letter.is_control() {
                '\u{fffd}'
            } else {
                letter
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Section 10 of RFC 4648.
    #[test]
    fn bytes_are_text() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn pictures_are_in_the_file() {
        let mut sheet = Sheet::new(10.0, 10.0);
        let picture = Picture::from_rgb(2, 1, vec![1, 2, 3, 4, 5, 6]).expect("two pixels");
        sheet.picture((3.0, 4.0), picture);
        let svg = sheet.to_svg();
        // The first bytes of every PNG file.
        let image = "<image x=\"3.0\" y=\"4.0\" width=\"2\" height=\"1\" href=\"data:image/png;base64,iVBORw0KGgo";
        assert!(svg.contains(image), "{svg}");
    }
}
