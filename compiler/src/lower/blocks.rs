//! The blocks of tiles that Winograd's convolution works through, one after the other or at once.

use super::Storage;
use super::job::ConvJob;
use crate::loops::Affine;
use crate::target::Machine;
use cnnc_runtime::kernel::winograd::{Form, SPAN};

/// Products of one tile and channel.
pub const PRODUCTS: usize = SPAN * SPAN;

/// A distance that does not put neighbours into the same sets of the first-level cache.
pub fn spread(floats: usize) -> usize {
    let lines = floats.next_multiple_of(16);
    if lines.is_multiple_of(128) {
        lines + 16
    } else {
        lines
    }
}

/// Floats from one of the matrices of `tiles` tiles to the next: an odd number of lines, so that a tile's numbers are in as many sets of the first-level
/// cache as there are matrices.
pub fn apart(tiles: usize, tile: i64) -> i64 {
    const LINE: usize = 16;
    let lines = (tiles * tile as usize).div_ceil(LINE);
    ((lines | 1) * LINE) as i64
}

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

/// Cuts `extent` output pixels into stretches of `tiles` tiles of `side` pixels; the last may be shorter and its last tile hang over.
fn stretches(extent: usize, tiles: usize, side: usize) -> Vec<Stretch> {
    let pixels = tiles * side;
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
        tiles: rest.div_ceil(side),
        pixels: rest,
    };
    [whole, last]
        .into_iter()
        .filter(|stretch| stretch.count > 0 && stretch.pixels > 0)
        .collect()
}

/// A block of tiles, wherever it is.
pub(super) struct Block {
    /// Images.
    pub images: usize,
    /// Of each of them, along the height.
    pub rows: Stretch,
    /// Along the width.
    pub columns: Stretch,
}

impl Block {
    /// Tiles of an image.
    pub fn tiles_of_image(&self) -> usize {
        self.rows.tiles * self.columns.tiles
    }

    /// Tiles of all.
    pub fn tiles(&self) -> usize {
        self.images * self.tiles_of_image()
    }
}

/// Where a block begins: an image and a pixel of its result.
pub(super) struct Corner {
    image: Affine,
    y: Affine,
    x: Affine,
}

impl Corner {
    /// Its distance from the first element of a tensor.
    pub fn offset(&self, of: &Storage) -> Affine {
        let [_, row, pixel] = of.strides;
        let image = self.image.clone().times(of.image);
        let row = self.y.clone().times(row);
        image.add(&row).add(&self.x.clone().times(pixel))
    }
}

/// Blocks that are alike in images and rows, of all columns.
pub(super) struct Part {
    images: Images,
    rows: Stretch,
}

impl Part {
    /// How many there are in a column: groups of images, or stretches of rows.
    pub fn count(&self) -> usize {
        self.images.count * self.rows.count
    }

    /// One of them.
    pub fn block(&self, columns: &Stretch) -> Block {
        Block {
            images: self.images.each,
            rows: self.rows,
            columns: *columns,
        }
    }

    /// Where the block begins that is the `number`th in the `k`th of these columns.
    pub fn corner(&self, number: &Affine, columns: &Stretch, k: &Affine) -> Corner {
        let along = |n: &Affine, step: usize, first: usize| {
            n.clone().times(step as i64).offset(first as i64)
        };
        let none = Affine::default();
        let (image, row) = match self.images.count {
            1 => (&none, number),
            _ => (number, &none),
        };
        Corner {
            image: along(image, self.images.each, self.images.first),
            y: along(row, self.rows.pixels, self.rows.first),
            x: along(k, columns.pixels, columns.first),
        }
    }
}

/// Equal groups of images whose tiles are in a block together, one behind the other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Images {
    /// The first image.
    pub first: usize,
    /// How many groups there are.
    pub count: usize,
    /// Images of each.
    pub each: usize,
}

/// How a convolution is cut into blocks: pictures into parts, or images into groups.
#[derive(Clone, Debug, PartialEq)]
pub struct Blocks {
    /// Along the images.
    pub images: Vec<Images>,
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
    /// Whole pictures, of so many images in a block.
    pub(super) fn whole(job: &ConvJob, form: Form, each: usize) -> Blocks {
        let [_, height, width] = job.output.dhw;
        let [rows, columns] = [height, width].map(|extent| extent.div_ceil(form.outputs()));
        let (count, rest) = (job.output.images / each, job.output.images % each);
        let full = Images {
            first: 0,
            count,
            each,
        };
        let last = Images {
            first: count * each,
            count: 1,
            each: rest,
        };
        let images = [full, last].into_iter();
        Blocks {
            images: images.filter(|images| images.each > 0).collect(),
            rows: vec![Stretch::whole(height, rows)],
            columns: vec![Stretch::whole(width, columns)],
            tiles: each * rows * columns,
            count: count + usize::from(rest > 0),
        }
    }

    /// Blocks that are alike, together.
    pub(super) fn parts(&self) -> Vec<Part> {
        let images = self.images.iter();
        let parts =
            images.flat_map(|&images| self.rows.iter().map(move |&rows| Part { images, rows }));
        parts.collect()
    }

    pub(super) fn new(job: &ConvJob, form: Form, machine: &Machine) -> Blocks {
        let ([_, height, width], side) = (job.output.dhw, form.outputs());
        let [rows, columns] = [height, width].map(|extent| extent.div_ceil(side));
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
        if job.is_merged() {
            let each = (wanted / (rows * columns)).clamp(1, job.output.images);
            return Blocks::whole(job, form, each);
        }
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
        let rows = stretches(height, down, side);
        let columns = stretches(width, across, side);
        let count = |stretches: &[Stretch]| stretches.iter().map(|s| s.count).sum::<usize>();
        Blocks {
            images: vec![Images {
                first: 0,
                count: 1,
                each: 1,
            }],
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
    use std::collections::HashSet;

    #[test]
    fn numbers_of_a_tile_are_in_different_sets() {
        for tiles in 1..64 {
            for channels in (8..1100).step_by(8) {
                let tile = spread(channels);
                let matrix = apart(tiles, tile as i64) as usize;
                assert!(matrix >= tiles * tile);
                // 64 sets of lines of 16 floats.
                let sets: HashSet<usize> = (0..PRODUCTS).map(|i| i * matrix / 16 % 64).collect();
                assert_eq!(sets.len(), PRODUCTS, "{tiles} tiles of {channels} channels");
            }
        }
    }

    #[test]
    fn stretches_cover_every_pixel_once() {
        for side in Form::ALL.map(Form::outputs) {
            for (extent, tiles) in (1..70).flat_map(|extent| (1..9).map(move |n| (extent, n))) {
                let mut next = 0;
                for stretch in stretches(extent, tiles, side) {
                    assert_eq!(stretch.first, next);
                    let last = (stretch.tiles - 1) * side;
                    assert!(stretch.pixels > last && stretch.pixels <= last + side);
                    next += stretch.count * stretch.pixels;
                }
                assert_eq!(next, extent);
            }
        }
    }
}
