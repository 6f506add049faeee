//! How far a run is, on standard error: a bar on a terminal, else a line every minute; and what it came to.

use crate::print;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Between two lines.
const EVERY: Duration = Duration::from_secs(60);

/// How far a run is.
pub struct Progress {
    begun: Instant,
    said: Instant,
    bar: Option<ProgressBar>,
    of: Option<usize>,
    /// Files that are answered.
    pub answered: usize,
    /// Files that are broken.
    pub broken: usize,
    /// Files that an earlier run has answered.
    pub before: usize,
    /// What threads took to make files ready, all together.
    pub making: Duration,
    /// What it took to compute answers and to write them.
    pub computing: Duration,
}

impl Progress {
    /// Of so many files, if that is known; beside it nothing is shown on the terminal where a bar may be.
    pub fn new(of: Option<usize>, before: usize, alone: bool) -> Progress {
        let terminal = std::io::stderr().is_terminal();
        let bar = (terminal && alone).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            let style = match of {
                Some(_) => "{bar:30} {pos}/{len}, {per_sec}, {eta} left{msg}",
                None => "{pos}, {per_sec}{msg}",
            };
            bar.set_style(ProgressStyle::with_template(style).expect("a template that is right"));
            bar.set_length(of.unwrap_or(0) as u64);
            bar
        });
        let now = Instant::now();
        Progress {
            begun: now,
            said: now,
            bar,
            of,
            answered: 0,
            broken: 0,
            before,
            making: Duration::ZERO,
            computing: Duration::ZERO,
        }
    }

    /// Says how far it is, where that is due.
    pub fn say(&mut self) {
        if let Some(bar) = &self.bar {
            bar.set_position((self.answered + self.broken) as u64);
            if self.broken > 0 {
                bar.set_message(format!(", {} broken", self.broken));
            }
        } else if self.said.elapsed() >= EVERY {
            self.said = Instant::now();
            let of = self.of.map(|of| format!(" of {of}")).unwrap_or_default();
            let rate = self.rate(self.begun.elapsed());
            let broken = self.broken;
            eprintln!(
                "{}{of}, {rate:.1} a second, {broken} broken",
                self.answered + broken
            );
        }
    }

    /// Writes what must not run into the bar.
    pub fn aside(&self, write: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn rate(&self, time: Duration) -> f64 {
        self.answered as f64 / time.as_secs_f64().max(1e-9)
    }

    /// What it came to, where so many threads made files ready.
    pub fn pace(&self, threads: usize) -> Pace {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let time = self.begun.elapsed();
        let share = |part: Duration| part.as_secs_f64() / time.as_secs_f64().max(1e-9);
        let threads = threads.max(1);
        Pace {
            answered: self.answered,
            broken: self.broken,
            time,
            per_second: self.rate(time),
            decoders: threads,
            reading: share(self.making) / threads as f64,
            waiting: 1.0 - share(self.computing.min(time)),
        }
    }

    /// Says what it came to, where so many threads made files ready.
    pub fn end(&self, threads: usize) {
        let pace = self.pace(threads);
        let mut more = String::new();
        for (count, what) in [(self.broken, "broken"), (self.before, "answered before")] {
            if count > 0 {
                more += &format!(", {count} {what}");
            }
        }
        eprintln!(
            "{} answered in {}, {:.1} a second{more}; {}",
            pace.answered,
            seconds(pace.time),
            pace.per_second,
            pace.shares(),
        );
    }
}

/// What answering many files came to.
pub struct Pace {
    /// Files that are answered.
    pub answered: usize,
    /// Files that are broken.
    pub broken: usize,
    /// How long it took.
    pub time: Duration,
    /// Files that are answered in a second.
    pub per_second: f64,
    /// Threads that made files ready.
    pub decoders: usize,
    /// Share of the time in which each of them was busy.
    pub reading: f64,
    /// Share of the time in which nothing was computed, since no file was ready.
    pub waiting: f64,
}

impl Pace {
    /// How busy everyone was, in words.
    pub fn shares(&self) -> String {
        let busy = match self.decoders {
            1 => "one thread".to_owned(),
            threads => format!("{threads} threads"),
        };
        format!(
            "reading kept {busy} busy for {:.0} % of the time, computing waited {:.0} %",
            100.0 * self.reading,
            100.0 * self.waiting,
        )
    }
}

/// `41.3 s`, `12 min 5 s`
fn seconds(time: Duration) -> String {
    match time.as_secs() {
        ..60 => format!("{} s", print::ms(time.as_secs_f64())),
        whole => format!("{} min {} s", whole / 60, whole % 60),
    }
}
