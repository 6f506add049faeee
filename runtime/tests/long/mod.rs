//! Sums of up to 4096² terms keep 1e-6 of the mean of their terms' magnitudes, on every ISA.

use cnnc_runtime::Isa;
use cnnc_runtime::kernel::{KernelId, bits};

/// Additions of this number all round the same way.
const TENTH: f32 = 0.1;

/// Terms of each of two dimensions.
const SIDE: i64 = 4096;

/// The kernel's first output: all of its inputs are `inputs` copies of a tenth.
fn first(name: &str, isa: Isa, consts: &[i64], inputs: usize) -> f64 {
    let kernel = KernelId::find(name).expect("a kernel").row();
    let entry = (kernel.entry)(isa).expect("an entry");
    let fits = |count: i64| count as usize <= inputs.max(64);
    for footprint in (kernel.footprint)(isa, consts).into_iter().flatten() {
        let reach = footprint
            .dims
            .iter()
            .map(|&(count, stride)| (count - 1) * stride);
        assert!(fits(reach.sum::<i64>() + 1), "{name}: {footprint:?}");
    }
    let x = vec![TENTH; inputs.max(64)];
    let zero = [0.0; 64];
    let mut out = vec![0.0; inputs.max(64)];
    // SAFETY: no footprint is longer than these, and the ISA is available.
    unsafe {
        let (x, zero) = (x.as_ptr(), zero.as_ptr());
        entry(out.as_mut_ptr(), x, x, zero, zero, zero, consts.as_ptr());
    }
    f64::from(out[0])
}

#[test]
fn very_long_sums_are_accurate() {
    let tenth = f64::from(TENTH);
    let one = bits(1.0);
    let mean = bits(1.0 / (SIDE * SIDE) as f64);
    // Strides of zero: each term is the same element.
    let pool = [1, 0, 0, 1, 0, 0, 1, 0, SIDE, 0, SIDE, 0, 3, mean];
    let cross = [1, 0, SIDE, 0, SIDE, 0, 1, 1, 1, mean];
    let channels = 1 << 22;
    let length = [1, 0, 0, 1, 0, 0, channels, bits(1e-12)];
    let depth = 1 << 18;
    let conv = [
        1,
        0,
        0,
        0,
        1,
        0,
        0,
        0,
        1,
        0,
        1,
        0,
        1,
        0,
        depth,
        1,
        0,
        one,
        bits(f64::INFINITY),
        0,
        1,
        0,
    ];
    for isa in crate::isas() {
        let cases = [
            ("f32_pool_avg", pool.as_slice(), 3, tenth),
            ("f32_cross", &cross, 1, tenth * tenth),
            (
                "f32_l2norm",
                &length,
                channels,
                (channels as f64).sqrt().recip(),
            ),
            (
                "f32_longconv_1x1v",
                &conv,
                depth * isa.lanes() as i64,
                depth as f64 * tenth * tenth,
            ),
        ];
        for (name, consts, inputs, right) in cases {
            let found = first(name, isa, consts, inputs as usize);
            let off = (found / right - 1.0).abs();
            assert!(off <= 1e-6, "{name} on {isa}: {found}, must be {right}");
        }
    }
}
