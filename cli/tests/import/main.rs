//! `cnnc import`: darknet's configurations as specs; which files are written, of ONNX's too.
//!
//! `cases/*.txt` are sections of a `.cfg` and the spec, or the refusal, that it becomes.

mod command;
mod fastest;
mod folder;
mod hostile;
mod mutants;
mod numbers;
mod onnx;
mod oracle;
mod others;
mod published;
#[path = "../../../compiler/tests/sections/mod.rs"]
mod sections;

use cnnc::darknet::{Options, import};

fn options() -> Options {
    Options {
        name: "net".to_owned(),
        ..Options::default()
    }
}

#[test]
fn configurations_become_the_specs_that_are_written() {
    sections::compare("import/cases", |case| {
        match import(case.spec.as_bytes(), &options()) {
            Ok(spec) => match cnnc::compile_str("net.cnn", &spec) {
                Ok(model) if model.warnings().is_empty() => spec,
                Ok(model) => format!("{spec}{}", model.warnings().render(false)),
                Err(error) => panic!("{}: {spec}\n{error}", case.name),
            },
            Err(error) => format!("error: {error}"),
        }
    });
}

#[test]
fn pictures_are_stretched_or_kept_in_proportion() {
    let cfg = b"[net]\nwidth=8\nheight=16\nchannels=3\n[conv]\nfilters=18\nactivation=linear\n[yolo]\nclasses=1\nnum=3\nanchors=1,2,3,4,5,6\n";
    let input = |options: &Options| {
        let spec = import(cfg, options).unwrap();
        let input = spec.lines().find(|line| line.contains("input")).unwrap();
        input.trim().to_owned()
    };
    assert_eq!(
        input(&options()),
        "input image: 3x16x8 { resize 8x16  filter bilinear }"
    );
    let options = Options {
        letterbox: true,
        ..options()
    };
    assert_eq!(
        input(&options),
        "input image: 3x16x8 { letterbox 8x16  filter bilinear }"
    );
}

#[test]
fn names_of_files_become_names_of_models() {
    let cfg = b"[net]\nwidth=8\nheight=8\nchannels=3\n[conv]\nfilters=1\n";
    for (file, model) in [
        ("yolov3-tiny", "Yolov3Tiny"),
        ("yolo-fastest-1.1-xl", "YoloFastest11Xl"),
        ("3d", "Net3d"),
        ("", "Imported"),
        ("größe\n}", "GrE"),
    ] {
        let options = Options {
            name: file.to_owned(),
            doc: "from \u{1b}[31m\r\na file".to_owned(),
            labels: None,
            letterbox: false,
        };
        let spec = import(cfg, &options).unwrap();
        assert!(spec.contains(&format!("model {model} {{")), "{spec}");
        assert!(!spec.contains('\u{1b}'), "{spec}");
        cnnc::compile_str("net.cnn", &spec).unwrap();
    }
}
