//! Recognition 1:K: errors grow with the number of known identities.

use crate::train::random::{Purpose, Random};

/// What galleries of a size came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OfGallery {
    /// Identities that are known, one picture of each.
    pub size: usize,
    /// Share of the faces with another picture in the gallery that are nearest to it.
    pub rank1: f64,
    /// Share of the faces without any that are taken for somebody: one is no farther than the threshold.
    pub false_accepts: f64,
}

/// Faces that are tried for each size, at least.
const TRIES: usize = 4_000;

/// All distances of so many pictures, and the identity of each.
pub(super) struct Faces<'f> {
    pub far: &'f dyn Fn(usize, usize) -> f32,
    /// Places of the pictures of each identity.
    pub members: &'f [Vec<usize>],
    pub threshold: f32,
}

impl Faces<'_> {
    /// Galleries of 1, 2, 5, 10, 20 … identities, and of all but one. Who is in each is drawn anew for each face, always the same.
    pub fn galleries(&self) -> Vec<OfGallery> {
        let most = self.members.len().saturating_sub(1);
        let mut sizes: Vec<usize> = (0..)
            .map(|power| 10_usize.saturating_pow(power))
            .flat_map(|ten| [1, 2, 5].map(|factor| ten.saturating_mul(factor)))
            // One that is nearly as large as the last would say the same.
            .take_while(|&size| 5 * size < 4 * most)
            .collect();
        sizes.push(most);
        let sizes = sizes.into_iter().filter(|&size| size > 0);
        sizes.map(|size| self.of(size)).collect()
    }

    fn of(&self, size: usize) -> OfGallery {
        let count: usize = self.members.iter().map(Vec::len).sum();
        let mut random = Random::new(0, Purpose::Gallery, &(size as u64).to_le_bytes());
        let mut identities: Vec<usize> = (0..self.members.len()).collect();
        let (mut faces, mut right, mut accepted, mut all) = (0, 0, 0, 0);
        for _ in 0..TRIES.div_ceil(count.max(1)) {
            for (own, pictures) in self.members.iter().enumerate() {
                for (place, &face) in pictures.iter().enumerate() {
                    // So many others in front.
                    let mut nearest = f32::INFINITY;
                    let mut known = 0;
                    let mut at = 0;
                    let mut nearest_of_fewer = f32::INFINITY;
                    while known < size {
                        let from = at + random.below(identities.len() - at);
                        identities.swap(at, from);
                        let other = identities[at];
                        at += 1;
                        if other == own {
                            continue;
                        }
                        let pictures = &self.members[other];
                        let picture = pictures[random.below(pictures.len())];
                        nearest_of_fewer = nearest;
                        nearest = nearest.min((self.far)(face, picture));
                        known += 1;
                    }
                    all += 1;
                    accepted += usize::from(nearest <= self.threshold);
                    if pictures.len() < 2 {
                        continue;
                    }
                    let another = random.below(pictures.len() - 1);
                    let another = pictures[another + usize::from(another >= place)];
                    faces += 1;
                    // Its own picture is there in place of the last one.
                    right += usize::from((self.far)(face, another) < nearest_of_fewer);
                }
            }
        }
        OfGallery {
            size,
            rank1: right as f64 / f64::from(faces.max(1)),
            false_accepts: accepted as f64 / f64::from(all.max(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Identities of two pictures each, whose distances say nothing: the own one is nearest once in K, and one of K is accepted with 1 − (1 − p)^K.
    #[test]
    fn errors_grow_with_the_gallery_as_they_do_by_chance() {
        let members: Vec<Vec<usize>> = (0..60).map(|at| vec![2 * at, 2 * at + 1]).collect();
        let mut random = Random::new(5, Purpose::Gallery, b"test");
        let far: Vec<f32> = (0..120 * 120).map(|_| random.unit() as f32).collect();
        let (p, far) = (0.05, |one: usize, other: usize| far[one * 120 + other]);
        let faces = Faces {
            far: &far,
            members: &members,
            threshold: p,
        };
        let galleries = faces.galleries();
        let sizes: Vec<usize> = galleries.iter().map(|of| of.size).collect();
        assert_eq!(sizes, [1, 2, 5, 10, 20, 59]);
        for OfGallery {
            size,
            rank1,
            false_accepts,
        } in galleries
        {
            let (by_chance, k) = (1.0 / size as f64, size as i32);
            let accepted = 1.0 - (1.0 - f64::from(p)).powi(k);
            // Four deviations of as many independent tries as there are at least: one distance to the own picture for each of 120 faces, and some 1,000 sets of strangers.
            let near = |found: f64, share: f64, tries: f64| {
                (found - share).abs() < 4.0 * (share * (1.0 - share) / tries).sqrt() + 1e-9
            };
            assert!(near(rank1, by_chance, 120.0), "{size}: {rank1}");
            assert!(
                near(false_accepts, accepted, 1e3),
                "{size}: {false_accepts}"
            );
        }
    }
}
