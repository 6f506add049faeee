//! `shuffle`: channels of groups interleaved.

use super::{
    ArgError, Args, Attributes, Decl, Inferred, Kind, Layer, Lowering, ParamDecl, ShapeError,
    Sliding, copy,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::Lower;
use crate::shape::Shape;
use ndarray::{ArrayD, Axis};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "shuffle",
    doc: "Channel shuffle: the channels, cut into groups, are dealt one of each group in turn. ShuffleNet, Zhang et al. 2017.",
    params: &[ParamDecl {
        name: "groups",
        kind: Kind::Int,
        positional: true,
        default: None,
        doc: "Groups; a divisor of the channels.",
    }],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 6x4x3; shuffle 2",
        "input x: 15x5; shuffle groups 3",
        "input x: 34; shuffle 17",
        "input x: 8x2x3x2; shuffle 4",
    ],
};

/// Channels of groups interleaved.
#[derive(Clone, Debug)]
pub struct Shuffle {
    /// Groups.
    pub groups: usize,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let groups = args
        .positive("groups")?
        .ok_or_else(|| args.missing("groups"))?;
    Ok(Box::new(Shuffle { groups }))
}

impl Layer for Shuffle {
    fn attributes(&self) -> (&'static str, Attributes) {
        (DECL.keyword, vec![("groups", self.groups.into())])
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let channels = inputs[0].channels();
        if channels.is_multiple_of(self.groups) {
            return Ok(Inferred::plain(inputs[0].clone()));
        }
        let message = format!(
            "{channels} channels of {} cannot be cut into {} groups",
            inputs[0], self.groups
        );
        Err(ShapeError::new(message).help(format!("choose a divisor of {channels}")))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let channels = inputs[0].shape()[0];
        let size = channels / self.groups;
        let order: Vec<usize> = (0..channels)
            .map(|o| o % self.groups * size + o / self.groups)
            .collect();
        inputs[0].select(Axis(0), &order)
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let groups = g.shape(g.x(0)).channels() / self.groups;
        let dx = g.push(Shuffle { groups }, &[g.dy()]);
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

impl Lowering for Shuffle {
    fn lower(&self, cx: &mut Lower<'_>) {
        let (to, from) = (cx.output(), cx.input(0));
        let [d, h, w, _] = copy::all(&to, &from);
        let (groups, size) = (self.groups, to.channels / self.groups);
        let dims = [d, h, w, (size, groups as i64, 1), (groups, 1, size as i64)];
        copy::copy(cx, &to, &from, &dims);
    }
}
