//! `flatten`: a tensor as a vector, in a stated order.

use super::dense::Order;
use super::permute::Permute;
use super::{
    ArgError, Args, Attributes, Decl, Inferred, Kind, Layer, Lowering, ParamDecl, Role, ShapeError,
    copy,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::Lower;
use crate::shape::Shape;
use ndarray::{ArrayD, IxDyn};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "flatten",
    doc: "A tensor as a vector. Weights of a dense layer that follows were trained for one order of its elements: \
          channels first is PyTorch's (and darknet's), spatial is that of TensorFlow and Keras.",
    params: &[ParamDecl {
        name: "order",
        kind: Kind::Word(&["channels", "spatial"]),
        positional: true,
        default: Some("channels"),
        doc: "`channels`: channel by channel, each row by row. `spatial`: pixel by pixel, each with its channels.",
    }],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 5x4x3; flatten",
        "input x: 5x4x3; flatten spatial",
        "input x: 3x2x4x5; flatten order channels; scale 2",
        "input x: 17; flatten",
        "input x: 16x40x42; flatten",
        "input x: 2x6x6; conv 3x3 5; flatten spatial; dense 7",
    ],
};

/// A tensor as a vector.
#[derive(Clone, Debug)]
pub struct Flatten {
    /// Order of the elements.
    pub order: Order,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let order = match args.word("order") {
        Some("spatial") => Order::Spatial,
        _ => Order::Channels,
    };
    Ok(Box::new(Flatten { order }))
}

impl Layer for Flatten {
    fn attributes(&self) -> (&'static str, Attributes) {
        (DECL.keyword, vec![("order", self.order.word().into())])
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        Shape::new([inputs[0].elements()])
            .map(Inferred::plain)
            .ok_or_else(|| ShapeError::new(format!("{} is too large", inputs[0])))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let x = inputs[0];
        let axes: Vec<usize> = match self.order {
            Order::Channels => (0..x.ndim()).collect(),
            Order::Spatial => (1..x.ndim()).chain([0]).collect(),
        };
        let elements = x.view().permuted_axes(axes).iter().copied().collect();
        ArrayD::from_shape_vec(IxDyn(&[x.len()]), elements).expect("as many elements")
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let x = g.shape(g.x(0));
        let dx = match self.order {
            Order::Channels => g.reshape(g.dy(), &x),
            Order::Spatial => {
                let mut dims = x.dims().to_vec();
                dims.rotate_left(1);
                let pixels = Shape::new(dims).expect("as many elements as the operand");
                let mut axes: Vec<usize> = (0..x.dims().len()).collect();
                axes.rotate_right(1);
                let pixels = g.reshape(g.dy(), &pixels);
                g.push(Permute { axes }, &[pixels])
            }
        };
        g.give(0, dx);
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn role(&self) -> Role {
        Role::Flatten(self.order)
    }
}

impl Lowering for Flatten {
    fn lower(&self, cx: &mut Lower<'_>) {
        let (to, from) = (cx.output(), cx.input(0));
        let dims = match self.order {
            Order::Channels => copy::row_major(&from),
            Order::Spatial => copy::pixel_major(&from),
        };
        copy::copy(cx, &to, &from, &dims);
    }
}
