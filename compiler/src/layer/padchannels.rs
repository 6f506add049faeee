//! `padchannels`: channels of a constant before and behind.

use super::slice::Slice;
use super::{
    ArgError, Args, Attributes, Decl, Inferred, Kind, Layer, Lowering, ParamDecl, ShapeError,
    Sliding, copy,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::Lower;
use crate::shape::Shape;
use ndarray::{ArrayD, Axis, Slice as Range};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "padchannels",
    doc: "Channels of zeros, or of another constant, before and behind the operand's. With `subsample`, the parameter-free shortcut of CIFAR ResNets (He et al. 2015, option A).",
    params: &[
        ParamDecl {
            name: "before",
            kind: Kind::Int,
            positional: true,
            default: None,
            doc: "Channels before the first.",
        },
        ParamDecl {
            name: "after",
            kind: Kind::Int,
            positional: true,
            default: Some("as many as `before`"),
            doc: "Channels behind the last.",
        },
        ParamDecl {
            name: "value",
            kind: Kind::Float,
            positional: false,
            default: Some("0"),
            doc: "The constant.",
        },
    ],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 5x4x3; padchannels 3",
        "input x: 17; padchannels 0 4",
        "input x: 3x2x4x5; padchannels 2 after 0",
        "input x: 4x6x6; padchannels 1; conv 3x3 8 pad half",
        "input x: 5x4x3; padchannels 2 1 value -1.5",
    ],
};

/// Channels of a constant before and behind.
#[derive(Clone, Debug)]
pub struct PadChannels {
    /// Channels before the first.
    pub before: usize,
    /// Channels behind the last.
    pub after: usize,
    /// The constant.
    pub value: f64,
}

impl PadChannels {
    /// Channels of zeros.
    pub fn zeros(before: usize, after: usize) -> PadChannels {
        PadChannels {
            before,
            after,
            value: 0.0,
        }
    }
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let before = args
        .whole("before")?
        .ok_or_else(|| args.missing("before"))?;
    let after = args.whole("after")?.unwrap_or(before);
    let value = args.number("value")?.unwrap_or(0.0);
    Ok(Box::new(PadChannels {
        before,
        after,
        value,
    }))
}

impl Layer for PadChannels {
    fn attributes(&self) -> (&'static str, Attributes) {
        let mut told = vec![("before", self.before.into()), ("after", self.after.into())];
        told.extend((self.value != 0.0).then(|| ("value", self.value.into())));
        (DECL.keyword, told)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let x = &inputs[0];
        let channels = self.before + x.channels() + self.after;
        x.with_channels(channels)
            .map(Inferred::plain)
            .ok_or_else(|| ShapeError::new(format!("{x} with {channels} channels is too large")))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let x = inputs[0];
        let mut dims = x.shape().to_vec();
        dims[0] += self.before + self.after;
        let mut padded = ArrayD::from_elem(dims, self.value);
        let from = self.before as isize;
        padded
            .slice_axis_mut(
                Axis(0),
                Range::new(from, Some(from + x.shape()[0] as isize), 1),
            )
            .assign(x);
        padded
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let channels = g.shape(g.x(0)).channels();
        let (from, to) = (self.before, Some(self.before + channels));
        let dx = g.push(Slice::range(from, to, 0), &[g.dy()]);
        g.give(0, dx);
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn sliding(&self, _: &[Shape]) -> Sliding {
        Sliding::Pixels
    }
}

impl Lowering for PadChannels {
    fn lower(&self, cx: &mut Lower<'_>) {
        let (to, from) = (cx.output(), cx.input(0));
        let window = to.window(self.before, from.channels);
        copy::copy(cx, &window, &from, &copy::all(&window, &from));
        for (first, count) in [(0, self.before), (self.before + from.channels, self.after)] {
            if count > 0 {
                copy::fill(cx, &to.window(first, count), self.value);
            }
        }
    }
}
