//! `groupnorm`: groups of channels brought to mean 0 and variance 1.

use super::normalise::{EPS, Normal, affine};
use super::{
    ArgError, Args, Attributes, Decl, Inferred, Kind, Layer, Lowering, ParamDecl, ShapeError,
    Sliding,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::Lower;
use crate::op::sums::Together;
use crate::shape::Shape;
use ndarray::ArrayD;

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "groupnorm",
    doc: "Group normalisation: `(x − mean) / √(variance + eps) · weight + bias`, with mean and variance (of the population) over all pixels of a group \
          of adjacent channels; `weight` and `bias` are vectors of the channels. Wu and He 2018. `groupnorm 1` is what ConvNets call a layer norm \
          over the whole map.",
    params: &[
        ParamDecl {
            name: "groups",
            kind: Kind::Int,
            positional: true,
            default: None,
            doc: "Groups; a divisor of the channels.",
        },
        EPS,
        affine("on"),
    ],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 6x4x3; groupnorm 2",
        "input x: 34x5; groupnorm groups 2 eps 1e-3",
        "input x: 15x2x3x4; groupnorm 5 affine off",
        "input x: 18; groupnorm 3",
        "input x: 7x9x5; scale 3 shift 40; groupnorm 1",
        "input x: 3x24x20; conv 3x3 96 pad half; groupnorm 32 relu",
    ],
};

/// A group norm.
#[derive(Clone, Debug)]
pub struct GroupNorm {
    /// Groups.
    pub groups: usize,
    /// Its constants.
    pub normal: Normal,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let groups = args
        .positive("groups")?
        .ok_or_else(|| args.missing("groups"))?;
    let normal = Normal::build(args, true)?;
    Ok(Box::new(GroupNorm { groups, normal }))
}

impl Layer for GroupNorm {
    fn attributes(&self) -> (&'static str, Attributes) {
        let mut attributes = vec![("groups", self.groups.into())];
        attributes.extend(self.normal.attributes());
        (DECL.keyword, attributes)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let (x, groups) = (&inputs[0], self.groups);
        let channels = x.channels();
        if !channels.is_multiple_of(groups) {
            let message = format!("{channels} channels of {x} cannot be cut into {groups} groups");
            return Err(ShapeError::new(message).help(format!("choose a divisor of {channels}")));
        }
        self.normal.infer(DECL.keyword, x, x.elements() / groups)
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], params: &[&ArrayD<f64>]) -> ArrayD<f64> {
        self.normal.evaluate_groups(self.groups, inputs, params)
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        self.normal.gradient(g, Together::Groups(self.groups));
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn sliding(&self, _: &[Shape]) -> Sliding {
        Sliding::Fixed("normalises over all pixels of its operand".to_owned())
    }
}

impl Lowering for GroupNorm {
    fn lower(&self, cx: &mut Lower<'_>) {
        self.normal.lower_groups(cx, self.groups);
    }
}
