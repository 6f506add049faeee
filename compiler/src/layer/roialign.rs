//! `roialign`: means of interpolated samples of each region, without rounding its corners.

use super::pointwise::larger;
use super::roi::{Regions, SIZE, SPATIAL_SCALE};
use super::{
    ArgError, Args, Attributes, Decl, Inferred, Kind, Layer, Lowering, ParamDecl, ShapeError, grid,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::Lower;
use crate::op::along::Terms;
use crate::op::regions::RoiAlignInput;
use crate::shape::Shape;
use cnnc_runtime::kernel::RoiAlignCall;
use ndarray::ArrayD;

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "roialign",
    doc: "RoI align of Mask R-CNN (He et al. 2017), as torchvision and Detectron define it: each region of a map, cut into bins without rounding, and the \
          mean of `samples × samples` bilinear samples of each bin. Operands and result are those of `roipool`. A sample more than one element outside the map is 0, one \
          less far outside is moved to the edge.",
    params: &[
        SIZE,
        SPATIAL_SCALE,
        ParamDecl {
            name: "samples",
            kind: Kind::Int,
            positional: false,
            default: Some("2"),
            doc: "Samples of a bin along each axis (torchvision's `sampling_ratio`; a number that depends on the region, its 0 or -1, is not offered).",
        },
        ParamDecl {
            name: "aligned",
            kind: Kind::Flag,
            positional: false,
            default: Some("off"),
            doc: "Whether pixels are points in the middle of their square: corners are moved by half an element, and a region may be smaller than one.",
        },
        ParamDecl {
            name: "largest",
            kind: Kind::Flag,
            positional: false,
            default: Some("off"),
            doc: "Instead of the mean, the largest of what the four elements around each sample count for, as ONNX's `max` has it; a sample outside the map \
                  counts for 0.",
        },
    ],
    operands: (2, 2),
    build,
    samples: &[
        "input x: 5x9x8; input r: 6x4; roialign(x, r) 3x3 spatial_scale 4",
        "input x: 17x6x7; input r: 3x5; b: route r scale 9; roialign(x, b) 2x4 spatial_scale 0.5 samples 3 aligned",
        "input x: 3x12x12; input r: 16x4; b: route r scale 40 shift -10; f: route x conv 3x3 33; roialign(f, b) 7 aligned; conv 1x7x7 5",
        "input x: 9x8x7; input r: 5x4; b: route r scale 7; roialign(x, b) 3x2 samples 2 largest",
    ],
};

/// Most samples of a bin along an axis.
const MAX_SAMPLES: usize = 64;

/// RoI align.
#[derive(Clone, Debug)]
pub struct RoiAlign {
    /// What regions are, and what they become.
    pub regions: Regions,
    /// Samples of a bin along each axis.
    pub samples: usize,
    /// Whether pixels are points in the middle of their square.
    pub aligned: bool,
    /// Whether the largest of what the elements around samples count for is taken, instead of the samples' mean.
    pub largest: bool,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let samples = args.positive("samples")?.unwrap_or(2);
    if samples > MAX_SAMPLES {
        let message = format!("`samples` must be at most {MAX_SAMPLES}, but is {samples}");
        return Err(args.error("samples", message));
    }
    Ok(Box::new(RoiAlign {
        regions: Regions::from_args(args)?,
        samples,
        aligned: args.flag("aligned")?.unwrap_or(false),
        largest: args.flag("largest")?.unwrap_or(false),
    }))
}

impl RoiAlign {
    /// The samples of a bin along an axis of `limit` elements: weights of the elements.
    fn samples(&self, i: usize, bins: usize, corners: [f64; 2], limit: usize) -> Vec<Terms> {
        let [first, last] = corners.map(|x| if self.aligned { x - 0.5 } else { x });
        let size = if self.aligned {
            last - first
        } else {
            (last - first).max(1.0)
        };
        let bin = size / bins as f64;
        let sample = |k: usize| {
            let at = first + (i as f64 + (k as f64 + 0.5) / self.samples as f64) * bin;
            if !(-1.0..=limit as f64).contains(&at) {
                return Vec::new();
            }
            let at = at.clamp(0.0, (limit - 1) as f64);
            let along = at - at.floor();
            let mut weights = vec![(at.floor() as usize, 1.0 - along)];
            // A neighbour of weight zero is none, whatever it holds.
            if along > 0.0 {
                weights.push((at.ceil() as usize, along));
            }
            weights
        };
        (0..self.samples).map(sample).collect()
    }

    /// What the elements around the samples of a bin count for, sample by sample and row by row: each element and its weight, or no element.
    pub(crate) fn counted([down, along]: &[Vec<Terms>; 2]) -> Vec<Option<([usize; 2], f64)>> {
        let mut all = Vec::new();
        for rows in down {
            for columns in along {
                let before = all.len();
                for &(y, row) in rows {
                    for &(x, column) in columns {
                        all.push(Some(([y, x], row * column)));
                    }
                }
                // An element of weight zero, or beside the map, counts for nothing.
                if all.len() < before + 4 {
                    all.push(None);
                }
            }
        }
        all
    }

    /// The samples of a bin of a region along height and width, of a map of those extents; `None` if a corner is NaN.
    pub(crate) fn weights(
        &self,
        regions: &ArrayD<f64>,
        region: usize,
        [h, w]: [usize; 2],
        [_, height, width]: [usize; 3],
    ) -> Option<[Vec<Terms>; 2]> {
        let corners = self.regions.corners(regions, region);
        let [rows, columns] = self.regions.size;
        (!corners.broken()).then(|| {
            [
                self.samples(h, rows, corners.y, height),
                self.samples(w, columns, corners.x, width),
            ]
        })
    }
}

impl Layer for RoiAlign {
    fn attributes(&self) -> (&'static str, Attributes) {
        let mut attributes = self.regions.attributes();
        attributes.push(("samples", self.samples.into()));
        attributes.push(("aligned", self.aligned.into()));
        if self.largest {
            attributes.push(("largest", true.into()));
        }
        (DECL.keyword, attributes)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        self.regions
            .infer(DECL.keyword, inputs)
            .map(Inferred::plain)
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let shapes = [grid::shape(inputs[0]), grid::shape(inputs[1])];
        let output = self.infer(&shapes).expect("infer accepted it").output;
        let extents = shapes[0].dhw();
        grid::tabulate(&output, |[c, n, h, w]| {
            let Some(weights) = self.weights(inputs[1], n, [h, w], extents) else {
                return f64::NAN;
            };
            if self.largest {
                let parts = Self::counted(&weights).into_iter();
                let parts =
                    parts.map(|one| one.map_or(0.0, |([y, x], w)| w * inputs[0][[c, y, x]]));
                return parts.fold(f64::NEG_INFINITY, |most, part| larger(part, most));
            }
            let [down, along] = weights;
            let mut sum = 0.0;
            for (y, row) in down.iter().flatten() {
                for (x, column) in along.iter().flatten() {
                    sum += row * column * inputs[0][[c, *y, *x]];
                }
            }
            sum / (self.samples * self.samples) as f64
        })
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        if g.wants(0) {
            let dx = g.push(RoiAlignInput(self.clone()), &[g.x(0), g.x(1), g.dy()]);
            g.give(0, dx);
        }
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }
}

impl Lowering for RoiAlign {
    fn lower(&self, cx: &mut Lower<'_>) {
        self.regions.lower(cx, |grid| RoiAlignCall {
            grid,
            samples: self.samples,
            aligned: self.aligned,
            largest: self.largest,
        });
    }
}
