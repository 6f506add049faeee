//! The plan that goes with a program: a session allocates what the plan says, and the program must need no more.

use super::reach::{Calls, Shape};
use super::{Fault, Violation, at, proven};
use crate::loops::{Place, Program};
use cnnc_runtime::plan::{Plan, Run};

/// Proves that the memory which a session provides for the plan is what the program takes.
///
/// # Errors
/// Every size that is not the plan's.
pub fn verify_plan(program: &Program, plan: &Plan) -> Result<(), Vec<Violation>> {
    let mut violations = Vec::new();
    let runs = program.runs().into_iter();
    let whole = runs.map(|run| program.sections[run.start].whole);
    let kinds = plan.runs.iter().map(|run| *run == Run::Whole);
    let same = program.batch == plan.batch && whole.eq(kinds);
    if program.arena > plan.arena || program.isa != plan.isa || !same {
        violations.push(Violation::of_program(Fault::Plan));
    }
    let mut made = vec![false; plan.outputs.len()];
    for (id, buffer) in program.buffers.iter() {
        let fits = match buffer.place {
            // In the program's arena, as is proven elsewhere.
            Place::Arena(_) => true,
            Place::Weights => buffer.len <= plan.packed,
            Place::Between { index, whole } => {
                let images = if whole { plan.batch } else { 1 };
                let one = plan.between.get(index);
                one.is_some_and(|one| buffer.len <= one * images)
            }
            Place::State(index) => plan.state.get(index) == Some(&buffer.len),
            // Packing has read them, and they are gone.
            Place::Param(_) => false,
            Place::Input(index) => {
                let port = plan.inputs.get(index);
                port.is_some_and(|port| buffer.len <= port.elements())
            }
            // All of an output is read.
            Place::Output(index) => {
                let port = plan.outputs.get(index).zip(made.get_mut(index));
                port.is_some_and(|(port, made)| {
                    *made = true;
                    buffer.len == port.elements()
                })
            }
        };
        if !fits {
            violations.push(Violation::of_program(Fault::Port(id)));
        }
    }
    if made.contains(&false) {
        violations.push(Violation::of_program(Fault::Plan));
    }
    if violations.is_empty() {
        Ok(())
    } else {
        Err(violations)
    }
}

/// Proves that the load program makes all of the packed weights, of the plan's parameters, in whatever order its calls run:
/// as many elements are written as there are, and each of them is.
///
/// # Errors
/// As [`verify`](super::verify()), and every buffer that is not the plan's.
pub fn verify_load(load: &Program, plan: &Plan) -> Result<(), Vec<Violation>> {
    let shape = proven(load)?;
    let mut violations = Vec::new();
    let params = plan.sources.len() + plan.literals.len();
    let mut outputs = 0;
    for (id, buffer) in load.buffers.iter() {
        let fits = match buffer.place {
            Place::Param(index) => match plan.sources.get(index) {
                Some(source) => buffer.len <= source.shape.iter().product(),
                // Literals repeat.
                None => index < params,
            },
            Place::Output(0) => {
                outputs += 1;
                buffer.len == plan.packed
            }
            _ => false,
        };
        if !fits {
            violations.push(Violation::of_program(Fault::Port(id)));
        }
    }
    let written: i64 = shape.calls.iter().map(|call| writes(&shape, call)).sum();
    if outputs != 1 || written != plan.packed as i64 || load.isa != plan.isa {
        violations.push(Violation::of_program(Fault::Plan));
    }
    if violations.is_empty() {
        Ok(())
    } else {
        Err(violations)
    }
}

/// Elements that a call writes, in all iterations.
fn writes(shape: &Shape, call: &Calls) -> i64 {
    let trips = call.around.iter().map(|&var| shape.trips[at(var)]);
    let out = call.reaches.iter().filter(|reach| reach.writes());
    let dims = out.map(|out| out.dims.iter().map(|dim| dim.0).product::<i64>());
    trips.product::<i64>() * dims.sum::<i64>()
}
