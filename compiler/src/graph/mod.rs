//! The Graph: SSA values with static shapes, each made by one layer or given as an input.
//!
//! [`Graph::order`] is the schedule; a node that is not in it is dead. Nodes own their layer, so
//! a pass rewrites a graph by pushing nodes and editing `order`. Nothing here
//! knows what any layer computes.

mod answer;
mod dump;
mod verify;

pub use dump::dump;
pub use verify::verify;

use crate::id::{Map, NodeId, ParamId, ValueId};
use crate::layer::{Inferred, Layer, ShapeError};
use crate::shape::Shape;
use crate::span::Span;
use cnnc_runtime::image::PreProcess;
use cnnc_runtime::plan::Source;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// How many of the first components of a label are names of what it stands in.
const MAX_SCOPES: usize = 8;

/// What makes a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Def {
    /// The graph's input of that index.
    Input(usize),
    /// The node's output.
    Node(NodeId),
    /// A tensor of the network, as a vector in the order of its elements.
    Param(ParamId),
}

/// A tensor of the graph.
#[derive(Clone, Debug)]
pub struct Value {
    /// Its shape.
    pub shape: Shape,
    /// What makes it.
    pub def: Def,
}

/// A layer applied to values.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it computes.
    pub layer: Box<dyn Layer>,
    /// Its operands.
    pub inputs: Vec<ValueId>,
    /// Its parameters, in the order of [`Inferred::params`].
    pub params: Vec<ParamId>,
    /// Its result.
    pub output: ValueId,
    /// What the layer says of its operands.
    pub inferred: Inferred,
    /// Label path (`layer1.0.conv1`), unique among the live nodes; a fused node
    /// keeps the label of the one with the weights.
    pub label: String,
    /// Where it is written.
    pub span: Span,
}

/// A learned or literal tensor.
#[derive(Clone, Debug)]
pub struct Param {
    /// Name in the weights file.
    pub name: String,
    /// Shape in the weights file.
    pub shape: Vec<usize>,
    /// What it is to its layer: `weight`, `bias`, `running_mean`, …
    pub role: &'static str,
    /// Whether it counts as a learned parameter (running statistics and literals do not).
    pub learned: bool,
    /// Values written in the spec, in place of the file's; see [`Param::constants`].
    pub literal: Option<Arc<[f32]>>,
    /// Where its layer is written.
    pub span: Span,
}

impl Param {
    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// All elements in row-major order, if they are written in the spec: the literal, repeated as often as the shape has room for it.
    pub fn constants(&self) -> Option<impl Iterator<Item = f32>> {
        let literal = self.literal.as_ref()?;
        Some(literal.iter().copied().cycle().take(self.elements()))
    }
}

/// An input of the network.
#[derive(Clone, Debug)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// Its tensor.
    pub value: ValueId,
    /// How a picture becomes this input, if it has the shape of one.
    pub pre: Option<PreProcess>,
    /// How each frame of a video becomes a plane of this input, if it has the shape of some.
    pub frames: Option<PreProcess>,
    /// How a sound becomes this input, if it has the shape of one.
    pub hearing: Option<Hearing>,
}

/// How a sound becomes an input, as far as the spec says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hearing {
    /// Samples in a second that the network has learned; a sound's own if nothing is said.
    pub rate: Option<u32>,
    /// Samples from one frame to the next; without it a sound is its middle.
    pub hop: Option<u32>,
    /// Whether the mean of a frame is taken away, and what is left divided by its deviation.
    pub standardize: bool,
}

/// An output of the network.
#[derive(Clone, Debug)]
pub struct Output {
    /// `raw`, `probabilities`, … or the label that is tapped.
    pub name: String,
    /// Its tensor.
    pub value: ValueId,
}

/// A network.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// Name of the model.
    pub name: String,
    /// Doc comment of the model.
    pub doc: String,
    /// Tensors.
    pub values: Map<ValueId, Value>,
    /// Layers; those not in `order` are dead.
    pub nodes: Map<NodeId, Node>,
    /// Learned tensors.
    pub params: Map<ParamId, Param>,
    /// The schedule: every operand is made before it is used.
    pub order: Vec<NodeId>,
    /// Inputs, in the order of the spec.
    pub inputs: Vec<Input>,
    /// Outputs, `raw` first.
    pub outputs: Vec<Output>,
    /// Tensors that are labelled in the spec; for taps and tests, which look here before any pass runs.
    pub names: Vec<(String, ValueId)>,
    /// What turns the raw output into an answer.
    pub head: Option<crate::head::Head>,
    /// What tensors become in the end, each once; a network that is not trained has none.
    pub stores: Vec<(ParamId, ValueId)>,
}

impl Graph {
    /// Adds a node at the end of the schedule, with shapes inferred; parameters must exist.
    ///
    /// # Errors
    /// What [`Layer::infer`] and [`Inferred::check`] say.
    pub fn push(
        &mut self,
        layer: Box<dyn Layer>,
        inputs: Vec<ValueId>,
        params: Vec<ParamId>,
        label: String,
        span: Span,
    ) -> Result<NodeId, ShapeError> {
        let shapes = self.shapes(&inputs);
        let inferred = layer.infer(&shapes)?;
        inferred.check(&shapes)?;
        Ok(self.push_inferred(layer, inputs, params, label, span, inferred))
    }

    /// Adds a layer without tensors whose operands fit by construction, and returns its result.
    ///
    /// # Panics
    /// When they do not fit.
    pub(crate) fn apply(&mut self, layer: impl Layer, inputs: &[ValueId], label: &str) -> ValueId {
        let pushed = self.push(
            Box::new(layer),
            inputs.to_vec(),
            Vec::new(),
            label.to_owned(),
            Span::none(),
        );
        let node = pushed.unwrap_or_else(|error| panic!("{label} does not fit: {error}"));
        self.nodes[node].output
    }

    /// Adds a node that was inferred from its operands' shapes.
    pub(crate) fn push_inferred(
        &mut self,
        layer: Box<dyn Layer>,
        inputs: Vec<ValueId>,
        params: Vec<ParamId>,
        label: String,
        span: Span,
        inferred: Inferred,
    ) -> NodeId {
        use crate::id::Id;
        let id = NodeId::new(self.nodes.len());
        let output = self.values.push(Value {
            shape: inferred.output.clone(),
            def: Def::Node(id),
        });
        self.nodes.push(Node {
            layer,
            inputs,
            params,
            output,
            inferred,
            label,
            span,
        });
        self.order.push(id);
        id
    }

    /// Infers a node anew, whose layer or whose operands are others now.
    ///
    /// # Errors
    /// As [`Graph::push`]; then nothing has changed.
    pub(crate) fn infer(&mut self, id: NodeId) -> Result<(), ShapeError> {
        let node = &self.nodes[id];
        let shapes = self.shapes(&node.inputs);
        let inferred = node.layer.infer(&shapes)?;
        inferred.check(&shapes)?;
        self.values[node.output].shape = inferred.output.clone();
        self.nodes[id].inferred = inferred;
        Ok(())
    }

    /// Adds a tensor of the network as a value.
    pub fn push_param(&mut self, param: ParamId) -> ValueId {
        let elements = self.params[param].elements();
        self.values.push(Value {
            shape: Shape::new([elements]).expect("tensors are within the limits"),
            def: Def::Param(param),
        })
    }

    /// Adds an input.
    pub fn push_input(&mut self, name: impl Into<String>, shape: Shape) -> ValueId {
        let def = Def::Input(self.inputs.len());
        let value = self.values.push(Value { shape, def });
        self.inputs.push(Input {
            name: name.into(),
            value,
            pre: None,
            frames: None,
            hearing: None,
        });
        value
    }

    /// The live nodes, in order.
    pub fn live(&self) -> impl DoubleEndedIterator<Item = (NodeId, &Node)> {
        self.order.iter().map(|&id| (id, &self.nodes[id]))
    }

    /// The name of a value: an input's, or the label of the node that makes it.
    pub fn label_of(&self, value: ValueId) -> &str {
        match self.values[value].def {
            Def::Input(index) => &self.inputs[index].name,
            Def::Node(id) => &self.nodes[id].label,
            Def::Param(id) => &self.params[id].name,
        }
    }

    /// Learned parameters of the live nodes; shared ones count once.
    pub fn parameters(&self) -> u64 {
        let params = self
            .live()
            .flat_map(|(_, node)| node.params.iter().copied());
        let learned: BTreeSet<ParamId> = params.filter(|&id| self.params[id].learned).collect();
        let elements = |id: &ParamId| self.params[*id].shape.iter().product::<usize>() as u64;
        learned.iter().map(elements).sum()
    }

    /// The tensors that a weights file must have, in the order in which the spec writes their layers: files without
    /// names (darknet's) are read by it. A tensor that several layers share stands once.
    pub fn sources(&self) -> Vec<Source> {
        self.sources_named(|id| &self.params[id].name)
    }

    /// The same under other names.
    pub fn sources_named<'n>(&'n self, name: impl Fn(ParamId) -> &'n str) -> Vec<Source> {
        let params = self.live().flat_map(|(_, node)| &node.params);
        // Parameters are numbered as the text is read, whatever passes have done to the schedule.
        let params: BTreeSet<ParamId> = params.copied().collect();
        let mut names = BTreeSet::new();
        let wanted = |id: &ParamId| self.params[*id].literal.is_none() && names.insert(name(*id));
        let source = |id: ParamId| Source {
            name: name(id).to_owned().into(),
            shape: self.params[id].shape.clone().into(),
        };
        params.into_iter().filter(wanted).map(source).collect()
    }

    /// Multiplications of all convolutions and dense layers.
    pub fn macs(&self) -> u64 {
        self.live().map(|(_, node)| node.inferred.macs).sum()
    }

    /// Shapes of a node's operands.
    pub fn operand_shapes(&self, node: &Node) -> Vec<Shape> {
        self.shapes(&node.inputs)
    }

    /// Shapes of values.
    pub fn shapes(&self, values: &[ValueId]) -> Vec<Shape> {
        let shape = |&value: &ValueId| self.values[value].shape.clone();
        values.iter().map(shape).collect()
    }

    /// The tensors that have a name: of labelled chains, inputs, live nodes, and what labels stand in (a block, a turn of a loop,
    /// a shared network), whose tensor is its last; they come in this order.
    fn labelled(&self) -> impl Iterator<Item = (&str, ValueId)> {
        let named = self.names.iter().map(|(name, value)| (&**name, *value));
        let inputs = self.inputs.iter().map(|input| (&*input.name, input.value));
        let nodes = self.live().map(|(_, node)| (&*node.label, node.output));
        let scopes = self.order.iter().rev().flat_map(|&id| {
            let node = &self.nodes[id];
            let dots = node.label.match_indices('.').take(MAX_SCOPES);
            dots.map(|(at, _)| (&node.label[..at], node.output))
        });
        named.chain(inputs).chain(nodes).chain(scopes)
    }

    /// The tensor of that name: of a labelled chain, an input, any live node, or what its label stands in.
    pub fn find(&self, name: &str) -> Option<ValueId> {
        let found = self.labelled().find(|(label, _)| *label == name);
        found.map(|(_, value)| value)
    }

    /// What [`Graph::find`] finds, for all labels at once.
    pub fn directory(&self) -> HashMap<&str, ValueId> {
        let mut directory = HashMap::new();
        for (label, value) in self.labelled() {
            directory.entry(label).or_insert(value);
        }
        directory
    }

    /// Whether the value leaves the network, or stays in one of its tensors.
    pub fn is_output(&self, value: ValueId) -> bool {
        self.outputs.iter().any(|output| output.value == value)
            || self.stores.iter().any(|&(_, stored)| stored == value)
    }

    /// Makes every reader of `old` (outputs and names too) read `new`.
    pub fn replace_uses(&mut self, old: ValueId, new: ValueId) {
        for &id in &self.order {
            for input in &mut self.nodes[id].inputs {
                if *input == old {
                    *input = new;
                }
            }
        }
        for output in &mut self.outputs {
            if output.value == old {
                output.value = new;
            }
        }
        let named = self.names.iter_mut().map(|(_, value)| value);
        let stored = self.stores.iter_mut().map(|(_, value)| value);
        for value in named.chain(stored) {
            if *value == old {
                *value = new;
            }
        }
    }
}
