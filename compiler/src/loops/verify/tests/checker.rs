//! The truth about small programs: they are run element by element over memory that remembers who wrote what.
//!
//! Nothing here is shared with the verifier but the kernels' footprints.

use crate::id::Id;
use crate::loops::{Access, BufferId, Call, Place, Program, Stmt, VarId};
use cnnc_runtime::kernel::{Footprint, KERNELS};
use std::collections::{BTreeSet, HashMap};

type Address = (u8, usize, i64);

/// What a parallel loop did to an element: the iteration that wrote it, the iterations that read it.
type Trace = (Option<i64>, BTreeSet<i64>);

struct Checker<'a> {
    program: &'a Program,
    values: HashMap<VarId, i64>,
    defined: BTreeSet<VarId>,
    /// The buffer through which an element was last written.
    written: HashMap<Address, BufferId>,
    /// Iteration of the parallel loop, and its traces.
    parallel: Option<(i64, HashMap<Address, Trace>)>,
}

pub fn check(program: &Program) -> Result<(), &'static str> {
    for buffer in program.buffers.values() {
        if matches!(buffer.place, Place::Arena(at) if at + buffer.len > program.arena) {
            return Err("a buffer outside the arena");
        }
    }
    let mut checker = Checker {
        program,
        values: HashMap::new(),
        defined: BTreeSet::new(),
        written: HashMap::new(),
        parallel: None,
    };
    // Form holds for statements that never run, too.
    for section in &program.sections {
        checker.form(&section.body, &mut Vec::new())?;
    }
    for section in &program.sections {
        checker.body(&section.body)?;
    }
    for (id, buffer) in program.buffers.iter() {
        if let Place::Output(_) = buffer.place {
            for element in 0..buffer.len {
                let address = checker.address(id, element as i64)?;
                if checker.written.get(&address) != Some(&id) {
                    return Err("an output that is not written");
                }
            }
        }
    }
    Ok(())
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
                    if call.args.len() != row.args.len() {
                        return Err("another number of arguments");
                    }
                    if row.consts.last() != Some(&"...") && call.consts.len() != row.consts.len() {
                        return Err("another number of constants");
                    }
                    if row.consts.last() == Some(&"...")
                        && call.consts.len() as i64 != 8 + 2 * call.consts[7]
                    {
                        return Err("another number of steps");
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
                        self.parallel = Some((0, HashMap::new()));
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
            touched.push((arg, access.buffer, self.touch(access, footprint)?));
        }
        let (_, out, writes) = touched.remove(0);
        if matches!(
            self.program.buffers[out].place,
            Place::Weights | Place::Input(_)
        ) {
            return Err("a write to what is read-only");
        }
        let unique: BTreeSet<Address> = writes.iter().copied().collect();
        if unique.len() != writes.len() {
            return Err("an element written twice by one call");
        }
        for (arg, buffer, reads) in touched {
            let whole = row.in_place && arg == 1 && reads == writes;
            if !whole && reads.iter().any(|read| unique.contains(read)) {
                return Err("an input that overlaps the output");
            }
            let initialised = matches!(
                self.program.buffers[buffer].place,
                Place::Weights | Place::Input(_)
            );
            for &read in &reads {
                if !initialised && self.written.get(&read) != Some(&buffer) {
                    return Err("a read before a write");
                }
                if let Some((iteration, traces)) = &mut self.parallel {
                    let trace = traces.entry(read).or_default();
                    trace.1.insert(*iteration);
                    if trace.0.is_some_and(|writer| writer != *iteration) {
                        return Err("a read of what another iteration writes");
                    }
                }
            }
        }
        for write in writes {
            self.written.insert(write, out);
            if let Some((iteration, traces)) = &mut self.parallel {
                let trace = traces.entry(write).or_default();
                let others = trace.0.is_some_and(|writer| writer != *iteration)
                    || trace.1.iter().any(|reader| reader != iteration);
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
        Ok(match buffer.place {
            Place::Arena(at) => (0, 0, at as i64 + element),
            Place::Weights => (1, 0, element),
            Place::Input(index) => (2, index, element),
            Place::Output(index) => (3, index, element),
        })
    }
}
