//! What is said where a file is not imported: each kind of refusal, on networks that are built here.

use cnnc::onnx::proto::*;
use cnnc::onnx::{OnnxError, Options, import};
use prost::Message;

pub(super) fn value(name: &str, dims: &[i64]) -> ValueInfoProto {
    let dim = dims.iter().map(|&n| DimensionProto {
        dim_value: (n >= 0).then_some(n),
        dim_param: (n < 0).then(|| "h".to_owned()),
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

pub(super) fn node(
    op: &str,
    input: &[&str],
    output: &[&str],
    attribute: Vec<AttributeProto>,
) -> NodeProto {
    NodeProto {
        op_type: op.to_owned(),
        name: format!("/net/{op}"),
        input: input.iter().map(|&name| name.to_owned()).collect(),
        output: output.iter().map(|&name| name.to_owned()).collect(),
        attribute,
        ..NodeProto::default()
    }
}

pub(super) fn ints(name: &str, ints: &[i64]) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        ints: ints.to_vec(),
        r#type: attribute_type::INTS,
        ..AttributeProto::default()
    }
}

pub(super) fn tensor(name: &str, dims: &[i64], values: Vec<f32>) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: dims.to_vec(),
        data_type: data_type::FLOAT,
        float_data: values,
        ..TensorProto::default()
    }
}

pub(super) fn model(
    node: Vec<NodeProto>,
    input: Vec<ValueInfoProto>,
    initializer: Vec<TensorProto>,
) -> ModelProto {
    let graph = GraphProto {
        node,
        name: "net".to_owned(),
        input,
        output: vec![value("y", &[1, 2])],
        initializer,
        ..GraphProto::default()
    };
    ModelProto {
        ir_version: 8,
        graph: Some(graph),
        opset_import: vec![OperatorSetIdProto {
            domain: String::new(),
            version: 17,
        }],
        ..ModelProto::default()
    }
}

fn read(model: &ModelProto) -> Result<String, OnnxError> {
    import(
        model.encode_to_vec(),
        None,
        &Options {
            name: "net".to_owned(),
            ..Options::default()
        },
    )
    .map(|imported| imported.spec)
}

fn message(model: &ModelProto) -> String {
    read(model).unwrap_err().to_string()
}

#[test]
fn a_small_network() {
    let weights = || {
        vec![
            tensor("c.weight", &[2, 1, 3, 3], vec![0.5; 18]),
            tensor("c.bias", &[2], vec![1.0; 2]),
        ]
    };
    let nodes = vec![
        node(
            "Conv",
            &["x", "c.weight", "c.bias"],
            &["a"],
            vec![ints("pads", &[1, 1, 1, 1])],
        ),
        node("Sigmoid", &["a"], &["b"], vec![]),
        node("Mul", &["a", "b"], &["c"], vec![]),
        node("GlobalAveragePool", &["c"], &["d"], vec![]),
        node("Flatten", &["d"], &["y"], vec![]),
    ];
    let spec = read(&model(nodes, vec![value("x", &[1, 1, 8, 8])], weights())).unwrap();
    let lines: Vec<&str> = spec.lines().map(str::trim).collect();
    assert!(lines.contains(&"c: conv 3x3 2 pad half silu"), "{spec}");
    assert!(lines.contains(&"globalavgpool"), "{spec}");
}

#[test]
fn one_table_of_all_that_is_not_supported() {
    let nodes = vec![
        node("TopK", &["x", "k"], &["a", "i"], vec![]),
        node("LSTM", &["a"], &["b"], vec![]),
        NodeProto {
            domain: "com.acme".to_owned(),
            ..node("Fancy", &["b"], &["c"], vec![])
        },
        node("LSTM", &["c"], &["y"], vec![]),
    ];
    let error = read(&model(
        nodes,
        vec![value("x", &[1, 4])],
        vec![tensor("k", &[1], vec![2.0])],
    ))
    .unwrap_err();
    let text = error.to_string();
    assert!(error.is_unsupported(), "{text}");
    let OnnxError::Unsupported(rows) = error else {
        panic!("{text}")
    };
    let short: Vec<(&str, usize, &str)> = rows
        .iter()
        .map(|row| (&*row.operator, row.count, &*row.first))
        .collect();
    assert_eq!(
        short,
        [
            ("TopK", 1, "/net/TopK"),
            ("LSTM", 2, "/net/LSTM"),
            ("com.acme.Fancy", 1, "/net/Fancy")
        ]
    );
    assert!(text.contains("no recurrent layers"), "{text}");
}

#[test]
fn open_shapes_say_what_to_give() {
    let nodes = vec![node("Relu", &["x"], &["y"], vec![])];
    let open = model(nodes, vec![value("x", &[1, 3, -1, -1])], vec![]);
    assert_eq!(
        message(&open),
        "input `x` is 1x3xhxh: its shape is open; give `--shape x=3x640x640`, the extents behind the batch"
    );
    let options = Options {
        shapes: vec![("x".to_owned(), vec![3, 4, 5])],
        ..Options::default()
    };
    let spec = import(open.encode_to_vec(), None, &options).unwrap().spec;
    assert!(spec.contains("input x: 3x4x5"), "{spec}");
}

#[test]
fn files_that_contradict_themselves() {
    let input = || vec![value("x", &[1, 1, 8, 8])];
    let relu = |from: &str, to: &str| node("Relu", &[from], &[to], vec![]);
    let cases = [
        (
            model(vec![relu("z", "y")], input(), vec![]),
            "Relu `/net/Relu` reads `z`, which nothing makes",
        ),
        (
            model(vec![relu("y", "y")], input(), vec![]),
            "Relu `/net/Relu` needs its own result: the graph has a circle",
        ),
        (
            model(vec![relu("x", "z")], input(), vec![]),
            "nothing makes the output `y`",
        ),
        (
            model(vec![relu("x", "y"), relu("x", "y")], input(), vec![]),
            "two nodes make `y`",
        ),
        (
            model(
                vec![node(
                    "Conv",
                    &["x", "w"],
                    &["y"],
                    vec![ints("strides", &[0, 1])],
                )],
                input(),
                vec![tensor("w", &[1, 1, 1, 1], vec![1.0])],
            ),
            "Conv `/net/Conv`: `strides` is [0, 1] for 2 axes",
        ),
        (
            model(
                vec![relu("x", "y")],
                input(),
                vec![tensor("w", &[3, 3], vec![1.0; 8])],
            ),
            "tensor `w` has 8 elements, and its extents [3, 3] make 9",
        ),
    ];
    for (broken, wanted) in cases {
        assert_eq!(message(&broken), wanted);
    }
    let mut newer = model(vec![relu("x", "y")], input(), vec![]);
    newer.opset_import[0].version = 99;
    assert!(
        message(&newer).starts_with("operator set 99 is not known"),
        "{}",
        message(&newer)
    );
    let text = |bytes: &[u8]| {
        import(bytes.to_vec(), None, &Options::default())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(text(b""), "the file is empty");
    assert!(text(b"version https://git-lfs.github.com/spec/v1\n").contains("`git lfs pull`"));
    assert!(text(b"PK\x03\x04 a zip").contains("no ONNX file"));
}

#[test]
fn shapes_that_fit_no_input() {
    let nodes = vec![node("Relu", &["x"], &["y"], vec![])];
    let open = model(nodes, vec![value("x", &[-1, 3, -1, -1])], vec![]);
    let with = |name: &str, dims: &[usize]| {
        let options = Options {
            shapes: vec![(name.to_owned(), dims.to_vec())],
            ..Options::default()
        };
        import(open.encode_to_vec(), None, &options)
            .map(|imported| imported.spec)
            .map_err(|error| error.to_string())
    };
    assert_eq!(
        with("nope", &[3, 4, 4]).unwrap_err(),
        "there is no input `nope` to have a shape; inputs are `x`"
    );
    for (dims, shown) in [
        (&[5, 4, 4][..], "5x4x4"),
        (&[4, 4], "4x4"),
        (&[2, 5, 4, 4], "2x5x4x4"),
        (&[1, 1, 3, 4, 4], "1x1x3x4x4"),
    ] {
        assert_eq!(
            with("x", dims).unwrap_err(),
            format!("input `x` is hx3xhxh in the file, batch included: {shown} does not fit that")
        );
    }
    for dims in [&[3, 4, 5][..], &[1, 3, 4, 5]] {
        let spec = with("x", dims).unwrap();
        assert!(spec.contains("input x: 3x4x5"), "{spec}");
    }
}

fn sets(list: &[(&str, i64)]) -> Vec<OperatorSetIdProto> {
    let set = |&(domain, version): &(&str, i64)| OperatorSetIdProto {
        domain: domain.to_owned(),
        version,
    };
    list.iter().map(set).collect()
}

fn call(function: &str, input: &[&str], output: &str) -> NodeProto {
    NodeProto {
        domain: "local".to_owned(),
        ..node(function, input, &[output], vec![])
    }
}

#[test]
fn calls_may_leave_out_what_a_function_needs_not() {
    let bound = FunctionProto {
        name: "Bound".to_owned(),
        domain: "local".to_owned(),
        input: ["a", "low", "high"].map(str::to_owned).to_vec(),
        output: vec!["b".to_owned()],
        node: vec![node("Clip", &["a", "low", "high"], &["b"], vec![])],
        opset_import: sets(&[("", 17)]),
        ..FunctionProto::default()
    };
    let input = || vec![value("x", &[1, 4])];
    let six = || vec![tensor("six", &[], vec![6.0])];
    let nodes = vec![
        call("Bound", &["x", "", "six"], "p"),
        call("Bound", &["p"], "q"),
        node("Sigmoid", &["q"], &["y"], vec![]),
    ];
    let mut called = model(nodes, input(), six());
    called.functions = vec![bound];
    called.opset_import = sets(&[("", 17), ("local", 1)]);
    let nodes = vec![
        node("Clip", &["x", "", "six"], &["p"], vec![]),
        node("Clip", &["p"], &["q"], vec![]),
        node("Sigmoid", &["q"], &["y"], vec![]),
    ];
    let written_out = model(nodes, input(), six());
    assert_eq!(read(&called).unwrap(), read(&written_out).unwrap());
}

#[test]
fn more_layers_than_a_network_has() {
    let inner = |at: usize| match at {
        0 => "a".to_owned(),
        at => format!("v{at}"),
    };
    let deep = FunctionProto {
        name: "Deep".to_owned(),
        domain: "local".to_owned(),
        input: vec!["a".to_owned()],
        output: vec![inner(200)],
        node: (0..200)
            .map(|at| node("Sigmoid", &[&inner(at)], &[&inner(at + 1)], vec![]))
            .collect(),
        opset_import: sets(&[("", 17)]),
        ..FunctionProto::default()
    };
    let outer = |at: usize| match at {
        0 => "x".to_owned(),
        101 => "y".to_owned(),
        at => format!("o{at}"),
    };
    let calls = (0..101).map(|at| call("Deep", &[&outer(at)], &outer(at + 1)));
    let mut long = model(calls.collect(), vec![value("x", &[1, 4])], vec![]);
    long.functions = vec![deep];
    long.opset_import = sets(&[("", 17), ("local", 1)]);
    let error = read(&long).unwrap_err();
    assert!(error.is_unsupported(), "{error}");
    assert!(
        error.to_string().ends_with("has more than 20_000 layers"),
        "{error}"
    );
}

#[test]
fn tables_end_somewhere() {
    let name = |at: usize| match at {
        0 => "x".to_owned(),
        60 => "y".to_owned(),
        at => format!("v{at}"),
    };
    let nodes = (0..60).map(|at| node(&format!("Odd{at}"), &[&name(at)], &[&name(at + 1)], vec![]));
    let text = message(&model(nodes.collect(), vec![value("x", &[1, 4])], vec![]));
    assert_eq!(text.lines().count(), 52, "{text}");
    assert!(text.contains("Odd49 "), "{text}");
    assert!(text.ends_with("\n  and 10 more"), "{text}");
}

#[test]
fn more_inputs_than_a_network_has() {
    let inputs = (0..1025).map(|at| value(&format!("x{at}"), &[1, 2]));
    let nodes = vec![node("Relu", &["x0"], &["y"], vec![])];
    let error = read(&model(nodes, inputs.collect(), vec![])).unwrap_err();
    assert!(error.is_unsupported(), "{error}");
    assert!(error.to_string().ends_with(" inputs"), "{error}");
}

#[test]
fn resize_10_takes_the_place_behind_where_it_makes_smaller() {
    let of = |op: &str, scales: [f32; 2]| {
        let nodes = vec![node(op, &["x", "s"], &["y"], vec![])];
        let scales = tensor("s", &[4], vec![1.0, 1.0, scales[0], scales[1]]);
        let mut resize = model(nodes, vec![value("x", &[1, 1, 9, 7])], vec![scales]);
        resize.opset_import = sets(&[("", if op == "Resize" { 10 } else { 9 })]);
        resize
    };
    for op in ["Resize", "Upsample"] {
        for (scales, side) in [
            ([0.6, 0.4], "ceil"),
            ([0.6, 1.0], "ceil"),
            ([1.5, 1.0], "floor"),
        ] {
            let spec = read(&of(op, scales)).unwrap();
            assert!(
                spec.contains(&format!("nearest asymmetric {side}")),
                "{spec}"
            );
        }
        let mixed = message(&of(op, [0.6, 1.5]));
        assert!(mixed.contains("round differently"), "{mixed}");
    }
}
