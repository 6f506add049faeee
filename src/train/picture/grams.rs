//! Gram matrices of two pictures beside one another, and how far the styles are apart.

use super::super::error::TrainError;
use super::super::sheet::{Anchor, Sheet};
use super::pixels::Size;
use super::step::PictureStep;
use super::tensors::{Layer, layers_of, map, pixels};
use crate::ramp::ramp;
use crate::{Model, Weights};
use cnnc_compiler::step::{Cost, Method, Optimizer};
use cnnc_runtime::answer::Colour;
use cnnc_runtime::image::Picture;

/// Pixels of a matrix on the sheet.
const SIDE: usize = 256;
const GAP: f64 = 16.0;
const HEAD: f64 = 62.0;
const NAME: f64 = 22.0;
const BLACK: Colour = [0; 3];
const GREY: Colour = [0x55; 3];

/// The Gram matrices of a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// The layer's label.
    pub label: String,
    /// Its channels.
    pub channels: usize,
    /// The matrix of each picture, row by row, divided by the map's positions.
    pub grams: [Vec<f32>; 2],
}

impl Compared {
    /// `Σ (G − G')² / 4C²`: what the layer adds to the style's cost (Gatys et al. 2015, eq. 4).
    pub fn distance(&self) -> f64 {
        let [a, b] = &self.grams;
        let squares = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2));
        squares.sum::<f64>() / (4.0 * (self.channels as f64).powi(2))
    }

    /// The same with matrices of length 1: `‖G/‖G‖ − G'/‖G'‖‖²`, from 0 (alike but for brightness) to 2, which can be compared between layers.
    pub fn apart(&self) -> f64 {
        let [a, b] = &self.grams;
        let dot = |a: &[f32], b: &[f32]| {
            a.iter()
                .zip(b)
                .map(|(a, b)| f64::from(*a) * f64::from(*b))
                .sum::<f64>()
        };
        let lengths = (dot(a, a) * dot(b, b)).sqrt();
        if lengths == 0.0 {
            0.0
        } else {
            2.0 - 2.0 * dot(a, b) / lengths
        }
    }
}

/// The styles of two pictures.
#[derive(Clone, Debug, PartialEq)]
pub struct Grams {
    /// Layer by layer.
    pub layers: Vec<Compared>,
}

impl Grams {
    /// The Gram matrices of two pictures in these layers, or in the usual ones.
    ///
    /// # Errors
    /// As [`Style::new`](super::Style::new).
    pub fn of(
        model: &Model,
        weights: &Weights,
        pictures: [&Picture; 2],
        labels: &[String],
        size: Size,
        threads: usize,
    ) -> Result<Grams, TrainError> {
        let pixels = pixels(model)?;
        let layers: Vec<Layer> = match labels {
            [] => layers_of(model).map(|(_, style)| style).unwrap_or_default(),
            _ => {
                let layers = labels.iter().map(|label| {
                    let (label, weight) = (label.clone(), 1.0);
                    Ok::<_, TrainError>(Layer {
                        value: map(model, &label)?,
                        label,
                        weight,
                    })
                });
                layers.collect::<Result<_, _>>()?
            }
        };
        let costs: Vec<Cost> = layers
            .iter()
            .map(|layer| Cost::Style(layer.value))
            .collect();
        if costs.is_empty() {
            return Err(TrainError::Recipe(
                "nothing says which layers are compared: name them".to_owned(),
            ));
        }
        let optimizer = Optimizer::new(Method::Adam);
        let of = |picture: &Picture, name: &str| {
            let (numbers, extents) = pixels.apply(picture, size, name)?;
            let mut step = PictureStep::new(model, weights, &costs, extents, &optimizer, threads)?;
            step.picture_mut().copy_from_slice(&numbers);
            step.made()
        };
        let (first, second) = (
            of(pictures[0], "the first picture")?,
            of(pictures[1], "the second picture")?,
        );
        let layers = layers.into_iter().zip(first.into_iter().zip(second));
        let layers = layers.map(|(layer, (a, b))| Compared {
            channels: (a.len() as f64).sqrt() as usize,
            label: layer.label,
            grams: [a, b],
        });
        Ok(Grams {
            layers: layers.collect(),
        })
    }

    /// The style's cost of one picture where the other is the style: the mean of the layers' distances.
    pub fn distance(&self) -> f64 {
        let sum: f64 = self.layers.iter().map(Compared::distance).sum();
        sum / self.layers.len() as f64
    }

    /// A row for each layer: both matrices, and where they differ (blue: the first is larger, red: the second). Each row has a scale of its own, of square roots, since the diagonal is far above the rest.
    pub fn sheet(&self, names: [&str; 2]) -> Sheet {
        let (wide, high) = (SIDE as f64 + GAP, SIDE as f64 + GAP + NAME);
        let mut sheet = Sheet::new(3.0 * wide + GAP, HEAD + high * self.layers.len() as f64);
        let title = format!("Gram matrices: style distance {:.4e}", self.distance());
        sheet.text((GAP, 24.0), Anchor::Start, title, BLACK);
        for (column, name) in [names[0], names[1], "which is larger"]
            .into_iter()
            .enumerate()
        {
            let name = super::super::contact::cut(name, SIDE / 9);
            sheet.text(
                (GAP + wide * column as f64, 48.0),
                Anchor::Start,
                name,
                GREY,
            );
        }
        for (row, layer) in self.layers.iter().enumerate() {
            let top = HEAD + high * row as f64;
            let text = format!(
                "{} ({}x{}): {:.4e}, directions apart {:.3}",
                layer.label,
                layer.channels,
                layer.channels,
                layer.distance(),
                layer.apart()
            );
            sheet.text((GAP, top + 10.0), Anchor::Start, text, BLACK);
            let [a, b] = &layer.grams;
            let most = a
                .iter()
                .chain(b)
                .fold(f32::MIN_POSITIVE, |most, x| most.max(x.abs()));
            let root = |x: f32| (x.abs() / most).sqrt().copysign(x);
            let apart: Vec<f32> = a.iter().zip(b).map(|(a, b)| b - a).collect();
            let largest = apart
                .iter()
                .fold(f32::MIN_POSITIVE, |most, x| most.max(x.abs()));
            let signed = |x: f32| (x.abs() / largest).sqrt().copysign(x);
            let pictures = [
                seen(a, layer.channels, |x| ramp(root(x))),
                seen(b, layer.channels, |x| ramp(root(x))),
                seen(&apart, layer.channels, |x| side(signed(x))),
            ];
            for (column, picture) in pictures.into_iter().enumerate() {
                sheet.picture((GAP + wide * column as f64, top + NAME), picture);
            }
        }
        sheet
    }
}

/// A matrix as a square picture, by the nearest element.
fn seen(matrix: &[f32], channels: usize, colour: impl Fn(f32) -> Colour) -> Picture {
    let at = |pixel: usize| pixel * channels / SIDE;
    let pixels = (0..SIDE * SIDE)
        .flat_map(|pixel| colour(matrix[at(pixel / SIDE) * channels + at(pixel % SIDE)]));
    Picture::from_rgb(SIDE, SIDE, pixels.collect()).expect("a square")
}

/// Blue for −1, white for 0, red for 1.
fn side(share: f32) -> Colour {
    let full: [f32; 3] = if share < 0.0 {
        [31.0, 80.0, 180.0]
    } else {
        [190.0, 40.0, 30.0]
    };
    let share = share.abs().min(1.0);
    full.map(|full| (250.0 + (full - 250.0) * share).round() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_formula() {
        let layer = Compared {
            label: "a".to_owned(),
            channels: 2,
            grams: [vec![1.0, 2.0, 2.0, 5.0], vec![2.0, 2.0, 2.0, 3.0]],
        };
        // (1 + 0 + 0 + 4) / (4 · 4)
        assert_eq!(layer.distance(), 5.0 / 16.0);
        // cos = (2 + 4 + 4 + 15) / √(34 · 21)
        let cosine = 25.0 / (34.0_f64 * 21.0).sqrt();
        assert!((layer.apart() - (2.0 - 2.0 * cosine)).abs() < 1e-12);
        let same = Compared {
            grams: [vec![3.0; 4], vec![3.0; 4]],
            ..layer
        };
        assert_eq!((same.distance(), same.apart()), (0.0, 0.0));
        let sheet = Grams { layers: vec![same] }.sheet(["one", "two"]);
        assert!(sheet.to_picture().is_some());
    }
}
