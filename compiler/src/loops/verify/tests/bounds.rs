//! Accesses out of bounds, and numbers too large to tell.

use super::build::*;
use super::form::{copied, inner, output};
use super::{faults, sound, wrong};
use crate::id::Id;
use crate::loops::verify::Fault;
use crate::loops::*;

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
