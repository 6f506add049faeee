//! The printer of specs: it changes blanks only, and nothing the second time.

#[path = "../sections/mod.rs"]
mod sections;
mod text;

use cnnc_compiler::format::{format, format_file};
use cnnc_compiler::{Files, compile_file, compile_source, hash, parse};
use cnnc_testing::Random;
use std::path::PathBuf;

/// Specs of the repository, presets of the compiler included.
fn specs() -> Vec<PathBuf> {
    let folders = [
        "specs",
        "specs/common",
        "examples",
        "compiler/src/preset",
        "cli/tests/import",
        "tests/training",
    ];
    let entries = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(cnnc_testing::file(folder)).unwrap());
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "cnn"))
        .collect();
    paths.sort();
    paths
}

/// The tree of a text, if it parses.
fn tree(text: &str) -> Option<String> {
    let mut files = Files::default();
    let id = files.add("net.cnn", text);
    let parsed = parse::parse(id, text);
    parsed
        .problems
        .is_empty()
        .then(|| parse::dump(&parsed.file))
}

/// The comments and docs of a text, and what else is written in it, without blanks and what only separates.
fn written(text: &str) -> (Vec<String>, String) {
    let (mut comments, mut rest) = (Vec::new(), String::new());
    for line in text.trim_start_matches('\u{feff}').lines() {
        let mut string = false;
        let mut code = line.len();
        for (at, byte) in line.bytes().enumerate() {
            string ^= byte == b'"';
            if !string && (byte == b'#' || line[at..].starts_with("///")) {
                code = at;
                break;
            }
        }
        rest.extend(
            line[..code]
                .chars()
                .filter(|c| !c.is_whitespace() && *c != ';'),
        );
        if code < line.len() {
            comments.push(line[code..].trim_end().to_owned());
        }
    }
    (comments, rest)
}

/// Holds the result against the text, and against itself.
fn check(text: &str) -> String {
    let once = format(text).unwrap_or_else(|problems| panic!("{problems}"));
    let twice =
        format(&once).unwrap_or_else(|problems| panic!("{text}\n-- became\n{once}\n{problems}"));
    assert_eq!(once, twice, "{text}");
    assert_eq!(tree(text), tree(&once), "{text}\n-- became\n{once}");
    assert_eq!(written(text), written(&once), "{text}\n-- became\n{once}");
    assert!(once.lines().all(|line| line == line.trim_end()), "{once}");
    assert!(
        !once.contains("\n\n\n") && !once.starts_with('\n') && !once.ends_with("\n\n"),
        "{once}"
    );
    once
}

#[test]
fn shipped_specs_are_written_as_it_writes_them() {
    let mut wrong = Vec::new();
    for path in specs() {
        let text = std::fs::read_to_string(&path).unwrap();
        let once = check(&text);
        if once == text {
            continue;
        }
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &once).unwrap();
        }
        wrong.push(format!("{}\n{once}", path.display()));
    }
    assert!(
        wrong.is_empty(),
        "UPDATE=1 writes these:\n{}",
        wrong.join("\n")
    );
}

/// Whatever is changed about the blanks of a spec, the network is the same.
#[test]
fn the_architecture_stays() {
    for (index, path) in specs().into_iter().enumerate() {
        let text = std::fs::read_to_string(&path).unwrap();
        let Ok(model) = compile_file(&path) else {
            continue;
        };
        let squeezed = text::respaced(&text, &mut Random(index as u64));
        let once = check(&squeezed);
        let mut files = Files::new(cnnc_compiler::diagnostic::DiskLoader);
        let again = compile_source(&mut files, &path, &once)
            .unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(
            hash::architecture(&model.graph),
            hash::architecture(&again.graph),
            "{path:?}"
        );
        assert_eq!(model.graph.doc, again.graph.doc);
    }
}

#[test]
fn every_case_that_parses_keeps_its_tree() {
    let folders = ["diagnostics", "language"];
    let mut counts = (0, 0);
    for path in folders.into_iter().flat_map(sections::files) {
        for case in sections::cases(&path) {
            match tree(&case.spec) {
                Some(_) => {
                    check(&case.spec);
                    counts.0 += 1;
                }
                None => {
                    let problems = format_file("here.cnn", &case.spec).expect_err(&case.name);
                    assert!(problems.to_string().contains("here.cnn"), "{problems}");
                    counts.1 += 1;
                }
            }
        }
    }
    assert!(counts.0 > 200 && counts.1 > 20, "{counts:?}");
}

#[test]
fn it_reads_like_a_table() {
    let messy = "cnn 1 # edition\n\n\n\nblock f (a,b)\n{ conv a  b relu\n}\nmodel M{\ninput x:1x8x8{resize 8   gray} # picture
c1:conv 5x5 6   pad 2 tanh;\n     flatten\n\n\nout :  dense ( 4 *2 )   tanh # last\n layer{ i+1 }.{j}:residual\n{ f (1,2)  \n} shortcut auto { relu;relu }
for i,(a,b) in [(1,2,   3x3),(10, 4)]\n{ repeat (a-1) as j { { } ; f(a , - 2) } }
if a==1 { relu } # why not\nelse if b { tanh }\n else { relu add(a, b*-c/ d) }
weights map { \"a\"->\"b\"  \"ccc\" -> \"d\"\n  \"eee\"  -> \"ffff\", \"g\" -> \"h\" }\n tap a,b }";
    let neat = r#"cnn 1  # edition

block f(a, b) {
  conv a  b relu
}
model M {
  input x: 1x8x8 { resize 8  gray }  # picture
  c1: conv 5x5 6  pad 2 tanh
      flatten

  out: dense (4 * 2)  tanh  # last
  layer{i+1}.{j}: residual {
    f (1, 2)
  } shortcut auto { relu ; relu }
  for i, (a, b) in [(1, 2, 3x3), (10, 4)] { repeat (a-1) as j { { } ; f(a, -2) } }
  if a==1 { relu }  # why not
  else if b { tanh } else { relu add(a, b*-c / d) }
  weights map {
    "a"   -> "b"      "ccc" -> "d"
    "eee" -> "ffff", "g"   -> "h"
  }
  tap a, b
}
"#;
    assert_eq!(check(messy), neat);
}

#[test]
fn what_does_not_parse_is_told() {
    let problems = format("cnn 1\nmodel M {\n  input x: 1x8x8\n  conv 3x3 (8\n}\n").unwrap_err();
    assert!(
        problems.to_string().contains("`(` is never closed"),
        "{problems}"
    );
    assert_eq!(format("").unwrap(), "");
    assert_eq!(format("# only a comment").unwrap(), "# only a comment\n");
}

/// One made at random, or one of the repository, with other blanks and comments. Not all parse: what may stand in a chain is decided behind the grammar.
fn text_of(seed: u64) -> String {
    let random = &mut Random(seed);
    let text = match random.below(4) {
        0 => std::fs::read_to_string(random.pick(&specs())).unwrap(),
        _ => text::spec(random),
    };
    text::respaced(&text, random)
}

#[test]
fn most_random_texts_parse() {
    let parsed = (0..200).filter(|&seed| tree(&text_of(seed)).is_some());
    let parsed = parsed.count();
    assert!(parsed >= 180, "{parsed} of 200");
}

cnnc_testing::properties! {
    /// Whatever the blanks and comments are.
    fn random_texts_keep_their_meaning(seed in 0u64..u64::MAX) for 400 {
        let text = text_of(seed);
        match tree(&text) {
            Some(_) => _ = check(&text),
            None => proptest::prop_assert!(format(&text).is_err()),
        }
    }
}
