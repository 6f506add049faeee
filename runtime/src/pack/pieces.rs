//! The load program, cut into pieces: some iterations of one call each.

use crate::kernel::Footprint;
use crate::plan::{Base, Pack, Plan, Pointer};
use crate::weights::Values;
use std::ops::Range;

/// Elements that a piece writes at least, if there are so many: what it reads and writes stays in level 2.
const PIECE: u64 = 1 << 16;

/// Some iterations of a call, all loops counted as one.
pub(super) struct Piece {
    /// Which call of the plan.
    pub call: usize,
    pub units: Range<u64>,
    /// What each argument reaches, from the lowest element to behind the highest.
    pub reaches: Vec<Option<Range<usize>>>,
    /// What is written, in ascending order.
    pub written: Vec<Range<usize>>,
}

/// All pieces, checked: each reaches only what is there, and no two write the same element.
///
/// # Panics
/// When that is not so: a mistake of the compiler.
pub(super) fn pieces<'a>(plan: &'a Plan, values: &dyn Fn(Base) -> Values<'a>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (call, pack) in plan.packing.iter().enumerate() {
        let cut = Cut::new(plan, pack, values);
        let mut from = 0;
        while from < cut.units {
            let to = cut.units.min(from.saturating_add(cut.each));
            pieces.push(cut.piece(call, from..to));
            from = to;
        }
    }
    let mut written: Vec<&Range<usize>> = pieces.iter().flat_map(|p| &p.written).collect();
    written.sort_unstable_by_key(|range| range.start);
    let mut end = 0;
    for range in written {
        let apart = range.start >= end && range.end <= plan.packed;
        assert!(
            apart,
            "{}: a packing call writes what is not its own",
            plan.name
        );
        end = range.end;
    }
    pieces
}

/// Where an argument points in that iteration.
pub(super) fn offset(pack: &Pack, pointer: &Pointer, unit: u64) -> i64 {
    let (mut rest, mut at) = (unit, pointer.offset);
    for (&trip, step) in pack.trips.iter().zip(pointer.steps.iter()).rev() {
        at = at.wrapping_add(step.wrapping_mul((rest % u64::from(trip)) as i64));
        rest /= u64::from(trip);
    }
    at
}

/// What an argument reaches from where it points: the lowest and the highest element, and how many there are.
struct Span {
    low: i64,
    high: i64,
    count: u64,
}

impl Span {
    /// `None` if nothing is reached.
    fn new(footprint: &Footprint) -> Option<Span> {
        let (mut low, mut high, mut count) = (footprint.offset, footprint.offset, 1u64);
        for &(n, stride) in &footprint.dims {
            assert!(n >= 0, "constants that a kernel cannot work with");
            let last = (n - 1).max(0).saturating_mul(stride);
            low = low.saturating_add(last.min(0));
            high = high.saturating_add(last.max(0));
            count = count.saturating_mul(n as u64);
        }
        (count > 0).then_some(Span { low, high, count })
    }

    fn len(&self) -> u64 {
        self.high.abs_diff(self.low).saturating_add(1)
    }
}

/// How a call is cut.
struct Cut<'a> {
    pack: &'a Pack,
    spans: Vec<Option<Span>>,
    /// Elements that each argument may reach.
    lens: Vec<usize>,
    units: u64,
    /// Iterations of a piece.
    each: u64,
}

impl<'a> Cut<'a> {
    fn new(plan: &'a Plan, pack: &'a Pack, values: &dyn Fn(Base) -> Values<'a>) -> Cut<'a> {
        let row = pack.kernel.row();
        let fits = pack.args.len() == row.signature.args.len()
            && row.signature.count(&pack.consts) == Some(pack.consts.len() as i64)
            && pack.args[1..]
                .iter()
                .flatten()
                .all(|arg| arg.base != Base::Packed);
        assert!(fits, "{}: no call of {}", plan.name, row.name);
        let footprints = (row.footprint)(plan.isa, &pack.consts);
        let spans: Vec<Option<Span>> = footprints
            .iter()
            .map(|footprint| Span::new(footprint.as_ref()?))
            .collect();
        let units: u64 = pack.trips.iter().map(|&trip| u64::from(trip)).product();
        let mut each = spans[0]
            .as_ref()
            .map_or(units, |out| PIECE.div_ceil(out.count));
        let mut lens = vec![plan.packed];
        for (span, arg) in spans.iter().zip(pack.args.iter()).skip(1) {
            let (Some(span), Some(arg)) = (span, arg) else {
                assert!(
                    span.is_none(),
                    "{}: {} lacks an argument",
                    plan.name,
                    row.name
                );
                lens.push(0);
                continue;
            };
            let values = values(arg.base);
            // Literals repeat.
            lens.push(match arg.base {
                Base::Literal(_) => usize::MAX,
                _ => values.len(),
            });
            // What lies all over a tensor is read once for all iterations, and so is what can only be had as a whole.
            let scattered = span.len() > span.count.saturating_mul(2) && span.len() > PIECE;
            if values.borrow(0..values.len()).is_none() && (scattered || !values.in_parts()) {
                each = units;
            }
        }
        Cut {
            pack,
            spans,
            lens,
            units,
            each: each.max(1),
        }
    }

    fn piece(&self, call: usize, units: Range<u64>) -> Piece {
        let mut reaches: Vec<Option<Range<usize>>> = vec![None; self.spans.len()];
        let mut written: Vec<Range<usize>> = Vec::new();
        for unit in units.clone() {
            for (arg, reach) in reaches.iter_mut().enumerate() {
                let Some(now) = self.reach(arg, unit) else {
                    continue;
                };
                if arg == 0 {
                    match written.last_mut() {
                        Some(last) if last.end == now.start => last.end = now.end,
                        _ => written.push(now.clone()),
                    }
                }
                *reach = Some(match reach.take() {
                    Some(all) => all.start.min(now.start)..all.end.max(now.end),
                    None => now,
                });
            }
        }
        Piece {
            call,
            units,
            reaches,
            written,
        }
    }

    /// What an argument reaches in one iteration.
    fn reach(&self, arg: usize, unit: u64) -> Option<Range<usize>> {
        let (span, pointer) = (self.spans[arg].as_ref()?, self.pack.args[arg].as_ref()?);
        let at = i128::from(offset(self.pack, pointer, unit));
        let (low, high) = (at + i128::from(span.low), at + i128::from(span.high));
        let inside = low >= 0 && high < self.lens[arg] as i128;
        assert!(inside, "{} reaches outside", self.pack.kernel.row().name);
        Some(low as usize..high as usize + 1)
    }
}
