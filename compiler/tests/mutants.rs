//! Specs with bytes changed at random: whatever a file says, the compiler answers, in time, and what it accepts is valid.

mod hostile;

use cnnc_compiler::diagnostic::MemoryLoader;
use cnnc_compiler::graph::verify;
use cnnc_compiler::{Files, compile_source, hash, parse};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How many, unless the environment says `MUTANTS=n`.
const MUTANTS: u64 = 100_000;
/// Most layers of a network that mutants are made of.
const LARGE: usize = 100;
/// A mutant may take this long; it takes about a millisecond, on a busy machine some more.
const PATIENCE: Duration = Duration::from_secs(20);

/// Words that lead somewhere.
const WORDS: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "\"",
    "#",
    "///",
    ";",
    "\n",
    ":",
    ",",
    "->",
    " - ",
    "-",
    "*",
    "/",
    "%",
    "==",
    "x",
    "0",
    "1",
    "99999999999999999999",
    "1e308",
    "9223372036854775807",
    "-1",
    "0x0",
    "1x1x1x1x1",
    "16777216",
    " repeat 1000000 { ",
    " repeat 3 as i { ",
    " for i, (a, b) in [(1,2)] { ",
    " if 1 == 1 { ",
    " else ",
    " branch ",
    " branch mul { ",
    " residual { ",
    " shortcut auto { ",
    " shared s { ",
    " route ",
    " tap ",
    " head classify ",
    " weights map { \"a{i+1}*\" -> \"*{i}\" } ",
    " defaults { ",
    " block ",
    " model M { ",
    " import \"std/blocks.cnn\" ",
    " conv 3x3 8 ",
    " conv 1x1 16777216 weight [[1]] ",
    " dense 16777216 ",
    " concat(",
    " add(",
    " bn relu ",
    " upsample 4096 ",
    " pad (16777216, 0, 0, 0) ",
    " dilation 16777216 ",
    " groups 0 ",
    "{i+1}",
    "é",
    "\u{feff}",
    "\0",
    " and ",
    " not ",
];

fn specs() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut specs: Vec<PathBuf> = std::fs::read_dir(root.join("../specs"))
        .unwrap()
        .chain(std::fs::read_dir(root.join("tests/mutants")).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "cnn"))
        .collect();
    specs.sort();
    specs
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path, text)
        })
        .collect()
}

/// SplitMix64: the same mutants everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % bound.max(1) as u64) as usize
    }
}

fn mutant(specs: &[(PathBuf, String)], random: &mut Random) -> String {
    // Small specs more often: they are quick, and as telling.
    let chosen = (0..3)
        .map(|_| &specs[random.below(specs.len())].1)
        .min_by_key(|text| text.len())
        .unwrap();
    let mut bytes = chosen.clone().into_bytes();
    for _ in 0..1 + random.below(4) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(12)).min(bytes.len());
        match random.below(6) {
            0 if at < bytes.len() => bytes[at] = random.below(256) as u8,
            1 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let piece = bytes[at..end].to_vec();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, piece);
            }
            _ => {
                let word = WORDS[random.below(WORDS.len())];
                bytes.splice(at..at, word.bytes());
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Compiles the mutant and looks at all that came of it.
fn try_out(text: &str, loader: &MemoryLoader, thoroughly: bool) {
    let mut files = Files::new(loader.clone());
    match compile_source(&mut files, "specs/mutant.cnn", text) {
        Ok(model) => {
            assert_eq!(verify(&model.graph), Ok(()));
            assert_eq!(hash::architecture(&model.graph).len(), 64);
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            for item in problems.items() {
                let spans = item
                    .span
                    .iter()
                    .chain(item.fixes.iter().map(|fix| &fix.span));
                for span in spans {
                    let source = problems.files().text(span.file);
                    assert!(
                        span.start <= span.end && span.end as usize <= source.len(),
                        "{item:?}"
                    );
                }
            }
            if thoroughly {
                assert!(!problems.render(false).is_empty());
                assert!(!problems.to_json().to_string().is_empty());
            }
        }
    }
    if thoroughly {
        let mut files = Files::new(loader.clone());
        let id = files.add("mutant.cnn", text);
        parse::dump(&parse::parse(id, text).file);
    }
}

#[test]
fn no_mutant_breaks_the_compiler() {
    let mut specs = specs();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs");
    let mut loader = MemoryLoader::default();
    // What specs import and name: parts of families, labels.
    for folder in ["", "common"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let text = std::fs::read_to_string(&path).unwrap();
                let name = Path::new("specs")
                    .join(folder)
                    .join(path.file_name().unwrap());
                loader.0.insert(name, text);
            }
        }
    }
    let mutants = std::env::var("MUTANTS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(MUTANTS);
    // Mutants of large networks are no more telling than those of small ones, only slower.
    specs.retain(|(path, text)| {
        let mut files = Files::new(loader.clone());
        let path = Path::new("specs").join(path.file_name().unwrap());
        match compile_source(&mut files, path, text) {
            Ok(model) => model.graph.order.len() <= LARGE,
            Err(problems) => panic!("{problems}"),
        }
    });
    let start = Instant::now();
    let (mut slowest, mut accepted) = (Duration::ZERO, 0);
    for seed in 0..mutants {
        let text = mutant(&specs, &mut Random(seed << 20));
        let begin = Instant::now();
        let result = catch_unwind(AssertUnwindSafe(|| {
            try_out(&text, &loader, seed.is_multiple_of(16))
        }));
        let took = begin.elapsed();
        assert!(result.is_ok(), "mutant {seed} breaks the compiler:\n{text}");
        assert!(took < PATIENCE, "mutant {seed} takes {took:?}:\n{text}");
        if took > slowest {
            slowest = took;
            println!("mutant {seed}: {took:?}");
        }
        accepted += u64::from(compiles(&text, &loader, seed));
    }
    println!(
        "{mutants} mutants in {:?}, the slowest {slowest:?}, {accepted} of a sample accepted",
        start.elapsed()
    );
    assert!(
        accepted > 0 || mutants < 1000,
        "no mutant of the sample is accepted: they are too wild to test much"
    );
}

/// Whether the mutant is one of a sample, and a valid spec.
fn compiles(text: &str, loader: &MemoryLoader, seed: u64) -> bool {
    seed.is_multiple_of(16)
        && compile_source(&mut Files::new(loader.clone()), "specs/mutant.cnn", text).is_ok()
}

#[test]
fn hostile_texts_are_answered() {
    let open = "(".repeat(1 << 20);
    let nots = format!(
        "cnn 1\nmodel M {{ input x: 3; if {} 1 == 1 {{ relu }} }}",
        "not ".repeat(200_000)
    );
    let minus = format!(
        "cnn 1\nmodel M {{ input x: 3; relu ({}1) }}",
        "-".repeat(900_000)
    );
    let sums = format!(
        "cnn 1\nmodel M {{ input x: 3; dense (1{}) }}",
        "+1".repeat(400_000)
    );
    let mixed = format!(
        "cnn 1\nmodel M {{ input x: 3; dense (1{}) }}",
        " + not 2".repeat(100_000)
    );
    let blocks = format!(
        "cnn 1\nmodel M {{ input x: 3; {} relu {} }}",
        "repeat 2 { ".repeat(60),
        "} ".repeat(60)
    );
    let lists = format!(
        "cnn 1\nmodel M {{ input x: 3; a: {}{} }}",
        "[".repeat(60),
        "]".repeat(60)
    );
    let words = format!(
        "cnn 1\nmodel M {{ input x: 3; {} }}",
        "relu ".repeat(200_000)
    );
    let wrong = format!("cnn 1\nmodel M {{ input x: 3; {} }}", "= ;".repeat(300_000));
    let quotes = "\"\n".repeat(500_000);
    let elses = format!(
        "cnn 1\nmodel M {{ input x: 3; if 1 == 2 {{ }} {} }}",
        "else if 1 == 2 { } ".repeat(50_000)
    );
    let numbers = format!(
        "cnn 1\nmodel M {{ input x: 3; dense [{}] }}",
        "1,".repeat(250_000)
    );
    let label = format!(
        "cnn 1\nmodel M {{ input x: 3; {}: relu }}",
        "a".repeat(900_000)
    );
    let nested = "{".repeat(64) + &"}".repeat(64);
    let calls: String = (0..60)
        .map(|i| format!("block b{i}() {{ b{}(); b{}() }}\n", i + 1, i + 1))
        .collect();
    let calls = format!("cnn 1\n{calls} block b60() {{ relu }}\nmodel M {{ input x: 3; b0() }}");
    let pattern = format!(
        "cnn 1\nmodel M {{ input x: 3; {}: dense 3; weights map {{ \"a\" -> \"{}\" }} }}",
        "a".repeat(2000),
        "{a}".repeat(300)
    );
    let texts = [
        open,
        nots,
        minus,
        sums,
        mixed,
        blocks,
        lists,
        words,
        wrong,
        quotes,
        elses,
        numbers,
        label,
        nested,
        calls,
        pattern,
        String::new(),
        "\u{feff}".to_owned(),
        "\0".repeat(1000),
        "cnn".to_owned(),
        "cnn 1".to_owned(),
        "x".repeat((1 << 20) + 1),
    ];
    for text in texts {
        let begin = Instant::now();
        let start: String = text.chars().take(60).collect();
        let mut files = Files::new(MemoryLoader::default());
        if let Err(problems) = compile_source(&mut files, "net.cnn", &text) {
            let told = problems.render(false);
            assert!(
                !told.is_empty() && told.len() < 1 << 20,
                "{start}: {}",
                told.len()
            );
        }
        println!("{:?} {start:?}", begin.elapsed());
        assert!(
            begin.elapsed() < PATIENCE,
            "{start} takes {:?}",
            begin.elapsed()
        );
    }
}
