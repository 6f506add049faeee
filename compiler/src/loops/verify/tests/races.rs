//! Parallel loops in which exactly one pair of iterations meets, beside their likenesses without it.

use super::build::*;
use super::{faults, sound, wrong};
use crate::id::Id;
use crate::loops::verify::Fault;
use crate::loops::*;

fn race(with: usize, arg: &'static str) -> Fault {
    let var = VarId::new(0);
    Fault::Race { var, with, arg }
}

#[test]
fn two_writes_race() {
    // Iterations write through two calls, the second `shift` further on, whichever comes first.
    let pair = |shift: i64, stride: i64, swapped: bool| {
        changed(4, |_, i, x| {
            let first = fill(to(x, 10, &[(i, stride)]), (1, 0), 2);
            let second = fill(to(x, 10 + shift, &[(i, stride)]), (1, 0), 2);
            if swapped {
                vec![second, first]
            } else {
                vec![first, second]
            }
        })
    };
    for swapped in [false, true] {
        sound("beside", &pair(2, 4, swapped));
        sound("over", &pair(1, 4, swapped));
        wrong("the next", &pair(3, 4, swapped), &[race(2, "out")]);
        wrong("the one before", &pair(-3, 4, swapped), &[race(2, "out")]);
    }
    let each = [race(1, "out"), race(2, "out")];
    wrong("both by themselves", &pair(20, 1, false), &each);
    let all = [race(1, "out"), race(2, "out"), race(2, "out")];
    wrong("both, and each other", &pair(0, 1, false), &all);
}

#[test]
fn reads_and_writes_race_in_each_direction() {
    let step = |from: i64| {
        changed(5, |_, i, x| {
            vec![run(to(x, 16, &[(i, 2)]), to(x, from, &[(i, 2)]), 1)]
        })
    };
    sound("what nobody writes", &step(0));
    sound("between", &step(15));
    wrong(
        "what the iteration before writes",
        &step(14),
        &[race(1, "x")],
    );
    wrong("what the next iteration writes", &step(18), &[race(1, "x")]);
    wrong(
        "what the last writes, by the first",
        &step(24),
        &[race(1, "x")],
    );
    sound("what one behind the last would write", &step(26));
    wrong(
        "what the first writes, by the last",
        &step(8),
        &[race(1, "x")],
    );
    sound("what one before the first would write", &step(6));
}

#[test]
fn every_input_races() {
    let sum = |a: i64, b: i64| {
        changed(4, |_, i, x| {
            let mut consts = vec![1, 0, 0, 0, 1, 0, 0, 0, 2, 0];
            consts.extend(linear());
            let args = [8, a, b].map(|base| to(x, base, &[(i, 2)]));
            vec![call("f32_zip", &args, &consts)]
        })
    };
    sound("what nobody writes", &sum(20, 0));
    wrong("the first", &sum(11, 0), &[race(1, "a")]);
    wrong("the second", &sum(20, 11), &[race(1, "b")]);
    wrong("the second", &sum(20, 1), &[race(1, "b")]);
}

#[test]
fn inner_loops_of_either_access_race() {
    // The write is two elements wide, the read has a loop of `trip`; and the other way round.
    let reads = |trip: u32| {
        changed(4, |b, i, x| {
            let write = fill(to(x, 0, &[(i, 4)]), (1, 0), 2);
            let read = b.repeat(trip, false, |_, j| {
                vec![run(
                    to(x, 20, &[(i, 4), (j, 1)]),
                    to(x, 2, &[(i, 4), (j, 1)]),
                    1,
                )]
            });
            vec![write, read]
        })
    };
    sound("reads beside writes", &reads(2));
    wrong("reads into the next", &reads(3), &[race(2, "x")]);
    let writes = |trip: u32| {
        changed(4, |b, i, x| {
            let read = run(to(x, 20, &[(i, 4)]), to(x, 2, &[(i, 4)]), 2);
            let write = b.repeat(trip, false, |_, j| {
                vec![fill(to(x, 0, &[(i, 4), (j, 1)]), (1, 0), 1)]
            });
            vec![read, write]
        })
    };
    sound("writes beside reads", &writes(4));
    wrong("writes into the next", &writes(5), &[race(2, "out")]);
    // Writes that meet no other write, but what the iteration before reads.
    let ahead = |trip: u32| {
        changed(4, |b, i, x| {
            let read = run(to(x, 7, &[(i, 8)]), to(x, 12, &[(i, 8)]), 1);
            let write = b.repeat(trip, false, |_, j| {
                vec![fill(to(x, 0, &[(i, 8), (j, 1)]), (1, 0), 1)]
            });
            vec![read, write]
        })
    };
    sound("writes up to reads", &ahead(4));
    wrong("writes onto reads", &ahead(5), &[race(1, "x")]);
    // Both have one: iterations are four apart, and the loops meet three further on.
    let both = |first: u32, second: u32| {
        changed(4, |b, i, x| {
            let low = b.repeat(first, false, |_, j| {
                vec![fill(to(x, 0, &[(i, 4), (j, 1)]), (1, 0), 1)]
            });
            let high = b.repeat(second, false, |_, j| {
                vec![fill(to(x, 2, &[(i, 4), (j, 1)]), (1, 0), 1)]
            });
            vec![low, high]
        })
    };
    sound("loops beside loops", &both(4, 2));
    wrong(
        "the second loop into the next",
        &both(4, 3),
        &[race(2, "out")],
    );
}

#[test]
fn iterations_that_move_apart_race() {
    // Write and read have different strides, so pairs of iterations are looked at.
    let step = |base: i64, stride: i64| {
        changed(5, |_, i, x| {
            vec![run(to(x, 0, &[(i, 2)]), to(x, base, &[(i, stride)]), 1)]
        })
    };
    sound("odd elements", &step(1, 4));
    sound("one element that nobody writes", &step(9, 0));
    wrong(
        "one element that the last writes",
        &step(8, 0),
        &[Fault::Alias("x"), race(1, "x")],
    );
    wrong(
        "every second",
        &step(0, 4),
        &[Fault::Alias("x"), race(1, "x")],
    );
    // Two iterations, of which only the one reads what the other writes.
    let pair = |write: (i64, i64), read: (i64, i64)| {
        changed(2, |_, i, x| {
            vec![run(
                to(x, write.0, &[(i, write.1)]),
                to(x, read.0, &[(i, read.1)]),
                1,
            )]
        })
    };
    wrong("the first reads", &pair((0, 10), (10, 20)), &[race(1, "x")]);
    wrong(
        "the second reads",
        &pair((0, 10), (20, -20)),
        &[race(1, "x")],
    );
    sound("neither", &pair((0, 10), (5, 20)));
    // In the third iteration both are at 8, and the first would be where a sixth reads.
    let crossing = changed(5, |_, i, x| {
        vec![
            run(to(x, 30, &[(i, 1)]), to(x, 4, &[(i, 2)]), 1),
            fill(to(x, 14, &[(i, -3)]), (1, 0), 1),
        ]
    });
    sound("in one iteration only", &crossing);
    // Iteration 4 reads what iteration 0 writes, and nothing else is met.
    wrong("the first, by the last", &step(28, -7), &[race(1, "x")]);
    wrong("the last, by the first", &step(8, 7), &[race(1, "x")]);
    sound(
        "itself only",
        &changed(5, |_, i, x| {
            vec![relu(to(x, 4, &[(i, 1)]), to(x, 4, &[(i, 1)]), [1, 0, 0], 1)]
        }),
    );
}

#[test]
fn too_many_pairs_of_iterations_are_no_proof() {
    let long = |trip: u32| {
        let n = 3 * trip as usize;
        program(n, &[(0, n)], |b, [input, output], t| {
            let all = run(to(t[0], 0, &[]), to(input, 0, &[]), n as i64);
            // Sound, whatever the number of iterations.
            let change = b.repeat(trip, true, |_, i| {
                vec![run(to(t[0], 0, &[(i, 2)]), to(t[0], 1, &[(i, 0)]), 1)]
            });
            vec![
                all,
                change,
                run(to(output, 0, &[]), to(t[0], 0, &[]), n as i64),
            ]
        })
    };
    assert_eq!(faults(&long(1 << 14)), []);
    assert_eq!(faults(&long((1 << 14) + 1)), [Fault::Effort]);
}

#[test]
fn iterations_that_change_the_same_state_race() {
    let with = |stride: i64| {
        changed(4, |b, i, _| {
            let state = b.buffer("state", Place::State(0), 8);
            vec![fill(to(state, 0, &[(i, stride)]), (1, 0), 2)]
        })
    };
    sound("beside", &with(2));
    for stride in [0, 1] {
        wrong("over", &with(stride), &[race(1, "out")]);
    }
}
