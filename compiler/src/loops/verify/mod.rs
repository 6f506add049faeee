//! The verifier of Loops: a program that it accepts touches no memory that it should not, in any order that its
//! parallel loops may run in. This header is the specification of Loops.
//!
//! **Form.** Every buffer, variable and kernel that is named exists. A variable is defined by one loop and used inside
//! it only; a loop runs at least once; `parallel` loops stand at the top level of a section. A call has the
//! arguments and constants that its kernel's row names, its footprints have counts of zero or more (a
//! kernel reports constants it cannot work with as a negative one) and it writes no element twice.
//!
//! **Bounds.** For all values of the variables, every element of every footprint lies in its buffer, and every arena
//! buffer in the arena. Weights, parameters and inputs are only read; state is read and written.
//!
//! **Aliasing.** A call's output is disjoint from what the call reads, except where the kernel works in place and output
//! and first input are the same elements in the same order, in every iteration.
//!
//! **Races.** What one iteration of a parallel loop writes, no other iteration reads or writes.
//!
//! **Order.** Statements run in order. Weights, parameters, state and inputs are initialised from the start, and state stays so; an element of any other buffer
//! is from when a call has written it through this buffer until a call writes the same memory through another one (buffers share the arena).
//! Only initialised elements are read. In the end every element of every output is.
//!
//! **Batches.** An arena buffer is used in one run of sections only, and ports in runs that are for one image. A tensor between runs is used
//! through the buffer of one image in these and through that of all images in the others; the second is as long as the first for each image. When one kind
//! of run follows the other, a tensor between them is initialised if all of it was.
//!
//! All of it is exact, and no element is looked at: what a call reaches, with the loops around it, is a strided set (`strided`). Two
//! of them meet if a linear equation has a bounded solution (`linear`), and one without the other is strided sets again
//! (`digits`). So a proof takes as long as the program's text is, whatever its extents are. Effort is bounded all the same: a program that takes more
//! is given up, which is an error (`Unproven`) and never a proof.

mod batch;
mod digits;
mod fault;
mod linear;
mod meet;
mod order;
mod plan;
mod progression;
mod reach;
mod sharing;
mod strided;

#[cfg(test)]
mod tests;

pub use fault::{Fault, Unproven, Violation};
pub use plan::{verify_load, verify_plan};

use super::{Place, Program};
use crate::id::Id;
use cnnc_runtime::plan::Plan;

/// Proves the program, or says what is wrong with it.
///
/// # Errors
/// Violations: all of form and bounds; else all of aliasing and races, and the first of order.
pub fn verify(program: &Program) -> Result<(), Vec<Violation>> {
    proven(program).map(drop)
}

/// The program in the terms of the proofs, if it is proven.
fn proven(program: &Program) -> Result<reach::Shape, Vec<Violation>> {
    let shape = reach::analyse(program)?;
    let mut violations = batch::check(program, &shape);
    violations.extend(meet::check(program, &shape));
    violations.extend(order::check(program, &shape, &mut order::EFFORT.clone()));
    if violations.is_empty() {
        Ok(shape)
    } else {
        Err(violations)
    }
}

/// Proves a network before it is run, or code is written that will.
///
/// # Errors
/// When the network is too much for the proof.
///
/// # Panics
/// When the program is wrong, or not the plan's: a bug of the compiler. The message names the section.
pub fn prove(program: &Program, plan: &Plan) -> Result<(), Unproven> {
    let proof = verify(program).and_then(|()| verify_plan(program, plan));
    proof.or_else(|violations| refuse(program, violations))
}

/// Proves a load program before it is run.
///
/// # Errors
/// As [`prove`].
///
/// # Panics
/// As [`prove`].
pub fn prove_load(load: &Program, plan: &Plan) -> Result<(), Unproven> {
    verify_load(load, plan).or_else(|violations| refuse(load, violations))
}

/// Says that a program is too much for the proof, unless it is wrong.
fn refuse(program: &Program, violations: Vec<Violation>) -> Result<(), Unproven> {
    let (name, isa) = (&program.name, program.isa);
    let wrong = violations
        .iter()
        .filter(|violation| !violation.fault.is_limit());
    let wrong: Vec<String> = wrong.map(ToString::to_string).collect();
    assert!(
        wrong.is_empty(),
        "lower: {name} for {isa} is not proven: {}",
        wrong.join("; ")
    );
    let violation = violations
        .into_iter()
        .next()
        .expect("an error has a reason");
    Err(Unproven {
        network: name.clone(),
        violation: Box::new(violation),
    })
}

/// An address space: accesses of different spaces never meet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Space {
    Arena,
    Weights,
    Param(usize),
    State(usize),
    Input(usize),
    Output(usize),
    Between(usize, bool),
}

impl Space {
    /// Whether it is initialised from the start to the end.
    fn initialised(self) -> bool {
        self.read_only() || matches!(self, Space::State(_))
    }

    /// Whether it is initialised, and never written.
    fn read_only(self) -> bool {
        matches!(self, Space::Weights | Space::Param(_) | Space::Input(_))
    }
}

/// Space and first address of a buffer.
fn address(place: Place) -> (Space, i64) {
    match place {
        Place::Arena(offset) => (Space::Arena, offset as i64),
        Place::Weights => (Space::Weights, 0),
        Place::Param(index) => (Space::Param(index), 0),
        Place::State(index) => (Space::State(index), 0),
        Place::Input(index) => (Space::Input(index), 0),
        Place::Output(index) => (Space::Output(index), 0),
        Place::Between { index, whole } => (Space::Between(index, whole), 0),
    }
}

/// Index of an id, for tables beside the program's.
fn at(id: impl Id) -> usize {
    id.index()
}
