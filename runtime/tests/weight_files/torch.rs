//! PyTorch's files: hostile pickles, and what else is in a checkpoint.

use super::{error, path, source, zip};
use cnnc_runtime::weights::Weights;

/// A PyTorch file of a pickle (without its final `STOP`) and one storage `0` of 24 bytes.
pub fn torch(pickle: &[u8]) -> Vec<u8> {
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
pub fn tensor(key: &str, len: i64, offset: i64, shape: &[i64], strides: &[i64]) -> Vec<u8> {
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
            tensor("0", 6, 0, &[1 << 62], &[0]),
            Some("`w` reaches beyond the end of its storage"),
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
            tensor("0", 6, 0, &[1; 65], &[1; 65]),
            "the extents of the tensor",
        ),
    ];
    for (file, what) in expected {
        let message = error(torch(&file));
        assert!(message.ends_with(&format!("expected {what}")), "{message}");
    }
    // A tensor that repeats one number is there, but takes no memory; nor is it read for its own sake.
    let repeated = torch(&tensor("0", 6, 0, &[1 << 40], &[0]));
    let limit = 2 * repeated.len() + (32 << 20);
    let weights = Weights::from_bytes(repeated).unwrap();
    assert_eq!(
        weights.get("w").unwrap().to_f32().unwrap_err().to_string(),
        format!(
            "the weights in memory: a tensor takes 4398046511104 bytes, \
             more than the {limit} that one in a file of this size may take"
        )
    );
}

#[test]
fn nothing_is_called_that_is_not_known() {
    let not_called = |name: &str| {
        format!(
            "a PyTorch file with an object of `{name}`, where a dictionary of tensors should be; \
             save `model.state_dict()`"
        )
    };
    for (pickle, name) in [
        (
            &b"cposix\nsystem\n(X\x07\0\0\0echo hitR"[..],
            "posix.system",
        ),
        (b"c__builtin__\neval\n(tR", "__builtin__.eval"),
        (b"\x8c\x08builtins\x8c\x04exec\x93)R", "builtins.exec"),
        (b"ctorch\nload\n)R}b", "torch.load"),
        (
            b"ctorchvision.models.resnet\nResNet\n)\x81",
            "torchvision.models.resnet.ResNet",
        ),
        (
            b"cnumpy.core.multiarray\nscalar\n)R",
            "numpy.core.multiarray.scalar",
        ),
        (b"cmodels\nYolo\n)}\x92X\x01\0\0\0xb", "models.Yolo"),
        (
            b"ccopyreg\n_reconstructor\n(cmodels\nNet\ncbuiltins\nobject\nNtR",
            "models.Net",
        ),
        // What a call gave, called again.
        (b"cposix\nsystem\n)R)R", "posix.system"),
        (b"(cposix\nsystem\nK\x01o", "posix.system"),
        (b"(K\x01iposix\nsystem\n", "posix.system"),
    ] {
        assert_eq!(error(torch(pickle)), not_called(name));
    }
    let plain = "a PyTorch file with a plain value, where a dictionary of tensors should be; \
                 save `model.state_dict()`";
    // Named, but not even asked to be called.
    for named in [
        &b"ctorch.storage\n_load_from_bytes\n"[..],
        b"cnumpy.core.multiarray\nscalar\n",
    ] {
        assert_eq!(error(torch(named)), plain);
    }
    let within = b"}\x8c\x05modelcmodels\nYolo\n)\x81s";
    assert_eq!(
        error(torch(within)),
        "a PyTorch file with a dictionary without tensors, but with objects of `models.Yolo`, \
         where a dictionary of tensors should be; save `model.state_dict()`"
    );
    for (pickle, what) in [
        (&b"\x82\x01"[..], "an extension of pickle"),
        (b"\x97\x98", "a buffer outside of the file"),
        (b"Pid\n", "a persistent id"),
        (b"NQ", "a persistent id"),
    ] {
        assert!(
            error(torch(pickle)).starts_with(&format!("a PyTorch file with an object of {what},"))
        );
    }
    assert_eq!(
        error(torch(b"\xee")),
        "the pickle is damaged at byte 2: 0xee is no instruction"
    );
}

#[test]
fn hostile_pickles() {
    let nested = |open: &[u8], close: &[u8]| {
        let depth = 200_000;
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
        (b"]q\0h\0a".to_vec(), no_dict("a list without tensors")),
        (
            b"}q\0K\x01h\0s".to_vec(),
            no_dict("a dictionary without tensors"),
        ),
        (
            nested(b"]", b"a")[..399_999].to_vec(),
            no_dict("a list without tensors"),
        ),
        (nested(b")", b"\x85"), no_dict("a tuple without tensors")),
        (laughs.collect(), no_dict("a list without tensors")),
        (
            b"]r\xff\xff\xff\xff".to_vec(),
            no_dict("a list without tensors"),
        ),
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
            b"\x88".repeat(3_000_000),
            "the pickle builds far more than the state dict of a file of its size".to_owned(),
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
        (b"ctorch\nFloatStorage\n)R", 23, "no call of a type"),
        (b"ctorch\nfloat32\n)R", 18, "no call of a type"),
        (
            b"ccollections\nOrderedDict\nK\x01\x85R",
            30,
            "a list of entries",
        ),
        (b"Iten\n", 2, "an integer"),
        (b"Ften\n", 2, "a number"),
        (b"S\n", 2, "a string"),
        (b"cx\xff\ny\n", 2, "text in UTF-8"),
        (b"K\x01K\x02\x81", 6, "a function"),
        (b"(o", 3, "a type"),
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
    let packed = zip(&[("x/data.pkl", &dict, true), ("x/data/0", &[0; 24], true)]);
    assert_eq!(
        error(packed),
        "tensor `w`: its storage `0` is missing, compressed or truncated"
    );
}

#[test]
fn what_else_is_in_a_checkpoint_is_left_alone_and_said() {
    for name in [
        "torch_objects.pt",
        "torch_objects_5.pt",
        "torch_legacy_objects_4.pt",
    ] {
        let weights = Weights::open(path(name)).unwrap();
        let notes = weights.notes();
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(
            notes[0].starts_with("objects of `")
                && notes[0].ends_with(" and no code of theirs is run"),
            "{notes:?}"
        );
        let unread: Vec<_> = weights.unread().collect();
        let expected = [
            (
                "sparse",
                "an object of `torch._utils._rebuild_sparse_tensor`",
            ),
            ("spectrum", "a tensor of complex128"),
        ];
        assert_eq!(unread, expected, "{name}");
        let sources = [source("spectrum", &[2])];
        assert_eq!(
            weights.bind(&sources).unwrap_err().to_string(),
            format!(
                "{}: `spectrum` is a tensor of complex128, which is not read",
                weights.origin()
            )
        );
    }
    assert!(Weights::open(path("torch.pt")).unwrap().notes().is_empty());
}

/// `{path: {"w": tensor}, …}` of one or more paths.
fn nested(paths: &[&str]) -> Vec<u8> {
    let text = |text: &str| [&[0x8c, text.len() as u8], text.as_bytes()].concat();
    let mut pickle = b"}(".to_vec();
    for path in paths {
        let keys: Vec<&str> = path.split('.').collect();
        let mut inner = tensor("0", 6, 0, &[6], &[1]);
        for key in keys[1..].iter().rev() {
            inner = [&b"}"[..], &text(key), &inner, b"s"].concat();
        }
        pickle.extend([text(keys[0]), inner].concat());
    }
    pickle.push(b'u');
    torch(&pickle)
}

#[test]
fn state_dicts_are_found_wherever_they_are() {
    let names = |paths: &[&str]| {
        let weights = Weights::from_bytes(nested(paths)).unwrap();
        weights
            .names()
            .map(str::to_owned)
            .collect::<Vec<_>>()
            .join(" ")
    };
    // One is read by its own names, several by those that tell them apart.
    for path in [
        "state_dict",
        "model",
        "ema",
        "whatever",
        "a.b.c",
        "checkpoint.model",
    ] {
        assert_eq!(names(&[path]), "w", "{path}");
        assert_eq!(
            names(&[path, "optimizer.state", "lr_schedulers"]),
            "w",
            "{path}"
        );
    }
    assert_eq!(names(&["ema", "model"]), "ema.w model.w");
    assert_eq!(
        names(&["net.encoder", "net.decoder"]),
        "net.decoder.w net.encoder.w"
    );
    let sources = [source("w", &[6])];
    let read = |paths: &[&str]| {
        let weights = Weights::from_bytes(nested(paths)).unwrap();
        match weights.bind(&sources) {
            Ok(bound) => bound.notes().join(";"),
            Err(error) => error.to_string(),
        }
    };
    assert_eq!(read(&["model"]), "");
    assert_eq!(
        read(&["ema", "model"]),
        "names are read behind `model.`, not behind `ema.`"
    );
    assert_eq!(
        read(&["teacher", "student"]),
        "the weights in memory: the network fits behind several prefixes, `student.`, `teacher.`; \
         choose one in the spec: `weights map { \"student.*\" -> \"*\" }`"
    );
    let both = Weights::from_bytes(nested(&["encoder", "decoder"])).unwrap();
    let sources = [source("encoder.w", &[6]), source("decoder.w", &[6])];
    assert!(both.bind(&sources).unwrap().notes().is_empty());
}
