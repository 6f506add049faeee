//! Rows that become columns: what copies do where one axis is contiguous in what they read and another in what they write.

use crate::simd::{Portable, Simd};

/// Elements of a line of the caches.
const LINE: isize = 16;

/// Fewest rows or columns.
pub(super) const LEAST: isize = 4;

/// Lines on each side of a block.
const LINES: isize = 4;

/// Rows and columns of a block. Its lines, and the pages that they are in, stay in the first-level caches while it is moved; each line is
/// read once and written once, whole, where lines are aligned.
const BLOCK: isize = LINES * LINE;

/// `out[r + c·beside] = x[r·below + c]`, at least [`LEAST`] rows and columns.
#[derive(Clone, Copy)]
pub(super) struct Matrix {
    /// How many there are in `x`; the elements of each column in `out`.
    pub rows: isize,
    /// From one row to the next in `x`.
    pub below: isize,
    /// How many there are in `out`; the elements of each row in `x`.
    pub columns: isize,
    /// From one column to the next in `out`.
    pub beside: isize,
}

/// Moves a matrix. With `FLUSH` denormals become zeros of their sign. If it comes from beyond the caches nearby, `ahead` are `out` and `x` of the
/// matrix that is moved next: blocks are fetched while the one before is moved, because no hardware foresees such steps.
///
/// # Safety
/// As of [`Simd`]; these elements of `x` may be read, and those of `out` written, which are none of them.
#[inline(always)]
pub(super) unsafe fn transpose<S: Simd, const FLUSH: bool>(
    out: *mut f32,
    x: *const f32,
    matrix: Matrix,
    ahead: Option<(*mut f32, *const f32)>,
) {
    // SAFETY: passed on.
    unsafe {
        let least = matrix.rows.min(matrix.columns);
        if least >= S::LANES as isize {
            blocks::<S, FLUSH>(out, x, matrix, ahead);
        } else if least >= S::Narrow::LANES as isize {
            blocks::<S::Narrow, FLUSH>(out, x, matrix, ahead);
        } else {
            blocks::<Portable<4>, FLUSH>(out, x, matrix, ahead);
        }
    }
}

/// The same, for at least `LANES` rows and columns.
#[inline(always)]
unsafe fn blocks<S: Simd, const FLUSH: bool>(
    out: *mut f32,
    x: *const f32,
    matrix: Matrix,
    ahead: Option<(*mut f32, *const f32)>,
) {
    let Matrix {
        rows,
        below,
        columns,
        beside,
    } = matrix;
    let mut left = 0;
    while left < columns {
        let right = columns.min(left + BLOCK);
        let mut top = 0;
        while top < rows {
            let bottom = rows.min(top + BLOCK);
            // Addresses alone: nothing is touched there.
            let (mut next_row, mut next_column) = (x, out);
            if let Some((next_out, next_x)) = ahead {
                let (r, c) = if bottom < rows {
                    (bottom, left)
                } else {
                    (0, right)
                };
                (next_row, next_column) = if bottom < rows || right < columns {
                    let at = x.wrapping_offset(r * below + c);
                    (at, out.wrapping_offset(r + c * beside))
                } else {
                    (next_x, next_out)
                };
            }
            let mut r = top;
            while r < bottom {
                let mut c = left;
                while c < right {
                    // SAFETY: a hint touches nothing; rows and columns are those of the matrix.
                    unsafe {
                        if ahead.is_some() {
                            for _ in 0..LINES {
                                fetch::<S>(next_row);
                                fetch::<S>(next_column);
                                next_row = next_row.wrapping_offset(below);
                                next_column = next_column.wrapping_offset(beside);
                            }
                        }
                        square::<S, FLUSH>(out, x, matrix, r, c);
                    }
                    c += LINE;
                }
                r += LINE;
            }
            top = bottom;
        }
        left = right;
    }
}

/// Hints that a block's share of a row or column will be in use.
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
unsafe fn fetch<S: Simd>(from: *const f32) {
    for line in 0..LINES {
        // SAFETY: a hint is valid for any address.
        unsafe { S::prefetch_near(from.wrapping_offset(line * LINE)) };
    }
}

/// A line's rows and columns from `r` and `c` on: lines of `x` are read whole before the next. What is less than a vector is moved with what is before it, once more.
///
/// # Safety
/// As of [`transpose`]; the matrix has at least `LANES` rows and columns.
#[inline(always)]
unsafe fn square<S: Simd, const FLUSH: bool>(
    out: *mut f32,
    x: *const f32,
    matrix: Matrix,
    r: isize,
    c: isize,
) {
    let lanes = S::LANES as isize;
    let Matrix {
        rows,
        below,
        columns,
        beside,
    } = matrix;
    let (bottom, right) = (rows.min(r + LINE), columns.min(c + LINE));
    let mut i = r;
    while i < bottom {
        let row = i.min(rows - lanes);
        let mut j = c;
        while j < right {
            let column = j.min(columns - lanes);
            // SAFETY: `LANES` rows and columns from these on are the matrix's.
            unsafe {
                let x = x.offset(row * below + column);
                S::transpose::<FLUSH>(out.offset(row + column * beside), beside, x, below);
            }
            j += lanes;
        }
        i += lanes;
    }
}
