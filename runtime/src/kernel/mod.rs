//! Micro-kernels: the only code that touches tensor elements.
//!
//! A kernel is one file and one row of [`KERNELS`]: its declared arguments and constants, from which the struct of its calls
//! comes too ([`KernelCall`]), its *footprint* (which elements it touches, as a function of the constants), one entry
//! per ISA and a naive twin. The compiler never trusts a kernel further than its footprint: the verifier of Loops proves
//! that every footprint lies inside its buffer.
//!
//! Names follow `f32_OP[_MRxNRv]`, where a convolution tile is `MR` pixels by `NR` vectors; an entry
//! is that name with the ISA appended (`f32_conv_6x2v_avx2`).
//!
//! All sizes, strides and offsets are in elements (f32). Floats among the constants are
//! their bits, see [`float`] and [`bits`].

// Kernels index several arrays of registers by the same pixel and vector.
#![allow(clippy::needless_range_loop)]

mod accumulate;
mod along;
mod bilinear;
mod centred;
mod channel_sums;
mod channels;
mod choose;
mod contrastive;
mod conv;
mod copy;
mod cross;
mod cross_entropy;
mod declare;
mod depthwise;
mod deviation;
mod fill;
mod group_norm;
mod lrn;
pub mod map;
mod max_input;
mod moments;
mod norm;
mod outer;
pub(crate) mod pack;
mod pool;
mod power;
mod reduce;
mod roi;
mod roi_input;
mod scatter;
mod sum;
mod sum_pair;
mod support;
mod table;
mod transpose;
mod update;
mod window;
pub mod winograd;
mod winograd_gradient;
mod winograd_outputs;
mod winograd_tiles;
mod winograd_weights;
mod zip;

pub use crate::simd::KernelFn;
pub(crate) use crate::simd::without_denormal;
pub use accumulate::AccumulateCall;
pub use along::{AlongCall, AlongTerm};
pub use bilinear::BilinearCall;
pub use centred::{CentredCall, CentredFactorsCall};
pub use channel_sums::{GroupSumCall, NearSumCall};
pub use channels::{PReluCall, ScaleShiftCall};
pub use choose::ChooseCall;
pub use contrastive::ContrastiveCall;
pub use conv::ConvCall;
pub use copy::{CopyCall, Move};
pub use cross::CrossCall;
pub use cross_entropy::CrossEntropyCall;
pub use declare::{Arg, Axis, Const, Elem, KernelCall, Pixels, Pixelwise, Signature, Type, Use};
pub use depthwise::DepthwiseCall;
pub use deviation::{Deviation, DeviationCall};
pub use fill::FillCall;
pub use group_norm::{GroupNormCall, Walk};
pub use lrn::LrnCall;
pub use map::{MapCall, Step};
pub use max_input::{MaxInputCall, PoolAxis};
pub use moments::{MomentsCall, MomentsTogetherCall, Statistic};
pub use norm::{L2NormCall, SoftmaxCall};
pub use outer::{OuterCall, Pace};
pub use pack::{
    FoldedNorm, Fusion, PackBiasCall, PackPanelsCall, PackScaleCall, PackSharesCall,
    PackWinogradCall,
};
pub use pool::{AvgPoolCall, MaxPoolCall};
pub use power::PowerCall;
pub use reduce::{ReduceCall, Reduction};
pub use roi::{RoiAlignCall, RoiGrid, RoiPoolCall};
pub use roi_input::{RoiAlignInputCall, RoiPoolInputCall};
pub use scatter::{ScatterAxis, ScatterCall};
pub use sum::{SumCall, Term};
pub use sum_pair::SumPairCall;
pub use table::*;
pub use update::{Rule, UpdateCall};
pub use winograd::Products;
pub use winograd_gradient::WinogradFiltergradCall;
pub use winograd_outputs::WinogradOutputCall;
pub use winograd_tiles::{Tiles, WinogradTilesCall};
pub use winograd_weights::WinogradWeightsCall;
pub use zip::{ZipCall, ZipOp};

use crate::isa::Isa;

/// Most pointer arguments that a kernel takes: the output first, then the inputs.
pub const MAX_ARGS: usize = 6;

/// A kernel's meaning, in plain indexed loops over one flat memory.
///
/// `at[i]` is the index in `memory` that argument `i` points to. `isa` decides only the number of
/// lanes in a panel of packed weights and whether multiply-adds are fused. Panics when an index is
/// out of bounds: that is a bug which the verifier should have caught.
pub type Twin = fn(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], isa: Isa);

/// Elements touched relative to an argument's pointer: `offset + Σ iᵈ·strideᵈ` for all `0 ≤ iᵈ < countᵈ`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// Offset of the first element.
    pub offset: i64,
    /// `(count, stride)` of each dimension, in any order. A count of zero touches nothing.
    pub dims: Vec<(i64, i64)>,
}

impl Footprint {
    /// A footprint that starts at the pointer itself.
    pub fn new(dims: impl Into<Vec<(i64, i64)>>) -> Footprint {
        Footprint {
            offset: 0,
            dims: dims.into(),
        }
    }
}

/// One micro-kernel.
pub struct Kernel {
    /// `f32_OP[_MRxNRv]`.
    pub name: &'static str,
    /// What its calls are made of.
    pub signature: &'static Signature,
    /// Whether every entry gives the twin's bits. Otherwise the last bits may differ, by as much as the kernel's
    /// documentation says (`f32_map` is exact where no step is [`Step::approximate`]).
    pub exact: bool,
    /// One footprint per argument (the output is written, the others are read); `None` where
    /// the constants say that the argument is unused. A negative count says that the
    /// kernel cannot work with these constants.
    pub footprint: fn(isa: Isa, consts: &[i64]) -> Vec<Option<Footprint>>,
    /// The machine code for an ISA, `None` where the kernel does not exist for it
    /// (a tile with too many registers, an ISA of another architecture).
    pub entry: fn(Isa) -> Option<KernelFn>,
    /// The naive twin.
    pub twin: Twin,
}

/// Index of a kernel in [`KERNELS`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct KernelId(pub u16);

impl KernelId {
    /// The kernel's row.
    pub fn row(self) -> &'static Kernel {
        &KERNELS[usize::from(self.0)]
    }

    /// The kernel of that name.
    pub fn find(name: &str) -> Option<KernelId> {
        KERNELS
            .iter()
            .position(|kernel| kernel.name == name)
            .map(|index| KernelId(index as u16))
    }
}

/// A float as a constant: the one place where what a layer declares is rounded to f32. As while a network runs, a
/// [denormal](crate::denormals) is zero.
pub const fn bits(value: f64) -> i64 {
    without_denormal(value as f32).to_bits() as i64
}

/// The float of 64 bits that a constant holds.
pub const fn double(constant: i64) -> f64 {
    f64::from_bits(constant as u64)
}

/// The float that a constant holds.
pub const fn float(constant: i64) -> f32 {
    f32::from_bits(constant as u32)
}
