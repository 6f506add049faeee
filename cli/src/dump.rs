//! `cnnc dump`: a stage of the compiler as text.

use crate::{Failure, network, print, spec, target};
use cnnc::compiler::diagnostic::{Diagnostics, Files};
use cnnc::compiler::{emit, graph, jit, loops, parse, pass};
use std::path::{Path, PathBuf};

/// What may be written behind `dump`.
#[derive(clap::Args)]
pub struct Args {
    /// The spec, `-` for its text on standard input, or the name of a network of the zoo
    #[arg(value_name = "SPEC", value_parser = network::spec())]
    spec: PathBuf,
    /// The stage
    #[arg(long, value_enum)]
    stage: Stage,
    /// With --stage=graph: after the passes instead of before
    #[arg(long)]
    passes: bool,
    #[command(flatten)]
    target: target::Args,
}

/// The stages, in order.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Stage {
    /// The syntax tree
    Ast,
    /// Layers and values with their shapes
    Graph,
    /// Loops over kernel calls
    Loops,
    /// The kernel calls that pack weights
    Load,
    /// What `cnn_model!` generates, a line for each statement: `| rustfmt` lays it out
    Rust,
    /// Cranelift's IR
    Clif,
}

/// Prints the stage.
pub fn run(args: &Args) -> Result<(), Failure> {
    let options = args.target.options();
    let model = || spec::compile(&args.spec);
    let lowered = || Ok::<_, Failure>(model()?.lower(&options)?);
    let text = match args.stage {
        Stage::Ast => syntax(&args.spec)?,
        Stage::Graph => {
            let model = model()?;
            match args.passes {
                true => graph::dump(&pass::optimize(model.graph()).0),
                false => graph::dump(model.graph()),
            }
        }
        Stage::Loops => loops::dump::dump(&lowered()?.program),
        Stage::Load => loops::dump::dump(&lowered()?.load),
        Stage::Rust => emit::dump(model()?.graph(), options.arithmetic, options.batch)
            .map_err(cnnc::Error::from)?,
        Stage::Clif => jit::clif(&lowered()?)?,
    };
    Ok(print::line(text.trim_end())?)
}

/// The syntax tree, which exists even where names and shapes are wrong.
fn syntax(spec: &Path) -> Result<String, Failure> {
    let text = spec::read(spec)?;
    let mut files = Files::default();
    let id = files.add(spec::name(spec), text.as_str());
    let parsed = parse::parse(id, &text);
    if !parsed.problems.is_empty() {
        return Err(Diagnostics::new(parsed.problems, &files).into());
    }
    Ok(format!("{:#?}", parsed.file))
}
