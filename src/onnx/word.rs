//! A layer as it is written.

use super::label::reference;
use super::net::{Conv, Id, Kind, Layer, Net, Op};
use super::text;
use std::collections::HashMap;

/// What is taken where nothing is written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Defaults {
    /// Convolutions are padded by half their kernel.
    pub half: bool,
    /// Convolutions and dense layers have no bias.
    pub no_bias: bool,
}

impl Defaults {
    /// Those that leave most to say nothing of.
    pub fn of(net: &Net, order: &[Id]) -> Defaults {
        let (mut half, mut other, mut bias, mut none) = (0, 0, 0, 0);
        for &id in order {
            let layer = net.values[id].layer.as_ref().expect("a layer");
            if let Op::Conv(conv) = &layer.op {
                match is_half(conv) {
                    true if !conv.transposed && conv.kernel.iter().any(|&n| n > 1) => half += 1,
                    false if !conv.transposed => other += 1,
                    _ => {}
                }
            }
            if matches!(layer.op, Op::Conv(_) | Op::Dense(_)) {
                match layer.params.len() {
                    1 => none += 1,
                    _ => bias += 1,
                }
            }
        }
        Defaults {
            half: half > other + 1,
            no_bias: none > bias,
        }
    }

    /// As they are written.
    pub fn text(self) -> Option<String> {
        let mut all = Vec::new();
        if self.half {
            all.push("conv.pad half");
        }
        if self.no_bias {
            all.push("bias off");
        }
        (!all.is_empty()).then(|| format!("defaults {{ {} }}", all.join("  ")))
    }
}

fn is_half(conv: &Conv) -> bool {
    (0..conv.kernel.len()).all(|axis| {
        let half = (conv.kernel[axis] - 1) * conv.dilation[axis] / 2;
        conv.pads[axis] == [half; 2]
    })
}

/// The keyword of a layer.
pub(super) fn keyword(op: &Op) -> String {
    match op {
        Op::Word(word) | Op::Text(word, _) => (*word).to_owned(),
        Op::Conv(conv) if conv.transposed => "deconv".to_owned(),
        Op::Conv(_) => "conv".to_owned(),
        Op::Dense(_) => "fc".to_owned(),
        Op::Permute(_) => "permute".to_owned(),
        Op::Reshape => "reshape".to_owned(),
        Op::FlattenSpatial => "flatten".to_owned(),
        Op::Scale(..) => "scale".to_owned(),
        Op::Clip(..) => "clip".to_owned(),
        Op::Pad(_) => "pad".to_owned(),
        Op::Affine => "affine".to_owned(),
        Op::Constant => "k".to_owned(),
        Op::Slice(..) => "part".to_owned(),
        Op::Concat(_) => "cat".to_owned(),
        Op::Reduce(..) => "reduce".to_owned(),
    }
}

/// A layer as it is written.
pub(super) fn written(
    net: &Net,
    id: Id,
    labels: &HashMap<Id, String>,
    defaults: Defaults,
) -> String {
    let value = &net.values[id];
    let (dims, layer) = (&value.dims, value.layer.as_ref().expect("a layer"));
    let text = match &layer.op {
        Op::Word(word) => (*word).to_owned(),
        Op::Text(word, args) => joined(word, layer, labels, args),
        Op::Permute(axes) => format!("permute ({})", list(axes)),
        Op::Reshape if dims.len() == 1 => "flatten".to_owned(),
        Op::Reshape => format!("reshape {}", text::extents(dims)),
        Op::FlattenSpatial => "flatten spatial".to_owned(),
        Op::Scale(factor, shift) if *shift == 0.0 => format!("scale {}", text::number(*factor)),
        Op::Scale(factor, shift) => format!(
            "scale {} shift {}",
            text::number(*factor),
            text::number(*shift)
        ),
        Op::Clip(low, high) if *low == 0.0 && *high == 6.0 => "relu6".to_owned(),
        Op::Clip(low, high) => format!("clip {} {}", text::number(*low), text::number(*high)),
        Op::Pad(pads) => format!("pad {}", text::pads(pads)),
        Op::Conv(conv) => convolution(conv, layer, defaults),
        Op::Dense(out) => format!("dense {out}{}", bias(layer, defaults)),
        Op::Affine => "bn eps 0".to_owned(),
        Op::Constant => format!("constant {}{}", text::extents(dims), numbers(layer, 0)),
        Op::Slice(from, to, axis) => match axis {
            0 => format!("slice {from} {to}"),
            axis => format!("slice {from} {to} axis {axis}"),
        },
        Op::Concat(0) => joined("concat", layer, labels, ""),
        Op::Concat(axis) => joined("concat", layer, labels, &format!("axis {axis}")),
        Op::Reduce(kind, axes) => format!("reduce {} ({})", kind_word(*kind), list(axes)),
    };
    match (&layer.op, layer.operands.len()) {
        (Op::Word(word), 2..) => joined(word, layer, labels, ""),
        _ => text,
    }
}

fn joined(word: &str, layer: &Layer, labels: &HashMap<Id, String>, args: &str) -> String {
    let mut text = word.to_owned();
    if layer.operands.len() > 1 {
        let names: Vec<String> = layer
            .operands
            .iter()
            .map(|id| reference(labels.get(id).map_or("", String::as_str)))
            .collect();
        text += &format!("({})", names.join(", "));
    }
    if !args.is_empty() {
        text += " ";
        text += args;
    }
    text
}

fn list(axes: &[usize]) -> String {
    axes.iter()
        .map(usize::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

/// The language's word for a reduction.
fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Mean => "mean",
        Kind::Sum => "sum",
        Kind::Max => "max",
        Kind::Min => "min",
        Kind::L1 => "l1",
        Kind::L2 => "l2",
        Kind::SumSquare => "sumsq",
        Kind::LogSum => "logsum",
        Kind::LogSumExp => "logsumexp",
        Kind::Prod => "prod",
    }
}

fn bias(layer: &Layer, defaults: Defaults) -> &'static str {
    match (layer.params.len() > 1, defaults.no_bias) {
        (true, true) => " bias",
        (false, false) => " bias off",
        _ => "",
    }
}

fn convolution(conv: &Conv, layer: &Layer, defaults: Defaults) -> String {
    let mut text = if conv.transposed {
        "convtranspose "
    } else {
        "conv "
    }
    .to_owned();
    text += &text::extents(&conv.kernel);
    // Marked, since a stride of 1 is left out where it is not a parameter: see `spec`.
    text += &match conv.stride.iter().all(|&n| n == conv.stride[0]) {
        true => format!(" /={}", conv.stride[0]),
        false => format!(" /={}", text::extents(&conv.stride)),
    };
    text += &format!(" {}", conv.out);
    let half = is_half(conv) && conv.kernel.iter().all(|n| n % 2 == 1);
    let none = conv.pads.iter().all(|&pads| pads == [0, 0]);
    if defaults.half && !conv.transposed {
        if !half {
            text += &format!(
                " pad {}",
                if none {
                    "valid".to_owned()
                } else {
                    text::pads(&conv.pads)
                }
            );
        }
    } else if !none {
        text += &format!(
            " pad {}",
            if half && !conv.transposed {
                "half".to_owned()
            } else {
                text::pads(&conv.pads)
            }
        );
    }
    if conv.dilation.iter().any(|&n| n != 1) {
        let same = conv.dilation.iter().all(|&n| n == conv.dilation[0]);
        text += &format!(
            " dilation {}",
            if same {
                conv.dilation[0].to_string()
            } else {
                text::extents(&conv.dilation)
            }
        );
    }
    if conv.groups != 1 {
        text += &format!(" groups {}", conv.groups);
    }
    if conv.output_pad != 0 {
        text += &format!(" output_pad {}", conv.output_pad);
    }
    text + bias(layer, defaults) + &numbers(layer, 2)
}

/// Weights that stand in the spec, as nested lists: without the first axes, where what stands behind these is the same everywhere.
fn numbers(layer: &Layer, repeated: usize) -> String {
    let Some(tensor) = layer.literal() else {
        return String::new();
    };
    let values = tensor.to_floats();
    let inner = &tensor.dims[repeated..];
    let mut parts = values.chunks(inner.iter().product::<usize>().max(1));
    let bits = |part: &[f32]| part.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
    let first = parts.next().unwrap_or_default();
    let (dims, values) = match parts.all(|part| bits(part) == bits(first)) {
        true => (inner, first),
        false => (&tensor.dims[..], &*values),
    };
    format!(" weight {}", text::nested(dims, values))
}
