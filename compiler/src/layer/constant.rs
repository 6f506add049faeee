//! `constant`: a tensor of the network as a value.

use super::attribute::Exact;
use super::window::show;
use super::{
    ArgError, Args, Attribute, Attributes, Decl, Inferred, Kind, Layer, Lowering, ParamDecl,
    ParamSpec, ShapeError, Sliding, copy,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::{Biases, Lower, Storage};
use crate::shape::Shape;
use ndarray::{ArrayD, IxDyn};
use std::sync::Arc;

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "constant",
    doc: "A tensor of the network as a value, for what combines values: `k: x constant 8x1x1; mul(x, k)`. `weight` has these extents. The operand says \
          where in the network it stands, and nothing else.",
    params: &[
        ParamDecl {
            name: "shape",
            kind: Kind::Dims,
            positional: true,
            default: None,
            doc: "The extents, channels first: `64x7x7`.",
        },
        ParamDecl {
            name: "weight",
            kind: Kind::Numbers,
            positional: false,
            default: Some("from the weights file"),
            doc: "The elements, as nested lists of these extents or one list in their order.",
        },
    ],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 5x4x3; k: x constant 5x1x1; mul(x, k)",
        "input x: 17x3; k: x constant 17x3; add(x, k); relu",
        "input x: 3; k: constant 3x2x3x4",
        "input x: 3x2x2; k: x constant 3 weight (0.5, -1, 2); mul(x, k)",
        "input x: 2x2; k: x constant 2x2 weight ((1, 2), (3, 4)); sub(x, k)",
    ],
};

/// A tensor of the network.
#[derive(Clone, Debug)]
pub struct Constant {
    /// Its shape.
    pub shape: Shape,
    /// Its elements and the extents of their nesting, where the spec has them.
    pub literal: Option<(Vec<usize>, Arc<[f32]>)>,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let dims = args.dims("shape")?.ok_or_else(|| args.missing("shape"))?;
    let Some(shape) = Shape::new(dims.clone()) else {
        return Err(args.error("shape", format!("a tensor of {} is too large", show(&dims))));
    };
    let literal = args.numbers("weight")?;
    if let Some((nesting, values)) = &literal {
        let flat = nesting.len() == 1 && values.len() == shape.elements();
        if !flat && *nesting != dims {
            let message = format!("the elements are {}, the tensor is {shape}", show(nesting));
            return Err(args.error("weight", message));
        }
    }
    let literal = literal.map(|(nesting, values)| (nesting, values.into()));
    Ok(Box::new(Constant { shape, literal }))
}

impl Layer for Constant {
    fn attributes(&self) -> (&'static str, Attributes) {
        let mut attributes = vec![("shape", Attribute::extents(self.shape.dims()))];
        if let Some((nesting, values)) = &self.literal {
            let constants = Attribute::Constants(nesting.clone(), Exact(values.clone()));
            attributes.push(("weight", constants));
        }
        (DECL.keyword, attributes)
    }

    fn infer(&self, _: &[Shape]) -> Result<Inferred, ShapeError> {
        let mut tensor = ParamSpec::learned("weight", self.shape.dims());
        if let Some((_, values)) = &self.literal {
            tensor.literal = Some(Arc::clone(values));
            tensor.learned = false;
        }
        Ok(Inferred {
            params: vec![tensor],
            ..Inferred::plain(self.shape.clone())
        })
    }

    fn evaluate(&self, _: &[&ArrayD<f64>], params: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let elements = params[0].iter().copied().collect();
        ArrayD::from_shape_vec(IxDyn(self.shape.dims()), elements).expect("as many elements")
    }

    /// Of its tensor alone: nothing depends on the operand.
    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        if self.literal.is_none() && g.wants_param(0) {
            g.give_param(0, g.dy());
        }
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn sliding(&self, _: &[Shape]) -> Sliding {
        match self.shape.dhw() {
            [1, 1, 1] => Sliding::Pixels,
            _ => Sliding::Fixed(format!("is a tensor of {}", self.shape)),
        }
    }
}

impl Lowering for Constant {
    /// Packed with channels last, as it is stored then.
    fn lower(&self, cx: &mut Lower<'_>) {
        let output = cx.output();
        let (channels, pixels) = (output.channels, output.pixels());
        let packed = cx.bias(Biases {
            param: Some(0),
            at: (0, 1, pixels),
            groups: pixels,
            outs: channels,
            channel: (0, 0),
            block: 1,
            norm: None,
        });
        let [_, h, w] = output.dhw;
        let from = Storage {
            buffer: packed.buffer,
            base: packed.offset.base,
            strides: [h * w * channels, w * channels, channels].map(|stride| stride as i64),
            ..output.clone()
        };
        copy::copy(cx, &output, &from, &copy::all(&output, &from));
    }
}
