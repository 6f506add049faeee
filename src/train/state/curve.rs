//! The curve of the rate in `state.json`, and the limit of gradients.

use cnnc_compiler::recipe::{Clip, Schedule};
use serde_json::{Value, json};

pub fn to_json(schedule: &Schedule) -> Value {
    let name = schedule.name();
    match schedule {
        Schedule::Constant | Schedule::Cosine => json!({ "name": name }),
        Schedule::Polynomial { power } => json!({ "name": name, "power": power }),
        Schedule::At { epochs, by } => json!({ "name": name, "at": epochs, "by": by }),
        Schedule::Every { epochs, by } => json!({ "name": name, "every": epochs, "by": by }),
    }
}

/// The curve of a recipe. Of runs that began when there were two of them it says whether it is a cosine.
pub fn of(recipe: &Value) -> Option<Schedule> {
    let curve = &recipe["curve"];
    if curve.is_null() {
        return Some(match recipe["cosine"].as_bool()? {
            true => Schedule::Cosine,
            false => Schedule::Constant,
        });
    }
    let number = |key: &str| curve[key].as_f64();
    Some(match (curve["name"].as_str()?, curve["at"].as_array()) {
        ("constant", _) => Schedule::Constant,
        ("cosine", _) => Schedule::Cosine,
        ("polynomial", _) => Schedule::Polynomial {
            power: number("power")?,
        },
        ("steps", Some(at)) => Schedule::At {
            epochs: at.iter().map(Value::as_f64).collect::<Option<_>>()?,
            by: number("by")?,
        },
        ("steps", None) => Schedule::Every {
            epochs: number("every")?,
            by: number("by")?,
        },
        _ => return None,
    })
}

pub fn clip_to_json(clip: Clip) -> Value {
    let (of, most) = clip.parts();
    json!({ of: most })
}

pub fn clip_of(value: &Value) -> Option<Clip> {
    let (of, most) = value.as_object()?.iter().next()?;
    Clip::of(of, most.as_f64()?)
}
