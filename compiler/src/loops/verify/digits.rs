//! Differences of strided sets.
//!
//! Strides nest like the places of a number: a row is so many pixels, a pixel so many channels. Written in places that both
//! sets share, each is a few *boxes*, an arithmetic progression for each digit, and a box without another is a
//! few boxes again, however many elements they have.

use super::linear::TooHard;
use super::progression::Progression;
use super::strided::Strided;

/// An element is `Σ digitᵈ · radixᵈ`, and in the box if every digit is in its progression.
type Digits = Vec<Progression>;

/// Most boxes that one set may be.
const BOXES: usize = 64;
/// Most boxes that the difference of two boxes may be.
const PIECES: i64 = 1 << 12;

/// Most sets that are kept at a time: some 30 MB of them.
const SETS: usize = 1 << 18;

/// Adds what is in `a` and not in `b` to `rest`; `effort` pays for each set.
pub(super) fn subtract(
    a: Strided,
    b: &Strided,
    rest: &mut Vec<Strided>,
    effort: &mut u64,
) -> Result<(), TooHard> {
    pay(effort, 1)?;
    if rest.len() > SETS {
        return Err(TooHard);
    }
    if a.last < b.start || b.last < a.start {
        rest.push(a);
        return Ok(());
    }
    if b.dense() && b.start <= a.start && a.last <= b.last || a == *b {
        return Ok(());
    }
    if let Some(pieces) = difference(&a, b) {
        pay(effort, pieces.len())?;
        rest.extend(pieces);
        return Ok(());
    }
    // No places for both: smaller sets have fewer strides.
    if !a.meets(b)? {
        rest.push(a);
        return Ok(());
    }
    // A single element that is in `b`, in the end.
    for slice in a.slices().into_iter().flatten() {
        subtract(slice, b, rest, effort)?;
    }
    Ok(())
}

/// Takes from the effort what looking at so many sets costs.
pub(super) fn pay(effort: &mut u64, sets: usize) -> Result<(), TooHard> {
    *effort = effort.checked_sub(sets as u64).ok_or(TooHard)?;
    Ok(())
}

/// What is in `a` and not in `b`, if there are places in which both are few boxes.
fn difference(a: &Strided, b: &Strided) -> Option<Vec<Strided>> {
    let all = radices(a, b);
    // Strides that do not divide one another may be steps within one digit.
    (1..=all.len())
        .rev()
        .find_map(|places| difference_in(&all[..places], a, b))
}

/// The places that divide one another, from 1 up, among the strides of both; the largest come first.
fn radices(a: &Strided, b: &Strided) -> Vec<i64> {
    let mut strides: Vec<i64> = a
        .dims
        .iter()
        .chain(&b.dims)
        .map(|&(_, stride)| stride)
        .chain([1])
        .collect();
    strides.sort_unstable();
    let mut radices: Vec<i64> = Vec::with_capacity(strides.len());
    for stride in strides.into_iter().rev() {
        if radices
            .last()
            .is_none_or(|&radix| radix > stride && radix % stride == 0)
        {
            radices.push(stride);
        }
    }
    radices.reverse();
    radices
}

fn difference_in(radices: &[i64], a: &Strided, b: &Strided) -> Option<Vec<Strided>> {
    let mut left = boxes(a, radices)?;
    for part in boxes(b, radices)? {
        let mut pieces = Vec::with_capacity(left.len() + 8);
        for whole in left {
            without(whole, &part, &mut pieces)?;
        }
        left = pieces;
    }
    let set = |digits: &Digits| {
        let start = digits
            .iter()
            .zip(radices)
            .map(|(digit, radix)| digit.first * radix)
            .sum();
        let dims = digits
            .iter()
            .zip(radices)
            .map(|(digit, radix)| (digit.count, digit.step * radix));
        Strided::new(start, dims)
    };
    Some(left.iter().map(set).collect())
}

/// Adds what is in `whole` and not in `part` to `rest`, if that is not too much.
fn without(mut whole: Digits, part: &Digits, rest: &mut Vec<Digits>) -> Option<()> {
    let both: Option<Digits> = whole.iter().zip(part).map(|(a, b)| a.and(b)).collect();
    let Some(both) = both else {
        rest.push(whole);
        return Some(());
    };
    let pieces: i64 = whole
        .iter()
        .zip(&both)
        .map(|(a, both)| a.pieces(both))
        .sum();
    if pieces > PIECES {
        return None;
    }
    // The elements that differ in the first digit, then those that differ in the second only …
    for (digit, both) in both.into_iter().enumerate() {
        for piece in whole[digit].without(&both) {
            let mut pieces = whole.clone();
            pieces[digit] = piece;
            rest.push(pieces);
        }
        whole[digit] = both;
    }
    Some(())
}

/// A set of which the lower digits are known.
struct Part {
    digits: Digits,
    /// What the higher digits make: multiples of the next radix.
    start: i64,
    dims: Vec<(i64, i64)>,
}

/// The boxes that a set is, if they are few.
fn boxes(set: &Strided, radices: &[i64]) -> Option<Vec<Digits>> {
    let whole = Part {
        digits: Vec::with_capacity(radices.len()),
        start: set.start,
        dims: set.dims.clone(),
    };
    let mut parts = vec![whole];
    for (index, &radix) in radices.iter().enumerate() {
        let mut next = Vec::with_capacity(parts.len() + 2);
        for part in parts {
            split(part, radix, radices.get(index + 1).copied(), &mut next)?;
        }
        parts = next;
    }
    Some(parts.into_iter().map(|part| part.digits).collect())
}

/// Finds the digit of `radix`, of which the next place is `above`.
fn split(part: Part, radix: i64, above: Option<i64>, parts: &mut Vec<Part>) -> Option<()> {
    let here = part
        .dims
        .partition_point(|&(_, stride)| above.is_none_or(|above| stride < above));
    let (low, high) = part.dims.split_at(here);
    if low.iter().any(|(_, stride)| stride % radix != 0) {
        return None;
    }
    // All but the longest dimension are enumerated.
    let longest = (0..low.len()).max_by_key(|&index| low[index].0);
    let (mut starts, mut progression) = (vec![part.start], (1, radix));
    for (index, &(count, stride)) in low.iter().enumerate() {
        if Some(index) == longest {
            progression = (count, stride);
            continue;
        }
        if count > BOXES as i64 {
            return None;
        }
        starts = starts
            .iter()
            .flat_map(|start| (0..count).map(move |i| start + i * stride))
            .collect();
        if starts.len() > BOXES {
            return None;
        }
    }
    for start in starts {
        let (digits, dims) = (&part.digits, high);
        rows(
            start,
            progression,
            (radix, above),
            &mut |digit, start, rows| {
                let mut digits = digits.clone();
                digits.push(digit);
                let dims = Strided::new(0, dims.iter().copied().chain(rows)).dims;
                parts.push(Part {
                    digits,
                    start,
                    dims,
                });
                parts.len() <= BOXES
            },
        )?;
    }
    Some(())
}

/// Calls `see` with each digit of a progression, where the higher digits start, and how often and how far apart the digit is
/// repeated in them. Nothing, if `see` has had enough.
fn rows(
    start: i64,
    (mut count, stride): (i64, i64),
    (radix, above): (i64, Option<i64>),
    see: &mut impl FnMut(Progression, i64, Option<(i64, i64)>) -> bool,
) -> Option<()> {
    let step = stride / radix;
    let Some(above) = above else {
        return see(Progression::new(start / radix, count, step), 0, None).then_some(());
    };
    let digits = above / radix;
    let low = start.rem_euclid(above);
    let (mut first, mut row) = (low / radix, start - low);
    while count > 0 {
        let fit = (digits - first + step - 1) / step;
        // Rows that are alike: all whole ones, if a row is a multiple of the step.
        let whole = if digits % step == 0 && first < step {
            count / fit
        } else {
            0
        };
        let (taken, repeat) = match whole {
            0 | 1 => (fit.min(count), None),
            whole => (fit, Some((whole, above))),
        };
        if !see(Progression::new(first, taken, step), row, repeat) {
            return None;
        }
        let rows = whole.max(1);
        count -= taken * rows;
        first += taken * step - digits;
        row += rows * above;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::super::strided::tests::{all, dims, elements};
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// What is left of `a`, and how many sets that is.
    fn rest(a: Strided, b: &Strided, mut effort: u64) -> Result<(BTreeSet<i64>, usize), TooHard> {
        let mut rest = Vec::new();
        subtract(a, b, &mut rest, &mut effort)?;
        Ok((rest.iter().flat_map(all).collect(), rest.len()))
    }

    cnnc_testing::properties! {
        fn a_difference_is_exact(starts in (0i64..60, 0i64..60), a in dims(), b in dims()) for 512 {
            let sets = (Strided::new(starts.0, a), Strided::new(starts.1, b));
            let wanted = &all(&sets.0) - &all(&sets.1);
            prop_assert_eq!(rest(sets.0, &sets.1, 1 << 20).map(|rest| rest.0), Ok(wanted));
        }

        /// Whatever places both are written in.
        fn boxes_are_the_set(start in 0i64..40, dims in dims(), factors in prop::collection::vec(2i64..6, 0..4)) for 512 {
            let mut radices = vec![1];
            for factor in factors {
                radices.push(radices[radices.len() - 1] * factor);
            }
            let set = Strided::new(start, dims);
            if let Some(boxes) = boxes(&set, &radices) {
                let of_box = |digits: &Digits| {
                    let start = digits.iter().zip(&radices).map(|(digit, radix)| digit.first * radix).sum();
                    let dims: Vec<(i64, i64)> = digits.iter().zip(&radices).map(|(digit, radix)| (digit.count, digit.step * radix)).collect();
                    elements(start, &dims)
                };
                prop_assert_eq!(boxes.iter().flat_map(of_box).collect::<BTreeSet<i64>>(), all(&set));
                for digits in boxes {
                    for (digit, place) in digits.iter().zip(radices.windows(2)) {
                        prop_assert!(digit.first >= 0 && digit.last() < place[1] / place[0]);
                    }
                }
            }
        }
    }

    /// The pieces do not depend on extents.
    #[test]
    fn few_pieces_are_left() {
        let pieces = |a: &[(i64, i64)], start, b: &[(i64, i64)]| {
            let (a, b) = (
                Strided::new(0, a.iter().copied()),
                Strided::new(start, b.iter().copied()),
            );
            let mut rest = Vec::new();
            subtract(a, &b, &mut rest, &mut 100).unwrap();
            rest.len()
        };
        for n in [10, 1000, 1_000_000] {
            // The halo around a tensor of 16 channels.
            let row = 16 * (n + 2);
            assert_eq!(
                pieces(&[((n + 2) * row, 1)], row + 16, &[(16 * n, 1), (n, row)]),
                4
            );
            // Odd pixels, and the odd rows, of an odd number of columns.
            let row = 2 * n + 1;
            assert_eq!(
                pieces(&[(row * row, 1)], 0, &[(n + 1, 2), (n + 1, 2 * row)]),
                3
            );
            // Every third column of every second row: strides that do not divide one another.
            let row = 3 * n + 1;
            assert_eq!(pieces(&[(n * row, 1)], 0, &[(n, 3), (n / 2, 2 * row)]), 3);
        }
    }

    #[test]
    fn effort_is_bounded() {
        // Rows of three lengths that have nothing in common: element by element, if at all.
        let set =
            |start, strides: [i64; 3]| Strided::new(start, strides.map(|stride| (1000, stride)));
        let (a, b) = (set(0, [1, 1009, 1_018_081]), set(500, [1, 1013, 1_026_169]));
        assert_eq!(rest(a, &b, 1 << 12), Err(TooHard));
        // Each piece has its price: those of a frame around a tensor.
        let tensor = |start| Strided::new(start, [(8, 1), (8, 10)]);
        let frame = || Strided::new(0, [(100, 1)]);
        let left = rest(frame(), &tensor(11), 5).map(|(_, pieces)| pieces);
        assert_eq!(left, Ok(4));
        assert_eq!(rest(frame(), &tensor(11), 4), Err(TooHard));
        let mut many = vec![set(0, [1, 1, 1]); SETS + 1];
        let more = subtract(set(0, [1, 1, 1]), &set(9000, [1, 1, 1]), &mut many, &mut 9);
        assert_eq!(more, Err(TooHard));
        let single = || Strided::new(7, []);
        assert_eq!(rest(single(), &single(), 0), Err(TooHard));
        assert_eq!(rest(single(), &single(), 1), Ok((BTreeSet::new(), 0)));
    }
}
