//! Form and bounds: what every access of a program can reach.

use super::{Fault, Space, Violation, address, at};
use crate::limits;
use crate::loops::{Access, BufferId, Call, For, Place, Program, Stmt, VarId};
use cnnc_runtime::kernel::{Const, Footprint, KERNELS, Kernel, KernelId, Signature, Type};
use std::ops::Range;

/// A program in the terms of the proofs.
pub(super) struct Shape {
    /// Iterations of each variable's loop.
    pub trips: Vec<i64>,
    /// Every call, in program order.
    pub calls: Vec<Calls>,
    /// The top-level statements of all sections.
    pub items: Vec<Item>,
}

/// A statement.
pub(super) enum Item {
    /// A loop.
    Loop(Loop),
    /// A call: its index in [`Shape::calls`].
    Call(usize),
}

/// A loop.
pub(super) struct Loop {
    pub var: VarId,
    pub parallel: bool,
    pub body: Vec<Item>,
    /// The calls inside.
    pub calls: Range<usize>,
}

/// A call.
pub(super) struct Calls {
    /// Index of the section.
    pub section: usize,
    pub kernel: &'static Kernel,
    /// Variables of the loops around it.
    pub around: Vec<VarId>,
    /// The output, then the inputs that the call uses. Empty accesses are left out.
    pub reaches: Vec<Reach>,
}

/// What one argument of a call reaches.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reach {
    /// Index of the argument; 0 is written, all others are read.
    pub arg: usize,
    pub buffer: BufferId,
    pub space: Space,
    /// Address, in the space, of the buffer's first element.
    pub origin: i64,
    /// Element of the buffer where the footprint starts, while all variables are zero.
    pub start: i64,
    /// Variables and their coefficients, each variable once; only those that move it.
    pub terms: Vec<(VarId, i64)>,
    /// `(count, stride)` of the footprint.
    pub dims: Vec<(i64, i64)>,
    /// Least and greatest address over all loops.
    pub range: (i64, i64),
}

impl Reach {
    pub fn writes(&self) -> bool {
        self.arg == 0
    }

    /// The factor of a variable.
    pub fn coefficient(&self, var: VarId) -> i64 {
        let term = self.terms.iter().find(|(term, _)| *term == var);
        term.map_or(0, |&(_, coefficient)| coefficient)
    }
}

impl Shape {
    pub fn violation(&self, program: &Program, call: usize, fault: Fault) -> Violation {
        let section = &program.sections[self.calls[call].section];
        Violation {
            section: Some(section.label.clone()),
            call: Some((call, self.calls[call].kernel.name)),
            fault,
        }
    }
}

/// Addresses and lengths, and products of counts, stay below this.
const LIMIT: i128 = limits::ADDRESS as i128;

pub(super) fn analyse(program: &Program) -> Result<Shape, Vec<Violation>> {
    let mut walk = Walk {
        program,
        section: 0,
        inside: Vec::new(),
        defined: vec![false; program.vars],
        violations: Vec::new(),
        shape: Shape {
            trips: vec![1; program.vars],
            calls: Vec::new(),
            items: Vec::new(),
        },
        seen: 0,
    };
    walk.buffers();
    for (index, section) in program.sections.iter().enumerate() {
        walk.section = index;
        let items = walk.body(&section.body);
        walk.shape.items.extend(items);
    }
    if walk.violations.is_empty() {
        Ok(walk.shape)
    } else {
        Err(walk.violations)
    }
}

struct Walk<'a> {
    program: &'a Program,
    section: usize,
    /// Variables of the loops that are open.
    inside: Vec<VarId>,
    defined: Vec<bool>,
    violations: Vec<Violation>,
    shape: Shape,
    /// Calls seen, accepted or not.
    seen: usize,
}

impl Walk<'_> {
    fn report(&mut self, call: Option<&'static str>, fault: Fault) {
        self.violations.push(Violation {
            section: Some(self.program.sections[self.section].label.clone()),
            call: call.map(|name| (self.seen - 1, name)),
            fault,
        });
    }

    fn buffers(&mut self) {
        let arena = self.program.arena as i128;
        for (id, buffer) in self.program.buffers.iter() {
            let fits = match buffer.place {
                Place::Arena(offset) => offset as i128 + buffer.len as i128 <= arena,
                _ => true,
            };
            let fault = match fits {
                _ if buffer.len as i128 >= LIMIT || arena >= LIMIT => Fault::Limit,
                true => continue,
                false => Fault::Place(id),
            };
            self.violations.push(Violation::of_buffer(buffer, fault));
        }
    }

    fn body(&mut self, body: &[Stmt]) -> Vec<Item> {
        let mut items = Vec::with_capacity(body.len());
        for stmt in body {
            match stmt {
                Stmt::For(inner) => items.extend(self.repeat(inner)),
                Stmt::Call(call) => {
                    self.seen += 1;
                    let kernel = KERNELS.get(usize::from(call.kernel.0));
                    match self.call(call) {
                        Ok(call) => {
                            self.shape.calls.push(call);
                            items.push(Item::Call(self.shape.calls.len() - 1));
                        }
                        Err(fault) => self.report(kernel.map(|kernel| kernel.name), fault),
                    }
                }
            }
        }
        items
    }

    fn repeat(&mut self, inner: &For) -> Option<Item> {
        let (var, trip) = (inner.var, inner.trip);
        let Some(defined) = self.defined.get_mut(at(var)) else {
            self.report(None, Fault::Unknown("variable"));
            return None;
        };
        if std::mem::replace(defined, true) {
            self.report(None, Fault::Redefined(var));
            return None;
        }
        if trip == 0 {
            self.report(None, Fault::Trip(var));
        }
        if inner.parallel && !self.inside.is_empty() {
            self.report(None, Fault::Nested(var));
        }
        self.shape.trips[at(var)] = i64::from(trip.max(1));
        self.inside.push(var);
        let first = self.shape.calls.len();
        let body = self.body(&inner.body);
        self.inside.pop();
        Some(Item::Loop(Loop {
            var,
            parallel: inner.parallel,
            body,
            calls: first..self.shape.calls.len(),
        }))
    }

    fn call(&mut self, call: &Call) -> Result<Calls, Fault> {
        let KernelId(row) = call.kernel;
        let kernel = KERNELS
            .get(usize::from(row))
            .ok_or(Fault::Unknown("kernel"))?;
        arity(kernel, call)?;
        let footprints = (kernel.footprint)(self.program.isa, &call.consts);
        let mut reaches = Vec::with_capacity(footprints.len());
        for (arg, footprint) in footprints.into_iter().enumerate() {
            let Some(footprint) = footprint else {
                // Nothing is written at all: no kernel works like that.
                if arg == 0 {
                    return Err(Fault::Constants);
                }
                continue;
            };
            if footprint.dims.iter().any(|&(count, _)| count < 0) {
                return Err(Fault::Constants);
            }
            let Some(access) = &call.args[arg] else {
                return Err(Fault::Arity);
            };
            reaches.extend(self.reach(kernel, arg, access, footprint)?);
        }
        Ok(Calls {
            section: self.section,
            kernel,
            around: self.inside.clone(),
            reaches,
        })
    }

    /// Nothing, if the footprint is empty: then it may point anywhere.
    fn reach(
        &self,
        kernel: &Kernel,
        arg: usize,
        access: &Access,
        footprint: Footprint,
    ) -> Result<Option<Reach>, Fault> {
        let id = access.buffer;
        let buffer = self
            .program
            .buffers
            .get(id)
            .ok_or(Fault::Unknown("buffer"))?;
        let (space, origin) = address(buffer.place);
        if arg == 0 && space.read_only() {
            return Err(Fault::ReadOnly(id));
        }
        let mut terms: Vec<(VarId, i64)> = Vec::with_capacity(access.offset.terms.len());
        for &(var, coefficient) in &access.offset.terms {
            if !self.inside.contains(&var) {
                return Err(Fault::Scope(var));
            }
            let known = terms.iter_mut().find(|(term, _)| *term == var);
            let sum =
                i128::from(coefficient) + known.as_ref().map_or(0, |(_, sum)| i128::from(*sum));
            if sum.abs() >= LIMIT {
                return Err(Fault::Limit);
            }
            match known {
                Some((_, known)) => *known = sum as i64,
                None => terms.push((var, coefficient)),
            }
        }
        if footprint.dims.iter().any(|&(count, _)| count == 0) {
            return Ok(None);
        }
        let start = i128::from(access.offset.base) + i128::from(footprint.offset);
        let (mut least, mut most, mut visits) = (start, start, 1i128);
        let trips = terms
            .iter()
            .map(|&(var, coefficient)| (self.shape.trips[at(var)], coefficient));
        for (count, stride) in trips.chain(footprint.dims.iter().copied()) {
            let span = i128::from(count - 1) * i128::from(stride);
            visits = visits.saturating_mul(i128::from(count));
            if span.abs() >= LIMIT || visits >= LIMIT {
                return Err(Fault::Limit);
            }
            least += span.min(0);
            most += span.max(0);
        }
        if least < 0 || most >= buffer.len as i128 {
            return Err(Fault::Bounds {
                arg: kernel.signature.args[arg].name,
                buffer: id,
                range: (least, most),
                len: buffer.len,
            });
        }
        terms.retain(|&(var, coefficient)| coefficient != 0 && self.shape.trips[at(var)] > 1);
        Ok(Some(Reach {
            arg,
            buffer: id,
            space,
            origin,
            start: start as i64,
            terms,
            dims: footprint.dims,
            range: (origin + least as i64, origin + most as i64),
        }))
    }
}

/// Checks arguments and constants against the kernel's row.
fn arity(kernel: &Kernel, call: &Call) -> Result<(), Fault> {
    let Signature { args, .. } = kernel.signature;
    let wanted = kernel.signature.count(&call.consts);
    if call.args.len() != args.len() || wanted != Some(call.consts.len() as i64) {
        return Err(Fault::Arity);
    }
    let mut declared = call.consts.iter().zip(kernel.signature.constants());
    let large = |(&constant, declared): (&i64, &Const)| match declared.ty {
        Type::Float => u32::try_from(constant).is_err(),
        Type::Double => false,
        _ => constant.unsigned_abs() > limits::CONSTANT,
    };
    if declared.any(large) {
        return Err(Fault::Limit);
    }
    Ok(())
}
