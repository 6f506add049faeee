//! The gradients of convolutions as loops.
//!
//! In the operand, a gradient is made of convolutions again: of the places along an axis that are the same modulo the stride, all meet the same
//! taps, the last of them first. In the weights it is a matrix of sums over pixels for each tap, image after image, or [Winograd's](super::conv_winograd).

use super::conv::{ConvInput, ConvWeight, Taps};
use super::scatter::add_to_taps;
use super::{conv_winograd, local_loops};
use crate::layer::elementwise::zip;
use crate::layer::phase::{Phase, Turned, reach};
use crate::layer::pointwise::map;
use crate::layer::{Halo, Lowering, NO_HALO, copy};
use crate::loops::Affine;
use crate::lower::{ConvJob, Lower, Storage, across};
use crate::shape::Shape;
use cnnc_runtime::kernel::{Axis, OuterCall, Pace, SumCall, Term, ZipOp};

impl Taps {
    /// The phases of an axis, of an operand and a result with so many elements.
    fn phases(&self, axis: usize, x: usize, y: usize) -> Vec<Phase> {
        let turned = Turned {
            kernel: self.kernel[axis],
            stride: self.stride[axis],
            dilation: self.dilation[axis],
            before: self.before[axis],
        };
        turned.phases(y, x)
    }

    /// What the operand's gradient reads beyond the result's edges.
    pub(super) fn beyond_result(&self, x: &Shape, y: &Shape) -> Halo {
        std::array::from_fn(|axis| {
            let outputs = y.dhw()[axis];
            reach(&self.phases(axis, x.dhw()[axis], outputs), outputs)
        })
    }

    /// What taps reach beyond the operand's edges.
    pub(super) fn beyond_operand(&self, x: &Shape, y: &Shape) -> Halo {
        std::array::from_fn(|axis| {
            let last = (y.dhw()[axis] - 1) * self.stride[axis]
                + (self.kernel[axis] - 1) * self.dilation[axis];
            let behind = (last + 1).saturating_sub(self.before[axis] + x.dhw()[axis]);
            (self.before[axis], behind)
        })
    }

    /// Phases of all axes together.
    pub(super) fn pieces(&self, x: &Shape) -> usize {
        let phases = (0..3).map(|axis| self.stride[axis].min(x.dhw()[axis]));
        phases.fold(1, usize::saturating_mul)
    }

    /// Whether every image has a single pixel, in operand and result.
    pub(super) fn is_dense(&self) -> bool {
        !self.local && self.kernel == [1; 3] && self.groups == 1
    }
}

impl Lowering for ConvInput {
    fn lower(&self, cx: &mut Lower<'_>) {
        let (taps, output, input) = (&self.taps, cx.output(), cx.input(0));
        if taps.local {
            return local_loops::input(cx, taps, &output, &input);
        }
        if taps.covers(output.dhw, input.dhw) {
            return each_tap(cx, taps, &output, &input);
        }
        if taps.scatters(cx, &output, &input) {
            scatter(cx, taps, &output, &input);
            return self.finish(cx, &output);
        }
        let along: [Vec<Phase>; 3] =
            std::array::from_fn(|axis| taps.phases(axis, output.dhw[axis], input.dhw[axis]));
        for &planes in &along[0] {
            for &rows in &along[1] {
                for &pixels in &along[2] {
                    self.phase(cx, &output, &input, [planes, rows, pixels]);
                }
            }
        }
    }
}

impl Taps {
    /// Whether the only output sees each element of the operand through a tap of its own.
    pub(super) fn covers(&self, x: [usize; 3], y: [usize; 3]) -> bool {
        y == [1; 3] && self.kernel == x && self.before == [0; 3] && self.dilation == [1; 3]
    }

    /// The same of the result's shape alone.
    pub(super) fn reads_whole(&self, x: &Shape) -> bool {
        self.covers(x.dhw(), [1; 3])
    }

    /// Whether products for each output, added where its taps are, take less than convolutions do: where these fill their vectors badly, and most of their taps
    /// are beyond the result's edges.
    fn scatters(&self, cx: &Lower<'_>, x: &Storage, y: &Storage) -> bool {
        let vectors = |n: usize| n.div_ceil(cx.lanes());
        let volume: usize = self.kernel.iter().product();
        let run = self.kernel[2] * x.channels;
        let strides: usize = self.stride.iter().product();
        let gathered = x.pixels() * volume.div_ceil(strides) * y.channels * vectors(x.channels);
        let products = y.pixels() * y.channels * vectors(volume * x.channels);
        // A sum in memory takes about four times what a multiply-add does.
        let added = 4 * y.pixels() * self.kernel[0] * self.kernel[1] * vectors(run);
        let together = self.dilation[2] == 1 && x.strides[2] == x.channels as i64;
        self.groups == 1 && self.before == [0; 3] && together && 2 * (products + added) < gathered
    }
}

/// A matrix for each element: of all images at once, which are its pixels.
fn each_tap(cx: &mut Lower<'_>, taps: &Taps, output: &Storage, input: &Storage) {
    let [kd, kh, kw] = taps.kernel;
    let volume = (kd * kh * kw) as i64;
    let ins = (output.channels / taps.groups) as i64;
    let outs = (input.channels / taps.groups) as i64;
    for tap in 0..kd * kh * kw {
        let at = [tap / (kh * kw), tap / kw % kh, tap % kw].map(|k| k as i64);
        let part = Storage {
            base: output.base + output.at(at[0], at[1], at[2]),
            dhw: [1; 3],
            ..output.clone()
        };
        cx.convolve(ConvJob {
            origin: 0,
            input: input.clone(),
            output: part,
            residual: None,
            kernel: [1; 3],
            stride: [1; 3],
            dilation: [1; 3],
            groups: taps.groups,
            weight: 0,
            weight_base: tap as i64,
            weight_group: ins * outs * volume,
            weight_strides: [volume, ins * volume, 0, 0, 0],
            bias: None,
            norm: None,
            act: Vec::new(),
        });
    }
}

/// For each output the products with all weights, row by row of taps; then they are added to what the taps meet.
fn scatter(cx: &mut Lower<'_>, taps: &Taps, output: &Storage, input: &Storage) {
    let [kd, kh, kw] = taps.kernel;
    let volume = kd * kh * kw;
    let (ins, outs) = (output.channels, input.channels);
    let [od, oh, ow] = input.dhw;
    let columns = Shape::new([volume * ins, od, oh, ow]).expect("no larger than the work is");
    let products = cx.scratch(&columns, NO_HALO);
    // Weights in the order of the products: taps, then channels.
    let reordered = cx.reordered(0, &[(outs, ins * volume), (volume, 1), (ins, volume)]);
    let own = (volume * ins) as i64;
    cx.convolve(ConvJob {
        origin: 0,
        input: input.clone(),
        output: products.clone(),
        residual: None,
        kernel: [1; 3],
        stride: [1; 3],
        dilation: [1; 3],
        groups: 1,
        weight: reordered,
        weight_base: 0,
        weight_group: 0,
        weight_strides: [1, own, 0, 0, 0],
        bias: None,
        norm: None,
        act: Vec::new(),
    });
    add_to_taps(cx, taps, input, &products, output);
}

impl ConvInput {
    /// What is done to sums, where they are in memory already.
    fn finish(&self, cx: &mut Lower<'_>, output: &Storage) {
        if let Some(residual) = self.epilogue.residual(cx) {
            zip(cx, ZipOp::Add, output, output, &residual);
        }
        if !self.epilogue.act.is_empty() {
            map(cx, output, output, &self.epilogue.act);
        }
    }

    /// Emits one combination of phases.
    fn phase(&self, cx: &mut Lower<'_>, output: &Storage, input: &Storage, along: [Phase; 3]) {
        let taps = &self.taps;
        let first = along.map(|phase| phase.first as i64);
        let part = Storage {
            base: output.base + output.at(first[0], first[1], first[2]),
            dhw: along.map(|phase| phase.count),
            strides: std::array::from_fn(|axis| output.strides[axis] * taps.stride[axis] as i64),
            ..output.clone()
        };
        if along.iter().any(|phase| phase.taps == 0) {
            copy::fill(cx, &part, 0.0);
            return self.finish(cx, output);
        }
        let [_, kh, kw] = taps.kernel.map(|k| k as i64);
        let volume = taps.kernel.iter().product::<usize>() as i64;
        let steps = [kh * kw, kw, 1];
        let ins = (output.channels / taps.groups) as i64;
        let outs = (input.channels / taps.groups) as i64;
        let back = |axis: usize| -(along[axis].apart as i64) * steps[axis];
        cx.convolve(ConvJob {
            origin: input.at(along[0].input, along[1].input, along[2].input),
            input: input.clone(),
            output: part,
            residual: self.epilogue.residual(cx),
            kernel: along.map(|phase| phase.taps),
            stride: [1; 3],
            dilation: along.map(|phase| phase.dilation),
            groups: taps.groups,
            weight: 0,
            weight_base: (0..3)
                .map(|axis| along[axis].last as i64 * steps[axis])
                .sum(),
            weight_group: ins * outs * volume,
            weight_strides: [volume, ins * volume, back(0), back(1), back(2)],
            bias: None,
            norm: None,
            act: self.epilogue.act.clone(),
        });
    }
}

/// Rows of the matrix that one call computes, so that threads share them: a multiple of the kernel's tile.
const ROWS: usize = 24;

/// Where a matrix of sums, its operand and its cotangent begin.
type Places = (Affine, Affine, Affine);

impl Lowering for ConvWeight {
    fn lower(&self, cx: &mut Lower<'_>) {
        let (x, dy) = (cx.input(0), cx.input(1));
        if self.taps.local {
            return local_loops::weight(cx, &self.taps, &x, &dy);
        }
        if conv_winograd::weight(cx, &self.taps, &x, &dy) {
            return;
        }
        match x.channels == self.taps.groups && dy.channels == self.taps.groups {
            true => self.depthwise(cx, &x, &dy),
            false => self.products(cx, &x, &dy),
        }
    }
}

/// A tensor of one image, as the loops over pixels walk it.
fn paces(taps: &Taps, x: &Storage, dy: &Storage) -> [Pace; 3] {
    std::array::from_fn(|axis| Pace {
        count: dy.dhw[axis],
        a: x.strides[axis] * taps.stride[axis] as i64,
        b: dy.strides[axis],
    })
}

impl ConvWeight {
    /// The operand's element that the first output meets through tap `k` of an axis is so far from the first one.
    fn tap(&self, x: &Storage, axis: usize) -> (i64, i64) {
        let step = x.strides[axis] * self.taps.dilation[axis] as i64;
        (-(self.taps.before[axis] as i64) * x.strides[axis], step)
    }

    /// Sums of products, channel by channel, for each tap: of each image, then of all.
    fn depthwise(&self, cx: &mut Lower<'_>, x: &Storage, dy: &Storage) {
        let [kd, kh, kw] = self.taps.kernel;
        let (volume, channels) = (kd * kh * kw, x.channels);
        let images = x.images;
        let parts = copy::scratch(cx, images * volume * channels);
        let pixels = paces(&self.taps, x, dy);
        let axes: [(i64, i64); 3] = std::array::from_fn(|axis| self.tap(x, axis));
        let origin: i64 = axes.iter().map(|(first, _)| first).sum();
        cx.parallel(images, |cx, image| {
            cx.repeat(kd, |cx, i| {
                cx.repeat(kh, |cx, j| {
                    cx.repeat(kw, |cx, k| {
                        let tap = i
                            .clone()
                            .times((kh * kw) as i64)
                            .add(&j.clone().times(kw as i64))
                            .add(&k);
                        let to = image
                            .clone()
                            .times((volume * channels) as i64)
                            .add(&tap.times(channels as i64));
                        let from = image
                            .clone()
                            .times(x.image)
                            .add(&i.times(axes[0].1))
                            .add(&j.times(axes[1].1))
                            .add(&k.times(axes[2].1))
                            .offset(origin);
                        cx.call(SumCall {
                            pixels,
                            channels,
                            out: parts.access(to),
                            a: x.access(from),
                            b: Some(dy.access(image.clone().times(dy.image))),
                            term: Term::Product,
                            scale: 1.0,
                        });
                    });
                });
            });
        });
        let sums = copy::scratch(cx, volume * channels);
        let whole = Pace {
            count: images,
            a: (volume * channels) as i64,
            b: 0,
        };
        cx.call(SumCall {
            pixels: [whole, Pace::ONCE, Pace::ONCE],
            channels: volume * channels,
            out: sums.access(Affine::default()),
            a: parts.access(Affine::default()),
            b: None,
            term: Term::Plain,
            scale: 1.0,
        });
        let out = cx.output();
        let dims = [(channels, volume as i64, 1), (volume, 1, channels as i64)];
        copy::copy(cx, &out, &sums, &dims);
    }

    /// A matrix of sums of products for each group and tap, in scratch memory, then in the tensor's order.
    fn products(&self, cx: &mut Lower<'_>, x: &Storage, dy: &Storage) {
        let taps = &self.taps;
        let [kd, kh, kw] = taps.kernel;
        let (ins, outs) = (x.channels / taps.groups, dy.channels / taps.groups);
        let axes: [(i64, i64); 3] = std::array::from_fn(|axis| self.tap(x, axis));
        let origin: i64 = axes.iter().map(|(first, _)| first).sum();
        // Neighbouring taps are neighbours in memory, too: together they are the rows of one matrix.
        let merged = taps.groups == 1 && axes[2].1 == ins as i64;
        let (rows, along) = match merged {
            true => (kw * ins, 1),
            false => (ins, kw),
        };
        let matrix = rows * outs;
        let count = kd * kh * along;
        let sums = copy::scratch(cx, taps.groups * count * matrix);
        let one = x.images == 1 || (x.pixels() == 1 && dy.pixels() == 1);
        let pixels = match one {
            true if x.images > 1 => across(x, Some(dy)),
            _ => paces(taps, x, dy),
        };
        let block = |cx: &mut Lower<'_>, at: Affine, from: Affine, to: Affine, rows: usize| {
            let call = |at: Affine, from: Affine, to: Affine, add: bool| OuterCall {
                pixels,
                rows: Axis {
                    count: rows,
                    stride: outs as i64,
                },
                columns: outs,
                out: sums.access(at.clone()),
                acc: add.then(|| sums.access(at)),
                a: x.access(from),
                b: dy.access(to),
            };
            cx.call(call(at.clone(), from.clone(), to.clone(), false));
            if !one {
                cx.repeat(x.images - 1, |cx, image| {
                    let image = image.offset(1);
                    let from = from.add(&image.clone().times(x.image));
                    let to = to.add(&image.times(dy.image));
                    cx.call(call(at, from, to, true));
                });
            }
        };
        let (whole, rest) = (rows / ROWS, rows % ROWS);
        let rows_of = |cx: &mut Lower<'_>, (at, from, to): Places, i: &Affine, rows: usize| {
            let at = at.add(&i.clone().times((ROWS * outs) as i64));
            let from = from.add(&i.clone().times(ROWS as i64));
            block(cx, at, from, to, rows);
        };
        let last = Affine::constant(whole as i64);
        let matrices = |cx: &mut Lower<'_>, write: &dyn Fn(&mut Lower<'_>, Places)| {
            cx.parallel(taps.groups, |cx, g| {
                cx.parallel(kd, |cx, i| {
                    cx.parallel(kh, |cx, j| {
                        cx.parallel(along, |cx, k| {
                            let at = g
                                .clone()
                                .times((count * matrix) as i64)
                                .add(&i.clone().times((kh * along * matrix) as i64))
                                .add(&j.clone().times((along * matrix) as i64))
                                .add(&k.clone().times(matrix as i64));
                            let from = g
                                .clone()
                                .times(ins as i64)
                                .add(&i.times(axes[0].1))
                                .add(&j.times(axes[1].1))
                                .add(&k.times(axes[2].1))
                                .offset(origin);
                            write(cx, (at, from, g.times(outs as i64)));
                        });
                    });
                });
            });
        };
        // What threads share is the outermost loop: that over rows or that over matrices, whichever is longer.
        if whole > taps.groups * kd * kh * along {
            cx.parallel(whole, |cx, i| {
                matrices(cx, &|cx, places| rows_of(cx, places, &i, ROWS));
            });
            if rest > 0 {
                matrices(cx, &|cx, places| rows_of(cx, places, &last, rest));
            }
        } else {
            matrices(cx, &|cx, places| {
                cx.parallel(whole, |cx, i| {
                    rows_of(cx, places.clone(), &i, ROWS);
                });
                if rest > 0 {
                    rows_of(cx, places, &last, rest);
                }
            });
        }
        let out = cx.output();
        let volume = (kd * kh * kw) as i64;
        let (m, c) = (matrix as i64, outs as i64);
        let column = if merged { ins as i64 * c } else { m };
        let dims = [
            (
                taps.groups,
                outs as i64 * ins as i64 * volume,
                count as i64 * m,
            ),
            (outs, ins as i64 * volume, 1),
            (ins, volume, c),
            (kd, (kh * kw) as i64, (kh * along) as i64 * m),
            (kh, kw as i64, along as i64 * m),
            (kw, 1, column),
        ];
        copy::copy(cx, &out, &sums, &dims);
    }
}
