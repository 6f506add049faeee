//! `triplet`: vectors of one class are nearer to each other than to those of other classes, by a margin.
//!
//! F. Schroff, D. Kalenichenko and J. Philbin, "FaceNet: a unified embedding for face recognition and clustering", 2015. D is the *square* of a distance. Every pair (a, p) of one class in the batch has a
//! triplet: its negative is, of the other classes, the nearest with D(a, n) > D(a, p), which is *semi-hard* without an upper limit; if there is none, the farthest; of equal ones the first. The loss is the mean over
//! all triplets of max(D(a, p) − D(a, n) + margin, 0).
//!
//! With `mining hard` every vector that has another one of its class is the anchor of one triplet, of the farthest of its class and the nearest of the others: A. Hermans, L. Beyer and B. Leibe, "In defense of the triplet
//! loss for person re-identification", 2017 ("batch hard"), with squared distances.
//!
//! Which triplets there are is decided by what the network makes of the batch before the step. In the step the loss of an image is a line through that: with g the gradient of the sum in the image's vector z, and c what
//! is left, it is g · (z − z₀ / 2) + c, which has the value and the gradient of the whole, and no root at 0.

use super::{Batch, Loss, LossDecl, Measure, Misfit, Targets, Terms, sized};
use crate::args::{Kind, ParamDecl};
use crate::id::ValueId;
use crate::layer::add::Add;
use crate::op::deviation::Deviation;
use crate::op::total::Total;
use crate::shape::Shape;
use cnnc_runtime::kernel::Deviation as Of;

/// The row of [`LOSSES`](super::LOSSES).
pub static DECL: LossDecl = LossDecl {
    name: "triplet",
    doc: "Vectors of one class are nearer to each other than to those of other classes, by a margin between squared distances: Schroff et al. 2015, with the semi-hard triplets of the batch. \
          Where no negative is semi-hard, the farthest is taken. With `mining hard`, the farthest of its class and the nearest of the others for each vector: Hermans et al. 2017.",
    settings: &[
        ParamDecl {
            name: "margin",
            kind: Kind::Float,
            positional: false,
            default: Some("0.2"),
            doc: "By how much the squared distance to another class is larger.",
        },
        ParamDecl {
            name: "mining",
            kind: Kind::Word(&["semi_hard", "hard"]),
            positional: false,
            default: Some("semi_hard"),
            doc: "Which triplets of a batch are learned.",
        },
    ],
    usual: |network| super::head(network) == Some("embed"),
    build: |loss, _| {
        Box::new(Triplet {
            margin: loss.number("margin").unwrap_or(0.2),
            hard: loss.number("mining") == Some(1.0),
        })
    },
    samples: &[
        "input x: 4; dense 2 tanh; head embed",
        "input x: 3; dense 4; head embed",
    ],
};

/// Share of the margin by which the loss of a collapsed network may differ from it.
const NEAR: f64 = 1e-3;

/// An anchor, another vector of its class, and one of another class.
pub type Chosen = [usize; 3];

/// The triplets of a batch, in the order of anchors and positives, and how many of them are semi-hard.
pub fn mine(distances: &dyn Fn(usize, usize) -> f64, classes: &[u32]) -> (Vec<Chosen>, usize) {
    let (mut triplets, mut semi_hard) = (Vec::new(), 0);
    for (a, class) in classes.iter().enumerate() {
        let others = (0..classes.len()).filter(|&n| classes[n] != *class);
        let others: Vec<(usize, f64)> = others.map(|n| (n, distances(a, n))).collect();
        for p in (0..classes.len()).filter(|&p| p != a && classes[p] == *class) {
            let apart = distances(a, p);
            let beyond = others.iter().filter(|(_, far)| *far > apart);
            let nearest = beyond.min_by(|one, other| one.1.total_cmp(&other.1));
            // Of equal ones `max_by` takes the last.
            let farthest = || {
                let backwards = others.iter().rev();
                backwards.max_by(|one, other| one.1.total_cmp(&other.1))
            };
            semi_hard += usize::from(nearest.is_some());
            if let Some((n, _)) = nearest.or_else(farthest) {
                triplets.push([a, p, *n]);
            }
        }
    }
    (triplets, semi_hard)
}

/// The hardest triplet of each vector that has another one of its class, if there is one of another class: the farthest of its class, the nearest of the others, of equal ones the first.
pub fn mine_hard(distances: &dyn Fn(usize, usize) -> f64, classes: &[u32]) -> Vec<Chosen> {
    let hardest = |a: usize| {
        let all = || (0..classes.len()).map(|other| (other, distances(a, other)));
        let own = all().filter(|(p, _)| *p != a && classes[*p] == classes[a]);
        let others = all().filter(|(n, _)| classes[*n] != classes[a]);
        // Of equal ones `max_by` takes the last.
        let farther = |one: (usize, f64), other: (usize, f64)| match other.1 > one.1 {
            true => other,
            false => one,
        };
        let (p, _) = own.reduce(farther)?;
        let (n, _) = others.min_by(|one, other| one.1.total_cmp(&other.1))?;
        Some([a, p, n])
    };
    (0..classes.len()).filter_map(hardest).collect()
}

#[derive(Debug)]
struct Triplet {
    margin: f64,
    hard: bool,
}

impl Loss for Triplet {
    fn fit(&self, output: &Shape) -> Result<(), Misfit> {
        let (setting, message) = match output.spatial() {
            [] if self.margin > 0.0 => return Ok(()),
            [] => (
                Some("margin"),
                format!("a margin is more than 0, not {}", self.margin),
            ),
            _ => (
                None,
                format!("`triplet` compares vectors, and the output is {output}"),
            ),
        };
        Err(Misfit { setting, message })
    }

    fn push(&self, terms: &mut Terms<'_>) -> ValueId {
        let output = terms.output();
        let shape = terms.shape(output);
        let half = terms.target("half", shape.clone());
        let pull = terms.target("pull", shape);
        let rest = terms.target("rest", Shape::new([1]).expect("a number"));
        let layer = Deviation {
            of: Of::Linear,
            bend: 0.0,
            total: Total::Sum,
        };
        let line = terms.push(layer, &[output, half, pull], "loss.line");
        terms.push(Add::plain(), &[line, rest], "loss")
    }

    fn write(&self, batch: &Batch<'_>, into: &mut [Vec<f64>]) -> Result<f64, String> {
        let Targets::Classes(classes) = batch.targets else {
            return Err("`triplet` learns from a class of each sample".to_owned());
        };
        sized("classes", classes.len(), batch.images, 1)?;
        into.iter_mut().for_each(|target| target.fill(0.0));
        let Some([vectors]) = batch.made else {
            return Ok(1.0);
        };
        let each = batch.output.elements();
        let vector = |image: usize| &vectors[image * each..][..each];
        let distance = |i: usize, j: usize| {
            let pairs = vector(i).iter().zip(vector(j));
            pairs.map(|(x, y)| (x - y) * (x - y)).sum::<f64>()
        };
        let triplets = match self.hard {
            true => mine_hard(&distance, classes),
            false => mine(&distance, classes).0,
        };
        let [half, pull, rest] = into else {
            unreachable!("three targets were pushed");
        };
        for &[a, p, n] in &triplets {
            // Where it is exactly 0, nothing pulls.
            if distance(a, p) - distance(a, n) + self.margin <= 0.0 {
                continue;
            }
            rest[a] += self.margin;
            for at in 0..each {
                let [of_a, of_p, of_n] = [a, p, n].map(|image| vector(image)[at]);
                pull[a * each + at] += 2.0 * (of_n - of_p);
                pull[p * each + at] += 2.0 * (of_p - of_a);
                pull[n * each + at] += 2.0 * (of_a - of_n);
            }
        }
        half.iter_mut()
            .zip(vectors)
            .for_each(|(to, z)| *to = z / 2.0);
        Ok(triplets.len().max(1) as f64)
    }

    fn measure(&self, _: &crate::graph::Graph) -> Measure {
        Measure::Nearest
    }

    fn looks(&self) -> bool {
        true
    }

    fn trouble(&self, mean: f64) -> Option<String> {
        let collapsed = (mean - self.margin).abs() <= NEAR * self.margin;
        collapsed.then(|| {
            format!(
                "the loss is the margin, {}: all vectors have become one, and nothing is learned any more; a smaller rate, a larger batch or `l2norm` at the end may help",
                self.margin
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASSES: [u32; 5] = [0, 0, 1, 1, 2];

    fn apart(z: &[f64]) -> impl Fn(usize, usize) -> f64 {
        |i, j| (0..2).map(|k| (z[2 * i + k] - z[2 * j + k]).powi(2)).sum()
    }

    /// The loss as it is defined, of vectors of two numbers.
    fn defined(z: &[f64], loss: &Triplet) -> f64 {
        let apart = apart(z);
        let triplets = match loss.hard {
            true => mine_hard(&apart, &CLASSES),
            false => mine(&apart, &CLASSES).0,
        };
        let terms = triplets.iter();
        let terms = terms.map(|&[a, p, n]| f64::max(apart(a, p) - apart(a, n) + loss.margin, 0.0));
        terms.sum::<f64>() / triplets.len() as f64
    }

    fn written(z: &[f64], loss: &Triplet) -> (Vec<Vec<f64>>, f64) {
        let output = Shape::new([2]).expect("a shape");
        let mut into = vec![vec![0.0; 10], vec![0.0; 10], vec![0.0; 5]];
        let made = [z.to_vec()];
        let batch = Batch {
            images: 5,
            output: &output,
            targets: Targets::Classes(&CLASSES),
            made: Some(&made),
        };
        let divisor = loss.write(&batch, &mut into);
        (into, divisor.expect("it fits"))
    }

    #[test]
    fn the_line_has_the_value_and_the_slopes_of_the_loss() {
        let z = [0.1, 0.3, -0.2, 0.4, 0.5, -0.1, 0.2, 0.2, -0.3, 0.6];
        for (margin, hard) in [0.05, 0.2, 1.0]
            .into_iter()
            .flat_map(|m| [(m, false), (m, true)])
        {
            let loss = Triplet { margin, hard };
            let (into, divisor) = written(&z, &loss);
            let line: f64 = (0..10).map(|at| into[1][at] * (z[at] - into[0][at])).sum();
            let value = (line + into[2].iter().sum::<f64>()) / divisor;
            assert!((value - defined(&z, &loss)).abs() < 1e-12);
            for at in 0..10 {
                let moved = |far: f64| {
                    let mut z = z;
                    z[at] += far;
                    defined(&z, &loss)
                };
                let slope = (moved(1e-6) - moved(-1e-6)) / 2e-6;
                assert!((into[1][at] / divisor - slope).abs() < 1e-7, "{at}");
            }
        }
    }

    #[test]
    fn the_hardest_are_the_farthest_alike_and_the_nearest_unlike() {
        let places: [f64; 6] = [0.0, 1.0, 3.0, 2.0, 5.0, 0.5];
        let on_a_line = |i: usize, j: usize| (places[i] - places[j]).powi(2);
        // 0, 1 and 3 are of one class, 2 and 5 of another, and the last is alone in its own.
        let triplets = mine_hard(&on_a_line, &[0, 0, 0, 1, 1, 2]);
        assert_eq!(
            triplets,
            // From 3 both others are farther than the other of its class; from 2 the 1 and the 3 are equally far.
            [[0, 2, 5], [1, 2, 5], [2, 0, 3], [3, 4, 1], [4, 3, 2]]
        );
        assert_eq!(
            mine_hard(&on_a_line, &[0; 6]),
            [] as [Chosen; 0],
            "nobody else"
        );
    }

    #[test]
    fn negatives_are_semi_hard_or_the_farthest() {
        let on_a_line =
            |places: [f64; 4]| move |i: usize, j: usize| (places[i] - places[j]).powi(2);
        let classes = [0, 0, 1, 1];
        // From 0 the other of its class is at 1: beyond it lies 2, then 3.
        let (triplets, semi_hard) = mine(&on_a_line([0.0, 1.0, 3.0, 2.0]), &classes);
        assert_eq!(triplets[0], [0, 1, 3]);
        assert_eq!((triplets.len(), semi_hard), (4, 4));
        // From 3 nothing is farther than the other of its class but 0; from 2 there are two, of which none is semi-hard: 0 and 1 are equally far from 0.5.
        let (triplets, semi_hard) = mine(&on_a_line([0.0, 1.0, 0.5, 9.0]), &classes);
        assert_eq!(triplets[2], [2, 3, 0], "of equal ones the first");
        assert_eq!(semi_hard, 3);
    }

    #[test]
    fn vectors_that_are_one_are_the_margin_and_stay() {
        let (into, divisor) = written(
            &[0.5; 10],
            &Triplet {
                margin: 0.2,
                hard: false,
            },
        );
        assert_eq!(into[1], [0.0; 10]);
        let value = into[2].iter().sum::<f64>() / divisor;
        assert!((value - 0.2).abs() < 1e-12);
        let loss = Triplet {
            margin: 0.2,
            hard: false,
        };
        assert!(
            loss.trouble(value)
                .expect("told")
                .contains("have become one")
        );
        assert_eq!(loss.trouble(0.19), None);
    }
}
