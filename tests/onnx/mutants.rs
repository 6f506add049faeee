//! Networks broken at random: none makes the importer panic or hang, or take more memory than twice the file and 64 MB.
//!
//! `CASES=100000 SEED=1 cargo test --release --workspace --test onnx mutants::long -- --ignored` tries that many, one a seed.

use cnnc::onnx::Options;
use cnnc_testing::{Random, most, number, say, shared};
use std::panic::catch_unwind;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long an import may take.
const LONGEST: Duration = Duration::from_secs(10);

#[test]
fn quick() {
    mutants(1, 1_500);
}

#[test]
#[ignore = "the long run"]
fn long() {
    mutants(number("SEED", 1), number("CASES", 100_000));
}

fn mutants(first: u64, cases: u64) {
    let Some(pack) = shared("onnx/models") else {
        return;
    };
    let mut names = Vec::new();
    files(&pack, &mut names);
    files(&pack.join("../hostile"), &mut names);
    files(&pack.join("../refuse"), &mut names);
    names.sort();
    let sound: Vec<Vec<u8>> = names
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .filter(|bytes| bytes.len() < 300_000)
        .collect();
    let mut imported = 0u64;
    for seed in first..first + cases {
        let bytes = mutant(&mut Random(seed), &sound);
        let length = bytes.len();
        let start = Instant::now();
        let (result, memory) =
            most(|| catch_unwind(|| cnnc::onnx::import(bytes, None, &Options::default()).is_ok()));
        let time = start.elapsed();
        let Ok(result) = result else {
            panic!("SEED={seed} CASES=1: the importer panics");
        };
        assert!(time < LONGEST, "SEED={seed} CASES=1: {time:?}");
        assert!(
            memory <= 2 * length + (64 << 20),
            "SEED={seed} CASES=1: {memory} bytes of a file of {length}"
        );
        imported += u64::from(result);
    }
    say(&format!(
        "{cases} networks from seed {first} on, {imported} imported"
    ));
    assert!(imported > cases / 50, "{imported}: they are too broken");
}

/// Every network in a folder.
fn files(folder: &Path, all: &mut Vec<std::path::PathBuf>) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, all);
        } else if path.extension().is_some_and(|ending| ending == "onnx") {
            all.push(path);
        }
    }
}

/// A network with something changed: bytes, numbers, parts of it, or parts of another's.
fn mutant(random: &mut Random, sound: &[Vec<u8>]) -> Vec<u8> {
    let picked = random.below(sound.len());
    let mut bytes = sound[picked].clone();
    for _ in 0..=random.below(4) {
        if bytes.is_empty() {
            return bytes;
        }
        let at = random.below(bytes.len());
        match random.below(7) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
            2 => bytes.truncate(at),
            3 => {
                let end = (at + random.below(64)).min(bytes.len());
                bytes.drain(at..end);
            }
            4 => {
                let end = (at + random.below(256)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, part);
            }
            5 => {
                let other = &sound[random.below(sound.len())];
                if !other.is_empty() {
                    let from = random.below(other.len());
                    let part = other[from..(from + random.below(512)).min(other.len())].to_vec();
                    bytes.splice(at..at, part);
                }
            }
            _ => {
                // A larger number, of one to nine more bytes.
                bytes.splice(at..at, vec![0xff; 1 + random.below(9)]);
            }
        }
    }
    bytes
}
