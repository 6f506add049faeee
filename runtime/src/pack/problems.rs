//! Why packing met or made values that are not finite.

use crate::kernel::pack::variance;
use crate::plan::{Base, Pack};
use crate::weights::{Bound, Problem, WeightsError};

/// Why these calls did: sources that hold such values, else
/// impossible variances, else values too large to be folded. None of these is possible where
/// everything is written in the spec.
pub(super) fn of(unsound: &[&Pack], bound: &Bound<'_>) -> Result<Vec<Problem>, WeightsError> {
    let name = |source: u32| bound.sources[source as usize].name.clone().into_owned();
    let mut read: Vec<u32> = unsound.iter().flat_map(|pack| sources(pack)).collect();
    read.sort_unstable();
    read.dedup();
    let mut problems: Vec<Problem> = Vec::new();
    for source in read {
        problems.extend(bound.not_finite(source as usize)?);
    }
    for (source, eps) in unsound.iter().filter_map(|pack| variance_of(pack)) {
        let var = bound.values(source as usize)?;
        let wrong = |&var: &f32| var.is_finite() && f64::from(var) + eps <= 0.0;
        if let Some(index) = var.iter().position(wrong) {
            add(
                &mut problems,
                Problem::Variance {
                    name: name(source),
                    index,
                    value: var[index],
                },
            );
        }
    }
    if problems.is_empty() {
        for source in unsound.iter().filter_map(|pack| sources(pack).next()) {
            add(&mut problems, Problem::Overflow { name: name(source) });
        }
    }
    Ok(problems)
}

fn add(problems: &mut Vec<Problem>, problem: Problem) {
    if !problems.contains(&problem) {
        problems.push(problem);
    }
}

/// The variance that a call folds in, and what is added to it.
fn variance_of(pack: &Pack) -> Option<(u32, f64)> {
    let (arg, eps) = variance(pack.kernel.row().signature, &pack.consts)?;
    match pack.args[arg].as_ref()?.base {
        Base::Source(source) => Some((source, eps)),
        _ => None,
    }
}

/// The tensors of the file that a call reads, its data first.
fn sources(pack: &Pack) -> impl Iterator<Item = u32> {
    let pointers = pack.args.iter().flatten();
    pointers.filter_map(|pointer| match pointer.base {
        Base::Source(source) => Some(source),
        _ => None,
    })
}
