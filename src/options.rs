//! How a network is built and run.

pub use cnnc_compiler::target::Arithmetic;
use cnnc_compiler::target::Target;
use cnnc_runtime::Isa;
use cnnc_runtime::isa::IsaError;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// What runs the network.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Backend {
    /// Machine code.
    #[default]
    Jit,
    /// The same loops, interpreted with the kernels' plain twins: the oracle for machine code. Slow.
    Interp,
    /// The layers' definitions in f64, without passes or loops: the oracle for everything. Slower.
    Reference,
}

impl Backend {
    /// Every backend, fastest first.
    pub const ALL: [Backend; 3] = [Backend::Jit, Backend::Interp, Backend::Reference];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Backend::Jit => "jit",
            Backend::Interp => "interp",
            Backend::Reference => "reference",
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Not the name of a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownBackend(String);

impl fmt::Display for UnknownBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no backend is called `{}`; there are ", self.0)?;
        f.write_str(&Backend::ALL.map(Backend::name).join(", "))
    }
}

impl std::error::Error for UnknownBackend {}

impl FromStr for Backend {
    type Err = UnknownBackend;
    fn from_str(name: &str) -> Result<Backend, UnknownBackend> {
        let found = Backend::ALL
            .into_iter()
            .find(|backend| backend.name() == name);
        found.ok_or_else(|| UnknownBackend(name.to_owned()))
    }
}

/// Called with the number of layers that are done and the number of all.
pub type Progress = Arc<dyn Fn(usize, usize) + Send + Sync>;

/// How a network is built and run; the default is machine code for the best ISA of this machine, on one thread.
///
/// ```
/// use cnnc::{Backend, Options};
/// let options = Options::new().threads(2).tap("conv1").backend(Backend::Interp);
/// assert_eq!(options.backend, Backend::Interp);
/// ```
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Options {
    /// The ISA to plan for; `None` is what [`Isa::detect`] says, which heeds `CNNC_ISA`.
    pub isa: Option<Isa>,
    /// Threads of a session, the caller's own included; 0 is 1.
    pub threads: usize,
    /// Labels of tensors that become outputs too, in this order, behind those of the spec.
    pub taps: Vec<String>,
    /// What runs the network.
    pub backend: Backend,
    /// Whether convolutions may be computed in a way that rounds differently.
    pub arithmetic: Arithmetic,
    /// Images that a session runs at once, at most; 0 is 1.
    pub batch: usize,
    /// Whether weights are refused that have tensors which the network does not read.
    pub strict: bool,
    /// The way in which every convolution is computed that has so many to try, by its number, instead of the one that is estimated to cost least:
    /// for measurements ([`bench::kernels`](crate::bench::kernels())).
    pub schedule: Option<usize>,
    /// Told how far a run is, by [`Backend::Reference`] only: the others are done before anybody looks.
    pub progress: Option<Progress>,
}

impl Options {
    /// The defaults.
    pub fn new() -> Options {
        Options::default()
    }

    /// The ISA to plan for.
    pub(crate) fn chosen_isa(&self) -> Result<Isa, IsaError> {
        self.isa.map_or_else(Isa::detect, Ok)
    }

    /// What loops are made for.
    pub(crate) fn target(&self) -> Result<Target, IsaError> {
        let target = Target::new(self.chosen_isa()?, self.arithmetic).batch(self.images());
        Ok(Target {
            schedule: self.schedule,
            ..target
        })
    }

    /// Images at once, at most.
    pub(crate) fn images(&self) -> usize {
        self.batch.max(1)
    }

    /// Plans for that ISA.
    #[must_use]
    pub fn isa(mut self, isa: Isa) -> Options {
        self.isa = Some(isa);
        self
    }

    /// Runs sessions on that many threads.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Options {
        self.threads = threads;
        self
    }

    /// Runs up to so many images at once. The answer to each is the same, bit for bit, as to one that is run alone.
    #[must_use]
    pub fn batch(mut self, images: usize) -> Options {
        self.batch = images;
        self
    }

    /// Makes the tensor of that label an output.
    #[must_use]
    pub fn tap(mut self, label: impl Into<String>) -> Options {
        self.taps.push(label.into());
        self
    }

    /// Chooses what runs the network.
    #[must_use]
    pub fn backend(mut self, backend: Backend) -> Options {
        self.backend = backend;
        self
    }

    /// Computes every convolution as it is defined, without Winograd's algorithm.
    #[must_use]
    pub fn exact(mut self) -> Options {
        self.arithmetic = Arithmetic::Exact;
        self
    }

    /// Refuses weights that have tensors which the network does not read. Those of a deeper network may fit in name and shape all
    /// the same.
    #[must_use]
    pub fn strict(mut self) -> Options {
        self.strict = true;
        self
    }

    /// Computes each convolution by the schedule of that number, where it has so many.
    #[must_use]
    pub fn schedule(mut self, number: usize) -> Options {
        self.schedule = Some(number);
        self
    }

    /// Asks to be told how far a run is.
    #[must_use]
    pub fn progress(mut self, progress: impl Fn(usize, usize) + Send + Sync + 'static) -> Options {
        self.progress = Some(Arc::new(progress));
        self
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("isa", &self.isa)
            .field("threads", &self.threads)
            .field("taps", &self.taps)
            .field("backend", &self.backend)
            .field("arithmetic", &self.arithmetic)
            .field("batch", &self.batch)
            .field("strict", &self.strict)
            .field("schedule", &self.schedule)
            .finish_non_exhaustive()
    }
}
