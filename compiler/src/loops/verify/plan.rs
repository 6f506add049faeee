//! The plan that goes with a program: a session allocates what the plan says, and the program must need no more.

use super::{Fault, Violation};
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
