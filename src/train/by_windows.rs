//! How well boxes are found by windows that slide.

use super::data::{Annotation, DataError};
use super::error::TrainError;
use super::precision::Precision;
use super::readable::Readable;
use crate::sliding::{Finding, Sliding, boxes};
use cnnc_compiler::loss::BOX;

/// What windows find in pictures, at these scales: of the labels, in whose order classes are, all but the background; things that are called otherwise are not looked for. And
/// what is wrong with pictures that cannot be read and were left out. They are read ahead, beside so many threads that compute.
///
/// # Errors
/// As [`Sliding::maps`], of any picture before the first is answered, and more broken pictures than are left out.
pub fn found_by_windows(
    sliding: &mut Sliding<'_>,
    pictures: &[&Annotation],
    labels: &[impl AsRef<str>],
    scales: &[f64],
    finding: &Finding,
    threads: usize,
) -> Result<(Precision, Vec<String>), TrainError> {
    let root = pictures.first().map(|of| of.root()).unwrap_or_default();
    let mut readable = Readable::new(&root, pictures.len(), threads, 1);
    let mut sizes: Vec<Option<(usize, usize)>> = pictures.iter().map(|of| of.size).collect();
    let unsaid = (0..pictures.len()).filter(|&at| sizes[at].is_none());
    let unsaid: Vec<usize> = unsaid.collect();
    let size = |at: usize| -> Result<_, DataError> {
        let picture = pictures[unsaid[at]].open()?;
        Ok((picture.width(), picture.height()))
    };
    readable.each(unsaid.len(), &size, &mut |at, size| {
        sizes[unsaid[at]] = Some(size);
        Ok(())
    })?;
    let sized = pictures.iter().zip(sizes);
    let sized = sized.filter_map(|(of, size)| Some((*of, size?)));
    let sized: Vec<(&Annotation, (usize, usize))> = sized.collect();
    for (of, size) in &sized {
        sliding.check(*size, scales, &of.picture.display().to_string())?;
    }
    let mut precision = Precision::new(labels.len());
    let open = |at: usize| sized[at].0.open();
    readable.each(sized.len(), &open, &mut |at, picture| {
        let (of, _) = sized[at];
        let name = of.picture.display().to_string();
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
        Ok(())
    })?;
    Ok((precision, readable.done()?))
}
