//! Packing by its definition, one element at a time.

use super::recipe::Norm;
use super::{Case, Recipe};
use cnnc_runtime::kernel::Fusion;
use cnnc_runtime::plan::Base;

/// What the doc comments of `Recipe` say, one element at a time.
pub fn naive(case: &Case, values: &[Vec<f32>]) -> Vec<f32> {
    let Case { plan, recipes } = case;
    let element = |data: &Base, index: usize| -> f64 {
        match data {
            Base::Packed => unreachable!("nothing reads what is packed"),
            Base::Source(source) => values[*source as usize][index].into(),
            Base::Literal(literal) => {
                let literal = &plan.literals[*literal as usize];
                literal[index % literal.len()].into()
            }
        }
    };
    let scale = |norm: &Norm, channel: usize| -> f64 {
        let gamma = norm
            .gamma
            .map_or(1.0, |gamma| values[gamma as usize][channel].into());
        gamma / (f64::from(values[norm.var as usize][channel]) + norm.eps).sqrt()
    };
    let shift = |norm: &Norm, channel: usize, bias: f64| -> f64 {
        let beta = norm
            .beta
            .map_or(0.0, |beta| values[beta as usize][channel].into());
        beta + (bias - f64::from(values[norm.mean as usize][channel])) * scale(norm, channel)
    };
    let mut out = vec![0.0; plan.packed];
    for recipe in recipes {
        match recipe {
            Recipe::Panels {
                dest,
                data,
                base,
                groups,
                outs,
                channel,
                reduce,
                block,
                norm,
            } => {
                let mut next = *dest;
                let reductions: usize = reduce.iter().map(|(count, _)| count).product();
                for g in 0..groups.0 {
                    for b in 0..outs.0.div_ceil(*block) {
                        for k in 0..reductions {
                            for lane in 0..*block {
                                let o = b * block + lane;
                                if o < outs.0 {
                                    let mut at = base + g as i64 * groups.1 + o as i64 * outs.1;
                                    let mut rest = k;
                                    for &(count, stride) in reduce.iter().rev() {
                                        at += (rest % count) as i64 * stride;
                                        rest /= count;
                                    }
                                    let factor = norm.map_or(1.0, |norm| {
                                        scale(&norm, channel.0 + g * channel.1 + o)
                                    });
                                    out[next] = (element(data, at as usize) * factor) as f32;
                                }
                                next += 1;
                            }
                        }
                    }
                }
            }
            Recipe::Winograd {
                form,
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
                for o in 0..outs.0 {
                    for i in 0..ins.0 {
                        let at = base + o as i64 * outs.1 + i as i64 * ins.1;
                        let tap = |y: usize, x: usize| {
                            element(
                                data,
                                (at + y as i64 * taps[0] + x as i64 * taps[1]) as usize,
                            )
                        };
                        let factor = norm.map_or(1.0, |norm| scale(&norm, first + o));
                        let taps = form.taps();
                        for xi in 0..36 {
                            let [rows, columns] = [xi / 6, xi % 6].map(|i| winograd_row(i, taps));
                            let products = (0..taps * taps).map(|k| {
                                let (y, x) = (k / taps, k % taps);
                                rows[y] * columns[x] * tap(y, x)
                            });
                            let panel = o / block * 36 * ins.0 * block;
                            let at = dest + panel + (xi * ins.0 + i) * block + o % block;
                            out[at] = (products.sum::<f64>() * factor) as f32;
                        }
                    }
                }
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
                let padded = outs.div_ceil(*block) * block;
                for g in 0..*groups {
                    for o in 0..*outs {
                        let channel = channel.0 + g * channel.1 + o;
                        let bias = data
                            .as_ref()
                            .map_or(0.0, |data| element(data, at.0 + g * at.1 + o * at.2));
                        let value = norm.map_or(bias, |norm| shift(&norm, channel, bias));
                        out[dest + g * padded + o] = value as f32;
                    }
                }
            }
            Recipe::ScaleShift {
                dest,
                channels,
                padded,
                norm,
            } => {
                for channel in 0..*channels {
                    out[dest + channel] = scale(norm, channel) as f32;
                    out[dest + padded + channel] = shift(norm, channel, 0.0) as f32;
                }
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
                for channel in 0..*channels {
                    let factor = |operand: usize| match each {
                        true => element(data, operand * channels + channel),
                        false => element(data, operand),
                    };
                    let all: Vec<f64> = (0..*operands).map(factor).collect();
                    let most = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    let (parts, whole): (Vec<f64>, f64) = match *fusion {
                        Fusion::Unbounded => (all, 1.0),
                        Fusion::Fast(eps) => {
                            let parts: Vec<f64> = all.iter().map(|w| w.max(0.0)).collect();
                            let whole = eps + parts.iter().sum::<f64>();
                            (parts, whole)
                        }
                        Fusion::Exponential(eps) => {
                            let parts: Vec<f64> = all.iter().map(|w| (w - most).exp()).collect();
                            let whole = eps + parts.iter().sum::<f64>();
                            (parts, whole)
                        }
                    };
                    for (operand, part) in parts.iter().enumerate() {
                        out[dest + operand * padded + channel] = (part / whole) as f32;
                    }
                }
            }
            Recipe::Vector {
                dest,
                data,
                count,
                stride,
                ..
            } => {
                for i in 0..*count {
                    out[dest + i] = element(data, i * *stride as usize) as f32;
                }
            }
        }
    }
    out
}

/// A row of Cook's and Toom's `G`: the powers of point `i`, by what the other points' polynomial is there.
fn winograd_row(i: usize, taps: usize) -> Vec<f64> {
    const POINTS: [f64; 5] = [0.0, 0.75, -0.75, 1.5, -1.5];
    let Some(point) = POINTS.get(i) else {
        return (1..=taps).map(|tap| f64::from(tap == taps)).collect();
    };
    let others = POINTS.iter().filter(|other| *other != point);
    let divisor: f64 = others.map(|other| point - other).product();
    let powers = (0..taps as i32).map(|power| point.powi(power));
    powers.map(|power| power / divisor).collect()
}
