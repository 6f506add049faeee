//! Whether bounded integers solve one linear equation: what every question about two accesses meeting comes down to.
//!
//! Two elements are the same when their addresses are: `Σ strideᵈ · xᵈ = target`, where each `xᵈ` is a loop variable or
//! an index of a footprint, between bounds. Sizes nest like digits (a pixel is wider than its channels, a row wider than
//! its pixels), so a search from the largest stride down has one or two candidates at each
//! level; where they do not nest, strides share divisors, of which most candidates are no multiples, or leave no gaps, which ends the search at once.

use super::progression::euclid;

/// `lo ≤ x ≤ hi`, multiplied by a stride.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Term {
    /// Least value.
    pub lo: i64,
    /// Greatest value.
    pub hi: i64,
    /// Factor.
    pub stride: i64,
}

impl Term {
    /// An index below `count`.
    pub fn index(count: i64, stride: i64) -> Term {
        Term {
            lo: 0,
            hi: count - 1,
            stride,
        }
    }
}

/// The search was given up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TooHard;

/// Nodes that one search may visit.
const EFFORT: u32 = 1 << 17;

/// One level of the search: an unknown between 0 and `most`, and what is known of all levels below it.
struct Level {
    stride: i64,
    most: i64,
    /// Largest sum of this level and those below.
    reach: i64,
    /// Divides every stride of this level and those below.
    divisor: i64,
    /// Whether this level and those below make every multiple of `divisor` up to `reach`.
    dense: bool,
}

/// Whether some values of the terms add up to `target`.
///
/// Sums must fit i64: the caller has proven that all addresses lie in buffers.
pub(super) fn solvable(target: i64, terms: &[Term]) -> Result<bool, TooHard> {
    let Some((target, levels)) = normalise(target, terms) else {
        return Ok(false);
    };
    search(target, &levels, &mut EFFORT.clone())
}

/// Makes strides positive and distinct, largest first, and unknowns start at zero. `None` if a term has no value.
fn normalise(mut target: i64, terms: &[Term]) -> Option<(i64, Vec<Level>)> {
    let mut unknowns: Vec<(i64, i64)> = Vec::with_capacity(terms.len());
    for &Term { lo, hi, stride } in terms {
        if hi < lo {
            return None;
        }
        target -= stride * if stride < 0 { hi } else { lo };
        if stride != 0 && hi > lo {
            unknowns.push((stride.abs(), hi - lo));
        }
    }
    unknowns.sort_unstable();
    let mut levels: Vec<Level> = Vec::with_capacity(unknowns.len());
    for (stride, most) in unknowns {
        match levels.last_mut() {
            // Indices of one stride add up to any index up to their sum.
            Some(last) if last.stride == stride => {
                last.most += most;
                last.reach += most * stride;
            }
            _ => levels.push(Level {
                stride,
                most,
                reach: most * stride + levels.last().map_or(0, |last| last.reach),
                divisor: stride,
                dense: true,
            }),
        }
    }
    for index in 1..levels.len() {
        let Level {
            reach,
            divisor,
            dense,
            ..
        } = levels[index - 1];
        let level = &mut levels[index];
        level.divisor = euclid(level.stride, divisor).0;
        level.dense = dense && level.divisor == divisor && level.stride <= reach + divisor;
    }
    levels.reverse();
    Some((target, levels))
}

fn search(target: i64, levels: &[Level], effort: &mut u32) -> Result<bool, TooHard> {
    let Some((level, rest)) = levels.split_first() else {
        return Ok(target == 0);
    };
    if target < 0 || target > level.reach || target % level.divisor != 0 {
        return Ok(false);
    }
    if level.dense {
        return Ok(true);
    }
    // What this level leaves must be in the reach of those below, and a multiple of their divisor.
    let below = &rest[0];
    let least = ((target - below.reach).max(0) as u64).div_ceil(level.stride as u64) as i64;
    let most = (target / level.stride).min(level.most);
    let (common, inverse) = euclid(level.stride, below.divisor);
    let period = below.divisor / common;
    let congruent = i128::from(target / common) * i128::from(inverse) - i128::from(least);
    let mut x = least + congruent.rem_euclid(i128::from(period)) as i64;
    while x <= most {
        *effort = effort.checked_sub(1).ok_or(TooHard)?;
        if search(target - x * level.stride, rest, effort)? {
            return Ok(true);
        }
        x += period;
    }
    Ok(false)
}

/// Whether two different index vectors of these `(count, stride)` lead to the same element.
pub(super) fn repeats(dims: &[(i64, i64)]) -> Result<bool, TooHard> {
    if dims.iter().any(|&(count, _)| count == 0) {
        return Ok(false);
    }
    // The first index in which they differ is larger in the one or the other: by symmetry, in the one.
    for (first, &(count, stride)) in dims.iter().enumerate() {
        let mut terms = vec![Term {
            lo: 1,
            hi: count - 1,
            stride,
        }];
        terms.extend(dims[first + 1..].iter().map(|&(count, stride)| Term {
            lo: 1 - count,
            hi: count - 1,
            stride,
        }));
        if solvable(0, &terms)? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn enumerate(target: i64, terms: &[Term]) -> bool {
        match terms.split_first() {
            None => target == 0,
            Some((term, rest)) => {
                (term.lo..=term.hi).any(|x| enumerate(target - x * term.stride, rest))
            }
        }
    }

    fn terms() -> impl Strategy<Value = Vec<Term>> {
        let term = (-3i64..3, 0i64..5, -20i64..20).prop_map(|(lo, span, stride)| Term {
            lo,
            hi: lo + span - 1,
            stride,
        });
        prop::collection::vec(term, 0..5)
    }

    /// Strides of which nobody knows quickly what they make, and one that is longer than all of them together.
    #[test]
    fn a_search_that_is_given_up_has_no_answer() {
        let strides = [
            1_144_272_509,
            1_611_178_002,
            1_909_925_047,
            1_861_425_548,
            1_820_096_753,
        ];
        let mut terms: Vec<Term> = strides
            .iter()
            .map(|&stride| Term::index(200, stride))
            .collect();
        let target: i64 = strides.iter().map(|stride| 150 * stride).sum();
        assert_eq!(solvable(target, &terms), Err(TooHard));
        let longest = 1 << 41;
        terms.push(Term::index(2, longest));
        assert_eq!(solvable(target + longest, &terms), Err(TooHard));
    }

    cnnc_testing::properties! {
        fn agrees_with_enumeration(target in -120i64..120, terms in terms()) for 512 {
            prop_assert_eq!(solvable(target, &terms), Ok(enumerate(target, &terms)));
        }

        fn repeats_are_found(dims in prop::collection::vec((0i64..5, -20i64..20), 0..4)) for 512 {
            let mut addresses = vec![0];
            for &(count, stride) in &dims {
                addresses = addresses.iter().flat_map(|a| (0..count).map(move |i| a + i * stride)).collect();
            }
            let all = addresses.len();
            addresses.sort();
            addresses.dedup();
            prop_assert_eq!(repeats(&dims), Ok(addresses.len() < all));
        }
    }
}
