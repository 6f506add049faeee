//! `cnnc check`: every mistake in specs.

use crate::{Failure, network, print};
use cnnc::Error;
use cnnc::compiler::words;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What may be written behind `check`.
#[derive(clap::Args)]
pub struct Args {
    /// Specs, or names of networks of the zoo
    #[arg(required = true, value_name = "SPEC", value_parser = network::spec())]
    specs: Vec<PathBuf>,
    /// Print what was found as JSON
    #[arg(long)]
    pub json: bool,
}

/// Checks every spec, and fails when one has a mistake.
pub fn run(args: &Args) -> Result<(), Failure> {
    let mut found = Vec::new();
    let mut failed = false;
    for spec in &args.specs {
        match cnnc::compile_file(spec) {
            Ok(model) if args.json => found.push(entry(spec, true, model.warnings().to_json())),
            Ok(model) => {
                print::diagnostics(model.warnings());
                let graph = model.graph();
                let layers = graph.order.len();
                print::line(format_args!(
                    "{}: {} is sound, {}",
                    spec.display(),
                    graph.name,
                    words::count(layers, "layer")
                ))?;
            }
            Err(Error::Spec(diagnostics)) => {
                failed = true;
                if args.json {
                    found.push(entry(spec, false, diagnostics.to_json()));
                } else {
                    print::diagnostics(&diagnostics);
                }
            }
            Err(error) => return Err(error.into()),
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

fn entry(spec: &Path, sound: bool, diagnostics: Value) -> Value {
    json!({ "spec": spec.display().to_string(), "sound": sound, "diagnostics": diagnostics })
}
