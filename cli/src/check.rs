//! `cnnc check`: every mistake in specs, and with `--fix` those put right that can be.

use crate::{Failure, fmt, network, onnx, outputs, print};
use cnnc::compiler::diagnostic::{Diagnostics, Repair};
use cnnc::compiler::words;
use cnnc::{Error, Model};
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

/// Checks every spec, whatever is wrong with others, and fails when one has a mistake.
pub fn run(args: &Args) -> Result<(), Failure> {
    let mut found = Vec::new();
    let mut codes = Vec::new();
    for spec in &args.specs {
        let fixed = match args.fix && !onnx::is_one(spec) {
            true => fix(spec),
            false => Ok(Vec::new()),
        };
        let (fixed, model) = match fixed {
            Ok(fixed) => (fixed, onnx::model(spec, &args.open)),
            Err(failure) => (Vec::new(), Err(failure)),
        };
        codes.extend(model.as_ref().err().map(Failure::exit_code));
        match args.json {
            true => found.push(to_json(spec, &model, &fixed, args)),
            false => args.tell(spec, &model, &fixed)?,
        }
    }
    if args.json {
        print::json(&Value::Array(found))?;
    }
    // What is wrong has been said; there is nothing to add.
    match codes.iter().all(|code| *code == 3) {
        _ if codes.is_empty() => Ok(()),
        true => Err(Failure::Unsupported),
        false => Err(Failure::Reported),
    }
}

impl Args {
    /// Says what became of a spec, and what is wrong with it.
    fn tell(
        &self,
        spec: &Path,
        model: &Result<Model, Failure>,
        fixed: &[Repair],
    ) -> Result<(), Failure> {
        for repair in fixed {
            print::line(told(spec, repair))?;
        }
        let model = match model {
            Ok(model) => model,
            Err(failure) => {
                match failure.diagnostics() {
                    Some(diagnostics) => {
                        print::diagnostics(diagnostics);
                        self.tell_elsewhere(spec, diagnostics);
                    }
                    None => print::error(failure),
                }
                return Ok(());
            }
        };
        print::diagnostics(model.warnings());
        self.tell_elsewhere(spec, model.warnings());
        let (graph, spec) = (model.graph(), spec.display());
        let layers = words::count(graph.order.len(), "layer");
        print::line(format_args!("{spec}: {} is sound, {layers}", graph.name))?;
        if self.hash {
            print::line(format_args!("{spec}: {}", model.normal_hash()))?;
        }
        Ok(())
    }

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

/// What was found in a spec; of one that is no spec, why not.
fn to_json(spec: &Path, model: &Result<Model, Failure>, fixed: &[Repair], args: &Args) -> Value {
    let none = Diagnostics::default();
    let diagnostics = match model {
        Ok(model) => model.warnings(),
        Err(failure) => failure.diagnostics().unwrap_or(&none),
    };
    let mut entry = json!({
        "spec": spec.display().to_string(),
        "sound": model.is_ok(),
        "diagnostics": diagnostics.to_json(),
    });
    match model {
        Ok(model) if args.hash => entry["hash"] = model.normal_hash().into(),
        Err(failure) if failure.diagnostics().is_none() => {
            entry["error"] = failure.to_string().into();
        }
        _ => {}
    }
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
