//! Kernels that pack weights.

use super::{Draw, OPERATION, eps};
use cnnc_testing::Random;

/// Whether there is a norm to fold, whether it has a scale, and what is added to its variance.
pub fn folded(random: &mut Random) -> [i64; 3] {
    [random.within(0, 1), random.within(0, 1), eps()]
}

/// `outs, stride, block` of a panel, side by side or as far apart as `row`.
pub fn packed_outs(row: i64, random: &mut Random) -> Vec<i64> {
    let outs = random.within(1, 40);
    let block = outs + random.within(0, 9);
    vec![outs, *random.pick(&[1, row, row + 3]), block]
}

pub fn pack_panels(random: &mut Random) -> Vec<i64> {
    let inner = *random.pick(&[1, 2, 5, 150]);
    let (middle, outer) = (random.within(1, 3), random.within(1, 3));
    let whole = inner * middle * outer;
    let axes = *random.pick(&[
        // Adjacent, taps of a convolution with its channels inside, and anything.
        [1, 0, outer, inner * middle, middle, inner, inner, 1],
        [1, 0, outer, middle, middle, 1, inner, outer * middle],
        [2, 7, outer, 3, middle, 5, inner, 2],
    ]);
    let mut consts = packed_outs(whole, random);
    consts.extend(axes);
    consts.extend(folded(random));
    consts
}

pub fn pack_winograd(random: &mut Random) -> Vec<i64> {
    let ins = random.within(1, 5);
    let taps = *random.pick(&[3, 5]);
    let mut consts = packed_outs(taps * taps * ins, random);
    consts.extend([ins, taps * taps]);
    consts.extend(*random.pick(&[[taps, 1], [1, taps], [2, 4]]));
    consts.extend(folded(random));
    consts.push(taps);
    consts
}

pub fn pack_bias(random: &mut Random) -> Vec<i64> {
    let count = random.within(1, 40);
    let mut consts = vec![count, random.within(0, 3), count + random.within(0, 9)];
    consts.extend([0; 4].map(|_| random.within(0, 1)));
    consts.push(eps());
    consts
}

pub fn pack_shares(random: &mut Random) -> Vec<i64> {
    let channels = random.within(1, 20);
    let mut consts = vec![random.within(1, 4), channels, random.within(0, 1)];
    consts.extend([channels + random.within(0, 9), OPERATION, eps()]);
    consts
}
