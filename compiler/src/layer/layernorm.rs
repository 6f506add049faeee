//! `layernorm`: the channels of each pixel brought to mean 0 and variance 1.

use super::normalise::{Normal, affine};
use super::{
    ArgError, Args, Attributes, Decl, Inferred, Kind, Layer, Lowering, ParamDecl, ShapeError,
    Sliding,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::Lower;
use crate::op::sums::Together;
use crate::shape::Shape;
use ndarray::{ArrayD, Axis};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "layernorm",
    doc: "Layer normalisation: `(x − mean) / √(variance + eps) · weight + bias`, with mean and variance (of the population) over the channels; `weight` \
          and `bias` are vectors of the channels. Ba et al. 2016. A map has to say `over channels`: each pixel by itself, as ConvNeXt's `LayerNorm2d` \
          does. PyTorch's `LayerNorm` of a whole map is another layer, with a factor for each element; without these it is `groupnorm 1 affine off`.",
    params: &[
        ParamDecl {
            name: "over",
            kind: Kind::Word(&["channels"]),
            positional: false,
            default: Some("channels of a vector"),
            doc: "What mean and variance are over; a map has to say it.",
        },
        ParamDecl {
            name: "eps",
            kind: Kind::Float,
            positional: false,
            default: Some("1e-5"),
            doc: "Added to the variance. 1e-5 is PyTorch's; ConvNeXt uses 1e-6.",
        },
        affine("on"),
    ],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 17; layernorm",
        "input x: 5x4x3; layernorm over channels eps 1e-6",
        "input x: 33x7; scale 3 shift 40; layernorm over channels affine off",
        "input x: 8x2x3x4; layernorm over channels",
        "input x: 3x24x20; conv 4x4 96 /4; layernorm over channels; gelu",
    ],
};

/// A layer norm.
#[derive(Clone, Debug)]
pub struct LayerNorm {
    /// Whether the spec says that it is over the channels.
    pub says: bool,
    /// Its constants.
    pub normal: Normal,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let says = args.word("over").is_some();
    let normal = Normal::build(args, true)?;
    Ok(Box::new(LayerNorm { says, normal }))
}

impl Layer for LayerNorm {
    fn attributes(&self) -> (&'static str, Attributes) {
        // Of a vector, where nothing needs to be said, it is the same.
        let mut attributes = vec![("over", "channels".into())];
        attributes.extend(self.normal.attributes());
        (DECL.keyword, attributes)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let x = &inputs[0];
        if !self.says && !x.spatial().is_empty() {
            let message = format!("`layernorm` of the map {x} does not say what it is over");
            return Err(ShapeError::new(message).help(
                "`layernorm over channels` normalises each pixel by itself, `groupnorm 1` all pixels together",
            ));
        }
        self.normal.infer(DECL.keyword, x, x.channels())
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], params: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let mut result = inputs[0].clone();
        for pixel in result.lanes_mut(Axis(0)) {
            self.normal.normalise(pixel.into_dyn());
        }
        self.normal.shift(result, params)
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        self.normal.gradient(g, Together::Channels);
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn sliding(&self, _: &[Shape]) -> Sliding {
        Sliding::Pixels
    }
}

impl Lowering for LayerNorm {
    fn lower(&self, cx: &mut Lower<'_>) {
        self.normal.lower_pixels(cx);
    }
}
