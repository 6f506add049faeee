//! Winograd's convolutions F(4×4, 3×3) and F(2×2, 5×5): their points and matrices.
//!
//! A tile of 4×4 outputs is made of 6×6 inputs by 36 products instead of 144 (Winograd 1980; Lavin and Gray 2016), and one of 2×2, of 5×5 taps, by 36
//! instead of 100:
//!
//! ```text
//! output = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A         d: 6×6 inputs, g: 3×3 or 5×5 weights
//! ```
//! Both have the same points, so `B` is the same, and `A` and `G` have a column for each output and each tap.
//!
//! With many channels the products between the transforms are 36 matrix products, which the convolution kernels compute; `G g Gᵀ`
//! is what `f32_pack_winograd` packs. Tiles of inputs are in `winograd_tiles`, what becomes outputs in `winograd_outputs`.
//! The matrices interpolate polynomials at the points
//! 0, ±3/4, ±3/2 and ∞. Those of the papers, 0, ±1, ±2 and ∞, have smaller numbers and twice the rounding error; all
//! numbers here are exact in f32.

use crate::simd::Simd;
use std::fmt;

/// Inputs of a tile along an axis.
pub const SPAN: usize = 6;

/// Outputs of a tile of F(4×4, 3×3) along an axis.
pub const TILE: usize = Form::Three.outputs();

/// The same of F(2×2, 5×5).
pub(super) const PAIR: usize = Form::Five.outputs();

/// Which of the algorithms: filters of so many taps along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// F(4×4, 3×3).
    Three,
    /// F(2×2, 5×5).
    Five,
}

impl Form {
    /// All of them.
    pub const ALL: [Form; 2] = [Form::Three, Form::Five];

    /// Taps of a filter along an axis.
    pub const fn taps(self) -> usize {
        match self {
            Form::Three => 3,
            Form::Five => 5,
        }
    }

    /// Outputs of a tile along an axis.
    pub const fn outputs(self) -> usize {
        SPAN + 1 - self.taps()
    }

    /// The one for filters of so many taps along an axis, if there is one.
    pub fn of(taps: usize) -> Option<Form> {
        Form::ALL.into_iter().find(|form| form.taps() == taps)
    }
}

/// `F(4x4, 3x3)`
impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (outputs, taps) = (self.outputs(), self.taps());
        write!(f, "F({outputs}x{outputs}, {taps}x{taps})")
    }
}

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

/// Whether a vector of channels is the first of its cache line: of narrow vectors there are two.
#[inline(always)]
pub(super) fn begins_line(channel: isize) -> bool {
    channel % 16 == 0
}

/// Hints that what the tile below has more will be touched: of activations that are larger than caches every line is a wait else, as lines of a tile are
/// far apart.
#[inline(always)]
pub(super) unsafe fn prefetch_below<S: Simd, const SIDE: usize>(
    tile: *const f32,
    rows: isize,
    row: isize,
    pixel: isize,
) {
    for i in rows..rows + SIDE as isize {
        for j in 0..SIDE as isize {
            // SAFETY: a hint is valid for any address.
            unsafe { S::prefetch_near(tile.wrapping_offset(i * row + j * pixel)) }
        }
    }
}

/// Whether `extent` pixels end in the last of `tiles` tiles that are `side` pixels apart and read `span` of them.
pub(super) fn fits(extent: isize, tiles: isize, side: isize, span: isize) -> bool {
    let last = (tiles - 1) * side;
    tiles > 0 && (last + 1..=last + span).contains(&extent)
}

/// Whether an algorithm has tiles of so many outputs along an axis.
pub(super) fn is_side(side: isize) -> bool {
    side == TILE as isize || side == PAIR as isize
}

/// `G`, which takes `TAPS` weights to six: the powers of each point by what the other points' polynomial is there, and of ∞ the last one only.
pub(crate) const fn weights<const TAPS: usize>() -> [[f64; TAPS]; SPAN] {
    let (a, b) = (A as f64, B as f64);
    let near = 1.0 / (2.0 * a * a * (a * a - b * b));
    let far = 1.0 / (2.0 * b * b * (b * b - a * a));
    let zero = 1.0 / (a * a * b * b);
    let points = [(0.0, zero), (a, near), (-a, near), (b, far), (-b, far)];
    let mut rows = [[0.0; TAPS]; SPAN];
    let mut i = 0;
    while i < points.len() {
        let (point, scale) = points[i];
        let mut power = 1.0;
        let mut tap = 0;
        while tap < TAPS {
            rows[i][tap] = power * scale;
            power *= point;
            tap += 1;
        }
        i += 1;
    }
    rows[SPAN - 1][TAPS - 1] = 1.0;
    rows
}

/// The same for three.
pub(crate) const WEIGHTS: [[f64; 3]; SPAN] = weights();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_known_by_its_taps() {
        for form in Form::ALL {
            assert_eq!(Form::of(form.taps()), Some(form));
            assert!(is_side(form.outputs() as isize));
            assert_eq!(form.outputs() + form.taps() - 1, SPAN);
        }
        assert_eq!((Form::of(1), Form::of(4)), (None, None));
        assert!(!is_side(3));
        assert_eq!(
            Form::ALL.map(|form| form.to_string()),
            ["F(4x4, 3x3)", "F(2x2, 5x5)"]
        );
    }
}
