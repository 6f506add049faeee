//! What the code that `cnn_model!` writes is made of: a table of steps, and the driver that walks it.
//!
//! Each section of a network is a [`Step`]: a function, shared by all sections that differ only in
//! where their tensors are, and the places of this one's tensors.

use crate::isa::{Isa, IsaError};
use crate::kernel::{KernelFn, KernelId};
use crate::memory::OutOfMemory;
use crate::pack::pack;
use crate::plan::Plan;
use crate::session::{Driver, Network};
use crate::threads::Pool;
use crate::weights::{Weights, WeightsError};
use std::fmt;
use std::num::NonZero;
use std::sync::{Arc, OnceLock};
use std::thread;

/// The kernels that a network calls, found by name when it is loaded.
pub struct Kernels<const K: usize> {
    isa: Isa,
    names: [&'static str; K],
    entries: OnceLock<[KernelFn; K]>,
}

impl<const K: usize> Kernels<K> {
    /// Kernels of an ISA, still to be found.
    pub const fn new(isa: Isa, names: [&'static str; K]) -> Kernels<K> {
        Kernels {
            isa,
            names,
            entries: OnceLock::new(),
        }
    }

    /// Finds them; false if one does not exist, which is a bug of the compiler.
    pub fn find(&self) -> bool {
        if self.entries.get().is_some() {
            return true;
        }
        let entry = |name: &&str| (KernelId::find(name)?.row().entry)(self.isa);
        let entries: Option<Vec<KernelFn>> = self.names.iter().map(entry).collect();
        match entries.map(<[KernelFn; K]>::try_from) {
            Some(Ok(entries)) => {
                // Another thread may have been first, with the same entries.
                let _ = self.entries.set(entries);
                true
            }
            _ => false,
        }
    }
}

/// The loops of a section: kernels, and the addresses of its tensors.
pub type Section<const K: usize, const P: usize> =
    unsafe fn(kernels: &[KernelFn; K], at: &[*mut f32; P], pool: *const Pool);

/// A section, and where its tensors are: index among the driver's bases, and offset there.
pub struct Step<const K: usize, const P: usize> {
    /// The loops.
    pub section: Section<K, P>,
    /// At most `P` places.
    pub places: &'static [(usize, isize)],
}

/// What a parallel loop needs to know: kernels and addresses.
pub type Context<'a, const K: usize, const P: usize> = (&'a [KernelFn; K], &'a [*mut f32; P]);

/// Runs every step.
///
/// # Safety
/// `bases` and `pool` as of [`Driver`]; the steps must be proven for memory of the plan's sizes, and the kernels found.
pub unsafe fn drive<const K: usize, const P: usize>(
    bases: *const *mut f32,
    pool: *const Pool,
    kernels: &Kernels<K>,
    steps: &[Step<K, P>],
) {
    let Some(entries) = kernels.entries.get() else {
        return;
    };
    for step in steps {
        let mut at = [std::ptr::null_mut(); P];
        for (at, &(base, offset)) in at.iter_mut().zip(step.places) {
            // SAFETY: the steps were written for as many bases.
            *at = unsafe { *bases.add(base) }.wrapping_offset(offset);
        }
        // SAFETY: passed on.
        unsafe { (step.section)(entries, &at, pool) }
    }
}

/// Why a network could not be loaded.
#[derive(Debug)]
pub enum LoadError {
    /// No plan for this machine, or for what `CNNC_ISA` asks for.
    Isa(IsaError),
    /// The weights cannot be used.
    Weights(WeightsError),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::Isa(error) => error.fmt(f),
            LoadError::Weights(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for LoadError {}

impl From<IsaError> for LoadError {
    fn from(error: IsaError) -> LoadError {
        LoadError::Isa(error)
    }
}

impl From<WeightsError> for LoadError {
    fn from(error: WeightsError) -> LoadError {
        LoadError::Weights(error)
    }
}

impl From<OutOfMemory> for LoadError {
    fn from(error: OutOfMemory) -> LoadError {
        LoadError::Weights(WeightsError::Memory(error))
    }
}

/// Most threads that pack weights: more do not find more memory bandwidth.
const LOADERS: usize = 8;

/// Checks the weights, packs them for the plan, and binds them to the drivers.
///
/// # Errors
/// Weights that do not fit.
///
/// # Panics
/// When the kernels are not there: a bug of the compiler.
///
/// # Safety
/// The drivers must be the plan's, and sound as [`Network::new`] asks.
pub unsafe fn load<const K: usize>(
    plan: &Plan,
    kernels: &Kernels<K>,
    drivers: &[Driver],
    weights: &Weights,
) -> Result<Arc<Network>, LoadError> {
    assert!(kernels.find(), "{}: a kernel is missing", plan.name);
    let plan = Plan {
        isa: kernels.isa,
        ..plan.clone()
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let packed = pack(&plan, &weights.bind(&plan.sources)?, threads.min(LOADERS))?;
    // SAFETY: passed on; the kernels are found, and the driver is part of the program.
    Ok(Arc::new(unsafe {
        Network::new(plan, packed, drivers, None)
    }))
}
