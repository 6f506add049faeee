//! The table of what is not supported: a row for each operator, with what would help.

use super::error::{OnnxError, Unsupported, show};
use super::proto::NodeProto;
use std::collections::HashMap;

/// What was refused so far.
#[derive(Default)]
pub(super) struct Refusals {
    rows: Vec<Unsupported>,
    /// Where an operator stands among the rows.
    places: HashMap<String, usize>,
}

impl Refusals {
    /// Counts one more of an operator.
    pub fn add(&mut self, operator: &str, first: &str, remedy: &str) {
        let operator = show(operator);
        match self.places.get(&operator) {
            Some(&at) => self.rows[at].count += 1,
            None => {
                self.places.insert(operator.clone(), self.rows.len());
                self.rows.push(Unsupported {
                    operator,
                    count: 1,
                    first: show(first),
                    remedy: show_long(remedy),
                });
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table, if there is anything in it.
    pub fn checked(self) -> Result<(), OnnxError> {
        match self.rows.is_empty() {
            true => Ok(()),
            false => Err(OnnxError::Unsupported(self.rows)),
        }
    }
}

/// What a node is called: by its name, or by what it makes.
pub(super) fn path(node: &NodeProto) -> String {
    match node.name.is_empty() {
        false => node.name.clone(),
        true => node.output.first().cloned().unwrap_or_default(),
    }
}

/// What is wrong with a node.
pub(super) fn wrong(node: &NodeProto, why: &str) -> OnnxError {
    OnnxError::Invalid(format!("{}: {why}", title(node)))
}

/// A node, for a message.
pub(super) fn title(node: &NodeProto) -> String {
    format!("{} `{}`", show(&node.op_type), show(&path(node)))
}

/// A reason, made fit to be printed: no control characters, not too long.
pub(super) fn show_long(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .take(300)
        .collect()
}

/// What would help with an operator that is not supported.
pub(super) fn remedy(set: &str, op: &str) -> &'static str {
    match (set, op) {
        ("com.microsoft" | "com.microsoft.nchwc" | "com.ms.internal.nhwc", _) => {
            "an operator of ONNX Runtime's optimiser: import the original file instead of the optimised one"
        }
        ("ai.onnx.ml", _) => "an operator of classical machine learning: cut the network before it",
        ("ai.onnx.preview.training" | "ai.onnx.training", _) => {
            "training is `cnnc train`'s: export the network itself"
        }
        (set, _) if !set.is_empty() => {
            "an operator of its own set: export the network without it, or cut it before"
        }
        (_, "LSTM" | "GRU" | "RNN") => "the language has no recurrent layers",
        (
            _,
            "QuantizeLinear"
            | "DequantizeLinear"
            | "DynamicQuantizeLinear"
            | "QLinearConv"
            | "QLinearMatMul"
            | "ConvInteger"
            | "MatMulInteger",
        ) => "a quantised network: export it in f32",
        (_, "NonMaxSuppression") => "cut the network before it: `head` does it",
        (_, "TopK" | "Unique" | "NonZero" | "Compress") => {
            "what it makes depends on the picture: cut the network before it"
        }
        (_, "If" | "Loop" | "Scan") => {
            "control flow that depends on the picture: export by tracing, not by scripting"
        }
        (_, op)
            if op.starts_with("Sequence")
                || op.ends_with("FromSequence")
                || op.starts_with("Optional") =>
        {
            "lists of tensors: export by tracing, not by scripting"
        }
        (_, op) if op.starts_with("String") || op == "RegexFullMatch" => {
            "texts are no tensors of a network"
        }
        (
            _,
            "Affine" | "Crop" | "ImageScaler" | "ParametricSoftplus" | "ScaledTanh" | "ATen"
            | "GRUUnit" | "GivenTensorFill" | "Scale",
        ) => "an experimental operator that ONNX dropped: export again with a newer exporter",
        (_, "GridSample" | "AffineGrid" | "DeformConv") => {
            "places that are computed: the language has no layer for it"
        }
        (_, "ArgMax" | "ArgMin") => {
            "cut the network before it: `head classify` and `head segment` do it"
        }
        _ => "no layer does this: cut the network before it, or export it in other terms",
    }
}
