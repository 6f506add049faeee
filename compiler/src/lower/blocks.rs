//! The blocks of tiles that Winograd's convolution works through, one after the other or at once.

use super::job::ConvJob;
use crate::target::Machine;
use cnnc_runtime::kernel::winograd::{SPAN, TILE};

/// Products of one tile and channel.
pub const PRODUCTS: usize = SPAN * SPAN;

/// Equal stretches of tiles along an axis, one behind the other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// First output pixel.
    pub first: usize,
    /// How many there are.
    pub count: usize,
    /// Tiles of each.
    pub tiles: usize,
    /// Output pixels of each.
    pub pixels: usize,
}

impl Stretch {
    /// All pixels as one.
    fn whole(pixels: usize, tiles: usize) -> Stretch {
        Stretch {
            first: 0,
            count: 1,
            tiles,
            pixels,
        }
    }
}

/// Cuts `extent` output pixels into stretches of `tiles` tiles; the last may be shorter and its last tile hang over.
fn stretches(extent: usize, tiles: usize) -> Vec<Stretch> {
    let pixels = tiles * TILE;
    let count = extent / pixels;
    let rest = extent % pixels;
    let whole = Stretch {
        first: 0,
        count,
        tiles,
        pixels,
    };
    let last = Stretch {
        first: count * pixels,
        count: 1,
        tiles: rest.div_ceil(TILE),
        pixels: rest,
    };
    [whole, last]
        .into_iter()
        .filter(|stretch| stretch.count > 0 && stretch.pixels > 0)
        .collect()
}

/// How a convolution is cut into blocks.
#[derive(Clone, Debug, PartialEq)]
pub struct Blocks {
    /// Along the height.
    pub rows: Vec<Stretch>,
    /// Along the width.
    pub columns: Vec<Stretch>,
    /// Tiles of the largest.
    pub tiles: usize,
    /// How many there are.
    pub count: usize,
}

impl Blocks {
    /// The whole picture as one block.
    pub(super) fn whole(job: &ConvJob) -> Blocks {
        let [_, height, width] = job.output.dhw;
        let (rows, columns) = (height.div_ceil(TILE), width.div_ceil(TILE));
        Blocks {
            rows: vec![Stretch::whole(height, rows)],
            columns: vec![Stretch::whole(width, columns)],
            tiles: rows * columns,
            count: 1,
        }
    }

    pub(super) fn new(job: &ConvJob, machine: &Machine) -> Blocks {
        let [_, height, width] = job.output.dhw;
        let (rows, columns) = (height.div_ceil(TILE), width.div_ceil(TILE));
        let (cin, cout) = (job.input.channels, job.output.channels);
        // Weights that come from memory are worth more tiles than the cache holds.
        let [few, many, most] = machine.block_tiles;
        let weights = PRODUCTS * cin * cout;
        let least = match weights / machine.far {
            0 => few,
            1..4 => many,
            _ => most,
        };
        let wanted = (machine.near / (PRODUCTS * cin)).max(least);
        let cut = |extent: usize, wanted: usize| extent.div_ceil(extent.div_ceil(wanted));
        let across = if columns > 2 * wanted {
            cut(columns, wanted)
        } else {
            columns
        };
        let down = cut(rows, (wanted / across).max(1));
        let fine = weights <= machine.close && rows.div_ceil(down) < machine.parts && across >= 7;
        let down = if fine {
            (rows / machine.parts).max(1)
        } else {
            down
        };
        let (rows, columns) = (stretches(height, down), stretches(width, across));
        let count = |stretches: &[Stretch]| stretches.iter().map(|s| s.count).sum::<usize>();
        Blocks {
            count: count(&rows) * count(&columns),
            rows,
            columns,
            tiles: down * across,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_cover_every_pixel_once() {
        for extent in 1..70 {
            for tiles in 1..9 {
                let mut next = 0;
                for stretch in stretches(extent, tiles) {
                    assert_eq!(stretch.first, next);
                    let last = (stretch.tiles - 1) * TILE;
                    assert!(stretch.pixels > last && stretch.pixels <= last + TILE);
                    next += stretch.count * stretch.pixels;
                }
                assert_eq!(next, extent);
            }
        }
    }
}
