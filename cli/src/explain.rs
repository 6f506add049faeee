//! `cnnc explain`: what the compiler did with a network, how far its numbers are from the exact ones, or what an error code means.

use crate::{Failure, inputs, network, onnx, print, target};
use cnnc::compiler::diagnostic::Code;
use cnnc::{Accuracy, Isa, Model, Options};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What may be written behind `explain`.
#[derive(clap::Args)]
pub struct Args {
    /// A spec, `-` for its text on standard input, an .onnx, the name of a network of the zoo, or an error code such as E0101
    #[arg(value_name = "SPEC|CODE")]
    what: String,
    #[command(flatten)]
    open: onnx::Open,
    /// Run the network with these weights, and print how far each layer's numbers are from the exact ones
    #[arg(long, value_name = "FILE|synthetic")]
    weights: Option<PathBuf>,
    /// What it is run on, instead of made-up numbers: a picture, .npy, .npz or .safetensors; one for each input
    #[arg(long, value_name = "FILE", requires = "weights")]
    input: Vec<PathBuf>,
    #[command(flatten)]
    target: target::Args,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

/// Explains.
pub fn run(args: &Args) -> Result<(), Failure> {
    match is_code(&args.what) {
        true => code(args),
        false => passes(args),
    }
}

/// `E0101`, `W0001`
fn is_code(what: &str) -> bool {
    let digits = what.strip_prefix(['E', 'W', 'e', 'w']);
    digits.is_some_and(|digits| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn code(args: &Args) -> Result<(), Failure> {
    let id = args.what.to_ascii_uppercase();
    let info = Code::find(&id).ok_or(Failure::NoCode(id))?.info();
    if args.json {
        let entry =
            json!({ "code": info.id, "title": info.title, "explanation": info.explanation });
        return Ok(print::json(&entry)?);
    }
    Ok(print::line(format_args!(
        "{}: {}\n\n{}",
        info.id, info.title, info.explanation
    ))?)
}

fn passes(args: &Args) -> Result<(), Failure> {
    let model = onnx::model(&network::named(Path::new(&args.what)), &args.open)?;
    let isa = args.target.isa.map_or_else(Isa::detect, Ok)?;
    let options = args.target.options().isa(isa).progress(print::progress());
    let notes = model.explain(&options)?;
    let measured = match &args.weights {
        Some(path) => Some(Measured::new(args, &model, isa, &options, path)?),
        None => None,
    };
    if args.json {
        let entries = notes.iter().map(|note| {
            json!({ "pass": note.pass, "label": note.label, "applied": note.applied, "text": note.text })
        });
        let passes = Value::Array(entries.collect());
        return Ok(print::json(&match measured {
            None => passes,
            Some(measured) => json!({ "passes": passes, "accuracy": measured.to_json() }),
        })?);
    }
    let mut text = match notes.is_empty() {
        true => "No pass found anything to do.".to_owned(),
        false => {
            let mut table = print::table(&["", "layer", "pass", ""]);
            for note in &notes {
                let mark = if note.applied { "✓" } else { "–" };
                table.add_row([mark, &note.label, note.pass, &note.text]);
            }
            table.trim_fmt()
        }
    };
    if let Some(measured) = measured {
        text += &format!("\n\n{}", measured.to_text());
    }
    Ok(print::line(text)?)
}

/// How far each layer's numbers were from the exact ones.
struct Measured {
    /// Network, instruction set, arithmetic and inputs.
    model: String,
    isa: Isa,
    exact: bool,
    input: String,
    layers: Vec<Accuracy>,
}

impl Measured {
    fn new(
        args: &Args,
        model: &Model,
        isa: Isa,
        options: &Options,
        weights: &Path,
    ) -> Result<Measured, Failure> {
        let weights = network::open(weights)?;
        let (ports, _) = cnnc::compiler::lower::ports(model.graph());
        let sample = match &args.input[..] {
            [] => inputs::synthetic(&ports)?,
            files => inputs::read(model, &ports, files)?.swap_remove(0),
        };
        let layers = model.accuracy(&weights, options, &sample.views())?;
        Ok(Measured {
            model: model.graph().name.clone(),
            isa,
            exact: args.target.exact,
            input: sample.name,
            layers,
        })
    }

    fn arithmetic(&self) -> &'static str {
        if self.exact { "exact" } else { "default" }
    }

    fn to_text(&self) -> String {
        let headings = ["layer", "", "result", ">largest", ">typical", ""];
        let mut table = print::table(&headings);
        for layer in &self.layers {
            // Where there is no deviation to compare with, the distance itself.
            let shown = |distance: f64| match layer.in_deviations(distance) {
                Some(share) => format!("{share:.1e} σ"),
                None => format!("{distance:.1e}  "),
            };
            let broken = match layer.broken {
                0 => String::new(),
                count => format!("{count} not finite"),
            };
            table.add_row([
                layer.label.clone(),
                layer.layer.clone(),
                print::shape(&layer.shape),
                shown(layer.largest),
                shown(layer.typical),
                broken,
            ]);
        }
        format!(
            "Errors of {} on {} in {} arithmetic, {} input, against f64; σ is the standard deviation of a layer's result.\n\n{}",
            self.model,
            self.isa,
            self.arithmetic(),
            self.input,
            table.trim_fmt()
        )
    }

    fn to_json(&self) -> Value {
        let layers = self.layers.iter().map(|layer| {
            json!({
                "label": layer.label,
                "layer": layer.layer,
                "shape": layer.shape,
                "largest": layer.largest,
                "typical": layer.typical,
                "deviation": layer.deviation,
                "largest_in_deviations": layer.in_deviations(layer.largest),
                "typical_in_deviations": layer.in_deviations(layer.typical),
                "not_finite": layer.broken,
            })
        });
        json!({
            "model": self.model,
            "isa": self.isa.name(),
            "arithmetic": self.arithmetic(),
            "input": self.input,
            "layers": layers.collect::<Vec<_>>(),
        })
    }
}
