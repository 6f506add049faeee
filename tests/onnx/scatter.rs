//! `ScatterND`, as assignments to parts of a tensor are written.

use super::semantics::{Net, counted, floats, node, text, whole};
use cnnc::onnx::proto::*;
use cnnc::onnx::{OnnxError, Options, import};

/// A list of places, each of so many axes.
fn places(dims: &[i64], values: &[i64]) -> TensorProto {
    TensorProto {
        dims: dims.to_vec(),
        ..whole("p", values)
    }
}

/// What is written into a part of a tensor stands between the rest of it.
#[test]
fn parts_that_are_written_over() {
    let scatter = || node("ScatterND", &["x", "p", "u"], "y", vec![]);
    // Rows 1 and 2 of three, columns 0 and 1 of four, of the second channel.
    let tuples = [[0, 1, 1, 0], [0, 1, 1, 1], [0, 1, 2, 0], [0, 1, 2, 1]].concat();
    let mut net = Net::of(
        &[1, 2, 3, 4],
        &counted(24),
        vec![places(&[2, 2, 4], &tuples)],
        vec![scatter()],
    );
    net.inputs
        .push(("u", vec![2, 2], vec![-1.0, -2.0, -3.0, -4.0]));
    let mut wanted = counted(24);
    for (at, value) in [(16, -1.0), (17, -2.0), (20, -3.0), (21, -4.0)] {
        wanted[at] = value;
    }
    net.is(&[1, 2, 3, 4], &wanted);
    // A whole channel, counted from the end, by numbers that are known.
    let net = Net::of(
        &[1, 2, 3],
        &counted(6),
        vec![
            places(&[1, 2], &[0, -1]),
            floats("u", &[1, 3], &[7.0, 8.0, 9.0]),
        ],
        vec![scatter()],
    );
    net.is(&[1, 2, 3], &[0.0, 1.0, 2.0, 7.0, 8.0, 9.0]);
    // Into numbers that are known.
    let mut net = Net::of(
        &[1, 2],
        &[5.0, 6.0],
        vec![
            places(&[2, 2], &[0, 1, 0, 2]),
            floats("z", &[1, 4], &[1.0; 4]),
        ],
        vec![node("ScatterND", &["z", "p", "x"], "y", vec![])],
    );
    net.is(&[1, 4], &[1.0, 5.0, 6.0, 1.0]);
    // Scattered ones are no region, nor what is written in another order.
    for list in [[0, 0, 0, 2], [0, 2, 0, 1]] {
        net.constants[0] = places(&[2, 2], &list);
        assert_eq!(
            net.refused("ScatterND"),
            "places that are no region of a tensor"
        );
    }
    net.nodes[0].attribute = vec![text("reduction", "add")];
    assert_eq!(
        net.refused("ScatterND"),
        "what is written is combined with what was there"
    );
}

#[test]
fn constants_that_are_written_over() {
    let net = |list: &[i64]| {
        let constants = vec![
            floats("z", &[2, 2], &[1.0, 2.0, 3.0, 4.0]),
            floats("u", &[2], &[8.0, 9.0]),
            places(&[2, 2], list),
        ];
        let nodes = vec![
            node("ScatterND", &["z", "p", "u"], "s", vec![]),
            node("Add", &["x", "s"], "y", vec![]),
        ];
        Net::of(&[1, 2, 2], &[0.0; 4], constants, nodes)
    };
    net(&[1, 0, 0, 1]).is(&[1, 2, 2], &[1.0, 9.0, 8.0, 4.0]);
    match import(net(&[2, 0, 0, 1]).bytes(), None, &Options::default()) {
        Err(OnnxError::Invalid(why)) => assert!(why.contains("places beyond [2, 2]"), "{why}"),
        other => panic!("{other:?}"),
    }
}
