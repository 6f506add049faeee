//! Small files that would have much made of them: each is refused, or takes no more than twice the file and 64 MB.

use super::messages::{ints, model, node, tensor, value};
use cnnc::onnx::proto::*;
use cnnc::onnx::{Options, import};
use cnnc_testing::most;
use prost::Message;
use std::path::Path;
use std::time::{Duration, Instant};

/// What a bomb is called, the network, and what is said of it: nothing where it is imported.
type Bomb = (&'static str, ModelProto, Option<&'static str>);

const PAID: Option<&str> = Some("its constants are more than the file could ever need");
const WORK: Option<&str> = Some("there is more to compute of constants than a network has");
const AXES: Option<&str> = Some("axes, more than a tensor has");

fn relu() -> NodeProto {
    node("Relu", &["x"], &["y"], vec![])
}

fn x() -> Vec<ValueInfoProto> {
    vec![value("x", &[1, 2])]
}

fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        i,
        r#type: attribute_type::INT,
        ..AttributeProto::default()
    }
}

fn listed(name: &str, values: Vec<i64>) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: vec![values.len() as i64],
        data_type: data_type::INT64,
        raw_data: values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect::<Vec<u8>>()
            .into(),
        ..TensorProto::default()
    }
}

fn bytes(name: &str, count: usize) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: vec![count as i64],
        data_type: data_type::UINT8,
        raw_data: vec![1_u8; count].into(),
        ..TensorProto::default()
    }
}

/// A network that calls a function again and again, each time with what the last call made.
fn calls(count: usize, body: NodeProto) -> ModelProto {
    let mut nodes = vec![relu()];
    let mut last = "y".to_owned();
    for at in 0..count {
        let next = format!("c{at}");
        nodes.push(NodeProto {
            domain: "d".to_owned(),
            ..node("F", &[&last], &[&next], vec![])
        });
        last = next;
    }
    let mut model = model(nodes, x(), vec![]);
    model.graph.as_mut().unwrap().output = vec![value("y", &[1, 2]), value(&last, &[1, 2])];
    model.opset_import.push(OperatorSetIdProto {
        domain: "d".to_owned(),
        version: 1,
    });
    model.functions = vec![FunctionProto {
        name: "F".to_owned(),
        domain: "d".to_owned(),
        input: vec!["i".to_owned()],
        output: vec!["o".to_owned()],
        node: vec![body, node("Sigmoid", &["i"], &["o"], vec![])],
        opset_import: vec![OperatorSetIdProto {
            domain: String::new(),
            version: 17,
        }],
        ..FunctionProto::default()
    }];
    model
}

/// A node of a function that makes a constant which nothing reads.
fn constant(t: TensorProto) -> NodeProto {
    let value = AttributeProto {
        name: "value".to_owned(),
        t: Some(Box::new(t)),
        r#type: attribute_type::TENSOR,
        ..AttributeProto::default()
    };
    node("Constant", &[], &["k"], vec![value])
}

fn bombs() -> Vec<Bomb> {
    let casts = (0..400).map(|at| {
        let made = format!("c{at}");
        node("Cast", &["w"], &[&made], vec![int("to", 7)])
    });
    let widened = (0..200).flat_map(|at| {
        let names = [
            format!("r{at}"),
            format!("m{at}"),
            match at {
                199 => "y".to_owned(),
                at => format!("r{}", at + 1),
            },
        ];
        let from = if at == 0 { "x" } else { names[0].as_str() };
        [
            node("Mul", &[from, "w"], &[&names[1]], vec![]),
            node("Relu", &[&names[1]], &[&names[2]], vec![]),
        ]
    });
    let typed = TensorProto {
        raw_data: Default::default(),
        int32_data: vec![1; 100_000],
        ..bytes("v", 100_000)
    };
    let long = NodeProto {
        name: "n".repeat(300_000),
        ..node("Relu", &["i"], &["k"], vec![])
    };
    let graph = AttributeProto {
        name: "body".to_owned(),
        g: [0x0a_u8, 0].repeat(400_000).into(),
        r#type: attribute_type::GRAPH,
        ..AttributeProto::default()
    };
    let packed = TensorProto {
        dims: vec![5_000_000],
        int64_data: vec![0; 5_000_000],
        raw_data: Default::default(),
        ..listed("w", vec![])
    };
    let folded = |op: &str, operands: &[&str], list: Vec<i64>| {
        let node = node(op, operands, &["z"], vec![]);
        let one = tensor("o", &[1], vec![1.0]);
        model(vec![node, relu()], x(), vec![listed("k", list), one])
    };
    vec![
        (
            "parameters of channels that only the input has",
            model(
                vec![node(
                    "GroupNormalization",
                    &["x", "o", "o"],
                    &["y"],
                    vec![int("num_groups", 1)],
                )],
                vec![value("x", &[1, 1 << 29, 1])],
                vec![tensor("o", &[1], vec![1.0])],
            ),
            Some("parameters of 536870912 channels"),
        ),
        (
            "casts of one constant",
            model(
                casts.chain([relu()]).collect(),
                x(),
                vec![tensor("w", &[100_000], vec![1.0; 100_000])],
            ),
            PAID,
        ),
        (
            "bytes in a function",
            calls(400, constant(bytes("v", 100_000))),
            None,
        ),
        ("a list in a function", calls(400, constant(typed)), PAID),
        ("a long name in a function", calls(400, long), None),
        (
            "a constant repeated over more axes than the language has",
            model(
                vec![node("Add", &["x", "w"], &["y"], vec![])],
                vec![value("x", &[1, 16, 128, 128, 64, 2, 4])],
                vec![tensor("w", &[4], vec![1.0, 2.0, 3.0, 4.0])],
            ),
            Some("a constant of [4] for"),
        ),
        (
            "a graph of empty nodes",
            model(vec![node("Loop", &["x"], &["y"], vec![graph])], x(), vec![]),
            Some("the file has more nodes, attributes and tensors than any network"),
        ),
        (
            "bytes that nothing reads",
            model(vec![relu()], x(), vec![bytes("w", 8 << 20)]),
            None,
        ),
        (
            "whole numbers of a byte each",
            model(vec![relu()], x(), vec![packed]),
            Some("the file has more nodes, attributes and tensors than any network"),
        ),
        (
            "a large constant",
            folded("ConstantOfShape", &["k"], vec![2_000_000]),
            PAID,
        ),
        (
            "a number repeated",
            folded("Expand", &["o", "k"], vec![2_000_000]),
            PAID,
        ),
        (
            "a constant in many layers",
            model(
                widened.collect(),
                vec![value("x", &[1, 1 << 18, 1, 1])],
                vec![tensor(
                    "w",
                    &[1, 1 << 18, 1, 1],
                    (0..1 << 18).map(|i| i as f32).collect(),
                )],
            ),
            PAID,
        ),
        (
            "a large tensor turned",
            model(
                vec![node("Transpose", &["w"], &["z"], vec![]), relu()],
                x(),
                vec![tensor("w", &[2, 3 << 20], vec![1.0; 6 << 20])],
            ),
            None,
        ),
        (
            "many axes",
            model(
                vec![node("Unsqueeze", &["x", "k"], &["y"], vec![])],
                x(),
                vec![listed("k", (0..100_000).collect())],
            ),
            AXES,
        ),
        (
            "many extents",
            model(
                vec![node("Reshape", &["x", "k"], &["y"], vec![])],
                x(),
                vec![listed("k", vec![1; 100_000])],
            ),
            AXES,
        ),
        (
            "many axes that are summed over",
            model(
                vec![node(
                    "ReduceMean",
                    &["x"],
                    &["y"],
                    vec![ints("axes", &[1; 10_000])],
                )],
                x(),
                vec![],
            ),
            AXES,
        ),
    ]
}

/// A node whose graph is taken.
fn choice(condition: &str, made: &str, branch: &GraphProto) -> NodeProto {
    let graph = AttributeProto {
        name: "then_branch".to_owned(),
        g: branch.encode_to_vec().into(),
        r#type: attribute_type::GRAPH,
        ..AttributeProto::default()
    };
    node("If", &[condition], &[made], vec![graph])
}

fn truth(name: &str) -> TensorProto {
    TensorProto {
        data_type: data_type::BOOL,
        ..bytes(name, 1)
    }
}

/// A graph without inputs that gives out `b`.
fn branch(node: Vec<NodeProto>) -> GraphProto {
    GraphProto {
        node,
        output: vec![value("b", &[1, 2])],
        ..GraphProto::default()
    }
}

/// Functions that hand an attribute on to one another.
fn handed(depth: usize, t: TensorProto) -> ModelProto {
    let named = |at: usize| format!("F{at}");
    let attribute = AttributeProto {
        name: "v".to_owned(),
        r#type: attribute_type::TENSOR,
        ..AttributeProto::default()
    };
    let call = |at: usize, from: &str, to: &str, attribute: AttributeProto| NodeProto {
        domain: "d".to_owned(),
        ..node(&named(at), &[from], &[to], vec![attribute])
    };
    let given = AttributeProto {
        t: Some(Box::new(t)),
        ..attribute.clone()
    };
    let passed = AttributeProto {
        ref_attr_name: "v".to_owned(),
        ..attribute
    };
    let mut model = calls(0, relu());
    let graph = model.graph.as_mut().unwrap();
    graph.output.truncate(1);
    graph.node = vec![call(0, "x", "y", given)];
    let one = model.functions[0].clone();
    let function = |at: usize| FunctionProto {
        name: named(at),
        attribute: vec!["v".to_owned()],
        node: vec![match at + 1 == depth {
            true => node("Sigmoid", &["i"], &["o"], vec![]),
            false => call(at + 1, "i", "o", passed.clone()),
        }],
        ..one.clone()
    };
    model.functions = (0..depth).map(function).collect();
    model
}

/// What takes long rather than much memory.
fn long() -> Vec<Bomb> {
    // Each in a graph of its own, among names of the graph around it.
    let conditions = (0..16_000).map(|at| {
        let inner = branch(vec![node("Identity", &["x"], &["b"], vec![])]);
        choice("t", &format!("c{at}"), &inner)
    });
    let mut decoded = calls(1_500, constant(truth("v")));
    let inner = GraphProto {
        value_info: (0..60_000).map(|_| value("n", &[])).collect(),
        ..branch(vec![node("Identity", &["i"], &["b"], vec![])])
    };
    decoded.functions[0].node.push(choice("k", "c", &inner));
    let mut parameters = calls(20_000, relu());
    parameters.functions[0].node.remove(0);
    let more = (0..20_000).map(|at| format!("p{at}"));
    parameters.functions[0].input.extend(more);
    let matrices = |dims: [i64; 2], name: &str| tensor(name, &dims, vec![1.0; 1 << 21]);
    let product = |at: usize| node("MatMul", &["a", "b"], &[&format!("m{at}")], vec![]);
    let places = |at: usize| node("NonZero", &["w"], &[&format!("z{at}")], vec![]);
    let floats = |count: usize| vec![tensor("w", &[count as i64], vec![0.0; count])];
    let parts = vec![
        node("ConstantOfShape", &["k"], &["w"], vec![]),
        node("Split", &["w"], &["z"], vec![int("num_outputs", 50_000)]),
        relu(),
    ];
    let empty = || {
        let mut all = vec![tensor("e", &[1 << 31, 0], vec![])];
        all.extend([listed("none", vec![]), listed("zero", vec![0])]);
        all.push(listed("one", vec![1]));
        all
    };
    let along = |at: i64| vec![int("axis", at)];
    let hidden = |op: &str, operands: &[&str], attributes: Vec<AttributeProto>| {
        let node = node(op, operands, &["z"], attributes);
        model(vec![node, relu()], x(), empty())
    };
    vec![
        (
            "conditions in a long graph",
            model(conditions.chain([relu()]).collect(), x(), vec![truth("t")]),
            None,
        ),
        ("a branch in a function", decoded, None),
        (
            "a function of many parameters",
            parameters,
            Some("the network has more nodes than any"),
        ),
        (
            "an attribute that is handed on",
            handed(20, tensor("v", &[1 << 21], vec![1.0; 1 << 21])),
            None,
        ),
        (
            "products of matrices",
            model(
                (0..400).map(product).chain([relu()]).collect(),
                x(),
                vec![matrices([8, 1 << 18], "a"), matrices([1 << 18, 8], "b")],
            ),
            WORK,
        ),
        (
            "elements that are looked for",
            model(
                (0..3_000).map(places).chain([relu()]).collect(),
                x(),
                floats(1 << 20),
            ),
            WORK,
        ),
        (
            "a constant in as many layers as there may be",
            model(
                (0..3_000)
                    .map(|at| node("Mul", &["x", "w"], &[&format!("z{at}")], vec![]))
                    .chain([relu()])
                    .collect(),
                vec![value("x", &[1, 1 << 20])],
                floats(1 << 20),
            ),
            WORK,
        ),
        (
            "many parts",
            model(parts, x(), vec![listed("k", vec![400_000])]),
            None,
        ),
        (
            "nothing, many times",
            model(
                vec![node("Tile", &["e", "k"], &["z"], vec![]), relu()],
                x(),
                vec![tensor("e", &[0], vec![]), listed("k", vec![1 << 24])],
            ),
            PAID,
        ),
        (
            "extents that a zero hides, put together",
            hidden("Concat", &["e", "e"], along(1)),
            None,
        ),
        (
            "extents that a zero hides, cut",
            hidden("Slice", &["e", "zero", "one", "one"], vec![]),
            None,
        ),
        (
            "extents that a zero hides, picked",
            hidden("Gather", &["e", "none"], along(1)),
            None,
        ),
    ]
}

/// Imports a network within the limits that hold for a file of that many bytes.
fn within(name: &str, bytes: Vec<u8>, beside: Option<&Path>, length: usize) -> Result<(), String> {
    let start = Instant::now();
    let (result, memory) = most(|| import(bytes, beside, &Options::default()).map(drop));
    assert!(
        memory <= 2 * length + (64 << 20),
        "{name}: {memory} bytes of a file of {length}"
    );
    assert!(start.elapsed() < Duration::from_secs(10), "{name}");
    result.map_err(|error| error.to_string())
}

#[test]
fn much_is_not_made_of_little() {
    for (name, model, wanted) in bombs().into_iter().chain(long()) {
        let bytes = model.encode_to_vec();
        let length = bytes.len();
        let said = within(name, bytes, None, length).err();
        match (said, wanted) {
            (None, None) => {}
            (Some(said), Some(wanted)) if said.contains(wanted) => {}
            (said, wanted) => panic!("{name}: {said:?} instead of {wanted:?}"),
        }
    }
}

/// A tensor that is so many bytes of `weights.bin`.
fn outside(name: &str, dims: &[i64], offset: usize, length: usize) -> TensorProto {
    let entry = |key: &str, value: String| StringStringEntryProto {
        key: key.to_owned(),
        value,
    };
    TensorProto {
        data_location: 1,
        external_data: vec![
            entry("location", "weights.bin".to_owned()),
            entry("offset", offset.to_string()),
            entry("length", length.to_string()),
        ],
        ..tensor(name, dims, vec![])
    }
}

#[test]
fn bytes_of_other_files_are_held_once() {
    let folder = std::env::temp_dir().join(format!("cnnc-bombs-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("weights.bin"), vec![0_u8; 1 << 20]).unwrap();
    let place = folder.join("net.onnx");
    let network = |step: usize| {
        let tensor = |at: usize| outside(&format!("e{at}"), &[1 << 17], at * step, 1 << 19);
        let all = (0..200).map(tensor).collect();
        model(vec![relu()], x(), all).encode_to_vec()
    };
    let read = |bytes: Vec<u8>| {
        let length = bytes.len() + (1 << 20);
        within("other files", bytes, Some(&place), length)
    };
    assert_eq!(read(network(0)), Ok(()));
    let said = read(network(4)).unwrap_err();
    assert!(said.contains("more bytes than the file"), "{said}");
    std::fs::remove_dir_all(&folder).unwrap();
}

/// A chain of convolutions of one number, with names as exporters write them.
fn chain(count: usize, weights: impl Fn(usize, &str) -> TensorProto) -> Vec<u8> {
    let (mut nodes, mut all) = (Vec::new(), Vec::new());
    let mut last = "x".to_owned();
    for at in 0..count {
        let (name, next) = (
            format!("b.{at}.conv.weight"),
            format!("/b.{at}/conv/Conv_0"),
        );
        nodes.push(NodeProto {
            name: format!("/b.{at}/conv/Conv"),
            ..node("Conv", &[&last, &name], &[&next], vec![])
        });
        all.push(weights(at, &name));
        last = next;
    }
    let mut model = model(nodes, vec![value("x", &[1, 1, 2, 2])], all);
    model.graph.as_mut().unwrap().output = vec![value(&last, &[1, 1, 2, 2])];
    model.encode_to_vec()
}

#[test]
fn many_nodes_in_a_small_file_are_sound() {
    // More layers than the language has, which is another matter.
    let bytes = chain(30_000, |_, name| tensor(name, &[1, 1, 1, 1], vec![1.0]));
    let said = import(bytes, None, &Options::default()).unwrap_err();
    assert!(said.is_unsupported(), "{said}");

    let folder = std::env::temp_dir().join(format!("cnnc-chain-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("weights.bin"), vec![0_u8; 4 * 4_000]).unwrap();
    let bytes = chain(4_000, |at, name| outside(name, &[1, 1, 1, 1], 4 * at, 4));
    let place = folder.join("net.onnx");
    let result = import(bytes, Some(&place), &Options::default());
    std::fs::remove_dir_all(&folder).unwrap();
    result.unwrap();
}
