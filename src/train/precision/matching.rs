//! Which found boxes of a picture are right, by PASCAL's rule and by COCO's at each of its overlaps.

use super::OVERLAP;
use cnnc_runtime::answer::BBox;

/// How many overlaps COCO has: .5, .55, …, .95.
pub(super) const OVERLAPS: usize = 10;
/// Boxes of a class that count in a picture, by COCO's rule.
const MOST: usize = 100;

/// By which rules a found box is right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Right {
    /// By PASCAL's.
    pub voc: bool,
    /// By COCO's at each overlap, if it counts.
    coco: Option<[bool; OVERLAPS]>,
}

impl Right {
    /// Whether it is right by COCO's rule at the overlap of that number; none if it does not count.
    pub fn coco(&self, overlap: usize) -> Option<bool> {
        self.coco.map(|right| right[overlap])
    }
}

/// COCO's overlap of that number, as numpy's `linspace(.5, .95, 10)` has it, to the bit.
fn overlap(number: usize) -> f64 {
    match number + 1 {
        OVERLAPS => 0.95,
        _ => 0.5 + number as f64 * ((0.95 - 0.5) / (OVERLAPS - 1) as f64),
    }
}

/// Intersection over union in f64.
fn iou(one: &BBox, other: &BBox) -> f64 {
    let along = |[a, b]: [f32; 2], [c, d]: [f32; 2]| f64::from(b.min(d)) - f64::from(a.max(c));
    let width = along([one.left, one.right], [other.left, other.right]);
    let height = along([one.top, one.bottom], [other.top, other.bottom]);
    if width <= 0.0 || height <= 0.0 {
        return 0.0;
    }
    let area = |of: &BBox| {
        let [left, top, right, bottom] = [of.left, of.top, of.right, of.bottom].map(f64::from);
        (right - left) * (bottom - top)
    };
    let both = width * height;
    both / (area(one) + area(other) - both)
}

/// Which of the found boxes of a class, the surest first, are right, of those that are there.
pub(super) fn matched(found: &[BBox], there: &[BBox]) -> Vec<Right> {
    let overlaps = found
        .iter()
        .map(|one| there.iter().map(|of| iou(one, of)).collect());
    let overlaps: Vec<Vec<f64>> = overlaps.collect();
    let mut right = vec![Right::default(); found.len()];
    for (right, is_right) in right.iter_mut().zip(voc(&overlaps, there.len())) {
        right.voc = is_right;
    }
    let counted = overlaps.len().min(MOST);
    for number in 0..OVERLAPS {
        let greedy = coco(&overlaps[..counted], there.len(), overlap(number));
        for (right, is_right) in right.iter_mut().zip(greedy) {
            right.coco.get_or_insert_default()[number] = is_right;
        }
    }
    right
}

/// Each is held against the box that it overlaps most, whether or not that is taken; of equal ones the first.
fn voc(overlaps: &[Vec<f64>], there: usize) -> Vec<bool> {
    let mut taken = vec![false; there];
    let right = overlaps.iter().map(|of| {
        let all = of.iter().copied().enumerate();
        let most = all.reduce(|most, next| if next.1 > most.1 { next } else { most });
        most.is_some_and(|(index, overlap)| {
            overlap >= f64::from(OVERLAP) && !std::mem::replace(&mut taken[index], true)
        })
    });
    right.collect()
}

/// Each takes the box that it overlaps most of those that are not taken; of equal ones the last.
fn coco(overlaps: &[Vec<f64>], there: usize, least: f64) -> Vec<bool> {
    let mut taken = vec![false; there];
    let right = overlaps.iter().map(|of| {
        let free = of.iter().copied().enumerate();
        let free = free.filter(|(index, overlap)| !taken[*index] && *overlap >= least);
        let most = free.reduce(|most, next| if next.1 >= most.1 { next } else { most });
        if let Some((index, _)) = most {
            taken[index] = true;
        }
        most.is_some()
    });
    right.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `numpy.linspace(.5, .95, 10)`, as numpy prints it.
    #[test]
    fn overlaps_are_numpys() {
        let all: Vec<f64> = (0..OVERLAPS).map(overlap).collect();
        const NUMPYS: [f64; OVERLAPS] = [
            0.5,
            0.55,
            0.6,
            0.65,
            0.7,
            0.75,
            0.8,
            0.85,
            0.8999999999999999,
            0.95,
        ];
        assert_eq!(all, NUMPYS);
    }

    #[test]
    fn more_than_a_hundred_do_not_count() {
        let there = [BBox::new(0.0, 0.0, 1.0, 1.0)];
        let mut found = vec![BBox::new(5.0, 0.0, 6.0, 1.0); MOST];
        found.push(there[0]);
        let right = matched(&found, &there);
        assert_eq!((right[MOST].voc, right[MOST].coco(0)), (true, None));
        assert_eq!((right[0].voc, right[0].coco(9)), (false, Some(false)));
    }
}
