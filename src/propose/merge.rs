//! Regions that become one another's, the most alike first (Uijlings et al. 2013, algorithm 1).

use super::colour::Planes;
use super::features::{Region, regions};
use super::segment::Regions;
use cnnc_runtime::answer::BBox;
use std::collections::BinaryHeap;

/// The box around each region, those of the segmentation first and then each that two became, in that order.
pub(super) fn hierarchy(image: &Planes, segmented: &Regions) -> Vec<BBox> {
    let mut all: Vec<Option<Region>> = regions(image, segmented).into_iter().map(Some).collect();
    let mut boxes: Vec<BBox> = all.iter().flatten().map(around).collect();
    let mut beside = neighbours(image, segmented);
    let picture = image.pixels.len();
    let mut queue = BinaryHeap::new();
    for (a, of) in beside.iter().enumerate() {
        for &b in of.iter().filter(|&&b| b > a) {
            if let (Some(one), Some(other)) = (&all[a], &all[b]) {
                queue.push(Pair::new(one.like(other, picture), a, b));
            }
        }
    }
    while let Some(Pair { a, b, .. }) = queue.pop() {
        // Either may have become part of another since.
        if all[a].is_none() || all[b].is_none() {
            continue;
        }
        let (Some(one), Some(other)) = (all[a].take(), all[b].take()) else {
            continue;
        };
        let joined = one.join(&other);
        let new = all.len();
        let mut near: Vec<usize> = [
            std::mem::take(&mut beside[a]),
            std::mem::take(&mut beside[b]),
        ]
        .concat()
        .into_iter()
        .filter(|&of| all[of].is_some())
        .collect();
        near.sort_unstable();
        near.dedup();
        for &of in &near {
            beside[of].push(new);
            if let Some(other) = &all[of] {
                queue.push(Pair::new(joined.like(other, picture), of, new));
            }
        }
        beside.push(near);
        boxes.push(around(&joined));
        all.push(Some(joined));
    }
    boxes
}

/// The box around a region.
fn around(of: &Region) -> BBox {
    BBox::new(
        of.first[0] as f32,
        of.first[1] as f32,
        (of.last[0] + 1) as f32,
        (of.last[1] + 1) as f32,
    )
}

/// Two regions, by how alike they are; of equal pairs the first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Pair {
    /// The bits of a number that is not negative are in its order.
    like: u32,
    before: std::cmp::Reverse<(usize, usize)>,
    a: usize,
    b: usize,
}

impl Pair {
    fn new(like: f32, a: usize, b: usize) -> Pair {
        Pair {
            like: like.max(0.0).to_bits(),
            before: std::cmp::Reverse((a, b)),
            a,
            b,
        }
    }
}

/// Which regions touch each, along a side of a pixel.
fn neighbours(image: &Planes, of: &Regions) -> Vec<Vec<usize>> {
    let mut beside = vec![Vec::new(); of.count];
    let mut touch = |a: u32, b: u32| {
        if a != b {
            for (one, other) in [(a as usize, b as usize), (b as usize, a as usize)] {
                // Along a border the last one is mostly the same.
                let list: &mut Vec<usize> = &mut beside[one];
                if list.last() != Some(&other) {
                    list.push(other);
                }
            }
        }
    };
    let width = image.width;
    for (at, &label) in of.labels.iter().enumerate() {
        if at % width + 1 < width {
            touch(label, of.labels[at + 1]);
        }
        if let Some(&below) = of.labels.get(at + width) {
            touch(label, below);
        }
    }
    for list in &mut beside {
        list.sort_unstable();
        list.dedup();
    }
    beside
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four columns of 10x10 pixels in grey: 0, 8, 200, 208, which are four regions of a picture of 40x10. The outer two pairs are the most alike, and first become one each; of both,
    /// which share the same likeness, the left one.
    #[test]
    fn the_most_alike_become_one_first() {
        let image = Planes {
            width: 40,
            height: 10,
            pixels: (0..400)
                .map(|at| [[0.0, 8.0, 200.0, 208.0][at % 40 / 10]; 3])
                .collect(),
        };
        let labels = (0..400).map(|at| (at % 40 / 10) as u32).collect();
        let found = hierarchy(&image, &Regions { labels, count: 4 });
        let column = |from: f32, to: f32| BBox::new(from, 0.0, to, 10.0);
        assert_eq!(
            found[..6],
            [
                column(0.0, 10.0),
                column(10.0, 20.0),
                column(20.0, 30.0),
                column(30.0, 40.0),
                column(0.0, 20.0),
                column(20.0, 40.0),
            ]
        );
        assert_eq!(found[6..], [column(0.0, 40.0)]);
    }

    #[test]
    fn a_region_alone_is_its_own_hierarchy() {
        let image = Planes {
            width: 3,
            height: 2,
            pixels: vec![[5.0; 3]; 6],
        };
        let labels = vec![0; 6];
        let found = hierarchy(&image, &Regions { labels, count: 1 });
        assert_eq!(found, [BBox::new(0.0, 0.0, 3.0, 2.0)]);
    }
}
