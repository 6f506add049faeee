//! Order: nothing is read before it is written, and every output is written.
//!
//! A loop is taken as one big box per access if all it reads is initialised before it starts: whatever it
//! writes then only adds to that. Otherwise it is run, iteration by iteration, with the loops inside taken the same way.

use super::elements::{Bits, Runs};
use super::reach::{Item, Loop, Reach, Shape};
use super::{Fault, Space, Violation, at};
use crate::id::Id;
use crate::loops::{BufferId, Place, Program};

/// Runs and statements that a proof may visit (about a quarter of a second).
const EFFORT: u64 = 1 << 26;

pub(super) fn check(program: &Program, shape: &Shape) -> Option<Violation> {
    let mut order = Order {
        program,
        shape,
        initialised: program.buffers.ids().map(|_| None).collect(),
        sharing: sharing(program),
        values: vec![None; program.vars],
        effort: EFFORT,
    };
    order.run().err()
}

/// For each buffer, those that share memory with it, and the address of its first element minus the other's.
fn sharing(program: &Program) -> Vec<Vec<(BufferId, i64)>> {
    let places: Vec<_> = program
        .buffers
        .values()
        .map(|b| (super::address(b.place), b.len as i64))
        .collect();
    let mut sharing = vec![Vec::new(); places.len()];
    for (a, ((space, start), len)) in places.iter().enumerate() {
        for (b, ((other_space, other), other_len)) in places.iter().enumerate() {
            if a != b && space == other_space && *start < other + other_len && *other < start + len
            {
                sharing[a].push((BufferId::new(b), start - other));
            }
        }
    }
    sharing
}

struct Order<'a> {
    program: &'a Program,
    shape: &'a Shape,
    /// Elements of each buffer that are initialised; `None` for no element.
    initialised: Vec<Option<Bits>>,
    sharing: Vec<Vec<(BufferId, i64)>>,
    /// Values of the variables whose loops are run; the others are taken whole.
    values: Vec<Option<i64>>,
    effort: u64,
}

/// A read that is not covered.
struct Gap {
    call: usize,
    fault: Fault,
}

impl Order<'_> {
    fn run(&mut self) -> Result<(), Violation> {
        let shape = self.shape;
        let last = self.last_reads();
        for (time, item) in shape.items.iter().enumerate() {
            self.item(item)
                .map_err(|gap| shape.violation(self.program, gap.call, gap.fault))?;
            // What is never read again need not be kept, nor invalidated.
            for (bits, _) in self
                .initialised
                .iter_mut()
                .zip(&last)
                .filter(|(_, last)| **last == time)
            {
                *bits = None;
            }
        }
        for (id, buffer) in self.program.buffers.iter() {
            if !matches!(buffer.place, Place::Output(_)) || buffer.len == 0 {
                continue;
            }
            let missing = match &self.initialised[at(id)] {
                Some(bits) => bits.missing(0, buffer.len),
                None => Some(0),
            };
            if let Some(element) = missing {
                return Err(Violation::of_program(Fault::Unwritten {
                    buffer: id,
                    element,
                }));
            }
        }
        Ok(())
    }

    /// The last top-level statement that mentions each buffer; never, for outputs.
    fn last_reads(&self) -> Vec<usize> {
        let mut last = vec![usize::MAX; self.initialised.len()];
        for (time, item) in self.shape.items.iter().enumerate() {
            let calls = match item {
                Item::Loop(inner) => inner.calls.clone(),
                Item::Call(call) => *call..*call + 1,
            };
            for reach in self.shape.calls[calls]
                .iter()
                .flat_map(|call| &call.reaches)
            {
                if !matches!(reach.space, Space::Output(_)) {
                    last[at(reach.buffer)] = time;
                }
            }
        }
        last
    }

    fn item(&mut self, item: &Item) -> Result<(), Gap> {
        let shape = self.shape;
        match item {
            Item::Call(call) => {
                for reach in &shape.calls[*call].reaches {
                    self.read(*call, reach)?;
                }
                for reach in &shape.calls[*call].reaches {
                    self.write(*call, reach)?;
                }
                Ok(())
            }
            Item::Loop(inner) if self.at_once(inner) => {
                for call in inner.calls.clone() {
                    for reach in &shape.calls[call].reaches {
                        self.write(call, reach)?;
                    }
                }
                Ok(())
            }
            Item::Loop(inner) => {
                for value in 0..shape.trips[at(inner.var)] {
                    self.values[at(inner.var)] = Some(value);
                    for item in &inner.body {
                        self.item(item)?;
                    }
                }
                self.values[at(inner.var)] = None;
                Ok(())
            }
        }
    }

    /// Whether all that the loop reads is initialised before it starts, and stays so.
    fn at_once(&mut self, inner: &Loop) -> bool {
        let shape = self.shape;
        let reaches = || {
            shape.calls[inner.calls.clone()]
                .iter()
                .flat_map(|call| &call.reaches)
        };
        let mut buffers: Vec<(BufferId, bool)> = reaches()
            .map(|reach| (reach.buffer, reach.writes()))
            .collect();
        buffers.sort_unstable();
        buffers.dedup();
        // A write through one buffer may take from another what it had.
        let takes = |&(written, writes): &(BufferId, bool)| {
            writes
                && self.sharing[at(written)]
                    .iter()
                    .any(|(other, _)| buffers.iter().any(|(used, _)| used == other))
        };
        if buffers.iter().any(takes) {
            return false;
        }
        inner.calls.clone().all(|call| {
            let mut reaches = shape.calls[call].reaches.iter();
            reaches.all(|reach| self.read(call, reach).is_ok())
        })
    }

    /// The elements that an access reaches, over the values of all variables that have none.
    fn runs(&mut self, call: usize, reach: &Reach) -> Result<Option<Runs>, Gap> {
        let mut start = reach.start;
        let mut dims = reach.dims.clone();
        for &(var, coefficient) in &reach.terms {
            match self.values[at(var)] {
                Some(value) => start += value * coefficient,
                None => dims.push((self.shape.trips[at(var)], coefficient)),
            }
        }
        let runs = Runs::new(start, dims.into_iter());
        let count = runs.as_ref().map_or(0, Runs::count);
        match self.effort.checked_sub(count + 1) {
            Some(left) => self.effort = left,
            None => {
                return Err(Gap {
                    call,
                    fault: Fault::Effort,
                });
            }
        }
        Ok(runs)
    }

    /// Checks that a read is covered.
    fn read(&mut self, call: usize, reach: &Reach) -> Result<(), Gap> {
        if reach.writes() || matches!(reach.space, Space::Weights | Space::Input(_)) {
            return Ok(());
        }
        let Some(runs) = self.runs(call, reach)? else {
            return Ok(());
        };
        let mut gap = None;
        match &self.initialised[at(reach.buffer)] {
            Some(bits) => runs.each(|from, to| {
                gap = bits.missing(from, to);
                gap.is_none()
            }),
            None => runs.each(|from, _| {
                gap = Some(from);
                false
            }),
        }
        match gap {
            None => Ok(()),
            Some(element) => {
                let arg = self.shape.calls[call].kernel.args[reach.arg];
                let buffer = reach.buffer;
                Err(Gap {
                    call,
                    fault: Fault::Uninitialised {
                        arg,
                        buffer,
                        element,
                    },
                })
            }
        }
    }

    /// Initialises what a write reaches, and takes it from those that share the memory.
    fn write(&mut self, call: usize, reach: &Reach) -> Result<(), Gap> {
        if !reach.writes() {
            return Ok(());
        }
        let Some(runs) = self.runs(call, reach)? else {
            return Ok(());
        };
        for &(other, shift) in &self.sharing[at(reach.buffer)] {
            let len = self.program.buffers[other].len as i64;
            if let Some(bits) = &mut self.initialised[at(other)] {
                let there = |element: usize| (element as i64 + shift).clamp(0, len) as usize;
                runs.each(|from, to| {
                    bits.remove(there(from), there(to));
                    true
                });
            }
        }
        let len = self.program.buffers[reach.buffer].len;
        let bits = self.initialised[at(reach.buffer)].get_or_insert_with(|| Bits::new(len));
        runs.each(|from, to| {
            bits.insert(from, to);
            true
        });
        Ok(())
    }
}
