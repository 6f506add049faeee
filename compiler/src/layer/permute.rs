//! `permute`: axes in another order.

use super::axes::stride;
use super::copy::{Dim, copy};
use super::{
    ArgError, Args, Attribute, Attributes, Decl, Inferred, Kind, Layer, Literal, Lowering,
    ParamDecl, Role, ShapeError, Sliding,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::Lower;
use crate::shape::Shape;
use ndarray::ArrayD;

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "permute",
    doc: "The axes in another order: axis `i` of the result is the operand's axis `axes[i]`, as PyTorch's `permute` has it, of a tensor without batch. \
          `permute (2, 0, 1)` makes `32x3x16` of `3x16x32`.",
    params: &[ParamDecl {
        name: "axes",
        kind: Kind::Numbers,
        positional: true,
        default: None,
        doc: "Every axis of the operand once, counted from 0, which is that of the channels: `(2, 0, 1)`.",
    }],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 5x4x3; permute (2, 0, 1)",
        "input x: 5x4x3; permute (0, 2, 1)",
        "input x: 17x9; permute axes (1, 0); relu",
        "input x: 7; permute [0]",
        "input x: 3x2x5x4; permute (3, 1, 0, 2)",
        "input x: 3x2x5x4; permute (0, 3, 1, 2); conv 3x3x3 2 pad half",
        "input x: 3x6x5; conv 3x3 8 pad half; permute (1, 2, 0); conv 3x3 5 pad half",
        "input x: 33x40x42; permute (1, 0, 2)",
        "input x: 4x3x5; permute (0, 1, 2); relu",
    ],
};

/// Axes in another order.
#[derive(Clone, Debug)]
pub struct Permute {
    /// For each axis of the result the operand's.
    pub axes: Vec<usize>,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let given = args.get("axes").ok_or_else(|| args.missing("axes"))?;
    let items = match &given.value {
        // `(0)` is `0`.
        Literal::Int(_) => std::slice::from_ref(given),
        value => value.as_items(),
    };
    let count = items.len();
    if !(1..=4).contains(&count) {
        let message = format!("a tensor has one to four axes, not {count}");
        return Err(args.error("axes", message));
    }
    let mut axes = Vec::new();
    for item in items {
        let message = match item.value {
            Literal::Int(n) => match usize::try_from(n).ok().filter(|axis| *axis < count) {
                Some(axis) if !axes.contains(&axis) => {
                    axes.push(axis);
                    continue;
                }
                Some(axis) => format!("axis {axis} stands twice in `axes`"),
                None => format!("axis {n} is none of {count} axes"),
            },
            _ => "an axis is an integer".to_owned(),
        };
        let known: Vec<String> = (0..count).map(|axis| axis.to_string()).collect();
        let help = format!(
            "write {} in some order, 0 for the channels",
            known.join(", ")
        );
        return Err(ArgError::new(Some(item.span), message).help(help));
    }
    Ok(Box::new(Permute { axes }))
}

impl Layer for Permute {
    fn attributes(&self) -> (&'static str, Attributes) {
        (
            DECL.keyword,
            vec![("axes", Attribute::List(self.axes.clone()))],
        )
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let x = &inputs[0];
        let (rank, named) = (x.dims().len(), self.axes.len());
        if rank != named {
            let axes = Attribute::List(self.axes.clone());
            let message = format!("`axes` {axes} names {named} axes, {x} has {rank}");
            return Err(ShapeError::new(message).help("name every axis of the operand once"));
        }
        let dims: Vec<usize> = self.axes.iter().map(|&axis| x.dims()[axis]).collect();
        Ok(Inferred::plain(
            Shape::new(dims).expect("as many elements as the operand"),
        ))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let permuted = inputs[0].view().permuted_axes(self.axes.clone());
        permuted.as_standard_layout().into_owned()
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let mut axes = vec![0; self.axes.len()];
        for (to, &from) in self.axes.iter().enumerate() {
            axes[from] = to;
        }
        let dx = g.push(Permute { axes }, &[g.dy()]);
        g.give(0, dx);
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn role(&self) -> Role {
        match self.axes.is_sorted() {
            true => Role::Identity,
            false => Role::Opaque,
        }
    }

    fn sliding(&self, _: &[Shape]) -> Sliding {
        match self.role() {
            Role::Identity => Sliding::Pixels,
            _ => Sliding::Fixed("puts axes in another order".to_owned()),
        }
    }
}

impl Lowering for Permute {
    /// In the order of the result's memory: where channels stay channels, they are copied in runs.
    fn lower(&self, cx: &mut Lower<'_>) {
        let (to, from) = (cx.output(), cx.input(0));
        let (x, y) = (cx.input_shape(0), cx.output_shape());
        let mut dims: Vec<Dim> = (0..self.axes.len())
            .map(|axis| {
                let source = stride(&from, x, self.axes[axis]);
                (y.dims()[axis], stride(&to, y, axis), source)
            })
            .collect();
        dims.rotate_left(1);
        copy(cx, &to, &from, &dims);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array, IxDyn};

    /// `torch.arange(6).reshape(1, 2, 3).permute(…)`
    #[test]
    fn axes_are_those_of_the_operand() {
        let x = Array::from_iter((0..6).map(f64::from));
        let x = x.into_shape_with_order(IxDyn(&[1, 2, 3])).unwrap();
        for (axes, shape, expected) in [
            ([2, 0, 1], [3, 1, 2], [0, 3, 1, 4, 2, 5]),
            ([1, 2, 0], [2, 3, 1], [0, 1, 2, 3, 4, 5]),
            ([2, 1, 0], [3, 2, 1], [0, 3, 1, 4, 2, 5]),
            ([0, 2, 1], [1, 3, 2], [0, 3, 1, 4, 2, 5]),
        ] {
            let axes = axes.to_vec();
            let permuted = Permute { axes }.evaluate(&[&x], &[]);
            assert_eq!(permuted.shape(), shape);
            let elements: Vec<f64> = permuted.into_iter().collect();
            assert_eq!(elements, expected.map(f64::from));
        }
    }
}
