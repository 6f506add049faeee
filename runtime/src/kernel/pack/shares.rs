//! `f32_pack_shares`: the shares of the operands of a sum, made of learned factors.

use crate::isa::Isa;
use crate::kernel::declare::declare;
use crate::kernel::support::{View, invalid, vector};
use crate::kernel::{Footprint, Kernel, MAX_ARGS};
use std::hash::{Hash, Hasher};

/// What the factors `w` of the operands of a sum become; each holds the `eps` that is added to a sum which is divided by.
#[derive(Clone, Copy, Debug)]
pub enum Fusion {
    /// As they are.
    Unbounded,
    /// `max(w, 0) / (eps + Σ max(w, 0))`
    Fast(f64),
    /// `e / (eps + Σ e)`, `e` being `exp(w − max w)`.
    Exponential(f64),
}

impl Fusion {
    /// Every kind, with any `eps`.
    pub const ALL: [Fusion; 3] = [
        Fusion::Unbounded,
        Fusion::Fast(1.0),
        Fusion::Exponential(1.0),
    ];

    /// The kind, and the bits of `eps`.
    pub(in crate::kernel) fn key(self) -> (i64, u64) {
        match self {
            Fusion::Unbounded => (0, 0),
            Fusion::Fast(eps) => (1, eps.to_bits()),
            Fusion::Exponential(eps) => (2, eps.to_bits()),
        }
    }

    fn eps(self) -> f64 {
        f64::from_bits(self.key().1)
    }

    fn of(code: isize, eps: f64) -> Fusion {
        match code {
            0 => Fusion::Unbounded,
            1 => Fusion::Fast(eps),
            _ => Fusion::Exponential(eps),
        }
    }

    /// What the factors of all operands become.
    fn shares(self, factors: &mut [f64]) {
        let most = factors.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let eps = match self {
            Fusion::Unbounded => return,
            Fusion::Fast(eps) => {
                factors.iter_mut().for_each(|w| *w = w.max(0.0));
                eps
            }
            Fusion::Exponential(eps) => {
                factors.iter_mut().for_each(|w| *w = (*w - most).exp());
                eps
            }
        };
        let whole = eps + factors.iter().sum::<f64>();
        factors.iter_mut().for_each(|w| *w /= whole);
    }
}

impl PartialEq for Fusion {
    fn eq(&self, other: &Fusion) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Fusion {}

impl Hash for Fusion {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

declare! {
    /// The shares of each operand: a call of `f32_pack_shares`. For each operand a vector of the channels, padded with zeros; behind the
    /// last, a vector of zeros.
    pub struct PackSharesCall: Shares {
        /// The vectors.
        out: P,
        /// Of (operands, channels), or of (operands) if all channels have the same.
        factors: P,
        /// Operands.
        operands: usize,
        /// Channels.
        channels: usize,
        /// Whether each channel has factors of its own.
        each: bool,
        /// Channels including padding.
        padded: usize,
        /// What the factors become.
        fusion: Fusion,
    }
    kernel(_c) = crate::kernel::F32_PACK_SHARES;
    args(c) { out: Write = c.out, factors: Read = c.factors }
    consts(c) {
        operands: Count = c.operands, channels: Count = c.channels, each: Flag = c.each, padded: Count = c.padded,
        fusion: Code of Fusion = c.fusion, eps: Double = c.fusion.eps(),
    }
}

pub(in crate::kernel) const SHARES: Kernel = Kernel {
    name: "f32_pack_shares",
    signature: Shares::SIGNATURE,
    exact: true,
    footprint,
    entry: |_| Some(entry),
    twin,
};

/// Any ISA's: vectors are short. A kernel has no memory of its own, so each factor is read as often as it is needed.
unsafe extern "C" fn entry(
    out: *mut f32,
    factors: *const f32,
    _: *const f32,
    _: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        let c = Shares::read(consts);
        let fusion = Fusion::of(c.fusion, c.eps);
        let own = if c.each != 0 { c.channels } else { 1 };
        for channel in 0..own {
            let factor = |operand: isize| f64::from(*factors.offset(operand * own + channel));
            let mut most = f64::NEG_INFINITY;
            for operand in 0..c.operands {
                most = most.max(factor(operand));
            }
            let part = |operand: isize| match fusion {
                Fusion::Unbounded => factor(operand),
                Fusion::Fast(_) => factor(operand).max(0.0),
                Fusion::Exponential(_) => (factor(operand) - most).exp(),
            };
            let mut sum = 0.0;
            for operand in 0..c.operands {
                sum += part(operand);
            }
            let whole = match fusion {
                Fusion::Unbounded => 1.0,
                Fusion::Fast(eps) | Fusion::Exponential(eps) => eps + sum,
            };
            for operand in 0..c.operands {
                let share = (part(operand) / whole) as f32;
                let row = out.offset(operand * c.padded);
                if c.each != 0 {
                    *row.offset(channel) = share;
                } else {
                    for lane in 0..c.channels {
                        *row.offset(lane) = share;
                    }
                }
            }
        }
        for operand in 0..c.operands {
            for lane in c.channels..c.padded {
                *out.offset(operand * c.padded + lane) = 0.0;
            }
        }
        for lane in 0..c.padded {
            *out.offset(c.operands * c.padded + lane) = 0.0;
        }
    }
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Shares::new(consts);
    if c.channels > c.padded || !(0..=2).contains(&c.fusion) {
        return invalid();
    }
    let own = if c.each != 0 { c.channels } else { 1 };
    vec![
        vector((c.operands + 1).saturating_mul(c.padded)),
        vector(c.operands.saturating_mul(own)),
    ]
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = Shares::new(consts);
    let fusion = Fusion::of(c.fusion, c.eps);
    let mut view = View::new(memory, at);
    for i in 0..(c.operands + 1) * c.padded {
        view.set(i, 0.0);
    }
    for channel in 0..c.channels {
        let factor = |operand: isize| match c.each {
            0 => f64::from(view.get(1, operand)),
            _ => f64::from(view.get(1, operand * c.channels + channel)),
        };
        let mut shares: Vec<f64> = (0..c.operands).map(factor).collect();
        fusion.shares(&mut shares);
        for (operand, share) in shares.into_iter().enumerate() {
            view.set(operand as isize * c.padded + channel, share as f32);
        }
    }
}
