//! Files of up to 1 MiB that are made to be slow, deep or large, a table of them for each part of the language:
//! whatever a file says, `check` answers within a second, on the stack of a thread.

mod names;
mod settings;
mod syntax;

use super::MemoryLoader;
use cnnc_compiler::{Files, compile_source};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

/// A name, what is told first of the file, and what makes its text.
type File = (&'static str, &'static str, fn() -> String);

/// Bytes of a text that goes on as long as a file may.
const BYTES: usize = 1_000_000;
/// The stack of a thread as Rust makes it.
const STACK: usize = 2 << 20;
/// What an answer may take of a processor; alone on a machine the slowest takes a quarter.
const PATIENCE: Duration = Duration::from_secs(4);

/// Pieces until the text is as long as a file may be.
fn many<T: AsRef<str>>(mut piece: impl FnMut(usize) -> T) -> String {
    let mut text = String::with_capacity(BYTES);
    for index in 0.. {
        let next = piece(index);
        if text.len() + next.as_ref().len() > BYTES {
            break;
        }
        text.push_str(next.as_ref());
    }
    text
}

/// So many pieces.
fn some<T: AsRef<str>>(count: usize, piece: impl FnMut(usize) -> T) -> String {
    let pieces: Vec<T> = (0..count).map(piece).collect();
    pieces.iter().map(AsRef::as_ref).collect()
}

/// A text within itself.
fn nested(depth: usize, open: &str, inside: &str, close: &str) -> String {
    open.repeat(depth) + inside + &close.repeat(depth)
}

/// A model with an input and these statements.
fn model(body: &str) -> String {
    format!("cnn 1\nmodel M {{\n  input x: 3x8x8\n{body}\n}}\n")
}

/// These items, and a model.
fn items(items: &str) -> String {
    format!("cnn 1\n{items}\nmodel M {{ input x: 3x8x8; relu }}")
}

/// Blocks that call the next, and a model that calls the first.
fn calls(depth: usize, body: impl Fn(&str) -> String, last: &str) -> String {
    let block = |index| {
        let next = format!("b{}", index + 1);
        format!("block b{index}(p) {{ {} }}\n", body(&next))
    };
    let blocks = some(depth, block);
    format!("cnn 1\n{blocks}block b{depth}(p) {{ {last} }}\nmodel M {{ input x: 3x8x8; b0(1) }}")
}

/// Processor time of this thread, or what has passed where that is not known.
pub fn clock(start: Instant) -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat");
    let spent = stat
        .ok()
        .and_then(|text| text.split(' ').next()?.parse().ok());
    spent.map_or_else(|| start.elapsed(), Duration::from_nanos)
}

/// How long the answer takes, and its first line.
fn answer(loader: MemoryLoader, text: &str) -> (Duration, String) {
    let start = Instant::now();
    let before = clock(start);
    let mut files = Files::new(loader);
    let told = match compile_source(&mut files, "net.cnn", text) {
        Ok(model) => model.warnings,
        Err(problems) => problems,
    };
    let (text, json) = (told.render(false), told.to_json().to_string());
    let took = clock(start) - before;
    let sizes = (text.len(), json.len());
    assert!(sizes.0 < 1 << 20 && sizes.1 < 64 << 20, "{sizes:?} bytes");
    (took, text.lines().next().unwrap_or("sound").to_owned())
}

/// `HOSTILE=name` tries one file, and `--nocapture` shows how long each takes.
#[test]
fn files_made_to_be_slow_are_answered() {
    let large = format!("cnn 1\n{}", "#".repeat(1 << 20));
    let labels = many(|n| format!("{n}\n"));
    let loader = [("large.cnn", large), ("labels.txt", labels)]
        .map(|(path, text)| (PathBuf::from(path), text));
    let loader = MemoryLoader(loader.into());
    let only = std::env::var("HOSTILE").ok();
    let tables = [
        syntax::TEXTS,
        syntax::BRACKETS,
        syntax::EXPRESSIONS,
        names::NAMES,
        names::DECLARATIONS,
        settings::LOOPS,
        settings::SETTINGS,
    ];
    for &(name, told, make) in tables.into_iter().flatten() {
        if only.as_ref().is_some_and(|only| name != only) {
            continue;
        }
        let text = make();
        // One is a byte longer than a file may be.
        assert!(text.len() <= (1 << 20) + 1, "{name}: {} bytes", text.len());
        let loader = loader.clone();
        let thread = thread::Builder::new().stack_size(STACK);
        let thread = thread.spawn(move || answer(loader, &text)).unwrap();
        let (took, line) = thread
            .join()
            .unwrap_or_else(|_| panic!("{name} breaks the compiler"));
        println!("{took:>10.1?} {name}: {line}");
        assert!(line.contains(told), "{name}: {told}, not {line}");
        assert!(took < PATIENCE, "{name} takes {took:?}: {line}");
    }
}
