//! The gradient of 3×3 weights by Winograd's algorithm: a quarter of the multiplications, between transforms.
//!
//! ```text
//! for blocks of tiles                   as many as the level-2 cache holds transformed
//!   f32_winograd_input                  v[ξ][tile][in] = Bᵀ d B
//!   f32_winograd_outgrad                e[ξ][tile][out] = A dy Aᵀ
//!   f32_outer for each ξ                sums[ξ][out][in] += Σ over tiles e · v
//! f32_winograd_filtergrad               dw = Gᵀ sums G
//! ```
//! Threads share chunks of images, each of which has sums of its own; where sums are too large for that, they share images while these are
//! transformed, and matrices ξ, or rows of all of them, while products are added up. Nothing depends on the number of threads.

use super::conv::Taps;
use crate::layer::copy;
use crate::loops::Affine;
use crate::lower::{Lower, Storage};
use cnnc_runtime::kernel::winograd::{Form, SPAN, TILE};
use cnnc_runtime::kernel::{
    Axis, FillCall, OuterCall, Pace, Products, Tiles, WinogradFiltergradCall, WinogradTilesCall,
};

/// Products of one tile and pair of channels.
const PRODUCTS: usize = SPAN * SPAN;

/// Tiles of a block, at least, which its sums are worth being read and written again for.
const TILES: usize = 32;

/// Outputs' channels that are a multiple of the rows of `f32_outer`'s tile.
const ROWS: usize = 6;

/// Taps of the gradient.
const WEIGHTS: usize = 9;

/// The convolution, and where its operand and the cotangent of its result are.
struct Correlation<'a> {
    x: &'a Storage,
    dy: &'a Storage,
    /// What the operand's first tile begins with, from its first element.
    origin: i64,
    /// Tiles of an image: rows and columns.
    tiles: [usize; 2],
}

/// Emits the gradient, if that takes less than direct sums.
pub(super) fn weight(cx: &mut Lower<'_>, taps: &Taps, x: &Storage, dy: &Storage) -> bool {
    let plain = taps.kernel == [1, 3, 3]
        && (taps.stride, taps.dilation, taps.groups) == ([1; 3], [1; 3], 1)
        && dy.dhw[0] == 1;
    let of = Correlation {
        x,
        dy,
        origin: -(0..3)
            .map(|axis| taps.before[axis] as i64 * x.strides[axis])
            .sum::<i64>(),
        tiles: [1, 2].map(|axis| dy.dhw[axis].div_ceil(TILE)),
    };
    if !plain || cx.exact() || !of.pays(cx) {
        return false;
    }
    of.emit(cx);
    true
}

impl Correlation<'_> {
    /// Whether it is estimated to take less than direct sums.
    fn pays(&self, cx: &Lower<'_>) -> bool {
        let machine = cx.machine();
        let vectors = |channels: usize| channels.div_ceil(machine.lanes()) as f64;
        let (ins, outs) = (vectors(self.x.channels), vectors(self.dy.channels));
        let [input, output] = machine.transforms_of(Form::Three);
        let tiles = (self.tiles[0] * self.tiles[1]) as f64;
        let products = tiles * PRODUCTS as f64 * self.dy.channels as f64 * ins;
        let direct = (self.dy.pixels() * WEIGHTS * self.x.channels) as f64 * outs;
        let transforms = tiles * (input * ins + output * outs);
        (products / machine.issue + transforms) / machine.trust < direct / machine.issue
    }

    /// Floats of the sums.
    fn sums(&self) -> usize {
        PRODUCTS * self.x.channels * self.dy.channels
    }

    /// Pairs of channels.
    fn pairs(&self) -> usize {
        self.x.channels * self.dy.channels
    }

    fn emit(&self, cx: &mut Lower<'_>) {
        let near = 2 * cx.machine().near;
        let one = PRODUCTS * (self.x.channels + self.dy.channels);
        let whole = self.tiles[0] * self.tiles[1];
        let apart = self.sums() <= near + near / 4;
        let wanted = match apart {
            true => (near / one).max(TILES),
            // Each matrix is read once, so that all of them may be beyond the near cache.
            false => (4 * cx.machine().far / one).max(TILES),
        };
        let images = (wanted / whole).clamp(1, self.x.images);
        // Rows of tiles of a block, if an image is cut into several.
        let rows = match whole > 2 * wanted {
            true => (wanted / self.tiles[1]).max(1),
            false => self.tiles[0],
        };
        let tiles = images * rows * self.tiles[1];
        let room = Room::new(self, tiles);
        match apart {
            true => self.in_chunks(cx, &room, images, rows),
            false if (images, rows) == (self.x.images, self.tiles[0]) => self.in_rows(cx, &room),
            false => self.together(cx, &room, images, rows),
        }
    }

    /// The stretches of an image: first row of tiles, rows of tiles.
    fn stretches(&self, rows: usize) -> impl Iterator<Item = (usize, usize)> {
        let all = self.tiles[0];
        (0..all)
            .step_by(rows)
            .map(move |first| (first, rows.min(all - first)))
    }

    /// Chunks of blocks that threads share, each with sums of its own.
    fn in_chunks(&self, cx: &mut Lower<'_>, room: &Room, images: usize, rows: usize) {
        let blocks = self.x.images / images;
        let most = (10 * cx.machine().near / self.sums()).clamp(1, cx.machine().parts);
        let chunks = blocks.min(most);
        let (each, rest, left) = (blocks / chunks, blocks % chunks, self.x.images % images);
        let inputs = copy::scratch(cx, chunks * room.inputs());
        let cotangents = copy::scratch(cx, chunks * room.cotangents());
        let sums = copy::scratch(cx, chunks * self.sums());
        let once = each == 1 && rows == self.tiles[0];
        let slot = |chunk: &Affine| Slot {
            inputs: (&inputs, chunk.clone().times(room.inputs() as i64)),
            cotangents: (&cotangents, chunk.clone().times(room.cotangents() as i64)),
            sums: (&sums, chunk.clone().times(self.sums() as i64)),
        };
        let block =
            |cx: &mut Lower<'_>, first: Affine, count: usize, slot: &Slot<'_>, add: bool| {
                for stretch in self.stretches(rows) {
                    cx.repeat(count, |cx, image| {
                        self.transform(cx, room, slot, stretch, &first.clone().add(&image), &image);
                    });
                    let tiles = count * stretch.1 * self.tiles[1];
                    cx.repeat(PRODUCTS, |cx, xi| {
                        self.multiply(
                            cx,
                            room,
                            slot,
                            tiles,
                            (&Affine::default(), self.dy.channels),
                            &xi,
                            add,
                        )
                    });
                }
            };
        cx.parallel(chunks, |cx, chunk| {
            let slot = slot(&chunk);
            if !once {
                let (storage, at) = &slot.sums;
                cx.call(FillCall {
                    out: storage.access(at.clone()),
                    axes: [Axis::ONCE; 3],
                    run: self.sums(),
                    value: 0.0,
                });
            }
            cx.repeat(each, |cx, turn| {
                let first = chunk.clone().times((each * images) as i64);
                let first = first.add(&turn.times(images as i64));
                block(cx, first, images, &slot, !once);
            });
        });
        cx.parallel(rest, |cx, chunk| {
            let first = chunk.clone().offset((chunks * each) as i64);
            block(cx, first.times(images as i64), images, &slot(&chunk), true);
        });
        let first = Affine::constant((blocks * images) as i64);
        if left > 0 {
            block(cx, first, left, &slot(&Affine::default()), true);
        }
        self.finish(cx, &sums, chunks);
    }

    /// One block after the other, the parts of which threads share.
    fn together(&self, cx: &mut Lower<'_>, room: &Room, images: usize, rows: usize) {
        let inputs = copy::scratch(cx, room.inputs());
        let cotangents = copy::scratch(cx, room.cotangents());
        let sums = copy::scratch(cx, self.sums());
        let slot = Slot {
            inputs: (&inputs, Affine::default()),
            cotangents: (&cotangents, Affine::default()),
            sums: (&sums, Affine::default()),
        };
        let mut add = false;
        for first in (0..self.x.images).step_by(images) {
            let count = images.min(self.x.images - first);
            for stretch in self.stretches(rows) {
                cx.parallel(count, |cx, image| {
                    let number = image.clone().offset(first as i64);
                    self.transform(cx, room, &slot, stretch, &number, &image);
                });
                let tiles = count * stretch.1 * self.tiles[1];
                cx.parallel(PRODUCTS, |cx, xi| {
                    self.multiply(
                        cx,
                        room,
                        &slot,
                        tiles,
                        (&Affine::default(), self.dy.channels),
                        &xi,
                        add,
                    );
                });
                add = true;
            }
        }
        self.finish(cx, &sums, 1);
    }

    /// One block of all tiles, whose sums are made into gradients a few rows at a time, while they are in the cache.
    fn in_rows(&self, cx: &mut Lower<'_>, room: &Room) {
        let (ins, outs) = (self.x.channels, self.dy.channels);
        let fitting = 2 * cx.machine().near / (PRODUCTS * ins);
        let rows = (fitting / ROWS * ROWS)
            .clamp(ROWS, outs.max(ROWS))
            .min(outs);
        let blocks = outs / rows;
        let chunks = blocks.min(cx.machine().parts);
        let (each, left, rest) = (blocks / chunks, blocks % chunks, outs % rows);
        let inputs = copy::scratch(cx, room.inputs());
        let cotangents = copy::scratch(cx, room.cotangents());
        let own = PRODUCTS * rows * ins;
        let sums = copy::scratch(cx, chunks * own);
        let slot = |chunk: &Affine| Slot {
            inputs: (&inputs, Affine::default()),
            cotangents: (&cotangents, Affine::default()),
            sums: (&sums, chunk.clone().times(own as i64)),
        };
        cx.parallel(self.x.images, |cx, image| {
            let slot = slot(&Affine::default());
            self.transform(cx, room, &slot, (0, self.tiles[0]), &image, &image);
        });
        let block = |cx: &mut Lower<'_>, chunk: &Affine, first: &Affine, count: usize| {
            let slot = slot(chunk);
            let tiles = self.x.images * self.tiles[0] * self.tiles[1];
            cx.repeat(PRODUCTS, |cx, xi| {
                self.multiply(cx, room, &slot, tiles, (first, count), &xi, false);
            });
            let out = cx.output();
            cx.call(WinogradFiltergradCall {
                pairs: count * ins,
                parts: 1,
                out: out.access(first.clone().times((ins * WEIGHTS) as i64)),
                x: slot.sums.0.access(slot.sums.1),
                matrix: (count * ins) as i64,
                part: 0,
            });
        };
        cx.parallel(chunks, |cx, chunk| {
            cx.repeat(each, |cx, turn| {
                let first = chunk.clone().times((each * rows) as i64);
                let first = first.add(&turn.times(rows as i64));
                block(cx, &chunk, &first, rows);
            });
        });
        cx.parallel(left, |cx, chunk| {
            let first = chunk.clone().offset((chunks * each) as i64);
            block(cx, &chunk, &first.times(rows as i64), rows);
        });
        if rest > 0 {
            let first = Affine::constant((blocks * rows) as i64);
            block(cx, &Affine::default(), &first, rest);
        }
    }

    /// Transforms a stretch of an image, which is number `place` of the block.
    fn transform(
        &self,
        cx: &mut Lower<'_>,
        room: &Room,
        slot: &Slot<'_>,
        (first, rows): (usize, usize),
        image: &Affine,
        place: &Affine,
    ) {
        let tiles = [rows, self.tiles[1]];
        let [height, width] = [1, 2].map(|axis| self.dy.dhw[axis]);
        let skipped = (first * TILE) as i64;
        let size = [(rows * TILE).min(height - first * TILE), width];
        let from = |storage: &Storage, origin: i64| {
            let image = image.clone().times(storage.image);
            storage.plane(image.offset(origin + skipped * storage.strides[1]))
        };
        let to = |(storage, at): &(&Storage, Affine), tile: i64, matrix: i64| Products {
            at: storage.access(
                at.clone()
                    .add(&place.clone().times((rows * self.tiles[1]) as i64 * tile)),
            ),
            matrix,
            row: self.tiles[1] as i64 * tile,
            tile,
        };
        cx.call(WinogradTilesCall {
            of: Tiles::Inputs,
            form: Form::Three,
            tiles,
            size: size.map(|extent| extent + SPAN - TILE),
            channels: self.x.channels,
            out: to(&slot.inputs, room.input_tile, room.input_matrix),
            x: from(self.x, self.origin),
        });
        cx.call(WinogradTilesCall {
            of: Tiles::Cotangents,
            form: Form::Three,
            tiles,
            size,
            channels: self.dy.channels,
            out: to(&slot.cotangents, room.cotangent_tile, room.cotangent_matrix),
            x: from(self.dy, 0),
        });
    }

    /// Adds up the products of a block's tiles for matrix `xi`, of so many outputs' channels.
    #[allow(clippy::too_many_arguments)]
    fn multiply(
        &self,
        cx: &mut Lower<'_>,
        room: &Room,
        slot: &Slot<'_>,
        tiles: usize,
        (first, count): (&Affine, usize),
        xi: &Affine,
        add: bool,
    ) {
        let at = |(storage, at): &(&Storage, Affine), matrix: i64| {
            storage.access(at.clone().add(&xi.clone().times(matrix)))
        };
        let out = at(&slot.sums, (count * self.x.channels) as i64);
        cx.call(OuterCall {
            pixels: [
                Pace::ONCE,
                Pace::ONCE,
                Pace {
                    count: tiles,
                    a: room.cotangent_tile,
                    b: room.input_tile,
                },
            ],
            rows: Axis {
                count,
                stride: self.x.channels as i64,
            },
            columns: self.x.channels,
            acc: add.then(|| out.clone()),
            out,
            a: at(&slot.cotangents, room.cotangent_matrix).moved(first),
            b: at(&slot.inputs, room.input_matrix),
        });
    }

    /// Makes gradients of the sums of all chunks.
    fn finish(&self, cx: &mut Lower<'_>, sums: &Storage, parts: usize) {
        let out = cx.output();
        let pairs = self.pairs();
        let shares = cx.machine().shares(pairs, parts * self.sums());
        let each = pairs / shares;
        cx.parallel(shares, |cx, i| {
            let first = i.times(each as i64);
            cx.call(WinogradFiltergradCall {
                pairs: each,
                parts,
                out: out.access(first.clone().times(WEIGHTS as i64)),
                x: sums.access(first),
                matrix: pairs as i64,
                part: self.sums() as i64,
            });
        });
    }
}

/// How transformed tiles of a block are laid out.
struct Room {
    input_tile: i64,
    cotangent_tile: i64,
    input_matrix: i64,
    cotangent_matrix: i64,
}

impl Room {
    fn new(of: &Correlation<'_>, tiles: usize) -> Room {
        // Lines of the cache, an odd number of them, so that matrices are not in the same sets.
        let matrix = |tile: usize| ((tiles * tile).div_ceil(16) | 1) * 16;
        Room {
            input_tile: of.x.channels as i64,
            cotangent_tile: of.dy.channels as i64,
            input_matrix: matrix(of.x.channels) as i64,
            cotangent_matrix: matrix(of.dy.channels) as i64,
        }
    }

    /// Floats of a block's inputs.
    fn inputs(&self) -> usize {
        PRODUCTS * self.input_matrix as usize
    }

    /// Floats of its cotangents.
    fn cotangents(&self) -> usize {
        PRODUCTS * self.cotangent_matrix as usize
    }
}

/// Where a block's tiles and sums are.
struct Slot<'a> {
    inputs: (&'a Storage, Affine),
    cotangents: (&'a Storage, Affine),
    sums: (&'a Storage, Affine),
}
