//! Norms that files write as several nodes become layers, and what only resembles one stays as it is.

use super::semantics::{Net, floats, int, ints, node};
use cnnc::onnx::proto::{AttributeProto, NodeProto, attribute_type};
use cnnc::onnx::{Options, import};

const EPS: f32 = 1e-5;

/// How the deviation is divided by.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Division,
    /// The difference is there twice, once to be squared.
    Twice,
    Reciprocal,
    /// A power of -1/2.
    Power,
}

/// The nodes of a norm over axes, with the mean of squares over others.
fn nodes(form: Form, over: [&[i64]; 2]) -> Vec<NodeProto> {
    let mean = |input: &str, output: &str, over: &[i64]| {
        node("ReduceMean", &[input], output, vec![ints("axes", over)])
    };
    let mut all = vec![
        mean("x", "m", over[0]),
        node("Sub", &["x", "m"], "d", vec![]),
    ];
    match form {
        Form::Twice => {
            all.push(node("Sub", &["x", "m"], "d2", vec![]));
            all.push(node("Mul", &["d2", "d2"], "s", vec![]));
        }
        _ => all.push(node("Pow", &["d", "two"], "s", vec![])),
    }
    all.push(mean("s", "v", over[1]));
    all.push(node("Add", &["v", "eps"], "e", vec![]));
    match form {
        Form::Division | Form::Twice => {
            all.push(node("Sqrt", &["e"], "r", vec![]));
            all.push(node("Div", &["d", "r"], "n", vec![]));
        }
        Form::Reciprocal => {
            all.push(node("Sqrt", &["e"], "q", vec![]));
            all.push(node("Reciprocal", &["q"], "r", vec![]));
            all.push(node("Mul", &["r", "d"], "n", vec![]));
        }
        Form::Power => {
            all.push(node("Pow", &["e", "half"], "r", vec![]));
            all.push(node("Mul", &["d", "r"], "n", vec![]));
        }
    }
    all.push(node("Mul", &["n", "w"], "nw", vec![]));
    all.push(node("Add", &["nw", "b"], "y", vec![]));
    all
}

/// Numbers that are nowhere alike.
fn numbers(count: usize) -> Vec<f32> {
    (0..count)
        .map(|i| ((i * i * 7 + i * 3) % 23) as f32 / 4.0 - 2.0)
        .collect()
}

/// Means over axes, beside each element.
fn means(values: &[f64], dims: &[usize], over: &[usize]) -> Vec<f64> {
    let key = |at: usize| {
        let mut rest = at;
        let mut key = 0;
        for axis in (0..dims.len()).rev() {
            let place = rest % dims[axis];
            rest /= dims[axis];
            key = key * dims[axis] + if over.contains(&axis) { 0 } else { place };
        }
        key
    };
    let mut sums = vec![(0.0, 0.0); values.len()];
    for (at, value) in values.iter().enumerate() {
        let sum = &mut sums[key(at)];
        *sum = (sum.0 + value, sum.1 + 1.0);
    }
    (0..values.len())
        .map(|at| sums[key(at)].0 / sums[key(at)].1)
        .collect()
}

/// A norm of a tensor, and the spec that it becomes.
#[track_caller]
fn norm(form: Form, dims: &[i64], over: [&[i64]; 2], affine: &[i64]) -> String {
    let shape: Vec<usize> = dims.iter().map(|&n| n as usize).collect();
    let x = numbers(shape.iter().product());
    let count = affine.iter().product::<i64>() as usize;
    let (weight, bias) = (numbers(count), numbers(count + 5)[5..].to_vec());
    let constants = vec![
        floats("two", &[], &[2.0]),
        floats("half", &[], &[-0.5]),
        floats("eps", &[], &[EPS]),
        floats("w", affine, &weight),
        floats("b", affine, &bias),
    ];
    let net = Net {
        opset: 17,
        ..Net::of(dims, &x, constants, nodes(form, over))
    };
    let axes = |list: &[i64]| {
        let place = |&axis: &i64| axis.rem_euclid(dims.len() as i64) as usize;
        list.iter().map(place).collect::<Vec<usize>>()
    };
    let x: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
    let mean = means(&x, &shape, &axes(over[0]));
    let distances: Vec<f64> = x.iter().zip(&mean).map(|(x, mean)| x - mean).collect();
    let squares: Vec<f64> = distances.iter().map(|d| d * d).collect();
    let variance = means(&squares, &shape, &axes(over[1]));
    // What factors and shifts stand beside: their own axes are the last ones.
    let own = |at: usize| {
        let (mut rest, mut place, mut step) = (at, 0, 1);
        for axis in (0..shape.len()).rev() {
            let here = rest % shape[axis];
            rest /= shape[axis];
            let behind = shape.len() - axis;
            if behind <= affine.len() && affine[affine.len() - behind] != 1 {
                place += here * step;
                step *= shape[axis];
            }
        }
        place
    };
    let wanted = (0..x.len()).map(|at| {
        let normal = distances[at] / (variance[at] + f64::from(EPS)).sqrt();
        (normal * f64::from(weight[own(at)]) + f64::from(bias[own(at)])) as f32
    });
    net.is(&shape, &wanted.collect::<Vec<f32>>());
    import(net.bytes(), None, &Options::default()).unwrap().spec
}

/// The layers of a spec, without labels.
fn layers(spec: &str) -> Vec<&str> {
    let lines = spec.lines().map(str::trim);
    let lines = lines.filter(|line| !line.starts_with("input ") && !line.starts_with("///"));
    let lines = lines.skip_while(|line| !line.starts_with("model ")).skip(1);
    lines
        .take_while(|line| *line != "}")
        .map(|line| line.split_once(": ").map_or(line, |(_, rest)| rest))
        .collect()
}

#[test]
fn several_nodes_are_one_norm() {
    for form in [Form::Division, Form::Twice, Form::Reciprocal, Form::Power] {
        let map = norm(form, &[1, 4, 3, 2], [&[1], &[1]], &[4, 1, 1]);
        assert_eq!(layers(&map), ["layernorm over channels eps 1e-5"], "{map}");
        let pixels = norm(form, &[1, 4, 3, 2], [&[2, 3], &[-2, -1]], &[4, 1, 1]);
        assert_eq!(
            layers(&pixels),
            ["instancenorm eps 1e-5 affine"],
            "{pixels}"
        );
        let all = norm(form, &[1, 4, 3, 2], [&[1, 2, 3], &[1, 2, 3]], &[4, 1, 1]);
        assert_eq!(layers(&all), ["groupnorm 1 eps 1e-5"], "{all}");
        let vector = norm(form, &[1, 6], [&[-1], &[-1]], &[6]);
        assert_eq!(layers(&vector), ["layernorm eps 1e-5"], "{vector}");
        // The last axis is brought to the front, where channels are: the input has it there.
        let tokens = norm(form, &[1, 5, 4], [&[-1], &[-1]], &[4]);
        let text = layers(&tokens).join(" ");
        let wanted = "layernorm over channels eps 1e-5 permute (1, 0)";
        assert_eq!(text, wanted, "{tokens}");
    }
}

#[test]
fn what_resembles_a_norm_stays_as_it_is() {
    let other = norm(Form::Division, &[1, 4, 3, 2], [&[1], &[2]], &[4, 1, 1]);
    assert!(!other.contains("norm"), "{other}");
    let part = norm(Form::Division, &[1, 4, 3, 2], [&[2, 3], &[3]], &[4, 1, 1]);
    assert!(!part.contains("norm"), "{part}");
    let elements = norm(
        Form::Division,
        &[1, 4, 3, 2],
        [&[1, 2], &[1, 2]],
        &[4, 1, 1],
    );
    assert!(elements.contains("norm"), "{elements}");
}

/// Groups are written as instances of a tensor that is seen with other extents, with factors of the channels behind.
#[test]
fn groups_that_are_seen_as_instances() {
    let shape = |name: &str, values: &[i64]| super::semantics::whole(name, values);
    let constants = vec![
        shape("groups", &[1, 2, -1]),
        shape("map", &[1, 6, 2, 2]),
        floats("ones", &[2], &[1.0; 2]),
        floats("zeros", &[2], &[0.0; 2]),
        floats("w", &[6, 1, 1], &numbers(6)),
        floats("b", &[6, 1, 1], &numbers(9)[3..]),
    ];
    let nodes = vec![
        node("Reshape", &["x", "groups"], "g", vec![]),
        node(
            "InstanceNormalization",
            &["g", "ones", "zeros"],
            "n",
            vec![],
        ),
        node("Reshape", &["n", "map"], "m", vec![int("allowzero", 0)]),
        node("Mul", &["m", "w"], "s", vec![]),
        node("Add", &["s", "b"], "y", vec![]),
    ];
    let x = numbers(24);
    let net = Net::of(&[1, 6, 2, 2], &x, constants, nodes);
    let x: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
    let mean = means(&x, &[2, 12], &[1]);
    let squares: Vec<f64> = x.iter().zip(&mean).map(|(x, m)| (x - m).powi(2)).collect();
    let variance = means(&squares, &[2, 12], &[1]);
    let (weight, bias) = (numbers(6), numbers(9)[3..].to_vec());
    let wanted = (0..24).map(|at| {
        let normal = (x[at] - mean[at]) / (variance[at] + f64::from(EPS)).sqrt();
        (normal * f64::from(weight[at / 4]) + f64::from(bias[at / 4])) as f32
    });
    net.is(&[1, 6, 2, 2], &wanted.collect::<Vec<f32>>());
    let spec = import(net.bytes(), None, &Options::default()).unwrap().spec;
    assert_eq!(layers(&spec), ["groupnorm 2 eps 1e-5"], "{spec}");
}

/// The window of an even size has one channel more behind than before.
#[test]
fn local_responses_of_an_even_window() {
    let attributes = [("alpha", 0.5), ("beta", 1.0), ("bias", 2.0)];
    let attributes = attributes.map(|(name, f)| AttributeProto {
        name: name.to_owned(),
        f,
        r#type: attribute_type::FLOAT,
        ..AttributeProto::default()
    });
    let attributes = [&attributes[..], &[int("size", 2)]].concat();
    let x = [1.0f32, 2.0, 3.0];
    let net = Net::of(
        &[1, 3, 1, 1],
        &x,
        vec![],
        vec![node("LRN", &["x"], "y", attributes)],
    );
    let wanted = [
        1.0 / (2.0 + 0.25 * 5.0),
        2.0 / (2.0 + 0.25 * 13.0),
        3.0 / (2.0 + 0.25 * 9.0),
    ];
    net.is(&[1, 3, 1, 1], &wanted);
}
