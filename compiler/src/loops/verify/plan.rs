//! The plan that goes with a program: a session allocates what the plan says, and the program must need no more.

use super::{Fault, Violation};
use crate::loops::{Place, Program};
use cnnc_runtime::plan::Plan;

/// Proves that the memory which a session provides for the plan is what the program takes.
///
/// # Errors
/// Every size that is not the plan's.
pub fn verify_plan(program: &Program, plan: &Plan) -> Result<(), Vec<Violation>> {
    let mut violations = Vec::new();
    if program.arena > plan.arena || program.isa != plan.isa {
        violations.push(Violation::of_program(Fault::Plan));
    }
    let mut made = vec![false; plan.outputs.len()];
    for (id, buffer) in program.buffers.iter() {
        let fits = match buffer.place {
            // In the program's arena, as is proven elsewhere.
            Place::Arena(_) => true,
            Place::Weights => buffer.len <= plan.packed,
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
