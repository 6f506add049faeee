//! What a layer's gradient rule sees and does: the node it stands at, the cotangent of its result, and nodes to push.

use super::tape::Tape;
use crate::graph::{Node, Param};
use crate::id::ParamId;
use crate::id::ValueId;
use crate::layer::add::Add;
use crate::layer::elementwise::{Elementwise, Op};
use crate::layer::epilogue::Epilogue;
use crate::layer::reduce::Reduce;
use crate::layer::reshape::Reshape;
use crate::layer::scale::Scale;
use crate::layer::{Layer, ParamSpec};
use crate::op::parameter::Parameter;
use crate::op::sums::PixelSum;
use crate::shape::Shape;
use std::fmt;

/// Why a layer has no gradient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoGradient {
    /// Label of the node.
    pub label: String,
    /// What follows on the layer's keyword in a sentence.
    pub why: String,
}

impl fmt::Display for NoGradient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` has no gradient: {}", self.label, self.why)
    }
}

impl std::error::Error for NoGradient {}

/// One step of the way back. A rule asks what is [wanted](Adjoint::wants), pushes nodes on `x`, `y`, `dy` and the layer's
/// tensors, and [gives](Adjoint::give) what they make; what is given several times is added up.
///
/// What a rule pushes is of the layer's own making: that it does not fit is a bug of the compiler, which panics with the node's label.
pub struct Adjoint<'t> {
    pub(super) tape: &'t mut Tape,
    pub(super) node: Node,
    pub(super) dy: ValueId,
}

impl Adjoint<'_> {
    /// Number of operands.
    pub fn operands(&self) -> usize {
        self.node.inputs.len()
    }

    /// Operand `i`.
    pub fn x(&self, i: usize) -> ValueId {
        self.node.inputs[i]
    }

    /// The result.
    pub fn y(&self) -> ValueId {
        self.node.output
    }

    /// The cotangent of the result.
    pub fn dy(&self) -> ValueId {
        self.dy
    }

    /// The layer's tensor `i`, for an operation that takes it as its own.
    pub fn param(&self, i: usize) -> ParamId {
        self.node.params[i]
    }

    /// Shape of the layer's tensor `i`.
    pub fn param_shape(&self, i: usize) -> &[usize] {
        &self.tape.graph.params[self.param(i)].shape
    }

    /// Shape of a value.
    pub fn shape(&self, value: ValueId) -> Shape {
        self.tape.graph.values[value].shape.clone()
    }

    /// Whether anything depends on the cotangent of operand `i`.
    pub fn wants(&self, i: usize) -> bool {
        self.tape.wanted.contains(&self.x(i))
    }

    /// Whether the gradient of the layer's tensor `i` is wanted.
    pub fn wants_param(&self, i: usize) -> bool {
        self.tape.wanted_params.contains(&self.param(i))
    }

    /// Adds a node.
    pub fn push(&mut self, layer: impl Layer, inputs: &[ValueId]) -> ValueId {
        self.push_with(layer, inputs, &[])
    }

    /// Adds a node that has tensors of this layer as its own.
    pub fn push_with(
        &mut self,
        layer: impl Layer,
        inputs: &[ValueId],
        params: &[ParamId],
    ) -> ValueId {
        let Node { label, span, .. } = &self.node;
        self.tape
            .push(Box::new(layer), inputs, params, label, *span)
    }

    /// Gives operand `i` a cotangent, which has its shape.
    pub fn give(&mut self, i: usize, value: ValueId) {
        let (x, label) = (self.x(i), &self.node.label);
        assert_eq!(self.shape(value), self.shape(x), "{label}: operand {i}");
        self.tape.given.entry(x).or_default().push(value);
    }

    /// Gives the layer's tensor `i` a gradient, which is a vector in the order of the tensor's elements or has the tensor's shape. It is of one sample:
    /// those of a batch are added up.
    pub fn give_param(&mut self, i: usize, value: ValueId) {
        let (param, label) = (self.param(i), &self.node.label);
        let flat = crate::op::flat(&self.tape.graph.params[param].shape);
        assert_eq!(
            self.shape(value).elements(),
            flat.elements(),
            "{label}: tensor {i}"
        );
        let value = self.reshape(value, &flat);
        self.tape.given_params.entry(param).or_default().push(value);
    }

    /// The layer's tensor `i` as a value of that shape, repeated until it fills it.
    pub fn tensor(&mut self, i: usize, shape: &Shape) -> ValueId {
        let param = self.param(i);
        let Param {
            role, shape: dims, ..
        } = &self.tape.graph.params[param];
        let layer = Parameter {
            tensor: ParamSpec::learned(role, dims.clone()),
            shape: shape.clone(),
        };
        self.push_with(layer, &[], &[param])
    }

    /// The layer's tensor `i`, a vector with a number for each of the result's channels, or a single number for all of them.
    pub fn channels(&mut self, i: usize) -> ValueId {
        let channels = self.shape(self.y()).channels();
        let vector = Shape::new([channels]).expect("no larger than the result");
        self.tensor(i, &vector)
    }

    /// `a + b`
    pub fn add(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.push(Add::plain(), &[a, b])
    }

    /// `a − b`
    pub fn sub(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.push(Elementwise(Op::Sub), &[a, b])
    }

    /// `a · b`
    pub fn mul(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.push(Elementwise(Op::Mul), &[a, b])
    }

    /// `a / b`
    pub fn div(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.push(Elementwise(Op::Div), &[a, b])
    }

    /// `factor · a + shift`
    pub fn scale(&mut self, a: ValueId, factor: f64, shift: f64) -> ValueId {
        self.push(Scale { factor, shift }, &[a])
    }

    /// A vector: the sum of each channel over all pixels.
    pub fn pixel_sum(&mut self, a: ValueId) -> ValueId {
        match self.shape(a).spatial() {
            [] => a,
            _ => self.push(PixelSum, &[a]),
        }
    }

    /// Gives a tensor that is added to every pixel of the result, channel by channel, its gradient.
    pub fn give_shift(&mut self, param: usize) {
        if self.wants_param(param) {
            let sum = self.pixel_sum(self.dy());
            self.give_param(param, sum);
        }
    }

    /// The same elements in that shape.
    pub fn reshape(&mut self, a: ValueId, shape: &Shape) -> ValueId {
        match self.shape(a) == *shape {
            true => a,
            false => {
                let dims = shape.dims().to_vec();
                self.push(Reshape { dims }, &[a])
            }
        }
    }

    /// Gives operand `i` what is of the result's shape: an operand that is repeated gets the sum of what its repetitions have.
    pub fn give_repeated(&mut self, i: usize, value: ValueId) {
        let (shape, result) = (self.shape(self.x(i)), self.shape(value));
        let vector = shape.dhw() == [1; 3] && shape.channels() == result.channels();
        let value = match vector {
            _ if result.elements() == shape.elements() => value,
            true => self.pixel_sum(value),
            false => {
                let repeated = |axis: &usize| {
                    let own = shape.dims().get(*axis).copied().unwrap_or(1);
                    own != result.dims()[*axis]
                };
                let axes = (0..result.dims().len()).filter(repeated).collect();
                self.push(Reduce::sum(axes), &[value])
            }
        };
        let value = self.reshape(value, &shape);
        self.give(i, value);
    }

    /// Gives operand `i`, if that is wanted, what is made of the result's shape, as [`Adjoint::give_repeated`].
    pub fn give_wanted(&mut self, i: usize, make: impl FnOnce(&mut Self) -> ValueId) {
        if self.wants(i) {
            let value = make(self);
            self.give_repeated(i, value);
        }
    }

    /// Whether the layer is as it was written.
    ///
    /// # Errors
    /// A pass has put something into its epilogue.
    pub fn unfused(&self, epilogue: &Epilogue) -> Result<(), NoGradient> {
        match *epilogue == Epilogue::default() {
            true => Ok(()),
            false => self.refuse("it has become one with the layers behind it"),
        }
    }

    /// The error of a rule that does not apply.
    ///
    /// # Errors
    /// Always.
    pub fn refuse<T>(&self, why: impl Into<String>) -> Result<T, NoGradient> {
        Err(NoGradient {
            label: self.node.label.clone(),
            why: why.into(),
        })
    }
}
