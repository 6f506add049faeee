//! Files on which the project was once wrong, with the numbers that PyTorch gives in double precision.

use super::Place;
use cnnc::Weights;
use cnnc::rt::tensor_file::write_npy;
use std::path::{Path, PathBuf};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/weights/data")
        .join(name)
}

/// The raw output on a tensor.
#[track_caller]
fn run(place: &Place, weights: &Path, input: &Path) -> Vec<f32> {
    let (weights, input) = (weights.to_str().unwrap(), input.to_str().unwrap());
    place.prints(&[
        "run",
        "net.cnn",
        "--weights",
        weights,
        input,
        "--raw",
        "raw.safetensors",
    ]);
    let raw = Weights::open(place.path("raw.safetensors")).unwrap();
    raw.get("raw").unwrap().to_f32().unwrap().into_owned()
}

/// Each number is a sum of at most 36 products, whose magnitudes add up to less than 64: rounding errors are below
/// 36 · 2⁻²⁴ · 64 = 1.4e-4.
#[track_caller]
fn near(found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (f64::from(*found) - expected).abs() < 1.4e-4,
            "{found} for {expected}"
        );
    }
}

const LEGACY: &str = "cnn 1
model M {
  input x: 3x6x6
  c: conv 3x3 4 pad 1 bn relu
  d: conv 1x1 5
}";

#[test]
fn files_before_pytorch_1_6_of_every_protocol() {
    let place = Place::new(LEGACY);
    let [two, four, five] = ["2_ok", "4", "5"].map(|protocol| {
        let file = data(&format!("legacy_protocol{protocol}.pth"));
        run(&place, &file, &data("pth_in.npy"))
    });
    #[rustfmt::skip]
    let first = [-5.269509340897434, -4.87910196284034, -4.580183172321408, -3.8983926276221417, -5.721837529318628, -4.151330739301765];
    near(&two[..6], &first);
    #[rustfmt::skip]
    let last = [-9.344447044333634, -10.41119330262539, -9.250883974163408, -14.28760302930556, -8.132880344213547, -11.364834817384793];
    near(&two[174..], &last);
    assert_eq!(two, four);
    assert_eq!(two, five);
}

#[test]
fn weights_of_a_linear_layer_in_a_convolution_of_one_pixel() {
    let place = Place::new(
        "cnn 1
model M { input x: 8x8x8
  dw: conv 3x3 8 groups 8 pad half
  pw: conv 1x1 16
}",
    );
    let ones = place.path("ones.npy");
    write_npy(&ones, &[8, 8, 8], &[1.0; 512]).unwrap();
    let found = run(&place, &data("lin.pth"), &ones);
    assert_eq!(found.len(), 16 * 64);
    let (edge, middle, last) = (0.06121006288424189, 0.1162711774672335, 0.0951686947305779);
    near(
        &found[..8],
        &[edge, middle, middle, middle, middle, middle, middle, last],
    );
    let (edge, middle, last) = (
        -0.0317723085950511,
        -0.07452594653677005,
        -0.04664204497481843,
    );
    near(
        &found[1016..],
        &[edge, middle, middle, middle, middle, middle, middle, last],
    );
}

#[test]
fn a_darknet_file_that_lacks_a_byte_is_truncated() {
    let place = Place::new(
        "cnn 1
model Net {
  defaults { pad half  bias on  leaky.slope 0.1 }
  input image: 3x8x8 { resize 8  crop 8  filter bilinear }
  conv0: conv 3x3 5 leaky
}",
    );
    let found = run(&place, &data("full.weights"), &data("truncated_in.npy"));
    #[rustfmt::skip]
    near(&found[..8], &[
        0.6527062786354759, 0.13616857910319558, 0.8592741329249394, -0.020256571312261624,
        -0.045948851530371954, 0.9800102398880509, 0.1117727089228851, 0.2548965695969845,
    ]);
    #[rustfmt::skip]
    near(&found[312..], &[
        0.7628378124090323, 1.4028789960827681, 1.6280320925105973, 1.434638449811721,
        0.4061738372753548, 0.775063330852073, 1.6977928993345244, 1.243274663761704,
    ]);
    let whole = std::fs::read(data("full.weights")).unwrap();
    std::fs::write(place.path("cut.weights"), &whole[..whole.len() - 1]).unwrap();
    let said = place.complains(&[
        "run",
        "net.cnn",
        "--weights",
        "cut.weights",
        "--input",
        "synthetic",
    ]);
    assert!(
        said.contains("cut.weights: the file is truncated, or of another network: 579 bytes are there, the network needs 580"),
        "{said}"
    );
}
