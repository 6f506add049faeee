//! Samples in `state.json`: where they come from, and how they are changed.

use crate::train::data::From;
use cnnc_compiler::recipe::{Augment, DataKind, Source, Split};
use serde_json::{Value, json};
use std::path::Path;

pub fn augment_to_json(augment: &Augment) -> Value {
    let Augment {
        mirror,
        crop,
        pad,
        rotate,
        shear,
        scale,
        shift,
        colour,
        tint,
    } = augment;
    json!({
        "mirror": mirror, "crop": crop, "pad": pad, "rotate": rotate, "shear": shear, "scale": scale, "shift": shift, "colour": colour, "tint": tint,
    })
}

/// `None` if it is not what was written; nothing is changed where nothing is there.
pub fn augment_of(value: &Value) -> Option<Option<Augment>> {
    if value.is_null() {
        return Some(None);
    }
    let number = |key: &str| value[key].as_f64();
    let colour = |at: usize| value["colour"][at].as_f64();
    Some(Some(Augment {
        mirror: value["mirror"].as_bool()?,
        crop: count(&value["crop"]),
        pad: count(&value["pad"])?,
        rotate: number("rotate")?,
        shear: number("shear")?,
        scale: number("scale")?,
        shift: number("shift")?,
        colour: [colour(0)?, colour(1)?, colour(2)?],
        // Runs of before it was there have none.
        tint: number("tint").unwrap_or(0.0),
    }))
}

pub fn from_to_json(from: &From) -> Value {
    let From {
        source:
            Source {
                kind,
                path,
                columns,
                test,
                split,
            },
        only,
        limit,
        most,
    } = from;
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let split = split.as_ref().map(|split| match split {
        Split::Hash(shares) => json!({ "hash": shares }),
        Split::List(list) => json!({ "list": text(list) }),
    });
    json!({
        "kind": kind.map(DataKind::name), "path": text(path), "columns": columns, "test": test.as_deref().map(text), "split": split, "only": only, "limit": limit, "most": most,
    })
}

pub fn from_of(value: &Value) -> Option<From> {
    let share = |value: &Value| u32::try_from(value.as_u64()?).ok();
    let split = match &value["split"] {
        Value::Null => None,
        split => Some(match split["list"].as_str() {
            Some(list) => Split::List(list.into()),
            None => {
                let shares = &split["hash"];
                Split::Hash([share(&shares[0])?, share(&shares[1])?, share(&shares[2])?])
            }
        }),
    };
    Some(From {
        source: Source {
            kind: value["kind"].as_str().and_then(DataKind::find),
            path: value["path"].as_str()?.into(),
            // Runs begun before columns had names say nothing of them.
            columns: match value["columns"].as_array() {
                Some(names) => {
                    let names = names.iter().map(|name| Some(name.as_str()?.to_owned()));
                    names.collect::<Option<_>>()?
                }
                None => Vec::new(),
            },
            test: value["test"].as_str().map(Into::into),
            split,
        },
        only: count(&value["only"]),
        limit: count(&value["limit"]),
        most: count(&value["most"]),
    })
}

fn count(value: &Value) -> Option<usize> {
    usize::try_from(value.as_u64()?).ok()
}
