//! One statement of Python: a layer that it makes, or something else.

use super::call::{Call, Value};
use super::origin::module;
use crate::frameworks::{layers, normal};

/// What Python begins statements with that make no layer.
const STARTS: &[&str] = &[
    "def ",
    "class ",
    "from ",
    "return",
    "super(",
    "super().",
    "self.",
    "print(",
    "with ",
    "assert ",
    "elif ",
    "@",
    "if __name__",
    "async ",
];

/// One statement.
pub(super) enum Statement<'t> {
    /// It makes a layer, under that name,
    Makes(Option<&'t str>, Call<'t>),
    /// which is used elsewhere, in an order that only `forward` tells.
    Module(&'t str, Call<'t>),
    /// It does something else.
    Other,
}

/// Length of a statement: to the end of its line, or of the line where its brackets are closed.
pub(super) fn end(text: &str) -> usize {
    let mut depth = 0usize;
    let mut comment = false;
    for (at, c) in text.char_indices() {
        match c {
            '\n' if depth == 0 || at > 4096 => return at,
            '\n' => comment = false,
            '#' => comment = true,
            '(' | '[' if !comment => depth += 1,
            ')' | ']' if !comment => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    text.len()
}

pub(super) fn statement(text: &str) -> Option<Statement<'_>> {
    let made = assigned(text)
        .or_else(|| added(text))
        .or_else(|| bare(text, None))
        .or_else(|| labelled(text));
    let other = || {
        STARTS
            .iter()
            .any(|start| text.starts_with(start))
            .then_some(Statement::Other)
    };
    made.or_else(other)
}

/// `name = Call(…)`, `self.name = Call(…)`
fn assigned(text: &str) -> Option<Statement<'_>> {
    let (left, right) = text.split_once('=')?;
    let left = left.trim();
    let word = |c: char| c.is_ascii_alphanumeric() || "_.".contains(c);
    if left.is_empty() || !left.chars().all(word) || right.starts_with('=') {
        return None;
    }
    let (call, rest) = Call::read(right.trim_start())?;
    let called = !call.on.is_empty() && foreign_name(&call);
    if let Some(name) = left.strip_prefix("self.") {
        return over(rest).then_some(Statement::Module(name, call));
    }
    // `y = self.conv1(x)`
    if call.path.starts_with("self.") {
        return Some(Statement::Other);
    }
    let known = foreign(&call) || called || module(call.path).is_some();
    (known && over(rest)).then_some(Statement::Makes(Some(left), call))
}

/// `model.add(Call(…))`
fn added(text: &str) -> Option<Statement<'_>> {
    let (call, rest) = Call::read(text)?;
    let [(None, Value::Call(inner))] = call.args.as_slice() else {
        return None;
    };
    (call.path.ends_with(".add") && over(rest)).then(|| Statement::Makes(None, inner.clone()))
}

/// `nn.Conv2d(…),`, where it could be nothing of a spec.
fn bare<'t>(text: &'t str, label: Option<&'t str>) -> Option<Statement<'t>> {
    let (call, rest) = Call::read(text)?;
    // `Conv(3x3, filters=8)` is half a spec.
    let extents = |value: &Value<'_>| matches!(value, Value::Other(text) if is_extents(text));
    if call.args.iter().any(|(_, value)| extents(value)) {
        return None;
    }
    let named = call.args.iter().any(|(name, _)| name.is_some());
    let python = named
        || !call.on.is_empty()
        || rest.trim_start().starts_with(',')
        || module(call.path).is_some();
    (foreign_name(&call) && python && over(rest)).then_some(Statement::Makes(label, call))
}

/// `c1: Conv2D(16, kernel_size=3)(x)`, half a spec
fn labelled(text: &str) -> Option<Statement<'_>> {
    let (label, call) = text.split_once(':')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.".contains(c);
    let label = label.trim_end();
    let named = !label.is_empty() && label.chars().all(plain);
    bare(call.trim_start(), named.then_some(label)).filter(|_| named)
}

fn is_extents(text: &str) -> bool {
    text.contains('x') && text.split('x').all(|extent| extent.parse::<u32>().is_ok())
}

/// Whether nothing follows that belongs to the statement.
fn over(rest: &str) -> bool {
    let rest = rest.trim_start_matches([' ', '\t', ',']);
    rest.is_empty() || rest.starts_with(['#', '\n', '\r'])
}

/// Whether a framework has a layer of that name.
fn foreign_name(call: &Call<'_>) -> bool {
    !layers(call.path).is_empty()
}

/// Whether it is a name of a framework's, and none here.
fn foreign(call: &Call<'_>) -> bool {
    foreign_name(call) && crate::layer::find(call.path).is_none()
}

/// The layers of a list of them: `nn.Sequential(…)`, `Sequential([…])`.
pub(super) fn listed<'c, 't>(call: &'c Call<'t>, items: &mut Vec<&'c Call<'t>>) {
    fn open<'c, 't>(value: &'c Value<'t>, items: &mut Vec<&'c Call<'t>>) {
        match value {
            Value::Call(call) => listed(call, items),
            Value::List(values) => values.iter().for_each(|value| open(value, items)),
            _ => {}
        }
    }
    match normal(call.name()).as_str() {
        "sequential" | "modulelist" => call.args.iter().for_each(|(_, value)| open(value, items)),
        _ => items.push(call),
    }
}

#[cfg(test)]
mod tests {
    use super::statement;

    #[test]
    fn statements_of_specs_are_not_python() {
        for text in [
            "conv 3x3 16 relu",
            "y = conv 3x3 16",
            "add(a, b)",
            "fire(16, 64)",
            "twin(a)",
            "out: dense 10",
            "w = 4",
            "x = max(3, 4)",
            "relu()",
            "y = relu(x)",
            "s = add(a, b)",
        ] {
            assert!(statement(text).is_none(), "{text}");
        }
    }
}
