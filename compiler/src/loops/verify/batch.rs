//! Batches: what each run of sections may use.

use super::reach::Shape;
use super::{Fault, Violation, at};
use crate::loops::{Place, Program};
use std::collections::HashMap;

/// Checks the rules on batches, but for what is initialised.
pub(super) fn check(program: &Program, shape: &Shape) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut run_of = vec![0; program.sections.len()];
    for (number, run) in program.runs().into_iter().enumerate() {
        run_of[run].fill(number);
    }
    let mut first_run: Vec<Option<usize>> = program.buffers.ids().map(|_| None).collect();
    for (number, call) in shape.calls.iter().enumerate() {
        let whole = program.sections[call.section].whole;
        for reach in &call.reaches {
            let id = reach.buffer;
            let fits = match program.buffers[id].place {
                Place::Arena(_) => {
                    let run = run_of[call.section];
                    *first_run[at(id)].get_or_insert(run) == run
                }
                Place::Weights | Place::Param(_) | Place::State(_) => true,
                Place::Input(_) | Place::Output(_) => !whole,
                Place::Between { whole: all, .. } => whole == all,
            };
            if !fits {
                violations.push(shape.violation(program, number, Fault::Batch(id)));
            }
        }
    }
    let mut of_one: HashMap<usize, usize> = HashMap::new();
    for (id, buffer) in program.buffers.iter() {
        let Place::Between { index, whole } = buffer.place else {
            continue;
        };
        let images = if whole { program.batch } else { 1 };
        let one = *of_one.entry(index).or_insert(buffer.len / images);
        if Some(buffer.len) != one.checked_mul(images) {
            violations.push(Violation::of_buffer(buffer, Fault::Batch(id)));
        }
    }
    violations
}
