//! Shapes that Python tells, channels first.

use super::call::{Call, Value};
use crate::layer::window;

/// The shape of `Input((32, 32, 3))`, channels first.
pub(super) fn of_input(call: &Call<'_>) -> Option<String> {
    let shape = call.args.iter().find(|(name, _)| *name == Some("shape"));
    let values: Vec<&Value<'_>> = match shape {
        Some((_, Value::List(items))) => items.iter().collect(),
        Some((_, value)) => vec![value],
        None => match call.args.as_slice() {
            [(None, Value::List(items)), ..] => items.iter().collect(),
            args => args
                .iter()
                .filter(|(name, _)| name.is_none())
                .map(|(_, value)| value)
                .collect(),
        },
    };
    show(&values)
}

/// Extents as a shape, channels first.
pub(super) fn show(values: &[&Value<'_>]) -> Option<String> {
    let mut extents = Vec::new();
    for value in values {
        match value {
            Value::Number(number) => extents.push(number.parse::<usize>().ok()?),
            Value::List(items) if values.len() == 1 => {
                return show(&items.iter().collect::<Vec<_>>());
            }
            _ => return None,
        }
    }
    // Keras has channels last, and pictures have few of them.
    if let [rest @ .., last] = extents.as_slice()
        && *last <= 4
        && !rest.is_empty()
        && rest.iter().all(|extent| extent > last)
    {
        extents.rotate_right(1);
    }
    (!extents.is_empty()).then(|| window::show(&extents))
}
