//! `f32_winograd_input`, `f32_winograd_outgrad`: tiles of what [Winograd's algorithm](super::winograd) multiplies, transformed.
//!
//! Tiles of 6×6 inputs overlap by two pixels, or by four where filters have 5×5 taps; those of 4×4 cotangents of outputs, which the gradient of 3×3
//! weights needs, do not. All become 6×6.

use super::declare::{Pixels, declare};
use super::support::{View, invalid, multiply_add, span};
use super::winograd::{
    A, B, Form, PAIR, Products, SPAN, TILE, begins_line, fits, is_side, prefetch_below,
};
use super::{Footprint, Kernel, MAX_ARGS};
use crate::isa::Isa;
use crate::simd::{Simd, entries, load_first, store_first};

/// What tiles are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tiles {
    /// Inputs: `Bᵀ d B`.
    Inputs,
    /// Cotangents of outputs: `A e Aᵀ`.
    Cotangents,
}

declare! {
    /// Tiles, transformed: a call of `f32_winograd_input` or `f32_winograd_outgrad`.
    pub struct WinogradTilesCall: Transformed {
        /// What they are of.
        of: Tiles,
        /// Which algorithm's: cotangents are of [`Form::Three`].
        form: Form,
        /// Rows and columns of tiles.
        tiles: [usize; 2],
        /// Height and width of what exists of the operand.
        size: [usize; 2],
        /// Channels.
        channels: usize,
        /// The transformed tiles.
        out: Products<P>,
        /// The operand.
        x: Pixels<P>,
    }
    kernel(c) = match c.of {
        Tiles::Inputs => super::F32_WINOGRAD_INPUT,
        Tiles::Cotangents => super::F32_WINOGRAD_OUTGRAD,
    };
    args(c) { out: Write = c.out.at, x: Read = c.x.at }
    consts(c) {
        tile_rows: Count = c.tiles[0], tile_cols: Count = c.tiles[1], h: Count = c.size[0], w: Count = c.size[1],
        in_row: Stride = c.x.row, in_px: Stride = c.x.pixel, channels: Count = c.channels,
        out_xi: Stride = c.out.matrix, out_row: Stride = c.out.row, out_tile: Stride = c.out.tile,
        side: Count = c.form.outputs(),
    }
}

/// Tiles, `h × w` pixels of which exist (all others are zero), as `out[ξ·out_xi + row·out_row + tile·out_tile + channel]`.
pub(super) const INPUT: Kernel = Kernel {
    name: "f32_winograd_input",
    signature: Transformed::SIGNATURE,
    exact: true,
    footprint: footprint::<SPAN>,
    entry: input_entry,
    twin: twin::<SPAN, Inputs>,
};

/// The same of cotangents.
pub(super) const OUTGRAD: Kernel = Kernel {
    name: "f32_winograd_outgrad",
    signature: Transformed::SIGNATURE,
    exact: true,
    footprint: footprint::<TILE>,
    entry: outgrad_entry,
    twin: twin::<TILE, Cotangents>,
};

entries! {
    fn input_entry = input
}

entries! {
    fn outgrad_entry = outgrad
}

/// The transform of tiles with `N` pixels along an axis, in one dimension.
trait Transform<const N: usize> {
    unsafe fn of<S: Simd>(tile: [S::V; N]) -> [S::V; SPAN];

    /// The same of one number in each vector, in the same order.
    fn twin(isa: Isa, tile: [f32; N]) -> [f32; SPAN];
}

struct Inputs;

impl Transform<SPAN> for Inputs {
    #[inline(always)]
    unsafe fn of<S: Simd>(d: [S::V; SPAN]) -> [S::V; SPAN] {
        // SAFETY: as of `Simd`.
        unsafe {
            let even_a = S::fma(S::splat(-B * B), d[2], d[4]);
            let odd_a = S::fma(S::splat(-B * B), d[1], d[3]);
            let even_b = S::fma(S::splat(-A * A), d[2], d[4]);
            let odd_b = S::fma(S::splat(-A * A), d[1], d[3]);
            let (both, sum) = (S::splat(A * A * B * B), S::splat(-(A * A + B * B)));
            [
                S::fma(both, d[0], S::fma(sum, d[2], d[4])),
                S::fma(S::splat(A), odd_a, even_a),
                S::fma(S::splat(-A), odd_a, even_a),
                S::fma(S::splat(B), odd_b, even_b),
                S::fma(S::splat(-B), odd_b, even_b),
                S::fma(both, d[1], S::fma(sum, d[3], d[5])),
            ]
        }
    }

    fn twin(isa: Isa, d: [f32; SPAN]) -> [f32; SPAN] {
        let fma = |a, b, c| multiply_add(isa, a, b, c);
        let t = &TO_SIX;
        let pair = |row: usize| {
            let even = fma(t[row][2], d[2], d[4]);
            let odd = fma(t[row][2], d[1], d[3]);
            [fma(t[row][3], odd, even), fma(t[row + 1][3], odd, even)]
        };
        let ([a, b], [c, e]) = (pair(1), pair(3));
        [
            fma(t[0][0], d[0], fma(t[0][2], d[2], d[4])),
            a,
            b,
            c,
            e,
            fma(t[5][1], d[1], fma(t[5][3], d[3], d[5])),
        ]
    }
}

struct Cotangents;

impl Transform<TILE> for Cotangents {
    #[inline(always)]
    unsafe fn of<S: Simd>(e: [S::V; TILE]) -> [S::V; SPAN] {
        // SAFETY: as of `Simd`.
        unsafe {
            let even_a = S::fma(S::splat(A * A), e[2], e[0]);
            let odd_a = S::fma(S::splat(A * A), e[3], e[1]);
            let even_b = S::fma(S::splat(B * B), e[2], e[0]);
            let odd_b = S::fma(S::splat(B * B), e[3], e[1]);
            [
                e[0],
                S::fma(S::splat(A), odd_a, even_a),
                S::fma(S::splat(-A), odd_a, even_a),
                S::fma(S::splat(B), odd_b, even_b),
                S::fma(S::splat(-B), odd_b, even_b),
                e[3],
            ]
        }
    }

    fn twin(isa: Isa, e: [f32; TILE]) -> [f32; SPAN] {
        let fma = |a, b, c| multiply_add(isa, a, b, c);
        let pair = |p: f32| {
            let (even, odd) = (fma(p * p, e[2], e[0]), fma(p * p, e[3], e[1]));
            [fma(p, odd, even), fma(-p, odd, even)]
        };
        let ([a, b], [c, d]) = (pair(A), pair(B));
        [e[0], a, b, c, d, e[3]]
    }
}

/// The transposed matrices, a row for each result.
pub(super) const TO_SIX: [[f32; SPAN]; SPAN] = [
    [A * A * B * B, 0.0, -(A * A + B * B), 0.0, 1.0, 0.0],
    [0.0, -A * B * B, -B * B, A, 1.0, 0.0],
    [0.0, A * B * B, -B * B, -A, 1.0, 0.0],
    [0.0, -A * A * B, -A * A, B, 1.0, 0.0],
    [0.0, A * A * B, -A * A, -B, 1.0, 0.0],
    [0.0, A * A * B * B, 0.0, -(A * A + B * B), 0.0, 1.0],
];

#[inline(always)]
unsafe fn input<S: Simd>(
    out: *mut f32,
    x: *const f32,
    _: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: passed on.
    unsafe { tiles::<S, SPAN, Inputs>(out, x, &Transformed::read(consts)) }
}

#[inline(always)]
unsafe fn outgrad<S: Simd>(
    out: *mut f32,
    x: *const f32,
    _: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: passed on.
    unsafe { tiles::<S, TILE, Cotangents>(out, x, &Transformed::read(consts)) }
}

/// All tiles.
#[inline(always)]
unsafe fn tiles<S: Simd, const N: usize, T: Transform<N>>(
    out: *mut f32,
    x: *const f32,
    c: &Transformed,
) {
    // SAFETY: the caller keeps the contract of `KernelFn`; every address is one of the footprint.
    unsafe {
        let lanes = S::LANES as isize;
        for row in 0..c.tile_rows {
            for tile in 0..c.tile_cols {
                let (y0, x0) = (row * c.side, tile * c.side);
                let x = x.offset(y0 * c.in_row + x0 * c.in_px);
                let out = out.offset(row * c.out_row + tile * c.out_tile);
                let (h, w) = (c.h - y0, c.w - x0);
                let inside = h >= N as isize && w >= N as isize;
                let mut channel = 0;
                while channel < c.channels {
                    let (x, out) = (x.offset(channel), out.offset(channel));
                    let count = c.channels - channel;
                    if inside && count >= lanes {
                        if begins_line(channel) {
                            if c.side == TILE as isize {
                                prefetch_below::<S, TILE>(x, N as isize, c.in_row, c.in_px);
                            } else {
                                prefetch_below::<S, PAIR>(x, N as isize, c.in_row, c.in_px);
                            }
                        }
                        transform::<S, N, T, true>(out, x, c, (h, w), lanes);
                    } else {
                        transform::<S, N, T, false>(out, x, c, (h, w), count);
                    }
                    channel += lanes;
                }
            }
        }
    }
}

/// One vector of channels of one tile. `WHOLE` tiles have all their pixels and channels.
#[inline(always)]
unsafe fn transform<S: Simd, const N: usize, T: Transform<N>, const WHOLE: bool>(
    out: *mut f32,
    x: *const f32,
    c: &Transformed,
    (h, w): (isize, isize),
    count: isize,
) {
    // SAFETY: pixels beyond `h`, `w` and channels beyond `count` are not touched.
    unsafe {
        let mut half = [[S::splat(0.0); SPAN]; N];
        for i in 0..N {
            let mut d = [S::splat(0.0); N];
            if WHOLE || (i as isize) < h {
                for j in 0..N {
                    let at = x.wrapping_offset(i as isize * c.in_row + j as isize * c.in_px);
                    if WHOLE {
                        d[j] = S::load(at);
                    } else if (j as isize) < w {
                        d[j] = load_first::<S>(at, count as usize);
                    }
                }
            }
            half[i] = T::of::<S>(d);
        }
        for j in 0..SPAN {
            let mut d = [S::splat(0.0); N];
            for i in 0..N {
                d[i] = half[i][j];
            }
            let v = T::of::<S>(d);
            for i in 0..SPAN {
                let at = out.offset((i * SPAN + j) as isize * c.out_xi);
                if WHOLE {
                    S::store(at, v[i]);
                } else {
                    store_first::<S>(at, count as usize, v[i]);
                }
            }
        }
    }
}

fn footprint<const N: usize>(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Transformed::new(consts);
    // Cotangents do not overlap.
    let side = is_side(c.side) && (N == SPAN || c.side == N as isize);
    let fits = |extent, tiles| fits(extent, tiles, c.side, N as isize);
    if !side || !fits(c.h, c.tile_rows) || !fits(c.w, c.tile_cols) {
        return invalid();
    }
    vec![
        span(&[
            ((SPAN * SPAN) as isize, c.out_xi),
            (c.tile_rows, c.out_row),
            (c.tile_cols, c.out_tile),
            (c.channels, 1),
        ]),
        span(&[(c.h, c.in_row), (c.w, c.in_px), (c.channels, 1)]),
    ]
}

fn twin<const N: usize, T: Transform<N>>(
    memory: &mut [f32],
    at: &[usize; MAX_ARGS],
    consts: &[i64],
    isa: Isa,
) {
    let c = Transformed::new(consts);
    let mut view = View::new(memory, at);
    for row in 0..c.tile_rows {
        for tile in 0..c.tile_cols {
            for channel in 0..c.channels {
                let pixel = |i: usize, j: usize| {
                    let y = row * c.side + i as isize;
                    let x = tile * c.side + j as isize;
                    match y < c.h && x < c.w {
                        true => view.get(1, y * c.in_row + x * c.in_px + channel),
                        false => 0.0,
                    }
                };
                let rows: [_; N] =
                    std::array::from_fn(|i| T::twin(isa, std::array::from_fn(|j| pixel(i, j))));
                let first = row * c.out_row + tile * c.out_tile + channel;
                for j in 0..SPAN {
                    let column = T::twin(isa, std::array::from_fn(|i| rows[i][j]));
                    for (i, value) in column.into_iter().enumerate() {
                        view.set(first + (i * SPAN + j) as isize * c.out_xi, value);
                    }
                }
            }
        }
    }
}

/// The transforms of one tile's numbers, along an axis, for tests of what is made of them.
#[cfg(test)]
pub(super) fn both(d: [f32; SPAN], e: [f32; TILE]) -> ([f32; SPAN], [f32; SPAN]) {
    let isa = Isa::Portable;
    (Inputs::twin(isa, d), Cotangents::twin(isa, e))
}
