//! `crop`: a box of pixels.

use super::pad::{Mode, Pad};
use super::window::show;
use super::{
    ArgError, Args, Attribute, Attributes, Decl, Inferred, Kind, Layer, Lowering, ParamDecl,
    ShapeError, copy,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::Lower;
use crate::shape::Shape;
use ndarray::{ArrayD, Slice};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "crop",
    doc: "A box of pixels, from the middle (what is left over is odd: one more behind than before) or from a place. \
          U-Net crops what its skip connections carry.",
    params: &[
        ParamDecl {
            name: "size",
            kind: Kind::Dims,
            positional: true,
            default: None,
            doc: "Extents of the box: `24x24`.",
        },
        ParamDecl {
            name: "at",
            kind: Kind::Numbers,
            positional: false,
            default: Some("the middle"),
            doc: "First pixel of the box: `(row, column)`.",
        },
    ],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 5x7x6; crop 4x3",
        "input x: 17x9; crop 4 at [5]",
        "input x: 3x6x6; crop 4x4 at (0, 2)",
        "input x: 3x4x5x6; crop 2x4x3",
    ],
};

/// A box of pixels.
#[derive(Clone, Debug)]
pub struct Crop {
    /// Extents.
    pub size: Vec<usize>,
    /// First pixel; `None` for the middle.
    pub at: Option<Vec<usize>>,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let size = args.dims("size")?.ok_or_else(|| args.missing("size"))?;
    let at = match args.numbers("at")? {
        None => None,
        Some((_, numbers)) => {
            let whole = |&x: &f32| {
                (x.fract() == 0.0 && (0.0..=65_536.0).contains(&x)).then_some(x as usize)
            };
            let place: Option<Vec<usize>> = numbers.iter().map(whole).collect();
            let place = place.filter(|place| place.len() == size.len());
            let message = format!(
                "`at` takes {} integers from 0 to 65536, one for each extent",
                size.len()
            );
            Some(place.ok_or_else(|| args.error("at", message))?)
        }
    };
    Ok(Box::new(Crop { size, at }))
}

impl Crop {
    /// First pixel of the box in a tensor that `infer` has accepted.
    fn place(&self, x: &Shape) -> Vec<usize> {
        let middle = || {
            x.spatial()
                .iter()
                .zip(&self.size)
                .map(|(n, size)| (n - size) / 2)
                .collect()
        };
        self.at.clone().unwrap_or_else(middle)
    }
}

impl Layer for Crop {
    fn attributes(&self) -> (&'static str, Attributes) {
        let mut attributes = vec![("size", Attribute::extents(&self.size))];
        if let Some(at) = &self.at {
            attributes.push(("at", Attribute::List(at.clone())));
        }
        (DECL.keyword, attributes)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let x = &inputs[0];
        let zero = vec![0; self.size.len()];
        let at = self.at.as_ref().unwrap_or(&zero);
        let fits = x.spatial().len() == self.size.len()
            && (x.spatial().iter().zip(&self.size).zip(at)).all(|((n, size), at)| at + size <= *n);
        if !fits {
            let place = match &self.at {
                Some(at) => format!(" at {at:?}"),
                None => String::new(),
            };
            let message = format!(
                "a box of {}{place} does not lie inside {x}",
                show(&self.size)
            );
            return Err(ShapeError::new(message));
        }
        let mut dims = vec![x.channels()];
        dims.extend(&self.size);
        Ok(Inferred::plain(
            Shape::new(dims).expect("no larger than the operand"),
        ))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let at = self.place(&super::grid::shape(inputs[0]));
        inputs[0]
            .slice_each_axis(|axis| match axis.axis.index().checked_sub(1) {
                None => Slice::from(..),
                Some(axis) => Slice::from(at[axis]..at[axis] + self.size[axis]),
            })
            .to_owned()
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let x = g.shape(g.x(0));
        let around = self.place(&x).into_iter().zip(&self.size).zip(x.spatial());
        let sides = around.map(|((at, size), n)| (at, n - at - size)).collect();
        let mode = Mode::Constant(0.0);
        let dx = g.push(Pad { sides, mode }, &[g.dy()]);
        g.give(0, dx);
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }
}

impl Lowering for Crop {
    fn lower(&self, cx: &mut Lower<'_>) {
        let (to, mut from) = (cx.output(), cx.input(0));
        let at = self.place(cx.input_shape(0));
        let strides = &from.strides[3 - at.len()..];
        from.base += at
            .iter()
            .zip(strides)
            .map(|(&at, stride)| at as i64 * stride)
            .sum::<i64>();
        copy::copy(cx, &to, &from, &copy::all(&to, &from));
    }
}
