//! Published networks give the outputs that PyTorch gives, with weights made up from their names.

#[path = "shared/mod.rs"]
mod shared;

use cnnc::rt::synthetic::Synthetic;
use cnnc::{Backend, Isa, Options, Weights, compile_file};
use serde_json::Value;

/// What PyTorch gave.
struct Golden {
    values: Vec<f32>,
    /// Where they stand in the output; all of it if `None`.
    indices: Option<Vec<usize>>,
    std: f64,
}

impl Golden {
    fn read(name: &str) -> Option<Golden> {
        let text = shared::text(&format!("goldens/{name}.json"))?;
        let json: Value = serde_json::from_str(&text).expect("a golden is JSON");
        let numbers = |key: &str| json[key].as_array().map(|list| list.iter());
        let values = numbers("values").expect("it has values");
        let index = |value: &Value| value.as_u64().expect("an index") as usize;
        Some(Golden {
            values: values
                .map(|value| value.as_f64().expect("a number") as f32)
                .collect(),
            indices: numbers("indices").map(|list| list.map(index).collect()),
            std: json["output_std"].as_f64().expect("a number"),
        })
    }

    /// Largest difference by the largest that is allowed: `1e-5 · √(convolutions in depth) · deviation`.
    fn error(&self, raw: &[f32], depth: usize) -> f64 {
        let at = |index: usize| {
            self.indices
                .as_ref()
                .map_or(index, |indices| indices[index])
        };
        let scale = match raw.len() {
            ..4 => self
                .values
                .iter()
                .fold(0.0f64, |most, value| most.max(f64::from(value.abs()))),
            _ => self.std,
        };
        let allowed = 1e-5 * (depth as f64).sqrt() * scale;
        let differences = self.values.iter().enumerate();
        let differences =
            differences.map(|(index, &value)| f64::from((raw[at(index)] - value).abs()));
        // Not `f64::max`, which forgets NaN.
        differences.fold(
            0.0,
            |most, difference| if difference <= most { most } else { difference },
        ) / allowed
    }
}

/// Runs a network by one backend and compares its raw output. `depth` is the number of convolutions and dense layers
/// on the longest way through it.
fn check(name: &str, depth: usize, backend: Backend, isa: Isa) {
    let Some(golden) = Golden::read(name) else {
        return;
    };
    let spec = format!("{}/specs/{name}.cnn", env!("CARGO_MANIFEST_DIR"));
    let model = compile_file(spec).unwrap_or_else(|error| panic!("{error}"));
    let options = Options::new().backend(backend).isa(isa);
    let network = model
        .jit(&Weights::synthetic(), &options)
        .expect("synthetic weights fit");
    let image = Synthetic::input("input").values(network.inputs()[0].elements());
    let mut session = network.session().expect("memory");
    let outputs = session.run(&[&image]).expect("the input fits");
    let error = golden.error(outputs.raw(), depth);
    println!("{name} by {backend} on {isa}: {error:.3} of the allowed difference");
    assert!(
        error <= 1.0,
        "{name} by {backend} on {isa}: {error:.3} times the allowed difference"
    );
}

/// Machine code for every ISA of this machine.
fn jit(name: &str, depth: usize) {
    for isa in Isa::ALL.into_iter().filter(|isa| isa.available()) {
        check(name, depth, Backend::Jit, isa);
    }
}

macro_rules! goldens {
    ($($name:ident $depth:literal)*) => {$(
        #[test]
        fn $name() {
            jit(stringify!($name), $depth);
        }
    )*};
}

goldens! {
    lenet5 5
    alexnet 8
    vgg16 16
    resnet18 18
    resnet50 50
    squeezenet1_1 18
}

#[test]
fn oracles() {
    check("lenet5", 5, Backend::Interp, Isa::Portable);
    check("lenet5", 5, Backend::Reference, Isa::Portable);
    check("squeezenet1_1", 18, Backend::Reference, Isa::Portable);
}
