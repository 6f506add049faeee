//! Classes of pixels, drawn in their colours, and a legend.

use super::{Area, Canvas, class_colour};
use crate::answer::Segments;

/// How much of a pixel is its class's colour.
const STRENGTH: f32 = 0.5;

impl Canvas {
    /// Covers every pixel that has a class by half of the class's colour, and names the classes that there are, the largest first, as
    /// far as there is room.
    pub fn segments(&mut self, segments: &Segments, label: impl Fn(usize) -> String) {
        for y in 0..self.height {
            for x in 0..self.width {
                if let Some(class) = segments.class(x, y) {
                    self.blend(x as i64, y as i64, class_colour(class), STRENGTH);
                }
            }
        }
        let style = self.style();
        let mut top = 0;
        for share in segments.shares() {
            let text = label(share.class);
            let (width, height) = style.extents(&text);
            if top > 0 && top + height > self.height as i64 {
                break;
            }
            let area = Area {
                x: [0, width],
                y: [top, top + height],
            };
            self.plate(area, &text, class_colour(share.class), style);
            top += height;
        }
    }
}
