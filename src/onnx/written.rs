//! The spec of a network: with blocks and loops where that is the same network, else with a line for each chain.

use super::error::OnnxError;
use super::net::{Id, Net};
use super::spec::{self, Folded, Folding, Frame};
use super::statement::Body;
use super::weights;
use crate::Model;
use cnnc_compiler::diagnostic::Severity;
use std::collections::HashMap;
use std::path::Path;

/// A spec, compiled.
pub(super) struct Written {
    pub text: String,
    pub model: Model,
    /// The bytes of a safetensors file.
    pub weights: Vec<u8>,
    /// What every tensor that is referred to is called.
    pub labels: HashMap<Id, String>,
}

/// What is written.
pub(super) struct Source<'a> {
    pub frame: Frame<'a>,
    pub net: &'a Net,
    pub body: Body,
    /// The layers, in order.
    pub order: Vec<Id>,
    /// Tensors that are outputs.
    pub outputs: Vec<Id>,
}

impl Source<'_> {
    /// The spec with a line for each chain; `place` is where it will be.
    pub fn plain(&self, place: &Path) -> Result<Written, OnnxError> {
        let (text, model) = compiled(place, spec::write(&self.frame, &self.body))?;
        Ok(Written {
            weights: weights::weights(self.net, &self.order, &model, self.frame.name)?,
            text,
            model,
            labels: self.body.labels.clone(),
        })
    }

    /// The spec with blocks, loops and shared networks, if it is no longer than `plain` and the same network.
    pub fn folded(&self, place: &Path, plain: Written) -> Written {
        let form = plain.model.unshared_hash();
        let shorter = |folded: Folded| {
            let (text, model) = compiled(place, folded.text).ok()?;
            let same =
                text.lines().count() <= plain.text.lines().count() && model.unshared_hash() == form;
            let weights = weights::weights(self.net, &folded.order, &model, self.frame.name);
            Some(Written {
                weights: weights.ok().filter(|_| same)?,
                text,
                model,
                labels: folded.labels,
            })
        };
        self.ways().find_map(shorter).unwrap_or(plain)
    }

    /// Ways to write the spec with blocks and loops, best first.
    fn ways(&self) -> impl Iterator<Item = Folded> {
        let fold =
            move |folding| spec::fold(&self.frame, self.net, &self.body, &self.outputs, folding);
        let rest = move || {
            let [nested, plain] = [Folding::Nested, Folding::Plain].map(fold);
            let lines = |folded: &Option<Folded>| {
                let text = folded.as_ref().map(|folded| folded.text.lines().count());
                text.unwrap_or(usize::MAX)
            };
            // Blocks within blocks are harder to read, and have to be worth it.
            let worth = lines(&nested) <= lines(&plain) / 3 * 2;
            let nested = nested.filter(|_| worth);
            nested.into_iter().chain(plain)
        };
        let shared = std::iter::once_with(move || fold(Folding::Shared)).flatten();
        shared.chain(std::iter::once_with(rest).flatten())
    }
}

/// A text in the canonical layout, compiled.
fn compiled(place: &Path, text: String) -> Result<(String, Model), OnnxError> {
    let text = cnnc_compiler::format::format(&text).unwrap_or(text);
    match crate::compile_str(place, &text) {
        Ok(model) => Ok((text, model)),
        Err(error) => Err(OnnxError::Beyond(first_message(&error))),
    }
}

fn first_message(error: &crate::Error) -> String {
    match error {
        crate::Error::Spec(found) => found
            .items()
            .iter()
            .find(|item| item.severity() == Severity::Error)
            .map_or_else(String::new, |first| first.message.clone()),
        other => other.to_string(),
    }
}
