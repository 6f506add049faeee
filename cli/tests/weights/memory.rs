//! Files that claim more than there is memory for: an error that says how much is needed, not the end of the process.

use crate::{Place, sample};
use flate2::Crc;
use std::fs::{self, File};
use std::process::Command;

/// Bytes of address space: a small network runs within them, and nothing of a picture of [`SIDE`] pixels or of an array like that does.
const MEMORY: u64 = 160 << 20;

/// Rows and columns of each.
const SIDE: usize = 8000;

const SPEC: &str =
    "cnn 1\nmodel N { input image: 3x8x8 { resize 8x8 }; conv 1x1 4; globalavgpool }\n";

/// Runs of 255 pixels, as many as a row needs.
fn bmp() -> Vec<u8> {
    let mut row = [255, 0].repeat(SIDE / 255);
    row.extend([(SIDE % 255) as u8, 0, 0, 0]);
    let data = row.repeat(SIDE);
    let word = |number: usize| (number as u32).to_le_bytes();
    let (start, side) = (14 + 40 + 4, word(SIDE));
    let header = [&b"BM"[..], &word(start + data.len()), &[0; 4], &word(start)].concat();
    let info = [&word(40)[..], &side, &side, &[1, 0, 8, 0], &word(1)].concat();
    let rest = [&[0; 12][..], &word(1), &[0; 4], &[9, 9, 9, 0]].concat();
    [header, info, rest, data].concat()
}

/// A frame of that size, and room for it behind the end of the picture.
fn jpeg(name: &str) -> Vec<u8> {
    let mut jpeg = fs::read(sample("pictures").join(name)).unwrap();
    let is_frame = |pair: &[u8]| pair == [0xff, 0xc0] || pair == [0xff, 0xc2];
    let frame = jpeg.windows(2).position(is_frame).unwrap();
    let side = (SIDE as u16).to_be_bytes();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[side, side].concat());
    jpeg.extend([0; SIDE * SIDE / 512]);
    jpeg
}

fn png(name: &str) -> Vec<u8> {
    let mut png = fs::read(sample("pictures").join(name)).unwrap();
    let side = (SIDE as u32).to_be_bytes();
    png[16..24].copy_from_slice(&[side, side].concat());
    let mut crc = Crc::new();
    crc.update(&png[12..29]);
    png[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    png.extend([0; SIDE * SIDE / 300]);
    png
}

#[cfg(target_os = "linux")]
#[test]
fn what_files_claim_is_an_error_where_there_is_no_memory() {
    let place = Place::new(SPEC);
    for (name, bytes) in [
        ("runs.bmp", bmp()),
        ("rgb.jpg", jpeg("rgb.jpg")),
        ("progressive.jpg", jpeg("grey_progressive.jpg")),
        ("interlaced.png", png("rgb8_interlaced.png")),
    ] {
        fs::write(place.path(name), bytes).unwrap();
    }
    // Columns first; of the elements, which are zeros, the disk has none.
    let header =
        format!("{{'descr': '<f4', 'fortran_order': True, 'shape': ({SIDE}, {SIDE}), }}\n");
    let start = [b"\x93NUMPY\x01\0", &(header.len() as u16).to_le_bytes()[..]].concat();
    let start = [&start[..], header.as_bytes()].concat();
    fs::write(place.path("columns.npy"), &start).unwrap();
    let array = File::options()
        .write(true)
        .open(place.path("columns.npy"))
        .unwrap();
    array
        .set_len((start.len() + 4 * SIDE * SIDE) as u64)
        .unwrap();

    let run = |file: &str| {
        let script = format!("ulimit -v {} && exec \"$0\" \"$@\"", MEMORY / 1024);
        let mut command = Command::new("sh");
        command
            .args(["-c", &script])
            .arg(env!("CARGO_BIN_EXE_cnnc"));
        command.args(["run", "net.cnn", "--weights", "synthetic", file]);
        command.current_dir(place.path(".")).output().unwrap()
    };
    fs::copy(sample("pictures").join("rgb8.png"), place.path("small.png")).unwrap();
    assert!(run("small.png").status.success());
    let pixels = SIDE * SIDE;
    for (file, needed) in [
        ("runs.bmp", 3 * pixels),
        ("rgb.jpg", 3 * pixels),
        ("progressive.jpg", 2 * pixels),
        ("interlaced.png", 3 * pixels),
        ("columns.npy", 4 * pixels),
    ] {
        let output = run(file);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{file}: {said}");
        let told = format!("error: {file}: not enough memory: {needed} bytes (");
        assert!(said.starts_with(&told), "{said}");
    }
}
