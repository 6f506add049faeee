//! What windows show, at one scale.

use crate::NotFinite;
use cnnc_runtime::answer::BBox;
use std::time::Duration;

/// The answers to all windows of a picture at one scale.
#[derive(Clone, Debug)]
pub struct WindowMap {
    /// By what the picture was resized.
    pub scale: f64,
    /// Rows and columns of the picture.
    pub picture: [usize; 2],
    /// Rows and columns of the resized picture.
    pub scaled: [usize; 2],
    /// Rows and columns of a window, in pixels of the resized picture.
    pub window: [usize; 2],
    /// From one window to the next, down and along, likewise.
    pub stride: [usize; 2],
    /// How many windows there are, down and along.
    pub positions: [usize; 2],
    /// Classes of an answer.
    pub classes: usize,
    /// Of each class a map of `positions`, row by row.
    pub probabilities: Vec<f32>,
    /// Passes that it took, one for each tile; 0 where windows were cut out.
    pub passes: usize,
    /// Bytes that a pass worked in.
    pub bytes: usize,
    /// Multiply-adds that were computed.
    pub macs: u64,
    /// Multiply-adds of the windows, each by itself.
    pub macs_alone: u64,
    /// From the resized picture to the answers, without what was compiled.
    pub time: Duration,
    /// Outputs that are not finite, of the first pass that had any.
    pub not_finite: Vec<NotFinite>,
}

impl WindowMap {
    /// How many windows there are.
    pub fn windows(&self) -> usize {
        self.positions[0] * self.positions[1]
    }

    /// How likely a window, by its number row by row, is of a class.
    pub fn probability(&self, class: usize, window: usize) -> f32 {
        self.probabilities[class * self.windows() + window]
    }

    /// The likeliest class of a window, of equal ones the first, and how likely it is.
    pub fn best(&self, window: usize) -> (usize, f32) {
        let all = (0..self.classes).map(|class| (class, self.probability(class, window)));
        let best = all.reduce(|best, next| if next.1 > best.1 { next } else { best });
        best.unwrap_or((0, 0.0))
    }

    /// The left upper corner of a window, in pixels of the resized picture: left and top.
    pub fn corner(&self, window: usize) -> (usize, usize) {
        let (row, column) = (window / self.positions[1], window % self.positions[1]);
        (column * self.stride[1], row * self.stride[0])
    }

    /// Where a window is, in pixels of the picture.
    pub fn bbox(&self, window: usize) -> BBox {
        let (left, top) = self.corner(window);
        let across = self.picture[1] as f32 / self.scaled[1] as f32;
        let down = self.picture[0] as f32 / self.scaled[0] as f32;
        BBox::new(
            left as f32 * across,
            top as f32 * down,
            (left + self.window[1]) as f32 * across,
            (top + self.window[0]) as f32 * down,
        )
    }

    /// Puts the answers to a part of the windows where they belong.
    pub(super) fn put(&mut self, data: &[f32], at: [usize; 2], windows: [usize; 2]) {
        let all = self.windows();
        let maps = data.chunks_exact(windows[0] * windows[1]);
        for (map, to) in maps.zip(self.probabilities.chunks_exact_mut(all)) {
            for (row, from) in map.chunks_exact(windows[1]).enumerate() {
                let start = (at[0] + row) * self.positions[1] + at[1];
                to[start..][..windows[1]].copy_from_slice(from);
            }
        }
    }
}
