//! Packing against its definition: the doc comments of `Recipe`, element by element in f64.

mod geometry;
mod naive;
mod recipe;
mod refused;

use cnnc_runtime::Isa;
use cnnc_runtime::kernel::Fusion;
use cnnc_runtime::kernel::winograd::Form;
use cnnc_runtime::memory::Aligned;
use cnnc_runtime::pack::pack;
use cnnc_runtime::plan::{Base, Plan, Source};
use cnnc_runtime::synthetic::Synthetic;
use cnnc_runtime::weights::{Dtype, Weights, WeightsError};
use geometry::{NORMS, Vectors, geometries, panels_and_bias};
use half::{bf16, f16};
use naive::naive;
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
        state: vec![].into(),
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

/// Sums of nine products, or of 25, in another order than the definition's differ by a few roundings of f64, so hardly ever in the f32 that
/// is stored, and then by its last bit.
#[test]
fn winograd_filters_of_every_size_and_type() {
    let channels = [7, 16, 33];
    let sizes = channels
        .into_iter()
        .flat_map(|outs| [8, 16, 32].map(|block| (outs, block)));
    let all = sizes.flat_map(|(outs, block)| Form::ALL.map(|form| (outs, block, form)));
    for (outs, block, form) in all {
        let taps = form.taps();
        let filter = (taps * taps) as i64;
        let vector = |name: &str| source(name, &[outs + 2]);
        let sources = [
            source("conv.weight", &[outs + 2, 3, taps, taps]),
            vector("conv.bias"),
            vector("bn.weight"),
            vector("bn.bias"),
            vector("bn.running_mean"),
            vector("bn.running_var"),
        ];
        for norm in NORMS {
            let recipe = Recipe::Winograd {
                form,
                dest: 16,
                data: Base::Source(0),
                base: 2 * 3 * filter,
                outs: (outs, 3 * filter),
                first: 2,
                ins: (3, filter),
                taps: [taps as i64, 1],
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
                        "{form} {outs} {block} {index}: {x}, not {y}"
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
            form: Form::Three,
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
