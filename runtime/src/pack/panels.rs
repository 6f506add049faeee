//! Panels of convolution weights: `block` output channels side by side for every reduction index.

use crate::memory::{OutOfMemory, reserved};
use crate::weights::{Fault, Values, Window};

/// Reduction indices that are transposed at a time: their lanes stay in the first-level cache
/// while each row of the source is read a few cache lines at a time.
const TILE: usize = 64;

/// Lanes that are written at a time.
const SIDE: usize = 8;

/// Where the elements of [`Recipe::Panels`](crate::plan::Recipe::Panels) lie in its data.
pub(super) struct Panels {
    groups: usize,
    outs: usize,
    block: usize,
    /// Index of the lowest element that the first output channel reads.
    lowest: i64,
    group_stride: i64,
    out_stride: i64,
    /// Of each reduction index, relative to the lowest.
    offsets: Vec<usize>,
    /// Elements from the lowest to the highest that one output channel reads.
    span: usize,
}

impl Panels {
    pub fn new(
        base: i64,
        groups: (usize, i64),
        outs: (usize, i64),
        reduce: &[(usize, i64)],
        block: usize,
    ) -> Result<Panels, OutOfMemory> {
        let lowest: i64 = reduce
            .iter()
            .map(|&(count, stride)| (count as i64 - 1).max(0) * stride.min(0))
            .sum();
        let mut offsets: Vec<usize> = reserved(reduce.iter().map(|&(count, _)| count).product())?;
        offsets.push(lowest.unsigned_abs() as usize);
        for &(count, stride) in reduce {
            // Where they are, from the last on: each makes room for itself behind those that are still to come.
            let before = offsets.len();
            offsets.resize(before * count, 0);
            for index in (0..before).rev() {
                let at = offsets[index];
                for step in (0..count).rev() {
                    offsets[index * count + step] =
                        at.wrapping_add_signed(step as isize * stride as isize);
                }
            }
        }
        Ok(Panels {
            groups: groups.0,
            outs: outs.0,
            block,
            lowest: base + lowest,
            group_stride: groups.1,
            out_stride: outs.1,
            span: offsets.iter().max().map_or(0, |highest| highest + 1),
            offsets,
        })
    }

    /// Elements of all panels.
    pub fn len(&self) -> usize {
        self.groups * self.blocks() * self.panel_len()
    }

    fn blocks(&self) -> usize {
        self.outs.div_ceil(self.block)
    }

    fn panel_len(&self) -> usize {
        self.offsets.len() * self.block
    }

    /// One more than the highest index of the data that is read.
    fn needed(&self) -> usize {
        let last = |count: usize, stride: i64| match stride {
            0.. => count.saturating_sub(1),
            _ => 0,
        };
        let group = last(self.groups, self.group_stride);
        let out = last(self.outs, self.out_stride);
        self.row_start(group, out) + self.span
    }

    fn row_start(&self, group: usize, out: usize) -> usize {
        let at = self.lowest + group as i64 * self.group_stride + out as i64 * self.out_stride;
        usize::try_from(at).expect("a recipe reads from within its data")
    }

    /// Fills `dest`, which is zero, with the panels of `values`. Where there are scales, output channel `o` of
    /// group `g` is multiplied by number `channel.0 + g·channel.1 + o`. Returns whether everything
    /// written is finite.
    pub fn fill(
        &self,
        dest: &mut [f32],
        values: Values<'_>,
        scale: Option<&[f64]>,
        channel: (usize, usize),
    ) -> Result<bool, Fault> {
        if dest.is_empty() {
            return Ok(true);
        }
        let needed = self.needed();
        let mut window = Window::new(values);
        let mut scales = vec![0.0; self.block];
        let mut finite = true;
        for (index, panel) in dest.chunks_exact_mut(self.panel_len()).enumerate() {
            let (group, first) = (index / self.blocks(), index % self.blocks() * self.block);
            let lanes = self.block.min(self.outs - first);
            let [one, other] = [first, first + lanes - 1].map(|out| self.row_start(group, out));
            let part = one.min(other)..one.max(other) + self.span;
            let part = Window::around(part, lanes * self.offsets.len(), needed);
            let read = window.get(part.start, part.end)?;
            let row = |lane: usize| {
                let start = self.row_start(group, first + lane) - part.start;
                &read[start..][..self.span]
            };
            if let Some(scale) = scale {
                let channel = channel.0 + group * channel.1 + first;
                scales[..lanes].copy_from_slice(&scale[channel..][..lanes]);
            }
            let tiles = panel
                .chunks_mut(TILE * self.block)
                .zip(self.offsets.chunks(TILE));
            for (tile, offsets) in tiles {
                let whole_sides = lanes - lanes % SIDE;
                for lane in (0..whole_sides).step_by(SIDE) {
                    let rows: [_; SIDE] = std::array::from_fn(|i| row(lane + i));
                    transpose(tile, self.block, lane, rows, offsets);
                }
                for lane in whole_sides..lanes {
                    transpose(tile, self.block, lane, [row(lane)], offsets);
                }
                if scale.is_some() {
                    multiply(tile, &scales);
                }
                finite &= all_finite(tile);
            }
        }
        Ok(finite)
    }
}

/// Writes `N` lanes of a tile: their loads and one store are what the time goes into.
fn transpose<const N: usize>(
    tile: &mut [f32],
    block: usize,
    lane: usize,
    rows: [&[f32]; N],
    offsets: &[usize],
) {
    for (lanes, &offset) in tile.chunks_exact_mut(block).zip(offsets) {
        lanes[lane..lane + N].copy_from_slice(&rows.map(|row| row[offset]));
    }
}

fn multiply(tile: &mut [f32], scales: &[f64]) {
    for lanes in tile.chunks_exact_mut(scales.len()) {
        for (value, scale) in lanes.iter_mut().zip(scales) {
            *value = (f64::from(*value) * scale) as f32;
        }
    }
}

/// Whether there is no NaN and no infinity, found without a branch per element.
pub(super) fn all_finite(values: &[f32]) -> bool {
    const EXPONENT: u32 = 0x7f80_0000;
    let bad = values.iter().fold(0, |bad, v| {
        bad | u32::from(v.to_bits() & EXPONENT == EXPONENT)
    });
    bad == 0
}
