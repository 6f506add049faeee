//! Random constants for every kernel, small but with every stride and tail that matters.

mod pack;
mod steps;
mod windows;

use cnnc_runtime::Isa;
use cnnc_runtime::kernel::{Kernel, Step, Type, bits};
use cnnc_testing::Random;

/// What samples draw.
pub trait Draw {
    /// `from..=to`
    fn within(&mut self, from: i64, to: i64) -> i64;

    /// Between -1 and 1.
    fn value(&mut self) -> f32;
}

impl Draw for Random {
    fn within(&mut self, from: i64, to: i64) -> i64 {
        from + self.below((to - from + 1) as usize) as i64
    }

    fn value(&mut self) -> f32 {
        (self.word() >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }
}

/// Cases of each kernel: no fewer than any has operations.
pub const CASES: u64 = 16;

/// Constants of a kernel. Operations come in turn, as many as are declared, so that none is left out.
pub fn sample(kernel: &Kernel, isa: Isa, case: u64) -> Vec<i64> {
    let mut consts = drawn(kernel.name, isa, &mut Random(case));
    for (constant, declared) in consts.iter_mut().zip(kernel.signature.consts) {
        if declared.ty == Type::Code {
            let operations = declared.operations as u64;
            let (kernel, name) = (kernel.name, declared.name);
            assert!((1..=CASES).contains(&operations), "{kernel}: {name}");
            *constant = (case % operations) as i64;
        }
    }
    consts
}

/// Stands where an operation comes.
const OPERATION: i64 = 0;

/// Constants of the kernel of that name, but for its operations.
fn drawn(name: &str, isa: Isa, random: &mut Random) -> Vec<i64> {
    match name {
        "f32_depthwise" => windows::depthwise(isa, random),
        "f32_pool_max" => windows::window(random).0,
        "f32_pool_avg" => {
            let (mut consts, taps) = windows::window(random);
            consts.push(bits(1.0 / taps as f64));
            consts
        }
        "f32_map" => map(random),
        "f32_zip" => zip(random),
        "f32_choose" => runs(3, true, random),
        "f32_power" => runs(2, true, random),
        "f32_scale_shift" => [pixels(random), activation(random)].concat(),
        "f32_prelu" => pixels(random),
        "f32_softmax" => softmax(isa, random),
        "f32_l2norm" => [pixels(random), vec![bits(*random.pick(&[1e-12, 1.0, 1e3]))]].concat(),
        "f32_lrn" => lrn(random),
        "f32_group_norm" => group_norm(isa, random),
        "f32_copy" | "f32_input" => copy(random),
        "f32_fill" => fill(random),
        "f32_bilinear" => windows::bilinear(random),
        "f32_cross" => cross(random),
        "f32_winograd_input" => windows::winograd_input(random),
        "f32_winograd_outgrad" => windows::winograd_tiles(4, 0, random),
        "f32_winograd_filtergrad" => {
            let (pairs, parts) = (random.within(1, 40), random.within(1, 3));
            let matrix = pairs + random.within(0, 3);
            vec![pairs, parts, matrix, 36 * matrix + random.within(0, 3)]
        }
        "f32_winograd_output" => windows::winograd_output(random),
        "f32_winograd_weights" => windows::winograd_weights(isa, random),
        "f32_pack_panels" => pack::pack_panels(random),
        "f32_pack_winograd" => pack::pack_winograd(random),
        "f32_pack_bias" => pack::pack_bias(random),
        "f32_pack_scale" => {
            let channels = random.within(1, 40);
            let padded = channels + random.within(0, 9);
            vec![channels, padded, random.within(0, 1), eps()]
        }
        "f32_pack_shares" => pack::pack_shares(random),
        "f32_outer" => steps::outer(random),
        "f32_centred" => steps::centred(random),
        "f32_centred_factors" => {
            let flags = [0; 3].map(|_| random.within(0, 1));
            let mut consts = vec![random.within(1, 40), eps()];
            consts.extend(flags);
            consts
        }
        "f32_scatter" => steps::scatter(random),
        "f32_sum" => steps::sum(random),
        "f32_sum_pair" => steps::sum_pair(random),
        "f32_moments" => steps::moments(random),
        "f32_moments_together" => {
            vec![random.within(1, 5), random.within(1, 70), OPERATION]
        }
        "f32_accumulate" => {
            let mut consts = runs(1, false, random);
            consts.extend([random.within(0, 1), bits(0.75)]);
            consts
        }
        "f32_along" => steps::along(random),
        "f32_reduce" => steps::reduce(random),
        "f32_group_sum" => steps::group_sum(random),
        "f32_near_sum" => {
            let around = [0; 2].map(|_| random.within(0, 6));
            [pixels(random), around.to_vec()].concat()
        }
        "f32_max_input" => steps::max_input(random),
        "f32_cross_entropy" => steps::cross_entropy(random),
        "f32_contrastive" => {
            let margin: f64 = *random.pick(&[0.5, 1.0, 3.0]);
            vec![
                random.within(1, 40),
                random.within(0, 1),
                margin.to_bits() as i64,
            ]
        }
        "f32_deviation" => steps::deviation(random),
        "f32_update" => vec![random.within(1, 90), OPERATION],
        "f32_roi_pool" => windows::regions(random),
        "f32_roi_align" => {
            let mut consts = windows::regions(random);
            consts.extend([
                random.within(1, 3),
                random.within(0, 1),
                random.within(0, 1),
            ]);
            consts
        }
        "f32_roi_pool_input" => steps::roi_pool_input(random),
        "f32_roi_align_input" => {
            let mut consts = steps::roi_pool_input(random);
            consts.extend([
                random.within(1, 3),
                random.within(0, 1),
                random.within(0, 1),
            ]);
            consts
        }
        _ => {
            let tile = name
                .strip_prefix("f32_conv_")
                .or_else(|| name.strip_prefix("f32_longconv_"))
                .and_then(|tile| tile.strip_suffix('v'));
            let (mr, nr) = tile
                .and_then(|tile| tile.split_once('x'))
                .expect("a kernel with samples");
            windows::conv(
                mr.parse().expect("MR"),
                nr.parse().expect("NR"),
                isa,
                random,
            )
        }
    }
}

/// What makes a variance of anything between -1 and 1.
fn eps() -> i64 {
    2.0_f64.to_bits() as i64
}

/// `slope, hi` of the activations that layers have.
fn activation(random: &mut Random) -> Vec<i64> {
    let (slope, hi) = *random.pick(&[
        (1.0, f64::INFINITY),
        (0.0, f64::INFINITY),
        (0.0, 0.5),
        (0.1, f64::INFINITY),
    ]);
    vec![bits(slope), bits(hi)]
}

/// `n0, o0, i0.., n1, o1, i1.., run` for some inputs; strides repeat or skip.
fn runs(inputs: usize, repeat: bool, random: &mut Random) -> Vec<i64> {
    let (n0, n1, run) = (
        random.within(1, 3),
        random.within(1, 3),
        random.within(1, 80),
    );
    let inner = run + random.within(0, 4);
    let outer = inner * n1 + random.within(0, 4);
    let same = random.within(0, 2) == 0;
    let mut consts = Vec::new();
    for (count, stride) in [(n0, outer), (n1, inner)] {
        consts.extend([count, stride]);
        for _ in 0..inputs {
            let other =
                random.within(i64::from(!repeat), 100) * random.within(i64::from(!repeat), 1);
            consts.push(if same { stride } else { other });
        }
    }
    consts.push(run);
    consts
}

fn map(random: &mut Random) -> Vec<i64> {
    const EXACT: [Step; 18] = [
        Step::Add(0.25),
        Step::Mul(-1.5),
        Step::Max(-0.5),
        Step::Min(0.75),
        Step::MulX,
        Step::AddX,
        Step::Leaky(0.1),
        Step::Abs,
        Step::WhereNegative,
        Step::Square,
        Step::Above(0.125),
        Step::OneAbove,
        Step::Floor,
        Step::Round,
        Step::Sign,
        Step::KeepAbove(-0.25),
        Step::KeepBeyond(0.25),
        Step::Toward(0.25),
    ];
    const POWERS: [f64; 4] = [0.3, -1.7, 3.0, -2.0];
    const SLOPES: [Step; 5] = [
        Step::SiluSlope,
        Step::MishSlope,
        Step::GeluSlope,
        Step::GeluTanhSlope,
        Step::HardSwishSlope,
    ];
    const SMOOTH: [Step; 5] = [
        Step::Softplus,
        Step::Silu,
        Step::Mish,
        Step::Gelu,
        Step::GeluTanh,
    ];
    let steps: Vec<Step> = match random.within(0, 13) {
        13 => vec![
            Step::Mul(3.0),
            *random.pick(&[Step::Sin, Step::Cos, Step::Erf]),
        ],
        12 => vec![Step::Abs, Step::Add(0.001), Step::Log],
        0 => vec![Step::Exp],
        1 => vec![Step::Mul(4.0), Step::Tanh],
        2 => vec![Step::Mul(8.0), Step::Sigmoid],
        3 => vec![Step::Mul(8.0), *random.pick(&SMOOTH)],
        8 => vec![Step::Mul(8.0), *random.pick(&SLOPES)],
        5 => vec![Step::Min(0.0), Step::ExpMinusOne, Step::WhereNegative],
        6 => vec![
            Step::Abs,
            Step::Add(0.001),
            Step::Pow(*random.pick(&POWERS)),
        ],
        7 => vec![Step::Abs, Step::Add(1.0), Step::XOver],
        // A root of something negative would be NaN, which poison is too.
        4 => vec![Step::Abs, Step::Sqrt, Step::Add(1.0), Step::Recip],
        _ => (0..random.within(1, 5))
            .map(|_| *random.pick(&EXACT))
            .collect(),
    };
    let mut consts = runs(1, false, random);
    consts.push(steps.len() as i64);
    for step in steps {
        consts.extend([step.code(), bits(step.immediate())]);
    }
    consts
}

fn zip(random: &mut Random) -> Vec<i64> {
    let mut consts = runs(2, true, random);
    consts.push(OPERATION);
    consts.extend(activation(random));
    consts
}

/// `rows, out_row, in_row, pixels, out_px, in_px, channels`
fn pixels(random: &mut Random) -> Vec<i64> {
    let channels = random.within(1, 50);
    pixels_of(channels, random)
}

/// The same, with so many channels.
fn pixels_of(channels: i64, random: &mut Random) -> Vec<i64> {
    let (rows, pixels) = (random.within(1, 3), random.within(1, 5));
    let (out_px, in_px) = (
        channels + random.within(0, 3),
        channels + random.within(0, 3),
    );
    let (out_row, in_row) = (
        pixels * out_px + random.within(0, 3),
        pixels * in_px + random.within(0, 3),
    );
    if random.within(0, 1) == 0 {
        return vec![rows, out_row, out_row, pixels, out_px, out_px, channels];
    }
    vec![rows, out_row, in_row, pixels, out_px, in_px, channels]
}

/// Few channels, as many as are summed in f32 alone, and more.
fn softmax(isa: Isa, random: &mut Random) -> Vec<i64> {
    let most = 14 * isa.lanes() as i64;
    let (few, many) = (random.within(1, 50), random.within(450, 550));
    let channels = *random.pick(&[few, most, most + 1, many]);
    pixels_of(channels, random)
}

/// Groups that share a vector, that fill one, and that take several; over a grid at one place, or over single pixels.
fn group_norm(isa: Isa, random: &mut Random) -> Vec<i64> {
    let lanes = isa.lanes() as i64;
    let (small, large) = (
        random.within(2, lanes - 1),
        random.within(lanes, 3 * lanes + 1),
    );
    let size = *random.pick(&[1, small, lanes, large]);
    let groups = random.within(1, 5);
    let alone = random.within(0, 2) == 0;
    let counts = match alone {
        true => [random.within(1, 3), random.within(1, 4), 1, 1, 1],
        false => [
            random.within(1, 2),
            1,
            random.within(1, 2),
            random.within(1, 4),
            random.within(2, 9),
        ],
    };
    let alike = random.within(0, 1) == 0;
    let mut strides = [0, 1].map(|_| {
        let mut next = groups * size + random.within(0, 3);
        let mut strides = counts.map(|_| 0);
        for dim in (0..5).rev() {
            strides[dim] = next;
            next = next * counts[dim] + random.within(0, 3);
        }
        strides
    });
    if alike {
        strides[1] = strides[0];
    }
    let axes = (0..5).flat_map(|dim| [counts[dim], strides[0][dim], strides[1][dim]]);
    let mut consts: Vec<i64> = axes.collect();
    consts.extend([groups, size, random.within(0, 1)]);
    consts.push(bits(*random.pick(&[1e-5, 0.1, 1e-12])));
    consts
}

fn lrn(random: &mut Random) -> Vec<i64> {
    let mut consts = pixels(random);
    let beta = *random.pick(&[0.75, 0.5, 1.0]);
    consts.extend([
        *random.pick(&[5, 1, 2, 3, 9, 40]),
        bits(0.3),
        bits(beta),
        bits(*random.pick(&[1.0, 2.0])),
    ]);
    consts
}

fn copy(random: &mut Random) -> Vec<i64> {
    // A dense output in a random order of dimensions, with gaps; inputs of any stride.
    let counts: [i64; 5] = *random.pick(&[
        [1, 1, 1, 3, 40],
        [1, 1, 7, 9, 3],
        [2, 3, 2, 5, 4],
        [1, 1, 20, 1, 37],
        [1, 17, 1, 1, 19],
        [3, 1, 18, 16, 2],
        [1, 1, 1, 1, 33],
        // Squares of vectors, wide and narrow, with some left over.
        [1, 2, 1, 16, 32],
        [1, 3, 9, 1, 21],
        [2, 1, 1, 70, 141],
        // Beyond level 2, with a line of blocks left over.
        [1, 1, 3, 181, 253],
    ]);
    let strides = |random: &mut Random, gaps: bool| {
        let mut order = [0, 1, 2, 3, 4];
        for i in (1..5).rev() {
            order.swap(i, random.within(0, i as i64) as usize);
        }
        let (mut strides, mut next) = ([0; 5], 1);
        for dim in order {
            strides[dim] = next;
            next *= counts[dim];
            next += if gaps { random.within(0, 2) } else { 0 };
        }
        strides
    };
    let gaps = random.within(0, 1) == 0;
    let out = strides(random, gaps);
    let mut input = strides(random, gaps);
    if random.within(0, 4) == 0 {
        input[random.within(0, 4) as usize] = 0;
    }
    if random.within(0, 4) == 0 {
        input = input.map(|stride| stride * 2);
    }
    (0..5)
        .flat_map(|dim| [counts[dim], out[dim], input[dim]])
        .collect()
}

fn fill(random: &mut Random) -> Vec<i64> {
    let run = random.within(1, 40);
    let (mut consts, mut stride) = (vec![run, bits(random.value().into())], run);
    for _ in 0..3 {
        let count = random.within(1, 3);
        stride += random.within(0, 3);
        consts.splice(0..0, [count, stride]);
        stride *= count;
    }
    consts
}

fn cross(random: &mut Random) -> Vec<i64> {
    let (outs, channels) = (random.within(1, 9), random.within(1, 37));
    let pixel = channels.max(outs) + random.within(0, 3);
    let (planes, rows, pixels) = (
        random.within(1, 2),
        random.within(1, 4),
        random.within(1, 6),
    );
    let row = pixels * pixel + random.within(0, 5);
    let plane = rows * row + random.within(0, 5);
    let out_px = channels + random.within(0, 3);
    let scale = bits(*random.pick(&[1.0, 0.125, 0.3]));
    vec![
        planes, plane, rows, row, pixels, pixel, outs, out_px, channels, scale,
    ]
}
