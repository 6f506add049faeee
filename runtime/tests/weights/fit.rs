//! How weights fit a network: names, shapes, prefixes, what is left over.

use super::{entry, file, source};
use cnnc_runtime::plan::Source;
use cnnc_runtime::weights::{Dtype, Weights};
use cnnc_testing::shared;

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
