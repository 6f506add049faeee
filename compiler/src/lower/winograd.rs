//! Convolutions of 3×3 taps by Winograd's F(4×4, 3×3), a quarter of the multiplications, and of 5×5 taps by F(2×2, 5×5), 9 of 25, between two transforms.
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

use super::blocks::{Block, Blocks, Corner, PRODUCTS, Part, apart, spread};
use super::expand::Expanded;
use super::job::ConvJob;
use super::products::{Group, Packed, Shape};
use super::schedule::{EXPANDED_AT_ONCE, Schedule, Winograd, cost};
use super::tiling::Band;
use super::{Biases, Lower};
use crate::layer::NO_HALO;
use crate::layer::epilogue::clamp;
use crate::loops::Affine;
use crate::note::Note;
use cnnc_runtime::kernel::winograd::Form;

impl Lower<'_> {
    /// Says whether the convolution is computed by Winograd's algorithm, if it is one of those that it computes.
    pub(super) fn note_winograd(&mut self, job: &ConvJob, candidates: &[Schedule]) {
        let cycles = |schedule| cost(job, schedule, &self.machine).cycles;
        let all = candidates.iter().filter_map(|schedule| match schedule {
            Schedule::Winograd(winograd) => Some((winograd, cycles(schedule))),
            _ => None,
        });
        let Some((least, winograd)) = all.min_by(|a, b| a.1.total_cmp(&b.1)) else {
            return;
        };
        let (form, direct) = (least.form, cycles(&candidates[0]));
        let applied = winograd < direct;
        let percent = (100.0 * winograd * self.machine.trust / direct).round();
        let expanded = match least.expand {
            Some(_) => ", its weights expanded while the network runs",
            None => "",
        };
        let images = match job.is_merged() {
            true => format!(", of {} images at once", job.output.images),
            false => String::new(),
        };
        let label = self.node().label.clone();
        self.notes.push(Note {
            pass: "winograd",
            label,
            applied,
            text: match applied {
                true => {
                    format!("{form}{images}{expanded}, by estimate in {percent} % of the cycles")
                }
                false => format!("by estimate it would take {percent} % of the cycles"),
            },
        });
    }

    pub(super) fn emit_winograd(&mut self, job: &ConvJob, schedule: &Winograd) {
        let Winograd {
            form,
            bands,
            blocks,
            together,
            shared,
            expand,
        } = schedule;
        let cin = job.input.channels;
        let packed: Vec<Packed> = bands
            .iter()
            .map(|&band| self.pack_winograd(job, *form, band, expand.is_some()))
            .collect();
        let block = bands[0].nr * self.lanes();
        let machine = self.machine.clone();
        // Groups of panels are what threads share where there is but one block.
        let panels: usize = bands.iter().map(|band| band.panels).sum();
        let fewer = (*together).min((panels / machine.parts).max(1));
        let shares = groups(&packed, self.lanes(), fewer);
        let groups = groups(&packed, self.lanes(), *together);
        let alone = machine.parts > 1 && panels > 1;
        let by_groups = |part: &Part| *shared || alone && part.count() == 1;
        // Blocks that run at once each have memory of their own; so have groups of panels.
        let parts = blocks.parts();
        let cut = |part: &Part| match by_groups(part) {
            true => 1,
            false => machine.chunks(part.count()),
        };
        let at_once = parts.iter().map(cut).max().unwrap_or(1);
        let product_slots = match expand {
            Some(_) => EXPANDED_AT_ONCE,
            None if parts.iter().any(by_groups) => {
                at_once.max(shares.iter().map(|group| group.count).sum())
            }
            None => at_once,
        };
        let widest = match parts.iter().all(by_groups) {
            true => &shares,
            false => &groups,
        };
        let widest = widest
            .iter()
            .map(|group| (group.panels - 1) * group.packed.band.nr * self.lanes() + group.channels)
            .max()
            .unwrap_or(0);
        let (input_tile, product_tile) =
            (spread(cin), spread(widest.next_multiple_of(self.lanes())));
        let expanded = expand.map(|channels| self.expanded(channels, block));
        let slot = |tile: usize| PRODUCTS as i64 * apart(blocks.tiles, tile as i64);
        let mut scratch = |slots: usize, tile: usize| {
            let name = format!("{}.winograd", self.node().label);
            let len = slots * slot(tile) as usize;
            self.allocate(&name, len, [1, 1, 1], NO_HALO)
        };
        let shape = Shape {
            job,
            form: *form,
            inputs: scratch(at_once, input_tile),
            products: scratch(product_slots, product_tile),
            input_tile: input_tile as i64,
            product_tile: product_tile as i64,
            input_slot: slot(input_tile),
            product_slot: slot(product_tile),
            fused: clamp(&job.act),
        };
        for part in &parts {
            match by_groups(part) {
                true => self.shared_blocks(&shape, &shares, blocks, part, expanded.as_ref()),
                false => self.whole_blocks(&shape, &groups, blocks, (part, cut(part))),
            }
        }
    }

    /// Blocks one after the other, the parts of which threads share.
    fn shared_blocks(
        &mut self,
        shape: &Shape<'_>,
        groups: &[Group<'_>],
        blocks: &Blocks,
        part: &Part,
        expanded: Option<&Expanded>,
    ) {
        for number in 0..part.count() {
            for columns in &blocks.columns {
                for k in 0..columns.count {
                    let [number, k] = [number, k].map(|n| Affine::constant(n as i64));
                    let (block, corner) = (part.block(columns), part.corner(&number, columns, &k));
                    self.share_inputs(shape, &block, &corner);
                    for group in groups {
                        if let Some(expanded) = expanded {
                            self.expanding_group(shape, expanded, group, &block, &corner);
                            continue;
                        }
                        self.parallel(group.count, |cx, q| {
                            let slot = q.clone().offset(group.slot as i64);
                            let products = slot.times(shape.product_slot);
                            let inputs = Affine::default();
                            cx.group(shape, group, &block, &corner, &q, &inputs, &products);
                        });
                    }
                }
            }
        }
    }

    /// The inputs of a block, by images where they are several, by channels where it is one.
    fn share_inputs(&mut self, shape: &Shape<'_>, block: &Block, corner: &Corner) {
        let cin = shape.job.input.channels;
        if block.images > 1 {
            let first = Affine::default();
            return self.parallel(block.images, |cx, image| {
                cx.transform_inputs(shape, block, corner, &image, (&first, cin), &first);
            });
        }
        let share = self.machine.chunks(cin / self.lanes());
        let share = match cin.is_multiple_of(share * self.lanes()) {
            true => share,
            false => 1,
        };
        self.parallel(share, |cx, i| {
            let channels = (&i.times((cin / share) as i64), cin / share);
            let none = Affine::default();
            cx.transform_inputs(shape, block, corner, &none, channels, &none);
        });
    }

    /// Blocks that threads share in so many parts, each with memory of its own.
    fn whole_blocks(
        &mut self,
        shape: &Shape<'_>,
        groups: &[Group<'_>],
        blocks: &Blocks,
        (part, cut): (&Part, usize),
    ) {
        let cin = shape.job.input.channels;
        let turns = part.count() / cut;
        self.parallel(cut, |cx, i| {
            let inputs = i.clone().times(shape.input_slot);
            let products = i.clone().times(shape.product_slot);
            cx.repeat(turns, |cx, j| {
                let number = i.times(turns as i64).add(&j);
                for columns in &blocks.columns {
                    let block = part.block(columns);
                    cx.repeat(columns.count, |cx, k| {
                        let corner = part.corner(&number, columns, &k);
                        cx.repeat(block.images, |cx, image| {
                            let channels = (&Affine::default(), cin);
                            cx.transform_inputs(shape, &block, &corner, &image, channels, &inputs);
                        });
                        for group in groups {
                            cx.repeat(group.count, |cx, q| {
                                cx.group(shape, group, &block, &corner, &q, &inputs, &products);
                            });
                        }
                    });
                }
            });
        });
    }

    fn pack_winograd(&mut self, job: &ConvJob, form: Form, band: Band, plain: bool) -> Packed {
        let block = band.nr * self.lanes();
        let outs = (band.panels - 1) * block + band.last;
        let weights = match plain {
            true => self.plain_panels(job, band.first, outs, block),
            false => self.winograd_panels(job, form, band.first, outs, block),
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
