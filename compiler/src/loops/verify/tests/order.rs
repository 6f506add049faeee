//! Reads of what is not there: never written, or written too late.

use super::build::*;
use super::{sound, wrong};
use crate::id::Id;
use crate::loops::verify::Fault;
use crate::loops::*;

/// A read of that element as `x`.
pub fn unwritten(buffer: usize, element: i64) -> Fault {
    let (arg, buffer) = ("x", BufferId::new(buffer));
    Fault::Uninitialised {
        arg,
        buffer,
        element,
    }
}

#[test]
fn an_iteration_reads_what_it_has_written() {
    // Scratch memory of four elements for each iteration, or for all; written in part, read as a whole.
    let scratch = |written: i64, factor: i64, before: bool| {
        program(12, &[(0, 12)], |b, [input, output], t| {
            let mut body = Vec::new();
            if before {
                body.push(fill(to(t[0], 0, &[]), (1, 0), 12));
            }
            body.push(b.repeat(3, false, |_, i| {
                vec![
                    run(
                        to(t[0], 0, &[(i, factor)]),
                        to(input, 0, &[(i, 4)]),
                        written,
                    ),
                    run(to(output, 0, &[(i, 4)]), to(t[0], 0, &[(i, factor)]), 4),
                ]
            }));
            body
        })
    };
    for factor in [0, 4] {
        sound("all of it", &scratch(4, factor, false));
        wrong(
            "all but one",
            &scratch(3, factor, false),
            &[unwritten(2, 3)],
        );
        sound(
            "all but one, which was there before",
            &scratch(3, factor, true),
        );
    }
    // Written by each iteration for the next; the first finds nothing, or finds it written.
    let carried = |before: bool| {
        program(12, &[(0, 16)], |b, [input, output], t| {
            let mut body = Vec::new();
            if before {
                body.push(fill(to(t[0], 0, &[]), (1, 0), 4));
            }
            body.push(b.repeat(3, false, |_, i| {
                vec![
                    run(to(output, 0, &[(i, 4)]), to(t[0], 0, &[(i, 4)]), 4),
                    run(to(t[0], 4, &[(i, 4)]), to(input, 0, &[(i, 4)]), 4),
                ]
            }));
            body
        })
    };
    sound("from iteration to iteration", &carried(true));
    wrong("from nowhere", &carried(false), &[unwritten(2, 0)]);
    // Each iteration reads what all of them write.
    let early = program(12, &[(0, 3)], |b, [input, output], t| {
        vec![b.repeat(3, false, |_, i| {
            vec![
                run(to(t[0], 0, &[(i, 1)]), to(input, 0, &[(i, 1)]), 1),
                copy(
                    to(output, 0, &[(i, 4)]),
                    to(t[0], 0, &[]),
                    &[[2, 2, 0], [2, 1, 1]],
                ),
            ]
        })]
    });
    wrong("what later iterations write", &early, &[unwritten(2, 1)]);
}

/// Every input of a call, and outputs as any other tensor.
#[test]
fn everything_that_is_read_is_written_before() {
    let sum = |written: i64| {
        program(4, &[(0, 4), (4, 4)], |_, [input, output], t| {
            let mut consts = vec![1, 0, 0, 0, 1, 0, 0, 0, 4, 0];
            consts.extend(linear());
            let args = [output, t[0], t[1]].map(|buffer| to(buffer, 0, &[]));
            vec![
                run(to(t[0], 0, &[]), to(input, 0, &[]), 4),
                run(to(t[1], 0, &[]), to(input, 0, &[]), written),
                call("f32_zip", &args, &consts),
            ]
        })
    };
    sound("both inputs", &sum(4));
    let second = Fault::Uninitialised {
        arg: "b",
        buffer: BufferId::new(3),
        element: 3,
    };
    wrong("all but one of the second", &sum(3), &[second]);
    let again = |early: i64| {
        program(4, &[(0, 4)], |_, [input, output], t| {
            vec![
                run(to(output, 0, &[]), to(input, 0, &[]), early),
                run(to(t[0], 0, &[]), to(output, 0, &[]), 4),
                run(to(output, 0, &[]), to(t[0], 0, &[]), 4),
            ]
        })
    };
    sound("an output", &again(4));
    wrong("an output too early", &again(3), &[unwritten(1, 3)]);
}

/// What the last write leaves of a read is more than one set, and each of them counts.
#[test]
fn every_rest_is_written_before() {
    let holes = |early: &[(i64, i64)], lost: Option<usize>| {
        let place = lost.unwrap_or(9);
        program(9, &[(0, 9), (place, 1)], |_, [input, output], t| {
            let write =
                |out: BufferId, at: i64, n: i64| run(to(out, at, &[]), to(input, 0, &[]), n);
            let mut body: Vec<Stmt> = early.iter().map(|&(at, n)| write(t[0], at, n)).collect();
            body.push(write(t[1], 0, 1));
            body.push(write(t[0], 4, 1));
            body.push(run(to(output, 0, &[]), to(t[0], 0, &[]), 9));
            body.push(run(to(output, 0, &[]), to(t[1], 0, &[]), 1));
            body
        })
    };
    sound("all", &holes(&[(0, 9)], None));
    sound("both sides", &holes(&[(0, 4), (5, 4)], None));
    wrong(
        "one side but for its first",
        &holes(&[(0, 4), (6, 3)], None),
        &[unwritten(2, 5)],
    );
    wrong(
        "one side but for its last",
        &holes(&[(5, 4), (0, 3)], None),
        &[unwritten(2, 3)],
    );
    wrong(
        "lost on the one side",
        &holes(&[(0, 9)], Some(2)),
        &[unwritten(2, 2)],
    );
    wrong(
        "lost on the other side",
        &holes(&[(0, 9)], Some(7)),
        &[unwritten(2, 7)],
    );
    // The same in each iteration: what is around the second of four must have been there before.
    let around = |rows: [i64; 2]| {
        program(12, &[(0, 12)], |b, [input, output], t| {
            let mut body = Vec::new();
            for ((at, n), rows) in [((0, 1), rows[0]), ((2, 2), rows[1])] {
                let dims = [[rows, 4, 4], [n, 1, 1]];
                body.push(copy(to(t[0], at, &[]), to(input, 0, &[]), &dims));
            }
            body.push(b.repeat(3, false, |_, i| {
                vec![
                    run(to(t[0], 1, &[(i, 4)]), to(input, 0, &[]), 1),
                    run(to(output, 0, &[(i, 4)]), to(t[0], 0, &[(i, 4)]), 4),
                ]
            }));
            body
        })
    };
    sound("of all iterations", &around([3, 3]));
    wrong(
        "before it, but for the last",
        &around([2, 3]),
        &[unwritten(2, 8)],
    );
    wrong(
        "behind it, but for the last",
        &around([3, 2]),
        &[unwritten(2, 10)],
    );
    wrong(
        "behind it, in the first only",
        &around([3, 1]),
        &[unwritten(2, 6)],
    );
}

/// Two calls of an iteration that write side by side in the first, and then move apart.
#[test]
fn what_moves_apart_is_not_one() {
    let pair = |factor: i64, from: i64| {
        program(12, &[(0, 24)], |b, [input, output], t| {
            vec![b.repeat(3, false, |_, i| {
                let write = |base: i64, factor: i64| {
                    run(to(t[0], base, &[(i, factor)]), to(input, 0, &[]), 2)
                };
                let read = run(to(output, 0, &[(i, 4)]), to(t[0], 0, &[(i, from)]), 4);
                vec![write(0, factor), write(2, 4), read]
            })]
        })
    };
    sound("together", &pair(4, 4));
    wrong("apart", &pair(8, 4), &[unwritten(2, 4)]);
    wrong("apart", &pair(8, 8), &[unwritten(2, 10)]);
    wrong("one of them rests", &pair(0, 4), &[unwritten(2, 4)]);
}

#[test]
fn loops_inside_have_variables_of_their_own() {
    // An inner loop writes rows of two, another reads them, backwards or not, and one more of them or not.
    let rows = |count: u32, backwards: bool| {
        program(24, &[(0, 24)], |b, [input, output], t| {
            vec![b.repeat(3, true, |b, i| {
                let write = b.repeat(4, false, |_, j| {
                    vec![run(
                        to(t[0], 0, &[(i, 8), (j, 2)]),
                        to(input, 0, &[(i, 8), (j, 2)]),
                        2,
                    )]
                });
                let mut read = Vec::new();
                read.push(b.repeat(count, false, |_, k| {
                    let (base, factor) = if backwards { (6, -2) } else { (0, 2) };
                    vec![run(
                        to(output, 0, &[(i, 8), (k, 2)]),
                        to(t[0], base, &[(i, 8), (k, factor)]),
                        2,
                    )]
                }));
                if count < 4 {
                    read.push(fill(to(output, 6, &[(i, 8)]), (1, 0), 2));
                }
                [vec![write], read].concat()
            })]
        })
    };
    for backwards in [false, true] {
        sound("all rows", &rows(4, backwards));
        sound("some rows", &rows(3, backwards));
    }
}

#[test]
fn outputs_are_written_to_the_end() {
    let all = |n: i64, shift: i64| {
        program(8, &[], |_, [input, output], _| {
            vec![run(to(output, shift, &[]), to(input, 0, &[]), n)]
        })
    };
    let missing = |element: i64| {
        [Fault::Unwritten {
            buffer: BufferId::new(1),
            element,
        }]
    };
    // A kernel whose footprint begins behind its pointer: four elements, of which the first is twice the row.
    let rows = |row: i64| {
        program(8, &[], |_, [input, output], _| {
            let consts = [1, 1, 1, 1, 4, 2, 2, 1, 1, 0, row, row + 2];
            let args = [to(output, 0, &[]), to(input, 0, &[])];
            vec![
                run(to(output, 4, &[]), to(input, 0, &[]), 4),
                call("f32_bilinear", &args, &consts),
            ]
        })
    };
    sound("rows from the first", &rows(0));
    wrong("rows from the second", &rows(1), &missing(0));
    wrong("rows from the third", &rows(2), &missing(0));
    let two = |second: i64| {
        let mut program = all(8, 0);
        let late = program.buffers.push(Buffer {
            len: 4,
            place: Place::Output(1),
            name: "late".into(),
        });
        let body = &mut program.sections[0].body;
        body.push(run(to(late, 0, &[]), to(BufferId::new(0), 0, &[]), second));
        program
    };
    sound("both outputs", &two(4));
    let last = Fault::Unwritten {
        buffer: BufferId::new(2),
        element: 3,
    };
    wrong("the second but for its last", &two(3), &[last]);
    sound("all", &all(8, 0));
    wrong("all but the last", &all(7, 0), &missing(7));
    wrong("all but the first", &all(7, 1), &missing(0));
    wrong(
        "nothing",
        &program(8, &[], |_, _, _| Vec::new()),
        &missing(0),
    );
    sound(
        "there is nothing to write",
        &program(0, &[], |_, _, _| Vec::new()),
    );
}
