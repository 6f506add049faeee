//! Reads of what is lost: another buffer has written the memory that both share.

use super::build::*;
use super::order::unwritten;
use super::{sound, wrong};

#[test]
fn memory_that_a_loop_shares_is_lost() {
    // Two tensors in one place, by turns: the second is written where the first is, and then the first is read.
    let turns = |order: &[usize], shift: usize, parallel: bool| {
        program(12, &[(0, 4), (shift, 4)], |b, [input, output], t| {
            let first = run(to(t[0], 0, &[]), to(input, 0, &[]), 4);
            let round = b.repeat(3, parallel, |_, i| {
                let steps = [
                    run(to(t[0], 0, &[]), to(input, 0, &[(i, 4)]), 4),
                    run(to(t[1], 0, &[]), to(input, 0, &[(i, 4)]), 4),
                    run(to(output, 0, &[(i, 4)]), to(t[0], 0, &[]), 4),
                    run(to(output, 0, &[(i, 4)]), to(t[1], 0, &[]), 4),
                ];
                order.iter().map(|&index| steps[index].clone()).collect()
            });
            vec![first, round]
        })
    };
    sound("written again", &turns(&[1, 0, 2], 0, false));
    sound("both, by turns", &turns(&[0, 2, 1, 3], 0, false));
    sound("beside", &turns(&[0, 1, 2], 4, false));
    wrong(
        "lost in the same iteration",
        &turns(&[0, 1, 2], 3, false),
        &[unwritten(2, 3)],
    );
    // Written before the loop, and lost after the first iteration has read it.
    wrong(
        "lost in the iteration before",
        &turns(&[2, 1], 0, false),
        &[unwritten(2, 0)],
    );
    wrong(
        "a part of it",
        &turns(&[2, 1], 2, false),
        &[unwritten(2, 2)],
    );
    sound("never lost", &turns(&[2, 1], 4, false));
}

/// The loop takes from a tensor that it reads, and from one that only others read.
#[test]
fn memory_of_three_is_lost() {
    let three = |shift: usize| {
        program(4, &[(0, 4), (0, 4), (shift, 4)], |b, [input, output], t| {
            let write = |index: usize| run(to(t[index], 0, &[]), to(input, 0, &[]), 4);
            let first = vec![
                write(1),
                run(to(output, 0, &[]), to(t[1], 0, &[]), 4),
                write(2),
            ];
            let round = b.repeat(2, false, |_, _| {
                vec![run(to(output, 0, &[]), to(t[2], 0, &[]), 4), write(0)]
            });
            let last = vec![write(1), run(to(output, 0, &[]), to(t[1], 0, &[]), 4)];
            [first, vec![round], last].concat()
        })
    };
    sound("beside", &three(4));
    wrong("in one element", &three(3), &[unwritten(4, 0)]);
}

/// A tensor that is no longer in use lies in the same place, between the beginnings of the two that share.
#[test]
fn memory_is_lost_whoever_had_it_before() {
    let three = |place: usize| {
        program(8, &[(2, 2), (0, 8), (place, 4)], |_, [input, output], t| {
            let write = |index: usize, n| run(to(t[index], 0, &[]), to(input, 0, &[]), n);
            let last = run(to(output, 0, &[]), to(t[1], 0, &[]), 8);
            vec![write(0, 2), write(1, 8), write(2, 4), last]
        })
    };
    sound("beside", &three(8));
    wrong("its end", &three(4), &[unwritten(3, 4)]);
    wrong("its last element", &three(7), &[unwritten(3, 7)]);
}

#[test]
fn memory_that_loops_inside_share_is_lost() {
    let nested = |shift: usize| {
        program(4, &[(0, 4), (shift, 4)], |b, [input, output], t| {
            let first = run(to(t[0], 0, &[]), to(input, 0, &[]), 4);
            let round = b.repeat(2, false, |b, _| {
                let read = b.repeat(4, false, |_, j| {
                    vec![run(to(output, 0, &[(j, 1)]), to(t[0], 0, &[(j, 1)]), 1)]
                });
                let write = b.repeat(4, false, |_, j| {
                    vec![run(to(t[1], 0, &[(j, 1)]), to(input, 0, &[(j, 1)]), 1)]
                });
                vec![read, write]
            });
            vec![first, round]
        })
    };
    sound("beside", &nested(4));
    wrong("in the same place", &nested(0), &[unwritten(2, 0)]);
    wrong("in one element", &nested(3), &[unwritten(2, 3)]);
}

/// Each round reads what the round before has lost, of which its last iteration knows nothing.
#[test]
fn memory_is_lost_from_round_to_round() {
    let rounds = |place: usize| {
        program(2, &[(0, 3), (place, 1)], |b, [input, output], t| {
            let write = |index: usize| run(to(t[index], 0, &[]), to(input, 0, &[]), 1);
            let round = b.repeat(2, false, |b, _| {
                let each = b.repeat(2, false, |_, k| {
                    vec![
                        run(to(output, 0, &[(k, 1)]), to(t[0], 0, &[(k, 1)]), 1),
                        run(to(t[0], 1, &[(k, 1)]), to(input, 0, &[]), 1),
                    ]
                });
                vec![each, write(1)]
            });
            vec![write(0), round]
        })
    };
    sound("beside", &rounds(3));
    sound("what nobody reads", &rounds(2));
    wrong("the first", &rounds(0), &[unwritten(2, 0)]);
}
