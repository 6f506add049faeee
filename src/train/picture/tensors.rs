//! Which tensors of a network pictures are compared and seen by.

use super::super::error::TrainError;
use super::pixels::Pixels;
use crate::Model;
use cnnc_compiler::graph::Graph;
use cnnc_compiler::id::ValueId;

/// A layer that pictures are compared by.
#[derive(Clone, Debug)]
pub(in crate::train) struct Layer {
    pub label: String,
    pub value: ValueId,
    pub weight: f64,
}

/// Maps for the usual style.
const USUAL: usize = 5;
/// How many pixels of a picture are one of the coarsest map that is usual.
const COARSEST: usize = 8;

/// How the network sees pixels.
pub(in crate::train) fn pixels(model: &Model) -> Result<Pixels, TrainError> {
    let graph = model.graph();
    let [input] = &graph.inputs[..] else {
        let why = format!(
            "`{}` has {} inputs: it takes no single picture",
            graph.name,
            graph.inputs.len()
        );
        return Err(TrainError::Network(why));
    };
    let pre = input
        .pre
        .as_ref()
        .filter(|pre| matches!(pre.channels, 1 | 3));
    let pre = pre.ok_or_else(|| {
        let shape = &graph.values[input.value].shape;
        TrainError::Network(format!(
            "the input `{}` of `{}` is {shape}, which is not the shape of a picture",
            input.name, graph.name
        ))
    })?;
    Ok(Pixels::new(pre))
}

/// The tensor of that name, which has rows and columns.
pub(in crate::train) fn map(model: &Model, label: &str) -> Result<ValueId, TrainError> {
    let value = model.find(label)?;
    let shape = &model.graph().values[value].shape;
    match shape.spatial().len() {
        2 => Ok(value),
        _ => Err(TrainError::Network(format!(
            "`{label}` is {shape}: it has no rows and columns"
        ))),
    }
}

/// The labelled chains that are maps, in their order; of a block with a label itself, not what is in it.
pub(in crate::train) fn maps(graph: &Graph) -> Vec<(String, ValueId)> {
    let mut maps: Vec<(String, ValueId)> = Vec::new();
    let within = |label: &str| {
        let mut scopes = label.match_indices('.').map(|(at, _)| &label[..at]);
        scopes.any(|scope| graph.names.iter().any(|(name, _)| name == scope))
    };
    for (label, value) in &graph.names {
        let of_picture = graph.inputs.iter().all(|input| input.value != *value);
        let known = maps.iter().any(|(_, other)| other == value);
        let is_map = graph.values[*value].shape.spatial().len() == 2;
        if of_picture && is_map && !known && !within(label) {
            maps.push((label.clone(), *value));
        }
    }
    maps
}

/// So many of them, evenly spread, the first and the last among them.
pub(in crate::train) fn spread<T: Clone>(all: &[T], count: usize) -> Vec<T> {
    if all.len() <= count {
        return all.to_vec();
    }
    let at = |index: usize| (index * (all.len() - 1) + (count - 1) / 2) / (count - 1);
    (0..count).map(|index| all[at(index)].clone()).collect()
}

/// Content and style that are usual: what `head style` says, or five of the labelled maps that have at least an eighth of the picture's rows, and the last of them as content.
pub(super) fn layers_of(model: &Model) -> Option<(Vec<Layer>, Vec<Layer>)> {
    let graph = model.graph();
    let layer = |(label, value): &(String, ValueId)| Layer {
        label: label.clone(),
        value: *value,
        weight: 1.0,
    };
    if let Some(head) = graph
        .head
        .as_ref()
        .filter(|head| head.decl.keyword == "style")
    {
        let styles = head
            .get("style")
            .map_or(0, |names| names.value.as_items().len());
        let (style, content) = head.tensors.split_at(styles);
        let content = if content.is_empty() {
            &style[styles.saturating_sub(1)..]
        } else {
            content
        };
        return Some((
            content.iter().map(layer).collect(),
            style.iter().map(layer).collect(),
        ));
    }
    let rows = |value: ValueId| graph.values[value].shape.spatial()[0];
    let all = *graph.values[graph.inputs.first()?.value]
        .shape
        .spatial()
        .first()?;
    let mut fine = maps(graph);
    fine.retain(|(_, value)| (all as f64 / rows(*value) as f64).round() as usize <= COARSEST);
    let style: Vec<Layer> = spread(&fine, USUAL).iter().map(layer).collect();
    let content = style.last().cloned().into_iter().collect();
    Some((content, style))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_takes_both_ends() {
        let all: Vec<usize> = (0..10).collect();
        assert_eq!(spread(&all, 5), [0, 2, 5, 7, 9]);
        assert_eq!(spread(&all, 20), all);
        assert_eq!(spread(&all[..3], 2), [0, 2]);
    }

    #[test]
    fn squeezenets_usual_layers_are_its_first_convolution_and_four_fires() {
        let model = crate::compile_file(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/specs/squeezenet1_1.cnn"
        ))
        .unwrap();
        let (content, style) = layers_of(&model).unwrap();
        let labels = |layers: &[Layer]| {
            layers
                .iter()
                .map(|layer| layer.label.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            labels(&style),
            [
                "features.0",
                "features.3",
                "features.4",
                "features.6",
                "features.7"
            ]
        );
        assert_eq!(labels(&content), ["features.7"]);
    }
}
