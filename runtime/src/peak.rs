//! What one core of this machine can do at best, measured: the yardstick of every speed report.

use crate::isa::Isa;
use crate::simd::{MOST_LANES, Simd, entries};
use std::hint::black_box;
use std::ptr::null;
use std::time::{Duration, Instant};

/// How long one measurement takes.
const BUDGET: Duration = Duration::from_millis(50);

/// Most multiply-adds per second of one core, in GFLOP/s (two per multiply-add), from a loop that stays in registers.
/// Takes about 50 ms. Zero where this machine lacks the ISA.
pub fn peak_gflops(isa: Isa) -> f64 {
    const TURNS: i64 = 20_000;
    let Some(entry) = chains(isa).filter(|_| isa.available()) else {
        return 0.0;
    };
    let mut sink = [0.0; MOST_LANES];
    let flops = (TURNS * (CHAINS * isa.lanes() * 2) as i64) as f64;
    best_rate(flops, || {
        // SAFETY: the ISA is available; `chains` writes one vector and reads one constant.
        unsafe {
            entry(
                sink.as_mut_ptr(),
                null(),
                null(),
                null(),
                null(),
                null(),
                black_box(&TURNS),
            )
        };
        black_box(&sink);
    })
}

/// Bytes per second that one core reads from memory, in GB/s. Takes about 100 ms, and 128 MiB for as long.
pub fn bandwidth_gbs() -> f64 {
    const WORDS: usize = 16 << 20;
    // Not zeroes, which the system may map to one page.
    let memory: Vec<u64> = (0..WORDS as u64).collect();
    best_rate((WORDS * 8) as f64, || {
        let mut sums = [0u64; 16];
        for chunk in memory.as_chunks::<16>().0 {
            for (sum, word) in sums.iter_mut().zip(chunk) {
                *sum = sum.wrapping_add(*word);
            }
        }
        black_box(&sums);
    })
}

/// Giga-units per second of the fastest run within the budget.
fn best_rate(units: f64, mut run: impl FnMut()) -> f64 {
    let start = Instant::now();
    let mut best = f64::INFINITY;
    while start.elapsed() < BUDGET {
        let begin = Instant::now();
        run();
        best = best.min(begin.elapsed().as_secs_f64());
    }
    units / best / 1e9
}

/// Independent multiply-adds in flight: latency times throughput needs 8 to 10 of them.
const CHAINS: usize = 12;

entries! {
    /// `CHAINS` dependent sequences of multiply-adds, as long as the only constant says.
    fn chains = body
}

#[inline(always)]
unsafe fn body<S: Simd>(
    out: *mut f32,
    _: *const f32,
    _: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: the caller gives room for one vector and one constant.
    unsafe {
        let mut sums = [S::splat(1.0); CHAINS];
        let (half, one) = (S::splat(black_box(0.5)), S::splat(black_box(1.0)));
        for _ in 0..*consts {
            for sum in &mut sums {
                *sum = S::fma(*sum, half, one);
            }
        }
        let mut total = sums[0];
        for sum in sums {
            total = S::add(total, sum);
        }
        S::store(out, total);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_available_isa_has_a_peak() {
        for isa in Isa::ALL {
            assert_eq!(peak_gflops(isa) > 0.0, isa.available(), "{isa}");
        }
        assert!(bandwidth_gbs() > 0.0);
    }
}
