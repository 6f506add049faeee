//! Programs that are not well formed: each with what is found, and where.

use super::build::*;
use super::{faults, sound, wrong};
use crate::id::Id;
use crate::loops::verify::{Fault, verify};
use crate::loops::*;

/// A copy of `n` elements from the input to the output, changed before it is looked at.
pub fn copied(n: i64, change: impl FnOnce(&mut Program)) -> Program {
    let mut program = program(8, &[(0, 4)], |b, [input, output], _| {
        let i = VarId::new(0);
        let rest = run(to(output, n, &[]), to(input, n, &[]), 8 - n);
        vec![
            b.repeat(2, true, |_, _| {
                vec![run(
                    to(output, 0, &[(i, n / 2)]),
                    to(input, 0, &[(i, n / 2)]),
                    n / 2,
                )]
            }),
            rest,
        ]
    });
    change(&mut program);
    program
}

fn outer(program: &mut Program) -> &mut For {
    match &mut program.sections[0].body[0] {
        Stmt::For(outer) => outer,
        Stmt::Call(_) => unreachable!("the loop comes first"),
    }
}

pub fn inner(program: &mut Program) -> &mut Call {
    match &mut outer(program).body[0] {
        Stmt::Call(call) => call,
        Stmt::For(_) => unreachable!("there is one loop"),
    }
}

pub fn output(call: &mut Call) -> &mut Access {
    call.args[0].as_mut().expect("every call has one")
}

#[test]
fn names_mean_something() {
    sound("as it is", &copied(4, |_| {}));
    let var = VarId::new(0);
    let none = |what| vec![Fault::Unknown(what)];
    type Case = (Vec<Fault>, fn(&mut Program));
    let cases: [Case; 9] = [
        (none("kernel"), |p| inner(p).kernel.0 = u16::MAX),
        (none("buffer"), |p| {
            output(inner(p)).buffer = BufferId::new(3)
        }),
        (none("variable"), |p| p.vars = 0),
        (vec![Fault::Scope(VarId::new(1))], |p| {
            p.vars = 2;
            output(inner(p)).offset.terms.push((VarId::new(1), 1));
        }),
        (vec![Fault::Scope(var)], |p| {
            // Behind its loop.
            let body = &mut p.sections[0].body;
            let Stmt::Call(rest) = &mut body[1] else {
                unreachable!()
            };
            output(rest).offset.terms.push((VarId::new(0), 0));
        }),
        (vec![Fault::Redefined(var)], |p| {
            let again = p.sections[0].body[0].clone();
            p.sections[0].body.push(again);
        }),
        (vec![Fault::Redefined(var)], |p| {
            let (var, trip, parallel) = (outer(p).var, 1, false);
            let body = std::mem::take(&mut outer(p).body);
            outer(p).body = vec![Stmt::For(For {
                var,
                trip,
                parallel,
                body,
            })];
        }),
        (vec![Fault::Trip(var)], |p| outer(p).trip = 0),
        (vec![Fault::Nested(var)], |p| {
            let body = vec![p.sections[0].body.remove(0)];
            let (var, trip, parallel) = (VarId::new(1), 1, false);
            p.vars = 2;
            p.sections[0].body.insert(
                0,
                Stmt::For(For {
                    var,
                    trip,
                    parallel,
                    body,
                }),
            );
        }),
    ];
    for (expected, change) in cases {
        wrong("changed", &copied(4, change), &expected);
    }
    let mut deep = copied(4, |_| {});
    for depth in 1..4 {
        let body = vec![deep.sections[0].body.remove(0)];
        let (var, trip, parallel) = (VarId::new(depth), 1, false);
        deep.vars += 1;
        let around = For {
            var,
            trip,
            parallel,
            body,
        };
        deep.sections[0].body.insert(0, Stmt::For(around));
        wrong("loops around", &deep, &[Fault::Nested(VarId::new(0))]);
    }
}

#[test]
fn calls_are_what_their_kernels_take() {
    let arity: [fn(&mut Program); 7] = [
        |p| drop(inner(p).args.pop()),
        |p| inner(p).args.push(None),
        |p| inner(p).args[0] = None,
        |p| inner(p).args[1] = None,
        |p| assert!(inner(p).consts.pop().is_some()),
        |p| inner(p).consts.push(1),
        |p| inner(p).consts.clear(),
    ];
    for change in arity {
        wrong("changed", &copied(4, change), &[Fault::Arity]);
    }
    let map = |consts: &[i64]| {
        let [input, output] = [0, 1].map(BufferId::new);
        program(8, &[], |_, _, _| {
            vec![call(
                "f32_map",
                &[to(output, 0, &[]), to(input, 0, &[])],
                consts,
            )]
        })
    };
    // Steps are as many as there are said to be.
    let steps = |count: i64, steps: &[i64]| map(&[&[1, 0, 0, 1, 0, 0, 8, count], steps].concat());
    sound("no step", &steps(0, &[]));
    sound("one step", &steps(1, &[2, 0]));
    sound("two steps", &steps(2, &[2, 0, 2, 0]));
    for (count, given) in [
        (1, &[][..]),
        (1, &[2]),
        (1, &[2, 0, 2]),
        (2, &[2, 0]),
        (0, &[2, 0]),
        (-1, &[]),
    ] {
        wrong(
            "another number of steps",
            &steps(count, given),
            &[Fault::Arity],
        );
    }
    wrong(
        "too short to say",
        &map(&[1, 0, 0, 1, 0, 0, 8]),
        &[Fault::Arity],
    );
    wrong(
        "a step that is none",
        &steps(1, &[-1, 0]),
        &[Fault::Constants],
    );
    wrong(
        "a negative count",
        &copied(4, |p| inner(p).consts[12] = -1),
        &[Fault::Constants],
    );
}

#[test]
fn weights_and_inputs_are_only_read() {
    for place in [
        Place::Input(0),
        Place::Input(1),
        Place::Weights,
        Place::Param(0),
    ] {
        let program = program(8, &[], |b, [input, output], _| {
            let fixed = b.buffer("fixed", place, 8);
            vec![
                run(to(fixed, 0, &[]), to(input, 0, &[]), 8),
                run(to(output, 0, &[]), to(input, 0, &[]), 8),
            ]
        });
        assert_eq!(
            faults(&program),
            [Fault::ReadOnly(BufferId::new(2))],
            "{place:?}"
        );
    }
}

#[test]
fn violations_say_where() {
    let mut program = copied(4, |_| {});
    let second = Section {
        node: None,
        label: "second".into(),
        whole: false,
        body: program.sections[0].body.split_off(1),
    };
    program.sections.push(second);
    let whole = program.clone();
    let said = |program: &Program| -> Vec<String> {
        let violations = verify(program).expect_err("it is wrong");
        violations.iter().map(ToString::to_string).collect()
    };
    let Stmt::Call(rest) = &mut program.sections[1].body[0] else {
        unreachable!()
    };
    output(rest).offset.base = 5;
    assert_eq!(
        said(&program),
        ["second: call 1 of f32_copy: `out` reaches b1[5..=8] of 8"]
    );
    inner(&mut program).kernel.0 = u16::MAX;
    outer(&mut program).trip = 0;
    assert_eq!(
        said(&program),
        [
            "layer: the loop over i0 never runs",
            "layer: no such kernel",
            "second: call 1 of f32_copy: `out` reaches b1[5..=8] of 8",
        ]
    );
    let mut program = whole;
    output(inner(&mut program)).offset.terms.clear();
    let race =
        "layer: call 0 of f32_copy: an iteration of i0 writes what is `out` of call 0 in another";
    assert_eq!(said(&program), [race, "output b1[2] is never written"]);
    program.buffers[BufferId::new(2)].place = Place::Arena(1);
    assert_eq!(said(&program), ["tensor: b2 is not inside the arena"]);
}

#[test]
fn state_is_read_and_written() {
    // Read before it is written, changed in place, and read again.
    let with = |from: i64| {
        program(8, &[], |b, [input, output], _| {
            let state = b.buffer("state", Place::State(0), 8);
            vec![
                run(to(output, 0, &[]), to(state, 0, &[]), 4),
                run(to(state, from, &[]), to(input, 0, &[]), 8),
                run(to(output, 4, &[]), to(state, 4, &[]), 4),
            ]
        })
    };
    assert_eq!(faults(&with(0)), []);
    assert_eq!(faults(&with(1)).len(), 1, "beyond its end");
}
