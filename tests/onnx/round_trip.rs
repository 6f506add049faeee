//! Specs as ONNX files and back, without the text that an export keeps beside the graph. `round_trip.py` does it with all of them.

use cnnc::onnx::proto::ModelProto;
use cnnc::onnx::{Imported, OnnxError, Options, Texts, export, import};
use cnnc::{Model, Weights};
use prost::Message;

/// Most parameters of a network that is tried here.
const MOST: usize = 30_000_000;

/// Lines of an imported network that is written as its paper's table.
const SHORT: &[(&str, usize)] = &[
    ("efficientnet_b0", 40),
    ("googlenet", 40),
    ("mobilenet_v2", 40),
    ("resnet18", 40),
    ("resnet50", 40),
];

/// Layers that ONNX has no operator for, or whose operands it has in another form, and what stands in the spec that comes back.
const PATTERNS: &[(&str, &str)] = &[
    ("input x: 5x4x3; gram", "gram\n"),
    ("input x: 5x4x3; relu gram sum", "gram sum\n"),
    ("input x: 5x4x3; gram all", "gram all\n"),
    ("input x: 33x6; gram", "gram\n"),
    ("input x: 7; gram sum", "gram sum\n"),
    (
        "input x: 1x6x6; conv 3x3 1 bias off weight [[1, 0, -1], [2, 0, -2], [1, 0, -1]]",
        "weight [[1, 0, -1], [2, 0, -2], [1, 0, -1]]",
    ),
    (
        "input x: 4x6x6; conv 3x3 6 groups 2 pad half edge weight [[1, 0, -1], [2, 0, -2.5e-7], [1, 0, -1]] bn relu",
        "weight [[1, 0, -1], [2, 0, -2.5e-7], [1, 0, -1]]",
    ),
    (
        "input x: 2x4x4; conv 1x1 2 weight [[[[1]], [[-0.5]]], [[[0.25]], [[2]]]]",
        "weight [[[[1]], [[-0.5]]], [[[0.25]], [[2]]]]",
    ),
    (
        "input x: 3x2x2; k: x constant 1x2x2 weight [[[1, 2], [3, -4]]]; concat(x, k)",
        "constant 1x2x2 weight [[[1, 2], [3, -4]]]",
    ),
    (
        "input x: 3x4x4; k: x constant 2x4x4; concat(x, k); relu",
        "constant 2x4x4\n",
    ),
    (
        "input x: 5x9x8; input r: 6x4; roialign(x, r) 3x3 spatial_scale 4; conv 1x3x3 5",
        "roialign(x, r)",
    ),
    (
        "input x: 5x9x8; input r: 6x5; roialign(x, r) 3x3 samples 3 aligned",
        "roialign(x, r)",
    ),
    (
        "input x: 5x9x8; input r: 6x4; roipool(x, r) 3x3 spatial_scale 0.5; conv 1x3x3 5",
        "roipool(x, r)",
    ),
    (
        "input x: 5x9x8; input r: 6x5; roipool(x, r) 2x3",
        "roipool(x, r)",
    ),
    (
        "input x: 5x9x8; input r: 1x4; roipool(x, r) 2x3",
        "roipool(x, r)",
    ),
    (
        "input x: 5x9x7; adaptiveavgpool 3x4; relu",
        "adaptiveavgpool 3x4",
    ),
    ("input x: 3x4; adaptiveavgpool 7; relu", "adaptiveavgpool 7"),
    ("input x: 6x4x3; gelu approximate; relu", "gelu approximate"),
    ("input x: 6x4x3; groupnorm 2; relu", "groupnorm 2 eps 1e-5"),
    (
        "input x: 6x4; groupnorm 1 eps 1e-3; conv 3 4",
        "groupnorm 1 eps 0.001",
    ),
    (
        "input x: 5x9x8; input r: 6x4; b: route r scale 2; roipool(x, b) 2x3",
        "roipool(x, ",
    ),
];

/// What a network is once it has been there and back.
fn back(model: &Model) -> Result<Imported, OnnxError> {
    let exported = export(model, &Weights::synthetic(), &Texts::default()).unwrap();
    let mut proto = ModelProto::decode(&exported.bytes[..]).unwrap();
    proto.metadata_props.clear();
    import(proto.encode_to_vec(), None, &Options::default())
}

#[test]
fn networks_come_back_as_they_were() {
    let mut wrong = Vec::new();
    let mut tried = 0;
    let files = std::fs::read_dir(cnnc_testing::file("specs")).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    for file in files {
        if file.extension().is_none_or(|ending| ending != "cnn") {
            continue;
        }
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let model = cnnc::compile_file(&file).unwrap();
        let params = model.graph().params.iter();
        if params
            .map(|(_, param)| param.shape.iter().product::<usize>())
            .sum::<usize>()
            > MOST
        {
            continue;
        }
        tried += 1;
        let back = match back(&model) {
            Ok(back) => back,
            Err(error) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        if back.model.normal_hash() != model.normal_hash() {
            wrong.push(format!("{name} is another network:\n{}", back.spec));
        }
        if let Some((_, most)) = SHORT.iter().find(|(short, _)| *short == name) {
            let lines = back.spec.lines().count();
            if lines > *most {
                wrong.push(format!(
                    "{name} is imported to {lines} lines:\n{}",
                    back.spec
                ));
            }
        }
    }
    assert!(tried >= 50, "{tried} networks");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a network makes of numbers that are drawn here.
fn outputs(model: &Model, weights: &Weights) -> Vec<f32> {
    let inputs = model.graph().inputs.iter();
    let inputs = inputs.map(|input| {
        let count: usize = model.graph().values[input.value].shape.elements();
        // Corners in order, too.
        let number = |i: usize| (i % 4) as f32 * 1.5 + (i * 7 % 5) as f32 * 0.25;
        (0..count).map(number).collect::<Vec<f32>>()
    });
    let inputs: Vec<Vec<f32>> = inputs.collect();
    let views: Vec<&dyn cnnc::Input> = inputs.iter().map(|x| x as &dyn cnnc::Input).collect();
    let network = model.jit(weights, &cnnc::Options::new()).unwrap();
    let mut session = network.session().unwrap();
    let all = session.run(&views).unwrap();
    all.get("raw").unwrap().data.to_vec()
}

/// Layers that come back as several, which compute the same.
const PARTS: &[&str] = &[
    "input x: 5x6x5; l: local 3x3 7",
    "input x: 5x6x5; local 3x3 7 /2 pad 1 relu",
    "input x: 24x4; shuffle 4; lrn 4 alpha 1; celu 2",
    "input a, b: 5x3; absdiff(a, b)",
];

/// Compares what both compute, with the weights that came back and those that are made up.
fn same_outputs(body: &str, back: &mut Imported, model: &Model) {
    let weights = back.take_weights();
    let found = outputs(&back.model, &weights);
    let expected = outputs(model, &Weights::synthetic());
    assert_eq!(found.len(), expected.len(), "{body}");
    for (found, expected) in found.iter().zip(&expected) {
        let near = (found - expected).abs() <= 1e-4 + 1e-4 * expected.abs();
        assert!(near, "{body}: {found} instead of {expected}");
    }
}

#[test]
fn layers_that_come_back_as_several_compute_the_same() {
    for body in PARTS {
        let text = format!("cnn 1\nmodel Sample {{\n{body}\n}}\n");
        let Ok(model) = cnnc::compile_str("sample.cnn", &text) else {
            panic!("{body}")
        };
        let mut back = back(&model).unwrap_or_else(|error| panic!("{body}: {error}"));
        same_outputs(body, &mut back, &model);
    }
}

#[test]
fn patterns_come_back_as_layers() {
    for (body, wanted) in PATTERNS {
        let text = format!("cnn 1\nmodel Sample {{\n{body}\n}}\n");
        let model = cnnc::compile_str("sample.cnn", &text).unwrap();
        let mut back = back(&model).unwrap_or_else(|error| panic!("{body}: {error}"));
        assert!(back.spec.contains(wanted), "{body}:\n{}", back.spec);
        assert_eq!(
            back.model.normal_hash(),
            model.normal_hash(),
            "{body}:\n{}",
            back.spec
        );
        same_outputs(body, &mut back, &model);
    }
}
