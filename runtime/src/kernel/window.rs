//! The walk that depthwise convolution and pooling share: windows folded one vector of channels at a time.

use crate::simd::{Simd, load_first, store_first};

/// The constants that describe the windows; `pixels` lie side by side in each of `rows`.
#[derive(Clone, Copy)]
pub(super) struct Windows {
    pub rows: isize,
    pub out_row: isize,
    pub in_row: isize,
    pub pixels: isize,
    pub out_px: isize,
    pub in_px: isize,
    /// Counts and strides of the window's dimensions.
    pub taps: [(isize, isize); 3],
    pub channels: usize,
}

/// The [`Windows`] of a struct of constants.
macro_rules! windows {
    ($c:ident) => {
        $crate::kernel::window::Windows {
            rows: $c.rows,
            out_row: $c.out_row,
            in_row: $c.in_row,
            pixels: $c.pixels,
            out_px: $c.out_px,
            in_px: $c.in_px,
            taps: [($c.n0, $c.s0), ($c.n1, $c.s1), ($c.n2, $c.s2)],
            channels: $c.channels as usize,
        }
    };
}
pub(super) use windows;

/// What becomes of a window, for one vector of channels.
///
/// # Safety
/// Of all functions: as of [`Simd`]; `channel` is the first of a vector of channels that begins inside the footprint.
pub(super) trait Fold<S: Simd> {
    /// What is known of a window so far.
    type State: Copy;
    /// What all pixels share at one tap.
    type Tap: Copy;
    /// Taps after which the state wants to be [settled](Fold::settle); 0 for never.
    const SETTLE: isize = 0;
    /// Whether columns can be folded before windows are made of them: the first of the window's dimensions is that along a row then.
    const COLUMNS: bool = false;
    /// Before the first tap.
    unsafe fn start(&self, channel: usize) -> Self::State;
    /// Tap number `index`.
    unsafe fn tap(&self, index: isize, channel: usize) -> Self::Tap;
    /// One input.
    unsafe fn fold(&self, state: Self::State, x: S::V, tap: Self::Tap) -> Self::State;
    /// A column of three elements.
    #[inline(always)]
    unsafe fn column(&self, _elements: [S::V; 3]) -> Self::State {
        unreachable!("these windows are not made of columns")
    }
    /// A column of the window behind those before it.
    #[inline(always)]
    unsafe fn join(&self, _window: Self::State, _column: Self::State) -> Self::State {
        unreachable!("these windows are not made of columns")
    }
    /// Between two taps.
    #[inline(always)]
    unsafe fn settle(&self, state: Self::State) -> Self::State {
        state
    }
    /// After the last tap.
    unsafe fn finish(&self, state: Self::State, at: Place) -> S::V;
}

/// Which vector of channels of which window it is.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub row: isize,
    pub pixel: isize,
    /// The first of the channels.
    pub channel: usize,
    /// How many channels there are from it on.
    pub count: usize,
}

/// Pixels folded together, for as long as there are as many.
const WIDE: usize = 7;

/// Vectors of channels folded together for the pixels that are left.
const DEEP: usize = 4;

/// Folds every window.
///
/// # Safety
/// As of [`Simd`]; every access is inside the footprint of the kernel with these constants.
#[inline(always)]
pub(super) unsafe fn walk<S: Simd, F: Fold<S>>(out: *mut f32, x: *const f32, c: Windows, fold: &F) {
    let shared = shared::<S, F>(&c);
    // SAFETY: rows and pixels are those of the footprint.
    unsafe {
        for r in 0..c.rows {
            let mut out = out.offset(r * c.out_row);
            let mut x = x.offset(r * c.in_row);
            let mut left = c.pixels;
            let at = |left: isize, channel: usize| Place {
                row: r,
                pixel: c.pixels - left,
                channel,
                count: c.channels - channel,
            };
            while left >= WIDE as isize {
                let mut channel = 0;
                while channel < c.channels {
                    let at = at(left, channel);
                    match shared {
                        Some(1) if at.count >= S::LANES => {
                            neighbours::<S, F, WIDE, 1>(out, x, &c, fold, at);
                        }
                        Some(2) if at.count >= S::LANES => {
                            neighbours::<S, F, WIDE, 2>(out, x, &c, fold, at);
                        }
                        _ => block::<S, F, WIDE, 1>(out, x, &c, fold, at),
                    }
                    channel += S::LANES;
                }
                out = out.offset(WIDE as isize * c.out_px);
                x = x.offset(WIDE as isize * c.in_px);
                left -= WIDE as isize;
            }
            while left > 0 {
                let mut channel = 0;
                while channel + DEEP * S::LANES <= c.channels {
                    block::<S, F, 1, DEEP>(out, x, &c, fold, at(left, channel));
                    channel += DEEP * S::LANES;
                }
                while channel < c.channels {
                    block::<S, F, 1, 1>(out, x, &c, fold, at(left, channel));
                    channel += S::LANES;
                }
                out = out.offset(c.out_px);
                x = x.offset(c.in_px);
                left -= 1;
            }
        }
    }
}

/// Elements from a window of three along a row to the next one, if they are so few that these share some, and [`neighbours`] folds them.
#[inline(always)]
fn shared<S: Simd, F: Fold<S>>(c: &Windows) -> Option<isize> {
    let [first, middle, last] = c.taps;
    let row = match F::COLUMNS {
        true if middle.0 != 1 || last.0 != 3 => return None,
        true => first,
        false => last,
    };
    let steps = |&steps: &isize| row.0 == 3 && F::SETTLE == 0 && c.in_px == steps * row.1;
    [1, 2].into_iter().find(steps)
}

/// `P` pixels whose windows are three elements wide and `STEP` apart, of a whole vector of channels: each element, or column, is read once.
#[inline(always)]
unsafe fn neighbours<S: Simd, F: Fold<S>, const P: usize, const STEP: isize>(
    out: *mut f32,
    x: *const f32,
    c: &Windows,
    fold: &F,
    at: Place,
) {
    // SAFETY: the caller's windows lie inside the footprint, with all channels of the vector.
    unsafe {
        let channel = at.channel;
        let (out, x) = (out.add(channel), x.add(channel));
        let mut state = [fold.start(channel); P];
        if F::COLUMNS {
            let [(_, apart), _, (_, below)] = c.taps;
            let column = |index: isize| {
                let value = |row: isize| S::load(x.offset(index * apart + row * below));
                fold.column([value(0), value(1), value(2)])
            };
            let (mut left, mut middle) = (column(0), column(1));
            for p in 0..P {
                let first = p as isize * STEP;
                if STEP > 1 && p > 0 {
                    middle = column(first + 1);
                }
                let right = column(first + 2);
                state[p] = fold.join(fold.join(left, middle), right);
                (left, middle) = if STEP > 1 {
                    (right, right)
                } else {
                    (middle, right)
                };
            }
        } else {
            let [(n0, s0), (n1, s1), (_, apart)] = c.taps;
            let mut index = 0;
            for i0 in 0..n0 {
                for i1 in 0..n1 {
                    let x = x.offset(i0 * s0 + i1 * s1);
                    let value = |index: isize| S::load(x.offset(index * apart));
                    let tap = |column: isize| fold.tap(index + column, channel);
                    let taps = [tap(0), tap(1), tap(2)];
                    let (mut left, mut middle) = (value(0), value(1));
                    for p in 0..P {
                        let first = p as isize * STEP;
                        if STEP > 1 && p > 0 {
                            middle = value(first + 1);
                        }
                        let right = value(first + 2);
                        let mut sum = fold.fold(state[p], left, taps[0]);
                        sum = fold.fold(sum, middle, taps[1]);
                        state[p] = fold.fold(sum, right, taps[2]);
                        (left, middle) = if STEP > 1 {
                            (right, right)
                        } else {
                            (middle, right)
                        };
                    }
                    index += 3;
                }
            }
        }
        for p in 0..P {
            let at = Place {
                pixel: at.pixel + p as isize,
                ..at
            };
            S::store(out.offset(p as isize * c.out_px), fold.finish(state[p], at));
        }
    }
}

/// `P` pixels by `V` vectors of channels; only the very last vector may be partial, and only if `V` is 1.
#[inline(always)]
unsafe fn block<S: Simd, F: Fold<S>, const P: usize, const V: usize>(
    out: *mut f32,
    x: *const f32,
    c: &Windows,
    fold: &F,
    at: Place,
) {
    // SAFETY: `channel` is below `channels`, and `count` keeps the last vector inside.
    unsafe {
        let Place { channel, count, .. } = at;
        let mut state = [[fold.start(channel); V]; P];
        for v in 0..V {
            let start = fold.start(channel + v * S::LANES);
            for p in 0..P {
                state[p][v] = start;
            }
        }
        let x = x.add(channel);
        let [(n0, s0), (n1, s1), (n2, s2)] = c.taps;
        let mut index = 0;
        let mut unsettled = 0;
        for i0 in 0..n0 {
            for i1 in 0..n1 {
                for i2 in 0..n2 {
                    let x = x.offset(i0 * s0 + i1 * s1 + i2 * s2);
                    for v in 0..V {
                        let tap = fold.tap(index, channel + v * S::LANES);
                        for p in 0..P {
                            let x = x.offset(p as isize * c.in_px).add(v * S::LANES);
                            let value = load_first::<S>(x, count);
                            state[p][v] = fold.fold(state[p][v], value, tap);
                        }
                    }
                    index += 1;
                    unsettled += 1;
                    if F::SETTLE > 0 && unsettled == F::SETTLE {
                        for v in 0..V {
                            for p in 0..P {
                                state[p][v] = fold.settle(state[p][v]);
                            }
                        }
                        unsettled = 0;
                    }
                }
            }
        }
        let out = out.add(channel);
        for p in 0..P {
            for v in 0..V {
                let out = out.offset(p as isize * c.out_px).add(v * S::LANES);
                let at = Place {
                    pixel: at.pixel + p as isize,
                    channel: channel + v * S::LANES,
                    count: count - v * S::LANES,
                    ..at
                };
                store_first::<S>(out, count, fold.finish(state[p][v], at));
            }
        }
    }
}
