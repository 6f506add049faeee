//! `cnnc zoo`: the networks that come with the program.

use crate::{Failure, outputs, print};
use cnnc::compiler::words::{nearest, thousands};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What may be written behind `zoo`.
#[derive(clap::Args)]
pub struct Args {
    /// A network, whose spec is printed; commands take the name in place of a spec, too
    #[arg(value_name = "NAME", conflicts_with = "json")]
    name: Option<String>,
    /// Write its spec to a file, and beside it what the spec reads: lists of labels, and what it imports
    #[arg(short, long, value_name = "FILE.cnn", requires = "name")]
    out: Option<PathBuf>,
    /// Print the table as JSON
    #[arg(long)]
    pub json: bool,
}

/// Longest description in the table.
const LETTERS: usize = 72;

/// Prints the table, or a spec.
pub fn run(args: &Args) -> Result<(), Failure> {
    if let Some(name) = &args.name {
        return spec(name, args.out.as_deref());
    }
    let mut networks = Vec::new();
    for name in cnnc::zoo::names() {
        networks.push(Network::of(name)?);
    }
    if args.json {
        let networks: Vec<Value> = networks.iter().map(Network::json).collect();
        return Ok(print::json(&Value::Array(networks))?);
    }
    let mut table = print::table(&["name", "input", ">parameters", ">MACs", "head", ""]);
    for network in &networks {
        table.add_row(network.row());
    }
    print::line(table.trim_fmt())?;
    print::line("`cnnc zoo NAME` prints a spec; commands take a name in place of a spec")?;
    Ok(())
}

/// Prints a spec, or writes it with what it reads.
fn spec(name: &str, out: Option<&Path>) -> Result<(), Failure> {
    let text = cnnc::zoo::text(name).ok_or_else(|| unknown(name))?;
    let path = cnnc::zoo::path(name).ok_or_else(|| unknown(name))?;
    let model = cnnc::compile_file(&path)?;
    if let Some(out) = out {
        return match out.exists() {
            true => Err(Failure::Exists(out.to_owned())),
            false => outputs::with_what_it_reads(out, text, &model, &path),
        };
    }
    print::line(text.trim_end())?;
    let others = model.files().iter().filter(|file| **file != path);
    let others = others.filter_map(|file| file.strip_prefix("zoo:").ok());
    let others: Vec<String> = others.map(|file| file.display().to_string()).collect();
    if !others.is_empty() {
        print::notes(&[format!(
            "it reads {} beside it: `cnnc zoo {name} -o FILE.cnn` writes that, too",
            others.join(", ")
        )]);
    }
    Ok(())
}

fn unknown(name: &str) -> Failure {
    Failure::NoNetwork {
        name: name.to_owned(),
        near: nearest(name, &cnnc::zoo::names()).map(str::to_owned),
    }
}

/// What the table says of a network.
struct Network {
    name: &'static str,
    inputs: Vec<(String, Vec<usize>)>,
    parameters: u64,
    macs: u64,
    head: Option<&'static str>,
    doc: String,
}

impl Network {
    fn of(name: &'static str) -> Result<Network, Failure> {
        let path = cnnc::zoo::path(name).ok_or_else(|| unknown(name))?;
        let model = cnnc::compile_file(path)?;
        let graph = model.graph();
        let inputs = graph.inputs.iter().map(|input| {
            let shape = &graph.values[input.value].shape;
            (input.name.clone(), shape.dims().to_vec())
        });
        Ok(Network {
            name,
            inputs: inputs.collect(),
            parameters: graph.parameters(),
            macs: graph.macs(),
            head: graph.head.as_ref().map(|head| head.decl.keyword),
            doc: graph.doc.clone(),
        })
    }

    fn row(&self) -> [String; 6] {
        let shapes = self.inputs.iter().map(|(_, shape)| print::shape(shape));
        [
            self.name.to_owned(),
            shapes.collect::<Vec<_>>().join(", "),
            thousands(self.parameters),
            thousands(self.macs),
            self.head.unwrap_or("–").to_owned(),
            brief(&self.doc),
        ]
    }

    fn json(&self) -> Value {
        let inputs = self.inputs.iter();
        let inputs = inputs.map(|(name, shape)| json!({ "name": name, "shape": shape }));
        json!({
            "name": self.name,
            "inputs": inputs.collect::<Vec<_>>(),
            "parameters": self.parameters,
            "macs": self.macs,
            "head": self.head,
            "doc": self.doc,
        })
    }
}

/// The beginning of a description, as much as a line holds.
fn brief(doc: &str) -> String {
    let line = doc.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LETTERS {
        return line;
    }
    let start: String = line.chars().take(LETTERS - 2).collect();
    let whole = start
        .rsplit_once(' ')
        .map_or(start.as_str(), |(whole, _)| whole);
    format!("{} …", whole.trim_end_matches([',', ':', ';']))
}
