//! How fast a network is: the measurements that `cnnc bench` prints.
//!
//! One run is everything between the caller's slice and the caller's result: conversion of the input's layout, all layers, conversion
//! of the outputs. Weights are loaded and packed before. FLOPs are two per multiply-add of convolutions and dense layers, and nothing
//! for all else, so a share of the peak is never flattered.

mod kernels;
mod machine;
mod memory;
mod trace;

pub use kernels::{Kernel, Trial, kernels};
pub use machine::{Load, Machine};
pub use memory::{Block, Memory, memory};
pub use trace::{Event, Trace};

use crate::{Error, Network};
use cnnc_runtime::input::Input;
use cnnc_runtime::peak;
use machine::Watch;
use std::time::{Duration, Instant};

/// What to measure.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long to measure, after warm-up.
    pub budget: Duration,
    /// Runs before those that are measured; where nothing is said, a tenth of the budget, and one at least.
    pub warmup: Option<usize>,
    /// Runs that are measured, instead of a budget.
    pub runs: Option<usize>,
    /// Whether to measure every section as well, in a budget of its own.
    pub layers: bool,
}

impl Default for Settings {
    /// One second, no layers.
    fn default() -> Settings {
        Settings {
            budget: Duration::from_secs(1),
            warmup: None,
            runs: None,
            layers: false,
        }
    }
}

/// Times of many runs, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Times {
    /// Number of runs.
    pub runs: usize,
    /// Median: half of the runs take at most this.
    pub median: f64,
    /// Shortest.
    pub min: f64,
    /// 90 of 100 runs take at most this.
    pub p90: f64,
    /// 99 of 100 runs take at most this.
    pub p99: f64,
    /// From the quickest quarter of the runs to the slowest, half of the way, as a share of the median: half of the runs are within `median · (1 ± spread)`,
    /// about.
    pub spread: f64,
}

impl Times {
    /// Sums up at least one duration.
    pub fn of(mut durations: Vec<Duration>) -> Times {
        durations.sort_unstable();
        // Nearest rank: the smallest value that so many are at or below.
        let rank = |share: f64| {
            let rank = (durations.len() as f64 * share).ceil() as usize;
            durations[rank.clamp(1, durations.len()) - 1].as_secs_f64() * 1e3
        };
        let median = rank(0.5);
        let spread = (rank(0.75) - rank(0.25)) / 2.0;
        Times {
            runs: durations.len(),
            median,
            min: rank(0.0),
            p90: rank(0.9),
            p99: rank(0.99),
            spread: if median > 0.0 { spread / median } else { 0.0 },
        }
    }

    /// Both, added up.
    fn plus(self, other: &Times) -> Times {
        Times {
            runs: self.runs + other.runs,
            median: self.median + other.median,
            min: self.min + other.min,
            p90: self.p90 + other.p90,
            p99: self.p99 + other.p99,
            spread: self.spread + other.spread,
        }
    }

    /// The mean of so many that were added up; runs stay added.
    fn divided(self, by: usize) -> Times {
        let by = by.max(1) as f64;
        Times {
            runs: self.runs,
            median: self.median / by,
            min: self.min / by,
            p90: self.p90 / by,
            p99: self.p99 / by,
            spread: self.spread / by,
        }
    }
}

/// Fewest runs that are measured, however long they take.
const FEWEST: usize = 5;

/// Most runs that are kept: a small network would fill memory with durations.
pub const MOST: usize = 1 << 20;

/// Warms up, then times `run` as often as the settings say, or until the budget is spent.
///
/// # Errors
/// What `run` says.
pub fn measure<E>(settings: &Settings, mut run: impl FnMut() -> Result<(), E>) -> Result<Times, E> {
    warm_up(settings, &mut run)?;
    timed(settings, &mut run)
}

fn warm_up<E>(settings: &Settings, run: &mut dyn FnMut() -> Result<(), E>) -> Result<(), E> {
    if let Some(runs) = settings.warmup {
        return (0..runs).try_for_each(|_| run());
    }
    let start = Instant::now();
    run()?;
    while start.elapsed() < settings.budget / 10 {
        run()?;
    }
    Ok(())
}

fn timed<E>(settings: &Settings, run: &mut dyn FnMut() -> Result<(), E>) -> Result<Times, E> {
    let mut durations = Vec::new();
    let start = Instant::now();
    let enough = |done: usize| match settings.runs {
        Some(runs) => done >= runs.clamp(1, MOST),
        None => done >= MOST || (done >= FEWEST && start.elapsed() >= settings.budget),
    };
    while !enough(durations.len()) {
        let begin = Instant::now();
        run()?;
        durations.push(begin.elapsed());
    }
    Ok(Times::of(durations))
}

/// What times mean on this machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Images of a run.
    pub images: usize,
    /// The most that so many threads can do at the same time, measured, in GFLOP/s.
    pub peak: f64,
}

impl Rates {
    /// Measures the peak of the network's instruction set on so many threads.
    pub fn of(network: &Network, threads: usize, images: usize) -> Rates {
        Rates {
            images,
            peak: peak::peak_gflops_on(network.isa(), threads),
        }
    }

    /// Two operations for each multiply-add of an image, of all images in so many milliseconds, in GFLOP/s.
    pub fn gflops(&self, macs: u64, ms: f64) -> f64 {
        match ms > 0.0 {
            true => 2.0 * (macs * self.images as u64) as f64 / ms / 1e6,
            false => 0.0,
        }
    }

    /// The share of the peak.
    pub fn share(&self, gflops: f64) -> f64 {
        if self.peak > 0.0 {
            gflops / self.peak
        } else {
            0.0
        }
    }
}

/// One section's figures.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its label.
    pub label: String,
    /// The layer and what is fused into it; `copy` at the network's edges.
    pub layer: String,
    /// By which schedule a convolution is computed.
    pub schedule: Option<String>,
    /// Whether that is Winograd's algorithm: multiply-adds that it spares count as if they were done.
    pub winograd: bool,
    /// Times of one run.
    pub times: Times,
    /// Multiply-adds of one image.
    pub macs: u64,
    /// Bytes of operands, result and parameters of one image, each once.
    pub bytes: u64,
    /// `2 · macs · images` by the median.
    pub gflops: f64,
    /// `gflops` by the peak of all threads.
    pub peak_share: f64,
}

/// What a network does on this machine.
#[derive(Clone, Debug)]
pub struct Report {
    /// Images of one run.
    pub images: usize,
    /// Threads that it ran on.
    pub threads: usize,
    /// Times of one run, of all images.
    pub times: Times,
    /// Multiply-adds of one image.
    pub macs: u64,
    /// `2 · macs · images` by the median.
    pub gflops: f64,
    /// The most that as many threads can do at the same time by this instruction set, measured.
    pub peak_gflops: f64,
    /// `gflops` by `peak_gflops`.
    pub peak_share: f64,
    /// Processor time of one run, on all threads, if the system tells.
    pub cpu: Option<Duration>,
    /// What went on meanwhile.
    pub load: Load,
    /// Why the figures are not to be trusted.
    pub busy: Vec<String>,
    /// From text to machine code.
    pub compile: Duration,
    /// Binding, checking and packing the weights.
    pub load_time: Duration,
    /// Sections in order, if they were asked for.
    pub layers: Vec<Row>,
}

/// Measures a network on these inputs, of as many images as they hold.
///
/// # Errors
/// As [`Session::run`](crate::Session::run).
pub fn run(network: &Network, inputs: &[&dyn Input], settings: &Settings) -> Result<Report, Error> {
    let mut session = network.session()?;
    let images = session.run(inputs)?.images();
    let threads = session.threads();
    let mut once = || session.run(inputs).map(drop);
    warm_up(settings, &mut once)?;
    let watch = Watch::start();
    let times = timed(settings, &mut once)?;
    let load = watch.end(threads);
    let rates = Rates::of(network, threads, images);
    let mut layers = Vec::new();
    if settings.layers {
        for (section, times) in session.time_sections(inputs, settings)? {
            let gflops = rates.gflops(section.macs, times.median);
            layers.push(Row {
                label: section.label,
                layer: section.layer,
                schedule: section.schedule,
                winograd: section.winograd,
                times,
                macs: section.macs,
                bytes: section.bytes,
                gflops,
                peak_share: rates.share(gflops),
            });
        }
    }
    let macs = network.macs();
    let gflops = rates.gflops(macs, times.median);
    Ok(Report {
        images,
        threads,
        times,
        macs,
        gflops,
        peak_gflops: rates.peak,
        peak_share: rates.share(gflops),
        cpu: load.cpu.map(|cpu| cpu / times.runs as u32),
        busy: load.reasons(threads, &Machine::this(), times.spread),
        load,
        compile: network.compile_time(),
        load_time: network.load_time(),
        layers,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_of_a_hundred() {
        let times = Times::of((1..=100).rev().map(Duration::from_millis).collect());
        let expected = Times {
            runs: 100,
            median: 50.0,
            min: 1.0,
            p90: 90.0,
            p99: 99.0,
            spread: 0.5,
        };
        assert_eq!(times, expected);
    }

    #[test]
    fn one_slow_run_is_enough() {
        let times = Times::of(vec![Duration::from_micros(1500)]);
        assert_eq!(
            times,
            Times {
                runs: 1,
                median: 1.5,
                min: 1.5,
                p90: 1.5,
                p99: 1.5,
                spread: 0.0
            }
        );
    }

    #[test]
    fn an_error_ends_the_measurement() {
        let mut left = 3;
        let settings = Settings {
            budget: Duration::from_secs(3600),
            ..Settings::default()
        };
        let outcome = measure(&settings, || {
            left -= 1;
            if left == 0 { Err("enough") } else { Ok(()) }
        });
        assert_eq!(outcome, Err("enough"));
    }

    #[test]
    fn as_many_runs_as_are_asked_for() {
        let settings = Settings {
            warmup: Some(7),
            runs: Some(30),
            ..Settings::default()
        };
        let mut all = 0;
        let times = measure(&settings, || {
            all += 1;
            Ok::<(), ()>(())
        });
        assert_eq!((times.map(|times| times.runs), all), (Ok(30), 37));
    }
}
