//! Kinds of layers, each with a colour.

use cnnc_compiler::graph::{Graph, Node};
use cnnc_compiler::layer::Role;

/// Text.
pub const INK: &str = "#1f2933";
/// Text that matters less.
pub const FAINT: &str = "#5f6f7f";
/// Arrows.
pub const ARROW: &str = "#7b8794";
/// What everything stands on.
pub const PAPER: &str = "#ffffff";
/// What stands in an open block stands on this.
pub const FRAME: &str = "#f8fafc";

/// Each colour, and what stands in its place for those who prefer it dark: what is light on dark becomes dark on light.
pub const DARK: &[(&str, &str)] = &[
    (INK, "#e6edf3"),
    (FAINT, "#a3b3c2"),
    (ARROW, "#8b98a5"),
    (PAPER, "#11161d"),
    (FRAME, "#181f28"),
    ("#37474f", "#cfd8dc"),
    ("#263238", "#eceff1"),
    ("#dbe9fb", "#1d3351"),
    ("#4a86c8", "#5b9be0"),
    ("#e6defa", "#33274f"),
    ("#7e57c2", "#a283e0"),
    ("#fde3d6", "#4a2b1b"),
    ("#dd7543", "#e08a5c"),
    ("#d9f1ec", "#17403a"),
    ("#3a9b8a", "#4fb8a5"),
    ("#fdf3cd", "#433813"),
    ("#c9a227", "#d4b13c"),
    ("#e1f1d8", "#26401b"),
    ("#6aa84f", "#7fbf63"),
    ("#eceff1", "#2a3238"),
    ("#90a4ae", "#8ea1ab"),
    ("#f3f6fa", "#1f2833"),
    ("#4f6378", "#8fa6bd"),
];

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
