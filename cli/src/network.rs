//! What to run: specs, by their files or their names in the zoo, and the flags of `run` and `bench` that say it: weights, machine.

use crate::{Failure, onnx, perf_map, print, spec};
use clap::builder::{PathBufValueParser, TypedValueParser};
use cnnc::onnx::{Imported, Pictures};
use cnnc::{Backend, Isa, Model, Network, Options, Weights};
use std::cell::{OnceCell, RefCell};
use std::ops::Deref;
use std::path::{Path, PathBuf};

/// What may be written to say what to run.
#[derive(clap::Args)]
pub struct Args {
    /// The spec: a file, `-` for its text on standard input, an .onnx, or the name of a network of the zoo (`cnnc zoo` lists them)
    #[arg(value_name = "SPEC", value_parser = spec())]
    pub spec: PathBuf,
    /// Threads to run on: one, unless more are asked for, since an answer takes little time and several programs side by side use a machine better
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: u16,
    #[command(flatten)]
    flags: Flags,
    #[arg(skip)]
    imported: OnceCell<Imported>,
    #[arg(skip)]
    kept: RefCell<Option<Weights>>,
}

/// What may be written of weights and machine, however many networks there are.
#[derive(clap::Args, Clone)]
pub struct Flags {
    #[command(flatten)]
    open: onnx::Open,
    /// Weights: .safetensors, .pt, .pth, .npz or darknet's .weights (the content tells which), or `synthetic` for made-up ones
    #[arg(long, value_name = "FILE|synthetic")]
    pub weights: Option<PathBuf>,
    /// Images to run at once; each gets the answer that it gets alone
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    batch: u16,
    /// Instruction set, instead of this machine's best
    #[arg(long, value_name = "ISA")]
    isa: Option<Isa>,
    /// Compute convolutions as they are defined: without Winograd's algorithm, whose rounding errors are larger
    #[arg(long)]
    pub exact: bool,
    /// Refuse weights with tensors that the network does not read: they may be another network's
    #[arg(long)]
    strict: bool,
}

impl Deref for Args {
    type Target = Flags;

    fn deref(&self) -> &Flags {
        &self.flags
    }
}

impl Flags {
    /// Images to run at once.
    pub fn batch(&self) -> usize {
        self.batch.into()
    }

    /// The flags of one of several networks.
    pub fn of(&self, spec: &Path, threads: u16) -> Args {
        Args {
            spec: spec.to_owned(),
            threads,
            flags: self.clone(),
            imported: OnceCell::new(),
            kept: RefCell::default(),
        }
    }
}

impl Args {
    /// Threads to run on.
    pub fn threads(&self) -> usize {
        self.threads.into()
    }

    /// What is read of those that are named here, and of those that they name.
    pub fn read<'a>(&'a self, model: &'a Model) -> impl Iterator<Item = &'a Path> {
        let weights = self.weights.iter().filter(|path| !is_made_up(path));
        let files = model.files().iter().chain(weights);
        files.chain([&self.spec]).map(PathBuf::as_path)
    }

    /// Reads the spec; warnings go to standard error unless tools are listening.
    pub fn model(&self, json: bool) -> Result<Model, Failure> {
        if onnx::is_one(&self.spec) {
            return Ok(self
                .import(Pictures::default(), Vec::new(), json)?
                .model
                .clone());
        }
        let model = spec::compile(&self.spec)?;
        if !json {
            print::diagnostics(model.warnings());
        }
        Ok(model)
    }

    /// Imports the .onnx that stands in the place of the spec, once.
    pub fn import(
        &self,
        pictures: Pictures,
        samples: Vec<Vec<usize>>,
        json: bool,
    ) -> Result<&Imported, Failure> {
        if let Some(imported) = self.imported.get() {
            return Ok(imported);
        }
        let mut imported = onnx::import(&self.spec, &self.open, pictures, samples, None)?;
        if !json {
            print::diagnostics(imported.model.warnings());
        }
        *self.kept.borrow_mut() = Some(imported.take_weights());
        Ok(self.imported.get_or_init(|| imported))
    }

    /// What was imported.
    pub fn imported(&self) -> Option<&Imported> {
        self.imported.get()
    }

    /// Reads the weights, or makes them up.
    pub fn weights(&self, model: &Model) -> Result<Weights, Failure> {
        match &self.weights {
            Some(path) => open(path),
            None if self.imported.get().is_some() => Ok(self
                .kept
                .borrow_mut()
                .take()
                .unwrap_or_else(Weights::synthetic)),
            None => match needed(model) {
                Some(tensor) => Err(Failure::NoWeights { tensor }),
                None => Ok(Weights::synthetic()),
            },
        }
    }

    /// What an answer says of the weights that it comes of: made-up ones mean nothing.
    pub fn remark(&self, model: &Model) -> Option<&'static str> {
        let made_up = self.weights.as_deref().is_some_and(is_made_up);
        (made_up && needed(model).is_some())
            .then_some("the weights are synthetic: this answer says nothing about the input")
    }

    /// Which weights an answer comes of, for tools; null if the network has none.
    pub fn origin(&self) -> Option<String> {
        let path = self.weights.as_ref()?;
        Some(path.display().to_string())
    }

    /// Compiles the network.
    pub fn network(
        &self,
        model: &Model,
        weights: &Weights,
        backend: Backend,
        taps: &[String],
    ) -> Result<Network, Failure> {
        let network = model.jit(weights, &self.options(backend, taps))?;
        print::notes(network.notes());
        print::unused(network.unused(), weights.origin());
        perf_map::name(&network);
        Ok(network)
    }

    /// How it is compiled.
    pub fn options(&self, backend: Backend, taps: &[String]) -> Options {
        let mut options = Options::new()
            .threads(self.threads())
            .batch(self.batch.into())
            .backend(backend);
        options.isa = self.isa;
        if self.exact {
            options = options.exact();
        }
        options.strict = self.strict;
        options.taps = taps.to_vec();
        if backend == Backend::Reference {
            options = options.progress(print::progress());
        }
        options
    }
}

/// What reads a spec from the command line: see [`named`].
pub fn spec() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().map(|path| named(&path))
}

/// The file of that name or, if there is none, the network of the zoo that is called so.
pub fn named(path: &Path) -> PathBuf {
    let inside = || path.to_str().and_then(cnnc::zoo::path);
    match path.is_file() {
        true => path.to_owned(),
        false => inside().unwrap_or_else(|| path.to_owned()),
    }
}

/// Whether weights are asked for that no file holds.
pub fn is_made_up(weights: &Path) -> bool {
    weights == Path::new("synthetic")
}

/// Opens weights, or makes them up if the path says so.
pub fn open(path: &Path) -> Result<Weights, Failure> {
    match is_made_up(path) {
        true => Ok(Weights::synthetic()),
        false => Ok(Weights::open(path)?),
    }
}

/// A tensor that must come from weights, if there is one.
fn needed(model: &Model) -> Option<String> {
    let graph = model.graph();
    let mut params = graph.live().flat_map(|(_, node)| &node.params);
    let needed = params.find(|&&id| graph.params[id].literal.is_none());
    needed.map(|&id| graph.params[id].name.clone())
}
