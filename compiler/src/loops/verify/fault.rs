//! What can be wrong with a program.

use crate::loops::{Buffer, BufferId, VarId};
use std::fmt;

/// A fault and where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// Label of the section.
    pub section: Option<String>,
    /// Number of the call in the program, from 0, and name of its kernel.
    pub call: Option<(usize, &'static str)>,
    /// What is wrong.
    pub fault: Fault,
}

/// A rule that is broken; see the specification in [`super`].
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// A buffer, variable or kernel that does not exist.
    Unknown(&'static str),
    /// A variable used outside its loop.
    Scope(VarId),
    /// A variable that two loops define.
    Redefined(VarId),
    /// A loop that never runs.
    Trip(VarId),
    /// A parallel loop inside another loop.
    Nested(VarId),
    /// A buffer that is not inside the arena.
    Place(BufferId),
    /// A buffer that a run of sections uses which it is not for, or that has another length than its images take.
    Batch(BufferId),
    /// Another number of arguments or constants than the kernel has, or an argument missing that it uses.
    Arity,
    /// Constants that the kernel cannot work with.
    Constants,
    /// Numbers beyond all bounds.
    Limit,
    /// An argument that reaches outside its buffer.
    Bounds {
        /// The argument.
        arg: &'static str,
        /// The buffer.
        buffer: BufferId,
        /// Least and greatest element.
        range: (i128, i128),
        /// Length of the buffer.
        len: usize,
    },
    /// Weights or an input as output.
    ReadOnly(BufferId),
    /// A call that writes an element twice.
    Twice,
    /// An input that overlaps the output.
    Alias(&'static str),
    /// Iterations of a parallel loop that meet: one writes what another reads or writes.
    Race {
        /// The loop.
        var: VarId,
        /// Number of the other call.
        with: usize,
        /// Argument of the other call.
        arg: &'static str,
    },
    /// A read of an element that has not been written.
    Uninitialised {
        /// The argument.
        arg: &'static str,
        /// The buffer.
        buffer: BufferId,
        /// The element.
        element: i64,
    },
    /// An element of an output that is not written.
    Unwritten {
        /// The output.
        buffer: BufferId,
        /// The element.
        element: i64,
    },
    /// An input or output that the plan does not have, or has with another length.
    Port(BufferId),
    /// The plan is of another program.
    Plan,
    /// The proof takes too long.
    Effort,
}

impl Fault {
    /// Whether the proof was given up: the program may be right all the same.
    pub fn is_limit(&self) -> bool {
        matches!(self, Fault::Limit | Fault::Effort)
    }
}

impl Violation {
    pub(super) fn of_program(fault: Fault) -> Violation {
        Violation {
            section: None,
            call: None,
            fault,
        }
    }

    /// One that is about a buffer as a whole; its name is that of the section that makes what it holds.
    pub(super) fn of_buffer(buffer: &Buffer, fault: Fault) -> Violation {
        Violation {
            section: Some(buffer.name.clone()),
            call: None,
            fault,
        }
    }
}

/// A network that is too much for the proof, which without one is not run. It is no fault of the network, nor one of the compiler.
#[derive(Clone, Debug, PartialEq)]
pub struct Unproven {
    /// Name of the network.
    pub network: String,
    /// Where the proof was given up, and why.
    pub violation: Box<Violation>,
}

impl fmt::Display for Unproven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Unproven { network, violation } = self;
        let section = violation.section.as_deref();
        match section {
            Some(section) => write!(f, "`{section}` of {network} is too much for the compiler")?,
            None => write!(f, "{network} is too much for the compiler")?,
        }
        write!(
            f,
            ", which must prove that its code is safe: {}",
            violation.fault
        )
    }
}

impl std::error::Error for Unproven {}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(section) = &self.section {
            write!(f, "{section}: ")?;
        }
        if let Some((number, kernel)) = self.call {
            write!(f, "call {number} of {kernel}: ")?;
        }
        write!(f, "{}", self.fault)
    }
}

impl std::error::Error for Violation {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Unknown(what) => write!(f, "no such {what}"),
            Fault::Scope(var) => write!(f, "{var} is used outside its loop"),
            Fault::Redefined(var) => write!(f, "{var} is defined twice"),
            Fault::Trip(var) => write!(f, "the loop over {var} never runs"),
            Fault::Nested(var) => write!(f, "the parallel loop over {var} is inside another"),
            Fault::Batch(buffer) => write!(
                f,
                "{buffer} is used by a run of sections that it is not for, or is not as long as its images are"
            ),
            Fault::Place(buffer) => write!(f, "{buffer} is not inside the arena"),
            Fault::Arity => f.write_str("not the arguments or constants of this kernel"),
            Fault::Constants => f.write_str("constants that the kernel cannot work with"),
            Fault::Limit => f.write_str("a size or a stride is out of range"),
            Fault::Bounds {
                arg,
                buffer,
                range: (least, most),
                len,
            } => write!(f, "`{arg}` reaches {buffer}[{least}..={most}] of {len}"),
            Fault::ReadOnly(buffer) => write!(f, "writes {buffer}, which is read-only"),
            Fault::Twice => f.write_str("writes an element twice"),
            Fault::Alias(arg) => write!(f, "the output overlaps `{arg}`"),
            Fault::Race { var, with, arg } => {
                write!(
                    f,
                    "an iteration of {var} writes what is `{arg}` of call {with} in another"
                )
            }
            Fault::Uninitialised {
                arg,
                buffer,
                element,
            } => write!(f, "`{arg}` reads {buffer}[{element}] before it is written"),
            Fault::Unwritten { buffer, element } => {
                write!(f, "output {buffer}[{element}] is never written")
            }
            Fault::Port(buffer) => write!(f, "{buffer} is not a port of the plan"),
            Fault::Plan => f.write_str("the plan belongs to another program"),
            Fault::Effort => f.write_str("the proof takes too long"),
        }
    }
}
