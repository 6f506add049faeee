//! Running a compiled network: its code bound to weights, and the memory of one run.
//!
//! A [`Network`] is a plan, its packed weights and its [`Driver`]s: machine code from the JIT or from
//! `cnn_model!`, it makes no difference. A [`Session`] owns (or borrows) the memory that the drivers work in:
//!
//! ```text
//! | arena | output 0 | output 1 … | input 0 | input 1 … | between 0 | … |      each at a cache line
//! ```
//!
//! Inputs have room for those that are not contiguous where they are; all others are read in place. A network for batches has
//! room for all images everywhere but in the arena; its runs of sections are called for each image, or for all of them
//! ([`Run`]). Where images are computed at the same time, each thread has an arena.

mod error;
mod outputs;
mod step;

pub use error::RunError;
pub use outputs::Outputs;
pub use step::{State, StepSession};

use crate::denormals::Flushed;
use crate::input::Input;
use crate::memory::{ALIGNMENT, Aligned, zeros};
use crate::plan::{Plan, Port, Run};
use crate::threads::{Pool, Span, parallel_for};
use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

/// The code of a run of sections. `bases` points to the addresses of `arena, weights, inputs…, outputs…, between…`; `pool` may be null.
pub type Driver = unsafe extern "C" fn(bases: *const *mut f32, pool: *const Pool);

/// Floats in a cache line: what every region is aligned to.
const LINE: usize = ALIGNMENT / size_of::<f32>();

/// Bytes of memory that a session of that plan takes on one thread, with room to align any piece of memory.
pub fn session_bytes(plan: &Plan) -> usize {
    session_bytes_on(plan, 1)
}

/// The same on so many threads: where they compute images of their own, each has an arena.
pub fn session_bytes_on(plan: &Plan, threads: usize) -> usize {
    let floats: usize = regions(plan, threads).sum();
    size_of::<f32>() * (floats + LINE)
}

/// Lengths of all regions: arenas, outputs, inputs, what is between runs.
fn regions(plan: &Plan, threads: usize) -> impl Iterator<Item = usize> {
    let arenas = std::iter::repeat_n(plan.arena, arenas(plan, threads));
    let ports = plan.outputs.iter().chain(plan.inputs.iter());
    let images = ports
        .map(Port::elements)
        .chain(plan.between.iter().copied());
    let images = images.map(|one| one * plan.batch);
    arenas.chain(images).map(|len| len.next_multiple_of(LINE))
}

/// Arenas: more than one where threads compute different images.
fn arenas(plan: &Plan, threads: usize) -> usize {
    match plan.batch > 1 && plan.runs.contains(&Run::Apart) {
        true => threads.clamp(1, plan.batch),
        false => 1,
    }
}

/// A compiled network with its weights.
pub struct Network {
    plan: Plan,
    packed: Box<dyn Deref<Target = [f32]> + Send + Sync>,
    /// For each run of the plan.
    drivers: Box<[Driver]>,
    /// What must outlive the drivers: the JIT's code memory.
    _code: Option<Box<dyn Any + Send + Sync>>,
}

impl Network {
    /// Binds code to weights. `code` is kept until the network is dropped.
    ///
    /// # Panics
    /// When the packed weights have another length than the plan says, or there are not as many drivers as the plan has runs.
    ///
    /// # Safety
    /// The drivers must be sound, while `code` lives, for memory of the plan's sizes: for an arena of `plan.arena` floats of any content, the packed
    /// weights and the inputs (which they only read), the outputs, all of which they write, and what is between them, all in the form that their run
    /// asks for: of one image, or of all.
    pub unsafe fn new(
        plan: Plan,
        packed: impl Deref<Target = [f32]> + Send + Sync + 'static,
        drivers: &[Driver],
        code: Option<Box<dyn Any + Send + Sync>>,
    ) -> Network {
        assert_eq!(packed.len(), plan.packed, "packed weights of another plan");
        assert_eq!(drivers.len(), plan.runs.len(), "drivers of another plan");
        Network {
            plan,
            packed: Box::new(packed),
            drivers: drivers.into(),
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

/// A network ready to run, with memory of its own or the caller's; `'a` is the life of the caller's.
///
/// Nothing is allocated by [`Session::run`].
pub struct Session<'a> {
    network: Arc<Network>,
    /// What `bases` and `staging` lead into, when it is not the caller's.
    _owned: Option<Aligned>,
    _borrowed: PhantomData<&'a mut [u8]>,
    /// Addresses of the regions, of the first image where they are of all.
    bases: Box<[*mut f32]>,
    /// How far the next image is from each.
    strides: Box<[usize]>,
    /// The same addresses for one image, for each thread that computes images of its own.
    moved: Box<[Box<[*mut f32]>]>,
    /// Images of the last run.
    images: usize,
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
        let needed = session_bytes_on(network.plan(), threads);
        let mut memory = Aligned::zeroed(needed / size_of::<f32>())?;
        let start = memory.as_mut_ptr();
        // SAFETY: `memory` is aligned, of that many bytes, and moves into the session without moving its elements.
        Ok(unsafe { Session::at(network, start, Some(memory), threads) })
    }
}

impl<'a> Session<'a> {
    /// A session that works in the caller's memory, of any alignment and content, of at least [`session_bytes_on`] so many threads.
    ///
    /// # Errors
    /// When the arena is too small.
    pub fn new_in(
        network: Arc<Network>,
        arena: &'a mut [u8],
        threads: usize,
    ) -> Result<Session<'a>, RunError> {
        let needed = session_bytes_on(network.plan(), threads);
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
    /// `start` must be aligned and lead to `session_bytes_on` these threads less one line of initialised bytes, inside `owned`
    /// or borrowed for `'a`.
    unsafe fn at(
        network: Arc<Network>,
        start: *mut f32,
        owned: Option<Aligned>,
        threads: usize,
    ) -> Session<'a> {
        let plan = network.plan();
        let mut next = start;
        let lens: Vec<usize> = regions(plan, threads).collect();
        let mut addresses = lens.into_iter().map(|len| {
            let here = next;
            // SAFETY: `session_bytes_on` adds up the same lengths.
            next = unsafe { here.add(len) };
            here
        });
        let mut take =
            |count: usize| -> Box<[*mut f32]> { addresses.by_ref().take(count).collect() };
        let arenas = take(arenas(plan, threads));
        let outputs = take(plan.outputs.len());
        let staging = take(plan.inputs.len());
        let between = take(plan.between.len());
        let weights = network.packed().as_ptr().cast_mut();
        let images = staging.iter().chain(&outputs).chain(&between).copied();
        let bases: Box<[_]> = [arenas[0], weights].into_iter().chain(images).collect();
        let ports = plan.inputs.iter().chain(plan.outputs.iter());
        let each = ports
            .map(Port::elements)
            .chain(plan.between.iter().copied());
        let each: Vec<usize> = [0, 0].into_iter().chain(each).collect();
        let moved: Vec<_> = arenas
            .iter()
            .map(|&arena| {
                let mut moved = bases.clone();
                moved[0] = arena;
                moved
            })
            .collect();
        Session {
            strides: each.into(),
            moved: moved.into(),
            images: 1,
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

    /// Runs the network once, on as many images as the inputs hold. Inputs are in the plan's order, images behind one another. Denormal
    /// numbers are zero meanwhile, see [`denormals`](crate::denormals).
    ///
    /// # Errors
    /// When there are more or fewer inputs than the network has, one does not have the shape it should, or there are more images than
    /// the network was compiled for.
    pub fn run(&mut self, inputs: &[&dyn Input]) -> Result<Outputs<'_>, RunError> {
        self.bind(inputs)?;
        let _flushed = Flushed::enter();
        for number in 0..self.network.drivers.len() {
            let (run, driver) = (self.network.plan.runs[number], self.network.drivers[number]);
            match run {
                Run::Apart if self.images > 1 && self.moved.len() > 1 => self.apart(driver),
                // SAFETY: `Network::new` was promised that the driver is sound for memory of these sizes; `at` made the
                // regions, `bind` checked the inputs, which outlive this call, and `&mut self` keeps others out.
                _ => self.each(run, |bases, pool| unsafe { driver(bases, pool) }),
            }
        }
        Ok(self.outputs())
    }

    /// Calls the code of a run as often as it asks for, one image after another, with the addresses and the pool that are the driver's
    /// arguments: for code that is run in pieces, on the inputs of the last run, which must still be there. Whoever does so enters [`Flushed`], as
    /// `run` does.
    pub fn each(&mut self, run: Run, mut code: impl FnMut(*const *mut f32, *const Pool)) {
        let images = match run {
            Run::Whole => return code(self.bases.as_ptr(), self.pool()),
            Run::Each | Run::Apart => self.images,
        };
        if images == 1 {
            return code(self.bases.as_ptr(), self.pool());
        }
        for image in 0..images {
            move_to(&mut self.moved[0], &self.bases, &self.strides, image);
            code(self.moved[0].as_ptr(), self.pool());
        }
    }

    /// Calls a driver for each image, as many at the same time as there are threads.
    fn apart(&mut self, driver: Driver) {
        let workers = self.moved.len();
        let shared = Apart {
            driver,
            moved: self.moved.as_mut_ptr(),
            workers,
            bases: &self.bases,
            strides: &self.strides,
            images: self.images,
        };
        let pool = self.pool();
        // SAFETY: each iteration has addresses and an arena of its own; `shared` outlives the call, which returns when all are done.
        unsafe { parallel_for(pool, images_of, (&raw const shared).cast(), workers as i64) };
    }

    /// Points the drivers' bases at the inputs, copying those that are not contiguous. They are valid while the inputs are.
    fn bind(&mut self, inputs: &[&dyn Input]) -> Result<(), RunError> {
        let Plan {
            inputs: ports,
            batch,
            ..
        } = &self.network.plan;
        same_number(ports, inputs)?;
        let mut images = None;
        for (index, (&input, port)) in inputs.iter().zip(ports.iter()).enumerate() {
            let (elements, found) = fit(input, port, *batch, &mut images)?;
            self.bases[2 + index] = match elements {
                Some(elements) => elements.as_ptr().cast_mut(),
                None => {
                    let to = self.staging[index];
                    let len = found * port.elements();
                    // SAFETY: `at` gave this region as many initialised floats for every image, which nothing else uses.
                    input.copy_to(unsafe { std::slice::from_raw_parts_mut(to, len) });
                    to
                }
            };
        }
        self.images = images.unwrap_or(1);
        Ok(())
    }

    /// The pool, or null: the driver's second argument.
    pub fn pool(&self) -> *const Pool {
        self.pool.as_ref().map_or(std::ptr::null(), |pool| pool)
    }

    /// Begins or ends to note what each thread runs when, see [`Pool::record`]; one thread by itself notes nothing.
    pub fn record(&self, on: bool) {
        if let Some(pool) = &self.pool {
            pool.record(on);
        }
    }

    /// What was noted since this was last asked, by thread, the caller's first.
    pub fn take_spans(&self) -> Vec<Vec<Span>> {
        self.pool.as_ref().map_or_else(Vec::new, Pool::take_spans)
    }

    /// What the last run left in the outputs (before the first: whatever the memory held).
    pub fn outputs(&self) -> Outputs<'_> {
        let plan = &self.network.plan;
        let bases = &self.bases[2 + plan.inputs.len()..];
        Outputs::new(&plan.outputs, bases, self.images)
    }
}

impl fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({:?}, {} threads)", self.network, self.threads())
    }
}

/// What the threads know that compute images of their own.
struct Apart<'a> {
    driver: Driver,
    /// Addresses of each worker.
    moved: *mut Box<[*mut f32]>,
    workers: usize,
    bases: &'a [*mut f32],
    strides: &'a [usize],
    images: usize,
}

/// The images of workers `from..to`: every so many.
unsafe extern "C" fn images_of(context: *const u8, from: i64, to: i64) {
    // SAFETY: `Session::apart` passes this.
    let shared = unsafe { &*context.cast::<Apart<'_>>() };
    for worker in from as usize..to as usize {
        // SAFETY: there are so many workers, and each iteration is run once.
        let moved = unsafe { &mut *shared.moved.add(worker) };
        for image in (worker..shared.images).step_by(shared.workers) {
            move_to(moved, shared.bases, shared.strides, image);
            // SAFETY: as in `Session::run`; what this image reads and writes is its own.
            unsafe { (shared.driver)(moved.as_ptr(), std::ptr::null()) };
        }
    }
}

/// Moves all addresses but those of arena and weights to an image.
fn move_to(moved: &mut [*mut f32], bases: &[*mut f32], strides: &[usize], image: usize) {
    for ((moved, base), stride) in moved.iter_mut().zip(bases).zip(strides).skip(2) {
        *moved = base.wrapping_add(image * stride);
    }
}

/// The elements of inputs in the ports' order, checked as [`Session::run`] does: for what runs without machine code.
///
/// # Errors
/// As [`Session::run`], and when there is not enough memory for copies.
pub fn elements<'i>(
    ports: &[Port],
    batch: usize,
    inputs: &[&'i dyn Input],
) -> Result<Vec<Cow<'i, [f32]>>, RunError> {
    same_number(ports, inputs)?;
    let mut images = None;
    let elements = inputs.iter().zip(ports).map(|(&input, port)| {
        let (elements, found) = fit(input, port, batch, &mut images)?;
        Ok(match elements {
            Some(elements) => Cow::Borrowed(elements),
            None => {
                let mut copy = zeros(found * port.elements())?;
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

/// The input's elements where they are, or `None` if they must be copied, and the number of images that they are of. `images` is that of the first.
fn fit<'i>(
    input: &'i dyn Input,
    port: &Port,
    batch: usize,
    images: &mut Option<usize>,
) -> Result<(Option<&'i [f32]>, usize), RunError> {
    let elements = input.contiguous();
    let count = elements.map_or_else(|| input.elements(), <[f32]>::len);
    let one = port.elements();
    let (found, rest) = (count / one, count % one);
    // A leading extent is the number of images, also of one.
    let fits = |extents: &[usize]| match extents {
        extents if extents == &*port.shape => true,
        [n, rest @ ..] => *n == found && rest == &*port.shape,
        [] => false,
    };
    let many = batch > 1
        || input
            .extents()
            .is_some_and(|extents| extents.len() > port.shape.len());
    let right = rest == 0 && found > 0 && (many || found == 1);
    if !right || !input.extents().is_none_or(fits) {
        return Err(RunError::Shape {
            name: port.name.clone(),
            expected: port.shape.to_vec(),
            found: input
                .extents()
                .map_or_else(|| vec![count], <[usize]>::to_vec),
        });
    }
    let first = *images.get_or_insert(found);
    if found > batch || found != first {
        let name = port.name.clone();
        let by_first = found != first;
        return Err(RunError::Images {
            name,
            found,
            expected: if by_first { first } else { batch },
            first: by_first,
        });
    }
    Ok((elements, found))
}
