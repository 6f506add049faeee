//! Winograd's convolution F(4×4, 3×3): its points, and `f32_winograd_output`, the transform of what becomes outputs. Tiles of inputs are in `winograd_tiles`.
//!
//! A tile of 4×4 outputs is made of 6×6 inputs by 36 products instead of 144 (Winograd 1980; Lavin and Gray 2016):
//!
//! ```text
//! output = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A         d: 6×6 inputs, g: 3×3 weights
//! ```
//! With many channels the products between the transforms are 36 matrix products, which the convolution kernels compute; `G g Gᵀ`
//! is what `f32_pack_winograd` packs. The matrices interpolate polynomials at the points
//! 0, ±3/4, ±3/2 and ∞. Those of the papers, 0, ±1, ±2 and ∞, have smaller numbers and twice the rounding error; all
//! numbers here are exact in f32.

use super::declare::{Pixels, declare, pointer, strides};
use super::support::{Activation, View, activate, invalid, multiply_add, span, vector};
use super::{Footprint, Kernel, MAX_ARGS, float};
use crate::isa::Isa;
use crate::simd::{Simd, entries, load_first, store_first};

/// Outputs of a tile along an axis.
pub const TILE: usize = 4;

/// Inputs of a tile along an axis.
pub const SPAN: usize = 6;

/// The points, but 0 and ∞.
pub(super) const A: f32 = 0.75;
pub(super) const B: f32 = 1.5;

/// Where the matrices of a block of tiles are: one for each of the 36 products, a row for each tile.
#[derive(Clone, Debug)]
pub struct Products<P> {
    /// The first element.
    pub at: P,
    /// From one matrix to the next.
    pub matrix: i64,
    /// From one row of tiles to the next.
    pub row: i64,
    /// From one tile to the next.
    pub tile: i64,
}

declare! {
    /// Tiles of outputs, with bias, residual and activation: a call of `f32_winograd_output`.
    pub struct WinogradOutputCall: Output {
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

/// `Aᵀ m`
#[inline(always)]
unsafe fn four<S: Simd>(m: [S::V; SPAN]) -> [S::V; TILE] {
    // SAFETY: as of `Simd`.
    unsafe {
        let (sum_a, difference_a) = (S::add(m[1], m[2]), S::sub(m[1], m[2]));
        let (sum_b, difference_b) = (S::add(m[3], m[4]), S::sub(m[3], m[4]));
        [
            S::add(S::add(m[0], sum_a), sum_b),
            S::fma(S::splat(B), difference_b, S::mul(S::splat(A), difference_a)),
            S::fma(S::splat(B * B), sum_b, S::mul(S::splat(A * A), sum_a)),
            S::fma(
                S::splat(B * B * B),
                difference_b,
                S::fma(S::splat(A * A * A), difference_a, m[5]),
            ),
        ]
    }
}

/// Whether a vector of channels is the first of its cache line: of narrow vectors there are two.
#[inline(always)]
pub(super) fn begins_line(channel: isize) -> bool {
    channel % 16 == 0
}

/// Hints that what the tile below has more will be touched: of activations that are larger than caches every line is a wait else, as lines of a tile are
/// far apart.
#[inline(always)]
pub(super) unsafe fn prefetch_below<S: Simd>(
    tile: *const f32,
    rows: isize,
    row: isize,
    pixel: isize,
) {
    for i in rows..rows + TILE as isize {
        for j in 0..TILE as isize {
            // SAFETY: a hint is valid for any address.
            unsafe { S::prefetch_near(tile.wrapping_offset(i * row + j * pixel)) }
        }
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
    // SAFETY: the caller keeps the contract of `KernelFn`; every address is one of the footprint.
    unsafe {
        let c = Output::read(consts);
        let activation = Activation::<S>::new(c.slope, c.hi);
        let lanes = S::LANES as isize;
        for row in 0..c.tile_rows {
            for tile in 0..c.tile_cols {
                let (y0, x0) = (row * TILE as isize, tile * TILE as isize);
                let x = x.offset(row * c.in_row + tile * c.in_tile);
                let out = out.offset(y0 * c.out_row + x0 * c.out_px);
                let residual = residual.wrapping_offset(y0 * c.res_row + x0 * c.res_px);
                let (h, w) = (c.h - y0, c.w - x0);
                let inside = h >= TILE as isize && w >= TILE as isize;
                let mut channel = 0;
                while channel < c.channels {
                    let (x, out) = (x.offset(channel), out.offset(channel));
                    let (bias, residual) =
                        (bias.offset(channel), residual.wrapping_offset(channel));
                    let count = c.channels - channel;
                    if inside && count >= lanes {
                        if begins_line(channel) {
                            prefetch_below::<S>(out, TILE as isize, c.out_row, c.out_px);
                        }
                        output_tile::<S, true>(
                            out,
                            x,
                            bias,
                            residual,
                            &c,
                            &activation,
                            (h, w),
                            lanes,
                        );
                    } else {
                        output_tile::<S, false>(
                            out,
                            x,
                            bias,
                            residual,
                            &c,
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
unsafe fn output_tile<S: Simd, const WHOLE: bool>(
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
        let mut half = [[S::splat(0.0); TILE]; SPAN];
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
            half[i] = four::<S>(m);
        }
        let bias = if WHOLE {
            S::load(bias)
        } else {
            load_first::<S>(bias, count)
        };
        for j in 0..TILE {
            if !WHOLE && j as isize >= w {
                break;
            }
            let mut m = [S::splat(0.0); SPAN];
            for i in 0..SPAN {
                m[i] = half[i][j];
            }
            let y = four::<S>(m);
            for i in 0..TILE {
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

/// Whether `extent` pixels end in the last of `tiles` tiles, which read `beyond` pixels more than they make.
pub(super) fn fits(extent: isize, tiles: isize, beyond: isize) -> bool {
    let last = (tiles - 1) * TILE as isize;
    tiles > 0 && (last + 1..=last + TILE as isize + beyond).contains(&extent)
}

fn output_footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Output::new(consts);
    if !fits(c.h, c.tile_rows, 0) || !fits(c.w, c.tile_cols, 0) || !(0..=1).contains(&c.residual) {
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

/// `G`, which takes three weights to six.
pub(crate) const WEIGHTS: [[f64; 3]; SPAN] = {
    let (a, b) = (A as f64, B as f64);
    let near = 1.0 / (2.0 * a * a * (a * a - b * b));
    let far = 1.0 / (2.0 * b * b * (b * b - a * a));
    [
        [1.0 / (a * a * b * b), 0.0, 0.0],
        [near, a * near, a * a * near],
        [near, -a * near, a * a * near],
        [far, b * far, b * b * far],
        [far, -b * far, b * b * far],
        [0.0, 0.0, 1.0],
    ]
};

/// `Aᵀ m`, in the order of [`four`].
fn four_of(isa: Isa, m: [f32; SPAN]) -> [f32; TILE] {
    let fma = |a, b, c| multiply_add(isa, a, b, c);
    let (plus, minus) = ([m[1] + m[2], m[3] + m[4]], [m[1] - m[2], m[3] - m[4]]);
    [
        (m[0] + plus[0]) + plus[1],
        fma(B, minus[1], A * minus[0]),
        fma(B * B, plus[1], (A * A) * plus[0]),
        fma(B * B * B, minus[1], fma(A * A * A, minus[0], m[5])),
    ]
}

/// Columns of a matrix as rows.
fn transposed<const R: usize, const C: usize>(of: [[f32; C]; R]) -> [[f32; R]; C] {
    std::array::from_fn(|c| std::array::from_fn(|r| of[r][c]))
}

fn output_twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], isa: Isa) {
    let c = Output::new(consts);
    let (slope, hi) = (float(c.slope as i64), float(c.hi as i64));
    let mut view = View::new(memory, at);
    for row in 0..c.tile_rows {
        for tile in 0..c.tile_cols {
            for channel in 0..c.channels {
                let first = row * c.in_row + tile * c.in_tile + channel;
                let product =
                    |i: usize, j: usize| view.get(1, first + (i * SPAN + j) as isize * c.in_xi);
                let rows: [_; SPAN] =
                    std::array::from_fn(|i| four_of(isa, std::array::from_fn(|j| product(i, j))));
                let columns = transposed(rows).map(|column| four_of(isa, column));
                for (j, column) in columns.into_iter().enumerate() {
                    for (i, value) in column.into_iter().enumerate() {
                        let y = row * TILE as isize + i as isize;
                        let x = tile * TILE as isize + j as isize;
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
    use crate::kernel::winograd_tiles::{TO_SIX, both};

    /// The definition: a tile of a convolution in one dimension, exactly.
    #[test]
    fn the_matrices_convolve() {
        let d = [3.0f32, -1.0, 4.0, 1.0, -5.0, 9.0];
        let g = [2.0f64, 7.0, -1.0];
        let inputs = both(d, [0.0; TILE]).0;
        let products: [f32; SPAN] = std::array::from_fn(|i| {
            let weight: f64 = (0..3).map(|k| WEIGHTS[i][k] * g[k]).sum();
            (f64::from(inputs[i]) * weight) as f32
        });
        let outputs = four_of(Isa::Portable, products);
        for (i, output) in outputs.into_iter().enumerate() {
            let exact: f64 = (0..3).map(|k| f64::from(d[i + k]) * g[k]).sum();
            assert!(
                (f64::from(output) - exact).abs() < 1e-4,
                "{i}: {output} is not {exact}"
            );
        }
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
