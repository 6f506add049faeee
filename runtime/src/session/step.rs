//! Running a training step: code that changes what stays.
//!
//! A [`State`] is what stays, and outlives the steps that change it: those for a full batch and those for what is left at the end are programs of their own.

use super::{Driver, LINE, RunError};
use crate::denormals::Flushed;
use crate::memory::Aligned;
use crate::plan::{Plan, Port};
use crate::threads::Pool;
use std::fmt;
use std::ops::Range;

/// The tensors that stay from step to step.
#[derive(Debug)]
pub struct State {
    memory: Aligned,
    /// Where each tensor is.
    ranges: Vec<Range<usize>>,
}

impl State {
    /// Tensors of so many floats, all zero.
    ///
    /// # Errors
    /// When there is not enough memory.
    pub fn new(lens: &[usize]) -> Result<State, RunError> {
        let mut ranges = Vec::with_capacity(lens.len());
        let mut end = 0;
        for len in lens {
            ranges.push(end..end + len);
            end = (end + len).next_multiple_of(LINE);
        }
        let memory = Aligned::zeroed(end)?;
        Ok(State { memory, ranges })
    }

    /// Number of tensors.
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// A tensor.
    pub fn tensor(&self, index: usize) -> &[f32] {
        &self.memory[self.ranges[index].clone()]
    }

    /// A tensor, to be changed.
    pub fn tensor_mut(&mut self, index: usize) -> &mut [f32] {
        &mut self.memory[self.ranges[index].clone()]
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        size_of::<f32>() * self.memory.len()
    }
}

/// A step with the memory of one run: an arena, inputs, outputs.
pub struct StepSession {
    plan: Plan,
    driver: Driver,
    memory: Aligned,
    /// Where the arena, the inputs and the outputs are.
    regions: Vec<Range<usize>>,
    bases: Box<[*mut f32]>,
}

// SAFETY: the pointers lead into memory that the session owns; those of the state are used within `run` only.
unsafe impl Send for StepSession {}

impl StepSession {
    /// Binds code to memory.
    ///
    /// # Errors
    /// When there is not enough memory.
    ///
    /// # Safety
    /// The driver must be sound, for as long as the session runs it, for memory of the plan's sizes: for an arena of `plan.arena` floats of any content, inputs, which
    /// it only reads, outputs and state.
    pub unsafe fn new(plan: Plan, driver: Driver) -> Result<StepSession, RunError> {
        let mut regions = Vec::new();
        let mut end = 0;
        let ports = plan.inputs.iter().chain(plan.outputs.iter());
        for len in std::iter::once(plan.arena).chain(ports.map(Port::elements)) {
            regions.push(end..end + len);
            end = (end + len).next_multiple_of(LINE);
        }
        let memory = Aligned::zeroed(end)?;
        let bases = vec![std::ptr::null_mut(); regions.len() + 1 + plan.state.len()];
        Ok(StepSession {
            plan,
            driver,
            memory,
            regions,
            bases: bases.into(),
        })
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Bytes of memory beside the state.
    pub fn bytes(&self) -> usize {
        size_of::<f32>() * self.memory.len()
    }

    /// An input, of all images.
    pub fn input_mut(&mut self, index: usize) -> &mut [f32] {
        &mut self.memory[self.regions[1 + index].clone()]
    }

    /// An output of the last run, of all images.
    pub fn output(&self, index: usize) -> &[f32] {
        let first = 1 + self.plan.inputs.len();
        &self.memory[self.regions[first + index].clone()]
    }

    /// Runs the step once on the inputs as they are. Denormal numbers are zero meanwhile.
    ///
    /// # Panics
    /// When the state is that of another plan.
    pub fn run(&mut self, state: &mut State, pool: Option<&Pool>) {
        self.bind(state);
        let _flushed = Flushed::enter();
        let pool = pool.map_or(std::ptr::null(), std::ptr::from_ref);
        // SAFETY: `new` was promised that the driver is sound for memory of these sizes, which `&mut` keeps others out of.
        unsafe { (self.driver)(self.bases.as_ptr(), pool) };
    }

    /// Runs the step in pieces, with `code` for each of them, which is handed the driver's arguments.
    ///
    /// # Panics
    /// As [`StepSession::run`].
    pub fn run_in_pieces(
        &mut self,
        state: &mut State,
        pool: Option<&Pool>,
        code: impl FnOnce(*const *mut f32, *const Pool),
    ) {
        self.bind(state);
        let _flushed = Flushed::enter();
        code(
            self.bases.as_ptr(),
            pool.map_or(std::ptr::null(), std::ptr::from_ref),
        );
    }

    /// Fills in all addresses.
    fn bind(&mut self, state: &mut State) {
        let lens = state.ranges.iter().map(|range| range.len());
        assert!(
            lens.eq(self.plan.state.iter().copied()),
            "the state of another plan"
        );
        let start = self.memory.as_mut_ptr();
        // SAFETY: the regions lie within the memory.
        let mut regions = self
            .regions
            .iter()
            .map(|region| unsafe { start.add(region.start) });
        let arena = regions.next().expect("there is an arena");
        let weights = std::ptr::null_mut();
        let first = state.memory.as_mut_ptr();
        // SAFETY: the ranges lie within the memory.
        let tensors = state
            .ranges
            .iter()
            .map(|range| unsafe { first.add(range.start) });
        let all = [arena, weights].into_iter().chain(regions).chain(tensors);
        for (base, address) in self.bases.iter_mut().zip(all) {
            *base = address;
        }
    }
}

impl fmt::Debug for StepSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StepSession({} for {})", self.plan.name, self.plan.isa)
    }
}
