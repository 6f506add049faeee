//! Packing: the weights of a file, laid out as the kernels of one plan read them.
//!
//! Each [`Recipe`] fills one region of a buffer that is zero to begin with. Convolution weights become
//! panels, `block` output channels side by side:
//!
//! ```text
//! file:  o0: k0 k1 k2 …      panel:  k0: o0 o1 … o15
//!        o1: k0 k1 k2 …              k1: o0 o1 … o15
//!        …                           …
//! ```
//! Without batch norm these are plain copies; with it, each value is scaled in f64 and rounded once.
//! Values that are not finite are found on the way, while they are in the cache.

mod panels;
mod winograd;

use crate::memory::{Aligned, collect};
use crate::plan::{Data, Norm, Plan, Recipe};
use crate::weights::{Bound, Problem, Values, WeightsError};
use panels::{Panels, all_finite};
use winograd::Filters;

/// Executes the recipes of `plan`.
///
/// # Errors
/// [`WeightsError::Unfit`] with every tensor that holds NaN, infinities or an impossible variance;
/// [`WeightsError::Memory`] when the packed weights do not fit in memory; [`WeightsError::Io`] and [`WeightsError::Format`] when
/// the file turns out to be damaged, or to have been made shorter, now that it is read.
///
/// # Panics
/// When `bound` was bound to other sources than the plan's, or a recipe reaches outside
/// its data or the packed weights: both are mistakes of the compiler.
pub fn pack(plan: &Plan, bound: &Bound<'_>) -> Result<Aligned, WeightsError> {
    assert_eq!(
        &*plan.sources, bound.sources,
        "weights were bound to another plan"
    );
    let mut packed = Aligned::zeroed(plan.packed)?;
    let mut unsound = Vec::new();
    for recipe in plan.recipes.iter() {
        if !follow(recipe, plan, bound, &mut packed)? {
            unsound.push(recipe);
        }
    }
    bound.refuse(problems(&unsound, bound)?)?;
    Ok(packed)
}

/// Executes one recipe; false if it met or made a value that is not finite.
fn follow(
    recipe: &Recipe,
    plan: &Plan,
    bound: &Bound<'_>,
    packed: &mut [f32],
) -> Result<bool, WeightsError> {
    let values = |data| values(data, plan, bound);
    let unreadable = |fault| WeightsError::new(bound.origin, fault);
    Ok(match *recipe {
        Recipe::Panels {
            dest,
            data,
            base,
            groups,
            outs,
            channel,
            ref reduce,
            block,
            norm,
        } => {
            let panels = Panels::new(base, groups, outs, reduce, block)?;
            let affine = norm.map(|norm| Affine::new(norm, bound)).transpose()?;
            let scale = affine.as_ref().map(|affine| &affine.scale[..]);
            let dest = &mut packed[dest..][..panels.len()];
            let filled = panels.fill(dest, values(data), scale, channel);
            filled.map_err(unreadable)? && affine.is_none_or(|a| a.sound)
        }
        Recipe::Winograd {
            dest,
            data,
            base,
            outs,
            first,
            ins,
            taps,
            block,
            norm,
        } => {
            let filters = Filters {
                base,
                outs,
                ins,
                taps,
                block,
            };
            let affine = norm.map(|norm| Affine::new(norm, bound)).transpose()?;
            let scale = affine.as_ref().map(|affine| &affine.scale[..]);
            let dest = &mut packed[dest..][..filters.len()];
            let filled = filters.fill(dest, values(data), scale, first);
            filled.map_err(unreadable)? && affine.is_none_or(|a| a.sound)
        }
        Recipe::Bias {
            dest,
            data,
            at,
            groups,
            outs,
            channel,
            block,
            norm,
        } => {
            let element = |group: usize, out: usize| at.0 + group * at.1 + out * at.2;
            let last = element(groups.saturating_sub(1), outs.saturating_sub(1));
            let bias = data.map(|data| values(data).to_f32(last + 1));
            let bias = bias.transpose().map_err(unreadable)?;
            let affine = norm.map(|norm| Affine::new(norm, bound)).transpose()?;
            let padded = outs.next_multiple_of(block);
            let dest = &mut packed[dest..][..groups * padded];
            for group in 0..groups {
                for out in 0..outs {
                    let channel = channel.0 + group * channel.1 + out;
                    let bias = bias.as_ref().map_or(0.0, |bias| bias[element(group, out)]);
                    dest[group * padded + out] = affine
                        .as_ref()
                        .map_or(bias, |affine| affine.shift(channel, bias));
                }
            }
            all_finite(dest) && affine.is_none_or(|a| a.sound)
        }
        Recipe::ScaleShift {
            dest,
            channels,
            padded,
            norm,
        } => {
            let affine = Affine::new(norm, bound)?;
            let (scale, shift) = packed[dest..][..2 * padded].split_at_mut(padded);
            for channel in 0..channels {
                scale[channel] = affine.scale[channel] as f32;
                shift[channel] = affine.shift(channel, 0.0);
            }
            affine.sound && all_finite(scale) && all_finite(shift)
        }
        Recipe::Shares {
            dest,
            data,
            operands,
            channels,
            each,
            padded,
            fusion,
        } => {
            let dest = &mut packed[dest..][..operands * padded];
            let own = if each { channels } else { 1 };
            let factors = values(data).to_f32(operands * own).map_err(unreadable)?;
            let mut shares = vec![0.0; operands];
            for channel in 0..own {
                for (operand, share) in shares.iter_mut().enumerate() {
                    *share = f64::from(factors[operand * own + channel]);
                }
                fusion.shares(&mut shares);
                for (operand, &share) in shares.iter().enumerate() {
                    let row = &mut dest[operand * padded..][..channels];
                    let lanes = if each {
                        &mut row[channel..=channel]
                    } else {
                        row
                    };
                    lanes.fill(share as f32);
                }
            }
            all_finite(dest) && all_finite(&factors)
        }
        Recipe::Vector {
            dest,
            data,
            count,
            padded,
        } => {
            let dest = &mut packed[dest..][..padded][..count];
            let values = values(data);
            if values.len() == 1 {
                dest.fill(values.to_f32(1).map_err(unreadable)?[0]);
            } else {
                values.read(0, dest).map_err(unreadable)?;
            }
            all_finite(dest)
        }
    })
}

fn values<'a>(data: Data, plan: &'a Plan, bound: &Bound<'a>) -> Values<'a> {
    match data {
        Data::Source(source) => bound.tensors[source as usize],
        Data::Literal(literal) => Values::Literal(&plan.literals[literal as usize]),
    }
}

/// A batch norm in f64.
struct Affine {
    scale: Vec<f64>,
    mean: Vec<f64>,
    beta: Vec<f64>,
    /// Whether every variance has a square root that can be divided by.
    sound: bool,
}

impl Affine {
    fn new(norm: Norm, bound: &Bound<'_>) -> Result<Affine, WeightsError> {
        let vector = |source: u32| -> Result<Vec<f64>, WeightsError> {
            let values = bound.values(source as usize)?;
            Ok(collect(values.iter().map(|&value| f64::from(value)))?)
        };
        let var = vector(norm.var)?;
        let or = |source: Option<u32>, value| match source {
            Some(source) => vector(source),
            None => Ok(collect(var.iter().map(|_| value))?),
        };
        let (gamma, beta) = (or(norm.gamma, 1.0)?, or(norm.beta, 0.0)?);
        let scale = gamma
            .iter()
            .zip(&var)
            .map(|(gamma, var)| gamma / (var + norm.eps).sqrt());
        Ok(Affine {
            scale: collect(scale)?,
            mean: vector(norm.mean)?,
            beta,
            sound: var.iter().all(|&var| is_variance(var, norm.eps)),
        })
    }

    fn shift(&self, channel: usize, bias: f32) -> f32 {
        let centred = f64::from(bias) - self.mean[channel];
        (self.beta[channel] + centred * self.scale[channel]) as f32
    }
}

fn is_variance(var: f64, eps: f64) -> bool {
    var.is_finite() && var + eps > 0.0
}

/// Why these recipes gave values that are not finite: sources that hold such values, else
/// impossible variances, else values too large to be folded. None of these is possible where
/// everything is written in the spec.
fn problems(recipes: &[&Recipe], bound: &Bound<'_>) -> Result<Vec<Problem>, WeightsError> {
    let name = |source: u32| bound.sources[source as usize].name.clone().into_owned();
    let mut sources: Vec<u32> = recipes
        .iter()
        .flat_map(|recipe| sources_of(recipe))
        .collect();
    sources.sort_unstable();
    sources.dedup();
    let mut problems: Vec<Problem> = Vec::new();
    for source in sources {
        problems.extend(bound.not_finite(source as usize)?);
    }
    for norm in recipes.iter().filter_map(|recipe| norm_of(recipe)) {
        let var = bound.values(norm.var as usize)?;
        let wrong = |&var: &f32| var.is_finite() && !is_variance(f64::from(var), norm.eps);
        if let Some(index) = var.iter().position(wrong) {
            let problem = Problem::Variance {
                name: name(norm.var),
                index,
                value: var[index],
            };
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
    }
    if problems.is_empty() {
        let folded = recipes
            .iter()
            .filter_map(|recipe| sources_of(recipe).first().copied());
        problems.extend(folded.map(|source| Problem::Overflow { name: name(source) }));
    }
    Ok(problems)
}

fn norm_of(recipe: &Recipe) -> Option<Norm> {
    match recipe {
        Recipe::Panels { norm, .. } | Recipe::Winograd { norm, .. } | Recipe::Bias { norm, .. } => {
            *norm
        }
        Recipe::ScaleShift { norm, .. } => Some(*norm),
        Recipe::Shares { .. } | Recipe::Vector { .. } => None,
    }
}

/// The sources that a recipe reads, its data first.
fn sources_of(recipe: &Recipe) -> Vec<u32> {
    let data = match recipe {
        Recipe::Panels { data, .. }
        | Recipe::Winograd { data, .. }
        | Recipe::Shares { data, .. }
        | Recipe::Vector { data, .. } => Some(*data),
        Recipe::Bias { data, .. } => *data,
        Recipe::ScaleShift { .. } => None,
    };
    let data = data.and_then(|data| match data {
        Data::Source(source) => Some(source),
        Data::Literal(_) => None,
    });
    let norm = norm_of(recipe)
        .map(|norm| [norm.gamma, norm.beta, Some(norm.mean), Some(norm.var)])
        .unwrap_or_default();
    data.into_iter().chain(norm.into_iter().flatten()).collect()
}
