//! The paths that a source names, in `use` lines and between them.

/// A path below a root, and the line that it stands on.
pub type Found = (usize, Vec<String>);

/// The source without comments and without the tests at its end.
fn code(source: &str) -> String {
    let mut kept = String::new();
    let mut lines = source.lines().peekable();
    while let Some(line) = lines.next() {
        let tests = |next: &&str| next.starts_with("mod ") && next.ends_with('{');
        if line == "#[cfg(test)]" && lines.peek().is_some_and(tests) {
            break;
        }
        kept += line.split("//").next().unwrap_or("");
        kept.push('\n');
    }
    kept
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Reads a path or a tree of paths at the start of the text; returns what is behind it.
fn tree<'t>(text: &'t str, path: &[String], out: &mut Vec<Vec<String>>) -> &'t str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = rest.trim_start();
            if let Some(behind) = rest.strip_prefix('}') {
                return behind;
            }
            let behind = tree(rest, path, out).trim_start();
            let behind = behind.strip_prefix(',').unwrap_or(behind);
            if behind.len() == rest.len() {
                return behind;
            }
            rest = behind;
        }
    }
    let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let mut path = path.to_vec();
    if !word.is_empty() && word != "self" {
        path.push(word.to_owned());
    }
    match rest.strip_prefix("::") {
        Some(below) if below.starts_with(|c| is_word(c) || c == '{') => tree(below, &path, out),
        _ => {
            out.push(path);
            rest.strip_prefix("::*").unwrap_or(rest)
        }
    }
}

/// Every path that a source names in its own crate, from the crate's root on; the source is the module `inside`. What is below one
/// of its own modules counts where it is named by the module's name.
pub fn named(inside: &[&str], children: &[&str], source: &str) -> Vec<Vec<String>> {
    let code = code(source);
    let owned = |path: &[&str]| path.iter().map(|part| (*part).to_owned()).collect();
    let mut starts: Vec<(String, Vec<String>)> = vec![("crate::".to_owned(), Vec::new())];
    for up in 1..=inside.len() {
        starts.push(("super::".repeat(up), owned(&inside[..inside.len() - up])));
    }
    for child in children {
        starts.push((format!("{child}::"), owned(&[inside, &[child]].concat())));
    }
    let mut found = Vec::new();
    for (start, base) in &starts {
        for (at, _) in code.match_indices(start.as_str()) {
            let behind = &code[at + start.len()..];
            if code[..at].ends_with(|c| is_word(c) || c == ':') || behind.starts_with("super::") {
                continue;
            }
            tree(behind, base, &mut found);
        }
    }
    found
}

/// Every path below `root` in a source that is so many modules deep in its crate. `super` is followed to those modules only:
/// modules inside a file count no depth.
pub fn below(root: &str, depth: usize, modules: &[&str], source: &str) -> Vec<Found> {
    let code = code(source);
    let (first, inner) = root.split_once("::").unwrap_or((root, ""));
    let mut starts = vec![format!("{first}::")];
    if root == "crate" {
        starts.push("super::".repeat(depth));
    }
    let mut found = Vec::new();
    for start in starts.iter().filter(|start| !start.is_empty()) {
        for (at, _) in code.match_indices(start.as_str()) {
            let inside = code[..at].ends_with(|c| is_word(c) || c == ':');
            if inside {
                continue;
            }
            let mut paths = Vec::new();
            tree(&code[at + start.len()..], &[], &mut paths);
            let line = code[..at].matches('\n').count() + 1;
            for mut path in paths {
                if !inner.is_empty() {
                    if path.first().is_none_or(|name| name != inner) {
                        continue;
                    }
                    path.remove(0);
                }
                let named = path.first().is_some_and(|name| modules.contains(&&**name));
                if named || !start.starts_with("super") {
                    found.push((line, path));
                }
            }
        }
    }
    found
}
