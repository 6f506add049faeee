//! Samples changed at random: one map of the plane, by which pixels are interpolated once, and one map of colours.
//!
//! What becomes of a sample is a function of the seed, the epoch and the sample's number, whoever asks and when.

mod colour;

pub use colour::Colour;

use super::affine::{Affine, resample};
use super::data::{DataError, Kept, Samples, takes_regions};
use super::error::TrainError;
use super::random::{Purpose, Random};
use super::recipe::Recipe;
use crate::Model;
use cnnc_compiler::graph::Graph;
use cnnc_compiler::loss::BOX;
use cnnc_compiler::recipe::Augment;

/// How samples of one network are changed.
#[derive(Clone, Debug)]
pub struct Augmenter {
    augment: Augment,
    seed: u64,
    channels: usize,
    /// Columns and rows; a series has one row.
    extents: (usize, usize),
    /// Whether channels are blue, green, red.
    bgr: bool,
    is_picture: bool,
}

/// How one sample is changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// Where each point of it goes.
    pub affine: Affine,
    /// What becomes of colours.
    pub colour: Colour,
}

impl Augmenter {
    /// What changes the samples of a network, if its recipe changes them.
    pub(super) fn of(recipe: &Recipe, model: &Model) -> Result<Option<Augmenter>, TrainError> {
        let augment = recipe.augment.as_ref();
        let new = |augment| Augmenter::new(augment, recipe.seed, model.graph());
        augment.map(new).transpose()
    }

    /// That of a network.
    ///
    /// # Errors
    /// When its samples cannot be changed so.
    pub fn new(augment: &Augment, seed: u64, network: &Graph) -> Result<Augmenter, TrainError> {
        let refuse = |why: String| Err(TrainError::Recipe(why));
        if takes_regions(network).is_some() {
            return refuse(format!(
                "`{}` takes regions beside a picture, which would stay where they are while `augment` moves it: leave `augment` out",
                network.name
            ));
        }
        let input = &network.inputs[0];
        let shape = &network.values[input.value].shape;
        let (channels, extents) = match (shape.dims(), &input.pre) {
            (_, Some(pre)) => (pre.channels, (pre.width, pre.height)),
            (&[channels, length], None) => (channels, (length, 1)),
            _ => {
                return refuse(format!(
                    "samples of {shape} cannot be augmented; pictures and series can"
                ));
            }
        };
        if input.pre.is_none() {
            let series = Augment {
                scale: augment.scale,
                shift: augment.shift,
                ..Augment::default()
            };
            if *augment != series {
                return refuse("a series can be augmented by `scale` and `shift` only".to_owned());
            }
        }
        let side = extents.0.min(extents.1) + 2 * augment.pad;
        if let Some(crop) = augment.crop.filter(|&crop| crop > side || crop == 0) {
            return refuse(format!(
                "`crop {crop}` does not fit into {}x{} pixels with {} around them",
                extents.0, extents.1, augment.pad
            ));
        }
        if let Some(head) = network.head.as_ref().filter(|_| augment.mirror) {
            let raw = &network.values[network.outputs[0].value].shape;
            let points = match head.decl.keyword {
                "landmarks" => raw.elements() / 2,
                "keypoints" => raw.channels(),
                _ => 0,
            };
            if points > 1 && head.swaps().is_none() {
                return refuse(format!(
                    "`mirror` makes left right, and `head {}` does not say which of its points change places: `swap (0, 1) (3, 4)`, or `swap (0, 0)` where none do",
                    head.decl.keyword
                ));
            }
        }
        Ok(Augmenter {
            augment: *augment,
            seed,
            channels,
            extents,
            bgr: input.pre.as_ref().is_some_and(|pre| pre.bgr),
            is_picture: input.pre.is_some(),
        })
    }

    /// What becomes of a sample in an epoch.
    pub fn change(&self, epoch: usize, sample: usize) -> Change {
        let which = [epoch as u64, sample as u64].map(u64::to_le_bytes).concat();
        let mut random = Random::new(self.seed, Purpose::Augment, &which);
        // All are drawn, so that one does not depend on which others there are.
        let [mirror, left, top] = [(); 3].map(|()| random.unit());
        let mut within = || 2.0 * random.unit() - 1.0;
        let [turn, lean, growth, right, down] = [(); 5].map(|()| within());
        let shares = [(); 3].map(|()| within());
        let tints = [(); 3].map(|()| within());
        let Augment {
            crop,
            pad,
            rotate,
            shear,
            scale,
            shift,
            colour,
            tint,
            ..
        } = self.augment;
        let (width, height) = (self.extents.0 as f64, self.extents.1 as f64);
        let mut affine = Affine::IDENTITY;
        if self.augment.mirror && mirror < 0.5 {
            affine = Affine::new([[-1.0, 0.0, width], [0.0, 1.0, 0.0]]);
        }
        if let Some(side) = crop {
            let side = side as f64;
            let start = |unit: f64, extent: f64| {
                let places = extent + 2.0 * pad as f64 - side + 1.0;
                (unit * places).floor() - pad as f64
            };
            let to_corner = Affine::moved(-start(left, width), -start(top, height));
            let whole = Affine::scaled(width / side, height / side);
            affine = affine.then(to_corner).then(whole);
        }
        let (sin, cos) = (turn * rotate).to_radians().sin_cos();
        let lean = (lean * shear).to_radians().tan();
        let growth = 1.0 + growth * scale;
        let linear = Affine::scaled(growth, if self.is_picture { growth } else { 1.0 })
            .then(Affine::new([[1.0, lean, 0.0], [0.0, 1.0, 0.0]]))
            .then(Affine::new([[cos, -sin, 0.0], [sin, cos, 0.0]]));
        if linear != Affine::IDENTITY {
            affine = affine.then(linear.around(0.5 * width, 0.5 * height));
        }
        let down = if self.is_picture { down * shift } else { 0.0 };
        let [brightness, contrast, saturation] = [0, 1, 2].map(|at| shares[at] * colour[at]);
        Change {
            affine: affine.then(Affine::moved(right * shift, down)),
            colour: Colour::new(brightness, contrast, saturation).tinted(tints.map(|of| of * tint)),
        }
    }

    /// Writes a sample as it is learned in an epoch.
    ///
    /// # Errors
    /// As [`Samples::fill`].
    ///
    /// # Panics
    /// If it is none of this network's samples.
    pub fn fill(
        &self,
        samples: &Samples,
        sample: usize,
        epoch: usize,
        to: &mut [f32],
    ) -> Result<(), DataError> {
        self.fill_changed(samples, sample, &self.change(epoch, sample), to)
    }

    /// The same with another change than that of its number.
    pub(super) fn fill_changed(
        &self,
        samples: &Samples,
        sample: usize,
        change: &Change,
        to: &mut [f32],
    ) -> Result<(), DataError> {
        self.seen_changed(samples, sample, change, to)?;
        let Some(pre) = samples.pre() else {
            return Ok(());
        };
        let pixels = self.extents.0 * self.extents.1;
        for (channel, plane) in to.chunks_exact_mut(pixels).enumerate() {
            // The number of a value is a line through those of two.
            let [zero, one] = [0.0, 1.0].map(|value| f64::from(pre.number(channel, value)));
            let (slope, start) = ((one - zero) as f32, zero as f32);
            for value in plane {
                *value = *value * slope + start;
            }
        }
        Ok(())
    }

    /// Writes the boxes of a sample as they are in an epoch, rows of a class, centre and size: each is the smallest one around the corners of the moved one, as far as the picture shows it. One of which
    /// less than a quarter is left, or less than a pixel along a side, is none, with a class of −1, and comes behind the others.
    pub fn boxes(&self, boxes: &[f32], sample: usize, epoch: usize, to: &mut Vec<f32>) {
        let Change { affine, .. } = self.change(epoch, sample);
        let (width, height) = (self.extents.0 as f64, self.extents.1 as f64);
        let start = to.len();
        let there = boxes.chunks(BOX).filter(|row| row[0] != -1.0);
        for row in there {
            let [x, y, w, h] = [1, 2, 3, 4].map(|at| f64::from(row[at]));
            let corners = [(-0.5, -0.5), (0.5, -0.5), (-0.5, 0.5), (0.5, 0.5)];
            let corners = corners.map(|(right, down)| {
                affine.point((x + right * w) * width, (y + down * h) * height)
            });
            let along = |of: fn(&(f64, f64)) -> f64, extent: f64| {
                let (least, most) = corners
                    .iter()
                    .map(of)
                    .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), at| {
                        (least.min(at), most.max(at))
                    });
                let shown = (least.clamp(0.0, extent), most.clamp(0.0, extent));
                (shown.0, shown.1 - shown.0, most - least)
            };
            let ((left, wide, whole), (top, tall, all)) =
                (along(|at| at.0, width), along(|at| at.1, height));
            if wide < 1.0 || tall < 1.0 || wide * tall < 0.25 * whole * all {
                continue;
            }
            let seen = [
                (left + wide / 2.0) / width,
                (top + tall / 2.0) / height,
                wide / width,
                tall / height,
            ];
            to.push(row[0]);
            to.extend(seen.map(|at| at as f32));
        }
        to.resize(start + boxes.len(), -1.0);
    }

    /// The same before it is normalised: values of pixels, or of a series.
    ///
    /// # Errors
    /// As [`Samples::fill`].
    pub fn seen(
        &self,
        samples: &Samples,
        sample: usize,
        epoch: usize,
        to: &mut [f32],
    ) -> Result<(), DataError> {
        self.seen_changed(samples, sample, &self.change(epoch, sample), to)
    }

    /// The same with another change than that of its number.
    pub(super) fn seen_changed(
        &self,
        samples: &Samples,
        sample: usize,
        change: &Change,
        to: &mut [f32],
    ) -> Result<(), DataError> {
        let Change { affine, colour } = *change;
        let back = affine.inverse().expect("what is drawn leaves a picture");
        let pixels = self.extents.0 * self.extents.1;
        assert_eq!(to.len(), self.channels * pixels, "a sample of the network");
        let (kept, extents) = (samples.kept(sample)?, self.extents);
        for (channel, plane) in to.chunks_exact_mut(pixels).enumerate() {
            let range = channel * pixels..(channel + 1) * pixels;
            match &kept {
                Kept::Bytes(bytes) => resample(&bytes[range], extents, back, plane, extents.0),
                Kept::Numbers(numbers) => {
                    resample(&numbers[range], extents, back, plane, extents.0);
                }
            }
        }
        if self.is_picture && colour != Colour::SAME {
            colour.apply(to, pixels, self.bgr);
        }
        Ok(())
    }
}
