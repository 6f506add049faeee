//! Weights files that are not safetensors: what sound ones hold, and what hostile ones get.
//!
//! The sound ones are made by `data/make_weights.py`.

use cnnc_runtime::plan::Source;
use cnnc_runtime::weights::{Dtype, Weights};
use std::io::Write;
use std::path::PathBuf;

const FILES: &[&str] = &[
    "torch.pt",
    "torch_checkpoint.pt",
    "torch_legacy.pt",
    "stored.npz",
    "deflated.npz",
];

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

#[test]
fn pytorch_files_of_every_kind() {
    for name in ["torch.pt", "torch_checkpoint.pt", "torch_legacy.pt"] {
        let weights = Weights::open(path(name)).unwrap();
        let count: Vec<f32> = (0..12).map(|n| n as f32).collect();
        expect(&weights, "conv.weight", Dtype::F32, &[2, 1, 2, 3], &count);
        expect(&weights, "conv.bias", Dtype::F32, &[2], &[22.0, 23.0]);
        // Strides (1, 3) from element 6 on.
        expect(
            &weights,
            "fc.weight",
            Dtype::F32,
            &[3, 2],
            &[6.0, 9.0, 7.0, 10.0, 8.0, 11.0],
        );
        expect(&weights, "bn.running_mean", Dtype::F16, &[2], &[0.5, -1.5]);
        expect(&weights, "bn.running_var", Dtype::BF16, &[2], &[1.0, 0.25]);
        expect(
            &weights,
            "bn.weight",
            Dtype::F64,
            &[2],
            &[2.0, f32::INFINITY],
        );
        expect(&weights, "bn.num_batches_tracked", Dtype::I64, &[], &[7.0]);
        assert_eq!(weights.names().len(), 7, "{name}");
    }
}

#[test]
fn numpy_archives_packed_or_not() {
    for name in ["stored.npz", "deflated.npz"] {
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
}

#[test]
fn darknet_files_take_their_names_from_the_network() {
    let source = |name: &'static str, shape: &'static [usize]| Source {
        name: name.into(),
        shape: shape.into(),
    };
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
        (&bound.values(0)[..], &bound.values(1)[..]),
        (&[1.0, 2.0][..], &[5.0][..])
    );
    let error = weights.bind(&sources[..1]).unwrap_err().to_string();
    assert_eq!(
        error,
        "the weights in memory: darknet cannot have stored tensor `conv1.weight`: \
         its layers have a bias or a batch norm"
    );
}

#[test]
fn every_truncation_is_an_error() {
    for name in FILES {
        let file = bytes(name);
        for len in 0..file.len() {
            let message = error(file[..len].to_vec());
            assert!(!message.is_empty(), "{name} cut to {len}");
        }
    }
}

#[test]
fn no_damaged_byte_is_fatal() {
    for name in FILES {
        let file = bytes(name);
        for at in 0..file.len() {
            for damage in [0x01, 0x80, 0xff] {
                let mut file = file.clone();
                file[at] ^= damage;
                // It may still be read: a changed weight is a weight. What is read can be used.
                if let Ok(weights) = Weights::from_bytes(file) {
                    for name in weights.names() {
                        let tensor = weights.get(name).unwrap();
                        let values = tensor.to_f32().map_or(0, |values| values.len());
                        assert_eq!(values, tensor.shape.iter().product::<usize>(), "{name}");
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

/// A PyTorch file of a pickle (without its final `STOP`) and one storage `0` of 24 bytes.
fn torch(pickle: &[u8]) -> Vec<u8> {
    let pickle = [b"\x80\x02", pickle, b"."].concat();
    zip(&[
        ("x/data.pkl", &pickle, false),
        ("x/data/0", &[0; 24], false),
    ])
}

fn integers(values: &[i64]) -> Vec<u8> {
    let longs = values
        .iter()
        .flat_map(|value| [&b"\x8a\x08"[..], &value.to_le_bytes()].concat());
    [&b"("[..], &longs.collect::<Vec<u8>>(), b"t"].concat()
}

/// The pickle of `{"w": tensor}` over a storage of `len` f32 under `key`.
fn tensor(key: &str, len: i64, offset: i64, shape: &[i64], strides: &[i64]) -> Vec<u8> {
    let int = |value: i64| [&b"\x8a\x08"[..], &value.to_le_bytes()].concat();
    let text = |text: &str| [&[0x8c, text.len() as u8], text.as_bytes()].concat();
    [
        &b"}"[..],
        &text("w"),
        b"ctorch._utils\n_rebuild_tensor_v2\n((",
        &text("storage"),
        b"ctorch\nFloatStorage\n",
        &text(key),
        &text("cpu"),
        &int(len),
        b"tQ",
        &int(offset),
        &integers(shape),
        &integers(strides),
        b"\x89}tRs",
    ]
    .concat()
}

#[test]
fn hostile_tensors() {
    for (file, message) in [
        (tensor("0", 6, 0, &[2, 3], &[3, 1]), None),
        (tensor("0", 6, 0, &[0, 3], &[3, 1]), None),
        (
            tensor("0", 7, 0, &[2, 3], &[3, 1]),
            Some("`w`: its storage `0` is missing, compressed or truncated"),
        ),
        (
            tensor("1", 6, 0, &[2, 3], &[3, 1]),
            Some("`w`: its storage `1` is missing, compressed or truncated"),
        ),
        (
            tensor("0", i64::MAX, 0, &[2], &[1]),
            Some("`w`: its storage `0` is missing, compressed or truncated"),
        ),
        (
            tensor("0", 6, 1, &[2, 3], &[3, 1]),
            Some("`w` reaches beyond the end of its storage"),
        ),
        (
            tensor("0", 6, i64::MAX, &[1], &[1]),
            Some("`w` reaches beyond the end of its storage"),
        ),
        (
            tensor("0", 6, 0, &[2, 3], &[4, 1]),
            Some("`w` reaches beyond the end of its storage"),
        ),
        (
            tensor("0", 6, 0, &[2, 3], &[i64::MAX, 1]),
            Some("`w` reaches beyond the end of its storage"),
        ),
        (
            tensor("0", 6, 0, &[1 << 40, 1 << 40], &[0, 0]),
            Some("`w` reaches beyond the end of its storage"),
        ),
        (
            tensor("0", 6, 0, &[1 << 40], &[0]),
            Some("`w` repeats its elements, and would not fit a file of this size"),
        ),
    ] {
        match message {
            None => drop(Weights::from_bytes(torch(&file)).unwrap()),
            Some(message) => assert_eq!(error(torch(&file)), format!("tensor {message}")),
        }
    }
    let expected = [
        (
            tensor("0", 6, -1, &[2], &[1]),
            "an offset of the tensor in its storage",
        ),
        (tensor("0", 6, 0, &[-2], &[1]), "the extents of the tensor"),
        (tensor("0", 6, 0, &[2], &[-1]), "the strides of the tensor"),
        (
            tensor("0", 6, 0, &[2], &[1, 1]),
            "a stride for every extent",
        ),
        (
            tensor("0", 6, 0, &[1; 17], &[1; 17]),
            "the extents of the tensor",
        ),
    ];
    for (file, what) in expected {
        let message = error(torch(&file));
        assert!(message.ends_with(&format!("expected {what}")), "{message}");
    }
}

#[test]
fn nothing_is_called_that_is_not_known() {
    let not_called = |name: &str| {
        format!(
            "the pickle asks for `{name}`, which is not called: only plain state dicts are read; \
             save `model.state_dict()`"
        )
    };
    for (pickle, name) in [
        (
            &b"cposix\nsystem\n(X\x07\0\0\0echo hitR"[..],
            "posix.system",
        ),
        (b"c__builtin__\neval\n", "__builtin__.eval"),
        (b"\x8c\x08builtins\x8c\x04exec\x93", "builtins.exec"),
        (
            b"ctorch.storage\n_load_from_bytes\n",
            "torch.storage._load_from_bytes",
        ),
        (b"ctorch\nload\n", "torch.load"),
        (
            b"ctorchvision.models.resnet\nResNet\n)\x81",
            "torchvision.models.resnet.ResNet",
        ),
        (
            b"cnumpy.core.multiarray\nscalar\n",
            "numpy.core.multiarray.scalar",
        ),
    ] {
        assert_eq!(error(torch(pickle)), not_called(name));
    }
    for (pickle, opcode, at) in [
        (&b")\x81"[..], "0x81", 3),
        (b"(o", "0x6f", 3),
        (b"iposix\nsystem\n", "0x69", 2),
        (b"\x82\x01", "0x82", 2),
        (b"Pid\n", "0x50", 2),
    ] {
        assert_eq!(
            error(torch(pickle)),
            format!("the pickle has instruction {opcode} at byte {at}, which no state dict needs")
        );
    }
}

#[test]
fn hostile_pickles() {
    let nested = |open: &[u8], close: &[u8]| {
        let depth = 500_000;
        [open.repeat(depth), close.repeat(depth)].concat()
    };
    let no_dict = |found: &str| {
        format!(
            "a PyTorch file with {found}, where a dictionary of tensors should be; save `model.state_dict()`"
        )
    };
    // Ten levels of ten references to the level below: ten thousand million leaves, if copied.
    let laughs = b"]\x94".iter().copied().chain((0..10u8).flat_map(|level| {
        let refer = [b'h', level].repeat(10);
        [&b"]\x94("[..], &refer, b"e"].concat()
    }));
    for (pickle, message) in [
        // A list, and a dictionary, that contain themselves.
        (b"]q\0h\0a".to_vec(), no_dict("a list")),
        (
            b"}q\0K\x01h\0s".to_vec(),
            no_dict("a dictionary without tensors"),
        ),
        (nested(b"]", b"a")[..999_999].to_vec(), no_dict("a list")),
        (nested(b")", b"\x85"), no_dict("a tuple")),
        (laughs.collect(), no_dict("a list")),
        (b"]r\xff\xff\xff\xff".to_vec(), no_dict("a list")),
        (b"K\x01".to_vec(), no_dict("a plain value")),
        (
            tensor("0", 6, 0, &[6], &[1])[4..]
                .strip_suffix(b"s")
                .unwrap()
                .to_vec(),
            no_dict("a single tensor"),
        ),
        (
            b"N0".repeat(3_000_000),
            "the pickle has more than 4194304 instructions".to_owned(),
        ),
        (
            b"\x8d\0\0\0\0\0\0\0\x10".to_vec(),
            "the pickle ends before its last instruction".to_owned(),
        ),
        (
            b"X\xff\xff\xff\xffabc".to_vec(),
            "the pickle ends before its last instruction".to_owned(),
        ),
        (
            b"\x8b\xff\xff\xff\xff".to_vec(),
            "the pickle ends before its last instruction".to_owned(),
        ),
    ] {
        assert_eq!(error(torch(&pickle)), message);
    }
    for (pickle, at, what) in [
        (&b"0"[..], 2, "more values on the stack"),
        (b"K\x01(0", 5, "more values on the stack"),
        (b"t", 2, "a mark on the stack"),
        (b"h\x07", 2, "a value that was kept before"),
        (b"K\x01K\x02a", 6, "a list to append to"),
        (b"](K\x01K\x02u", 8, "a dictionary to write to"),
        (b"}(K\x01u", 6, "a value for every key"),
        (b"K\x01K\x02R", 6, "a function"),
        (b"ctorch\nSize\nNR", 15, "a tuple of arguments"),
        (
            b"ctorch\nSize\n)R",
            15,
            "as many arguments as the function has",
        ),
        (b"ctorch\nFloatStorage\n)R", 23, "no call of a storage type"),
        (
            b"ccollections\nOrderedDict\nK\x01\x85R",
            30,
            "a list of entries",
        ),
        (b"K\x01}b", 5, "a dictionary to attach attributes to"),
        (b"NQ", 3, "a storage"),
        (b"Iten\n", 2, "an integer"),
        (b"Ften\n", 2, "a number"),
        (b"S'a\\'b'\n", 2, "a plain string"),
        (b"X\x01\0\0\0\xff", 2, "text in UTF-8"),
    ] {
        let message = format!("the pickle is damaged at byte {at}: expected {what}");
        assert_eq!(
            error(torch(pickle)),
            message,
            "{}",
            String::from_utf8_lossy(pickle)
        );
    }
}

#[test]
fn pytorch_files_that_are_something_else() {
    let dict = [b"\x80\x02", &tensor("0", 6, 0, &[6], &[1])[..], b"."].concat();
    let file = |more: &[(&str, &[u8], bool)]| {
        zip(&[
            &[
                ("x/data.pkl", &dict[..], false),
                ("x/data/0", &[0; 24], false),
            ],
            more,
        ]
        .concat())
    };
    assert!(Weights::from_bytes(file(&[])).is_ok());
    assert_eq!(
        error(file(&[("x/constants.pkl", b"", false)])),
        "a TorchScript program; save the module's `state_dict()` instead"
    );
    assert_eq!(
        error(file(&[("x/byteorder", b"big", false)])),
        "a PyTorch file that is not read: its numbers are big-endian"
    );
    // {"a": {"w": tensor}, "b": {"w": tensor}}: neither is likelier.
    let one = tensor("0", 6, 0, &[6], &[1]);
    let two = [&b"}(\x8c\x01a"[..], &one, b"\x8c\x01b", &one, b"u"].concat();
    assert_eq!(
        error(torch(&two)),
        "a PyTorch file with several state dicts (`a`, `b`); save the one that is wanted on its own"
    );
    let preferred = [&b"}(\x8c\x01a"[..], &one, b"\x8c\x05model", &one, b"u"].concat();
    assert!(Weights::from_bytes(torch(&preferred)).is_ok());
    let packed = zip(&[("x/data.pkl", &dict, true), ("x/data/0", &[0; 24], true)]);
    assert_eq!(
        error(packed),
        "tensor `w`: its storage `0` is missing, compressed or truncated"
    );
}

fn npy(shape: &str, data: usize) -> Vec<u8> {
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}");
    let len = (header.len() as u16).to_le_bytes();
    [
        &b"\x93NUMPY\x01\0"[..],
        &len,
        header.as_bytes(),
        &vec![0; data],
    ]
    .concat()
}

#[test]
fn zip_bombs_and_broken_archives() {
    let array = npy("(2, 3)", 24);
    assert_eq!(
        error(zip(&[("readme.txt", b"hello", false)])),
        "a zip archive without weights: neither `data.pkl` nor `.npy` files"
    );
    assert_eq!(
        error(zip(&[("a.npy", &npy("(1000000, 1000000)", 24), true)])),
        "tensor `a`: the numpy array needs 4000000000000 bytes, but 24 are there"
    );
    assert_eq!(
        error(zip(&[("a.npy", &array, true), ("a.npy", &array, true)])),
        "`a.npy` in the zip archive stands twice or is no proper name"
    );

    let zeros = npy("(20000000,)", 80_000_000);
    let bomb = zip(&[("a.npy", &zeros, true)]);
    assert!(bomb.len() < 1_000_000);
    let message = error(bomb.clone());
    assert!(
        message.starts_with("the zip archive would unpack to 80000"),
        "{message}"
    );
    assert!(
        message.ends_with("more than the 67108864 that an archive of its size may"),
        "{message}"
    );

    // The same, with a directory that claims little: no more than claimed is unpacked.
    let mut liar = bomb;
    let len = (zeros.len() as u32).to_le_bytes();
    let claims = liar
        .windows(4)
        .enumerate()
        .filter(|(_, window)| *window == len);
    let claims: Vec<usize> = claims.map(|(at, _)| at).collect();
    assert!(!claims.is_empty());
    for at in claims {
        liar[at..at + 4].copy_from_slice(&1000u32.to_le_bytes());
    }
    assert_eq!(
        error(liar),
        "`a.npy` in the zip archive is damaged: it does not unpack to what was packed"
    );

    // Both entries of the directory point at one member.
    let mut overlap = zip(&[("a.npy", &array, false), ("b.npy", &array, false)]);
    let entries: Vec<usize> = (0..overlap.len() - 4)
        .filter(|&at| overlap[at..].starts_with(b"PK\x01\x02"))
        .collect();
    let offset = overlap[entries[0] + 42..entries[0] + 46].to_vec();
    overlap[entries[1] + 42..entries[1] + 46].copy_from_slice(&offset);
    assert_eq!(
        error(overlap),
        "`a.npy` and `b.npy` in the zip archive claim the same bytes"
    );

    let mut method = zip(&[("a.npy", &array, false)]);
    let entry = (0..method.len())
        .find(|&at| method[at..].starts_with(b"PK\x01\x02"))
        .unwrap();
    method[entry + 10] = 12;
    assert_eq!(
        error(method),
        "`a.npy` in the zip archive is encrypted, or not packed by deflate"
    );
}
