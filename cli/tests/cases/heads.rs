//! Heads whose answers were wrong.

use super::{Cases, SYNTHETIC, cases};
use cnnc::rt::tensor_file::write_safetensors;
use serde_json::Value;

/// Weights that are zero, but for these biases: the outputs do not depend on the input.
fn biases(cases: &Cases, layers: &[(&str, &[usize], &[f32])]) -> String {
    let path = cases.out("weights.safetensors");
    let mut tensors: Vec<(String, Vec<usize>, Vec<f32>)> = Vec::new();
    for &(name, shape, bias) in layers {
        let zeros = vec![0.0; shape.iter().product()];
        tensors.push((format!("{name}.weight"), shape.to_vec(), zeros));
        tensors.push((format!("{name}.bias"), vec![bias.len()], bias.to_vec()));
    }
    let tensors: Vec<(&str, &[usize], &[f32])> = tensors
        .iter()
        .map(|(name, shape, values)| (name.as_str(), &shape[..], &values[..]))
        .collect();
    write_safetensors(&path, &tensors).unwrap();
    path
}

/// Class, score, and x, y, width, height.
type Found = (u64, f64, [f64; 4]);

fn boxes(cases: &Cases, args: &[&str]) -> Vec<Found> {
    let (out, _) = cases.prints(&[args, &["--json"]].concat());
    let answer: Value = serde_json::from_str(&out).unwrap();
    let boxes = answer["results"][0]["boxes"].as_array().unwrap().iter();
    let number = |found: &Value, key: &str| found[key].as_f64().unwrap();
    boxes
        .map(|found| {
            let sides = ["x", "y", "width", "height"].map(|key| number(found, key));
            (
                found["class"].as_u64().unwrap(),
                number(found, "score"),
                sides,
            )
        })
        .collect()
}

#[track_caller]
fn close(found: &[Found], expected: &[Found]) {
    let near = |a: f64, b: f64| (a - b).abs() < 1e-4;
    let same = |(a, b): (&Found, &Found)| {
        a.0 == b.0 && near(a.1, b.1) && a.2.iter().zip(b.2).all(|(&a, b)| near(a, b))
    };
    assert!(
        found.len() == expected.len() && found.iter().zip(expected).all(same),
        "{found:?}, not {expected:?}"
    );
}

#[test]
fn regions_have_thresholds() {
    let Some(cases) = cases() else { return };
    // The second of three classes has 3/5 of the probability, the background 1/5; its box moves by half its width and is twice as high.
    let mut moves = [0.0; 12];
    moves[4] = 0.5;
    moves[7] = 2f32.ln();
    let layers: [(&str, &[usize], &[f32]); 3] = [
        ("f", &[8, 3, 3, 3], &[0.0; 8]),
        ("boxes", &[12, 8, 1, 2, 2], &moves),
        ("scores", &[3, 8, 1, 2, 2], &[0.0, 3f32.ln(), 0.0]),
    ];
    let weights = biases(&cases, &layers);
    let input = cases.out("inputs.safetensors");
    let regions = [
        [4.0, 8.0, 8.0, 12.0],
        // The same place, which is suppressed; a place of its own; outside the picture.
        [4.0, 8.0, 8.0, 12.0],
        [16.0, 16.0, 24.0, 20.0],
        [40.0, 40.0, 48.0, 48.0],
    ];
    let tensors: [(&str, &[usize], &[f32]); 2] = [
        ("image", &[3, 32, 32], &[0.0; 3 * 32 * 32]),
        ("r", &[4, 4], regions.as_flattened()),
    ];
    write_safetensors(&input, &tensors).unwrap();
    let run = ["run", "heads/regions.cnn", "--weights", &weights, &input];
    let with = |flags: &[&str]| boxes(&cases, &[&run[..], flags].concat());
    let first = (0, 0.6, [6.0, 6.0, 4.0, 8.0]);
    let other = (0, 0.6, [20.0, 14.0, 8.0, 8.0]);
    close(&with(&[]), &[first, other]);
    close(&with(&["--keep", "0.5"]), &[first, other]);
    close(&with(&["--keep", "0.9"]), &[]);
    close(&with(&["--nms", "off"]), &[first, first, other]);
    close(&with(&["--iou", "1"]), &[first, first, other]);
    // As the README has it.
    cases.prints(
        &[
            &["run", "heads/regions.cnn", "--keep", "0.9"],
            &SYNTHETIC[..],
        ]
        .concat(),
    );
}

#[test]
fn a_detector_of_one_thing() {
    let Some(cases) = cases() else { return };
    // Of five anchors the first, 16x32 pixels, has an objectness of 3/4 in each of 4x4 cells.
    let mut bias = [-20.0; 25];
    bias[..5].copy_from_slice(&[0.0, 0.0, 0.0, 0.0, 3f32.ln()]);
    let weights = biases(&cases, &[("map", &[25, 3, 3, 3], &bias)]);
    let input = cases.out("image.safetensors");
    let tensor: (&str, &[usize], &[f32]) = ("image", &[3, 64, 64], &[0.0; 3 * 64 * 64]);
    write_safetensors(&input, &[tensor]).unwrap();
    let run = [
        "run",
        "heads/yolo2_noclass.cnn",
        "--weights",
        &weights,
        &input,
    ];
    let with = |flags: &[&str]| boxes(&cases, &[&run[..], flags].concat());
    let all = with(&["--nms", "off"]);
    let cell = |index: usize| {
        let (x, y) = ((index % 4 * 16) as f64, (index / 4 * 16) as f64);
        // Half a cell above and below, cut at the edges.
        let (top, bottom) = ((y - 8.0).max(0.0), (y + 24.0).min(64.0));
        (0, 0.75, [x, top, 16.0, bottom - top])
    };
    close(&all, &(0..16).map(cell).collect::<Vec<_>>());
    // Neighbours above each other share a half, a third of their union.
    assert_eq!(with(&[]).len(), 16);
    close(
        &with(&["--iou", "0.3"]),
        &[0, 1, 2, 3, 8, 9, 10, 11].map(cell),
    );
    close(&with(&["--keep", "0.8"]), &[]);
    let (table, _) = cases.prints(&run);
    assert!(table.contains("0.750  object"), "{table}");
}
