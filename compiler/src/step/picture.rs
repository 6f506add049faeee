//! Steps that change a picture: the network stays as it is, and its input is the one tensor that is learned.
//!
//! ```text
//! [picture] ──▶ network ──▶ map ──▶ cost ◀── target, weights        Gatys et al. 2015; Erhan et al. 2009; Simonyan et al. 2013
//!     ▲                               │ d(cost): what the cost counts
//!     └──────── update ◀── gradient ◀─┘
//! ```
//!
//! Every cost is `Σ weight · of(map, target)`. Targets, weights and what each cost counts are inputs, so that one program serves every picture, every style and every unit of a layer.

use super::{Step, Untrainable};
use crate::gradient::{Wanted, differentiate};
use crate::graph::{Graph, Output, Param};
use crate::id::{ParamId, ValueId};
use crate::layer::crop::Crop;
use crate::layer::dropout::Dropout;
use crate::layer::elementwise::{Elementwise, Op};
use crate::layer::gram::{Divide, Gram};
use crate::layer::{ParamSpec, ShapeError};
use crate::op::deviation::Deviation;
use crate::op::parameter::Parameter;
use crate::op::total::Total;
use crate::recipe::Optimizer;
use crate::shape::Shape;
use crate::span::Span;
use cnnc_runtime::kernel::Deviation as Of;
use std::collections::BTreeSet;
use std::fmt;

/// What the tensor of the picture is to its layer.
const ROLE: &str = "picture";

/// What a picture costs, by one of the network's tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// `Σ w · (F − T)²` of a map F: content (Gatys et al. 2015, eq. 1, where w is ½).
    Content(ValueId),
    /// `Σ w · (G − T)²` of the Gram matrix G of a map, divided by its positions: style (the same, eq. 4, where w is `1 / 4C²`).
    Style(ValueId),
    /// `Σ w · F` of a map F: what excites units, by negative weights (Erhan et al. 2009), or what a class depends on.
    Linear(ValueId),
    /// `Σ w · (p − q)²` of the picture's pixels p and their neighbours q below (Mahendran and Vedaldi 2015, eq. 5).
    Columns,
    /// The same of the neighbours to the right.
    Rows,
}

/// Why a network cannot be put on a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoPicture {
    /// It has several inputs.
    Inputs(usize),
    /// Its input is not the shape of a picture.
    Shape {
        /// Its name.
        name: String,
        /// Its shape.
        shape: Shape,
    },
    /// A layer does not take a picture of that size.
    Fixed {
        /// Its label.
        label: String,
        /// Height and width.
        extents: [usize; 2],
        /// Why not.
        why: String,
        /// Whether it is too small.
        small: bool,
    },
}

impl fmt::Display for NoPicture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoPicture::Inputs(count) => {
                write!(f, "a network with {count} inputs takes no single picture")
            }
            NoPicture::Shape { name, shape } => {
                write!(
                    f,
                    "the input `{name}` is {shape}, which is not the shape of a picture"
                )
            }
            NoPicture::Fixed {
                label,
                extents: [height, width],
                why,
                ..
            } => write!(
                f,
                "`{label}` does not take a picture of {width}x{height}: {why}"
            ),
        }
    }
}

impl std::error::Error for NoPicture {}

/// The part of a network that makes these tensors, on a picture of that height and width. Values keep their numbers, and the first tensor is the output `raw`.
///
/// # Errors
/// A network without a picture, or a layer that does not take one of that size.
pub fn on_picture(
    network: &Graph,
    tensors: &[ValueId],
    extents: [usize; 2],
) -> Result<Graph, NoPicture> {
    let [input] = &network.inputs[..] else {
        return Err(NoPicture::Inputs(network.inputs.len()));
    };
    let value = input.value;
    let shape = &network.values[value].shape;
    let dims = [shape.channels(), extents[0], extents[1]];
    let is_picture = shape.spatial().len() == 2 && matches!(dims[0], 1 | 3);
    let Some(picture) = Shape::new(dims).filter(|_| is_picture) else {
        return Err(NoPicture::Shape {
            name: input.name.clone(),
            shape: shape.clone(),
        });
    };
    let mut part = network.clone();
    (part.head, part.names) = (None, Vec::new());
    part.outputs = outputs(tensors);
    prune(&mut part);
    part.values[value].shape = picture;
    for id in part.order.clone() {
        let inferred = part.infer(id);
        let node = &part.nodes[id];
        let fixed = |why: String, small| NoPicture::Fixed {
            label: node.label.clone(),
            extents,
            why,
            small,
        };
        inferred.map_err(|ShapeError { message, .. }| fixed(message, true))?;
        let tensors = node.inferred.params.iter().zip(&node.params);
        for (needed, id) in tensors {
            let own = &part.params[*id];
            if own.shape != needed.shape {
                let [height, width] = network.values[value].shape.spatial() else {
                    unreachable!("a picture has two extents");
                };
                let why = format!("its weights are for one of {width}x{height}");
                return Err(fixed(why, false));
            }
        }
    }
    for input in &mut part.inputs {
        input.pre = input.pre.take().map(|pre| cnnc_runtime::image::PreProcess {
            steps: Vec::new().into(),
            height: extents[0],
            width: extents[1],
            ..pre
        });
    }
    Ok(part)
}

/// These tensors as outputs, each once.
fn outputs(tensors: &[ValueId]) -> Vec<Output> {
    let mut outputs: Vec<Output> = Vec::new();
    for &value in tensors {
        let name = match outputs.len() {
            0 => "raw".to_owned(),
            number => format!("raw.{number}"),
        };
        outputs.push(Output { name, value });
    }
    outputs
}

fn prune(graph: &mut Graph) {
    crate::pass::run(&crate::pass::remove_dead(), graph, &mut Default::default());
}

impl Cost {
    /// The tensor of the network that it is of; of the picture itself there is none.
    pub fn tensor(self) -> Option<ValueId> {
        match self {
            Cost::Content(value) | Cost::Style(value) | Cost::Linear(value) => Some(value),
            Cost::Columns | Cost::Rows => None,
        }
    }

    /// Pushes what is compared, of its tensor or of the picture.
    fn compared(self, graph: &mut Graph, value: ValueId, index: usize) -> ValueId {
        let label = |what: &str| format!("cost.{index}~{what}");
        match self {
            Cost::Content(_) | Cost::Linear(_) => value,
            Cost::Style(_) => graph.apply(
                Gram {
                    divide: Divide::Mean,
                },
                &[value],
                &label("gram"),
            ),
            Cost::Columns | Cost::Rows => {
                let mut size = graph.values[value].shape.spatial().to_vec();
                let axis = usize::from(self == Cost::Rows);
                size[axis] -= 1;
                let mut at = vec![0; size.len()];
                let mut crop = |at: &[usize], what: &str| {
                    let layer = Crop {
                        size: size.clone(),
                        at: Some(at.to_vec()),
                    };
                    graph.apply(layer, &[value], &label(what))
                };
                let here = crop(&at, "here");
                at[axis] = 1;
                let there = crop(&at, "there");
                graph.apply(Elementwise(Op::Sub), &[there, here], &label("apart"))
            }
        }
    }

    fn of(self) -> Of {
        match self {
            Cost::Linear(_) => Of::Linear,
            _ => Of::Squared,
        }
    }
}

impl Step {
    /// A step that changes the picture on which a network is, as [`on_picture`] puts it there, by what it costs. The network is at inference, and none of its tensors changes.
    ///
    /// Inputs are, for each cost, its target and its weights, both of the shape of what is compared; then what each cost counts; then the factors of the optimiser. Outputs are the costs; what is
    /// compared is [`Step::made`]. The picture is [`Step::picture_of`] among what stays.
    ///
    /// # Errors
    /// A layer without a gradient, or no cost that depends on the picture.
    ///
    /// # Panics
    /// When there are no costs, or the network has several inputs. A picture that has neighbours' costs has two rows and two columns.
    pub fn picture(
        network: &Graph,
        costs: &[Cost],
        optimizer: &Optimizer,
    ) -> Result<Step, Untrainable> {
        let own = network.inputs[0].value;
        let tensors: Vec<ValueId> = costs
            .iter()
            .map(|cost| cost.tensor().unwrap_or(own))
            .collect();
        let (mut graph, tensors) = with_picture(network, &tensors);
        let mut made = Vec::new();
        for (index, (cost, value)) in costs.iter().zip(tensors).enumerate() {
            made.push(cost.compared(&mut graph, value, index));
        }
        let mut values = Vec::new();
        for (index, (cost, &z)) in costs.iter().zip(&made).enumerate() {
            let shape = graph.values[z].shape.clone();
            let target = graph.push_input(format!("target.{index}"), shape.clone());
            let weight = graph.push_input(format!("weight.{index}"), shape);
            let layer = Deviation {
                of: cost.of(),
                bend: 0.0,
                total: Total::Sum,
            };
            values.push(graph.apply(layer, &[z, target, weight], &format!("cost.{index}")));
        }
        graph.outputs = outputs(&values);
        prune(&mut graph);
        let targets = graph.inputs.len();
        let wanted = Wanted {
            inputs: 0,
            params: &|param| param.role == ROLE,
        };
        let (mut graph, gradients) = differentiate(&graph, &wanted)?.into_parts();
        let [(param, gradient)] = gradients[..] else {
            return Err(Untrainable::Nothing);
        };
        // What is compared stays a tensor of its own, whatever is fused.
        graph.outputs = outputs(&[values, made].concat());
        let shared: Vec<ValueId> = graph.inputs.iter().map(|input| input.value).collect();
        let mut step = Step::of(graph, Vec::new(), &shared);
        (step.targets, step.cotangents) = (targets, costs.len());
        step.keep(BTreeSet::new());
        step.gradients.push((param, gradient));
        optimizer.update(&mut step, param, gradient, true);
        let all: Vec<ValueId> = step.graph.inputs.iter().map(|input| input.value).collect();
        crate::pass::fuse(&mut step.graph);
        let made = step.graph.outputs.split_off(costs.len());
        step.made = made.into_iter().map(|output| output.value).collect();
        step.sort_values(&all);
        step.verified()?;
        Ok(step)
    }

    /// Where among what stays a picture is that the step changes.
    pub fn picture_of(&self) -> Option<usize> {
        let is_it = |id: &ParamId| self.graph.params[*id].role == ROLE;
        self.state.iter().position(is_it)
    }
}

/// The network with its picture as a tensor of its own and without dropouts, and what has become of these values.
fn with_picture(network: &Graph, tensors: &[ValueId]) -> (Graph, Vec<ValueId>) {
    let mut graph = network.clone();
    (graph.head, graph.names) = (None, Vec::new());
    graph.outputs = outputs(tensors);
    let input = graph.inputs.remove(0);
    assert!(graph.inputs.is_empty(), "a network of one picture");
    let shape = graph.values[input.value].shape.clone();
    let param = graph.params.push(Param {
        name: input.name.clone(),
        shape: shape.dims().to_vec(),
        role: ROLE,
        learned: true,
        literal: None,
        span: Span::none(),
    });
    let layer = Parameter {
        tensor: ParamSpec::learned(ROLE, shape.dims()),
        shape,
    };
    let pushed = graph.push(
        Box::new(layer),
        Vec::new(),
        vec![param],
        input.name,
        Span::none(),
    );
    let node = pushed.expect("a picture is a tensor");
    graph.order.pop();
    graph.order.insert(0, node);
    let picture = graph.nodes[node].output;
    graph.replace_uses(input.value, picture);
    let dropouts = graph
        .live()
        .filter(|(_, node)| node.layer.downcast::<Dropout>().is_some());
    let dropouts: Vec<_> = dropouts.map(|(id, _)| id).collect();
    for id in dropouts {
        let (value, before) = (graph.nodes[id].output, graph.nodes[id].inputs[0]);
        graph.replace_uses(value, before);
    }
    let tensors = graph.outputs.iter().map(|output| output.value).collect();
    (graph, tensors)
}
