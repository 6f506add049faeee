//! Sections of one form: the same loops over the same kernels, on other memory. They share a function, which reads from a record where its
//! pointers begin.
//!
//! A record has two words for each pointer, the offset of its base in `bases` and the bytes from there, or the offset in the table of
//! constants and nothing.

use super::places::{Begin, Constants, Places, coefficient};
use crate::loops::{Stmt, VarId};
use cnnc_runtime::kernel::KernelId;
use std::collections::HashMap;

/// A part of a form, in the order in which its code is emitted.
#[derive(PartialEq, Eq, Hash)]
pub(super) enum Part {
    /// A loop with so many iterations begins; whether it is parallel.
    Loop(u32, bool),
    /// The innermost loop ends.
    End,
    /// A call.
    Kernel(KernelId),
    /// A pointer, by its place in the record.
    Pointer(usize),
    /// A pointer that is null.
    Null,
    /// Elements by which the last pointer advances in a loop around it, outermost first.
    Advance(i64),
}

/// A section's form, and what is its own.
pub(super) struct Form {
    /// Equal for sections that share a function.
    pub parts: Vec<Part>,
    /// The section's record.
    pub record: Vec<i64>,
    /// Places in the record, counted in pointers.
    known: HashMap<Begin, usize>,
}

impl Form {
    /// The form of these statements.
    pub fn new(stmts: &[Stmt], places: &Places, constants: &mut Constants) -> Form {
        let mut form = Form {
            parts: Vec::new(),
            record: Vec::new(),
            known: HashMap::new(),
        };
        form.stmts(stmts, places, constants, &mut Vec::new());
        form
    }

    fn stmts(
        &mut self,
        stmts: &[Stmt],
        places: &Places,
        constants: &mut Constants,
        nest: &mut Vec<VarId>,
    ) {
        for stmt in stmts {
            match stmt {
                Stmt::For(inner) => {
                    self.parts.push(Part::Loop(inner.trip, inner.parallel));
                    nest.push(inner.var);
                    self.stmts(&inner.body, places, constants, nest);
                    nest.pop();
                    self.parts.push(Part::End);
                }
                Stmt::Call(call) => {
                    self.parts.push(Part::Kernel(call.kernel));
                    self.pointer(constants.begin(&call.consts));
                    for arg in &call.args {
                        let Some(access) = arg else {
                            self.parts.push(Part::Null);
                            continue;
                        };
                        self.pointer(places.begin(access));
                        let advance =
                            |&var: &VarId| Part::Advance(coefficient(&access.offset, var));
                        self.parts.extend(nest.iter().map(advance));
                    }
                }
            }
        }
    }

    fn pointer(&mut self, begin: Begin) {
        let next = self.known.len();
        let index = *self.known.entry(begin).or_insert(next);
        if index == next {
            self.record.extend(match begin {
                Begin::Memory(base, offset) => [base, offset],
                Begin::Constants(offset) => [offset, 0],
            });
        }
        self.parts.push(Part::Pointer(index));
    }

    /// The byte offset in the record of what says where the pointer begins.
    pub fn offset(&self, begin: Begin) -> i32 {
        (self.known[&begin] * 2 * size_of::<i64>()) as i32
    }
}
