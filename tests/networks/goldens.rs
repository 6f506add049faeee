//! Published networks against PyTorch's exact answers, by every way there is of running them.
//!
//! Weights and inputs are functions of their names (`--weights synthetic`), and the answers were computed in f64. An engine passes when
//! no output differs by more than 1e-5 × √depth × the outputs' standard deviation, where depth is the largest number of convolutions and
//! dense layers one behind another; with fewer than four outputs their largest magnitude stands for the deviation.
//!
//! The goldens in `goldens/` are those that `torch_networks.py` writes, which also holds its networks against PyTorch's on random weights.

use crate::models;
use crate::shared::{file, json, model, numbers, say, shared};
use cnnc::compiler::graph::{Graph, Node, Param};
use cnnc::compiler::id::ValueId;
use cnnc::compiler::reference::Reference;
use cnnc::rt::synthetic::Synthetic;
use cnnc::{Backend, Input, Isa, Model, Options, Weights};
use ndarray::ArrayD;
use serde_json::Value;
use std::collections::HashMap;

/// One module of tests per network: machine code for every ISA, and what its row names.
macro_rules! networks {
    ($($network:ident: $($way:ident)*;)*) => {$(
        mod $network {
            use super::*;
            const NAME: &str = stringify!($network);

            #[test]
            fn jit_avx512() {
                jit(NAME, Isa::Avx512);
            }
            #[test]
            fn jit_avx2() {
                jit(NAME, Isa::Avx2);
            }
            #[test]
            fn jit_portable() {
                jit(NAME, Isa::Portable);
            }
            /// The plan of AVX-512, on any machine.
            #[test]
            fn jit_portable16() {
                jit(NAME, Isa::Portable16);
            }
            $(way!($network $way);)*
        }
    )*};
}

macro_rules! way {
    ($network:ident reference) => {
        #[test]
        fn reference() {
            super::reference(NAME);
        }
    };
    ($network:ident generated) => {
        #[test]
        fn generated() {
            super::generated(NAME, models::$network);
        }
    };
    ($network:ident interpreter) => {
        #[test]
        fn interpreter() {
            engine(NAME, &Options::new().backend(Backend::Interp));
        }
    };
}

// The reference evaluates C3D in minutes, and the interpreter all but the smallest.
networks! {
    lenet5: reference interpreter generated;
    alexnet: reference generated;
    vgg16: reference generated;
    resnet18: reference generated;
    resnet50: reference generated;
    squeezenet1_1: reference interpreter generated;
    nin: reference;
    googlenet: reference generated;
    mobilenet_v2: reference interpreter generated;
    m5: reference interpreter generated;
    c3d: generated;
    yolov2_tiny_voc: reference generated;
    yolov2_coco:;
    siamese_koch: reference generated;
    face_embed18: reference;
    style_vgg19:;
    mobilenet_v3_small: reference interpreter generated;
    convnext_block: reference interpreter generated;
    fast_style: reference generated;
}

/// The f64 evaluation: the output of every module with weights, of which the first that differs is named, and the answer.
fn reference(name: &'static str) {
    let Some(golden) = Golden::open(name) else {
        return;
    };
    let model = model(name);
    let graph = model.graph();
    let with_weights = graph
        .live()
        .map(|(_, node)| node)
        .filter(|node| !node.params.is_empty());
    let nodes: Vec<&Node> = with_weights.collect();
    let raw = graph.outputs[0].value;
    let keep: Vec<ValueId> = nodes.iter().map(|node| node.output).chain([raw]).collect();
    let params = |param: &Param| {
        let elements = param.shape.iter().product();
        tensor(
            &param.shape,
            Synthetic::tensor(&param.name, &param.shape).values(elements),
        )
    };
    let inputs = graph.inputs.iter().zip(golden.inputs.clone());
    let inputs: Vec<_> = inputs
        .map(|(input, elements)| tensor(graph.values[input.value].shape.dims(), elements))
        .collect();
    let values = Reference::new(graph, &params).keep(&keep).run(&inputs);
    for (index, node) in nodes.iter().enumerate() {
        // Of a shared network that is called twice, PyTorch's answer is that of the last call.
        let again = |later: &&Node| later.params[0] == node.params[0];
        if nodes[index + 1..].iter().any(again) {
            continue;
        }
        let param = &graph.params[node.params[0]].name;
        // A tensor of the network's own is no module's.
        let Some((module, _)) = param.rsplit_once('.') else {
            continue;
        };
        let expected = &golden.modules[module];
        let (mean, std) = (
            values[&node.output].mean().expect("elements"),
            values[&node.output].std(0.0),
        );
        let worst = (mean - expected.mean).abs().max((std - expected.std).abs());
        // A single number does not deviate.
        let scale = match expected.std {
            0.0 => expected.mean.abs(),
            std => std,
        };
        assert!(
            worst <= 1e-6 * scale,
            "`{module}` is the first module that differs: mean {mean}, deviation {std}, not {expected:?}"
        );
    }
    let raw: Vec<f32> = values[&raw].iter().map(|&x| x as f32).collect();
    let error = golden.error(&raw, depth(graph));
    assert!(
        error <= 1.0,
        "every module is right, but the answer is {error:.3} times as wrong as allowed"
    );
}

fn jit(name: &'static str, isa: Isa) {
    if isa.available() {
        engine(name, &Options::new().isa(isa));
    } else {
        say(&format!(
            "SKIPPED: {name} on {isa}, which this machine lacks"
        ));
    }
}

fn engine(name: &'static str, options: &Options) {
    let Some(golden) = Golden::open(name) else {
        return;
    };
    let model = model(name);
    let raw = run(&model, options, &golden).swap_remove(0);
    let error = golden.error(&raw, depth(model.graph()));
    println!("{error:.4} of what is allowed");
    assert!(
        error <= 1.0,
        "{error:.3} times as wrong as allowed; {}",
        first_difference(&model, options, &golden)
    );
}

fn generated(name: &'static str, run: models::Run) {
    let Some(golden) = Golden::open(name) else {
        return;
    };
    let inputs: Vec<&[f32]> = golden.inputs.iter().map(Vec::as_slice).collect();
    let error = golden.error(&run(&inputs), depth(model(name).graph()));
    println!("{error:.4} of what is allowed");
    assert!(error <= 1.0, "{error:.3} times as wrong as allowed");
}

/// The outputs with synthetic weights.
fn run(model: &Model, options: &Options, golden: &Golden) -> Vec<Vec<f32>> {
    let network = model
        .jit(&Weights::synthetic(), options)
        .expect("synthetic weights fit");
    let inputs: Vec<&dyn Input> = golden
        .inputs
        .iter()
        .map(|input| input as &dyn Input)
        .collect();
    let mut session = network.session().expect("enough memory");
    let outputs = session.run(&inputs).expect("inputs of the golden's shapes");
    outputs.iter().map(|output| output.data.to_vec()).collect()
}

/// Runs again with every labelled tensor as an output, and says which is the first that is not the reference's.
fn first_difference(model: &Model, options: &Options, golden: &Golden) -> String {
    let labels = model.graph().names.iter().map(|(label, _)| label.clone());
    let tapped = labels.fold(options.clone(), Options::tap);
    let found = run(model, &tapped, golden);
    let expected = run(model, &tapped.clone().backend(Backend::Reference), golden);
    let untapped = model.graph().outputs.len();
    let tensors = found.iter().zip(&expected).skip(untapped);
    for ((found, expected), label) in tensors.zip(&tapped.taps) {
        let worst = largest(found.iter().zip(expected).map(|(a, b)| f64::from(a - b)));
        let size = largest(expected.iter().map(|&x| f64::from(x)));
        if worst > 1e-4 * size || worst.is_nan() {
            return format!("`{label}` is the first tensor that differs, by {worst} of {size}");
        }
    }
    "but no labelled tensor differs when all of them are outputs: a fusion is wrong, or memory is used twice".to_owned()
}

/// The largest number of convolutions and dense layers that stand one behind another.
pub fn depth(graph: &Graph) -> usize {
    let mut depths: HashMap<ValueId, usize> = HashMap::new();
    for (_, node) in graph.live() {
        let before = node
            .inputs
            .iter()
            .filter_map(|input| depths.get(input))
            .max();
        let here = before.copied().unwrap_or(0) + usize::from(node.inferred.macs > 0);
        depths.insert(node.output, here);
    }
    depths.into_values().max().unwrap_or(0)
}

/// The largest magnitude; NaN if there is one.
pub fn largest(values: impl Iterator<Item = f64>) -> f64 {
    values.map(f64::abs).fold(0.0, |most, now| {
        if now > most || now.is_nan() {
            now
        } else {
            most
        }
    })
}

fn tensor(shape: &[usize], elements: Vec<f32>) -> ArrayD<f64> {
    let elements = elements.into_iter().map(f64::from).collect();
    ArrayD::from_shape_vec(shape, elements).expect("as many elements as the shape says")
}

/// An answer of PyTorch's.
struct Golden {
    inputs: Vec<Vec<f32>>,
    outputs: usize,
    /// Flat indices of `values`; every output where there are none.
    indices: Option<Vec<usize>>,
    values: Vec<f64>,
    std: f64,
    modules: HashMap<String, Module>,
}

/// What one module of PyTorch's put out.
#[derive(Debug)]
struct Module {
    mean: f64,
    std: f64,
}

impl Golden {
    fn open(name: &str) -> Option<Golden> {
        let own = file(&format!("tests/networks/goldens/{name}.json"));
        let golden = json(&match own.exists() {
            true => own,
            false => shared(&format!("goldens/{name}.json"))?,
        });
        let text = |value: &Value| value.as_str().expect("a string").to_owned();
        let number = |value: &Value| value.as_f64().expect("a number");
        let list = |key: &str| golden[key].as_array().expect("an array").iter();
        let elements = |shape: &Value| numbers(shape).iter().product::<f64>() as usize;
        let inputs = list("inputs")
            .map(|input| Synthetic::input(&text(&input["name"])).values(elements(&input["shape"])));
        let modules = list("modules").map(|module| {
            let (mean, std) = (number(&module["mean"]), number(&module["std"]));
            (text(&module["module"]), Module { mean, std })
        });
        let indices = golden["indices"]
            .as_array()
            .map(|_| numbers(&golden["indices"]));
        Some(Golden {
            inputs: inputs.collect(),
            outputs: elements(&golden["output_shape"]),
            indices: indices
                .map(|indices| indices.into_iter().map(|index| index as usize).collect()),
            values: numbers(&golden["values"]),
            std: number(&golden["output_std"]),
            modules: modules.collect(),
        })
    }

    /// The largest difference, as a multiple of what is allowed.
    fn error(&self, raw: &[f32], depth: usize) -> f64 {
        assert_eq!(raw.len(), self.outputs, "number of outputs");
        let scale = match self.outputs {
            0..4 => largest(self.values.iter().copied()),
            _ => self.std,
        };
        let differences = self.values.iter().enumerate().map(|(nth, value)| {
            let index = self.indices.as_ref().map_or(nth, |indices| indices[nth]);
            f64::from(raw[index]) - value
        });
        largest(differences) / (1e-5 * (depth as f64).sqrt() * scale)
    }
}
