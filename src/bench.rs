//! How fast a network is: the measurements that `cnnc bench` prints.
//!
//! One run is everything between the caller's slice and the caller's result: conversion of the input's layout, all layers, conversion
//! of the outputs. Weights are loaded and packed before. FLOPs are two per multiply-add of convolutions and dense layers, and nothing
//! for all else, so a share of the peak is never flattered.

use crate::{Error, Network};
use cnnc_runtime::input::Input;
use cnnc_runtime::peak;
use std::time::{Duration, Instant};

/// What to measure.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long to measure, after warm-up.
    pub budget: Duration,
    /// Whether to measure every section as well, in a budget of its own.
    pub layers: bool,
}

impl Default for Settings {
    /// One second, no layers.
    fn default() -> Settings {
        Settings {
            budget: Duration::from_secs(1),
            layers: false,
        }
    }
}

/// Times of many runs, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Times {
    /// Number of runs.
    pub runs: usize,
    /// Median.
    pub median: f64,
    /// Shortest.
    pub min: f64,
    /// 99 of 100 runs take at most this.
    pub p99: f64,
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
        Times {
            runs: durations.len(),
            median: rank(0.5),
            min: rank(0.0),
            p99: rank(0.99),
        }
    }
}

/// Fewest runs that are measured, however long they take.
const FEWEST: usize = 5;

/// Most runs that are kept: a small network would fill memory with durations.
const MOST: usize = 1 << 20;

/// Warms up for a tenth of the budget, then times `run` until the budget is spent.
///
/// # Errors
/// What `run` says.
pub fn measure<E>(budget: Duration, mut run: impl FnMut() -> Result<(), E>) -> Result<Times, E> {
    let start = Instant::now();
    run()?;
    while start.elapsed() < budget / 10 {
        run()?;
    }
    let mut durations = Vec::new();
    let start = Instant::now();
    while (start.elapsed() < budget || durations.len() < FEWEST) && durations.len() < MOST {
        let begin = Instant::now();
        run()?;
        durations.push(begin.elapsed());
    }
    Ok(Times::of(durations))
}

/// One section's figures.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its label.
    pub label: String,
    /// The layer and what is fused into it; `copy` at the network's edges.
    pub layer: String,
    /// Times of one run.
    pub times: Times,
    /// Multiply-adds of one image.
    pub macs: u64,
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
    /// Times of one run, of all images.
    pub times: Times,
    /// Multiply-adds of one image.
    pub macs: u64,
    /// `2 · macs · images` by the median.
    pub gflops: f64,
    /// Peak of one core times the number of threads, measured.
    pub peak_gflops: f64,
    /// `gflops` by `peak_gflops`.
    pub peak_share: f64,
    /// From text to machine code.
    pub compile: Duration,
    /// Binding, checking and packing the weights.
    pub load: Duration,
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
    let times = measure(settings.budget, || session.run(inputs).map(drop))?;
    let peak_gflops = peak::peak_gflops(network.isa()) * session.threads() as f64;
    let rate = |macs: u64, median: f64| 2.0 * (macs * images as u64) as f64 / median / 1e6;
    let share = |gflops: f64| {
        if peak_gflops > 0.0 {
            gflops / peak_gflops
        } else {
            0.0
        }
    };
    let mut layers = Vec::new();
    if settings.layers {
        for (section, times) in session.time_sections(inputs, settings.budget)? {
            let gflops = rate(section.macs, times.median);
            layers.push(Row {
                label: section.label,
                layer: section.layer,
                times,
                macs: section.macs,
                gflops,
                peak_share: share(gflops),
            });
        }
    }
    let macs = network.macs();
    let gflops = rate(macs, times.median);
    Ok(Report {
        images,
        times,
        macs,
        gflops,
        peak_gflops,
        peak_share: share(gflops),
        compile: network.compile_time(),
        load: network.load_time(),
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
            p99: 99.0,
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
                p99: 1.5
            }
        );
    }

    #[test]
    fn an_error_ends_the_measurement() {
        let mut left = 3;
        let outcome = measure(Duration::from_secs(3600), || {
            left -= 1;
            if left == 0 { Err("enough") } else { Ok(()) }
        });
        assert_eq!(outcome, Err("enough"));
    }
}
