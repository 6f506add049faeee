//! The table of kernels, and a name for each row's id.

use super::{
    Kernel, KernelId, accumulate, along, bilinear, centred, channel_sums, channels, choose,
    contrastive, conv, copy, cross, cross_entropy, depthwise, deviation, fill, group_norm, lrn,
    map, max_input, moments, norm, outer, pack, pool, power, reduce, roi, roi_input, scatter, sum,
    sum_pair, update, winograd_gradient, winograd_outputs, winograd_tiles, winograd_weights, zip,
};
use crate::isa::Isa;

/// The kernels in order: first those with a constant for their id, then the convolution tiles.
macro_rules! kernels {
    (
        fixed { $($(#[$doc:meta])* $id:ident = $row:expr;)* }
        narrow { $(($mr:literal, $nr:literal))* }
        wide { $(($wide_mr:literal, $wide_nr:literal))* }
        long { $(($long_mr:literal, $long_nr:literal))* }
    ) => {
        /// Every kernel.
        pub static KERNELS: &[Kernel] = &[
            $($row,)*
            $(conv::row::<$mr, $nr>(
                concat!("f32_conv_", $mr, "x", $nr, "v"),
                conv::narrow::<$mr, $nr>,
                conv::twin::<$mr, $nr, false>,
            ),)*
            $(conv::row::<$wide_mr, $wide_nr>(
                concat!("f32_conv_", $wide_mr, "x", $wide_nr, "v"),
                conv::wide::<$wide_mr, $wide_nr>,
                conv::twin::<$wide_mr, $wide_nr, false>,
            ),)*
            $(conv::row::<$long_mr, $long_nr>(
                concat!("f32_longconv_", $long_mr, "x", $long_nr, "v"),
                conv::long::<$long_mr, $long_nr>,
                conv::twin::<$long_mr, $long_nr, true>,
            ),)*
        ];

        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Index { $($id,)* FirstTile }

        $($(#[$doc])* pub const $id: KernelId = KernelId(Index::$id as u16);)*

        /// Tiles of 32 registers of 16 lanes; the narrow ones come first.
        static TILES: &[(u8, u8)] = &[$(($mr, $nr),)* $(($wide_mr, $wide_nr),)*];

        /// Tiles of the long kernel, on every ISA.
        static LONG_TILES: &[(u8, u8)] = &[$(($long_mr, $long_nr),)*];

        /// How many of [`TILES`] fit 16 registers of 8 lanes.
        const NARROW: usize = [$(($mr, $nr)),*].len();
    };
}

kernels! {
    fixed {
        /// `f32_depthwise`
        F32_DEPTHWISE = depthwise::ROW;
        /// `f32_pool_max`
        F32_POOL_MAX = pool::MAX;
        /// `f32_pool_avg`
        F32_POOL_AVG = pool::AVG;
        /// `f32_map`
        F32_MAP = map::ROW;
        /// `f32_zip`
        F32_ZIP = zip::ROW;
        /// `f32_scale_shift`
        F32_SCALE_SHIFT = channels::SCALE_SHIFT;
        /// `f32_prelu`
        F32_PRELU = channels::PRELU;
        /// `f32_softmax`
        F32_SOFTMAX = norm::SOFTMAX;
        /// `f32_l2norm`
        F32_L2NORM = norm::L2NORM;
        /// `f32_lrn`
        F32_LRN = lrn::ROW;
        /// `f32_copy`
        F32_COPY = copy::ROW;
        /// `f32_input`
        F32_INPUT = copy::INPUT;
        /// `f32_fill`
        F32_FILL = fill::ROW;
        /// `f32_bilinear`
        F32_BILINEAR = bilinear::ROW;
        /// `f32_cross`
        F32_CROSS = cross::ROW;
        /// `f32_winograd_input`
        F32_WINOGRAD_INPUT = winograd_tiles::INPUT;
        /// `f32_winograd_output`
        F32_WINOGRAD_OUTPUT = winograd_outputs::OUTPUT;
        /// `f32_winograd_outgrad`
        F32_WINOGRAD_OUTGRAD = winograd_tiles::OUTGRAD;
        /// `f32_winograd_filtergrad`
        F32_WINOGRAD_FILTERGRAD = winograd_gradient::FILTERGRAD;
        /// `f32_winograd_weights`
        F32_WINOGRAD_WEIGHTS = winograd_weights::ROW;
        /// `f32_group_norm`
        F32_GROUP_NORM = group_norm::ROW;
        /// `f32_roi_pool`
        F32_ROI_POOL = roi::POOL;
        /// `f32_roi_align`
        F32_ROI_ALIGN = roi::ALIGN;
        /// `f32_pack_panels`
        F32_PACK_PANELS = pack::PANELS;
        /// `f32_pack_winograd`
        F32_PACK_WINOGRAD = pack::WINOGRAD;
        /// `f32_pack_bias`
        F32_PACK_BIAS = pack::BIAS;
        /// `f32_pack_scale`
        F32_PACK_SCALE = pack::SCALE;
        /// `f32_pack_shares`
        F32_PACK_SHARES = pack::SHARES;
        /// `f32_outer`
        F32_OUTER = outer::ROW;
        /// `f32_scatter`
        F32_SCATTER = scatter::ROW;
        /// `f32_sum`
        F32_SUM = sum::ROW;
        /// `f32_sum_pair`
        F32_SUM_PAIR = sum_pair::ROW;
        /// `f32_moments`
        F32_MOMENTS = moments::ROW;
        /// `f32_moments_together`
        F32_MOMENTS_TOGETHER = moments::TOGETHER;
        /// `f32_accumulate`
        F32_ACCUMULATE = accumulate::ROW;
        /// `f32_centred`
        F32_CENTRED = centred::ROW;
        /// `f32_centred_factors`
        F32_CENTRED_FACTORS = centred::FACTORS;
        /// `f32_max_input`
        F32_MAX_INPUT = max_input::ROW;
        /// `f32_group_sum`
        F32_GROUP_SUM = channel_sums::GROUP;
        /// `f32_near_sum`
        F32_NEAR_SUM = channel_sums::NEAR;
        /// `f32_roi_pool_input`
        F32_ROI_POOL_INPUT = roi_input::POOL;
        /// `f32_roi_align_input`
        F32_ROI_ALIGN_INPUT = roi_input::ALIGN;
        /// `f32_cross_entropy`
        F32_CROSS_ENTROPY = cross_entropy::ROW;
        /// `f32_contrastive`
        F32_CONTRASTIVE = contrastive::ROW;
        /// `f32_deviation`
        F32_DEVIATION = deviation::ROW;
        /// `f32_update`
        F32_UPDATE = update::ROW;
        /// `f32_along`
        F32_ALONG = along::ROW;
        /// `f32_reduce`
        F32_REDUCE = reduce::ROW;
        /// `f32_choose`
        F32_CHOOSE = choose::ROW;
        /// `f32_power`
        F32_POWER = power::ROW;
    }
    narrow {
        (1, 1) (2, 1) (3, 1) (4, 1) (5, 1) (6, 1) (7, 1) (8, 1)
        (1, 2) (2, 2) (3, 2) (4, 2) (5, 2) (6, 2)
        (1, 3) (2, 3) (3, 3) (4, 3)
        (1, 4) (2, 4)
        (1, 8)
    }
    wide {
        (9, 1) (10, 1) (11, 1) (12, 1) (13, 1) (14, 1)
        (7, 2) (8, 2) (9, 2) (10, 2) (11, 2) (12, 2) (13, 2) (14, 2)
        (5, 3) (6, 3) (7, 3) (8, 3)
        (3, 4) (4, 4) (5, 4) (6, 4)
    }
    long {
        (1, 1) (1, 2) (1, 3) (1, 4)
        (4, 1) (4, 2)
    }
}

/// Convolution tiles `(pixels, vectors)` that an ISA has.
pub fn conv_tiles(isa: Isa) -> &'static [(u8, u8)] {
    if isa.registers() >= 32 {
        TILES
    } else {
        &TILES[..NARROW]
    }
}

/// The convolution kernel of `mr` pixels by `nr` vectors.
///
/// # Panics
/// When no ISA has this tile, see [`conv_tiles`].
pub fn conv_kernel(mr: u8, nr: u8) -> KernelId {
    let tile = TILES.iter().position(|&tile| tile == (mr, nr));
    KernelId(Index::FirstTile as u16 + tile.expect("a tile of `conv_tiles`") as u16)
}

/// Tiles `(pixels, vectors)` of the convolution for sums of very many terms.
pub fn long_conv_tiles() -> &'static [(u8, u8)] {
    LONG_TILES
}

/// The kernel for sums of very many terms, of `mr` pixels by `nr` vectors.
///
/// # Panics
/// When there is no such tile, see [`long_conv_tiles`].
pub fn long_conv_kernel(mr: u8, nr: u8) -> KernelId {
    let tile = LONG_TILES.iter().position(|&tile| tile == (mr, nr));
    let tile = tile.expect("a tile of `long_conv_tiles`");
    KernelId((Index::FirstTile as usize + TILES.len() + tile) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_name_their_rows() {
        assert_eq!(F32_DEPTHWISE.row().name, "f32_depthwise");
        assert_eq!(F32_BILINEAR.row().name, "f32_bilinear");
        for &(mr, nr) in TILES {
            assert_eq!(
                conv_kernel(mr, nr).row().name,
                format!("f32_conv_{mr}x{nr}v")
            );
        }
        for &(mr, nr) in LONG_TILES {
            assert_eq!(
                long_conv_kernel(mr, nr).row().name,
                format!("f32_longconv_{mr}x{nr}v")
            );
        }
        for (index, kernel) in KERNELS.iter().enumerate() {
            assert_eq!(
                KernelId::find(kernel.name),
                Some(KernelId(index as u16)),
                "{}",
                kernel.name
            );
        }
    }
}
