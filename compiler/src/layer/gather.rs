//! `gather`: elements along an axis, in any order.

use super::axes::{self, AXIS};
use super::{
    ArgError, Args, Attribute, Attributes, Decl, Inferred, Kind, Layer, Literal, Lowering,
    ParamDecl, ShapeError, Sliding, copy,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::limits;
use crate::lower::Lower;
use crate::op::along::{self, sums};
use crate::shape::Shape;
use ndarray::{ArrayD, Axis};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "gather",
    doc: "Channels, or elements along another axis, in the order of a list: `gather (2, 1, 0)` turns RGB into BGR. `slice` is a range.",
    params: &[
        ParamDecl {
            name: "places",
            kind: Kind::Numbers,
            positional: true,
            default: None,
            doc: "Which, counted from 0; each as often as it is wanted: `(2, 0, 0)`.",
        },
        AXIS,
    ],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 5x4x3; gather (2, 1, 0)",
        "input x: 17; gather (16, 3, 3, 4, 5, 0)",
        "input x: 5x4x3; gather (3, 0, 3) axis 1",
        "input x: 3x2x3x4; gather places [1] axis 3",
        "input x: 3x6x5; conv 3x3 8 pad half; gather (0, 2, 4, 7) axis 0; conv 3x3 5 pad half",
    ],
};

/// Elements along an axis in any order.
#[derive(Clone, Debug)]
pub struct Gather {
    /// Which element stands at each place of the result.
    pub places: Vec<usize>,
    /// The axis, channels first.
    pub axis: usize,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let given = args.get("places").ok_or_else(|| args.missing("places"))?;
    let items = match &given.value {
        Literal::Int(_) => std::slice::from_ref(given),
        value => value.as_items(),
    };
    let mut places = Vec::new();
    for item in items {
        let place = match item.value {
            Literal::Int(n) if (0..limits::EXTENT).contains(&n) => n as usize,
            _ => {
                let message = "`places` are integers, counted from 0";
                return Err(ArgError::new(Some(item.span), message));
            }
        };
        places.push(place);
    }
    if places.is_empty() {
        return Err(args.error("places", "`places` takes a list such as `(2, 0, 1)`"));
    }
    let axis = args.whole(AXIS.name)?.unwrap_or(0);
    Ok(Box::new(Gather { places, axis }))
}

impl Gather {
    /// Places one after the other that are elements one after the other: where each begins, and of how many.
    fn runs(&self) -> Vec<(usize, usize)> {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for (place, &from) in self.places.iter().enumerate() {
            match runs.last_mut() {
                Some((first, count)) if self.places[*first] + *count == from => *count += 1,
                _ => runs.push((place, 1)),
            }
        }
        runs
    }
}

impl Layer for Gather {
    fn attributes(&self) -> (&'static str, Attributes) {
        let mut attributes = vec![("places", Attribute::List(self.places.clone()))];
        attributes.extend(axes::attribute(self.axis));
        (DECL.keyword, attributes)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let x = &inputs[0];
        let extent = axes::extent(x, self.axis)?;
        if let Some(place) = self.places.iter().find(|place| **place >= extent) {
            let message = format!("axis {} of {x} has no element {place}", self.axis);
            return Err(ShapeError::new(message).help(format!("they are 0 to {}", extent - 1)));
        }
        let runs = match self.axis {
            0 => self.runs().len(),
            _ => 1,
        };
        if runs > limits::CALLS {
            let message = format!("{runs} parts of {x} are too many");
            return Err(ShapeError::new(message));
        }
        let output = axes::with_extent(x, self.axis, self.places.len());
        let large = || {
            ShapeError::new(format!(
                "{} elements of {x} are too many",
                self.places.len()
            ))
        };
        Ok(Inferred {
            pieces: runs,
            ..Inferred::plain(output.ok_or_else(large)?)
        })
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        inputs[0].select(Axis(self.axis), &self.places)
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let extent = g.shape(g.x(0)).dims()[self.axis];
        let term = |place: usize| vec![(self.places[place], 1.0)];
        let dx = along::back(g, self.attributes(), g.dy(), (self.axis, extent), term);
        g.give(0, dx);
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn sliding(&self, _: &[Shape]) -> Sliding {
        match self.axis {
            0 => Sliding::Pixels,
            axis => Sliding::Fixed(format!("takes pixels out, along axis {axis}")),
        }
    }
}

impl Lowering for Gather {
    /// Channels by copies of those that are one behind the other, pixels by a table.
    fn lower(&self, cx: &mut Lower<'_>) {
        let (to, from, x) = (cx.output(), cx.input(0), cx.input_shape(0));
        let Some(own) = axes::spatial(x, self.axis) else {
            for (first, count) in self.runs() {
                let to = to.window(first, count);
                let from = from.window(self.places[first], count);
                copy::copy(cx, &to, &from, &copy::all(&to, &from));
            }
            return;
        };
        let table = std::array::from_fn(|axis| match axis == own {
            true => self
                .places
                .iter()
                .map(|&place| vec![(place, 1.0)])
                .collect(),
            false => (0..to.dhw[axis]).map(|place| vec![(place, 1.0)]).collect(),
        });
        sums(cx, &to, &from, &table);
    }
}
