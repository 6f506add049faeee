//! Files and folders side by side that know each other in circles.

use crate::paths;
use std::collections::{BTreeMap, BTreeSet};

/// Who knows whom, of those in one folder.
type Knows = BTreeMap<String, BTreeSet<String>>;

/// Every circle of the folders of a crate: names side by side, each of which knows the next, and the last the first. What a folder's own file says of
/// those in it, and they of it, is no circle.
pub fn circles(folder: &str, files: &[(String, String)], outermost: bool) -> Vec<Vec<String>> {
    let modules: BTreeSet<Vec<&str>> = files.iter().map(|(file, _)| crate::modules(file)).collect();
    let mut folders: BTreeMap<Vec<&str>, Knows> = BTreeMap::new();
    for (file, source) in files {
        let inside = crate::modules(file);
        let below = modules.iter().filter(|of| of.len() == inside.len() + 1);
        let children = below.filter(|of| of.starts_with(&inside));
        let children: Vec<&str> = children.map(|of| of[of.len() - 1]).collect();
        for path in paths::named(&inside, &children, source) {
            let shared = inside.iter().zip(&path).take_while(|(a, b)| a == b);
            let at = shared.count();
            let (Some(one), Some(other)) = (inside.get(at), path.get(at)) else {
                continue;
            };
            let beside = [&inside[..at], &[other.as_str()]].concat();
            if modules.iter().any(|of| of.starts_with(&beside)) && (outermost || at > 0) {
                let knows = folders.entry(inside[..at].to_vec()).or_default();
                let known = knows.entry((*one).to_owned()).or_default();
                known.insert(other.clone());
            }
        }
    }
    let all = folders.iter().flat_map(|(path, knows)| {
        let place = [&[folder], &path[..]].concat().join("/");
        let named = move |names: BTreeSet<&String>| {
            let names = names.into_iter();
            names.map(|name| format!("{place}/{name}")).collect()
        };
        knots(knows).into_iter().map(named)
    });
    all.collect()
}

/// Those that reach each other.
fn knots(knows: &Knows) -> BTreeSet<BTreeSet<&String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> = knows
        .keys()
        .map(|from| {
            let mut seen = BTreeSet::new();
            let mut open = vec![from];
            while let Some(name) = open.pop() {
                let next = knows.get(name).into_iter().flatten();
                open.extend(next.filter(|next| seen.insert(*next)));
            }
            (from, seen)
        })
        .collect();
    let mutual = |from: &&String| {
        let seen = reached[*from].iter().copied();
        let back = seen.filter(|to| reached.get(to).is_some_and(|seen| seen.contains(*from)));
        back.collect::<BTreeSet<&String>>()
    };
    let knots = reached.keys().map(mutual);
    knots.filter(|knot| knot.len() > 1).collect()
}

#[test]
fn circles_are_found() {
    let of = |files: &[(&str, &str)], outermost| {
        let files = files.iter();
        let files: Vec<_> = files
            .map(|(file, text)| ((*file).to_owned(), (*text).to_owned()))
            .collect();
        circles("src", &files, outermost)
    };
    let three = [
        ("a/mod.rs", "mod b; mod c; use b::B;"),
        ("a/b.rs", "use super::c::C;"),
        ("a/c.rs", "fn f() { crate::a::d::g() }"),
        ("a/d/mod.rs", "mod e;"),
        ("a/d/e.rs", "use super::super::{A, b::B};"),
    ];
    let all = ["src/a/b", "src/a/c", "src/a/d"];
    assert_eq!(of(&three, false), [all]);
    assert_eq!(of(&three[..4], false), [[""; 3]; 0]);
    let roots = [("x.rs", "use crate::y::Y;"), ("y.rs", "use super::x::X;")];
    assert_eq!(of(&roots, true), [["src/x", "src/y"]]);
    assert_eq!(of(&roots, false), [[""; 2]; 0]);
    let alone = [
        ("x.rs", "use crate::y::Y;"),
        ("y.rs", "// crate::x\nuse crate::z;"),
    ];
    assert_eq!(of(&alone, true), [[""; 2]; 0]);
}
