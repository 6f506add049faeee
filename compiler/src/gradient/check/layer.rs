//! One layer by itself.

use super::points::Points;
use super::{FLOOR, STEP};
use crate::gradient::{Gradients, NoGradient, Wanted, differentiate};
use crate::graph::{Def, Graph, Input, Output, Param, Value};
use crate::id::ParamId;
use crate::layer::Layer;
use crate::shape::Shape;
use crate::span::Span;
use cnnc_runtime::synthetic::Synthetic;
use ndarray::{ArrayD, IxDyn};

/// Directions over all elements of a tensor, and, of layers that are quickly computed, single elements.
const DIRECTIONS: usize = 2;
const SINGLE: usize = 8;

/// Elements or multiplications of a layer that is quickly computed.
const QUICK: u64 = 1 << 18;

/// Ranges of operands, as [`Points::operand`] takes them: up to 2 and to 8, beyond every kink there is.
const SPANS: [u32; 2] = [1, 3];

/// An operand or a tensor, and how far its gradient is from differences.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerError {
    /// `operand 0`, `weight`.
    pub of: String,
    /// The largest relative error; `None` where the layer gives it no gradient.
    pub error: Option<f64>,
}

/// What is differentiated: the layer, its operands and its tensors.
struct Probe<'l> {
    layer: &'l dyn Layer,
    operands: Vec<ArrayD<f64>>,
    params: Vec<ArrayD<f64>>,
    dy: ArrayD<f64>,
    /// What errors are relative to at least.
    floor: f64,
}

impl<'l> Probe<'l> {
    /// Of the layer that is alone in a graph.
    fn new(layer: &'l dyn Layer, graph: &Graph, span: u32, points: &mut Points) -> Probe<'l> {
        let dims = |value| graph.values[value].shape.dims();
        let mut probe = Probe {
            layer,
            operands: Vec::new(),
            params: graph.params.values().map(values).collect(),
            dy: points.direction(dims(graph.outputs[0].value)),
            floor: 0.0,
        };
        // Roots and powers are of positive numbers.
        for signed in [true, false] {
            let inputs = graph.inputs.iter();
            let operands = inputs.map(|input| points.operand(dims(input.value), span, signed));
            probe.operands = operands.collect();
            let result = probe.result();
            probe.floor = FLOOR * length(&(result * &probe.dy));
            if probe.floor.is_finite() {
                break;
            }
        }
        probe
    }

    /// The gradients of operands, then of tensors.
    fn gradients(&self, graph: &Graph, gradients: &Gradients) -> Vec<Option<ArrayD<f64>>> {
        let of = |name: &str| graph.params.values().position(|param| param.name == name);
        let params = |param: &Param| self.params[of(&param.name).expect("its tensor")].clone();
        let found = gradients.evaluate(&params, &self.operands, std::slice::from_ref(&self.dy));
        let mut all = found.inputs;
        let first = all.len();
        all.resize(first + self.params.len(), None);
        for (name, gradient) in found.params {
            all[first + of(&name).expect("its tensor")] = Some(gradient);
        }
        all
    }

    /// How far a gradient is from differences along a direction, relative to the terms that it adds up.
    fn error(&mut self, index: usize, gradient: &ArrayD<f64>, direction: &ArrayD<f64>) -> f64 {
        let terms = gradient * direction;
        match (terms.sum() - self.along(index, direction)).abs() {
            0.0 => 0.0,
            off => off / length(&terms).max(self.floor),
        }
    }

    fn result(&self) -> ArrayD<f64> {
        let operands: Vec<_> = self.operands.iter().collect();
        let params: Vec<_> = self.params.iter().collect();
        self.layer.evaluate(&operands, &params)
    }

    /// Operands, then tensors.
    fn tensor(&mut self, index: usize) -> &mut ArrayD<f64> {
        let operands = self.operands.len();
        match index.checked_sub(operands) {
            None => &mut self.operands[index],
            Some(index) => &mut self.params[index],
        }
    }

    /// What the result changes by along a direction of a tensor, by differences.
    fn along(&mut self, index: usize, direction: &ArrayD<f64>) -> f64 {
        let at = self.tensor(index).clone();
        let mut beside = |step: f64| {
            *self.tensor(index) = &at + &(direction * step);
            self.result()
        };
        // Differences first: they are small, and sums of them lose little.
        let change = beside(STEP) - beside(-STEP);
        *self.tensor(index) = at;
        (change * &self.dy).sum() / (2.0 * STEP)
    }
}

/// Checks a layer on operands of those shapes; `names` are those of its tensors, whose values they say.
///
/// # Errors
/// A layer without a gradient.
///
/// # Panics
/// On shapes that do not fit the layer.
pub fn layer(
    layer: &dyn Layer,
    operands: &[Shape],
    names: &[String],
) -> Result<Vec<LayerError>, NoGradient> {
    let graph = alone(layer, operands, names);
    let gradients = differentiate(&graph, &Wanted::all())?;
    let of = (0..operands.len()).map(|index| format!("operand {index}"));
    let params = graph.params.values().map(|param| param.role.to_owned());
    let entry = |of| LayerError { of, error: None };
    let mut errors: Vec<LayerError> = of.chain(params).map(entry).collect();
    let (_, node) = graph.live().next().expect("the layer");
    let elements: usize = operands.iter().map(Shape::elements).sum();
    let singles = match node.inferred.macs.max(elements as u64) <= QUICK {
        true => SINGLE,
        false => 0,
    };
    let mut points = Points::new(operands.len() as u64);
    for span in SPANS {
        let mut probe = Probe::new(layer, &graph, span, &mut points);
        let given = probe.gradients(&graph, &gradients);
        for (index, gradient) in given.iter().enumerate() {
            let Some(gradient) = gradient else { continue };
            for turn in 0..DIRECTIONS + singles {
                let direction = match turn < DIRECTIONS {
                    true => points.direction(gradient.shape()),
                    false => single(&mut points, gradient.shape()),
                };
                let error = probe.error(index, gradient, &direction);
                let worst = errors[index].error.unwrap_or(0.0);
                errors[index].error = Some(worse(worst, error));
            }
        }
    }
    // Statistics and constants have none.
    errors.retain(|entry| entry.error.is_some() || entry.of.starts_with("operand"));
    Ok(errors)
}

/// The larger of two errors; NaN is no agreement.
pub(super) fn worse(a: f64, b: f64) -> f64 {
    if a.is_nan() || a > b { a } else { b }
}

/// The root of the sum of squares.
fn length(tensor: &ArrayD<f64>) -> f64 {
    tensor.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// One element.
fn single(points: &mut Points, dims: &[usize]) -> ArrayD<f64> {
    let mut direction = ArrayD::zeros(IxDyn(dims));
    let place = points.below(direction.len());
    if let Some(element) = direction.iter_mut().nth(place) {
        *element = 1.0;
    }
    direction
}

/// A tensor's values: those of the spec, or those of its name.
pub(super) fn values(param: &Param) -> ArrayD<f64> {
    let values = match param.constants() {
        Some(values) => values.map(f64::from).collect(),
        None => {
            let synthetic = Synthetic::tensor(&param.name, &param.shape);
            let values = synthetic.values(param.elements());
            values.into_iter().map(f64::from).collect()
        }
    };
    ArrayD::from_shape_vec(IxDyn(&param.shape), values).expect("as many elements")
}

/// The graph of one layer, on operands of those shapes, with tensors of those names.
///
/// # Panics
/// On shapes that do not fit the layer.
pub fn alone(layer: &dyn Layer, operands: &[Shape], names: &[String]) -> Graph {
    let mut graph = Graph::default();
    let mut inputs = Vec::new();
    for (index, shape) in operands.iter().enumerate() {
        let value = graph.values.push(Value {
            shape: shape.clone(),
            def: Def::Input(index),
        });
        graph.inputs.push(Input {
            name: format!("x{index}"),
            value,
            pre: None,
            frames: None,
            hearing: None,
        });
        inputs.push(value);
    }
    let inferred = layer.infer(operands).expect("shapes that fit");
    let tensors = inferred.params.iter().zip(names);
    let params: Vec<ParamId> = tensors
        .map(|(spec, name)| {
            graph.params.push(Param {
                name: name.clone(),
                shape: spec.shape.clone(),
                role: spec.role,
                learned: spec.learned,
                literal: spec.literal.clone(),
                span: Span::none(),
            })
        })
        .collect();
    let label = "layer".to_owned();
    let node = graph.push_inferred(
        layer.clone_layer(),
        inputs,
        params,
        label,
        Span::none(),
        inferred,
    );
    graph.outputs.push(Output {
        name: "raw".to_owned(),
        value: graph.nodes[node].output,
    });
    graph
}
