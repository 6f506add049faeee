//! Files of other kinds where a spec or a configuration should be: they are called what they are, with the way to go.

use std::process::Command;

/// What there is of each: its first bytes.
const FILES: [(&str, &[u8]); 5] = [
    ("m.tflite", b"\x1c\0\0\0TFL3\0\0\x12\0"),
    ("m.gguf", b"GGUF\x03\0\0\0\x05\0\0\0\0\0\0\0"),
    ("m.ggml", b"lmgg\x01\0\0\0\xff\xff"),
    (
        "m.weights",
        b"\0\0\0\0\x02\0\0\0\x05\0\0\0\0\0\0\0\0\0\0\0\0\0\x80\x3f\xcd\xcc\x4c\x3e",
    ),
    (
        "m.model",
        b"\x08\x08\x12\x07pytorch\x1a\x052.4.0:\xff\x01\x0a\x20",
    ),
];

const EXPORT: &str = "write the network as a spec, and save its tensors as safetensors or .npz, kernels as (out, in, rows, columns)";
const IMPORT: &str = "under a name that ends in .onnx it stands in the place of a spec, and `cnnc import NET.onnx -o NET.cnn` writes its spec and weights";
const TENSORS: &str =
    "it holds no convolutional network; save the tensors of one as safetensors or .npz";
const BESIDE: &str = "weights stand behind `--weights`, the spec before them: `cnnc run net.cnn --weights FILE picture.jpg`";

/// What a command says on standard error of one of the files.
#[track_caller]
fn says(args: &[&str]) -> String {
    let place = tempfile::tempdir().unwrap();
    for (name, bytes) in FILES {
        std::fs::write(place.path().join(name), bytes).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_cnnc"));
    let output = command
        .args(args)
        .current_dir(place.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{args:?}");
    assert_eq!(output.stdout, b"", "{args:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn models_of_others_are_no_specs() {
    for (file, kind, help) in [
        ("m.tflite", "a TensorFlow Lite model", EXPORT),
        ("m.gguf", "a GGUF model", TENSORS),
        ("m.ggml", "a GGML model", TENSORS),
        ("m.weights", "a file of darknet's weights", BESIDE),
        ("m.model", "an ONNX model", IMPORT),
    ] {
        let expected =
            format!("error[E0106]: `{file}` is {kind}, not a spec\n |\n = help: {help}\n");
        for args in [
            &["check", file][..],
            &["summary", file],
            &["run", file, "--weights", "synthetic"],
        ] {
            assert_eq!(says(args), expected, "{args:?}");
        }
    }
}

#[test]
fn models_of_others_are_no_configurations() {
    for (file, kind, help) in [
        ("m.model", "an ONNX model", IMPORT),
        ("m.tflite", "a TensorFlow Lite model", EXPORT),
        ("m.gguf", "a GGUF model", TENSORS),
    ] {
        let expected =
            format!("error: `{file}` is {kind}, not a configuration of darknet; {help}\n");
        assert_eq!(says(&["import", file]), expected);
    }
}
