//! How many threads a command runs on, where nobody says it.
//!
//! `run`, `identify` and `bench` take one: an answer takes milliseconds, several programs side by side use a machine better, and
//! figures of one thread are those that compare. What learns, judges and changes pictures takes every processor, since it
//! works for seconds and hours; what comes out is the same for any number.

use std::thread::available_parallelism;

/// Most threads that a command takes by itself.
const MOST: usize = 16;

/// As many as are asked for, or every processor that this program may use, [`MOST`] at most.
pub fn many(asked: Option<u16>) -> usize {
    let all = || available_parallelism().map_or(1, usize::from).min(MOST);
    asked.map_or_else(all, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_counts() {
        assert_eq!(many(Some(40)), 40);
        assert!((1..=MOST).contains(&many(None)));
    }
}
