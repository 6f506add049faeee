//! Specs as ONNX files and back, without the text that an export keeps beside the graph. `round_trip.py` does it with all of them.

use cnnc::Weights;
use cnnc::onnx::proto::ModelProto;
use cnnc::onnx::{Options, Texts, export, import};
use prost::Message;

/// Most parameters of a network that is tried here.
const MOST: usize = 30_000_000;

/// Networks that come back as others, or not at all, and why. One that comes back as it was is to be taken out.
const OTHERS: &[(&str, &str)] = &[
    ("bccd_rcnn", "its regions have three axes"),
    ("edges", "its weights stand in the spec"),
    ("style_vgg19", "its Gram matrices come back as products"),
];

/// Lines of an imported network that is written as its paper's table.
const SHORT: &[(&str, usize)] = &[
    ("googlenet", 40),
    ("mobilenet_v2", 40),
    ("resnet18", 40),
    ("resnet50", 40),
];

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
        let exported = export(&model, &Weights::synthetic(), &Texts::default()).unwrap();
        let mut proto = ModelProto::decode(&exported.bytes[..]).unwrap();
        proto.metadata_props.clear();
        let back = import(proto.encode_to_vec(), None, &Options::default());
        let same = match &back {
            Ok(back) => back.model.normal_hash() == model.normal_hash(),
            Err(_) => false,
        };
        match (same, OTHERS.iter().find(|(other, _)| *other == name)) {
            (true, Some(_)) => wrong.push(format!("{name} comes back as it was: take it out")),
            (false, None) => match &back {
                Ok(back) => wrong.push(format!("{name} is another network:\n{}", back.spec)),
                Err(error) => wrong.push(format!("{name}: {error}")),
            },
            _ => {}
        }
        if let Some((_, most)) = SHORT.iter().find(|(short, _)| *short == name) {
            let lines = back.map_or(0, |back| back.spec.lines().count());
            if !(1..=*most).contains(&lines) {
                wrong.push(format!("{name} is imported to {lines} lines"));
            }
        }
    }
    assert!(tried >= 50, "{tried} networks");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
