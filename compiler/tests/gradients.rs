//! Laws of gradients, for every layer of the table and each of its samples.

mod sections;

use cnnc_compiler::diagnostic::MemoryLoader;
use cnnc_compiler::gradient::check::{self, TOLERANCE, Verdict};
use cnnc_compiler::gradient::{Adjoint, NoGradient, Wanted, differentiate};
use cnnc_compiler::graph::{Graph, Node, Param};
use cnnc_compiler::layer::conv::Conv;
use cnnc_compiler::layer::convtranspose::ConvTranspose;
use cnnc_compiler::layer::epilogue::Epilogue;
use cnnc_compiler::layer::padchannels::PadChannels;
use cnnc_compiler::layer::slice::Slice;
use cnnc_compiler::layer::window::{Padding, Window};
use cnnc_compiler::layer::{self, Attributes, Decl, Inferred, LAYERS, Layer, ShapeError};
use cnnc_compiler::op::OPS;
use cnnc_compiler::pass::optimize;
use cnnc_compiler::reference::evaluate;
use cnnc_compiler::shape::Shape;
use cnnc_compiler::{Files, compile_source};
use cnnc_runtime::synthetic::Synthetic;
use ndarray::{ArrayD, IxDyn};
use std::collections::{BTreeMap, BTreeSet};

/// The graph of a model with that body.
fn compile(body: &str) -> Graph {
    let text = format!("cnn 1\nmodel Sample {{\n{body}\n}}\n");
    let mut files = Files::new(MemoryLoader(BTreeMap::new()));
    match compile_source(&mut files, "sample.cnn", &text) {
        Ok(model) => model.graph,
        Err(problems) => panic!("`{body}`\n{}", problems.render(false)),
    }
}

fn each_sample(mut law: impl FnMut(&str, &'static Decl, &Graph)) {
    for decl in LAYERS {
        for sample in decl.samples {
            law(sample, decl, &compile(sample));
        }
    }
}

/// Each layer's own nodes in its samples.
fn each_node(mut law: impl FnMut(&str, &'static Decl, &Graph, &Node)) {
    each_sample(|sample, decl, graph| {
        for (_, node) in graph.live() {
            if node.layer.keyword() == decl.keyword {
                law(sample, decl, graph, node);
            }
        }
    });
}

fn names(graph: &Graph, node: &Node) -> Vec<String> {
    let params = node.params.iter();
    params.map(|&id| graph.params[id].name.clone()).collect()
}

/// What has no gradient by its nature: corners of regions, what a tensor is beside, of what places are told, what is compared, and conditions.
const CONSTANT: [(&str, usize); 11] = [
    ("roipool", 1),
    ("roialign", 1),
    ("constant", 0),
    ("argmax", 0),
    ("argmin", 0),
    ("hardmax", 0),
    ("less", 0),
    ("less", 1),
    ("equal", 0),
    ("equal", 1),
    ("where", 0),
];

#[test]
fn gradients_are_those_of_differences() {
    let mut nodes = 0;
    each_node(|sample, decl, graph, node| {
        let operands = graph.operand_shapes(node);
        let found = check::layer(&*node.layer, &operands, &names(graph, node));
        let found = found.unwrap_or_else(|error| panic!("`{sample}`: {error}"));
        for (index, entry) in found.iter().enumerate() {
            let constant = CONSTANT.contains(&(decl.keyword, index));
            assert_eq!(entry.error.is_none(), constant, "`{sample}`: {}", entry.of);
            let error = entry.error.unwrap_or(0.0);
            assert!(
                error <= TOLERANCE,
                "`{sample}`: {} is off by {error:e}",
                entry.of
            );
        }
        let learned = node.params.iter().filter(|&&id| graph.params[id].learned);
        assert_eq!(found.len(), operands.len() + learned.count(), "`{sample}`");
        nodes += 1;
    });
    assert!(nodes >= 300, "{nodes} nodes");
}

/// Groups × stride × dilation × padding × extents: what windows leave over and what they never reach, of convolutions and of those turned round.
#[test]
fn windows_of_every_kind_have_gradients() {
    let names = ["c.weight", "c.bias"].map(str::to_owned);
    let mut checked = 0;
    for (kernel, stride, dilation) in triples([1, 2, 3], [1, 2, 3], [1, 2]) {
        for (before, after, groups) in triples([0, 1, 3], [0, 2], [1, 2]) {
            let window = Window {
                rank: 1,
                kernel: [1, 1, kernel],
                stride: [1, 1, stride],
                dilation: [1, 1, dilation],
                padding: Padding::Explicit([(0, 0), (0, 0), (before, after)]),
                ceil: false,
            };
            let conv: Box<dyn Layer> = Box::new(Conv {
                border: None,
                window: window.clone(),
                out: 2,
                groups,
                bias: true,
                literal: None,
                epilogue: Epilogue::default(),
            });
            let turned: Box<dyn Layer> = Box::new(ConvTranspose {
                window,
                out: 2,
                output_pad: (dilation - 1).min(stride - 1),
                groups,
                bias: true,
                epilogue: Epilogue::default(),
            });
            for layer in [conv, turned] {
                for extent in 5..8 {
                    let shape = Shape::new([4, extent]).expect("a shape");
                    if layer.infer(std::slice::from_ref(&shape)).is_err() {
                        continue;
                    }
                    let found = check::layer(&*layer, &[shape], &names).expect("a gradient");
                    for entry in found {
                        let error = entry.error.expect("a gradient");
                        let of = &entry.of;
                        assert!(
                            error <= TOLERANCE,
                            "{of} of {layer:?} on {extent}: {error:e}"
                        );
                        checked += 1;
                    }
                }
            }
        }
    }
    assert!(checked > 2000, "{checked}");
}

/// The same in two dimensions, each axis with its own stride, dilation and padding, and rows and columns of odd and even number: the whole product, for
/// groups of one, two and three, some with as many filters as channels and some with more or fewer.
#[test]
fn windows_of_two_axes_have_gradients() {
    let names = ["c.weight", "c.bias"].map(str::to_owned);
    let (mut checked, mut uneven) = (0, 0);
    for (kernel, groups, filters) in [
        ([3, 2], 1, 1),
        ([2, 3], 2, 4),
        ([3, 3], 2, 2),
        ([1, 3], 3, 3),
        ([2, 1], 3, 6),
    ] {
        for (rows, columns, dilations) in triples([1, 2, 3], [1, 2, 3], 0..4) {
            for (above, left, extents) in triples([(0, 0), (1, 1), (0, 2)], [(0, 0), (2, 1)], 0..4)
            {
                let dilation = [1 + dilations % 2, 1 + dilations / 2];
                let extents = [5 + extents % 2, 5 + extents / 2];
                let window = Window {
                    rank: 2,
                    kernel: [1, kernel[0], kernel[1]],
                    stride: [1, rows, columns],
                    dilation: [1, dilation[0], dilation[1]],
                    padding: Padding::Explicit([(0, 0), above, left]),
                    ceil: false,
                };
                let layer = Conv {
                    border: None,
                    window,
                    out: filters,
                    groups,
                    bias: true,
                    literal: None,
                    epilogue: Epilogue::default(),
                };
                let channels = if groups == 1 { 2 } else { groups };
                let shape = Shape::new([channels, extents[0], extents[1]]).expect("a shape");
                let inferred = layer.infer(std::slice::from_ref(&shape));
                assert!(inferred.is_ok(), "{layer:?} does not fit {shape}");
                // Rows that no window reaches.
                let padded = extents[0] + above.0 + above.1;
                uneven += usize::from((padded - dilation[0] * (kernel[0] - 1) - 1) % rows != 0);
                let found = check::layer(&layer, &[shape], &names).expect("a gradient");
                assert_eq!(found.len(), 3);
                for entry in found {
                    let error = entry.error.expect("a gradient");
                    let of = &entry.of;
                    assert!(
                        error <= TOLERANCE,
                        "{of} of {layer:?} on {extents:?}: {error:e}"
                    );
                }
                checked += 1;
            }
        }
    }
    assert_eq!(checked, 5 * 36 * 24);
    assert!(uneven > 1000, "{uneven} of {checked} leave rows over");
}

fn triples<A: Copy, B: Copy, C>(
    a: impl IntoIterator<Item = A>,
    b: impl IntoIterator<Item = B> + Clone,
    c: impl IntoIterator<Item = C> + Clone,
) -> Vec<(A, B, C)> {
    let mut all = Vec::new();
    for a in a {
        for b in b.clone() {
            all.extend(c.clone().into_iter().map(|c| (a, b, c)));
        }
    }
    all
}

/// Every layer has a gradient, and what gradients are made of is what the tables list: all of it, and nothing else.
#[test]
fn every_layer_has_a_gradient_of_listed_operations() {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    each_sample(|sample, _, graph| {
        let gradients = differentiate(graph, &Wanted::all());
        let gradients = gradients.unwrap_or_else(|error| panic!("`{sample}`: {error}"));
        seen.extend(gradients.keywords());
    });
    let listed = LAYERS.iter().map(|decl| decl.keyword);
    let listed: BTreeSet<&str> = listed.chain(OPS.iter().copied()).collect();
    assert_eq!(seen, listed);
}

#[test]
fn gradients_are_the_graphs_that_are_written() {
    sections::compare("gradients", |case| {
        let model = case.compile(&case.spec);
        let model = model.unwrap_or_else(|problems| panic!("{}", problems.render(false)));
        let gradients = differentiate(&model.graph, &Wanted::all());
        gradients.expect("all layers have one").dump()
    });
}

/// A gradient that nobody wants is not computed, nor is what it alone is made of.
#[test]
fn frozen_layers_cost_nothing() {
    let graph = compile("input x: 2x9; a: conv 3 4; b: conv 3 4 relu; c: conv 3 2");
    let keywords = |frozen: &'static [&'static str], inputs: usize| {
        let params = |param: &Param| !frozen.contains(&&param.name[..1]);
        let wanted = Wanted {
            inputs,
            params: &params,
        };
        let gradients = differentiate(&graph, &wanted).expect("all layers have one");
        let of = |keyword| {
            gradients
                .keywords()
                .filter(|found| *found == keyword)
                .count()
        };
        [of("conv_input"), of("conv_weight"), of("pixel_sum")]
    };
    assert_eq!(keywords(&[], 1), [3, 3, 3]);
    assert_eq!(keywords(&[], 0), [2, 3, 3]);
    assert_eq!(keywords(&["a"], 0), [1, 2, 2]);
    assert_eq!(keywords(&["a", "b"], 0), [0, 1, 1]);
    assert_eq!(keywords(&["b"], 0), [2, 2, 2]);
    assert_eq!(keywords(&["a", "b", "c"], 0), [0, 0, 0]);
}

#[test]
fn what_passes_have_fused_is_refused() {
    for (body, why) in [
        (
            "input x: 2x9; a: conv 3 4 relu",
            "`a` has no gradient: it has become one with the layers behind it",
        ),
        (
            "input x: 2x3x3; flatten; a: dense 4",
            "`a` has no gradient: it has become one with the layer before it",
        ),
    ] {
        let (graph, _) = optimize(&compile(body));
        let error = differentiate(&graph, &Wanted::all()).expect_err("it is fused");
        assert_eq!(error.to_string(), why);
    }
}

/// Layers that are a linear map and a constant, in the operands that have gradients; `roipool` where a bin has one element.
const AFFINE: [&str; 39] = [
    "adaptiveavgpool",
    "add",
    "argmax",
    "argmin",
    "avgpool",
    "bn",
    "concat",
    "constant",
    "conv",
    "convtranspose",
    "crop",
    "dense",
    "depth_to_space",
    "dropout",
    "equal",
    "flatten",
    "flip",
    "gather",
    "globalavgpool",
    "hardmax",
    "less",
    "local",
    "pad",
    "padchannels",
    "permute",
    "reduce",
    "reshape",
    "resize",
    "roialign",
    "roipool",
    "scale",
    "shuffle",
    "slice",
    "space_to_depth",
    "sub",
    "subsample",
    "tiled",
    "upsample",
    "where",
];

/// `⟨A x, u⟩ = ⟨x, Aᵀ u⟩` for whatever is linear, found by trying.
#[test]
fn adjoints_of_linear_layers_are_transposed() {
    let mut linear: BTreeSet<&str> = BTreeSet::new();
    each_node(|sample, decl, graph, node| {
        let shapes = graph.operand_shapes(node);
        let alone = check::alone(&*node.layer, &shapes, &names(graph, node));
        let gradients = differentiate(&alone, &Wanted::all()).expect("a gradient");
        let made = |name: &str, shape: &Shape| {
            let values = Synthetic::input(name).values(shape.elements());
            // Far enough for what is bent at 6.
            let values = values.into_iter().map(|x| 9.0 * f64::from(x)).collect();
            ArrayD::from_shape_vec(IxDyn(shape.dims()), values).expect("as many values")
        };
        let moves = |index: usize| !CONSTANT.contains(&(decl.keyword, index));
        let operands = |name: &str| -> Vec<ArrayD<f64>> {
            let tensor = |(index, shape)| match moves(index) {
                true => made(&format!("{name}{index}"), shape),
                false => made("corners", shape).mapv(|x| 4.0 * x),
            };
            shapes.iter().enumerate().map(tensor).collect()
        };
        let combine = |a: &[ArrayD<f64>], b: &[ArrayD<f64>], sign: f64| -> Vec<ArrayD<f64>> {
            let pairs = a.iter().zip(b).enumerate();
            let pair = |(index, (a, b)): (usize, (&ArrayD<f64>, &ArrayD<f64>))| match moves(index) {
                true => a + &(b * sign),
                false => a.clone(),
            };
            pairs.map(pair).collect()
        };
        let apply = |x: &[ArrayD<f64>]| evaluate(&alone, &parameter, x).remove(0);
        let (x, z) = (operands("x"), operands("z"));
        let none = combine(&x, &x, -1.0);
        let (ax, az, a0) = (apply(&x), apply(&z), apply(&none));
        let together = apply(&combine(&x, &z, 1.0));
        let bend = &together - &ax - &az + &a0;
        let size = ax.iter().fold(1.0_f64, |most, y| most.max(y.abs()));
        if !bend.iter().all(|y| y.abs() <= 1e-12 * size) {
            return;
        }
        linear.insert(decl.keyword);
        let u = made("u", &alone.values[alone.outputs[0].value].shape);
        let found = gradients.evaluate(&parameter, &x, std::slice::from_ref(&u));
        let terms = (&ax - &a0) * &u;
        let back: f64 = (found.inputs.iter().zip(&x))
            .filter_map(|(gradient, x)| Some((gradient.as_ref()? * x).sum()))
            .sum();
        let bound = 1e-12 * terms.iter().map(|term| term.abs()).sum::<f64>();
        let off = (terms.sum() - back).abs();
        assert!(
            off <= bound,
            "`{sample}` is off by {off:e}, more than {bound:e}"
        );
    });
    let expected: BTreeSet<&str> = AFFINE.into_iter().collect();
    assert_eq!(linear, expected);
}

fn parameter(param: &Param) -> ArrayD<f64> {
    let values = Synthetic::tensor(&param.name, &param.shape).values(param.elements());
    let values = values.into_iter().map(f64::from).collect();
    ArrayD::from_shape_vec(IxDyn(&param.shape), values).expect("as many values")
}

/// Rows stand for layers, operands are cut, and the whole agrees too.
#[test]
fn a_network_is_checked_layer_by_layer_and_as_a_whole() {
    let graph = compile(
        "input x: 2x40x40; a: conv 3x3 20 pad half relu; maxpool 2x2; b: conv 3x3 40 /2 bn; globalavgpool; f: dense 4",
    );
    let rows = check::network(&graph, |_, _| {});
    let labels: Vec<_> = rows.iter().map(|row| row.label.as_str()).collect();
    assert_eq!(
        labels,
        [
            "a_conv",
            "a",
            "maxpool_1",
            "b_conv",
            "b",
            "globalavgpool_1",
            "f"
        ]
    );
    for row in &rows {
        assert!(row.error() <= TOLERANCE, "{row:?}");
        assert_eq!(row.checked.len(), row.operands.len());
    }
    // Cut, and what a stride of 2 leaves over is the same.
    assert_eq!(rows[3].operands[0].dims(), [20, 20, 20]);
    assert_eq!(rows[3].checked[0].dims(), [8, 8, 8]);
    let numbers = check::numbers(&graph).expect("a small network");
    assert_eq!(
        numbers.len(),
        3 * 9,
        "x, two weights and biases, bn's two, dense's two"
    );
    for number in &numbers {
        assert_ne!(number.verdict, Verdict::Fail, "{number:?}");
    }
    let kinks = numbers
        .iter()
        .filter(|number| number.verdict == Verdict::Kink);
    assert!(kinks.count() <= 2);
}

/// Where a rectifier changes sides there is no derivative, and nothing is wrong.
#[test]
fn kinks_are_no_mistakes() {
    let x = f64::from(Synthetic::input("x").values(1)[0]);
    let graph = compile(&format!("input x: 1; scale 1 shift {}; relu", -x));
    let numbers = check::numbers(&graph).expect("a small network");
    assert_eq!(numbers[0].verdict, Verdict::Kink, "{numbers:?}");
    assert_eq!((numbers[0].x, numbers[0].analytic), (x, 0.0));
}

/// A square whose gradient lacks the factor of 2.
#[derive(Clone, Debug)]
struct Square;

impl Layer for Square {
    fn attributes(&self) -> (&'static str, Attributes) {
        ("square", Vec::new())
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        Ok(Inferred::plain(inputs[0].clone()))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        inputs[0].mapv(|x| x * x)
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let dx = g.mul(g.x(0), g.dy());
        g.give(0, dx);
        Ok(())
    }
}

/// A vector as it is, whose first element is forgotten on the way back.
#[derive(Clone, Debug)]
struct Forgetful;

impl Layer for Forgetful {
    fn attributes(&self) -> (&'static str, Attributes) {
        ("forgetful", Vec::new())
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        Ok(Inferred::plain(inputs[0].clone()))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        inputs[0].clone()
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let (from, to, axis) = (1, None, 0);
        let rest = g.push(Slice::range(from, to, axis), &[g.dy()]);
        let (before, after) = (1, 0);
        let dx = g.push(PadChannels::zeros(before, after), &[rest]);
        g.give(0, dx);
        Ok(())
    }
}

/// What is wrong is found, in one element of very many too; and an operation without loops says so.
#[test]
fn wrong_gradients_are_found() {
    let shape = |dims: &[usize]| Shape::new(dims).expect("a shape");
    let error = |layer: &dyn Layer, shape: Shape| {
        let found = check::layer(layer, &[shape], &[]).expect("a gradient");
        found[0].error.expect("a gradient")
    };
    assert!(error(&Square, shape(&[3, 4])) > 0.1);
    assert!(error(&Forgetful, shape(&[100_000])) > 100.0 * TOLERANCE);
    assert!(Square.lowering().is_none());
    let relu = layer::find("relu").expect("a layer");
    let graph = compile(relu.samples[0]);
    let (_, node) = graph.live().next().expect("a node");
    assert!(node.layer.lowering().is_some());
}
