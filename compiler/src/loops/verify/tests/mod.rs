//! The verifier against a naive checker, on valid programs and on thousands of mutants of them.

mod checker;
mod mutants;
mod programs;

use super::{Fault, verify};
use crate::loops::Program;
use programs::{ALL, conv_with_halo};

fn faults(program: &Program) -> Vec<Fault> {
    let violations = verify(program).err().unwrap_or_default();
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
            let (truth, found) = (checker::check(mutant), faults(mutant));
            match truth {
                Err(wrong) => {
                    broken += 1;
                    assert!(
                        !found.is_empty(),
                        "{name}, {what}: missed {wrong}\n{mutant}"
                    );
                }
                Ok(()) => {
                    sound += 1;
                    assert_eq!(found, [], "{name}, {what}: is sound\n{mutant}");
                }
            }
        });
    }
    println!("{broken} broken and {sound} sound mutants");
    assert!(
        broken > 3000 && sound > 300,
        "{broken} broken, {sound} sound: too few to mean anything"
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
