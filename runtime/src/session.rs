//! Running a compiled network: its code bound to weights, and the memory of one run.
//!
//! A [`Network`] is a plan, its packed weights and a [`Driver`]: machine code from the JIT or from
//! `cnn_model!`, it makes no difference. A [`Session`] owns (or borrows) the memory that the driver works in:
//!
//! ```text
//! | arena | output 0 | output 1 … | input 0 | input 1 … |      each at a cache line
//! ```
//!
//! Inputs have room for those that are not contiguous where they are; all others are read in place.

use crate::answer::{Answer, AnswerError, Head, Placement, Tensor};
use crate::denormals::Flushed;
use crate::input::Input;
use crate::memory::{ALIGNMENT, Aligned, OutOfMemory, zeros};
use crate::plan::{Plan, Port};
use crate::threads::Pool;
use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

/// The code of a network. `bases` points to the addresses of `arena, weights, inputs…, outputs…`; `pool` may be null.
pub type Driver = unsafe extern "C" fn(bases: *const *mut f32, pool: *const Pool);

/// Floats in a cache line: what every region is aligned to.
const LINE: usize = ALIGNMENT / size_of::<f32>();

/// Bytes of memory that a session of that plan takes, with room to align any piece of memory.
pub fn session_bytes(plan: &Plan) -> usize {
    let ports = plan.outputs.iter().chain(plan.inputs.iter());
    let floats = plan.arena.next_multiple_of(LINE) + ports.map(room).sum::<usize>();
    size_of::<f32>() * (floats + LINE)
}

fn room(port: &Port) -> usize {
    port.elements().next_multiple_of(LINE)
}

/// A compiled network with its weights.
pub struct Network {
    plan: Plan,
    packed: Box<dyn Deref<Target = [f32]> + Send + Sync>,
    driver: Driver,
    /// What must outlive the driver: the JIT's code memory.
    _code: Option<Box<dyn Any + Send + Sync>>,
}

impl Network {
    /// Binds code to weights. `code` is kept until the network is dropped.
    ///
    /// # Panics
    /// When the packed weights have another length than the plan says.
    ///
    /// # Safety
    /// The driver must be sound, while `code` lives, for memory of the plan's sizes: for an arena of `plan.arena` floats of any content, the packed
    /// weights and the inputs (which it only reads) and the outputs, all of which it writes.
    pub unsafe fn new(
        plan: Plan,
        packed: impl Deref<Target = [f32]> + Send + Sync + 'static,
        driver: Driver,
        code: Option<Box<dyn Any + Send + Sync>>,
    ) -> Network {
        assert_eq!(packed.len(), plan.packed, "packed weights of another plan");
        Network {
            plan,
            packed: Box::new(packed),
            driver,
            _code: code,
        }
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The packed weights.
    pub fn packed(&self) -> &[f32] {
        &self.packed
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Network({} for {})", self.plan.name, self.plan.isa)
    }
}

/// Why a network could not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunError {
    /// Another number of inputs than the network has.
    Inputs {
        /// What the network has.
        expected: usize,
        /// What was given.
        found: usize,
    },
    /// An input of another shape, or another number of elements.
    Shape {
        /// The input.
        name: Cow<'static, str>,
        /// Its shape.
        expected: Vec<usize>,
        /// The shape that was given; one extent where it is a plain slice.
        found: Vec<usize>,
    },
    /// The caller's arena is too small.
    Arena {
        /// Bytes that are needed.
        needed: usize,
        /// Bytes that were given.
        found: usize,
    },
    /// Memory to run in could not be had.
    Memory(OutOfMemory),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Inputs { expected, found } => {
                write!(f, "the network takes {expected} inputs, not {found}")
            }
            RunError::Shape {
                name,
                expected,
                found,
            } => {
                write!(f, "input `{name}` is {}", Extents(expected))?;
                match found[..] {
                    [elements] if expected.len() > 1 => {
                        let wanted: usize = expected.iter().product();
                        write!(f, ", {wanted} elements, but {elements} were given")
                    }
                    _ => write!(f, ", but {} was given", Extents(found)),
                }
            }
            RunError::Arena { needed, found } => {
                write!(
                    f,
                    "the arena has {found} bytes, but the network needs {needed}"
                )
            }
            RunError::Memory(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RunError {}

impl From<OutOfMemory> for RunError {
    fn from(error: OutOfMemory) -> RunError {
        RunError::Memory(error)
    }
}

/// `3x224x224`
struct Extents<'a>(&'a [usize]);

impl fmt::Display for Extents<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, extent) in self.0.iter().enumerate() {
            write!(f, "{}{extent}", if index == 0 { "" } else { "x" })?;
        }
        Ok(())
    }
}

/// A network ready to run, with memory of its own or the caller's; `'a` is the life of the caller's.
///
/// Nothing is allocated by [`Session::run`].
pub struct Session<'a> {
    network: Arc<Network>,
    /// What `bases` and `staging` lead into, when it is not the caller's.
    _owned: Option<Aligned>,
    _borrowed: PhantomData<&'a mut [u8]>,
    bases: Box<[*mut f32]>,
    /// Where each input goes that is not contiguous.
    staging: Box<[*mut f32]>,
    pool: Option<Pool>,
}

// SAFETY: the pointers lead into memory that the session owns or borrows exclusively, and into the network,
// which is Sync and only read. Those of inputs are used within `run` only.
unsafe impl Send for Session<'_> {}

impl Session<'static> {
    /// A session with memory of its own, running parallel loops on that many threads (0 means 1).
    ///
    /// # Errors
    /// When there is not enough memory.
    pub fn new(network: Arc<Network>, threads: usize) -> Result<Session<'static>, RunError> {
        let needed = session_bytes(network.plan());
        let mut memory = Aligned::zeroed(needed / size_of::<f32>())?;
        let start = memory.as_mut_ptr();
        // SAFETY: `memory` is aligned, of that many bytes, and moves into the session without moving its elements.
        Ok(unsafe { Session::at(network, start, Some(memory), threads) })
    }
}

impl<'a> Session<'a> {
    /// A session that works in the caller's memory, of any alignment and content, of at least [`session_bytes`].
    ///
    /// # Errors
    /// When the arena is too small.
    pub fn new_in(
        network: Arc<Network>,
        arena: &'a mut [u8],
        threads: usize,
    ) -> Result<Session<'a>, RunError> {
        let needed = session_bytes(network.plan());
        let found = arena.len();
        if found < needed {
            return Err(RunError::Arena { needed, found });
        }
        let skip = arena.as_ptr().align_offset(ALIGNMENT);
        // SAFETY: `needed` includes one line, and alignment skips less than that.
        let start = unsafe { arena.as_mut_ptr().add(skip) }.cast();
        // SAFETY: aligned, and `needed` bytes less one line are left, which is all that the regions take.
        Ok(unsafe { Session::at(network, start, None, threads) })
    }

    /// Lays out the regions.
    ///
    /// # Safety
    /// `start` must be aligned and lead to `session_bytes` less one line of initialised bytes, inside `owned`
    /// or borrowed for `'a`.
    unsafe fn at(
        network: Arc<Network>,
        start: *mut f32,
        owned: Option<Aligned>,
        threads: usize,
    ) -> Session<'a> {
        let plan = network.plan();
        let mut next = start;
        let mut region = |len: usize| {
            let here = next;
            // SAFETY: `session_bytes` adds up the same lengths.
            next = unsafe { here.add(len.next_multiple_of(LINE)) };
            here
        };
        let arena = region(plan.arena);
        let outputs: Vec<_> = plan.outputs.iter().map(|port| region(room(port))).collect();
        let staging: Box<[_]> = plan.inputs.iter().map(|port| region(room(port))).collect();
        let weights = network.packed().as_ptr().cast_mut();
        let bases = [arena, weights].into_iter();
        let bases = bases
            .chain(staging.iter().copied())
            .chain(outputs)
            .collect();
        Session {
            network,
            _owned: owned,
            _borrowed: PhantomData,
            bases,
            staging,
            pool: (threads > 1).then(|| Pool::new(threads)),
        }
    }

    /// The network.
    pub fn network(&self) -> &Arc<Network> {
        &self.network
    }

    /// Threads that parallel loops run on.
    pub fn threads(&self) -> usize {
        self.pool.as_ref().map_or(1, Pool::threads)
    }

    /// Runs the network once. Inputs are in the plan's order. Denormal numbers are zero meanwhile, see [`denormals`](crate::denormals).
    ///
    /// # Errors
    /// When there are more or fewer inputs than the network has, or one does not have the shape it should.
    pub fn run(&mut self, inputs: &[&dyn Input]) -> Result<Outputs<'_>, RunError> {
        self.bind(inputs)?;
        let _flushed = Flushed::enter();
        // SAFETY: `Network::new` was promised that the driver is sound for memory of these sizes; `at` made the
        // regions, `bind` checked the inputs, which outlive this call, and `&mut self` keeps others out.
        unsafe { (self.network.driver)(self.bases.as_ptr(), self.pool()) };
        Ok(self.outputs())
    }

    /// Points the driver's bases at the inputs, copying those that are not contiguous, and returns the bases: for
    /// code that is run in pieces. They are valid while the inputs are. Whoever runs the pieces enters [`Flushed`], as `run` does.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub fn bind(&mut self, inputs: &[&dyn Input]) -> Result<*const *mut f32, RunError> {
        let ports = &self.network.plan.inputs;
        same_number(ports, inputs)?;
        for (index, (&input, port)) in inputs.iter().zip(ports.iter()).enumerate() {
            self.bases[2 + index] = match fit(input, port)? {
                Some(elements) => elements.as_ptr().cast_mut(),
                None => {
                    let to = self.staging[index];
                    // SAFETY: `at` gave this region as many initialised floats, which nothing else uses.
                    input.copy_to(unsafe { std::slice::from_raw_parts_mut(to, port.elements()) });
                    to
                }
            };
        }
        Ok(self.bases.as_ptr())
    }

    /// The pool, or null: the driver's second argument.
    pub fn pool(&self) -> *const Pool {
        self.pool.as_ref().map_or(std::ptr::null(), |pool| pool)
    }

    /// What the last run left in the outputs (before the first: whatever the memory held).
    pub fn outputs(&self) -> Outputs<'_> {
        let plan = &self.network.plan;
        Outputs {
            ports: &plan.outputs,
            bases: &self.bases[2 + plan.inputs.len()..],
        }
    }
}

impl fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({:?}, {} threads)", self.network, self.threads())
    }
}

/// The elements of inputs in the ports' order, checked as [`Session::run`] does: for what runs without machine code.
///
/// # Errors
/// As [`Session::run`], and when there is not enough memory for copies.
pub fn elements<'i>(
    ports: &[Port],
    inputs: &[&'i dyn Input],
) -> Result<Vec<Cow<'i, [f32]>>, RunError> {
    same_number(ports, inputs)?;
    let elements = inputs.iter().zip(ports).map(|(&input, port)| {
        Ok(match fit(input, port)? {
            Some(elements) => Cow::Borrowed(elements),
            None => {
                let mut copy = zeros(port.elements())?;
                input.copy_to(&mut copy);
                Cow::Owned(copy)
            }
        })
    });
    elements.collect()
}

fn same_number(ports: &[Port], inputs: &[&dyn Input]) -> Result<(), RunError> {
    let (expected, found) = (ports.len(), inputs.len());
    match expected == found {
        true => Ok(()),
        false => Err(RunError::Inputs { expected, found }),
    }
}

/// The input's elements where they are, or `None` if they must be copied.
fn fit<'i>(input: &'i dyn Input, port: &Port) -> Result<Option<&'i [f32]>, RunError> {
    let elements = input.contiguous();
    let count = elements.map_or_else(|| input.elements(), <[f32]>::len);
    // A leading batch of one is let through.
    let fits = |extents: &[usize]| {
        extents == &*port.shape || matches!(extents, [1, rest @ ..] if *rest == *port.shape)
    };
    if count == port.elements() && input.extents().is_none_or(fits) {
        return Ok(elements);
    }
    Err(RunError::Shape {
        name: port.name.clone(),
        expected: port.shape.to_vec(),
        found: input
            .extents()
            .map_or_else(|| vec![count], <[usize]>::to_vec),
    })
}

/// The outputs of a run, in the spec's order, channels first.
#[derive(Clone, Copy)]
pub struct Outputs<'s> {
    ports: &'s [Port],
    bases: &'s [*mut f32],
}

impl fmt::Debug for Outputs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outputs = self.iter().map(|(port, elements)| (&port.name, elements));
        f.debug_map().entries(outputs).finish()
    }
}

impl<'s> Outputs<'s> {
    /// Number of outputs.
    pub fn len(&self) -> usize {
        self.ports.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ports.is_empty()
    }

    /// Name, shape and elements of an output, if there are so many.
    pub fn at(&self, index: usize) -> Option<(&'s Port, &'s [f32])> {
        let port = self.ports.get(index)?;
        // SAFETY: `Session::at` gave this region as many initialised floats; `'s` borrows the session, so no run
        // writes them meanwhile.
        let elements = unsafe { std::slice::from_raw_parts(self.bases[index], port.elements()) };
        Some((port, elements))
    }

    /// Elements of the output of that name, if there is one.
    pub fn get(&self, name: &str) -> Option<&'s [f32]> {
        let index = self.ports.iter().position(|port| port.name == name)?;
        Some(self.at(index)?.1)
    }

    /// Every output.
    pub fn iter(self) -> impl Iterator<Item = (&'s Port, &'s [f32])> {
        (0..self.len()).filter_map(move |index| self.at(index))
    }

    /// The answer of a head; boxes and points are in pixels of the picture that `place` is of.
    ///
    /// # Errors
    /// When the outputs are not those of a network with this head.
    pub fn answer(&self, head: &Head, place: &Placement) -> Result<Answer, AnswerError> {
        let tensors: Vec<Tensor<'_>> = self
            .iter()
            .map(|(port, data)| Tensor {
                name: &port.name,
                shape: &port.shape,
                data,
            })
            .collect();
        head.answer(&tensors, place)
    }

    /// Elements of an output whose size is known when the code is written: what generated code calls.
    ///
    /// # Panics
    /// When there is no such output, or it has another size.
    pub fn array<const N: usize>(&self, index: usize) -> &'s [f32; N] {
        let elements = self.at(index).map(|(_, elements)| elements.try_into());
        match elements {
            Some(Ok(array)) => array,
            _ => panic!("output {index} does not have {N} elements"),
        }
    }
}
