//! `f32_winograd_output`: what becomes outputs of [Winograd's algorithm](super::winograd)'s products.

use super::declare::{Pixels, declare, pointer, strides};
use super::support::{Activation, View, activate, invalid, multiply_add, span, vector};
use super::winograd::{
    A, B, Form, PAIR, Products, SPAN, TILE, begins_line, fits, is_side, prefetch_below,
};
use super::{Footprint, Kernel, MAX_ARGS, float};
use crate::isa::Isa;
use crate::simd::{Simd, entries, load_first, store_first};

declare! {
    /// Tiles of outputs, with bias, residual and activation: a call of `f32_winograd_output`.
    pub struct WinogradOutputCall: Output {
        /// Which algorithm's.
        form: Form,
        /// Rows and columns of tiles.
        tiles: [usize; 2],
        /// Height and width of what exists of the result.
        size: [usize; 2],
        /// Channels.
        channels: usize,
        /// The result.
        out: Pixels<P>,
        /// The products.
        x: Products<P>,
        /// One for each channel.
        bias: P,
        /// What is added.
        residual: Option<Pixels<P>>,
        /// Factor below zero of the activation.
        slope: f64,
        /// Upper limit of the activation.
        hi: f64,
    }
    kernel(_c) = super::F32_WINOGRAD_OUTPUT;
    args(c) { out: Write = c.out.at, x: Read = c.x.at, bias: Read = c.bias, residual: Read = pointer(&c.residual) }
    consts(c) {
        tile_rows: Count = c.tiles[0], tile_cols: Count = c.tiles[1], h: Count = c.size[0], w: Count = c.size[1],
        out_row: Stride = c.out.row, out_px: Stride = c.out.pixel,
        in_xi: Stride = c.x.matrix, in_row: Stride = c.x.row, in_tile: Stride = c.x.tile,
        res_row: Stride = strides(&c.residual).0, res_px: Stride = strides(&c.residual).1,
        channels: Count = c.channels, residual: Flag = c.residual.is_some(), slope: Float = c.slope, hi: Float = c.hi,
        side: Count = c.form.outputs(),
    }
}

/// Tiles of outputs, `h × w` pixels of which exist, with bias, residual and activation. A tile of which an input is infinite or NaN
/// becomes NaN where that input takes part, and never a number.
pub(super) const OUTPUT: Kernel = Kernel {
    name: "f32_winograd_output",
    signature: Output::SIGNATURE,
    exact: true,
    footprint: output_footprint,
    entry: output_entry,
    twin: output_twin,
};

entries! {
    fn output_entry = output
}

/// `Aᵀ m` of tiles with `SIDE` outputs along an axis, [`TILE`] or [`PAIR`]: the powers of the points, and of ∞ the last one only.
#[inline(always)]
unsafe fn outputs<S: Simd, const SIDE: usize>(m: [S::V; SPAN]) -> [S::V; SIDE] {
    // SAFETY: as of `Simd`.
    unsafe {
        let (sum_a, difference_a) = (S::add(m[1], m[2]), S::sub(m[1], m[2]));
        let (sum_b, difference_b) = (S::add(m[3], m[4]), S::sub(m[3], m[4]));
        let mut y = [S::splat(0.0); SIDE];
        y[0] = S::add(S::add(m[0], sum_a), sum_b);
        if SIDE == PAIR {
            let near = S::fma(S::splat(A), difference_a, m[5]);
            y[1] = S::fma(S::splat(B), difference_b, near);
        } else {
            y[1] = S::fma(S::splat(B), difference_b, S::mul(S::splat(A), difference_a));
            y[2] = S::fma(S::splat(B * B), sum_b, S::mul(S::splat(A * A), sum_a));
            let near = S::fma(S::splat(A * A * A), difference_a, m[5]);
            y[3] = S::fma(S::splat(B * B * B), difference_b, near);
        }
        y
    }
}

#[inline(always)]
unsafe fn output<S: Simd>(
    out: *mut f32,
    x: *const f32,
    bias: *const f32,
    residual: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: the caller keeps the contract of `KernelFn`.
    unsafe {
        let c = Output::read(consts);
        if c.side == PAIR as isize {
            output_tiles::<S, PAIR>(out, x, bias, residual, &c);
        } else {
            output_tiles::<S, TILE>(out, x, bias, residual, &c);
        }
    }
}

/// All tiles, of `SIDE` outputs along an axis.
#[inline(always)]
unsafe fn output_tiles<S: Simd, const SIDE: usize>(
    out: *mut f32,
    x: *const f32,
    bias: *const f32,
    residual: *const f32,
    c: &Output,
) {
    // SAFETY: every address is one of the footprint.
    unsafe {
        let activation = Activation::<S>::new(c.slope, c.hi);
        let (lanes, side) = (S::LANES as isize, SIDE as isize);
        for row in 0..c.tile_rows {
            for tile in 0..c.tile_cols {
                let (y0, x0) = (row * side, tile * side);
                let x = x.offset(row * c.in_row + tile * c.in_tile);
                let out = out.offset(y0 * c.out_row + x0 * c.out_px);
                let residual = residual.wrapping_offset(y0 * c.res_row + x0 * c.res_px);
                let (h, w) = (c.h - y0, c.w - x0);
                let inside = h >= side && w >= side;
                let mut channel = 0;
                while channel < c.channels {
                    let (x, out) = (x.offset(channel), out.offset(channel));
                    let (bias, residual) =
                        (bias.offset(channel), residual.wrapping_offset(channel));
                    let count = c.channels - channel;
                    if inside && count >= lanes {
                        if begins_line(channel) {
                            prefetch_below::<S, SIDE>(out, side, c.out_row, c.out_px);
                        }
                        output_tile::<S, SIDE, true>(
                            out,
                            x,
                            bias,
                            residual,
                            c,
                            &activation,
                            (h, w),
                            lanes,
                        );
                    } else {
                        output_tile::<S, SIDE, false>(
                            out,
                            x,
                            bias,
                            residual,
                            c,
                            &activation,
                            (h, w),
                            count,
                        );
                    }
                    channel += lanes;
                }
            }
        }
    }
}

/// One vector of channels of one tile. `WHOLE` tiles have all their pixels and channels.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // The kernel's pointers, which closures would capture.
unsafe fn output_tile<S: Simd, const SIDE: usize, const WHOLE: bool>(
    out: *mut f32,
    x: *const f32,
    bias: *const f32,
    residual: *const f32,
    c: &Output,
    activation: &Activation<S>,
    (h, w): (isize, isize),
    count: isize,
) {
    let count = count as usize;
    // SAFETY: pixels beyond `h`, `w` and channels beyond `count` are not touched.
    unsafe {
        let mut half = [[S::splat(0.0); SIDE]; SPAN];
        for i in 0..SPAN {
            let mut m = [S::splat(0.0); SPAN];
            for j in 0..SPAN {
                let at = x.offset((i * SPAN + j) as isize * c.in_xi);
                m[j] = if WHOLE {
                    S::load(at)
                } else {
                    load_first::<S>(at, count)
                };
            }
            half[i] = outputs::<S, SIDE>(m);
        }
        let bias = if WHOLE {
            S::load(bias)
        } else {
            load_first::<S>(bias, count)
        };
        for j in 0..SIDE {
            if !WHOLE && j as isize >= w {
                break;
            }
            let mut m = [S::splat(0.0); SPAN];
            for i in 0..SPAN {
                m[i] = half[i][j];
            }
            let y = outputs::<S, SIDE>(m);
            for i in 0..SIDE {
                if !WHOLE && i as isize >= h {
                    break;
                }
                // Infinity becomes NaN: of which sign it should be, the transforms have forgotten.
                let mut sum = S::fma(y[i], S::splat(0.0), S::add(y[i], bias));
                if c.residual != 0 {
                    let at = residual.offset(i as isize * c.res_row + j as isize * c.res_px);
                    sum = S::add(sum, load_first::<S>(at, count));
                }
                let at = out.offset(i as isize * c.out_row + j as isize * c.out_px);
                store_first::<S>(at, count, activation.apply(sum));
            }
        }
    }
}

fn output_footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Output::new(consts);
    let fits = |extent, tiles| fits(extent, tiles, c.side, c.side);
    let whole = is_side(c.side) && fits(c.h, c.tile_rows) && fits(c.w, c.tile_cols);
    if !whole || !(0..=1).contains(&c.residual) {
        return invalid();
    }
    let residual = span(&[(c.h, c.res_row), (c.w, c.res_px), (c.channels, 1)]);
    vec![
        span(&[(c.h, c.out_row), (c.w, c.out_px), (c.channels, 1)]),
        span(&[
            ((SPAN * SPAN) as isize, c.in_xi),
            (c.tile_rows, c.in_row),
            (c.tile_cols, c.in_tile),
            (c.channels, 1),
        ]),
        vector(c.channels),
        if c.residual == 0 { None } else { residual },
    ]
}

/// `Aᵀ m`, in the order of [`outputs`].
fn outputs_of<const SIDE: usize>(isa: Isa, m: [f32; SPAN]) -> [f32; SIDE] {
    let fma = |a, b, c| multiply_add(isa, a, b, c);
    let (plus, minus) = ([m[1] + m[2], m[3] + m[4]], [m[1] - m[2], m[3] - m[4]]);
    let last = |near: f32, far: f32| fma(far, minus[1], fma(near, minus[0], m[5]));
    std::array::from_fn(|power| match power {
        0 => (m[0] + plus[0]) + plus[1],
        1 if SIDE == PAIR => last(A, B),
        1 => fma(B, minus[1], A * minus[0]),
        2 => fma(B * B, plus[1], (A * A) * plus[0]),
        _ => last(A * A * A, B * B * B),
    })
}

/// Columns of a matrix as rows.
fn transposed<const R: usize, const C: usize>(of: [[f32; C]; R]) -> [[f32; R]; C] {
    std::array::from_fn(|c| std::array::from_fn(|r| of[r][c]))
}

fn output_twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], isa: Isa) {
    let c = Output::new(consts);
    match c.side == PAIR as isize {
        true => twin_of_tiles::<PAIR>(memory, at, &c, isa),
        false => twin_of_tiles::<TILE>(memory, at, &c, isa),
    }
}

fn twin_of_tiles<const SIDE: usize>(
    memory: &mut [f32],
    at: &[usize; MAX_ARGS],
    c: &Output,
    isa: Isa,
) {
    let (slope, hi) = (float(c.slope as i64), float(c.hi as i64));
    let mut view = View::new(memory, at);
    for row in 0..c.tile_rows {
        for tile in 0..c.tile_cols {
            for channel in 0..c.channels {
                let first = row * c.in_row + tile * c.in_tile + channel;
                let product =
                    |i: usize, j: usize| view.get(1, first + (i * SPAN + j) as isize * c.in_xi);
                let rows: [[f32; SIDE]; SPAN] = std::array::from_fn(|i| {
                    outputs_of(isa, std::array::from_fn(|j| product(i, j)))
                });
                let columns = transposed(rows).map(|column| outputs_of::<SIDE>(isa, column));
                for (j, column) in columns.into_iter().enumerate() {
                    for (i, value) in column.into_iter().enumerate() {
                        let y = row * SIDE as isize + i as isize;
                        let x = tile * SIDE as isize + j as isize;
                        if y >= c.h || x >= c.w {
                            continue;
                        }
                        let mut sum = multiply_add(isa, value, 0.0, value + view.get(2, channel));
                        if c.residual != 0 {
                            sum += view.get(3, y * c.res_row + x * c.res_px + channel);
                        }
                        view.set(
                            y * c.out_row + x * c.out_px + channel,
                            activate(sum, slope, hi),
                        );
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::winograd::weights;
    use crate::kernel::winograd_tiles::{TO_SIX, both};

    /// The definition: a tile of a convolution in one dimension, exactly.
    fn convolve<const TAPS: usize, const SIDE: usize>(g: [f64; TAPS]) {
        let d = [3.0f32, -1.0, 4.0, 1.0, -5.0, 9.0];
        let inputs = both(d, [0.0; TILE]).0;
        let products: [f32; SPAN] = std::array::from_fn(|i| {
            let weight: f64 = (0..TAPS).map(|k| weights::<TAPS>()[i][k] * g[k]).sum();
            (f64::from(inputs[i]) * weight) as f32
        });
        let outputs = outputs_of::<SIDE>(Isa::Portable, products);
        for (i, output) in outputs.into_iter().enumerate() {
            let exact: f64 = (0..TAPS).map(|k| f64::from(d[i + k]) * g[k]).sum();
            assert!(
                (f64::from(output) - exact).abs() < 1e-4,
                "{i}: {output} is not {exact}"
            );
        }
    }

    #[test]
    fn the_matrices_convolve() {
        convolve::<3, TILE>([2.0, 7.0, -1.0]);
        convolve::<5, PAIR>([2.0, 7.0, -1.0, 8.0, 2.0]);
    }

    #[test]
    fn the_matrix_is_what_the_sums_compute() {
        let d = [3.0f32, -1.0, 4.0, 1.0, -5.0, 9.0];
        for (row, value) in TO_SIX.iter().zip(both(d, [0.0; TILE]).0) {
            let exact: f64 = row
                .iter()
                .zip(d)
                .map(|(&m, d)| f64::from(m) * f64::from(d))
                .sum();
            assert!((f64::from(value) - exact).abs() < 1e-5);
        }
    }
}
