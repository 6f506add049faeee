//! Training steps: one program for all images of a batch, that changes what stays from step to step.
//!
//! A value is of each image or one for all (weights, their gradients, factors of the optimiser). A layer is lowered for one image, as always, and
//! its statements are put into a loop over images; dense layers see each image as a pixel, and those that [add up](crate::layer::Layer::reduces)
//! see all of them. Scratch memory has a part for each of a fixed number of chunks of images, so that the program is the same for any number of threads.
//!
//! ```text
//! section pack c3        packed ← state                     weights change with every step
//! section c3             for each image                     as in a network that is run
//! section c3~31          dw ← Σ over images and pixels      in an order that is the program's
//! section c3.weight      state ← state − rate · dw          in place
//! ```

mod each;
mod gather;

use super::region::Region;
use super::{Lower, Lowered, Storage};
use crate::graph::{Def, Graph};
use crate::id::{ParamId, ValueId};
use crate::layer::{Halo, copy};
use crate::loops::{Access, Affine, Buffer, BufferId, Place, Section, Stmt};
use crate::shape::Shape;
use crate::target::Target;
use cnnc_runtime::plan::Port;
use each::{Moved, Open};
use gather::Gathered;
use std::collections::{HashMap, HashSet};

/// What a step knows beyond a network: its images, and what stays.
pub(super) struct Images {
    count: usize,
    /// Values that are one for all images.
    single: HashSet<ValueId>,
    /// Floats from one image to the next, in buffers that have a place for each.
    strides: HashMap<BufferId, i64>,
    /// Floats of each tensor that stays.
    pub state: Vec<usize>,
    /// Which of them a parameter is.
    numbers: HashMap<ParamId, u32>,
    /// Their buffers, and behind them those of tensors in another order.
    buffers: Vec<BufferId>,
    /// Tensors in another order: their numbers behind those that stay.
    reordered: Vec<u32>,
    /// Where regions are packed.
    packed: HashMap<Region, BufferId>,
    /// Buffers of weights, in whatever form: they are one for all images.
    weights: HashSet<BufferId>,
    /// What is written for one image, while it is.
    open: Option<Open>,
    /// Numbers that are taken of each image.
    gathered: Gathered,
}

impl Images {
    /// Which tensor that stays a parameter is.
    pub fn number(&self, id: ParamId) -> u32 {
        self.numbers[&id]
    }

    /// The number of a tensor in another order.
    pub fn reordered(&self, index: usize) -> u32 {
        self.reordered[index]
    }

    /// Makes ports those of all images.
    pub fn widen(&self, graph: &Graph, inputs: &mut [Port], outputs: &mut [Port]) {
        let values = graph.inputs.iter().map(|input| input.value);
        let values = values.chain(graph.outputs.iter().map(|output| output.value));
        for (port, value) in inputs.iter_mut().chain(outputs).zip(values) {
            if !self.single.contains(&value) {
                port.shape.to_mut().insert(0, self.count);
            }
        }
    }
}

/// Lowers a training step for the target's batch. The values that are one for all images are named; `state` has the number and the
/// parameter of each tensor that stays, in order.
pub fn lower_step(
    graph: &Graph,
    single: &HashSet<ValueId>,
    state: &[ParamId],
    target: &Target,
) -> Lowered {
    let mut cx = Lower::new(graph, target);
    let lens = state.iter().map(|&id| graph.params[id].elements());
    let mut images = Images {
        count: std::mem::replace(&mut cx.batch, 1),
        single: single.clone(),
        strides: HashMap::new(),
        state: lens.collect(),
        numbers: state.iter().copied().zip(0..).collect(),
        buffers: Vec::new(),
        reordered: Vec::new(),
        packed: HashMap::new(),
        weights: HashSet::new(),
        open: None,
        gathered: Gathered::default(),
    };
    for (index, &id) in state.iter().enumerate() {
        images.buffers.push(cx.buffers.push(Buffer {
            len: images.state[index],
            place: Place::State(index),
            name: graph.params[id].name.clone(),
        }));
    }
    // Packed weights are in the arena, and no source is read when the step is loaded.
    cx.sources.clear();
    cx.load = super::load::Load::new(&[]);
    cx.place_values();
    cx.images = Some(images);
    cx.place_state();
    cx.place_images();
    cx.place_gathered();
    cx.enter(None, "input");
    let ports = |values: Vec<ValueId>| {
        let ports = values.into_iter().enumerate();
        ports.partition::<Vec<_>, _>(|(_, value)| single.contains(value))
    };
    let (shared, own) = ports(graph.inputs.iter().map(|input| input.value).collect());
    shared.iter().for_each(|(index, _)| cx.read_input(*index));
    cx.each(|cx| {
        own.iter().for_each(|(index, _)| cx.read_input(*index));
        cx.gather_behind(None);
    });
    for (id, node) in graph.live() {
        cx.enter(Some(id), &node.label);
        let values = || node.inputs.iter().chain([&node.output]);
        let of_images = values().any(|value| !single.contains(value));
        if of_images && !cx.whole.contains(&id) {
            cx.each(|cx| {
                cx.pad_operands();
                node.layer.lower(cx);
                cx.gather_behind(Some(id));
            });
        } else {
            cx.pad_operands();
            node.layer.lower(&mut cx);
            cx.each(|cx| cx.gather_behind(Some(id)));
        }
    }
    cx.enter(None, "output");
    let (shared, own) = ports(graph.outputs.iter().map(|output| output.value).collect());
    shared.iter().for_each(|(index, _)| cx.write_output(*index));
    cx.each(|cx| own.iter().for_each(|(index, _)| cx.write_output(*index)));
    cx.finish()
}

impl Lower<'_> {
    fn images(&self) -> &Images {
        self.images.as_ref().expect("a training step is lowered")
    }

    /// Images of the step; one, where a network is lowered.
    fn count(&self) -> usize {
        self.images.as_ref().map_or(1, |images| images.count)
    }

    /// Tensors that stay are where they stay, and so is what they become.
    fn place_state(&mut self) {
        let params = self
            .graph
            .values
            .iter()
            .filter_map(|(value, of)| match of.def {
                Def::Param(id) => Some((id, value)),
                _ => None,
            });
        let all: Vec<(ParamId, ValueId)> =
            params.chain(self.graph.stores.iter().copied()).collect();
        for (id, value) in all {
            // A tensor that no live node mentions has no place.
            let Some(&number) = self.images().numbers.get(&id) else {
                continue;
            };
            let buffer = self.images().buffers[number as usize];
            let storage = vector(buffer, self.buffers[buffer].len);
            self.storage.insert(value, storage);
        }
    }

    /// Gives every value that is of each image a place for all of them.
    fn place_images(&mut self) {
        let count = self.count();
        let mut values: Vec<ValueId> = self.storage.keys().copied().collect();
        values.sort_unstable();
        for value in values {
            let mut storage = self.storage[&value].clone();
            if !self.images().single.contains(&value) {
                let one = self.widen(storage.buffer);
                (storage.images, storage.image) = (count, one);
            }
            self.batched.insert(value, storage);
        }
        let whole = self.graph.live().filter(|(_, node)| {
            let dense = || {
                let pixels = node.inferred.output.spatial();
                let bare = !self
                    .unzeroed
                    .contains_key(&self.storage[&node.output].buffer);
                bare && node.layer.reads_once() && pixels.iter().all(|&extent| extent == 1)
            };
            node.layer.reduces() || dense()
        });
        self.whole = whole.map(|(id, _)| id).collect();
    }

    /// Makes a buffer that of all images, once, and returns the floats of one.
    fn widen(&mut self, buffer: BufferId) -> i64 {
        let count = self.count();
        let images = self.images.as_mut().expect("a training step is lowered");
        let buffers = &mut self.buffers;
        *images.strides.entry(buffer).or_insert_with(|| {
            let one = buffers[buffer].len;
            buffers[buffer].len = one * count;
            one as i64
        })
    }

    /// Where a region is, packed in a section before the one that is written, once a step.
    pub(super) fn pack_in_step(&mut self, region: Region) -> Access {
        if let Some(&buffer) = self.images().packed.get(&region) {
            return start(buffer);
        }
        let label = self.node().label.clone();
        let buffer = self.buffers.push(Buffer {
            len: region.len(),
            place: Place::Arena(0),
            name: format!("{label}.packed"),
        });
        let images = self.images.as_mut().expect("a training step is lowered");
        images.packed.insert(region.clone(), buffer);
        images.weights.insert(buffer);
        let states = &images.buffers;
        let aside = self.builder.set_aside();
        let state = |param: u32| start(states[param as usize]);
        region.pack(&mut self.builder, &start(buffer), &state);
        let body = self.builder.resume(aside);
        self.insert_packing(body);
        start(buffer)
    }

    /// Puts statements that pack into a section before the one that is written.
    fn insert_packing(&mut self, body: Vec<Stmt>) {
        let here = self.sections.len() - 1;
        let label = format!("{}.packed", self.node().label);
        let section = Section {
            node: self.node,
            label,
            whole: false,
            body,
        };
        self.sections.insert(here, section);
    }

    /// One of the node's tensors, as it is.
    ///
    /// # Panics
    /// Outside a training step.
    pub fn tensor(&self, param: usize) -> Access {
        let number = self.images().number(self.node().params[param]);
        start(self.images().buffers[number as usize])
    }

    /// Copies one of the node's tensors into another order, `(count, stride)` of each dimension, once a step; what a convolution may name as its weight.
    ///
    /// # Panics
    /// Outside a training step.
    pub fn reordered(&mut self, param: usize, dims: &[(usize, usize)]) -> usize {
        let id = self.node().params[param];
        let from = self.images().buffers[self.images().number(id) as usize];
        let len: usize = dims.iter().map(|dim| dim.0).product();
        let name = format!("{}.reordered", self.node().label);
        let buffer = self.buffers.push(Buffer {
            len,
            place: Place::Arena(0),
            name,
        });
        let mut inner = len;
        let loops = dims.iter().map(|&(count, stride)| {
            inner /= count;
            (count, inner as i64, stride as i64)
        });
        let loops: Vec<copy::Dim> = loops.collect();
        let aside = self.builder.set_aside();
        copy::copy(self, &vector(buffer, len), &vector(from, len), &loops);
        let body = self.builder.resume(aside);
        self.insert_packing(body);
        let images = self.images.as_mut().expect("a training step is lowered");
        images.reordered.push(images.buffers.len() as u32);
        images.buffers.push(buffer);
        images.weights.insert(buffer);
        let params = self.node().params.len();
        params + self.images().reordered.len() - 1
    }

    /// Copies an operand of all images that is stored without the zeros which the node wants around it.
    pub(super) fn pad_images(&mut self, from: &Storage, shape: &Shape, halo: Halo) -> Storage {
        let one = self.scratch(shape, halo);
        let aside = self.builder.set_aside();
        let first = Storage {
            images: 1,
            image: 0,
            ..from.clone()
        };
        copy::copy(self, &one, &first, &copy::all(&one, &first));
        let body = self.builder.resume(aside);
        let len = self.buffers[one.buffer].len;
        self.buffers[one.buffer].len = len * from.images;
        let moved = Moved {
            images: HashMap::from([(one.buffer, len as i64), (from.buffer, from.image)]),
            scratch: HashMap::new(),
        };
        self.parallel(from.images, |cx, image| {
            let body = body.into_iter();
            let body = body.map(|stmt| moved.stmt(stmt, &image, &Affine::default()));
            cx.builder.put(body.collect());
        });
        Storage {
            images: from.images,
            image: len as i64,
            ..one
        }
    }
}

/// The first element of a buffer.
fn start(buffer: BufferId) -> Access {
    Access {
        buffer,
        offset: Affine::default(),
    }
}

/// A buffer as a vector.
fn vector(buffer: BufferId, channels: usize) -> Storage {
    Storage {
        buffer,
        base: 0,
        channels,
        dhw: [1; 3],
        strides: [channels as i64; 3],
        images: 1,
        image: 0,
    }
}
