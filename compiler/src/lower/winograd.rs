//! Convolutions of 3×3 taps by Winograd's F(4×4, 3×3): a quarter of the multiplications, between two transforms.
//!
//! ```text
//! for blocks of tiles                   as many as the level-2 cache holds transformed
//!   f32_winograd_input                  v[ξ][tile][channel] = Bᵀ d B
//!   for panels of output channels
//!     f32_conv, one row for each ξ      m[ξ][tile][out] = v[ξ] · u[ξ]
//!     f32_winograd_output               out = Aᵀ m A + bias (+ residual), activation
//! ```
//! Rounding errors are a few times those of a direct convolution (about 1e-6 of the outputs' deviation), so
//! [`Arithmetic::Exact`](super::Arithmetic) does without.

use super::blocks::{PRODUCTS, Stretch};
use super::job::ConvJob;
use super::schedule::{EXPANDED_AT_ONCE, Schedule, Winograd, cost};
use super::tiling::{Band, tiles};
use super::{Biases, Lower, Storage};
use crate::layer::NO_HALO;
use crate::layer::epilogue::clamp;
use crate::loops::{Access, Affine};
use crate::note::Note;
use cnnc_runtime::kernel::winograd::{SPAN, TILE};
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

/// A pixel of the output, in pixels.
#[derive(Clone)]
pub(super) struct Corner {
    pub y: Affine,
    pub x: Affine,
}

/// What every call of one convolution shares.
pub(super) struct Shape<'a> {
    pub job: &'a ConvJob,
    /// Transformed inputs and products.
    pub inputs: Storage,
    pub products: Storage,
    /// Distances of tiles in both.
    pub input_tile: i64,
    pub product_tile: i64,
    /// A bias of zeros.
    pub zeros: Access,
    pub fused: Option<(f64, f64)>,
}

/// A distance that does not put neighbours into the same sets of the first-level cache.
pub(super) fn spread(floats: usize) -> usize {
    let lines = floats.next_multiple_of(16);
    if lines.is_multiple_of(128) {
        lines + 16
    } else {
        lines
    }
}

impl Lower<'_> {
    /// Says whether the convolution is computed by Winograd's algorithm, if it is one of those that it computes.
    pub(super) fn note_winograd(&mut self, job: &ConvJob, candidates: &[Schedule]) {
        let cycles = |schedule| cost(job, schedule, &self.machine).cycles;
        let is_winograd = |schedule: &&Schedule| matches!(schedule, Schedule::Winograd(_));
        let all = candidates.iter().filter(is_winograd);
        let Some(least) = all.min_by(|a, b| cycles(a).total_cmp(&cycles(b))) else {
            return;
        };
        let (winograd, direct) = (cycles(least), cycles(&candidates[0]));
        let applied = winograd < direct;
        let percent = (100.0 * winograd * self.machine.trust / direct).round();
        let expanded = match least {
            Schedule::Winograd(Winograd {
                expand: Some(_), ..
            }) => ", its weights expanded while the network runs",
            _ => "",
        };
        let label = self.node().label.clone();
        self.notes.push(Note {
            pass: "winograd",
            label,
            applied,
            text: match applied {
                true => format!("F(4x4, 3x3){expanded}, by estimate in {percent} % of the cycles"),
                false => format!("by estimate it would take {percent} % of the cycles"),
            },
        });
    }

    pub(super) fn emit_winograd(&mut self, job: &ConvJob, schedule: &Winograd) {
        let Winograd {
            bands,
            blocks,
            together,
            shared,
            expand,
        } = schedule;
        let (cin, shared) = (job.input.channels, *shared);
        let packed: Vec<Packed> = bands
            .iter()
            .map(|&band| self.pack_winograd(job, band, expand.is_some()))
            .collect();
        let block = bands[0].nr * self.lanes();
        let groups = groups(&packed, self.lanes(), *together);
        let slots = groups.iter().map(|group| group.count).sum::<usize>();
        // Blocks that run at once each have memory of their own; so have groups of panels.
        let machine = self.machine.clone();
        let cut = |stretch: &Stretch| machine.chunks(stretch.count);
        let at_once = blocks.rows.iter().map(cut).max().unwrap_or(1);
        let (input_slots, product_slots) = match (expand, shared) {
            (Some(_), _) => (1, EXPANDED_AT_ONCE),
            (None, true) => (1, slots),
            (None, false) => (at_once, at_once),
        };
        let widest = groups
            .iter()
            .map(|group| (group.panels - 1) * group.packed.band.nr * self.lanes() + group.channels)
            .max()
            .unwrap_or(0);
        let (input_tile, product_tile) =
            (spread(cin), spread(widest.next_multiple_of(self.lanes())));
        let zeros = self.bias(Biases {
            param: None,
            at: (0, block, 1),
            groups: 1,
            outs: block,
            channel: (0, block),
            block,
            norm: None,
        });
        let expanded = expand.map(|channels| self.expanded(channels, block));
        let mut scratch = |slots: usize, tile: usize| {
            let name = format!("{}.winograd", self.node().label);
            let len = slots * PRODUCTS * blocks.tiles * tile;
            self.allocate(&name, len, [1, 1, 1], NO_HALO)
        };
        let shape = Shape {
            job,
            inputs: scratch(input_slots, input_tile),
            products: scratch(product_slots, product_tile),
            input_tile: input_tile as i64,
            product_tile: product_tile as i64,
            zeros,
            fused: clamp(&job.act),
        };
        let slot_inputs = (PRODUCTS * blocks.tiles * input_tile) as i64;
        let slot_products = (PRODUCTS * blocks.tiles * product_tile) as i64;
        for rows in &blocks.rows {
            if shared {
                for y in (0..rows.count).map(|n| rows.first + n * rows.pixels) {
                    for columns in &blocks.columns {
                        for x in (0..columns.count).map(|n| columns.first + n * columns.pixels) {
                            let corner = Corner {
                                y: Affine::constant(y as i64),
                                x: Affine::constant(x as i64),
                            };
                            let share = machine.chunks(cin / self.lanes());
                            let share = if cin.is_multiple_of(share * self.lanes()) {
                                share
                            } else {
                                1
                            };
                            self.parallel(share, |cx, i| {
                                let first = i.times((cin / share) as i64);
                                cx.transform_inputs(
                                    &shape,
                                    (rows, columns),
                                    &corner,
                                    &first,
                                    cin / share,
                                    &Affine::default(),
                                );
                            });
                            for group in &groups {
                                if let Some(expanded) = &expanded {
                                    self.expanding_group(
                                        &shape,
                                        expanded,
                                        group,
                                        (rows, columns),
                                        &corner,
                                    );
                                    continue;
                                }
                                self.parallel(group.count, |cx, q| {
                                    let slot = q.clone().offset(group.slot as i64);
                                    cx.group(
                                        &shape,
                                        group,
                                        (rows, columns),
                                        &corner,
                                        &q,
                                        &Affine::default(),
                                        &slot.times(slot_products),
                                    );
                                });
                            }
                        }
                    }
                }
                continue;
            }
            let cut = cut(rows);
            self.parallel(cut, |cx, i| {
                let turns = rows.count / cut;
                cx.repeat(turns, |cx, j| {
                    let y = i
                        .clone()
                        .times((turns * rows.pixels) as i64)
                        .add(&j.times(rows.pixels as i64))
                        .offset(rows.first as i64);
                    for columns in &blocks.columns {
                        cx.repeat(columns.count, |cx, k| {
                            let x = k.times(columns.pixels as i64).offset(columns.first as i64);
                            let corner = Corner { y: y.clone(), x };
                            let slot = i.clone().times(slot_inputs);
                            cx.transform_inputs(
                                &shape,
                                (rows, columns),
                                &corner,
                                &Affine::default(),
                                cin,
                                &slot,
                            );
                            for group in &groups {
                                cx.repeat(group.count, |cx, q| {
                                    cx.group(
                                        &shape,
                                        group,
                                        (rows, columns),
                                        &corner,
                                        &q,
                                        &slot,
                                        &i.clone().times(slot_products),
                                    );
                                });
                            }
                        });
                    }
                });
            });
        }
    }

    /// Transforms `channels` channels of a block of inputs.
    fn transform_inputs(
        &mut self,
        shape: &Shape<'_>,
        (rows, columns): (&Stretch, &Stretch),
        corner: &Corner,
        first: &Affine,
        channels: usize,
        slot: &Affine,
    ) {
        let [_, row, pixel] = shape.job.input.strides;
        let tiles = (rows.tiles * columns.tiles) as i64;
        let beyond = SPAN - TILE;
        let from = offset(corner, row, pixel)
            .add(first)
            .offset(shape.job.origin);
        self.call(WinogradTilesCall {
            of: Tiles::Inputs,
            tiles: [rows.tiles, columns.tiles],
            size: [rows.pixels + beyond, columns.pixels + beyond],
            channels,
            out: Products {
                at: shape.inputs.access(slot.clone().add(first)),
                matrix: tiles * shape.input_tile,
                row: columns.tiles as i64 * shape.input_tile,
                tile: shape.input_tile,
            },
            x: shape.job.input.plane(from),
        });
    }

    /// Products and outputs of one group of panels; `q` is its number within `group`.
    #[allow(clippy::too_many_arguments)]
    fn group(
        &mut self,
        shape: &Shape<'_>,
        group: &Group<'_>,
        (rows, columns): (&Stretch, &Stretch),
        corner: &Corner,
        q: &Affine,
        inputs: &Affine,
        products: &Affine,
    ) {
        let job = shape.job;
        let band = group.packed.band;
        let block = band.nr * self.lanes();
        let count = rows.tiles * columns.tiles;
        let depth = job.input.channels;
        let panel_len = (PRODUCTS * depth * block) as i64;
        let first = q
            .clone()
            .times(group.panels as i64)
            .offset(group.first as i64);
        self.repeat(group.panels, |cx, p| {
            let weights = first.clone().add(&p).times(panel_len);
            let mut done = 0;
            for (mr, turns) in tiles(cx.isa(), count, band.nr) {
                let to = products
                    .clone()
                    .add(&p.clone().times(block as i64))
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
                        row: count as i64 * shape.product_tile,
                        pixel: shape.product_tile,
                    },
                    x: Pixels {
                        at: shape.inputs.access(from),
                        row: count as i64 * shape.input_tile,
                        pixel: shape.input_tile,
                    },
                    w: group.packed.weights.moved(&weights),
                    w_row: (depth * block) as i64,
                    bias: shape.zeros.clone(),
                    residual: None,
                    slope: 1.0,
                    hi: f64::INFINITY,
                });
                done += (mr * turns) as i64;
            }
        });
        self.finish_group(shape, group, (rows, columns), corner, q, products);
    }

    /// Outputs of one group of panels, from the products.
    pub(super) fn finish_group(
        &mut self,
        shape: &Shape<'_>,
        group: &Group<'_>,
        (rows, columns): (&Stretch, &Stretch),
        corner: &Corner,
        q: &Affine,
        products: &Affine,
    ) {
        let job = shape.job;
        let band = group.packed.band;
        let block = band.nr * self.lanes();
        let count = rows.tiles * columns.tiles;
        let first = q
            .clone()
            .times(group.panels as i64)
            .offset(group.first as i64);
        let channels = (group.panels - 1) * block + group.channels;
        let lane = first.clone().times(block as i64);
        let channel = lane.clone().offset(band.first as i64);
        let [_, out_row, out_px] = job.output.strides;
        let (slope, high) = shape.fused.unwrap_or((1.0, f64::INFINITY));
        let out = job
            .output
            .plane(offset(corner, out_row, out_px).add(&channel));
        let at = out.at.clone();
        self.call(WinogradOutputCall {
            tiles: [rows.tiles, columns.tiles],
            size: [rows.pixels, columns.pixels],
            channels,
            out,
            x: Products {
                at: shape.products.access(products.clone()),
                matrix: count as i64 * shape.product_tile,
                row: columns.tiles as i64 * shape.product_tile,
                tile: shape.product_tile,
            },
            bias: group.packed.bias.moved(&lane),
            residual: job.residual.as_ref().map(|residual| {
                let [_, row, pixel] = residual.strides;
                residual.plane(offset(corner, row, pixel).add(&channel))
            }),
            slope,
            hi: high,
        });
        if shape.fused.is_none() {
            self.activate(
                &job.act,
                at,
                (rows.pixels, out_row),
                (columns.pixels, out_px),
                channels,
            );
        }
    }

    fn pack_winograd(&mut self, job: &ConvJob, band: Band, plain: bool) -> Packed {
        let block = band.nr * self.lanes();
        let outs = (band.panels - 1) * block + band.last;
        let weights = match plain {
            true => self.plain_panels(job, band.first, outs, block),
            false => self.winograd_panels(job, band.first, outs, block),
        };
        let cout = job.output.channels;
        let bias = self.bias(Biases {
            param: job.bias,
            at: (band.first, cout, 1),
            groups: 1,
            outs,
            channel: (band.first, cout),
            block,
            norm: job.norm,
        });
        Packed {
            band,
            weights,
            bias,
        }
    }
}

/// Panels in groups of at most `together`; a last panel with unused lanes is alone.
fn groups(packed: &[Packed], lanes: usize, together: usize) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut slot = 0;
    for packed in packed {
        let block = packed.band.nr * lanes;
        let full = packed.band.panels - usize::from(packed.band.last < block);
        let whole = full / together * together;
        let parts = [
            (0, full / together, together, block),
            (whole, usize::from(whole < full), full - whole, block),
            (full, packed.band.panels - full, 1, packed.band.last),
        ];
        for (first, count, panels, channels) in parts {
            if count > 0 {
                groups.push(Group {
                    packed,
                    first,
                    count,
                    panels,
                    channels,
                    slot,
                });
                slot += count;
            }
        }
    }
    groups
}

/// Offset of a pixel from the first.
fn offset(corner: &Corner, row: i64, pixel: i64) -> Affine {
    corner
        .y
        .clone()
        .times(row)
        .add(&corner.x.clone().times(pixel))
}
