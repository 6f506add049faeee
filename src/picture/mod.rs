//! Pictures of networks, for `cnnc graph`.
//!
//! ```text
//! Graph + Outline ──parts──▶ Tree ──collapse──▶ Diagram ──arrange──▶ Scene
//!                                      (repeat)    │       (layout)   │
//!                                                  │                 drawing ──▶ SVG, pixels
//!                                                  └──▶ Mermaid, DOT
//! ```
//!
//! A diagram has a box for each layer, together with the activation and normalisation behind it, or for each block; boxes
//! of one kind that stand one behind the other are drawn once. How far blocks are opened is the viewer's choice; without one, as far
//! as the picture still fits a screen.

mod arrange;
mod collapse;
pub(crate) mod describe;
mod diagram;
mod dot;
mod drawing;
mod family;
mod layout;
mod mermaid;
#[cfg(feature = "drawing")]
mod painted;
mod parts;
pub(crate) mod repeat;
mod svg;
mod text;
mod units;

use arrange::{arrange, strain};
use cnnc_compiler::graph::Graph;
use cnnc_compiler::outline::Outline;
use diagram::Diagram;
pub(crate) use parts::Tree;
use std::fmt;
use units::Detail;
pub(crate) use units::{Context, Unit};

/// How much of a network a picture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum View {
    /// Blocks are opened as far as the picture fits a screen.
    #[default]
    Auto,
    /// So many levels of blocks are opened; repetitions are drawn once.
    Depth(usize),
    /// Every layer is there, repeated ones too.
    Everything,
}

/// A network, drawn.
#[derive(Clone, Debug)]
pub struct Picture {
    heading: drawing::Heading,
    diagram: Diagram,
}

/// The picture would have too many boxes and arrows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooLarge {
    /// Number of boxes.
    pub boxes: usize,
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a picture of {} boxes is too large to draw", self.boxes)
    }
}

impl std::error::Error for TooLarge {}

/// Most boxes in a picture.
const MAX_BOXES: usize = 4_000;

impl Picture {
    /// The picture of a network.
    ///
    /// # Errors
    /// When it would be too large.
    pub fn new(graph: &Graph, outline: &Outline, view: View) -> Result<Picture, TooLarge> {
        let tree = Tree::new(graph, outline);
        let context = Context::of_network(graph);
        let heading = describe::heading(&context);
        let diagram = match view {
            View::Everything => context.diagram(
                &tree,
                Detail {
                    depth: usize::MAX,
                    fold: false,
                    loose: false,
                },
            ),
            View::Depth(depth) => context.diagram(
                &tree,
                Detail {
                    depth,
                    fold: true,
                    loose: false,
                },
            ),
            View::Auto => fitting(&context, &tree),
        };
        let boxes = diagram.boxes();
        if boxes > MAX_BOXES || arrange(&diagram).is_none() {
            return Err(TooLarge { boxes });
        }
        Ok(Picture { heading, diagram })
    }

    /// As SVG, for browsers and documents.
    pub fn to_svg(&self) -> String {
        svg::svg(&self.drawing())
    }

    /// As pixels, so many for one of SVG, or fewer if that would be too large; `None` if it is too large all the same.
    #[cfg(feature = "drawing")]
    pub fn to_pixels(&self, scale: f64) -> Option<cnnc_runtime::image::Picture> {
        painted::pixels(&self.drawing(), scale)
    }

    fn drawing(&self) -> drawing::Drawing {
        let scene = arrange(&self.diagram).unwrap_or_default();
        drawing::draw(&scene, &self.heading)
    }

    /// As a flowchart of Mermaid.
    pub fn to_mermaid(&self) -> String {
        mermaid::mermaid(&self.diagram)
    }

    /// As DOT, for Graphviz.
    pub fn to_dot(&self) -> String {
        dot::dot(&self.heading.name, &self.diagram)
    }

    /// Names of its boxes, each as `--tap` takes it; empty for a part without a name of its own.
    pub fn names(&self) -> Vec<&str> {
        self.diagram.names()
    }

    /// Number of boxes.
    pub fn boxes(&self) -> usize {
        self.diagram.boxes()
    }
}

/// The most open diagram that fits a screen, or the one that comes nearest.
fn fitting(context: &Context<'_>, tree: &Tree) -> Diagram {
    let mut best: Option<(f64, Diagram)> = None;
    for depth in (0..=tree.depth()).rev() {
        for loose in [false, true] {
            let detail = Detail {
                depth,
                fold: true,
                loose,
            };
            let diagram = context.diagram(tree, detail);
            let strain = match diagram.boxes() {
                // Hopeless, and slow to find out.
                boxes if boxes > 400 => f64::from(boxes as u32),
                _ => arrange(&diagram).map_or(f64::INFINITY, |scene| strain(&scene)),
            };
            if strain <= 1.0 {
                return diagram;
            }
            if best.as_ref().is_none_or(|(least, _)| strain < *least) {
                best = Some((strain, diagram));
            }
        }
    }
    best.map(|(_, diagram)| diagram).unwrap_or_default()
}

#[cfg(test)]
mod tests;
