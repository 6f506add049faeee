//! `cnnc bench`: how fast networks are on this machine.

mod base;
mod figures;
mod kernels;
mod page;
mod text;
mod trace;

use crate::run::{self, Pace};
use crate::{Failure, inputs, network, onnx, outputs, print};
use base::Base;
use cnnc::bench::{Kernel, Machine, Report, Settings};
use cnnc::compiler::words;
use cnnc::onnx::Imported;
use cnnc::{Backend, Model, Network, Weights};
use figures::{csv, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What may be written behind `bench`.
#[derive(clap::Args)]
pub struct Args {
    /// The specs, measured one after the other; several with made-up weights only, since `--weights FILE` is of one network
    #[arg(value_name = "SPEC", required = true, value_parser = network::spec())]
    specs: Vec<PathBuf>,
    /// Numbers of threads to run on, measured one after the other [default: 1; with --report 1 and 2]
    #[arg(long, value_name = "N,…", value_parser = threads)]
    threads: Option<Threads>,
    #[command(flatten)]
    flags: network::Flags,
    /// Answer files, too, once each, as `run` does: pictures, sounds, folders, patterns in quotes, lists; how many a second with reading, beside what the network does alone. May be given several times
    #[arg(long, value_name = "FILE|DIR")]
    input: Vec<PathBuf>,
    /// How long to measure
    #[arg(long, default_value_t = 1.0, value_name = "S", value_parser = seconds)]
    seconds: f64,
    /// Measure so many runs, however long they take
    #[arg(long, value_name = "N", value_parser = runs, conflicts_with = "seconds")]
    runs: Option<usize>,
    /// Runs before those that are measured, instead of a tenth of the time
    #[arg(long, value_name = "N", value_parser = warmup)]
    warmup: Option<usize>,
    /// Measure every layer as well, 65536 times at most
    #[arg(long)]
    layers: bool,
    /// Measure every schedule that the convolutions have, each as long as a network
    #[arg(long)]
    kernels: bool,
    /// Print the figures as JSON
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// Print the figures as CSV: a row for each network, layer or schedule
    #[arg(long)]
    csv: bool,
    /// Write the figures, to be compared with
    #[arg(long, value_name = "FILE.json")]
    save: Option<PathBuf>,
    /// Compare with figures that `--save` has written
    #[arg(long, value_name = "FILE.json")]
    compare: Option<PathBuf>,
    /// Write a timeline of ten runs in Chrome's format, for ui.perfetto.dev or chrome://tracing
    #[arg(long, value_name = "FILE.json")]
    trace: Option<PathBuf>,
    /// Write a page with the roofline, layers, schedules and memory of a network
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
}

/// Numbers of threads.
#[derive(Clone)]
struct Threads(Vec<u16>);

fn threads(text: &str) -> Result<Threads, String> {
    let numbers = text.split(',').map(|number| match number.trim().parse() {
        Ok(number @ 1..=1024) => Ok(number),
        _ => Err(format!(
            "`{number}` is no number from 1 to 1024; several stand with commas between them, as in 1,2"
        )),
    });
    numbers.collect::<Result<_, _>>().map(Threads)
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.001..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("a number of seconds between 0.001 and 86400 is expected".to_owned()),
    }
}

fn runs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(runs @ 1..=cnnc::bench::MOST) => Ok(runs),
        _ => Err(format!(
            "a number of runs from 1 to {} is expected",
            cnnc::bench::MOST
        )),
    }
}

fn warmup(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(runs @ 0..=cnnc::bench::MOST) => Ok(runs),
        _ => Err(format!(
            "a number of runs from 0 to {} is expected",
            cnnc::bench::MOST
        )),
    }
}

/// What was measured of a network on a number of threads.
struct Outcome {
    spec: String,
    /// Hash of the architecture.
    hash: String,
    /// Without Winograd's algorithm.
    exact: bool,
    network: Network,
    report: Report,
    kernels: Option<Vec<Kernel>>,
    /// What the head takes of a run's outputs that is the end of an .onnx, in ms.
    head: Option<f64>,
    /// What answering files came to.
    files: Option<Pace>,
    /// What it is compared with, and what came of it.
    compared: Option<base::Compared>,
}

impl Outcome {
    /// Files a second by images a second of the network alone: 1 where reading costs nothing.
    fn share_of_files(&self, pace: &Pace) -> f64 {
        pace.per_second / figures::images_per_s(self).max(1e-9)
    }
}

/// Measures and prints.
pub fn run(args: &Args) -> Result<(), Failure> {
    if cfg!(debug_assertions) {
        print::warning("this cnnc was built without optimisation; its figures say nothing");
    }
    let machine = Machine::this();
    let models = args.models()?;
    let counts = args.counts(&machine);
    let base = match &args.compare {
        Some(path) => Some(Base::read(path)?),
        None => None,
    };
    if let Some(base) = &base {
        for (_, model) in &models {
            base.has(&model.graph().name, &counts, args.flags.batch())?;
        }
        if let Some(remark) = base.remark(&machine) {
            print::warning(remark);
        }
    }
    let mut outcomes = Vec::new();
    let mut timeline = trace::Timeline::default();
    for (network, model) in &models {
        let spec = &network.spec;
        let weights = match &args.flags.weights {
            None if !onnx::is_one(spec) => Weights::synthetic(),
            _ => network.weights(model)?,
        };
        for &threads in &counts {
            let mut outcome =
                args.measure(spec, model, &weights, threads, &machine, &mut timeline)?;
            if network.imported().is_some_and(Imported::ends_with_head) {
                outcome.head = Some(args.head(model, &outcome.network)?);
            }
            if let Some(base) = &base {
                let compared = base.compare(&outcome)?;
                if let Some(remark) = &compared.remark {
                    print::warning(remark);
                }
                outcome.compared = Some(compared);
            }
            outcomes.push(outcome);
        }
    }
    if let Some(path) = &args.trace {
        outputs::write(path, &timeline.finish())?;
    }
    if let Some(path) = &args.save {
        outputs::write(path, &base::text(&machine, &outcomes))?;
    }
    if let Some(path) = &args.report {
        let (network, model) = &models[0];
        let memory = cnnc::bench::memory(model, &network.options(Backend::Jit, &[]))?;
        outputs::write(path, &page::page(&machine, &outcomes, &memory))?;
    }
    match (args.json, args.csv) {
        (true, _) => print::json(&json(&machine, &outcomes))?,
        (_, true) => print::line(csv(&outcomes, args.finest()).trim_end())?,
        _ => print::line(text::text(&machine, &outcomes, args.finest()))?,
    }
    let mut paces = outcomes.iter().filter_map(|of| of.files.as_ref());
    match paces.find(|pace| pace.broken > 0) {
        Some(pace) => Err(Failure::LeftOut {
            broken: pace.broken,
            of: pace.broken + pace.answered,
        }),
        None => Ok(()),
    }
}

/// What is printed one by one; the page has all of it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Finest {
    layers: bool,
    kernels: bool,
}

impl Args {
    fn finest(&self) -> Finest {
        Finest {
            layers: self.layers,
            kernels: self.kernels,
        }
    }

    /// The networks, once it is known that what is asked for can be had of them.
    fn models(&self) -> Result<Vec<(network::Args, Model)>, Failure> {
        let made_up = self
            .flags
            .weights
            .as_deref()
            .is_none_or(network::is_made_up);
        if self.specs.len() > 1 {
            let one = [("--report", self.report.is_some()), ("--weights", !made_up)];
            if let Some((flag, _)) = one.into_iter().find(|(_, given)| *given) {
                let networks = self.specs.len();
                return Err(Failure::OneNetwork { flag, networks });
            }
        }
        if self.input.iter().any(|place| place == Path::new("-")) {
            let why = "files are answered once for each network and number of threads, and standard input is read once".to_owned();
            return Err(Failure::Flag {
                flag: "--input",
                why,
            });
        }
        let mut models = Vec::new();
        let mut read: Vec<PathBuf> = self.compare.iter().chain(&self.input).cloned().collect();
        for spec in &self.specs {
            let network = self.flags.of(spec, 1);
            let model = network.model(self.json)?;
            read.extend(network.read(&model).map(Path::to_owned));
            models.push((network, model));
        }
        // Figures may be compared with those that they replace.
        read.retain(|path| Some(path) != self.compare.as_ref() || self.save != self.compare);
        let written = [&self.save, &self.trace, &self.report];
        let written = written.into_iter().flatten().map(PathBuf::as_path);
        outputs::apart(written, read.iter().map(PathBuf::as_path))?;
        Ok(models)
    }

    /// Numbers of threads, each once; the page has them in order.
    fn counts(&self, machine: &Machine) -> Vec<u16> {
        let counts = match &self.threads {
            Some(Threads(counts)) => counts.clone(),
            None if self.report.is_some() && machine.processors > 1 => vec![1, 2],
            None => vec![1],
        };
        distinct(counts, self.report.is_some())
    }

    fn settings(&self) -> Settings {
        Settings {
            budget: Duration::from_secs_f64(self.seconds),
            warmup: self.warmup,
            runs: self.runs,
            layers: self.layers || self.report.is_some(),
        }
    }

    /// The time in which a head makes answers of a run's outputs, in ms.
    fn head(&self, model: &Model, network: &Network) -> Result<f64, Failure> {
        let sample = inputs::synthetic(network.inputs())?;
        let samples = vec![&sample; network.batch()];
        let images = inputs::together(&samples)?;
        let mut session = network.session()?;
        let outputs = session.run(&inputs::views(&images))?;
        let (head, place) = (model.head(), sample.placement(network.inputs()));
        let settings = Settings {
            budget: self.settings().budget / 10,
            layers: false,
            ..self.settings()
        };
        let times = cnnc::bench::measure(&settings, || {
            for image in 0..outputs.images() {
                std::hint::black_box(outputs.image(image).answer(&head, &place)?);
            }
            Ok::<(), Failure>(())
        })?;
        Ok(times.median)
    }

    fn measure(
        &self,
        spec: &Path,
        model: &Model,
        weights: &Weights,
        threads: u16,
        machine: &Machine,
        timeline: &mut trace::Timeline,
    ) -> Result<Outcome, Failure> {
        let args = self.flags.of(spec, threads);
        let network = args.network(model, weights, Backend::Jit, &[])?;
        let sample = inputs::synthetic(network.inputs())?;
        let samples = vec![&sample; network.batch()];
        let images = inputs::together(&samples)?;
        let views = inputs::views(&images);
        let settings = self.settings();
        let whole = self.seconds * if settings.layers { 2.1 } else { 1.1 };
        if self.runs.is_none() && whole > 2.0 && !self.json {
            print::patience(format_args!(
                "measuring {} for {whole:.0} seconds",
                network.name()
            ));
        }
        // Files first: a mistake in their names shows before anything is measured.
        let files = match &self.input[..] {
            [] => None,
            files => Some(run::measured(model, &network, files, threads.into())?),
        };
        let report = cnnc::bench::run(&network, &views, &settings)?;
        if !report.busy.is_empty() {
            print::warning(format_args!(
                "{} on {}: times may be too long, {}",
                network.name(),
                words::count(report.threads, "thread"),
                report.busy.join("; ")
            ));
        }
        if self.trace.is_some() {
            let mut session = network.session()?;
            let trace = session.trace(&views, trace::RUNS)?;
            timeline.add(&network, &trace);
            if !trace.whole {
                print::warning(format_args!(
                    "the timeline of {} lacks the last shares of loops: there are too many",
                    network.name()
                ));
            }
        }
        // The page's are of the fewest threads: schedules are alike on all.
        let first = self.counts(machine).first() == Some(&threads);
        let asked = self.kernels || (self.report.is_some() && first);
        let kernels = asked.then(|| {
            let options = args.options(Backend::Jit, &[]);
            let told = |done: usize, all: usize| {
                if !self.json && done < all {
                    print::patience(format_args!("{done} of {all} schedules measured"));
                }
            };
            cnnc::bench::kernels(model, weights, &options, &views, &settings, &told)
        });
        Ok(Outcome {
            spec: spec.display().to_string(),
            hash: model.hash(),
            exact: self.flags.exact,
            network,
            report,
            kernels: kernels.transpose()?,
            head: None,
            files,
            compared: None,
        })
    }
}

/// Each once, as they came or in order.
fn distinct(mut counts: Vec<u16>, in_order: bool) -> Vec<u16> {
    if in_order {
        counts.sort_unstable();
    }
    let mut seen = Vec::new();
    counts.retain(|count| {
        let new = !seen.contains(count);
        seen.push(*count);
        new
    });
    counts
}

/// `85.1 %`
fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// The words of a schedule that say which algorithm it is.
fn algorithm(schedule: &str) -> &str {
    schedule.split(',').next().unwrap_or(schedule)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page's roofs rise with the threads, and its schedules are of the fewest.
    #[test]
    fn the_page_has_threads_in_order() {
        assert_eq!(distinct(vec![2, 1, 2], true), [1, 2]);
        assert_eq!(distinct(vec![2, 1, 2], false), [2, 1]);
    }
}
