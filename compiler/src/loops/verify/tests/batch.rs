//! Programs for batches: what one run may take from another.

use super::build::{Build, build, run, to};
use super::{checker, faults, mutants};
use crate::loops::verify::Fault;
use crate::loops::{BufferId, Place, Program};

const IMAGES: usize = 3;

/// Each image is copied to the arena and on to what the run for all images reads, which passes it on as a whole; each result
/// is copied to the output.
struct Batch {
    program: Program,
    /// `input, output, arena, one, all, one more, all of these`
    buffers: [BufferId; 7],
}

fn batch() -> Batch {
    let mut b: Build = build(4);
    b.0.batch = IMAGES;
    let between = |index, whole| Place::Between { index, whole };
    let buffers = [
        b.buffer("input", Place::Input(0), 4),
        b.buffer("output", Place::Output(0), 4),
        b.buffer("tensor", Place::Arena(0), 4),
        b.buffer("operand", between(0, false), 4),
        b.buffer("operands", between(0, true), 4 * IMAGES),
        b.buffer("result", between(1, false), 4),
        b.buffer("results", between(1, true), 4 * IMAGES),
    ];
    let [input, output, tensor, operand, operands, result, results] = buffers;
    let at = |buffer| to(buffer, 0, &[]);
    b.section("read", vec![run(at(tensor), at(input), 4)]);
    b.section("first", vec![run(at(operand), at(tensor), 4)]);
    b.section(
        "all",
        vec![run(at(results), at(operands), 4 * IMAGES as i64)],
    );
    b.section("last", vec![run(at(output), at(result), 4)]);
    b.0.sections[2].whole = true;
    Batch {
        program: b.0,
        buffers,
    }
}

#[test]
fn a_batch_is_accepted() {
    let Batch { program, .. } = batch();
    assert_eq!(checker::check(&program), Ok(()));
    assert_eq!(faults(&program), [], "{program}");
}

/// Every mutant that the naive checker, which runs all images one by one, finds broken is rejected.
#[test]
fn no_broken_mutant_is_missed() {
    let (mut broken, mut sound) = (0, 0);
    let mut judge = |what: &str, mutant: &Program| match checker::check(mutant) {
        Err(wrong) => {
            broken += 1;
            assert!(
                !faults(mutant).is_empty(),
                "{what}: missed {wrong}\n{mutant}"
            );
        }
        Ok(()) => sound += 1,
    };
    let whole = batch().program;
    mutants::each(&whole, &mut judge);
    for section in 0..whole.sections.len() {
        let mut mutant = whole.clone();
        mutant.sections[section].whole ^= true;
        judge("a section of the other kind", &mutant);
    }
    for images in [1, 2, 4] {
        let mut mutant = whole.clone();
        mutant.batch = images;
        judge("another batch", &mutant);
    }
    assert!(broken > 100 && sound > 10, "{broken} broken, {sound} sound");
}

/// A batch that is changed has that fault.
fn has(change: impl FnOnce(&mut Batch), expected: Fault) {
    let mut batch = batch();
    change(&mut batch);
    assert!(checker::check(&batch.program).is_err());
    let found = faults(&batch.program);
    assert!(found.contains(&expected), "{found:?}\n{}", batch.program);
}

#[test]
fn faults_of_batches() {
    let [_, output, tensor, operand, operands, result, results] = batch().buffers;
    let at = |buffer| to(buffer, 0, &[]);
    let unwritten = |arg, buffer, element| Fault::Uninitialised {
        arg,
        buffer,
        element,
    };
    // What a run has in the arena is gone in the next.
    has(
        |b| b.program.sections[3].body = vec![run(at(output), at(tensor), 4)],
        Fault::Batch(tensor),
    );
    // One image's buffer in a run for all, and all images' in a run for one.
    has(
        |b| b.program.sections[2].body = vec![run(at(result), at(operands), 4)],
        Fault::Batch(result),
    );
    has(
        |b| b.program.sections[3].body = vec![run(at(output), at(results), 4)],
        Fault::Batch(results),
    );
    // All images' tensors are there when each is as a whole.
    has(
        |b| b.program.sections[1].body = vec![run(at(operand), at(tensor), 3)],
        unwritten("x", operands, 0),
    );
    has(
        |b| b.program.sections[2].body = vec![run(at(results), at(operands), 11)],
        unwritten("x", result, 0),
    );
    // Ports are of one image.
    has(|b| b.program.sections[3].whole = true, Fault::Batch(output));
    // Not as long as its images.
    has(
        |b| b.program.buffers[results].len = 13,
        Fault::Batch(results),
    );
}
