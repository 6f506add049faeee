//! Convolutions as loops: which order, which tiles, which panels.
//!
//! A direct convolution on channels-last tensors with halo: for each pixel the taps are contiguous runs, so there is no im2col and
//! no edge case. Dense layers, 1×1 convolutions (all pixels are one row) and grouped convolutions are the same loops
//! with other constants.

use super::schedule::{Direct, Order, Schedule, candidates, choose};
use super::tiling::{Band, LONG, long_tiles, tiles};
use super::{Biases, Lower, Panels, Storage};
use crate::layer::epilogue::clamp;
use crate::loops::{Access, Affine};
use cnnc_runtime::kernel::{Axis as Tap, ConvCall, DepthwiseCall, MapCall, Pixels, Step};
use cnnc_runtime::plan::Norm;

/// A convolution to be lowered.
pub struct ConvJob {
    /// The operand, with the halo that the taps reach into.
    pub input: Storage,
    /// Offset of the first tap of the first output from the operand's first element.
    pub origin: i64,
    /// The result.
    pub output: Storage,
    /// What is added to the sums.
    pub residual: Option<Storage>,
    /// Taps of depth, height and width.
    pub kernel: [usize; 3],
    /// Steps.
    pub stride: [usize; 3],
    /// Distances between taps.
    pub dilation: [usize; 3],
    /// Groups.
    pub groups: usize,
    /// Index of the weight among the node's parameters.
    pub weight: usize,
    /// Element of the weight at the origin.
    pub weight_base: i64,
    /// Stride of the weight from group to group.
    pub weight_group: i64,
    /// Strides of the weight: output channel, input channel, depth, height, width.
    pub weight_strides: [i64; 5],
    /// Index of the bias among the node's parameters.
    pub bias: Option<usize>,
    /// Batch norm to fold.
    pub norm: Option<Norm>,
    /// Activation.
    pub act: Vec<Step>,
}

/// One dimension of the output with its strides in output, operand and residual.
#[derive(Clone, Copy)]
pub(super) struct Axis {
    pub count: usize,
    out: i64,
    input: i64,
    residual: i64,
}

/// The geometry that every call of one convolution shares.
pub(super) struct Grid {
    planes: Axis,
    rows: Axis,
    pub pixels: Axis,
    /// Taps, outermost first, then the contiguous run.
    taps: [Tap; 3],
    run: usize,
    /// Whether there are so many that they are summed in blocks.
    pub long: bool,
}

impl ConvJob {
    pub(super) fn grid(&self) -> Grid {
        let residual = self
            .residual
            .as_ref()
            .map_or([0; 3], |storage| storage.strides);
        let mut axes: Vec<Axis> = Vec::new();
        for i in [2, 1, 0] {
            let axis = Axis {
                count: self.output.dhw[i],
                out: self.output.strides[i],
                input: self.input.strides[i] * self.stride[i] as i64,
                residual: residual[i],
            };
            match axes.last_mut() {
                _ if axis.count == 1 => {}
                Some(inner) if inner.continues(&axis) => inner.count *= axis.count,
                _ => axes.push(axis),
            }
        }
        axes.resize(
            3,
            Axis {
                count: 1,
                out: 0,
                input: 0,
                residual: 0,
            },
        );
        // The reduction: depth, height, width, channels; neighbours that are contiguous become one run.
        let run = self.input.channels / self.groups;
        let mut taps = vec![Tap {
            count: run,
            stride: 1,
        }];
        for i in [2, 1, 0] {
            let tap = self.tap(i);
            match taps.last_mut() {
                _ if tap.count == 1 => {}
                Some(inner) if tap.stride == inner.count as i64 * inner.stride => {
                    inner.count *= tap.count;
                }
                _ => taps.push(tap),
            }
        }
        taps.resize(4, Tap::ONCE);
        Grid {
            planes: axes[2],
            rows: axes[1],
            pixels: axes[0],
            taps: [taps[3], taps[2], taps[1]],
            run: taps[0].count,
            long: self.depth() > LONG,
        }
    }

    /// The taps along an axis.
    fn tap(&self, axis: usize) -> Tap {
        Tap {
            count: self.kernel[axis],
            stride: self.input.strides[axis] * self.dilation[axis] as i64,
        }
    }

    /// Whether it is one of those that Winograd's F(4×4, 3×3) computes.
    pub(super) fn is_plain_3x3(&self) -> bool {
        self.kernel == [1, 3, 3]
            && self.stride == [1, 1, 1]
            && self.dilation == [1, 1, 1]
            && self.groups == 1
            && self.output.dhw[0] == 1
    }

    /// Elements of the operand that one group reads.
    pub(super) fn operand(&self) -> usize {
        self.input.pixels() * self.input.channels / self.groups
    }

    /// Multiply-adds.
    pub(super) fn sums(&self) -> usize {
        self.output.pixels() * self.output.channels * self.depth()
    }

    /// Terms of each sum.
    pub(super) fn depth(&self) -> usize {
        let taps: usize = self.kernel.iter().product();
        taps * self.input.channels / self.groups
    }
}

impl Grid {
    /// Whether all pixels are one row.
    pub fn is_flat(&self) -> bool {
        self.rows.count == 1
    }

    /// What can be cut into blocks: rows, or pixels where there is one row.
    pub fn cuttable(&self) -> usize {
        match self.is_flat() {
            true => self.pixels.count,
            false => self.rows.count,
        }
    }
}

impl Axis {
    fn continues(&self, outer: &Axis) -> bool {
        let n = self.count as i64;
        outer.out == n * self.out
            && outer.input == n * self.input
            && outer.residual == n * self.residual
    }
}

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
    /// Emits a convolution, by the schedule that is estimated to cost least.
    pub fn convolve(&mut self, job: ConvJob) {
        let candidates = candidates(&job, &self.machine, self.arithmetic);
        self.note_winograd(&job, &candidates);
        match choose(&job, &self.machine, candidates) {
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
                bias: packed.bias.moved(&bias),
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
