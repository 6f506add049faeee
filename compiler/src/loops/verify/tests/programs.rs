//! Small programs with everything that lowered networks have: halos, panels with tails, windows of one buffer, scratch
//! inside a loop, memory that buffers share.

use super::build::*;
use super::{kernels, lowered};
use crate::loops::*;
use cnnc_runtime::kernel::bits;

type Make = fn() -> Program;

/// Valid programs.
pub const ALL: [(&str, Make); 18] = [
    ("conv_with_halo", conv_with_halo),
    ("windows", windows),
    ("dense_growth", dense_growth),
    ("scratch_in_loop", scratch_in_loop),
    ("serial_scratch", serial_scratch),
    ("shared_memory", shared_memory),
    ("strided", strided),
    ("channel_blocks", channel_blocks),
    ("moments", kernels::moments),
    ("lowered", lowered::lowered),
    ("tiles_of_three", || lowered::winograd(3)),
    ("tiles_of_five", || lowered::winograd(5)),
    ("chosen", kernels::chosen),
    ("sums", kernels::sums),
    ("expanded", kernels::expanded),
    ("kept", kept),
    ("step", lowered::step),
    ("step_of_a_batch", lowered::step_of_a_batch),
];

/// What stays from run to run: weights that are packed, a running sum that each iteration moves in its own part, and weights that are changed by it.
fn kept() -> Program {
    let mut b = build(40);
    let image = b.buffer("image", Place::Input(0), 12);
    let weights = b.buffer("weights", Place::State(0), 12);
    let sum = b.buffer("sum", Place::State(1), 12);
    let panel = b.buffer("panel", Place::Arena(0), 16);
    let change = b.buffer("change", Place::Arena(20), 12);
    let out = b.buffer("out", Place::Output(0), 12);
    let zip = |to: Option<Access>, x: Option<Access>, y: Option<Access>, n: i64| {
        let mut consts = vec![1, 0, 0, 0, 1, 0, 0, 0, n, 0];
        consts.extend(linear());
        call("f32_zip", &[to, x, y], &consts)
    };
    // Three rows of four become four of three, in a panel with a margin.
    let packed = copy(
        to(panel, 0, &[]),
        to(weights, 0, &[]),
        &[[4, 4, 1], [3, 1, 4]],
    );
    b.section("packing", vec![fill(to(panel, 3, &[]), (4, 4), 1), packed]);
    let forward = b.repeat(4, true, |_, row| {
        let here = to(change, 0, &[(row, 3)]);
        vec![zip(
            here,
            to(panel, 0, &[(row, 4)]),
            to(image, 0, &[(row, 3)]),
            3,
        )]
    });
    b.section("forward", vec![forward]);
    let moving = b.repeat(3, true, |_, part| {
        let here = || to(sum, 0, &[(part, 4)]);
        vec![zip(here(), here(), to(change, 8, &[(part, -4)]), 4)]
    });
    b.section("sum", vec![moving]);
    let update = b.repeat(2, false, |_, half| {
        let here = || to(weights, 0, &[(half, 6)]);
        vec![zip(here(), here(), to(sum, 6, &[(half, -6)]), 6)]
    });
    b.section("update", vec![update]);
    b.section("out", vec![run(to(out, 0, &[]), to(weights, 0, &[]), 12)]);
    b.0
}

/// A 3x3 convolution of 2x4x4 to 12 channels, in parallel over rows; the second panel has 4 channels.
pub fn conv_with_halo() -> Program {
    let mut b = build(72 + 192 + 8);
    let image = b.buffer("image", Place::Input(0), 32);
    // 6 rows of 6 pixels of 2 channels.
    let x = b.buffer("x", Place::Arena(0), 72);
    let w = b.buffer("weights", Place::Weights, 2 * (18 + 1) * 8);
    let y = b.buffer("y", Place::Arena(80), 192);
    let out = b.buffer("out", Place::Output(0), 192);
    let input = vec![
        fill(to(x, 0, &[]), (1, 0), 12),
        fill(to(x, 60, &[]), (1, 0), 12),
        fill(to(x, 12, &[]), (4, 12), 2),
        fill(to(x, 22, &[]), (4, 12), 2),
        copy(
            to(x, 14, &[]),
            to(image, 0, &[]),
            &[[4, 12, 4], [4, 2, 1], [2, 1, 16]],
        ),
    ];
    b.section("conv", input);
    let conv = b.repeat(4, true, |b, row| {
        let whole = b.repeat(1, false, |_, panel| {
            let mut consts = vec![1, 48, 12, 0, 2, 12, 2, 0, 1, 0, 1, 0, 3, 12, 6, 8, 0];
            consts.extend(linear());
            consts.extend([0, 1, 0]);
            let args = [
                to(y, 0, &[(row, 48), (panel, 8)]),
                to(x, 0, &[(row, 12)]),
                to(w, 0, &[(panel, 144)]),
                to(w, 288, &[(panel, 8)]),
                None,
            ];
            vec![call("f32_conv_2x1v", &args, &consts)]
        });
        let mut consts = vec![1, 48, 12, 0, 2, 12, 2, 0, 1, 0, 1, 0, 3, 12, 6, 4, 0];
        consts.extend(linear());
        consts.extend([0, 1, 0]);
        let args = [
            to(y, 8, &[(row, 48)]),
            to(x, 0, &[(row, 12)]),
            to(w, 144, &[]),
            to(w, 296, &[]),
            None,
        ];
        vec![whole, call("f32_conv_2x1v", &args, &consts)]
    });
    b.section("conv", vec![conv]);
    b.section(
        "out",
        vec![copy(
            to(out, 0, &[]),
            to(y, 0, &[]),
            &[[12, 16, 1], [16, 1, 12]],
        )],
    );
    b.0
}

/// Two layers write channels 0..3 and 3..8 of one buffer, pixel by pixel; then all of it is squashed in place.
fn windows() -> Program {
    let mut b = build(120);
    let image = b.buffer("image", Place::Input(0), 60);
    let joined = b.buffer("joined", Place::Arena(8), 96);
    let out = b.buffer("out", Place::Output(0), 96);
    let left = b.repeat(3, true, |_, row| {
        vec![copy(
            to(joined, 0, &[(row, 32)]),
            to(image, 0, &[(row, 4)]),
            &[[4, 8, 1], [3, 1, 12]],
        )]
    });
    let right = b.repeat(4, true, |_, column| {
        vec![copy(
            to(joined, 3, &[(column, 8)]),
            to(image, 0, &[(column, 1)]),
            &[[3, 32, 4], [5, 1, 12]],
        )]
    });
    b.section("left", vec![left]);
    b.section("right", vec![right]);
    let squash = b.repeat(3, true, |_, row| {
        let (at, from) = (to(joined, 0, &[(row, 32)]), to(joined, 0, &[(row, 32)]));
        vec![relu(at, from, [4, 8, 8], 8)]
    });
    b.section(
        "relu",
        vec![
            squash,
            copy(to(out, 0, &[]), to(joined, 0, &[]), &[[96, 1, 1]]),
        ],
    );
    b.0
}

/// Each layer reads the channels that are there and appends some, in the same buffer and in parallel.
fn dense_growth() -> Program {
    let mut b = build(64);
    let image = b.buffer("image", Place::Input(0), 12);
    let grown = b.buffer("grown", Place::Arena(0), 60);
    let out = b.buffer("out", Place::Output(0), 60);
    b.section(
        "in",
        vec![copy(
            to(grown, 0, &[]),
            to(image, 0, &[]),
            &[[6, 10, 2], [2, 1, 1]],
        )],
    );
    for from in [2, 4, 8] {
        let channels = if from == 8 { 2 } else { from };
        let layer = b.repeat(6, true, |_, pixel| {
            let at = to(grown, from, &[(pixel, 10)]);
            vec![relu(at, to(grown, 0, &[(pixel, 10)]), [1, 0, 0], channels)]
        });
        b.section("grow", vec![layer]);
    }
    b.section(
        "out",
        vec![copy(
            to(out, 0, &[]),
            to(grown, 0, &[]),
            &[[10, 6, 1], [6, 1, 10]],
        )],
    );
    b.0
}

/// Each parallel iteration has scratch of its own that its second call reads.
fn scratch_in_loop() -> Program {
    let mut b = build(48);
    let image = b.buffer("image", Place::Input(0), 24);
    let scratch = b.buffer("scratch", Place::Arena(0), 36);
    let out = b.buffer("out", Place::Output(0), 24);
    let layer = b.repeat(4, true, |b, row| {
        let first = relu(
            to(scratch, 0, &[(row, 9)]),
            to(image, 0, &[(row, 6)]),
            [2, 3, 3],
            3,
        );
        let margin = fill(to(scratch, 6, &[(row, 9)]), (1, 0), 3);
        let add = b.repeat(2, false, |_, half| {
            let mut consts = vec![1, 0, 0, 0, 1, 0, 0, 0, 3, 0];
            consts.extend(linear());
            let args = [
                to(out, 0, &[(row, 6), (half, 3)]),
                to(scratch, 0, &[(row, 9), (half, 3)]),
                to(scratch, 3, &[(row, 9), (half, 3)]),
            ];
            vec![call("f32_zip", &args, &consts)]
        });
        vec![first, margin, add]
    });
    b.section("layer", vec![layer]);
    b.0
}

/// One scratch that a serial loop uses again and again; it shares memory with what is dead.
fn serial_scratch() -> Program {
    let mut b = build(40);
    let image = b.buffer("image", Place::Input(0), 24);
    let early = b.buffer("early", Place::Arena(0), 24);
    let kept = b.buffer("kept", Place::Arena(24), 12);
    let scratch = b.buffer("scratch", Place::Arena(12), 6);
    let out = b.buffer("out", Place::Output(0), 12);
    let first = copy(to(early, 0, &[]), to(image, 0, &[]), &[[24, 1, 1]]);
    let second = relu(to(kept, 0, &[]), to(early, 6, &[]), [2, 6, 12], 6);
    b.section("early", vec![first, second]);
    let layer = b.repeat(2, false, |b, half| {
        let load = copy(to(scratch, 0, &[]), to(kept, 0, &[(half, 6)]), &[[6, 1, 1]]);
        let store = b.repeat(3, false, |_, pair| {
            let from = to(scratch, 4, &[(pair, -2)]);
            vec![relu(
                to(out, 0, &[(half, 6), (pair, 2)]),
                from,
                [1, 0, 0],
                2,
            )]
        });
        vec![load, store]
    });
    b.section("late", vec![layer]);
    b.0
}

/// A chain of layers whose buffers take turns in the arena, two outputs.
fn shared_memory() -> Program {
    let mut b = build(64);
    let image = b.buffer("image", Place::Input(0), 30);
    let places = [0, 32, 0, 16, 40];
    let sizes = [30, 24, 30, 16, 20];
    let buffers: Vec<BufferId> = (0..5)
        .map(|i| b.buffer("layer", Place::Arena(places[i]), sizes[i]))
        .collect();
    let early = b.buffer("early", Place::Output(0), 24);
    let late = b.buffer("late", Place::Output(1), 20);
    b.section(
        "0",
        vec![copy(
            to(buffers[0], 0, &[]),
            to(image, 0, &[]),
            &[[30, 1, 1]],
        )],
    );
    b.section(
        "1",
        vec![relu(
            to(buffers[1], 0, &[]),
            to(buffers[0], 2, &[]),
            [4, 6, 7],
            6,
        )],
    );
    b.section(
        "early",
        vec![copy(
            to(early, 0, &[]),
            to(buffers[1], 0, &[]),
            &[[24, 1, 1]],
        )],
    );
    // Shares memory with layer 0, which is dead; then with parts of 1 and 2.
    b.section(
        "2",
        vec![relu(
            to(buffers[2], 0, &[]),
            to(buffers[1], 4, &[]),
            [1, 0, 0],
            16,
        )],
    );
    b.section(
        "3",
        vec![relu(
            to(buffers[3], 0, &[]),
            to(buffers[2], 0, &[]),
            [1, 0, 0],
            16,
        )],
    );
    let last = b.repeat(5, true, |_, i| {
        vec![relu(
            to(buffers[4], 0, &[(i, 4)]),
            to(buffers[3], 0, &[(i, 3)]),
            [1, 0, 0],
            4,
        )]
    });
    b.section(
        "4",
        vec![
            last,
            copy(to(late, 0, &[]), to(buffers[4], 0, &[]), &[[20, 1, 1]]),
        ],
    );
    b.0
}

/// Every second pixel of every second row is read, and only those are written; rows are walked backwards.
fn strided() -> Program {
    let mut b = build(160);
    let image = b.buffer("image", Place::Input(0), 60);
    let x = b.buffer("x", Place::Arena(0), 75);
    let y = b.buffer("y", Place::Arena(80), 27);
    let out = b.buffer("out", Place::Output(0), 27);
    // 5 rows of 5 pixels of 3 channels.
    let input = b.repeat(3, true, |_, row| {
        vec![copy(
            to(x, 0, &[(row, 30)]),
            to(image, 4, &[(row, 10)]),
            &[[3, 6, 2], [3, 1, 15]],
        )]
    });
    b.section("in", vec![input]);
    let pool = b.repeat(3, false, |_, row| {
        let consts = [1, 0, 0, 3, 3, 6, 1, 0, 1, 0, 1, 0, 3, bits(1.0)];
        vec![call(
            "f32_pool_avg",
            &[to(y, 18, &[(row, -9)]), to(x, 60, &[(row, -30)])],
            &consts,
        )]
    });
    b.section("pool", vec![pool]);
    b.section(
        "out",
        vec![copy(
            to(out, 0, &[]),
            to(y, 0, &[]),
            &[[3, 9, 1], [9, 1, 3]],
        )],
    );
    b.0
}

/// Parallel over blocks of channels that interleave in memory, with windows that overlap in what they read.
fn channel_blocks() -> Program {
    let mut b = build(400);
    let image = b.buffer("image", Place::Input(0), 72);
    let w = b.buffer("weights", Place::Weights, 24 + 2 * 8 * 3 + 16);
    let y = b.buffer("y", Place::Arena(16), 60);
    let z = b.buffer("z", Place::Arena(96), 80);
    let out = b.buffer("out", Place::Output(0), 80);
    // 6 pixels of 12 channels → 5 pixels of 12 channels, 4 at a time, windows of 2.
    let pool = b.repeat(3, true, |_, block| {
        let consts = [1, 0, 0, 5, 12, 12, 1, 0, 1, 0, 2, 12, 4];
        vec![call(
            "f32_pool_max",
            &[to(y, 0, &[(block, 4)]), to(image, 0, &[(block, 4)])],
            &consts,
        )]
    });
    b.section("pool", vec![pool]);
    // 1x1 to 16 channels from the first 3, in panels of 8, with a residual.
    let conv = b.repeat(2, true, |_, panel| {
        let mut consts = vec![1, 0, 0, 0, 5, 16, 12, 12, 1, 0, 1, 0, 1, 0, 3, 8, 1];
        consts.extend(linear());
        consts.extend([0, 1, 0]);
        let args = [
            to(z, 0, &[(panel, 8)]),
            to(y, 0, &[]),
            to(w, 0, &[(panel, 24)]),
            to(w, 48, &[(panel, 8)]),
            to(y, 0, &[(panel, 4)]),
        ];
        vec![call("f32_conv_1x1v", &args, &consts)]
    });
    b.section("conv", vec![conv]);
    let softmax = [1, 0, 0, 5, 16, 16, 16];
    let copied = copy(to(out, 0, &[]), to(z, 0, &[]), &[[80, 1, 1]]);
    b.section(
        "out",
        vec![
            call("f32_softmax", &[to(z, 0, &[]), to(z, 0, &[])], &softmax),
            copied,
        ],
    );
    b.0
}
