//! Small networks whose numbers the operators' specification gives.

use cnnc::onnx::proto::*;
use cnnc::onnx::{From, OnnxError, Options, import};
use prost::Message;

fn value(name: &str, dims: &[i64]) -> ValueInfoProto {
    let dim = dims.iter().map(|&n| DimensionProto {
        dim_value: Some(n),
        dim_param: None,
    });
    let shape = Some(TensorShapeProto { dim: dim.collect() });
    let tensor_type = Some(TensorTypeProto {
        elem_type: data_type::FLOAT,
        shape,
    });
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto { tensor_type }),
    }
}

fn attribute(name: &str, kind: i32) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: kind,
        ..AttributeProto::default()
    }
}

pub fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto {
        i,
        ..attribute(name, attribute_type::INT)
    }
}

pub fn ints(name: &str, ints: &[i64]) -> AttributeProto {
    AttributeProto {
        ints: ints.to_vec(),
        ..attribute(name, attribute_type::INTS)
    }
}

pub(super) fn text(name: &str, text: &'static str) -> AttributeProto {
    AttributeProto {
        s: text.as_bytes().into(),
        ..attribute(name, attribute_type::STRING)
    }
}

pub fn floats(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: dims.to_vec(),
        data_type: data_type::FLOAT,
        float_data: values.to_vec(),
        ..TensorProto::default()
    }
}

pub fn whole(name: &str, values: &[i64]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: vec![values.len() as i64],
        data_type: data_type::INT64,
        int64_data: values.to_vec(),
        ..TensorProto::default()
    }
}

pub fn node(op: &str, input: &[&str], output: &str, attribute: Vec<AttributeProto>) -> NodeProto {
    NodeProto {
        op_type: op.to_owned(),
        input: input.iter().map(|&name| name.to_owned()).collect(),
        output: vec![output.to_owned()],
        attribute,
        ..NodeProto::default()
    }
}

/// A network with the output `y`.
pub struct Net {
    pub opset: i64,
    pub inputs: Vec<(&'static str, Vec<i64>, Vec<f32>)>,
    pub constants: Vec<TensorProto>,
    pub nodes: Vec<NodeProto>,
}

impl Net {
    /// Of one operand `x`.
    pub fn of(
        dims: &[i64],
        values: &[f32],
        constants: Vec<TensorProto>,
        nodes: Vec<NodeProto>,
    ) -> Net {
        Net {
            opset: 18,
            inputs: vec![("x", dims.to_vec(), values.to_vec())],
            constants,
            nodes,
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let inputs = self.inputs.iter();
        let graph = GraphProto {
            node: self.nodes.clone(),
            name: "net".to_owned(),
            input: inputs.map(|(name, dims, _)| value(name, dims)).collect(),
            output: vec![value("y", &[1])],
            initializer: self.constants.clone(),
            ..GraphProto::default()
        };
        let model = ModelProto {
            ir_version: 8,
            graph: Some(graph),
            opset_import: vec![OperatorSetIdProto {
                domain: String::new(),
                version: self.opset,
            }],
            ..ModelProto::default()
        };
        model.encode_to_vec()
    }

    /// Extents and elements of `y`.
    pub fn run(&self) -> (Vec<usize>, Vec<f32>) {
        let mut imported = import(self.bytes(), None, &Options::default()).unwrap();
        let output = imported.outputs[0].clone();
        let port = match output.from {
            From::Port(port) => port,
            From::Constant(values) => return (output.dims, values),
            From::Head => panic!("it is no detector"),
            From::Input(at) => return (output.dims, self.inputs[at].2.clone()),
        };
        let weights = imported.take_weights();
        let mut fed = std::collections::BTreeMap::new();
        for (at, input) in imported.inputs.iter().enumerate() {
            if let Some(port) = input.port {
                let values = imported.feed(at, &input.dims, &self.inputs[at].2).unwrap();
                fed.insert(port, values);
            }
        }
        let options = cnnc::Options::new().batch(imported.batch.unwrap_or(1));
        let network = imported.model.jit(&weights, &options).unwrap();
        let mut session = network.session().unwrap();
        let views: Vec<&dyn cnnc::Input> = fed
            .values()
            .map(|values| values as &dyn cnnc::Input)
            .collect();
        let all = session.run(&views).unwrap();
        (output.dims, all.get(&port).unwrap().data.to_vec())
    }

    #[track_caller]
    pub fn is(&self, dims: &[usize], wanted: &[f32]) {
        let (shape, values) = self.run();
        assert_eq!(shape, dims);
        assert_eq!(values.len(), wanted.len());
        for (at, (&got, &want)) in values.iter().zip(wanted).enumerate() {
            let near = got == want || (got - want).abs() <= 1e-5 + 1e-5 * want.abs();
            assert!(near, "element {at} is {got} instead of {want}: {values:?}");
        }
    }

    /// The row of the table that refuses the operator.
    #[track_caller]
    pub fn refused(&self, operator: &str) -> String {
        match import(self.bytes(), None, &Options::default()) {
            Err(OnnxError::Unsupported(rows)) => rows
                .iter()
                .find(|row| row.operator == operator)
                .map(|row| row.remedy.clone())
                .expect("a row of the operator"),
            Err(other) => panic!("{other}"),
            Ok(imported) => panic!("it is imported:\n{}", imported.spec),
        }
    }
}

pub fn counted(n: usize) -> Vec<f32> {
    (0..n).map(|i| i as f32).collect()
}

#[test]
fn scales_are_of_32_bits() {
    for (scale, places) in [
        (0.7f32, vec![0, 1, 2, 4, 5, 7, 8]),
        (1.3, vec![0, 0, 1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 9]),
    ] {
        let resize = node(
            "Resize",
            &["x", "", "scales"],
            "y",
            vec![
                text("coordinate_transformation_mode", "asymmetric"),
                text("nearest_mode", "floor"),
            ],
        );
        let scales = floats("scales", &[3], &[1.0, 1.0, scale]);
        let net = Net::of(&[1, 1, 10], &counted(10), vec![scales], vec![resize]);
        let wanted: Vec<f32> = places.iter().map(|&i| i as f32).collect();
        net.is(&[1, 1, wanted.len()], &wanted);
    }
}

#[test]
fn casts_that_are_outputs() {
    let x = [1.7, -1.7, 0.0, -0.2, 3.0];
    let cast = |to: i32| {
        let cast = node("Cast", &["x"], "y", vec![int("to", to.into())]);
        Net::of(&[1, 5], &x, vec![], vec![cast])
    };
    cast(data_type::INT64).is(&[1, 5], &[1.0, -1.0, 0.0, 0.0, 3.0]);
    cast(data_type::INT32).is(&[1, 5], &[1.0, -1.0, 0.0, 0.0, 3.0]);
    cast(data_type::BOOL).is(&[1, 5], &[1.0, 1.0, 0.0, 1.0, 1.0]);
    cast(data_type::DOUBLE).is(&[1, 5], &x);
    assert!(cast(data_type::STRING).refused("Cast").contains("type 8"));
}

/// Each element divided by a length.
fn by_lengths(x: &[f32], length: impl Fn(usize) -> f32) -> Vec<f32> {
    let all = x.iter().enumerate();
    all.map(|(i, x)| x / length(i)).collect()
}

#[test]
fn a_length_is_one_only_where_it_stands() {
    let x: Vec<f32> = (0..16).map(|i| (i as f32 - 5.5) * 0.5).collect();
    // Four channels of four pixels.
    let square = |pixel: usize| (0..4).map(|c| x[c * 4 + pixel].powi(2)).sum::<f32>();
    let norm = |shape: Option<&[i64]>| {
        let mut nodes = vec![node("ReduceL2", &["x", "axes"], "l", vec![])];
        let mut constants = vec![whole("axes", &[1])];
        if let Some(shape) = shape {
            nodes.push(node("Reshape", &["l", "shape"], "r", vec![]));
            constants.push(whole("shape", shape));
        }
        let length = if shape.is_some() { "r" } else { "l" };
        nodes.push(node("Div", &["x", length], "y", vec![]));
        Net::of(&[1, 4, 1, 4], &x, constants, nodes)
    };
    let own = by_lengths(&x, |i| square(i % 4).sqrt());
    norm(None).is(&[1, 4, 1, 4], &own);
    norm(Some(&[1, 1, 4])).is(&[1, 4, 1, 4], &own);
    // The lengths of pixels, one for each channel.
    let other = by_lengths(&x, |i| square(i / 4).sqrt());
    norm(Some(&[1, 4, 1, 1])).is(&[1, 4, 1, 4], &other);

    // As torch writes `normalize`: bounded, and repeated.
    let mut bounded = norm(None);
    bounded.nodes[1] = node("Clip", &["l", "least"], "c", vec![]);
    bounded
        .nodes
        .push(node("Expand", &["c", "to"], "e", vec![]));
    bounded.nodes.push(node("Div", &["x", "e"], "y", vec![]));
    bounded.constants.push(floats("least", &[], &[1e-12]));
    bounded.constants.push(whole("to", &[1, 4, 1, 4]));
    bounded.is(&[1, 4, 1, 4], &own);
    let imported = import(bounded.bytes(), None, &Options::default()).unwrap();
    assert!(imported.spec.contains("l2norm"), "{}", imported.spec);

    // What is taken off before the root is not lost.
    let shifted = |shift: f32| {
        let nodes = vec![
            node("ReduceSumSquare", &["x", "axes"], "s", vec![]),
            node("Add", &["s", "shift"], "t", vec![]),
            node("Sqrt", &["t"], "l", vec![]),
            node("Div", &["x", "l"], "y", vec![]),
        ];
        let constants = vec![whole("axes", &[1]), floats("shift", &[], &[shift])];
        let wanted = by_lengths(&x, |i| (square(i % 4) + shift).sqrt());
        Net::of(&[1, 4, 1, 4], &x, constants, nodes).is(&[1, 4, 1, 4], &wanted);
    };
    shifted(-5.0);
    shifted(5.0);
    shifted(1e-8);
}

#[test]
fn reductions_over_no_axes() {
    let x = [0.5, 2.0, 3.0];
    type Function = fn(f32) -> f32;
    let all: [(&str, Function); 4] = [
        ("ReduceSum", |x| x),
        ("ReduceSumSquare", |x| x * x),
        ("ReduceLogSum", f32::ln),
        ("ReduceL2", f32::abs),
    ];
    for (op, f) in all {
        let nodes = vec![node(op, &["x"], "y", vec![int("noop_with_empty_axes", 1)])];
        let wanted: Vec<f32> = x.iter().map(|&x| f(x)).collect();
        Net::of(&[1, 3], &x, vec![], nodes).is(&[1, 3], &wanted);
    }
}

#[test]
fn infinite_bounds() {
    let x = [-2.0, 0.5, 3.0];
    for (op, bound) in [("Max", f32::NEG_INFINITY), ("Min", f32::INFINITY)] {
        let nodes = vec![
            node(op, &["x", "bound"], "a", vec![]),
            node("Neg", &["a"], "y", vec![]),
        ];
        let constants = vec![floats("bound", &[], &[bound])];
        Net::of(&[1, 3], &x, constants, nodes).is(&[1, 3], &[2.0, -0.5, -3.0]);
        let other = vec![node(op, &["x", "bound"], "y", vec![])];
        let constants = vec![floats("bound", &[], &[-bound])];
        let remedy = Net::of(&[1, 3], &x, constants, other).refused(op);
        assert!(remedy.contains("not finite"), "{remedy}");
    }
}

#[test]
fn transposed_dilation() {
    let net = |kernel: i64| {
        let nodes = vec![node(
            "ConvTranspose",
            &["x", "w"],
            "y",
            vec![ints("dilations", &[2, 2])],
        )];
        let weight = floats(
            "w",
            &[1, 1, kernel, kernel],
            &vec![2.0; (kernel * kernel) as usize],
        );
        Net::of(&[1, 1, 2, 2], &counted(4), vec![weight], nodes)
    };
    // Taps two apart meet the two inputs of a row side by side.
    let rows = [[0.0, 2.0, 0.0, 2.0], [4.0, 6.0, 4.0, 6.0]];
    let twice: Vec<f32> = [rows, rows].concat().concat();
    net(2).is(&[1, 1, 4, 4], &twice);
    net(1).is(&[1, 1, 2, 2], &[0.0, 2.0, 4.0, 6.0]);
}

#[test]
fn old_broadcasts_of_two_tensors() {
    let x = counted(16);
    let s = [1.0, 2.0, 3.0, 4.0];
    let net = |axis: i64, dims: &[i64]| Net {
        opset: 6,
        inputs: vec![
            ("x", vec![1, 4, 2, 2], x.clone()),
            (
                "s",
                dims.to_vec(),
                s[..dims.iter().product::<i64>() as usize].to_vec(),
            ),
        ],
        constants: vec![],
        nodes: vec![
            // Not the input itself.
            node("Neg", &["s"], "t", vec![]),
            node(
                "Mul",
                &["x", "t"],
                "y",
                vec![int("broadcast", 1), int("axis", axis)],
            ),
        ],
    };
    let each = |f: &dyn Fn(usize) -> f32| -> Vec<f32> { (0..16).map(|i| -x[i] * f(i)).collect() };
    net(0, &[1, 4]).is(&[1, 4, 2, 2], &each(&|i| s[i / 4]));
    net(2, &[2, 2]).is(&[1, 4, 2, 2], &each(&|i| s[i % 4]));
    net(3, &[2]).is(&[1, 4, 2, 2], &each(&|i| s[i % 2]));
}

#[test]
fn whole_constants() {
    // x + the constant that two others make.
    let folded = |op: &str, a: TensorProto, b: TensorProto, attributes: Vec<AttributeProto>| {
        let nodes = vec![
            node(op, &["a", "b"], "c", attributes),
            node("Cast", &["c"], "f", vec![int("to", 1)]),
            node("Add", &["x", "f"], "y", vec![]),
        ];
        let n = a.dims[0];
        Net::of(&[1, n], &vec![0.0; n as usize], vec![a, b], nodes)
            .run()
            .1
    };
    let a = || whole("a", &[7, -7, 7, -7, 6]);
    let b = || whole("b", &[3, 3, -3, -3, -3]);
    assert_eq!(folded("Mod", a(), b(), vec![]), [1.0, 2.0, -2.0, -1.0, 0.0]);
    assert_eq!(
        folded("Mod", a(), b(), vec![int("fmod", 1)]),
        [1.0, -1.0, 1.0, -1.0, 0.0]
    );
    let (c, d) = (
        || floats("a", &[2], &[-7.5, 7.5]),
        || floats("b", &[2], &[2.0, -2.0]),
    );
    assert_eq!(folded("Mod", c(), d(), vec![]), [0.5, -0.5]);
    assert_eq!(folded("Mod", c(), d(), vec![int("fmod", 1)]), [-1.5, 1.5]);
    assert_eq!(
        folded(
            "Pow",
            whole("a", &[2, 1, -1, -1, 3]),
            whole("b", &[-1, -5, -3, -2, 4]),
            vec![]
        ),
        [0.0, 1.0, -1.0, 1.0, 81.0]
    );
    // The result is of the base's type.
    assert_eq!(
        folded(
            "Pow",
            whole("a", &[2, 9]),
            floats("b", &[2], &[0.5, 0.5]),
            vec![]
        ),
        [1.0, 3.0]
    );

    let cast = |to: i32| {
        let nodes = vec![
            node("Cast", &["a"], "c", vec![int("to", to.into())]),
            node("Cast", &["c"], "f", vec![int("to", 1)]),
            node("Add", &["x", "f"], "y", vec![]),
        ];
        let a = whole("a", &[300, -1, 5_000_000_000]);
        Net::of(&[1, 3], &[0.0; 3], vec![a], nodes).run().1
    };
    assert_eq!(cast(data_type::UINT8), [44.0, 255.0, 0.0]);
    assert_eq!(cast(data_type::INT8), [44.0, -1.0, 0.0]);
    assert_eq!(cast(data_type::UINT16), [300.0, 65_535.0, 61_952.0]);
    assert_eq!(cast(data_type::INT32), [300.0, -1.0, 705_032_704.0]);
    assert_eq!(cast(data_type::INT64), [300.0, -1.0, 5e9]);
}

#[test]
fn norms_with_fewer_numbers() {
    let x = counted(8);
    let norm = |scale: TensorProto| {
        let nodes = vec![node(
            "LayerNormalization",
            &["x", "s", "b"],
            "y",
            vec![int("axis", -2)],
        )];
        let bias = floats("b", &[1], &[1.0]);
        Net::of(&[1, 2, 4], &x, vec![scale, bias], nodes)
    };
    let deviation = 5.25f32.sqrt();
    let of = |f: &dyn Fn(usize) -> f32| -> Vec<f32> {
        let normal = |i: usize| (x[i] - 3.5) / deviation;
        (0..8).map(|i| normal(i) * f(i) + 1.0).collect()
    };
    norm(floats("s", &[1], &[2.0])).is(&[1, 2, 4], &of(&|_| 2.0));
    norm(floats("s", &[2, 1], &[2.0, 3.0])).is(&[1, 2, 4], &of(&|i| 2.0 + (i / 4) as f32));
    norm(floats("s", &[4], &[1.0, 2.0, 3.0, 4.0])).is(&[1, 2, 4], &of(&|i| 1.0 + (i % 4) as f32));
    // Extents alone make no memory.
    let mut large = norm(floats("s", &[1], &[2.0]));
    large.inputs[0].1 = vec![1, 1 << 12, 1 << 12];
    large.refused("LayerNormalization");
    let wrong = import(
        norm(floats("s", &[3], &[1.0; 3])).bytes(),
        None,
        &Options::default(),
    );
    assert!(!wrong.unwrap_err().is_unsupported());
}

#[test]
fn a_first_axis_that_is_none_of_the_other() {
    let (x, z) = (counted(12), counted(48));
    let net = Net {
        opset: 18,
        inputs: vec![
            ("x", vec![4, 3], x.clone()),
            ("z", vec![4, 4, 3], z.clone()),
        ],
        constants: vec![],
        nodes: vec![node("Add", &["x", "z"], "y", vec![])],
    };
    let wanted: Vec<f32> = (0..48).map(|i| x[i % 12] + z[i]).collect();
    net.is(&[4, 4, 3], &wanted);
}
