//! Patterns of paths: `*` is any part of a name, `?` one character of it, `[a-z]` or `[!a-z]` one of those (or of the others), and `**` any number of folders.

use std::path::Path;

/// A pattern, cut at its slashes.
#[derive(Clone, Debug)]
pub struct Pattern {
    parts: Vec<String>,
}

/// Whether a path has something in it that a pattern has.
pub fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

impl Pattern {
    /// A pattern and the folder that it begins in, which ends where the first part with a sign of patterns begins; a folder that is there may
    /// have such signs in its name.
    pub fn new(text: &str) -> (String, Pattern) {
        let parts: Vec<&str> = text.split('/').collect();
        let is_there = |at: usize| Path::new(&parts[..=at].join("/")).exists();
        let first = (0..parts.len()).find(|&at| is_pattern(parts[at]) && !is_there(at));
        let (base, parts) = parts.split_at(first.unwrap_or(parts.len() - 1));
        let base = match base {
            [] => String::new(),
            base => base.join("/") + "/",
        };
        let parts = parts.iter().filter(|part| !part.is_empty());
        let parts = parts.map(|part| (*part).to_owned()).collect();
        (base, Pattern { parts })
    }

    /// Whether the pattern is of this path, which begins where the pattern does.
    pub fn is_of(&self, path: &str) -> bool {
        let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
        matches(
            &self.parts,
            &names,
            |part, name| part == "**" || of_name(part, name),
            |part| part == "**",
        )
    }

    /// How many folders deep its paths lie at most, if there is an end.
    pub fn depth(&self) -> Option<usize> {
        let deep = self.parts.iter().any(|part| part == "**");
        (!deep).then_some(self.parts.len())
    }
}

/// Whether parts match items, where some parts stand for any number of items.
fn matches<P, I>(
    parts: &[P],
    items: &[I],
    one: impl Fn(&P, &I) -> bool,
    any: impl Fn(&P) -> bool,
) -> bool {
    let (mut part, mut item) = (0, 0);
    // The last part that stands for any number, and where what is behind it was tried.
    let mut again: Option<(usize, usize)> = None;
    loop {
        match (parts.get(part), items.get(item)) {
            (Some(found), _) if any(found) => {
                again = Some((part, item));
                part += 1;
            }
            (Some(found), Some(next)) if one(found, next) => (part, item) = (part + 1, item + 1),
            (None, None) => return true,
            _ => match again {
                Some((star, from)) if from < items.len() => {
                    again = Some((star, from + 1));
                    (part, item) = (star + 1, from + 1);
                }
                _ => return false,
            },
        }
    }
}

/// A part of a name's pattern.
enum Sign {
    Any,
    One,
    Letter(char),
    /// Whether it is one of the others, and from which to which.
    Of(bool, Vec<(char, char)>),
}

fn of_name(pattern: &str, name: &str) -> bool {
    // What is hidden is named.
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let letters: Vec<char> = name.chars().collect();
    let one = |sign: &Sign, &letter: &char| match sign {
        Sign::Any => false,
        Sign::One => true,
        Sign::Letter(own) => *own == letter,
        Sign::Of(others, ranges) => {
            let inside = ranges
                .iter()
                .any(|(from, to)| (*from..=*to).contains(&letter));
            inside != *others
        }
    };
    matches(&signs(pattern), &letters, one, |sign| {
        matches!(sign, Sign::Any)
    })
}

fn signs(pattern: &str) -> Vec<Sign> {
    let letters: Vec<char> = pattern.chars().collect();
    let mut signs = Vec::new();
    let mut at = 0;
    while let Some(&letter) = letters.get(at) {
        at += 1;
        let sign = match letter {
            '*' => Sign::Any,
            '?' => Sign::One,
            '[' => match set(&letters[at..]) {
                Some((sign, length)) => {
                    at += length;
                    sign
                }
                // Nothing closes it.
                None => Sign::Letter('['),
            },
            other => Sign::Letter(other),
        };
        signs.push(sign);
    }
    signs
}

/// What stands behind `[`, and how long it is.
fn set(letters: &[char]) -> Option<(Sign, usize)> {
    let others = matches!(letters.first(), Some('!' | '^'));
    let start = usize::from(others);
    // A `]` that comes first is one of them.
    let end = letters
        .iter()
        .skip(start + 1)
        .position(|letter| *letter == ']')?
        + start
        + 1;
    let (mut ranges, mut at) = (Vec::new(), start);
    while at < end {
        let to = (at + 2 < end && letters[at + 1] == '-').then(|| letters[at + 2]);
        ranges.push((letters[at], to.unwrap_or(letters[at])));
        at += if to.is_some() { 3 } else { 1 };
    }
    Some((Sign::Of(others, ranges), end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_of_their_paths() {
        for (pattern, path, is) in [
            ("*.jpg", "a.jpg", true),
            ("*.jpg", "a.jpeg", false),
            ("*.jpg", ".a.jpg", false),
            (".*", ".a.jpg", true),
            ("*.jpg", "b/a.jpg", false),
            ("*/*.jpg", "b/a.jpg", true),
            ("**/*.jpg", "a.jpg", true),
            ("**/*.jpg", "c/b/a.jpg", true),
            ("**/b/*", "c/b/a.jpg", true),
            ("**/b/*", "c/d/a.jpg", false),
            ("a?c*", "abcd", true),
            ("a?c", "ac", false),
            ("[a-c]x[!0-9]", "bxy", true),
            ("[a-c]x[!0-9]", "bx7", false),
            ("[]]", "]", true),
            ("[ab", "[ab", true),
            ("*a*b*c", "xxaybbzc", true),
            ("*a*b*c", "xxaybbz", false),
            ("ä?", "äö", true),
        ] {
            let (base, parts) = Pattern::new(pattern);
            assert_eq!(
                (base.as_str(), parts.is_of(path)),
                ("", is),
                "{pattern} {path}"
            );
        }
    }

    #[test]
    fn patterns_begin_in_a_folder() {
        for (pattern, folder, depth) in [
            ("a/b/*.png", "a/b/", Some(1)),
            ("/data/**/x?.png", "/data/", None),
            ("*/a/*", "", Some(3)),
            ("./[ab]/c", "./", Some(2)),
        ] {
            let (base, parts) = Pattern::new(pattern);
            assert_eq!((base.as_str(), parts.depth()), (folder, depth), "{pattern}");
        }
    }

    #[test]
    fn stars_without_end_end() {
        let (_, pattern) = Pattern::new(&"*a".repeat(60));
        assert!(!pattern.is_of(&"a".repeat(2_000).replace('a', "ab")));
    }
}
