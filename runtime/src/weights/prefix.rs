//! The prefix behind which a file has a network's names: `module.`, `_orig_mod.`, `model.backbone.` and whatever
//! else wrappers and checkpoints put in front of all of them.

use std::collections::{HashMap, HashSet};

/// What ends a part of a name.
const SEPARATORS: &[u8] = b"./:_-|";

/// Most places of a name at which a prefix may end, counted from its end.
const MAX_PARTS: usize = 64;

/// First parts of prefixes that are taken where others fit as well, likeliest first: where training scripts put the model
/// that is trained, rather than averages and teachers beside it.
const LIKELY: &[&str] = &[
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "net",
    "network",
    "params",
    "module",
];

/// How names fit.
#[derive(Debug, PartialEq)]
pub(super) enum Fit<'a> {
    /// All fit behind that prefix, which may be empty; they would fit behind the others too, which are less likely.
    All(&'a str, Vec<&'a str>),
    /// All fit behind each of several prefixes, and none is likelier.
    Several(Vec<&'a str>),
    /// Not all fit; most of the names are there behind that prefix, which is empty if most are not.
    Most(&'a str),
}

/// Finds the prefix of `names` behind which all `wanted` ones stand. `fits` says whether what has a name is what is wanted by another.
pub(super) fn find<'a>(
    names: impl Iterator<Item = &'a str>,
    wanted: &[&str],
    fits: impl Fn(&str, &str) -> bool,
) -> Fit<'a> {
    let set: HashSet<&str> = wanted.iter().copied().collect();
    let longest = set.iter().map(|name| name.len()).max().unwrap_or(0);
    // How many are there, and how many of them fit.
    let mut counts: HashMap<&str, (usize, usize)> = HashMap::new();
    for name in names {
        let ends = (0..name.len()).rev();
        let ends = ends.filter(|&end| end == 0 || SEPARATORS.contains(&name.as_bytes()[end - 1]));
        let ends = ends.take_while(|&end| name.len() - end <= longest);
        for end in ends.take(MAX_PARTS) {
            let (prefix, rest) = name.split_at(end);
            if set.contains(rest) {
                let count = counts.entry(prefix).or_default();
                count.0 += 1;
                count.1 += usize::from(fits(name, rest));
            }
        }
    }
    let all = |prefix: &str| counts.get(prefix).is_some_and(|count| count.1 == set.len());
    if set.is_empty() || all("") {
        return Fit::All("", Vec::new());
    }
    let mut complete: Vec<&str> = counts
        .keys()
        .copied()
        .filter(|prefix| all(prefix))
        .collect();
    complete.sort_by_key(|prefix| (likelihood(prefix), prefix.len(), *prefix));
    match &complete[..] {
        [] => {
            let most = counts.iter().max_by_key(|(prefix, count)| {
                (
                    count.0,
                    std::cmp::Reverse(prefix.len()),
                    std::cmp::Reverse(**prefix),
                )
            });
            match most {
                Some((prefix, count)) if 2 * count.0 >= set.len() => Fit::Most(prefix),
                _ => Fit::Most(""),
            }
        }
        [first, second, ..] if likelihood(first) == likelihood(second) => Fit::Several(complete),
        [first, others @ ..] => Fit::All(first, others.to_vec()),
    }
}

/// The parts of a prefix as places in [`LIKELY`]; the smaller, the likelier.
fn likelihood(prefix: &str) -> Vec<usize> {
    let place = |part| LIKELY.iter().position(|likely| *likely == part);
    let parts = prefix.split('.').filter(|part| !part.is_empty());
    parts
        .map(|part| place(part).unwrap_or(LIKELY.len()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit<'a>(names: &[&'a str], wanted: &[&str]) -> Fit<'a> {
        // What ends with `!` has another shape.
        let names: Vec<&str> = names.to_vec();
        find(names.iter().copied(), wanted, |name, _| {
            !name.starts_with("odd")
        })
    }

    #[test]
    fn any_prefix_of_all_names() {
        let wanted = ["conv.weight", "conv.bias"];
        for prefix in [
            "",
            "module.",
            "_orig_mod.module.",
            "net/",
            "a.b.c.",
            "model_",
            "w:",
        ] {
            let names = wanted.map(|name| format!("{prefix}{name}"));
            let names = [&names[0], &names[1], "other.bias"];
            assert_eq!(fit(&names, &wanted), Fit::All(prefix, vec![]), "{prefix}");
        }
        // Not in the middle of a word, and not if one is missing.
        assert_eq!(fit(&["xconv.weight", "xconv.bias"], &wanted), Fit::Most(""));
        assert_eq!(
            fit(&["m.conv.weight", "n.conv.bias"], &wanted),
            Fit::Most("m.")
        );
        assert_eq!(
            fit(&["m.a", "m.b", "m.c"], &["a", "b", "c", "d"]),
            Fit::Most("m.")
        );
        assert_eq!(fit(&["m.a"], &["a", "b", "c", "d"]), Fit::Most(""));
        assert_eq!(fit(&["m.a"], &[]), Fit::All("", vec![]));
    }

    #[test]
    fn of_several_the_likeliest() {
        let fit = |prefixes: &[&'static str]| {
            let names: Vec<String> = prefixes
                .iter()
                .map(|prefix| format!("{prefix}a.weight"))
                .collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            match fit(&names, &["a.weight"]) {
                Fit::All(prefix, others) => (prefix.to_owned(), others.len()),
                Fit::Several(prefixes) => (prefixes.join(" "), 0),
                Fit::Most(_) => unreachable!("each has it"),
            }
        };
        assert_eq!(fit(&["ema.", "model."]), ("model.".to_owned(), 1));
        assert_eq!(
            fit(&["state_dict.ema.", "state_dict.model."]),
            ("state_dict.model.".to_owned(), 1)
        );
        assert_eq!(
            fit(&["teacher.", "student."]),
            ("student. teacher.".to_owned(), 0)
        );
        assert_eq!(fit(&["odd.", "student."]), ("student.".to_owned(), 0));
        assert_eq!(fit(&["module.", ""]), (String::new(), 0));
    }

    #[test]
    fn names_of_a_megabyte_take_no_time() {
        let name = "a.".repeat(500_000);
        let names: Vec<&str> = vec![&name; 100];
        assert_eq!(fit(&names, &["a.a", &name[2..]]), Fit::Most(""));
    }
}
