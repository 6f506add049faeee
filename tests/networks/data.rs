//! Test sets: MNIST's idx files, and CIFAR-10 images as the rows of a PNG.

use crate::shared::{read, shared};
use cnnc::rt::image::Picture;
use flate2::read::GzDecoder;
use std::io::Read;
use std::path::Path;

/// An image as the network takes it, and its class.
pub type Sample = (Vec<f32>, usize);

/// The 10,000 test digits of MNIST, divided by 255.
pub fn mnist() -> Option<Vec<Sample>> {
    let images = idx(
        &shared("data/mnist/t10k-images-idx3-ubyte.gz")?,
        &[10_000, 28, 28],
    );
    let labels = idx(&shared("data/mnist/t10k-labels-idx1-ubyte.gz")?, &[10_000]);
    let images = images.chunks(28 * 28).map(|image| {
        image
            .iter()
            .map(|&pixel| f32::from(pixel) / 255.0)
            .collect()
    });
    Some(images.zip(labels.into_iter().map(usize::from)).collect())
}

/// The bytes of an idx file of those dimensions.
fn idx(path: &Path, dims: &[u32]) -> Vec<u8> {
    let mut bytes = Vec::new();
    GzDecoder::new(&*read(path))
        .read_to_end(&mut bytes)
        .expect("a gzip file");
    // A magic number, the dimensions, the elements.
    let (stated, elements) = bytes[4..].split_at(4 * dims.len());
    let expected: Vec<u8> = dims.iter().flat_map(|dim| dim.to_be_bytes()).collect();
    assert_eq!(stated, expected, "{} has other dimensions", path.display());
    elements.to_vec()
}

/// The first 500 test images of CIFAR-10, normalised as ResNet-20 wants them.
pub fn cifar10() -> Option<Vec<Sample>> {
    const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
    const STD: [f32; 3] = [0.229, 0.224, 0.225];
    let (rows, labels) = (
        shared("data/cifar10_test/test_000_499.png")?,
        shared("data/cifar10_test/labels_000_499.txt")?,
    );
    let rows = Picture::open(rows).expect("a picture");
    let (pixels, _) = rows.rgb().as_chunks::<3>();
    let images = pixels.chunks_exact(rows.width()).map(|row| {
        let plane = |c: usize| {
            row.iter()
                .map(move |pixel| (f32::from(pixel[c]) / 255.0 - MEAN[c]) / STD[c])
        };
        (0..3).flat_map(plane).collect()
    });
    let labels = String::from_utf8(read(&labels)).expect("text");
    let samples: Vec<Sample> = images
        .zip(labels.lines().map(|label| label.parse().expect("a class")))
        .collect();
    assert_eq!(samples.len(), 500);
    Some(samples)
}
