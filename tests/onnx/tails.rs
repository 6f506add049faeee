//! The ends of detectors, as exporters write them, become heads: the outputs stay the file's, and boxes are those that ONNX Runtime's make. `tails.py`
//! writes the networks and the numbers.

use cnnc::Answer;
use cnnc::onnx::proto::ModelProto;
use cnnc::onnx::{From, Imported, OnnxError, Options, Pictures, import, import_file};
use cnnc_runtime::answer::Placement;
use cnnc_runtime::tensor_file::read_tensors;
use cnnc_testing::shared;
use prost::Message;
use serde_json::Value;
use std::path::{Path, PathBuf};

const WIDTH: usize = 64;
const HEIGHT: usize = 32;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/onnx/tails")
}

fn imported(name: &str) -> Imported {
    let file = folder().join(format!("{name}.onnx"));
    import_file(&file, &Options::default()).unwrap()
}

/// Runs a network on the picture of `tails.py`: its outputs are ONNX Runtime's, and its answer is given back.
#[track_caller]
fn answer(name: &str, mut imported: Imported) -> Answer {
    let weights = imported.take_weights();
    let network = imported.model.jit(&weights, &cnnc::Options::new());
    let mut session = network.unwrap().session().unwrap();
    let count = 3 * WIDTH * HEIGHT;
    let picture: Vec<f32> = (0..count).map(|i| (i * 37 % 101) as f32 / 101.0).collect();
    let outputs = session.run(&[&picture]).unwrap();
    for (at, output) in imported.outputs.iter().enumerate() {
        let file = folder().join(format!("{name}_{at}.npy"));
        let wanted = read_tensors(file).unwrap().remove(0);
        assert_eq!(output.dims, wanted.shape, "output {at}");
        let found = imported.output(at, &outputs).unwrap();
        assert_eq!(found.len(), wanted.values.len(), "output {at}");
        for (place, (a, b)) in found.iter().zip(&wanted.values).enumerate() {
            let near = (a - b).abs() <= 2e-4 + 1e-5 * b.abs();
            assert!(near, "element {place} of output {at}: {a} instead of {b}");
        }
    }
    let place = Placement::new(WIDTH, HEIGHT).resized(WIDTH, HEIGHT);
    outputs.answer(&imported.model.head(), &place).unwrap()
}

/// Boxes are those of `tails.py`: class, score and sides.
#[track_caller]
fn boxes_are(name: &str, answer: &Answer) {
    let wanted = std::fs::read(folder().join("boxes.json")).unwrap();
    let wanted: Value = serde_json::from_slice(&wanted).unwrap();
    let wanted = wanted[name].as_array().unwrap();
    let Answer::Boxes(found) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!(found.len(), wanted.len(), "{found:?}");
    for (found, wanted) in found.iter().zip(wanted) {
        let bbox = found.bbox;
        let sides = [bbox.left, bbox.top, bbox.right, bbox.bottom];
        let numbers = [found.class as f32, found.score].into_iter().chain(sides);
        for (at, number) in numbers.enumerate() {
            let want = wanted[at].as_f64().unwrap() as f32;
            assert!(
                (number - want).abs() < 2e-3,
                "{found:?} instead of {wanted}"
            );
        }
    }
}

/// The lines of the spec's head.
fn head(spec: &str) -> Vec<&str> {
    let lines = spec.lines().map(str::trim);
    let lines = lines.skip_while(|line| !line.starts_with("head "));
    lines.take_while(|line| *line != "}").collect()
}

#[test]
fn distances_become_a_head_with_the_names_of_the_file() {
    let network = imported("distances");
    let lines = head(&network.spec);
    assert_eq!(lines[0], "head dfl {", "{}", network.spec);
    let labels = lines.iter().find(|line| line.starts_with("labels "));
    assert_eq!(labels, Some(&"labels [\"cat\", \"traffic light\"]"));
    assert!(lines.contains(&"bins 8"), "{lines:?}");
    assert!(!network.spec.contains("softmax"), "{}", network.spec);
    assert!(network.spec.contains("letterbox 64x32"), "{}", network.spec);
    assert!(network.notes.is_empty(), "{:?}", network.notes);
    assert_eq!(network.model.head().label(1), "traffic light");
    boxes_are("distances", &answer("distances", network));
}

#[test]
fn anchors_become_a_head() {
    let network = imported("anchors");
    let lines = head(&network.spec);
    assert_eq!(lines[0], "head yolo3 {", "{}", network.spec);
    for line in [
        "anchors pixels (10, 13) (16, 30) (33, 23) (25, 32.5) (40, 75) (82.5, 57.5)",
        "masks (0, 1, 2) (3, 4, 5)",
    ] {
        assert!(lines.contains(&line), "{lines:?}");
    }
    // Nothing says how pictures become the input, but that boxes are found.
    assert!(network.spec.contains("letterbox 64x32"), "{}", network.spec);
    assert!(network.notes[0].contains("it finds boxes"));
    boxes_are("anchors", &answer("anchors", network));
}

/// Older exports give out the maps beside the boxes.
#[test]
fn maps_beside_the_boxes_stay_outputs() {
    let network = imported("anchors_and_maps");
    assert_eq!(head(&network.spec)[0], "head yolo3 {", "{}", network.spec);
    let from: Vec<bool> = network
        .outputs
        .iter()
        .map(|output| matches!(output.from, From::Head))
        .collect();
    assert_eq!(from, [true, false, false]);
    boxes_are("anchors_and_maps", &answer("anchors_and_maps", network));
}

/// A row for each box rather than a column.
#[test]
fn rows_of_boxes_become_a_head() {
    let network = imported("rows");
    assert_eq!(head(&network.spec)[0], "head dfl {", "{}", network.spec);
    assert!(matches!(network.outputs[0].from, From::Head));
    boxes_are("rows", &answer("rows", network));
}

/// What stands behind the classes stays an output beside the head, and that it is not decoded is said.
#[test]
fn masks_beside_the_boxes_stay_numbers() {
    let network = imported("masks");
    assert_eq!(head(&network.spec)[0], "head dfl {", "{}", network.spec);
    assert!(matches!(network.outputs[0].from, From::Port(_)));
    assert!(!network.ends_with_head());
    let [note] = &network.notes[..] else {
        panic!("{:?}", network.notes)
    };
    assert!(note.contains("masks or points"), "{note}");
    assert_eq!(
        network.model.warnings().items().len(),
        0,
        "{}",
        network.spec
    );
    boxes_are("masks", &answer("masks", network));
}

/// An exporter says for which pictures, where the file itself leaves that open.
#[test]
fn open_extents_are_those_of_the_exporters_pictures() {
    let bytes = std::fs::read(folder().join("distances.onnx")).unwrap();
    let mut model = ModelProto::decode(&bytes[..]).unwrap();
    let input = &mut model.graph.as_mut().unwrap().input[0];
    let ty = input.r#type.as_mut().unwrap().tensor_type.as_mut().unwrap();
    for dim in &mut ty.shape.as_mut().unwrap().dim[2..] {
        (dim.dim_value, dim.dim_param) = (None, Some("side".to_owned()));
    }
    let open = |model: &ModelProto, shapes: Vec<(String, Vec<usize>)>| {
        let options = Options {
            shapes,
            ..Options::default()
        };
        import(model.encode_to_vec(), None, &options)
    };
    let said = open(&model, vec![]).unwrap();
    assert_eq!(said.inputs[0].dims, [1, 3, HEIGHT, WIDTH]);
    assert!(said.spec.contains("letterbox 64x32"), "{}", said.spec);
    // What is asked for comes first: this network's grids are of one size.
    let other = vec![("images".to_owned(), vec![3, 64, 64])];
    assert!(matches!(open(&model, other), Err(OnnxError::Invalid(_))));
    for entry in &mut model.metadata_props {
        if entry.key == "imgsz" {
            entry.value = "[64]]".to_owned();
        }
    }
    assert!(matches!(open(&model, vec![]), Err(OnnxError::Open { .. })));
}

/// What computes something else, boxes in fractions of the input, stays as it is.
#[test]
fn another_tail_stays_layers() {
    let network = imported("fractions");
    assert_eq!(head(&network.spec), [""; 0], "{}", network.spec);
    let [note] = &network.notes[..] else {
        panic!("{:?}", network.notes)
    };
    assert!(note.contains("they are not decoded"), "{note}");
    assert_eq!(
        network.model.warnings().items().len(),
        0,
        "{}",
        network.spec
    );
    assert!(matches!(network.outputs[0].from, From::Port(_)));
    assert_eq!(answer("fractions", network), Answer::Numbers);
}

/// Names that are more or fewer than the classes are left out, unless they were asked for.
#[test]
fn names_are_those_of_the_classes() {
    let file = folder().join("anchors.onnx");
    let labels = folder().join("labels.txt").display().to_string();
    let pictures = Pictures {
        labels: Some(labels),
        ..Pictures::default()
    };
    let options = Options {
        pictures,
        ..Options::default()
    };
    let network = import_file(&file, &options).unwrap();
    assert_eq!(network.model.head().label(0), "dog");
}

/// Every variant of the pack's two detectors is recognised, however it was exported.
#[test]
fn exporters_forms_are_recognised() {
    let Some(pack) = shared("onnx/models") else {
        return;
    };
    for (name, keyword) in [("yolov8ish", "dfl"), ("yolov5ish", "yolo3")] {
        let sample = pack.join(name).join("s0/input_0.npy");
        let sample = read_tensors(sample).unwrap().remove(0).shape;
        let mut seen = 0;
        for entry in std::fs::read_dir(pack.join(name)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|ending| ending != "onnx") {
                continue;
            }
            let options = Options {
                samples: vec![sample.clone()],
                ..Options::default()
            };
            let network = import_file(&path, &options).unwrap();
            let found = network.model.graph().head.as_ref();
            let found = found.map(|head| head.decl.keyword);
            assert_eq!(
                found,
                Some(keyword),
                "{}:\n{}",
                path.display(),
                network.spec
            );
            seen += 1;
        }
        assert!(seen >= 9, "{name} has {seen} variants");
    }
}
