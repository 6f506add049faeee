//! Where activations are: channels-last boxes with halos, and windows of them.

use super::Lower;
use super::windows::concat_windows;
use crate::id::ValueId;
use crate::layer::{Halo, NO_HALO, copy, elements, padded};
use crate::limits;
use crate::loops::{Access, Affine, Buffer, BufferId, Call, Place, Stmt};
use cnnc_runtime::kernel::{Axis, CopyCall, FillCall, Move, Pixels};
use std::collections::HashMap;

/// A tensor in a buffer, channels last: element `(d, h, w, c)` is at
/// `base + d·strides[0] + h·strides[1] + w·strides[2] + c`.
#[derive(Clone, Debug, PartialEq)]
pub struct Storage {
    /// The buffer.
    pub buffer: BufferId,
    /// Offset of the first element (behind the halo).
    pub base: i64,
    /// Channels.
    pub channels: usize,
    /// Depth, height, width.
    pub dhw: [usize; 3],
    /// Strides of planes, rows and pixels.
    pub strides: [i64; 3],
    /// Images that it is of: one, but for layers that compute all of a batch at once.
    pub images: usize,
    /// Stride of images.
    pub image: i64,
}

impl Storage {
    /// A pointer to the first element, moved by `offset`.
    pub fn access(&self, offset: Affine) -> Access {
        Access {
            buffer: self.buffer,
            offset: offset.offset(self.base),
        }
    }

    /// A pointer as an argument of a call.
    pub fn arg(&self, offset: Affine) -> Option<Access> {
        Some(self.access(offset))
    }

    /// A plane of it, as kernels walk it.
    pub fn plane(&self, offset: Affine) -> Pixels<Access> {
        let [_, row, pixel] = self.strides;
        Pixels {
            at: self.access(offset),
            row,
            pixel,
        }
    }

    /// Offset of pixel `(d, h, w)`; negative coordinates reach into the halo.
    pub fn at(&self, d: i64, h: i64, w: i64) -> i64 {
        d * self.strides[0] + h * self.strides[1] + w * self.strides[2]
    }

    /// Number of pixels.
    pub fn pixels(&self) -> usize {
        self.dhw.iter().product()
    }

    /// The pixel stride, if all pixels are evenly spaced (one row of `pixels()`).
    pub fn flat(&self) -> Option<i64> {
        let [d, h, w] = self.dhw;
        let [plane, row, pixel] = self.strides;
        let rows = h == 1 || row == w as i64 * pixel;
        let planes = d == 1 || plane == (h * w) as i64 * pixel;
        (rows && planes).then_some(pixel)
    }

    /// Channels `from..from + count` of the same pixels.
    pub fn window(&self, from: usize, count: usize) -> Storage {
        Storage {
            base: self.base + from as i64,
            channels: count,
            ..self.clone()
        }
    }
}

impl Lower<'_> {
    /// A new buffer for a tensor with a halo that will be zeroed before its first use.
    pub(super) fn allocate(
        &mut self,
        name: &str,
        channels: usize,
        dhw: [usize; 3],
        halo: Halo,
    ) -> Storage {
        let extent: Vec<i64> = (0..3)
            .map(|i| (halo[i].0 + dhw[i] + halo[i].1) as i64)
            .collect();
        let pixel = channels as i64;
        let strides = [extent[1] * extent[2] * pixel, extent[2] * pixel, pixel];
        let base = (0..3).map(|i| halo[i].0 as i64 * strides[i]).sum();
        let len = (extent[0] * strides[0]) as usize;
        // Offset in the arena: set by `arena::place`.
        let buffer = self.buffers.push(Buffer {
            len,
            place: Place::Arena(0),
            name: name.to_owned(),
        });
        let zeroing = zero_halo(buffer, &strides, dhw, halo);
        if !zeroing.is_empty() {
            self.unzeroed.insert(buffer, zeroing);
        }
        Storage {
            buffer,
            base,
            channels,
            dhw,
            strides,
            images: 1,
            image: 0,
        }
    }

    /// Decides where every value is.
    pub(super) fn place_values(&mut self) {
        let halos = self.wanted_halos();
        let windows = concat_windows(self.graph);
        let values = self.live_values();
        // Behind what it is made of stands a concatenation in the schedule: from the end on, parents are known.
        let mut root_of: HashMap<ValueId, (ValueId, usize)> = HashMap::new();
        for &value in values.iter().rev() {
            let root = match windows.get(&value) {
                Some(&(parent, from)) => {
                    let (root, above) = root_of[&parent];
                    (root, above + from)
                }
                None => (value, 0),
            };
            root_of.insert(value, root);
        }
        // A concatenation's buffer has the largest halo that any reader of it or of its parts wants.
        let mut root_halo: HashMap<ValueId, Halo> = HashMap::new();
        for value in &values {
            let root = root_of[value].0;
            let halo = halos.get(value).copied().unwrap_or(NO_HALO);
            let entry = root_halo.entry(root).or_insert(NO_HALO);
            *entry = widest(*entry, halo);
        }
        // What one reader wants is within the limits; what all of them want together may not be.
        for (root, halo) in &mut root_halo {
            let shape = &self.graph.values[*root].shape;
            if elements(&padded(shape, halo)) > limits::ELEMENTS {
                *halo = NO_HALO;
                self.bare.insert(*root);
            }
        }
        let mut roots: HashMap<ValueId, Storage> = HashMap::new();
        for value in values {
            let (root, from) = root_of[&value];
            let shape = &self.graph.values[root].shape;
            let storage = match roots.get(&root) {
                Some(storage) => storage.clone(),
                None => {
                    let name = self.graph.label_of(root).to_owned();
                    let storage =
                        self.allocate(&name, shape.channels(), shape.dhw(), root_halo[&root]);
                    roots.insert(root, storage.clone());
                    storage
                }
            };
            let channels = self.graph.values[value].shape.channels();
            self.storage.insert(value, storage.window(from, channels));
            if self.bare.contains(&root) {
                self.bare.insert(value);
            }
        }
    }

    /// Copies operands of the node that are stored without the zeros that it wants around them.
    pub(super) fn pad_operands(&mut self) {
        self.padded.clear();
        let node = self.node();
        for (index, &halo) in node.inferred.halo.iter().enumerate() {
            let value = node.inputs[index];
            if halo == NO_HALO || !self.bare.contains(&value) {
                continue;
            }
            let from = self.stored(value).clone();
            let shape = self.input_shape(index);
            let to = match from.images {
                1 => {
                    let to = self.scratch(shape, halo);
                    copy::copy(self, &to, &from, &copy::all(&to, &from));
                    to
                }
                _ => self.pad_images(&from, shape, halo),
            };
            self.padded.insert(index, to);
        }
    }

    fn live_values(&self) -> Vec<ValueId> {
        let inputs = self.graph.inputs.iter().map(|input| input.value);
        inputs
            .chain(self.graph.live().map(|(_, node)| node.output))
            .collect()
    }

    fn wanted_halos(&self) -> HashMap<ValueId, Halo> {
        let mut halos: HashMap<ValueId, Halo> = HashMap::new();
        for (_, node) in self.graph.live() {
            for (&value, &halo) in node.inputs.iter().zip(&node.inferred.halo) {
                let entry = halos.entry(value).or_insert(NO_HALO);
                *entry = widest(*entry, halo);
            }
        }
        halos
    }

    /// Emits the copy of an input from its port.
    pub(super) fn read_input(&mut self, index: usize) {
        let input = &self.graph.inputs[index];
        let buffer = self.port(input.value, Place::Input(index), &input.name);
        let to = self.storage[&input.value].clone();
        let from = Storage {
            buffer,
            base: 0,
            ..to.clone()
        };
        self.transpose(&to, &from, true);
    }

    /// Emits the copy of an output to its port.
    pub(super) fn write_output(&mut self, index: usize) {
        let output = &self.graph.outputs[index];
        let buffer = self.port(output.value, Place::Output(index), &output.name);
        let from = self.storage[&output.value].clone();
        let to = Storage {
            buffer,
            base: 0,
            ..from.clone()
        };
        self.transpose(&to, &from, false);
    }

    /// The buffer of a port.
    fn port(&mut self, value: ValueId, place: Place, name: &str) -> BufferId {
        self.buffers.push(Buffer {
            len: self.graph.values[value].shape.elements(),
            place,
            name: name.to_owned(),
        })
    }

    /// Copies between a channels-last tensor and a port of the network, which is dense and channels-first (`inward`: that is the source). Threads
    /// share the outermost axis of several elements, but not the channels.
    fn transpose(&mut self, to: &Storage, from: &Storage, inward: bool) {
        let last = if inward { to } else { from };
        let [d, h, w] = last.dhw;
        let first = [h * w, w, 1, d * h * w].map(|n| n as i64);
        let inner = [last.strides[0], last.strides[1], last.strides[2], 1];
        let (o, i) = if inward {
            (inner, first)
        } else {
            (first, inner)
        };
        let counts = [d, h, w, last.channels];
        let mut axes = [Move::ONCE; 5];
        for (axis, moved) in axes[1..].iter_mut().enumerate() {
            let (count, out, from) = (counts[axis], o[axis], i[axis]);
            *moved = Move { count, out, from };
        }
        let outer = (1..3).find(|&axis| axes[axis].count > 1).unwrap_or(3);
        let Move {
            count,
            out,
            from: x,
        } = axes[outer];
        let parts = self.machine.shares(count, counts.iter().product());
        axes[outer].count /= parts;
        let step = axes[outer].count as i64;
        self.parallel(parts, |cx, i| {
            cx.call(CopyCall {
                out: to.access(i.clone().times(step * out)),
                x: from.access(i.times(step * x)),
                axes,
                flush: inward,
            });
        });
    }
}

fn widest(a: Halo, b: Halo) -> Halo {
    std::array::from_fn(|i| (a[i].0.max(b[i].0), a[i].1.max(b[i].1)))
}

/// Calls that zero the shell around the interior box: planes before and behind, then rows, then pixels.
fn zero_halo(buffer: BufferId, strides: &[i64; 3], dhw: [usize; 3], halo: Halo) -> Vec<Stmt> {
    let mut calls = Vec::new();
    let mut zero = |offset: i64, axes: [Axis; 3], run: i64| {
        if run == 0 || axes.iter().any(|axis| axis.count == 0) {
            return;
        }
        let out = Access {
            buffer,
            offset: Affine::constant(offset),
        };
        calls.push(Stmt::Call(Call::new(&FillCall {
            out,
            axes,
            run: run as usize,
            value: 0.0,
        })));
    };
    let [plane, row, pixel] = *strides;
    let [(front, back), (top, bottom), (left, right)] = halo.map(|(lo, hi)| (lo as i64, hi as i64));
    let [d, h, w] = dhw.map(|n| n as i64);
    const ONCE: Axis = Axis::ONCE;
    let axis = |count: i64, stride| Axis {
        count: count as usize,
        stride,
    };
    zero(0, [ONCE, ONCE, ONCE], front * plane);
    zero((front + d) * plane, [ONCE, ONCE, ONCE], back * plane);
    let first = front * plane;
    zero(first, [ONCE, ONCE, axis(d, plane)], top * row);
    zero(
        first + (top + h) * row,
        [ONCE, ONCE, axis(d, plane)],
        bottom * row,
    );
    let first = first + top * row;
    zero(first, [ONCE, axis(d, plane), axis(h, row)], left * pixel);
    zero(
        first + (left + w) * pixel,
        [ONCE, axis(d, plane), axis(h, row)],
        right * pixel,
    );
    calls
}
