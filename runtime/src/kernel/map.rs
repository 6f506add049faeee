//! Pointwise chains: the steps that `f32_map` applies to every element.

/// One step of a pointwise chain; `v` is the running value and `x` the original element.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Step {
    /// `v + c`
    Add(f32),
    /// `v · c`
    Mul(f32),
    /// `max(v, c)`
    Max(f32),
    /// `min(v, c)`
    Min(f32),
    /// `v · x`
    MulX,
    /// `v + x`
    AddX,
    /// `v` if positive, else `c · v`
    Leaky(f32),
    /// `e^v`
    Exp,
    /// `tanh v`
    Tanh,
    /// `1 / (1 + e^-v)`
    Sigmoid,
    /// `|v|`
    Abs,
    /// `√v`
    Sqrt,
    /// `1 / v`
    Recip,
    /// `ln v`
    Log,
}
