//! Whole numbers of every type, computed when the network is read: the results are those of ONNX Runtime 1.32.

use super::semantics::{Net, int, node, text};
use cnnc::onnx::proto::*;

/// Types whose numbers the tests are about.
const U8: i32 = data_type::UINT8;
const I8: i32 = data_type::INT8;
const U16: i32 = data_type::UINT16;
const I16: i32 = data_type::INT16;
const U32: i32 = data_type::UINT32;
const I32: i32 = data_type::INT32;
const U64: i32 = data_type::UINT64;
const I64: i32 = data_type::INT64;
const BOOL: i32 = data_type::BOOL;

/// A tensor of a type, in the field that holds it; of u64 the bits are given.
fn typed(name: &str, data_type: i32, dims: &[i64], values: &[i64]) -> TensorProto {
    let mut tensor = TensorProto {
        name: name.to_owned(),
        dims: dims.to_vec(),
        data_type,
        ..TensorProto::default()
    };
    match data_type {
        I64 => tensor.int64_data = values.to_vec(),
        U32 | U64 => tensor.uint64_data = values.iter().map(|&v| v as u64).collect(),
        _ => tensor.int32_data = values.iter().map(|&v| v as i32).collect(),
    }
    tensor
}

/// What a node makes of constants, as f32, of those extents.
fn made(of: NodeProto, dims: &[i64], constants: Vec<TensorProto>) -> Vec<f32> {
    let nodes = vec![
        of,
        node("Cast", &["c"], "f", vec![int("to", 1)]),
        node("Add", &["x", "f"], "y", vec![]),
    ];
    sum(dims, constants, nodes)
}

/// What nodes make, the last of which adds zeros `x` of those extents to it.
fn sum(dims: &[i64], constants: Vec<TensorProto>, nodes: Vec<NodeProto>) -> Vec<f32> {
    let zeros = vec![0.0; dims.iter().product::<i64>() as usize];
    Net::of(dims, &zeros, constants, nodes).run().1
}

/// What an operator makes of lists of a type.
fn of(op: &str, data_type: i32, a: &[i64], b: Option<&[i64]>) -> Vec<f32> {
    with(op, vec![], data_type, a, b)
}

fn with(
    op: &str,
    attributes: Vec<AttributeProto>,
    data_type: i32,
    a: &[i64],
    b: Option<&[i64]>,
) -> Vec<f32> {
    let list = |name: &str, values: &[i64]| typed(name, data_type, &[values.len() as i64], values);
    let mut constants = vec![list("a", a)];
    constants.extend(b.map(|b| list("b", b)));
    let names = &["a", "b"][..constants.len()];
    made(
        node(op, names, "c", attributes),
        &[1, a.len() as i64],
        constants,
    )
}

fn floats(values: &[i64]) -> Vec<f32> {
    values.iter().map(|&value| value as f32).collect()
}

/// A type, two lists of it, and what operators make of both.
type Sums<'a> = (i32, [&'a [i64]; 2], &'a [(&'a str, &'a [i64])]);

#[test]
fn results_have_the_bits_of_their_type() {
    let all: [Sums<'_>; 7] = [
        (
            U8,
            [&[200, 100, 3, 255], &[100, 200, 5, 2]],
            &[
                ("Add", &[44, 44, 8, 1]),
                ("Sub", &[100, 156, 254, 253]),
                ("Mul", &[32, 32, 15, 254]),
                ("Div", &[2, 0, 0, 127]),
                ("Mod", &[0, 100, 3, 1]),
                ("Min", &[100, 100, 3, 2]),
                ("Max", &[200, 200, 5, 255]),
                ("Less", &[0, 1, 1, 0]),
                ("BitwiseAnd", &[64, 64, 1, 2]),
                ("BitwiseOr", &[236, 236, 7, 255]),
                ("BitwiseXor", &[172, 172, 6, 253]),
            ],
        ),
        (
            I8,
            [&[100, -100, -128, 7], &[100, -100, 1, -3]],
            &[
                ("Add", &[-56, 56, -127, 4]),
                ("Sub", &[0, 0, 127, 10]),
                ("Mul", &[16, 16, -128, -21]),
                ("Div", &[1, 1, -128, -2]),
                ("Mod", &[0, 0, 0, -2]),
                ("Min", &[100, -100, -128, -3]),
                ("BitwiseXor", &[0, 0, -127, -6]),
            ],
        ),
        (
            U16,
            [&[60_000, 3, 65_535, 7], &[10_000, 5, 65_535, 3]],
            &[
                ("Add", &[4_464, 8, 65_534, 10]),
                ("Sub", &[50_000, 65_534, 0, 4]),
                ("Mul", &[17_920, 15, 1, 21]),
                ("Div", &[6, 0, 1, 2]),
                ("Equal", &[0, 0, 1, 0]),
            ],
        ),
        (
            I16,
            [&[30_000, -30_000, -32_768, -7], &[10_000, -10_000, 1, 3]],
            &[
                ("Add", &[-25_536, 25_536, -32_767, -4]),
                ("Sub", &[20_000, -20_000, 32_767, -10]),
                ("Mul", &[-23_808, -23_808, -32_768, -21]),
                ("Div", &[3, 3, -32_768, -2]),
                ("Mod", &[0, 0, 0, 2]),
            ],
        ),
        (
            U32,
            [
                &[4_000_000_000, 3, 65_536, 7],
                &[1_000_000_000, 5, 65_536, 3],
            ],
            &[
                ("Add", &[705_032_704, 8, 131_072, 10]),
                ("Sub", &[3_000_000_000, 4_294_967_294, 0, 4]),
                ("Mul", &[2_643_460_096, 15, 0, 21]),
                ("Div", &[4, 0, 1, 2]),
            ],
        ),
        (
            I32,
            [
                &[2_000_000_000, -2_000_000_000, 65_536, -7],
                &[2_000_000_000, -2_000_000_000, 65_536, 3],
            ],
            &[
                ("Add", &[-294_967_296, 294_967_296, 131_072, -4]),
                ("Mul", &[-1_651_507_200, -1_651_507_200, 0, -21]),
                ("Div", &[1, 1, 1, -2]),
                ("Mod", &[0, 0, 0, 2]),
                ("Pow", &[-2_147_483_648, 0, -2_147_483_648, -343]),
            ],
        ),
        (
            I64,
            [&[1 << 62, -7, i64::MIN, 7], &[1 << 62, 3, 1, -3]],
            &[
                ("Add", &[i64::MIN, -4, i64::MIN + 1, 4]),
                ("Sub", &[0, -10, i64::MAX, 10]),
                ("Mul", &[0, -21, i64::MIN, -21]),
                ("Div", &[1, -2, i64::MIN, -2]),
                ("Mod", &[0, 2, 0, -2]),
                ("Pow", &[i64::MIN, -343, i64::MIN, 0]),
            ],
        ),
    ];
    for (data_type, [a, b], results) in all {
        for &(op, wanted) in results {
            let got = of(op, data_type, a, Some(b));
            assert_eq!(got, floats(wanted), "{op} of type {data_type}");
        }
    }
}

#[test]
fn bits_without_a_sign() {
    // 2⁶⁴ − 1, 2⁶³ and small numbers.
    let (a, b) = ([-1, 3, i64::MIN, 7], [1, 5, 3, 4]);
    let half = 2f32.powi(63);
    let results: [(&str, [f32; 4]); 8] = [
        ("Add", [0.0, 8.0, half, 11.0]),
        ("Div", [2.0 * half, 0.0, 3_074_457_345_618_258_602.0, 1.0]),
        ("Mod", [0.0, 3.0, 2.0, 3.0]),
        ("Min", [1.0, 3.0, 3.0, 4.0]),
        ("Max", [2.0 * half, 5.0, half, 7.0]),
        ("Less", [0.0, 1.0, 0.0, 0.0]),
        ("Greater", [1.0, 0.0, 1.0, 1.0]),
        ("BitwiseOr", [2.0 * half, 7.0, half, 7.0]),
    ];
    for (op, wanted) in results {
        assert_eq!(of(op, U64, &a, Some(&b)), wanted, "{op}");
    }
    assert_eq!(of("Sign", U64, &a, None), [1.0; 4]);
    assert_eq!(of("Abs", U64, &a, None), [2.0 * half, 3.0, half, 7.0]);
}

#[test]
fn one_operand() {
    let (a, b) = ([100, -100, -128, 7], [200, 100, 3, 255]);
    let results: [(&str, i32, &[i64], &[i64]); 8] = [
        ("Neg", I8, &a, &[-100, 100, -128, -7]),
        ("Abs", I8, &a, &[100, 100, -128, 7]),
        ("Sign", I8, &a, &[1, -1, -1, 1]),
        ("Relu", I8, &a, &[100, 0, 0, 7]),
        ("BitwiseNot", I8, &a, &[-101, 99, 127, -8]),
        ("BitwiseNot", U8, &b, &[55, 155, 252, 0]),
        ("Sign", U8, &b, &[1, 1, 1, 1]),
        ("Not", BOOL, &[1, 0, 1], &[0, 1, 0]),
    ];
    for (op, data_type, a, wanted) in results {
        let got = of(op, data_type, a, None);
        assert_eq!(got, floats(wanted), "{op} of type {data_type}");
    }
}

#[test]
fn shifts() {
    let shift = |to: &'static str, data_type: i32, a: [i64; 4]| {
        let attributes = vec![text("direction", to)];
        with("BitShift", attributes, data_type, &a, Some(&[1, 2, 9, 0]))
    };
    let bytes = [200, 100, 3, 255];
    assert_eq!(shift("LEFT", U8, bytes), [144.0, 144.0, 0.0, 255.0]);
    assert_eq!(shift("RIGHT", U8, bytes), [100.0, 25.0, 0.0, 255.0]);
    let words = [60_000, 3, 65_535, 7];
    assert_eq!(shift("LEFT", U16, words), [54_464.0, 12.0, 65_024.0, 7.0]);
    assert_eq!(shift("RIGHT", U16, words), [30_000.0, 0.0, 127.0, 7.0]);
    let long = [4_000_000_000, 3, 65_536, 7];
    let left = [3_705_032_704, 12, 33_554_432, 7];
    assert_eq!(shift("LEFT", U32, long), floats(&left));
    let wide = [-1, 3, i64::MIN, 7];
    let half = 2f32.powi(63);
    assert_eq!(shift("LEFT", U64, wide), [2.0 * half, 12.0, 0.0, 7.0]);
    let right = [half, 0.0, 18_014_398_509_481_984.0, 7.0];
    assert_eq!(shift("RIGHT", U64, wide), right);
}

#[test]
fn truth_values() {
    let (a, b) = ([1, 1, 0], [1, 0, 0]);
    for (op, wanted) in [("And", [1, 0, 0]), ("Or", [1, 1, 0]), ("Xor", [0, 1, 0])] {
        assert_eq!(of(op, BOOL, &a, Some(&b)), floats(&wanted), "{op}");
    }
}

/// Sums and products are made in floating point and end at the last number of the type.
#[test]
fn reductions() {
    let of = |op: &str, data_type: i32, values: &[i64]| {
        let a = typed("a", data_type, &[values.len() as i64], values);
        made(
            node(op, &["a"], "c", vec![int("keepdims", 1)]),
            &[1, 1],
            vec![a],
        )[0]
    };
    let most = i64::from(i32::MAX) as f32;
    assert_eq!(of("ReduceSum", I32, &[2_000_000_000, 2_000_000_000]), most);
    assert_eq!(
        of("ReduceSum", I32, &[2_000_000_000, -2_000_000_000, 7]),
        7.0
    );
    assert_eq!(of("ReduceSum", I64, &[1 << 62, 1 << 62]), 2f32.powi(63));
    assert_eq!(of("ReduceProd", I32, &[100_000, 100_000]), most);
    assert_eq!(of("ReduceProd", I32, &[-100_000, 100_000]), -2f32.powi(31));
    assert_eq!(of("ReduceMean", I32, &[2_000_000_000, 2_000_000_000]), 2e9);
    assert_eq!(of("ReduceMean", I32, &[-4, -3]), -3.0);
    assert_eq!(of("ReduceMean", I64, &[7, -8, -8, 1]), -2.0);
    assert_eq!(of("ReduceMax", U8, &[200, 100, 3, 255]), 255.0);
    assert_eq!(of("ReduceMin", I8, &[100, -100, -128, 7]), -128.0);
}

#[test]
fn products_of_matrices() {
    let product = |data_type: i32, a: [i64; 4], b: [i64; 4]| {
        let constants = vec![
            typed("a", data_type, &[2, 2], &a),
            typed("b", data_type, &[2, 2], &b),
        ];
        made(
            node("MatMul", &["a", "b"], "c", vec![]),
            &[1, 2, 2],
            constants,
        )
    };
    let a = [2_000_000_000, -2_000_000_000, 65_536, -7];
    let b = [2_000_000_000, -2_000_000_000, 65_536, 3];
    let wanted = [160_432_128, -53_525_504, -1_812_398_080, 1_811_939_307];
    assert_eq!(product(I32, a, b), floats(&wanted));
    let (a, b) = ([4_000_000_000, 3, 65_536, 7], [1_000_000_000, 5, 65_536, 3]);
    let wanted = [2_643_656_704, 2_820_130_825, 3_389_456_384, 327_701];
    assert_eq!(product(U32, a, b), floats(&wanted));
}

#[test]
fn powers() {
    let power = |a: TensorProto, b: TensorProto| {
        made(
            node("Pow", &["a", "b"], "c", vec![]),
            &[1, a.dims[0]],
            vec![a, b],
        )
    };
    let a = || typed("a", I32, &[2], &[65_536, 3]);
    let to = |exponent: i64| power(a(), typed("b", I32, &[], &[exponent]));
    assert_eq!(to(2), [0.0, 9.0]);
    assert_eq!(to(3), [0.0, 27.0]);
    assert_eq!(to(4), [-2f32.powi(31), 81.0]);
    let each = power(a(), typed("b", I32, &[2], &[2, 2]));
    assert_eq!(each, [-2f32.powi(31), 9.0]);
    let root = TensorProto {
        data_type: data_type::FLOAT,
        float_data: vec![0.5],
        ..typed("b", I8, &[], &[])
    };
    let roots = power(typed("a", I32, &[3], &[9, 2, -8]), root);
    assert_eq!(roots, [3.0, 1.0, -2f32.powi(31)]);
}

#[test]
fn bounds() {
    let clip = |bounds: [&str; 2]| {
        let constants = vec![
            typed("a", I32, &[3], &[1, 5, 9]),
            typed("three", I32, &[], &[3]),
            typed("seven", I32, &[], &[7]),
        ];
        let names = ["a", bounds[0], bounds[1]];
        made(node("Clip", &names, "c", vec![]), &[1, 3], constants)
    };
    assert_eq!(clip(["three", "seven"]), [3.0, 5.0, 7.0]);
    assert_eq!(clip(["seven", "three"]), [3.0; 3]);
    assert_eq!(clip(["", "three"]), [1.0, 3.0, 3.0]);
}

#[test]
fn numbers_of_another_type() {
    let cast = |a: TensorProto, to: i32| {
        let to = vec![int("to", to.into())];
        made(node("Cast", &["a"], "c", to), &[1, a.dims[0]], vec![a])
    };
    let bytes = || typed("a", I8, &[4], &[100, -100, -128, 7]);
    assert_eq!(cast(bytes(), U8), [100.0, 156.0, 128.0, 7.0]);
    let most = 2f32.powi(64);
    assert_eq!(cast(bytes(), U64), [100.0, most, most, 7.0]);
    let floats = || TensorProto {
        data_type: data_type::FLOAT,
        float_data: vec![300.7, -1.5, -200.2, 3e9, 0.0],
        ..typed("a", I8, &[5], &[])
    };
    assert_eq!(cast(floats(), I8), [44.0, -1.0, 56.0, 0.0, 0.0]);
    assert_eq!(cast(floats(), U8), [44.0, 255.0, 56.0, 0.0, 0.0]);
    assert_eq!(cast(floats(), U16), [300.0, 65_535.0, 65_336.0, 0.0, 0.0]);
    let least = -2f32.powi(31);
    assert_eq!(cast(floats(), I32), [300.0, -1.0, -200.0, least, 0.0]);
    assert_eq!(cast(floats(), I64), [300.0, -1.0, -200.0, 3e9, 0.0]);
    assert_eq!(cast(floats(), BOOL), [1.0, 1.0, 1.0, 1.0, 0.0]);
    // The type goes with the numbers, wherever they are moved.
    let moved = vec![
        node("Concat", &["a", "a"], "b", vec![int("axis", 0)]),
        node("Slice", &["b", "one", "three"], "s", vec![]),
        node("Expand", &["s", "shape"], "e", vec![]),
        node("CastLike", &["three", "e"], "t", vec![]),
        node("Add", &["e", "t"], "c", vec![]),
        node("Cast", &["c"], "f", vec![int("to", 1)]),
        node("Add", &["x", "f"], "y", vec![]),
    ];
    let constants = vec![
        typed("a", U8, &[2], &[254, 253]),
        typed("one", I64, &[1], &[1]),
        typed("three", I64, &[1], &[3]),
        typed("shape", I64, &[2], &[2, 2]),
    ];
    assert_eq!(sum(&[1, 2, 2], constants, moved), [0.0, 1.0, 0.0, 1.0]);
}
