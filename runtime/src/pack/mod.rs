//! Packing: the weights of a file, laid out as the kernels of one plan read them.
//!
//! The load program of a [`Plan`] is a list of kernel calls ([`Pack`]) that write the packed weights, each element once, so
//! they run in any order and on several threads. They are cut into *pieces* of some iterations each. A piece reads the part of each
//! tensor that its calls reach, as f32, calls the kernels, and looks for values that are not finite while they are in the cache: of the file no more than a
//! piece for each thread is in memory.

mod image;
mod pieces;
mod problems;

use crate::isa::Isa;
use crate::kernel::{KernelFn, MAX_ARGS};
use crate::memory::Aligned;
use crate::plan::{Base, Pack, Plan};
use crate::weights::{Bound, Fault, Values, WeightsError};
use image::Images;
use pieces::{Piece, pieces};
use std::ptr::null;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Packed weights below which threads cost more than they save.
const FEW: usize = 1 << 18;

/// Executes the load program of `plan`, on so many threads.
///
/// # Errors
/// [`WeightsError::Unfit`] with every tensor that holds NaN, infinities or an impossible variance;
/// [`WeightsError::Memory`] when the packed weights do not fit in memory; [`WeightsError::Io`] and [`WeightsError::Format`] when
/// the file turns out to be damaged, or to have been made shorter, now that it is read.
///
/// # Panics
/// When `bound` was bound to other sources than the plan's, or a call reaches outside
/// its tensors or the packed weights, or what another one writes: mistakes of the compiler.
pub fn pack(plan: &Plan, bound: &Bound<'_>, threads: usize) -> Result<Aligned, WeightsError> {
    assert_eq!(
        &*plan.sources, bound.sources,
        "weights were bound to another plan"
    );
    let mut packed = Aligned::zeroed(plan.packed)?;
    let pieces = pieces(plan, &|base| values(base, plan, bound));
    let load = Load {
        plan,
        bound,
        // Packing is the same on every ISA, and a plan may be of one that this machine lacks.
        isa: match plan.isa.available() {
            true => plan.isa,
            false => Isa::Portable,
        },
        packed: packed.as_mut_ptr(),
        pieces: &pieces,
        next: AtomicUsize::new(0),
        unsound: plan
            .packing
            .iter()
            .map(|_| AtomicBool::new(false))
            .collect(),
        fault: Mutex::new(None),
    };
    let threads = match plan.packed < FEW {
        true => 1,
        false => threads.clamp(1, pieces.len().max(1)),
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            // One that the system does not give is not needed either.
            let _ = thread::Builder::new().spawn_scoped(scope, || load.work());
        }
        load.work();
    });
    let Load { unsound, fault, .. } = load;
    if let Some((_, fault)) = fault.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(WeightsError::new(bound.origin, fault));
    }
    let unsound = plan.packing.iter().zip(unsound);
    let unsound: Vec<&Pack> = unsound
        .filter_map(|(pack, unsound)| unsound.into_inner().then_some(pack))
        .collect();
    bound.refuse(problems::of(&unsound, bound)?)?;
    Ok(packed)
}

fn values<'a>(base: Base, plan: &'a Plan, bound: &Bound<'a>) -> Values<'a> {
    match base {
        Base::Source(source) => bound.tensors[source as usize],
        Base::Literal(literal) => Values::Literal(&plan.literals[literal as usize]),
        Base::Packed => panic!("{}: a packing call reads what is packed", plan.name),
    }
}

/// What the threads share.
struct Load<'a> {
    plan: &'a Plan,
    bound: &'a Bound<'a>,
    isa: Isa,
    packed: *mut f32,
    pieces: &'a [Piece],
    /// The piece that nobody has taken yet.
    next: AtomicUsize,
    /// Which calls met or made a value that is not finite.
    unsound: Vec<AtomicBool>,
    /// The fault of the first piece that has one.
    fault: Mutex<Option<(usize, Fault)>>,
}

// SAFETY: `packed` is the only thing that is not shared by itself, and no two pieces write the same elements of it.
unsafe impl Sync for Load<'_> {}

impl Load<'_> {
    /// Does pieces until there are none, or one has a fault.
    fn work(&self) {
        let mut images = Images::default();
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(piece) = self.pieces.get(index) else {
                return;
            };
            match self.follow(piece, &mut images) {
                Ok(true) => {}
                Ok(false) => self.unsound[piece.call].store(true, Ordering::Relaxed),
                Err(fault) => {
                    self.next.store(self.pieces.len(), Ordering::Relaxed);
                    let mut first = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
                    if first.as_ref().is_none_or(|(known, _)| index < *known) {
                        *first = Some((index, fault));
                    }
                }
            }
        }
    }

    /// Makes the calls of a piece; false if one met or made a value that is not finite.
    fn follow(&self, piece: &Piece, images: &mut Images) -> Result<bool, Fault> {
        let pack = &self.plan.packing[piece.call];
        let entry = (pack.kernel.row().entry)(self.isa).expect("every ISA can pack");
        let mut finite = true;
        let mut bases = [null(); MAX_ARGS];
        for (arg, (base, reach)) in bases.iter_mut().zip(&piece.reaches).enumerate().skip(1) {
            let (Some(reach), Some(pointer)) = (reach, &pack.args[arg]) else {
                continue;
            };
            let values = values(pointer.base, self.plan, self.bound);
            let read = images.of(arg, pointer.base, values, reach.clone())?;
            finite &= all_finite(read);
            *base = read.as_ptr().wrapping_sub(reach.start);
        }
        for unit in piece.units.clone() {
            self.call(pack, entry, unit, &bases);
        }
        for written in &piece.written {
            // SAFETY: of the packed weights, and nobody else writes there.
            let written = unsafe {
                std::slice::from_raw_parts(self.packed.add(written.start), written.len())
            };
            finite &= all_finite(written);
        }
        Ok(finite)
    }

    fn call(&self, pack: &Pack, entry: KernelFn, unit: u64, bases: &[*const f32; MAX_ARGS]) {
        let offset = |arg: usize| match pack.args.get(arg) {
            Some(Some(pointer)) => pieces::offset(pack, pointer, unit) as isize,
            _ => 0,
        };
        let out = self.packed.wrapping_offset(offset(0));
        let [a, b, c, d, e] = [1, 2, 3, 4, 5].map(|arg| match bases[arg].is_null() {
            true => null(),
            false => bases[arg].wrapping_offset(offset(arg)),
        });
        // SAFETY: the footprints of all units lie in the packed weights and in what has been read, as `pieces` has checked; images are
        // other memory than the packed weights, no two units write the same elements, and the ISA is available.
        unsafe { entry(out, a, b, c, d, e, pack.consts.as_ptr()) };
    }
}

/// Whether there is no NaN and no infinity, found without a branch per element.
fn all_finite(values: &[f32]) -> bool {
    const EXPONENT: u32 = 0x7f80_0000;
    let bad = values.iter().fold(0, |bad, v| {
        bad | u32::from(v.to_bits() & EXPONENT == EXPONENT)
    });
    bad == 0
}
