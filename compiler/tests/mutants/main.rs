//! Specs with something changed at random, through the whole compiler: text, graph, passes, lowering, proof, machine code and Rust.
//! Whatever a file says, it is answered in time and in little memory, and what is accepted is valid and compiles.
//!
//! A mutant is a function of its number. The test command tries a few; a long run takes numbers in parts, which add up:
//!
//! ```text
//! SEED=1 CASES=500000 cargo test --release --workspace --test mutants long -- --ignored
//! ```

mod change;
mod hostile;

use change::mutant;
use cnnc_compiler::diagnostic::MemoryLoader;
use cnnc_compiler::graph::{Graph, Output, verify};
use cnnc_compiler::layer::LAYERS;
use cnnc_compiler::lower::lower;
use cnnc_compiler::slide::slide;
use cnnc_compiler::target::{Arithmetic, Target};
use cnnc_compiler::{Files, Model, compile_source, emit, hash, jit, parse, pass};
use cnnc_runtime::Isa;
use cnnc_testing::{Counting, most, number, say};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

#[global_allocator]
static MEMORY: Counting = Counting;

/// Most layers of a network that mutants are made of.
const LARGE: usize = 100;
/// What a mutant may take of a processor.
const PATIENCE: Duration = Duration::from_secs(2);
/// What one may take by the clock, on a machine that does other things besides: then it hangs.
const HANGS: Duration = Duration::from_secs(120);
/// Bytes that a mutant may take: that of a network as large as a spec of a few kB makes it, and none of its numbers.
const BYTES: usize = 256 << 20;
/// The stack of a thread as Rust makes it.
const STACK: usize = 2 << 20;

/// What specs import and name: parts of families, labels.
fn loader() -> MemoryLoader {
    let mut loader = MemoryLoader::default();
    for folder in ["specs", "specs/common"] {
        for entry in std::fs::read_dir(cnnc_testing::file(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = Path::new(folder).join(path.file_name().unwrap());
                let text = std::fs::read_to_string(&path).unwrap();
                loader.0.insert(name, text);
            }
        }
    }
    loader
}

/// What mutants are made of: specs of networks that are not large, each layer's samples, and a spec with every construct of the
/// language. Mutants of large networks are no more telling than those of small ones, only slower.
fn specs(loader: &MemoryLoader) -> Vec<String> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mutants");
    let folders = [cnnc_testing::file("specs"), own];
    let mut paths: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "cnn"))
        .collect();
    paths.sort();
    let mut specs: Vec<String> = paths
        .into_iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    let samples = LAYERS.iter().flat_map(|decl| decl.samples);
    specs.extend(samples.map(|sample| format!("cnn 1\nmodel Sample {{\n{sample}\n}}\n")));
    // What is expected of a network is not true of its mutants; without it more of them are accepted.
    specs.extend_from_within(..);
    let half = specs.len() / 2;
    specs[half..].iter_mut().for_each(without_expectations);
    specs.retain(|text| match front(loader, text) {
        Ok(model) => model.graph.order.len() <= LARGE,
        Err(problems) => panic!("{problems}"),
    });
    specs
}

fn without_expectations(spec: &mut String) {
    if let Some(start) = spec.find("expect {")
        && let Some(len) = spec[start..].find('}')
    {
        spec.replace_range(start..=start + len, "");
    }
}

fn front(loader: &MemoryLoader, text: &str) -> Result<Model, cnnc_compiler::Diagnostics> {
    compile_source(&mut Files::new(loader.clone()), "specs/mutant.cnn", text)
}

/// What became of a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Refused,
    /// It is a network, and too much for the proof.
    Unproven,
    Compiled,
}

/// Compiles the mutant and looks at all that came of it.
fn try_out(text: &str, loader: &MemoryLoader, number: u64) -> Fate {
    // What costs more than it tells is done for a share of them.
    let thoroughly = number.is_multiple_of(16);
    if thoroughly {
        let mut files = Files::new(loader.clone());
        let id = files.add("mutant.cnn", text);
        parse::dump(&parse::parse(id, text).file);
    }
    let model = match front(loader, text) {
        Ok(model) => model,
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
            return Fate::Refused;
        }
    };
    assert_eq!(verify(&model.graph), Ok(()));
    assert_eq!(hash::architecture(&model.graph).len(), 64);
    if thoroughly && let Ok(rust) = emit::dump(&model.graph, Arithmetic::Fast, 1) {
        assert!(syn::parse_file(&rust).is_ok(), "{rust}");
    }
    let fate = compiled(&model.graph, number);
    if number.is_multiple_of(4) {
        // What else commands make of a network: every tensor an output, and a larger picture.
        let (mut graph, _) = pass::optimize(&model.graph);
        let outputs = graph.live().map(|(_, node)| Output {
            name: node.label.clone(),
            value: node.output,
        });
        graph.outputs = outputs.collect();
        lowered(&graph, number);
        let window = graph.inputs[0].value;
        let window = model.graph.values[window].shape.spatial();
        let larger: Vec<usize> = window.iter().map(|n| n + number as usize % 97).collect();
        if let Ok(slid) = slide(&model.graph, &larger) {
            compiled(&slid.graph, number);
        }
    }
    fate
}

/// Compiles the network for one of the ISAs.
fn compiled(graph: &Graph, number: u64) -> Fate {
    lowered(&pass::optimize(graph).0, number)
}

/// Compiles a network on which passes have run.
fn lowered(graph: &Graph, number: u64) -> Fate {
    let isa = Isa::ALL[number as usize % Isa::ALL.len()];
    let arithmetic = match number % 3 {
        0 => Arithmetic::Exact,
        _ => Arithmetic::Fast,
    };
    let lowered = lower(graph, &Target::new(isa, arithmetic));
    if !isa.available() {
        return match lowered.prove() {
            Ok(()) => Fate::Compiled,
            Err(_) => Fate::Unproven,
        };
    }
    match jit::compile(&lowered) {
        Ok(code) => {
            assert!(code.bytes() > 0);
            Fate::Compiled
        }
        Err(jit::JitError::Unproven(_)) => Fate::Unproven,
        Err(error) => panic!("{error:?}"),
    }
}

/// Tries mutants on the stack of a thread, and watches.
fn run(first: u64, cases: u64) {
    let loader = loader();
    let specs = specs(&loader);
    // Threads that panic tell what they do; the mutant is told besides.
    static AT: AtomicU64 = AtomicU64::new(0);
    AT.store(first, Ordering::Relaxed);
    let start = Instant::now();
    let work = move || {
        let mut fates = [0u64; 3];
        let (mut slowest, mut largest) = ((Duration::ZERO, 0), (0, 0));
        for number in first..first + cases {
            AT.store(number, Ordering::Relaxed);
            let text = mutant(&specs, number);
            let again = || format!("SEED={number} CASES=1:\n{text}\n");
            let before = hostile::clock(start);
            let work = AssertUnwindSafe(|| try_out(&text, &loader, number));
            let (fate, bytes) = most(|| catch_unwind(work));
            let took = hostile::clock(start) - before;
            let fate = fate.unwrap_or_else(|_| panic!("{}it breaks the compiler", again()));
            assert!(took < PATIENCE, "{}it takes {took:?}", again());
            assert!(bytes < BYTES, "{}it takes {bytes} bytes", again());
            fates[fate as usize] += 1;
            slowest = slowest.max((took, number));
            largest = largest.max((bytes, number));
        }
        (fates, slowest, largest)
    };
    let thread = thread::Builder::new().name("mutants".to_owned());
    let thread = thread.stack_size(STACK).spawn(work).unwrap();
    let mut seen = (first, Instant::now());
    while !thread.is_finished() {
        thread::sleep(Duration::from_millis(20));
        let at = AT.load(Ordering::Relaxed);
        if at != seen.0 {
            seen = (at, Instant::now());
        }
        assert!(seen.1.elapsed() < HANGS, "SEED={at} CASES=1: it hangs");
    }
    let (fates, slowest, largest) = thread.join().unwrap_or_else(|_| panic!("see above"));
    let [refused, unproven, compiled] = fates;
    say(&format!(
        "{cases} mutants from {first} in {:.0?}: {refused} refused, {compiled} compiled, {unproven} too much for the proof; \
         the slowest ({}) took {:.0?}, the largest ({}) {} MB",
        start.elapsed(),
        slowest.1,
        slowest.0,
        largest.1,
        largest.0 >> 20,
    ));
    // Neither is a matter of luck: half of them have other numbers only.
    assert!(cases < 1000 || (cases / 10..cases).contains(&compiled));
}

#[test]
fn quick() {
    run(1, 4_000);
}

#[test]
#[ignore = "the long run: SEED and CASES say which"]
fn long() {
    run(number("SEED", 1), number("CASES", 500_000));
}
