//! Weights of layers as the bytes of a safetensors file, which begins with what it was made of.

use super::error::OnnxError;
use super::net::{Id, Net};
use super::tensor::{Data, Tensor};
use crate::Model;

/// Key of the model's name in the metadata of weights that an import wrote.
const IMPORTED_KEY: &str = "cnnc.imported";

/// The weights, under the names that the compiled spec has for them, as a safetensors file.
///
/// `name` is the model's, of letters and digits: the header begins with it, so that such a file is known again.
pub(super) fn weights(
    net: &Net,
    order: &[Id],
    model: &Model,
    name: &str,
) -> Result<Vec<u8>, OnnxError> {
    let graph = model.graph();
    let named = graph.order.iter().map(|&id| &graph.nodes[id]);
    let named = named.map(|node| {
        node.params
            .iter()
            .map(|&id| &graph.params[id])
            .filter(|param| param.literal.is_none())
            .collect::<Vec<_>>()
    });
    let mut named = named.filter(|params| !params.is_empty());
    let mut header = format!("{{\"__metadata__\":{{\"{IMPORTED_KEY}\":\"{name}\"}}");
    let mut tensors: Vec<&Tensor> = Vec::new();
    let mut at = 0usize;
    let mut written = std::collections::HashSet::new();
    let mismatch =
        || OnnxError::Beyond("weights do not fit the layers that were written for them".to_owned());
    for &id in order {
        let layer = net.values[id].layer.as_ref().expect("a layer");
        if layer.learned().is_empty() {
            continue;
        }
        let params = named.next().ok_or_else(mismatch)?;
        for param in &params {
            let (_, tensor) = layer
                .learned()
                .iter()
                .find(|(role, _)| *role == param.role)
                .ok_or_else(mismatch)?;
            if param.elements() != tensor.len() {
                return Err(mismatch());
            }
            // Those of a shared network are written once.
            if !written.insert(&param.name) {
                continue;
            }
            let dims: Vec<String> = param.shape.iter().map(usize::to_string).collect();
            let end = at + tensor.len() * 4;
            header += &format!(
                ",\"{}\":{{\"dtype\":\"F32\",\"shape\":[{}],\"data_offsets\":[{at},{end}]}}",
                param.name,
                dims.join(",")
            );
            at = end;
            tensors.push(tensor);
        }
    }
    if named.next().is_some() {
        return Err(mismatch());
    }
    header.push('}');
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    let mut bytes = Vec::with_capacity(8 + header.len() + at);
    bytes.extend((header.len() as u64).to_le_bytes());
    bytes.extend(header.as_bytes());
    for tensor in tensors {
        match &tensor.data {
            Data::Raw(raw) => bytes.extend_from_slice(raw),
            _ => bytes.extend(
                tensor
                    .to_floats()
                    .iter()
                    .flat_map(|value| value.to_le_bytes()),
            ),
        }
    }
    Ok(bytes)
}
