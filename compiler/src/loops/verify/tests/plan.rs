//! Plans that provide too little, or not what the program takes.

use super::build::*;
use crate::id::Id;
use crate::loops::verify::{Fault, prove, verify_plan};
use crate::loops::*;
use cnnc_runtime::Isa;
use cnnc_runtime::plan::{Plan, Port, Run};

/// Two inputs of 6 and 4 elements and 8 packed weights become outputs of 10 and 8, by way of an arena of 10.
fn program() -> Program {
    let mut b = build(10);
    let places = [
        (Place::Input(0), 6),
        (Place::Input(1), 4),
        (Place::Weights, 8),
        (Place::Arena(0), 10),
        (Place::Output(0), 10),
        (Place::Output(1), 8),
    ];
    let [first, second, weights, arena, both, copied] =
        places.map(|(place, len)| b.buffer("buffer", place, len));
    let body = [
        (arena, 0, first, 6),
        (arena, 6, second, 4),
        (both, 0, arena, 10),
        (copied, 0, weights, 8),
    ];
    let body =
        body.map(|(out, at, from, n)| copy(to(out, at, &[]), to(from, 0, &[]), &[[n, 1, 1]]));
    b.section("copies", body.to_vec());
    b.0
}

fn ports(sizes: &[usize]) -> Vec<Port> {
    let port = |&elements: &usize| Port {
        name: "port".into(),
        shape: vec![elements].into(),
    };
    sizes.iter().map(port).collect()
}

fn plan() -> Plan {
    Plan {
        name: "test".into(),
        isa: Isa::Portable,
        arena: 10,
        packed: 8,
        sources: vec![].into(),
        literals: vec![].into(),
        packing: vec![].into(),
        inputs: ports(&[6, 4]).into(),
        outputs: ports(&[10, 8]).into(),
        batch: 1,
        between: vec![].into(),
        state: vec![].into(),
        runs: vec![Run::Each].into(),
    }
}

/// What is wrong with a plan that is changed.
fn faults(change: impl FnOnce(&mut Plan)) -> Vec<Fault> {
    let mut plan = plan();
    change(&mut plan);
    let violations = verify_plan(&program(), &plan).err().unwrap_or_default();
    violations
        .into_iter()
        .map(|violation| violation.fault)
        .collect()
}

fn port(buffer: usize) -> Fault {
    Fault::Port(BufferId::new(buffer))
}

#[test]
fn a_plan_provides_what_the_program_takes() {
    assert_eq!(prove(&program(), &plan()), Ok(()));
    assert_eq!(faults(|_| {}), []);
    assert_eq!(faults(|plan| plan.isa = Isa::Portable16), [Fault::Plan]);
    assert_eq!(faults(|plan| plan.arena = 9), [Fault::Plan]);
    assert_eq!(faults(|plan| plan.arena = 11), []);
    assert_eq!(faults(|plan| plan.packed = 7), [port(2)]);
    assert_eq!(faults(|plan| plan.packed = 9), []);
}

#[test]
fn inputs_are_at_least_as_long() {
    for (sizes, expected) in [
        (&[5, 4][..], &[port(0)][..]),
        (&[6, 3], &[port(1)]),
        (&[7, 5], &[]),
        (&[4, 6], &[port(0)]),
        (&[6], &[port(1)]),
        (&[], &[port(0), port(1)]),
        (&[6, 4, 1], &[]),
    ] {
        assert_eq!(
            faults(|plan| plan.inputs = ports(sizes).into()),
            expected,
            "{sizes:?}"
        );
    }
}

#[test]
fn outputs_are_written_as_a_whole() {
    for (sizes, expected) in [
        (&[9, 8][..], &[port(4)][..]),
        (&[11, 8], &[port(4)]),
        (&[10, 7], &[port(5)]),
        (&[10, 9], &[port(5)]),
        (&[10], &[port(5)]),
        (&[10, 8, 1], &[Fault::Plan]),
    ] {
        assert_eq!(
            faults(|plan| plan.outputs = ports(sizes).into()),
            expected,
            "{sizes:?}"
        );
    }
}

#[test]
fn what_is_not_proven_is_an_error() {
    let mut program = program();
    program.buffers[BufferId::new(3)].len = 1 << 48;
    let unproven = prove(&program, &plan()).expect_err("beyond the limits");
    assert_eq!(unproven.network, "test");
    assert_eq!(unproven.violation.fault, Fault::Limit);
}

#[test]
#[should_panic(
    expected = "is not proven: copies: call 2 of f32_copy: `out` reaches b4[0..=9] of 9"
)]
fn what_is_wrong_beside_is_a_bug() {
    let mut program = program();
    program.buffers[BufferId::new(3)].len = 1 << 48;
    program.buffers[BufferId::new(4)].len = 9;
    let _ = prove(&program, &plan());
}

#[test]
#[should_panic(expected = "lower: test for portable is not proven: b4 is not a port of the plan")]
fn a_plan_of_another_program_is_a_bug() {
    let mut plan = plan();
    plan.outputs = ports(&[9, 8]).into();
    let _ = prove(&program(), &plan);
}

#[test]
#[should_panic(
    expected = "lower: test for portable is not proven: copies: call 1 of f32_copy: `out` reaches b3[6..=9] of 9"
)]
fn a_wrong_program_is_a_bug() {
    let mut program = program();
    program.buffers[BufferId::new(3)].len = 9;
    let _ = prove(&program, &plan());
}

#[test]
fn state_is_as_long_as_the_plan_says() {
    let mut program = program();
    program.buffers.push(Buffer {
        len: 8,
        place: Place::State(1),
        name: "state".to_owned(),
    });
    let with = |state: &[usize]| {
        let plan = Plan {
            state: state.to_vec().into(),
            ..plan()
        };
        verify_plan(&program, &plan).is_ok()
    };
    assert!(with(&[3, 8]));
    for state in [&[3, 7][..], &[3, 9], &[8]] {
        assert!(!with(state), "{state:?}");
    }
}
