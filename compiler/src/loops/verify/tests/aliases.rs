//! Calls that meet themselves: outputs that overlap inputs, elements that are written twice.

use super::build::*;
use super::{sound, wrong};
use crate::loops::verify::Fault;

#[test]
fn outputs_meet_inputs() {
    let step = |at: i64, from: i64, n: i64| {
        changed(1, |_, _, x| vec![run(to(x, at, &[]), to(x, from, &[]), n)])
    };
    sound("beside", &step(10, 5, 5));
    wrong("in one element", &step(10, 6, 5), &[Fault::Alias("x")]);
    wrong("in the last", &step(10, 14, 5), &[Fault::Alias("x")]);
    sound("behind", &step(10, 15, 5));
    // The other input of two.
    let zip = |b: i64| {
        changed(1, |_, _, x| {
            let mut consts = vec![1, 0, 0, 0, 1, 0, 0, 0, 4, 0];
            consts.extend(linear());
            vec![call(
                "f32_zip",
                &[to(x, 10, &[]), to(x, 10, &[]), to(x, b, &[])],
                &consts,
            )]
        })
    };
    sound("the first input in place", &zip(20));
    wrong("the second input in place", &zip(10), &[Fault::Alias("b")]);
}

#[test]
fn in_place_is_the_same_elements_in_the_same_order() {
    // Rows of one element, of what is read: base, row stride, and factor of the loop.
    let step = |base: i64, row: i64, factor: i64| {
        changed(3, |_, i, x| {
            vec![relu(
                to(x, 8, &[(i, 8)]),
                to(x, base, &[(i, factor)]),
                [3, 2, row],
                1,
            )]
        })
    };
    sound("the same", &step(8, 2, 8));
    wrong("backwards", &step(12, -2, 8), &[Fault::Alias("x")]);
    wrong("other rows", &step(8, 1, 8), &[Fault::Alias("x")]);
    let two = |stride: i64| {
        changed(1, |_, _, x| {
            vec![relu(to(x, 8, &[]), to(x, 8, &[]), [2, 2, stride], 1)]
        })
    };
    sound("both of two", &two(2));
    let one = |_: &mut Build, _, x| vec![relu(to(x, 8, &[]), to(x, 8, &[]), [1, 3, 5], 4)];
    sound("a row that is the only one", &changed(1, one));
    wrong("the first of two", &two(4), &[Fault::Alias("x")]);
    wrong("later", &step(10, 2, 8), &[Fault::Alias("x")]);
    // In place in the first iteration, elsewhere in the second.
    let apart = |factor: i64| {
        changed(1, |b, _, x| {
            let body = |_: &mut Build, j| {
                vec![relu(
                    to(x, 8, &[(j, 1)]),
                    to(x, 8, &[(j, factor)]),
                    [1, 0, 0],
                    1,
                )]
            };
            vec![b.repeat(2, false, body)]
        })
    };
    sound("in both", &apart(1));
    // A variable that is named and moves nothing.
    let named = changed(3, |_, i, x| {
        let from = to(x, 8, &[(i, 8), (i, 3), (i, -3)]);
        vec![relu(to(x, 8, &[(i, 8)]), from, [1, 0, 0], 4)]
    });
    sound("the same in the end", &named);
    let named = changed(1, |b, _, x| {
        let body = |_: &mut Build, j| vec![relu(to(x, 8, &[(j, 0)]), to(x, 8, &[]), [1, 0, 0], 4)];
        vec![b.repeat(2, false, body)]
    });
    sound("moved by nothing", &named);
    wrong("the first only", &apart(2), &[Fault::Alias("x")]);
    wrong("the first only", &apart(0), &[Fault::Alias("x")]);
    // A loop that only one of both moves with.
    let inner = changed(1, |b, _, x| {
        vec![b.repeat(2, false, |_, j| {
            vec![relu(to(x, 8, &[]), to(x, 8, &[(j, 1)]), [1, 0, 0], 4)]
        })]
    });
    wrong("moved", &inner, &[Fault::Alias("x")]);
    let inner = changed(1, |b, _, x| {
        vec![b.repeat(2, false, |_, j| {
            vec![relu(to(x, 8, &[(j, 1)]), to(x, 8, &[]), [1, 0, 0], 4)]
        })]
    });
    wrong("resting", &inner, &[Fault::Alias("x")]);
    // Another buffer, which begins at the same element but not at the same address.
    let other = |place: usize| {
        program(8, &[(0, 8), (place, 8)], |_, [input, output], t| {
            let all = run(to(t[0], 0, &[]), to(input, 0, &[]), 8);
            let change = relu(to(t[1], 0, &[]), to(t[0], 0, &[]), [1, 0, 0], 8);
            vec![all, change, run(to(output, 0, &[]), to(t[1], 0, &[]), 8)]
        })
    };
    sound("another buffer in the same place", &other(0));
    sound("another buffer beside", &other(8));
    wrong("another buffer further on", &other(4), &[Fault::Alias("x")]);
    // A kernel that does not work in place.
    wrong(
        "a copy onto itself",
        &changed(1, |_, _, x| vec![run(to(x, 8, &[]), to(x, 8, &[]), 4)]),
        &[Fault::Alias("x")],
    );
}

#[test]
fn elements_are_written_once() {
    let step = |dims: &[[i64; 2]]| {
        program(40, &[(0, 40)], |_, [input, output], t| {
            let dims: Vec<[i64; 3]> = dims
                .iter()
                .map(|&[count, stride]| [count, stride, 0])
                .collect();
            let all = run(to(t[0], 0, &[]), to(input, 0, &[]), 40);
            let change = copy(to(t[0], 4, &[]), to(input, 0, &[]), &dims);
            vec![all, change, run(to(output, 0, &[]), to(t[0], 0, &[]), 40)]
        })
    };
    sound("rows", &step(&[[3, 8], [4, 1]]));
    sound("rows that touch", &step(&[[3, 4], [4, 1]]));
    wrong(
        "rows that overlap",
        &step(&[[3, 3], [4, 1]]),
        &[Fault::Twice],
    );
    wrong("equal strides", &step(&[[2, 3], [2, 3]]), &[Fault::Twice]);
    wrong("no stride", &step(&[[2, 0], [3, 1]]), &[Fault::Twice]);
    wrong(
        "strides with a common multiple",
        &step(&[[3, 6], [4, 4]]),
        &[Fault::Twice],
    );
    sound("strides with one that is further", &step(&[[2, 6], [3, 4]]));
    wrong(
        "back and forth",
        &step(&[[2, 3], [4, 1], [2, 4]]),
        &[Fault::Twice],
    );
}

/// One of both moves, and meets the other in the last of three iterations, or would in the fourth.
#[test]
fn outputs_meet_inputs_in_some_iteration() {
    let step = |out: (i64, i64), from: (i64, i64)| {
        changed(1, |b, _, x| {
            let body = |_: &mut Build, j| {
                vec![run(
                    to(x, out.0, &[(j, out.1)]),
                    to(x, from.0, &[(j, from.1)]),
                    2,
                )]
            };
            vec![b.repeat(3, false, body)]
        })
    };
    let alias = [Fault::Alias("x")];
    for (first, last) in [((0, 5), (0, 0)), ((20, -5), (0, 0))] {
        let at = |base: i64| (base, last.1);
        let third = first.0 + 2 * first.1;
        let fourth = first.0 + 3 * first.1;
        wrong("the output moves", &step(first, at(third)), &alias);
        sound("the output moves", &step(first, at(fourth)));
        wrong("the input moves", &step(at(third), first), &alias);
        sound("the input moves", &step(at(fourth), first));
    }
    // Both move, at other speeds.
    wrong("towards each other", &step((0, 5), (20, -5)), &alias);
    sound("past each other", &step((0, 4), (22, -4)));
    wrong("in the third", &step((0, 2), (10, -3)), &alias);
    sound(
        "a loop of one iteration moves nothing",
        &changed(1, |b, _, x| {
            let body = |_: &mut Build, j| {
                vec![relu(to(x, 8, &[(j, 3)]), to(x, 8, &[(j, 5)]), [1, 0, 0], 4)]
            };
            vec![b.repeat(1, false, body)]
        }),
    );
}

/// No region is looked at: what is read of the map does not matter, even where its pixels overlap.
#[test]
fn a_call_that_writes_nothing_is_no_alias() {
    let pool = |rois: i64| {
        changed(1, |_, _, x| {
            let consts = [rois, 4, 1, 2, 2, 0, 0, 1, 1, 1, 1, 1, 1, 0];
            vec![call(
                "f32_roi_pool",
                &[to(x, 0, &[]), to(x, 0, &[]), to(x, 20, &[])],
                &consts,
            )]
        })
    };
    sound("no region", &pool(0));
    wrong("one region", &pool(1), &[Fault::Alias("x")]);
}
