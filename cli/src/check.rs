//! `cnnc check`: every mistake in specs, and with `--fix` those put right that can be.

use crate::{Failure, fmt, network, onnx, outputs, print};
use cnnc::Error;
use cnnc::compiler::diagnostic::{Diagnostics, Repair};
use cnnc::compiler::words;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Texts that `--fix` makes of a spec, one of another, at most: fixes come to an end, unless two of them undo each other.
const MOST: usize = 32;

/// What may be written behind `check`.
#[derive(clap::Args)]
pub struct Args {
    /// Specs, .onnx files, or names of networks of the zoo
    #[arg(required = true, value_name = "SPEC", value_parser = network::spec())]
    specs: Vec<PathBuf>,
    #[command(flatten)]
    open: onnx::Open,
    /// Apply the fixes that are offered, the first where there are several, until none is left
    #[arg(long)]
    fix: bool,
    /// Print the hash of each sound network's normal form: equal where networks are, whatever file they come from
    #[arg(long)]
    hash: bool,
    /// Print what was found as JSON
    #[arg(long)]
    pub json: bool,
}

/// Checks every spec, and fails when one has a mistake.
pub fn run(args: &Args) -> Result<(), Failure> {
    let mut found = Vec::new();
    let mut failed = false;
    for spec in &args.specs {
        let fixed = match args.fix {
            true if !onnx::is_one(spec) => fix(spec)?,
            _ => Vec::new(),
        };
        if !args.json {
            for repair in &fixed {
                print::line(told(spec, repair))?;
            }
        }
        match onnx::model(spec, &args.open) {
            Ok(model) if args.json => {
                let mut entry = entry(spec, true, model.warnings(), &fixed, args);
                if args.hash {
                    entry["hash"] = model.normal_hash().into();
                }
                found.push(entry);
            }
            Ok(model) => {
                print::diagnostics(model.warnings());
                args.tell_elsewhere(spec, model.warnings());
                let graph = model.graph();
                let layers = graph.order.len();
                print::line(format_args!(
                    "{}: {} is sound, {}",
                    spec.display(),
                    graph.name,
                    words::count(layers, "layer")
                ))?;
                if args.hash {
                    print::line(format_args!("{}: {}", spec.display(), model.normal_hash()))?;
                }
            }
            Err(Failure::Network(Error::Spec(diagnostics))) => {
                failed = true;
                if args.json {
                    found.push(entry(spec, false, &diagnostics, &fixed, args));
                } else {
                    print::diagnostics(&diagnostics);
                    args.tell_elsewhere(spec, &diagnostics);
                }
            }
            Err(error) => return Err(error),
        }
    }
    if args.json {
        print::json(&Value::Array(found))?;
    }
    // In JSON the mistakes are the result; there is nothing to add.
    match failed {
        true => Err(Failure::Reported),
        false => Ok(()),
    }
}

impl Args {
    /// Says in which files fixes are left: `--fix` writes the specs that it is given, not what they import.
    fn tell_elsewhere(&self, spec: &Path, diagnostics: &Diagnostics) {
        if self.fix {
            for file in diagnostics.fixes_elsewhere(spec) {
                print::warning(format_args!(
                    "{}: a fix is offered there, in what {} imports; `--fix` writes only the specs that it is given",
                    file.display(),
                    spec.display()
                ));
            }
        }
    }
}

fn entry(
    spec: &Path,
    sound: bool,
    diagnostics: &Diagnostics,
    fixed: &[Repair],
    args: &Args,
) -> Value {
    let mut entry = json!({
        "spec": spec.display().to_string(),
        "sound": sound,
        "diagnostics": diagnostics.to_json(),
    });
    if args.fix {
        let fixed = fixed.iter().map(|repair| {
            let (line, column) = repair.at;
            json!({ "line": line, "column": column, "from": repair.from, "to": repair.to, "message": repair.message })
        });
        entry["fixed"] = fixed.collect();
    }
    entry
}

/// Applies fixes to the spec until none is offered, and says which; nothing is written where there is none.
fn fix(spec: &Path) -> Result<Vec<Repair>, Failure> {
    // What cannot be read is told by who reads it next.
    let Ok(text) = fmt::read(spec) else {
        return Ok(Vec::new());
    };
    let mut done = Vec::new();
    let mut texts = vec![text];
    while texts.len() <= MOST {
        let Some(text) = texts.last() else {
            break;
        };
        let problems = match cnnc::compile_str(spec, text) {
            Ok(model) => model.warnings().clone(),
            Err(Error::Spec(problems)) => *problems,
            Err(error) => return Err(error.into()),
        };
        match problems.repair(spec) {
            Some((text, repairs)) if !texts.contains(&text) => {
                texts.push(text);
                done.extend(repairs);
            }
            _ => break,
        }
    }
    if let [_, .., text] = &texts[..] {
        outputs::write(spec, text)?;
    }
    Ok(done)
}

/// `net.cnn:4:3: ` and what was done there.
fn told(spec: &Path, repair: &Repair) -> String {
    let (line, column) = repair.at;
    let what = match (repair.from.trim(), repair.to.trim()) {
        ("", to) => format!("wrote `{to}`"),
        (from, "") => format!("removed `{from}`"),
        (from, to) => format!("`{from}` became `{to}`"),
    };
    format!("{}:{line}:{column}: {what}", spec.display())
}
