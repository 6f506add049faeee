//! Every network of the pack, imported and run: small ones by machine code and by the reference, the others by machine code.

use crate::expected::Expected;
use cnnc::onnx::proto::{ModelProto, TensorProto};
use cnnc::onnx::{From, Imported, OnnxError, Options};
use cnnc::{Backend, Weights};
use cnnc_runtime::tensor_file::read_tensors;
use cnnc_testing::shared;
use prost::Message;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A tensor with its extents.
pub type Array = (Vec<usize>, Vec<f32>);

/// What became of a network.
pub enum Verdict {
    /// Its outputs are those that are wanted.
    Right,
    /// It is not supported, or wrong: why.
    Not(String),
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// `input_0.npy`, `input_1.npy`, …
fn arrays(folder: &Path, kind: &str) -> Vec<Array> {
    let file = |at: usize| folder.join(format!("{kind}_{at}.npy"));
    let there = (0..).map(file).take_while(|file| file.exists());
    let read = |file: PathBuf| {
        let tensor = read_tensors(file).unwrap().remove(0);
        (tensor.shape, tensor.values)
    };
    there.map(read).collect()
}

/// Imports and runs a network.
fn outputs(
    bytes: Vec<u8>,
    path: Option<&Path>,
    inputs: &[Array],
    backend: Backend,
) -> Result<Vec<Array>, String> {
    let options = Options {
        samples: inputs.iter().map(|(dims, _)| dims.clone()).collect(),
        ..Options::default()
    };
    let mut imported =
        cnnc::onnx::import(bytes, path, &options).map_err(|error| error.to_string())?;
    let weights = imported.take_weights();
    run(&imported, &weights, inputs, backend)
}

fn run(
    imported: &Imported,
    weights: &Weights,
    inputs: &[Array],
    backend: Backend,
) -> Result<Vec<Array>, String> {
    let mut fed: BTreeMap<usize, Vec<f32>> = BTreeMap::new();
    for (at, (dims, values)) in inputs.iter().enumerate() {
        if let Some(port) = imported.inputs[at].port {
            fed.insert(port, imported.feed(at, dims, values)?);
        }
    }
    let graph = imported.model.graph();
    let one = graph.values[graph.inputs[0].value].shape.elements();
    let images = fed[&0].len() / one;
    let options = cnnc::Options::new().batch(images).backend(backend);
    let network = imported
        .model
        .jit(weights, &options)
        .map_err(|error| error.to_string())?;
    let mut session = network.session().map_err(|error| error.to_string())?;
    let views: Vec<&dyn cnnc::Input> = fed
        .values()
        .map(|values| values as &dyn cnnc::Input)
        .collect();
    let all = session.run(&views).map_err(|error| error.to_string())?;
    let outputs = imported.outputs.iter().enumerate().map(|(at, output)| {
        let values = match &output.from {
            From::Port(_) | From::Head => imported
                .output(at, &all)
                .ok_or(format!("no output {at}"))?
                .into_owned(),
            From::Input(at) => inputs[*at].1.clone(),
            From::Constant(values) => values.clone(),
        };
        let count: usize = output.dims.iter().product();
        let mut dims = output.dims.clone();
        if values.len() != count && count > 0 {
            dims[0] = dims[0] * values.len() / count;
        }
        Ok((dims, values))
    });
    outputs.collect()
}

/// What of the outputs is beyond tolerance.
fn compare(found: &[Array], wanted: &[Array], node: bool, more: f64) -> Verdict {
    for (at, (dims, values)) in wanted.iter().enumerate() {
        let Some((shape, got)) = found.get(at) else {
            return Verdict::Not(format!("no output {at}"));
        };
        if shape != dims {
            return Verdict::Not(format!("output {at} is {shape:?} instead of {dims:?}"));
        }
        let finite = values.iter().filter(|value| value.is_finite());
        let squares: f64 = finite.clone().map(|&value| f64::from(value).powi(2)).sum();
        let rms = (squares / finite.count().max(1) as f64).sqrt();
        for (&got, &want) in got.iter().zip(values) {
            let (got, want) = (f64::from(got), f64::from(want));
            let tolerance = match node {
                true => 1e-5 + 1e-3 * want.abs(),
                false => 1e-3 * want.abs() + 1e-4 * rms.max(1e-2) + more,
            };
            let same = got == want || (got.is_nan() && want.is_nan());
            if !same
                && (got - want)
                    .abs()
                    .partial_cmp(&tolerance)
                    .is_none_or(|order| order.is_gt())
            {
                return Verdict::Not(format!("output {at} has {got} instead of {want}"));
            }
        }
    }
    Verdict::Right
}

/// A network of the pack and what it makes of a sample.
struct Case<'a> {
    bytes: &'a [u8],
    path: Option<&'a Path>,
    inputs: &'a [Array],
    wanted: &'a [Array],
    /// Whether it is a node test, which has a tolerance of its own.
    node: bool,
    /// What the pack allows beyond that.
    more: f64,
}

impl Case<'_> {
    fn judge(&self, backend: Backend) -> Verdict {
        match outputs(self.bytes.to_vec(), self.path, self.inputs, backend) {
            Ok(found) => compare(&found, self.wanted, self.node, self.more),
            Err(why) => Verdict::Not(why),
        }
    }
}

/// The reference takes its time: small networks only.
fn is_small(bytes: &[u8], inputs: &[Array]) -> bool {
    bytes.len() < 100_000 && inputs.iter().map(|(_, values)| values.len()).sum::<usize>() < 4_000
}

/// Whether a network is right by machine code, and by the reference.
fn both(expected: &mut Expected, name: &str, case: &Case<'_>) -> [bool; 2] {
    let verdict = case.judge(Backend::Jit);
    let right = matches!(verdict, Verdict::Right);
    expected.saw(name, verdict);
    if !right || !(case.node || is_small(case.bytes, case.inputs)) {
        return [right, false];
    }
    match case.judge(Backend::Reference) {
        Verdict::Right => [true, true],
        Verdict::Not(why) => {
            expected.broke(format!("{name}, by the reference: {why}"));
            [true, false]
        }
    }
}

#[test]
fn networks() {
    let Some(pack) = shared("onnx/models") else {
        return;
    };
    let mut expected = Expected::read("models/");
    for entry in json(&pack.join("index.json")).as_array().unwrap() {
        let Some(model) = entry["model"].as_str() else {
            continue;
        };
        let path = pack.join(model);
        let bytes = std::fs::read(&path).unwrap();
        let samples = entry["samples"]
            .as_array()
            .into_iter()
            .chain(entry["other_size"].as_array())
            .flatten();
        for sample in samples.filter_map(Value::as_str) {
            let folder = pack.join(sample);
            let (inputs, wanted) = (arrays(&folder, "input"), arrays(&folder, "ref"));
            let more = entry["atol"].as_f64().unwrap_or(0.0);
            let name = format!("models/{model}@{}", sample.rsplit('/').next().unwrap());
            both(
                &mut expected,
                &name,
                &Case {
                    bytes: &bytes,
                    path: Some(&path),
                    inputs: &inputs,
                    wanted: &wanted,
                    node: false,
                    more,
                },
            );
        }
    }
    expected.finish();
}

#[test]
fn published_files() {
    let Some(pack) = shared("onnx/wild") else {
        return;
    };
    let mut expected = Expected::read("wild/");
    for (name, _) in json(&pack.join("wild.json")).as_object().unwrap() {
        let path = pack.join(name).join("model.onnx");
        let bytes = std::fs::read(&path).unwrap();
        for sample in ["s0", "s1"]
            .map(|sample| pack.join(name).join(sample))
            .iter()
            .filter(|folder| folder.exists())
        {
            let (inputs, wanted) = (arrays(sample, "input"), arrays(sample, "ref"));
            both(
                &mut expected,
                &format!("wild/{name}"),
                &Case {
                    bytes: &bytes,
                    path: Some(&path),
                    inputs: &inputs,
                    wanted: &wanted,
                    node: false,
                    more: 0.0,
                },
            );
        }
    }
    expected.finish();
}

/// A tensor of a node test.
fn tensor(path: &Path) -> TensorProto {
    TensorProto::decode(&*std::fs::read(path).unwrap()).unwrap()
}

/// The elements of a tensor of a node test, as f32.
fn elements(proto: &TensorProto) -> Option<Array> {
    let dims: Vec<usize> = proto.dims.iter().map(|&n| n as usize).collect();
    let raw = &proto.raw_data;
    let values = match proto.data_type {
        1 if raw.is_empty() => proto.float_data.clone(),
        1 => raw
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
            .collect(),
        6 if !raw.is_empty() => raw
            .chunks_exact(4)
            .map(|b| i32::from_le_bytes(b.try_into().unwrap()) as f32)
            .collect(),
        7 if raw.is_empty() => proto.int64_data.iter().map(|&n| n as f32).collect(),
        7 => raw
            .chunks_exact(8)
            .map(|b| i64::from_le_bytes(b.try_into().unwrap()) as f32)
            .collect(),
        9 => raw.iter().map(|&b| f32::from(b)).collect(),
        11 => raw
            .chunks_exact(8)
            .map(|b| f64::from_le_bytes(b.try_into().unwrap()) as f32)
            .collect(),
        _ => return None,
    };
    Some((dims, values))
}

/// A node test with its constant inputs as initialisers.
fn baked(folder: &Path, entry: &Value) -> Option<(Vec<u8>, Vec<Array>, Vec<Array>)> {
    let mut model =
        ModelProto::decode(&*std::fs::read(folder.join("model.onnx")).unwrap()).unwrap();
    let newer = model.ir_version >= 4;
    let graph = model.graph.as_mut().unwrap();
    let have: Vec<String> = graph
        .initializer
        .iter()
        .map(|tensor| tensor.name.clone())
        .collect();
    let data = folder.join("test_data_set_0");
    let files: Vec<TensorProto> = (0..)
        .map(|at| data.join(format!("input_{at}.pb")))
        .take_while(|file| file.exists())
        .map(|file| tensor(&file))
        .collect();
    let real: Vec<String> = graph
        .input
        .iter()
        .map(|input| input.name.clone())
        .filter(|name| !have.contains(name))
        .collect();
    let source = match files.len() <= real.len() {
        true => real,
        false => graph.input.iter().map(|input| input.name.clone()).collect(),
    };
    let mut feeds: BTreeMap<String, TensorProto> = source.into_iter().zip(files).collect();
    for name in entry["const"].as_object().unwrap().keys() {
        let mut proto = feeds.remove(name)?;
        proto.name.clone_from(name);
        graph.initializer.push(proto);
        if newer {
            graph.input.retain(|input| input.name != *name);
        }
    }
    let inputs: Option<Vec<Array>> = graph
        .input
        .iter()
        .filter_map(|input| feeds.get(&input.name))
        .map(elements)
        .collect();
    let count = entry["outputs"].as_array().unwrap().len();
    let wanted: Option<Vec<Array>> = (0..count)
        .map(|at| elements(&tensor(&data.join(format!("output_{at}.pb")))))
        .collect();
    Some((model.encode_to_vec(), inputs?, wanted?))
}

/// How many node tests there are of each tier, how many fit the language, and how many of these are right, by machine code and by the reference.
pub fn node_tests(expected: &mut Expected, pack: &Path) -> BTreeMap<String, [usize; 4]> {
    let mut tiers: BTreeMap<String, [usize; 4]> = BTreeMap::new();
    for (name, entry) in json(&pack.join("nodes.json")).as_object().unwrap() {
        let fits = entry["fits"].as_bool().unwrap();
        let tier = entry["tier"].as_str().unwrap().to_owned();
        let row = tiers.entry(tier).or_default();
        row[0] += 1;
        let name_of = format!("node/{name}");
        let right = match baked(&pack.join("node").join(name), entry) {
            Some((bytes, inputs, wanted)) => both(
                expected,
                &name_of,
                &Case {
                    bytes: &bytes,
                    path: None,
                    inputs: &inputs,
                    wanted: &wanted,
                    node: true,
                    more: 0.0,
                },
            ),
            None => {
                expected.saw(&name_of, Verdict::Not("tensors of other types".to_owned()));
                [false; 2]
            }
        };
        row[1] += usize::from(fits);
        for (count, right) in row[2..].iter_mut().zip(right) {
            *count += usize::from(fits && right);
        }
    }
    tiers
}

/// What must not be imported is refused, and everything that is not supported is named.
#[test]
fn refusals() {
    for kind in ["refuse", "hostile"] {
        let Some(pack) = shared(&format!("onnx/{kind}")) else {
            return;
        };
        let mut wrong = Vec::new();
        for (name, entry) in json(&pack.join(format!("{kind}.json")))
            .as_object()
            .unwrap()
        {
            let path = pack.join(format!("{name}.onnx"));
            let must = entry["expect"] == "refuse";
            let result = cnnc::onnx::import_file(&path, &Options::default());
            let message = match result {
                Ok(_) if must => {
                    wrong.push(format!("{kind}/{name} is imported"));
                    continue;
                }
                Ok(_) => continue,
                Err(error) => error.to_string(),
            };
            let controls = message.chars().any(|c| c.is_control() && c != '\n');
            if message.is_empty() || controls {
                wrong.push(format!("{kind}/{name}: {message:?}"));
            }
            for operator in entry["must_name"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
            {
                let last = operator.rsplit('.').next().unwrap();
                if !message.contains(last) {
                    wrong.push(format!("{kind}/{name} does not name {operator}: {message}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// What is refused as not supported is no mistake of the file's.
#[test]
fn not_supported_is_no_mistake() {
    let Some(pack) = shared("onnx/refuse") else {
        return;
    };
    let error =
        cnnc::onnx::import_file(&pack.join("crnn_lstm.onnx"), &Options::default()).unwrap_err();
    assert!(
        matches!(&error, OnnxError::Unsupported(rows) if rows[0].operator == "LSTM" && rows[0].count == 1)
    );
    assert!(error.is_unsupported());
}
