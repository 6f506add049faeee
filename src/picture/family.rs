//! Kinds of layers, each with a colour.

use cnnc_compiler::graph::{Graph, Node};
use cnnc_compiler::layer::Role;

/// What a box stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Family {
    /// Where data enters or leaves.
    Port,
    /// A convolution: multiplications, and a result with extents.
    Convolution,
    /// A dense layer: multiplications, and a vector.
    Dense,
    /// Pooling.
    Pool,
    /// Normalisation.
    Norm,
    /// A function of each element.
    Activation,
    /// Several tensors become one.
    Join,
    /// Everything else: shapes, slices, resampling.
    Shape,
    /// Several layers in one box.
    Block,
}

impl Family {
    /// The family of a layer, by what it does: a new layer has its colour without being listed here.
    pub fn of(graph: &Graph, node: &Node) -> Family {
        let keyword = node.layer.keyword();
        let output = &graph.values[node.output].shape;
        match node.layer.role() {
            Role::Pointwise(_) => Family::Activation,
            Role::BatchNorm(_) => Family::Norm,
            Role::Concat(_) | Role::Add => Family::Join,
            Role::Flatten(_) | Role::Identity => Family::Shape,
            Role::Opaque if node.inferred.macs > 0 => match output.spatial().is_empty() {
                true => Family::Dense,
                false => Family::Convolution,
            },
            Role::Opaque if keyword.contains("pool") => Family::Pool,
            Role::Opaque if matches!(keyword, "lrn" | "l2norm") => Family::Norm,
            Role::Opaque if matches!(keyword, "softmax" | "prelu") => Family::Activation,
            Role::Opaque if node.inputs.len() > 1 => Family::Join,
            Role::Opaque => Family::Shape,
        }
    }

    /// Its name in the legend.
    pub fn name(self) -> &'static str {
        match self {
            Family::Port => "input, output",
            Family::Convolution => "convolution",
            Family::Dense => "dense",
            Family::Pool => "pooling",
            Family::Norm => "normalisation",
            Family::Activation => "activation",
            Family::Join => "join",
            Family::Shape => "shape",
            Family::Block => "block",
        }
    }

    /// Fill and outline, as `#rrggbb`.
    pub fn colours(self) -> (&'static str, &'static str) {
        match self {
            Family::Port => ("#37474f", "#263238"),
            Family::Convolution => ("#dbe9fb", "#4a86c8"),
            Family::Dense => ("#e6defa", "#7e57c2"),
            Family::Pool => ("#fde3d6", "#dd7543"),
            Family::Norm => ("#d9f1ec", "#3a9b8a"),
            Family::Activation => ("#fdf3cd", "#c9a227"),
            Family::Join => ("#e1f1d8", "#6aa84f"),
            Family::Shape => ("#eceff1", "#90a4ae"),
            Family::Block => ("#f3f6fa", "#4f6378"),
        }
    }
}
