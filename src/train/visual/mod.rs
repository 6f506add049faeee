//! What the layers of a network look for: the patches of photographs that excite a unit most, feature maps, pictures by ascent, saliency.
//!
//! A *unit* is a channel of a map. Which part of a picture an element of it sees, its receptive field, follows from the shapes ([`cnnc_compiler::field`]).

mod ascent;
mod maps;
mod patches;
mod photos;
mod saliency;

pub use ascent::{Ascent, AscentOptions, ascent};
pub use maps::feature_maps;
pub use patches::{Patches, Unit};
pub use photos::{Photos, photographs};
pub use saliency::{Saliency, saliency};

use super::error::TrainError;
use super::picture::tensors::{map, maps, pixels, spread};
use crate::Model;
use cnnc_compiler::id::ValueId;

/// Layers that are shown if none is named.
const LAYERS: usize = 4;

/// Labels of layers to be shown: these, which are held against the network, or four of its labelled maps from the first to the last.
///
/// # Errors
/// A layer that is not there or has no rows and columns, a network without pictures, or one without labelled maps.
pub fn layers(model: &Model, named: &[String]) -> Result<Vec<String>, TrainError> {
    pixels(model)?;
    for label in named {
        shown(model, label)?;
    }
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    let all: Vec<String> = maps(model.graph())
        .into_iter()
        .map(|(label, _)| label)
        .filter(|label| shown(model, label).is_ok())
        .collect();
    match all.is_empty() {
        true => Err(TrainError::Recipe(format!(
            "`{}` has no labelled maps: name the layers",
            model.graph().name
        ))),
        false => Ok(spread(&all, LAYERS)),
    }
}

/// The map of that label, which is not the name of another output: a run gives tensors by their names.
fn shown(model: &Model, label: &str) -> Result<ValueId, TrainError> {
    let value = map(model, label)?;
    let mut outputs = model.graph().outputs.iter();
    match outputs.any(|output| output.name == label && output.value != value) {
        true => Err(TrainError::Recipe(format!(
            "`{label}` is the label of a layer and the name of another output of `{}`: give the layer another label",
            model.graph().name
        ))),
        false => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cnnc_compiler::field::fields;

    /// Araujo, Norris and Sim 2019, Computing receptive fields of convolutional neural networks, the table of published networks; AlexNet and VGG-16 behind their last pool.
    #[test]
    fn fields_are_those_of_published_networks() {
        for (spec, layer, extent, stride) in [
            ("alexnet", "flatten", 195, 32),
            ("vgg16", "flatten", 212, 32),
            ("mobilenet_v1", "globalavgpool", 315, 32),
        ] {
            let path = format!("{}/specs/{spec}.cnn", env!("CARGO_MANIFEST_DIR"));
            let model = crate::compile_file(path).unwrap();
            let graph = model.graph();
            let all = fields(graph);
            let (_, node) = graph
                .live()
                .find(|(_, node)| {
                    node.layer.keyword() == layer || node.layer.keyword() == "adaptiveavgpool"
                })
                .unwrap();
            let [_, rows, columns] = all[&node.inputs[0]];
            assert_eq!((rows.extent, rows.stride), (extent, stride), "{spec}");
            assert_eq!(rows, columns, "{spec}");
            // What is behind sees everything.
            let raw = all[&graph.outputs[0].value][1];
            let shape = &graph.values[graph.inputs[0].value].shape;
            assert_eq!((raw.first, raw.extent), (0, shape.spatial()[0]), "{spec}");
        }
    }

    #[test]
    fn layers_that_are_called_like_an_output_are_refused() {
        let spec = "cnn 1; model P { input x: 3x9x9; raw: conv 3x3 2; a: conv 3x3 2; globalavgpool; dense 2 }";
        let model = crate::compile_str("p", spec).unwrap();
        assert_eq!(layers(&model, &[]).unwrap(), ["a"]);
        let error = layers(&model, &["raw".to_owned()]).unwrap_err();
        assert!(error.to_string().contains("another label"), "{error}");
    }

    #[test]
    fn layers_are_those_that_are_named_or_spread() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/specs/squeezenet1_1.cnn");
        let model = crate::compile_file(path).unwrap();
        assert_eq!(
            layers(&model, &[]).unwrap(),
            ["features.0", "features.6", "features.10", "classifier.1"]
        );
        let error = layers(&model, &["features.99".to_owned()])
            .unwrap_err()
            .to_string();
        assert!(error.contains("`features.9`"), "{error}");
    }
}
