//! The search for state dicts in what `torch.save` was given: the whole of it, or something deep in a checkpoint.

use crate::weights::error::{Fault, FormatError, MAX_TENSORS, PickleError, TorchError};
use crate::weights::pickle::{Object, Pickle, Tensor, Value};
use std::collections::{BTreeMap, HashSet};

/// Deepest dictionary that a state dict is looked for in.
const MAX_DEPTH: usize = 5;

/// Most containers that are looked into.
const MAX_CONTAINERS: usize = 1 << 16;

/// Longest path to a dictionary.
const MAX_PATH: usize = 256;

/// Names of things that are not called which a message lists.
const LISTED: usize = 3;

/// The tensors of all state dicts.
pub(super) struct Found<'p> {
    pub tensors: BTreeMap<String, &'p Tensor>,
    /// What has a tensor's name but is none that is read; what it is.
    pub unread: BTreeMap<String, String>,
    pub notes: Vec<String>,
}

/// Finds the dictionaries that hold tensors under names. If there is one, names are those in it; if there are several, each name
/// has the path to its dictionary in front, and which of them a network reads is found out by what fits.
pub(super) fn find<'p>(pickle: &'p Pickle<'_>) -> Result<Found<'p>, Fault> {
    let mut holders = holders(pickle);
    // Metrics are tensors too, if somebody has computed them so: `best_acc1` beside the `state_dict`.
    if holders.len() > 1 {
        let metrics = |dict: &Value| {
            tensors(pickle, *dict).all(|(_, tensor)| tensor.shape.iter().all(|&extent| extent == 1))
        };
        if holders.iter().any(|(_, dict)| !metrics(dict)) {
            holders.retain(|(_, dict)| !metrics(dict));
        }
    }
    if holders.is_empty() {
        let found = describe(pickle);
        return Err(TorchError::NoStateDict { found }.into());
    }
    let mut found = Found {
        tensors: BTreeMap::new(),
        unread: BTreeMap::new(),
        notes: Vec::new(),
    };
    let several = holders.len() > 1;
    // Names may be as long as the pickle, but not often.
    let mut room = pickle.len + (8 << 20);
    for (path, dict) in &holders {
        for &(key, value) in pickle.dict(*dict).unwrap_or_default() {
            let Some(key) = pickle.text(key) else {
                continue;
            };
            let left = room.checked_sub(key.len() + path.len() + 1);
            room = left.ok_or(PickleError::TooLarge)?;
            let name = match several {
                true => join(path, key),
                false => key.to_owned(),
            };
            match pickle.object(value) {
                Some(Object::Tensor(tensor)) => {
                    found.tensors.insert(name, &**tensor);
                }
                Some(Object::Foreign(module, kind)) => {
                    found
                        .unread
                        .insert(name, format!("an object of {}", full(module, kind)));
                }
                // Counters and extra state are nothing that a network reads.
                _ => {}
            }
        }
        if found.tensors.len() + found.unread.len() > MAX_TENSORS {
            return Err(FormatError::TooMany.into());
        }
    }
    found.notes.extend(skipped(pickle));
    Ok(found)
}

/// Every dictionary that holds tensors, with its path.
fn holders(pickle: &Pickle<'_>) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    let mut level = vec![(String::new(), pickle.root)];
    let mut seen = HashSet::new();
    for _ in 0..MAX_DEPTH {
        let mut next = Vec::new();
        for (path, value) in level {
            if let Value::Object(id) = value
                && (seen.len() == MAX_CONTAINERS || !seen.insert(id))
            {
                continue;
            }
            let children = children(pickle, &path, value);
            next.extend(children.take(MAX_CONTAINERS - next.len()));
            if tensors(pickle, value).next().is_some() {
                found.push((path, value));
            }
        }
        level = next;
    }
    found
}

/// The containers in a container, each with its path.
fn children<'p>(
    pickle: &'p Pickle<'_>,
    path: &'p str,
    value: Value,
) -> Box<dyn Iterator<Item = (String, Value)> + 'p> {
    let container = move |value| {
        let object = pickle.object(value);
        matches!(
            object,
            Some(Object::Dict(_) | Object::List(_) | Object::Tuple(_))
        )
    };
    match pickle.object(value) {
        Some(Object::Dict(entries)) => Box::new(entries.iter().filter_map(move |&(key, value)| {
            let key = pickle.text(key).filter(|_| container(value))?;
            // Short ones first: one long text may be the key of everything.
            let short = path.len() + key.len() < MAX_PATH;
            (short && !is_of_training(key)).then(|| (join(path, key), value))
        })),
        Some(Object::List(items) | Object::Tuple(items)) => {
            let items = items
                .iter()
                .enumerate()
                .filter(move |(_, value)| container(**value));
            Box::new(items.map(move |(index, &value)| (join(path, &index.to_string()), value)))
        }
        _ => Box::new(std::iter::empty()),
    }
}

fn join(path: &str, key: &str) -> String {
    match path {
        "" => key.to_owned(),
        path => format!("{path}.{key}"),
    }
}

/// Whether training scripts keep their own state under that key.
fn is_of_training(key: &str) -> bool {
    key.starts_with("optim")
        || ["scheduler", "scaler", "callbacks", "loops"]
            .iter()
            .any(|word| key.contains(word))
}

/// The tensors in a dictionary that have names.
fn tensors<'p>(pickle: &'p Pickle<'_>, dict: Value) -> impl Iterator<Item = (&'p str, &'p Tensor)> {
    let entries = pickle.dict(dict).unwrap_or_default().iter();
    entries.filter_map(|&(key, value)| Some((pickle.text(key)?, pickle.tensor(value)?)))
}

/// What a file without tensors holds instead.
fn describe(pickle: &Pickle<'_>) -> String {
    let found = match pickle.object(pickle.root) {
        Some(Object::Foreign(module, name)) => {
            return format!("an object of {}", full(module, name));
        }
        Some(Object::Dict(_)) => "a dictionary without tensors",
        Some(Object::List(_)) => "a list without tensors",
        Some(Object::Tuple(_)) => "a tuple without tensors",
        Some(Object::Tensor(_)) => "a single tensor",
        _ => "a plain value",
    };
    match foreign(pickle) {
        Some(names) => format!("{found}, but with objects of {names}"),
        None => found.to_owned(),
    }
}

/// `module.name`, for a message.
fn full(module: &str, name: &str) -> String {
    match module {
        "" => name.to_owned(),
        module => format!("`{module}.{name}`"),
    }
}

/// What is in a file that is not read, in one line.
fn skipped(pickle: &Pickle<'_>) -> Option<String> {
    let names = foreign(pickle)?;
    Some(format!(
        "objects of {names} are left alone, and no code of theirs is run"
    ))
}

/// What was not called, in one line.
fn foreign(pickle: &Pickle<'_>) -> Option<String> {
    let names = pickle.foreign();
    let more = names.len().saturating_sub(LISTED);
    let listed: Vec<String> = names
        .into_iter()
        .take(LISTED)
        .map(|(module, name)| full(module, name))
        .collect();
    match more {
        _ if listed.is_empty() => None,
        0 => Some(listed.join(", ")),
        more => Some(format!("{} and {more} more types", listed.join(", "))),
    }
}
