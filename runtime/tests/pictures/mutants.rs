//! Pictures broken at random: none makes a decoder panic or hang, or take memory for pixels that its bytes cannot encode.
//!
//! `CASES=200000 SEED=1 cargo test --release --workspace --test pictures mutants::long -- --ignored` tries that many, one a seed.

use crate::{sample, samples};
use cnnc_runtime::image::{MAX_PIXELS, Picture};
use cnnc_testing::{Random, most, number, say};
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use std::io::{Read, Write};
use std::panic::catch_unwind;
use std::time::{Duration, Instant};

/// How long a decoder may take: none of these files is longer than a few kB.
const LONGEST: Duration = Duration::from_secs(2);

#[test]
fn quick() {
    mutants(1, 2_000);
}

#[test]
#[ignore = "the long run"]
fn long() {
    mutants(number("SEED", 1), number("CASES", 200_000));
}

fn mutants(first: u64, cases: u64) {
    let files = samples().read_dir().unwrap();
    let mut names: Vec<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(".txt") && !name.ends_with(".py"))
        .collect();
    names.sort();
    let sound: Vec<Vec<u8>> = names.iter().map(|name| sample(name)).collect();
    let (mut decoded, mut largest) = (0u64, (0, 0));
    for seed in first..first + cases {
        let bytes = mutant(&mut Random(seed), &sound);
        let start = Instant::now();
        let (result, memory) = most(|| catch_unwind(|| Picture::decode(&bytes, "it")));
        let time = start.elapsed();
        let Ok(result) = result else {
            panic!("SEED={seed} CASES=1: the decoder panics");
        };
        assert!(time < LONGEST, "SEED={seed} CASES=1: {time:?}");
        let allowed = allowed(&bytes);
        assert!(
            memory <= allowed,
            "SEED={seed} CASES=1: {memory} bytes, more than {allowed}"
        );
        decoded += u64::from(result.is_ok());
        largest = largest.max((memory, seed));
    }
    let (memory, seed) = largest;
    say(&format!(
        "{cases} pictures from seed {first} on, {decoded} decoded; the largest ({seed}) took {memory} bytes"
    ));
    assert!(decoded > cases / 20, "{decoded}: they are too broken");
}

/// Bytes that decoding may take: what is said of [`MAX_PIXELS`], for the pixels that the file has the bytes for.
fn allowed(bytes: &[u8]) -> usize {
    // 258 bytes of PNG's rows, eight pixels each, in two bits; blocks of 64 pixels of JPEG in a bit; a pair of bytes for 255
    // pixels of BMP. A WebP or GIF of one colour takes next to no bytes: 16 million pixels are given away.
    let pixels = match bytes {
        [b'G' | b'R', ..] => (1 << 24) / bytes.len() + (1 << 13),
        [0x89, ..] => 1032 * 8,
        [0xff, ..] => 512,
        _ => 128,
    };
    12 * (bytes.len() * pixels).min(MAX_PIXELS) + 2 * bytes.len() + (16 << 20)
}

/// A sound picture with something changed.
fn mutant(random: &mut Random, sound: &[Vec<u8>]) -> Vec<u8> {
    let picked = random.below(sound.len());
    let mut bytes = sound[picked].clone();
    if !bytes.starts_with(b"\x89PNG") {
        change(random, &mut bytes, sound);
        return bytes;
    }
    // Behind checksums and compression, a change of the file alone would rarely be seen.
    match random.below(3) {
        0 => change(random, &mut bytes, sound),
        1 => {
            change(random, &mut bytes, sound);
            repair(&mut bytes);
        }
        _ => {
            if let Some((start, end, mut rows)) = rows(&bytes) {
                change(random, &mut rows, sound);
                let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
                packed.write_all(&rows).unwrap();
                let packed = packed.finish().unwrap();
                let length = (packed.len() as u32).to_be_bytes();
                let chunk = [&length[..], b"IDAT", &packed, &[0; 4]].concat();
                bytes.splice(start..end, chunk);
                repair(&mut bytes);
            }
        }
    }
    bytes
}

/// Up to four changes.
fn change(random: &mut Random, bytes: &mut Vec<u8>, sound: &[Vec<u8>]) {
    for _ in 0..=random.below(4) {
        if bytes.is_empty() {
            return;
        }
        // Headers are where most is said.
        let reach = if random.below(2) == 0 {
            100
        } else {
            usize::MAX
        };
        let at = random.below(bytes.len().min(reach));
        let end = (at + 1 + random.below(64)).min(bytes.len());
        match random.below(8) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
            2 => bytes[at] = random.word() as u8,
            3 => {
                let number = [
                    0u32,
                    1,
                    255,
                    0x4000,
                    0xffff,
                    0x7fff_ffff,
                    0x8000_0000,
                    u32::MAX,
                ];
                let number =
                    number[random.below(number.len())].rotate_right(16 * random.below(2) as u32);
                for (byte, new) in bytes[at..].iter_mut().zip(number.to_be_bytes()) {
                    *byte = new;
                }
            }
            4 => bytes.truncate(at),
            5 => drop(bytes.drain(at..end)),
            6 => {
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
            _ => {
                let other = &sound[random.below(sound.len())];
                let from = random.below(other.len());
                let piece = other[from..].iter().copied().take(1 + random.below(200));
                bytes.splice(at..end, piece.collect::<Vec<u8>>());
            }
        }
    }
}

/// The chunks of a PNG, as far as there are any: their starts and lengths.
fn chunks(png: &[u8]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = 8;
    while let Some(length) = png.get(at..).and_then(|rest| rest.first_chunk()) {
        let length = u32::from_be_bytes(*length) as usize;
        if at + 12 + length > png.len() {
            break;
        }
        found.push((at, length));
        at += 12 + length;
    }
    found
}

/// The chunk with a sound PNG's rows, and what is packed in it.
fn rows(png: &[u8]) -> Option<(usize, usize, Vec<u8>)> {
    let chunks = chunks(png);
    let (at, length) = *chunks
        .iter()
        .find(|(at, _)| &png[at + 4..at + 8] == b"IDAT")?;
    let mut rows = Vec::new();
    ZlibDecoder::new(&png[at + 8..][..length])
        .read_to_end(&mut rows)
        .ok()?;
    Some((at, at + 12 + length, rows))
}

/// Makes the checksums of all chunks right.
fn repair(png: &mut [u8]) {
    for (at, length) in chunks(png) {
        let end = at + 8 + length;
        let checksum = crate::broken::crc32(&png[at + 4..end]);
        png[end..end + 4].copy_from_slice(&checksum.to_be_bytes());
    }
}
