//! Aliasing and races: whether two accesses can meet in one element.

use super::linear::{self, Term, TooHard};
use super::reach::{Calls, Item, Loop, Reach, Shape};
use super::{Fault, Violation, at};
use crate::loops::{Program, VarId};

/// Most iterations of a parallel loop that are looked at one by one.
const ITERATIONS: i64 = 1 << 14;

pub(super) fn check(program: &Program, shape: &Shape) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (index, call) in shape.calls.iter().enumerate() {
        if let Err(fault) = alone(shape, call) {
            violations.push(shape.violation(program, index, fault));
        }
    }
    for item in &shape.items {
        if let Item::Loop(inner) = item
            && inner.parallel
        {
            races(program, shape, inner, &mut violations);
        }
    }
    violations
}

/// A call by itself: its output repeats no element and meets no input.
fn alone(shape: &Shape, call: &Calls) -> Result<(), Fault> {
    let Some((out, inputs)) = call.reaches.split_first() else {
        return Ok(());
    };
    if !out.writes() {
        return Ok(());
    }
    if linear::repeats(&out.dims).map_err(|TooHard| Fault::Effort)? {
        return Err(Fault::Twice);
    }
    for input in inputs {
        let allowed = call.kernel.signature.in_place(input.arg) && same(out, input);
        if apart(out, input) || allowed {
            continue;
        }
        // Within one iteration: each variable has one value, common to both.
        let mut terms = footprints(out, input);
        for &(var, coefficient) in &out.terms {
            let stride = coefficient - input.coefficient(var);
            terms.push(Term::index(shape.trips[at(var)], stride));
        }
        for &(var, coefficient) in &input.terms {
            if out.coefficient(var) == 0 {
                terms.push(Term::index(shape.trips[at(var)], -coefficient));
            }
        }
        if meets(out, input, &terms).map_err(|TooHard| Fault::Effort)? {
            return Err(Fault::Alias(call.kernel.signature.args[input.arg].name));
        }
    }
    Ok(())
}

/// Whether two accesses of one space are the same elements in the same order, in every iteration.
fn same(a: &Reach, b: &Reach) -> bool {
    fn order(reach: &Reach) -> impl Iterator<Item = &(i64, i64)> {
        reach.dims.iter().filter(|&&(count, _)| count != 1)
    }
    a.origin + a.start == b.origin + b.start
        && a.terms.len() == b.terms.len()
        && a.terms
            .iter()
            .all(|&(var, coefficient)| b.coefficient(var) == coefficient)
        && order(a).eq(order(b))
}

/// Whether all of one lies before all of the other.
fn apart(a: &Reach, b: &Reach) -> bool {
    a.space != b.space || a.range.1 < b.range.0 || b.range.1 < a.range.0
}

/// The indices of both footprints, as addresses of `a` minus addresses of `b`.
fn footprints(a: &Reach, b: &Reach) -> Vec<Term> {
    let mut terms = Vec::with_capacity(a.dims.len() + b.dims.len() + 8);
    terms.extend(
        a.dims
            .iter()
            .map(|&(count, stride)| Term::index(count, stride)),
    );
    terms.extend(
        b.dims
            .iter()
            .map(|&(count, stride)| Term::index(count, -stride)),
    );
    terms
}

/// Whether `terms` make the address of `a` equal to that of `b`.
fn meets(a: &Reach, b: &Reach, terms: &[Term]) -> Result<bool, TooHard> {
    linear::solvable((b.origin + b.start) - (a.origin + a.start), terms)
}

/// Two iterations of a parallel loop: what one writes, the other does not touch.
fn races(program: &Program, shape: &Shape, inner: &Loop, violations: &mut Vec<Violation>) {
    let calls = || {
        inner.calls.clone().flat_map(|call| {
            let reaches = shape.calls[call].reaches.iter();
            reaches.map(move |reach| (call, reach))
        })
    };
    for (call, write) in calls().filter(|(_, reach)| reach.writes()) {
        for (with, other) in calls() {
            // Of two writes one order is enough: both signs of the distance are looked at.
            if apart(write, other) || (other.writes() && with < call) {
                continue;
            }
            let fault = match across(shape, inner.var, write, other) {
                Ok(false) => continue,
                Ok(true) => Fault::Race {
                    var: inner.var,
                    with,
                    arg: shape.calls[with].kernel.signature.args[other.arg].name,
                },
                Err(TooHard) => Fault::Effort,
            };
            violations.push(shape.violation(program, call, fault));
        }
    }
}

/// Whether `a` of one iteration of `var` and `b` of another meet.
fn across(shape: &Shape, var: VarId, a: &Reach, b: &Reach) -> Result<bool, TooHard> {
    let trip = shape.trips[at(var)];
    let mut terms = footprints(a, b);
    // Other loops run inside: their variables are independent of one another.
    for &(other, coefficient) in a.terms.iter().filter(|(other, _)| *other != var) {
        terms.push(Term::index(shape.trips[at(other)], coefficient));
    }
    for &(other, coefficient) in b.terms.iter().filter(|(other, _)| *other != var) {
        terms.push(Term::index(shape.trips[at(other)], -coefficient));
    }
    let (in_a, in_b) = (a.coefficient(var), b.coefficient(var));
    if in_a == in_b {
        // Only the distance of the iterations matters.
        return Ok(distance(a, b, &terms, (1, trip - 1), in_a)?
            || distance(a, b, &terms, (1 - trip, -1), in_a)?);
    }
    if trip > ITERATIONS {
        return Err(TooHard);
    }
    for first in 0..trip {
        terms.push(Term {
            lo: first,
            hi: first,
            stride: in_a,
        });
        for (lo, hi) in [(0, first - 1), (first + 1, trip - 1)] {
            if distance(a, b, &terms, (lo, hi), -in_b)? {
                return Ok(true);
            }
        }
        terms.pop();
    }
    Ok(false)
}

fn distance(
    a: &Reach,
    b: &Reach,
    terms: &[Term],
    (lo, hi): (i64, i64),
    stride: i64,
) -> Result<bool, TooHard> {
    let mut terms = terms.to_vec();
    terms.push(Term { lo, hi, stride });
    meets(a, b, &terms)
}
