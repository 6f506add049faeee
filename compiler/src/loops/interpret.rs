//! The interpreter: runs a program with the kernels' naive twins, the oracle for every backend.

use super::{Affine, Call, For, Place, Program, Stmt};
use crate::id::Id;
use cnnc_runtime::denormals::Flushed;
use cnnc_runtime::kernel::MAX_ARGS;
use cnnc_runtime::memory::{OutOfMemory, collect, reserved};

/// Runs the load program on parameters in the order of their files, and returns the packed weights.
///
/// # Errors
/// As [`interpret`].
///
/// # Panics
/// As [`interpret`].
pub fn interpret_load(load: &Program, params: &[&[f32]]) -> Result<Vec<f32>, OutOfMemory> {
    // Not flushed: weights are packed as their file has them.
    let mut outputs = execute(load, &[], params, &[])?;
    Ok(outputs.pop().unwrap_or_default())
}

/// Runs the program on packed weights and inputs in the spec's order, and returns the outputs.
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
    // As machine code runs.
    let _flushed = Flushed::enter();
    execute(program, packed, &[], inputs)
}

/// All memory is one array, `arena | weights | parameters… | inputs… | outputs…`; arena and outputs start as NaN, so that whatever
/// is read before it is written shows.
fn execute(
    program: &Program,
    packed: &[f32],
    params: &[&[f32]],
    inputs: &[&[f32]],
) -> Result<Vec<Vec<f32>>, OutOfMemory> {
    let leaving = program
        .buffers
        .values()
        .filter_map(|buffer| match buffer.place {
            Place::Output(_) => Some(buffer.len),
            _ => None,
        });
    let given = || params.iter().chain(inputs);
    let length: usize = given().map(|input| input.len()).sum();
    let all = program.arena + packed.len() + length + leaving.sum::<usize>();
    let mut memory = reserved(all)?;
    memory.resize(program.arena, f32::NAN);
    let weights = memory.len();
    memory.extend(packed);
    let starts: Vec<usize> = given()
        .map(|input| {
            memory.extend(*input);
            memory.len() - input.len()
        })
        .collect();
    let mut outputs: Vec<(usize, usize)> = Vec::new();
    for buffer in program.buffers.values() {
        if let Place::Output(index) = buffer.place {
            outputs.resize(outputs.len().max(index + 1), (0, 0));
            outputs[index] = (memory.len(), memory.len() + buffer.len);
            memory.resize(memory.len() + buffer.len, f32::NAN);
        }
    }
    let origins = program.buffers.values().map(|buffer| match buffer.place {
        Place::Arena(offset) => offset,
        Place::Weights => weights,
        Place::Param(index) => starts[index],
        Place::Input(index) => starts[params.len() + index],
        Place::Output(index) => outputs[index].0,
    });
    let mut run = Run {
        program,
        origins: origins.collect(),
        values: vec![0; program.vars],
        memory,
    };
    for section in &program.sections {
        run.body(&section.body);
    }
    let memory = run.memory;
    outputs
        .into_iter()
        .map(|(from, to)| collect(memory[from..to].iter().copied()))
        .collect()
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
