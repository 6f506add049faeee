//! `input image: 3x224x224 { resize 256 crop 224 normalize imagenet }`

use super::misread::Odd;
use super::pictures::Ways;
use super::value::Value;
use super::{Resolver, Result, Tensor};
use crate::ast::{Expr, Name, Term};
use crate::diagnostic::{Diagnostic, codes};
use crate::graph::{Def, Input};
use crate::layer::{Kind, ParamDecl};
use crate::limits;
use crate::shape::Shape;
use crate::words::grouped;

/// What may stand in the braces of an input.
pub static INPUT_SETTINGS: &[ParamDecl] = &[
    key(
        "resize",
        Kind::Dims,
        "Scales: `256` makes the shorter side so long, `227x227` (width x height) is the exact size.",
    ),
    key(
        "filter",
        Kind::Word(&["antialias", "bilinear", "nearest"]),
        "How it scales: `antialias` (Pillow, torchvision; the default), \
         `bilinear` (two taps in each direction: OpenCV, ncnn), `nearest`.",
    ),
    key(
        "crop",
        Kind::Dims,
        "Cuts out the middle: `224`, or `width x height`.",
    ),
    key(
        "letterbox",
        Kind::Dims,
        "Scales to fit into `width x height`, keeping proportions, and lays a border around it: with nothing else said, as darknet does.",
    ),
    key(
        "color",
        Kind::Numbers,
        "Of the border of `letterbox`, from 0 to 255: a grey, or (red, green, blue); 127.5 if nothing else is said.",
    ),
    key(
        "place",
        Kind::Word(&["center", "topleft", "topright", "bottomleft", "bottomright"]),
        "Where `letterbox` puts the picture: in the middle (the default; of an odd border the smaller half is left and above) or in a corner.",
    ),
    key(
        "rounding",
        Kind::Word(&["floor", "round"]),
        "Of sides in `letterbox`: `floor` (darknet; the default), `round` (to the nearest, half to even: ultralytics).",
    ),
    key("bgr", Kind::Flag, "Channels are blue, green, red."),
    key(
        "gray",
        Kind::Flag,
        "One channel: the luma of the picture. It says what an input of one channel does anyway.",
    ),
    key(
        "scale",
        Kind::Float,
        "Multiplies the 8-bit values; `0.00392156862745098`, which is 1/255, if nothing else says so.",
    ),
    key(
        "mean",
        Kind::Numbers,
        "Subtracted after scaling, one number for each channel or one for all.",
    ),
    key("std", Kind::Numbers, "Divided by after that, likewise."),
    key(
        "normalize",
        Kind::Word(&["unit", "imagenet", "symmetric", "caffe"]),
        "`unit`: 0 to 1; `imagenet`: torchvision's mean and deviation; `symmetric`: -1 to 1; \
         `caffe`: blue, green, red minus (104, 117, 123), not scaled.",
    ),
    key(
        "rate",
        Kind::Int,
        "Of a sound: samples in a second that the network has learned, to which sounds of other rates are resampled.",
    ),
    key(
        "hop",
        Kind::Int,
        "Of a sound: samples from one frame to the next, each of which is answered; without it a sound is its middle, or has silence on both sides.",
    ),
    key(
        "standardize",
        Kind::Flag,
        "Of a sound: the mean of each frame is taken away, and what is left divided by its deviation.",
    ),
];

const fn key(name: &'static str, kind: Kind, doc: &'static str) -> ParamDecl {
    ParamDecl {
        name,
        kind,
        positional: false,
        default: None,
        doc,
    }
}

impl<'a> Resolver<'a> {
    /// An `input` statement.
    pub(super) fn input(&mut self, names: &[Name], shape: &'a Expr, settings: &'a [Term]) {
        let shape_span = shape.span;
        let shape = self.input_shape(shape);
        let settings = self.keys("input", INPUT_SETTINGS, settings);
        let ways = match (&shape, settings) {
            (Ok(shape), Ok(settings)) => self.ways(settings, shape).unwrap_or_default(),
            _ => Ways::default(),
        };
        if let Ok(shape) = &shape {
            self.odd = self.odd.take().or_else(|| Odd::new(shape, shape_span));
        }
        for name in names {
            if self.graph.inputs.len() >= limits::INPUTS {
                let most = grouped(limits::INPUTS);
                self.halt(format!("the network has more than {most} inputs"));
                return;
            }
            let tensor = match &shape {
                Ok(shape) => {
                    let index = self.graph.inputs.len();
                    let value = self.graph.values.push(crate::graph::Value {
                        shape: shape.clone(),
                        def: Def::Input(index),
                    });
                    self.graph.inputs.push(Input {
                        name: name.value.clone(),
                        value,
                        pre: ways.pre.clone(),
                        frames: ways.frames.clone(),
                        hearing: ways.hearing,
                    });
                    self.input_spans.insert(value, shape_span);
                    Tensor::Known(value)
                }
                Err(_) => Tensor::Unknown,
            };
            if self.tensors.insert(name.value.clone(), tensor).is_some() {
                let message = format!("there is already a tensor `{}`", name.value);
                self.error(Diagnostic::new(codes::DUPLICATE, name.span, message));
            }
            self.first_input(tensor);
        }
    }

    /// A single input is where the chain begins.
    fn first_input(&mut self, tensor: Tensor) {
        self.input_count += 1;
        if self.graph.nodes.is_empty() {
            self.current = (self.input_count == 1).then_some(tensor);
        }
    }

    fn input_shape(&mut self, expr: &'a Expr) -> Result<Shape> {
        let dims: Option<Vec<i64>> = match self.eval(expr)? {
            Value::Int(n) => Some(vec![n]),
            Value::Dims(dims) => Some(dims.to_vec()),
            Value::List(items) => items
                .iter()
                .map(|item| match item.value {
                    Value::Int(n) => Some(n),
                    _ => None,
                })
                .collect(),
            _ => None,
        };
        let text = self.quoted(expr.span);
        let shape = dims
            .and_then(|dims| {
                dims.into_iter()
                    .map(|n| usize::try_from(n).ok())
                    .collect::<Option<Vec<usize>>>()
            })
            .and_then(Shape::new);
        shape.ok_or_else(|| {
            let message = format!("`{text}` is no shape of an input");
            self.error(
                Diagnostic::new(codes::BAD_SHAPE, expr.span, message)
                    .note("a shape has one to four extents, channels first, none zero, and at most 2^31 elements"),
            )
        })
    }
}
