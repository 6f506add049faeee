//! NaN, infinities and denormals among the inputs: docs/language.md, "Numbers".

use super::{ISAS, engines};
use crate::support::exact::exact;
use crate::support::{expected, inputs, proven, reference};
use crate::{compile, each_sample};
use cnnc_compiler::graph::Graph;
use cnnc_compiler::lower::Lowered;
use cnnc_compiler::pass::optimize;
use cnnc_compiler::target::{Arithmetic, Target};
use cnnc_runtime::kernel::winograd::{Form, SPAN};
use ndarray::ArrayD;

/// Inputs in which every `step`-th element, from a different one on in each input, is the next of `values`.
fn planted(graph: &Graph, step: usize, values: &[f32]) -> Vec<Vec<f32>> {
    let mut inputs = inputs(graph);
    for (number, input) in inputs.iter_mut().enumerate() {
        let places = input.iter_mut().skip(number + 1).step_by(step);
        for (element, value) in places.zip(values.iter().cycle()) {
            *element = *value;
        }
    }
    inputs
}

/// Whether a number is what the exact one says: NaN, the same infinity, or as near as `bound`.
fn same(x: f32, exact: f64, bound: f64) -> bool {
    match exact.is_finite() {
        true => (f64::from(x) - exact).abs() <= bound,
        false => (x.is_nan() && exact.is_nan()) || f64::from(x) == exact,
    }
}

/// What is planted.
const VALUES: [f32; 3] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];

/// Where a value is planted alone: in the first, the middle or the last elements of an input.
const SPOTS: [usize; 3] = [0, 1, 2];

/// The element of an input of so many that is in that spot; another one in each input.
fn element(spot: usize, number: usize, length: usize) -> usize {
    match spot {
        0 => (number + 1).min(length - 1),
        1 => (length / 2 + number).min(length - 1),
        _ => length.saturating_sub(number + 1),
    }
}

/// Inputs with one value each, which leaves most of what many channels are summed to finite.
fn alone(graph: &Graph, spot: usize, value: f32) -> Vec<Vec<f32>> {
    let mut inputs = inputs(graph);
    for (number, input) in inputs.iter_mut().enumerate() {
        let at = element(spot, number, input.len());
        input[at] = value;
    }
    inputs
}

/// Many values of one kind or of every kind, and one value alone in each of the spots.
fn plantings(graph: &Graph) -> [Vec<Vec<f32>>; 7] {
    const FAR: usize = 61;
    let [nan, infinite, negative] = VALUES;
    [
        planted(graph, FAR, &[nan]),
        planted(graph, FAR, &[infinite]),
        planted(graph, FAR, &[negative]),
        planted(graph, 7, &[infinite, nan, negative]),
        alone(graph, SPOTS[0], nan),
        alone(graph, SPOTS[1], infinite),
        alone(graph, SPOTS[2], negative),
    ]
}

/// Reference, interpreter and machine code agree on what becomes of them when sums are computed as they are defined.
#[test]
fn nan_and_infinity_are_everywhere_the_same() {
    each_sample(|what, _, graph| {
        let bounds = expected(graph).bound;
        let (optimized, _) = optimize(graph);
        let inputs = plantings(graph);
        let references = inputs.each_ref().map(|inputs| reference(graph, inputs));
        let fused = inputs
            .each_ref()
            .map(|inputs| reference(&optimized, inputs));
        for isa in ISAS {
            let lowered = proven(what, &optimized, &Target::new(isa, Arithmetic::Exact));
            let given = inputs.each_ref().map(Vec::as_slice);
            let mut results = engines(&lowered, given);
            let narrow = |outputs: &Vec<ArrayD<f64>>| {
                let outputs = outputs.iter();
                outputs
                    .map(|output| output.iter().map(|&x| x as f32).collect())
                    .collect()
            };
            results.push(("the reference, fused", fused.each_ref().map(narrow)));
            for (engine, results) in results {
                for (case, (results, exact)) in results.iter().zip(&references).enumerate() {
                    let outputs = results.iter().zip(exact).zip(&bounds);
                    for (output, ((found, exact), &bound)) in outputs.enumerate() {
                        for (index, (&x, &y)) in found.iter().zip(exact).enumerate() {
                            assert!(
                                same(x, y, bound),
                                "{what}, {isa}, {engine}, case {case}: output {output}[{index}] is {x}, must be {y}"
                            );
                        }
                    }
                }
            }
        }
    });
}

/// What the tests of fast arithmetic compute: convolutions of many channels, followed by other layers.
const FAST: [(&str, Form); 3] = [
    (
        "input x: 32x13x14; c: conv 3x3 48 pad half bn relu",
        Form::Three,
    ),
    (
        "input x: 32x9x10; c: conv 3x3 32 pad half; add(c, x); relu",
        Form::Three,
    ),
    (
        "input x: 32x13x14; c: conv 5x5 32 pad half; add(c, x); relu",
        Form::Five,
    ),
];

/// Winograd's algorithm may make a tile NaN, and nothing finite of what is not.
#[test]
fn what_is_not_finite_stays_so_in_fast_arithmetic() {
    let mut seen = 0;
    for (sample, form) in FAST {
        let graph = compile(sample).expect("a sample");
        let bounds = expected(&graph).bound;
        let (optimized, _) = optimize(&graph);
        let inputs = plantings(&graph);
        let references = inputs.each_ref().map(|inputs| reference(&graph, inputs));
        for isa in ISAS {
            let lowered = proven(sample, &optimized, &Target::new(isa, Arithmetic::Fast));
            assert!(is_of(&lowered, form), "{sample}");
            for (engine, results) in engines(&lowered, inputs.each_ref().map(Vec::as_slice)) {
                for (results, exact) in results.iter().zip(&references) {
                    for (&x, &y) in results[0].iter().zip(&exact[0]) {
                        let right = x.is_nan() || same(x, y, bounds[0]);
                        assert!(right, "{sample}, {isa}, {engine}: {x}, must be {y}");
                        seen += usize::from(!y.is_finite());
                    }
                }
            }
        }
    }
    assert!(seen > 1000, "the test looks at something");
}

/// Whether that algorithm is used.
fn is_of(lowered: &Lowered, form: Form) -> bool {
    let said = format!("{form}, by estimate");
    let mut notes = lowered.notes.iter();
    notes.any(|note| note.applied && note.text.starts_with(&said))
}

/// Whether the tile of Winograd's algorithm that makes output `to` along an axis reads input `from`.
fn reads(form: Form, to: usize, from: usize) -> bool {
    let first = to / form.outputs() * form.outputs();
    (first..first + SPAN).contains(&(from + form.taps() / 2))
}

/// A tile that reads nothing but finite numbers is what it would be if all were finite, and most tiles are such.
#[test]
fn fast_arithmetic_spoils_only_the_tiles_that_read_what_is_not_finite() {
    for (sample, form) in FAST {
        let graph = compile(sample).expect("a sample");
        let bound = expected(&graph).bound[0];
        let (optimized, _) = optimize(&graph);
        let [height, width] = graph.values[graph.inputs[0].value].shape.spatial() else {
            panic!("{sample}: a map");
        };
        for spot in SPOTS {
            let inputs = VALUES.map(|value| alone(&graph, spot, value));
            let at = element(spot, 0, inputs[0][0].len()) % (height * width);
            let references = inputs.each_ref().map(|inputs| reference(&graph, inputs));
            for isa in ISAS {
                let lowered = proven(sample, &optimized, &Target::new(isa, Arithmetic::Fast));
                assert!(is_of(&lowered, form), "{sample}");
                for (engine, results) in engines(&lowered, inputs.each_ref().map(Vec::as_slice)) {
                    for ((results, exact), value) in results.iter().zip(&references).zip(VALUES) {
                        let what = format!("{sample}, {value} at {at}, {isa}, {engine}");
                        let (mut finite, mut spoilt) = (0, 0);
                        for (index, (&x, &y)) in results[0].iter().zip(&exact[0]).enumerate() {
                            let pixel = index % (height * width);
                            let read = reads(form, pixel / width, at / width)
                                && reads(form, pixel % width, at % width);
                            assert!(
                                same(x, y, bound) || (read && x.is_nan()),
                                "{what}: output {index} is {x}, must be {y}"
                            );
                            finite += usize::from(x.is_finite() && y.is_finite());
                            spoilt += usize::from(!y.is_finite());
                        }
                        let outputs = results[0].len();
                        assert!(finite > outputs / 2, "{what}: {finite} of {outputs} finite");
                        assert!(spoilt > 0, "{what}: it changes something");
                    }
                }
            }
        }
    }
}

/// What PyTorch's documentation and IEEE 754 say of them, for each layer that looks at single elements.
#[test]
fn layers_of_single_elements_do_as_ieee_says() {
    const NAN: f32 = f32::NAN;
    const INF: f32 = f32::INFINITY;
    // What becomes of NaN, infinity and −infinity.
    let layers = [
        ("relu", [NAN, INF, 0.0]),
        ("relu6", [NAN, 6.0, 0.0]),
        ("clip -1 2", [NAN, 2.0, -1.0]),
        ("leaky", [NAN, INF, -INF]),
        ("leaky 0", [NAN, INF, NAN]),
        ("abs", [NAN, INF, INF]),
        ("exp", [NAN, INF, 0.0]),
        ("tanh", [NAN, 1.0, -1.0]),
        ("sigmoid", [NAN, 1.0, 0.0]),
        ("hardsigmoid", [NAN, 1.0, 0.0]),
        ("softplus", [NAN, INF, 0.0]),
        ("elu", [NAN, INF, -1.0]),
        ("selu", [NAN, INF, -1.758_099_3]),
        ("softsign", [NAN, NAN, NAN]),
        ("sqrt", [NAN, INF, NAN]),
        ("pow 2", [NAN, INF, INF]),
        ("pow 3", [NAN, INF, -INF]),
        ("pow 17", [NAN, INF, -INF]),
        ("pow 18", [NAN, INF, INF]),
        ("pow 0.3", [NAN, INF, INF]),
        ("pow 0.5", [NAN, INF, NAN]),
        ("pow -1", [NAN, 0.0, 0.0]),
        ("pow -3", [NAN, 0.0, 0.0]),
        ("pow -0.3", [NAN, 0.0, 0.0]),
        // x · 0 for −infinity.
        ("silu", [NAN, INF, NAN]),
        ("hardswish", [NAN, INF, NAN]),
        ("gelu", [NAN, INF, NAN]),
        ("gelu approximate", [NAN, INF, NAN]),
        ("mish", [NAN, INF, NAN]),
        ("scale 0", [NAN, NAN, NAN]),
        ("scale -2 shift 1", [NAN, -INF, INF]),
        // Of the three together.
        ("softmax", [NAN; 3]),
        ("l2norm", [NAN; 3]),
        ("maxpool 3", [NAN; 3]),
        ("globalmaxpool", [NAN; 3]),
        ("globalavgpool", [NAN; 3]),
        ("max(x, y)", [NAN, INF, 0.0]),
        ("max(y, x)", [NAN, INF, 0.0]),
        ("min(x, y)", [NAN, 0.0, -INF]),
        ("min(y, x)", [NAN, 0.0, -INF]),
        ("div(x, y)", [NAN, INF, -INF]),
        ("div(y, x)", [NAN, 0.0, 0.0]),
    ];
    for (layer, right) in layers {
        let two = layer.contains('(');
        let pooled = layer.contains("pool");
        let shape = if pooled { "1x3" } else { "3" };
        let more = if two { "; input y: 3" } else { "" };
        let graph = compile(&format!("input x: {shape}{more}; {layer}")).expect("a network");
        let mut inputs = vec![vec![NAN, INF, -INF]];
        if two {
            inputs.push(vec![0.0; 3]);
        }
        let check = |what: &str, found: &[f32]| {
            for (&x, &y) in found.iter().zip(&right) {
                assert!(
                    x == y || (x.is_nan() && y.is_nan()),
                    "{layer}, {what}: {found:?}"
                );
            }
        };
        let exact = reference(&graph, &inputs);
        let exact: Vec<f32> = exact[0].iter().map(|&x| x as f32).collect();
        check("reference", &exact);
        for isa in ISAS {
            let lowered = proven(layer, &graph, &Target::new(isa, Arithmetic::Exact));
            for (engine, [outputs]) in engines(&lowered, [&inputs]) {
                check(&format!("{isa}, {engine}"), &outputs[0]);
            }
        }
    }
}

/// An output on an input is that input, whatever the neighbours are that count for nothing.
#[test]
fn a_tap_of_weight_zero_is_no_tap() {
    const INF: f32 = f32::INFINITY;
    let upsampled = [
        1.0, 1.25, 1.75, 2.25, 2.75, 3.0, 4.0, INF, INF, INF, INF, 6.0,
    ];
    // The middle of the first two pixels of the first row, on the row: the second row counts for nothing.
    let aligned = [1.5];
    let cases: [(&str, &[f32], &[f32]); 3] = [
        ("input x: 1x2x3; upsample 1x2 bilinear", &[], &upsampled),
        (
            "input x: 1x2x3; upsample 1x2 bilinear align_corners",
            &[],
            &[1.0, 1.4, 1.8, 2.2, 2.6, 3.0, 4.0, INF, INF, INF, INF, 6.0],
        ),
        (
            "input x: 1x2x3; input r: 1x4; roialign(x, r) 1x1 samples 1 aligned",
            &[0.5, 0.0, 1.5, 1.0],
            &aligned,
        ),
    ];
    for (body, region, right) in cases {
        let graph = compile(body).expect("a network");
        let mut inputs = vec![vec![1.0, 2.0, 3.0, 4.0, INF, 6.0]];
        if !region.is_empty() {
            inputs.push(region.to_vec());
        }
        let near = |x: f32, y: f64| same(x, y, 1e-6);
        for (&x, y) in right.iter().zip(&reference(&graph, &inputs)[0]) {
            assert!(near(x, *y), "{body}: reference {y}, must be {x}");
        }
        for isa in ISAS {
            let lowered = proven(body, &graph, &Target::new(isa, Arithmetic::Exact));
            for (engine, [outputs]) in engines(&lowered, [&inputs]) {
                let mut pairs = outputs[0].iter().zip(right);
                assert!(
                    pairs.all(|(&x, &y)| near(x, f64::from(y))),
                    "{body}, {isa}, {engine}: {:?}",
                    outputs[0]
                );
            }
        }
    }
}

/// Denormals are zero in both engines: where kernels have their twins' bits, they have them there too.
#[test]
fn denormals_are_the_same_in_every_engine() {
    each_sample(|what, _, graph| {
        let tiny: Vec<Vec<f32>> = inputs(graph)
            .iter()
            .map(|input| {
                // From denormals to a little above the smallest normal number.
                let scale = |(index, x): (usize, &f32)| x * f32::MIN_POSITIVE * (index % 5) as f32;
                input.iter().enumerate().map(scale).collect()
            })
            .collect();
        let (optimized, _) = optimize(graph);
        for isa in ISAS {
            let lowered = proven(what, &optimized, &Target::new(isa, Arithmetic::Fast));
            if !cnnc_testing::has(isa.available(), isa) || !exact(&lowered.program) {
                continue;
            }
            let [(_, [interpreted]), (_, [compiled])] = &engines(&lowered, [&tiny])[..] else {
                panic!("{what}: two engines");
            };
            let bits = |outputs: &[Vec<f32>]| -> Vec<u32> {
                outputs.iter().flatten().map(|x| x.to_bits()).collect()
            };
            assert_eq!(bits(compiled), bits(interpreted), "{what}, {isa}");
        }
    });
}

/// A product that is denormal is zero, and so is what a denormal is multiplied with.
#[test]
fn products_of_denormals_are_zero() {
    for (body, input) in [
        ("input x: 40; scale 0.5", f32::MIN_POSITIVE),
        ("input x: 40; scale 1e30", f32::from_bits(1 << 20)),
        (
            "input x: 40; scale 1e30 shift 0.5 scale 2 shift -1",
            f32::from_bits(1 << 20),
        ),
    ] {
        let graph = compile(body).expect("a network");
        let inputs = vec![vec![input; 40]];
        for isa in ISAS {
            let lowered = proven(body, &graph, &Target::new(isa, Arithmetic::Exact));
            for (engine, [outputs]) in engines(&lowered, [&inputs]) {
                assert_eq!(outputs[0], [0.0; 40], "{body}, {isa}, {engine}");
            }
        }
    }
}
