//! Powers, comparisons and choices whose operands are computed.

use crate::semantics::{Net, counted, floats, int, node};
use cnnc::onnx::proto::{NodeProto, TensorProto};
use cnnc::onnx::{Options, import};

/// Two operands of one shape.
fn two(x: &[f32], z: &[f32], constants: Vec<TensorProto>, nodes: Vec<NodeProto>) -> Net {
    let dims = vec![1, x.len() as i64];
    Net {
        opset: 18,
        inputs: vec![("x", dims.clone(), x.to_vec()), ("z", dims, z.to_vec())],
        constants,
        nodes,
    }
}

#[test]
fn powers_of_tensors() {
    let (x, z) = ([2.0, 9.0, -2.0, 0.0, 5.0], [3.0, 0.5, 3.0, 2.0, 0.0]);
    let pow = |a: &str, b: &str| vec![node("Pow", &[a, b], "y", vec![])];
    let powers = [8.0, 3.0, -8.0, 0.0, 1.0];
    two(&x, &z, vec![], pow("x", "z")).is(&[1, 5], &powers);
    let exponents = floats("p", &[5], &z);
    Net::of(&[1, 5], &x, vec![exponents], pow("x", "p")).is(&[1, 5], &powers);
    let bases = floats("p", &[1, 5], &x);
    Net::of(&[1, 5], &z, vec![bases], pow("p", "x")).is(&[1, 5], &powers);
    // What is below 0 has no logarithm that its power could be made of.
    let base = floats("p", &[], &[-2.0]);
    Net::of(&[1, 3], &[1.0, 2.0, 3.0], vec![base], pow("p", "x")).is(&[1, 3], &[-2.0, 4.0, -8.0]);
}

#[test]
fn exponents_for_each_channel() {
    let x = counted(8);
    let net = |dims: &[i64]| {
        let exponents = floats("p", dims, &[2.0, 3.0]);
        let nodes = vec![node("Pow", &["x", "p"], "y", vec![])];
        Net::of(&[1, 2, 2, 2], &x, vec![exponents], nodes)
    };
    let of = |exponent: &dyn Fn(usize) -> i32| -> Vec<f32> {
        (0..8).map(|i| x[i].powi(exponent(i))).collect()
    };
    net(&[2, 1, 1]).is(&[1, 2, 2, 2], &of(&|i| 2 + i as i32 / 4));
    net(&[2]).is(&[1, 2, 2, 2], &of(&|i| 2 + i as i32 % 2));
}

/// Every comparison of numbers below, equal, above and NaN, as numbers.
#[test]
fn comparisons() {
    let (x, z) = ([1.0, 2.0, 3.0, f32::NAN], [2.0; 4]);
    for (op, wanted) in [
        ("Less", [1.0, 0.0, 0.0, 0.0]),
        ("LessOrEqual", [1.0, 1.0, 0.0, 0.0]),
        ("Equal", [0.0, 1.0, 0.0, 0.0]),
        ("GreaterOrEqual", [0.0, 1.0, 1.0, 0.0]),
        ("Greater", [0.0, 0.0, 1.0, 0.0]),
    ] {
        let nodes = |b: &str| {
            vec![
                node(op, &["x", b], "t", vec![]),
                node("Cast", &["t"], "y", vec![int("to", 1)]),
            ]
        };
        two(&x, &z, vec![], nodes("z")).is(&[1, 4], &wanted);
        let bound = floats("two", &[], &[2.0]);
        Net::of(&[1, 4], &x, vec![bound], nodes("two")).is(&[1, 4], &wanted);
    }
}

#[test]
fn truth_values_are_combined() {
    let (x, z) = ([0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]);
    for (op, wanted) in [
        ("And", [0.0, 0.0, 0.0, 1.0]),
        ("Or", [0.0, 1.0, 1.0, 1.0]),
        ("Xor", [0.0, 1.0, 1.0, 0.0]),
    ] {
        let nodes = vec![
            node("Greater", &["x", "half"], "a", vec![]),
            node("Less", &["half", "z"], "b", vec![]),
            node(op, &["a", "b"], "t", vec![]),
            node("Not", &["t"], "n", vec![]),
            node("Not", &["n"], "m", vec![]),
            node("Cast", &["m"], "y", vec![int("to", 1)]),
        ];
        let half = floats("half", &[1], &[0.5]);
        two(&x, &z, vec![half], nodes).is(&[1, 4], &wanted);
    }
    let wrong = vec![node("And", &["x"], "y", vec![])];
    let wrong = import(
        Net::of(&[1, 4], &x, vec![], wrong).bytes(),
        None,
        &Options::default(),
    );
    assert!(!wrong.unwrap_err().is_unsupported());
}

#[test]
fn choices() {
    let x = [-1.0, 2.0, -3.0, 4.0, 0.0, f32::NAN];
    let chosen = |condition: NodeProto, a: &str, b: &str| {
        let nodes = vec![condition, node("Where", &["c", a, b], "y", vec![])];
        let constants = vec![
            floats("zero", &[], &[0.0]),
            floats("far", &[1], &[-1e30]),
            floats("each", &[1, 6], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        ];
        Net::of(&[1, 6], &x, constants, nodes)
    };
    let above = || node("Greater", &["x", "zero"], "c", vec![]);
    let net = chosen(above(), "x", "each");
    net.is(&[1, 6], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    // A choice asks for what is above 0 by itself.
    let spec = import(net.bytes(), None, &Options::default()).unwrap().spec;
    assert!(!spec.contains("less"), "{spec}");
    chosen(above(), "each", "far").is(&[1, 6], &{
        let far = -1e30;
        [far, 2.0, far, 4.0, far, far]
    });
    // What is cast is chosen by, too.
    let cast = node("Cast", &["x"], "c", vec![int("to", 9)]);
    let net = chosen(cast, "each", "zero");
    let (dims, values) = net.run();
    assert_eq!(dims, [1, 6]);
    assert_eq!(values[..5], [1.0, 2.0, 3.0, 4.0, 0.0]);
}

/// A condition for each row, a tensor for each column, and a number.
#[test]
fn choices_are_repeated() {
    let net = Net {
        opset: 18,
        inputs: vec![
            ("x", vec![1, 1, 2, 1], vec![1.0, -1.0]),
            ("z", vec![1, 1, 1, 3], vec![7.0, 8.0, 9.0]),
        ],
        constants: vec![floats("zero", &[], &[0.0])],
        nodes: vec![
            node("Less", &["zero", "x"], "c", vec![]),
            node("Where", &["c", "z", "zero"], "y", vec![]),
        ],
    };
    net.is(&[1, 1, 2, 3], &[7.0, 8.0, 9.0, 0.0, 0.0, 0.0]);
    let five = Net::of(
        &[1, 2, 1, 1, 1, 2],
        &counted(4),
        vec![floats("zero", &[], &[0.0])],
        vec![
            node("Less", &["zero", "x"], "c", vec![]),
            node("Where", &["c", "x", "zero"], "y", vec![]),
        ],
    );
    let remedy = five.refused("Where");
    assert!(remedy.contains("four axes"), "{remedy}");
}
