//! `cnnc dump`: a stage of the compiler as text.

use crate::{Failure, network, print};
use cnnc::compiler::diagnostic::{Diagnostics, DiskLoader, Files, Loader};
use cnnc::compiler::{emit, graph, jit, loops, parse, pass};
use cnnc::{Isa, Options};
use std::path::{Path, PathBuf};

/// What may be written behind `dump`.
#[derive(clap::Args)]
pub struct Args {
    /// The spec, or the name of a network of the zoo
    #[arg(value_name = "SPEC", value_parser = network::spec())]
    spec: PathBuf,
    /// The stage
    #[arg(long, value_enum)]
    stage: Stage,
    /// With --stage=graph: after the passes instead of before
    #[arg(long)]
    passes: bool,
    /// The instruction set that loops and code are for
    #[arg(long, value_name = "ISA")]
    isa: Option<Isa>,
    /// Loops and code that compute every sum as it is defined
    #[arg(long)]
    exact: bool,
    /// Loops and code for so many images at once
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    batch: u16,
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
    let mut options = Options::new().batch(args.batch.into());
    options.isa = args.isa;
    if args.exact {
        options = options.exact();
    }
    let lowered = || cnnc::compile_file(&args.spec)?.lower(&options);
    let text = match args.stage {
        Stage::Ast => syntax(&args.spec)?,
        Stage::Graph => {
            let model = cnnc::compile_file(&args.spec)?;
            match args.passes {
                true => graph::dump(&pass::optimize(model.graph()).0),
                false => graph::dump(model.graph()),
            }
        }
        Stage::Loops => loops::dump::dump(&lowered()?.program),
        Stage::Load => loops::dump::dump(&lowered()?.load),
        Stage::Rust => {
            let model = cnnc::compile_file(&args.spec)?;
            emit::dump(model.graph(), options.arithmetic, options.batch)
                .map_err(cnnc::Error::from)?
        }
        Stage::Clif => jit::clif(&lowered()?)?,
    };
    Ok(print::line(text.trim_end())?)
}

/// The syntax tree, which exists even where names and shapes are wrong.
fn syntax(spec: &Path) -> Result<String, Failure> {
    let inside = cnnc::zoo::name(spec).and_then(cnnc::zoo::text);
    let text = inside.map_or_else(|| DiskLoader.read(spec), |text| Ok(text.to_owned()));
    let text = text.map_err(|why| Failure::Read {
        file: spec.display().to_string(),
        why,
    })?;
    let mut files = Files::default();
    let id = files.add(spec, text.as_str());
    let parsed = parse::parse(id, &text);
    if !parsed.problems.is_empty() {
        return Err(Diagnostics::new(parsed.problems, &files).into());
    }
    Ok(format!("{:#?}", parsed.file))
}
