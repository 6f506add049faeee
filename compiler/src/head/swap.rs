//! Which points change places where a picture is mirrored.

use super::keys::key;
use super::{Head, Misfit};
use crate::args::{Kind, ParamDecl};

pub(super) const SWAP: ParamDecl = key(
    "swap",
    Kind::Pairs,
    Some("none"),
    "Points that change places where training mirrors a picture, counted from 0, such as the eyes: `(0, 1) (3, 4)`. Points without a pair keep theirs; where none changes, `(0, 0)` says so.",
);

/// Holds the pairs against so many points.
pub(super) fn check(head: &Head, points: usize) -> Result<(), Misfit> {
    let mut seen = Vec::new();
    let refuse = |message: String| Err(Misfit::key(head, "swap", message));
    for pair in head.rows("swap") {
        let [one, other] = [pair[0], pair[1]];
        for point in [one, other] {
            if point.fract() != 0.0 || !(0.0..points as f64).contains(&point) {
                return refuse(format!(
                    "{point} is none of the {points} points, which are 0 to {}",
                    points - 1
                ));
            }
        }
        let twice = [one, other].into_iter().find(|point| seen.contains(point));
        if let Some(point) = twice {
            return refuse(format!("the point {point} stands in two pairs"));
        }
        seen.extend([one, other]);
    }
    Ok(())
}

impl Head {
    /// Points that change places where a picture is mirrored, if the head has points and says which.
    pub fn swaps(&self) -> Option<Vec<[usize; 2]>> {
        self.get("swap")?;
        let pairs = self.rows("swap").into_iter();
        let pairs = pairs.map(|pair| [pair[0] as usize, pair[1] as usize]);
        Some(pairs.collect())
    }
}
