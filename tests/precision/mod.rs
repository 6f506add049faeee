//! Average precision, held against pycocotools and against PASCAL's rules in fractions: `pycocotools_case.py` has written the case.

use cnnc::rt::answer::{BBox, Detection};
use cnnc::train::{Definition, Precision};
use serde_json::Value;

/// Error of a mean of 101 quotients in f64 and of pycocotools' 2⁻⁵² in each denominator: each below 1e-15, added up below 1e-13.
const CLOSE: f64 = 1e-12;

fn numbers(of: &Value) -> Vec<f32> {
    let numbers = of.as_array().expect("a row").iter();
    let numbers = numbers.map(|number| number.as_f64().expect("a number") as f32);
    numbers.collect()
}

#[test]
fn figures_are_those_of_pycocotools_and_of_pascal() {
    let case: Value = serde_json::from_str(include_str!("case.json")).expect("JSON");
    let side = case["side"].as_f64().expect("a number") as f32;
    let mut precision = Precision::new(5);
    for picture in case["pictures"].as_array().expect("pictures") {
        let rows = |what: &str| picture[what].as_array().expect("rows").iter().map(numbers);
        // Edges are whole 256ths, so that nothing is rounded.
        let there = rows("there").flat_map(|row| {
            let [left, top, right, bottom] = [1, 2, 3, 4].map(|at| row[at] / side);
            let (x, y) = ((left + right) / 2.0, (top + bottom) / 2.0);
            [row[0], x, y, right - left, bottom - top]
        });
        let found = rows("found").map(|row| Detection {
            class: row[0] as usize,
            score: row[1],
            bbox: BBox::new(row[2] / side, row[3] / side, row[4] / side, row[5] / side),
        });
        let (found, there): (Vec<Detection>, Vec<f32>) = (found.collect(), there.collect());
        precision.add(&found, &there);
    }
    for by in Definition::ALL {
        let name = by.name();
        for (class, want) in case["classes"][name]
            .as_array()
            .expect("classes")
            .iter()
            .enumerate()
        {
            let got = precision.average(class, by);
            match want.as_f64() {
                None => assert_eq!(got, None, "{name} of {class}"),
                Some(want) => {
                    let got = got.expect("it is there");
                    assert!(
                        (got - want).abs() <= CLOSE,
                        "{name} of {class}: {got} is not {want}"
                    );
                }
            }
        }
        let (got, want) = (
            precision.mean_by(by),
            case["means"][name].as_f64().expect("a mean"),
        );
        assert!((got - want).abs() <= CLOSE, "{name}: {got} is not {want}");
    }
}
