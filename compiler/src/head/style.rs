//! `head style`: the tensors that neural style transfer compares.

use super::keys::key;
use super::{Entering, Enters, Head, HeadDecl, Misfit, Project, nothing};
use crate::args::{Kind, Literal};
use crate::id::ValueId;
use cnnc_runtime::answer::{Numbers, Task};

/// The row of [`HEADS`](super::HEADS).
pub(super) static DECL: HeadDecl = HeadDecl {
    keyword: "style",
    doc: "The tensors that neural style transfer compares (Gatys et al. 2015). For each map that `style` names, its Gram matrix is the output `gram.NAME`, each map that `content` names \
          is an output; `raw` is the sums of the Gram matrices, then the mean squares of the content.",
    keys: &[
        key(
            "style",
            Kind::Tensors,
            None,
            "The maps whose Gram matrices over positions, divided by the number of positions, are the style.",
        ),
        key(
            "content",
            Kind::Tensors,
            Some("none"),
            "The maps that are the content.",
        ),
    ],
    classes: "classes",
    detects: false,
    enters: Enters::Made(sums),
    project: nothing,
    fit,
    task,
    samples: &[
        r#"input x: 3x8x8; a: conv 3x3 4 pad half; b: conv 3x3 5 pad half; head style { style a b  content b }"#,
    ],
};

/// Adds the outputs `gram.NAME` and the content; returns their sums in one vector: of each Gram matrix, then the mean
/// square of each content.
fn sums(head: &Head, network: &mut dyn Project) -> Option<ValueId> {
    let styles = head
        .get("style")
        .map_or(0, |names| names.value.as_items().len());
    let mut sums = Vec::new();
    for (index, (name, value)) in head.tensors.iter().enumerate() {
        let channels = network.shape(*value).channels();
        if index < styles {
            let gram = network.layer("gram", None, &[*value])?;
            let mean = mean(network, gram, channels)?;
            let all = Literal::Float((channels * channels) as f64);
            sums.push(network.layer("scale", Some(("factor", all)), &[mean])?);
            network.output(&format!("gram.{name}"), gram);
        } else {
            let square = network.layer("mul", None, &[*value, *value])?;
            sums.push(mean(network, square, channels)?);
            network.output(name, *value);
        }
    }
    match sums.as_slice() {
        &[one] => Some(one),
        several => network.layer("concat", None, several),
    }
}

/// The mean of all elements, as a vector of one.
fn mean(network: &mut dyn Project, value: ValueId, channels: usize) -> Option<ValueId> {
    let means = network.layer("globalavgpool", None, &[value])?;
    let row = Literal::Dims(vec![1, channels as i64]);
    let row = network.layer("reshape", Some(("shape", row)), &[means])?;
    network.layer("globalavgpool", None, &[row])
}

fn fit(_: &Head, _: &Entering<'_>) -> Result<usize, Misfit> {
    Ok(0)
}

fn task(_: &Head, _: &Entering<'_>, _: usize) -> Task {
    Task::Numbers(Numbers {})
}
