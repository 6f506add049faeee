//! Winograd's F(4×4, 3×3) with weights that are expanded while the network runs.
//!
//! ```text
//! parallel for parts of the panels
//!   for panels
//!     for blocks of input channels
//!       f32_winograd_weights          u[ξ][channel][lane] = G g Gᵀ, into memory that stays in level 2
//!       f32_conv, one row for each ξ  m[ξ] += v[ξ] · u[ξ]
//!     f32_winograd_output
//! ```

use super::blocks::{Block, Corner, PRODUCTS, apart, spread};
use super::job::ConvJob;
use super::products::{Group, Shape};
use super::schedule::EXPANDED_AT_ONCE;
use super::tiling::tiles;
use super::{Lower, Panels, Storage};
use crate::layer::NO_HALO;
use crate::loops::{Access, Affine};
use cnnc_runtime::kernel::{Axis, ConvCall, Pixels, WinogradWeightsCall};

/// Expanded weights of a block of input channels and one panel.
pub(super) struct Expanded {
    memory: Storage,
    /// Input channels.
    channels: usize,
    /// From one product's weights to the next.
    matrix: i64,
}

impl Lower<'_> {
    /// Memory for the expanded weights of so many input channels and panels of `block` lanes.
    pub(super) fn expanded(&mut self, channels: usize, block: usize) -> Expanded {
        let matrix = spread(channels * block);
        let name = format!("{}.weights", self.node().label);
        let len = EXPANDED_AT_ONCE * PRODUCTS * matrix;
        Expanded {
            memory: self.allocate(&name, len, [1, 1, 1], NO_HALO),
            channels,
            matrix: matrix as i64,
        }
    }

    /// Packs panels of plain weights, tap by tap for each input channel.
    pub(super) fn plain_panels(
        &mut self,
        job: &ConvJob,
        first: usize,
        outs: usize,
        block: usize,
    ) -> Access {
        let [o, c, _, h, w] = job.weight_strides;
        self.panels(Panels {
            param: job.weight,
            base: job.weight_base + first as i64 * o,
            groups: (1, 0),
            outs: (outs, o),
            channel: (first, job.output.channels),
            reduce: vec![(job.input.channels, c), (3, h), (3, w)],
            block,
            norm: job.norm,
        })
    }

    /// Products and outputs of every panel of a group.
    pub(super) fn expanding_group(
        &mut self,
        shape: &Shape<'_>,
        expanded: &Expanded,
        group: &Group<'_>,
        block: &Block,
        corner: &Corner,
    ) {
        let parts = (1..=EXPANDED_AT_ONCE).rev();
        let mut parts = parts.filter(|parts| group.count.is_multiple_of(*parts));
        let parts = parts.next().expect("one divides everything");
        let turns = group.count / parts;
        self.parallel(parts, |cx, slot| {
            cx.repeat(turns, |cx, turn| {
                let q = slot.clone().times(turns as i64).add(&turn);
                cx.expanding_panel(shape, expanded, group, block, corner, &q, &slot);
            });
        });
    }

    #[allow(clippy::too_many_arguments)]
    fn expanding_panel(
        &mut self,
        shape: &Shape<'_>,
        expanded: &Expanded,
        group: &Group<'_>,
        tiled: &Block,
        corner: &Corner,
        q: &Affine,
        slot: &Affine,
    ) {
        let Expanded {
            memory,
            channels,
            matrix,
        } = expanded;
        let band = group.packed.band;
        let block = band.nr * self.lanes();
        let count = tiled.tiles();
        let cin = shape.job.input.channels;
        let first = group.panel(q);
        let weights = slot.clone().times(PRODUCTS as i64 * matrix);
        let products = slot
            .clone()
            .times(PRODUCTS as i64 * apart(count, shape.product_tile));
        let part = |cx: &mut Self, k: &Affine, add: bool| {
            let taps = (9 * block) as i64;
            let from = first
                .clone()
                .times(cin as i64 * taps)
                .add(&k.clone().times(*channels as i64 * taps));
            cx.call(WinogradWeightsCall {
                channels: *channels,
                panel: block,
                out: memory.access(weights.clone()),
                matrix: *matrix,
                x: group.packed.weights.moved(&from),
            });
            // The next weights, which would be waited for else.
            let next = *channels as i64 * taps;
            let mut fetch = Some((
                group.packed.weights.moved(&from.offset(next)),
                next as usize,
            ));
            let mut done = 0;
            for (mr, turns) in tiles(cx.isa(), count, band.nr) {
                let product = |at| Pixels {
                    at,
                    row: apart(count, shape.product_tile),
                    pixel: shape.product_tile,
                };
                let to = shape
                    .products
                    .access(products.clone().offset(done * shape.product_tile));
                let from = k
                    .clone()
                    .times(*channels as i64)
                    .offset(done * shape.input_tile);
                cx.call(ConvCall {
                    tile: (mr, band.nr),
                    long: false,
                    rows: PRODUCTS,
                    tiles: turns,
                    channels: group.channels,
                    taps: [Axis::ONCE; 3],
                    run: *channels,
                    out: product(to.clone()),
                    x: Pixels {
                        at: shape.inputs.access(from),
                        row: apart(count, shape.input_tile),
                        pixel: shape.input_tile,
                    },
                    w: memory.access(weights.clone()),
                    w_row: *matrix,
                    bias: None,
                    fetch: fetch.take(),
                    residual: add.then(|| product(to)),
                    slope: 1.0,
                    hi: f64::INFINITY,
                });
                done += (mr * turns) as i64;
            }
        };
        part(self, &Affine::default(), false);
        if cin > *channels {
            self.repeat(cin / channels - 1, |cx, k| part(cx, &k.offset(1), true));
        }
        self.finish_group(shape, group, tiled, corner, q, &products);
    }
}
