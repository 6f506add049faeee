//! `cnnc check`: every mistake in specs, and with `--fix` those put right that can be.

use crate::{Failure, network, onnx, outputs, print, spec};
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
    /// Specs, .onnx files, names of networks of the zoo, or `-` for a spec on standard input
    #[arg(required = true, value_name = "SPEC", value_parser = network::spec())]
    specs: Vec<PathBuf>,
    #[command(flatten)]
    open: onnx::Open,
    /// Apply the fixes that are offered, the first where there are several, until none is left; the spec on standard input is printed, and what is said of it goes to standard error
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
            false => Ok(Fixed::default()),
        };
        let (fixed, model) = match fixed {
            Ok(fixed) => {
                let model = match &fixed.printed {
                    Some(text) => cnnc::compile_str(spec::name(spec), text).map_err(Failure::from),
                    None => onnx::model(spec, &args.open),
                };
                (fixed, model)
            }
            Err(failure) => (Fixed::default(), Err(failure)),
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
        fixed: &Fixed,
    ) -> Result<(), Failure> {
        let say = |text: String| match &fixed.printed {
            None => print::line(text),
            // Standard output is the spec's.
            Some(_) => {
                print::aside(text);
                Ok(())
            }
        };
        if let Some(text) = &fixed.printed {
            print::text(text)?;
        }
        let spec = spec::name(spec);
        for repair in &fixed.repairs {
            say(told(spec, repair))?;
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
        say(format!("{spec}: {} is sound, {layers}", graph.name))?;
        match self.hash {
            true => Ok(say(format!("{spec}: {}", model.normal_hash()))?),
            false => Ok(()),
        }
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
fn to_json(spec: &Path, model: &Result<Model, Failure>, fixed: &Fixed, args: &Args) -> Value {
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
        let repairs = fixed.repairs.iter().map(|repair| {
            let (line, column) = repair.at;
            json!({ "line": line, "column": column, "from": repair.from, "to": repair.to, "message": repair.message })
        });
        entry["fixed"] = repairs.collect();
        if let Some(text) = &fixed.printed {
            entry["text"] = text.as_str().into();
        }
    }
    entry
}

/// What fixes have made of a spec.
#[derive(Default)]
struct Fixed {
    repairs: Vec<Repair>,
    /// The text of a spec that is no file: who asked has no other way to it.
    printed: Option<String>,
}

/// Applies fixes to the spec until none is offered; no file is written where there is none.
fn fix(spec: &Path) -> Result<Fixed, Failure> {
    let inside = cnnc::zoo::name(spec).is_some();
    // What cannot be read is told by who reads it next.
    let Some(text) = spec::read(spec).ok().filter(|_| !inside) else {
        return Ok(Fixed::default());
    };
    let input = spec::is_input(spec);
    let spec = spec::name(spec);
    let mut repairs = Vec::new();
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
            Some((text, done)) if !texts.contains(&text) => {
                texts.push(text);
                repairs.extend(done);
            }
            _ => break,
        }
    }
    let mut printed = None;
    if input {
        printed = texts.pop();
    } else if let [_, .., text] = &texts[..] {
        outputs::write(spec, text)?;
    }
    Ok(Fixed { repairs, printed })
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
