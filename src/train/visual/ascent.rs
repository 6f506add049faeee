//! Pictures by ascent: what a unit looks for, as a picture that is changed until it excites it.
//!
//! Erhan, Bengio, Courville and Vincent 2009; Yosinski et al. 2015. The picture begins as noise on grey, as faint as excites the unit. Each step moves it by a few pixels (so that no pattern clings to the grid of strides), climbs the
//! gradient of the unit's mean activation with Adam, and moves it back; all of it fades towards grey, and it is blurred now and then: high frequencies excite, but show nothing.

use crate::train::error::TrainError;
use crate::train::picture::tensors::{map, pixels};
use crate::train::picture::{PictureStep, Pixels, WHITE};
use crate::train::random::{Purpose, Random};
use crate::train::sheet::{Anchor, Sheet};
use crate::{Model, Weights};
use cnnc_compiler::field::fields;
use cnnc_compiler::step::{Cost, Method, Optimizer};
use cnnc_runtime::answer::Colour;
use cnnc_runtime::image::Picture;
use std::f64::consts::PI;

/// Shortest side of a picture that is changed.
const LEAST: usize = 64;
/// The noises that it may begin as: their deviation in levels, and how often they are blurred. The first that excites the unit is taken.
const NOISE: [(f64, usize); 4] = [(10.0, 0), (30.0, 0), (60.0, 1), (60.0, 3)];
/// Pixels by which it is moved at most.
const JITTER: usize = 4;
/// Share that fades in the first step.
const FADE: f64 = 0.02;
/// Steps from one blur to the next, in the first three quarters of all, of units that see more than [`FINE`] pixels.
const BLUR: usize = 4;
/// Units that see so many pixels look for what a blur would take away.
const FINE: usize = 12;
/// Share of a pixel that a blur gives to each of its neighbours.
const SOFT: f32 = 0.12;
/// Share of the levels that are shown as black or as white.
const ENDS: f64 = 0.01;
const COLUMNS: usize = 6;
const GAP: f64 = 14.0;
const HEAD: f64 = 34.0;
const NAME: f64 = 20.0;
const BLACK: Colour = [0; 3];
const GREY: Colour = [0x55; 3];

/// How pictures are made.
#[derive(Clone, Copy, Debug)]
pub struct AscentOptions {
    /// Steps of each.
    pub steps: usize,
    /// Levels by which a pixel moves in the first step.
    pub rate: f64,
    /// Seed of the noise and the moves.
    pub seed: u64,
    /// Threads to run on.
    pub threads: usize,
}

impl Default for AscentOptions {
    fn default() -> AscentOptions {
        AscentOptions {
            steps: 120,
            rate: 12.0,
            seed: 1,
            threads: 1,
        }
    }
}

/// A layer's pictures.
#[derive(Clone, Debug)]
pub struct Ascent {
    /// The layer's label.
    pub label: String,
    /// Channel, its mean activation by the noise and by the picture, and the picture.
    pub units: Vec<(usize, [f64; 2], Picture)>,
}

/// Pictures that excite these channels of a layer. They are about twice as large as what an element sees, and no larger than the network's input.
///
/// # Errors
/// A layer that is not there or no map, weights that do not fit, too little memory.
pub fn ascent(
    model: &Model,
    weights: &Weights,
    label: &str,
    channels: &[usize],
    options: &AscentOptions,
) -> Result<Ascent, TrainError> {
    let pixels = pixels(model)?;
    let graph = model.graph();
    let value = map(model, label)?;
    let shape = graph.values[graph.inputs[0].value].shape.clone();
    let field = fields(graph)[&value];
    let side = |axis: usize| {
        let (all, seen) = (shape.spatial()[axis], field[axis + 1].extent);
        (2 * seen).next_multiple_of(8).max(LEAST).min(all)
    };
    let new = |extents| {
        PictureStep::new(
            model,
            weights,
            &[Cost::Linear(value)],
            extents,
            &Optimizer::new(Method::Adam),
            options.threads,
        )
    };
    // What only takes pictures of one size gets that.
    let step = new([side(0), side(1)]);
    let mut step = step.or_else(|_| new([shape.spatial()[0], shape.spatial()[1]]))?;
    let mut units = Vec::new();
    for &channel in channels {
        let soft = field[2].extent > FINE;
        units.push(climb(&mut step, &pixels, channel, soft, options)?);
    }
    Ok(Ascent {
        label: label.to_owned(),
        units,
    })
}

fn climb(
    step: &mut PictureStep,
    pixels: &Pixels,
    channel: usize,
    soft: bool,
    options: &AscentOptions,
) -> Result<(usize, [f64; 2], Picture), TrainError> {
    let [height, width] = step.extents();
    let positions: usize = step.compared(0)[1..].iter().product();
    for (index, weights) in step.weights_mut(0).chunks_exact_mut(positions).enumerate() {
        weights.fill(if index == channel {
            -1.0 / positions as f32
        } else {
            0.0
        });
    }
    let mut random = Random::new(options.seed, Purpose::Picture, &channel.to_le_bytes());
    let elements = step.picture().len();
    let grey = pixels.numbers(elements, || WHITE / 2.0);
    let mut first = 0.0;
    for (deviation, blurs) in NOISE {
        let mut noise: Vec<f32> = (0..elements).map(|_| random.normal() as f32).collect();
        for _ in 0..blurs {
            blurred(&mut noise, [height, width], 0.25);
        }
        let squares: f64 = noise.iter().map(|x| f64::from(*x).powi(2)).sum();
        let scale = deviation / (squares / elements as f64).sqrt();
        let mut noise = noise.iter();
        let mut level = || WHITE / 2.0 + scale * noise.next().map_or(0.0, |x| f64::from(*x));
        let numbers = pixels.numbers(elements, &mut level);
        step.picture_mut().copy_from_slice(&numbers);
        pixels.clamp(step.picture_mut());
        first = -step.gradient()?.0[0];
        // What a rectifier holds at 0 has no gradient to climb.
        if first > 0.0 {
            break;
        }
    }
    step.begin();
    for number in 0..options.steps {
        let share = number as f64 / options.steps as f64;
        let left = 0.5 * (1.0 + (PI * share).cos());
        let move_by = [height, width].map(|all| random.below(2 * JITTER.min(all / 2) + 1));
        rolled(step.picture_mut(), [height, width], move_by);
        step.step(options.rate * pixels.level() * left)?;
        rolled(
            step.picture_mut(),
            [height, width],
            [height - move_by[0], width - move_by[1]],
        );
        let picture = step.picture_mut();
        let fade = (FADE * left) as f32;
        for (x, grey) in picture.iter_mut().zip(&grey) {
            *x += fade * (grey - *x);
        }
        if soft && number % BLUR == 0 && share < 0.75 {
            blurred(picture, [height, width], SOFT);
        }
        pixels.clamp(picture);
    }
    let last = -step.gradient()?.0[0];
    let picture = pixels.picture(step.picture(), [height, width]);
    // Noise that excites nothing shows nothing.
    let shown = if last > 0.0 {
        stretched(&picture)
    } else {
        grey_of(&picture)
    };
    Ok((channel, [first, last], shown))
}

/// Grey in place of a picture.
fn grey_of(picture: &Picture) -> Picture {
    let (width, height) = (picture.width(), picture.height());
    let grey = vec![(WHITE / 2.0) as u8; width * height];
    Picture::from_grey(width, height, &grey).expect("as it was")
}

/// The same from black to white, but for a hundredth of the levels at each end.
fn stretched(picture: &Picture) -> Picture {
    let mut levels = picture.rgb().to_vec();
    levels.sort_unstable();
    let at = |share: f64| f64::from(levels[(share * (levels.len() - 1) as f64) as usize]);
    let (low, high) = (at(ENDS), at(1.0 - ENDS));
    let scale = WHITE / (high - low).max(1.0);
    let level = |x: &u8| ((f64::from(*x) - low) * scale).round() as u8;
    let rgb = picture.rgb().iter().map(level).collect();
    Picture::from_rgb(picture.width(), picture.height(), rgb).expect("as it was")
}

/// Moves a picture down and to the right; what leaves it comes in on the other side.
fn rolled(picture: &mut [f32], [height, width]: [usize; 2], [down, right]: [usize; 2]) {
    for plane in picture.chunks_exact_mut(height * width) {
        plane.rotate_right((down % height) * width);
        plane
            .chunks_exact_mut(width)
            .for_each(|row| row.rotate_right(right % width));
    }
}

/// Gives a share of each pixel to its neighbours along both axes; edges are repeated.
pub(super) fn blurred(picture: &mut [f32], [height, width]: [usize; 2], share: f32) {
    let soft = |before: f32, here: f32, behind: f32| here + share * (before + behind - 2.0 * here);
    for plane in picture.chunks_exact_mut(height * width) {
        for row in plane.chunks_exact_mut(width) {
            let old = row.to_vec();
            for x in 0..width {
                row[x] = soft(
                    old[x.saturating_sub(1)],
                    old[x],
                    old[(x + 1).min(width - 1)],
                );
            }
        }
        let old = plane.to_vec();
        for (y, row) in plane.chunks_exact_mut(width).enumerate() {
            for (x, to) in row.iter_mut().enumerate() {
                let at = |y: usize| old[y * width + x];
                *to = soft(at(y.saturating_sub(1)), at(y), at((y + 1).min(height - 1)));
            }
        }
    }
}

impl Ascent {
    /// All pictures, each with its channel and by how much it excites it.
    pub fn sheet(&self, name: &str) -> Sheet {
        const SIDE: usize = 128;
        let wide = SIDE as f64 + GAP;
        let high = SIDE as f64 + GAP + 2.0 * NAME;
        let mut sheet = Sheet::new(
            wide * COLUMNS as f64 + GAP,
            HEAD + high * self.units.len().div_ceil(COLUMNS).max(1) as f64,
        );
        let title = format!("{name} {}: pictures by ascent", self.label);
        sheet.text((GAP, 22.0), Anchor::Start, title, BLACK);
        for (index, (channel, [first, last], picture)) in self.units.iter().enumerate() {
            let (left, top) = (
                GAP + wide * (index % COLUMNS) as f64,
                HEAD + high * (index / COLUMNS) as f64,
            );
            sheet.text(
                (left, top + 14.0),
                Anchor::Start,
                format!("channel {channel}"),
                BLACK,
            );
            sheet.picture(
                (left, top + NAME),
                crate::train::picture::resized(picture, SIDE, SIDE),
            );
            let below = top + NAME + SIDE as f64 + 14.0;
            sheet.text(
                (left, below),
                Anchor::Start,
                match *last > 0.0 {
                    true => format!("{:.1} to {:.1}", first + 0.0, last + 0.0),
                    false => "nothing found".to_owned(),
                },
                GREY,
            );
        }
        sheet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rolls_comes_back() {
        let mut picture: Vec<f32> = (0..2 * 5 * 7).map(|x| x as f32).collect();
        let before = picture.clone();
        rolled(&mut picture, [5, 7], [2, 3]);
        // The element at row 0, column 0 of the second plane has moved.
        assert_eq!(picture[35 + 2 * 7 + 3], before[35]);
        rolled(&mut picture, [5, 7], [3, 4]);
        assert_eq!(picture, before);
        let mut even = vec![3.0; 35];
        blurred(&mut even, [5, 7], SOFT);
        assert_eq!(even, [3.0; 35]);
    }

    #[test]
    fn a_unit_for_vertical_edges_gets_them() {
        let model = crate::compile_str(
            "edges",
            "cnn 1; model Edges { input x: 3x40x40 { normalize unit }; e: conv 1x8 2 bias off weight [[[[1, 1, 1, 1, -1, -1, -1, -1]], [[1, 1, 1, 1, -1, -1, -1, -1]], [[1, 1, 1, 1, -1, -1, -1, -1]]], [[[-1, -1, -1, -1, 1, 1, 1, 1]], [[-1, -1, -1, -1, 1, 1, 1, 1]], [[-1, -1, -1, -1, 1, 1, 1, 1]]]] relu; globalavgpool }",
        )
        .unwrap();
        let options = AscentOptions {
            steps: 40,
            ..AscentOptions::default()
        };
        let found = ascent(&model, &Weights::synthetic(), "e", &[1], &options).unwrap();
        let (channel, [first, last], picture) = &found.units[0];
        assert_eq!((*channel, picture.width()), (1, 40));
        assert!(*last > 4.0 * first, "{first} {last}");
        // The same seed gives the same picture.
        let again = ascent(
            &model,
            &Weights::synthetic(),
            "e",
            &[1],
            &AscentOptions {
                threads: 3,
                ..options
            },
        )
        .unwrap();
        assert_eq!(again.units[0].2, *picture);
    }
}
