//! The truth about small programs: they are run element by element over memory that remembers who wrote what.
//!
//! Nothing here is shared with the verifier but the kernels' footprints.

use crate::id::Id;
use crate::loops::{Access, BufferId, Call, Place, Program, Stmt, VarId};
use cnnc_runtime::kernel::{Footprint, KERNELS};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Index in all of memory: the arena, then weights, inputs and outputs.
type Address = usize;

/// What a parallel loop did to an element: the iteration that wrote it, the first and the last that read it.
type Trace = (Option<i64>, Option<(i64, i64)>);

struct Checker<'a> {
    program: &'a Program,
    values: HashMap<VarId, i64>,
    defined: BTreeSet<VarId>,
    /// Address of each buffer's first element.
    origins: Vec<Address>,
    /// The first of the buffers that are the same elements.
    same: Vec<BufferId>,
    /// Whether the run is for all images.
    whole: bool,
    /// The buffer through which an element was last written.
    written: Vec<Option<BufferId>>,
    /// Whether an argument of a call is what the call writes.
    in_place: HashMap<(*const Call, usize), bool>,
    /// Iteration of the parallel loop, and its traces.
    parallel: Option<(i64, Vec<Trace>)>,
}

pub fn check(program: &Program) -> Result<(), &'static str> {
    for buffer in program.buffers.values() {
        if matches!(buffer.place, Place::Arena(at) if at + buffer.len > program.arena) {
            return Err("a buffer outside the arena");
        }
    }
    let mut size = program.arena;
    // Where the memory of each place is, and how much of it one image has.
    let mut regions: HashMap<(u8, usize), (Address, usize)> = HashMap::new();
    for buffer in program.buffers.values() {
        let Some(place) = region(buffer.place) else {
            continue;
        };
        let all = matches!(buffer.place, Place::Between { whole: true, .. });
        let one = if all {
            buffer.len / program.batch
        } else {
            buffer.len
        };
        let between = matches!(buffer.place, Place::Between { .. });
        if all && one * program.batch != buffer.len
            || between && regions.get(&place).is_some_and(|known| known.1 != one)
        {
            return Err("a tensor of all images that is not as long as they are");
        }
        let longest = program.buffers.values().map(|other| other.len).max();
        regions.entry(place).or_insert_with(|| {
            size += longest.unwrap_or(0) * program.batch;
            (size - longest.unwrap_or(0) * program.batch, one)
        });
    }
    // Both buffers of a tensor between runs are the same elements.
    let mut first: HashMap<usize, BufferId> = HashMap::new();
    let same = program
        .buffers
        .iter()
        .map(|(id, buffer)| match buffer.place {
            Place::Between { index, .. } => *first.entry(index).or_insert(id),
            _ => id,
        });
    let same = same.collect();
    let mut checker = Checker {
        program,
        values: HashMap::new(),
        defined: BTreeSet::new(),
        origins: Vec::new(),
        same,
        whole: false,
        written: vec![None; size],
        in_place: HashMap::new(),
        parallel: None,
    };
    // Form holds for statements that never run, too.
    for section in &program.sections {
        checker.form(&section.body, &mut Vec::new())?;
    }
    for run in program.runs() {
        checker.whole = program.sections[run.start].whole;
        for image in 0..if checker.whole { 1 } else { program.batch } {
            let origin = |place: Place| match (region(place), place) {
                (None, Place::Arena(at)) => at,
                (
                    Some(key),
                    Place::Between { whole: true, .. }
                    | Place::Weights
                    | Place::Param(_)
                    | Place::State(_),
                ) => regions[&key].0,
                (Some(key), _) => regions[&key].0 + image * regions[&key].1,
                (None, _) => unreachable!("only the arena is no region"),
            };
            let buffers = program.buffers.values();
            checker.origins = buffers.map(|buffer| origin(buffer.place)).collect();
            if program.batch > 1 {
                // The arena is another image's, or another run's.
                checker.written[..program.arena].fill(None);
            }
            for section in &program.sections[run.clone()] {
                checker.body(&section.body)?;
            }
        }
    }
    for (id, buffer) in program.buffers.iter() {
        if let Place::Output(_) = buffer.place {
            let (start, one) = regions[&region(buffer.place).ok_or("no such place")?];
            for image in 0..program.batch {
                let elements = start + image * one..start + image * one + buffer.len;
                if checker.written[elements].iter().any(|by| *by != Some(id)) {
                    return Err("an output that is not written");
                }
            }
        }
    }
    Ok(())
}

/// The memory that a place is in, if it is not the arena.
fn region(place: Place) -> Option<(u8, usize)> {
    match place {
        Place::Arena(_) => None,
        Place::Weights => Some((0, 0)),
        Place::Input(index) => Some((1, index)),
        Place::Output(index) => Some((2, index)),
        Place::Between { index, .. } => Some((3, index)),
        Place::Param(index) => Some((4, index)),
        Place::State(index) => Some((5, index)),
    }
}

fn elements(footprint: &Footprint) -> Vec<i64> {
    let mut elements = vec![footprint.offset];
    for &(count, stride) in &footprint.dims {
        let next = elements
            .iter()
            .flat_map(|at| (0..count).map(move |i| at + i * stride));
        elements = next.collect();
    }
    elements
}

impl Checker<'_> {
    fn form(&mut self, body: &[Stmt], inside: &mut Vec<VarId>) -> Result<(), &'static str> {
        for stmt in body {
            match stmt {
                Stmt::For(inner) => {
                    if inner.trip == 0 || inner.var.index() >= self.program.vars {
                        return Err("a loop that never runs, or over nothing");
                    }
                    if !self.defined.insert(inner.var) {
                        return Err("a variable of two loops");
                    }
                    if inner.parallel && !inside.is_empty() {
                        return Err("a parallel loop inside another");
                    }
                    inside.push(inner.var);
                    self.form(&inner.body, inside)?;
                    inside.pop();
                }
                Stmt::Call(call) => {
                    let row = KERNELS
                        .get(usize::from(call.kernel.0))
                        .ok_or("no such kernel")?;
                    let signature = row.signature;
                    if call.args.len() != signature.args.len() {
                        return Err("another number of arguments");
                    }
                    let steps = match signature.repeated.len() {
                        0 => 0,
                        group => {
                            let count = call.consts.get(signature.consts.len() - 1);
                            count.map_or(0, |steps| group as i64 * steps)
                        }
                    };
                    if call.consts.len() as i64 != signature.consts.len() as i64 + steps {
                        return Err("another number of constants");
                    }
                }
            }
        }
        Ok(())
    }

    fn body(&mut self, body: &[Stmt]) -> Result<(), &'static str> {
        for stmt in body {
            match stmt {
                Stmt::For(inner) => {
                    if inner.parallel {
                        self.parallel = Some((0, vec![Trace::default(); self.written.len()]));
                    }
                    for value in 0..i64::from(inner.trip) {
                        if let Some((iteration, _)) =
                            self.parallel.as_mut().filter(|_| inner.parallel)
                        {
                            *iteration = value;
                        }
                        self.values.insert(inner.var, value);
                        self.body(&inner.body)?;
                    }
                    self.values.remove(&inner.var);
                    if inner.parallel {
                        self.parallel = None;
                    }
                }
                Stmt::Call(call) => self.call(call)?,
            }
        }
        Ok(())
    }

    fn call(&mut self, call: &Call) -> Result<(), &'static str> {
        let row = &KERNELS[usize::from(call.kernel.0)];
        let footprints = (row.footprint)(self.program.isa, &call.consts);
        let mut touched = Vec::new();
        for (arg, footprint) in footprints.iter().enumerate() {
            if arg == 0 && call.args[0].is_none() {
                return Err("no output");
            }
            let Some(footprint) = footprint else { continue };
            if footprint.dims.iter().any(|&(count, _)| count < 0) {
                return Err("constants that mean nothing");
            }
            let access = call.args[arg].as_ref().ok_or("a missing argument")?;
            let fits = match self
                .program
                .buffers
                .get(access.buffer)
                .map(|buffer| buffer.place)
            {
                Some(Place::Input(_) | Place::Output(_)) => !self.whole,
                Some(Place::Between { whole, .. }) => whole == self.whole,
                _ => true,
            };
            if !fits {
                return Err("a buffer of one image in a run for all, or the other way round");
            }
            touched.push((arg, access.buffer, self.touch(access, footprint)?));
        }
        let (_, out, writes) = touched.remove(0);
        if matches!(
            self.program.buffers[out].place,
            Place::Weights | Place::Param(_) | Place::Input(_)
        ) {
            return Err("a write to what is read-only");
        }
        let unique: HashSet<Address> = writes.iter().copied().collect();
        if unique.len() != writes.len() {
            return Err("an element written twice by one call");
        }
        for (arg, buffer, reads) in touched {
            let whole = row.signature.in_place(arg) && reads == writes;
            // By the address of the call: it is in place in every iteration or in none.
            let always = self.in_place.entry((std::ptr::from_ref(call), arg));
            if *always.or_insert(whole) != whole {
                return Err("a call in place in some iterations only");
            }
            if !whole && reads.iter().any(|read| unique.contains(read)) {
                return Err("an input that overlaps the output");
            }
            let initialised = matches!(
                self.program.buffers[buffer].place,
                Place::Weights | Place::Param(_) | Place::Input(_) | Place::State(_)
            );
            for &read in &reads {
                if !initialised && self.written[read] != Some(self.same[buffer.index()]) {
                    return Err("a read before a write");
                }
                if let Some((iteration, traces)) = &mut self.parallel {
                    let trace = &mut traces[read];
                    trace.1 = Some((trace.1.map_or(*iteration, |readers| readers.0), *iteration));
                    if trace.0.is_some_and(|writer| writer != *iteration) {
                        return Err("a read of what another iteration writes");
                    }
                }
            }
        }
        for write in writes {
            self.written[write] = Some(self.same[out.index()]);
            if let Some((iteration, traces)) = &mut self.parallel {
                let trace = &mut traces[write];
                let others = trace.0.is_some_and(|writer| writer != *iteration)
                    || trace
                        .1
                        .is_some_and(|readers| readers != (*iteration, *iteration));
                if others {
                    return Err("a write to what another iteration reads or writes");
                }
                trace.0 = Some(*iteration);
            }
        }
        Ok(())
    }

    fn touch(&self, access: &Access, footprint: &Footprint) -> Result<Vec<Address>, &'static str> {
        let mut start = access.offset.base;
        for (var, coefficient) in &access.offset.terms {
            start += coefficient * self.values.get(var).ok_or("a variable outside its loop")?;
        }
        elements(footprint)
            .into_iter()
            .map(|element| self.address(access.buffer, start + element))
            .collect()
    }

    fn address(&self, id: BufferId, element: i64) -> Result<Address, &'static str> {
        let buffer = self.program.buffers.get(id).ok_or("no such buffer")?;
        if element < 0 || element >= buffer.len as i64 {
            return Err("an element outside its buffer");
        }
        Ok(self.origins[id.index()] + element as usize)
    }
}
