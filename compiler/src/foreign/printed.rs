//! Networks as PyTorch prints them, a module a line: `(0): Conv2d(3, 16, kernel_size=(3, 3))`.

use super::call::Call;

/// Most lines that are read.
const LINES: usize = 2000;

/// Longest name of a module.
const NAME: usize = 64;

/// Deepest module.
const DEPTH: usize = 16;

/// Names and calls of the modules without others inside; `None` if there are none.
pub(super) fn modules(text: &str) -> Option<Vec<(String, Call<'_>)>> {
    let mut path: Vec<(usize, &str)> = Vec::new();
    let mut found = Vec::new();
    for line in text.lines().take(LINES) {
        let written = line.trim_start();
        let indent = line.len() - written.len();
        let Some((name, module)) = named(written) else {
            continue;
        };
        path.retain(|(outer, _)| *outer < indent);
        path.truncate(DEPTH);
        path.push((indent, name));
        // Of what has modules inside, the line does not end the call.
        if let Some((call, "")) = Call::read(module.trim_end()) {
            let names: Vec<&str> = path.iter().map(|(_, name)| *name).collect();
            found.push((names.join("."), call));
        }
    }
    (!found.is_empty()).then_some(found)
}

fn named(line: &str) -> Option<(&str, &str)> {
    let (name, module) = line.strip_prefix('(')?.split_once("): ")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let short = (1..=NAME).contains(&name.len());
    (short && name.chars().all(plain)).then_some((name, module))
}
