//! `roipool`: the largest elements of each region, in as many bins for all.

use super::pointwise::larger;
use super::roi::{Regions, SIZE, SPATIAL_SCALE};
use super::{ArgError, Args, Attributes, Decl, Inferred, Layer, Lowering, ShapeError, grid};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::Lower;
use crate::op::regions::RoiPoolInput;
use crate::shape::Shape;
use cnnc_runtime::kernel::RoiPoolCall;
use ndarray::{ArrayD, s};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "roipool",
    doc: "RoI pooling of Fast R-CNN (Girshick 2015): each region of a map, cut into bins, and the largest element of each bin. Operands: the map, \
          `C×H×W`, and `N×4` regions, rows `x1, y1, x2, y2` in pixels of the picture (or `N×5`, behind an index that is not \
          looked at). The result is `C×N×h×w`. Corners are multiplied by `spatial_scale` and rounded, and both belong to the region; bin `i` of `h` over \
          `n` rows is `⌊i·n/h⌋ .. ⌈(i+1)·n/h⌉`, clipped to the map; an empty bin is 0. A region with a corner that is NaN becomes NaN.",
    params: &[SIZE, SPATIAL_SCALE],
    operands: (2, 2),
    build,
    samples: &[
        "input x: 5x9x8; input r: 6x4; roipool(x, r) 3x3 spatial_scale 4",
        "input x: 17x6x7; input r: 3x5; b: route r scale 9; roipool(x, b) 2x4 spatial_scale 0.5",
        "input x: 3x12x12; input r: 16x4; b: route r scale 40 shift -10; f: route x conv 3x3 33; roipool(f, b) 7; conv 1x7x7 5",
    ],
};

/// RoI pooling.
#[derive(Clone, Debug)]
pub struct RoiPool(
    /// What regions are, and what they become.
    pub Regions,
);

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    Ok(Box::new(RoiPool(Regions::from_args(args)?)))
}

/// Further out than any map reaches.
const FAR: f64 = (1u32 << 24) as f64;

/// The elements of a bin, inside a map of `limit` elements.
fn bin(i: usize, bins: usize, corners: [f64; 2], limit: usize) -> std::ops::Range<usize> {
    // Infinity is as far outside as anything is.
    let [first, last] = corners.map(|x| x.round().clamp(-FAR, FAR));
    let size = (last - first + 1.0).max(1.0);
    let edge = |x: f64| x.clamp(0.0, limit as f64) as usize;
    // Multiplied first: whole numbers stay exact.
    let from = (i as f64 * size / bins as f64).floor();
    let to = ((i + 1) as f64 * size / bins as f64).ceil();
    edge(first + from)..edge(first + to)
}

impl RoiPool {
    /// Rows and columns of a bin of a region, of a map of those extents; `None` if a corner is NaN.
    pub(crate) fn bins(
        &self,
        regions: &ArrayD<f64>,
        region: usize,
        [h, w]: [usize; 2],
        [_, height, width]: [usize; 3],
    ) -> Option<[std::ops::Range<usize>; 2]> {
        let corners = self.0.corners(regions, region);
        let [rows, columns] = self.0.size;
        let bins = [
            bin(h, rows, corners.y, height),
            bin(w, columns, corners.x, width),
        ];
        (!corners.broken()).then_some(bins)
    }
}

impl Layer for RoiPool {
    fn attributes(&self) -> (&'static str, Attributes) {
        (DECL.keyword, self.0.attributes())
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        self.0.infer(DECL.keyword, inputs).map(Inferred::plain)
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let shapes = [grid::shape(inputs[0]), grid::shape(inputs[1])];
        let output = self.infer(&shapes).expect("infer accepted it").output;
        let extents = shapes[0].dhw();
        grid::tabulate(&output, |[c, n, h, w]| {
            let Some([h, w]) = self.bins(inputs[1], n, [h, w], extents) else {
                return f64::NAN;
            };
            if h.is_empty() || w.is_empty() {
                return 0.0;
            }
            let seen = inputs[0].slice(s![c, h, w]);
            seen.fold(f64::NEG_INFINITY, |most, &x| larger(x, most))
        })
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        if g.wants(0) {
            let dx = g.push(RoiPoolInput(self.clone()), &[g.x(0), g.x(1), g.dy()]);
            g.give(0, dx);
        }
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }
}

impl Lowering for RoiPool {
    fn lower(&self, cx: &mut Lower<'_>) {
        self.0.lower(cx, |grid| RoiPoolCall { grid });
    }
}
