//! Networks as ONNX files. What ONNX Runtime makes of them: `tests/onnx/check_export.py`.

#![cfg(feature = "onnx")]

use cnnc::onnx::proto::ModelProto;
use cnnc::onnx::{ExportError, OPSET, SPEC_KEY, Texts, export, forms};
use cnnc::{Model, Weights};
use cnnc_compiler::layer::LAYERS;
use prost::Message as _;
use std::collections::{BTreeMap, BTreeSet};

/// Layers that are left out.
const NOTHING: &[&str] = &["dropout"];

/// Samples that have no form at this opset.
const REFUSED: &[&str] = &[
    "antialias",
    "avgpool 3x2 /2 pad 1 dilation",
    "avgpool 3 /1 pad half dilation",
    "lppool 2x2x3 /1 dilation",
    "half_pixel_symmetric",
    "exclude_outside",
    "scales",
];

fn written(model: &Model, texts: &Texts) -> Result<ModelProto, ExportError> {
    let exported = export(model, &Weights::synthetic(), texts)?;
    Ok(ModelProto::decode(&exported.bytes[..]).unwrap())
}

/// Holds a file against the rules for graphs: every name is made once, and before it is read.
fn check(proto: &ModelProto) {
    assert_eq!(
        (proto.ir_version, proto.opset_import[0].version),
        (8, OPSET)
    );
    let graph = proto.graph.as_ref().unwrap();
    let mut made: BTreeSet<&str> = BTreeSet::new();
    let inputs = graph.input.iter().map(|input| input.name.as_str());
    let constants = graph.initializer.iter().map(|tensor| tensor.name.as_str());
    for name in inputs.chain(constants) {
        assert!(made.insert(name), "{name} twice");
    }
    for tensor in &graph.initializer {
        let elements: i64 = tensor.dims.iter().product();
        let size = if tensor.data_type == 7 { 8 } else { 4 };
        assert_eq!(
            tensor.raw_data.len() as i64,
            elements * size,
            "{}",
            tensor.name
        );
    }
    for node in &graph.node {
        for name in node.input.iter().filter(|name| !name.is_empty()) {
            assert!(
                made.contains(name.as_str()),
                "{}: {name} is not made",
                node.name
            );
        }
        for name in &node.output {
            assert!(made.insert(name), "{name} twice");
        }
    }
    for output in &graph.output {
        assert!(made.contains(output.name.as_str()), "{}", output.name);
        let shape = output
            .r#type
            .as_ref()
            .and_then(|ty| ty.tensor_type.as_ref());
        let shape = shape.and_then(|tensor| tensor.shape.as_ref()).unwrap();
        assert_eq!(shape.dim[0].dim_param.as_deref(), Some("batch"));
    }
}

#[test]
fn every_layer_has_a_form() {
    let rows: BTreeSet<&str> = forms().map(|(keyword, _)| keyword).collect();
    assert_eq!(rows.len(), forms().count(), "a row twice");
    for decl in LAYERS {
        let nothing = NOTHING.contains(&decl.keyword);
        assert!(rows.contains(decl.keyword) != nothing, "{}", decl.keyword);
        for sample in decl.samples {
            let text = format!("cnn 1\nmodel Sample {{\n{sample}\n}}\n");
            let model = cnnc::compile_str("sample.cnn", &text).unwrap();
            match written(&model, &Texts::default()) {
                Ok(proto) => check(&proto),
                Err(ExportError::Layer { why, .. }) => {
                    assert!(
                        REFUSED.iter().any(|word| sample.contains(word)),
                        "{sample}: {why}"
                    );
                }
                Err(error) => panic!("{sample}: {error}"),
            }
        }
    }
}

#[test]
fn weights_are_under_their_names_and_the_spec_is_in_the_file() {
    let path = cnnc_testing::file("specs/squeezenet1_1.cnn");
    let model = cnnc::compile_file(&path).unwrap();
    let spec = std::fs::read_to_string(&path).unwrap();
    let texts = Texts {
        spec: Some(spec.clone()),
        files: vec![("imagenet.txt".to_owned(), "a\nb\n".to_owned())],
    };
    let proto = written(&model, &texts).unwrap();
    check(&proto);
    let metadata: BTreeMap<&str, &str> = proto
        .metadata_props
        .iter()
        .map(|entry| (entry.key.as_str(), entry.value.as_str()))
        .collect();
    assert_eq!(metadata[SPEC_KEY], spec);
    assert_eq!(metadata["cnnc.file/imagenet.txt"], "a\nb\n");
    let graph = proto.graph.unwrap();
    let names: BTreeSet<&str> = graph
        .initializer
        .iter()
        .map(|tensor| tensor.name.as_str())
        .collect();
    for source in model.graph().sources() {
        assert!(names.contains(&*source.name), "{}", source.name);
    }
    // The first convolution's weights are the synthetic ones, and the dropout is gone.
    let weight = graph
        .initializer
        .iter()
        .find(|tensor| tensor.name == "features.0.weight")
        .unwrap();
    assert_eq!(weight.dims, [64, 3, 3, 3]);
    assert!(graph.node.iter().all(|node| node.op_type != "Dropout"));
    assert_eq!(
        graph
            .output
            .iter()
            .map(|output| output.name.as_str())
            .collect::<Vec<_>>(),
        ["raw", "probabilities"]
    );
}

/// What nodes say of their windows, groups and axes.
#[test]
fn attributes_are_those_of_the_layers() {
    let text = "cnn 1\nmodel M {\n  input x: 4x9x7\n  c: conv 3x3 6 /2 pad 1 groups 2\n  p: maxpool 2x2 /2 ceil\n  softmax axis 1\n  flatten\n  d: dense 5\n}\n";
    let model = cnnc::compile_str("net.cnn", text).unwrap();
    let proto = written(&model, &Texts::default()).unwrap();
    check(&proto);
    let graph = proto.graph.unwrap();
    let of = |op: &str, name: &str| {
        let node = graph.node.iter().find(|node| node.op_type == op);
        let node = node.unwrap_or_else(|| panic!("there is no {op}"));
        let mut attributes = node.attribute.iter();
        let attribute = attributes.find(|attribute| attribute.name == name);
        let attribute = attribute.unwrap_or_else(|| panic!("{op} has no {name}"));
        match attribute.ints[..] {
            [] => vec![attribute.i],
            _ => attribute.ints.clone(),
        }
    };
    assert_eq!(of("Conv", "kernel_shape"), [3, 3]);
    assert_eq!(of("Conv", "strides"), [2, 2]);
    assert_eq!(of("Conv", "pads"), [1, 1, 1, 1]);
    assert_eq!(of("Conv", "dilations"), [1, 1]);
    assert_eq!(of("Conv", "group"), [2]);
    // 5x4 pixels: the last row of windows reaches one row beyond them.
    assert_eq!(of("MaxPool", "kernel_shape"), [2, 2]);
    assert_eq!(of("MaxPool", "strides"), [2, 2]);
    assert_eq!(of("MaxPool", "pads"), [0, 0, 1, 0]);
    // The batch is an axis, too.
    assert_eq!(of("Softmax", "axis"), [2]);
    assert_eq!(of("Flatten", "axis"), [1]);
    assert_eq!(of("Gemm", "transB"), [1]);
    let dims = |name: &str| {
        let mut tensors = graph.initializer.iter();
        let tensor = tensors.find(|tensor| tensor.name == name);
        tensor
            .unwrap_or_else(|| panic!("there is no {name}"))
            .dims
            .clone()
    };
    assert_eq!(dims("c.weight"), [6, 2, 3, 3]);
    // What is flattened is 6x3x2.
    assert_eq!(dims("d.weight"), [5, 36]);
}

#[test]
fn outputs_that_are_inputs_are_copied() {
    let text = "cnn 1\nmodel M {\n  input x: 3x8x8\n  a: relu dropout\n  tap a\n}\n";
    let model = cnnc::compile_str("net.cnn", text).unwrap();
    let proto = written(&model, &Texts::default()).unwrap();
    check(&proto);
    let graph = proto.graph.unwrap();
    let ops: Vec<&str> = graph
        .node
        .iter()
        .map(|node| node.op_type.as_str())
        .collect();
    assert_eq!(ops, ["Relu", "Identity"]);
}

#[test]
fn what_cannot_be_written_is_named() {
    let refused = |text: &str| {
        let model = cnnc::compile_str("net.cnn", text).unwrap();
        let refused = written(&model, &Texts::default()).err();
        refused.expect("it is refused").to_string()
    };
    assert_eq!(
        refused("cnn 1\nmodel M {\n  input x: 3x8x8\n  small: resize 4x4 linear antialias on\n}\n"),
        "`small` cannot be written as ONNX, opset 17: `resize`: antialiasing and symmetric coordinates are of later opsets than 17"
    );
    assert_eq!(
        refused("cnn 1\nmodel M {\n  input x: 60000\n  dense 10000\n}\n"),
        "the weights are 2400040000 bytes, and an ONNX file has 2 GB at most"
    );
}

/// docs/onnx.md has the table of what layers become.
#[test]
fn the_documentation_has_the_table() {
    let path = cnnc_testing::file("docs/onnx.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = ("<!-- generated: export -->\n", "<!-- end -->");
    let start = text.find(begin).expect("the table begins") + begin.len();
    let length = text[start..].find(end).expect("the table ends");
    let mut table = "| layer | operators |\n|---|---|\n".to_owned();
    for (keyword, operators) in forms() {
        let operators = operators.replace(", ", "`, `").replace("; ", "` or `");
        table += &format!("| `{keyword}` | `{operators}` |\n");
    }
    if std::env::var_os("UPDATE").is_some() {
        let written = [&text[..start], &table, &text[start + length..]].concat();
        std::fs::write(&path, written).unwrap();
    } else {
        assert_eq!(text[start..start + length], table, "UPDATE=1 writes it");
    }
}
