//! The verifier against a naive checker, on valid programs and on thousands of mutants of them, on random programs, and on
//! programs made by hand that have exactly one fault, beside their likenesses without it.
//!
//! What a test is worth shows when the verifier is weakened. Two lists of changes were made to it, one change at a time:
//!
//! - 1,117 by rule: another operator, a number one more or less, a condition or a part of it that always or never holds, a
//!   statement that is left out, a function that answers at once, an error that is swallowed, a minimum for a maximum. 1,037 fail a
//!   test, 12 more go beyond a test's time or memory, 68 are not caught.
//! - 52 by hand, where a mechanical change does not lead: answers given up and taken for a no, the wrong one or only the first of
//!   several sets, inputs, outputs, variables or buffers, orders and shifts turned round, rules that hold one loop deep
//!   only. 51 are caught; the other changes nothing (a loop inside one that is proven at once is never entangled).
//!
//! Of these changes, each with which the verifier accepts a program that is wrong, or takes spent effort for a proof, is caught. With the
//! 68 that are not it has the same verdicts:
//!
//! - 15 are of numbers that do not matter: a place that is not used, what is zero times anything, the origin of an
//!   address space, the step of a single element.
//! - 14 leave out a quick answer (`apart`, the first lines of `subtract` and `meets`) to a question that is then asked at length.
//! - 26 look at more or fewer sets: bounds of `digits`, which falls back to slices, of the search, and when a proof is kept.
//! - 9 are capacities of vectors.
//! - 2 are in `take` of `order` and prove at once what is otherwise proven iteration by iteration: what the first
//!   iteration has written is there in all of them.
//! - 2 are of a kernel that writes nothing at all, of which there is none.

mod aliases;
mod batch;
mod bounds;
mod build;
mod checker;
mod effort;
mod form;
mod kernels;
mod load;
mod lost;
mod lowered;
mod mutants;
mod order;
mod plan;
mod programs;
mod races;
mod random;
mod sharing;

use super::{Fault, verify};
use crate::loops::{Place, Program};
use programs::{ALL, conv_with_halo};
use std::collections::BTreeMap;

/// Random programs that are tried: a second's worth.
const SEEDS: u64 = 20_000;

fn faults(program: &Program) -> Vec<Fault> {
    let Err(violations) = verify(program) else {
        return Vec::new();
    };
    assert!(!violations.is_empty(), "an error says why");
    violations
        .into_iter()
        .map(|violation| violation.fault)
        .collect()
}

#[test]
fn valid_programs_are_accepted() {
    for (name, make) in ALL {
        let program = make();
        assert_eq!(checker::check(&program), Ok(()), "{name}:\n{program}");
        assert_eq!(faults(&program), [], "{name}:\n{program}");
    }
}

/// Every mutant that the naive checker finds broken is rejected, and no other.
#[test]
fn no_broken_mutant_is_missed() {
    let (mut broken, mut sound) = (0, 0);
    for (name, make) in ALL {
        let program = make();
        mutants::each(&program, |what, mutant| {
            match agree(&format!("{name}, {what}"), mutant) {
                Err(_) => broken += 1,
                Ok(()) => sound += 1,
            }
        });
    }
    println!("{broken} broken and {sound} sound mutants");
    assert!(
        broken > 3000 && sound > 300,
        "{broken} broken, {sound} sound: too few to mean anything"
    );
    // Of programs with something that stays from run to run, too.
    let with_state = ALL.iter().filter(|(_, make)| has_state(&make())).count();
    assert!(with_state >= 3, "{with_state} programs have state");
}

/// Whether something stays from run to run.
fn has_state(program: &Program) -> bool {
    let mut buffers = program.buffers.values();
    buffers.any(|buffer| matches!(buffer.place, Place::State(_)))
}

/// The verifier accepts what is sound, and nothing else.
fn agree(what: &str, program: &Program) -> Result<(), &'static str> {
    let (truth, found) = (checker::check(program), faults(program));
    match truth {
        Err(wrong) => assert!(!found.is_empty(), "{what}: missed {wrong}\n{program}"),
        Ok(()) => assert_eq!(found, [], "{what}: is sound\n{program}"),
    }
    truth
}

fn sound(what: &str, program: &Program) {
    assert_eq!(agree(what, program), Ok(()), "{what}");
}

/// The program is wrong, and all that is found is `expected`.
fn wrong(what: &str, program: &Program, expected: &[Fault]) {
    assert!(agree(what, program).is_err(), "{what}");
    assert_eq!(faults(program), expected, "{what}:\n{program}");
}

#[test]
fn random_programs_are_judged_as_they_are() {
    let mut verdicts: BTreeMap<&str, u64> = BTreeMap::new();
    let (mut kept, mut broken) = (0, 0);
    for seed in 0..SEEDS {
        let program = random::program(seed);
        let verdict = agree(&format!("seed {seed}"), &program);
        if has_state(&program) {
            kept += 1;
            broken += u64::from(verdict.is_err());
        }
        *verdicts
            .entry(verdict.err().unwrap_or("sound"))
            .or_default() += 1;
    }
    println!("{verdicts:?}");
    assert!(
        verdicts.len() >= 10 && verdicts["sound"] > SEEDS / 3 && verdicts["sound"] < SEEDS * 2 / 3,
        "too many of one kind to mean anything: {verdicts:?}"
    );
    assert!(
        kept > SEEDS / 5 && broken > kept / 4 && broken < kept * 3 / 4,
        "of {kept} with state {broken} are broken: too few to mean anything"
    );
}

/// Numbers beyond all bounds are rejected at once, whatever they are.
#[test]
fn huge_numbers_are_rejected() {
    for (name, make) in ALL {
        let program = make();
        mutants::each_huge(&program, |what, mutant| {
            assert!(!faults(mutant).is_empty(), "{name}, {what}");
        });
    }
}

#[test]
fn faults_say_where() {
    let mut program = conv_with_halo();
    let last = program.sections.len() - 1;
    program.sections.remove(last);
    let violations = verify(&program).unwrap_err();
    assert_eq!(violations.len(), 1);
    assert_eq!(violations[0].to_string(), "output b4[0] is never written");

    let mut program = conv_with_halo();
    program.sections[0].body.remove(0);
    let violations = verify(&program).unwrap_err();
    assert_eq!(
        violations[0].to_string(),
        "conv: call 4 of f32_conv_2x1v: `x` reads b1[0] before it is written"
    );
}
