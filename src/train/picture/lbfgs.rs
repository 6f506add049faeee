//! L-BFGS: a direction of the last few steps and how the gradient changed in them, and a search along it for strong Wolfe conditions.
//!
//! Nocedal and Wright, Numerical Optimization (2006), algorithms 7.4 and 7.5 (the direction), 3.5 and 3.6 (the search). Everything is sums over slices in one order, so that the same function
//! gives the same bits on any machine and for any number of threads.

use std::collections::VecDeque;

/// Share of the expected decrease that a step must bring.
const DECREASE: f64 = 1e-4;
/// Share of the slope that may be left behind a step: little, since a picture gains more by a step that is searched for than by the next one.
const CURVATURE: f64 = 0.1;
/// Evaluations of one search at most.
const TRIALS: usize = 24;

/// Where a function is evaluated, and what it is there.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The place.
    pub x: Vec<f64>,
    /// The value.
    pub value: f64,
    /// The gradient.
    pub gradient: Vec<f64>,
}

/// Value and gradient of a function at a place.
pub type Evaluated<E> = Result<(f64, Vec<f64>), E>;

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// To a place with a smaller value (or the same, where rounding hides the difference), which the evaluation of this number, from 0 on, has seen.
    Down(usize),
    /// Nowhere: no smaller value is found along the gradient either.
    Nowhere,
}

/// What a minimiser remembers.
#[derive(Clone, Debug)]
pub struct Lbfgs {
    /// Steps, changes of the gradient, and one over their product; the newest last.
    pairs: VecDeque<(Vec<f64>, Vec<f64>, f64)>,
    memory: usize,
    first: f64,
    /// The least and the greatest that each of as many equal parts of a place may be.
    ends: Vec<[f64; 2]>,
    /// Rows and columns of the pictures that a place is made of, if it is.
    extents: Option<[usize; 2]>,
}

/// A place on the way, seen along the direction.
struct Trial {
    /// The number of the evaluation.
    number: usize,
    step: f64,
    value: f64,
    slope: f64,
    gradient: Vec<f64>,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

impl Lbfgs {
    /// A minimiser that remembers so many steps, and whose first trial moves no element by more than `first`.
    pub fn new(memory: usize, first: f64) -> Lbfgs {
        Lbfgs {
            pairs: VecDeque::new(),
            memory,
            first,
            ends: Vec::new(),
            extents: None,
        }
    }

    /// Keeps the equal parts of a place between these ends. An element that is at one and would be beyond it stays there, whatever was learned from elements that move.
    #[must_use]
    pub fn within(self, ends: Vec<[f64; 2]>) -> Lbfgs {
        Lbfgs { ends, ..self }
    }

    /// Takes a place as pictures of that height and width, and neighbouring pixels as likely to move together: what is remembered corrects a smooth direction.
    #[must_use]
    pub fn smooth(self, extents: [usize; 2]) -> Lbfgs {
        Lbfgs {
            extents: Some(extents),
            ..self
        }
    }

    /// The place between the ends that is nearest to this one.
    fn inside(&self, mut x: Vec<f64>) -> Vec<f64> {
        let part = x.len() / self.ends.len().max(1);
        for (part, &[low, high]) in x.chunks_mut(part.max(1)).zip(&self.ends) {
            part.iter_mut().for_each(|x| *x = x.clamp(low, high));
        }
        x
    }

    /// Numbers, one for each element of a place, but zero for those that are at an end and would be beyond it.
    fn hold(&self, x: &[f64], gradient: &[f64], of: &[f64]) -> Vec<f64> {
        let mut of = of.to_vec();
        let part = (x.len() / self.ends.len().max(1)).max(1);
        let places = of
            .chunks_mut(part)
            .zip(x.chunks(part))
            .zip(gradient.chunks(part));
        for (((of, x), gradient), &[low, high]) in places.zip(&self.ends) {
            for ((of, &x), &g) in of.iter_mut().zip(x).zip(gradient) {
                if (x <= low && g > 0.0) || (x >= high && g < 0.0) {
                    *of = 0.0;
                }
            }
        }
        of
    }

    /// Moves a point to a smaller value of the function.
    ///
    /// # Errors
    /// What the function says.
    pub fn step<E>(
        &mut self,
        point: &mut Point,
        mut function: impl FnMut(&[f64]) -> Evaluated<E>,
    ) -> Result<Moved, E> {
        let mut evaluations = 0;
        let bounded = !self.ends.is_empty();
        loop {
            let free = self.hold(&point.x, &point.gradient, &point.gradient);
            let along = |of: &Lbfgs| of.hold(&point.x, &point.gradient, &of.direction(&free));
            let mut direction = along(self);
            let mut slope = dot(&direction, &free);
            if slope >= 0.0 && !self.pairs.is_empty() {
                self.pairs.clear();
                direction = along(self);
                slope = dot(&direction, &free);
            }
            let largest = direction.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
            if !slope.is_finite() || slope >= 0.0 || largest == 0.0 {
                return Ok(Moved::Nowhere);
            }
            let begin = match self.pairs.is_empty() {
                true => self.first / largest,
                false => 1.0,
            };
            let place = |step: f64| -> Vec<f64> {
                let moved = point.x.iter().zip(&direction);
                self.inside(moved.map(|(x, d)| x + step * d).collect())
            };
            let mut at = |step: f64| -> Result<Trial, E> {
                evaluations += 1;
                let x = place(step);
                let (value, gradient) = function(&x)?;
                let slope = dot(&self.hold(&x, &gradient, &gradient), &direction);
                Ok(Trial {
                    number: evaluations - 1,
                    step,
                    value,
                    slope,
                    gradient,
                })
            };
            let found = search(point.value, slope, begin, &mut at)?;
            let Some(Trial {
                number,
                step,
                value,
                gradient,
                ..
            }) = found
            else {
                if self.pairs.is_empty() {
                    return Ok(Moved::Nowhere);
                }
                // What is remembered leads nowhere: down the gradient itself.
                self.pairs.clear();
                continue;
            };
            let x = place(step);
            let moved: Vec<f64> = x.iter().zip(&point.x).map(|(new, old)| new - old).collect();
            let changed = gradient.iter().zip(&point.gradient).zip(&moved);
            let changed = changed.map(|((new, old), moved)| match *moved == 0.0 && bounded {
                true => 0.0,
                false => new - old,
            });
            let changed: Vec<f64> = changed.collect();
            self.remember(moved, changed);
            *point = Point { x, value, gradient };
            return Ok(Moved::Down(number));
        }
    }

    /// Keeps a step along which the function curves upwards.
    fn remember(&mut self, moved: Vec<f64>, changed: Vec<f64>) {
        let product = dot(&moved, &changed);
        if product <= 1e-12 * dot(&changed, &changed).sqrt() * dot(&moved, &moved).sqrt() {
            return;
        }
        self.pairs.push_back((moved, changed, 1.0 / product));
        if self.pairs.len() > self.memory {
            self.pairs.pop_front();
        }
    }

    /// The two loops of algorithm 7.4: minus the remembered inverse of the Hessian, times the gradient.
    fn direction(&self, gradient: &[f64]) -> Vec<f64> {
        let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
        let mut shares = Vec::with_capacity(self.pairs.len());
        let add = |q: &mut [f64], share: f64, of: &[f64]| {
            q.iter_mut().zip(of).for_each(|(q, x)| *q += share * x);
        };
        for (moved, changed, inverse) in self.pairs.iter().rev() {
            let share = inverse * dot(moved, &q);
            add(&mut q, -share, changed);
            shares.push(share);
        }
        if let Some((_, changed, inverse)) = self.pairs.back() {
            let scale = 1.0 / (inverse * dot(changed, changed));
            q.iter_mut().for_each(|q| *q *= scale);
        }
        if let Some(extents) = self.extents {
            smooth(&mut q, extents);
        }
        for ((moved, changed, inverse), share) in self.pairs.iter().zip(shares.into_iter().rev()) {
            let back = inverse * dot(changed, &q);
            add(&mut q, share - back, moved);
        }
        q
    }
}

/// Shares of the blurred direction in a smooth one; the rest is the direction itself, so that nothing is forgotten.
const BLUR: f64 = 10.0 / 11.0;

/// Adds neighbours: a symmetric positive matrix, since each blur of each axis is made twice.
fn smooth(q: &mut [f64], [height, width]: [usize; 2]) {
    let mut blurred = q.to_vec();
    for picture in blurred.chunks_mut((height * width).max(1)) {
        for _ in 0..2 {
            blur(picture, width, 1);
            blur(picture, height, width);
        }
    }
    let sums = q.iter_mut().zip(&blurred);
    sums.for_each(|(q, blurred)| *q = (1.0 - BLUR) * *q + BLUR * blurred);
}

/// The mean with both neighbours along an axis, which are zero beyond the picture.
fn blur(picture: &mut [f64], extent: usize, stride: usize) {
    let old = picture.to_vec();
    for (at, to) in picture.iter_mut().enumerate() {
        let place = at / stride % extent;
        let mut sum = old[at];
        if place > 0 {
            sum += old[at - stride];
        }
        if place + 1 < extent {
            sum += old[at + stride];
        }
        *to = sum / 3.0;
    }
}

/// A step along a direction that decreases the value enough and leaves little of the slope; or the best that decreases it, if rounding hides such a step; or none.
fn search<E>(
    value: f64,
    slope: f64,
    begin: f64,
    at: &mut dyn FnMut(f64) -> Result<Trial, E>,
) -> Result<Option<Trial>, E> {
    let start = Trial {
        number: 0,
        step: 0.0,
        value,
        slope,
        gradient: Vec::new(),
    };
    let enough = |trial: &Trial| trial.value <= value + DECREASE * trial.step * slope;
    let flat = |trial: &Trial| trial.slope.abs() <= -CURVATURE * slope;
    let (mut low, mut step) = (start, begin);
    let mut high = None;
    // Further and further, until the least value lies between two trials.
    for trial in 0..TRIALS {
        let next = at(step)?;
        if !enough(&next) || !next.value.is_finite() || (trial > 0 && next.value >= low.value) {
            high = Some((next.step, next.value, next.slope));
            break;
        }
        if flat(&next) {
            return Ok(Some(next));
        }
        if next.slope >= 0.0 {
            high = Some((low.step, low.value, low.slope));
            low = next;
            break;
        }
        step = next.step * 2.5;
        low = next;
    }
    // Closer and closer.
    for _ in 0..TRIALS {
        let Some(end) = high else {
            break;
        };
        let step = between((low.step, low.value, low.slope), end);
        if (step - low.step).abs() <= f64::EPSILON * step.abs() {
            break;
        }
        let next = at(step)?;
        if !enough(&next) || !next.value.is_finite() || next.value >= low.value {
            high = Some((next.step, next.value, next.slope));
            continue;
        }
        if flat(&next) {
            return Ok(Some(next));
        }
        if next.slope * (end.0 - low.step) >= 0.0 {
            high = Some((low.step, low.value, low.slope));
        }
        low = next;
    }
    Ok((low.step > 0.0 && low.value < value).then_some(low))
}

/// The least value of the cubic through two trials (the same, equation 3.59), but no closer to either than a tenth of what is between them.
fn between(low: (f64, f64, f64), high: (f64, f64, f64)) -> f64 {
    let width = high.0 - low.0;
    let middle = low.0 + 0.5 * width;
    let a = low.2 + high.2 - 3.0 * (low.1 - high.1) / (low.0 - high.0);
    let b = (a * a - low.2 * high.2).sqrt() * width.signum();
    let least = high.0 - width * (high.2 + b - a) / (high.2 - low.2 + 2.0 * b);
    match least.is_finite() {
        true => {
            let share = ((least - low.0) / width).clamp(0.1, 0.9);
            low.0 + share * width
        }
        false => middle,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    type Function = dyn Fn(&[f64]) -> (f64, Vec<f64>);

    fn minimise(function: &Function, x: Vec<f64>, steps: usize) -> (Point, usize) {
        let (value, gradient) = function(&x);
        let mut point = Point { x, value, gradient };
        let mut lbfgs = Lbfgs::new(10, 1.0);
        for number in 0..steps {
            let before = point.value;
            let moved = lbfgs.step(&mut point, |x| Ok::<_, Infallible>(function(x)));
            match moved.expect("never fails") {
                Moved::Down(_) => assert!(point.value <= before, "step {number}"),
                Moved::Nowhere => return (point, number),
            }
            let longest = point
                .gradient
                .iter()
                .fold(0.0, |most: f64, g| most.max(g.abs()));
            if longest < 1e-10 {
                return (point, number + 1);
            }
        }
        (point, steps)
    }

    /// Rosenbrock 1960, in pairs: the least value is 0, where all are 1.
    fn rosenbrock(x: &[f64]) -> (f64, Vec<f64>) {
        let (mut value, mut gradient) = (0.0, Vec::new());
        for pair in x.chunks(2) {
            let (a, b) = (pair[0], pair[1]);
            let (bend, rest) = (b - a * a, 1.0 - a);
            value += 100.0 * bend * bend + rest * rest;
            gradient.extend([-400.0 * a * bend - 2.0 * rest, 200.0 * bend]);
        }
        (value, gradient)
    }

    #[test]
    fn rosenbrocks_valley_is_followed_to_its_end() {
        for pairs in [1, 25] {
            let (point, steps) = minimise(&rosenbrock, [-1.2, 1.0].repeat(pairs), 100);
            assert!(steps < 60, "{steps} steps");
            assert!(
                point.x.iter().all(|x| (x - 1.0).abs() < 1e-8),
                "{:?}",
                point.x
            );
        }
    }

    /// A bowl with its bottom beyond two of four ends: there it stays, and the others, which pull at each other, reach what is least between them.
    #[test]
    fn ends_are_kept() {
        let bowl = |x: &[f64]| {
            let (a, b, pull) = (x[0] - 3.0, x[2] - 0.5, x[1] - 0.5 * x[3] + 2.0);
            let value = a * a + b * b + 4.0 * pull * pull + x[3] * x[3];
            let gradient = [2.0 * a, 8.0 * pull, 2.0 * b, 2.0 * x[3] - 4.0 * pull];
            (value, gradient.to_vec())
        };
        let x = vec![0.2; 4];
        let (value, gradient) = bowl(&x);
        let mut point = Point { x, value, gradient };
        let mut lbfgs = Lbfgs::new(10, 0.1).within(vec![[0.0, 1.0], [-1.0, 1.0]]);
        for _ in 0..40 {
            let moved = lbfgs.step(&mut point, |x| Ok::<_, Infallible>(bowl(x)));
            if moved == Ok(Moved::Nowhere) {
                break;
            }
        }
        // With x[1] at 0, 4 (2 − x[3] / 2)² + x[3]² is least where x[3] = 2, of which 1 is the nearest.
        let least = [1.0, 0.0, 0.5, 1.0];
        let off = point
            .x
            .iter()
            .zip(least)
            .map(|(x, least)| (x - least).abs());
        assert!(off.clone().all(|off| off < 1e-8), "{:?}", point.x);
    }

    /// One column of the matrix after the other: it is as its transpose, and what it makes of anything points the same way.
    #[test]
    fn smoothing_is_symmetric_and_positive() {
        let extents = [3, 3];
        let column = |at: usize| {
            let mut x = vec![0.0; 18];
            x[at] = 1.0;
            smooth(&mut x, extents);
            x
        };
        let columns: Vec<Vec<f64>> = (0..18).map(column).collect();
        for (i, j) in (0..18).flat_map(|i| (0..18).map(move |j| (i, j))) {
            assert!((columns[i][j] - columns[j][i]).abs() < 1e-15);
            assert_eq!(columns[i][j] == 0.0, (i < 9) != (j < 9), "{i} {j}");
        }
        let mut chequered: Vec<f64> = (0..18)
            .map(|at| f64::from(at % 2))
            .map(|x| 2.0 * x - 1.0)
            .collect();
        let x = chequered.clone();
        smooth(&mut chequered, extents);
        assert!(dot(&x, &chequered) > 0.05 * dot(&x, &x));
    }

    #[test]
    fn a_long_bowl_is_left_at_its_bottom() {
        // Σ ½ k (x − k)², k from 1 to 1000: curvatures a thousand times apart.
        let bowl = |x: &[f64]| {
            let apart: Vec<(f64, f64)> = x
                .iter()
                .enumerate()
                .map(|(i, x)| {
                    let k = 1.0 + 999.0 * i as f64 / 49.0;
                    (k, x - k)
                })
                .collect();
            let value = apart.iter().map(|(k, d)| 0.5 * k * d * d).sum();
            (value, apart.iter().map(|(k, d)| k * d).collect())
        };
        let (point, steps) = minimise(&bowl, vec![0.0; 50], 400);
        assert!(steps < 400, "{steps} steps");
        assert!(point.value < 1e-16, "{}", point.value);
    }

    #[test]
    fn steps_satisfy_both_conditions() {
        let (value, gradient) = rosenbrock(&[-1.2, 1.0]);
        let mut point = Point {
            x: vec![-1.2, 1.0],
            value,
            gradient,
        };
        let mut lbfgs = Lbfgs::new(5, 1.0);
        for _ in 0..30 {
            let before = point.clone();
            let mut seen: Vec<Vec<f64>> = Vec::new();
            let taken = lbfgs.step(&mut point, |x| {
                seen.push(x.to_vec());
                Ok::<_, Infallible>(rosenbrock(x))
            });
            if let Ok(Moved::Down(number)) = taken {
                assert_eq!(seen[number], point.x);
            }
            let moved: Vec<f64> = point.x.iter().zip(&before.x).map(|(a, b)| a - b).collect();
            let (old, new) = (dot(&moved, &before.gradient), dot(&moved, &point.gradient));
            assert!(point.value <= before.value + 1.01 * DECREASE * old || point.value < 1e-18);
            assert!(new.abs() <= 1.01 * CURVATURE * old.abs() || point.value < 1e-18);
        }
    }

    #[test]
    fn what_has_no_value_is_not_entered() {
        // −ln x − ln (1 − x): NaN outside of 0 … 1, least at ½.
        let wall = |x: &[f64]| {
            let x = x[0];
            (-x.ln() - (1.0 - x).ln(), vec![1.0 / (1.0 - x) - 1.0 / x])
        };
        let (point, _) = minimise(&wall, vec![0.01], 50);
        assert!((point.x[0] - 0.5).abs() < 1e-6, "{:?}", point.x);
        let flat = |_: &[f64]| (1.0, vec![0.0; 3]);
        assert_eq!(minimise(&flat, vec![2.0; 3], 5).1, 0);
    }
}
