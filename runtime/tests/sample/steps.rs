//! Random constants for the kernels that only training steps call.

use super::windows::regions;
use super::{Draw, OPERATION, activation, pixels_of};
use cnnc_runtime::kernel::bits;
use cnnc_testing::Random;

/// Three axes of pixels of two operands: `count, a, b` each.
fn paces(random: &mut Random) -> Vec<i64> {
    let mut consts = Vec::new();
    for _ in 0..3 {
        consts.extend([
            random.within(1, 4),
            random.within(0, 60),
            random.within(0, 60),
        ]);
    }
    consts
}

pub fn outer(random: &mut Random) -> Vec<i64> {
    let (rows, columns) = (random.within(1, 15), random.within(1, 70));
    let row = columns + random.within(0, 5);
    let mut consts = paces(random);
    consts.extend([rows, row, columns, random.within(0, 1)]);
    consts
}

pub fn sum(random: &mut Random) -> Vec<i64> {
    let mut consts = paces(random);
    let scale = 0.375_f64.to_bits() as i64;
    consts.extend([random.within(1, 70), OPERATION, scale]);
    consts
}

pub fn sum_pair(random: &mut Random) -> Vec<i64> {
    let mut consts = paces(random);
    consts.push(random.within(1, 70));
    consts
}

pub fn moments(random: &mut Random) -> Vec<i64> {
    let mut consts = Vec::new();
    for _ in 0..3 {
        consts.extend([random.within(1, 4), random.within(0, 60)]);
    }
    consts.push(random.within(1, 70));
    consts
}

/// Places with no term, one and several.
pub fn along(random: &mut Random) -> Vec<i64> {
    let (run, sources, places) = (
        random.within(1, 90),
        random.within(1, 5),
        random.within(1, 6),
    );
    let step = run + random.within(0, 3);
    let (inner, outer) = (random.within(1, 3), random.within(1, 2));
    let (out, x) = (places * step, sources * step);
    let mut consts = vec![outer, inner * out, inner * x, inner, out, x];
    let mut terms = Vec::new();
    for place in 0..places {
        let count = random.within(0, 4);
        if count == 0 {
            terms.extend([place, sources, bits(0.5)]);
        }
        for _ in 0..count {
            terms.extend([place, random.within(0, sources - 1), bits(0.75)]);
        }
    }
    let count = terms.len() as i64 / 3;
    consts.extend([sources, places, step, step, run, count]);
    consts.extend(terms);
    consts
}

/// Channels that stay, and channels that go.
pub fn reduce(random: &mut Random) -> Vec<i64> {
    let channels = random.within(1, 90);
    let (run, within) = *random.pick(&[(channels, 1), (1, channels)]);
    let mut consts = Vec::new();
    let mut out = run + random.within(0, 3);
    for _ in 0..2 {
        let count = random.within(1, 3);
        consts.extend([count, out, random.within(0, 60)]);
        out *= count;
    }
    consts.push(run);
    for _ in 0..3 {
        consts.extend([random.within(1, 3), random.within(0, 60)]);
    }
    consts.extend([within, OPERATION, 0.375_f64.to_bits() as i64]);
    consts
}

pub fn centred(random: &mut Random) -> Vec<i64> {
    let (rows, pixels, channels) = (
        random.within(1, 3),
        random.within(1, 4),
        random.within(1, 40),
    );
    let px = [0; 3].map(|_| channels + random.within(0, 2));
    let mut consts = vec![rows];
    consts.extend(px.map(|px| px * pixels));
    consts.push(pixels);
    consts.extend(px);
    consts.extend([channels, random.within(0, 1)]);
    consts.extend(activation(random));
    consts
}

/// Windows that overlap, are apart, and are cut off at both ends.
pub fn max_input(random: &mut Random) -> Vec<i64> {
    let channels = random.within(1, 40);
    let (mut axes, mut dilations) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let (inputs, window, step) = (
            random.within(1, 6),
            random.within(1, 3),
            random.within(1, 3),
        );
        let dilation = random.within(1, 2).min(inputs);
        let before = random.within(0, dilation * (window - 1));
        // The last window begins inside.
        let outputs = 1 + (inputs - 1 + before) / step;
        axes.insert(0, [inputs, outputs, window, step, before]);
        dilations.insert(0, dilation);
    }
    let mut inner = [channels; 3];
    let mut consts = Vec::new();
    for axis in axes.iter().rev() {
        let [inputs, outputs, ..] = *axis;
        let group = [axis.as_slice(), &inner].concat();
        consts.splice(0..0, group);
        inner = [inner[0] * inputs, inner[1] * inputs, inner[2] * outputs];
    }
    consts.push(channels);
    consts.extend(dilations);
    consts
}

/// Taps that overlap, are apart, and end before the last element.
pub fn scatter(random: &mut Random) -> Vec<i64> {
    let channels = random.within(1, 20);
    let (outputs, steps, taps, dilations) = (
        [0; 3].map(|_| random.within(1, 3)),
        [0; 3].map(|_| random.within(1, 2)),
        [0; 3].map(|_| random.within(1, 3)),
        [random.within(1, 2), random.within(1, 2), 1],
    );
    let elements: [i64; 3] = std::array::from_fn(|axis| {
        let last = (outputs[axis] - 1) * steps[axis] + (taps[axis] - 1) * dilations[axis];
        last + 1 + random.within(0, 1)
    });
    let run = taps[2] * channels;
    let products = taps[0] * taps[1] * run;
    let out = [
        elements[1] * elements[2] * channels,
        elements[2] * channels,
        channels,
    ];
    let x = [
        outputs[1] * outputs[2] * products,
        outputs[2] * products,
        products,
    ];
    let mut consts = Vec::new();
    for axis in 0..3 {
        consts.extend([
            elements[axis],
            out[axis],
            outputs[axis],
            steps[axis],
            x[axis],
        ]);
        if axis < 2 {
            consts.extend([taps[axis], dilations[axis]]);
        }
    }
    consts.extend([channels, run]);
    consts
}

pub fn cross_entropy(random: &mut Random) -> Vec<i64> {
    let (rows, pixels, channels) = (
        random.within(1, 3),
        random.within(1, 4),
        random.within(1, 40),
    );
    let gradient = random.within(0, 1);
    let out = if gradient == 1 { channels } else { 1 };
    let mut consts = Vec::new();
    let px = [out, channels + random.within(0, 2), channels];
    consts.push(rows);
    consts.extend(px.map(|px| px * pixels));
    consts.push(pixels);
    consts.extend(px);
    consts.extend([channels, gradient, bits(0.5)]);
    consts
}

pub fn group_sum(random: &mut Random) -> Vec<i64> {
    let (groups, size) = (random.within(1, 5), *random.pick(&[1, 3, 8, 16, 21, 40]));
    let mut consts = pixels_of(groups * size, random);
    consts.pop();
    consts.extend([groups, size]);
    consts
}

/// The map's strides are other than its gradient's.
pub fn roi_pool_input(random: &mut Random) -> Vec<i64> {
    let mut consts = regions(random);
    let (in_w, channels) = (consts[4], consts[12]);
    let px = channels + random.within(0, 3);
    consts.extend([in_w * px + random.within(0, 3), px]);
    consts
}

pub fn deviation(random: &mut Random) -> Vec<i64> {
    let (rows, pixels, channels) = (
        random.within(1, 3),
        random.within(1, 4),
        random.within(1, 20),
    );
    let gradient = random.within(0, 1);
    let out = if gradient == 1 { channels } else { 1 };
    let wider = channels + random.within(0, 2);
    let px = [out, wider, channels, channels];
    let mut consts = vec![rows];
    consts.extend(px.map(|px| px * pixels));
    consts.push(pixels);
    consts.extend(px);
    let bend = *random.pick(&[0.0, 0.3, 1.0]);
    consts.extend([channels, gradient, OPERATION]);
    consts.extend([bend, 0.375].map(|x: f64| x.to_bits() as i64));
    consts
}
