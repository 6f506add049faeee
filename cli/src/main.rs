//! The program `cnnc`: checks, summarises, draws, explains, imports, runs and measures networks; one file per command.
//!
//! Results go to standard output and everything else to standard error. The exit code is 0, or 1 for the user's
//! mistake (in a spec, in weights, in a picture), or 2 for a command that cannot be understood, or 3 for what is not supported.

mod anchors;
mod answer;
mod bench;
mod check;
mod classified;
mod compare;
mod completions;
mod convert;
mod crops;
mod dump;
mod evaluate;
mod examples;
mod explain;
mod export;
mod failure;
mod finite;
mod fmt;
mod goals;
mod gradcheck;
mod graph;
mod identify;
mod import;
mod inputs;
mod likeness;
mod network;
mod new;
mod one_shot;
mod onnx;
mod outputs;
mod perf_map;
mod pixels;
mod places;
mod plot;
mod precision;
mod print;
mod propose;
mod raw;
mod run;
mod signals;
mod size;
mod spec;
mod style;
mod summary;
mod target;
mod threads;
mod thresholds;
mod train;
mod visualize;
mod weights;
mod windows;
mod zoo;

use clap::{FromArgMatches as _, Parser, Subcommand};
use cnnc::Isa;
use failure::Failure;
use serde_json::json;
use std::process::ExitCode;
use std::sync::LazyLock;

/// The CNN compiler: a convolutional network is a text file, and cnnc turns it into machine code.
///
/// The environment variable CNNC_ISA chooses the instruction set, of those that `cnnc --version` lists. With CNNC_PERF_MAP=1, `run` and `bench` write
/// /tmp/perf-PID.map, by which perf names machine code.
#[derive(Parser)]
#[command(name = "cnnc", version, long_version = LONG_VERSION.as_str(), after_help = EXIT_CODES, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What `--help` says of exit codes, and docs/json.md.
const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  a mistake in a spec, weights, a picture or data, or figures that are not what is expected
  2  a command line that cannot be understood
  3  something that this version or this machine does not support
  128+N  ended by signal N (130 after Ctrl-C)";

/// `0.1.0`, and what instructions it runs on.
static LONG_VERSION: LazyLock<String> = LazyLock::new(|| {
    let there = Isa::ALL.into_iter().filter(|isa| isa.available());
    let there: Vec<&str> = there.map(Isa::name).collect();
    let used = match Isa::detect() {
        Ok(isa) => isa.to_string(),
        Err(error) => error.to_string(),
    };
    format!(
        "{}\ninstruction set: {used} (available: {}; CNNC_ISA chooses)",
        env!("CARGO_PKG_VERSION"),
        there.join(", ")
    )
});

#[derive(Subcommand)]
enum Command {
    /// Report every mistake in specs
    Check(check::Args),
    /// Write specs in the one layout that all of them have
    Fmt(fmt::Args),
    /// List layers with shapes, parameters and multiply-adds
    Summary(summary::Args),
    /// Draw a network: SVG, PNG, JPEG, Mermaid or DOT
    Graph(graph::Args),
    /// List the networks that come with the program, or print one's spec
    Zoo(zoo::Args),
    /// Print a stage of the compiler as text
    Dump(dump::Args),
    /// Say what the compiler fused and why not, or what an error code means
    Explain(explain::Args),
    /// Run a network on pictures or tensors
    Run(Box<run::Args>),
    /// Turn an .onnx or a darknet .cfg into a spec
    Import(import::Args),
    /// Write a network with its weights as an ONNX file
    Export(export::Args),
    /// List what is in a weights file, and how it fits a network
    Weights(weights::Args),
    /// Write weights of any format as safetensors, under the spec's names
    Convert(convert::Args),
    /// Say whose faces pictures show, by a gallery of known ones
    Identify(Box<identify::Args>),
    /// Measure how fast a network is on this machine
    Bench(bench::Args),
    /// Compare the gradient of every layer with differences
    Gradcheck(gradcheck::Args),
    /// Train a classifier on labelled pictures
    Train(train::Args),
    /// Judge a classifier by labelled pictures
    Evaluate(evaluate::Args),
    /// Draw the curves of runs over one another
    Plot(plot::Args),
    /// Write a spec with a new head on a trained network
    New(new::Args),
    /// Find sizes of anchors for the boxes of labelled pictures
    Anchors(anchors::Args),
    /// Give a picture the style of another
    Style(style::Args),
    /// Show what the layers of a network look for
    Visualize(visualize::Args),
    /// Cut what a classifier of windows learns from out of pictures with boxes
    Crops(crops::Args),
    /// Propose regions of pictures in which something may be
    Propose(propose::Args),
    /// Print what a shell needs to complete commands and flags
    Completions(completions::Args),
}

fn main() -> ExitCode {
    let parsed = examples::command()
        .try_get_matches()
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let Cli { command } = match parsed {
        Ok(cli) => cli,
        // Exits with 2.
        Err(mistake) if mistake.use_stderr() => mistake.exit(),
        Err(help) => return end(print::help(&help).map_err(Failure::from), false),
    };
    signals::watch();
    let (result, json) = match &command {
        Command::Check(args) => (check::run(args), args.json),
        Command::Fmt(args) => (fmt::run(args), false),
        Command::Summary(args) => (summary::run(args), args.json),
        Command::Graph(args) => (graph::run(args), false),
        Command::Zoo(args) => (zoo::run(args), args.json),
        Command::Dump(args) => (dump::run(args), false),
        Command::Explain(args) => (explain::run(args), args.json),
        Command::Run(args) => (run::run(args), args.json),
        Command::Import(args) => (import::run(args), false),
        Command::Export(args) => (export::run(args), false),
        Command::Weights(args) => (weights::run(args), args.json),
        Command::Convert(args) => (convert::run(args), args.json),
        Command::Identify(args) => (identify::run(args), args.json),
        Command::Bench(args) => (bench::run(args), args.json),
        Command::Gradcheck(args) => (gradcheck::run(args), args.json),
        Command::Train(args) => (train::run(args), args.json),
        Command::Evaluate(args) => (evaluate::run(args), args.json),
        Command::Plot(args) => (plot::run(args), false),
        Command::New(args) => (new::run(args), false),
        Command::Anchors(args) => (anchors::run(args), args.json),
        Command::Style(args) => (style::run(args), args.json),
        Command::Visualize(args) => (visualize::run(args), args.json),
        Command::Crops(args) => (crops::run(args), args.json),
        Command::Propose(args) => (propose::run(args), args.json),
        Command::Completions(args) => (completions::run(args), false),
    };
    end(result, json)
}

/// The exit code, once it is said what went wrong.
fn end(result: Result<(), Failure>, json: bool) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read the output has seen enough (`cnnc … | head`).
        Err(Failure::Write(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(failure @ Failure::Stopped { signal, .. }) => {
            report(&failure, json);
            // As if the signal had ended it.
            ExitCode::from(u8::try_from(128 + signal).unwrap_or(1))
        }
        Err(failure) => {
            report(&failure, json);
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Says what went wrong: to people on standard error, to tools on standard output, unless that is what is wrong.
fn report(failure: &Failure, json: bool) {
    if matches!(failure, Failure::Reported | Failure::Unsupported)
        || (json
            && matches!(
                failure,
                Failure::Missed | Failure::LeftOut { .. } | Failure::Differs { .. }
            ))
    {
        return;
    }
    if matches!(failure, Failure::Stopped { .. }) {
        eprintln!("{failure}");
    } else if json && !matches!(failure, Failure::Write(_)) {
        let mut error = json!({ "message": failure.to_string() });
        if let Some(diagnostics) = failure.diagnostics() {
            error["diagnostics"] = diagnostics.to_json();
        }
        if let Err(error) = print::json(&json!({ "error": error })) {
            print::error(&error.into());
        }
    } else if let Some(diagnostics) = failure.diagnostics() {
        print::diagnostics(diagnostics);
    } else {
        print::error(failure);
    }
}
