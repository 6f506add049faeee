//! The data sets of the tests, each as it lies there.

use super::{counts, exists, model};
use cnnc::train::Data;
use cnnc_testing::shared;

#[test]
fn every_data_set_is_read() {
    for (path, test, shape, classes, train, judged) in [
        ("data/mnist", None, "1x28x28", 10, 60_000, 10_000),
        (
            "data/cifar10_train",
            Some("data/cifar10_test"),
            "3x32x32",
            10,
            10_000,
            500,
        ),
        ("data/spoken_digits", None, "1x4096", 10, 600, 300),
        ("data/sign_digits", None, "3x100x100", 10, 480, 120),
        ("data/ucr/GunPoint_TRAIN.ts", None, "1x150", 2, 50, 150),
        (
            "data/ucr/ItalyPowerDemand_TRAIN.ts",
            None,
            "1x24",
            2,
            67,
            1_029,
        ),
        ("data/ucr/BasicMotions_TRAIN.ts", None, "6x100", 4, 40, 40),
    ] {
        let Some(folder) = shared(path) else {
            continue;
        };
        assert!(exists(&folder));
        let net = model(shape, classes, "");
        let test = test.and_then(shared);
        let data = Data::open(&folder, test.as_deref(), net.graph())
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        let found = (data.train.len(), data.test.len());
        // A fifth that is chosen by chance is about a fifth.
        let near = |found: usize, wanted: usize| {
            found.abs_diff(wanted) <= if path == "data/sign_digits" { 30 } else { 0 }
        };
        assert!(
            near(found.0, train) && near(found.1, judged),
            "{path}: {found:?}"
        );
        assert!(
            counts(&data.train, classes).iter().all(|&count| count > 0),
            "{path}"
        );
        // What comes as pictures is kept as bytes.
        if data.train.pre().is_some() {
            assert_eq!(data.train.bytes(), data.train.len() * data.train.elements());
        }
    }
}
