//! Random valid graphs keep their meaning under every pass and through lowering.
//!
//! A graph grows from a list of random steps: each picks a row of the table of layers, operands among the tensors that exist, and
//! values for the row's parameters by their kinds. A step that its layer rejects is left out, so every list is a valid graph,
//! shrinks well, and a new layer takes part as soon as it has its row.

mod builder;
#[path = "../support/mod.rs"]
mod support;

use builder::Builder;
use cnnc_compiler::graph::{Graph, Output};
use cnnc_compiler::id::{Id, ValueId};
use cnnc_compiler::layer::{Args, Decl, Kind, LAYERS, Literal, ParamDecl, Spanned};
use cnnc_compiler::limits;
use cnnc_compiler::note::Notes;
use cnnc_compiler::pass::{PASSES, optimize};
use cnnc_compiler::reference::Reference;
use cnnc_compiler::shape::Shape;
use cnnc_compiler::span::Span;
use cnnc_runtime::Isa;
use proptest::prelude::*;
use std::collections::BTreeSet;
use support::{inputs, parameter, reference, widened};

/// Tensors do not grow beyond this, so that a case takes milliseconds.
const MAX_ELEMENTS: usize = 3000;

/// Random numbers that one step draws from, in turn.
struct Dice<'a> {
    numbers: &'a [u16],
    next: usize,
}

impl Dice<'_> {
    fn below(&mut self, n: usize) -> usize {
        let number = self.numbers[self.next % self.numbers.len()];
        self.next += 1;
        usize::from(number) * n / (usize::from(u16::MAX) + 1)
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}

/// A value for a parameter, such as small tensors can take; `None` leaves an optional one out.
fn argument(dice: &mut Dice, param: &ParamDecl, operand: &Shape) -> Option<Literal> {
    if param.default.is_some() && dice.below(2) == 0 {
        return None;
    }
    let rank = operand.spatial().len();
    let dims = |dice: &mut Dice, most: usize| {
        let extents = (0..rank.max(1)).map(|_| 1 + dice.below(most) as i64);
        Literal::Dims(extents.collect())
    };
    match param.kind {
        // The operand's own extents, turned round, are what `reshape` can take.
        Kind::Dims if dice.below(4) == 0 => {
            let mut turned: Vec<i64> = operand.dims().iter().map(|&n| n as i64).collect();
            turned.rotate_left(1);
            Some(Literal::Dims(turned))
        }
        Kind::Dims => Some(dims(dice, 3)),
        Kind::Stride => Some(dims(dice, 2)),
        Kind::Int => Some(Literal::Int(dice.pick(&[0, 1, 2, 2, 3, 4, 5, 6, 9, 17]))),
        Kind::Float => Some(Literal::Float(
            dice.pick(&[0.01, 0.25, 0.5, 1.0, 1.5, -0.75]),
        )),
        Kind::Flag => Some(Literal::Word(dice.pick(&["on", "off"]).to_owned())),
        Kind::Word(words) => Some(Literal::Word(dice.pick(words).to_owned())),
        Kind::Padding => match dice.below(4) {
            0 => Some(Literal::Word(dice.pick(&["half", "same"]).to_owned())),
            1 => Some(Literal::Int(1)),
            _ => {
                let sides = (0..2 * rank).map(|_| Spanned {
                    value: Literal::Int(dice.below(3) as i64),
                    span: Span::none(),
                });
                Some(Literal::List(sides.collect()))
            }
        },
        Kind::Numbers if param.name == "axes" => {
            let mut axes: Vec<i64> = (0..=rank as i64).collect();
            axes.rotate_left(dice.below(rank + 1));
            let last = axes.len() - 1;
            axes.swap(dice.below(last + 1), last);
            let item = |axis| Spanned {
                value: Literal::Int(axis),
                span: Span::none(),
            };
            Some(Literal::List(axes.into_iter().map(item).collect()))
        }
        Kind::Numbers if param.name == "places" => {
            let places = (0..1 + dice.below(4)).map(|_| Spanned {
                value: Literal::Int(dice.below(3) as i64),
                span: Span::none(),
            });
            Some(Literal::List(places.collect()))
        }
        Kind::Numbers
        | Kind::Strings
        | Kind::Pairs
        | Kind::Lists
        | Kind::Tensors
        | Kind::Series => None,
    }
}

/// Layers that make something else of what is a little different: what engines agree about are inputs.
const JUMPS: [&str; 12] = [
    "argmax",
    "argmin",
    "ceil",
    "equal",
    "floor",
    "hardmax",
    "less",
    "round",
    "shrink",
    "sign",
    "thresholdedrelu",
    "where",
];

/// Tries to add one layer.
fn step(builder: &mut Builder, dice: &mut Dice, decl: &'static Decl) {
    let values: Vec<ValueId> = builder.graph.values.ids().collect();
    // Young values are likelier, which makes deep graphs.
    let pick = |dice: &mut Dice| {
        values[values.len() - 1 - dice.below(values.len()).min(dice.below(values.len()))]
    };
    let spatial = |value: &ValueId| !builder.graph.values[*value].shape.spatial().is_empty();
    let grids: Vec<ValueId> = values.iter().copied().filter(spatial).collect();
    let inputs: Vec<ValueId> = (builder.graph.inputs.iter())
        .map(|input| input.value)
        .collect();
    // Most layers want pixels, but many make vectors.
    let first = match grids.is_empty() || dice.below(3) == 0 {
        _ if JUMPS.contains(&decl.keyword) => dice.pick(&inputs),
        true => pick(dice),
        false => dice.pick(&grids),
    };
    // Tensors that are lists of regions hardly come about by chance.
    if ["roipool", "roialign"].contains(&decl.keyword) {
        let name = format!("regions{}", builder.graph.inputs.len());
        let regions = builder.input(&name, &[3, 4]);
        let value = Literal::Dims(vec![2, 2]);
        let span = Span::none();
        let given = vec![("size", Spanned { value, span })];
        let _ = builder.layer(decl, given, &[first, regions]);
        return;
    }
    let (fewest, most) = decl.operands;
    let count = fewest + dice.below(most.min(fewest + 2) - fewest + 1);
    let mut operands = vec![first];
    let shape = builder.graph.values[first].shape.clone();
    for _ in 1..count {
        // An operand of another shape would mostly be rejected.
        let from = match JUMPS.contains(&decl.keyword) {
            true => &inputs,
            false => &values,
        };
        let alike: Vec<ValueId> = from
            .iter()
            .copied()
            .filter(|&value| builder.graph.values[value].shape.spatial() == shape.spatial())
            .collect();
        let other = match JUMPS.contains(&decl.keyword) {
            true => dice.pick(&inputs),
            false => pick(dice),
        };
        operands.push(if dice.below(4) == 0 {
            other
        } else {
            dice.pick(&alike)
        });
    }
    let given = decl
        .params
        .iter()
        .filter_map(|param| {
            let value = argument(dice, param, &shape)?;
            let span = Span::none();
            Some((param.name, Spanned { value, span }))
        })
        .collect();
    if let Ok(made) = builder.layer(decl, given, &operands) {
        follow(builder, dice, made);
    }
}

/// Puts behind a layer with an epilogue what may become a part of it: what passes are about hardly comes about by chance.
fn follow(builder: &mut Builder, dice: &mut Dice, made: ValueId) {
    let node = builder.graph.nodes.values().next_back();
    let mut layer = node.expect("it has just been made").layer.clone();
    if layer.epilogue_mut().is_none() {
        return;
    }
    let mut chain = made;
    let put = |builder: &mut Builder, keyword: &str, operands: &[ValueId]| {
        let decl = cnnc_compiler::layer::find(keyword).expect("a row of the table");
        let made = builder.layer(decl, Vec::new(), operands);
        made.unwrap_or(operands[0])
    };
    if dice.below(2) == 0 {
        chain = put(builder, "bn", &[chain]);
    }
    if dice.below(2) == 0 {
        let shape = builder.graph.values[chain].shape.clone();
        let alike = |value: &ValueId| builder.graph.values[*value].shape == shape;
        let before = builder.graph.values.ids();
        let before: Vec<ValueId> = before.filter(|&v| v < made).filter(alike).collect();
        let other = match before.is_empty() {
            true => builder.input(&format!("residual{}", made.index()), shape.dims()),
            false => dice.pick(&before),
        };
        let mut operands = [chain, other];
        operands.rotate_left(dice.below(2));
        chain = put(builder, "add", &operands);
    }
    if dice.below(2) == 0 {
        let act = dice.pick(&["relu", "leaky", "relu6", "silu", "tanh", "hardswish"]);
        put(builder, act, &[chain]);
    }
}

/// The graph of a list of steps, with its last tensor and one other as outputs.
fn grow(shapes: &[Vec<usize>], steps: &[Vec<u16>], tap: u16) -> Graph {
    let mut builder = Builder::new(MAX_ELEMENTS);
    for (index, dims) in shapes.iter().enumerate() {
        builder.input(&format!("in{index}"), dims);
    }
    for numbers in steps {
        let mut dice = Dice { numbers, next: 0 };
        // Layers that passes are about come up more often.
        let decl = match dice.below(3) {
            0 => dice.pick(&[
                "conv",
                "convtranspose",
                "local",
                "dense",
                "bn",
                "relu",
                "silu",
                "add",
                "concat",
                "flatten",
                "dropout",
            ]),
            _ => dice.pick(LAYERS).keyword,
        };
        let decl = cnnc_compiler::layer::find(decl).expect("a row of the table");
        step(&mut builder, &mut dice, decl);
    }
    let mut graph = builder.graph;
    let last = graph.values.ids().next_back().expect("there is an input");
    let other = graph
        .values
        .ids()
        .nth(usize::from(tap) % graph.values.len());
    for (name, value) in [("raw", last), ("tap", other.expect("below the length"))] {
        let name = name.to_owned();
        graph.outputs.push(Output { name, value });
    }
    graph
}

fn shape() -> impl Strategy<Value = Vec<usize>> {
    let channels = prop_oneof![1usize..=9, Just(16), Just(17), Just(33)];
    (
        channels,
        prop::collection::vec(prop_oneof![1usize..=9, Just(4), Just(6), Just(8)], 0..=3),
    )
        .prop_map(|(channels, spatial)| [vec![channels], spatial].concat())
        .prop_filter("small", |dims| {
            Shape::new(dims.clone()).is_some_and(|shape| shape.elements() <= MAX_ELEMENTS)
        })
}

fn graph() -> impl Strategy<Value = Graph> {
    let step = prop::collection::vec(any::<u16>(), 24);
    (
        prop::collection::vec(shape(), 1..=2),
        prop::collection::vec(step, 1..=24),
        any::<u16>(),
    )
        .prop_map(|(shapes, steps, tap)| grow(&shapes, &steps, tap))
}

cnnc_testing::properties! {
    fn passes_keep_the_meaning(graph in graph()) for 256 {
        let before = reference(&graph, &inputs(&graph));
        let mut after = graph.clone();
        let mut notes = Notes::default();
        for pass in PASSES {
            cnnc_compiler::pass::run(pass, &mut after, &mut notes);
            let results = reference(&after, &inputs(&graph));
            for (x, y) in before.iter().zip(&results) {
                let scale = x.iter().fold(1.0, |most: f64, x| most.max(x.abs()));
                for (x, y) in x.iter().zip(y) {
                    prop_assert!((x - y).abs() <= 1e-9 * scale, "{}: {x} became {y}\n{graph:#?}", pass.name);
                }
            }
        }
    }

    fn passes_keep_the_names(graph in graph()) for 256 {
        let (after, _) = optimize(&graph);
        let inputs = widened(&graph, &inputs(&graph));
        let labels: Vec<&str> = after.live().map(|(_, node)| &*node.label).collect();
        let find = |graph: &Graph| -> Vec<ValueId> { labels.iter().map(|label| graph.find(label).unwrap()).collect() };
        let (old, new) = (find(&graph), find(&after));
        let before = Reference::new(&graph, &parameter).keep(&old).run(&inputs);
        let values = Reference::new(&after, &parameter).keep(&new).run(&inputs);
        for ((label, old), new) in labels.iter().zip(&old).zip(&new) {
            let (x, y) = (&before[old], &values[new]);
            prop_assert!(x.shape() == y.shape(), "{label}: {:?} became {:?}", x.shape(), y.shape());
            let scale = x.iter().fold(1.0, |most: f64, x| most.max(x.abs()));
            for (x, y) in x.iter().zip(y) {
                let same = x == y || (x.is_nan() && y.is_nan()) || (x - y).abs() <= 1e-9 * scale;
                prop_assert!(same, "{label}: {x} became {y}\n{graph:#?}");
            }
        }
    }

    fn every_engine_computes_the_reference(graph in graph()) for 256 {
        support::every_engine_agrees("a random graph", &graph, &[Isa::Avx2, Isa::Portable16]);
    }
}

/// The largest and smallest values that a parameter of that kind can be given.
fn extreme(dice: &mut Dice, param: &ParamDecl, rank: usize) -> Option<Literal> {
    let numbers = [0, 1, 2, 3, 65_536, limits::EXTENT, -1, i64::MAX, i64::MIN];
    let list = |dice: &mut Dice, count: usize| {
        let item = |number| Spanned {
            value: Literal::Int(number),
            span: Span::none(),
        };
        Literal::List((0..count).map(|_| item(dice.pick(&numbers))).collect())
    };
    match param.kind {
        _ if dice.below(4) == 0 => None,
        Kind::Dims | Kind::Stride => {
            let count = if dice.below(4) == 0 {
                dice.below(6)
            } else {
                rank
            };
            Some(Literal::Dims(
                (0..count).map(|_| dice.pick(&numbers)).collect(),
            ))
        }
        Kind::Int => Some(Literal::Int(dice.pick(&numbers))),
        Kind::Float => Some(Literal::Float(dice.pick(&[
            0.0,
            -0.0,
            1e-320,
            1e308,
            -1e308,
            f64::NAN,
            f64::INFINITY,
        ]))),
        Kind::Flag => Some(Literal::Word(
            dice.pick(&["on", "off", "perhaps"]).to_owned(),
        )),
        Kind::Word(words) => Some(Literal::Word(dice.pick(words).to_owned())),
        Kind::Padding => match dice.below(3) {
            0 => Some(Literal::Word(
                dice.pick(&["valid", "half", "same", "none"]).to_owned(),
            )),
            1 => Some(Literal::Int(dice.pick(&numbers))),
            _ => Some(list(dice, 2 * rank)),
        },
        Kind::Numbers
        | Kind::Strings
        | Kind::Pairs
        | Kind::Lists
        | Kind::Tensors
        | Kind::Series => Some(list(dice, rank)),
    }
}

cnnc_testing::properties! {
    /// They are errors, or make a result within the limits; nothing overflows, panics or takes long.
    fn extreme_parameters_are_survived(
        row in 0..LAYERS.len(),
        dims in prop::collection::vec(prop_oneof![1usize..=9, Just(1 << 10), Just(1 << 15), Just(1 << 31)], 1..=4),
        numbers in prop::collection::vec(any::<u16>(), 24),
    ) for 4000 {
        let decl = LAYERS[row];
        let mut dice = Dice { numbers: &numbers, next: 0 };
        let Some(shape) = Shape::new(dims) else { return Ok(()) };
        let rank = shape.spatial().len();
        let given = decl.params.iter().filter_map(|param| {
            let value = extreme(&mut dice, param, rank)?;
            Some((param.name, Spanned { value, span: Span::none() }))
        });
        let mut args = Args { given: given.collect(), rank, ..Args::default() };
        let Ok(layer) = (decl.build)(&mut args) else { return Ok(()) };
        layer.attributes();
        layer.role();
        let operands = vec![shape; decl.operands.0];
        if let Ok(inferred) = layer.infer(&operands) {
            prop_assert!(Shape::new(inferred.output.dims()).is_some());
        }
    }
}

/// So many graphs, the same ones in every run.
fn graphs(count: usize) -> impl Iterator<Item = Graph> {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    (0..count).map(move |_| graph().new_tree(&mut runner).expect("a graph").current())
}

#[test]
fn random_graphs_reach_every_layer() {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for graph in graphs(400) {
        seen.extend(graph.live().map(|(_, node)| node.layer.keyword()));
    }
    let keywords = LAYERS.iter().map(|decl| decl.keyword);
    let missing: Vec<_> = keywords.filter(|keyword| !seen.contains(keyword)).collect();
    assert!(missing.is_empty(), "never tried: {missing:?}");
}

#[test]
fn random_graphs_reach_every_fusion() {
    let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
    for graph in graphs(1000) {
        for (_, node) in optimize(&graph).0.live() {
            let mut layer = node.layer.clone();
            let Some(epilogue) = layer.epilogue_mut() else {
                continue;
            };
            let parts = epilogue.attributes();
            seen.extend(parts.iter().map(|(part, _)| (node.layer.keyword(), *part)));
        }
    }
    let layers = ["conv", "convtranspose", "dense", "local"];
    let all = layers.map(|layer| ["bn", "add", "act"].map(|part| (layer, part)));
    assert_eq!(seen, all.into_iter().flatten().collect());
}
