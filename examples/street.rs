//! Makes pictures of streets with pedestrians, cars and motorcycles on clutter, as a folder of pictures with boxes, for `specs/street_3x3x2x8.cnn`.
//!
//! ```sh
//! cargo run --release -p cnnc --example street -- street 600
//! cnnc train specs/street_3x3x2x8.cnn --data street
//! ```
//!
//! The folder is in YOLO's form: `images` and `labels`, of both `train` and `val`, which has a sixth of the pictures. They are a function of the seed, the third argument. In some pictures a pedestrian stands before a car: both centres are in one cell of a grid of
//! 3x3, so that one anchor has to answer for each.

use cnnc::rt::image::Picture;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Pixels of a picture's sides.
const SIDE: usize = 192;
/// Cells along a side, of which none has two centres of one form.
const CELLS: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [folder, rest @ ..] = &args[..] else {
        return Err("name a folder: `street FOLDER [PICTURES] [SEED]`".into());
    };
    let number = |at: usize, usual: u64| rest.get(at).map_or(Ok(usual), |text| text.parse());
    let count = write(Path::new(folder), number(0, 600)? as usize, number(1, 1)?)?;
    println!("{count} pictures in {folder}");
    Ok(())
}

/// Writes so many pictures with their boxes, every sixth of which is to be judged by.
pub fn write(folder: &Path, count: usize, seed: u64) -> Result<usize, Box<dyn Error>> {
    for inside in ["images/train", "images/val", "labels/train", "labels/val"] {
        fs::create_dir_all(folder.join(inside))?;
    }
    for number in 0..count {
        let set = if number % 6 == 5 { "val" } else { "train" };
        let (picture, things) = street(seed, number as u64);
        picture.write_png(folder.join(format!("images/{set}/{number:04}.png")))?;
        let mut rows = String::new();
        for thing in &things {
            let [left, top, right, bottom] = thing.edges.map(|edge| edge / SIDE as f64);
            let (x, y) = ((left + right) / 2.0, (top + bottom) / 2.0);
            let class = thing.kind as usize;
            writeln!(
                rows,
                "{class} {x:.5} {y:.5} {:.5} {:.5}",
                right - left,
                bottom - top
            )?;
        }
        fs::write(folder.join(format!("labels/{set}/{number:04}.txt")), rows)?;
    }
    Ok(count)
}

/// What can be found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Pedestrian,
    Car,
    Motorcycle,
}

/// Something at a place: left, top, right, bottom, in pixels.
struct Thing {
    kind: Kind,
    edges: [f64; 4],
}

impl Thing {
    /// Of that kind and height, with its feet or wheels at that place.
    fn at(kind: Kind, x: f64, bottom: f64, height: f64) -> Thing {
        let width = match kind {
            Kind::Pedestrian => 0.46 * height,
            Kind::Car => 1.75 * height,
            Kind::Motorcycle => 1.45 * height,
        };
        Thing {
            kind,
            edges: [x - width / 2.0, bottom - height, x + width / 2.0, bottom],
        }
    }

    /// Whether it is higher than it is wide.
    fn is_tall(&self) -> bool {
        self.kind == Kind::Pedestrian
    }

    /// The cell of its centre.
    fn cell(&self) -> [usize; 2] {
        let [left, top, right, bottom] = self.edges;
        [(left + right) / 2.0, (top + bottom) / 2.0]
            .map(|at| (at * CELLS as f64 / SIDE as f64) as usize)
    }

    /// How much of the smaller of both the other covers.
    fn covers(&self, other: &Thing) -> f64 {
        let along = |axis: usize| {
            let end = self.edges[axis + 2].min(other.edges[axis + 2]);
            (end - self.edges[axis].max(other.edges[axis])).max(0.0)
        };
        let area = |of: &Thing| (of.edges[2] - of.edges[0]) * (of.edges[3] - of.edges[1]);
        along(0) * along(1) / area(self).min(area(other))
    }
}

/// A street and what is on it.
fn street(seed: u64, number: u64) -> (Picture, Vec<Thing>) {
    let mut chance = Chance(seed ^ (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut things: Vec<Thing> = Vec::new();
    if chance.below(5) < 2 {
        // A pedestrian before a car, on the same ground.
        let car = chance.thing(Kind::Car);
        let [left, _, right, bottom] = car.edges;
        let x = (left + right) / 2.0 + (right - left) * chance.between(-0.2, 0.2);
        let height = chance.between(1.5, 1.85) * (right - left) / 1.75;
        things.extend([car, Thing::at(Kind::Pedestrian, x, bottom + 4.0, height)]);
        if things[0].cell() != things[1].cell() || !inside(&things[1]) {
            things.pop();
        }
    }
    for _ in 0..1 + chance.below(3) {
        let kind = [Kind::Pedestrian, Kind::Car, Kind::Motorcycle][chance.below(3)];
        let thing = chance.thing(kind);
        let apart = |other: &Thing| {
            thing.covers(other) < 0.15
                && (thing.is_tall() != other.is_tall() || thing.cell() != other.cell())
        };
        if things.iter().all(apart) {
            things.push(thing);
        }
    }
    let mut paint = Paint::ground(&mut chance);
    for thing in &things {
        paint.thing(thing, &mut chance);
    }
    (paint.picture(&mut chance), things)
}

fn inside(thing: &Thing) -> bool {
    let within = |edge: &f64| (1.0..SIDE as f64 - 1.0).contains(edge);
    thing.edges.iter().all(within)
}

/// Numbers that are a function of a seed: SplitMix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, count: usize) -> usize {
        (self.next() >> 33) as usize % count
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn colour(&mut self, low: f64, high: f64) -> [f64; 3] {
        [0; 3].map(|_| self.between(low, high))
    }

    /// Something of that kind, all of it in the picture.
    fn thing(&mut self, kind: Kind) -> Thing {
        let side = SIDE as f64;
        loop {
            let height = match kind {
                Kind::Pedestrian => self.between(80.0, 116.0),
                Kind::Car => self.between(46.0, 62.0),
                Kind::Motorcycle => self.between(46.0, 60.0),
            };
            let (x, bottom) = (
                self.between(8.0, side - 8.0),
                self.between(46.0, side - 2.0),
            );
            let thing = Thing::at(kind, x, bottom, height);
            if inside(&thing) {
                return thing;
            }
        }
    }
}

/// A picture in the making: red, green and blue of each pixel, 0 to 255.
struct Paint(Vec<[f64; 3]>);

impl Paint {
    /// Two colours that run into each other, with walls, poles and stripes on them.
    fn ground(chance: &mut Chance) -> Paint {
        let (above, below) = (chance.colour(90.0, 210.0), chance.colour(70.0, 170.0));
        let row = |y: usize| {
            let share = y as f64 / SIDE as f64;
            [0, 1, 2].map(|channel| above[channel] * (1.0 - share) + below[channel] * share)
        };
        let mut paint = Paint((0..SIDE * SIDE).map(|at| row(at / SIDE)).collect());
        for _ in 0..6 + chance.below(8) {
            let colour = chance.colour(60.0, 220.0);
            let (x, y) = (chance.between(0.0, 192.0), chance.between(0.0, 192.0));
            let (w, h) = match chance.below(3) {
                0 => (chance.between(3.0, 8.0), chance.between(30.0, 130.0)),
                1 => (chance.between(40.0, 150.0), chance.between(2.0, 7.0)),
                _ => (chance.between(10.0, 40.0), chance.between(10.0, 40.0)),
            };
            paint.shape(colour, 0.55, |px, py| {
                (px - x).abs() < w / 2.0 && (py - y).abs() < h / 2.0
            });
        }
        paint
    }

    /// Covers the pixels whose centres are inside by that share of a colour.
    fn shape(&mut self, colour: [f64; 3], share: f64, is_inside: impl Fn(f64, f64) -> bool) {
        for (at, pixel) in self.0.iter_mut().enumerate() {
            let (x, y) = ((at % SIDE) as f64 + 0.5, (at / SIDE) as f64 + 0.5);
            if is_inside(x, y) {
                for (to, from) in pixel.iter_mut().zip(colour) {
                    *to = *to * (1.0 - share) + from * share;
                }
            }
        }
    }

    /// Something, of parts whose places are fractions of its box.
    fn thing(&mut self, thing: &Thing, chance: &mut Chance) {
        let [left, top, right, bottom] = thing.edges;
        let (w, h) = (right - left, bottom - top);
        let mut part = |colour: [f64; 3], is_inside: &dyn Fn(f64, f64) -> bool| {
            self.shape(colour, 1.0, |x, y| is_inside((x - left) / w, (y - top) / h));
        };
        let within = |x: f64, y: f64, [from, above, to, below]: [f64; 4]| {
            (from..to).contains(&x) && (above..below).contains(&y)
        };
        // Round in pixels, not in fractions.
        let disc = |x: f64, y: f64, (cx, cy, radius): (f64, f64, f64)| {
            ((x - cx) * w).powi(2) + ((y - cy) * h).powi(2) < (radius * h).powi(2)
        };
        let (dark, glass) = ([28.0, 28.0, 34.0], [170.0, 205.0, 225.0]);
        match thing.kind {
            Kind::Pedestrian => {
                let (coat, legs) = (chance.colour(20.0, 255.0), chance.colour(15.0, 110.0));
                let skin = [225.0, 180.0, 150.0];
                part(legs, &|x, y| {
                    let apart = 0.16 + 0.22 * (y - 0.55);
                    (0.5..1.0).contains(&y) && ((x - 0.5).abs() - apart).abs() < 0.14
                });
                part(coat, &|x, y| within(x, y, [0.12, 0.19, 0.88, 0.58]));
                part(coat, &|x, y| within(x, y, [0.0, 0.21, 0.12, 0.5]));
                part(coat, &|x, y| within(x, y, [0.88, 0.21, 1.0, 0.5]));
                part(skin, &|x, y| disc(x, y, (0.5, 0.095, 0.095)));
            }
            Kind::Car => {
                let body = chance.colour(20.0, 255.0);
                part(body, &|x, y| within(x, y, [0.0, 0.42, 1.0, 0.84]));
                part(body, &|x, y| {
                    let lean = 0.22 * (0.45 - y);
                    (0.0..0.45).contains(&y) && (0.16 + lean..0.86 - lean).contains(&x)
                });
                part(glass, &|x, y| within(x, y, [0.27, 0.09, 0.48, 0.38]));
                part(glass, &|x, y| within(x, y, [0.53, 0.09, 0.74, 0.38]));
                for wheel in [0.22, 0.78] {
                    part(dark, &|x, y| disc(x, y, (wheel, 0.8, 0.2)));
                    part([150.0; 3], &|x, y| disc(x, y, (wheel, 0.8, 0.08)));
                }
            }
            Kind::Motorcycle => {
                let frame = chance.colour(20.0, 255.0);
                for wheel in [0.21, 0.79] {
                    part(dark, &|x, y| {
                        disc(x, y, (wheel, 0.7, 0.3)) && !disc(x, y, (wheel, 0.7, 0.18))
                    });
                }
                part(frame, &|x, y| within(x, y, [0.28, 0.4, 0.72, 0.66]));
                part(frame, &|x, y| {
                    (0.05..0.75).contains(&y) && (x - 0.67 - 0.14 * y).abs() < 0.035
                });
                part(dark, &|x, y| within(x, y, [0.12, 0.32, 0.5, 0.42]));
                part(dark, &|x, y| within(x, y, [0.56, 0.0, 0.78, 0.08]));
            }
        }
    }

    /// As a camera sees it, with some noise.
    fn picture(self, chance: &mut Chance) -> Picture {
        let mut rgb = Vec::with_capacity(3 * SIDE * SIDE);
        for pixel in self.0 {
            let noise = chance.between(-10.0, 10.0);
            rgb.extend(pixel.map(|of| (of + noise).clamp(0.0, 255.0).round() as u8));
        }
        Picture::from_rgb(SIDE, SIDE, rgb).expect("as many pixels")
    }
}
