//! Receptive fields: which pixels of a picture an element of a map can depend on, by the shapes alone.
//!
//! Behind a window of `k` elements, dilated to a reach of `r`, at stride `s` with padding `p`, over a map whose elements begin at `first`, are `stride` pixels apart and see `extent` of them:
//!
//! ```text
//! first  ← first − p · stride        stride ← stride · s        extent ← extent + (r − 1) · stride
//! ```
//!
//! (Araujo, Norris and Sim 2019, Computing receptive fields of convolutional neural networks.) What sees all of its operand, as a dense layer or a global pool, sees all of the picture.

use crate::graph::{Graph, Node};
use crate::id::ValueId;
use crate::layer::Sliding;
use std::collections::HashMap;

/// What the elements of a map see of a picture along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The first pixel that element 0 sees: before the picture, where that is padded.
    pub first: i64,
    /// Pixels from one element to the next; 0 where all see the same.
    pub stride: i64,
    /// How many pixels an element sees.
    pub extent: usize,
}

/// What the elements of a map see: of depth, height and width.
pub type Field = [Seen; 3];

impl Seen {
    /// The pixels that an element sees, those beyond the picture's edges included.
    pub fn of(self, element: usize) -> std::ops::Range<i64> {
        let first = self.first + self.stride * element as i64;
        first..first + self.extent as i64
    }

    /// What sees as much as both.
    fn union(self, other: Seen) -> Seen {
        let end = |seen: Seen| seen.first + seen.extent as i64;
        let first = self.first.min(other.first);
        Seen {
            first,
            stride: if self.stride == other.stride {
                self.stride
            } else {
                0
            },
            extent: (end(self).max(end(other)) - first) as usize,
        }
    }
}

/// The fields of every tensor that is made of the first input, and of that itself.
pub fn fields(graph: &Graph) -> HashMap<ValueId, Field> {
    let picture = graph.inputs[0].value;
    let extents = graph.values[picture].shape.dhw();
    let whole = extents.map(|extent| Seen {
        first: 0,
        stride: 0,
        extent,
    });
    let pixel = [Seen {
        first: 0,
        stride: 1,
        extent: 1,
    }; 3];
    let mut fields = HashMap::from([(picture, pixel)]);
    for (_, node) in graph.live() {
        let operands = node
            .inputs
            .iter()
            .filter_map(|value| fields.get(value).copied());
        let all = |a: Field, b: Field| -> Field {
            std::array::from_fn(|axis| {
                match a[axis].stride == b[axis].stride && a[axis].stride > 0 {
                    true => a[axis].union(b[axis]),
                    false => whole[axis],
                }
            })
        };
        if let Some(field) = operands.reduce(all) {
            fields.insert(node.output, behind(graph, node, field, whole));
        }
    }
    fields
}

/// The field behind a layer.
fn behind(graph: &Graph, node: &Node, field: Field, whole: Field) -> Field {
    let operands = graph.operand_shapes(node);
    let Some(window) = node.layer.window() else {
        let own = matches!(node.layer.sliding(&operands), Sliding::Pixels);
        return if own { field } else { whole };
    };
    let placed = window.place(&operands[0]);
    let placed = placed.expect("infer accepted these operands");
    let reach = window.reach();
    std::array::from_fn(|axis| match field[axis] {
        Seen { stride: 0, .. } => whole[axis],
        Seen {
            first,
            stride,
            extent,
        } => Seen {
            first: first - placed.before[axis] as i64 * stride,
            stride: stride * window.stride[axis] as i64,
            extent: extent + (reach[axis] - 1) * stride as usize,
        },
    })
}
