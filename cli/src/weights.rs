//! `cnnc weights`: what is in a weights file, and how it fits a network.

use crate::{Failure, network, print, spec};
use cnnc::compiler::graph::Graph;
use cnnc::compiler::words;
use cnnc::rt::plan::Source;
use cnnc::rt::weights::{Bound, Problem, TensorRef, WeightsError};
use cnnc::{Model, Weights};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What may be written behind `weights`.
#[derive(clap::Args)]
pub struct Args {
    /// Weights: .safetensors, .pt, .pth, .npz or darknet's .weights (the content tells which)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A spec, `-` for its text on standard input, or the name of a network of the zoo: which of its layers read which tensors, what is missing, and what is left
    #[arg(value_name = "SPEC", value_parser = network::spec())]
    spec: Option<PathBuf>,
    /// Fail if the network does not read every tensor
    #[arg(long)]
    strict: bool,
    /// Print the list as JSON
    #[arg(long)]
    pub json: bool,
}

/// Lists the tensors, and fails when they do not fit the network.
pub fn run(args: &Args) -> Result<(), Failure> {
    let mut weights = Weights::open(&args.file)?;
    if args.strict {
        weights = weights.strict();
    }
    let model = match &args.spec {
        Some(spec) => Some(spec::compile(spec)?),
        None => None,
    };
    let sources = model.as_ref().map(|model| model.graph().sources());
    let sources = sources.unwrap_or_default();
    let network = model
        .as_ref()
        .map(|model| Fit::new(model, &weights, &sources));
    if args.json {
        print::json(&to_json(&weights, network.as_ref()))?;
        return match network {
            Some(Fit { bound: Err(_), .. }) => Err(Failure::Reported),
            _ => Ok(()),
        };
    }
    if let Some(model) = &model {
        print::diagnostics(model.warnings());
    }
    print::line(to_text(&weights, network.as_ref()))?;
    let Some(fit) = network else {
        print::notes(weights.notes());
        return Ok(());
    };
    let bound = fit.bound?;
    print::notes(bound.notes());
    print::unused(bound.unused(), weights.origin());
    let (name, count) = (fit.name, words::count(sources.len(), "tensor"));
    print::line(format_args!("{name} reads {count}, and all fit"))?;
    Ok(())
}

/// How weights fit a network.
struct Fit<'a> {
    name: &'a str,
    /// Which layer reads the tensor of a name, and as what.
    readers: BTreeMap<&'a str, String>,
    sources: &'a [Source],
    bound: Result<Bound<'a>, cnnc::Error>,
}

impl<'a> Fit<'a> {
    fn new(model: &'a Model, weights: &'a Weights, sources: &'a [Source]) -> Fit<'a> {
        let graph = model.graph();
        Fit {
            name: &graph.name,
            readers: readers(graph),
            sources,
            bound: weights
                .bind(sources)
                .map_err(|error| model.unfit(error, weights)),
        }
    }

    /// What stands in front of names in the file.
    fn prefix(&self) -> &str {
        match &self.bound {
            Ok(bound) => bound.prefix(),
            Err(error) => unfit(error).map_or("", |(prefix, _)| prefix),
        }
    }

    /// Which layer reads a tensor of the file.
    fn reader(&self, name: &str) -> Option<&str> {
        let name = name.strip_prefix(self.prefix())?;
        self.readers.get(name).map(String::as_str)
    }

    fn problems(&self) -> &[Problem] {
        let error = self.bound.as_ref().err();
        error.and_then(unfit).map_or(&[], |(_, problems)| problems)
    }
}

/// The prefix that the names of weights that do not fit have, and what does not fit.
fn unfit(error: &cnnc::Error) -> Option<(&str, &[Problem])> {
    match error {
        cnnc::Error::Weights(WeightsError::Unfit {
            prefix, problems, ..
        })
        | cnnc::Error::Names(WeightsError::Unfit {
            prefix, problems, ..
        }) => Some((prefix, problems)),
        _ => None,
    }
}

/// `layer1.0.conv1, weight` by name in the file.
fn readers(graph: &Graph) -> BTreeMap<&str, String> {
    let live = graph.live();
    let params = live.flat_map(|(_, node)| node.params.iter().map(move |&id| (node, id)));
    let read = params.map(|(node, id)| {
        let param = &graph.params[id];
        (
            param.name.as_str(),
            format!("{}, {}", node.label, param.role),
        )
    });
    read.collect()
}

fn tensors(weights: &Weights) -> impl Iterator<Item = TensorRef<'_>> {
    weights.names().filter_map(|name| weights.get(name))
}

fn elements(shape: &[usize]) -> usize {
    shape.iter().product()
}

/// The list as people read it.
fn to_text(weights: &Weights, fit: Option<&Fit<'_>>) -> String {
    let mut text = format!("{}: {}", weights.origin(), weights.format());
    let size = print::bytes(weights.file_len());
    if weights.is_nameless() {
        text += &format!(", numbers without names, {size}");
        let Some(fit) = fit.filter(|fit| fit.bound.is_ok()) else {
            return text;
        };
        let mut table = print::table(&["layer", ">shape", "type", ">numbers"]);
        for Source { name, shape } in fit.sources {
            let reader = fit.reader(name).unwrap_or_default();
            let count = words::thousands(elements(shape) as u64);
            table.add_row([reader, &print::shape(shape), "F32", &count]);
        }
        return text + &format!("\n{}\n", table.trim_fmt());
    }
    let numbers: usize = tensors(weights).map(|tensor| elements(tensor.shape)).sum();
    let count = words::count(weights.names().len(), "tensor");
    let numbers = words::thousands(numbers as u64);
    text += &format!(", {count}, {numbers} numbers, {size}");
    let mut headings = vec!["tensor", ">shape", "type", ">numbers"];
    headings.extend(fit.map(|_| "layer"));
    let mut table = print::table(&headings);
    for tensor in tensors(weights) {
        let mut row = vec![
            tensor.name.to_owned(),
            shape(tensor.shape),
            tensor.dtype.to_string(),
            words::thousands(elements(tensor.shape) as u64),
        ];
        row.extend(fit.map(|fit| reading(fit, tensor.name)));
        table.add_row(row);
    }
    for (name, what) in weights.unread() {
        table.add_row([name, "", what]);
    }
    text + &format!("\n{}\n", table.trim_fmt())
}

/// What reads a tensor, and why it cannot.
fn reading(fit: &Fit<'_>, name: &str) -> String {
    let reader = fit.reader(name).unwrap_or("-");
    let problem = fit.problems().iter().find_map(|problem| match problem {
        Problem::Shape {
            name: of, expected, ..
        } if of == name => Some(format!("needs {}", print::shape(expected))),
        Problem::Dtype { name: of, .. } if of == name => Some("needs floats".to_owned()),
        _ => None,
    });
    match problem {
        Some(problem) => format!("{reader}: {problem}"),
        None => reader.to_owned(),
    }
}

/// `64x3x7x7`, and `1` for a number.
fn shape(extents: &[usize]) -> String {
    match extents {
        [] => "1".to_owned(),
        extents => print::shape(extents),
    }
}

fn to_json(weights: &Weights, fit: Option<&Fit<'_>>) -> Value {
    let listed = tensors(weights).map(|tensor| {
        let mut entry = json!({
            "name": tensor.name,
            "shape": tensor.shape,
            "type": tensor.dtype.to_string(),
            "numbers": elements(tensor.shape),
        });
        if let Some(fit) = fit {
            entry["layer"] = json!(fit.reader(tensor.name));
        }
        entry
    });
    let unread = weights.unread();
    let mut value = json!({
        "file": weights.origin(),
        "format": weights.format(),
        "bytes": weights.file_len(),
        "named": !weights.is_nameless(),
        "tensors": listed.collect::<Vec<_>>(),
        "unread": unread.map(|(name, what)| json!({ "name": name, "what": what })).collect::<Vec<_>>(),
        "notes": weights.notes(),
    });
    if let Some(fit) = fit {
        value["network"] = network(fit);
    }
    value
}

fn network(fit: &Fit<'_>) -> Value {
    let mut value = json!({
        "name": fit.name,
        "fits": fit.bound.is_ok(),
        "prefix": fit.prefix(),
        "problems": fit.problems().iter().map(problem).collect::<Vec<_>>(),
    });
    match &fit.bound {
        Ok(bound) => {
            value["notes"] = json!(bound.notes());
            value["unused"] = json!(bound.unused());
        }
        Err(error) => value["message"] = json!(error.to_string()),
    }
    value
}

fn problem(problem: &Problem) -> Value {
    let mut value = match problem {
        Problem::Missing {
            name,
            shape,
            nearest,
            same_shape,
            pair,
        } => json!({
            "name": name, "problem": "missing", "needed": shape, "nearest": nearest, "same_shape": same_shape,
            "pair": pair,
        }),
        Problem::Shape {
            name,
            expected,
            found,
        } => {
            json!({ "name": name, "problem": "shape", "needed": expected, "found": found })
        }
        Problem::Dtype { name, .. } => json!({ "name": name, "problem": "type" }),
        Problem::Unread { name, .. } => json!({ "name": name, "problem": "unread" }),
        Problem::NotFinite { name, .. }
        | Problem::Variance { name, .. }
        | Problem::Overflow { name } => {
            json!({ "name": name, "problem": "value" })
        }
    };
    value["message"] = json!(problem.to_string());
    value
}
