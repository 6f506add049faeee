//! The phases of a convolution that is turned round: `convtranspose`, and the gradient of a convolution in its operand.
//!
//! Input `i` meets place `i·stride + k·dilation − before` through tap `k`. All places that are equal modulo the stride are met by the same taps: with
//! `d` the common divisor of stride and dilation, each `stride / d`-th one, whose inputs are `dilation / d` apart. So each phase is a convolution at
//! stride 1, with a part of the kernel, read backwards.

use super::window::Window;

/// The places of one axis that are `first` modulo the stride.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Phase {
    /// The first of them.
    pub first: usize,
    /// Number of places.
    pub count: usize,
    /// Number of taps that some of them meet an input through; there may be none.
    pub taps: usize,
    /// The last of these taps, which meets the first input.
    pub last: usize,
    /// Taps from one of these to the next.
    pub apart: usize,
    /// The input that the first place's last tap meets; those outside are zero.
    pub input: i64,
    /// Inputs from one tap to the one before it.
    pub dilation: usize,
}

/// An axis of a convolution that is turned round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turned {
    /// Taps.
    pub kernel: usize,
    /// Places from one input to the next.
    pub stride: usize,
    /// Places from one tap to the next.
    pub dilation: usize,
    /// Places before the first input's first tap that are cut off.
    pub before: usize,
}

/// The common divisor of two numbers, and the first's inverse modulo the second, both divided by it.
fn divisor_and_inverse(a: i64, modulus: i64) -> (i64, i64) {
    let (mut rest, mut next) = ((modulus, 0), (a, 1));
    while next.0 != 0 {
        let times = rest.0 / next.0;
        (rest, next) = (next, (rest.0 - times * next.0, rest.1 - times * next.1));
    }
    (rest.0, rest.1.rem_euclid(modulus / rest.0))
}

impl Turned {
    /// That of a window.
    pub fn new(window: &Window, axis: usize, before: usize) -> Turned {
        Turned {
            kernel: window.kernel[axis],
            stride: window.stride[axis],
            dilation: window.dilation[axis],
            before,
        }
    }

    /// Its phases, where so many inputs meet so many places.
    pub fn phases(&self, inputs: usize, places: usize) -> Vec<Phase> {
        (0..self.stride.min(places))
            .map(|first| self.phase(first, inputs as i64, places))
            .collect()
    }

    fn phase(&self, first: usize, inputs: i64, places: usize) -> Phase {
        let (kernel, stride) = (self.kernel as i64, self.stride as i64);
        let at = (first + self.before) as i64;
        let (common, inverse) = divisor_and_inverse(self.dilation as i64, stride);
        let (apart, step) = (stride / common, self.dilation as i64 / common);
        let count = (places - first).div_ceil(self.stride);
        let mut phase = Phase {
            first,
            count,
            taps: 0,
            last: 0,
            apart: apart as usize,
            input: 0,
            dilation: step as usize,
        };
        // The first tap for which `at − tap · dilation` is a multiple of the stride.
        let tap = at / common % apart * inverse % apart;
        if at % common != 0 || tap >= kernel {
            return phase;
        }
        // Backwards from the last one, a tap meets inputs `step` further on; what meets none for any place is left out.
        let all = (kernel - tap + apart - 1) / apart;
        let last = tap + (all - 1) * apart;
        let input = (at - last * self.dilation as i64) / stride;
        let from = ((1 - count as i64 - input).max(0) + step - 1) / step;
        let end = ((inputs - input).max(0) + step - 1) / step;
        if from < end.min(all) {
            phase.taps = (end.min(all) - from) as usize;
            phase.last = (last - from * apart) as usize;
            phase.input = input + from * step;
        }
        phase
    }
}

/// What phases read before and behind so many inputs.
pub(crate) fn reach(phases: &[Phase], inputs: usize) -> (usize, usize) {
    let mut reach = (0, 0);
    for phase in phases.iter().filter(|phase| phase.taps > 0) {
        let steps = phase.count - 1 + (phase.taps - 1) * phase.dilation;
        let end = phase.input + steps as i64 + 1;
        reach.0 = reach.0.max(-phase.input);
        reach.1 = reach.1.max(end - inputs as i64);
    }
    (reach.0 as usize, reach.1 as usize)
}

#[cfg(test)]
mod tests {
    use super::{Turned, reach};

    /// Every pair of a place and a tap that meet an input is in one phase, whatever kernel, steps and padding; and nothing else is.
    #[test]
    fn phases_are_what_meets() {
        let mut pairs = 0;
        for (kernel, stride, dilation) in
            (1..5).flat_map(|k| (1..5).flat_map(move |s| (1..7).map(move |d| (k, s, d))))
        {
            for (before, inputs, places) in
                (0..9).flat_map(|b| (1..4).flat_map(move |n| [1, 2, 5, 9].map(|m| (b, n, m))))
            {
                let turned = Turned {
                    kernel,
                    stride,
                    dilation,
                    before,
                };
                let phases = turned.phases(inputs, places);
                let (ahead, behind) = reach(&phases, inputs);
                let mut found = Vec::new();
                for phase in &phases {
                    for (n, t) in
                        (0..phase.count).flat_map(|n| (0..phase.taps).map(move |t| (n, t)))
                    {
                        let input = phase.input + (n + t * phase.dilation) as i64;
                        assert!(input >= -(ahead as i64), "{turned:?}");
                        assert!(input < (inputs + behind) as i64, "{turned:?}");
                        if (0..inputs as i64).contains(&input) {
                            let place = phase.first + n * stride;
                            found.push((place, phase.last - t * phase.apart, input as usize));
                        }
                    }
                }
                let mut all = Vec::new();
                for (input, tap) in (0..inputs).flat_map(|i| (0..kernel).map(move |k| (i, k))) {
                    let place = (input * stride + tap * dilation).checked_sub(before);
                    all.extend(place.filter(|&at| at < places).map(|at| (at, tap, input)));
                }
                found.sort_unstable();
                all.sort_unstable();
                assert_eq!(found, all, "{turned:?}, {inputs} inputs, {places} places");
                pairs += all.len();
            }
        }
        assert!(pairs > 10_000, "{pairs}");
    }

    #[test]
    fn far_taps_take_no_memory() {
        let turned = Turned {
            kernel: 3,
            stride: 1,
            dilation: 30_000,
            before: 30_000,
        };
        let phases = turned.phases(8, 8);
        assert_eq!((phases[0].taps, phases[0].last), (1, 1));
        assert_eq!(reach(&phases, 8), (0, 0));
    }
}
