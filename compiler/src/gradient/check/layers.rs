//! Layers, each by itself.

use super::points::Points;
use super::{FLOOR, STEP};
use crate::gradient::{NoGradient, Wanted, differentiate};
use crate::graph::{Def, Graph, Input, Node, Output, Param, ParamId, Shape, Span, Value};
use crate::layer::{Inferred, Layer, written};
use cnnc_runtime::synthetic::Synthetic;
use ndarray::{ArrayD, IxDyn};
use std::collections::HashMap;

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
}

impl Probe<'_> {
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
    let values: HashMap<&str, ArrayD<f64>> = graph
        .params
        .values()
        .map(|param| (&*param.name, values(param)))
        .collect();
    let inferred = layer.infer(operands).expect("shapes that fit");
    let params: Vec<&Param> = graph.params.values().collect();
    let of = (0..operands.len()).map(|index| format!("operand {index}"));
    let of = of.chain(params.iter().map(|param| param.role.to_owned()));
    let mut errors: Vec<LayerError> = of.map(|of| LayerError { of, error: None }).collect();
    let mut points = Points::new(operands.len() as u64);
    for span in SPANS {
        let mut probe = Probe {
            layer,
            operands: Vec::new(),
            params: params
                .iter()
                .map(|param| values[&*param.name].clone())
                .collect(),
            dy: points.direction(inferred.output.dims()),
        };
        // Roots and powers are of positive numbers.
        for signed in [true, false] {
            let tensors = operands.iter();
            probe.operands = tensors
                .map(|shape| points.operand(shape.dims(), span, signed))
                .collect();
            if probe.result().iter().all(|y| y.is_finite()) {
                break;
            }
        }
        let given = gradients.evaluate(
            &|param| values[&*param.name].clone(),
            &probe.operands,
            std::slice::from_ref(&probe.dy),
        );
        let mut of_params: HashMap<String, ArrayD<f64>> = given.params.into_iter().collect();
        let of_params = params.iter().map(|param| of_params.remove(&param.name));
        let given: Vec<_> = given.inputs.into_iter().chain(of_params).collect();
        let quick = operands.iter().map(Shape::elements).sum::<usize>() as u64;
        let singles = if quick.max(inferred.macs) <= QUICK {
            SINGLE
        } else {
            0
        };
        let floor = FLOOR * (probe.result() * &probe.dy).mapv(|x| x * x).sum().sqrt();
        for (index, gradient) in given.iter().enumerate() {
            let Some(gradient) = gradient else { continue };
            let dims = gradient.shape().to_vec();
            for turn in 0..DIRECTIONS + singles {
                let direction = match turn < DIRECTIONS {
                    true => points.direction(&dims),
                    false => single(&mut points, &dims),
                };
                let terms = gradient * &direction;
                let size = terms.mapv(|x| x * x).sum().sqrt().max(floor);
                let off = (terms.sum() - probe.along(index, &direction)).abs();
                let error = if off == 0.0 { 0.0 } else { off / size };
                let worst = errors[index].error.unwrap_or(0.0);
                // NaN is no agreement.
                let worse = error.is_nan() || error > worst;
                errors[index].error = Some(if worse { error } else { worst });
            }
        }
    }
    errors.retain(|entry| entry.error.is_some() || entry.of.starts_with("operand"));
    Ok(errors)
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

/// The graph of one layer.
fn alone(layer: &dyn Layer, operands: &[Shape], names: &[String]) -> Graph {
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

/// A layer of a network, and how far its gradient is from differences.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its label.
    pub label: String,
    /// As a spec writes it.
    pub layer: String,
    /// Shapes of its operands in the network.
    pub operands: Vec<Shape>,
    /// Shapes that it was checked on.
    pub checked: Vec<Shape>,
    /// What was found of each operand and tensor, or why there is no gradient.
    pub found: Result<Vec<LayerError>, NoGradient>,
}

impl Row {
    /// The largest error of all; infinite without a gradient.
    pub fn error(&self) -> f64 {
        let Ok(found) = &self.found else {
            return f64::INFINITY;
        };
        let errors = found.iter().filter_map(|entry| entry.error);
        errors.fold(0.0, |worst, error| {
            if error.is_nan() {
                error
            } else {
                worst.max(error)
            }
        })
    }
}

/// Checks every layer of a network, and tells of each that is done. Layers that are alike in all but their names are checked once.
pub fn network(graph: &Graph, mut tell: impl FnMut(usize, usize)) -> Vec<Row> {
    let mut known: HashMap<String, Result<Vec<LayerError>, NoGradient>> = HashMap::new();
    let mut rows = Vec::new();
    let nodes = graph.order.len();
    for (index, (_, node)) in graph.live().enumerate() {
        tell(index, nodes);
        let operands = graph.operand_shapes(node);
        let checked = cut(&*node.layer, &operands);
        let alike = format!("{:?} {checked:?}", node.layer.attributes());
        let found = known.entry(alike).or_insert_with(|| {
            let names = names(graph, node);
            layer(&*node.layer, &checked, &names)
        });
        let found = found.clone().map_err(|error| NoGradient {
            label: node.label.clone(),
            ..error
        });
        rows.push(Row {
            label: node.label.clone(),
            layer: written(&*node.layer),
            operands,
            checked,
            found,
        });
    }
    tell(nodes, nodes);
    rows
}

fn names(graph: &Graph, node: &Node) -> Vec<String> {
    let params = node.params.iter();
    params.map(|&id| graph.params[id].name.clone()).collect()
}

/// Extents that large operands are cut to: channels of a map and of a vector, and of pixels so many that what is left over by strides of 2, 3 and 4 stays.
const CHANNELS: usize = 16;
const VECTOR: usize = 96;
const PIXELS: usize = 9;
const PERIOD: usize = 12;

/// Operands that are no larger than they need to be, if the layer takes them.
fn cut(layer: &dyn Layer, operands: &[Shape]) -> Vec<Shape> {
    let fewer = |shape: &Shape| {
        let most = match shape.spatial() {
            [] => VECTOR,
            _ => CHANNELS,
        };
        shape.with_channels(shape.channels().min(most))
    };
    let smaller = |shape: &Shape| {
        let pixels = shape.spatial().iter().map(|&n| match n > PIXELS + PERIOD {
            true => PIXELS + (n - PIXELS) % PERIOD,
            false => n,
        });
        Shape::new(
            [shape.channels()]
                .into_iter()
                .chain(pixels)
                .collect::<Vec<_>>(),
        )
    };
    // Vectors that go with maps have their channels.
    let vectors = operands.iter().all(|shape| shape.spatial().is_empty());
    let narrow = |shape: &Shape| match vectors {
        true => fewer(shape),
        false => shape.with_channels(shape.channels().min(CHANNELS)),
    };
    let ways: [&dyn Fn(&Shape) -> Option<Shape>; 3] = [
        &|shape| narrow(&smaller(shape)?),
        &|shape| smaller(shape),
        &|shape| narrow(shape),
    ];
    let fits = |shapes: &Vec<Shape>| {
        let inferred = layer.infer(shapes);
        inferred.is_ok_and(|Inferred { output, .. }| output.elements() > 1 || shapes == operands)
    };
    let found = ways.iter().find_map(|way| {
        let shapes: Option<Vec<Shape>> = operands.iter().map(way).collect();
        shapes.filter(fits)
    });
    found.unwrap_or_else(|| operands.to_vec())
}
