//! From a picture to the input of a network: the steps that a spec declares, then one table look-up per value.

use super::Placement;
use super::{Filter, ImageError, ImageProblem, Picture, Place, Rounding};
use crate::memory::{reserved, zeros};
use crate::plan::List;
use std::borrow::Cow;
use std::ops::Range;

/// One geometric step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ImageStep {
    /// Scales so that the shorter side has `side` pixels; the longer one is rounded down, as
    /// torchvision's `Resize(side)` does.
    ResizeShort {
        /// Pixels of the shorter side.
        side: u32,
        /// How.
        filter: Filter,
    },
    /// Scales to exactly this size, whatever that does to the proportions.
    Resize {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
        /// How.
        filter: Filter,
    },
    /// Cuts out the middle, with the offset rounded half to even as torchvision's `CenterCrop` does. A picture that
    /// is too small gets a black border.
    CenterCrop {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// Scales to the largest size that fits, keeping the proportions, and places it on an area of one colour.
    Letterbox {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
        /// Red, green and blue of the border, on the scale of 0 to 255. They are rounded where another step follows.
        fill: [f32; 3],
        /// Where the picture lies.
        place: Place,
        /// What becomes of a side that is no whole number of pixels.
        rounding: Rounding,
        /// How to scale.
        filter: Filter,
    },
}

/// How 8-bit values become numbers: `(value · scale − mean) / std` for each channel of the network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalize {
    /// Multiplies the 8-bit value.
    pub scale: f32,
    /// Subtracted after that.
    pub mean: [f32; 3],
    /// Divided by after that.
    pub std: [f32; 3],
    /// Whether the network's channels are blue, green, red.
    pub bgr: bool,
}

impl Normalize {
    /// 0…1.
    pub const UNIT: Normalize = Normalize {
        scale: 1.0 / 255.0,
        mean: [0.0; 3],
        std: [1.0; 3],
        bgr: false,
    };
    /// The mean and deviation of ImageNet's pixels: torchvision's models.
    pub const IMAGENET: Normalize = Normalize {
        mean: [0.485, 0.456, 0.406],
        std: [0.229, 0.224, 0.225],
        ..Normalize::UNIT
    };
    /// −1…1: the Inception and MobileNet models of TensorFlow.
    pub const SYMMETRIC: Normalize = Normalize {
        mean: [0.5; 3],
        std: [0.5; 3],
        ..Normalize::UNIT
    };
    /// Blue, green, red minus the means (104, 117, 123), not scaled: models that come from Caffe.
    pub const IMAGENET_BGR_CAFFE: Normalize = Normalize {
        scale: 1.0,
        mean: [104.0, 117.0, 123.0],
        std: [1.0; 3],
        bgr: true,
    };

    /// All of them, by the names that a spec uses.
    pub const PRESETS: &'static [(&'static str, Normalize)] = &[
        ("unit", Normalize::UNIT),
        ("imagenet", Normalize::IMAGENET),
        ("symmetric", Normalize::SYMMETRIC),
        ("caffe", Normalize::IMAGENET_BGR_CAFFE),
    ];
}

/// What a spec's `input` declares: how a picture becomes the network's input. Generated code holds it as a static.
#[derive(Clone, Debug, PartialEq)]
pub struct PreProcess {
    /// 3, or 1 for grey: ITU-R 601 luma, as Pillow's mode `L`.
    pub channels: usize,
    /// In order.
    pub steps: List<ImageStep>,
    /// Whether the three channels are blue, green, red instead of red, green, blue.
    pub bgr: bool,
    /// Multiplies the 8-bit value: 1, or 1/255.
    pub scale: f32,
    /// Subtracted after that: one value for each of the network's channels, or one for all, or none.
    pub mean: List<f32>,
    /// Divided by after that, likewise.
    pub std: List<f32>,
    /// Columns of the network's input.
    pub width: usize,
    /// Rows of the network's input.
    pub height: usize,
}

impl PreProcess {
    /// Number of values that [`PreProcess::apply`] gives.
    pub fn elements(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// The input that this picture makes, channels first; `name` is for messages.
    ///
    /// # Errors
    /// When the steps do not lead to the network's size, or lead through too large a picture, or the
    /// network takes neither one nor three channels.
    pub fn apply(&self, picture: &Picture, name: &str) -> Result<Vec<f32>, ImageError> {
        self.input(&self.see(picture, name)?, name)
    }

    /// The input that what is seen of a picture makes, channels first; `name` is for messages.
    ///
    /// # Errors
    /// Too little memory.
    ///
    /// # Panics
    /// If it was seen by another pre-processing, of another size.
    pub fn input(&self, seen: &Seen, name: &str) -> Result<Vec<f32>, ImageError> {
        let mut out = zeros(self.elements()).map_err(|error| ImageProblem::from(error).of(name))?;
        let Seen { bytes, border } = seen;
        self.numbers(&self.tables(), bytes, border.as_ref(), &mut out);
        Ok(out)
    }

    /// What the network sees of this picture, in bytes.
    ///
    /// # Errors
    /// As [`PreProcess::apply`].
    pub fn see(&self, picture: &Picture, name: &str) -> Result<Seen, ImageError> {
        if !matches!(self.channels, 1 | 3) {
            return Err(ImageProblem::Channels(self.channels).of(name));
        }
        let border = self.border(picture);
        let picture = self
            .run_steps(picture)
            .map_err(|problem| problem.of(name))?;
        let (pixels, _) = picture.rgb().as_chunks::<3>();
        let mut bytes =
            reserved(self.elements()).map_err(|error| ImageProblem::from(error).of(name))?;
        for channel in 0..self.channels {
            let value = |pixel: &[u8; 3]| match (self.channels, self.bgr) {
                (1, _) => luma(pixel),
                (_, false) => pixel[channel],
                (_, true) => pixel[2 - channel],
            };
            bytes.extend(pixels.iter().map(value));
        }
        Ok(Seen { bytes, border })
    }

    /// The number that each byte becomes, for each channel.
    pub fn tables(&self) -> Vec<[f32; 256]> {
        let table = |channel| std::array::from_fn(|value| self.number(channel, value as f64));
        (0..self.channels).map(table).collect()
    }

    /// The numbers of what is seen, by the tables of this pre-processing.
    ///
    /// # Panics
    /// If there are not as many bytes and numbers as [`PreProcess::elements`].
    pub fn numbers(
        &self,
        tables: &[[f32; 256]],
        bytes: &[u8],
        border: Option<&Border>,
        out: &mut [f32],
    ) {
        assert_eq!((bytes.len(), out.len()), (self.elements(), self.elements()));
        let pixels = self.width * self.height;
        let planes = bytes.chunks_exact(pixels).zip(out.chunks_exact_mut(pixels));
        for ((from, to), table) in planes.zip(tables) {
            for (number, byte) in to.iter_mut().zip(from) {
                *number = table[usize::from(*byte)];
            }
        }
        let Some(Border {
            columns,
            rows,
            fill,
        }) = border
        else {
            return;
        };
        for (channel, plane) in out.chunks_exact_mut(pixels).enumerate() {
            let value = match (self.channels, self.bgr) {
                (1, _) => grey(*fill),
                (_, false) => fill[channel],
                (_, true) => fill[2 - channel],
            };
            let number = self.number(channel, value.into());
            for (y, row) in plane.chunks_exact_mut(self.width).enumerate() {
                if rows.contains(&y) {
                    row[..columns.start].fill(number);
                    row[columns.end..].fill(number);
                } else {
                    row.fill(number);
                }
            }
        }
    }

    /// Where a picture of that size lies in the input that it makes: the way back from what a network finds.
    pub fn placement(&self, width: usize, height: usize) -> Placement {
        let mut place = Placement::new(width, height);
        let mut size = (width, height);
        for step in self.steps.iter() {
            let geometry = step.geometry(size.0, size.1);
            if let Some((width, height, _)) = geometry.scale {
                place = place.resized(width, height);
            }
            if let Some(area) = &geometry.place {
                place = place.placed(area.width, area.height, area.at);
            }
            size = geometry.size(size);
        }
        place
    }

    /// What lies around a picture at the end, if the last step is one that lays something around it.
    fn border(&self, picture: &Picture) -> Option<Border> {
        let (last, others) = self.steps.split_last()?;
        let ImageStep::Letterbox { fill, .. } = *last else {
            return None;
        };
        let start = (picture.width(), picture.height());
        let size =
            |size: (usize, usize), step: &ImageStep| step.geometry(size.0, size.1).size(size);
        let (width, height) = others.iter().fold(start, size);
        let Geometry { scale, place } = last.geometry(width, height);
        let ((width, height, _), (left, top)) = (scale?, place?.at);
        let (left, top) = (left as usize, top as usize);
        Some(Border {
            columns: left..left + width,
            rows: top..top + height,
            fill,
        })
    }

    /// The picture after the geometric steps, of the network's size: what it sees.
    fn run_steps<'a>(&self, picture: &'a Picture) -> Result<Cow<'a, Picture>, ImageProblem> {
        let mut picture = Cow::Borrowed(picture);
        for step in self.steps.iter() {
            picture = Cow::Owned(step.apply(&picture)?);
        }
        let found = (picture.width(), picture.height());
        let needed = (self.width, self.height);
        if found != needed {
            return Err(ImageProblem::Size { found, needed });
        }
        Ok(picture)
    }

    /// The number that a value from 0 to 255 becomes, in f64 and rounded once.
    pub fn number(&self, channel: usize, value: f64) -> f32 {
        let pick = |list: &[f32], default: f32| {
            f64::from(*list.get(channel).or(list.first()).unwrap_or(&default))
        };
        let (mean, std) = (pick(&self.mean, 0.0), pick(&self.std, 1.0));
        ((value * f64::from(self.scale) - mean) / std) as f32
    }
}

/// What a network sees of a picture.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The network's channels, one behind the other.
    pub bytes: Vec<u8>,
    /// What lies around the picture, if the last step lays something around it.
    pub border: Option<Border>,
}

/// What is laid around a picture: outside of these columns and rows.
#[derive(Clone, Debug)]
pub struct Border {
    columns: Range<usize>,
    rows: Range<usize>,
    /// Red, green and blue.
    fill: [f32; 3],
}

/// What a step does to a picture of one size.
#[derive(Default)]
struct Geometry {
    /// Scales to that width and height.
    scale: Option<(usize, usize, Filter)>,
    /// Then puts it on an area.
    place: Option<Area>,
}

/// What a picture is put on.
struct Area {
    width: usize,
    height: usize,
    /// Where the picture's corner goes.
    at: (i64, i64),
    /// The colour around it.
    fill: [u8; 3],
}

impl Geometry {
    /// What a picture of that width and height has then.
    fn size(&self, size: (usize, usize)) -> (usize, usize) {
        let scaled = self.scale.map(|(width, height, _)| (width, height));
        let placed = self.place.as_ref().map(|area| (area.width, area.height));
        placed.or(scaled).unwrap_or(size)
    }
}

impl ImageStep {
    fn geometry(&self, width: usize, height: usize) -> Geometry {
        match *self {
            ImageStep::ResizeShort { side, filter } => {
                let side = side as usize;
                let long = side * width.max(height) / width.min(height).max(1);
                let scale = if width <= height {
                    (side, long, filter)
                } else {
                    (long, side, filter)
                };
                Geometry {
                    scale: Some(scale),
                    place: None,
                }
            }
            ImageStep::Resize {
                width,
                height,
                filter,
            } => Geometry {
                scale: Some((width as usize, height as usize, filter)),
                place: None,
            },
            ImageStep::CenterCrop {
                width: to_width,
                height: to_height,
            } => {
                let at = (crop_start(width, to_width), crop_start(height, to_height));
                Geometry {
                    scale: None,
                    place: Some(Area {
                        width: to_width as usize,
                        height: to_height as usize,
                        at,
                        fill: [0; 3],
                    }),
                }
            }
            ImageStep::Letterbox {
                width: to_width,
                height: to_height,
                fill,
                place,
                rounding,
                filter,
            } => {
                let to = (to_width as usize, to_height as usize);
                let size = rounding.fit((width, height), to);
                let free = (to.0.saturating_sub(size.0), to.1.saturating_sub(size.1));
                let (left, top) = place.corner(free);
                Geometry {
                    scale: Some((size.0, size.1, filter)),
                    place: Some(Area {
                        width: to.0,
                        height: to.1,
                        at: (left as i64, top as i64),
                        fill: bytes(fill),
                    }),
                }
            }
        }
    }

    fn apply(&self, picture: &Picture) -> Result<Picture, ImageProblem> {
        let Geometry { scale, place } = self.geometry(picture.width(), picture.height());
        let mut picture = Cow::Borrowed(picture);
        if let Some((width, height, filter)) = scale {
            picture = Cow::Owned(picture.resized(width, height, filter)?);
        }
        if let Some(area) = place {
            let size = (area.width, area.height);
            picture = Cow::Owned(picture.placed(size, area.at, area.fill)?);
        }
        Ok(picture.into_owned())
    }
}

/// Where the picture's first pixel goes: torchvision rounds half of what is cut to even; of a
/// border, the left half is the smaller one.
fn crop_start(size: usize, to: u32) -> i64 {
    let (size, to) = (size as i64, i64::from(to));
    if to <= size {
        -(((size - to) as f64 / 2.0).round_ties_even() as i64)
    } else {
        (to - size) / 2
    }
}

/// A colour as a pixel of a picture.
fn bytes(color: [f32; 3]) -> [u8; 3] {
    color.map(|value| value.round() as u8)
}

/// A colour as a grey value; of a grey one it is the value itself.
fn grey(color: [f32; 3]) -> f32 {
    match color {
        [red, green, blue] if red == green && green == blue => red,
        color => luma(&bytes(color)).into(),
    }
}

/// Pillow's conversion to grey (`L24` in src/libImaging/Convert.c).
fn luma(&[r, g, b]: &[u8; 3]) -> u8 {
    let sum = u32::from(r) * 19_595 + u32::from(g) * 38_470 + u32::from(b) * 7_471 + 0x8000;
    (sum >> 16) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::BBox;

    fn prepared(steps: Vec<ImageStep>, width: usize, height: usize) -> PreProcess {
        PreProcess {
            channels: 3,
            steps: steps.into(),
            bgr: false,
            scale: 1.0,
            mean: vec![].into(),
            std: vec![].into(),
            width,
            height,
        }
    }

    /// The placement says where the pixels are: a dot of the picture is found again where `apply` puts it.
    #[test]
    fn placements_follow_the_pixels() {
        let filter = Filter::Nearest;
        let ways = [
            vec![ImageStep::Resize {
                width: 40,
                height: 40,
                filter,
            }],
            vec![ImageStep::Letterbox {
                width: 40,
                height: 40,
                fill: [9.0; 3],
                place: Place::Center,
                rounding: Rounding::Floor,
                filter,
            }],
            vec![ImageStep::Letterbox {
                width: 40,
                height: 40,
                fill: [9.0; 3],
                place: Place::BottomRight,
                rounding: Rounding::Round,
                filter,
            }],
            vec![
                ImageStep::ResizeShort { side: 50, filter },
                ImageStep::CenterCrop {
                    width: 40,
                    height: 40,
                },
            ],
        ];
        for (width, height) in [(80, 160), (120, 60), (200, 200), (41, 33)] {
            // A block in the middle, white on black.
            let (left, top) = (width * 2 / 5, height * 2 / 5);
            let inside = |x: usize, y: usize| {
                (left..left + width / 5).contains(&x) && (top..top + height / 5).contains(&y)
            };
            let pixels = (0..width * height).flat_map(|at| {
                let white = inside(at % width, at / width);
                [if white { 255 } else { 0 }; 3]
            });
            let picture = Picture::from_rgb(width, height, pixels.collect()).unwrap();
            for steps in &ways {
                let pre = prepared(steps.clone(), 40, 40);
                let values = pre.apply(&picture, "dot").unwrap();
                let lit = (0..1600).filter(|&at| values[at] > 128.0);
                let (xs, ys): (Vec<_>, Vec<_>) =
                    lit.map(|at| ((at % 40) as f32, (at / 40) as f32)).unzip();
                let least =
                    |list: &[f32]| list.iter().copied().fold(f32::INFINITY, f32::min) / 40.0;
                let most = |list: &[f32]| {
                    (list.iter().copied().fold(f32::NEG_INFINITY, f32::max) + 1.0) / 40.0
                };
                let found = BBox::new(least(&xs), least(&ys), most(&xs), most(&ys));
                let back = pre.placement(width, height).bbox(&found);
                let wanted =
                    [left, top, left + width / 5, top + height / 5].map(|side| side as f32);
                let sides = [back.left, back.top, back.right, back.bottom];
                // To within a pixel of the coarser of the two.
                let coarse = (width.max(height) as f32 / 40.0).max(1.0);
                for (side, wanted) in sides.iter().zip(wanted) {
                    assert!(
                        (side - wanted).abs() <= coarse,
                        "{steps:?} of {width}x{height}: {back:?}"
                    );
                }
            }
        }
    }
}
