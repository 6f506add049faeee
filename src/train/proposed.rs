//! How many of the things in pictures proposals find.

use super::data::{Annotation, DataError};
use super::precision::OVERLAP;
use crate::propose::{Settings, propose};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What proposals came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Proposed {
    /// Of each class how many things were found, and how many there are.
    pub classes: BTreeMap<String, (usize, usize)>,
    /// How many pictures there were.
    pub pictures: usize,
    /// How many proposals, in all.
    pub boxes: usize,
    /// How long proposing took, without reading pictures.
    pub time: Duration,
}

impl Proposed {
    /// Proposes regions of pictures, the first so many of each if there is a limit, and counts which things one of them overlaps by an intersection over union of at least one half.
    ///
    /// # Errors
    /// Pictures that cannot be read, or too little memory.
    pub fn of(
        pictures: &[&Annotation],
        settings: &Settings,
        most: usize,
    ) -> Result<Proposed, DataError> {
        let mut all = Proposed::default();
        for of in pictures {
            let picture = of.open()?;
            let start = Instant::now();
            let mut found = propose(&picture, settings).map_err(DataError::Picture)?;
            all.time += start.elapsed();
            found.truncate(most);
            all.pictures += 1;
            all.boxes += found.len();
            for (label, bbox) in of.in_pixels(picture.width(), picture.height()) {
                let counts = all.classes.entry(label).or_default();
                counts.1 += 1;
                let hit = found.iter().any(|found| found.iou(&bbox) >= OVERLAP);
                counts.0 += usize::from(hit);
            }
        }
        Ok(all)
    }

    /// Share of all things that were found.
    pub fn recall(&self) -> f64 {
        let (found, there) = self
            .classes
            .values()
            .fold((0, 0), |sum, of| (sum.0 + of.0, sum.1 + of.1));
        found as f64 / there.max(1) as f64
    }
}
