//! `tile`: a tensor beside itself.

use super::copy::{Dim, copy};
use super::window::show;
use super::{
    ArgError, Args, Attribute, Attributes, Decl, Inferred, Kind, Layer, Lowering, NO_HALO,
    ParamDecl, ShapeError, Sliding, axes,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::{Lower, Storage};
use crate::op::along;
use crate::shape::Shape;
use ndarray::{ArrayD, IxDyn};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "tile",
    doc: "The operand several times beside itself along each axis (NumPy's `tile`): `tile 1x2x1` stands two below one another. What combines tensors repeats \
          axes of extent 1 by itself.",
    params: &[ParamDecl {
        name: "repeats",
        kind: Kind::Dims,
        positional: true,
        default: None,
        doc: "How often, for every axis, channels first: `1x2x3`.",
    }],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 5x4x3; tile 1x2x3",
        "input x: 7; tile 3",
        "input x: 1x1x1; tile 17x4x5; relu",
        "input x: 3x2x3x2; tile 2x3x2x2",
        "input x: 3x6x5; conv 3x3 8 pad half; tile repeats 2x1x2; conv 3x3 5 pad half",
    ],
};

/// A tensor beside itself.
#[derive(Clone, Debug)]
pub struct Tile {
    /// How often along each axis, channels first.
    pub repeats: Vec<usize>,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let repeats = args.dims("repeats")?;
    let repeats = repeats.ok_or_else(|| args.missing("repeats"))?;
    Ok(Box::new(Tile { repeats }))
}

impl Layer for Tile {
    fn attributes(&self) -> (&'static str, Attributes) {
        let repeats = Attribute::extents(&self.repeats);
        (DECL.keyword, vec![("repeats", repeats)])
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let x = &inputs[0];
        let (rank, named) = (x.dims().len(), self.repeats.len());
        if rank != named {
            let repeats = show(&self.repeats);
            let message = format!("`repeats` {repeats} is for {named} axes, {x} has {rank}");
            return Err(ShapeError::new(message).help("write a number for every axis"));
        }
        let axes = x.dims().iter().zip(&self.repeats);
        let dims: Vec<usize> = axes.map(|(n, r)| n.saturating_mul(*r)).collect();
        let large = || ShapeError::new(format!("{x} {} times is too large", show(&self.repeats)));
        Shape::new(dims).map(Inferred::plain).ok_or_else(large)
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let x = inputs[0];
        let axes = x.shape().iter().zip(&self.repeats);
        let dims: Vec<usize> = axes.map(|(n, r)| n * r).collect();
        ArrayD::from_shape_fn(IxDyn(&dims), |at| {
            let place: Vec<usize> = (0..x.ndim())
                .map(|axis| at[axis] % x.shape()[axis])
                .collect();
            x[IxDyn(&place)]
        })
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let x = g.shape(g.x(0));
        let mut dx = g.dy();
        for (axis, &extent) in x.dims().iter().enumerate() {
            if self.repeats[axis] > 1 {
                let of = self.attributes();
                let term = |place: usize| vec![(place % extent, 1.0)];
                dx = along::back(g, of, dx, (axis, extent), term);
            }
        }
        g.give(0, dx);
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn sliding(&self, _: &[Shape]) -> Sliding {
        match self.repeats[1..].iter().all(|&repeats| repeats == 1) {
            true => Sliding::Pixels,
            false => Sliding::Fixed("puts pictures beside one another".to_owned()),
        }
    }
}

impl Lowering for Tile {
    /// The pixels, then the channels, where both are repeated: one copy has no room for more loops.
    fn lower(&self, cx: &mut Lower<'_>) {
        let (to, from, x) = (cx.output(), cx.input(0), cx.input_shape(0));
        let mut pixels = self.repeats.clone();
        pixels[0] = 1;
        let mut channels = vec![1; pixels.len()];
        channels[0] = self.repeats[0];
        if channels[0] == 1 || pixels.iter().all(|&repeats| repeats == 1) {
            return repeated(cx, (&to, cx.output_shape()), (&from, x), &self.repeats);
        }
        let shape = cx.output_shape().with_channels(x.channels());
        let shape = shape.expect("no larger than the result");
        let wide = cx.scratch(&shape, NO_HALO);
        repeated(cx, (&wide, &shape), (&from, x), &pixels);
        repeated(cx, (&to, cx.output_shape()), (&wide, &shape), &channels);
    }
}

fn repeated(
    cx: &mut Lower<'_>,
    (to, y): (&Storage, &Shape),
    (from, x): (&Storage, &Shape),
    repeats: &[usize],
) {
    let mut dims: Vec<Dim> = Vec::new();
    let order = (1..repeats.len()).chain([0]);
    for axis in order {
        let extent = x.dims()[axis];
        let (out, into) = (axes::stride(to, y, axis), axes::stride(from, x, axis));
        dims.push((repeats[axis], extent as i64 * out, 0));
        dims.push((extent, out, into));
    }
    copy(cx, to, from, &dims);
}
