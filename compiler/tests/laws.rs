//! Laws that hold for every layer of the table and each of its samples.

#[cfg(feature = "jit")]
mod special;
mod support;

use cnnc_compiler::diagnostic::MemoryLoader;
use cnnc_compiler::graph::{Graph, Node};
use cnnc_compiler::layer::epilogue::apply;
use cnnc_compiler::layer::{Attribute, Decl, Kind, LAYERS, Layer, ParamDecl, Role};
use cnnc_compiler::pass::optimize;
use cnnc_compiler::reference::Reference;
use cnnc_compiler::shape::Shape;
use cnnc_compiler::target::{Arithmetic, Target};
use cnnc_compiler::{Files, compile_source, layer};
use cnnc_runtime::Isa;
use ndarray::{ArrayD, IxDyn};
use std::collections::{BTreeMap, BTreeSet};

/// The graph of a model with that body.
fn compile(body: &str) -> Result<Graph, String> {
    let text = format!("cnn 1\nmodel Sample {{\n{body}\n}}\n");
    let mut files = Files::new(MemoryLoader(BTreeMap::new()));
    match compile_source(&mut files, "sample.cnn", &text) {
        Ok(model) => Ok(model.graph),
        Err(problems) => Err(problems.render(false)),
    }
}

fn each_sample(mut law: impl FnMut(&str, &'static Decl, &Graph)) {
    for decl in LAYERS {
        for sample in decl.samples {
            let graph = compile(sample).unwrap_or_else(|problems| panic!("`{sample}`\n{problems}"));
            law(&format!("`{sample}`"), decl, &graph);
        }
    }
}

/// Every node of every sample, each layer's own ones.
fn each_node(mut law: impl FnMut(&str, &'static Decl, &Graph, &Node)) {
    each_sample(|what, decl, graph| {
        let own = |node: &&Node| node.layer.attributes().0 == decl.keyword;
        let nodes: Vec<&Node> = graph.live().map(|(_, node)| node).filter(own).collect();
        assert!(
            !nodes.is_empty(),
            "{what} is a sample of `{}` without one",
            decl.keyword
        );
        for node in nodes {
            law(what, decl, graph, node);
        }
    });
}

fn parameter(decl: &'static Decl, name: &str) -> Option<&'static ParamDecl> {
    decl.params.iter().find(|param| param.name == name)
}

/// What a parameter is written as in a statement.
fn written(name: &str, value: &str) -> String {
    match value.starts_with('/') {
        true => format!(" {value}"),
        false => format!(" {name} {value}"),
    }
}

/// The same layer, on operands of the same shapes, with these parameters.
fn rebuilt(node: &Node, graph: &Graph, attributes: &[(&str, String)]) -> Result<Graph, String> {
    let mut body = String::new();
    let shapes = graph.operand_shapes(node);
    for (index, shape) in shapes.iter().enumerate() {
        body += &format!("input i{index}: {shape}\n");
    }
    body += node.layer.attributes().0;
    if shapes.len() > 1 {
        let names: Vec<String> = (0..shapes.len()).map(|index| format!("i{index}")).collect();
        body += &format!("({})", names.join(", "));
    }
    for (name, value) in attributes {
        body += &written(name, value);
    }
    compile(&body).map_err(|problems| format!("{body}\n{problems}"))
}

fn only_layer(graph: &Graph) -> &dyn Layer {
    let (_, node) = graph.live().next_back().expect("one layer");
    &*node.layer
}

/// Attributes as they are printed.
fn shown(layer: &dyn Layer) -> Vec<(&'static str, String)> {
    let attributes = layer.attributes().1.into_iter();
    attributes
        .map(|(name, value)| (name, value.to_string()))
        .collect()
}

/// Attributes that a spec can say: constant weights are shown, but not as they are written.
fn sayable(decl: &'static Decl, node: &Node) -> Option<Vec<(&'static str, String)>> {
    let attributes = shown(&*node.layer);
    let constants = |name: &str| {
        parameter(decl, name).is_some_and(|param| name == "weight" && param.kind == Kind::Numbers)
    };
    (!attributes.iter().any(|(name, _)| constants(name))).then_some(attributes)
}

#[test]
fn inferred_shapes_are_evaluated_shapes() {
    each_sample(|what, _, graph| {
        let every: Vec<_> = graph.values.ids().collect();
        let values = Reference::new(graph, &support::parameter)
            .keep(&every)
            .run(&support::widened(graph, &support::inputs(graph)));
        for (id, value) in graph.values.iter() {
            assert_eq!(values[&id].shape(), value.shape.dims(), "{what}: {id}");
        }
    });
}

#[test]
fn every_engine_computes_the_reference() {
    each_sample(|what, _, graph| support::every_engine_agrees(what, graph, &Isa::ALL));
}

/// What a layer with an epilogue has behind it becomes one with it, and every engine computes that: batch norm, residual, and an
/// activation in registers or in place.
#[test]
fn what_follows_a_layer_with_an_epilogue_is_fused() {
    let mut fused: BTreeSet<&str> = BTreeSet::new();
    each_node(|what, decl, graph, node| {
        if node.layer.clone().epilogue_mut().is_none() {
            return;
        }
        let Some(attributes) = sayable(decl, node) else {
            return;
        };
        let (operand, result) = (
            &graph.operand_shapes(node)[0],
            &graph.values[node.output].shape,
        );
        let mut layer = decl.keyword.to_owned();
        for (name, value) in attributes {
            layer += &written(name, &value);
        }
        for act in ["leaky 0.1", "mish"] {
            let body = format!(
                "input r: {result}; input x: {operand}; x {layer}; n: bn; add(n, r); {act}"
            );
            let graph = compile(&body).unwrap_or_else(|problems| panic!("{what}: {problems}"));
            let (optimized, notes) = optimize(&graph);
            assert_eq!(optimized.live().count(), 1, "{body}: {:?}", notes.list);
            support::every_engine_agrees(&body, &graph, &Isa::ALL);
            fused.insert(decl.keyword);
        }
    });
    let all = BTreeSet::from(["conv", "convtranspose", "dense", "local"]);
    assert_eq!(fused, all);
}

/// Kernels that reach far beyond their operand: taps that meet nothing of it are left out, and memory is of the order of
/// operand and result.
#[test]
fn kernels_reach_beyond_their_operand() {
    for (body, most) in [
        // The first is more than memory has with all its padding.
        ("input x: 1x8x8; conv 3x3 1 dilation 30000 pad half", 1000),
        (
            "input x: 2x5x6; conv 3x3 3 dilation 4x1000 pad half relu",
            2000,
        ),
        (
            "input x: 8x5x5; conv 3x3 8 groups 8 dilation 7 pad half",
            1000,
        ),
        (
            "input x: 8x3x3; conv 3x3 8 groups 8 /16777216 dilation 16777216 pad half",
            1000,
        ),
        (
            "input x: 3x1x1; conv 3x3 4 pad half; conv 3x3 4 groups 2 pad half",
            1000,
        ),
        ("input x: 2x1x9; local 3x3 5 pad half", 1000),
        ("input x: 2x3; conv 5 3 pad (40, 2) /20", 1000),
        ("input x: 2x3; conv 3 3 pad (50, 0) /60", 1000),
        (
            "input x: 3x4x4x4; conv 5x3x5 4 dilation 9x1x4 pad half",
            4000,
        ),
        (
            "input x: 1x8x8; convtranspose 3x3 1 dilation 30000 pad half",
            1000,
        ),
        (
            "input x: 3x5x6; convtranspose 3x3 6 /2 groups 3 dilation 1000x4 pad half output_pad 1",
            3000,
        ),
    ] {
        let graph = compile(body).unwrap_or_else(|problems| panic!("`{body}`\n{problems}"));
        support::every_engine_agrees(body, &graph, &Isa::ALL);
        let arena = support::proven(body, &graph, &Target::new(Isa::Avx2, Arithmetic::Fast))
            .plan
            .arena;
        assert!(arena <= most, "`{body}` takes {arena} floats");
    }
}

/// Readers that want zeros at several edges, each within the limits and all together beyond them, get copies.
#[test]
fn halos_that_do_not_fit_together_are_apart() {
    let body = "input x: 2x8x8
        a: x conv 40000x1 3 /40000 pad (39999, 39999, 0, 0)
        b: a conv 1x1 2
        c: x conv 1x40000 3 /40000 pad (0, 0, 39999, 39999)
        d: c globalavgpool
        e: x relu conv 3x3 3 pad half globalavgpool
        f: b padchannels 0 1 globalavgpool
        add(f, d, e)";
    let graph = compile(body).unwrap_or_else(|problems| panic!("`{body}`\n{problems}"));
    support::every_engine_agrees("halos apart", &graph, &[Isa::Avx2]);
}

/// Fusion replaces a formula by its steps, so the constants of both are equally exact.
#[test]
fn steps_compute_the_formula() {
    each_node(|what, _, _, node| {
        let Role::Pointwise(steps) = node.layer.role() else {
            return;
        };
        for index in -400..=400 {
            let x = f64::from(index) / 16.0;
            let operand = ArrayD::from_elem(IxDyn(&[1]), x);
            let formula = node.layer.evaluate(&[&operand], &[])[[0]];
            let computed = apply(&steps, x);
            // A few roundings of f64 in values up to the result and the operand.
            let bound = 1e-14 * formula.abs().max(x.abs()).max(1.0);
            assert!(
                (computed - formula).abs() <= bound
                    || computed == formula
                    || (computed.is_nan() && formula.is_nan()),
                "{what}: {x} gives {formula}, by steps {computed}"
            );
        }
    });
}

#[test]
fn attributes_are_declared_parameters() {
    each_node(|what, decl, _, node| {
        let (keyword, attributes) = node.layer.attributes();
        assert!(
            layer::find(keyword).is_some(),
            "{what}: `{keyword}` is no row"
        );
        let mut names = BTreeSet::new();
        for (name, value) in attributes {
            assert!(names.insert(name), "{what}: `{name}` stands twice");
            let param = parameter(decl, name)
                .unwrap_or_else(|| panic!("{what}: `{name}` is no parameter of `{keyword}`"));
            let fits = match param.kind {
                Kind::Int => matches!(value, Attribute::Int(_)),
                Kind::Float => matches!(value, Attribute::Float(_)),
                Kind::Flag => matches!(value, Attribute::Flag(_)),
                Kind::Word(words) => {
                    matches!(value, Attribute::Word(word) if words.contains(&word))
                }
                Kind::Dims => matches!(value, Attribute::Extents(_)),
                Kind::Stride => matches!(value, Attribute::Stride(_)),
                Kind::Padding => matches!(value, Attribute::Sides(_) | Attribute::Word(_)),
                Kind::Numbers => matches!(
                    value,
                    Attribute::Constants(..) | Attribute::List(_) | Attribute::Series(_)
                ),
                _ => false,
            };
            assert!(fits, "{what}: `{name}` is {:?}, not {value:?}", param.kind);
        }
    });
}

#[test]
fn attributes_make_the_same_layer() {
    each_node(|what, decl, graph, node| {
        let Some(attributes) = sayable(decl, node) else {
            return;
        };
        let again = rebuilt(node, graph, &attributes)
            .unwrap_or_else(|problems| panic!("{what}: {problems}"));
        assert_eq!(shown(only_layer(&again)), attributes, "{what}");
        let output = again.values.values().next_back().expect("an output");
        assert_eq!(output.shape, graph.values[node.output].shape, "{what}");
    });
}

#[test]
fn declared_defaults_are_what_is_used() {
    each_node(|what, decl, graph, node| {
        let Some(attributes) = sayable(decl, node) else {
            return;
        };
        for param in decl.params {
            // A default in words (`the kernel`) says how it is found; a literal one must be the one in use.
            let Some(default) = param.default.filter(|text| !text.contains(' ')) else {
                continue;
            };
            let mut without = attributes.clone();
            without.retain(|(name, _)| *name != param.name);
            let mut with = without.clone();
            with.push((param.name, default.to_owned()));
            // Without it, other parameters may not fit the operand: then there is nothing to compare.
            if let (Ok(without), Ok(with)) =
                (rebuilt(node, graph, &without), rebuilt(node, graph, &with))
            {
                let of = |graph: &Graph| only_layer(graph).attributes().1;
                assert_eq!(
                    of(&without),
                    of(&with),
                    "{what}: default of `{}`",
                    param.name
                );
            }
        }
    });
}

#[test]
fn samples_give_every_parameter_another_value_than_its_default() {
    // A border is a layer before the convolution, and no attribute of it.
    let mut varied: BTreeSet<(&str, &str)> = BTreeSet::from([("conv", "border")]);
    each_node(|_, decl, _, node| {
        for (name, value) in shown(&*node.layer) {
            if parameter(decl, name).is_some_and(|param| param.default != Some(&value)) {
                varied.insert((decl.keyword, name));
            }
        }
    });
    for decl in LAYERS {
        assert!(
            decl.samples.len() >= 2,
            "`{}` has too few samples",
            decl.keyword
        );
        for param in decl.params {
            let pair = (decl.keyword, param.name);
            assert!(
                varied.contains(&pair),
                "no sample of `{}` sets `{}`",
                pair.0,
                pair.1
            );
        }
    }
}

#[test]
fn shapes_that_do_not_fit_are_errors() {
    let large = 1 << 15;
    let shapes: Vec<Shape> = [
        vec![1],
        vec![7],
        vec![1 << 31],
        vec![3, 1],
        vec![1, 1 << 31],
        vec![2, 1, 1],
        vec![5, 4, 9],
        vec![1, large, large],
        vec![1 << 20, 2, 1],
        vec![4, 1, 1, 1],
        vec![3, 6, 5, 4],
        vec![8, 512, 512, 512],
    ]
    .into_iter()
    .map(|dims| Shape::new(dims).expect("a shape"))
    .collect();
    each_node(|what, _, _, node| {
        for first in &shapes {
            for second in &shapes {
                let mut operands = vec![second.clone(); node.inputs.len()];
                operands[0] = first.clone();
                match node.layer.infer(&operands) {
                    Ok(inferred) => assert!(Shape::new(inferred.output.dims()).is_some(), "{what}"),
                    Err(error) => assert!(!error.message.is_empty(), "{what}"),
                }
            }
        }
    });
}
