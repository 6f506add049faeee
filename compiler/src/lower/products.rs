//! What is done with one block of Winograd's tiles: inputs are transformed, multiplied by the weights of a group of panels, and made into outputs.
//!
//! The tiles of all images of a block are rows of the same matrices.

use super::blocks::{Block, Corner, PRODUCTS, apart};
use super::job::ConvJob;
use super::tiling::{Band, tiles};
use super::{Lower, Storage};
use crate::loops::{Access, Affine};
use cnnc_runtime::kernel::winograd::{Form, SPAN};
use cnnc_runtime::kernel::{
    Axis, ConvCall, Pixels, Products, Tiles, WinogradOutputCall, WinogradTilesCall,
};

/// One band with its packed weights.
pub(super) struct Packed {
    pub band: Band,
    pub weights: Access,
    pub bias: Access,
}

/// Panels whose products are in memory at the same time.
pub(super) struct Group<'a> {
    pub packed: &'a Packed,
    /// First panel of the first group.
    pub first: usize,
    /// How many groups there are.
    pub count: usize,
    /// Panels of each.
    pub panels: usize,
    /// Output channels of each panel.
    pub channels: usize,
    /// Number of the first group among all.
    pub slot: usize,
}

impl Group<'_> {
    /// The first panel of the `q`th of these groups.
    pub fn panel(&self, q: &Affine) -> Affine {
        q.clone()
            .times(self.panels as i64)
            .offset(self.first as i64)
    }
}

/// What every call of one convolution shares.
pub(super) struct Shape<'a> {
    pub job: &'a ConvJob,
    pub form: Form,
    /// Transformed inputs and products.
    pub inputs: Storage,
    pub products: Storage,
    /// Distances of tiles in both.
    pub input_tile: i64,
    pub product_tile: i64,
    /// What blocks, or groups of panels, at once have of both.
    pub input_slot: i64,
    pub product_slot: i64,
    pub fused: Option<(f64, f64)>,
}

impl Lower<'_> {
    /// Transforms some channels, as first and count, of an image of a block.
    pub(super) fn transform_inputs(
        &mut self,
        shape: &Shape<'_>,
        block: &Block,
        corner: &Corner,
        image: &Affine,
        (first, channels): (&Affine, usize),
        slot: &Affine,
    ) {
        let Block { rows, columns, .. } = block;
        let input = &shape.job.input;
        let (tiles, of_image) = (block.tiles(), block.tiles_of_image() as i64);
        let beyond = SPAN - shape.form.outputs();
        let from = corner
            .offset(input)
            .add(&image.clone().times(input.image))
            .add(first)
            .offset(shape.job.origin);
        let to = slot
            .clone()
            .add(&image.clone().times(of_image * shape.input_tile))
            .add(first);
        self.call(WinogradTilesCall {
            of: Tiles::Inputs,
            form: shape.form,
            tiles: [rows.tiles, columns.tiles],
            size: [rows.pixels + beyond, columns.pixels + beyond],
            channels,
            out: Products {
                at: shape.inputs.access(to),
                matrix: apart(tiles, shape.input_tile),
                row: columns.tiles as i64 * shape.input_tile,
                tile: shape.input_tile,
            },
            x: input.plane(from),
        });
    }

    /// Products and outputs of one group of panels; `q` is its number within `group`.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn group(
        &mut self,
        shape: &Shape<'_>,
        group: &Group<'_>,
        block: &Block,
        corner: &Corner,
        q: &Affine,
        inputs: &Affine,
        products: &Affine,
    ) {
        let job = shape.job;
        let band = group.packed.band;
        let panel = band.nr * self.lanes();
        let count = block.tiles();
        let depth = job.input.channels;
        let panel_len = (PRODUCTS * depth * panel) as i64;
        let first = group.panel(q);
        self.repeat(group.panels, |cx, p| {
            let weights = first.clone().add(&p).times(panel_len);
            let mut done = 0;
            for (mr, turns) in tiles(cx.isa(), count, band.nr) {
                let to = products
                    .clone()
                    .add(&p.clone().times(panel as i64))
                    .offset(done * shape.product_tile);
                let from = inputs.clone().offset(done * shape.input_tile);
                // A row is a product: a matrix of inputs, one of weights.
                cx.call(ConvCall {
                    tile: (mr, band.nr),
                    long: false,
                    rows: PRODUCTS,
                    tiles: turns,
                    channels: group.channels,
                    taps: [Axis::ONCE; 3],
                    run: depth,
                    out: Pixels {
                        at: shape.products.access(to),
                        row: apart(count, shape.product_tile),
                        pixel: shape.product_tile,
                    },
                    x: Pixels {
                        at: shape.inputs.access(from),
                        row: apart(count, shape.input_tile),
                        pixel: shape.input_tile,
                    },
                    w: group.packed.weights.moved(&weights),
                    w_row: (depth * panel) as i64,
                    bias: None,
                    fetch: None,
                    residual: None,
                    slope: 1.0,
                    hi: f64::INFINITY,
                });
                done += (mr * turns) as i64;
            }
        });
        self.finish_group(shape, group, block, corner, q, products);
    }

    /// Outputs of one group of panels, from the products.
    pub(super) fn finish_group(
        &mut self,
        shape: &Shape<'_>,
        group: &Group<'_>,
        block: &Block,
        corner: &Corner,
        q: &Affine,
        products: &Affine,
    ) {
        let job = shape.job;
        let band = group.packed.band;
        let panel = band.nr * self.lanes();
        let Block { rows, columns, .. } = block;
        let first = group.panel(q);
        let channels = (group.panels - 1) * panel + group.channels;
        let lane = first.times(panel as i64);
        let channel = lane.clone().offset(band.first as i64);
        let (slope, high) = shape.fused.unwrap_or((1.0, f64::INFINITY));
        let (tiles, of_image) = (block.tiles(), block.tiles_of_image() as i64);
        self.repeat(block.images, |cx, image| {
            let plane = |storage: &Storage| {
                let from = corner
                    .offset(storage)
                    .add(&image.clone().times(storage.image));
                storage.plane(from.add(&channel))
            };
            let out = plane(&job.output);
            let at = out.at.clone();
            let from = products
                .clone()
                .add(&image.clone().times(of_image * shape.product_tile));
            cx.call(WinogradOutputCall {
                form: shape.form,
                tiles: [rows.tiles, columns.tiles],
                size: [rows.pixels, columns.pixels],
                channels,
                out,
                x: Products {
                    at: shape.products.access(from),
                    matrix: apart(tiles, shape.product_tile),
                    row: columns.tiles as i64 * shape.product_tile,
                    tile: shape.product_tile,
                },
                bias: group.packed.bias.moved(&lane),
                residual: job.residual.as_ref().map(plane),
                slope,
                hi: high,
            });
            if shape.fused.is_none() {
                let [_, row, pixel] = job.output.strides;
                let (rows, columns) = ((rows.pixels, row), (columns.pixels, pixel));
                cx.activate(&job.act, at, rows, columns, channels);
            }
        });
    }
}
