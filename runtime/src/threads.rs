//! The fork-join pool that shares the iterations of a parallel loop among threads.
//!
//! Serial for now: a [`Pool`] runs everything on the thread that asks.

/// Iterations `from..to` of a parallel loop; `ctx` is what [`Pool::run`] was given.
pub type Body = unsafe extern "C" fn(ctx: *const u8, from: i64, to: i64);

/// Threads that run parallel loops.
#[derive(Debug)]
pub struct Pool {
    threads: usize,
}

impl Pool {
    /// A pool of that many threads, the caller's own included.
    pub fn new(threads: usize) -> Pool {
        Pool {
            threads: threads.max(1),
        }
    }

    /// Number of threads, the caller's own included.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Runs iterations `0..trip`, each exactly once, and returns when all are done.
    ///
    /// # Safety
    /// `body` must be sound for `ctx` on any disjoint ranges within `0..trip`, on several threads at once.
    pub unsafe fn run(&self, body: Body, ctx: *const u8, trip: i64) {
        if trip > 0 {
            // SAFETY: the caller vouches for this range.
            unsafe { body(ctx, 0, trip) }
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
