//! A timeline of a network's runs: which thread computed what, and when.

use std::time::Duration;

/// Runs of a network, section by section, on all threads.
#[derive(Clone, Debug)]
pub struct Trace {
    /// Threads, the caller's own included; it is the first.
    pub threads: usize,
    /// What they did; of one thread in the order in which it began.
    pub events: Vec<Event>,
    /// Whether all shares of loops are there: a thread keeps 1,048,576.
    pub whole: bool,
}

/// What a thread did at a stretch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The thread.
    pub thread: usize,
    /// The run, from 0.
    pub run: usize,
    /// The section, by its number.
    pub section: usize,
    /// From the beginning of the first run.
    pub begin: Duration,
    /// How long it took.
    pub length: Duration,
    /// For a share of a parallel loop, its first iteration and their number; the caller's own section has none.
    pub iterations: Option<(u64, u64)>,
}
