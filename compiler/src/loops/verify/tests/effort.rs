//! Proofs take as long as programs are, whatever the extents; and one that is given up is none.

use super::build::*;
use super::programs::ALL;
use super::{faults, sound};
use crate::loops::verify::{Fault, order, reach};
use crate::loops::*;
use crate::lower::lower;
use crate::pass::optimize;
use crate::target::{Arithmetic, Target};
use crate::{Files, compile_source};
use cnnc_runtime::Isa;
use cnnc_runtime::kernel::bits;

/// The proof of order with that much effort: what is wrong, and what is left.
fn order_with(program: &Program, mut effort: u64) -> (Option<Fault>, u64) {
    let shape = reach::analyse(program).expect("in bounds");
    let wrong = order::check(program, &shape, &mut effort);
    (wrong.map(|violation| violation.fault), effort)
}

/// The effort that a sound program takes.
fn effort(program: &Program) -> u64 {
    let (wrong, left) = order_with(program, order::EFFORT);
    assert_eq!(wrong, None, "{program}");
    order::EFFORT - left
}

/// The network of that text, as it is lowered.
fn network(text: &str, isa: Isa) -> Program {
    let text = format!("cnn 1\nmodel Net {{ {text} }}");
    let model = compile_source(&mut Files::default(), "net.cnn", &text);
    let model = model.unwrap_or_else(|problems| panic!("{}", problems.render(false)));
    let (graph, _) = optimize(&model.graph);
    lower(&graph, &Target::new(isa, Arithmetic::Fast)).program
}

/// Whatever is left to do when the effort runs out is not done, and not proven.
#[test]
fn spent_effort_is_no_proof() {
    for (name, make) in ALL {
        let program = make();
        for less in 0..effort(&program) {
            assert_eq!(
                order_with(&program, less).0,
                Some(Fault::Effort),
                "{name} with {less}"
            );
        }
    }
}

#[test]
fn extents_cost_nothing() {
    let texts: [fn(usize) -> String; 7] = [
        |n| format!("input x: 1x{n}x{n}; convtranspose 3x3 1 /2; convtranspose 3x3 1 /2"),
        |n| {
            format!("input x: 3x{n}x{n}; conv 5x5 56 pad half; prelu; convtranspose 9x9 1 /3 pad 3")
        },
        |n| {
            format!(
                "input x: 3x{n}x{n}; conv 7x7 24 /2 pad half bn relu; maxpool 3x3 /2 pad 1; mish"
            )
        },
        |n| {
            format!(
                "input x: 64x{n}x{n}; conv 3x3 64 pad half; residual {{ conv 3x3 64 pad half bn relu }}"
            )
        },
        |n| {
            format!(
                "input x: 16x{n}x{n}; branch {{ conv 1x1 24; conv 3x3 8 /1 pad half; maxpool 3x3 /1 pad 1 }}; conv 3x3 9 /2"
            )
        },
        |n| format!("input x: 6x{n}; conv 3 4 /2 dilation 2; upsample 2; softmax"),
        |n| {
            let m = n / 8;
            format!("input x: 2x{m}x{m}x{m}; conv 3x3x3 4 pad half groups 2 silu; maxpool 2x2x2")
        },
    ];
    for text in texts {
        for isa in [Isa::Portable, Isa::Portable16] {
            // What costs something are calls, of which there are more where blocks of pixels do not come out even.
            let each = [96, 96 * 16].map(|n| {
                let program = network(&text(n), isa);
                assert_eq!(faults(&program), [], "{}", text(n));
                let calls = reach::analyse(&program).expect("in bounds").calls.len() as u64;
                (effort(&program), calls)
            });
            let [(small, few), (large, many)] = each;
            assert!(
                large * few <= 2 * small * many && many <= 2 * few,
                "{}: {small} for {few} calls, then {large} for {many}",
                text(96)
            );
        }
    }
}

/// Networks that were too much for a proof that enumerates elements, or pairs of buffers.
#[test]
fn large_networks_are_proven() {
    let texts = [
        "input x: 1x1500x1500; a: convtranspose 3x3 1 /2; b: convtranspose 3x3 1 /2; c: convtranspose 3x3 1 /2",
        "input x: 1x2160x3840; conv 5x5 56 pad half bias on; prelu; conv 1x1 12; prelu; conv 3x3 12 pad half; prelu;
        conv 1x1 56; prelu; convtranspose 9x9 1 /3 pad 3",
        "input x: 3x8x8; repeat 10000 { conv 1x1 3 }",
    ];
    for text in texts {
        for isa in [Isa::Portable, Isa::Portable16] {
            assert_eq!(faults(&network(text, isa)), [], "{text}");
        }
    }
}

/// Layers that each append two channels to what all layers before have made, which they read.
fn growth(layers: i64) -> Program {
    let pixel = 2 * (layers + 1);
    let mut b = build(9 * pixel as usize);
    let input = b.buffer("input", Place::Input(0), 18);
    let grown = b.buffer("grown", Place::Arena(0), 9 * pixel as usize);
    let output = b.buffer("output", Place::Output(0), 9);
    let first = copy(
        to(grown, 0, &[]),
        to(input, 0, &[]),
        &[[9, pixel, 2], [2, 1, 1]],
    );
    b.section("in", vec![first]);
    for layer in 1..=layers {
        // One channel after the other, the second first: a hole until both are there.
        let body = b.repeat(9, true, |_, i| {
            let channel = |at: i64| {
                let taps = [1, 0, 0, 1, 0, 0, 2 * layer, 1, 1, 0, 1, 0, 1];
                let [out, from] = [2 * layer + at, 0].map(|base| to(grown, base, &[(i, pixel)]));
                call("f32_pool_max", &[out, from], &taps)
            };
            vec![channel(1), channel(0)]
        });
        b.section("grow", vec![body]);
    }
    let last = copy(to(output, 0, &[]), to(grown, 0, &[]), &[[9, 1, pixel]]);
    b.section("out", vec![last]);
    b.0
}

/// Layers in a row, which take turns in memory.
fn chain(layers: i64) -> Program {
    network(
        &format!("input x: 3x8x8; repeat {layers} {{ conv 1x1 3 mish }}"),
        Isa::Portable,
    )
}

#[test]
fn effort_grows_with_the_program() {
    for (name, make) in [("growth", growth as fn(i64) -> Program), ("chain", chain)] {
        assert_eq!(faults(&make(7)), [], "{name}");
        let [small, large] = [100, 400].map(|layers| effort(&make(layers)));
        assert!(large < 5 * small, "{name}: {small}, then {large}");
    }
}

/// Written piece by piece it is one set all the same.
#[test]
fn pieces_are_joined() {
    let pieces = program(60, &[(0, 60)], |_, [input, output], t| {
        let piece = |i: i64| run(to(t[0], 4 * i, &[]), to(input, 4 * i, &[]), 4);
        let read = || run(to(output, 0, &[]), to(t[0], 0, &[]), 60);
        (0..15).map(piece).chain((0..100).map(|_| read())).collect()
    });
    assert!(effort(&pieces) <= 105);
}

/// Loops of which no iteration takes what another uses are looked at once, whatever else shares their memory.
#[test]
fn iterations_cost_nothing() {
    type Body = fn(&mut Build, u32, BufferId, BufferId, &[BufferId]) -> Vec<Stmt>;
    type Case = (&'static str, [(usize, usize); 2], Body);
    let cases: [Case; 3] = [
        (
            "it shares with what is used elsewhere",
            [(0, 8), (4, 8)],
            |b, trip, input, output, t| {
                let write = |index: usize| run(to(t[index], 0, &[]), to(input, 0, &[]), 8);
                let read = |index: usize| run(to(output, 0, &[]), to(t[index], 0, &[]), 8);
                let round = b.repeat(trip, false, |_, _| vec![write(1), read(1)]);
                vec![write(0), read(0), round, write(0), read(0)]
            },
        ),
        (
            "it reads what others have shared",
            [(0, 8), (4, 8)],
            |b, trip, input, output, t| {
                let write = |index: usize| run(to(t[index], 0, &[]), to(input, 0, &[]), 8);
                let read = |index: usize, n| run(to(output, 0, &[]), to(t[index], 0, &[]), n);
                let round = b.repeat(trip, false, |_, _| vec![read(0, 4), read(1, 8)]);
                vec![write(0), write(1), round]
            },
        ),
        (
            "each reads some of what each writes",
            [(0, 1000), (1000, 1)],
            |b, trip, input, output, t| {
                let all = |out: BufferId| fill(to(out, 0, &[]), (1, 0), 1000);
                let rest = run(to(output, 0, &[]), to(input, 0, &[]), 8);
                let round = b.repeat(trip, false, |_, i| {
                    vec![
                        all(t[0]),
                        run(to(output, 0, &[]), to(t[0], 0, &[(i, 1)]), 1),
                    ]
                });
                vec![round, rest]
            },
        ),
    ];
    for (what, places, body) in cases {
        let looped = |trip: u32| {
            program(8, &places, |b, [input, output], t| {
                body(b, trip, input, output, t)
            })
        };
        sound(what, &looped(10));
        assert_eq!(effort(&looped(1000)), effort(&looped(10)), "{what}");
    }
}

/// Strides of which nobody knows quickly what 200 of each make.
const HARD: [i64; 5] = [
    1_144_272_509,
    1_611_178_002,
    1_909_925_047,
    1_861_425_548,
    1_820_096_753,
];
const COUNT: i64 = 200;

/// A huge tensor that is written, then what `body` does with it and with another tensor, which begins at `place`.
fn huge(place: usize, body: impl FnOnce(&mut Build, BufferId, BufferId) -> Vec<Stmt>) -> Program {
    let len = 1 << 41;
    let mut b = build(2 * len);
    let tensor = b.buffer("tensor", Place::Arena(0), len);
    let other = b.buffer("other", Place::Arena(place), len);
    let run = 1 << 30;
    let all = fill(to(tensor, 0, &[]), (len as i64 / run, run), run);
    let body = body(&mut b, tensor, other);
    b.section("hard", [vec![all], body].concat());
    b.0
}

/// Reads what the hard strides make of `from`: three of them in the kernel, two in loops.
fn read(b: &mut Build, out: Option<Access>, from: BufferId, moves: &[(VarId, i64)]) -> Stmt {
    b.repeat(COUNT as u32, false, |b, j| {
        vec![b.repeat(COUNT as u32, false, |_, k| {
            let mut consts = vec![1, 0, 0, 1, 0, 0];
            consts.extend(HARD[..3].iter().flat_map(|&stride| [COUNT, stride]));
            consts.push(1);
            let terms = [moves, &[(j, HARD[3]), (k, HARD[4])]].concat();
            vec![call("f32_pool_max", &[out, to(from, 0, &terms)], &consts)]
        })]
    })
}

/// An element in the middle of them.
const AMONG: i64 = 800_000_000_001;

/// Every question that is not answered is one that could have another answer.
#[test]
fn what_is_too_hard_is_no_proof() {
    let apart = 1 << 41;
    let twice = huge(apart, |b, tensor, other| {
        let small = b.buffer("input", Place::Input(0), 1);
        let _ = other;
        vec![copy(
            to(tensor, 0, &[]),
            to(small, 0, &[]),
            &HARD.map(|stride| [COUNT, stride, 0]),
        )]
    });
    let alias = huge(apart, |b, tensor, _| {
        vec![read(b, to(tensor, AMONG, &[]), tensor, &[])]
    });
    let race = |factor: i64| {
        huge(apart, |b, tensor, other| {
            vec![b.repeat(2, true, |b, i| {
                let write = fill(to(tensor, AMONG, &[(i, 1)]), (1, 0), 1);
                vec![
                    read(b, to(other, 0, &[(i, 1)]), tensor, &[(i, factor)]),
                    write,
                ]
            })]
        })
    };
    let sharing = huge(AMONG as usize, |b, tensor, other| {
        let result = b.buffer("result", Place::Output(0), 1);
        vec![
            fill(to(other, 0, &[]), (1, 0), 1),
            read(b, to(result, 0, &[]), tensor, &[]),
        ]
    });
    // Only the one iteration comes near to what the other reads.
    let order = |from: i64, step: i64| {
        huge(apart, |b, tensor, other| {
            vec![b.repeat(2, true, |b, i| {
                let write = fill(to(tensor, from, &[(i, step)]), (1, 0), 1);
                let moves = (i, step);
                vec![read(b, to(other, 0, &[(i, 1)]), tensor, &[moves]), write]
            })]
        })
    };
    let step = 440_000_000_000;
    let (before, after) = (order(step - 1, step), order(AMONG + step, step));
    // Written with the same strides and nothing else, further on.
    let written = huge(apart, |b, _, other| {
        let result = b.buffer("result", Place::Output(0), 1);
        let write = b.repeat(COUNT as u32, false, |b, j| {
            vec![b.repeat(COUNT as u32, false, |_, k| {
                let mut consts: Vec<i64> = HARD[..3]
                    .iter()
                    .flat_map(|&stride| [COUNT, stride])
                    .collect();
                consts.extend([1, bits(0.0)]);
                let out = to(other, 100_000_000_001, &[(j, HARD[3]), (k, HARD[4])]);
                vec![call("f32_fill", &[out], &consts)]
            })]
        });
        vec![write, read(b, to(result, 0, &[]), other, &[])]
    });
    let hard = [
        twice,
        alias,
        race(1),
        race(0),
        sharing,
        before,
        after,
        written,
    ];
    for program in hard {
        assert_eq!(faults(&program), [Fault::Effort], "{program}");
    }
}
