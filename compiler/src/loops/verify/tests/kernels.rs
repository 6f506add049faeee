//! Programs of kernels that sum and choose.

use super::build::*;
use crate::loops::*;
use cnnc_runtime::kernel::bits;

/// Two images of 2x2 pixels of 5 channels, whose moments are taken where each is written; then mean and variance of both, and sums about the mean.
pub fn moments() -> Program {
    let mut b = build(88);
    let images = b.buffer("images", Place::Input(0), 40);
    let x = b.buffer("x", Place::Arena(0), 40);
    let taken = b.buffer("taken", Place::Arena(48), 30);
    let mean = b.buffer("mean", Place::Arena(80), 5);
    let variance = b.buffer("variance", Place::Output(0), 5);
    let sums = b.buffer("sums", Place::Output(1), 10);
    let image = b.repeat(2, true, |_, image| {
        let here = to(x, 0, &[(image, 20)]);
        let pixels = [1, 0, 2, 10, 2, 5, 5];
        vec![
            copy(
                here.clone(),
                to(images, 0, &[(image, 20)]),
                &[[4, 5, 1], [5, 1, 4]],
            ),
            call(
                "f32_moments",
                &[to(taken, 0, &[(image, 15)]), here],
                &pixels,
            ),
        ]
    });
    b.section("x", vec![image]);
    let together = |out: BufferId, of: i64| {
        let args = [to(out, 0, &[]), to(taken, 0, &[])];
        call("f32_moments_together", &args, &[2, 5, of])
    };
    b.section("mean", vec![together(mean, 0), together(variance, 1)]);
    let args = [
        to(sums, 0, &[]),
        to(x, 0, &[]),
        to(x, 0, &[]),
        to(mean, 0, &[]),
    ];
    let pixels = [1, 0, 0, 2, 20, 20, 4, 5, 5, 5];
    b.section("sums", vec![call("f32_sum_pair", &args, &pixels)]);
    b.0
}

/// Two lines of three pixels of 4 channels, normalised in place, line by line; of these and of what they were made of one is chosen, and that
/// has the first line as its exponents.
pub fn chosen() -> Program {
    let mut b = build(56);
    let image = b.buffer("image", Place::Input(0), 24);
    let w = b.buffer("weights", Place::Weights, 8);
    let x = b.buffer("x", Place::Arena(4), 24);
    let either = b.buffer("either", Place::Arena(32), 24);
    let out = b.buffer("out", Place::Output(0), 24);
    let normed = [[1, 0, 0, 2, 12, 12, 1, 0, 0], [1, 0, 0, 3, 4, 4, 2, 2, 1]];
    let mut consts = normed.concat();
    consts.push(bits(1e-5));
    let args = [to(x, 0, &[]), to(x, 0, &[]), to(w, 0, &[]), to(w, 4, &[])];
    let input = copy(to(x, 0, &[]), to(image, 0, &[]), &[[6, 4, 1], [4, 1, 6]]);
    b.section("norm", vec![input, call("f32_group_norm", &args, &consts)]);
    let choose = b.repeat(2, true, |_, line| {
        let here = to(x, 0, &[(line, 12)]);
        let args = [
            to(either, 0, &[(line, 12)]),
            here.clone(),
            here,
            to(image, 0, &[(line, 12)]),
        ];
        let consts = [1, 0, 0, 0, 0, 3, 4, 4, 4, 4, 4];
        vec![call("f32_choose", &args, &consts)]
    });
    b.section("choose", vec![choose]);
    let args = [to(out, 0, &[]), to(either, 0, &[]), to(x, 0, &[])];
    let consts = [2, 12, 12, 0, 3, 4, 4, 4, 4];
    b.section("power", vec![call("f32_power", &args, &consts)]);
    b.0
}

/// Six pixels of 4 channels become four, two channels at a time; of these, sums of neighbours and products that are added where their taps are.
pub fn sums() -> Program {
    let mut b = build(24);
    let image = b.buffer("image", Place::Input(0), 24);
    let y = b.buffer("y", Place::Arena(8), 16);
    let pairs = b.buffer("pairs", Place::Output(0), 8);
    let added = b.buffer("added", Place::Output(1), 20);
    let along = b.repeat(2, true, |_, half| {
        let mut consts = vec![1, 0, 0, 1, 0, 0, 6, 4, 4, 4, 2, 5];
        for (place, source) in [(0, 0), (0, 1), (1, 3), (2, 5), (3, 6)] {
            consts.extend([place, source, bits(0.5)]);
        }
        let args = [to(y, 0, &[(half, 2)]), to(image, 0, &[(half, 2)])];
        vec![call("f32_along", &args, &consts)]
    });
    b.section("along", vec![along]);
    let mut consts = vec![2, 4, 8, 1, 0, 0, 4, 2, 4, 1, 0, 1, 0, 1, 0];
    consts.push(1.0f64.to_bits() as i64);
    let args = [to(pairs, 0, &[]), to(y, 0, &[])];
    b.section("reduce", vec![call("f32_reduce", &args, &consts)]);
    // A line's output has two taps in two lines, and those of two outputs in five pixels are runs of two pixels of 2 channels.
    let consts = [
        [1, 0, 1, 1, 0, 1, 1],
        [2, 10, 1, 1, 0, 2, 1],
        [5, 2, 2, 2, 8, 2, 4],
    ];
    let args = [to(added, 0, &[]), to(y, 0, &[])];
    b.section(
        "scatter",
        vec![call("f32_scatter", &args, &consts.concat())],
    );
    b.0
}

/// A panel of weights of two input channels is expanded, channel by channel, into 36 matrices.
pub fn expanded() -> Program {
    let mut b = build(640);
    let w = b.buffer("weights", Place::Weights, 144);
    let large = b.buffer("large", Place::Arena(16), 36 * 17);
    let out = b.buffer("out", Place::Output(0), 36 * 16);
    let expand = b.repeat(2, true, |_, channel| {
        let args = [to(large, 0, &[(channel, 8)]), to(w, 0, &[(channel, 72)])];
        vec![call("f32_winograd_weights", &args, &[1, 8, 17])]
    });
    let outwards = copy(
        to(out, 0, &[]),
        to(large, 0, &[]),
        &[[36, 16, 17], [16, 1, 1]],
    );
    b.section("expand", vec![expand, outwards]);
    b.0
}
