//! Broken pictures: cut off, claiming too much, or something else altogether, each with its exact message.

use crate::sample;
use cnnc_runtime::image::Picture;
use cnnc_testing::most;
use std::fs;

/// One picture of each format.
const ONE_EACH: [&str; 6] = [
    "rgb.jpg",
    "rgba16.png",
    "bytes.bmp",
    "colours16.ppm",
    "shades.gif",
    "lossless.webp",
];

/// The message of decoding these bytes from a file, without its name.
fn refused(bytes: &[u8]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("photo.jpg");
    fs::write(&path, bytes).unwrap();
    let message = Picture::open(&path).unwrap_err().to_string();
    let prefix = format!("{}: ", path.display());
    message.strip_prefix(&prefix).expect(&message).to_owned()
}

/// The checksum of a chunk of PNG.
pub fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// A PNG that claims another size than it has; its header's checksum is right.
fn png_that_claims(width: u32, height: u32) -> Vec<u8> {
    let mut png = sample("rgb8.png");
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let crc = crc32(&png[12..29]).to_be_bytes();
    png[29..33].copy_from_slice(&crc);
    png
}

/// A JPEG that claims another size than it has, in its frame header.
fn jpeg_that_claims(name: &str, width: u16, height: u16) -> Vec<u8> {
    let mut jpeg = sample(name);
    let is_frame = |pair: &[u8]| pair == [0xff, 0xc0] || pair == [0xff, 0xc2];
    let frame = jpeg.windows(2).position(is_frame).unwrap();
    jpeg[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
    jpeg[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
    jpeg
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
            format!("not a PNG, JPEG, BMP, PNM, GIF or WebP picture{looks}")
        );
    }
}

#[test]
fn pictures_that_are_cut_off() {
    for name in ONE_EACH {
        let whole = sample(name);
        Picture::decode(&whole, "whole").unwrap();
        for length in [whole.len() / 2, whole.len() - 300] {
            let message = refused(&whole[..length]);
            assert_eq!(message, "the picture is truncated", "{name} {length}");
        }
        for length in 0..200 {
            assert!(
                Picture::decode(&whole[..length], "").is_err(),
                "{name} {length}"
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
    let more_than_it_has = refused(&png_that_claims(13, 12));
    assert!(
        more_than_it_has.starts_with("the picture is damaged: "),
        "{more_than_it_has}"
    );
    assert_eq!(
        refused(&png_that_claims(100_000, 1)),
        "100000x1 pixels are too many; at most 65535 a side and 134217728 in all are handled"
    );
    let mut bmp = sample("bytes.bmp");
    bmp[18..22].copy_from_slice(&30_000u32.to_le_bytes());
    bmp[22..26].copy_from_slice(&30_000u32.to_le_bytes());
    assert_eq!(
        refused(&bmp),
        "30000x30000 pixels are too many; at most 65535 a side and 134217728 in all are handled"
    );
    for header in ["P1 30000 30000\n", "P6 30000 30000 255\n"] {
        assert_eq!(
            refused(header.as_bytes()),
            "30000x30000 pixels are too many; at most 65535 a side and 134217728 in all are handled"
        );
    }
    assert_eq!(
        refused(&jpeg_that_claims("ycc420.jpg", 60_000, 60_000)),
        "60000x60000 pixels are too many; at most 65535 a side and 134217728 in all are handled"
    );
}

/// Formats in which a picture of one colour takes next to no bytes may claim a few million pixels, and no more.
#[test]
fn pictures_of_few_bytes_that_claim_much() {
    let mut gif = sample("part.gif");
    gif[6..10].copy_from_slice(&[0xff; 4]);
    assert_eq!(
        refused(&gif),
        "65535x65535 pixels are too many; at most 65535 a side and 134217728 in all are handled"
    );
    gif[6..10].copy_from_slice(&[0, 0x20, 0, 0x20]);
    let (message, memory) = most(|| refused(&gif));
    assert_eq!(message, "the picture is truncated");
    assert!(memory < 1 << 20, "{memory} bytes");
    // A picture on a larger screen than its pixels fill.
    gif[6..10].copy_from_slice(&[0, 2, 0, 1]);
    let picture = Picture::decode(&gif, "").unwrap();
    assert_eq!((picture.width(), picture.height()), (512, 256));
    let mut webp = sample("lossless.webp");
    // 14 bits each for width and height, less one.
    webp[21..25].copy_from_slice(&(8191u32 | 8191 << 14).to_le_bytes());
    let (message, memory) = most(|| refused(&webp));
    assert_eq!(message, "the picture is truncated");
    assert!(memory < 1 << 20, "{memory} bytes");
}

/// Each with what is wrong; nothing is guessed.
#[test]
fn portable_maps_with_mistakes() {
    for (file, why) in [
        (
            "P5 two 2 255\n....",
            "its width is no number: it begins with `t`",
        ),
        (
            "P2 1 -1 255\n",
            "its height is no number: it begins with `-`",
        ),
        (
            "P2 1 1 0\n0",
            "its largest value is 0, where 1 to 65535 are possible",
        ),
        (
            "P2 1 1 65536\n0",
            "its largest value is 65536, where 1 to 65535 are possible",
        ),
        (
            "P2 2 1 100\n7 101",
            "a sample is 101, more than the largest value, 100",
        ),
        (
            "P6 1 1 9\n\x01\x02\x0a",
            "a sample is 10, more than the largest value, 9",
        ),
        ("P1 2 1\n0 2", "a bit is no number: it begins with `2`"),
        (
            "P3 1 1 9\n1 2 x",
            "a sample is no number: it begins with `x`",
        ),
        (
            "P5 1 1 255#7\n.",
            "`#` stands where white space ends its header",
        ),
    ] {
        assert_eq!(
            refused(file.as_bytes()),
            format!("the picture is damaged: {why}"),
            "{file:?}"
        );
    }
    for file in ["P5", "P5 ", "P5 2", "P4 1 1", "P4 1 1\n", "P2 2 1 9\n1 # 2"] {
        let message = refused(file.as_bytes());
        let is_one = file.len() > 2;
        let expected = match is_one {
            true => "the picture is truncated",
            false => "not a PNG, JPEG, BMP, PNM, GIF or WebP picture: it looks like text",
        };
        assert_eq!(message, expected, "{file:?}");
    }
}

#[test]
fn pictures_without_pixels() {
    for (width, height) in [(0, 8), (8, 0)] {
        let message = refused(&png_that_claims(width, height));
        assert_eq!(message, "the picture has no pixels");
        let mut bmp = sample("bytes.bmp");
        bmp[18..22].copy_from_slice(&width.to_le_bytes());
        bmp[22..26].copy_from_slice(&height.to_le_bytes());
        let message = refused(&bmp);
        assert_eq!(message, "the picture has no pixels");
    }
    assert_eq!(refused(b"P5 0 4 255\n"), "the picture has no pixels");
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
fn no_change_of_a_byte_panics() {
    for name in ONE_EACH {
        let sound = sample(name);
        let mut refused = 0;
        for at in 0..sound.len().min(400) {
            for change in [1, 0x10, 0x80, 0xff] {
                let mut bytes = sound.clone();
                bytes[at] ^= change;
                refused += u32::from(Picture::decode(&bytes, "").is_err());
            }
        }
        assert!(refused > 10, "{name}: {refused}");
    }
}

/// Nothing is allocated for pixels that a file claims to have: a file of 1 kB would take 386 MB.
#[test]
fn pixels_that_a_file_has_not_the_bytes_for() {
    // Run lengths that end at once; 24 bits a pixel, and none of them there.
    for (bits, compression, pixels) in [(8, 1, &b"\0\x01"[..]), (4, 2, b"\0\x01"), (24, 0, b"")] {
        let mut bmp = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
        bmp.extend(16_000u32.to_le_bytes());
        bmp.extend(8_000u32.to_le_bytes());
        bmp.extend([1, 0, bits, 0, compression]);
        bmp.resize(54, 0);
        bmp.extend(pixels);
        bmp[10..14].copy_from_slice(&54u32.to_le_bytes());
        cheaply_truncated(&bmp);
    }
    for header in [
        "P1 16000 8000\n0",
        "P2 16000 8000 1\n0",
        "P3 16000 8000 255\n0 0 0",
        "P4 16000 8000\n0",
        "P5 16000 8000 255\n0",
        "P6 16000 8000 65535\n0",
    ] {
        cheaply_truncated(header.as_bytes());
    }
    cheaply_truncated(&png_that_claims(16_000, 8_000));
    for name in ["ycc420.jpg", "ycc420_progressive.jpg"] {
        cheaply_truncated(&jpeg_that_claims(name, 16_000, 8_000));
    }
}

#[track_caller]
fn cheaply_truncated(bytes: &[u8]) {
    let (message, memory) = most(|| Picture::decode(bytes, "it").unwrap_err().to_string());
    assert_eq!(message, "it: the picture is truncated");
    assert!(memory < 1 << 20, "{memory} bytes");
}
