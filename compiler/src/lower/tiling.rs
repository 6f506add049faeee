//! Which register tile computes a convolution: `MR` pixels by `NR` vectors of output channels.
//!
//! A tile issues `MR·NR` multiply-adds for each element of the reduction and needs `MR + NR` loads; two of either
//! can start in a cycle, and fewer than eight sums in flight do not hide the latency of an FMA (four
//! cycles, two units). The widths of the layers decide the rest: rows are cut into equal tiles, and
//! channels into bands of equal panels.

use crate::target::Machine;
use cnnc_runtime::Isa;
use cnnc_runtime::kernel::{conv_tiles, long_conv_tiles};

/// Output channels cut into panels of one width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    /// Vectors of a panel.
    pub nr: usize,
    /// First output channel.
    pub first: usize,
    /// Number of panels.
    pub panels: usize,
    /// Output channels in the last panel (all others are full).
    pub last: usize,
}

/// Cuts `outs` channels into bands: as many panels of `nr` vectors as fit, then narrower ones.
pub fn bands(isa: Isa, outs: usize, nr: usize) -> Vec<Band> {
    let lanes = isa.lanes();
    let mut bands = Vec::new();
    let (mut first, mut nr) = (0, nr);
    while first < outs {
        let left = outs - first;
        let vectors = left.div_ceil(lanes);
        while !widths(isa).any(|width| width == nr && width <= vectors) {
            nr -= 1;
        }
        let panels = vectors / nr;
        let covered = (panels * nr * lanes).min(left);
        bands.push(Band {
            nr,
            first,
            panels,
            last: covered - (panels - 1) * nr * lanes,
        });
        first += covered;
    }
    bands
}

/// Cuts a row of `pixels` into equal tiles: at most two `(MR, tiles)` that differ by one pixel.
pub fn tiles(isa: Isa, pixels: usize, nr: usize) -> Vec<(usize, usize)> {
    let widest = heights(isa, nr);
    let count = pixels.div_ceil(widest);
    let (base, rest) = (pixels / count, pixels % count);
    let cut = [(base + 1, rest), (base, count - rest)];
    cut.into_iter()
        .filter(|&(mr, tiles)| mr > 0 && tiles > 0)
        .collect()
}

/// Terms above which a sum is made of blocks; shorter ones are a single chain of multiply-adds, which is faster.
pub const LONG: usize = 1 << 14;

/// The panel width of the long kernel for rows of `pixels` pixels: as many sums at once as its tiles have.
pub fn long_panel(pixels: usize) -> usize {
    let tiles = long_conv_tiles().iter();
    let fitting = tiles.filter(|tile| usize::from(tile.0) <= pixels);
    let most = fitting.max_by_key(|tile| (tile.0, tile.1));
    most.map_or(1, |tile| usize::from(tile.1))
}

/// Cuts a row of `pixels` into tiles of the long kernel.
pub fn long_tiles(pixels: usize, nr: usize) -> Vec<(usize, usize)> {
    let highest = long_conv_tiles()
        .iter()
        .filter(|tile| usize::from(tile.1) == nr);
    let highest = highest.map(|tile| usize::from(tile.0)).max().unwrap_or(1);
    let cut = [(highest, pixels / highest), (1, pixels % highest)];
    cut.into_iter().filter(|&(_, tiles)| tiles > 0).collect()
}

/// Estimated cycles, per row and element of the reduction, of computing `outs` channels of `pixels` pixels with panels of `nr` vectors. Where panels are
/// `shared` it is the mean of what one thread takes and of what two take together, one of which waits where the panels of a band are odd.
fn cost(machine: &Machine, row: Row, outs: usize, nr: usize, shared: bool) -> f64 {
    let tile = |mr: usize, nr: usize| {
        let crowded = mr > machine.pixels_apart(row.apart);
        let (mr, nr) = (mr as f64, nr as f64);
        // The last terms are what entering and leaving a tile costs, spread over its reduction, and waiting for what its own pixels displaced.
        let issued = (mr * nr).max(mr + nr) / 2.0;
        let waiting = if crowded { mr * machine.crowded } else { 0.0 };
        issued.max(machine.latency) + machine.entering + waiting
    };
    let band = |band: &Band| {
        let row: f64 = tiles(machine.isa, row.pixels, band.nr)
            .iter()
            .map(|&(mr, n)| tile(mr, band.nr) * n as f64)
            .sum();
        let together = match shared {
            true => band.panels.next_multiple_of(2),
            false => band.panels,
        };
        row * (band.panels + together) as f64 / 2.0
    };
    bands(machine.isa, outs, nr).iter().map(band).sum()
}

/// Pixels that follow one another.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// How many.
    pub pixels: usize,
    /// Floats of the operand from one to the next.
    pub apart: usize,
}

/// The panel width, in vectors, that computes a row of pixels and `outs` channels in the fewest cycles; threads may have `shared` panels.
pub fn panel(machine: &Machine, row: Row, outs: usize, shared: bool) -> usize {
    let candidates = widths(machine.isa).filter(|&nr| nr == 1 || (nr - 1) * machine.lanes() < outs);
    let cost = |&nr: &usize| cost(machine, row, outs, nr, shared);
    candidates
        .min_by(|a, b| cost(a).total_cmp(&cost(b)))
        .unwrap_or(1)
}

/// Panel widths that exist.
pub fn widths(isa: Isa) -> impl Iterator<Item = usize> {
    let mut widths: Vec<usize> = conv_tiles(isa)
        .iter()
        .map(|&(_, nr)| usize::from(nr))
        .collect();
    widths.sort_unstable();
    widths.dedup();
    widths.into_iter()
}

/// The most pixels that a tile of `nr` vectors may have.
fn heights(isa: Isa, nr: usize) -> usize {
    let fitting = conv_tiles(isa)
        .iter()
        .filter(|tile| usize::from(tile.1) == nr);
    fitting
        .map(|tile| usize::from(tile.0))
        .max()
        .expect("every width has a tile")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_and_pixel_is_covered_once() {
        for isa in Isa::ALL {
            for outs in 1..200 {
                for nr in widths(isa) {
                    let bands = bands(isa, outs, nr);
                    let mut next = 0;
                    for band in &bands {
                        assert_eq!(band.first, next);
                        let block = band.nr * isa.lanes();
                        assert!(
                            band.last <= block && band.last > block - isa.lanes(),
                            "{isa} {outs}: {band:?}"
                        );
                        next += (band.panels - 1) * block + band.last;
                    }
                    assert_eq!(next, outs);
                }
            }
            for pixels in 1..200 {
                for nr in widths(isa) {
                    let cut = tiles(isa, pixels, nr);
                    assert_eq!(cut.iter().map(|(mr, n)| mr * n).sum::<usize>(), pixels);
                    for (mr, _) in cut {
                        assert!(
                            conv_tiles(isa).contains(&(mr as u8, nr as u8)),
                            "{isa}: no tile {mr}x{nr}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn long_rows_are_covered_by_tiles_that_exist() {
        for pixels in 1..50 {
            let widest = long_panel(pixels);
            for isa in Isa::ALL {
                for band in bands(isa, 200, widest)
                    .into_iter()
                    .chain(bands(isa, 37, widest))
                {
                    let cut = long_tiles(pixels, band.nr);
                    assert_eq!(cut.iter().map(|(mr, n)| mr * n).sum::<usize>(), pixels);
                    for (mr, _) in cut {
                        let tile = (mr as u8, band.nr as u8);
                        assert!(long_conv_tiles().contains(&tile), "{isa}: no tile {tile:?}");
                    }
                }
            }
        }
    }

    fn row(pixels: usize, apart: usize) -> Row {
        Row { pixels, apart }
    }

    #[test]
    fn pixels_that_displace_one_another_are_few() {
        let machine = Machine::of(Isa::Avx512);
        let places = [0, 16, 512, 1024, 9216, 3072].map(|apart| machine.pixels_apart(apart));
        assert_eq!(places, [usize::MAX, 384, 12, 6, 6, 6]);
        assert_eq!(
            [256, 1024].map(|apart| panel(&machine, row(196, apart), 256, true)),
            [2, 4]
        );
    }

    #[test]
    fn narrow_rows_get_wide_panels() {
        let machine = Machine::of(Isa::Avx2);
        assert_eq!(panel(&machine, row(28, 16), 128, false), 2);
        assert_eq!(panel(&machine, row(7, 16), 512, false), 3);
        assert_eq!(panel(&machine, row(1, 16), 4096, false), 8);
    }

    #[test]
    fn two_threads_have_equal_panels() {
        // Two panels of three vectors and one of two, or four of two.
        let machine = Machine::of(Isa::Avx2);
        assert_eq!(
            [false, true].map(|shared| panel(&machine, row(196, 16), 64, shared)),
            [3, 2]
        );
    }
}
