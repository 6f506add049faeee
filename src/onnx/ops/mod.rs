//! What becomes of each operator.

mod binary;
mod concat;
mod constant;
mod conv;
mod extents;
mod l2norm;
mod normal;
mod norms;
mod pads;
mod pairs;
mod parts;
mod permute;
mod pointwise;
mod pools;
mod products;
mod reduce;
mod resize;
mod scatter;
mod truth;
mod window;

use super::ctx::{Call, Ctx, Item};
use super::error::Why;

/// A row of the table of operators.
pub(super) struct Row {
    /// Names of operators.
    pub names: &'static [&'static str],
    /// First operator set whose form is read.
    pub since: i64,
    /// What it becomes.
    pub layer: &'static str,
    /// What is not imported.
    pub limits: &'static str,
    /// Adds its layers.
    pub run: fn(&mut Ctx, &Call<'_>) -> Result<Vec<Item>, Why>,
}

/// Every operator that becomes layers.
pub(super) static TABLE: &[Row] = &[
    Row {
        names: &["Conv"],
        since: 1,
        layer: "`conv`; `dense` on a vector",
        limits: "weights are constant",
        run: conv::conv,
    },
    Row {
        names: &["ConvTranspose"],
        since: 1,
        layer: "`convtranspose`",
        limits: "weights are constant; `output_padding` of one number, less than the stride",
        run: conv::convtranspose,
    },
    Row {
        names: &["MaxPool"],
        since: 1,
        layer: "`maxpool`",
        limits: "without places of elements",
        run: pools::pool,
    },
    Row {
        names: &["AveragePool"],
        since: 1,
        layer: "`avgpool`",
        limits: "",
        run: pools::pool,
    },
    Row {
        names: &["LpPool"],
        since: 1,
        layer: "`lppool`",
        limits: "",
        run: pools::pool,
    },
    Row {
        names: &["GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"],
        since: 1,
        layer: "`globalavgpool`, `globalmaxpool`",
        limits: "",
        run: pools::global_pool,
    },
    Row {
        names: &["RoiAlign", "MaxRoiPool"],
        since: 1,
        layer: "`roialign`, `roipool`",
        limits: "one picture; at least one sample along each axis",
        run: pools::regions,
    },
    Row {
        names: &[
            "Relu",
            "Sigmoid",
            "Tanh",
            "Softplus",
            "Softsign",
            "Abs",
            "Exp",
            "Sqrt",
            "HardSwish",
            "Mish",
            "Gelu",
            "Swish",
            "LeakyRelu",
            "Elu",
            "Celu",
            "Selu",
            "HardSigmoid",
            "Clip",
            "Neg",
            "Reciprocal",
        ],
        since: 1,
        layer: "the layer of that name; `scale`, `pow`",
        limits: "bounds are constant",
        run: pointwise::unary,
    },
    Row {
        names: &[
            "Log",
            "Floor",
            "Ceil",
            "Round",
            "Sign",
            "ThresholdedRelu",
            "Shrink",
            "Sin",
            "Cos",
            "Erf",
        ],
        since: 1,
        layer: "the layer of that name; `gelu`",
        limits: "",
        run: pointwise::named,
    },
    Row {
        names: &["Identity", "Dropout"],
        since: 1,
        layer: "nothing",
        limits: "not in training mode",
        run: pointwise::passed,
    },
    Row {
        names: &["Cast"],
        since: 1,
        layer: "nothing; to whole numbers and truth values `sign`, `abs`, `floor`, `mul`",
        limits: "whole numbers only as outputs, or for their shape",
        run: pointwise::passed,
    },
    Row {
        names: &["PRelu"],
        since: 1,
        layer: "`prelu`",
        limits: "slopes are constant",
        run: pointwise::prelu,
    },
    Row {
        names: &["BatchNormalization"],
        since: 1,
        layer: "`bn`",
        limits: "not in training mode",
        run: pointwise::batch_norm,
    },
    Row {
        names: &["LRN"],
        since: 1,
        layer: "`lrn`",
        limits: "",
        run: pointwise::lrn,
    },
    Row {
        names: &["Add", "Sub", "Mul", "Div", "Max", "Min", "Sum", "Mean"],
        since: 1,
        layer: "`add`, …; `scale`, `clip`, `bn` or a bias with a constant",
        limits: "four axes besides the batch",
        run: binary::binary,
    },
    Row {
        names: &["Pow"],
        since: 1,
        layer: "`pow`, `sqrt`, `exp`, `power`",
        limits: "",
        run: binary::binary,
    },
    Row {
        names: &[
            "Less",
            "Greater",
            "LessOrEqual",
            "GreaterOrEqual",
            "Equal",
            "And",
            "Or",
            "Xor",
            "Not",
        ],
        since: 1,
        layer: "`less`, `equal`; `max`, `mul`, `scale`, … of truth values, which are 1 and 0",
        limits: "four axes besides the batch",
        run: truth::truth,
    },
    Row {
        names: &["Where"],
        since: 9,
        layer: "`where`",
        limits: "four axes besides the batch",
        run: truth::choice,
    },
    Row {
        names: &["Reshape", "Flatten", "Squeeze", "Unsqueeze"],
        since: 1,
        layer: "`reshape`, `flatten`, or nothing",
        limits: "images of a batch stay apart",
        run: extents::extents,
    },
    Row {
        names: &["Transpose"],
        since: 1,
        layer: "`permute`, `shuffle`, `depth_to_space`, `space_to_depth`, or nothing",
        limits: "",
        run: permute::transpose,
    },
    Row {
        names: &["DepthToSpace", "SpaceToDepth"],
        since: 1,
        layer: "`depth_to_space`, `space_to_depth`",
        limits: "",
        run: permute::blocks,
    },
    Row {
        names: &["Concat"],
        since: 4,
        layer: "`concat`",
        limits: "",
        run: concat::concat,
    },
    Row {
        names: &["Split"],
        since: 2,
        layer: "`slice`",
        limits: "",
        run: parts::split,
    },
    Row {
        names: &["Slice"],
        since: 1,
        layer: "`slice`, `subsample`, `flip`",
        limits: "constant ranges",
        run: parts::slice,
    },
    Row {
        names: &["Gather"],
        since: 1,
        layer: "`slice`, `gather`",
        limits: "constant places",
        run: parts::gather,
    },
    Row {
        names: &["ScatterND"],
        since: 11,
        layer: "`slice` and `concat`",
        limits: "constant places that are one region",
        run: scatter::scatter,
    },
    Row {
        names: &["Pad"],
        since: 1,
        layer: "`pad`, or the padding of the layer behind it",
        limits: "",
        run: pads::pad,
    },
    Row {
        names: &["Expand", "Tile"],
        since: 6,
        layer: "`tiled`",
        limits: "",
        run: extents::repeat,
    },
    Row {
        names: &["Resize", "Upsample"],
        since: 7,
        layer: "`upsample`, `resize`",
        limits: "regions are constant",
        run: resize::resize,
    },
    Row {
        names: &[
            "ReduceMean",
            "ReduceSum",
            "ReduceMax",
            "ReduceMin",
            "ReduceProd",
            "ReduceL1",
            "ReduceL2",
            "ReduceSumSquare",
            "ReduceLogSum",
            "ReduceLogSumExp",
        ],
        since: 1,
        layer: "`reduce`, `globalavgpool`, `globalmaxpool`; `l2norm`",
        limits: "not over the batch",
        run: reduce::reduce,
    },
    Row {
        names: &["Softmax", "LogSoftmax", "Hardmax"],
        since: 1,
        layer: "`softmax`, `logsoftmax`, `hardmax`",
        limits: "not over the batch",
        run: norms::softmax,
    },
    Row {
        names: &["LpNormalization"],
        since: 1,
        layer: "`l2norm`",
        limits: "`p` 2",
        run: norms::lp_norm,
    },
    Row {
        names: &[
            "InstanceNormalization",
            "GroupNormalization",
            "MeanVarianceNormalization",
        ],
        since: 6,
        layer: "`instancenorm`; `groupnorm`, with numbers for groups (18) or for channels (21)",
        limits: "",
        run: norms::map_norm,
    },
    Row {
        names: &["LayerNormalization"],
        since: 17,
        layer: "`layernorm`",
        limits: "",
        run: norms::layer_norm,
    },
    Row {
        names: &["MatMul"],
        since: 1,
        layer: "`dense`, `conv 1x1`, `matmul`",
        limits: "",
        run: products::matmul,
    },
    Row {
        names: &["Gemm"],
        since: 1,
        layer: "`dense`",
        limits: "weights are constant",
        run: products::gemm,
    },
];

/// Operators that are computed when the network is read, where their operands are constant.
pub(super) const FOLDED: &[&str] = &[
    "Constant",
    "ConstantOfShape",
    "Shape",
    "Size",
    "Range",
    "Mod",
    "BitShift",
    "BitwiseAnd",
    "BitwiseOr",
    "BitwiseXor",
    "BitwiseNot",
    "CastLike",
];

/// Operators that are younger than the set that their row begins with, each with its first set.
pub(super) const YOUNGER: &[(&str, i64)] = &[
    ("BitShift", 11),
    ("BitwiseAnd", 18),
    ("BitwiseNot", 18),
    ("BitwiseOr", 18),
    ("BitwiseXor", 18),
    ("CastLike", 15),
    ("Celu", 12),
    ("ConstantOfShape", 9),
    ("Cos", 7),
    ("Erf", 9),
    ("Expand", 8),
    ("Gelu", 20),
    ("GreaterOrEqual", 12),
    ("GroupNormalization", 18),
    ("HardSwish", 14),
    ("LessOrEqual", 12),
    ("MeanVarianceNormalization", 9),
    ("Mish", 18),
    ("Mod", 10),
    ("Range", 11),
    ("Resize", 10),
    ("RoiAlign", 10),
    ("Round", 11),
    ("Shrink", 9),
    ("Sign", 9),
    ("Sin", 7),
    ("Swish", 24),
    ("ThresholdedRelu", 10),
];

/// The row of an operator.
pub(super) fn find(op: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.names.contains(&op))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn younger_operators_are_younger_than_their_rows() {
        for (name, first) in YOUNGER {
            let since = match FOLDED.contains(name) {
                true => 1,
                false => {
                    find(name)
                        .unwrap_or_else(|| panic!("{name} has no row"))
                        .since
                }
            };
            assert!(*first > since, "{name}");
        }
    }
}
