//! Load programs that do not make all of the packed weights, or make an element of them twice.

use super::build::*;
use crate::id::Id;
use crate::loops::verify::{Fault, prove_load, verify_load};
use crate::loops::*;
use cnnc_runtime::Isa;
use cnnc_runtime::plan::{Plan, Source};

/// A tensor of 6 elements and a literal become packed weights of 8.
fn program(calls: &[(i64, usize, i64)]) -> Program {
    let mut b = build(0);
    let packed = b.buffer("weights", Place::Output(0), 8);
    let params = [
        b.buffer("tensor", Place::Param(0), 6),
        b.buffer("literal", Place::Param(1), 5),
    ];
    let body = calls
        .iter()
        .map(|&(at, param, n)| copy(to(packed, at, &[]), to(params[param], 0, &[]), &[[n, 1, 1]]));
    b.section("packs", body.collect());
    b.0
}

const WHOLE: [(i64, usize, i64); 2] = [(0, 0, 6), (6, 1, 2)];

fn plan() -> Plan {
    Plan {
        name: "test".into(),
        isa: Isa::Portable,
        arena: 0,
        packed: 8,
        sources: vec![Source {
            name: "tensor".into(),
            shape: vec![2, 3].into(),
        }]
        .into(),
        literals: vec![vec![1.0].into()].into(),
        packing: vec![].into(),
        inputs: vec![].into(),
        outputs: vec![].into(),
        batch: 1,
        between: vec![].into(),
        state: vec![].into(),
        runs: vec![].into(),
    }
}

fn faults(program: &Program, change: impl FnOnce(&mut Plan)) -> Vec<Fault> {
    let mut plan = plan();
    change(&mut plan);
    let violations = verify_load(program, &plan).err().unwrap_or_default();
    let violations = violations.into_iter();
    violations.map(|violation| violation.fault).collect()
}

fn port(buffer: usize) -> Fault {
    Fault::Port(BufferId::new(buffer))
}

#[test]
fn parameters_and_packed_weights_are_the_plans() {
    let whole = program(&WHOLE);
    assert_eq!(prove_load(&whole, &plan()), Ok(()));
    assert_eq!(faults(&whole, |_| {}), []);
    let longer = |plan: &mut Plan| plan.packed = 9;
    assert_eq!(faults(&whole, longer), [port(0), Fault::Plan]);
    let other = |plan: &mut Plan| plan.isa = Isa::Portable16;
    assert_eq!(faults(&whole, other), [Fault::Plan]);
    let shorter = |plan: &mut Plan| plan.sources.to_mut()[0].shape = vec![5].into();
    assert_eq!(faults(&whole, shorter), [port(1)]);
    assert_eq!(
        faults(&whole, |plan| plan.literals = vec![].into()),
        [port(2)]
    );
}

#[test]
fn each_element_is_written_once() {
    let unwritten = Fault::Unwritten {
        buffer: BufferId::new(0),
        element: 6,
    };
    assert_eq!(faults(&program(&WHOLE[..1]), |_| {}), [unwritten]);
    let twice = program(&[(0, 0, 6), (5, 1, 3)]);
    assert_eq!(faults(&twice, |_| {}), [Fault::Plan]);
}

#[test]
fn only_parameters_are_read() {
    for place in [
        Place::Weights,
        Place::Input(0),
        Place::Arena(0),
        Place::Output(1),
    ] {
        let mut program = program(&WHOLE);
        program.arena = 5;
        program.buffers[BufferId::new(2)].place = place;
        assert_ne!(faults(&program, |_| {}), [], "{place:?}");
    }
}

#[test]
#[should_panic(
    expected = "lower: test for portable is not proven: the plan belongs to another program"
)]
fn a_load_program_that_writes_twice_is_a_bug() {
    let _ = prove_load(&program(&[(0, 0, 6), (5, 1, 3)]), &plan());
}
