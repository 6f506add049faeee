//! Weights files, sound and broken: what is read, and the exact message for what is not.

use cnnc_runtime::plan::Source;
use cnnc_runtime::weights::{Dtype, Weights, WeightsError};
use cnnc_testing::shared;
use std::fs;

/// A safetensors file with that header, and that many zero bytes of data.
fn file(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

fn entry(name: &str, dtype: &str, shape: &str, range: &str) -> String {
    format!(r#""{name}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{range}}}"#)
}

fn source(name: &'static str, shape: &[usize]) -> Source {
    Source {
        name: name.into(),
        shape: shape.to_vec().into(),
    }
}

/// The error of opening a file of those bytes, from disk and from memory alike; without its name.
fn refused(bytes: &[u8]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("net.safetensors");
    fs::write(&path, bytes).unwrap();
    let from_disk = Weights::open(&path).unwrap_err();
    assert!(matches!(from_disk, WeightsError::Format { .. }));
    let from_disk = from_disk.to_string();
    let message = from_disk
        .strip_prefix(&format!("{}: ", path.display()))
        .unwrap();
    let from_memory = Weights::from_bytes(bytes.to_vec()).unwrap_err().to_string();
    assert_eq!(
        from_memory.strip_prefix("the weights in memory: "),
        Some(message)
    );
    message.to_owned()
}

#[test]
fn files_that_are_something_else() {
    for (bytes, looks) in [
        (&b""[..], ": it looks like an empty file"),
        (
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
            ": it looks like a PNG picture",
        ),
        (
            b"\xff\xd8\xff\xe0\0\x10JFIF\0",
            ": it looks like a JPEG picture",
        ),
        (
            b"\x80\x04\x95\x0a\0\0\0\0\0\0\0]\x94.",
            ": it looks like a Python pickle; in PyTorch, save `model.state_dict()` with `torch.save`, or with safetensors",
        ),
        (
            b"<!DOCTYPE html><html><head>",
            ": it looks like an HTML page; the file behind the link may need another way to download it",
        ),
        (
            b"\x93NUMPY\x01\0v\0{'descr'",
            ": it looks like a numpy array; save several arrays, each under its name, with `numpy.savez`",
        ),
        (
            b"\x89HDF\r\n\x1a\n\0\0\0\0",
            ": it looks like an HDF5 file (Keras `.h5`?); write the network as a spec, \
             and save its tensors as safetensors or .npz, kernels as (out, in, rows, columns)",
        ),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            ": it looks like a Git LFS pointer (run `git lfs pull`)",
        ),
        (b"{\"conv1.weight\": [1, 2]}", ": it looks like JSON text"),
        (
            b"\x08\x08\x12\x07pytorch:\xff\x01\x0a",
            ": it looks like an ONNX model; write the network as a spec, \
             and save its tensors as safetensors or .npz, kernels as (out, in, rows, columns)",
        ),
        (b"\x01\x02\x03", ""),
        (&[0xee; 64], ""),
    ] {
        assert_eq!(
            refused(bytes),
            format!("not a weights file (safetensors, PyTorch, npz, darknet){looks}")
        );
    }
}

#[test]
fn headers_that_cannot_be_read() {
    let sound = file(&format!("{{{}}}", entry("a", "F32", "[2,2]", "[0,16]")), 16);
    Weights::from_bytes(sound.clone()).unwrap();

    let truncated = |found, needed: &str| {
        format!("the file is truncated: {found} bytes are there, {needed} are needed")
    };
    let (length, data) = (sound.len(), sound.len() - 16);
    assert_eq!(
        refused(&sound[..40]),
        truncated(40, &format!("at least {data}"))
    );
    for cut in [1, 15, 16] {
        let found = length - cut;
        assert_eq!(
            refused(&sound[..found]),
            truncated(found, &length.to_string())
        );
    }
    for claimed in [u64::MAX, 8_388_609] {
        let mut endless = sound.clone();
        endless[..8].copy_from_slice(&claimed.to_le_bytes());
        assert_eq!(
            refused(&endless),
            format!("the header claims {claimed} bytes; at most 8388608 are read")
        );
    }
    let mut not_utf8 = sound.clone();
    not_utf8[10] = 0xff;
    assert_eq!(refused(&not_utf8), "the header is not UTF-8 at byte 10");

    for (header, message) in [
        (
            "{\"a\":",
            "tensor `a`: EOF while parsing a value at line 1 column 5",
        ),
        (
            "{\"a\":{}}",
            "tensor `a`: missing field `dtype` at line 1 column 7",
        ),
        (
            "{\"a\":7}",
            "tensor `a`: invalid type: integer `7`, expected struct TensorInfo at line 1 column 6",
        ),
        (
            r#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#,
            "tensor `a`: invalid value: integer `-1`, expected usize at line 1 column 31",
        ),
    ] {
        assert_eq!(
            refused(&file(header, 0)),
            format!("the header cannot be read: {message}")
        );
    }
    let unknown_type = refused(&file(
        &format!("{{{}}}", entry("a", "F33", "[1]", "[0,4]")),
        4,
    ));
    let start = "the header cannot be read: tensor `a`: unknown variant `F33`, expected one of ";
    assert!(unknown_type.starts_with(start), "{unknown_type}");
    let nested = format!("{{\"__metadata__\":{}", "[".repeat(100_000));
    assert_eq!(
        refused(&file(&nested, 0)),
        "the header cannot be read: EOF while parsing a list at line 1 column 100016"
    );
}

#[test]
fn tensors_that_cannot_be_where_they_claim() {
    let a = |range| entry("a", "F32", "[2,2]", range);
    let b = |range| entry("b", "F32", "[4]", range);
    for (entries, data, message) in [
        (
            vec![a("[0,16]"), b("[16,32]")],
            20,
            "the file is truncated: 140 bytes are there, 152 are needed",
        ),
        (
            vec![a("[0,16]"), b("[8,24]")],
            24,
            "tensors `a` and `b` claim the same bytes",
        ),
        (
            vec![a("[0,16]"), b("[0,16]")],
            16,
            "tensors `a` and `b` claim the same bytes",
        ),
        (
            vec![a("[0,16]"), b("[20,36]")],
            36,
            "bytes 16 to 20 of the data belong to no tensor",
        ),
        (
            vec![a("[0,16]")],
            20,
            "bytes 16 to 20 of the data belong to no tensor",
        ),
        (
            vec![a("[0,16]"), a("[16,32]")],
            32,
            "tensor `a` stands twice in the header",
        ),
        (
            vec![a("[0,16]"), a("[0,16]")],
            16,
            "tensor `a` stands twice in the header",
        ),
        (
            vec![a("[0,12]")],
            12,
            "tensor `a`: bytes 0 to 12 cannot hold 2x2 of F32",
        ),
        (
            vec![a("[16,0]")],
            16,
            "tensor `a`: bytes 16 to 0 cannot hold 2x2 of F32",
        ),
        (
            vec![entry("a", "F32", "[4611686018427387904,4]", "[0,0]")],
            0,
            "tensor `a`: bytes 0 to 0 cannot hold 4611686018427387904x4 of F32",
        ),
        (
            vec![entry("a", "F32", "[1000000,1000000]", "[0,4000000000000]")],
            64,
            "the file is truncated: 152 bytes are there, 4000000000088 are needed",
        ),
    ] {
        assert_eq!(
            refused(&file(&format!("{{{}}}", entries.join(",")), data)),
            message
        );
    }
}

#[test]
fn files_that_cannot_be_opened() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("no.safetensors");
    let error = Weights::open(&missing).unwrap_err().to_string();
    let start = format!("cannot read {}: ", missing.display());
    assert!(
        error.starts_with(&start) && error.len() > start.len(),
        "{error}"
    );

    let error = Weights::open(directory.path()).unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "cannot read {}: it is a directory",
            directory.path().display()
        )
    );
    #[cfg(unix)]
    {
        let error = Weights::open("/dev/null").unwrap_err().to_string();
        assert_eq!(error, "cannot read /dev/null: it is not a file");
    }
}

#[test]
fn every_problem_of_a_bind_is_reported() {
    let header = [
        entry("conv1.weigth", "F32", "[2,1,2,2]", "[0,32]"),
        entry("conv1.bias", "I64", "[2]", "[32,48]"),
        entry("fc.weight", "F32", "[3,2]", "[48,72]"),
        entry("fc.bias", "F32", "[4]", "[72,88]"),
        entry("other", "F16", "[5]", "[88,98]"),
        entry("bn.num_batches_tracked", "I64", "[]", "[98,106]"),
    ];
    let weights = Weights::from_bytes(file(&format!("{{{}}}", header.join(",")), 106)).unwrap();
    let sources = [
        source("conv1.weight", &[2, 1, 2, 2]),
        source("conv1.bias", &[2]),
        source("fc.weight", &[2, 3]),
        source("fc.bias", &[2]),
        source("scale", &[5]),
        source("entirely.elsewhere", &[7, 7]),
    ];
    let error = weights.bind(&sources).unwrap_err().to_string();
    assert_eq!(
        error,
        "the weights in memory: 6 tensors do not fit the network:\
         \n  tensor `conv1.weight` (2x1x2x2) is missing; did you mean `conv1.weigth`, which has that shape?\
         \n  tensor `conv1.bias` holds I64; weights are read from F32, F16, BF16, F64\
         \n  tensor `fc.weight` has shape 3x2, but the network needs 2x3; transposed?\
         \n  tensor `fc.bias` has shape 4, but the network needs 2\
         \n  tensor `scale` (5) is missing; unused tensors of that shape: `other`\
         \n  tensor `entirely.elsewhere` (7x7) is missing"
    );
    let error = weights.bind(&sources[..1]).unwrap_err().to_string();
    assert_eq!(
        error,
        "the weights in memory: tensor `conv1.weight` (2x1x2x2) is missing; \
         did you mean `conv1.weigth`, which has that shape?"
    );
    let fits = [source("fc.bias", &[4]), source("fc.weight", &[3, 2])];
    assert_eq!(
        weights.bind(&fits).unwrap().unused(),
        ["conv1.bias", "conv1.weigth", "other"]
    );

    let many: Vec<Source> = (0..25)
        .map(|i| Source {
            name: format!("t{i}").into(),
            shape: vec![9, 9].into(),
        })
        .collect();
    let error = weights.bind(&many).unwrap_err().to_string();
    assert_eq!(error.lines().count(), 22);
    assert!(
        error.ends_with("\n  tensor `t19` (9x9) is missing\n  and 5 more"),
        "{error}"
    );
}

/// Weights whose every element counts up.
fn counting(tensors: &[(&str, &[usize])]) -> Weights {
    let values: Vec<f32> = (0..2000).map(|n| n as f32).collect();
    let tensors = tensors.iter().map(|&(name, shape)| {
        let count: usize = shape.iter().product();
        (name, shape, &values[..count])
    });
    Weights::from_tensors(tensors).unwrap()
}

#[test]
fn extents_of_one_do_not_count() {
    for (found, wanted) in [
        (&[16, 8][..], &[16, 8, 1, 1][..]),
        (&[16, 8, 1, 1], &[16, 8]),
        (&[16, 8, 1], &[16, 8, 1, 1]),
        (&[16, 1, 8], &[1, 16, 8]),
        (&[16], &[16, 1, 1]),
        (&[1, 16, 1, 1], &[16]),
        (&[16, 1], &[1, 16]),
        (&[1], &[]),
        (&[8, 1, 3, 3], &[8, 3, 3]),
    ] {
        let weights = counting(&[("w", found)]);
        let sources = [source("w", wanted)];
        let bound = weights.bind(&sources).unwrap();
        let values = bound.values(0).unwrap();
        let count: usize = wanted.iter().product();
        assert_eq!(values.len(), count);
        assert!(
            values
                .iter()
                .enumerate()
                .all(|(n, &value)| value == n as f32)
        );
    }
    for (found, wanted, transposed) in [
        (&[16, 8][..], &[8, 16][..], true),
        (&[16, 8], &[8, 16, 1, 1], true),
        (&[3, 3, 8, 16], &[16, 8, 3, 3], true),
        (&[16, 8], &[128], false),
        (&[16, 8], &[16, 4, 2], false),
        (&[16], &[8], false),
    ] {
        let sources = [source("w", wanted)];
        let message = counting(&[("w", found)])
            .bind(&sources)
            .unwrap_err()
            .to_string();
        assert_eq!(message.ends_with("transposed?"), transposed, "{message}");
    }
}

#[test]
fn a_prefix_of_all_names_is_stripped_and_said() {
    let sources = [source("conv1.weight", &[4, 2]), source("fc.bias", &[3])];
    for prefix in [
        "module.",
        "_orig_mod.",
        "model.",
        "net.",
        "backbone.",
        "module._orig_mod.model.",
        "any_thing/",
    ] {
        let names = ["conv1.weight", "fc.bias", "aux.weight"].map(|name| format!("{prefix}{name}"));
        let weights = counting(&[
            (&names[0], &[4, 2]),
            (&names[1], &[3]),
            (&names[2], &[7]),
            ("head.bias", &[5]),
        ]);
        let bound = weights.bind(&sources).unwrap();
        assert_eq!(bound.prefix(), prefix);
        assert_eq!(bound.notes(), [format!("names are read behind `{prefix}`")]);
        assert_eq!(bound.values(1).unwrap()[..], [0.0, 1.0, 2.0]);
        assert_eq!(bound.unused(), {
            let mut unused = [names[2].as_str(), "head.bias"];
            unused.sort_unstable();
            unused
        });
    }
    // What is wrong behind a prefix is said of the names there, not of all that are missing without it.
    let weights = counting(&[("module.conv1.weight", &[2, 4]), ("module.fc.bais", &[3])]);
    assert_eq!(
        weights.bind(&sources).unwrap_err().to_string(),
        "the weights in memory (names are read behind `module.`): 2 tensors do not fit the network:\
         \n  tensor `module.conv1.weight` has shape 2x4, but the network needs 4x2; transposed?\
         \n  tensor `module.fc.bias` (3) is missing; did you mean `module.fc.bais`, which has that shape?"
    );
    // Names as they are come first, and shapes tell apart.
    let weights = counting(&[
        ("conv1.weight", &[4, 2]),
        ("fc.bias", &[3]),
        ("ema.conv1.weight", &[4, 2]),
        ("ema.fc.bias", &[3]),
    ]);
    let bound = weights.bind(&sources).unwrap();
    assert_eq!((bound.prefix(), bound.notes()), ("", &[][..]));
    let weights = counting(&[
        ("a.conv1.weight", &[4, 3]),
        ("a.fc.bias", &[3]),
        ("b.conv1.weight", &[4, 2]),
        ("b.fc.bias", &[3]),
    ]);
    assert_eq!(weights.bind(&sources).unwrap().prefix(), "b.");
}

#[test]
fn strict_weights_are_read_as_a_whole() {
    let sources = [source("a", &[1])];
    let weights = || {
        counting(&[
            ("a", &[1]),
            ("a.num_batches_tracked", &[1]),
            ("b", &[1]),
            ("c", &[1]),
        ])
    };
    assert_eq!(weights().bind(&sources).unwrap().unused(), ["b", "c"]);
    assert_eq!(
        weights().strict().bind(&sources).unwrap_err().to_string(),
        "the weights in memory: the network does not read 2 of its tensors, `b`, `c`"
    );
    let sources = ["a", "b", "c"].map(|name| source(name, &[1]));
    assert!(weights().strict().bind(&sources).is_ok());
    assert!(Weights::synthetic().strict().bind(&sources).is_ok());
}

#[test]
fn a_file_that_becomes_shorter_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("net.safetensors");
    let header = format!("{{{}}}", entry("a", "F32", "[100000]", "[0,400000]"));
    fs::write(&path, file(&header, 400_000)).unwrap();
    let weights = Weights::open(&path).unwrap();
    let sources = [source("a", &[100_000])];
    let bound = weights.bind(&sources).unwrap();
    assert_eq!(bound.values(0).unwrap().len(), 100_000);
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(1000)
        .unwrap();
    let length = 8 + header.len() + 400_000;
    assert_eq!(
        bound.values(0).unwrap_err().to_string(),
        format!(
            "cannot read {}: it became shorter while it was read: 1000 of {length} bytes are left",
            path.display()
        )
    );
    assert!(weights.get("a").unwrap().to_f32().is_err());
    // Replaced by another, it stays what it was.
    fs::write(&path, file(&header, 400_000)).unwrap();
    let weights = Weights::open(&path).unwrap();
    let other = directory.path().join("other");
    fs::write(&other, b"short").unwrap();
    fs::rename(&other, &path).unwrap();
    assert_eq!(weights.get("a").unwrap().to_f32().unwrap().len(), 100_000);
}

#[test]
fn values_that_are_not_finite_have_an_address() {
    let sources = [source("a", &[2, 2]), source("b", &[1]), source("c", &[3])];
    let weights = Weights::from_tensors([
        ("a", &[2, 2][..], &[0.0, 1.0, f32::NAN, f32::NAN][..]),
        ("b", &[1], &[1.0]),
        ("c", &[3], &[f32::INFINITY, 0.0, 0.0]),
    ])
    .unwrap();
    let bound = weights.bind(&sources).unwrap();
    assert_eq!(
        bound.check_finite().unwrap_err().to_string(),
        "the weights in memory: 2 tensors do not fit the network:\
         \n  tensor `a` holds NaN at index 2\
         \n  tensor `c` holds inf at index 0"
    );
    weights
        .bind(&sources[1..2])
        .unwrap()
        .check_finite()
        .unwrap();
}

#[test]
fn tensors_given_by_hand_are_checked_too() {
    let twice = [("a", &[1][..], &[1.0][..]), ("a", &[1], &[2.0])];
    assert_eq!(
        Weights::from_tensors(twice).unwrap_err().to_string(),
        "the weights in memory: tensor `a` stands twice in the header"
    );
    assert_eq!(
        Weights::from_tensors([("a", &[3][..], &[1.0][..])])
            .unwrap_err()
            .to_string(),
        "the weights in memory: tensor `a`: bytes 0 to 4 cannot hold 3 of F32"
    );
}

#[test]
fn synthetic_weights_fit_whatever_is_asked_for() {
    let weights = Weights::synthetic();
    let sources = [source("c1.weight", &[6, 1, 5, 5]), source("c1.bias", &[6])];
    let bound = weights.bind(&sources).unwrap();
    assert_eq!(bound.values(0).unwrap().len(), 150);
    assert_eq!(bound.values(0).unwrap()[2], f32::from_bits(0x3ecb_3d21));
    assert!(
        bound
            .values(1)
            .unwrap()
            .iter()
            .all(|value| value.abs() <= 0.1)
    );
    assert!(bound.unused().is_empty());
}

#[test]
fn the_lenet_weights() {
    let Some(path) = shared("data/lenet5_mnist/lenet5.safetensors") else {
        return;
    };
    let weights = Weights::open(path).unwrap();
    let names: Vec<&str> = weights.names().collect();
    assert_eq!(names.len(), 10);
    assert_eq!(names[..3], ["c1.bias", "c1.weight", "c3.bias"]);
    let sources = [
        source("c1.weight", &[6, 1, 5, 5]),
        source("out.bias", &[10]),
    ];
    let bound = weights.bind(&sources).unwrap();
    bound.check_finite().unwrap();
    assert_eq!(bound.values(0).unwrap().len(), 150);
    assert_eq!(bound.unused().len(), 8);
    let parameters: usize = names
        .iter()
        .map(|name| weights.get(name).unwrap().to_f32().unwrap().len())
        .sum();
    assert_eq!(parameters, 61_706);
}

#[test]
fn the_squeezenet_weights_in_half_precision() {
    let Some(path) = shared("data/squeezenet1_1/squeezenet1_1.safetensors") else {
        return;
    };
    let weights = Weights::open(path).unwrap();
    let conv = weights.get("features.0.weight").unwrap();
    assert_eq!((conv.dtype, conv.shape), (Dtype::F16, &[64, 3, 3, 3][..]));
    assert_eq!(weights.get("features.0.bias").unwrap().dtype, Dtype::F32);
    let sources = [source("features.0.weight", &[64, 3, 3, 3])];
    let bound = weights.bind(&sources).unwrap();
    bound.check_finite().unwrap();
    for (value, half) in bound
        .values(0)
        .unwrap()
        .iter()
        .zip(conv.bytes().unwrap().chunks(2))
    {
        let half = half::f16::from_le_bytes([half[0], half[1]]);
        assert_eq!(*value, half.to_f32());
    }
    let parameters: usize = weights
        .names()
        .map(|name| weights.get(name).unwrap().to_f32().unwrap().len())
        .sum();
    assert_eq!(parameters, 1_235_496);
}

/// The header of a sound file with each byte changed in several ways: an error or a sound file, never more.
#[test]
fn no_mutation_of_a_header_panics() {
    let sound = file(
        &format!(
            "{{{},{}}}",
            entry("a", "F32", "[2,2]", "[0,16]"),
            entry("b", "F16", "[4]", "[16,24]")
        ),
        24,
    );
    let mut refused = 0;
    for at in 0..sound.len() - 24 {
        for change in [1, 2, 4, 16, 32, 128] {
            let mut bytes = sound.clone();
            bytes[at] ^= change;
            match Weights::from_bytes(bytes) {
                Ok(weights) => {
                    for name in weights.names() {
                        let _ = weights.get(name).unwrap().to_f32();
                    }
                }
                Err(error) => {
                    refused += 1;
                    assert!(!error.to_string().is_empty());
                }
            }
        }
    }
    assert!(refused > 100, "most changes are noticed, {refused} were");
}
