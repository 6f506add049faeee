//! The steps of `f32_map`: their numbers, and what each makes of one value, transcendental functions rounded from f64.

use super::super::float;
use super::super::support::{max, min};

/// One step of `f32_map`: what happens to the value `v` that began as the element `x`.
///
/// Constants are as exact as a spec writes them, and rounded to f32 when the step is encoded.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Step {
    /// `v + c`
    Add(f64),
    /// `v · c`
    Mul(f64),
    /// `max(v, c)`; NaN stays NaN.
    Max(f64),
    /// `min(v, c)`; NaN stays NaN.
    Min(f64),
    /// `v · x`
    MulX,
    /// `v + x`
    AddX,
    /// `v < 0 ? c·v : v`
    Leaky(f64),
    /// `eᵛ`
    Exp,
    /// `tanh v`
    Tanh,
    /// `1 / (1 + e⁻ᵛ)`
    Sigmoid,
    /// `|v|`
    Abs,
    /// `√v`
    Sqrt,
    /// `1 / v`
    Recip,
    /// `x < 0 ? v : x`
    WhereNegative,
    /// `eᵛ − 1`
    ExpMinusOne,
    /// `ln(1 + eᵛ)`
    Softplus,
    /// `v / (1 + e⁻ᵛ)`
    Silu,
    /// `v · tanh(ln(1 + eᵛ))`
    Mish,
    /// `v · Φ(v)`, `Φ` being the normal distribution.
    Gelu,
    /// `v/2 · (1 + tanh(√(2/π)·(v + 0.044715·v³)))`
    GeluTanh,
    /// `x / v`
    XOver,
    /// `vᶜ` as IEEE 754 has it: NaN for what is negative, unless `c` is whole.
    Pow(f64),
    /// `v²`
    Square,
    /// `v > c ? 1 : 0`
    Above(f64),
    /// `x > 0 ? 1 : v`
    OneAbove,
    /// The derivative of [`Step::Silu`] at `v`.
    SiluSlope,
    /// The derivative of [`Step::Mish`] at `v`.
    MishSlope,
    /// The derivative of [`Step::Gelu`] at `v`.
    GeluSlope,
    /// The derivative of [`Step::GeluTanh`] at `v`.
    GeluTanhSlope,
    /// The derivative of `v · min(max(v + 3, 0), 6) / 6`: what is not constant is `(2·v + 3) / 6`.
    HardSwishSlope,
    /// `ln v`
    Log,
    /// The largest integer that is not above `v`.
    Floor,
    /// The nearest integer, the even one of two.
    Round,
    /// 1 where `v` is positive, −1 where it is negative, else `v`.
    Sign,
    /// `v > c ? v : 0`
    KeepAbove(f64),
    /// `|v| > c ? v : 0`
    KeepBeyond(f64),
    /// `v` less `c` where it is positive, and `c` more where it is negative.
    Toward(f64),
    /// `sin v`
    Sin,
    /// `cos v`
    Cos,
    /// The error function, `2/√π · ∫ e^(−t²) dt` from 0 to `v`.
    Erf,
}

impl Step {
    /// The number of the operation.
    pub fn code(&self) -> i64 {
        match self {
            Step::Add(_) => 0,
            Step::Mul(_) => 1,
            Step::Max(_) => 2,
            Step::Min(_) => 3,
            Step::MulX => 4,
            Step::AddX => 5,
            Step::Leaky(_) => 6,
            Step::Exp => 7,
            Step::Tanh => 8,
            Step::Sigmoid => 9,
            Step::Abs => 10,
            Step::Sqrt => 11,
            Step::Recip => 12,
            Step::WhereNegative => 13,
            Step::ExpMinusOne => 14,
            Step::Softplus => 15,
            Step::Silu => 16,
            Step::Mish => 17,
            Step::Gelu => 18,
            Step::GeluTanh => 19,
            Step::XOver => 20,
            Step::Pow(_) => 21,
            Step::Square => 22,
            Step::Above(_) => 23,
            Step::OneAbove => 24,
            Step::SiluSlope => 25,
            Step::MishSlope => 26,
            Step::GeluSlope => 27,
            Step::GeluTanhSlope => 28,
            Step::HardSwishSlope => 29,
            Step::Log => 30,
            Step::Floor => 31,
            Step::Round => 32,
            Step::Sign => 33,
            Step::KeepAbove(_) => 34,
            Step::KeepBeyond(_) => 35,
            Step::Toward(_) => 36,
            Step::Sin => 37,
            Step::Cos => 38,
            Step::Erf => 39,
        }
    }

    /// The constant of the operation; 0 where it has none.
    pub fn immediate(&self) -> f64 {
        match *self {
            Step::Add(c) | Step::Mul(c) | Step::Max(c) | Step::Min(c) => c,
            Step::Leaky(c) | Step::Pow(c) | Step::Above(c) => c,
            Step::KeepAbove(c) | Step::KeepBeyond(c) | Step::Toward(c) => c,
            _ => 0.0,
        }
    }

    /// The step that two constants encode.
    pub fn decode(op: i64, imm: i64) -> Option<Step> {
        let c = f64::from(float(imm));
        Some(match op {
            0 => Step::Add(c),
            1 => Step::Mul(c),
            2 => Step::Max(c),
            3 => Step::Min(c),
            4 => Step::MulX,
            5 => Step::AddX,
            6 => Step::Leaky(c),
            7 => Step::Exp,
            8 => Step::Tanh,
            9 => Step::Sigmoid,
            10 => Step::Abs,
            11 => Step::Sqrt,
            12 => Step::Recip,
            13 => Step::WhereNegative,
            14 => Step::ExpMinusOne,
            15 => Step::Softplus,
            16 => Step::Silu,
            17 => Step::Mish,
            18 => Step::Gelu,
            19 => Step::GeluTanh,
            20 => Step::XOver,
            21 => Step::Pow(c),
            22 => Step::Square,
            23 => Step::Above(c),
            24 => Step::OneAbove,
            25 => Step::SiluSlope,
            26 => Step::MishSlope,
            27 => Step::GeluSlope,
            28 => Step::GeluTanhSlope,
            29 => Step::HardSwishSlope,
            30 => Step::Log,
            31 => Step::Floor,
            32 => Step::Round,
            33 => Step::Sign,
            34 => Step::KeepAbove(c),
            35 => Step::KeepBeyond(c),
            36 => Step::Toward(c),
            37 => Step::Sin,
            38 => Step::Cos,
            39 => Step::Erf,
            _ => return None,
        })
    }

    /// Whether entries may differ from the twin in the last bits.
    pub fn approximate(&self) -> bool {
        matches!(
            self,
            Step::Exp
                | Step::Tanh
                | Step::Sigmoid
                | Step::ExpMinusOne
                | Step::Softplus
                | Step::Silu
                | Step::Mish
                | Step::Gelu
                | Step::GeluTanh
                | Step::Pow(_)
                | Step::Log
                | Step::Erf
        ) || self.crosses_zero()
    }

    /// Whether entries are as near to the twin as the terms are large that the result is a sum of: it may be much smaller than these.
    pub fn crosses_zero(&self) -> bool {
        matches!(
            self,
            Step::SiluSlope | Step::MishSlope | Step::GeluSlope | Step::GeluTanhSlope
        )
    }

    /// The step on one value, transcendental functions rounded from f64.
    pub fn apply(&self, v: f32, x: f32) -> f32 {
        let wide = f64::from(v);
        match *self {
            Step::Add(c) => v + c as f32,
            Step::Mul(c) => v * c as f32,
            Step::Max(c) => max(c as f32, v),
            Step::Min(c) => min(c as f32, v),
            Step::MulX => v * x,
            Step::AddX => v + x,
            Step::Leaky(c) => {
                if v < 0.0 {
                    v * c as f32
                } else {
                    v
                }
            }
            Step::Exp => wide.exp() as f32,
            Step::Tanh => wide.tanh() as f32,
            Step::Sigmoid => gate(wide) as f32,
            Step::Abs => v.abs(),
            Step::Sqrt => v.sqrt(),
            Step::Recip => 1.0 / v,
            Step::WhereNegative => {
                if x < 0.0 {
                    v
                } else {
                    x
                }
            }
            Step::ExpMinusOne => wide.exp_m1() as f32,
            Step::Softplus => softplus(wide) as f32,
            Step::Silu => (wide / (1.0 + (-wide).exp())) as f32,
            Step::Mish => (wide * softplus(wide).tanh()) as f32,
            Step::Gelu => (wide * normal(wide)) as f32,
            Step::GeluTanh => {
                let u = (8.0 / std::f64::consts::PI).sqrt() * (wide + 0.044715 * wide.powi(3));
                (wide / (1.0 + (-u).exp())) as f32
            }
            Step::XOver => x / v,
            Step::Log => wide.ln() as f32,
            Step::Sin => wide.sin() as f32,
            Step::Cos => wide.cos() as f32,
            Step::Erf => {
                let u = wide * std::f64::consts::SQRT_2;
                if u.abs() < 3.0 {
                    (2.0 * density(u) * odd_series(u)) as f32
                } else {
                    (1.0 - 2.0 * normal(-u.abs())).copysign(u) as f32
                }
            }
            Step::Floor => v.floor(),
            Step::Round => v.round_ties_even(),
            Step::Sign => {
                if v > 0.0 {
                    1.0
                } else if v < 0.0 {
                    -1.0
                } else {
                    v
                }
            }
            Step::KeepAbove(c) => {
                if v > c as f32 {
                    v
                } else {
                    0.0
                }
            }
            Step::KeepBeyond(c) => {
                if v.abs() > c as f32 {
                    v
                } else {
                    0.0
                }
            }
            Step::Toward(c) => {
                if v > 0.0 {
                    v - c as f32
                } else if v < 0.0 {
                    v + c as f32
                } else {
                    v
                }
            }
            Step::Pow(c) => wide.powf(f64::from(c as f32)) as f32,
            Step::Square => v * v,
            Step::Above(c) => f32::from(v > c as f32),
            Step::OneAbove => {
                if x > 0.0 {
                    1.0
                } else {
                    v
                }
            }
            Step::SiluSlope => {
                let v = near(wide);
                (gate(v) * (1.0 + v * gate(-v))) as f32
            }
            Step::MishSlope => {
                let v = near(wide);
                let soft = softplus(v);
                (soft.tanh() + v * soft.cosh().powi(-2) * gate(v)) as f32
            }
            Step::GeluSlope => {
                let v = near(wide);
                (normal(v) + v * density(v)) as f32
            }
            Step::GeluTanhSlope => {
                let v = near(wide);
                let factor = (8.0 / std::f64::consts::PI).sqrt();
                let u = factor * (v + 0.044715 * v.powi(3));
                let slope = factor * (1.0 + 3.0 * 0.044715 * v * v);
                (gate(u) * (1.0 + v * slope * gate(-u))) as f32
            }
            Step::HardSwishSlope => {
                if v < -3.0 {
                    0.0
                } else if v < 3.0 {
                    (v + v + 3.0) * (1.0 / 6.0)
                } else {
                    1.0
                }
            }
        }
    }
}

/// Not so far away that a power is infinite, where derivatives have long become their limits.
fn near(x: f64) -> f64 {
    x.clamp(-200.0, 200.0)
}

/// `1 / (1 + e⁻ˣ)`
fn gate(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// The density of the normal distribution.
fn density(x: f64) -> f64 {
    (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt()
}

/// The normal distribution, as accurate relative to itself where it is small as where it is not.
fn normal(x: f64) -> f64 {
    let t = x.abs();
    if t < 3.0 {
        return 0.5 + density(x) * odd_series(x);
    }
    // Mills' ratio as Laplace's continued fraction.
    let fraction = (1..200).rev().fold(t, |below, n| t + f64::from(n) / below);
    let tail = density(x) / fraction;
    if x < 0.0 { tail } else { 1.0 - tail }
}

/// `x + x³/3 + x⁵/(3·5) + …`: what the normal distribution exceeds one half by, over its density.
fn odd_series(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    for n in 1..100 {
        term *= x * x / f64::from(2 * n + 1);
        sum += term;
    }
    sum
}
