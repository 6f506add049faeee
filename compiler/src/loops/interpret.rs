//! The interpreter: runs a program with the kernels' naive twins, the oracle for every backend.

use super::{Affine, Call, For, Place, Program, Stmt};
use crate::id::Id;
use cnnc_runtime::denormals::Flushed;
use cnnc_runtime::kernel::MAX_ARGS;
use cnnc_runtime::memory::{OutOfMemory, collect, reserved};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::ControlFlow;

/// Runs the load program on parameters in the order of their files, and returns the packed weights.
///
/// # Errors
/// As [`interpret`].
///
/// # Panics
/// As [`interpret`].
pub fn interpret_load(load: &Program, params: &[&[f32]]) -> Result<Vec<f32>, OutOfMemory> {
    // Not flushed: weights are packed as their file has them.
    let mut outputs = execute(load, &[], params, &mut [], &[], &mut |_, _| {
        ControlFlow::Continue(())
    })?;
    Ok(outputs.pop().unwrap_or_default())
}

/// Runs the program on packed weights and inputs in the spec's order, and returns the outputs. Inputs hold as many images, one behind the
/// other, as the program's batch at most; so do outputs then.
///
/// # Errors
/// When there is not enough memory.
///
/// # Panics
/// When weights or inputs are shorter than the program's buffers, or the program is not one that
/// [`verify`](super::verify()) accepts: a compiler bug.
pub fn interpret(
    program: &Program,
    packed: &[f32],
    inputs: &[&[f32]],
) -> Result<Vec<Vec<f32>>, OutOfMemory> {
    watch(program, packed, inputs, &mut |_, _| {
        ControlFlow::Continue(())
    })
}

/// What a buffer of that place and length holds, for the image that is computed.
pub type Memory<'m> = dyn Fn(Place, usize) -> &'m [f32] + 'm;

/// Called behind each section with its number and what buffers hold by then; it may stop the run.
pub type Look<'l> = dyn for<'m> FnMut(usize, &Memory<'m>) -> ControlFlow<()> + 'l;

/// The same, with a look behind every section.
///
/// # Errors
/// As [`interpret`].
///
/// # Panics
/// As [`interpret`].
pub fn watch(
    program: &Program,
    packed: &[f32],
    inputs: &[&[f32]],
    look: &mut Look<'_>,
) -> Result<Vec<Vec<f32>>, OutOfMemory> {
    // As machine code runs.
    let _flushed = Flushed::enter();
    execute(program, packed, &[], &mut [], inputs, look)
}

/// Runs a program that changes what stays, on that and the inputs, and returns the outputs.
///
/// # Errors
/// As [`interpret`].
///
/// # Panics
/// As [`interpret`].
pub fn interpret_step(
    program: &Program,
    state: &mut [Vec<f32>],
    inputs: &[&[f32]],
) -> Result<Vec<Vec<f32>>, OutOfMemory> {
    let _flushed = Flushed::enter();
    let mut look = |_: usize, _: &Memory<'_>| ControlFlow::Continue(());
    execute(program, &[], &[], state, inputs, &mut look)
}

/// All memory is one array, `arena | weights | parameters… | state… | inputs… | outputs… | between…`; what is not given starts as NaN, so that whatever
/// is read before it is written shows.
fn execute(
    program: &Program,
    packed: &[f32],
    params: &[&[f32]],
    state: &mut [Vec<f32>],
    inputs: &[&[f32]],
    look: &mut Look<'_>,
) -> Result<Vec<Vec<f32>>, OutOfMemory> {
    let images = images(program, inputs);
    let mut layout = Layout::default();
    layout.region(Region::Arena, program.arena, 0);
    layout.region(Region::Weights, packed.len(), 0);
    for (index, param) in params.iter().enumerate() {
        layout.region(Region::Param(index), param.len(), 0);
    }
    for (index, tensor) in state.iter().enumerate() {
        layout.region(Region::State(index), tensor.len(), 0);
    }
    for (index, input) in inputs.iter().enumerate() {
        layout.region(Region::Input(index), input.len(), input.len() / images);
    }
    for buffer in program.buffers.values() {
        match buffer.place {
            Place::Output(index) => {
                layout.region(Region::Output(index), images * buffer.len, buffer.len);
            }
            Place::Between { index, whole } => {
                let one = if whole {
                    buffer.len / program.batch
                } else {
                    buffer.len
                };
                layout.region(Region::Between(index), program.batch * one, one);
            }
            _ => {}
        }
    }
    let mut memory = reserved(layout.len)?;
    memory.resize(layout.len, f32::NAN);
    memory[layout.start(Region::Weights)..][..packed.len()].copy_from_slice(packed);
    for (index, param) in params.iter().enumerate() {
        memory[layout.start(Region::Param(index))..][..param.len()].copy_from_slice(param);
    }
    for (index, tensor) in state.iter().enumerate() {
        memory[layout.start(Region::State(index))..][..tensor.len()].copy_from_slice(tensor);
    }
    for (index, input) in inputs.iter().enumerate() {
        memory[layout.start(Region::Input(index))..][..input.len()].copy_from_slice(input);
    }
    let mut run = Run {
        program,
        origins: Vec::new(),
        values: vec![0; program.vars],
        memory,
    };
    'runs: for sections in program.runs() {
        let whole = program.sections[sections.start].whole;
        for image in 0..if whole { 1 } else { images } {
            let origins = program.buffers.values();
            let origins = origins.map(|buffer| layout.origin(buffer.place, image));
            run.origins = origins.collect();
            for number in sections.clone() {
                run.body(&program.sections[number].body);
                let memory = &run.memory;
                let holds = |place, len| &memory[layout.origin(place, image)..][..len];
                if look(number, &holds).is_break() {
                    break 'runs;
                }
            }
        }
    }
    for (index, tensor) in state.iter_mut().enumerate() {
        let len = tensor.len();
        tensor.copy_from_slice(&run.memory[layout.start(Region::State(index))..][..len]);
    }
    let outputs = layout
        .regions
        .iter()
        .filter_map(|(region, &(start, len, _))| {
            matches!(region, Region::Output(_)).then_some(start..start + len)
        });
    outputs
        .map(|range| collect(run.memory[range].iter().copied()))
        .collect()
}

/// Images that the inputs hold.
fn images(program: &Program, inputs: &[&[f32]]) -> usize {
    let mut buffers = program.buffers.values();
    let first = buffers.find_map(|buffer| match buffer.place {
        Place::Input(index) if buffer.len > 0 => Some(inputs[index].len() / buffer.len),
        _ => None,
    });
    first.unwrap_or(1).max(1)
}

/// A part of the memory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Region {
    Arena,
    Weights,
    Param(usize),
    State(usize),
    Input(usize),
    Output(usize),
    Between(usize),
}

/// Where regions are: start, length, and how far the next image is.
#[derive(Default)]
struct Layout {
    regions: BTreeMap<Region, (usize, usize, usize)>,
    len: usize,
}

impl Layout {
    /// Adds a region, unless it is known.
    fn region(&mut self, region: Region, len: usize, image: usize) {
        if let Entry::Vacant(entry) = self.regions.entry(region) {
            entry.insert((self.len, len, image));
            self.len += len;
        }
    }

    fn start(&self, region: Region) -> usize {
        self.regions[&region].0
    }

    /// Index of a buffer's first element, for that image.
    fn origin(&self, place: Place, image: usize) -> usize {
        let (region, at) = match place {
            Place::Arena(offset) => (Region::Arena, offset),
            Place::Weights => (Region::Weights, 0),
            Place::Param(index) => (Region::Param(index), 0),
            Place::State(index) => (Region::State(index), 0),
            Place::Input(index) => (Region::Input(index), 0),
            Place::Output(index) => (Region::Output(index), 0),
            Place::Between { index, .. } => (Region::Between(index), 0),
        };
        let (start, _, stride) = self.regions[&region];
        match place {
            Place::Between { whole: true, .. } => start,
            _ => start + at + image * stride,
        }
    }
}

struct Run<'a> {
    program: &'a Program,
    /// Index in `memory` of each buffer's first element.
    origins: Vec<usize>,
    values: Vec<i64>,
    memory: Vec<f32>,
}

impl Run<'_> {
    fn body(&mut self, body: &[Stmt]) {
        for stmt in body {
            match stmt {
                Stmt::For(inner) => self.repeat(inner),
                Stmt::Call(call) => self.call(call),
            }
        }
    }

    fn repeat(&mut self, inner: &For) {
        for value in 0..inner.trip {
            self.values[inner.var.index()] = i64::from(value);
            self.body(&inner.body);
        }
    }

    fn call(&mut self, call: &Call) {
        // An argument that is not there must not be used: its index is out of bounds.
        let mut at = [usize::MAX / 2; MAX_ARGS];
        for (at, access) in at.iter_mut().zip(&call.args) {
            if let Some(access) = access {
                let offset = self.value(&access.offset);
                *at = self.origins[access.buffer.index()].wrapping_add_signed(offset as isize);
            }
        }
        (call.kernel.row().twin)(&mut self.memory, &at, &call.consts, self.program.isa);
    }

    fn value(&self, affine: &Affine) -> i64 {
        let terms = affine.terms.iter();
        affine.base
            + terms
                .map(|&(var, coefficient)| coefficient * self.values[var.index()])
                .sum::<i64>()
    }
}
