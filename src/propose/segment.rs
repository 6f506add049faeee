//! Segmentation by the graph of pixels (Felzenszwalb and Huttenlocher 2004).
//!
//! Edges join each pixel with its eight neighbours and weigh as much as their colours are apart. In the order of weights, an edge joins two regions if it weighs no more than the
//! largest edge within either, given `k / pixels` on top: small regions join easily, large ones only where nothing separates them.

use super::colour::Planes;

/// Steps of a weight for a unit of colour. Weights are rounded to them, so that they can be sorted by counting.
const STEPS: f32 = 64.0;
/// Fewer pixels than these are no region, and join the neighbour that is most alike: that of a picture of 400x300.
const LEAST: usize = 30;

/// Which region each pixel is in.
#[derive(Debug)]
pub(super) struct Regions {
    /// Row by row; regions are numbered in the order of their first pixels.
    pub labels: Vec<u32>,
    pub count: usize,
}

/// Regions of a picture.
pub(super) fn segment(image: &Planes, k: f32) -> Regions {
    let edges = sorted(&edges(image));
    let mut sets = Sets::new(image.pixels.len());
    for &(weight, from, to) in &edges {
        let (a, b) = (sets.find(from), sets.find(to));
        if a == b {
            continue;
        }
        let weight = f32::from(weight) / STEPS;
        let most = |of: u32| sets.within[of as usize] + k / sets.sizes[of as usize] as f32;
        if weight <= most(a).min(most(b)) {
            sets.join(a, b, weight);
        }
    }
    let least = LEAST.min(image.pixels.len() / 40);
    for &(weight, from, to) in &edges {
        let (a, b) = (sets.find(from), sets.find(to));
        let small = |of: u32| (sets.sizes[of as usize] as usize) < least;
        if a != b && (small(a) || small(b)) {
            sets.join(a, b, f32::from(weight) / STEPS);
        }
    }
    sets.numbered()
}

/// Weight and both pixels of each edge.
fn edges(image: &Planes) -> Vec<(u16, u32, u32)> {
    let (width, height) = (image.width, image.height);
    let mut edges = Vec::with_capacity(4 * width * height);
    for y in 0..height {
        for x in 0..width {
            let from = y * width + x;
            let mut edge = |to: usize| {
                let (a, b) = (image.pixels[from], image.pixels[to]);
                let squares = [0, 1, 2].map(|of| (a[of] - b[of]) * (a[of] - b[of]));
                let apart = (squares[0] + squares[1] + squares[2]).sqrt();
                edges.push(((apart * STEPS).round() as u16, from as u32, to as u32));
            };
            if x + 1 < width {
                edge(from + 1);
            }
            if y + 1 < height {
                edge(from + width);
                if x + 1 < width {
                    edge(from + width + 1);
                }
                if x > 0 {
                    edge(from + width - 1);
                }
            }
        }
    }
    edges
}

/// By weight; of equal ones as they came.
fn sorted(edges: &[(u16, u32, u32)]) -> Vec<(u16, u32, u32)> {
    let mut starts = vec![0_usize; usize::from(u16::MAX) + 2];
    for (weight, ..) in edges {
        starts[usize::from(*weight) + 1] += 1;
    }
    for weight in 1..starts.len() {
        starts[weight] += starts[weight - 1];
    }
    let mut out = vec![(0, 0, 0); edges.len()];
    for &edge in edges {
        let start = &mut starts[usize::from(edge.0)];
        out[*start] = edge;
        *start += 1;
    }
    out
}

/// Disjoint sets of pixels.
struct Sets {
    parents: Vec<u32>,
    sizes: Vec<u32>,
    /// The largest edge of the tree within each.
    within: Vec<f32>,
}

impl Sets {
    fn new(count: usize) -> Sets {
        Sets {
            parents: (0..count as u32).collect(),
            sizes: vec![1; count],
            within: vec![0.0; count],
        }
    }

    fn find(&mut self, mut of: u32) -> u32 {
        while self.parents[of as usize] != of {
            let above = self.parents[self.parents[of as usize] as usize];
            self.parents[of as usize] = above;
            of = above;
        }
        of
    }

    fn join(&mut self, a: u32, b: u32, weight: f32) {
        let (large, small) = match self.sizes[a as usize] >= self.sizes[b as usize] {
            true => (a, b),
            false => (b, a),
        };
        self.parents[small as usize] = large;
        self.sizes[large as usize] += self.sizes[small as usize];
        self.within[large as usize] = weight;
    }

    fn numbered(mut self) -> Regions {
        let mut numbers = vec![u32::MAX; self.parents.len()];
        let (mut labels, mut count) = (Vec::with_capacity(numbers.len()), 0);
        for pixel in 0..self.parents.len() as u32 {
            let root = self.find(pixel) as usize;
            if numbers[root] == u32::MAX {
                numbers[root] = count;
                count += 1;
            }
            labels.push(numbers[root]);
        }
        Regions {
            labels,
            count: count as usize,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(width: usize, height: usize, values: &[f32]) -> Planes {
        Planes {
            width,
            height,
            pixels: values.iter().map(|&value| [value, 0.0, 0.0]).collect(),
        }
    }

    /// Worked out by hand. Edges of a row: 1, 4, 1. Both ones join at once (k = 6: each pixel allows 6). Then the 4: the regions of two pixels allow
    /// 1 + 6/2 = 4, and join; with k = 5 they allow 3.5, and do not.
    #[test]
    fn a_row_joins_as_the_rule_says() {
        let row = grey(4, 1, &[0.0, 1.0, 5.0, 6.0]);
        assert_eq!(segment(&row, 6.0).count, 1);
        let apart = segment(&row, 5.0);
        assert_eq!((apart.labels, apart.count), (vec![0, 0, 1, 1], 2));
        // Without k, only what is equal joins.
        let equal = grey(3, 2, &[7.0, 7.0, 9.0, 7.0, 9.0, 9.0]);
        assert_eq!(segment(&equal, 0.0).labels, [0, 0, 1, 0, 1, 1]);
    }

    /// Of 50x40 pixels: a square, and a speck of 5x5 pixels in it that is too small to be a region.
    #[test]
    fn specks_join_what_they_lie_in() {
        let value = |at: usize| {
            let (x, y) = (at % 50, at / 50);
            let inside = |from: usize, to: usize, x: usize| (from..to).contains(&x);
            if inside(20, 25, x) && inside(20, 25, y) {
                120.0
            } else if inside(10, 30, x) && inside(10, 30, y) {
                100.0
            } else {
                0.0
            }
        };
        let values: Vec<f32> = (0..2000).map(value).collect();
        let found = segment(&grey(50, 40, &values), 100.0);
        assert_eq!(found.count, 2);
        let inside = found.labels.iter().filter(|&&label| label == 1).count();
        assert_eq!(inside, 400);
        assert_eq!(found.labels[22 * 50 + 22], 1);
    }

    #[test]
    fn single_pixels_are_one_region() {
        let one = segment(&grey(1, 1, &[3.0]), 1.0);
        assert_eq!((one.labels, one.count), (vec![0], 1));
    }
}
