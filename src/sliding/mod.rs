//! Windows that slide: a classifier of small pictures says of every window of a larger one what it shows, at several scales, and what windows agree on becomes boxes.
//!
//! ```text
//!     picture ──resize──▶ 0.45 ──one pass──▶ WindowMap ─┐
//!             ──resize──▶ 0.30 ──one pass──▶ WindowMap ─┼─boxes──▶ Detection …
//!             ──resize──▶ 0.20 ──one pass──▶ WindowMap ─┘ └─heat──▶ Picture
//! ```
//!
//! One size of windows on a pyramid of pictures is several sizes of windows on one (P. Sermanet et al., "OverFeat", 2013). Where a network slides ([`Model::slide`]), a map is one pass; a picture too large for the memory that
//! a pass may take goes in tiles that overlap, with the same answers. A network that pads inside gets its windows cut out one by one.
//!
//! ```
//! use cnnc::rt::image::Picture;
//! use cnnc::sliding::{Finding, Sliding, boxes};
//! use cnnc::{Options, Weights};
//! let model = cnnc::compile_str(
//!     "tiny",
//!     "cnn 1; model Tiny { input x: 3x8x8; conv 3x3 4 /2 relu; flatten; dense 2; head classify { labels [\"background\", \"cell\"] } }",
//! )?;
//! let weights = Weights::synthetic();
//! let mut sliding = Sliding::new(&model, &weights, &Options::new())?;
//! let picture = Picture::from_rgb(40, 30, vec![90; 3600]).expect("3 bytes a pixel");
//! let maps = sliding.maps(&picture, &[1.0, 0.5], "grey")?;
//! assert_eq!((maps[0].positions, maps[1].positions), ([12, 17], [4, 7]));
//! let finding = Finding { background: Some(0), ..Finding::default() };
//! assert!(boxes(&maps, &finding).iter().all(|found| found.class == 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod found;
mod heat;
mod map;
mod tiles;

pub use error::SlidingError;
pub use found::{BACKGROUND, Finding, background, boxes};
pub use heat::heat;
pub use map::WindowMap;

use crate::{Error, Model, Network, Options, Weights};
use cnnc_compiler::slide::SlideError;
use cnnc_runtime::answer::Task;
use cnnc_runtime::image::{Filter, Picture, PreProcess};
use std::time::{Duration, Instant};
use tiles::{Tile, parts};

/// Bytes that one pass may take, where nothing else is said.
pub const MEMORY: usize = 256 << 20;
/// Most numbers of the answers at one scale: a GiB of them.
const MOST: usize = 1 << 28;
/// Windows that are cut out and answered at once.
const BATCH: usize = 32;
/// Most tiles whose networks are kept.
const KEPT: usize = 16;

/// A classifier whose windows slide over pictures of any size.
pub struct Sliding<'a> {
    model: &'a Model,
    weights: &'a Weights,
    options: Options,
    memory: usize,
    pre: PreProcess,
    window: [usize; 2],
    stride: [usize; 2],
    classes: usize,
    /// Why windows are cut out one by one, if they are.
    refused: Option<SlideError>,
    /// Networks for pictures of so many windows.
    tiles: Vec<Tile>,
    /// The network for windows that are cut out.
    alone: Option<Network>,
}

impl<'a> Sliding<'a> {
    /// A network with its weights; the batch of the options is not looked at.
    ///
    /// # Errors
    /// A network that is no classifier of pictures, or whose windows have no answer of one class each.
    pub fn new(
        model: &'a Model,
        weights: &'a Weights,
        options: &Options,
    ) -> Result<Sliding<'a>, SlidingError> {
        let graph = model.graph();
        let refuse = |why: &str| SlidingError::Network(graph.name.clone(), why.to_owned());
        if !matches!(model.head().task, Task::Classify(_)) {
            return Err(refuse("has no `head classify`, so windows have no classes"));
        }
        let [input] = &graph.inputs[..] else {
            return Err(refuse("has several inputs"));
        };
        let pre = input.pre.as_ref();
        let pre = pre.ok_or_else(|| refuse("does not take pictures"))?;
        let output = graph.outputs.iter().find(|of| of.name == "probabilities");
        let shape = output.map(|of| &graph.values[of.value].shape);
        let classes = shape.filter(|shape| shape.elements() == shape.channels());
        let classes = classes.ok_or_else(|| refuse("has more than one answer for a window"))?;
        let (classes, window) = (classes.channels(), [pre.height, pre.width]);
        let (stride, refused) = match model.slide(&window) {
            Ok(slid) => ([slid.stride[0], slid.stride[1]], None),
            Err(Error::Slide(error @ SlideError::Fixed { .. })) => {
                (window.map(|side| (side / 4).max(1)), Some(error))
            }
            Err(error) => return Err(error.into()),
        };
        Ok(Sliding {
            model,
            weights,
            options: options.clone().batch(1),
            memory: MEMORY,
            pre: PreProcess {
                steps: Vec::new().into(),
                ..pre.clone()
            },
            window,
            stride,
            classes,
            refused,
            tiles: Vec::new(),
            alone: None,
        })
    }

    /// With so many bytes for a pass at most (as far as one window takes no more), instead of [`MEMORY`].
    pub fn within(mut self, memory: usize) -> Sliding<'a> {
        self.memory = memory;
        self
    }

    /// With windows so many pixels apart, where they are cut out one by one; otherwise a quarter of a window.
    ///
    /// # Errors
    /// A network that slides, whose windows are as far apart as its strides say, and windows that are not apart.
    pub fn apart(mut self, stride: usize) -> Result<Sliding<'a>, SlidingError> {
        if self.refused.is_none() || stride == 0 {
            return Err(SlidingError::Stride(self.stride));
        }
        self.stride = [stride; 2];
        Ok(self)
    }

    /// Why windows are cut out one by one: the layer that depends on where a window ends. `None` where a map is one pass.
    pub fn refused(&self) -> Option<&SlideError> {
        self.refused.as_ref()
    }

    /// Classes of a window's answer.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Rows and columns of a window.
    pub fn window(&self) -> [usize; 2] {
        self.window
    }

    /// From one window to the next, in pixels: down and along.
    pub fn stride(&self) -> [usize; 2] {
        self.stride
    }

    /// The answers at each of these scales; `name` is what messages call the picture.
    ///
    /// # Errors
    /// As [`Sliding::map`], before anything is computed where a scale makes the picture smaller than a window.
    pub fn maps(
        &mut self,
        picture: &Picture,
        scales: &[f64],
        name: &str,
    ) -> Result<Vec<WindowMap>, SlidingError> {
        self.check((picture.width(), picture.height()), scales, name)?;
        let maps = scales.iter().map(|&scale| self.map(picture, scale, name));
        maps.collect()
    }

    /// Holds columns and rows of a picture against all of these scales, before anything is computed.
    ///
    /// # Errors
    /// A scale that makes it smaller than a window, or leaves more windows than memory has room for.
    pub fn check(
        &self,
        size: (usize, usize),
        scales: &[f64],
        name: &str,
    ) -> Result<(), SlidingError> {
        for &scale in scales {
            self.size(size, scale, name)?;
        }
        Ok(())
    }

    /// The answers to all windows of a picture that is resized by a factor.
    ///
    /// # Errors
    /// A picture that is smaller than a window, or too large, weights that do not fit, or too little memory.
    pub fn map(
        &mut self,
        picture: &Picture,
        scale: f64,
        name: &str,
    ) -> Result<WindowMap, SlidingError> {
        let scaled = self.scaled(picture, scale, name)?;
        let mut map = self.empty(picture, &scaled, scale);
        let count = map.windows();
        match self.refused {
            Some(_) => {
                let all: Vec<usize> = (0..count).collect();
                let start = Instant::now();
                self.cut_out(&scaled, &mut map, &all, name)?;
                map.time = start.elapsed();
                map.macs = map.macs_alone;
            }
            None => self.pass(&scaled, &mut map, name)?,
        }
        Ok(map)
    }

    /// How long it takes to cut windows out of a picture and to answer each by itself: of so many windows at most, evenly spread, and how many these were.
    ///
    /// # Errors
    /// As [`Sliding::map`].
    pub fn time_alone(
        &mut self,
        picture: &Picture,
        scale: f64,
        most: usize,
        name: &str,
    ) -> Result<(usize, Duration), SlidingError> {
        let scaled = self.scaled(picture, scale, name)?;
        let mut map = self.empty(picture, &scaled, scale);
        let count = map.windows();
        let some = most.clamp(1, count);
        let chosen: Vec<usize> = (0..some).map(|at| at * count / some).collect();
        // What is compiled, and cold, is not measured.
        self.cut_out(&scaled, &mut map, &chosen[..1], name)?;
        let start = Instant::now();
        self.cut_out(&scaled, &mut map, &chosen, name)?;
        Ok((some, start.elapsed()))
    }

    /// Columns and rows of the picture at a scale.
    fn size(
        &self,
        (width, height): (usize, usize),
        scale: f64,
        name: &str,
    ) -> Result<(usize, usize), SlidingError> {
        let side = |side: usize| (side as f64 * scale).round().clamp(1.0, 1e9) as usize;
        let (width, height) = (side(width), side(height));
        if height < self.window[0] || width < self.window[1] {
            return Err(SlidingError::TooSmall {
                name: name.to_owned(),
                size: (width, height),
                scale,
                window: (self.window[1], self.window[0]),
            });
        }
        let [down, along] = self.positions([height, width]);
        let windows = down.saturating_mul(along);
        if windows.saturating_mul(self.classes) > MOST {
            return Err(SlidingError::TooMany {
                name: name.to_owned(),
                scale,
                windows,
                classes: self.classes,
            });
        }
        Ok((width, height))
    }

    fn scaled(&self, picture: &Picture, scale: f64, name: &str) -> Result<Picture, SlidingError> {
        let (width, height) = self.size((picture.width(), picture.height()), scale, name)?;
        let scaled = picture.resized(width, height, Filter::Antialias);
        Ok(scaled.map_err(|problem| problem.of(name))?)
    }

    /// How many windows there are in so many rows and columns, down and along.
    fn positions(&self, extents: [usize; 2]) -> [usize; 2] {
        [0, 1].map(|axis| (extents[axis] - self.window[axis]) / self.stride[axis] + 1)
    }

    /// The map of a picture that has been scaled, without answers.
    fn empty(&self, picture: &Picture, scaled: &Picture, scale: f64) -> WindowMap {
        let extents = [scaled.height(), scaled.width()];
        let positions = self.positions(extents);
        let windows = positions[0] * positions[1];
        WindowMap {
            scale,
            picture: [picture.height(), picture.width()],
            scaled: extents,
            window: self.window,
            stride: self.stride,
            positions,
            classes: self.classes,
            probabilities: vec![0.0; self.classes * windows],
            passes: 0,
            bytes: 0,
            macs: 0,
            macs_alone: self.model.graph().macs().saturating_mul(windows as u64),
            time: Duration::ZERO,
            not_finite: Vec::new(),
        }
    }

    /// Fills a map by passes over tiles.
    fn pass(
        &mut self,
        scaled: &Picture,
        map: &mut WindowMap,
        name: &str,
    ) -> Result<(), SlidingError> {
        let tile = self.tile(map.positions)?;
        let start = Instant::now();
        let mut session = tile.network.session()?;
        let ranges = [0, 1].map(|axis| parts(map.positions[axis], tile.windows[axis]));
        for row in &ranges[0] {
            for column in &ranges[1] {
                let at = [row * map.stride[0], column * map.stride[1]];
                let part = cut(scaled, at, tile.pre.height, tile.pre.width, name)?;
                let tensor = tile.pre.apply(part.as_ref().unwrap_or(scaled), name)?;
                let outputs = session.run(&[&tensor])?;
                if let Some(found) = outputs.get("probabilities") {
                    map.put(found.data, [*row, *column], tile.windows);
                }
                if map.not_finite.is_empty() {
                    map.not_finite = tile.network.not_finite(&[&tensor], &outputs)?;
                }
                map.passes += 1;
                map.macs += tile.macs;
            }
        }
        map.bytes = tile.bytes;
        map.time = start.elapsed();
        Ok(())
    }

    /// The network for the largest part of so many windows that memory has room for.
    fn tile(&mut self, positions: [usize; 2]) -> Result<&Tile, SlidingError> {
        if let Some(at) = self.tiles.iter().position(|tile| tile.of == positions) {
            return Ok(&self.tiles[at]);
        }
        let mut windows = positions;
        loop {
            let extents =
                [0, 1].map(|axis| (windows[axis] - 1) * self.stride[axis] + self.window[axis]);
            let slid = match self.model.slide(&extents) {
                Ok(slid) => Some(slid),
                // What is too large for a tensor is for memory, too.
                Err(_) if windows != [1, 1] => None,
                Err(error) => return Err(error.into()),
            };
            if let Some(slid) = slid {
                let lowered = slid.model.lower(&self.options)?;
                let bytes =
                    cnnc_runtime::session::session_bytes_on(&lowered.plan, self.options.threads);
                if bytes <= self.memory || windows == [1, 1] {
                    let network = slid.model.jit(self.weights, &self.options)?;
                    self.tiles.truncate(KEPT - 1);
                    self.tiles.insert(
                        0,
                        Tile {
                            of: positions,
                            windows,
                            pre: PreProcess {
                                height: extents[0],
                                width: extents[1],
                                ..self.pre.clone()
                            },
                            macs: slid.model.graph().macs(),
                            bytes,
                            network,
                        },
                    );
                    return Ok(&self.tiles[0]);
                }
            }
            // Bands first, as wide as the picture.
            let axis = usize::from(windows[0] == 1);
            windows[axis] = windows[axis].div_ceil(2);
        }
    }

    /// Answers these windows one by one.
    fn cut_out(
        &mut self,
        scaled: &Picture,
        map: &mut WindowMap,
        windows: &[usize],
        name: &str,
    ) -> Result<(), SlidingError> {
        let network = match &self.alone {
            Some(network) => network.clone(),
            None => {
                let options = self.options.clone().batch(BATCH);
                let network = self.model.jit(self.weights, &options)?;
                self.alone.insert(network).clone()
            }
        };
        let mut session = network.session()?;
        let [rows, columns] = self.window;
        for part in windows.chunks(BATCH) {
            let mut tensor = Vec::with_capacity(part.len() * self.pre.elements());
            for &window in part {
                let place = [window / map.positions[1], window % map.positions[1]];
                let at = [0, 1].map(|axis| place[axis] * map.stride[axis]);
                let cut = cut(scaled, at, rows, columns, name)?;
                tensor.extend(self.pre.apply(cut.as_ref().unwrap_or(scaled), name)?);
            }
            let outputs = session.run(&[&tensor])?;
            for (index, &window) in part.iter().enumerate() {
                let place = [window / map.positions[1], window % map.positions[1]];
                if let Some(found) = outputs.image(index).get("probabilities") {
                    map.put(found.data, place, [1, 1]);
                }
            }
            if map.not_finite.is_empty() {
                map.not_finite = network.not_finite(&[&tensor], &outputs)?;
            }
        }
        Ok(())
    }
}

/// A part of a picture; `None` where it is all of it.
fn cut(
    picture: &Picture,
    [top, left]: [usize; 2],
    height: usize,
    width: usize,
    name: &str,
) -> Result<Option<Picture>, SlidingError> {
    if (width, height) == (picture.width(), picture.height()) {
        return Ok(None);
    }
    let part = picture.placed((width, height), (-(left as i64), -(top as i64)), [0; 3]);
    Ok(Some(part.map_err(|problem| problem.of(name))?))
}

#[cfg(test)]
impl WindowMap {
    /// What two classes are of a picture of 80x80 at a scale, by so many windows a side, half of one apart.
    fn made(scale: f64, window: usize, positions: usize, probabilities: Vec<f32>) -> WindowMap {
        let scaled = (80.0 * scale) as usize;
        WindowMap {
            scale,
            picture: [80, 80],
            scaled: [scaled; 2],
            window: [window; 2],
            stride: [window / 2; 2],
            positions: [positions; 2],
            classes: 2,
            probabilities,
            passes: 1,
            bytes: 1,
            macs: 1,
            macs_alone: 1,
            time: Duration::ZERO,
            not_finite: Vec::new(),
        }
    }
}
