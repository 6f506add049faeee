//! What this machine can do at best, measured: the yardstick of every speed report.

use crate::isa::Isa;
use crate::simd::{MOST_LANES, Simd, entries};
use std::hint::black_box;
use std::num::NonZero;
use std::ptr::null;
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// Pieces of the time that threads have in common, and how long one is: what all of them do in the best piece counts.
const SLICES: usize = 24;
const SLICE: Duration = Duration::from_millis(4);

/// Most multiply-adds per second of one core, in GFLOP/s (two per multiply-add), from loops that stay in registers.
/// Takes about 100 ms. Zero where this machine lacks the ISA.
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
    let runs = loops
        .iter()
        .filter_map(|&(sums, entry)| Some((flops(sums), entry?)));
    let runs: Vec<_> = runs.collect();
    if runs.is_empty() {
        return 0.0;
    }
    let runs = &runs[..];
    together(threads, runs.len(), || {
        let mut sink = [0.0; MOST_LANES];
        move |kind: usize| {
            let (flops, entry) = runs[kind];
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
            flops
        }
    })
}

/// Bytes per second that one core reads from memory, in GB/s. Takes about 100 ms, and 128 MiB for as long.
pub fn bandwidth_gbs() -> f64 {
    bandwidth_gbs_on(1)
}

/// The same of so many threads that read at the same time, no more than there are processors for: they share 128 MiB, or have 16 MiB each where
/// that is more.
pub fn bandwidth_gbs_on(threads: usize) -> f64 {
    /// Words that are read in one run: 1 MiB.
    const PIECE: usize = 1 << 17;
    let words = share_bytes(threads.clamp(1, processors())) / 8;
    together(threads, 1, || {
        // Not zeroes, which the system may map to one page.
        let memory: Vec<u64> = (0..words as u64).collect();
        let mut at = 0;
        move |_: usize| {
            let mut sums = [0u64; 16];
            for chunk in memory[at..at + PIECE].as_chunks::<16>().0 {
                for (sum, word) in sums.iter_mut().zip(chunk) {
                    *sum = sum.wrapping_add(*word);
                }
            }
            black_box(&sums);
            at = (at + PIECE) % words;
            (PIECE * 8) as f64
        }
    })
}

/// Bytes that each of so many threads reads, whole MiB: more than its part of any cache.
fn share_bytes(threads: usize) -> usize {
    const MIB: usize = 1 << 20;
    (128 / threads.max(1)).max(16) * MIB
}

/// Processors that this process may run on at the same time.
pub fn processors() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Giga-units per second of so many threads, or of as many as there are processors for: what all of them did in the best slice of a time that
/// they have in common. Each prepares what it runs, before that time begins; a run is told which of the kinds is wanted and says its units.
fn together<R: FnMut(usize) -> f64>(
    threads: usize,
    kinds: usize,
    prepare: impl Fn() -> R + Sync,
) -> f64 {
    let others = threads.clamp(1, processors()) - 1;
    let start: OnceLock<Instant> = OnceLock::new();
    let (ready, all_ready) = mpsc::channel();
    let totals = thread::scope(|scope| {
        let (start, prepare) = (&start, &prepare);
        let spawn = |_| {
            let ready = ready.clone();
            let work = move || {
                let run = prepare();
                // Whoever waits for it is there until it has come.
                let _ = ready.send(());
                drop(ready);
                done_by_slice(*start.wait(), kinds, run)
            };
            thread::Builder::new().spawn_scoped(scope, work).ok()
        };
        let others: Vec<_> = (0..others).map_while(spawn).collect();
        drop(ready);
        let run = prepare();
        for _ in &others {
            let _ = all_ready.recv();
        }
        // Sleepers wake up before it begins.
        let begin = *start.get_or_init(|| Instant::now() + Duration::from_millis(1));
        let mut totals = done_by_slice(begin, kinds, run);
        for other in others {
            for (total, done) in totals.iter_mut().zip(other.join().unwrap_or([0.0; SLICES])) {
                *total += done;
            }
        }
        totals
    });
    totals.into_iter().fold(0.0, f64::max) / SLICE.as_secs_f64() / 1e9
}

/// Units that one thread has done in each slice. Kinds take turns by slices, so that all threads run one kind at a time.
fn done_by_slice(start: Instant, kinds: usize, mut run: impl FnMut(usize) -> f64) -> [f64; SLICES] {
    let mut done = [0.0; SLICES];
    while start.elapsed().is_zero() {
        std::hint::spin_loop();
    }
    let now = || start.elapsed().div_duration_f64(SLICE);
    let mut begin = now();
    while begin < SLICES as f64 {
        let units = run(begin as usize % kinds);
        let end = now();
        spread(&mut done, begin, end, units);
        begin = end;
    }
    done
}

/// Adds a run's units to the slices that it was in, by its time in each; times are in slices.
fn spread(done: &mut [f64], begin: f64, end: f64, units: f64) {
    for (index, done) in done.iter_mut().enumerate().skip(begin as usize) {
        let within = end.min(index as f64 + 1.0) - begin.max(index as f64);
        if within <= 0.0 {
            break;
        }
        *done += units * within / (end - begin);
    }
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
        let prepared = std::sync::atomic::AtomicUsize::new(0);
        for threads in [0, 100_000] {
            let rate = together(threads, 1, || {
                prepared.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                |_: usize| {
                    thread::sleep(Duration::from_micros(100));
                    1.0
                }
            });
            assert!(rate > 0.0);
        }
        assert_eq!(prepared.into_inner(), 1 + processors());
    }

    /// Threads that only work in turn are no faster than one.
    #[test]
    fn what_is_not_done_at_the_same_time_does_not_add_up() {
        const WORK: Duration = Duration::from_micros(100);
        let turn = std::sync::Mutex::new(());
        let turn = &turn;
        let rate = together(2, 1, || {
            move |_: usize| {
                let _turn = turn.lock().unwrap();
                let begin = Instant::now();
                while begin.elapsed() < WORK {
                    std::hint::spin_loop();
                }
                1.0
            }
        });
        let one = 1.0 / WORK.as_secs_f64() / 1e9;
        assert!(rate > 0.0 && rate < 1.2 * one, "{rate} of {one}");
    }

    #[test]
    fn a_run_counts_in_each_slice_by_its_time_there() {
        let mut done = [0.0; 3];
        spread(&mut done, 0.5, 1.5, 8.0);
        spread(&mut done, 1.5, 5.5, 8.0);
        assert_eq!(done, [4.0, 5.0, 2.0]);
    }

    #[test]
    fn memory_is_shared() {
        assert_eq!(share_bytes(1), 128 << 20);
        assert_eq!(share_bytes(2), 64 << 20);
        assert_eq!(share_bytes(192), 16 << 20);
    }
}
