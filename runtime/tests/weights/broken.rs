//! What is said of files that are broken, or something else.

use super::{entry, file, refused, source};
use cnnc_runtime::weights::Weights;
use std::fs;

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
            ": it looks like an ONNX model; under a name that ends in .onnx it stands in the place of a spec, and `cnnc import NET.onnx -o NET.cnn` \
             writes its spec and weights",
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
