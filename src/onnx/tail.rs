//! The end of a detector, from maps to boxes, which becomes a head.
//!
//! Exporters spell it in many ways: sides from a softmax or a product, grids as constants or as ranges, one piece for each map or
//! one for all. So it is not compared with a form. What lies behind the maps is compiled by itself and fed with numbers, and it is a head's if that
//! makes the same of them ([`Dfl::table`], [`Yolo3::table`]).

use super::net::{Hint, Id, Layer, Net, Op, Value};
use super::picture::Said;
use super::spec::{self, Frame, Head};
use super::statement::{Defaults, statements};
use super::text::number;
use super::weights;
use crate::{Options, Weights};
use cnnc_runtime::answer::{Dfl, Labels, MOST_BINS, Map, Overlap, Select, Task, Tensor, Yolo3};
use std::collections::{HashMap, HashSet};

/// Numbers of a table that are computed in any case; more, if the file is large.
const SMALL: usize = 1 << 21;

/// Most multiply-adds of what lies behind the maps: a detector's are a few millions.
const MOST_MACS: u64 = 1 << 30;

/// Most layers behind the maps, and most maps.
const LAYERS: usize = 512;
const MAPS: usize = 8;

/// Channels of boxes in front of those of classes: `x y w h`, and the objectness where there are anchors.
const BOX: usize = 4;

/// A tail that is a head.
pub(super) struct Tail {
    /// The tensor that it makes.
    pub table: Id,
    /// What enters the head.
    pub maps: Vec<Id>,
    /// The head, by its keyword.
    pub keyword: &'static str,
    /// Its keys, besides maps and labels, a line each.
    pub keys: Vec<String>,
    /// Classes.
    pub classes: usize,
}

impl Tail {
    /// The head, with names for its classes if there is one for each.
    pub fn head(&self, said: &Said) -> Head {
        let mut keys = Vec::new();
        if let Some(labels) = &said.labels
            && said.names.is_none_or(|names| names == self.classes.max(1))
        {
            keys.push(format!("labels {labels}"));
        }
        keys.extend(self.keys.iter().cloned());
        Head {
            keyword: self.keyword,
            maps: self.maps.clone(),
            keys,
        }
    }
}

/// The tail that makes one of these tensors in a network with an input of these extents; `file` is the size of its file.
pub(super) fn find(net: &mut Net, outputs: &[Id], input: &[usize], file: usize) -> Option<Tail> {
    let &[_, height, width] = input else {
        return None;
    };
    let size = (width as f32, height as f32);
    let (table, maps, task) = outputs.iter().find_map(|&table| {
        let &[rows, columns] = net.dims(table) else {
            return None;
        };
        if rows.checked_mul(columns)? > SMALL + file / 8 {
            return None;
        }
        let (maps, layers) = cut(net, table, [height, width])?;
        let held = maps.iter().chain(&layers).map(|&id| net.dims(id));
        let held = held.map(|dims| dims.iter().product::<usize>());
        if held.fold(0, usize::saturating_add) > 4 * (SMALL + file / 8) {
            return None;
        }
        let dims: Vec<&[usize]> = maps.iter().map(|&map| net.dims(map)).collect();
        if distances(&dims, [rows, columns]).is_none() && anchors(&dims, [rows, columns]).is_none()
        {
            return None;
        }
        let behind = Behind::new(net, table, &maps, &layers, size)?;
        let found = behind
            .distances([rows, columns])
            .or_else(|| behind.anchors([rows, columns]))?;
        Some((table, maps, found))
    })?;
    Some(match &task {
        Task::Yolo3(yolo) => {
            let maps = match yolo.squared {
                true => logistic(net, outputs, table, &maps),
                false => maps,
            };
            Tail {
                table,
                maps,
                keyword: "yolo3",
                keys: anchored(yolo, size),
                classes: yolo.classes,
            }
        }
        Task::Dfl(dfl) => Tail {
            table,
            maps,
            keyword: "dfl",
            keys: vec![format!("bins {}", dfl.bins)],
            classes: dfl.classes,
        },
        _ => return None,
    })
}

/// The keys of a head with anchors; ultralytics' thresholds.
fn anchored(yolo: &Yolo3, (width, height): (f32, f32)) -> Vec<String> {
    let mut anchors = "anchors pixels".to_owned();
    let mut masks = "masks".to_owned();
    let mut at = 0;
    for map in yolo.maps.iter() {
        for (w, h) in map.anchors.iter() {
            anchors += &format!(" ({}, {})", number(w * width), number(h * height));
        }
        let end = at + map.anchors.len();
        let own: Vec<String> = (at..end).map(|anchor| anchor.to_string()).collect();
        masks += &format!(" ({})", own.join(", "));
        at = end;
    }
    let mut keys = vec![anchors];
    if yolo.maps.len() > 1 {
        keys.push(masks);
    }
    if yolo.squared {
        keys.push("stretch 2  squared".to_owned());
    }
    keys.push("keep 0.25".to_owned());
    keys
}

/// The maps that a tensor is made of, in the order in which it has them, and the layers behind them.
fn cut(net: &Net, table: Id, size: [usize; 2]) -> Option<(Vec<Id>, Vec<Id>)> {
    let (mut maps, mut layers) = (Vec::new(), Vec::new());
    let mut seen = HashSet::new();
    let mut open = vec![table];
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        // What comes of an input without a map on the way is no tail.
        let layer = net.values[id].layer.as_ref()?;
        if is_map(layer, net.dims(id), size) {
            maps.push(id);
        } else {
            layers.push(id);
            if layer.op != Op::Constant {
                open.extend(layer.operands.iter().rev());
            }
        }
        if maps.len() > MAPS || layers.len() > LAYERS {
            return None;
        }
    }
    layers.sort_unstable();
    let channels = |id: &Id| net.dims(*id)[0];
    let alike = maps.iter().all(|map| channels(map) == channels(&maps[0]));
    (alike && !maps.is_empty()).then_some((maps, layers))
}

/// Whether a layer makes a map of cells, each of which stands for a square of the input's pixels.
fn is_map(layer: &Layer, dims: &[usize], [height, width]: [usize; 2]) -> bool {
    let made = matches!(layer.op, Op::Conv(_) | Op::Concat(0) | Op::Affine);
    let &[channels, rows, columns] = dims else {
        return false;
    };
    let stride = height.checked_div(rows).unwrap_or(0);
    let square = stride > 1 && rows * stride == height && columns * stride == width;
    made && square && channels > BOX
}

/// Cells of all maps.
fn cells(maps: &[&[usize]]) -> usize {
    maps.iter()
        .map(|dims| dims[1..].iter().product::<usize>())
        .sum()
}

/// Classes and bins, if a table of these extents may hold boxes by distances: columns of `x y w h` and classes.
fn distances(maps: &[&[usize]], [rows, columns]: [usize; 2]) -> Option<(usize, usize)> {
    let classes = rows.checked_sub(BOX).filter(|&classes| classes > 0)?;
    let sides = maps[0][0].checked_sub(classes)?;
    let most = BOX * MOST_BINS;
    let fits = columns == cells(maps) && (1..=most).contains(&sides) && sides.is_multiple_of(BOX);
    fits.then_some((classes, sides / BOX))
}

/// Classes and anchors of each map, if a table of these extents may hold boxes by anchors: rows of `x y w h`, objectness and classes.
fn anchors(maps: &[&[usize]], [rows, columns]: [usize; 2]) -> Option<(usize, usize)> {
    let classes = columns.checked_sub(BOX + 1)?;
    let each = maps[0][0] / columns;
    let fits = maps[0][0].is_multiple_of(columns) && each > 0 && rows == each * cells(maps);
    fits.then_some((classes, each))
}

/// What lies behind the maps, as a network of its own.
struct Behind {
    network: crate::Network,
    maps: Vec<[usize; 3]>,
    /// Width and height of the whole network's input.
    size: (f32, f32),
}

impl Behind {
    fn new(net: &Net, table: Id, maps: &[Id], layers: &[Id], size: (f32, f32)) -> Option<Behind> {
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
        self.maps.iter().map(|dims| &dims[..]).collect()
    }

    /// Whether the head makes the same of usual numbers, and of those that something between may have cut off.
    fn is(&self, task: &Task) -> Option<bool> {
        Some(self.is_within(task, 4.0)? && self.is_within(task, 40.0)?)
    }

    fn is_within(&self, task: &Task, reach: f32) -> Option<bool> {
        let maps = self.numbers(reach);
        let found = self.run(&maps)?;
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
            .map(|(dims, map)| Tensor {
                name: "",
                shape: dims,
                data: map,
            })
            .collect();
        let wanted = table(task, &tensors, self.size)?;
        let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-3 + 1e-5 * b.abs();
        Some(found.len() == wanted.len() && found.iter().zip(&wanted).all(near))
    }

    /// The head of boxes by distances.
    fn distances(&self, table: [usize; 2]) -> Option<Task> {
        let (classes, bins) = distances(&self.dims(), table)?;
        let task = Task::Dfl(Dfl {
            maps: self.maps.len(),
            bins,
            classes,
            select: SELECT,
        });
        self.is(&task)?.then_some(task)
    }

    /// The head of boxes by anchors.
    fn anchors(&self, table: [usize; 2]) -> Option<Task> {
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
            self.is(&task)?.then_some(task)
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

/// Logistic maps, each beside its own: in the place of a layer that is not needed any more, if there is one.
fn logistic(net: &mut Net, outputs: &[Id], table: Id, maps: &[Id]) -> Vec<Id> {
    let mut needed: Vec<Id> = maps.to_vec();
    needed.extend(outputs.iter().filter(|&&output| output != table));
    let (live, _) = net.live(&needed);
    let mut made = Vec::new();
    for &map in maps {
        let value = Value {
            dims: net.dims(map).to_vec(),
            layer: Some(Layer {
                op: Op::Word("sigmoid"),
                operands: vec![map],
                params: Vec::new(),
                hint: Hint::default(),
            }),
        };
        let reads = |id: &Id| {
            let layer = net.values[*id].layer.as_ref();
            !live[*id] && layer.is_some_and(|layer| layer.operands.contains(&map))
        };
        let free = (map + 1..live.len()).find(reads);
        made.push(match free {
            Some(id) => {
                net.values[id] = value;
                id
            }
            None => {
                net.values.push(value);
                net.values.len() - 1
            }
        });
    }
    made
}
