//! Packing against its definition: the doc comments of `Recipe`, element by element in f64.

mod recipe;

use cnnc_runtime::Isa;
use cnnc_runtime::kernel::Fusion;
use cnnc_runtime::memory::Aligned;
use cnnc_runtime::pack::pack;
use cnnc_runtime::plan::{Base, Plan, Source};
use cnnc_runtime::synthetic::Synthetic;
use cnnc_runtime::weights::{Dtype, Weights, WeightsError};
use half::{bf16, f16};
use recipe::{Norm, Recipe};
use safetensors::tensor::TensorView;

const EPS: f64 = 1e-5;

fn source(name: &str, shape: &[usize]) -> Source {
    Source {
        name: name.to_owned().into(),
        shape: shape.to_vec().into(),
    }
}

/// A plan, and what its packed weights are by definition.
struct Case {
    plan: Plan,
    recipes: Vec<Recipe>,
}

fn plan(sources: &[Source], recipes: &[Recipe], packed: usize) -> Case {
    with_literals(sources, &[], recipes, packed)
}

fn with_literals(
    sources: &[Source],
    literals: &[Vec<f32>],
    recipes: &[Recipe],
    packed: usize,
) -> Case {
    let plan = Plan {
        name: "test".into(),
        isa: Isa::Portable,
        arena: 0,
        packed,
        sources: sources.to_vec().into(),
        literals: literals
            .iter()
            .map(|values| values.clone().into())
            .collect(),
        packing: recipes.iter().flat_map(Recipe::calls).collect(),
        inputs: vec![].into(),
        outputs: vec![].into(),
        batch: 1,
        between: vec![].into(),
        runs: vec![].into(),
    };
    Case {
        plan,
        recipes: recipes.to_vec(),
    }
}

fn packed(case: &Case, weights: &Weights) -> Aligned {
    let bound = weights.bind(&case.plan.sources).unwrap();
    pack(&case.plan, &bound, 1).unwrap()
}

/// The tensors of these sources, in a type, with the values that they have after rounding to it.
fn file(sources: &[Source], dtype: Dtype) -> (Weights, Vec<Vec<f32>>) {
    let (bytes, values) = bytes(sources, dtype);
    (Weights::from_bytes(bytes).unwrap(), values)
}

/// The same as the bytes of a file.
fn bytes(sources: &[Source], dtype: Dtype) -> (Vec<u8>, Vec<Vec<f32>>) {
    let mut values = Vec::new();
    let mut bytes: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
    for source in sources {
        let exact =
            Synthetic::tensor(&source.name, &source.shape).values(source.shape.iter().product());
        let (rounded, encoded): (Vec<f32>, Vec<Vec<u8>>) = exact
            .iter()
            .map(|&v| match dtype {
                Dtype::F16 => (
                    f16::from_f32(v).to_f32(),
                    f16::from_f32(v).to_le_bytes().to_vec(),
                ),
                Dtype::BF16 => (
                    bf16::from_f32(v).to_f32(),
                    bf16::from_f32(v).to_le_bytes().to_vec(),
                ),
                Dtype::F64 => (v, f64::from(v).to_le_bytes().to_vec()),
                _ => (v, v.to_le_bytes().to_vec()),
            })
            .unzip();
        values.push(rounded);
        bytes.push((
            source.name.to_string(),
            source.shape.to_vec(),
            encoded.concat(),
        ));
    }
    let views = bytes
        .iter()
        .map(|(name, shape, data)| (name, TensorView::new(dtype, shape.clone(), data).unwrap()));
    (safetensors::serialize(views, None).unwrap(), values)
}

/// What the doc comments of `Recipe` say, one element at a time.
fn naive(case: &Case, values: &[Vec<f32>]) -> Vec<f32> {
    let Case { plan, recipes } = case;
    let element = |data: &Base, index: usize| -> f64 {
        match data {
            Base::Packed => unreachable!("nothing reads what is packed"),
            Base::Source(source) => values[*source as usize][index].into(),
            Base::Literal(literal) => {
                let literal = &plan.literals[*literal as usize];
                literal[index % literal.len()].into()
            }
        }
    };
    let scale = |norm: &Norm, channel: usize| -> f64 {
        let gamma = norm
            .gamma
            .map_or(1.0, |gamma| values[gamma as usize][channel].into());
        gamma / (f64::from(values[norm.var as usize][channel]) + norm.eps).sqrt()
    };
    let shift = |norm: &Norm, channel: usize, bias: f64| -> f64 {
        let beta = norm
            .beta
            .map_or(0.0, |beta| values[beta as usize][channel].into());
        beta + (bias - f64::from(values[norm.mean as usize][channel])) * scale(norm, channel)
    };
    let mut out = vec![0.0; plan.packed];
    for recipe in recipes {
        match recipe {
            Recipe::Panels {
                dest,
                data,
                base,
                groups,
                outs,
                channel,
                reduce,
                block,
                norm,
            } => {
                let mut next = *dest;
                let reductions: usize = reduce.iter().map(|(count, _)| count).product();
                for g in 0..groups.0 {
                    for b in 0..outs.0.div_ceil(*block) {
                        for k in 0..reductions {
                            for lane in 0..*block {
                                let o = b * block + lane;
                                if o < outs.0 {
                                    let mut at = base + g as i64 * groups.1 + o as i64 * outs.1;
                                    let mut rest = k;
                                    for &(count, stride) in reduce.iter().rev() {
                                        at += (rest % count) as i64 * stride;
                                        rest /= count;
                                    }
                                    let factor = norm.map_or(1.0, |norm| {
                                        scale(&norm, channel.0 + g * channel.1 + o)
                                    });
                                    out[next] = (element(data, at as usize) * factor) as f32;
                                }
                                next += 1;
                            }
                        }
                    }
                }
            }
            Recipe::Winograd {
                dest,
                data,
                base,
                outs,
                first,
                ins,
                taps,
                block,
                norm,
            } => {
                for o in 0..outs.0 {
                    for i in 0..ins.0 {
                        let at = base + o as i64 * outs.1 + i as i64 * ins.1;
                        let tap = |y: usize, x: usize| {
                            element(
                                data,
                                (at + y as i64 * taps[0] + x as i64 * taps[1]) as usize,
                            )
                        };
                        let factor = norm.map_or(1.0, |norm| scale(&norm, first + o));
                        for xi in 0..36 {
                            let (rows, columns) = (winograd_row(xi / 6), winograd_row(xi % 6));
                            let products =
                                (0..9).map(|k| rows[k / 3] * columns[k % 3] * tap(k / 3, k % 3));
                            let panel = o / block * 36 * ins.0 * block;
                            let at = dest + panel + (xi * ins.0 + i) * block + o % block;
                            out[at] = (products.sum::<f64>() * factor) as f32;
                        }
                    }
                }
            }
            Recipe::Bias {
                dest,
                data,
                at,
                groups,
                outs,
                channel,
                block,
                norm,
            } => {
                let padded = outs.div_ceil(*block) * block;
                for g in 0..*groups {
                    for o in 0..*outs {
                        let channel = channel.0 + g * channel.1 + o;
                        let bias = data
                            .as_ref()
                            .map_or(0.0, |data| element(data, at.0 + g * at.1 + o * at.2));
                        let value = norm.map_or(bias, |norm| shift(&norm, channel, bias));
                        out[dest + g * padded + o] = value as f32;
                    }
                }
            }
            Recipe::ScaleShift {
                dest,
                channels,
                padded,
                norm,
            } => {
                for channel in 0..*channels {
                    out[dest + channel] = scale(norm, channel) as f32;
                    out[dest + padded + channel] = shift(norm, channel, 0.0) as f32;
                }
            }
            Recipe::Shares {
                dest,
                data,
                operands,
                channels,
                each,
                padded,
                fusion,
            } => {
                for channel in 0..*channels {
                    let factor = |operand: usize| match each {
                        true => element(data, operand * channels + channel),
                        false => element(data, operand),
                    };
                    let all: Vec<f64> = (0..*operands).map(factor).collect();
                    let most = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    let (parts, whole): (Vec<f64>, f64) = match *fusion {
                        Fusion::Unbounded => (all, 1.0),
                        Fusion::Fast(eps) => {
                            let parts: Vec<f64> = all.iter().map(|w| w.max(0.0)).collect();
                            let whole = eps + parts.iter().sum::<f64>();
                            (parts, whole)
                        }
                        Fusion::Exponential(eps) => {
                            let parts: Vec<f64> = all.iter().map(|w| (w - most).exp()).collect();
                            let whole = eps + parts.iter().sum::<f64>();
                            (parts, whole)
                        }
                    };
                    for (operand, part) in parts.iter().enumerate() {
                        out[dest + operand * padded + channel] = (part / whole) as f32;
                    }
                }
            }
            Recipe::Vector {
                dest,
                data,
                count,
                stride,
                ..
            } => {
                for i in 0..*count {
                    out[dest + i] = element(data, i * *stride as usize) as f32;
                }
            }
        }
    }
    out
}

#[test]
fn shares_of_sums() {
    let sources = [source("a.shares", &[3]), source("b.shares", &[3, 5])];
    let fusions = [
        Fusion::Unbounded,
        Fusion::Fast(1e-4),
        Fusion::Exponential(0.5),
    ];
    for fusion in fusions {
        for (source, each) in [(0, false), (1, true)] {
            let recipe = Recipe::Shares {
                dest: 8,
                data: Base::Source(source),
                operands: 3,
                channels: 5,
                each,
                padded: 8,
                fusion,
            };
            let case = plan(&sources, &[recipe], 8 + 4 * 8);
            let (weights, values) = file(&case.plan.sources, Dtype::F32);
            assert_eq!(packed(&case, &weights)[..], naive(&case, &values)[..]);
        }
    }
}

/// A row of Cook's and Toom's `G`: the powers of point `i`, by what the other points' polynomial is there.
fn winograd_row(i: usize) -> [f64; 3] {
    const POINTS: [f64; 5] = [0.0, 0.75, -0.75, 1.5, -1.5];
    let Some(point) = POINTS.get(i) else {
        return [0.0, 0.0, 1.0];
    };
    let others = POINTS.iter().filter(|other| *other != point);
    let divisor: f64 = others.map(|other| point - other).product();
    [1.0, *point, point * point].map(|power| power / divisor)
}

/// `(weight shape, base, groups, outs, reduce)` of every geometry that layers ask for.
type Geometry = (
    Vec<usize>,
    i64,
    (usize, i64),
    (usize, i64),
    Vec<(usize, i64)>,
);

fn geometries() -> Vec<Geometry> {
    vec![
        // A convolution: weights OIHW, reduction over (kh, kw, channel).
        (
            vec![20, 3, 3, 5],
            0,
            (1, 0),
            (20, 45),
            vec![(3, 5), (5, 1), (3, 15)],
        ),
        // 1x1, with more channels than one tile.
        (
            vec![37, 150, 1, 1],
            0,
            (1, 0),
            (37, 150),
            vec![(1, 1), (1, 1), (150, 1)],
        ),
        // Two groups of six.
        (
            vec![12, 4, 3, 3],
            0,
            (2, 216),
            (6, 36),
            vec![(3, 3), (3, 1), (4, 9)],
        ),
        // Depthwise, its channels side by side.
        (vec![19, 1, 3, 3], 0, (1, 0), (19, 9), vec![(3, 3), (3, 1)]),
        // Transposed convolution: IOHW, taps turned around.
        (
            vec![6, 10, 2, 3],
            5,
            (1, 0),
            (10, 6),
            vec![(2, -3), (3, -1), (6, 60)],
        ),
        // Dense after flatten: the file counts (channel, row, column), the kernel (row, column, channel).
        (
            vec![9, 24],
            0,
            (1, 0),
            (9, 24),
            vec![(2, 3), (3, 1), (4, 6)],
        ),
        // Three dimensions.
        (
            vec![8, 2, 2, 3, 2],
            0,
            (1, 0),
            (8, 24),
            vec![(2, 6), (3, 2), (2, 1), (2, 12)],
        ),
    ]
}

/// Which vectors go with panels.
#[derive(Clone, Copy)]
enum Vectors {
    /// Its own.
    Own,
    /// A part of longer ones, as when layers were merged.
    Parts,
    /// Groups are positions, which have the same channels and biases of their own.
    Positions,
}

fn panels_and_bias(
    geometry: &Geometry,
    block: usize,
    norm: Option<Norm>,
    vectors: Vectors,
) -> Case {
    let (shape, base, groups, outs, reduce) = geometry;
    let (channel, at) = match vectors {
        Vectors::Own => ((0, outs.0), (0, outs.0, 1)),
        Vectors::Parts => ((3, outs.0 + 2), (3, outs.0 + 2, 1)),
        Vectors::Positions => ((0, 0), (0, 1, groups.0)),
    };
    let channels = (channel.0 + groups.0 * channel.1).max(outs.0);
    let biases = at.0 + (groups.0 - 1) * at.1 + (outs.0 - 1) * at.2 + 1;
    let vector = |name: &str| source(name, &[channels]);
    let sources = [
        source("c.weight", shape),
        source("c.bias", &[biases]),
        vector("c_bn.weight"),
        vector("c_bn.bias"),
        vector("c_bn.running_mean"),
        vector("c_bn.running_var"),
    ];
    let reductions: usize = reduce.iter().map(|(count, _)| count).product();
    let lanes = outs.0.div_ceil(block) * block;
    let panels = Recipe::Panels {
        dest: 16,
        data: Base::Source(0),
        base: *base,
        groups: *groups,
        outs: *outs,
        channel,
        reduce: reduce.clone(),
        block,
        norm,
    };
    let dest = 16 + groups.0 * lanes * reductions;
    let data = Some(Base::Source(1));
    let bias = Recipe::Bias {
        dest,
        data,
        at,
        groups: groups.0,
        outs: outs.0,
        channel,
        block,
        norm,
    };
    let length = dest + groups.0 * lanes + 8;
    plan(&sources, &[panels, bias], length)
}

const NORMS: [Option<Norm>; 3] = [
    None,
    Some(Norm {
        gamma: Some(2),
        beta: Some(3),
        mean: 4,
        var: 5,
        eps: EPS,
    }),
    Some(Norm {
        gamma: None,
        beta: None,
        mean: 4,
        var: 5,
        eps: EPS,
    }),
];

#[test]
fn panels_and_biases_of_every_geometry_and_type() {
    for geometry in geometries() {
        let blocks = [
            (1, Vectors::Own),
            (8, Vectors::Own),
            (16, Vectors::Parts),
            (16, Vectors::Positions),
            (32, Vectors::Own),
        ];
        for (block, vectors) in blocks {
            for norm in NORMS {
                let case = panels_and_bias(&geometry, block, norm, vectors);
                for dtype in [Dtype::F32, Dtype::F16, Dtype::BF16, Dtype::F64] {
                    let (weights, values) = file(&case.plan.sources, dtype);
                    let expected = naive(&case, &values);
                    assert_eq!(
                        &packed(&case, &weights)[..],
                        expected,
                        "{geometry:?} {block} {dtype}"
                    );
                }
                let exact = file(&case.plan.sources, Dtype::F32).1;
                let synthetic = packed(&case, &Weights::synthetic());
                assert_eq!(
                    &synthetic[..],
                    naive(&case, &exact),
                    "{geometry:?} {block} synthetic"
                );
            }
        }
    }
}

/// Sums of nine products in another order than the definition's differ by a few roundings of f64, so hardly ever in the f32 that
/// is stored, and then by its last bit.
#[test]
fn winograd_filters_of_every_size_and_type() {
    let channels = [7, 16, 33];
    for (outs, block) in channels
        .into_iter()
        .flat_map(|o| [(o, 8), (o, 16), (o, 32)])
    {
        let vector = |name: &str| source(name, &[outs + 2]);
        let sources = [
            source("conv.weight", &[outs + 2, 3, 3, 3]),
            vector("conv.bias"),
            vector("bn.weight"),
            vector("bn.bias"),
            vector("bn.running_mean"),
            vector("bn.running_var"),
        ];
        for norm in NORMS {
            let recipe = Recipe::Winograd {
                dest: 16,
                data: Base::Source(0),
                base: 2 * 27,
                outs: (outs, 27),
                first: 2,
                ins: (3, 9),
                taps: [3, 1],
                block,
                norm,
            };
            let length = 16 + outs.div_ceil(block) * block * 36 * 3;
            let case = plan(&sources, &[recipe], length);
            for dtype in [Dtype::F32, Dtype::F16] {
                let (weights, values) = file(&case.plan.sources, dtype);
                let expected = naive(&case, &values);
                for (index, (&x, y)) in packed(&case, &weights).iter().zip(expected).enumerate() {
                    let off = (x - y).abs();
                    assert!(
                        off <= y.abs() * f32::EPSILON,
                        "{outs} {block} {index}: {x}, not {y}"
                    );
                }
            }
        }
    }
}

#[test]
fn vectors_scales_and_literals() {
    let sources = [
        source("bn.weight", &[5]),
        source("bn.bias", &[5]),
        source("bn.running_mean", &[5]),
        source("bn.running_var", &[5]),
        source("prelu.weight", &[1]),
    ];
    let norm = Norm {
        gamma: Some(0),
        beta: Some(1),
        mean: 2,
        var: 3,
        eps: 1e-3,
    };
    let sobel = [-1.0, 0.0, 1.0, -2.0, 0.0, 2.0, -1.0, 0.0, 1.0];
    let literals = [
        vec![0.25],
        vec![1.0, 2.0, 3.0],
        sobel.to_vec(),
        vec![1.0, 2.0, 3.0, 4.0, 5.0],
    ];
    let recipes = [
        Recipe::ScaleShift {
            dest: 0,
            channels: 5,
            padded: 8,
            norm,
        },
        Recipe::ScaleShift {
            dest: 16,
            channels: 5,
            padded: 5,
            norm: Norm { beta: None, ..norm },
        },
        Recipe::Vector {
            dest: 26,
            data: Base::Source(0),
            count: 5,
            stride: 1,
            padded: 8,
        },
        Recipe::Vector {
            dest: 34,
            data: Base::Source(4),
            count: 7,
            stride: 0,
            padded: 8,
        },
        Recipe::Vector {
            dest: 42,
            data: Base::Literal(0),
            count: 3,
            stride: 0,
            padded: 4,
        },
        Recipe::Vector {
            dest: 46,
            data: Base::Literal(1),
            count: 2,
            stride: 1,
            padded: 4,
        },
        Recipe::Panels {
            dest: 50,
            data: Base::Literal(2),
            base: 0,
            groups: (1, 0),
            outs: (1, 9),
            channel: (0, 1),
            reduce: vec![(3, 3), (3, 1)],
            block: 8,
            norm: None,
        },
        Recipe::Bias {
            dest: 122,
            data: None,
            at: (0, 1, 1),
            groups: 1,
            outs: 1,
            channel: (0, 1),
            block: 8,
            norm: None,
        },
        Recipe::Bias {
            dest: 130,
            data: Some(Base::Literal(3)),
            at: (0, 5, 1),
            groups: 1,
            outs: 5,
            channel: (0, 5),
            block: 8,
            norm: Some(norm),
        },
        Recipe::Bias {
            dest: 138,
            data: None,
            at: (0, 1, 1),
            groups: 5,
            outs: 1,
            channel: (0, 1),
            block: 4,
            norm: Some(norm),
        },
        // The filter repeated: for 3 groups of 5 outputs and 2 inputs, without its middle column, and for Winograd's algorithm.
        Recipe::Panels {
            dest: 158,
            data: Base::Literal(2),
            base: 0,
            groups: (3, 90),
            outs: (5, 18),
            channel: (0, 5),
            reduce: vec![(3, 3), (3, 1), (2, 9)],
            block: 4,
            norm: None,
        },
        Recipe::Panels {
            dest: 590,
            data: Base::Literal(2),
            base: 18,
            groups: (1, 0),
            outs: (2, 18),
            channel: (0, 2),
            reduce: vec![(2, 2), (2, 9)],
            block: 2,
            norm: None,
        },
        Recipe::Winograd {
            dest: 598,
            data: Base::Literal(2),
            base: 0,
            outs: (3, 18),
            first: 0,
            ins: (2, 9),
            taps: [3, 1],
            block: 4,
            norm: None,
        },
    ];
    let case = with_literals(&sources, &literals, &recipes, 886);
    let (weights, values) = file(&sources, Dtype::F32);
    let expected = naive(&case, &values);
    assert_eq!(&packed(&case, &weights)[..], expected);
    assert_eq!(
        expected[50 + 8 * 3],
        -2.0,
        "the naive packing itself reads the filter"
    );
}

/// Breaks values of the sources of one convolution with batch norm, and packs it.
fn broken(changes: &[(usize, usize, f32)]) -> WeightsError {
    let case = panels_and_bias(&geometries()[0], 8, NORMS[1], Vectors::Own);
    let mut values = file(&case.plan.sources, Dtype::F32).1;
    for &(source, index, value) in changes {
        values[source][index] = value;
    }
    let plan = &case.plan;
    let tensors = plan
        .sources
        .iter()
        .zip(&values)
        .map(|(s, v)| (&*s.name, &*s.shape, &v[..]));
    let weights = Weights::from_tensors(tensors).unwrap();
    pack(plan, &weights.bind(&plan.sources).unwrap(), 1).unwrap_err()
}

#[test]
fn values_that_are_not_finite_are_found() {
    for (changes, message) in [
        (
            &[(0, 899, f32::NAN)][..],
            "tensor `c.weight` holds NaN at index 899",
        ),
        (
            &[(1, 19, f32::NEG_INFINITY)],
            "tensor `c.bias` holds -inf at index 19",
        ),
        (
            &[(5, 2, f32::INFINITY)],
            "tensor `c_bn.running_var` holds inf at index 2",
        ),
        (
            &[(5, 7, -0.5)],
            "tensor `c_bn.running_var` holds -0.5 at index 7, which is no variance",
        ),
        (
            &[(0, 1, 3e38), (2, 0, 3e38)],
            "tensor `c.weight`: values leave the range of f32 when batch norm is folded in",
        ),
    ] {
        let error = broken(changes).to_string();
        assert_eq!(error, format!("the weights in memory: {message}"));
    }
    let all = broken(&[(0, 3, f32::INFINITY), (3, 0, f32::NAN), (5, 1, -1.0)]).to_string();
    assert_eq!(
        all,
        "the weights in memory: 3 tensors do not fit the network:\
         \n  tensor `c.weight` holds inf at index 3\
         \n  tensor `c_bn.bias` holds NaN at index 0\
         \n  tensor `c_bn.running_var` holds -1 at index 1, which is no variance"
    );
}

#[test]
#[should_panic(expected = "another plan")]
fn another_plans_weights_are_a_bug() {
    let case = panels_and_bias(&geometries()[0], 8, None, Vectors::Own);
    let others = [source("x", &[1])];
    let weights = Weights::synthetic();
    let _ = pack(&case.plan, &weights.bind(&others).unwrap(), 1);
}

/// A convolution that is large enough for threads and for several pieces, read from a file, from a type that is converted, and all at once where outputs lie
/// side by side.
#[test]
fn threads_pack_the_same() {
    let shape = [300, 150, 3, 3];
    let ways = [
        ((300, 1350), vec![(3, 3), (3, 1), (150, 9)]),
        ((1350, 1), vec![(300, 1350)]),
    ];
    for (outs, reduce) in ways {
        let recipe = Recipe::Panels {
            dest: 0,
            data: Base::Source(0),
            base: 0,
            groups: (1, 0),
            outs,
            channel: (0, 0),
            reduce: reduce.clone(),
            block: 32,
            norm: None,
        };
        let depth: usize = reduce.iter().map(|(count, _)| count).product();
        let length = outs.0.div_ceil(32) * 32 * depth;
        let case = plan(&[source("c.weight", &shape)], &[recipe], length);
        for dtype in [Dtype::F32, Dtype::F16] {
            let (bytes, values) = bytes(&case.plan.sources, dtype);
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("weights.safetensors");
            std::fs::write(&path, &bytes).unwrap();
            let in_memory = Weights::from_bytes(bytes).unwrap();
            let on_disk = Weights::open(&path).unwrap();
            let expected = naive(&case, &values);
            for weights in [&in_memory, &on_disk] {
                let bound = weights.bind(&case.plan.sources).unwrap();
                for threads in [1, 2, 5] {
                    let packed = pack(&case.plan, &bound, threads).unwrap();
                    assert!(packed[..] == expected[..], "{dtype}, {threads} threads");
                }
            }
        }
    }
}

fn vector(dest: usize, count: usize) -> Recipe {
    Recipe::Vector {
        dest,
        data: Base::Source(0),
        count,
        stride: 1,
        padded: count,
    }
}

fn mistaken(recipes: &[Recipe]) {
    let case = plan(&[source("x", &[8])], recipes, 12);
    packed(&case, &Weights::synthetic());
}

#[test]
#[should_panic(expected = "f32_pack_bias reaches outside")]
fn a_call_that_reads_outside_its_tensor_is_a_bug() {
    mistaken(&[vector(0, 9)]);
}

#[test]
#[should_panic(expected = "f32_pack_bias reaches outside")]
fn a_call_that_writes_outside_is_a_bug() {
    mistaken(&[vector(5, 8)]);
}

#[test]
#[should_panic(expected = "writes what is not its own")]
fn calls_that_write_the_same_are_a_bug() {
    mistaken(&[vector(0, 5), vector(4, 5)]);
}
