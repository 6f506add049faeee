//! Sliding windows made convolutional: a network for small pictures becomes one that answers for every window of a larger
//! picture in one pass.
//!
//! What two windows share is computed once (Sermanet et al. 2013, OverFeat; Long et al. 2015): convolutions and pools move on over the larger
//! operand, and a layer that sees all of its operand, such as the first dense layer, becomes a window of the extents that it saw.
//! Two windows are as far apart as the product of the strides on the way:
//!
//! ```text
//!     conv 5x5     1x32x32   6x28x28         1x32x48   6x28x44
//!     avgpool 2x2            6x14x14   /2              6x14x22
//!     conv 5x5               16x10x10                  16x10x18
//!     avgpool 2x2            16x5x5    /4              16x5x9
//!     dense 10               10                        10x1x5      a window of 5x5: answers at columns 0, 4, 8, 12, 16
//! ```
//!
//! The answer of a window is exactly what the network says to that window alone, so a layer for which that cannot be had is refused: padding
//! inside the network would be zeros at a window's border, but pixels of the picture where windows are not cut out.

use crate::graph::{Graph, Node};
use crate::id::ValueId;
use crate::layer::Sliding;
use crate::layer::crop::Crop;
use crate::layer::window::show;
use crate::note::Notes;
use crate::pass::{self, PASSES};
use crate::shape::Shape;
use cnnc_runtime::image::PreProcess;
use std::collections::HashMap;
use std::fmt;

/// A network that slides.
#[derive(Clone, Debug)]
pub struct Slid {
    /// The network on the larger picture.
    pub graph: Graph,
    /// Extents of a window: the picture that the network was written for.
    pub window: Vec<usize>,
    /// From one window to the next, in pixels.
    pub stride: Vec<usize>,
    /// Number of windows along each axis; outputs that were vectors have these extents.
    pub positions: Vec<usize>,
}

/// Why a network cannot slide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlideError {
    /// It has several inputs.
    Inputs(usize),
    /// The extents are not those of a picture for this input.
    Extents {
        /// Shape of the input.
        input: Shape,
        /// What was asked for.
        extents: Vec<usize>,
    },
    /// A layer cannot.
    Fixed {
        /// Its label.
        label: String,
        /// Its keyword.
        layer: &'static str,
        /// Why not.
        why: String,
    },
}

impl fmt::Display for SlideError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SlideError::Inputs(count) => {
                write!(
                    f,
                    "a network with {count} inputs cannot slide over a picture"
                )
            }
            SlideError::Extents { input, extents } => write!(
                f,
                "a network for {input} cannot slide over a picture of {}: that is no larger one",
                show(extents)
            ),
            SlideError::Fixed { label, layer, why } => {
                write!(f, "`{label}` cannot slide: `{layer}` {why}")
            }
        }
    }
}

impl std::error::Error for SlideError {}

/// The network on a picture of those spatial extents (`[height, width]`), of which all windows give their answers at once.
///
/// # Errors
/// Extents that are too small, or a layer that cannot slide.
pub fn slide(graph: &Graph, extents: &[usize]) -> Result<Slid, SlideError> {
    let [input] = &graph.inputs[..] else {
        return Err(SlideError::Inputs(graph.inputs.len()));
    };
    let input = input.value;
    let shape = graph.values[input].shape.clone();
    let window = shape.spatial().to_vec();
    let larger = window
        .iter()
        .zip(extents)
        .all(|(window, extent)| window <= extent);
    let mut dims = vec![shape.channels()];
    dims.extend(extents);
    let Some(picture) =
        Shape::new(dims).filter(|_| larger && !window.is_empty() && window.len() == extents.len())
    else {
        let extents = extents.to_vec();
        return Err(SlideError::Extents {
            input: shape,
            extents,
        });
    };
    let mut graph = graph.clone();
    // A dense layer on the vector that `flatten` makes has to know of the pixels.
    let wanted = ["drop_identity", "fold_flatten"];
    for pass in PASSES.iter().filter(|pass| wanted.contains(&pass.name)) {
        pass::run(pass, &mut graph, &mut Notes::default());
    }
    let strides = steps(&mut graph, input)?;
    let stride = &strides[3 - window.len()..];
    let windows = extents.iter().zip(&window).zip(stride);
    let positions: Vec<usize> = windows
        .map(|((extent, window), stride)| (extent - window) / stride + 1)
        .collect();
    // What is left over behind the last window would only be in the way.
    let used: Vec<usize> = (positions.iter().zip(&window).zip(stride))
        .map(|((positions, window), stride)| (positions - 1) * stride + window)
        .collect();
    graph.values[input].shape = picture;
    if used != extents {
        cut(&mut graph, input, used);
    }
    infer(&mut graph)?;
    if let &[height, width] = extents {
        for input in &mut graph.inputs {
            input.pre = input.pre.take().map(|pre| PreProcess {
                steps: Vec::new().into(),
                width,
                height,
                ..pre
            });
        }
    }
    if let Err(problems) = crate::graph::verify(&graph) {
        panic!("slide broke {}: {}", graph.name, problems.join("; "));
    }
    let stride = stride.to_vec();
    Ok(Slid {
        graph,
        window,
        stride,
        positions,
    })
}

fn fixed(node: &Node, why: impl Into<String>) -> SlideError {
    SlideError::Fixed {
        label: node.label.clone(),
        layer: node.layer.keyword(),
        why: why.into(),
    }
}

/// Puts in place of every layer the one that slides; gives the distance of two windows of the outputs, which is how many pixels of the
/// picture are one pixel of a tensor, the same for all of them.
fn steps(graph: &mut Graph, input: ValueId) -> Result<[usize; 3], SlideError> {
    let mut steps: HashMap<ValueId, [usize; 3]> = HashMap::from([(input, [1; 3])]);
    for id in graph.order.clone() {
        let node = &graph.nodes[id];
        let operands = graph.operand_shapes(node);
        let step = steps[&node.inputs[0]];
        for (value, shape) in node.inputs.iter().zip(&operands) {
            if steps[value] != step {
                return Err(fixed(node, "combines tensors of different strides"));
            }
            if shape.dhw() != operands[0].dhw() {
                let why = "combines single pixels with what all of a window has in common";
                return Err(fixed(node, why));
            }
        }
        let (layer, step) = match node.layer.sliding(&operands) {
            Sliding::Pixels => (None, step),
            Sliding::Window(layer, stride) => {
                let step: [usize; 3] =
                    std::array::from_fn(|axis| step[axis].saturating_mul(stride[axis]));
                (Some(layer), step)
            }
            Sliding::Whole(layer) => (Some(layer), step),
            Sliding::Fixed(why) => return Err(fixed(node, why)),
        };
        steps.insert(node.output, step);
        if let Some(layer) = layer {
            graph.nodes[id].layer = layer;
        }
    }
    let raw = steps[&graph.outputs[0].value];
    for (_, node) in graph.live() {
        if graph.is_output(node.output) && steps[&node.output] != raw {
            return Err(fixed(
                node,
                "has another stride than the network's raw output",
            ));
        }
    }
    Ok(raw)
}

/// Cuts what is behind the last window off the picture.
fn cut(graph: &mut Graph, input: ValueId, size: Vec<usize>) {
    let at = Some(vec![0; size.len()]);
    let layer = Box::new(Crop { size, at });
    let span = graph.live().next().expect("a network has layers").1.span;
    let node = graph
        .push(
            layer,
            vec![input],
            Vec::new(),
            "slide.crop".to_owned(),
            span,
        )
        .unwrap_or_else(|error| panic!("slide: {error}"));
    graph.order.pop();
    let output = graph.nodes[node].output;
    graph.replace_uses(input, output);
    graph.order.insert(0, node);
}

/// Infers every shape anew.
fn infer(graph: &mut Graph) -> Result<(), SlideError> {
    for id in graph.order.clone() {
        let inferred = graph.infer(id);
        inferred.map_err(|error| {
            let why = format!("cannot be so large: {error}");
            fixed(&graph.nodes[id], why)
        })?;
    }
    Ok(())
}
