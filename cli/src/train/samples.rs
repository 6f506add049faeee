//! Where samples come from, and the first of them as they are learned.

use crate::Failure;
use cnnc::Model;
use cnnc::train::{Data, DataError, Draw, Recipe, Sheet, Source, Split, batch_sheet};
use std::path::{Path, PathBuf};

/// What the flags say, before what the section says, whose paths are as seen from the spec.
pub fn source_of(
    data: Option<&Path>,
    test: Option<&Path>,
    model: &Model,
    spec: &Path,
) -> Result<Source, Failure> {
    let section = model.recipe().and_then(|recipe| recipe.data.as_ref());
    let home = spec.parent().unwrap_or(Path::new(""));
    let seen = |path: &PathBuf| home.join(path);
    let split = |source: &Source| {
        source.split.as_ref().map(|split| match split {
            Split::List(list) => Split::List(seen(list)),
            shares => shares.clone(),
        })
    };
    let mut source = match (data, section) {
        // Other data are divided as the section says.
        (Some(path), section) => Source {
            path: path.to_owned(),
            split: section.and_then(split),
            columns: section.map_or_else(Vec::new, |section| section.columns.clone()),
            ..Source::default()
        },
        (None, Some(source)) => Source {
            kind: source.kind,
            path: seen(&source.path),
            columns: source.columns.clone(),
            test: source.test.as_ref().map(seen),
            split: split(source),
        },
        (None, None) => return Err(DataError::Unsaid.into()),
    };
    if let Some(test) = test {
        source.test = Some(test.to_owned());
        source.split = None;
    }
    Ok(source)
}

/// A drawing of the first batch of the first epoch.
pub fn first_batch(recipe: &Recipe, model: &Model, data: &Data) -> Result<Sheet, Failure> {
    let order = Draw::of(recipe, &data.train)?.order(recipe.seed, 1);
    let first = &order[..order.len().min(recipe.batch * data.train.together())];
    let labels = model.graph().answer_head();
    let labels: Vec<String> = labels
        .labels
        .iter()
        .map(|label| label.to_string())
        .collect();
    Ok(batch_sheet(recipe, model, &data.train, first, &labels)?)
}
