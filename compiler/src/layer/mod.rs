//! Layers: what can be written in a spec, one file and one row of [`LAYERS`] each.
//!
//! A layer's file declares its keyword and documented parameters ([`Decl`]), its one shape rule
//! ([`Layer::infer`]), its plain evaluation in f64 ([`Layer::evaluate`]) and its lowering to loops
//! ([`Lowering::lower`]). Grammar, documentation, `summary`, hash and the law tests all come from the table.

pub mod abs;
pub mod adaptiveavgpool;
pub mod add;
pub mod argmax;
pub mod attribute;
pub mod avgpool;
pub mod axes;
pub mod bn;
pub mod celu;
pub mod choose;
pub mod clip;
pub mod concat;
pub mod constant;
pub mod conv;
pub mod convtranspose;
pub mod copy;
pub mod crop;
mod decl;
pub mod dense;
pub mod dropout;
pub mod elementwise;
pub mod elu;
pub mod epilogue;
pub mod exp;
pub mod flatten;
pub mod flip;
pub mod gather;
pub mod gelu;
pub mod globalpool;
pub mod gone;
pub mod gram;
pub mod grid;
pub mod groupnorm;
pub mod hardmax;
pub mod hardsigmoid;
pub mod hardswish;
pub mod instancenorm;
pub mod interpolation;
pub mod l2norm;
pub mod layernorm;
pub mod leaky;
pub mod local;
pub mod log;
pub mod lppool;
pub mod lrn;
pub mod matmul;
pub mod maxpool;
pub mod mish;
pub mod normalise;
pub mod pad;
pub mod padchannels;
pub mod permute;
pub(crate) mod phase;
pub mod pointwise;
pub mod pool;
pub mod pow;
pub mod power;
pub mod prelu;
pub mod reduce;
pub mod relu;
pub mod reshape;
pub mod resize;
pub mod roi;
pub mod roialign;
pub mod roipool;
pub mod rounding;
pub mod scale;
pub mod selu;
pub mod shrink;
pub mod shuffle;
pub mod sigmoid;
pub mod silu;
pub mod sin;
pub mod slice;
pub mod softmax;
pub mod softplus;
pub mod softsign;
pub mod space_to_depth;
pub mod sqrt;
pub mod subsample;
pub mod tanh;
pub mod tiled;

pub mod upsample;
pub mod window;
pub mod written;

pub use attribute::{Attribute, Attributes};
pub use written::written;

pub use crate::args::{ArgError, Args, Kind, Literal, ParamDecl, Spanned};
pub use decl::Decl;

use crate::gradient::{Adjoint, NoGradient};
use crate::limits;
use crate::lower::Lower;
use crate::shape::Shape;
use crate::words::grouped;
use cnnc_runtime::kernel::map::Step;
use epilogue::Epilogue;
use ndarray::ArrayD;
use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

/// Every layer of the language.
pub static LAYERS: &[&Decl] = &[
    &conv::DECL,
    &convtranspose::DECL,
    &local::DECL,
    &dense::DECL,
    &maxpool::DECL,
    &avgpool::DECL,
    &lppool::DECL,
    &globalpool::AVERAGE,
    &globalpool::MAX,
    &adaptiveavgpool::DECL,
    &roipool::DECL,
    &roialign::DECL,
    &gram::DECL,
    &bn::DECL,
    &instancenorm::DECL,
    &groupnorm::DECL,
    &layernorm::DECL,
    &lrn::DECL,
    &l2norm::DECL,
    &softmax::DECL,
    &softmax::LOG,
    &hardmax::DECL,
    &reduce::DECL,
    &argmax::MAX,
    &argmax::MIN,
    &relu::DECL,
    &leaky::DECL,
    &prelu::DECL,
    &clip::RELU6,
    &clip::CLIP,
    &sigmoid::DECL,
    &tanh::DECL,
    &silu::DECL,
    &hardswish::DECL,
    &hardsigmoid::DECL,
    &mish::DECL,
    &softplus::DECL,
    &softsign::DECL,
    &elu::DECL,
    &selu::DECL,
    &celu::DECL,
    &shrink::THRESHOLDED,
    &shrink::SHRINK,
    &gelu::DECL,
    &abs::DECL,
    &exp::DECL,
    &log::DECL,
    &sin::SIN,
    &sin::COS,
    &sin::ERF,
    &sqrt::DECL,
    &pow::DECL,
    &power::DECL,
    &rounding::FLOOR,
    &rounding::CEIL,
    &rounding::ROUND,
    &rounding::SIGN,
    &scale::DECL,
    &add::DECL,
    &elementwise::SUB,
    &elementwise::MUL,
    &elementwise::DIV,
    &elementwise::MAX,
    &elementwise::MIN,
    &elementwise::ABSDIFF,
    &elementwise::LESS,
    &elementwise::EQUAL,
    &choose::DECL,
    &matmul::DECL,
    &constant::DECL,
    &concat::DECL,
    &flatten::DECL,
    &reshape::DECL,
    &permute::DECL,
    &pad::DECL,
    &padchannels::DECL,
    &crop::DECL,
    &slice::DECL,
    &gather::DECL,
    &flip::DECL,
    &tiled::DECL,
    &subsample::DECL,
    &upsample::DECL,
    &resize::DECL,
    &space_to_depth::SPACE_TO_DEPTH,
    &space_to_depth::DEPTH_TO_SPACE,
    &shuffle::DECL,
    &dropout::DECL,
];

/// The layer of that keyword.
pub fn find(keyword: &str) -> Option<&'static Decl> {
    static KEYWORDS: LazyLock<HashMap<&str, &Decl>> =
        LazyLock::new(|| LAYERS.iter().map(|decl| (decl.keyword, *decl)).collect());
    KEYWORDS.get(keyword).copied()
}

/// Elements that a consumer reads beyond each edge of its input, all zero: `(before, after)` of depth, height, width.
pub type Halo = [(usize, usize); 3];

/// No halo.
pub const NO_HALO: Halo = [(0, 0); 3];

/// Extents of a tensor of that shape with a halo around it, channels first.
pub fn padded(shape: &Shape, halo: &Halo) -> Vec<usize> {
    let rank = shape.spatial().len();
    let extents = halo.iter().zip(shape.dhw()).skip(3 - rank);
    let extents =
        extents.map(|((before, after), n)| before.saturating_add(n).saturating_add(*after));
    std::iter::once(shape.channels()).chain(extents).collect()
}

/// Elements of a tensor of those extents; as many as can be counted where there are more.
pub fn elements(extents: &[usize]) -> usize {
    extents.iter().fold(1, |n: usize, &d| n.saturating_mul(d))
}

/// A tensor that a layer needs.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamSpec {
    /// `weight`, `bias`, `running_mean`, …: the last part of its name in a weights file.
    pub role: &'static str,
    /// Its shape, in PyTorch's order.
    pub shape: Vec<usize>,
    /// Whether it counts as a learned parameter.
    pub learned: bool,
    /// Values written in the spec, repeated until they fill the shape.
    pub literal: Option<Arc<[f32]>>,
}

impl ParamSpec {
    /// A learned tensor.
    pub fn learned(role: &'static str, shape: impl Into<Vec<usize>>) -> ParamSpec {
        ParamSpec {
            role,
            shape: shape.into(),
            learned: true,
            literal: None,
        }
    }
    /// A stored tensor that is not learned by gradient (running statistics).
    pub fn statistic(role: &'static str, shape: impl Into<Vec<usize>>) -> ParamSpec {
        ParamSpec {
            role,
            shape: shape.into(),
            learned: false,
            literal: None,
        }
    }
}

/// Everything static about a layer applied to shapes.
#[derive(Clone, Debug, PartialEq)]
pub struct Inferred {
    /// Shape of the result.
    pub output: Shape,
    /// Tensors it needs, in the order that [`Layer::evaluate`] gets them.
    pub params: Vec<ParamSpec>,
    /// Multiplications of convolutions and dense layers; 0 for all others.
    pub macs: u64,
    /// Zero padding wanted around each operand in memory; empty where none is.
    pub halo: Vec<Halo>,
    /// Parts that lowering computes by calls of their own, where windows are clipped differently or results have phases; else 1.
    pub pieces: usize,
}

impl Inferred {
    /// A layer without parameters, MACs or halo.
    pub fn plain(output: Shape) -> Inferred {
        Inferred {
            output,
            params: Vec::new(),
            macs: 0,
            halo: Vec::new(),
            pieces: 1,
        }
    }

    /// Checks what a layer asks for beyond its result: the zeros around its operands, its parameters, its work.
    ///
    /// # Errors
    /// What is beyond the [limits].
    pub fn check(&self, operands: &[Shape]) -> Result<(), ShapeError> {
        let most = grouped(limits::ELEMENTS);
        for (operand, halo) in operands.iter().zip(&self.halo) {
            let padded = padded(operand, halo);
            if elements(&padded) > limits::ELEMENTS {
                let padded = window::show(&padded);
                let message = format!("{operand} padded to {padded} has more than {most} elements");
                return Err(ShapeError::new(message).help("use less padding, or less dilation"));
            }
        }
        for ParamSpec { role, shape, .. } in &self.params {
            if elements(shape) > limits::ELEMENTS {
                let shape = window::show(shape);
                let message = format!("a `{role}` of {shape} has more than {most} elements");
                return Err(ShapeError::new(message));
            }
        }
        if self.macs > limits::MACS {
            let (macs, most) = (grouped(self.macs), grouped(limits::MACS));
            let message = format!("it takes {macs} multiplications, more than {most}");
            return Err(ShapeError::new(message));
        }
        Ok(())
    }
}

/// Why shapes do not fit a layer: the message, and a remedy if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeError {
    /// One sentence, lower case, naming the shapes that disagree.
    pub message: String,
    /// What would make it right.
    pub help: Option<String>,
}

impl ShapeError {
    /// An error without a remedy.
    pub fn new(message: impl Into<String>) -> ShapeError {
        ShapeError {
            message: message.into(),
            help: None,
        }
    }
    /// Adds a remedy.
    pub fn help(mut self, help: impl Into<String>) -> ShapeError {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ShapeError {}

/// What passes and the memory planner may know of a layer without knowing which one it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Role {
    /// Nothing.
    Opaque,
    /// Every element is mapped by itself, by these steps.
    Pointwise(Vec<Step>),
    /// The operands stand behind one another along this axis, channels first; along the channels they can be written in place.
    Concat(usize),
    /// The operands are added, element by element.
    Add,
    /// A batch norm, with the constants that are not tensors; its parameters are those of [`epilogue::Epilogue::params`].
    BatchNorm(epilogue::FoldedNorm),
    /// The operand becomes a vector, in that order.
    Flatten(dense::Order),
    /// The result is the operand (dropout at inference).
    Identity,
}

/// How a layer of a network for small pictures works on a larger one, so that what it makes of each window is among what it
/// makes of the picture; see [`crate::slide`].
#[derive(Clone, Debug)]
pub enum Sliding {
    /// Every pixel is treated alike and by itself: as it is.
    Pixels,
    /// A window without padding moves over the operand: this layer, by these steps.
    Window(Box<dyn Layer>, [usize; 3]),
    /// One thing is made of the whole operand: this layer makes it of each window of the operand's extents.
    Whole(Box<dyn Layer>),
    /// Not at all, for this reason: what follows on the layer's keyword in a sentence.
    Fixed(String),
}

/// A layer with its parameters bound to constants.
pub trait Layer: Any + fmt::Debug + Send + Sync + CloneLayer {
    /// Keyword in the language (row of [`LAYERS`]) and every parameter with the value in use, defaults
    /// included, in a canonical order: what `summary` shows, passes compare and the hash is made of.
    fn attributes(&self) -> (&'static str, Attributes);

    /// Its keyword.
    fn keyword(&self) -> &'static str {
        self.attributes().0
    }

    /// The one shape rule. It looks at nothing but shapes, and is asked often.
    ///
    /// # Errors
    /// Operands whose shapes do not fit.
    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError>;

    /// A layer that is written as a part of this one, and works on such an operand before it. This one is without that part then.
    ///
    /// # Errors
    /// Operands whose shape does not fit.
    fn before(&mut self, _operand: &Shape) -> Result<Option<Box<dyn Layer>>, ShapeError> {
        Ok(None)
    }

    /// The plain definition, in f64: the oracle. Operands have the shapes that `infer` accepted (channels first, no batch).
    fn evaluate(&self, inputs: &[&ArrayD<f64>], params: &[&ArrayD<f64>]) -> ArrayD<f64>;

    /// Its gradient: nodes that make cotangents of its operands, and gradients of its tensors, from the cotangent of its result.
    ///
    /// # Errors
    /// Operations of [`crate::op`], which no gradient is taken of, and layers that passes have changed.
    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        g.refuse("it is a part of a gradient itself")
    }

    /// How loops compute it; `None` for an operation that is evaluated only.
    fn lowering(&self) -> Option<&dyn Lowering> {
        None
    }

    /// What is done to its sums before they are stored, if passes may put something there.
    fn epilogue_mut(&mut self) -> Option<&mut Epilogue> {
        None
    }

    /// Whether it may be lowered for all images of a batch at once, so that its weights are read once for them: its result then is a
    /// single pixel of each image.
    fn reads_once(&self) -> bool {
        false
    }

    /// Whether it makes one result for all images of a batch: the sum of what it makes of each, or a mean.
    fn reduces(&self) -> bool {
        false
    }

    /// For layers that [add up](Layer::reduces): the definition, of the operands of each image.
    fn evaluate_all(&self, images: &[Vec<&ArrayD<f64>>], params: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let mut images = images
            .iter()
            .map(|operands| self.evaluate(operands, params));
        let first = images.next().expect("a batch has an image");
        images.fold(first, |sum, one| sum + one)
    }

    /// What others may know.
    fn role(&self) -> Role {
        Role::Opaque
    }

    /// The window that it moves over its operand, if that is what it does.
    fn window(&self) -> Option<&window::Window> {
        None
    }

    /// How it works on a larger operand than those, for which it was made.
    fn sliding(&self, _operands: &[Shape]) -> Sliding {
        match self.role() {
            Role::Pointwise(_) | Role::Identity => Sliding::Pixels,
            Role::BatchNorm(_) | Role::Add | Role::Concat(0) => Sliding::Pixels,
            Role::Concat(_) => Sliding::Fixed("puts pictures beside one another".to_owned()),
            Role::Flatten(_) => Sliding::Fixed("is not followed by a dense layer".to_owned()),
            Role::Opaque => Sliding::Fixed("depends on where in its operand a pixel is".to_owned()),
        }
    }
}

/// A layer that loops compute: every layer of the language.
pub trait Lowering {
    /// Emits the loops that compute the node which `cx` stands at. Never fails.
    fn lower(&self, cx: &mut Lower<'_>);

    /// For layers that [add up](Layer::reduces) over images: the operands of which numbers are taken as soon as an image has them, and how many for
    /// each channel of the first.
    fn gathers(&self) -> Option<(&'static [usize], usize)> {
        None
    }

    /// Emits what takes these numbers of one image, in [`Lower::gathered`].
    fn gather(&self, _cx: &mut Lower<'_>) {}
}

/// `Clone` and `Any` for boxed layers; implemented for every `Layer + Clone`.
pub trait CloneLayer {
    /// A copy.
    fn clone_layer(&self) -> Box<dyn Layer>;
    /// For downcasts by passes that are about one layer.
    fn as_any(&self) -> &dyn Any;
}

impl<T: Layer + Clone> CloneLayer for T {
    fn clone_layer(&self) -> Box<dyn Layer> {
        Box::new(self.clone())
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Clone for Box<dyn Layer> {
    fn clone(&self) -> Self {
        (**self).clone_layer()
    }
}

impl dyn Layer {
    /// The layer as that type, if it is one.
    pub fn downcast<T: Layer>(&self) -> Option<&T> {
        self.as_any().downcast_ref()
    }

    /// Emits the loops that compute the node which `cx` stands at.
    ///
    /// # Panics
    /// If there are none. No spec has such a layer, and the graphs of [`crate::gradient`], which have, do not leave it.
    pub(crate) fn lower(&self, cx: &mut Lower<'_>) {
        let loops = self.lowering();
        let loops = loops.unwrap_or_else(|| panic!("{self:?} is evaluated only"));
        loops.lower(cx);
    }
}
