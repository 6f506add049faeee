//! Which layer becomes which operators.

use super::node::Cx;
use super::{layout, norms, regions, sums, windows};

/// Writes a layer, or says why it cannot be written.
pub(super) type Print = fn(&mut Cx<'_, '_>) -> Result<(), String>;

/// Every layer that can be written, by its keyword, and the operators that it becomes.
pub(super) const ROWS: &[(&str, &str, Print)] = &[
    ("conv", "Conv", windows::conv),
    ("convtranspose", "ConvTranspose", windows::convtranspose),
    (
        "local",
        "Slice, Concat, Transpose, MatMul, Add",
        windows::local,
    ),
    ("dense", "Gemm", norms::dense),
    ("maxpool", "MaxPool", windows::maxpool),
    ("lppool", "LpPool", windows::lppool),
    ("avgpool", "AveragePool", windows::avgpool),
    (
        "globalavgpool",
        "GlobalAveragePool, Flatten",
        windows::globalavgpool,
    ),
    (
        "globalmaxpool",
        "GlobalMaxPool, Flatten",
        windows::globalmaxpool,
    ),
    (
        "adaptiveavgpool",
        "GlobalAveragePool; AveragePool; MatMul",
        windows::adaptiveavgpool,
    ),
    ("roipool", "MaxRoiPool", regions::roipool),
    ("roialign", "RoiAlign", regions::roialign),
    ("gram", "MatMul, Div", sums::gram),
    ("bn", "BatchNormalization", norms::bn),
    ("instancenorm", "InstanceNormalization", norms::instancenorm),
    (
        "groupnorm",
        "Reshape, InstanceNormalization, Reshape, Mul, Add",
        norms::groupnorm,
    ),
    (
        "layernorm",
        "Transpose, LayerNormalization, Transpose",
        norms::layernorm,
    ),
    ("lrn", "LRN", norms::lrn),
    ("l2norm", "ReduceL2, Max, Div", norms::l2norm),
    ("softmax", "Softmax", |cx| layout::along(cx, "Softmax")),
    ("hardmax", "Hardmax", |cx| layout::along(cx, "Hardmax")),
    ("logsoftmax", "LogSoftmax", |cx| {
        layout::along(cx, "LogSoftmax")
    }),
    ("relu", "Relu", |cx| sums::plain(cx, "Relu")),
    ("leaky", "LeakyRelu", |cx| {
        sums::with_floats(cx, "LeakyRelu", &[("slope", "alpha")])
    }),
    ("prelu", "PRelu", sums::prelu),
    ("relu6", "Clip", |cx| sums::between(cx, 0.0, 6.0)),
    ("clip", "Clip", sums::clip),
    ("sigmoid", "Sigmoid", |cx| sums::plain(cx, "Sigmoid")),
    ("tanh", "Tanh", |cx| sums::plain(cx, "Tanh")),
    ("silu", "Sigmoid, Mul", sums::silu),
    ("hardswish", "HardSwish", |cx| sums::plain(cx, "HardSwish")),
    ("hardsigmoid", "HardSigmoid", sums::hardsigmoid),
    ("mish", "Softplus, Tanh, Mul", sums::mish),
    ("softplus", "Softplus", |cx| sums::plain(cx, "Softplus")),
    ("softsign", "Softsign", |cx| sums::plain(cx, "Softsign")),
    ("elu", "Elu", |cx| {
        sums::with_floats(cx, "Elu", &[("alpha", "alpha")])
    }),
    ("celu", "Celu", |cx| {
        sums::with_floats(cx, "Celu", &[("alpha", "alpha")])
    }),
    ("selu", "Selu", sums::selu),
    ("gelu", "Div, Erf, Add, Mul, Mul", sums::gelu),
    ("thresholdedrelu", "ThresholdedRelu", |cx| {
        sums::with_floats(cx, "ThresholdedRelu", &[("alpha", "alpha")])
    }),
    ("shrink", "Shrink", sums::shrink),
    ("abs", "Abs", |cx| sums::plain(cx, "Abs")),
    ("exp", "Exp", |cx| sums::plain(cx, "Exp")),
    ("log", "Log", |cx| sums::plain(cx, "Log")),
    ("sin", "Sin", |cx| sums::plain(cx, "Sin")),
    ("cos", "Cos", |cx| sums::plain(cx, "Cos")),
    ("erf", "Erf", |cx| sums::plain(cx, "Erf")),
    ("sqrt", "Sqrt", |cx| sums::plain(cx, "Sqrt")),
    ("floor", "Floor", |cx| sums::plain(cx, "Floor")),
    ("ceil", "Ceil", |cx| sums::plain(cx, "Ceil")),
    ("round", "Round", |cx| sums::plain(cx, "Round")),
    ("sign", "Sign", |cx| sums::plain(cx, "Sign")),
    ("pow", "Pow", sums::pow),
    ("power", "Pow", |cx| sums::pairs(cx, "Pow")),
    ("scale", "Mul, Add", sums::scale),
    ("add", "Add; Sum", sums::add),
    ("sub", "Sub", |cx| sums::pairs(cx, "Sub")),
    ("mul", "Mul", |cx| sums::pairs(cx, "Mul")),
    ("div", "Div", |cx| sums::pairs(cx, "Div")),
    ("max", "Max", |cx| sums::many(cx, "Max")),
    ("min", "Min", |cx| sums::many(cx, "Min")),
    ("absdiff", "Sub, Abs", sums::absdiff),
    ("less", "Less, Cast", |cx| sums::compared(cx, "Less")),
    ("equal", "Equal, Cast", |cx| sums::compared(cx, "Equal")),
    ("where", "Greater, Where", sums::choice),
    ("matmul", "MatMul", sums::matmul),
    ("constant", "Expand", sums::constant),
    ("concat", "Concat", layout::concat),
    ("flatten", "Flatten", layout::flatten),
    ("reshape", "Reshape", layout::reshape),
    ("permute", "Transpose", layout::permute),
    ("pad", "Pad", layout::pad),
    ("padchannels", "Pad", layout::padchannels),
    ("crop", "Slice", layout::crop),
    ("slice", "Slice", layout::slice),
    ("gather", "Gather", layout::gather),
    ("flip", "Slice", layout::flip),
    ("subsample", "Slice", layout::subsample),
    ("tiled", "Tile", layout::tile),
    ("upsample", "Resize", layout::upsample),
    ("resize", "Resize", layout::resize),
    ("space_to_depth", "SpaceToDepth", layout::space_to_depth),
    ("depth_to_space", "DepthToSpace", layout::depth_to_space),
    ("shuffle", "Reshape, Transpose, Reshape", layout::shuffle),
    ("argmax", "ArgMax, Cast", |cx| layout::argmax(cx, "ArgMax")),
    ("argmin", "ArgMin, Cast", |cx| layout::argmax(cx, "ArgMin")),
    ("reduce", "ReduceMean and its like", layout::reduce),
];
