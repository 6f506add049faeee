//! Broken pictures: cut off, claiming too much, or something else altogether, each with its exact message.

use cnnc_runtime::image::Picture;
use image::{DynamicImage, ImageBuffer, ImageFormat, Rgb};
use std::fs;
use std::io::Cursor;

fn encode(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Noise, so that the encoded file is long.
fn noise(width: u32, height: u32) -> ImageBuffer<Rgb<u8>, Vec<u8>> {
    let mut state = 1u32;
    ImageBuffer::from_fn(width, height, |_, _| {
        Rgb([(); 3].map(|()| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        }))
    })
}

/// The message of decoding these bytes from a file, without its name.
fn refused(bytes: &[u8]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("photo.jpg");
    fs::write(&path, bytes).unwrap();
    let message = Picture::open(&path).unwrap_err().to_string();
    let prefix = format!("{}: ", path.display());
    message.strip_prefix(&prefix).expect(&message).to_owned()
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 * (crc & 1))
        })
    })
}

/// A PNG that claims another size than it has; its header's checksum is right.
fn png_that_claims(width: u32, height: u32) -> Vec<u8> {
    let mut png = encode(noise(8, 8), ImageFormat::Png);
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let crc = crc32(&png[12..29]).to_be_bytes();
    png[29..33].copy_from_slice(&crc);
    png
}

#[test]
fn files_that_are_no_pictures() {
    for (bytes, looks) in [
        (&b"wish you were here\n"[..], ": it looks like text"),
        (b"", ": it looks like an empty file"),
        (
            b"<html><body>404</body></html>",
            ": it looks like an HTML page",
        ),
        (b"RIFF\x24\0\0\0WEBPVP8 ", ": it looks like a WebP picture"),
        (b"GIF89a\x01\0\x01\0", ": it looks like a GIF picture"),
        (
            b"\x93NUMPY\x01\0v\0{'descr'",
            ": it looks like a numpy array",
        ),
        (
            b"\x10\0\0\0\0\0\0\0{\"a\":{}      }",
            ": it looks like a safetensors file",
        ),
        (b"\0\x01\x02\x03", ""),
    ] {
        assert_eq!(
            refused(bytes),
            format!("not a PNG, JPEG or BMP picture{looks}")
        );
    }
}

#[test]
fn pictures_that_are_cut_off() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Bmp] {
        let whole = encode(noise(64, 64), format);
        Picture::decode(&whole, "whole").unwrap();
        for length in [whole.len() / 2, whole.len() - 300] {
            let message = refused(&whole[..length]);
            assert_eq!(message, "the picture is truncated", "{format:?} {length}");
        }
        for length in 0..200 {
            assert!(
                Picture::decode(&whole[..length], "").is_err(),
                "{format:?} {length}"
            );
        }
    }
}

#[test]
fn pictures_that_claim_too_much() {
    assert_eq!(
        refused(&png_that_claims(60_000, 60_000)),
        "60000x60000 pixels are too many; at most 65535 a side and 134217728 in all are handled"
    );
    let more_than_it_has = refused(&png_that_claims(8, 9));
    assert!(
        more_than_it_has.starts_with("the picture is damaged: "),
        "{more_than_it_has}"
    );
    assert_eq!(
        refused(&png_that_claims(100_000, 1)),
        "100000x1 pixels are too many; at most 65535 a side and 134217728 in all are handled"
    );
    let mut bmp = encode(noise(8, 8), ImageFormat::Bmp);
    bmp[18..22].copy_from_slice(&30_000u32.to_le_bytes());
    bmp[22..26].copy_from_slice(&30_000u32.to_le_bytes());
    assert_eq!(
        refused(&bmp),
        "30000x30000 pixels are too many; at most 65535 a side and 134217728 in all are handled"
    );
    // The size of a JPEG stands in its frame header.
    let mut jpeg = encode(noise(8, 8), ImageFormat::Jpeg);
    let frame = jpeg
        .windows(2)
        .position(|pair| pair == [0xff, 0xc0])
        .unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xea, 0x60, 0xea, 0x60]);
    assert_eq!(
        refused(&jpeg),
        "60000x60000 pixels are too many; at most 65535 a side and 134217728 in all are handled"
    );
}

#[test]
fn pictures_without_pixels() {
    for (width, height) in [(0, 8), (8, 0)] {
        let message = refused(&png_that_claims(width, height));
        assert_eq!(message, "the picture has no pixels");
        let mut bmp = encode(noise(8, 8), ImageFormat::Bmp);
        bmp[18..22].copy_from_slice(&width.to_le_bytes());
        bmp[22..26].copy_from_slice(&height.to_le_bytes());
        let message = refused(&bmp);
        assert_eq!(message, "the picture has no pixels");
    }
    assert_eq!(Picture::from_rgb(0, 4, vec![]), None);
    assert_eq!(Picture::from_rgb(1, 1, vec![1, 2]), None);
    assert_eq!(Picture::from_grey(70_000, 1, &[0; 70_000]), None);
}

#[test]
fn files_that_cannot_be_opened() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let error = Picture::open(path).unwrap_err().to_string();
    assert_eq!(
        error,
        format!("cannot read {}: it is a directory", path.display())
    );
    let error = Picture::open(path.join("none.png"))
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with(&format!("cannot read {}", path.display())),
        "{error}"
    );
}

/// A picture file with each byte of its start changed: a picture or an error, never a panic.
#[test]
fn no_mutation_of_a_picture_panics() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Bmp] {
        let sound = encode(noise(8, 8), format);
        let mut refused = 0;
        for at in 0..sound.len().min(400) {
            for change in [1, 0x10, 0x80, 0xff] {
                let mut bytes = sound.clone();
                bytes[at] ^= change;
                refused += u32::from(Picture::decode(&bytes, "").is_err());
            }
        }
        assert!(refused > 10, "{format:?}: {refused}");
    }
}
