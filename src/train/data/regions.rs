//! Pictures with boxes for a network that classifies proposed regions, as R-CNN and its descendants do (R. Girshick et al. 2014): the picture and rows of regions are its inputs.
//!
//! A region that overlaps a box by an intersection over union of one half or more is of its class, all others are background. There are all of the first (the boxes themselves among them),
//! and as many others as there is room for, at random.

use super::ahead::{ahead, unbroken};
use super::annotated::{Annotated, Purpose};
use super::boxes::{Boxed, same_size, sound};
use super::files::within;
use super::reader::Reader;
use super::region_rows::{SIDES, rows};
use super::{Data, DataError};
use crate::propose::{Settings, propose};
use crate::source::Viewed;
use crate::train::precision::OVERLAP;
use crate::train::random::{self, Random};
use cnnc_compiler::loss::UNLABELLED;
use cnnc_compiler::recipe::DataKind;
use cnnc_runtime::answer::BBox;
use std::path::Path;

impl Reader<'_> {
    pub(super) fn regioned(
        &self,
        folder: &Path,
        of: Boxed,
        count: usize,
    ) -> Result<Data, DataError> {
        let pre = self.sight()?;
        let mut filling = self.filling_of_regions(folder, SIDES * count);
        let used = of
            .pictures
            .iter()
            .filter(|of| of.purpose != Purpose::Nothing);
        let used: Vec<&Annotated> = used.collect();
        filling.reserve(used.len())?;
        let (mut judges, mut said, mut boxes) = (Vec::new(), Vec::new(), 0);
        let mut broken = Vec::new();
        // Regions are proposed where pictures are read.
        let make = |at: usize| {
            let file = &used[at].picture;
            let made = Viewed::open(file, pre, true).and_then(|viewed| {
                let picture = viewed.picture.as_ref().expect("it is kept");
                let proposed = propose(picture, &Settings::default())?;
                let numbers = pre.input(&viewed.seen, &file.display().to_string())?;
                Ok((viewed.place, proposed, numbers))
            });
            (at, made)
        };
        ahead(&mut (0..used.len()), &make, &mut |(at, made)| {
            let annotated = used[at];
            let Some((place, proposed, mut numbers)) =
                unbroken(folder, made, used.len(), &mut broken)?
            else {
                return Ok(());
            };
            let (width, height) = place.picture();
            let (file, name) = (&annotated.file, &annotated.picture);
            same_size(annotated.size, (width, height), file, name)?;
            let unit = match of.kind {
                DataKind::Voc => (width as f32, height as f32),
                _ => (1.0, 1.0),
            };
            let (there, left_out) = sound(annotated, unit)?;
            said.extend(left_out);
            let mut known = Vec::new();
            for written in there {
                let class = self.class_of_box(&written.class, &annotated.file)?;
                let BBox {
                    left,
                    top,
                    right,
                    bottom,
                } = written.bbox;
                let (across, down) = (width as f32, height as f32);
                let bbox = BBox::new(left * across, top * down, right * across, bottom * down);
                known.push((class, bbox));
            }
            boxes += known.len();
            let name = within(folder, &annotated.picture);
            let (chosen, mut labels) = chosen(&known, proposed, count, &name);
            numbers.extend(rows(&chosen, &place, (pre.width, pre.height), count));
            labels.resize(count, UNLABELLED);
            filling.known(&numbers, &labels, &[])?;
            filling.name(name);
            judges.push(annotated.purpose == Purpose::Judge);
            Ok(())
        })?;
        said.extend(broken);
        let kind = format!("pictures with {boxes} boxes, and {count} proposed regions each");
        Ok(Data::divided(kind, filling.done(), &judges, said))
    }
}

/// Regions to learn from, with the class of each, 0 for the background.
fn chosen(
    known: &[(usize, BBox)],
    proposed: Vec<BBox>,
    count: usize,
    name: &str,
) -> (Vec<BBox>, Vec<u32>) {
    let mut objects = Vec::new();
    let mut others = Vec::new();
    for of in known.iter().map(|(_, bbox)| *bbox).chain(proposed) {
        let overlaps = known.iter().map(|(class, bbox)| (*class, bbox.iou(&of)));
        let best = overlaps.reduce(|best, next| if next.1 > best.1 { next } else { best });
        match best.filter(|(_, overlap)| *overlap >= OVERLAP) {
            Some((class, _)) => objects.push((of, class as u32 + 1)),
            None => others.push((of, 0)),
        }
    }
    let mut random = Random::new(0, random::Purpose::Regions, name.as_bytes());
    let order = random.order(others.len());
    objects.extend(order.iter().map(|&at| others[at as usize]));
    objects.truncate(count);
    objects.into_iter().unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_of_the_class_that_they_overlap_most() {
        let at = |left: f32| BBox::new(left, 0.0, left + 10.0, 10.0);
        let known = [(1, at(0.0)), (0, at(8.0))];
        // 8/12 of the first and 4/16 of the second; far off.
        let (boxes, labels) = chosen(&known, vec![at(2.0), at(90.0), at(91.0)], 4, "a");
        assert_eq!(boxes[..3], [at(0.0), at(8.0), at(2.0)]);
        assert_eq!(labels[..3], [2, 1, 2]);
        assert_eq!((boxes.len(), labels[3]), (4, 0));
        let all = chosen(&known, vec![at(2.0)], 9, "a");
        assert_eq!((all.0.len(), all.1), (3, vec![2, 1, 2]));
    }
}
