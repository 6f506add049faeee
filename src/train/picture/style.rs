//! Style transfer: a picture that has the content of one and the style of another.
//!
//! Gatys, Ecker and Bethge 2015, A neural algorithm of artistic style. With F a map of the picture, F' that of the content picture, G and G' the Gram matrices `F Fᵀ / positions`
//! of the picture and of the style picture, and C the map's channels:
//!
//! ```text
//! J(content) = Σ over content layers  w · ½ Σ (F − F')²
//! J(style)   = Σ over style layers    w · Σ (G − G')² / 4C²         Σ w = 1
//! J          = alpha · J(content) + beta · J(style) + variation · Σ (pixel − neighbour)²
//! ```

use super::super::error::TrainError;
use super::super::random::{Purpose, Random};
use super::lbfgs::{Lbfgs, Moved, Point};
use super::options::{By, From, StyleOptions, check, named};
use super::pixels::{Pixels, WHITE};
use super::step::PictureStep;
use super::tensors::{Layer, layers_of};
use crate::{Model, Weights};
use cnnc_compiler::step::{Cost, Method, Optimizer};
use cnnc_runtime::image::Picture;
use std::f64::consts::PI;

/// Adam's shares of its moments that stay. A picture is near its end within a hundred steps, so that it should soon forget how steep it was at first.
const BETAS: [f64; 2] = [0.9, 0.95];
/// Steps that L-BFGS remembers.
const MEMORY: usize = 20;

/// What a picture costs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Costs {
    /// J(content), before it is multiplied by alpha.
    pub content: f64,
    /// J(style), before it is multiplied by beta.
    pub style: f64,
    /// The sum over neighbours.
    pub variation: f64,
    /// J.
    pub total: f64,
}

/// Costs, and the gradient of their sum.
#[derive(Clone, Debug)]
struct Evaluated {
    costs: Costs,
    gradient: Vec<f32>,
}

/// A transfer on its way.
#[derive(Debug)]
pub struct Style {
    step: PictureStep,
    pixels: Pixels,
    options: StyleOptions,
    content: Vec<Layer>,
    style: Vec<Layer>,
    lbfgs: Lbfgs,
    /// Where L-BFGS is.
    point: Option<Point>,
    /// What it has seen there.
    evaluated: Option<Evaluated>,
    steps: usize,
    evaluations: usize,
    costs: Vec<Costs>,
    stuck: bool,
}

impl Style {
    /// Prepares a transfer: compiles the program, and finds out what content and style are to be.
    ///
    /// # Errors
    /// Layers that are not there or are no maps, options that make nothing small, a network without pictures, pictures that are too small, weights that do not fit, too little memory.
    pub fn new(
        model: &Model,
        weights: &Weights,
        content: &Picture,
        style: &Picture,
        options: &StyleOptions,
    ) -> Result<Style, TrainError> {
        check(options)?;
        let pixels = super::tensors::pixels(model)?;
        let usual = layers_of(model);
        let of_content = named(model, &options.content, usual.as_ref().map(|of| &of.0))?;
        let mut of_style = named(model, &options.style, usual.as_ref().map(|of| &of.1))?;
        let all: f64 = of_style.iter().map(|layer| layer.weight).sum();
        of_style.iter_mut().for_each(|layer| layer.weight /= all);
        let (target, extents) = pixels.apply(content, options.size, &options.names[0])?;
        if extents.iter().any(|&extent| extent < 2) {
            return Err(TrainError::Recipe(format!(
                "a picture of {}x{} has no neighbours to compare",
                extents[1], extents[0]
            )));
        }
        let costs = of_content.iter().map(|layer| Cost::Content(layer.value));
        let costs = costs.chain(of_style.iter().map(|layer| Cost::Style(layer.value)));
        let costs: Vec<Cost> = costs.chain([Cost::Columns, Cost::Rows]).collect();
        let optimizer = Optimizer {
            betas: BETAS,
            ..Optimizer::new(Method::Adam)
        };
        let new = |costs: &[Cost], extents| {
            PictureStep::new(model, weights, costs, extents, &optimizer, options.threads)
        };
        let mut step = new(&costs, extents)?;
        step.picture_mut().copy_from_slice(&target);
        let made = step.made()?;
        for (cost, (layer, made)) in of_content.iter().zip(&made).enumerate() {
            step.target_mut(cost).copy_from_slice(made);
            step.weights_mut(cost).fill((0.5 * layer.weight) as f32);
            step.count(cost, options.alpha);
        }
        // The style picture has proportions of its own, which its Gram matrices do not show.
        let (numbers, others) = pixels.apply(style, options.size, &options.names[1])?;
        let first = of_content.len();
        let mut other = new(&costs[first..first + of_style.len()], others)?;
        other.picture_mut().copy_from_slice(&numbers);
        for (index, (layer, made)) in of_style.iter().zip(other.made()?).enumerate() {
            let cost = first + index;
            let channels = step.compared(cost)[0] as f64;
            step.target_mut(cost).copy_from_slice(&made);
            step.weights_mut(cost)
                .fill((layer.weight / (4.0 * channels * channels)) as f32);
            step.count(cost, options.beta);
        }
        let variation = first + of_style.len();
        for cost in [variation, variation + 1] {
            let plane = step.compared(cost)[1..].iter().product::<usize>();
            for (channel, weights) in step.weights_mut(cost).chunks_exact_mut(plane).enumerate() {
                weights.fill(pixels.line(channel).0.powi(-2) as f32);
            }
            step.count(cost, options.variation);
        }
        if options.from == From::Noise {
            let mut random = Random::new(options.seed, Purpose::Picture, &[]);
            let noise = pixels.numbers(target.len(), || WHITE * random.unit());
            step.picture_mut().copy_from_slice(&noise);
        }
        let channels = 0..pixels.channels();
        let ends = channels.map(|channel| pixels.ends(channel).map(f64::from));
        let ends = ends.collect();
        Ok(Style {
            lbfgs: Lbfgs::new(MEMORY, options.rate * pixels.level())
                .within(ends)
                .smooth(extents),
            point: None,
            evaluated: None,
            step,
            pixels,
            options: options.clone(),
            content: of_content,
            style: of_style,
            steps: 0,
            evaluations: 0,
            costs: Vec::new(),
            stuck: false,
        })
    }

    /// One step of all. Returns what the picture cost before it, or `None` if all are taken, or none leads any further.
    ///
    /// # Errors
    /// Costs that are no numbers.
    pub fn step(&mut self) -> Result<Option<Costs>, TrainError> {
        if self.steps == self.options.steps || self.stuck {
            return Ok(None);
        }
        let costs = match self.options.by {
            By::Adam => self.by_adam()?,
            By::Lbfgs => match self.by_lbfgs()? {
                Some(costs) => costs,
                None => return Ok(None),
            },
        };
        self.steps += 1;
        self.costs.push(costs);
        Ok(Some(costs))
    }

    fn by_adam(&mut self) -> Result<Costs, TrainError> {
        let share = self.steps as f64 / self.options.steps as f64;
        let rate = self.options.rate * self.pixels.level() * 0.5 * (1.0 + (PI * share).cos());
        let costs = self.step.step(rate)?;
        self.evaluations += 1;
        self.pixels.clamp(self.step.picture_mut());
        Ok(self.summed(&costs))
    }

    fn by_lbfgs(&mut self) -> Result<Option<Costs>, TrainError> {
        let x = match self.point.take() {
            Some(point) => point.x,
            None => self.step.picture().iter().map(|&x| f64::from(x)).collect(),
        };
        let begun = match self.evaluated.take() {
            Some(evaluated) => evaluated,
            None => self.evaluate(&x)?,
        };
        let mut point = Point {
            value: begun.costs.total,
            gradient: begun.gradient.iter().map(|&g| f64::from(g)).collect(),
            x,
        };
        let mut all: Vec<Evaluated> = Vec::new();
        let mut lbfgs = std::mem::replace(&mut self.lbfgs, Lbfgs::new(0, 1.0));
        let moved = lbfgs.step(&mut point, |x| {
            let evaluated = self.evaluate(x)?;
            let gradient = evaluated.gradient.iter().map(|&g| f64::from(g)).collect();
            let value = evaluated.costs.total;
            all.push(evaluated);
            Ok::<_, TrainError>((value, gradient))
        })?;
        self.lbfgs = lbfgs;
        self.place(&point.x);
        let Moved::Down(taken) = moved else {
            self.stuck = true;
            return Ok(None);
        };
        self.evaluated = all.into_iter().nth(taken);
        self.point = Some(point);
        Ok(Some(begun.costs))
    }

    /// Puts the picture to a place, or the nearest that can be shown.
    fn place(&mut self, x: &[f64]) {
        let picture = self.step.picture_mut().iter_mut();
        picture.zip(x).for_each(|(to, &x)| *to = x as f32);
        self.pixels.clamp(self.step.picture_mut());
    }

    /// What the picture costs at a place, and the gradient there.
    fn evaluate(&mut self, x: &[f64]) -> Result<Evaluated, TrainError> {
        self.place(x);
        self.evaluations += 1;
        let (costs, gradient) = self.step.gradient()?;
        let gradient = gradient.to_vec();
        let costs = self.summed(&costs);
        Ok(Evaluated { costs, gradient })
    }

    /// What the picture costs as it is now.
    ///
    /// # Errors
    /// Costs that are no numbers.
    pub fn last(&mut self) -> Result<Costs, TrainError> {
        let costs = self.step.gradient()?.0;
        Ok(self.summed(&costs))
    }

    fn summed(&self, costs: &[f64]) -> Costs {
        let (content, rest) = costs.split_at(self.content.len());
        let (style, variation) = rest.split_at(self.style.len());
        let [content, style, variation] =
            [content, style, variation].map(|of| of.iter().sum::<f64>());
        let StyleOptions {
            alpha,
            beta,
            variation: tv,
            ..
        } = self.options;
        Costs {
            content,
            style,
            variation,
            total: alpha * content + beta * style + tv * variation,
        }
    }

    /// The picture as it is now, rounded to levels.
    pub fn picture(&self) -> Picture {
        self.pixels
            .picture(self.step.picture(), self.step.extents())
    }

    /// What the picture cost before each step so far.
    pub fn costs(&self) -> &[Costs] {
        &self.costs
    }

    /// How often costs and gradient were computed.
    pub fn evaluations(&self) -> usize {
        self.evaluations
    }

    /// Layers of the content, with what each weighs.
    pub fn content(&self) -> impl Iterator<Item = (&str, f64)> {
        self.content
            .iter()
            .map(|layer| (&*layer.label, layer.weight))
    }

    /// Layers of the style, with what each weighs of all.
    pub fn style(&self) -> impl Iterator<Item = (&str, f64)> {
        self.style.iter().map(|layer| (&*layer.label, layer.weight))
    }

    /// Height and width of the picture.
    pub fn extents(&self) -> [usize; 2] {
        self.step.extents()
    }

    /// Bytes of tensors and picture, and of activations and gradients.
    pub fn bytes(&self) -> (usize, usize) {
        self.step.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::super::pixels::Size;
    use super::*;

    const SIDE: usize = 6;

    fn picture(seed: usize) -> Picture {
        let rgb =
            (0..3 * SIDE * SIDE).map(|at| ((at * at * 7 + seed * at * 31 + 11 * seed) % 256) as u8);
        Picture::from_rgb(SIDE, SIDE, rgb.collect()).unwrap()
    }

    /// The formulas, written out, of a network whose map is the picture in levels of 1/255.
    #[test]
    fn costs_are_those_of_the_formulas() {
        let model = crate::compile_str(
            "same",
            "cnn 1; model Same { input x: 3x6x6 { normalize unit }; a: conv 1x1 3 bias off weight [[[[1]], [[0]], [[0]]], [[[0]], [[1]], [[0]]], [[[0]], [[0]], [[1]]]] }",
        )
        .unwrap();
        let options = StyleOptions {
            content: vec![("a".to_owned(), 2.0)],
            style: vec![("a".to_owned(), 3.0)],
            variation: 0.5,
            size: Size::Exactly(SIDE, SIDE),
            ..StyleOptions::default()
        };
        let (content, style) = (picture(1), picture(2));
        let mut transfer =
            Style::new(&model, &Weights::synthetic(), &content, &style, &options).unwrap();
        for _ in 0..3 {
            transfer.step().unwrap();
        }
        let found = transfer.last().unwrap();
        let planes = |picture: &Picture| -> Vec<f64> {
            let at = |c: usize, p: usize| f64::from(picture.rgb()[3 * p + c]) / 255.0;
            (0..3)
                .flat_map(|c| (0..SIDE * SIDE).map(move |p| (c, p)))
                .map(|(c, p)| at(c, p))
                .collect()
        };
        let now: Vec<f64> = transfer
            .step
            .picture()
            .iter()
            .map(|&x| f64::from(x))
            .collect();
        let squares =
            |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
        let gram = |x: &[f64]| -> Vec<f64> {
            let pixels = SIDE * SIDE;
            let pairs = (0..9).map(|pair| {
                let (a, b) = (
                    &x[pair / 3 * pixels..][..pixels],
                    &x[pair % 3 * pixels..][..pixels],
                );
                a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / pixels as f64
            });
            pairs.collect()
        };
        let mut variation = 0.0;
        for plane in now.chunks(SIDE * SIDE) {
            let at = |y: usize, x: usize| 255.0 * plane[y * SIDE + x];
            for (y, x) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (y, x))) {
                variation += if x + 1 < SIDE {
                    (at(y, x + 1) - at(y, x)).powi(2)
                } else {
                    0.0
                };
                variation += if y + 1 < SIDE {
                    (at(y + 1, x) - at(y, x)).powi(2)
                } else {
                    0.0
                };
            }
        }
        let want = Costs {
            content: 2.0 * 0.5 * squares(&now, &planes(&content)),
            // The weights of the style are scaled to a sum of 1.
            style: squares(&gram(&now), &gram(&planes(&style))) / 36.0,
            variation,
            total: 0.0,
        };
        let total = want.content + 1000.0 * want.style + 0.5 * want.variation;
        // Sums of f32 numbers, a few hundred of them: 1e-5 is far above their rounding.
        for (found, want) in [
            (found.content, want.content),
            (found.style, want.style),
            (found.variation, want.variation),
            (found.total, total),
        ] {
            assert!((found - want).abs() <= 1e-5 * want, "{found} {want}");
        }
        assert!(found.total < transfer.costs()[0].total);
    }
}
