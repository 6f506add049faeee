//! `subsample`: every n-th pixel.

use super::Sliding;
use super::window::STRIDE;
use super::{
    ArgError, Args, Attribute, Attributes, Decl, Inferred, Layer, Lowering, ParamDecl, ShapeError,
    copy, grid,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::Lower;
use crate::op::along::Along;
use crate::shape::Shape;
use ndarray::ArrayD;

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "subsample",
    doc: "Every n-th pixel, beginning with the first: `x[:, ::n, ::n]`. The parameter-free shortcut of CIFAR ResNets (He et al. 2015, option A) \
          is `subsample` and `padchannels`.",
    params: &[ParamDecl {
        default: None,
        doc: "Distance of the pixels that are kept, `/2` or one for each axis `/2x1`.",
        ..STRIDE
    }],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 5x7x6; subsample /2",
        "input x: 17x9; subsample /3",
        "input x: 3x4x5x6; subsample /1x2x3",
        "input x: 4x6x6; conv 3x3 8 pad half; subsample /2; padchannels 4",
    ],
};

/// Every n-th pixel.
#[derive(Clone, Debug)]
pub struct Subsample {
    /// Distance of the pixels that are kept, for each axis or the same for all.
    pub stride: Vec<usize>,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let stride = args.dims("stride")?.ok_or_else(|| args.missing("stride"))?;
    Ok(Box::new(Subsample { stride }))
}

impl Layer for Subsample {
    fn attributes(&self) -> (&'static str, Attributes) {
        (
            DECL.keyword,
            vec![("stride", Attribute::stride(&self.stride))],
        )
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let x = &inputs[0];
        let stride = grid::per_axis(&self.stride, x, "stride")?;
        let mut dims = vec![x.channels()];
        dims.extend(
            x.spatial()
                .iter()
                .zip(stride)
                .map(|(n, stride)| n.div_ceil(stride)),
        );
        Ok(Inferred::plain(
            Shape::new(dims).expect("no larger than the operand"),
        ))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let shape = grid::shape(inputs[0]);
        let stride = grid::per_axis(&self.stride, &shape, "stride").expect("infer accepted it");
        inputs[0]
            .slice_each_axis(|axis| {
                let step = axis
                    .axis
                    .index()
                    .checked_sub(1)
                    .map_or(1, |axis| stride[axis]);
                ndarray::Slice::new(0, None, step as isize)
            })
            .to_owned()
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let (x, y) = (g.shape(g.x(0)), g.shape(g.y()));
        let stride = grid::per_axis(&self.stride, &x, "stride").expect("infer accepted it");
        let adjoint = Along::adjoint(self.attributes(), &x, &y, |axis, place| {
            let step = (axis + stride.len())
                .checked_sub(3)
                .map_or(1, |axis| stride[axis]);
            vec![(place * step, 1.0)]
        });
        let dx = g.push(adjoint, &[g.dy()]);
        g.give(0, dx);
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn sliding(&self, operands: &[Shape]) -> Sliding {
        let stride = grid::per_axis(&self.stride, &operands[0], "stride");
        let mut strides = [1; 3];
        for (axis, step) in stride.into_iter().flatten().rev().enumerate() {
            strides[2 - axis] = step;
        }
        Sliding::Window(Box::new(self.clone()), strides)
    }
}

impl Lowering for Subsample {
    fn lower(&self, cx: &mut Lower<'_>) {
        let (to, mut from) = (cx.output(), cx.input(0));
        let stride =
            grid::per_axis(&self.stride, cx.input_shape(0), "stride").expect("infer accepted it");
        for (axis, step) in (3 - stride.len()..).zip(stride) {
            from.strides[axis] *= step as i64;
        }
        copy::copy(cx, &to, &from, &copy::all(&to, &from));
    }
}
