//! What repeats: units that stand one behind the other and do the same.

use super::units::{Context, Detail, Unit};
use cnnc_compiler::id::{Id, NodeId, ValueId};
use cnnc_compiler::outline::Kind;
use std::collections::HashMap;
use std::fmt::Write;
use std::ops::Range;

/// In what the units of a run agree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Same {
    /// In everything but their weights.
    All,
    /// In what is written, but not in the sizes of what comes in.
    Varied,
}

/// Everything closed, and only what is the same in all sizes is one.
pub const EXACT: Detail = Detail {
    depth: 0,
    fold: true,
    loose: false,
};

/// Units that become one box.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// Which.
    pub units: Range<usize>,
    /// In what they agree.
    pub same: Same,
}

/// Cuts the units into runs; most are one unit long.
pub fn runs(context: &Context<'_>, units: &[Unit<'_>], detail: Detail) -> Vec<Run> {
    let forms: Vec<[String; 2]> = match detail.fold {
        true => units.iter().map(|unit| context.forms(unit)).collect(),
        false => Vec::new(),
    };
    let mut runs = Vec::new();
    let mut at = 0;
    while at < units.len() {
        let mut run = Run {
            units: at..at + 1,
            same: Same::All,
        };
        if detail.fold {
            let exact = reach(at, units, |a, b| {
                forms[a][0] == forms[b][0] && context.in_series(units, a, b)
            });
            let loose = match detail.loose {
                true => reach(at, units, |a, b| {
                    forms[a][1] == forms[b][1]
                        && one_loop(&units[a], &units[b])
                        && context.in_series(units, a, b)
                }),
                false => exact,
            };
            run.units.end = exact.max(loose);
            if loose > exact {
                run.same = Same::Varied;
            }
        }
        at = run.units.end;
        runs.push(run);
    }
    runs
}

/// How far neighbours from there on belong together.
fn reach(start: usize, units: &[Unit<'_>], joins: impl Fn(usize, usize) -> bool) -> usize {
    let mut end = start + 1;
    while end < units.len() && joins(end - 1, end) {
        end += 1;
    }
    end
}

/// Whether both are turns of one loop.
fn one_loop(a: &Unit<'_>, b: &Unit<'_>) -> bool {
    match (a.part, b.part) {
        (Some(a), Some(b)) => {
            a.kind == Some(Kind::Turn) && b.kind == Some(Kind::Turn) && a.span == b.span
        }
        _ => false,
    }
}

impl Context<'_> {
    /// Whether one goes on from what the other makes, and from nothing else, and nobody else does.
    fn in_series(&self, units: &[Unit<'_>], first: usize, second: usize) -> bool {
        let (first, second) = (&units[first], &units[second]);
        let inside = |user: &usize| second.nodes.binary_search(user).is_ok();
        first.makes == second.reads
            && first
                .makes
                .iter()
                .all(|&value| !self.is_output(value) && self.users(value).iter().all(inside))
    }

    /// What a unit does, as text, with and without the sizes of its tensors; names and weights are not in it. Stages of different width or
    /// stride differ in both.
    pub fn forms(&self, unit: &Unit<'_>) -> [String; 2] {
        let mut numbers: HashMap<ValueId, String> = HashMap::new();
        let mut exact = String::new();
        let mut loose = String::new();
        for (index, &value) in unit.reads.iter().enumerate() {
            numbers.insert(value, format!("in{index}"));
            let _ = write!(exact, "{};", self.graph.values[value].shape);
        }
        for (index, &id) in unit.nodes.iter().enumerate() {
            let node = &self.graph.nodes[NodeId::new(id)];
            let (keyword, attributes) = node.layer.attributes();
            let operands: Vec<&str> = node.inputs.iter().map(|v| numbers[v].as_str()).collect();
            let operands = operands.join(",");
            let _ = write!(loose, "{keyword}({operands}){attributes:?};");
            let shape = &self.graph.values[node.output].shape;
            let _ = write!(exact, "{keyword}({operands}){attributes:?}{shape};");
            numbers.insert(node.output, index.to_string());
        }
        for value in &unit.makes {
            let _ = write!(exact, "{},", numbers[value]);
            let _ = write!(loose, "{},", numbers[value]);
        }
        [exact, loose]
    }
}
