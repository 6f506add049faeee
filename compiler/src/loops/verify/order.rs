//! Order: nothing is read before it is written, and every output is written.
//!
//! What has happened to a buffer is a list of strided sets, and a read is proven by taking from it, latest first, what has been
//! written, until nothing is left. A loop is proven for all its iterations at once: within it, sets are moved
//! together with its variable, and behind it each has one more dimension. What an iteration reads it must have written itself, or
//! find written before the loop; where that is not enough, iterations are looked at one by one.

use super::digits::subtract;
use super::linear::TooHard;
use super::reach::{Item, Loop, Reach, Shape};
use super::sharing::{Sharing, sharing};
use super::strided::Strided;
use super::{Fault, Violation, at};
use crate::loops::{BufferId, Place, Program, VarId};
use std::collections::HashMap;

/// Sets that one proof may look at (about a second).
pub(super) const EFFORT: u64 = 1 << 22;
/// A proof of a read that looks at more sets is kept for the next one.
const LONG: u64 = 16;

pub(super) fn check(program: &Program, shape: &Shape, effort: &mut u64) -> Option<Violation> {
    let Ok(sharing) = sharing(program, shape, effort) else {
        return Some(Violation::of_program(Fault::Effort));
    };
    let mut order = Order {
        shape,
        frames: vec![Frame::default()],
        sharing,
        values: vec![None; program.vars],
        effort,
    };
    order.run(program).err()
}

struct Order<'a> {
    shape: &'a Shape,
    /// What the statements before have done, then what those before have done in the same iteration of each open loop.
    frames: Vec<Frame>,
    sharing: Sharing,
    /// Values of the variables whose iterations are looked at one by one.
    values: Vec<Option<i64>>,
    effort: &'a mut u64,
}

/// A loop that is proven for all iterations at once; the first is none.
#[derive(Default)]
struct Frame {
    var: Option<VarId>,
    events: HashMap<BufferId, Vec<Event>>,
}

/// What has happened to a buffer.
struct Event {
    /// Whether the elements are initialised now; if not, they are no longer.
    written: bool,
    elements: Moving,
}

impl Event {
    /// Adds it to what has happened before, as one with the last where they are one set.
    fn follow(mut self, events: &mut Vec<Event>) {
        while let Some(last) = events.last()
            && self.written == last.written
            && let Some(elements) = self.elements.joined(&last.elements)
        {
            self.elements = elements;
            events.pop();
        }
        events.push(self);
    }
}

/// Elements in each iteration of open loops.
#[derive(Clone)]
struct Moving {
    /// Where they are while all variables of open loops are zero.
    sets: Vec<Strided>,
    /// By how much they move with these variables; no factor is zero.
    terms: Vec<(VarId, i64)>,
}

impl Moving {
    fn factor(&self, var: VarId) -> i64 {
        let term = self.terms.iter().find(|(term, _)| *term == var);
        term.map_or(0, |&(_, factor)| factor)
    }

    /// Takes all iterations of a loop together.
    fn unite(&mut self, var: VarId, trips: &[i64]) {
        let factor = self.factor(var);
        self.terms.retain(|(term, _)| *term != var);
        for set in &mut self.sets {
            set.repeat(trips[at(var)], factor);
        }
    }

    /// The union, if it is a single set.
    fn joined(&self, other: &Moving) -> Option<Moving> {
        let ([ours], [others]) = (&self.sets[..], &other.sets[..]) else {
            return None;
        };
        let same = self.terms == other.terms;
        let sets = vec![same.then(|| ours.joined(others))??];
        Some(Moving {
            sets,
            terms: self.terms.clone(),
        })
    }

    /// Leaves out what has been written, in each iteration by that iteration.
    fn take(&mut self, written: &Moving, trips: &[i64], effort: &mut u64) -> Result<(), TooHard> {
        // What does not move has been written by every iteration; what moves otherwise, by another one.
        let others = self.terms.iter().chain(&written.terms).map(|&(var, _)| var);
        let others = others.filter(|&var| self.factor(var) != written.factor(var));
        let others: Vec<VarId> = others.collect();
        if others.iter().any(|&var| written.factor(var) != 0) {
            return Ok(());
        }
        for var in others {
            self.unite(var, trips);
        }
        for written in &written.sets {
            for set in std::mem::take(&mut self.sets) {
                subtract(set, written, &mut self.sets, effort)?;
            }
        }
        Ok(())
    }

    /// An element that is in the other, too. Neither moves: a loop that uses both buffers is not proven at once.
    fn first_in(&self, other: &Moving) -> Result<Option<i64>, TooHard> {
        for (ours, others) in self
            .sets
            .iter()
            .flat_map(|set| other.sets.iter().map(move |other| (set, other)))
        {
            if let Some(element) = ours.first_in(others)? {
                return Ok(Some(element));
            }
        }
        Ok(None)
    }
}

/// A read that is not covered.
struct Gap {
    call: usize,
    fault: Fault,
}

impl Order<'_> {
    fn run(&mut self, program: &Program) -> Result<(), Violation> {
        let shape = self.shape;
        let mut before = None;
        for item in &shape.items {
            let first = match item {
                Item::Loop(inner) => inner.calls.start,
                Item::Call(call) => *call,
            };
            // A loop without calls does nothing.
            let section = shape.calls.get(first).map_or(0, |call| call.section);
            let whole = program.sections[section].whole;
            if before.is_some_and(|before| before != whole) {
                self.cross(program, whole)
                    .map_err(|TooHard| Violation::of_program(Fault::Effort))?;
            }
            before = Some(whole);
            self.item(item)
                .map_err(|gap| shape.violation(program, gap.call, gap.fault))?;
        }
        for (id, buffer) in program.buffers.iter() {
            if !matches!(buffer.place, Place::Output(_)) || buffer.len == 0 {
                continue;
            }
            let whole = Moving {
                sets: vec![Strided::new(0, [(buffer.len as i64, 1)])],
                terms: Vec::new(),
            };
            let fault = match self.missing(id, whole) {
                Ok(None) => continue,
                Ok(Some(element)) => Fault::Unwritten {
                    buffer: id,
                    element,
                },
                Err(TooHard) => Fault::Effort,
            };
            return Err(Violation::of_program(fault));
        }
        Ok(())
    }

    /// Goes from runs for one image to those for all, or back: tensors between them are initialised now where they were as a whole.
    fn cross(&mut self, program: &Program, whole: bool) -> Result<(), TooHard> {
        let all = |len: usize| Moving {
            sets: vec![Strided::new(0, [(len as i64, 1)])],
            terms: Vec::new(),
        };
        let mut known: HashMap<usize, bool> = HashMap::new();
        for (id, buffer) in program.buffers.iter() {
            if let Place::Between { index, whole: of } = buffer.place
                && of != whole
            {
                let complete = self.missing(id, all(buffer.len))?.is_none();
                *known.entry(index).or_default() |= complete;
            }
        }
        for (id, buffer) in program.buffers.iter() {
            if let Place::Between { index, whole: of } = buffer.place
                && of == whole
                && let Some(&complete) = known.get(&index)
            {
                let events = self.frames[0].events.entry(id).or_default();
                events.clear();
                if complete {
                    events.push(Event {
                        written: true,
                        elements: all(buffer.len),
                    });
                }
            }
        }
        Ok(())
    }

    fn item(&mut self, item: &Item) -> Result<(), Gap> {
        let shape = self.shape;
        match item {
            Item::Call(call) => {
                let reaches = &shape.calls[*call].reaches;
                reaches
                    .iter()
                    .try_for_each(|reach| self.read(*call, reach))?;
                reaches.iter().for_each(|reach| self.write(reach));
                Ok(())
            }
            Item::Loop(inner) => {
                if !self.entangled(inner) {
                    match self.at_once(inner) {
                        // Inside a loop that is proven at once there is nothing else to try.
                        Err(gap) if self.frames.len() == 1 && gap.fault != Fault::Effort => {}
                        proven => return proven,
                    }
                }
                for value in 0..shape.trips[at(inner.var)] {
                    self.values[at(inner.var)] = Some(value);
                    inner.body.iter().try_for_each(|item| self.item(item))?;
                }
                self.values[at(inner.var)] = None;
                Ok(())
            }
        }
    }

    /// Proves all iterations of a loop at once.
    fn at_once(&mut self, inner: &Loop) -> Result<(), Gap> {
        self.frames.push(Frame {
            var: Some(inner.var),
            events: HashMap::new(),
        });
        let proven = inner.body.iter().try_for_each(|item| self.item(item));
        let frame = self.frames.pop().expect("pushed above");
        proven?;
        let around = self.frames.last_mut().expect("the first stays");
        for (buffer, events) in frame.events {
            let known = around.events.entry(buffer).or_default();
            for mut event in events {
                event.elements.unite(inner.var, &self.shape.trips);
                event.follow(known);
            }
        }
        Ok(())
    }

    /// Whether a write in the loop takes from a buffer that the loop uses what it had: then the order of iterations matters.
    fn entangled(&self, inner: &Loop) -> bool {
        let reaches = || {
            self.shape.calls[inner.calls.clone()]
                .iter()
                .flat_map(|call| &call.reaches)
        };
        let mut written = reaches().filter(|reach| reach.writes());
        written.any(|write| {
            let mut others = self.sharing.with(write.buffer).iter();
            others.any(|&(other, _)| reaches().any(|reach| reach.buffer == other))
        })
    }

    /// The elements that an access reaches.
    fn elements(&self, reach: &Reach) -> Moving {
        let mut start = reach.start;
        let mut terms = Vec::with_capacity(reach.terms.len());
        for &(var, factor) in &reach.terms {
            match self.values[at(var)] {
                Some(value) => start += value * factor,
                None => terms.push((var, factor)),
            }
        }
        let sets = vec![Strided::new(start, reach.dims.iter().copied())];
        Moving { sets, terms }
    }

    /// Checks that a read is covered.
    fn read(&mut self, call: usize, reach: &Reach) -> Result<(), Gap> {
        if reach.writes() || reach.space.initialised() {
            return Ok(());
        }
        let fault = match self.missing(reach.buffer, self.elements(reach)) {
            Ok(None) => return Ok(()),
            Ok(Some(element)) => Fault::Uninitialised {
                arg: self.shape.calls[call].kernel.signature.args[reach.arg].name,
                buffer: reach.buffer,
                element,
            },
            Err(TooHard) => Fault::Effort,
        };
        Err(Gap { call, fault })
    }

    /// An element that is not initialised now, if there is one.
    fn missing(&mut self, buffer: BufferId, mut rest: Moving) -> Result<Option<i64>, TooHard> {
        let trips = &self.shape.trips;
        for frame in self.frames.iter_mut().rev() {
            let events = frame.events.entry(buffer).or_default();
            let (wanted, before) = (rest.clone(), *self.effort);
            for event in events.iter().rev() {
                if event.written {
                    rest.take(&event.elements, trips, self.effort)?;
                } else if let Some(element) = rest.first_in(&event.elements)? {
                    return Ok(Some(element));
                }
                if rest.sets.is_empty() {
                    break;
                }
            }
            if rest.sets.is_empty() {
                if before - *self.effort > LONG {
                    events.push(Event {
                        written: true,
                        elements: wanted,
                    });
                }
                return Ok(None);
            }
            if let Some(var) = frame.var {
                rest.unite(var, trips);
            }
        }
        Ok(rest.sets.iter().map(|set| set.start).min())
    }

    /// Initialises what a write reaches, and takes it from those that share the memory.
    fn write(&mut self, reach: &Reach) {
        if !reach.writes() {
            return;
        }
        let elements = self.elements(reach);
        let frame = self.frames.last_mut().expect("the first stays");
        for &(other, shift) in self.sharing.with(reach.buffer) {
            let mut elements = elements.clone();
            for set in &mut elements.sets {
                set.shift(shift);
            }
            let event = Event {
                written: false,
                elements,
            };
            event.follow(frame.events.entry(other).or_default());
        }
        let event = Event {
            written: true,
            elements,
        };
        event.follow(frame.events.entry(reach.buffer).or_default());
    }
}
