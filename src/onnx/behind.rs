//! What lies behind the maps of a detector, as a network of its own that is fed with numbers and held against heads.

use super::net::{Id, Net, Op, Value};
use super::spec::{self, Frame};
use super::statement::statements;
use super::weights;
use super::word::Defaults;
use crate::{Options, Weights};
use cnnc_runtime::answer::{Dfl, Labels, MOST_BINS, Map, Overlap, Select, Task, Tensor, Yolo3};
use std::collections::HashMap;

/// Most multiply-adds of what lies behind the maps: a detector's are a few millions.
const MOST_MACS: u64 = 1 << 30;

/// Channels of boxes in front of those of classes: `x y w h`, and the objectness where there are anchors.
pub(super) const BOX: usize = 4;

/// Cells of all maps.
pub(super) fn cells(maps: &[&[usize]]) -> usize {
    maps.iter()
        .map(|dims| dims[1..].iter().product::<usize>())
        .sum()
}

/// Classes and bins, if a table of these extents may hold boxes by distances: columns of `x y w h` and classes.
pub(super) fn distances(maps: &[&[usize]], [rows, columns]: [usize; 2]) -> Option<(usize, usize)> {
    let classes = rows.checked_sub(BOX).filter(|&classes| classes > 0)?;
    let sides = maps[0][0].checked_sub(classes)?;
    let most = BOX * MOST_BINS;
    let fits = columns == cells(maps) && (1..=most).contains(&sides) && sides.is_multiple_of(BOX);
    fits.then_some((classes, sides / BOX))
}

/// Classes and anchors of each map, if a table of these extents may hold boxes by anchors: rows of `x y w h`, objectness and classes.
pub(super) fn anchors(maps: &[&[usize]], [rows, columns]: [usize; 2]) -> Option<(usize, usize)> {
    let classes = columns.checked_sub(BOX + 1)?;
    let each = maps[0][0] / columns;
    let fits = maps[0][0].is_multiple_of(columns) && each > 0 && rows == each * cells(maps);
    fits.then_some((classes, each))
}

/// What lies behind the maps, as a network of its own.
pub(super) struct Behind {
    network: crate::Network,
    maps: Vec<[usize; 3]>,
    /// How many of the maps, the first, have boxes.
    own: usize,
    /// Width and height of the whole network's input.
    size: (f32, f32),
}

impl Behind {
    pub fn new(
        net: &Net,
        table: Id,
        [boxes, others]: [&[Id]; 2],
        layers: &[Id],
        size: (f32, f32),
    ) -> Option<Behind> {
        let maps = [boxes, others].concat();
        let mut own = Net::default();
        let mut ids: HashMap<Id, Id> = HashMap::new();
        let mut inputs = Vec::new();
        for (at, &map) in maps.iter().enumerate() {
            let id = own.input(net.dims(map).to_vec());
            ids.insert(map, id);
            inputs.push((id, format!("x{at}")));
        }
        for &id in layers {
            let Value { dims, layer } = net.values[id].clone();
            let mut layer = layer?;
            for operand in &mut layer.operands {
                // A constant stands beside any tensor.
                *operand = match layer.op {
                    Op::Constant => 0,
                    _ => *ids.get(operand)?,
                };
            }
            ids.insert(id, own.values.len());
            own.values.push(Value {
                dims,
                layer: Some(layer),
            });
        }
        let outputs = [*ids.get(&table)?];
        let order = spec::order(&own, &outputs);
        let defaults = Defaults::of(&own, &order);
        let body = statements(&own, &order, &inputs, &outputs, &[], defaults, true);
        let name = "Tail";
        let frame = Frame {
            name,
            doc: "",
            inputs: inputs
                .iter()
                .map(|(id, name)| (name.clone(), own.dims(*id).to_vec(), String::new()))
                .collect(),
            ids: inputs.iter().map(|(id, _)| *id).collect(),
            defaults,
            taps: Vec::new(),
            head: None,
        };
        let model = crate::compile_str("tail.cnn", &spec::write(&frame, &body)).ok()?;
        if model.graph().macs() > MOST_MACS {
            return None;
        }
        let weights = weights::weights(&own, &order, &model, name).ok()?;
        let weights = Weights::from_bytes(weights).ok()?;
        let extents = |&map: &Id| net.dims(map).try_into().ok();
        Some(Behind {
            network: model.jit(&weights, &Options::new()).ok()?,
            maps: maps.iter().map(extents).collect::<Option<_>>()?,
            own: boxes.len(),
            size,
        })
    }

    /// What comes of maps.
    fn run(&self, maps: &[Vec<f32>]) -> Option<Vec<f32>> {
        let mut session = self.network.session().ok()?;
        let inputs: Vec<&dyn crate::Input> =
            maps.iter().map(|map| map as &dyn crate::Input).collect();
        let outputs = session.run(&inputs).ok()?;
        Some(outputs.raw().to_vec())
    }

    /// Maps of numbers that are within `reach` of 0, the same every time.
    fn numbers(&self, reach: f32) -> Vec<Vec<f32>> {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 8) as f32 / (1 << 23) as f32 - 1.0) * reach
        };
        let counts = self.maps.iter().map(|dims| dims.iter().product());
        let mut fill = |count: usize| (0..count).map(|_| next()).collect();
        counts.map(&mut fill).collect()
    }

    fn dims(&self) -> Vec<&[usize]> {
        let own = self.maps[..self.own].iter();
        own.map(|dims| &dims[..]).collect()
    }

    /// Whether the head makes the same of usual numbers, and of those that something between may have cut off.
    fn is(&self, task: &Task, turned: bool) -> Option<bool> {
        Some(self.is_within(task, turned, 4.0)? && self.is_within(task, turned, 40.0)?)
    }

    fn is_within(&self, task: &Task, turned: bool, reach: f32) -> Option<bool> {
        let maps = self.numbers(reach);
        let mut found = self.run(&maps)?;
        if turned {
            found = turn(&found, cells(&self.dims()));
        }
        let seen: Vec<Vec<f32>> = match task {
            Task::Yolo3(yolo) if yolo.squared => {
                let logistic = |value: &f32| 1.0 / (1.0 + (-value).exp());
                maps.iter()
                    .map(|map| map.iter().map(logistic).collect())
                    .collect()
            }
            _ => maps,
        };
        let tensors: Vec<Tensor<'_>> = self
            .maps
            .iter()
            .zip(&seen)
            .take(self.own)
            .map(|(dims, map)| Tensor {
                name: "",
                shape: dims,
                data: map,
            })
            .collect();
        let wanted = table(task, &tensors, self.size)?;
        let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-3 + 1e-5 * b.abs();
        // What else there is of each box stands behind it.
        Some(found.len() >= wanted.len() && found.iter().zip(&wanted).all(near))
    }

    /// The head of boxes by distances, of a table of these extents, or of one with a row for each box if it is `turned`.
    pub fn distances(&self, table: [usize; 2], turned: bool) -> Option<Task> {
        let (classes, bins) = distances(&self.dims(), table)?;
        let task = Task::Dfl(Dfl {
            maps: self.own,
            bins,
            classes,
            select: SELECT,
        });
        self.is(&task, turned)?.then_some(task)
    }

    /// The head of boxes by anchors.
    pub fn anchors(&self, table: [usize; 2]) -> Option<Task> {
        let (classes, each) = anchors(&self.dims(), table)?;
        let columns = table[1];
        // Of zeros a box has the size of its anchor, be it by a power of e or by the square of a doubled half.
        let zeros: Vec<Vec<f32>> = self
            .maps
            .iter()
            .map(|dims| vec![0.0; dims.iter().product()])
            .collect();
        let found = self.run(&zeros)?;
        let mut maps = Vec::new();
        let mut row = 0;
        for [_, height, width] in &self.maps {
            let mut anchors = Vec::new();
            for _ in 0..each {
                let side = |at: usize| {
                    // As they were written, before they were divided by a stride and multiplied again.
                    let pixels = (*found.get(row * columns + at)? * 1e3).round() / 1e3;
                    (pixels > 0.0 && pixels < 1e6).then_some(pixels)
                };
                anchors.push((side(2)? / self.size.0, side(3)? / self.size.1));
                row += height * width;
            }
            maps.push(anchors);
        }
        [true, false].into_iter().find_map(|squared| {
            let map = |anchors: &Vec<(f32, f32)>| Map {
                anchors: anchors.clone().into(),
                stretch: if squared { 2.0 } else { 1.0 },
            };
            let task = Task::Yolo3(Yolo3 {
                maps: maps.iter().map(map).collect(),
                classes,
                squared,
                select: SELECT,
            });
            self.is(&task, false)?.then_some(task)
        })
    }
}

/// Of no consequence: a table has every box.
const SELECT: Select = Select {
    keep: 0.25,
    iou: 0.45,
    overlap: Some(Overlap::Class),
    labels: Labels::Best,
};

/// All boxes, as the tail has them.
pub(super) fn table(task: &Task, outputs: &[Tensor<'_>], size: (f32, f32)) -> Option<Vec<f32>> {
    match task {
        Task::Dfl(dfl) => dfl.table(outputs, size).ok(),
        Task::Yolo3(yolo) => yolo.table(outputs, size).ok(),
        _ => None,
    }
}

/// Rows of so many numbers as columns.
pub(super) fn turn(rows: &[f32], count: usize) -> Vec<f32> {
    let long = rows.len().checked_div(count).unwrap_or(0);
    let place = |at: usize| rows[at % count * long + at / count];
    (0..long * count).map(place).collect()
}
