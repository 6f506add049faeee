//! Every kind of picture is decoded to the right pixels.

use crate::{sample, samples};
use cnnc_runtime::image::{FORMATS, Picture};
use cnnc_testing::{fnv, most, shared};
use std::collections::BTreeMap;

/// `expected.txt` has size and hash of each file's pixels: of PNG and BMP as `make.py` computes them from the samples that it writes.
/// Those of JPEG nothing here makes again: they are what the crate `image` 0.25, with another release of this decoder, once gave.
#[test]
fn samples_of_every_kind() {
    let expected = String::from_utf8(sample("expected.txt")).unwrap();
    let expected: BTreeMap<&str, &str> = expected
        .lines()
        .flat_map(|line| line.split_once(' '))
        .collect();
    let files = samples().read_dir().unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let is_picture = |name: &String| {
        let mut endings = FORMATS.iter().flat_map(|format| format.endings);
        endings.any(|ending| name.ends_with(&format!(".{ending}")))
    };
    let names: Vec<String> = names.filter(is_picture).collect();
    assert_eq!(names.len(), expected.len());
    let found = names.iter().map(|name| {
        let found = match Picture::decode(&sample(name), "it") {
            Ok(picture) => {
                let (width, height) = (picture.width(), picture.height());
                format!(
                    "{width}x{height} {:016x}",
                    fnv(picture.rgb().iter().copied())
                )
            }
            Err(error) => error.to_string(),
        };
        (name.as_str(), found)
    });
    let wrong = found.filter(|(name, found)| expected[name] != *found);
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_colour_profile_is_not_unpacked() {
    let Some(path) = shared("cases/pictures/iccp.png") else {
        return;
    };
    // 49 kB of it are a profile that unpacks to 50 MB.
    let bytes = std::fs::read(path).unwrap();
    let (picture, memory) = most(|| Picture::decode(&bytes, "").unwrap());
    assert_eq!((picture.width(), picture.height()), (4, 4));
    assert!(memory < 1 << 20, "{memory} bytes");
}

/// Its writer knew a mask for alpha and left its bits 0.
#[test]
fn alpha_that_is_0_everywhere_says_nothing() {
    let Some(path) = shared("cases/pictures/alpha0.bmp") else {
        return;
    };
    let picture = Picture::open(path).unwrap();
    // Three stripes of two rows; the file has them from below.
    let rows = [[255, 0, 0], [0, 255, 0], [0, 0, 255]];
    let expected: Vec<u8> = rows.iter().flat_map(|colour| colour.repeat(12)).collect();
    assert_eq!(picture.rgb(), expected);
}

/// Grey of 16 bits, all 65,536 of it in a row: 8 bits are the nearest.
#[test]
fn sixteen_bits_are_rounded() {
    let values = 0..=u16::MAX;
    let samples: Vec<u8> = values.flat_map(u16::to_be_bytes).collect();
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 256, 256);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Sixteen);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&samples).unwrap();
    writer.finish().unwrap();
    let picture = Picture::decode(&file, "").unwrap();
    let (pixels, _) = picture.rgb().as_chunks::<3>();
    for (value, pixel) in pixels.iter().enumerate() {
        let rounded = (value as f64 * 255.0 / 65_535.0).round() as u8;
        assert_eq!(*pixel, [rounded; 3], "{value}");
    }
}
