//! The verifier of Loops: a program that it accepts touches no memory that it should not, in any order that its
//! parallel loops may run in. This header is the specification of Loops.
//!
//! **Form.** Every buffer, variable and kernel that is named exists. A variable is defined by one loop and used inside
//! it only; a loop runs at least once; `parallel` loops stand at the top level of a section. A call has the
//! arguments and constants that its kernel's row names, its footprints have counts of zero or more (a
//! kernel reports constants it cannot work with as a negative one) and it writes no element twice.
//!
//! **Bounds.** For all values of the variables, every element of every footprint lies in its buffer, and every arena
//! buffer in the arena. Weights and inputs are only read.
//!
//! **Aliasing.** A call's output is disjoint from what the call reads, except where the kernel works in place and output
//! and first input are the same elements in the same order.
//!
//! **Races.** What one iteration of a parallel loop writes, no other iteration reads or writes.
//!
//! **Order.** Statements run in order. Weights and inputs are initialised from the start; an element of any other buffer
//! is from when a call has written it through this buffer until a call writes the same memory through another one (buffers share the arena).
//! Only initialised elements are read. In the end every element of every output is.
//!
//! All of it is exact: where a question is not answered by intervals, it is put as a linear equation (`linear`) or the
//! elements are enumerated in runs (`elements`). Only effort is bounded; a program that takes too much is rejected.

mod elements;
mod fault;
mod linear;
mod meet;
mod order;
mod reach;

#[cfg(test)]
mod tests;

pub use fault::{Fault, Violation};

use super::{Place, Program};
use crate::id::Id;
use cnnc_runtime::plan::Plan;

/// Proves the program, or says what is wrong with it.
///
/// # Errors
/// Violations: all of form and bounds; else all of aliasing and races, and the first of order.
pub fn verify(program: &Program) -> Result<(), Vec<Violation>> {
    let shape = reach::analyse(program)?;
    let mut violations = meet::check(program, &shape);
    violations.extend(order::check(program, &shape));
    if violations.is_empty() {
        Ok(())
    } else {
        Err(violations)
    }
}

/// Proves that the memory which a session provides for the plan is what the program takes.
///
/// # Errors
/// Every size that is not the plan's.
pub fn verify_plan(program: &Program, plan: &Plan) -> Result<(), Vec<Violation>> {
    let mut violations = Vec::new();
    if program.arena > plan.arena || program.isa != plan.isa {
        violations.push(Violation::of_program(Fault::Plan));
    }
    for (id, buffer) in program.buffers.iter() {
        let port = |ports: &[cnnc_runtime::plan::Port], index: usize| {
            ports.get(index).map(cnnc_runtime::plan::Port::elements)
        };
        let (room, whole) = match buffer.place {
            Place::Arena(_) => continue,
            Place::Weights => (Some(plan.packed), false),
            Place::Input(index) => (port(&plan.inputs, index), false),
            Place::Output(index) => (port(&plan.outputs, index), true),
        };
        let fits = room.is_some_and(|room| buffer.len <= room && (!whole || buffer.len == room));
        if !fits {
            violations.push(Violation::of_program(Fault::Port(id)));
        }
    }
    for index in 0..plan.outputs.len() {
        let written = |place: Place| place == Place::Output(index);
        if !program.buffers.values().any(|buffer| written(buffer.place)) {
            violations.push(Violation::of_program(Fault::Plan));
        }
    }
    if violations.is_empty() {
        Ok(())
    } else {
        Err(violations)
    }
}

/// An address space: accesses of different spaces never meet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Space {
    Arena,
    Weights,
    Input(usize),
    Output(usize),
}

/// Space and first address of a buffer.
fn address(place: Place) -> (Space, i64) {
    match place {
        Place::Arena(offset) => (Space::Arena, offset as i64),
        Place::Weights => (Space::Weights, 0),
        Place::Input(index) => (Space::Input(index), 0),
        Place::Output(index) => (Space::Output(index), 0),
    }
}

/// Index of an id, for tables beside the program's.
fn at(id: impl Id) -> usize {
    id.index()
}
