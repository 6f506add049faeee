//! Weights files that are not safetensors: what sound ones hold, and what hostile ones get.
//!
//! The sound ones are made by `data/make_weights.py`.

use cnnc_runtime::plan::Source;
use cnnc_runtime::weights::{Dtype, Weights};
use cnnc_testing::{Counting, most};
use std::io::Write;
use std::path::PathBuf;

mod archives;
mod largest;
mod mutants;
mod torch;

#[global_allocator]
static MEMORY: Counting = Counting;

/// The most bytes that something takes at a time: what a file makes of them must be in proportion to its length.
fn peak(run: impl FnOnce()) -> usize {
    let ((), bytes) = most(run);
    bytes
}

/// Bytes that reading a file of so many may take, the file included.
fn allowed(len: usize) -> usize {
    2 * len + (64 << 20)
}

const TORCH: &[&str] = &[
    "torch.pt",
    "torch_checkpoint.pt",
    "torch_legacy.pt",
    "torch_objects.pt",
    "torch_objects_5.pt",
    "torch_legacy_objects_4.pt",
];

const NUMPY: &[&str] = &["stored.npz", "deflated.npz"];

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap()
}

fn error(file: Vec<u8>) -> String {
    let error = Weights::from_bytes(file)
        .expect_err("should be refused")
        .to_string();
    error
        .strip_prefix("the weights in memory: ")
        .unwrap()
        .to_owned()
}

#[track_caller]
fn expect(weights: &Weights, name: &str, dtype: Dtype, shape: &[usize], values: &[f32]) {
    let tensor = weights
        .get(name)
        .unwrap_or_else(|| panic!("{name} is missing"));
    assert_eq!((tensor.dtype, tensor.shape), (dtype, shape), "{name}");
    assert_eq!(&tensor.to_f32().unwrap()[..], values, "{name}");
}

fn source(name: &str, shape: &[usize]) -> Source {
    Source {
        name: name.to_owned().into(),
        shape: shape.to_vec().into(),
    }
}

#[test]
fn pytorch_files_of_every_kind() {
    for name in TORCH {
        let weights = Weights::open(path(name)).unwrap();
        let sources = [
            source("conv.weight", &[2, 1, 2, 3]),
            source("fc.weight", &[3, 2]),
        ];
        let bound = weights.bind(&sources).unwrap();
        let parallel = *name == "torch_checkpoint.pt";
        assert_eq!(bound.prefix(), if parallel { "module." } else { "" });
        let expect = |name: &str, dtype, shape: &[usize], values: &[f32]| {
            let name = format!("{}{name}", bound.prefix());
            expect(&weights, &name, dtype, shape, values);
        };
        let count: Vec<f32> = (0..12).map(|n| n as f32).collect();
        expect("conv.weight", Dtype::F32, &[2, 1, 2, 3], &count);
        expect("conv.bias", Dtype::F32, &[2], &[22.0, 23.0]);
        // Strides (1, 3) from element 6 on.
        let turned = [6.0, 9.0, 7.0, 10.0, 8.0, 11.0];
        expect("fc.weight", Dtype::F32, &[3, 2], &turned);
        assert_eq!(&bound.values(1).unwrap()[..], turned);
        expect("bn.running_mean", Dtype::F16, &[2], &[0.5, -1.5]);
        expect("bn.running_var", Dtype::BF16, &[2], &[1.0, 0.25]);
        expect("bn.weight", Dtype::F64, &[2], &[2.0, f32::INFINITY]);
        expect("bn.num_batches_tracked", Dtype::I64, &[], &[7.0]);
        assert_eq!(weights.names().len(), 7, "{name}");
    }
}

#[test]
fn numpy_archives_packed_or_not() {
    for name in NUMPY {
        let weights = Weights::open(path(name)).unwrap();
        let count: Vec<f32> = (0..12).map(|n| n as f32).collect();
        expect(&weights, "conv.weight", Dtype::F32, &[2, 1, 2, 3], &count);
        expect(
            &weights,
            "fc.weight",
            Dtype::F32,
            &[3, 2],
            &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0],
        );
        expect(&weights, "bn.running_mean", Dtype::F16, &[2], &[0.5, -1.5]);
        expect(
            &weights,
            "bn.weight",
            Dtype::F64,
            &[2],
            &[2.0, f32::INFINITY],
        );
        assert_eq!(weights.names().len(), 4, "{name}");
    }
    // What no network reads does not hide the rest.
    let weights = Weights::open(path("deflated.npz")).unwrap();
    let unread: Vec<_> = weights.unread().collect();
    assert_eq!(
        unread,
        [
            ("names", "a numpy array of `<U2`"),
            ("objects", "a numpy array of `|O`"),
            ("spectrum", "a numpy array of `<c16`"),
            ("when", "a numpy array of `<M8[D]`"),
        ]
    );
    assert_eq!(
        weights
            .bind(&[source("names", &[2])])
            .unwrap_err()
            .to_string(),
        format!(
            "{}: `names` is a numpy array of `<U2`, which is not read",
            weights.origin()
        )
    );
}

#[test]
fn darknet_files_take_their_names_from_the_network() {
    let mut file: Vec<u8> = [0i32, 2, 0, 0, 0]
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .collect();
    file.extend(
        [5.0f32, 1.0, 2.0]
            .iter()
            .flat_map(|number| number.to_le_bytes()),
    );
    let weights = Weights::from_bytes(file).unwrap();
    assert_eq!(weights.names().len(), 0);
    let sources = [
        source("conv1.weight", &[1, 2, 1, 1]),
        source("conv1.bias", &[1]),
    ];
    let bound = weights.bind(&sources).unwrap();
    assert_eq!(
        (&bound.values(0).unwrap()[..], &bound.values(1).unwrap()[..]),
        (&[1.0, 2.0][..], &[5.0][..])
    );
    let error = weights.bind(&sources[..1]).unwrap_err().to_string();
    assert_eq!(
        error,
        "the weights in memory: darknet cannot have stored tensor `conv1.weight`: \
         its layers have a bias or a batch norm"
    );
}

/// From how many bytes on, the beginning of a file says what it is.
const KNOWN: usize = 32;

#[test]
fn every_truncation_is_called_one() {
    for name in TORCH.iter().chain(NUMPY) {
        let file = bytes(name);
        for len in 0..file.len() {
            let message = error(file[..len].to_vec());
            let said = format!("the file is truncated: {len} bytes are there, ");
            assert!(
                len < KNOWN || message.starts_with(&said),
                "{name} cut to {len}: {message}"
            );
        }
    }
}

/// What is missing of a file is said as far as the rest of it knows.
#[test]
fn bytes_that_a_truncated_file_needs() {
    let cut = |name: &str, len: usize| {
        let message = error(bytes(name)[..len].to_vec());
        let start = format!("the file is truncated: {len} bytes are there, ");
        message.strip_prefix(&start).unwrap().to_owned()
    };
    let whole = bytes("torch_legacy.pt").len();
    assert_eq!(
        cut("torch_legacy.pt", whole - 1),
        format!("{whole} are needed")
    );
    assert_eq!(
        cut("torch_legacy.pt", whole - 90),
        format!("{whole} are needed")
    );
    assert_eq!(
        cut("torch_legacy.pt", 300),
        "and the end of the list of its tensors is missing"
    );
    // The archive's first member lacks its end.
    assert!(cut("stored.npz", 100).starts_with("at least "));
    assert_eq!(
        cut("stored.npz", bytes("stored.npz").len() - 1),
        "and its directory, which stands at the end, is missing"
    );
    // As PyTorch writes them, only what stands behind a member says how long it is: the pickle does.
    let mut file = bytes("torch.pt");
    file[6] |= 8;
    let next = file.windows(9).position(|name| name == b"byteorder");
    let message = error(file[..next.unwrap()].to_vec());
    // 24, 2, 2, 2 and 1 numbers of 4, 2, 2, 8 and 8 bytes, behind the pickle.
    let needed = message.split(' ').nth_back(2).unwrap();
    assert!(message.contains(" bytes are there, at least "), "{message}");
    let pickle = needed.parse::<usize>().unwrap() - (24 * 4 + 2 * 2 + 2 * 2 + 2 * 8 + 8);
    assert!(file[..pickle].ends_with(b"b."), "{message}");
}

#[test]
fn no_damaged_byte_is_fatal() {
    for name in TORCH.iter().chain(NUMPY) {
        let file = bytes(name);
        for at in 0..file.len() {
            for damage in [0x01, 0x80, 0xff] {
                let mut file = file.clone();
                file[at] ^= damage;
                // It may still be read: a changed weight is a weight. What is read can be used.
                if let Ok(weights) = Weights::from_bytes(file) {
                    for name in weights.names() {
                        let tensor = weights.get(name).unwrap();
                        match tensor.to_f32() {
                            Ok(values) => assert_eq!(
                                values.len(),
                                tensor.shape.iter().product::<usize>(),
                                "{name}"
                            ),
                            Err(error) => assert!(!error.to_string().is_empty()),
                        }
                    }
                }
            }
        }
    }
}

/// A zip archive of `(name, bytes, whether to compress)`.
fn zip(members: &[(&str, &[u8], bool)]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut file);
    for &(name, bytes, compress) in members {
        let method = match compress {
            true => rawzip::CompressionMethod::DEFLATE,
            false => rawzip::CompressionMethod::STORE,
        };
        let (mut entry, config) = archive
            .new_file(name)
            .compression_method(method)
            .start()
            .unwrap();
        let descriptor = if compress {
            let encoder =
                flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::fast());
            let mut writer = config.wrap(encoder);
            writer.write_all(bytes).unwrap();
            let (encoder, descriptor) = writer.finish().unwrap();
            encoder.finish().unwrap();
            descriptor
        } else {
            let mut writer = config.wrap(&mut entry);
            writer.write_all(bytes).unwrap();
            writer.finish().unwrap().1
        };
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap();
    file
}
