//! Decides which operands of a concatenation are written straight into its buffer.
//!
//! It rewrites nothing and says what lowering will do, which [decides](each_operand).

use super::Pass;
use crate::graph::Graph;
use crate::lower::each_operand;
use crate::note::Notes;

pub(super) const PASS: Pass = Pass {
    name: "place_concat",
    doc: "Makes layers write their result straight into the buffer of the concatenation that reads it.",
    run,
};

fn run(graph: &mut Graph, notes: &mut Notes) {
    each_operand(graph, |concat, operand, shape, decision| match decision {
        Ok(_) => notes.applied(
            concat,
            format!("operand {operand} ({shape}) is written in place"),
        ),
        Err(reason) => notes.refused(
            concat,
            format!("operand {operand} ({shape}) is copied: {reason}"),
        ),
    });
}
