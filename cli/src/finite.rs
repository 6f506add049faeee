//! What is said of outputs that are not finite.

use crate::print;
use cnnc::NotFinite;
use serde_json::{Value, json};

/// Warns of them; `of` says of which input they are, where there are several.
pub fn warn(found: &[NotFinite], of: Option<&str>) {
    let of = of.map(|name| format!("{name}: ")).unwrap_or_default();
    for NotFinite {
        output,
        count,
        of: all,
        first,
    } in found
    {
        let first = first.as_ref();
        let first = first.map(|name| format!("; `{name}` is the first tensor that is not"));
        print::warning(format_args!(
            "{of}output `{output}`: {count} of {all} numbers are not finite{}",
            first.unwrap_or_default()
        ));
    }
}

/// For tools: a list, mostly empty.
pub fn to_json(found: &[NotFinite]) -> Value {
    let entry = |found: &NotFinite| {
        json!({
            "output": found.output, "count": found.count, "of": found.of, "first": found.first,
        })
    };
    found.iter().map(entry).collect()
}
