//! Entries of a source that may keep waiting (a pipe), read on a thread that nobody waits for.

use std::iter::FusedIterator;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

/// Entries that are read and not yet taken, at most.
const AHEAD: usize = 2;

/// Entries as a thread of its own reads them.
pub struct Feed<E> {
    entries: Receiver<Option<E>>,
    over: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

/// Ends a [`Feed`], even one that is being waited for.
pub struct Over<E> {
    feed: SyncSender<Option<E>>,
    over: Arc<AtomicBool>,
}

/// Says at the end, or where the reader panics, that there is no more.
struct End<E>(SyncSender<Option<E>>);

impl<E> Drop for End<E> {
    fn drop(&mut self) {
        let _ = self.0.send(None);
    }
}

impl<E: Send + 'static> Feed<E> {
    /// The entries, and what ends them before their time. The thread that reads them ends with its source or with the process.
    pub fn of(source: Box<dyn Iterator<Item = E> + Send>) -> (Feed<E>, Over<E>) {
        let (feed, entries) = sync_channel(AHEAD);
        let over = Arc::new(AtomicBool::new(false));
        let end = End(feed.clone());
        let reader = thread::spawn(move || read(source, &end));
        let fed = Feed {
            entries,
            over: Arc::clone(&over),
            reader: Some(reader),
        };
        (fed, Over { feed, over })
    }
}

fn read<E>(source: Box<dyn Iterator<Item = E> + Send>, to: &End<E>) {
    for entry in source {
        if to.0.send(Some(entry)).is_err() {
            return;
        }
    }
}

impl<E> Over<E> {
    /// Nothing is taken any more: the next entry is none, and whoever waits for one waits no longer.
    pub fn end(&self) {
        self.over.store(true, Ordering::SeqCst);
        // Where there is no room for it nobody waits.
        let _ = self.feed.try_send(None);
    }
}

impl<E> Iterator for Feed<E> {
    type Item = E;

    fn next(&mut self) -> Option<E> {
        if self.reader.is_none() || self.over.load(Ordering::SeqCst) {
            return None;
        }
        if let Ok(Some(entry)) = self.entries.recv() {
            return Some(entry);
        }
        let reader = self.reader.take()?;
        // One that is not at its end may never come to it.
        if !self.over.load(Ordering::SeqCst)
            && let Err(panic) = reader.join()
        {
            resume_unwind(panic);
        }
        None
    }
}

impl<E> FusedIterator for Feed<E> {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    #[test]
    fn entries_come_in_their_order_and_end() {
        let (feed, _over) = Feed::of(Box::new(0..100_i32));
        assert_eq!(feed.collect::<Vec<i32>>(), (0..100).collect::<Vec<i32>>());
    }

    #[test]
    #[should_panic = "five"]
    fn panics_are_passed_on() {
        let source = (0..9_i32).inspect(|&number| assert!(number != 5, "five"));
        let (feed, _over) = Feed::of(Box::new(source));
        feed.count();
    }

    #[test]
    fn who_waits_for_a_source_that_says_nothing_is_told() {
        let (open, silent) = channel::<i32>();
        let (mut feed, over) = Feed::of(Box::new(silent.into_iter()));
        let (done, ended) = channel();
        thread::spawn(move || done.send((feed.next(), feed.next())));
        thread::sleep(Duration::from_millis(50));
        over.end();
        let ended = ended.recv_timeout(Duration::from_secs(20));
        assert_eq!(ended, Ok((None, None)));
        drop(open);
    }
}
