//! `f32_pack_winograd`: each 3×3 or 5×5 filter as the 6×6 numbers that its transformed inputs are multiplied by.

use super::{FoldedNorm, eps, gamma, optional, scale_of, twin_scale, var};
use crate::isa::Isa;
use crate::kernel::declare::{Axis, declare};
use crate::kernel::support::{View, invalid, span, vector};
use crate::kernel::winograd::{Form, SPAN, weights};
use crate::kernel::{Footprint, Kernel, MAX_ARGS};
use crate::simd::{Simd, entries};

declare! {
    /// One panel of filters for Winograd's convolution: a call of `f32_pack_winograd`. For each of the 36 products `ξ` and each input
    /// channel, lane `o` is `(G g Gᵀ)[ξ]`, scaled, `g` being `data[o·outs + i·ins + y·taps₀ + x·taps₁]`; lanes beyond the last
    /// output channel are zero.
    pub struct PackWinogradCall: Filters {
        /// Which algorithm's.
        form: Form,
        /// The panel.
        out: P,
        /// The weights of its first output channel.
        data: P,
        /// Output channels.
        outs: Axis,
        /// Input channels.
        ins: Axis,
        /// From one row of taps to the next, and from one tap to the next.
        taps: [i64; 2],
        /// Lanes.
        block: usize,
        /// What scales each output channel.
        norm: Option<FoldedNorm<P>>,
    }
    kernel(_c) = crate::kernel::F32_PACK_WINOGRAD;
    args(c) { out: Write = c.out, data: Read = c.data, gamma: Read = gamma(&c.norm), var: Read = var(&c.norm) }
    consts(c) {
        outs: Count = c.outs.count, stride: Stride = c.outs.stride, block: Count = c.block,
        ins: Count = c.ins.count, in_stride: Stride = c.ins.stride, row: Stride = c.taps[0], tap: Stride = c.taps[1],
        norm: Flag = c.norm.is_some(), gamma: Flag = gamma(&c.norm).is_some(), eps: Double = eps(&c.norm),
        taps: Count = c.form.taps(),
    }
}

pub(in crate::kernel) const WINOGRAD: Kernel = Kernel {
    name: "f32_pack_winograd",
    signature: Filters::SIGNATURE,
    exact: true,
    footprint,
    entry,
    twin,
};

entries! {
    fn entry = body
}

/// Output channels that are transformed at a time.
const SIDE: usize = 8;

/// Taps of each algorithm's filters along an axis.
const THREE: usize = Form::Three.taps();
const FIVE: usize = Form::Five.taps();

#[inline(always)]
unsafe fn body<S: Simd>(
    out: *mut f32,
    data: *const f32,
    gamma: *const f32,
    var: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: passed on.
    unsafe {
        let c = Filters::read(consts);
        if c.taps == THREE as isize {
            panel::<THREE>(out, data, gamma, var, &c);
        } else {
            panel::<FIVE>(out, data, gamma, var, &c);
        }
    }
}

/// The panel, of filters of `TAPS` taps along an axis.
#[inline(always)]
unsafe fn panel<const TAPS: usize>(
    out: *mut f32,
    data: *const f32,
    gamma: *const f32,
    var: *const f32,
    c: &Filters,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        let (outs, block) = (c.outs as usize, c.block as usize);
        let matrix = c.ins as usize * block;
        let mut lane = 0;
        while lane < block {
            let count = outs.saturating_sub(lane).min(SIDE);
            let width = (block - lane).min(SIDE);
            let mut scales = [1.0; SIDE];
            if c.norm != 0 {
                for i in 0..count {
                    scales[i] = scale_of(gamma, var, lane + i, c.eps);
                }
            }
            for channel in 0..c.ins {
                let from = data.offset(channel * c.in_stride + lane as isize * c.stride);
                let mut taps = [[[0.0; SIDE]; TAPS]; TAPS];
                for i in 0..count {
                    let from = from.offset(i as isize * c.stride);
                    for y in 0..TAPS {
                        for x in 0..TAPS {
                            let at = y as isize * c.row + x as isize * c.tap;
                            taps[y][x][i] = f64::from(*from.offset(at));
                        }
                    }
                }
                let out = out.add(channel as usize * block + lane);
                if count == SIDE {
                    transform::<TAPS, true>(out, matrix, &taps, &scales, (SIDE, SIDE));
                } else {
                    transform::<TAPS, false>(out, matrix, &taps, &scales, (count, width));
                }
            }
            lane += SIDE;
        }
    }
}

/// Writes `count` lanes of `G g Gᵀ`, scaled, in f64 and rounded once, and zeros up to `width`; both are `SIDE` if it is the `WHOLE`.
#[inline(always)]
unsafe fn transform<const TAPS: usize, const WHOLE: bool>(
    out: *mut f32,
    matrix: usize,
    taps: &[[[f64; SIDE]; TAPS]; TAPS],
    scales: &[f64; SIDE],
    (count, width): (usize, usize),
) {
    let g = const { weights::<TAPS>() };
    for i in 0..SPAN {
        let row = g[i];
        let mut half = [[0.0; SIDE]; TAPS];
        for x in 0..TAPS {
            for lane in 0..SIDE {
                let mut sum = row[0] * taps[0][x][lane];
                for y in 1..TAPS {
                    sum += row[y] * taps[y][x][lane];
                }
                half[x][lane] = sum;
            }
        }
        for j in 0..SPAN {
            let column = g[j];
            let mut lanes = [0.0; SIDE];
            for lane in 0..SIDE {
                let mut sum = column[0] * half[0][lane];
                for x in 1..TAPS {
                    sum += column[x] * half[x][lane];
                }
                lanes[lane] = (sum * scales[lane]) as f32;
            }
            // SAFETY: the caller has room for that many lanes of each matrix.
            unsafe {
                let out = out.add((i * SPAN + j) * matrix);
                if WHOLE {
                    out.cast::<[f32; SIDE]>().write_unaligned(lanes);
                } else {
                    for lane in 0..width {
                        *out.add(lane) = if lane < count { lanes[lane] } else { 0.0 };
                    }
                }
            }
        }
    }
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Filters::new(consts);
    if c.outs > c.block || ![THREE, FIVE].contains(&(c.taps as usize)) {
        return invalid();
    }
    let len = ((SPAN * SPAN) as isize)
        .saturating_mul(c.ins)
        .saturating_mul(c.block);
    vec![
        vector(len),
        span(&[
            (c.outs, c.stride),
            (c.ins, c.in_stride),
            (c.taps, c.row),
            (c.taps, c.tap),
        ]),
        optional(c.norm != 0 && c.gamma != 0, c.outs),
        optional(c.norm != 0, c.outs),
    ]
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = Filters::new(consts);
    match c.taps == THREE as isize {
        true => twin_of::<THREE>(memory, at, &c),
        false => twin_of::<FIVE>(memory, at, &c),
    }
}

fn twin_of<const TAPS: usize>(memory: &mut [f32], at: &[usize; MAX_ARGS], c: &Filters) {
    let g = weights::<TAPS>();
    let mut view = View::new(memory, at);
    for xi in 0..(SPAN * SPAN) as isize {
        let (rows, columns) = (g[xi as usize / SPAN], g[xi as usize % SPAN]);
        for channel in 0..c.ins {
            for lane in 0..c.block {
                let mut value = 0.0;
                if lane < c.outs {
                    let tap = |y: isize, x: isize| {
                        let at = lane * c.stride + channel * c.in_stride + y * c.row + x * c.tap;
                        f64::from(view.get(1, at))
                    };
                    // From the first product on, in order.
                    let sum = |term: &dyn Fn(usize) -> f64| {
                        (1..TAPS).fold(term(0), |sum, index| sum + term(index))
                    };
                    let column = |x: usize| sum(&|y| rows[y] * tap(y as isize, x as isize));
                    let sum = sum(&|x| columns[x] * column(x));
                    let gamma = (c.gamma != 0).then_some(2);
                    let scale = match c.norm {
                        0 => 1.0,
                        _ => twin_scale(&view, gamma, 3, lane, c.eps),
                    };
                    value = (sum * scale) as f32;
                }
                view.set((xi * c.ins + channel) * c.block + lane, value);
            }
        }
    }
}
