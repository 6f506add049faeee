//! `slice`: a range of channels.

use super::{ArgError, Args, Decl, Inferred, Kind, Layer, ParamDecl, ShapeError, Sliding, copy};
use crate::graph::Shape;
use crate::lower::Lower;
use ndarray::{ArrayD, Axis, Slice as Range};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "slice",
    doc: "A range of channels: `from` up to, but not including, `to`.",
    params: &[
        ParamDecl {
            name: "from",
            kind: Kind::Int,
            positional: true,
            default: None,
            doc: "First channel, counted from 0.",
        },
        ParamDecl {
            name: "to",
            kind: Kind::Int,
            positional: true,
            default: Some("the number of channels"),
            doc: "One past the last channel.",
        },
    ],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 7x4x3; slice 2 5",
        "input x: 17; slice 16",
        "input x: 5x2x3x4; slice from 0 to 3",
        "input x: 6x5x5; a: slice 0 3; x; b: slice 3; concat(b, a); conv 3x3 4 pad half",
    ],
};

/// A range of channels.
#[derive(Clone, Debug)]
pub struct Slice {
    /// First channel.
    pub from: usize,
    /// One past the last channel; `None` for all that follow.
    pub to: Option<usize>,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let from = args.whole("from")?.ok_or_else(|| args.missing("from"))?;
    let to = args.whole("to")?;
    if to.is_some_and(|to| to <= from) {
        return Err(args.error("to", "a slice must have at least one channel"));
    }
    Ok(Box::new(Slice { from, to }))
}

impl Layer for Slice {
    fn attributes(&self) -> (&'static str, Vec<(&'static str, String)>) {
        let mut range = vec![("from", self.from.to_string())];
        range.extend(self.to.map(|to| ("to", to.to_string())));
        (DECL.keyword, range)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let x = &inputs[0];
        let to = self.to.unwrap_or(x.channels());
        if self.from >= to || to > x.channels() {
            let message = format!("channels {}..{to} are not all channels of {x}", self.from);
            return Err(
                ShapeError::new(message).help(format!("its channels are 0..{}", x.channels()))
            );
        }
        let output = x.with_channels(to - self.from);
        Ok(Inferred::plain(output.expect("no larger than the operand")))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let to = self.to.map(|to| to as isize);
        inputs[0]
            .slice_axis(Axis(0), Range::new(self.from as isize, to, 1))
            .to_owned()
    }

    fn lower(&self, cx: &mut Lower<'_>) {
        let to = cx.output();
        let from = cx.input(0).window(self.from, to.channels);
        copy::copy(cx, &to, &from, &copy::all(&to, &from));
    }

    fn sliding(&self, _: &[Shape]) -> Sliding {
        Sliding::Pixels
    }
}
