//! Configurations with something broken in them: an error or a spec, at once, never a panic.
//!
//! What they are made of are the configurations of `cases/`. A mutant is a function of its number.
//! `SEED=1 CASES=1000000 cargo test --release --workspace --test import mutants::long -- --ignored` is the long run; numbers can be tried in parts,
//! which add up.

use super::{options, sections};
use cnnc::compiler::diagnostic::codes;
use cnnc::darknet::import;
use cnnc_testing::{number, say};
use std::panic::catch_unwind;
use std::time::{Duration, Instant};

/// Longest that one may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Deterministic numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % most as u64) as usize
    }

    fn of<'t, T>(&mut self, items: &'t [T]) -> &'t T {
        &items[self.below(items.len())]
    }
}

/// What numbers are replaced by.
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "-1",
    "-2",
    "-3",
    "7",
    "64",
    "1000",
    "65536",
    "65537",
    "16777216",
    "16777217",
    "2147483647",
    "2147483648",
    "-2147483648",
    "99999999999999999999",
    "0.5",
    "1e30",
    "-1e-30",
    "nan",
    "1,2",
    "",
    ",",
];

/// Lines that are put in.
const LINES: &[&str] = &[
    "[convolutional]",
    "[maxpool]",
    "[avgpool]",
    "[route]",
    "[shortcut]",
    "[connected]",
    "[batchnorm]",
    "[local]",
    "[yolo]",
    "[softmax]",
    "[upsample]",
    "[reorg]",
    "[reorg3d]",
    "[scale_channels]",
    "[sam]",
    "[crop]",
    "[activation]",
    "[deconvolutional]",
    "[cost]",
    "from=-2",
    "layers=-1,-2",
    "layers=0",
    "groups=2",
    "size=3",
    "stride=2",
    "pad=1",
    "padding=3",
    "filters=4",
    "output=5",
    "batch_normalize=1",
    "antialiasing=1",
    "maxpool_depth=1",
    "reverse=1",
    "activation=mish",
    "activation=lhtan",
    "scale_wh=1",
    "alpha=2",
    "dilation=2",
    "inputs=9",
];

fn mutate(seeds: &[String], random: &mut Random) -> Vec<u8> {
    let mut cfg = random.of(seeds).clone().into_bytes();
    for _ in 0..=random.below(4) {
        let at = random.below(cfg.len().max(1));
        let end = cfg.len();
        match random.below(9) {
            _ if cfg.is_empty() => break,
            0 => cfg[at] = *random.of(b"0123456789-.,=[]\n#ex"),
            1 => cfg[at] = random.below(256) as u8,
            2 => {
                cfg.remove(at);
            }
            3 => cfg.insert(at, *random.of(b"0123456789-.,=[]\n#ex")),
            4 => {
                let part = cfg[at..(at + random.below(60)).min(end)].to_vec();
                let to = random.below(cfg.len());
                cfg.splice(to..to, part);
            }
            5 => {
                // A part of another.
                let other = random.of(seeds).as_bytes();
                let from = random.below(other.len());
                let part = other[from..(from + random.below(200)).min(other.len())].to_vec();
                cfg.splice(at..at, part);
            }
            6 => {
                // A line.
                let to = cfg[at..].iter().position(|&byte| byte == b'\n');
                let to = to.map_or(end, |to| at + to + 1);
                let line = format!("{}\n", random.of(LINES));
                cfg.splice(to..to, line.into_bytes());
            }
            7 => {
                let to = cfg[at..].iter().position(|&byte| byte == b'\n');
                cfg.drain(at..to.map_or(end, |to| at + to + 1));
            }
            _ => {
                // A number.
                let digits = cfg[at..].iter().position(u8::is_ascii_digit);
                let Some(from) = digits.map(|digits| at + digits) else {
                    continue;
                };
                let count = cfg[from..]
                    .iter()
                    .take_while(|byte| byte.is_ascii_digit())
                    .count();
                let number = random.of(NUMBERS).bytes();
                cfg.splice(from..from + count, number);
            }
        }
    }
    cfg
}

/// Imports so many mutants, on the stack of a thread; how many are imported.
fn run(first: u64, cases: u64) -> u64 {
    let seeds: Vec<String> = sections::files("import/cases")
        .iter()
        .flat_map(|file| sections::cases(file))
        .map(|case| case.spec)
        .collect();
    let run = move || {
        let mut imported = 0;
        for number in first..first + cases {
            let mut random = Random(number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            random.below(1);
            let cfg = mutate(&seeds, &mut random);
            let again = || format!("SEED={number} CASES=1:\n{}", String::from_utf8_lossy(&cfg));
            let start = Instant::now();
            let result = catch_unwind(|| import(&cfg, &options()));
            let result = result.unwrap_or_else(|_| panic!("{}\nit panics", again()));
            match result {
                Err(error) => {
                    let said = error.to_string();
                    let sound = !said.is_empty() && !said.contains("net.cnn");
                    assert!(sound, "{}\n{said}", again());
                }
                Ok(spec) => {
                    imported += 1;
                    let model = cnnc::compile_str("net.cnn", &spec);
                    // Warnings would speak of the spec too, which nobody has seen; but whether two columns of 65,537 channels are
                    // meant is a question that the spec raises, however it came about.
                    let sound = model.is_ok_and(|model| {
                        let mut warnings = model.warnings().items().iter();
                        warnings.all(|warning| warning.code == codes::CHANNELS_LAST)
                    });
                    assert!(sound, "{}\n{spec}", again());
                }
            }
            let taken = start.elapsed();
            assert!(taken < PATIENCE, "{}\nit takes {taken:?}", again());
        }
        imported
    };
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    thread.spawn(run).unwrap().join().unwrap()
}

#[test]
fn quick() {
    let imported = run(1, 3_000);
    assert!(imported > 300, "only {imported} mutants were imported");
}

#[test]
#[ignore = "the long run: SEED and CASES say which"]
fn long() {
    let (first, cases) = (number("SEED", 1), number("CASES", 500_000));
    let start = Instant::now();
    let imported = run(first, cases);
    let taken = start.elapsed();
    say(&format!(
        "{cases} mutants from {first} in {taken:.0?}: {imported} imported"
    ));
}
