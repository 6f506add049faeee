//! Sound files of every format, changed at random: whatever comes of it, it is an error or it can be used, it takes no time, and
//! no more memory than a file of its length may.
//!
//! A mutant is a function of its number. The test command tries a few; a long run takes numbers in parts, which add up:
//!
//! ```text
//! SEED=1 CASES=100000 cargo test --release --workspace --test weight_files mutants::long -- --ignored
//! ```

use super::{NUMPY, TORCH, allowed, bytes, peak, source, zip};
use cnnc_runtime::plan::Source;
use cnnc_runtime::sniff;
use cnnc_runtime::tensor_file::read_tensors;
use cnnc_runtime::weights::Weights;
use cnnc_testing::{Random, number, say};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

/// Mutants that the test command tries.
const FEW: u64 = 3000;

/// Longest that one may take.
const LONGEST: Duration = Duration::from_secs(2);

/// Pieces of pickles, of headers and of archives that a mutant may get.
const PIECES: &[&[u8]] = &[
    b"}",
    b"]",
    b")",
    b"(",
    b"t",
    b"R",
    b"b",
    b"Q",
    b".",
    b"s",
    b"u",
    b"a",
    b"e",
    b"0",
    b"1",
    b"2",
    b"N",
    b"\x81",
    b"\x92",
    b"\x85",
    b"\x86",
    b"\x87",
    b"\x88",
    b"\x8f",
    b"\x90",
    b"\x91",
    b"\x93",
    b"\x94",
    b"\x97",
    b"\x98",
    b"o",
    b"d",
    b"l",
    b"q\x00",
    b"h\x00",
    b"h\x01",
    b"h\x05",
    b"j\x03\0\0\0",
    b"K\x00",
    b"K\x05",
    b"J\xff\xff\xff\xff",
    b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\x8b\xff\xff\xff\x7f",
    b"X\x03\0\0\0abc",
    b"X\xff\xff\xff\xff",
    b"\x8c\x01a",
    b"\x8d\0\0\0\0\0\0\0\x10",
    b"I-1\n",
    b"F1e999\n",
    b"V\n",
    b"S'x'\n",
    b"ctorch._utils\n_rebuild_tensor_v2\n",
    b"ctorch._utils\n_rebuild_tensor_v3\n",
    b"ctorch._utils\n_rebuild_parameter\n",
    b"ctorch._tensor\n_rebuild_from_type_v2\n",
    b"ctorch\nFloatStorage\n",
    b"ctorch\nSize\n",
    b"ctorch\nfloat32\n",
    b"ccollections\nOrderedDict\n",
    b"ccollections\ndefaultdict\n",
    b"cposix\nsystem\n",
    b"ccopyreg\n_reconstructor\n",
    b"iposix\nsystem\n",
    b"\x80\x05",
    b"\x95\xff\0\0\0\0\0\0\0",
    b"{",
    b"\"",
    b"\\u0000",
    b",",
    b"[[[[",
    b"-1",
    b"1e400",
    b"18446744073709551615",
    b"18446744073709551616",
    b"\"dtype\":\"F64\"",
    b"\"shape\":[]",
    b"\"data_offsets\":[0,0]",
    b"'<f8'",
    b"'|O'",
    b"True",
    b"(4294967296, 4294967296)",
    b"(0,)",
    b"(,)",
    b"'descr'",
    b"(1, 2, 3, 4, 5, 6, 7, 8)",
    b"PK\x03\x04",
    b"PK\x01\x02",
    b"PK\x05\x06",
    b"PK\x06\x06",
    b"\x93NUMPY\x01\0",
    b"\x93NUMPY\x03\0",
];

/// Numbers that sizes and offsets may become.
const NUMBERS: &[u64] = &[
    0,
    1,
    2,
    7,
    8,
    63,
    64,
    65,
    127,
    128,
    255,
    256,
    4096,
    65_535,
    65_536,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    1 << 32,
    1 << 40,
    i64::MAX as u64,
    1 << 63,
    u64::MAX,
];

/// A sound file: as it is, or as what an archive is made of, so that its checksums are right for what has been changed.
enum Sound {
    Whole(Vec<u8>),
    /// A header of safetensors, whose length goes with it, and the data.
    Header(Vec<u8>, Vec<u8>),
    Members(Vec<(String, Vec<u8>)>, bool),
}

fn floats(count: usize) -> Vec<u8> {
    (0..count).flat_map(|n| (n as f32).to_le_bytes()).collect()
}

/// The members of an archive that are not compressed.
fn members(file: &[u8]) -> Vec<(String, Vec<u8>)> {
    let word = |at: usize| {
        u32::from_le_bytes([file[at], file[at + 1], file[at + 2], file[at + 3]]) as usize
    };
    let half = |at: usize| usize::from(u16::from_le_bytes([file[at], file[at + 1]]));
    let mut found = Vec::new();
    let mut at = 0;
    while file[at..].starts_with(b"PK\x03\x04") {
        let start = at + 30 + half(at + 26) + half(at + 28);
        let name = String::from_utf8(file[at + 30..at + 30 + half(at + 26)].to_vec()).unwrap();
        let len = match word(at + 18) {
            // numpy always leaves room for eight bytes.
            0xffff_ffff => word(at + 30 + half(at + 26) + 12),
            len => len,
        };
        found.push((name, file[start..start + len].to_vec()));
        at = start + len;
    }
    assert!(!found.is_empty());
    found
}

fn sounds() -> Vec<Sound> {
    let header = br#"{"__metadata__":{"format":"pt"},"conv.weight":{"dtype":"F32","shape":[2,1,2,3],"data_offsets":[0,48]},"fc.weight":{"dtype":"F16","shape":[3,2],"data_offsets":[48,60]},"n":{"dtype":"I64","shape":[],"data_offsets":[60,68]}}"#;
    let mut sounds = vec![Sound::Header(header.to_vec(), floats(17))];
    let words = |words: &[i32]| {
        words
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    sounds.push(Sound::Whole([words(&[0, 2, 5, 0, 0]), floats(40)].concat()));
    let npy = bytes("stored.npz");
    let npy = members(&npy).swap_remove(0).1;
    sounds.push(Sound::Whole(npy));
    for name in TORCH.iter().chain(NUMPY) {
        let file = bytes(name);
        if file.starts_with(b"PK") && *name != "deflated.npz" {
            let compress = *name == "stored.npz";
            sounds.push(Sound::Members(members(&file), compress));
            sounds.push(Sound::Members(members(&file), false));
        }
        sounds.push(Sound::Whole(file));
    }
    sounds
}

fn change(random: &mut Random, bytes: &mut Vec<u8>, other: &[u8]) {
    let at = random.below(bytes.len() + 1);
    let end = (at + 1 + random.below(64)).min(bytes.len());
    match random.below(10) {
        0 | 1 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
        2 if at < bytes.len() => bytes[at] = random.word() as u8,
        3 | 4 => {
            let number = match random.below(3) {
                0 => bytes.len() as u64,
                1 => (bytes.len() as u64)
                    .wrapping_add(random.below(9) as u64)
                    .wrapping_sub(4),
                _ => NUMBERS[random.below(NUMBERS.len())],
            };
            let width = [1, 2, 4, 8][random.below(4)].min(bytes.len() - at);
            bytes[at..at + width].copy_from_slice(&number.to_le_bytes()[..width]);
        }
        5 | 6 => drop(bytes.splice(at..at, random.pick(PIECES).iter().copied())),
        7 => drop(bytes.splice(at..at.max(end), [])),
        8 => {
            let from = random.below(other.len());
            let part = &other[from..(from + random.below(200)).min(other.len())];
            bytes.splice(at..at, part.iter().copied());
        }
        _ if random.below(4) == 0 => bytes.truncate(at),
        _ => {
            let part = bytes[at..end.max(at)].repeat(1 + random.below(6));
            bytes.splice(at..at, part);
        }
    }
}

/// The mutant of that number.
fn mutant(number: u64, sounds: &[Sound]) -> Vec<u8> {
    let mut random = Random(number.wrapping_mul(0xd134_2543_de82_ef95));
    let other = match &sounds[random.below(sounds.len())] {
        Sound::Whole(file) | Sound::Header(file, _) => file.clone(),
        Sound::Members(members, _) => members[random.below(members.len())].1.clone(),
    };
    let changes = 1 + random.below(6);
    let mut changed =
        |bytes: &mut Vec<u8>| (0..changes).for_each(|_| change(&mut random, bytes, &other));
    let mut pick = Random(number);
    match &sounds[pick.below(sounds.len())] {
        Sound::Whole(file) => {
            let mut file = file.clone();
            changed(&mut file);
            file
        }
        Sound::Header(header, data) => {
            let mut header = header.clone();
            let right = (header.len() as u64).to_le_bytes();
            changed(&mut header);
            let length = if pick.below(4) == 0 {
                right
            } else {
                (header.len() as u64).to_le_bytes()
            };
            [&length, &header[..], data].concat()
        }
        Sound::Members(members, compress) => {
            let mut members = members.clone();
            let index = if pick.below(2) == 0 {
                0
            } else {
                pick.below(members.len())
            };
            if pick.below(8) == 0 {
                let mut name = members[index].0.clone().into_bytes();
                changed(&mut name);
                members[index].0 = String::from_utf8_lossy(&name).into_owned();
            } else {
                changed(&mut members[index].1);
            }
            let named = members
                .iter()
                .filter(|(name, _)| !name.is_empty() && name.len() < 60_000);
            let members: Vec<_> = named
                .map(|(name, bytes)| (&name[..], &bytes[..], *compress))
                .collect();
            zip(&members)
        }
    }
}

/// Uses all of a file that can be used; false if it cannot be read.
fn exercise(file: Vec<u8>, number: u64, sources: &[Source], scratch: &Path) -> bool {
    sniff::kind(&file);
    let weights = match number % 8 {
        // From a disk, too.
        0 => {
            let path = scratch.join("mutant");
            std::fs::write(&path, &file).unwrap();
            drop(file);
            let _ = read_tensors(&path);
            Weights::open(&path)
        }
        _ => Weights::from_bytes(file),
    };
    let weights = match weights {
        Ok(weights) => weights,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return false;
        }
    };
    for name in weights.names() {
        let tensor = weights.get(name).unwrap();
        if let Ok(values) = tensor.to_f32() {
            assert_eq!(values.len(), tensor.shape.iter().product::<usize>());
        }
        let _ = tensor.bytes();
    }
    match weights.bind(sources) {
        Ok(bound) => drop(bound.check_finite()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    if number.is_multiple_of(64) {
        let _ = weights.write_safetensors(scratch.join("written.safetensors"));
    }
    true
}

fn run(from: u64, count: u64) {
    let sounds = sounds();
    let sources = [
        source("conv.weight", &[2, 1, 2, 3]),
        source("conv.bias", &[2]),
        source("fc.weight", &[3, 2]),
    ];
    let scratch = tempfile::tempdir().unwrap();
    let mut longest = Duration::ZERO;
    let (mut most, mut read) = (0, 0);
    for number in from..from + count {
        let file = mutant(number, &sounds);
        let len = file.len();
        let start = Instant::now();
        let mut readable = None;
        let taken = len
            + peak(|| {
                let all = || exercise(file, number, &sources, scratch.path());
                readable = catch_unwind(AssertUnwindSafe(all)).ok();
            });
        let time = start.elapsed();
        let again = format!("SEED={number} CASES=1");
        let readable = readable.unwrap_or_else(|| panic!("{again}: panicked"));
        assert!(time < LONGEST, "{again}: {time:?}");
        assert!(taken <= allowed(len), "{again}: {taken} bytes for {len}");
        read += u64::from(readable);
        longest = longest.max(time);
        most = most.max(taken);
    }
    say(&format!(
        "{count} mutants from {from}: no panic, {read} can be read, at most {longest:?} and {most} bytes each"
    ));
    // Neither is a matter of luck: most changes are noticed, and many hit numbers only.
    assert!(count < 1000 || (count / 10..count).contains(&read));
}

#[test]
fn quick() {
    run(1, FEW);
}

#[test]
#[ignore = "the long run: SEED and CASES say which"]
fn long() {
    run(number("SEED", 1), number("CASES", 200_000));
}
