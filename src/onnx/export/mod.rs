//! A network as an ONNX file: opset 17, IR 8, for every program that runs such files.
//!
//! Each layer is a node of the same name, or a fixed pattern of nodes where ONNX has no operator of that meaning ([`operators`]). Weights are
//! initialisers under their names in weights files, the first axis of all values is the batch and open, and the spec stands in the
//! metadata. Dropout and what else is the identity is left out.

mod layout;
mod node;
mod norms;
mod regions;
mod sums;
mod table;
mod windows;

use super::proto::{
    DimensionProto, GraphProto, ModelProto, OperatorSetIdProto, StringStringEntryProto,
    TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto, data_type,
};
use crate::{Error, Model};
use cnnc_compiler::graph::{Def, Graph};
use cnnc_compiler::id::{Id, ValueId};
use cnnc_compiler::layer::Role;
use cnnc_runtime::weights::{Weights, WeightsError};
use node::{Cx, Writer};
use prost::Message;
use std::collections::HashMap;
use std::fmt;

/// The set of operators that is written.
pub const OPSET: i64 = 17;

/// Most bytes of a file: Protobuf's own limit.
const MOST_BYTES: usize = i32::MAX as usize;

/// Key of the spec's text in the metadata.
pub const SPEC_KEY: &str = "cnnc.spec";

/// Before the name of each file that the spec reads, as a key of the metadata.
pub const FILE_KEY: &str = "cnnc.file/";

/// What a file has beside the network.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    /// The text of the spec.
    pub spec: Option<String>,
    /// What it reads, by the names that it reads it by: imports, names of classes.
    pub files: Vec<(String, String)>,
}

/// A file, and what is to be said of its making.
#[derive(Clone, Debug)]
pub struct Exported {
    /// The file.
    pub bytes: Vec<u8>,
    /// Nodes in it.
    pub nodes: usize,
    /// Tensors of the weights that the network does not read.
    pub unused: Vec<String>,
    /// What was found out about the weights.
    pub notes: Vec<String>,
}

/// Why a network cannot be written.
#[derive(Debug)]
pub enum ExportError {
    /// The weights do not fit it.
    Weights(Error),
    /// A layer that has no form in ONNX.
    Layer {
        /// Its label.
        label: String,
        /// Its keyword.
        keyword: &'static str,
        /// Why not.
        why: String,
    },
    /// More bytes of weights than a file may have.
    TooLarge {
        /// How many.
        bytes: usize,
    },
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExportError::Weights(error) => error.fmt(f),
            ExportError::Layer {
                label,
                keyword,
                why,
            } => {
                write!(
                    f,
                    "`{label}` cannot be written as ONNX, opset {OPSET}: `{keyword}`: {why}"
                )
            }
            ExportError::TooLarge { bytes } => {
                write!(
                    f,
                    "the weights are {bytes} bytes, and an ONNX file has 2 GB at most"
                )
            }
        }
    }
}

impl std::error::Error for ExportError {}

/// The keywords of all layers that are written, with the operators that they become, in order.
pub fn operators() -> impl Iterator<Item = (&'static str, &'static str)> {
    table::ROWS
        .iter()
        .map(|(keyword, operators, _)| (*keyword, *operators))
}

/// Writes a network with its weights.
///
/// # Errors
/// Weights that do not fit, layers without a form in ONNX, and more weights than a file may have.
pub fn export(model: &Model, weights: &Weights, texts: &Texts) -> Result<Exported, ExportError> {
    let graph = model.graph();
    let sources = graph.sources();
    let bytes = sources
        .iter()
        .map(|source| 4 * source.shape.iter().product::<usize>());
    let bytes = bytes.sum();
    // Room for all that is not weights.
    if bytes > MOST_BYTES - (64 << 20) {
        return Err(ExportError::TooLarge { bytes });
    }
    let bound = weights.bind(&sources);
    let bound = bound.map_err(|error| ExportError::Weights(model.unfit(error, weights)))?;
    let unread = |error: WeightsError| ExportError::Weights(Error::Weights(error));
    bound.check_finite().map_err(unread)?;
    let names: HashMap<&str, usize> = sources
        .iter()
        .enumerate()
        .map(|(index, source)| (&*source.name, index))
        .collect();
    let values = |name: &str| -> Result<Vec<f32>, String> {
        let index = names
            .get(name)
            .ok_or_else(|| format!("`{name}` is in no file"))?;
        let values = bound.values(*index).map_err(|error| error.to_string())?;
        Ok(values.into_owned())
    };
    let mut writer = Writer::new(&values);
    let graph_proto = network(graph, &mut writer)?;
    let nodes = graph_proto.node.len();
    let proto = ModelProto {
        ir_version: 8,
        producer_name: "cnnc".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        doc_string: graph.doc.clone(),
        graph: Some(graph_proto),
        opset_import: vec![OperatorSetIdProto {
            domain: String::new(),
            version: OPSET,
        }],
        metadata_props: metadata(texts),
        ..ModelProto::default()
    };
    let bytes = proto.encoded_len();
    if bytes > MOST_BYTES {
        return Err(ExportError::TooLarge { bytes });
    }
    Ok(Exported {
        bytes: proto.encode_to_vec(),
        nodes,
        unused: bound.unused().iter().map(|&name| name.to_owned()).collect(),
        notes: bound.notes().to_vec(),
    })
}

fn metadata(texts: &Texts) -> Vec<StringStringEntryProto> {
    let spec = texts.spec.iter().map(|spec| (SPEC_KEY.to_owned(), spec));
    let files = texts
        .files
        .iter()
        .map(|(name, text)| (format!("{FILE_KEY}{name}"), text));
    spec.chain(files)
        .map(|(key, value)| StringStringEntryProto {
            key,
            value: value.clone(),
        })
        .collect()
}

/// Nodes, initialisers, inputs and outputs.
fn network(graph: &Graph, writer: &mut Writer<'_>) -> Result<GraphProto, ExportError> {
    // What each value is called; those of the identity like their operand.
    let mut names: Vec<Option<String>> = vec![None; graph.values.len()];
    let mut inputs = Vec::new();
    for input in &graph.inputs {
        let name = writer.name(&input.name);
        inputs.push(tensor(&name, graph.values[input.value].shape.dims()));
        names[input.value.index()] = Some(name);
    }
    let origin = |mut value: ValueId| loop {
        match graph.values[value].def {
            Def::Node(id) if graph.nodes[id].layer.role() == Role::Identity => {
                value = graph.nodes[id].inputs[0];
            }
            _ => return value,
        }
    };
    let mut outputs = Vec::new();
    // Outputs that are inputs, or others under another name.
    let mut copies = Vec::new();
    for output in &graph.outputs {
        let name = writer.name(&output.name);
        outputs.push(tensor(&name, graph.values[output.value].shape.dims()));
        let value = origin(output.value);
        match &mut names[value.index()] {
            Some(_) => copies.push((value, name)),
            free => *free = Some(name),
        }
    }
    let rows: HashMap<&str, table::Print> = table::ROWS
        .iter()
        .map(|&(keyword, _, print)| (keyword, print))
        .collect();
    for (_, node) in graph.live() {
        if node.layer.role() == Role::Identity {
            continue;
        }
        let operands = node.inputs.iter().map(|&value| {
            let name = names[origin(value).index()].clone();
            name.unwrap_or_default()
        });
        let operands = operands.collect();
        let name = match &names[node.output.index()] {
            Some(name) => name.clone(),
            None => writer.name(&node.label),
        };
        names[node.output.index()] = Some(name.clone());
        let (keyword, attributes) = node.layer.attributes();
        let mut cx = Cx {
            writer,
            graph,
            node,
            attributes,
            inputs: operands,
            output: name,
        };
        let printed = match rows.get(keyword) {
            Some(print) => print(&mut cx),
            None => Err("no operator has its meaning".to_owned()),
        };
        printed.map_err(|why| ExportError::Layer {
            label: node.label.clone(),
            keyword,
            why,
        })?;
    }
    for (value, name) in copies {
        if let Some(from) = &names[value.index()] {
            writer.node("Identity", &name, &[from], &name, Vec::new());
        }
    }
    Ok(GraphProto {
        node: std::mem::take(&mut writer.nodes),
        name: graph.name.clone(),
        initializer: std::mem::take(&mut writer.constants),
        doc_string: String::new(),
        input: inputs,
        output: outputs,
        ..GraphProto::default()
    })
}

/// A value of f32 with the batch before its extents.
fn tensor(name: &str, dims: &[usize]) -> ValueInfoProto {
    let batch = DimensionProto {
        dim_param: Some("batch".to_owned()),
        ..DimensionProto::default()
    };
    let dims = dims.iter().map(|&extent| DimensionProto {
        dim_value: Some(extent as i64),
        ..DimensionProto::default()
    });
    let shape = TensorShapeProto {
        dim: std::iter::once(batch).chain(dims).collect(),
    };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            tensor_type: Some(TensorTypeProto {
                elem_type: data_type::FLOAT,
                shape: Some(shape),
            }),
        }),
    }
}
