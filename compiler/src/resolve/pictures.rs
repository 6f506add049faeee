//! From the settings of an `input` to the pre-processing that the runtime applies to pictures.

use super::{Resolver, Result};
use crate::diagnostic::{Diagnostic, codes};
use crate::graph::Hearing;
use crate::layer::{ArgError, Args, Literal, Spanned};
use crate::shape::Shape;
use cnnc_runtime::image::{Filter, ImageStep, Normalize, Place, PreProcess, Rounding};

/// Grey value around a letterboxed picture: darknet's, which is 0.5 on a scale of 0 to 1.
const GREY: f32 = 127.5;

/// Settings with their values.
type Given = Vec<(&'static str, Spanned<Literal>)>;

/// How files become an input.
#[derive(Default)]
pub(super) struct Ways {
    /// A picture.
    pub(super) pre: Option<PreProcess>,
    /// Each frame of a video.
    pub(super) frames: Option<PreProcess>,
    /// A sound.
    pub(super) hearing: Option<Hearing>,
}

/// Settings of sounds.
const OF_SOUNDS: [&str; 3] = ["rate", "hop", "standardize"];

impl Resolver<'_> {
    /// What settings declare for an input of that shape: `1xHxW` and `3xHxW` take pictures, `1xDxHxW` and `3xDxHxW` frames, `LENGTH` and `CxLENGTH` sounds.
    pub(super) fn ways(&mut self, given: Given, shape: &Shape) -> Result<Ways> {
        let is_sound = matches!(shape.dims(), [_] | [_, _]);
        let of_others = given
            .iter()
            .find(|(name, _)| OF_SOUNDS.contains(name) != is_sound);
        let (kind, of_kind) = match is_sound {
            true => ("pictures", "a picture is 1xHxW (grey) or 3xHxW"),
            false => ("sounds", "a sound is LENGTH or CHANNELSxLENGTH"),
        };
        let is_seen = matches!(shape.dims(), [1 | 3, _, _] | [1 | 3, _, _, _]);
        if let Some((name, value)) = of_others.or(given.first().filter(|_| !is_seen && !is_sound)) {
            let (kind, of_kind) = match of_others {
                Some(_) => (kind, of_kind),
                None => ("pictures", "a picture is 1xHxW (grey) or 3xHxW"),
            };
            let message = format!("`{name}` is for {kind}, but the input is {shape}");
            let problem = Diagnostic::new(codes::BAD_SHAPE, value.span, message);
            return Err(self.error(problem.note(of_kind)));
        }
        let mut ways = Ways::default();
        match *shape.dims() {
            [_] | [_, _] => ways.hearing = Some(self.hearing(given)?),
            [channels @ (1 | 3), height, width] => {
                ways.pre = Some(self.pre_process(given, [channels, height, width])?);
            }
            [channels @ (1 | 3), _, height, width] => {
                ways.frames = Some(self.pre_process(given, [channels, height, width])?);
            }
            _ => {}
        }
        Ok(ways)
    }

    fn hearing(&mut self, given: Given) -> Result<Hearing> {
        let args = Args {
            given,
            rank: 1,
            ..Args::default()
        };
        let read = || -> std::result::Result<Hearing, ArgError> {
            let number = |name: &str| {
                let number = args.positive(name)?;
                let number = number.map(|number| {
                    u32::try_from(number)
                        .map_err(|_| args.error(name, format!("`{name}` is too large")))
                });
                number.transpose()
            };
            Ok(Hearing {
                rate: number("rate")?,
                hop: number("hop")?,
                standardize: args.flag("standardize")?.unwrap_or(false),
            })
        };
        read().map_err(|problem| self.bad_argument(problem, crate::span::Span::none()))
    }

    /// The pre-processing of pictures that have so many channels, rows and columns in the end.
    fn pre_process(
        &mut self,
        given: Given,
        [channels, height, width]: [usize; 3],
    ) -> Result<PreProcess> {
        let args = Args {
            given,
            rank: 2,
            ..Args::default()
        };
        let read = || -> std::result::Result<PreProcess, ArgError> {
            let (fill, place, rounding) = border(&args)?;
            let filter = match args.word("filter") {
                Some("bilinear") => Filter::Bilinear,
                Some("nearest") => Filter::Nearest,
                _ => Filter::Antialias,
            };
            let mut steps = Vec::new();
            // In the order in which they are written.
            for (name, _) in &args.given {
                let Some(dims) = (match *name {
                    "resize" | "crop" | "letterbox" => args.dims(name)?,
                    _ => None,
                }) else {
                    continue;
                };
                let (w, h) = match dims[..] {
                    [side] => (side as u32, side as u32),
                    [w, h] => (w as u32, h as u32),
                    _ => {
                        return Err(
                            args.error(name, format!("`{name}` takes a side or `width x height`"))
                        );
                    }
                };
                steps.push(match *name {
                    "resize" if dims.len() == 1 => ImageStep::ResizeShort { side: w, filter },
                    "resize" => ImageStep::Resize {
                        width: w,
                        height: h,
                        filter,
                    },
                    "crop" => ImageStep::CenterCrop {
                        width: w,
                        height: h,
                    },
                    _ => ImageStep::Letterbox {
                        width: w,
                        height: h,
                        fill,
                        place,
                        rounding,
                        filter,
                    },
                });
            }
            let size = match steps.last() {
                Some(&ImageStep::Resize { width, height, .. })
                | Some(&ImageStep::CenterCrop { width, height })
                | Some(&ImageStep::Letterbox { width, height, .. }) => Some((width, height)),
                Some(ImageStep::ResizeShort { .. }) | None => None,
            };
            if let Some((w, h)) = size.filter(|&(w, h)| (w as usize, h as usize) != (width, height))
            {
                let last = args.given.iter().rev().map(|(name, _)| *name);
                let mut last = last.filter(|name| ["resize", "crop", "letterbox"].contains(name));
                let name = last.next().unwrap_or("resize");
                let message = format!(
                    "pictures become {w}x{h} (width x height), the input is {width}x{height}"
                );
                return Err(args.error(name, message));
            }
            if args.flag("gray")? == Some(true) && channels != 1 {
                let message = format!("a grey picture has one channel, the input has {channels}");
                return Err(args.error("gray", message));
            }
            let preset = args.word("normalize").unwrap_or("unit");
            let preset = Normalize::PRESETS.iter().find(|(name, _)| *name == preset);
            let preset = preset.map_or(Normalize::UNIT, |(_, preset)| *preset);
            let values = |name: &str, preset: [f32; 3]| match args.numbers(name)? {
                None => Ok(preset[..channels].to_vec()),
                Some((_, values)) if values.len() == 1 || values.len() == channels => Ok(values),
                Some((_, values)) => {
                    let message = format!(
                        "`{name}` has {} values, the input {channels} channels",
                        values.len()
                    );
                    Err(args.error(name, message))
                }
            };
            let std = values("std", preset.std)?;
            if std.contains(&0.0) {
                return Err(args.error("std", "a deviation cannot be 0"));
            }
            Ok(PreProcess {
                channels,
                steps: steps.into(),
                bgr: args.flag("bgr")?.unwrap_or(preset.bgr),
                scale: args
                    .number("scale")?
                    .map_or(preset.scale, |scale| scale as f32),
                mean: values("mean", preset.mean)?.into(),
                std: std.into(),
                width,
                height,
            })
        };
        read().map_err(|problem| self.bad_argument(problem, crate::span::Span::none()))
    }
}

/// What is said of the border of `letterbox`: its colour, where the picture lies, how sides are rounded.
fn border(args: &Args) -> std::result::Result<([f32; 3], Place, Rounding), ArgError> {
    let of_border = ["color", "place", "rounding"];
    let lonely = of_border.iter().find(|name| args.get(name).is_some());
    if let Some(name) = lonely.filter(|_| args.get("letterbox").is_none()) {
        return Err(args.error(
            name,
            format!("`{name}` belongs to `letterbox`, which is not there"),
        ));
    }
    let fill = match args.numbers("color")? {
        None => [GREY; 3],
        Some((_, values)) => match values[..] {
            _ if values.iter().any(|value| !(0.0..=255.0).contains(value)) => {
                return Err(args.error("color", "`color` is from 0 to 255"));
            }
            [grey] => [grey; 3],
            [red, green, blue] => [red, green, blue],
            _ => {
                let message = format!(
                    "`color` is a grey or (red, green, blue), not {} values",
                    values.len()
                );
                return Err(args.error("color", message));
            }
        },
    };
    let place = match args.word("place") {
        Some("topleft") => Place::TopLeft,
        Some("topright") => Place::TopRight,
        Some("bottomleft") => Place::BottomLeft,
        Some("bottomright") => Place::BottomRight,
        _ => Place::Center,
    };
    let rounding = match args.word("rounding") {
        Some("round") => Rounding::Round,
        _ => Rounding::Floor,
    };
    Ok((fill, place, rounding))
}
