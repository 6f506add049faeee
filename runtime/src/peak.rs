//! What this machine can do at best, measured: the yardstick of every speed report.

use crate::isa::Isa;
use crate::simd::{MOST_LANES, Simd, entries};
use std::hint::black_box;
use std::num::NonZero;
use std::ptr::null;
use std::thread;
use std::time::{Duration, Instant};

/// How long one measurement takes.
const BUDGET: Duration = Duration::from_millis(50);

/// Most multiply-adds per second of one core, in GFLOP/s (two per multiply-add), from loops that stay in registers.
/// Takes about 50 ms. Zero where this machine lacks the ISA.
pub fn peak_gflops(isa: Isa) -> f64 {
    peak_gflops_on(isa, 1)
}

/// The same of so many threads that run at the same time: no more of them are of use than there are processors for.
pub fn peak_gflops_on(isa: Isa, threads: usize) -> f64 {
    const TURNS: i64 = 20_000;
    if !isa.available() {
        return 0.0;
    }
    // Which number of sums in flight keeps the units busy depends on latencies, and on how many fit into registers.
    let loops = [
        (2, chains::<2>(isa)),
        (4, chains::<4>(isa)),
        (6, chains::<6>(isa)),
        (8, chains::<8>(isa)),
        (10, chains::<10>(isa)),
        (12, chains::<12>(isa)),
    ];
    let flops = |sums: usize| (TURNS * (sums * isa.lanes() * 2) as i64) as f64;
    on_each(threads, || {
        let mut sink = [0.0; MOST_LANES];
        let runs = loops
            .iter()
            .filter_map(|&(sums, entry)| Some((flops(sums), entry?)));
        let runs = runs.collect::<Vec<_>>();
        best_rate(&runs, |entry| {
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
    })
}

/// Bytes per second that one core reads from memory, in GB/s. Takes about 100 ms, and 128 MiB for as long.
pub fn bandwidth_gbs() -> f64 {
    bandwidth_gbs_on(1)
}

/// The same of so many threads that read at the same time, no more than there are processors for, each in 128 MiB of its own.
pub fn bandwidth_gbs_on(threads: usize) -> f64 {
    const WORDS: usize = 16 << 20;
    on_each(threads, || {
        // Not zeroes, which the system may map to one page.
        let memory: Vec<u64> = (0..WORDS as u64).collect();
        best_rate(&[((WORDS * 8) as f64, ())], |()| {
            let mut sums = [0u64; 16];
            for chunk in memory.as_chunks::<16>().0 {
                for (sum, word) in sums.iter_mut().zip(chunk) {
                    *sum = sum.wrapping_add(*word);
                }
            }
            black_box(&sums);
        })
    })
}

/// Processors that this process may run on at the same time.
pub fn processors() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// The sum of what `rate` is on so many threads at the same time, or on as many as there are processors for.
fn on_each(threads: usize, rate: impl Fn() -> f64 + Sync) -> f64 {
    let others = threads.clamp(1, processors()) - 1;
    thread::scope(|scope| {
        let spawn = |_| thread::Builder::new().spawn_scoped(scope, &rate).ok();
        let others: Vec<_> = (0..others).map_while(spawn).collect();
        let own = rate();
        let others = others.into_iter().map(|other| other.join().unwrap_or(0.0));
        own + others.sum::<f64>()
    })
}

/// Giga-units per second of the fastest run within the budget; the runs, each with its units, take turns.
fn best_rate<T: Copy>(runs: &[(f64, T)], mut run: impl FnMut(T)) -> f64 {
    let start = Instant::now();
    let mut best = 0.0f64;
    while start.elapsed() < BUDGET {
        for &(units, what) in runs {
            let begin = Instant::now();
            run(what);
            best = best.max(units / begin.elapsed().as_secs_f64() / 1e9);
        }
    }
    best
}

entries! {
    /// So many dependent sequences of multiply-adds, as long as the only constant says.
    fn chains<SUMS> = body
}

#[inline(always)]
unsafe fn body<S: Simd, const SUMS: usize>(
    out: *mut f32,
    _: *const f32,
    _: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: the caller gives room for one vector and one constant.
    unsafe {
        let mut sums = [S::splat(1.0); SUMS];
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

    /// Threads beyond the processors add nothing: they only take turns.
    #[test]
    fn no_more_threads_count_than_there_are_processors() {
        let runs = std::sync::atomic::AtomicUsize::new(0);
        let count = |threads| {
            on_each(threads, || {
                runs.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                1.0
            })
        };
        assert_eq!(count(0), 1.0);
        assert_eq!(count(100_000), processors() as f64);
        assert_eq!(runs.into_inner(), 1 + processors());
    }
}
