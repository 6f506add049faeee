//! Fine-tuning as it stands in `state.json`.

use cnnc_compiler::tuning::{Init, Keep, Start, Tuning, Unfreeze};
use serde_json::{Value, json};

/// All of it.
pub(super) fn to_json(tuning: &Tuning) -> Value {
    let Tuning {
        init,
        freeze,
        unfreeze,
        spared,
        keep,
        stop,
        start,
    } = tuning;
    let init = init
        .as_ref()
        .map(|init| json!({ "file": init.file, "except": init.except }));
    let unfreeze = unfreeze
        .iter()
        .map(|of| json!({ "patterns": of.patterns, "at": of.at, "rate": of.rate }));
    let start = start
        .iter()
        .map(|of| json!({ "patterns": of.patterns, "value": of.value }));
    json!({
        "start": start.collect::<Vec<Value>>(),
        "init": init, "freeze": freeze, "unfreeze": unfreeze.collect::<Vec<Value>>(), "spared": spared, "keep": keep.name(), "stop": stop,
    })
}

/// The same again.
pub(super) fn from_json(json: &Value) -> Option<Tuning> {
    let texts = |list: &Value| -> Option<Vec<String>> {
        let items = list.as_array()?.iter();
        items.map(|text| Some(text.as_str()?.to_owned())).collect()
    };
    let init = match &json["init"] {
        Value::Null => None,
        init => Some(Init {
            file: init["file"].as_str()?.into(),
            except: texts(&init["except"])?,
        }),
    };
    let unfreeze = |of: &Value| {
        Some(Unfreeze {
            patterns: texts(&of["patterns"])?,
            at: of["at"].as_u64()? as usize,
            rate: of["rate"].as_f64(),
        })
    };
    let start = |of: &Value| {
        Some(Start {
            patterns: texts(&of["patterns"])?,
            value: of["value"].as_f64()?,
        })
    };
    // Runs begun before there was such a clause do not have it.
    let starts = match &json["start"] {
        Value::Null => Vec::new(),
        starts => {
            let starts = starts.as_array()?.iter();
            starts.map(start).collect::<Option<Vec<Start>>>()?
        }
    };
    let all = json["unfreeze"].as_array()?.iter();
    Some(Tuning {
        init,
        freeze: texts(&json["freeze"])?,
        unfreeze: all.map(unfreeze).collect::<Option<_>>()?,
        spared: texts(&json["spared"])?,
        keep: Keep::find(json["keep"].as_str()?)?,
        start: starts,
        stop: json["stop"].as_u64().map(|stop| stop as usize),
    })
}
