//! Convolutions as loops: which order, which tiles, which panels.
//!
//! A direct convolution on channels-last tensors with halo: for each pixel the taps are contiguous runs, so there is no im2col and
//! no edge case. Dense layers, 1×1 convolutions (all pixels are one row) and grouped convolutions are the same loops
//! with other constants.

use super::job::{ConvJob, Grid};
use super::schedule::{Direct, Order, Schedule, candidates, choose, cost, packing};
use super::tiling::{Band, long_tiles, tiles};
use super::{Biases, Lower, Panels, Storage};
use crate::layer::epilogue::clamp;
use crate::loops::{Access, Affine};
use crate::target::Machine;
use cnnc_runtime::kernel::{Axis as Tap, ConvCall, DepthwiseCall, MapCall, Pixels, Step};

/// One band with its packed weights.
struct Packed {
    band: Band,
    weights: Access,
    bias: Access,
    /// Floats from one panel to the next.
    step: i64,
    /// Panels of a group, in all bands' floats: stride of groups.
    group: i64,
    bias_group: i64,
}

impl Packed {
    /// Panels in which every lane is an output channel.
    fn full(&self, block: usize) -> usize {
        self.band.panels - usize::from(self.band.last < block)
    }
}

impl Lower<'_> {
    /// Emits a convolution, by the schedule that is estimated to cost least; in a training step of all images at once, where that costs less.
    pub fn convolve(&mut self, job: ConvJob) {
        let candidates = candidates(&job, &self.machine, self.arithmetic);
        let alone = choose(&job, &self.machine, &candidates);
        if let Some((all, merged)) = self.merged(&job, alone) {
            return self.leave_images(all.output.buffer, |cx| cx.emit(all, &merged));
        }
        self.emit(job, &candidates);
    }

    /// The convolution of all images and its schedules, where it is cheaper than one image after the other.
    fn merged(&self, job: &ConvJob, alone: &Schedule) -> Option<(ConvJob, Vec<Schedule>)> {
        let all = self.of_all_images(job)?;
        let machine = Machine {
            parts: self.parts_of_all(),
            ..self.machine.clone()
        };
        let merged = candidates(&all, &machine, self.arithmetic);
        let together = cost(&all, choose(&all, &machine, &merged), &machine);
        let each = cost(job, alone, &machine).cycles * all.output.images as f64;
        let each = each + packing(job, alone, &machine);
        (!together.serial && together.cycles < machine.trust * each).then_some((all, merged))
    }

    /// Emits the cheapest of the candidates.
    fn emit(&mut self, job: ConvJob, candidates: &[Schedule]) {
        self.note_winograd(&job, candidates);
        match self.take(&job, candidates) {
            Schedule::Depthwise { cut } => self.emit_depthwise(job, cut),
            Schedule::Direct(direct) => self.emit_direct(job, direct),
            Schedule::Winograd(schedule) => self.emit_winograd(&job, &schedule),
        }
    }

    fn emit_direct(&mut self, job: ConvJob, schedule: Direct) {
        let grid = job.grid();
        let packed: Vec<Packed> = schedule
            .bands
            .into_iter()
            .map(|band| self.pack_band(&job, band))
            .collect();
        let fused = clamp(&job.act);
        let cut = match schedule.order {
            Order::Blocks(cut) => cut,
            Order::Panels => {
                for packed in &packed {
                    self.parallel_panels(&job, &grid, packed, fused);
                }
                return;
            }
        };
        let flat = grid.is_flat();
        let (rows, pixels, step) = match flat {
            true => (1, grid.pixels.count / cut, grid.pixels),
            false => (grid.rows.count / cut, grid.pixels.count, grid.rows),
        };
        let advance = if flat { pixels } else { rows } as i64;
        let whole = job.output.clone();
        self.parallel(cut, |cx, i| {
            cx.repeat(grid.planes.count, |cx, z| {
                let out = i
                    .clone()
                    .times(step.out * advance)
                    .add(&z.clone().times(grid.planes.out));
                let input = i
                    .clone()
                    .times(step.input * advance)
                    .add(&z.clone().times(grid.planes.input));
                let residual = i
                    .clone()
                    .times(step.residual * advance)
                    .add(&z.clone().times(grid.planes.residual));
                let at = Block {
                    out: out.clone(),
                    input,
                    residual,
                    rows,
                    pixels,
                };
                cx.repeat(job.groups, |cx, g| {
                    for packed in &packed {
                        cx.panels_of_band(&job, &grid, packed, &at, &g, fused);
                    }
                });
                if fused.is_none() {
                    let at = whole.access(out);
                    cx.activate(
                        &job.act,
                        at,
                        (rows, grid.rows.out),
                        (pixels, grid.pixels.out),
                        whole.channels,
                    );
                }
            });
        });
    }

    /// Panels outermost: each is read from memory once and used for every pixel.
    fn parallel_panels(
        &mut self,
        job: &ConvJob,
        grid: &Grid,
        packed: &Packed,
        fused: Option<(f64, f64)>,
    ) {
        let block = packed.band.nr * self.lanes();
        let full = packed.full(block);
        let part = |cx: &mut Self, from: usize, trip: usize, channels: usize| {
            cx.parallel(trip, |cx, p| {
                let p = p.offset(from as i64);
                cx.repeat(grid.planes.count, |cx, z| {
                    let at = Block {
                        out: z.clone().times(grid.planes.out),
                        input: z.clone().times(grid.planes.input),
                        residual: z.times(grid.planes.residual),
                        rows: grid.rows.count,
                        pixels: grid.pixels.count,
                    };
                    cx.panel(
                        job,
                        grid,
                        packed,
                        &at,
                        &Affine::default(),
                        &p,
                        channels,
                        fused,
                    );
                    if fused.is_none() {
                        let first = p
                            .clone()
                            .times(block as i64)
                            .offset(packed.band.first as i64);
                        let at = job.output.access(at.out.add(&first));
                        cx.activate(
                            &job.act,
                            at,
                            (grid.rows.count, grid.rows.out),
                            (grid.pixels.count, grid.pixels.out),
                            channels,
                        );
                    }
                });
            });
        };
        if full > 0 {
            part(self, 0, full, block);
        }
        if full < packed.band.panels {
            part(self, full, 1, packed.band.last);
        }
    }

    /// Every panel of a band on one block of pixels.
    fn panels_of_band(
        &mut self,
        job: &ConvJob,
        grid: &Grid,
        packed: &Packed,
        at: &Block,
        group: &Affine,
        fused: Option<(f64, f64)>,
    ) {
        let block = packed.band.nr * self.lanes();
        let full = packed.full(block);
        if full > 0 {
            self.repeat(full, |cx, p| {
                cx.panel(job, grid, packed, at, group, &p, block, fused)
            });
        }
        if full < packed.band.panels {
            let p = Affine::constant(full as i64);
            self.panel(job, grid, packed, at, group, &p, packed.band.last, fused);
        }
    }

    /// The calls of one panel on one block of pixels: one per width of tile.
    #[allow(clippy::too_many_arguments)]
    fn panel(
        &mut self,
        job: &ConvJob,
        grid: &Grid,
        packed: &Packed,
        at: &Block,
        group: &Affine,
        panel: &Affine,
        channels: usize,
        fused: Option<(f64, f64)>,
    ) {
        let nr = packed.band.nr;
        let block = (nr * self.lanes()) as i64;
        let (cin, cout) = (
            job.input.channels / job.groups,
            job.output.channels / job.groups,
        );
        let channel = panel
            .clone()
            .times(block)
            .offset(packed.band.first as i64)
            .add(&group.clone().times(cout as i64));
        let weights = group
            .clone()
            .times(packed.group)
            .add(&panel.clone().times(packed.step));
        let bias = group
            .clone()
            .times(packed.bias_group)
            .add(&panel.clone().times(block));
        let (slope, high) = fused.unwrap_or((1.0, f64::INFINITY));
        let mut done = 0;
        let cut = match grid.long {
            true => long_tiles(at.pixels, nr),
            false => tiles(self.isa(), at.pixels, nr),
        };
        for (mr, count) in cut {
            let out = at.out.clone().add(&channel).offset(done * grid.pixels.out);
            let input = at
                .input
                .clone()
                .add(&group.clone().times(cin as i64))
                .offset(job.origin + done * grid.pixels.input);
            let residual = at
                .residual
                .clone()
                .add(&channel)
                .offset(done * grid.pixels.residual);
            self.call(ConvCall {
                tile: (mr, nr),
                long: grid.long,
                rows: at.rows,
                tiles: count,
                channels,
                taps: grid.taps,
                run: grid.run,
                out: Pixels {
                    at: job.output.access(out),
                    row: grid.rows.out,
                    pixel: grid.pixels.out,
                },
                x: Pixels {
                    at: job.input.access(input),
                    row: grid.rows.input,
                    pixel: grid.pixels.input,
                },
                w: packed.weights.moved(&weights),
                w_row: 0,
                bias: Some(packed.bias.moved(&bias)),
                fetch: None,
                residual: job.residual.as_ref().map(|storage| Pixels {
                    at: storage.access(residual),
                    row: grid.rows.residual,
                    pixel: grid.pixels.residual,
                }),
                slope,
                hi: high,
            });
            done += (mr * count) as i64;
        }
    }

    fn pack_band(&mut self, job: &ConvJob, band: Band) -> Packed {
        let block = band.nr * self.lanes();
        let (cin, cout) = (
            job.input.channels / job.groups,
            job.output.channels / job.groups,
        );
        let outs = (band.panels - 1) * block + band.last;
        let [o, c, d, h, w] = job.weight_strides;
        let reduce = vec![
            (job.kernel[0], d),
            (job.kernel[1], h),
            (job.kernel[2], w),
            (cin, c),
        ];
        let depth: usize = reduce.iter().map(|&(count, _)| count).product();
        let step = (depth * block) as i64;
        let panels = Panels {
            param: job.weight,
            base: job.weight_base + band.first as i64 * o,
            groups: (job.groups, job.weight_group),
            outs: (outs, o),
            channel: (band.first, cout),
            reduce,
            block,
            norm: job.norm,
        };
        let bias = Biases::of_channels(job.bias, &panels);
        let (weights, bias) = (self.panels(panels), self.bias(bias));
        let group = band.panels as i64 * step;
        Packed {
            band,
            weights,
            bias,
            step,
            group,
            bias_group: (band.panels * block) as i64,
        }
    }

    /// Applies steps in place to a block of pixels.
    pub fn activate(
        &mut self,
        steps: &[Step],
        at: Access,
        rows: (usize, i64),
        pixels: (usize, i64),
        channels: usize,
    ) {
        let merged = pixels.1 == channels as i64;
        let (mut rows, mut pixels, mut run) = (rows, pixels, channels);
        if merged {
            run *= pixels.0;
            pixels = (1, 0);
            if rows.0 == 1 || rows.1 == run as i64 {
                run *= rows.0;
                rows = (1, 0);
            }
        }
        let runs = |at| Pixels {
            at,
            row: rows.1,
            pixel: pixels.1,
        };
        self.call(MapCall {
            rows: rows.0,
            runs: pixels.0,
            run,
            out: runs(at.clone()),
            x: runs(at),
            steps: steps.to_vec(),
        });
    }

    fn emit_depthwise(&mut self, job: ConvJob, cut: usize) {
        let channels = job.output.channels;
        let padded = channels.next_multiple_of(self.lanes());
        let [o, _, d, h, w] = job.weight_strides;
        let reduce = vec![(job.kernel[0], d), (job.kernel[1], h), (job.kernel[2], w)];
        let panels = Panels {
            param: job.weight,
            base: job.weight_base,
            groups: (1, 0),
            outs: (channels, o),
            channel: (0, channels),
            reduce,
            block: padded,
            norm: job.norm,
        };
        let bias = Biases::of_channels(job.bias, &panels);
        let (weights, bias) = (self.panels(panels), self.bias(bias));
        let fused = clamp(&job.act);
        let (slope, high) = fused.unwrap_or((1.0, f64::INFINITY));
        let [od, oh, ow] = job.output.dhw;
        // Where there is one output, or one tap, there is no next, however far away it would be.
        let apart = |count: usize, distance: i64| if count > 1 { distance } else { 0 };
        let step = |axis: usize| {
            let distance = job.input.strides[axis] * job.stride[axis] as i64;
            apart(job.output.dhw[axis], distance)
        };
        let along =
            |storage: &Storage, axis: usize| apart(job.output.dhw[axis], storage.strides[axis]);
        let out = |axis: usize| along(&job.output, axis);
        let residual = job.residual.as_ref();
        let added = |axis: usize| residual.map_or(0, |residual| along(residual, axis));
        let rows = oh / cut;
        self.parallel(cut, |cx, i| {
            cx.repeat(od, |cx, z| {
                let to = i
                    .clone()
                    .times(out(1) * rows as i64)
                    .add(&z.clone().times(out(0)));
                let from = i
                    .clone()
                    .times(added(1) * rows as i64)
                    .add(&z.clone().times(added(0)));
                let input = i
                    .times(step(1) * rows as i64)
                    .add(&z.times(step(0)))
                    .offset(job.origin);
                let at = job.output.access(to);
                cx.call(DepthwiseCall {
                    rows,
                    pixels: ow,
                    channels,
                    window: std::array::from_fn(|axis| {
                        let Tap { count, stride } = job.tap(axis);
                        Tap {
                            count,
                            stride: apart(count, stride),
                        }
                    }),
                    out: Pixels {
                        at: at.clone(),
                        row: out(1),
                        pixel: out(2),
                    },
                    x: Pixels {
                        at: job.input.access(input),
                        row: step(1),
                        pixel: step(2),
                    },
                    w: weights.clone(),
                    w_step: padded as i64,
                    bias: bias.clone(),
                    residual: residual.map(|residual| Pixels {
                        at: residual.access(from),
                        row: added(1),
                        pixel: added(2),
                    }),
                    slope,
                    hi: high,
                });
                if fused.is_none() {
                    cx.activate(&job.act, at, (rows, out(1)), (ow, out(2)), channels);
                }
            });
        });
    }
}

/// A block of output pixels and where it begins.
struct Block {
    out: Affine,
    input: Affine,
    residual: Affine,
    rows: usize,
    pixels: usize,
}

impl Access {
    /// The pointer moved by `offset`.
    #[must_use]
    pub fn moved(&self, offset: &Affine) -> Access {
        Access {
            buffer: self.buffer,
            offset: self.offset.clone().add(offset),
        }
    }
}
