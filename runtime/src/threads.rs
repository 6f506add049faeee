//! The fork-join pool that shares the iterations of a parallel loop among threads.
//!
//! A loop is published by one store: a *ticket* of generation and parts left. Whoever takes some of them counts the ticket down, the caller
//! from the front and workers from the back, so that each meets again what it wrote in the loop before: a share of what is left each time, so
//! that the last ones are small and threads end together. Hence the caller waits only for parts that somebody has begun, and never for a worker to
//! wake up. Workers spin for a moment after their last part, which makes a fork cost about a microsecond while
//! a network runs, then they sleep.

use crate::denormals::Flushed;
use std::hint;
use std::num::NonZero;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicPtr, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

/// Iterations `from..to` of a parallel loop; `ctx` is what [`Pool::run`] was given.
pub type Body = unsafe extern "C" fn(ctx: *const u8, from: i64, to: i64);

/// How long a thread spins before it sleeps: longer than the serial stretches between most parallel loops.
const SPIN: Duration = Duration::from_micros(100);

/// The smallest parts that are taken, for each thread: threads end within one of them of each other.
const PARTS_PER_THREAD: usize = 16;

/// A thread takes one of so many shares of what is left, for each thread: the rest is for those that the system does not hold up.
const SHARES_PER_THREAD: u32 = 4;

/// Iterations that one thread ran at a stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// When it began.
    pub from: Instant,
    /// When it ended.
    pub to: Instant,
    /// The first iteration.
    pub first: i64,
    /// Their number.
    pub count: i64,
}

/// Most spans that a thread keeps: 48 MiB of them, so that nobody who forgets to take them runs out of memory. Later ones are lost.
pub const MOST_SPANS: usize = 1 << 20;

/// Threads that run parallel loops. Denormal numbers are [zero](crate::denormals) on all but the caller's, whose mode is the caller's business.
#[derive(Debug)]
pub struct Pool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

impl Pool {
    /// A pool of that many threads, the caller's own included; of fewer if the system gives no more.
    pub fn new(threads: usize) -> Pool {
        // Spinning only keeps others from working where there are more threads than processors.
        let enough = thread::available_parallelism().map_or(1, NonZero::get) >= threads;
        let sleeping = (1..threads)
            .map(|_| Padded(AtomicBool::new(false)))
            .collect();
        let shared = Arc::new(Shared::new(
            if enough { SPIN } else { Duration::ZERO },
            sleeping,
        ));
        let spawn = |index| {
            let shared = Arc::clone(&shared);
            let name = format!("cnnc-worker-{}", index + 1);
            thread::Builder::new()
                .name(name)
                .spawn(move || {
                    let _flushed = Flushed::enter();
                    shared.work(index)
                })
                .ok()
        };
        let workers = (0..threads.saturating_sub(1)).map_while(spawn).collect();
        Pool { shared, workers }
    }

    /// Begins or ends to note when each thread runs what. Without it no thread looks at a clock for a loop's sake.
    pub fn record(&self, on: bool) {
        self.shared.recording.store(on, Ordering::Relaxed);
    }

    /// What each thread has run since this was last asked, the caller's first, while [`Pool::record`] was on.
    pub fn take_spans(&self) -> Vec<Vec<Span>> {
        let spans = self.shared.spans.iter();
        let take = |spans: &Padded<Mutex<Vec<Span>>>| {
            std::mem::take(&mut *spans.0.lock().unwrap_or_else(PoisonError::into_inner))
        };
        spans.map(take).collect()
    }

    /// Number of threads, the caller's own included.
    pub fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Runs iterations `0..trip`, each exactly once, and returns when all are done.
    ///
    /// Serial if there is nobody to share with: one thread, one iteration, or another loop under way.
    ///
    /// # Safety
    /// `body` must be sound for `ctx` on any disjoint ranges within `0..trip`, on several threads at once.
    pub unsafe fn run(&self, body: Body, ctx: *const u8, trip: i64) {
        if trip < 1 {
            return;
        }
        if trip == 1 || self.workers.is_empty() || !self.shared.begin() {
            // SAFETY: the caller vouches for this range.
            return unsafe { body(ctx, 0, trip) };
        }
        let most = (self.threads() * PARTS_PER_THREAD).min(usize::from(u16::MAX));
        let parts = trip.min(most as i64) as u32;
        self.shared.publish(body, ctx, trip, parts);
        let others = self.workers.iter().zip(&self.shared.sleeping);
        for (worker, _) in others
            .filter(|(_, sleeping)| sleeping.0.load(Ordering::SeqCst))
            .take(parts as usize - 1)
        {
            worker.thread().unpark();
        }
        self.shared.help(End::Front, 0);
        self.shared.wait_for_parts();
        self.shared.busy.store(false, Ordering::Release);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        for worker in self.workers.drain(..) {
            worker.thread().unpark();
            // A worker runs no code that panics.
            let _ = worker.join();
        }
    }
}

/// [`Pool::run`] for compiled code; without a pool (null) the loop runs serially.
///
/// # Safety
/// As [`Pool::run`]; `pool` is null or points to a live pool.
pub unsafe extern "C" fn parallel_for(pool: *const Pool, body: Body, ctx: *const u8, trip: i64) {
    // SAFETY: the caller promises a live pool or null.
    match unsafe { pool.as_ref() } {
        // SAFETY: passed on.
        Some(pool) => unsafe { pool.run(body, ctx, trip) },
        // SAFETY: the caller vouches for this range.
        None if trip > 0 => unsafe { body(ctx, 0, trip) },
        None => {}
    }
}

/// A value in cache lines of its own.
#[derive(Debug)]
#[repr(align(128))]
struct Padded<T>(T);

/// Where parts are taken from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// Where the caller takes them.
    Front,
    /// Where workers do.
    Back,
}

/// What caller and workers share.
#[derive(Debug)]
struct Shared {
    /// Generation in the upper half; below it the parts that nobody has taken yet, and those that were taken from the back, 16 bits each.
    ticket: Padded<AtomicU64>,
    /// Parts that are not finished.
    pending: Padded<AtomicU32>,
    /// The loop of this generation: written while no part of any generation is left.
    body: AtomicPtr<()>,
    ctx: AtomicPtr<u8>,
    trip: AtomicI64,
    parts: AtomicU32,
    /// Whether a loop is under way.
    busy: AtomicBool,
    stop: AtomicBool,
    spin: Duration,
    /// Which workers sleep, or are about to.
    sleeping: Vec<Padded<AtomicBool>>,
    /// Whether threads note what they run, and what they have noted, each in a list of its own.
    recording: AtomicBool,
    spans: Vec<Padded<Mutex<Vec<Span>>>>,
    /// The caller, if it sleeps.
    caller: Mutex<Option<Thread>>,
    caller_sleeps: AtomicBool,
}

impl Shared {
    fn new(spin: Duration, sleeping: Vec<Padded<AtomicBool>>) -> Shared {
        Shared {
            ticket: Padded(AtomicU64::new(0)),
            pending: Padded(AtomicU32::new(0)),
            body: AtomicPtr::new(null_mut()),
            ctx: AtomicPtr::new(null_mut()),
            trip: AtomicI64::new(0),
            parts: AtomicU32::new(0),
            busy: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            spin,
            recording: AtomicBool::new(false),
            spans: (0..=sleeping.len())
                .map(|_| Padded(Mutex::new(Vec::new())))
                .collect(),
            sleeping,
            caller: Mutex::new(None),
            caller_sleeps: AtomicBool::new(false),
        }
    }

    /// Whether the pool was free; it is the caller's now.
    fn begin(&self) -> bool {
        self.busy
            .compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    /// Offers a loop to everybody. Sequentially consistent with a worker that says it sleeps and looks once more.
    fn publish(&self, body: Body, ctx: *const u8, trip: i64, parts: u32) {
        self.body.store(body as *mut (), Ordering::Relaxed);
        self.ctx.store(ctx.cast_mut(), Ordering::Relaxed);
        self.trip.store(trip, Ordering::Relaxed);
        self.parts.store(parts, Ordering::Relaxed);
        self.pending.0.store(parts, Ordering::Relaxed);
        let generation = (self.ticket.0.load(Ordering::Relaxed) >> 32).wrapping_add(1);
        self.ticket
            .0
            .store(generation << 32 | u64::from(parts) << 16, Ordering::SeqCst);
    }

    /// Takes parts from one end until there are none, as the thread of that number.
    fn help(&self, end: End, thread: usize) {
        let shares = (self.sleeping.len() as u32 + 1) * SHARES_PER_THREAD;
        loop {
            let ticket = self.ticket.0.load(Ordering::Acquire);
            let (left, behind) = (ticket as u32 >> 16, u32::from(ticket as u16));
            if left == 0 {
                return;
            }
            let body = self.body.load(Ordering::Relaxed);
            let ctx = self.ctx.load(Ordering::Relaxed);
            let (trip, parts) = (
                self.trip.load(Ordering::Relaxed),
                self.parts.load(Ordering::Relaxed),
            );
            let count = (left / shares).max(1);
            let back = if end == End::Back { count } else { 0 };
            let taken = self.ticket.0.compare_exchange_weak(
                ticket,
                ticket - (u64::from(count) << 16) + u64::from(back),
                Ordering::AcqRel,
                Ordering::Relaxed,
            );
            if taken.is_err() {
                continue;
            }
            let first = match end {
                End::Front => parts - left - behind,
                End::Back => parts - behind - count,
            };
            let (from, to) = (start(trip, parts, first), start(trip, parts, first + count));
            let begin = (self.recording.load(Ordering::Relaxed)).then(Instant::now);
            // SAFETY: the ticket was still the one read first, hence its loop could not be finished, let alone
            // replaced: what was read in between is that loop's. Each part is taken once, and parts are disjoint.
            unsafe { std::mem::transmute::<*mut (), Body>(body)(ctx, from, to) };
            if let Some(begin) = begin {
                self.note(thread, begin, from, to);
            }
            if self.pending.0.fetch_sub(count, Ordering::SeqCst) == count
                && self.caller_sleeps.load(Ordering::SeqCst)
            {
                // Left in place: waking a caller too early must not keep it from being woken in time.
                let caller = self.caller.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(caller) = &*caller {
                    caller.unpark();
                }
            }
        }
    }

    /// Keeps what a thread has run. Nobody else wants its list meanwhile.
    #[cold]
    fn note(&self, thread: usize, begin: Instant, from: i64, to: i64) {
        let span = Span {
            from: begin,
            to: Instant::now(),
            first: from,
            count: to - from,
        };
        let spans = &self.spans[thread].0;
        let mut spans = spans.lock().unwrap_or_else(PoisonError::into_inner);
        if spans.len() < MOST_SPANS {
            spans.push(span);
        }
    }

    /// Waits for the parts that workers have begun.
    fn wait_for_parts(&self) {
        let finished = || self.pending.0.load(Ordering::SeqCst) == 0;
        if self.spin_until(finished) {
            return;
        }
        *self.caller.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread::current());
        self.caller_sleeps.store(true, Ordering::SeqCst);
        while !finished() {
            thread::park();
        }
        self.caller_sleeps.store(false, Ordering::SeqCst);
    }

    /// A worker's life.
    fn work(&self, index: usize) {
        let stopped = || self.stop.load(Ordering::SeqCst);
        while !stopped() {
            self.help(End::Back, index + 1);
            let something = || self.ticket.0.load(Ordering::SeqCst) as u32 >> 16 != 0 || stopped();
            if !self.spin_until(something) {
                self.sleeping[index].0.store(true, Ordering::SeqCst);
                while !something() {
                    thread::park();
                }
                self.sleeping[index].0.store(false, Ordering::SeqCst);
            }
        }
    }

    /// Whether `done` came true within the time for spinning.
    fn spin_until(&self, done: impl Fn() -> bool) -> bool {
        let start = Instant::now();
        loop {
            for _ in 0..64 {
                if done() {
                    return true;
                }
                hint::spin_loop();
            }
            if start.elapsed() >= self.spin {
                return done();
            }
        }
    }
}

/// First iteration of part `index` when `trip` is cut into `parts` nearly equal ones.
fn start(trip: i64, parts: u32, index: u32) -> i64 {
    let (size, longer) = (trip / i64::from(parts), trip % i64::from(parts));
    let index = i64::from(index);
    index * size + index.min(longer)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts how often each iteration ran.
    unsafe extern "C" fn count(ctx: *const u8, from: i64, to: i64) {
        // SAFETY: every test passes a vector of as many counters as its trip count.
        let counters = unsafe { &*ctx.cast::<Vec<AtomicU32>>() };
        for index in from..to {
            counters[index as usize].fetch_add(1, Ordering::Relaxed);
        }
    }

    fn runs_each_once(pool: &Pool, trip: i64) {
        let counters: Vec<_> = (0..trip).map(|_| AtomicU32::new(0)).collect();
        // SAFETY: `count` gets as many counters as the trip count.
        unsafe { pool.run(count, (&raw const counters).cast(), trip) };
        assert!(
            counters
                .iter()
                .all(|counter| counter.load(Ordering::Relaxed) == 1),
            "trip {trip}"
        );
    }

    #[test]
    fn every_iteration_runs_once() {
        for threads in [0, 1, 2, 3, 9] {
            let pool = Pool::new(threads);
            assert_eq!(pool.threads(), threads.max(1));
            for trip in [0, 1, 2, 3, 7, 8, 31, 1000] {
                runs_each_once(&pool, trip);
            }
        }
    }

    #[test]
    fn what_is_recorded_is_every_iteration_once() {
        let pool = Pool::new(3);
        runs_each_once(&pool, 40);
        assert!(pool.take_spans().iter().all(Vec::is_empty));
        pool.record(true);
        (0..50).for_each(|_| runs_each_once(&pool, 100));
        pool.record(false);
        runs_each_once(&pool, 40);
        let spans = pool.take_spans();
        assert_eq!(spans.len(), 3);
        let all = || spans.iter().flatten();
        assert_eq!(all().map(|span| span.count).sum::<i64>(), 5000);
        assert!(all().all(|span| span.from <= span.to && span.first + span.count <= 100));
        assert!(pool.take_spans().iter().all(Vec::is_empty));
    }

    #[test]
    fn many_generations_spinning_and_asleep() {
        let pool = Pool::new(3);
        for turn in 0..20_000 {
            runs_each_once(&pool, 1 + turn % 13);
            if turn % 1000 == 0 {
                thread::sleep(SPIN * 3);
            }
        }
    }

    #[test]
    fn callers_in_several_threads_share_a_pool() {
        let pool = Pool::new(2);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..500).for_each(|turn| runs_each_once(&pool, 1 + turn % 40)));
            }
        });
    }

    #[test]
    fn a_loop_inside_a_loop_is_serial() {
        struct Nested {
            pool: Pool,
            counters: [Vec<AtomicU32>; 6],
        }
        unsafe extern "C" fn outer(ctx: *const u8, from: i64, to: i64) {
            // SAFETY: the test passes a `Nested` and six iterations, each of which has a vector of five counters.
            unsafe {
                let nested = &*ctx.cast::<Nested>();
                for index in from..to {
                    parallel_for(
                        &nested.pool,
                        count,
                        (&raw const nested.counters[index as usize]).cast(),
                        5,
                    );
                }
            }
        }
        let counters = std::array::from_fn(|_| (0..5).map(|_| AtomicU32::new(0)).collect());
        let nested = Nested {
            pool: Pool::new(2),
            counters,
        };
        // SAFETY: as `outer` asks.
        unsafe { parallel_for(&nested.pool, outer, (&raw const nested).cast(), 6) };
        assert!(
            nested
                .counters
                .iter()
                .flatten()
                .all(|counter| counter.load(Ordering::Relaxed) == 1)
        );
    }

    #[test]
    fn without_a_pool_the_loop_is_serial() {
        let counters: Vec<_> = (0..3).map(|_| AtomicU32::new(0)).collect();
        for trip in [0, 3] {
            // SAFETY: null is allowed, and there are three counters.
            unsafe { parallel_for(std::ptr::null(), count, (&raw const counters).cast(), trip) };
        }
        assert!(
            counters
                .iter()
                .all(|counter| counter.load(Ordering::Relaxed) == 1)
        );
    }

    #[test]
    fn parts_cover_the_loop() {
        for (trip, parts) in [(1, 1), (7, 3), (8, 8), (1000, 36)] {
            let sizes = (0..parts).map(|i| start(trip, parts, i + 1) - start(trip, parts, i));
            let sizes: Vec<_> = sizes.collect();
            assert_eq!(sizes.iter().sum::<i64>(), trip);
            assert!(
                sizes
                    .iter()
                    .all(|&size| size == sizes[0] || size == sizes[0] - 1)
            );
        }
    }
}
