//! How well boxes are found by windows that slide.

use super::data::Annotation;
use super::error::TrainError;
use super::precision::Precision;
use crate::sliding::{Finding, Sliding, boxes};
use cnnc_compiler::loss::BOX;

/// What windows find in pictures, at these scales: of the labels, in whose order classes are, all but the background; things that are called otherwise are not looked for.
///
/// # Errors
/// As [`Sliding::maps`], of any picture before the first is answered, and pictures that cannot be read.
pub fn found_by_windows(
    sliding: &mut Sliding<'_>,
    pictures: &[&Annotation],
    labels: &[impl AsRef<str>],
    scales: &[f64],
    finding: &Finding,
) -> Result<Precision, TrainError> {
    for of in pictures {
        let name = of.picture.display().to_string();
        let size = match of.size {
            Some(size) => size,
            None => {
                let picture = of.open()?;
                (picture.width(), picture.height())
            }
        };
        sliding.check(size, scales, &name)?;
    }
    let mut precision = Precision::new(labels.len());
    for of in pictures {
        let name = of.picture.display().to_string();
        let picture = of.open()?;
        let maps = sliding.maps(&picture, scales, &name)?;
        let found = boxes(&maps, finding);
        let mut rows: Vec<[f32; BOX]> = Vec::new();
        for (label, bbox) in of.in_pixels(picture.width(), picture.height()) {
            let class = labels.iter().position(|of| of.as_ref() == label);
            let class = class.filter(|class| Some(*class) != finding.background);
            if let Some(class) = class {
                let (x, y) = bbox.centre();
                rows.push([class as f32, x, y, bbox.width(), bbox.height()]);
            }
        }
        precision.add(&found, rows.as_flattened());
    }
    Ok(precision)
}
