//! What the layers on regions share: their operands, their shape rule, their call.
//!
//! A region is a box in a picture; its share of a feature map is brought to the same extents as every other's. The second
//! operand holds the regions as rows `x1, y1, x2, y2`, in pixels of the picture: `N×4`. Regions of `N×5` begin
//! with the index of a picture, as in Caffe and PyTorch; there is one picture, so the index is not looked at. The result has the
//! regions as its depth, `C×N×h×w`, so that what follows is written as for one region: `conv 1x7x7 4096`
//! is the dense layer on every region.

use super::{ArgError, Args, Attribute, Attributes, Kind, ParamDecl, ShapeError};
use crate::loops::{Access, Affine};
use crate::lower::Lower;
use crate::shape::Shape;
use cnnc_runtime::kernel::{KernelCall, Pixels, RoiGrid};
use ndarray::ArrayD;

/// Declaration of the result's extents.
pub const SIZE: ParamDecl = ParamDecl {
    name: "size",
    kind: Kind::Dims,
    positional: true,
    default: None,
    doc: "Extents that each region is brought to: `7x7`.",
};

/// Declaration of the map's scale.
pub const SPATIAL_SCALE: ParamDecl = ParamDecl {
    name: "spatial_scale",
    kind: Kind::Float,
    positional: false,
    default: Some("1"),
    doc: "Extent of a picture's pixel in the map: `0.0625` for a map at stride 16.",
};

/// What every layer on regions is told.
#[derive(Clone, Debug)]
pub struct Regions {
    /// Extents of the result.
    pub size: [usize; 2],
    /// Extent of a picture's pixel in the map.
    pub scale: f64,
}

/// Corners of a region in the map's pixels.
pub struct Corners {
    /// Left and right.
    pub x: [f64; 2],
    /// Top and bottom.
    pub y: [f64; 2],
}

impl Corners {
    /// Whether a corner is NaN, which the result is then.
    pub fn broken(&self) -> bool {
        self.x.iter().chain(&self.y).any(|x| x.is_nan())
    }
}

impl Regions {
    /// Reads `size` and `spatial_scale`.
    ///
    /// # Errors
    /// Extents that are not two, a scale that is not positive.
    pub fn from_args(args: &Args) -> Result<Regions, ArgError> {
        let size = args.dims("size")?.ok_or_else(|| args.missing("size"))?;
        let size = match size[..] {
            [side] => [side, side],
            [height, width] => [height, width],
            _ => return Err(args.error("size", "a region has two extents, such as `7x7`")),
        };
        let scale = args.number("spatial_scale")?.unwrap_or(1.0);
        if scale < f64::from(f32::MIN_POSITIVE) || scale > f64::from(f32::MAX) {
            let message = format!("`spatial_scale` must be positive, but is {scale}");
            return Err(args
                .error("spatial_scale", message)
                .help("a map at stride 16 has `spatial_scale 0.0625`"));
        }
        Ok(Regions { size, scale })
    }

    /// As [`super::Layer::attributes`].
    pub fn attributes(&self) -> Attributes {
        vec![
            ("size", Attribute::extents(&self.size)),
            ("spatial_scale", self.scale.into()),
        ]
    }

    /// The shape rule.
    ///
    /// # Errors
    /// A map that is no picture, regions that are not `N×4` or `N×5`.
    pub fn infer(&self, keyword: &str, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let (map, regions) = (&inputs[0], &inputs[1]);
        if map.spatial().len() != 2 {
            let message =
                format!("`{keyword}` takes regions of a map such as 512x38x50, not of {map}");
            return Err(ShapeError::new(message));
        }
        if !matches!(regions.spatial(), [4 | 5]) {
            let message =
                format!("the regions of `{keyword}` are rows of 4 or 5 numbers, not {regions}");
            return Err(ShapeError::new(message).help(
                "write `input regions: 300x4`: left, top, right, bottom of each, behind the index of the picture if there are five",
            ));
        }
        let [height, width] = self.size;
        Shape::new([map.channels(), regions.channels(), height, width]).ok_or_else(|| {
            ShapeError::new(format!(
                "{} regions of {}x{height}x{width} are too large",
                regions.channels(),
                map.channels()
            ))
        })
    }

    /// The corners of region `index`.
    pub fn corners(&self, regions: &ArrayD<f64>, index: usize) -> Corners {
        let first = regions.shape()[1] - 4;
        let at = |k: usize| regions[[index, first + k]] * self.scale;
        Corners {
            x: [at(0), at(2)],
            y: [at(1), at(3)],
        }
    }

    /// Emits calls on blocks of channels, of the operands map, regions and cotangent; the result is the map's gradient. Regions may meet in one
    /// element, so threads share the channels.
    pub fn lower_input<C: KernelCall<Access>>(
        &self,
        cx: &mut Lower<'_>,
        call: impl FnOnce(RoiGrid<Access>, Pixels<Access>) -> C,
    ) {
        let (output, map, regions, dy) = (cx.output(), cx.input(0), cx.input(1), cx.input(2));
        let coordinate = regions.strides[2];
        let first = (regions.dhw[2] - 4) as i64 * coordinate;
        let channels = output.channels;
        let cut = cx.machine().shares(channels, channels * dy.pixels());
        let each = channels / cut;
        cx.parallel(cut, |cx, i| {
            let from = i.times(each as i64);
            let grid = RoiGrid {
                rois: regions.channels,
                regions: regions.access(Affine::constant(first)),
                roi: 1,
                coordinate,
                map: [map.dhw[1], map.dhw[2]],
                size: self.size,
                channels: each,
                out: dy.plane(from.clone()),
                out_roi: dy.strides[0],
                x: output.plane(from.clone()),
                scale: self.scale,
            };
            cx.call(call(grid, map.plane(from)));
        });
    }

    /// Emits calls on regions, which are shared among threads.
    pub fn lower<C: KernelCall<Access>>(
        &self,
        cx: &mut Lower<'_>,
        call: impl FnOnce(RoiGrid<Access>) -> C,
    ) {
        let (output, map, regions) = (cx.output(), cx.input(0), cx.input(1));
        // A row is a channel of its tensor, so its numbers are as far apart as pixels are.
        let coordinate = regions.strides[2];
        let first = (regions.dhw[2] - 4) as i64 * coordinate;
        let cut = cx.machine().chunks(regions.channels);
        let each = regions.channels / cut;
        cx.parallel(cut, |cx, i| {
            let from = i.clone().times(each as i64);
            cx.call(call(RoiGrid {
                rois: each,
                regions: regions.access(from.clone().offset(first)),
                roi: 1,
                coordinate,
                map: [map.dhw[1], map.dhw[2]],
                size: self.size,
                channels: output.channels,
                out: output.plane(from.times(output.strides[0])),
                out_roi: output.strides[0],
                x: map.plane(Affine::default()),
                scale: self.scale,
            }));
        });
    }
}
