//! Programs that are not well formed, and accesses out of bounds: each with what is found, and where.

use super::build::*;
use super::{faults, sound, wrong};
use crate::id::Id;
use crate::loops::verify::{Fault, verify};
use crate::loops::*;

/// A copy of `n` elements from the input to the output, changed before it is looked at.
fn copied(n: i64, change: impl FnOnce(&mut Program)) -> Program {
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

fn inner(program: &mut Program) -> &mut Call {
    match &mut outer(program).body[0] {
        Stmt::Call(call) => call,
        Stmt::For(_) => unreachable!("there is one loop"),
    }
}

fn output(call: &mut Call) -> &mut Access {
    call.args[0].as_mut().expect("every call has one")
}

#[test]
fn names_mean_something() {
    sound("as it is", &copied(4, |_| {}));
    let var = VarId::new(0);
    let none = |what| vec![Fault::Unknown(what)];
    let cases: [(Vec<Fault>, fn(&mut Program)); 9] = [
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
fn accesses_are_in_bounds() {
    let beyond = |arg, buffer, range| Fault::Bounds {
        arg,
        buffer: BufferId::new(buffer),
        range,
        len: 8,
    };
    let base = |base: i64, arg: usize| {
        copied(4, |p| {
            inner(p).args[arg]
                .as_mut()
                .expect("both are there")
                .offset
                .base = base
        })
    };
    wrong("below", &base(-1, 0), &[beyond("out", 1, (-1, 2))]);
    wrong("below", &base(-1, 1), &[beyond("x", 0, (-1, 2))]);
    wrong("above", &base(5, 0), &[beyond("out", 1, (5, 8))]);
    wrong("above", &base(5, 1), &[beyond("x", 0, (5, 8))]);
    sound("to the end", &base(4, 1));
    // Downwards, with a loop and in the kernel.
    let backwards = |base: i64| {
        copied(4, |p| {
            let access = inner(p).args[1].as_mut().expect("the operand");
            access.offset.base = base;
            access.offset.terms[0].1 = -2;
            inner(p).consts[14] = -1;
        })
    };
    sound("down to the first", &backwards(3));
    wrong(
        "down to one before the first",
        &backwards(2),
        &[beyond("x", 0, (-1, 2))],
    );
    sound("from the last", &backwards(7));
    wrong(
        "from behind the last",
        &backwards(8),
        &[beyond("x", 0, (5, 8))],
    );
    // Each of two variables, up and down.
    let nested = |base: i64, factors: [i64; 2]| {
        program(8, &[], |b, [input, output], _| {
            let each = b.repeat(2, true, |b, i| {
                let body = |_: &mut Build, j| {
                    let out = to(output, base, &[(i, factors[0]), (j, factors[1])]);
                    vec![run(out, to(input, 0, &[]), 1)]
                };
                vec![b.repeat(4, false, body)]
            });
            vec![each, run(to(output, 0, &[]), to(input, 0, &[]), 8)]
        })
    };
    sound("up", &nested(0, [4, 1]));
    sound("up and down", &nested(3, [4, -1]));
    for (factors, range) in [
        ([4, 2], (0, 10)),
        ([5, 1], (0, 8)),
        ([1, 4], (0, 13)),
        ([4, -1], (-3, 4)),
        ([-1, 2], (-1, 6)),
    ] {
        let beyond = [beyond("out", 1, range)];
        wrong("too far", &nested(0, factors), &beyond);
    }
    // A variable that stands twice moves as both say.
    let double = |factor: i64| {
        copied(4, |p| {
            output(inner(p)).offset.terms =
                vec![(VarId::new(0), factor), (VarId::new(0), 2 - factor)]
        })
    };
    sound("the sum", &double(100));
    sound("nothing and all", &double(0));
    // What touches nothing may point anywhere.
    sound(
        "nothing",
        &program(8, &[], |_, [input, output], _| {
            vec![
                run(to(output, 1 << 60, &[]), to(input, -5, &[]), 0),
                run(to(output, 0, &[]), to(input, 0, &[]), 8),
            ]
        }),
    );
    // A kernel whose footprint begins behind its pointer.
    let rows = |base: i64, from: i64| {
        copied(4, |p| {
            let consts = [1, 1, 1, 1, 4, 2, 2, 1, 1, 0, from, from + 2];
            let args = [
                to(BufferId::new(1), base, &[]),
                to(BufferId::new(0), 0, &[]),
            ];
            p.sections[0]
                .body
                .push(call("f32_bilinear", &args, &consts));
        })
    };
    sound("rows from the first", &rows(0, 0));
    sound("rows from the second", &rows(0, 2));
    wrong(
        "rows from the third",
        &rows(0, 3),
        &[beyond("out", 1, (6, 9))],
    );
    wrong(
        "rows before the first",
        &rows(0, -1),
        &[beyond("out", 1, (-2, 1))],
    );
    let arena = |arena: usize, place: usize| {
        copied(4, |p| {
            p.arena = arena;
            p.buffers[BufferId::new(2)].place = Place::Arena(place);
        })
    };
    sound("a buffer at the end of the arena", &arena(9, 5));
    wrong(
        "behind the end",
        &arena(9, 6),
        &[Fault::Place(BufferId::new(2))],
    );
    wrong("no arena", &arena(0, 0), &[Fault::Place(BufferId::new(2))]);
}

#[test]
fn weights_and_inputs_are_only_read() {
    for place in [Place::Input(0), Place::Input(1), Place::Weights] {
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

/// Numbers with which sums or products could overflow are not looked at any further.
#[test]
fn numbers_have_limits() {
    const LIMIT: i64 = 1 << 48;
    let huge = |len: i64| copied(4, |p| p.buffers[BufferId::new(0)].len = len as usize);
    assert_eq!(faults(&huge(LIMIT - 1)), []);
    assert_eq!(faults(&huge(LIMIT)), [Fault::Limit]);
    let arena = |arena: i64| copied(4, |p| p.arena = arena as usize);
    assert_eq!(faults(&arena(LIMIT - 1)), []);
    assert_eq!(faults(&arena(LIMIT))[0], Fault::Limit);
    // A factor, the sum of two, and where they lead.
    let terms = |terms: &[i64]| {
        copied(4, |p| {
            p.buffers[BufferId::new(0)].len = LIMIT as usize - 1;
            let access = inner(p).args[1].as_mut().expect("the operand");
            access.offset.base = 0;
            access.offset.terms = terms
                .iter()
                .map(|&factor| (VarId::new(0), factor))
                .collect();
        })
    };
    assert_eq!(faults(&terms(&[LIMIT - 3])), []);
    assert_eq!(faults(&terms(&[LIMIT])), [Fault::Limit]);
    assert_eq!(faults(&terms(&[-LIMIT])), [Fault::Limit]);
    assert_eq!(faults(&terms(&[LIMIT - 1, 1 - LIMIT, 2])), []);
    assert_eq!(faults(&terms(&[LIMIT - 1, LIMIT - 1])), [Fault::Limit]);
    assert_eq!(faults(&terms(&[LIMIT, 2 - LIMIT])), [Fault::Limit]);
    // Strides in the kernel, and how often it looks.
    let reads = |count: i64, stride: i64, run: i64| {
        copied(4, |p| {
            p.buffers[BufferId::new(0)].len = LIMIT as usize - 1;
            p.sections[0].body.push(call(
                "f32_pool_max",
                &[to(BufferId::new(2), 0, &[]), to(BufferId::new(0), 0, &[])],
                &[1, 0, 0, 1, 0, 0, count, stride, run, 0, 1, 0, 1],
            ));
        })
    };
    const LARGE: i64 = (1 << 31) + 1;
    assert_eq!(faults(&reads(1 << 16, LARGE - 1, 1)), []);
    assert_eq!(faults(&reads((1 << 18) + 1, 1 << 30, 1)), [Fault::Limit]);
    assert_eq!(faults(&reads((1 << 18) + 1, -(1 << 30), 1)), [Fault::Limit]);
    assert_eq!(faults(&reads(2, LARGE, 1)), [Fault::Limit]);
    assert_eq!(faults(&reads(2, -LARGE, 1)), [Fault::Limit]);
    assert_eq!(faults(&reads(LARGE - 1, 0, 1 << 16)), []);
    assert_eq!(faults(&reads(1 << 24, 0, 1 << 24)), [Fault::Limit]);
    // Floats among the constants are 32 bits, whatever they mean as a number.
    let value = |value: i64| {
        copied(4, |p| {
            let consts = [1, 0, 1, 0, 1, 0, 4, value];
            p.sections[0]
                .body
                .push(call("f32_fill", &[to(BufferId::new(2), 0, &[])], &consts));
        })
    };
    assert_eq!(faults(&value((1 << 32) - 1)), []);
    assert_eq!(faults(&value(1 << 32)), [Fault::Limit]);
}

#[test]
fn violations_say_where() {
    let mut program = copied(4, |_| {});
    let second = Section {
        node: None,
        label: "second".into(),
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
