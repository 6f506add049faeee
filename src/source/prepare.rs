//! Threads that make files ready ahead of the one that takes what they make.
//!
//! ```text
//! entries ──one at a time, each with a place──▶ threads ──▶ waiting until all before it are taken ──▶ take
//!                          ▲                                                                        │
//!                          └──────────────────────── the place is free again ◀──────────────────────┘
//! ```
//!
//! There are so many places that a thread which is slow with one file does not hold the others up at once, and no more: what is made
//! and not yet taken has a bound. Entries get places in their order, so that the one that is waited for has one.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// How far ahead threads work.
#[derive(Clone, Copy, Debug)]
pub struct Ahead {
    /// Threads that make files ready.
    pub threads: usize,
    /// Files that are made or being made, and not yet taken, at most.
    pub places: usize,
}

impl Ahead {
    /// Beside so many threads that compute on so many files at once: a thread for each core that is left, but one at least, and eight at most.
    pub fn beside(computing: usize, at_once: usize) -> Ahead {
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Ahead::with(cores.saturating_sub(computing).clamp(1, 8), at_once)
    }

    /// With so many threads.
    pub fn with(threads: usize, at_once: usize) -> Ahead {
        Ahead {
            threads,
            places: at_once + 2 * threads,
        }
    }
}

/// What threads take entries from.
struct Gate<'a, E> {
    entries: &'a mut (dyn Iterator<Item = E> + Send),
    /// Entries that have been given out.
    given: usize,
    places: Receiver<()>,
}

/// Calls it when it goes.
struct Last<'a>(&'a dyn Fn());

impl Drop for Last<'_> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Makes every entry into something, and hands that on in the order of entries until it is refused; whether all were taken. `over` is called when
/// nothing is taken any more: a thread may still wait for the next entry, which must come or end then ([`Over::end`](super::Over::end)).
///
/// # Errors
/// Those of `take`.
///
/// # Panics
/// If `make` does.
pub fn each<E: Send, T: Send, F>(
    entries: &mut (dyn Iterator<Item = E> + Send),
    make: &(dyn Fn(E) -> T + Sync),
    ahead: Ahead,
    take: &mut dyn FnMut(T) -> Result<bool, F>,
    over: &dyn Fn(),
) -> Result<bool, F> {
    let (free, places) = channel();
    for _ in 0..ahead.places.max(1) {
        // Both ends are here.
        let _ = free.send(());
    }
    let gate = Mutex::new(Gate {
        entries,
        given: 0,
        places,
    });
    let next = || {
        let mut gate = gate.lock().unwrap_or_else(PoisonError::into_inner);
        // Without the other end nobody takes any more.
        gate.places.recv().ok()?;
        let entry = gate.entries.next()?;
        gate.given += 1;
        Some((gate.given - 1, entry))
    };
    let (to_taker, made) = channel();
    thread::scope(|scope| {
        for _ in 0..ahead.threads.max(1) {
            let (to_taker, next) = (to_taker.clone(), &next);
            scope.spawn(move || {
                while let Some((number, entry)) = next() {
                    let item = catch_unwind(AssertUnwindSafe(|| make(entry)));
                    if to_taker.send((number, item)).is_err() {
                        return;
                    }
                }
            });
        }
        // Go out of scope before threads are waited for, which ends them.
        let (free, made) = (free, made);
        let _last = Last(over);
        drop(to_taker);
        let mut waiting = BTreeMap::new();
        let mut taken = 0;
        while let Ok((number, item)) = made.recv() {
            waiting.insert(number, item);
            while let Some(item) = waiting.remove(&taken) {
                taken += 1;
                let item = item.unwrap_or_else(|panic| resume_unwind(panic));
                if !take(item)? {
                    return Ok(false);
                }
                let _ = free.send(());
            }
        }
        Ok(true)
    })
}

#[cfg(test)]
mod tests {
    use super::super::feed::Feed;
    use super::*;
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    const AHEAD: Ahead = Ahead {
        threads: 3,
        places: 7,
    };

    #[test]
    fn all_are_taken_in_their_order_and_few_are_ahead() {
        let (made, mut taken, mut most) = (AtomicUsize::new(0), Vec::new(), 0);
        let make = |number: u64| {
            // Those that begin first end last.
            std::thread::sleep(Duration::from_micros(400 - 100 * (number % 4)));
            made.fetch_add(1, Ordering::SeqCst);
            number
        };
        let all = each(
            &mut (0..500),
            &make,
            AHEAD,
            &mut |number| {
                most = most.max(made.load(Ordering::SeqCst) - taken.len());
                taken.push(number);
                Ok::<_, Infallible>(true)
            },
            &|| (),
        );
        assert_eq!((all, taken), (Ok(true), (0..500).collect()));
        assert!((2..=AHEAD.places + AHEAD.threads).contains(&most), "{most}");
    }

    #[test]
    fn it_ends_where_nothing_is_taken_any_more() {
        let mut taken = 0;
        let stopped = each(
            &mut (0..),
            &|number: u64| number,
            AHEAD,
            &mut |number| {
                taken += 1;
                Ok::<_, Infallible>(number < 20)
            },
            &|| (),
        );
        assert_eq!((stopped, taken), (Ok(false), 21));
        let failed = each(
            &mut (0..),
            &|number: u64| number,
            AHEAD,
            &mut |number| {
                if number == 9 { Err("nine") } else { Ok(true) }
            },
            &|| (),
        );
        assert_eq!(failed, Err("nine"));
        let none = each(
            &mut (0..0),
            &|number: u64| number,
            AHEAD,
            &mut |_| Err("one"),
            &|| (),
        );
        assert_eq!(none, Ok(true));
    }

    #[test]
    #[should_panic = "seven"]
    fn panics_are_passed_on() {
        let make = |number: u64| assert!(number != 7, "seven");
        let _ = each(
            &mut (0..),
            &make,
            AHEAD,
            &mut |()| Ok::<_, Infallible>(true),
            &|| (),
        );
    }

    #[test]
    fn a_source_that_keeps_waiting_holds_no_failure_up() {
        let (source, silent) = channel::<u64>();
        let (mut feed, over) = Feed::of(Box::new(silent.into_iter()));
        source.send(7).unwrap();
        let (done, ended) = channel();
        thread::spawn(move || {
            let failed = each(
                &mut feed,
                &|number: u64| number,
                AHEAD,
                &mut |number| {
                    // The next one is being waited for.
                    thread::sleep(Duration::from_millis(50));
                    Err::<bool, _>(number)
                },
                &|| over.end(),
            );
            done.send(failed)
        });
        let ended = ended.recv_timeout(Duration::from_secs(20));
        assert_eq!(ended, Ok(Err(7)));
        drop(source);
    }
}
