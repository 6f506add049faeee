//! Weights of Winograd's convolution: each 3×3 filter as the 6×6 numbers that its transformed inputs are multiplied by.

use crate::kernel::winograd::{SPAN, WEIGHTS};
use crate::weights::{Fault, Values, Window};
use std::ops::Range;

/// Where the elements of [`Recipe::Winograd`](crate::plan::Recipe::Winograd) lie in its data.
pub(super) struct Filters {
    /// Element at the origin.
    pub base: i64,
    /// `(count, stride)` of output channels.
    pub outs: (usize, i64),
    /// `(count, stride)` of input channels.
    pub ins: (usize, i64),
    /// Strides of rows and columns.
    pub taps: [i64; 2],
    /// Output channels of a panel.
    pub block: usize,
}

/// Output channels that are transformed at a time.
const SIDE: usize = 8;

impl Filters {
    /// Elements of all panels.
    pub fn len(&self) -> usize {
        self.outs.0.div_ceil(self.block) * self.panel_len()
    }

    fn panel_len(&self) -> usize {
        SPAN * SPAN * self.ins.0 * self.block
    }

    /// Fills `dest`, which is zero. Where there are scales, output channel `o` is multiplied by number `first + o`. Returns whether
    /// everything written is finite.
    pub fn fill(
        &self,
        dest: &mut [f32],
        values: Values<'_>,
        scale: Option<&[f64]>,
        first: usize,
    ) -> Result<bool, Fault> {
        let needed = self.reach(&(0..self.outs.0)).end;
        let mut window = Window::new(values);
        let mut finite = true;
        for (index, panel) in dest.chunks_exact_mut(self.panel_len()).enumerate() {
            let outs = index * self.block..self.outs.0.min((index + 1) * self.block);
            let part = Window::around(self.reach(&outs), outs.len() * self.ins.0 * 9, needed);
            let data = window.get(part.start, part.end)?;
            for (lane, out) in outs.clone().enumerate().step_by(SIDE) {
                let count = SIDE.min(outs.end - out);
                let scales: [f64; SIDE] = std::array::from_fn(|i| match scale {
                    Some(scale) if i < count => scale[first + out + i],
                    _ => 1.0,
                });
                for channel in 0..self.ins.0 {
                    let mut taps = [[[0.0; SIDE]; 3]; 3];
                    for (i, out) in (out..out + count).enumerate() {
                        let at = self.base + out as i64 * self.outs.1 + channel as i64 * self.ins.1;
                        for (y, row) in taps.iter_mut().enumerate() {
                            for (x, tap) in row.iter_mut().enumerate() {
                                let at = at + y as i64 * self.taps[0] + x as i64 * self.taps[1];
                                tap[i] = f64::from(data[inside(at) - part.start]);
                            }
                        }
                    }
                    let products = transform(&taps, &scales);
                    for (xi, lanes) in products.iter().enumerate() {
                        let at = (xi * self.ins.0 + channel) * self.block + lane;
                        panel[at..at + count].copy_from_slice(&lanes[..count]);
                        finite &= super::panels::all_finite(&lanes[..count]);
                    }
                }
            }
        }
        Ok(finite)
    }

    /// From the lowest element that these output channels read to behind the highest.
    fn reach(&self, outs: &Range<usize>) -> Range<usize> {
        let ends = |count: usize, stride: i64| {
            let last = (count as i64 - 1) * stride;
            (last.min(0), last.max(0))
        };
        let dims = [
            ends(outs.len(), self.outs.1),
            ends(self.ins.0, self.ins.1),
            ends(3, self.taps[0]),
            ends(3, self.taps[1]),
        ];
        let origin = self.base + outs.start as i64 * self.outs.1;
        let lowest: i64 = dims.iter().map(|(low, _)| low).sum();
        let highest: i64 = dims.iter().map(|(_, high)| high).sum();
        inside(origin + lowest)..inside(origin + highest) + 1
    }
}

fn inside(index: i64) -> usize {
    usize::try_from(index).expect("a recipe reads from within its data")
}

/// `G g Gᵀ` of some filters side by side, scaled, in f64 and rounded once.
fn transform(taps: &[[[f64; SIDE]; 3]; 3], scales: &[f64; SIDE]) -> [[f32; SIDE]; SPAN * SPAN] {
    let mut products = [[0.0; SIDE]; SPAN * SPAN];
    for (i, row) in WEIGHTS.iter().enumerate() {
        let mut half = [[0.0; SIDE]; 3];
        for (x, half) in half.iter_mut().enumerate() {
            for lane in 0..SIDE {
                half[lane] = row[0] * taps[0][x][lane]
                    + row[1] * taps[1][x][lane]
                    + row[2] * taps[2][x][lane];
            }
        }
        for (j, column) in WEIGHTS.iter().enumerate() {
            for lane in 0..SIDE {
                let sum = column[0] * half[0][lane]
                    + column[1] * half[1][lane]
                    + column[2] * half[2][lane];
                products[i * SPAN + j][lane] = (sum * scales[lane]) as f32;
            }
        }
    }
    products
}
