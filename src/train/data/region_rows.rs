//! Rows of regions, as a network takes them beside a picture.

use cnnc_compiler::graph::Graph;
use cnnc_runtime::answer::BBox;
use cnnc_runtime::image::Placement;

/// Numbers of a region: left, top, right, bottom.
pub(super) const SIDES: usize = 4;

/// How many regions a network classifies at once, if its second input is rows of them and its head is `regions`.
pub fn takes_regions(network: &Graph) -> Option<usize> {
    let head = network.head.as_ref()?;
    let [_, regions] = &network.inputs[..] else {
        return None;
    };
    match network.values[regions.value].shape.dims() {
        &[count, SIDES] if head.decl.keyword == "regions" => Some(count),
        _ => None,
    }
}

/// Rows of regions, in pixels of an input of that size, for boxes in pixels of a picture that lies there; rows of 0 fill up what is left of so many.
pub(in crate::train) fn rows(
    boxes: &[BBox],
    place: &Placement,
    (width, height): (usize, usize),
    count: usize,
) -> Vec<f32> {
    let mut rows = Vec::with_capacity(SIDES * count);
    for of in &boxes[..boxes.len().min(count)] {
        let (left, top) = place.fraction(of.left, of.top);
        let (right, bottom) = place.fraction(of.right, of.bottom);
        let (across, down) = (width as f32, height as f32);
        rows.extend([left * across, top * down, right * across, bottom * down]);
    }
    rows.resize(SIDES * count, 0.0);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_pixels_of_the_input() {
        let place = Placement::new(200, 100).resized(100, 50);
        let found = rows(&[BBox::new(20.0, 10.0, 60.0, 90.0)], &place, (100, 50), 2);
        let wanted = [10.0, 5.0, 30.0, 45.0, 0.0, 0.0, 0.0, 0.0];
        for (found, wanted) in found.iter().zip(wanted) {
            assert!((found - wanted).abs() < 1e-4, "{found} {wanted}");
        }
        assert_eq!(found.len(), 8);
    }
}
