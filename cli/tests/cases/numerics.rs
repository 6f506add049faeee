use crate::{BACKENDS, SYNTHETIC, cases, close};

/// Runs a case in every backend.
fn everywhere(spec: &str, input: &[&str], test: impl Fn(&[f32])) {
    let Some(cases) = cases() else { return };
    let (spec, file) = (cases.file(spec), input.last().map(|path| cases.file(path)));
    let input = match (input, &file) {
        ([_], Some(file)) => vec![file.as_str()],
        _ => SYNTHETIC[2..].to_vec(),
    };
    for backend in BACKENDS {
        let raw = cases.raw(&spec, "synthetic", &input, backend);
        test(&raw[0]);
    }
    test(&cases.raw(&spec, "synthetic", &input, &[])[0]);
}

#[test]
fn means_of_many_values() {
    let expected = [0.1, 0.3, 0.7524, 1.1738, 1.5952, 2.4849];
    let Some(cases) = cases() else { return };
    let file = cases.file("numerics/mean224.npy");
    let values = cnnc::rt::tensor_file::read_tensors(&file)
        .unwrap()
        .remove(0)
        .values;
    let planes = values.chunks_exact(224 * 224);
    everywhere("numerics/mean224.cnn", &["numerics/mean224.npy"], |found| {
        for ((&found, plane), expected) in found.iter().zip(planes.clone()).zip(expected) {
            let sum = |term: fn(f64) -> f64| plane.iter().map(|&x| term(f64::from(x))).sum::<f64>();
            let (mean, magnitude) = (sum(|x| x) / 50_176.0, sum(f64::abs) / 50_176.0);
            assert!(
                (mean - expected).abs() < 5e-5,
                "{mean} is printed as {expected}"
            );
            assert!(
                (f64::from(found) - mean).abs() <= 1e-6 * magnitude,
                "{found} is not {mean}"
            );
        }
    });
}

#[test]
fn nan_stays_nan() {
    // The inputs are numbers with NaN among them; a maximum over NaN is NaN, and a vector with one has no length.
    let Some(cases) = cases() else { return };
    let values = |file: &str| {
        let file = cases.file(file);
        cnnc::rt::tensor_file::read_tensors(&file)
            .unwrap()
            .remove(0)
            .values
    };
    let input = values("numerics/nan.npy");
    assert!(input.iter().any(|x| x.is_nan()) && input.iter().any(|x| !x.is_nan()));
    everywhere("numerics/nan_relu.cnn", &["numerics/nan.npy"], |found| {
        let expected: Vec<f64> = input
            .iter()
            .map(|&x| if x < 0.0 { 0.0 } else { f64::from(x) })
            .collect();
        close(found, &expected, 0.0);
    });
    everywhere("numerics/nan_l2norm.cnn", &["numerics/nan.npy"], |found| {
        for (at, value) in found.iter().enumerate() {
            let mut pixel = (0..16).map(|channel| input[16 * channel + at % 16]);
            // Infinity divided by itself is NaN too.
            let expected = pixel.any(f32::is_nan) || input[at].is_infinite();
            assert_eq!(value.is_nan(), expected, "element {at}");
        }
    });
    let input = values("numerics/nan_maxpool.npy");
    everywhere(
        "numerics/nan_maxpool.cnn",
        &["numerics/nan_maxpool.npy"],
        |found| {
            for (at, &value) in found.iter().enumerate() {
                let (channel, row, column) = (at / 4, at / 2 % 2, at % 2);
                let corner = 16 * channel + 8 * row + 2 * column;
                let window = [0, 1, 4, 5].map(|offset| input[corner + offset]);
                let most = window.iter().fold(f32::NEG_INFINITY, |most, &x| {
                    if x.is_nan() || most.is_nan() {
                        f32::NAN
                    } else {
                        most.max(x)
                    }
                });
                close(&[value], &[f64::from(most)], 0.0);
            }
        },
    );
}

#[test]
fn small_results_are_accurate() {
    let gelu = [
        -1.01573e-18,
        -8.95869e-12,
        -1.04443e-7,
        -7.10072e-7,
        -1.26685e-4,
        -4.04969e-3,
        -0.158655,
        -4.99601e-4,
    ];
    // The numbers are given with six digits.
    everywhere(
        "numerics/small_gelu.cnn",
        &["numerics/small.npy"],
        |found| close(found, &gelu, 5e-6),
    );
    let softplus = [
        1.23402e-4, 9.11466e-4, 4.07844e-3, 5.84701e-3, 1.81499e-2, 4.85874e-2, 0.313262, 0.692647,
    ];
    everywhere(
        "numerics/small_softplus.cnn",
        &["numerics/small.npy"],
        |found| close(found, &softplus, 5e-6),
    );
}

#[test]
fn long_sums_are_accurate() {
    everywhere("numerics/long_conv.cnn", &[], |found| {
        close(found, &[2621.44008], 1e-6)
    });
    everywhere("numerics/long_l2norm.cnn", &[], |found| {
        close(found, &vec![0.001; 1_000_000], 1e-6)
    });
}

#[test]
fn a_tap_of_weight_0_is_no_tap() {
    everywhere(
        "numerics/inf_bilinear.cnn",
        &["numerics/inf_bilinear.npy"],
        |found| {
            close(&found[..6], &[1.0, 1.25, 1.75, 2.25, 2.75, 3.0], 0.0);
        },
    );
}

#[test]
fn outputs_that_are_not_finite_are_said() {
    let Some(cases) = cases() else { return };
    let run = [&["run", "numerics/nan_detector.cnn"], &SYNTHETIC[..]].concat();
    let (out, error) = cases.prints(&run);
    let told = "output `raw`: 896 of 896 numbers are not finite; `scale_2` is the first tensor that is not";
    assert!(error.contains(told), "{out}{error}");
    for backend in BACKENDS {
        let args = [&run[..], &["--json"], backend].concat();
        let (out, error) = cases.prints(&args);
        assert!(!error.contains("finite"), "{error}");
        let found: serde_json::Value = serde_json::from_str(&out).unwrap();
        let found = &found["results"][0]["not_finite"][0];
        assert_eq!(
            (found["output"].as_str(), found["first"].as_str()),
            (Some("raw"), Some("scale_2"))
        );
        assert_eq!(
            (found["count"].as_u64(), found["of"].as_u64()),
            (Some(896), Some(896))
        );
    }
}
