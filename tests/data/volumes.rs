//! Arrays of numpy in one file, with a target for each sample.

use super::{Folder, all, is_in, model};
use cnnc::train::{Recipe, UNLABELLED, Whereabouts};
use cnnc::{Model, Weights};
use flate2::Crc;

/// An array of numpy: its type, its shape, its bytes.
fn npy(dtype: &str, shape: &[usize], bytes: &[u8]) -> Vec<u8> {
    let shape: String = shape.iter().map(|extent| format!("{extent},")).collect();
    let header = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({shape}), }}\n");
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(bytes);
    file
}

fn floats(shape: &[usize], values: &[f32]) -> Vec<u8> {
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    npy("<f4", shape, &bytes)
}

fn integers(shape: &[usize], values: &[i64]) -> Vec<u8> {
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    npy("<i8", shape, &bytes)
}

/// A zip file of arrays as `numpy.savez` writes it, not compressed (APPNOTE.TXT 6.3, sections 4.3.7, 4.3.12, 4.3.16).
fn npz(arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in arrays {
        let name = format!("{name}.npy");
        let mut crc = Crc::new();
        crc.update(bytes);
        let at = file.len() as u32;
        let mut common = Vec::new();
        common.extend([20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0]);
        common.extend(crc.sum().to_le_bytes());
        for _ in 0..2 {
            common.extend((bytes.len() as u32).to_le_bytes());
        }
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        file.extend(b"PK\x03\x04");
        file.extend(&common);
        file.extend(name.as_bytes());
        file.extend(bytes);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (start, count) = (file.len() as u32, arrays.len() as u16);
    file.extend(&directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend(count.to_le_bytes());
    file.extend(count.to_le_bytes());
    file.extend((directory.len() as u32).to_le_bytes());
    file.extend(start.to_le_bytes());
    file.extend([0, 0]);
    file
}

fn net(body: &str) -> Model {
    let spec = format!("cnn 1; model Net {{ {body} }}");
    cnnc::compile_str("net.cnn", &spec).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn samples_lie_along_the_first_axis() {
    let folder = Folder::new();
    let net = model("1x2x1x2", 3, "");
    let x = floats(
        &[3, 2, 1, 2],
        &[0.0, 1.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0],
    );
    let y = integers(&[3], &[2, 0, 1]);
    folder.write("a.npz", npz(&[("x", x.clone()), ("y", y.clone())]));
    let data = folder.open("a.npz", Some("a.npz"), &net).unwrap();
    let expected = [
        (vec![0.0, 1.0, 2.5, 3.0], 2),
        (vec![4.0, 5.0, 6.0, 7.0], 0),
        (vec![8.0, 9.0, 10.0, 11.0], 1),
    ];
    assert_eq!(
        (all(&data.train), &*data.kind),
        (expected.to_vec(), "arrays")
    );
    // With a set to be judged by.
    let one = floats(&[1, 2, 1, 2], &[1.0, 2.0, 3.0, 4.0]);
    let parts = [
        ("x_train", x),
        ("y_train", y),
        ("x_test", one),
        ("y_test", integers(&[1, 1], &[2])),
    ];
    folder.write("b.npz", npz(&parts));
    let data = folder.open("b.npz", None, &net).unwrap();
    assert_eq!(all(&data.train), expected);
    assert_eq!(all(&data.test), [(vec![1.0, 2.0, 3.0, 4.0], 2)]);
}

/// Bytes are pixels for a network that takes pictures; other numbers are inputs as they are.
#[test]
fn bytes_are_pixels() {
    let folder = Folder::new();
    let net = model("1x1x2", 2, "");
    let y = integers(&[2], &[0, 1]);
    let x = npy("|u1", &[2, 1, 2], &[0, 51, 102, 255]);
    folder.write("a.npz", npz(&[("x", x), ("y", y.clone())]));
    let data = folder.open("a.npz", Some("a.npz"), &net).unwrap();
    let scaled = |byte: f64| (byte * f64::from(1.0_f32 / 255.0)) as f32;
    let expected = [([0.0, 51.0], 0), ([102.0, 255.0], 1)];
    let expected = expected.map(|(bytes, class)| (bytes.map(scaled).to_vec(), class));
    assert_eq!(all(&data.train), expected);
    let x = floats(&[2, 1, 2], &[0.0, 51.0, 102.0, 255.0]);
    folder.write("a.npz", npz(&[("x", x), ("y", y)]));
    let data = folder.open("a.npz", Some("a.npz"), &net).unwrap();
    assert_eq!(
        all(&data.train),
        [(vec![0.0, 51.0], 0), (vec![102.0, 255.0], 1)]
    );
}

#[test]
fn targets_are_classes_of_pixels_or_numbers() {
    let folder = Folder::new();
    let x = || ("x", floats(&[2, 1, 1, 2], &[0.5, 1.0, 2.0, 3.0]));
    let known = |y: Vec<u8>, body: &str| {
        folder.write("a.npz", npz(&[x(), ("y", y)]));
        let data = folder.open("a.npz", Some("a.npz"), &net(body)).unwrap();
        [0, 1].map(|index| data.train.known(index).unwrap())
    };
    let segments = "input x: 1x1x2; conv 1x1 3; head segment";
    let [first, second] = known(integers(&[2, 1, 2], &[2, 0, -1, 255]), segments);
    assert_eq!(
        (first.labels, second.labels),
        (vec![2, 0], vec![UNLABELLED; 2])
    );
    let shares = floats(&[2, 1, 1, 2], &[0.25, 0.5, -1.0, 2.0]);
    let [first, second] = known(shares, "input x: 1x1x2; conv 1x1 1; train { loss squared }");
    assert_eq!(
        (first.numbers, second.numbers),
        (vec![0.25, 0.5], vec![-1.0, 2.0])
    );
    let [first, _] = known(
        floats(&[2], &[0.0, 1.0]),
        "input x: 1x1x2; flatten; dense 1 sigmoid",
    );
    assert_eq!(first.numbers, [0.0]);
}

/// Numbers of a head that finds places, as `squared` learns them, say nothing of places; for its own loss they are too few.
#[test]
fn numbers_are_not_taken_for_places() {
    let folder = Folder::new();
    let x = floats(&[2, 3], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.5]);
    let y = floats(&[2, 4], &[0.5; 8]);
    folder.write("a.npz", npz(&[("x", x), ("y", y)]));
    let judged = |train: &str| {
        let net = net(&format!("input x: 3; dense 4; head boxes{train}"));
        let data = folder.open("a.npz", Some("a.npz"), &net).unwrap();
        let (weights, recipe) = (Weights::synthetic(), Recipe::of(&net));
        let found = Whereabouts::of(&net, &weights, &data.test, &recipe, 5);
        found
            .map(|found| found.is_some())
            .map_err(|error| error.to_string())
    };
    assert_eq!(judged("; train { loss squared }"), Ok(false));
    is_in(
        &judged("").unwrap_err(),
        "`Net` finds places, of which 5 numbers are known, and these samples have 4 each",
    );
}

#[test]
fn arrays_that_do_not_fit_are_told() {
    let folder = Folder::new();
    let net = model("1x1x2", 2, "");
    let x = || floats(&[2, 1, 2], &[0.0; 4]);
    let told = |arrays: &[(&str, Vec<u8>)], message: &str| {
        folder.write("a.npz", npz(arrays));
        is_in(&folder.open("a.npz", None, &net).unwrap_err(), message);
    };
    told(
        &[("data", x()), ("y", integers(&[2], &[0, 1]))],
        "DIR/a.npz: it has an array `y`, but no `x`",
    );
    told(
        &[("data", x())],
        "DIR/a.npz: there are arrays `data` (2x1x2); `x` and `y` are expected, or `x_train` and `y_train`, with `x_test` and `y_test` to be judged by",
    );
    told(
        &[
            ("x", floats(&[2, 3], &[0.0; 6])),
            ("y", integers(&[2], &[0, 1])),
        ],
        "DIR/a.npz: `x` has the shape 2x3, but the network takes samples of 1x1x2 along the first axis",
    );
    told(
        &[("x", x()), ("y", integers(&[3], &[0, 1, 0]))],
        "DIR/a.npz: `y` has the shape 3, but `x` has 2 samples",
    );
    told(
        &[("x", x()), ("y", integers(&[2], &[0, 2]))],
        "DIR/a.npz: 2 in `y`, sample 2, is none of the network's 2 classes, which are 0 to 1",
    );
    told(
        &[("x", x()), ("y", floats(&[2], &[0.5, 1.0]))],
        "DIR/a.npz: 0.5 in `y`, sample 1, is none of the network's 2 classes",
    );
    told(
        &[("x", x()), ("y", floats(&[2, 3], &[0.0; 6]))],
        "DIR/a.npz: `y` has 3 for each sample: neither a class, nor a class for each pixel, nor the numbers of the network's output, 2",
    );
    told(
        &[
            ("x", x()),
            ("y", floats(&[2, 2], &[0.0, 1.0, f32::NAN, 0.0])),
        ],
        "DIR/a.npz: NaN in `y`, sample 2, is no number to learn from",
    );
    told(
        &[
            ("x", floats(&[2, 1, 2], &[0.0, f32::INFINITY, 0.0, 0.0])),
            ("y", integers(&[2], &[0, 1])),
        ],
        "DIR/a.npz: inf in sample 1 is no number to learn from",
    );
    folder.write("a.npz", "no archive");
    is_in(
        &folder.open("a.npz", None, &net).unwrap_err(),
        "DIR/a.npz: ",
    );
    let whole = npz(&[("x", x()), ("y", integers(&[2], &[0, 1]))]);
    folder.write("a.npz", &whole[..whole.len() / 2]);
    is_in(&folder.open("a.npz", None, &net).unwrap_err(), "DIR/a.npz");
}

/// A sample in each array of a file, in a folder for each class.
#[test]
fn folders_of_classes_hold_archives() {
    let folder = Folder::new();
    let net = model("1x2x1x2", 2, "");
    let one = |from: f32| floats(&[2, 1, 2], &[from, from + 1.0, from + 2.0, from + 3.0]);
    folder.write(
        "d/a/v.npz",
        npz(&[("first", one(0.0)), ("second", one(4.0))]),
    );
    folder.write("d/b/v.npz", npz(&[("third", one(8.0))]));
    let data = folder.open("d", Some("d"), &net).unwrap();
    assert_eq!(&*data.kind, "folders of 2 classes of arrays");
    let found: Vec<(f32, u32)> = all(&data.train)
        .iter()
        .map(|(input, class)| (input[0], *class))
        .collect();
    assert_eq!(found, [(0.0, 0), (4.0, 0), (8.0, 1)]);
    assert_eq!(data.train.name(1), Some("a/v.npz:second"));
    folder.write("d/b/v.npz", npz(&[("wide", floats(&[3, 3], &[0.0; 9]))]));
    is_in(
        &folder.open("d", None, &net).unwrap_err(),
        "DIR/d/b/v.npz:wide: an array of 3x3, but the network's input is 1x2x1x2",
    );
}
