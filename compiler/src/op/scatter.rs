//! What the taps of a convolution meet, from products of its outputs.

use super::conv::Taps;
use crate::loops::Affine;
use crate::lower::{Lower, Storage};
use cnnc_runtime::kernel::{ScatterAxis, ScatterCall};

/// Adds products of each output with all weights to what its taps meet: those of a tap behind those of the one before, row by row.
pub(super) fn add_to_taps(
    cx: &mut Lower<'_>,
    taps: &Taps,
    outputs: &Storage,
    products: &Storage,
    elements: &Storage,
) {
    let ins = elements.channels;
    cx.call(ScatterCall {
        axes: std::array::from_fn(|axis| ScatterAxis {
            elements: elements.dhw[axis],
            stride: elements.strides[axis],
            outputs: outputs.dhw[axis],
            step: taps.stride[axis],
            x: products.strides[axis],
            taps: if axis == 2 { 1 } else { taps.kernel[axis] },
            dilation: taps.dilation[axis],
        }),
        channels: ins,
        run: taps.kernel[2] * ins,
        out: elements.access(Affine::default()),
        x: products.access(Affine::default()),
    });
}
