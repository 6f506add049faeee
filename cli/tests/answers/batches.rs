//! `cnnc run --batch`: several files at once.

use super::{Folder, cnnc, json_of, text};
use cnnc_testing::Raster;
use serde_json::{Value, json};

/// Four pictures, three at once: the same answers in the same order as one by one.
#[test]
fn batches_answer_as_one_by_one() {
    let folder = Folder::new("batches");
    let spec = folder.write(
        "n.cnn",
        "cnn 1\nmodel N { input x: 3x16x16\n conv 3x3 8 relu\n flatten\n dense 40\n head classify }",
    );
    let pictures: Vec<String> = (0..4)
        .map(|at| {
            let raster = Raster::of(16, 16, |x, y| {
                [(16 * x) as u8, (9 * y) as u8, (60 * at) as u8]
            });
            folder.picture(&format!("{at}.png"), &raster)
        })
        .collect();
    let run = |batch: &str| {
        let mut args = vec!["run", &spec, "--weights", "synthetic", "--batch", batch];
        args.extend(pictures.iter().map(String::as_str));
        args.push("--json");
        let lines = text(&args);
        let lines = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        lines.collect::<Vec<Value>>()
    };
    let alone = run("1");
    assert_eq!(alone.len(), 4);
    let answer = |of: usize| json!([alone[of]["outputs"], alone[of]["classes"]]);
    assert_ne!(answer(0), answer(3));
    for batch in ["3", "4", "9"] {
        assert_eq!(run(batch), alone, "{batch} at once");
    }
    // Of one there is a document, which says how many go at once.
    let args = ["run", &spec, "--weights", "synthetic", "--batch", "3"];
    let one = json_of(&[&args[..], &[&pictures[0]]].concat());
    assert_eq!(one["batch"], 3);
    assert_eq!(one["results"][0]["outputs"], alone[0]["outputs"]);
    let none = cnnc(&[
        "run",
        &spec,
        "--weights",
        "synthetic",
        "--batch",
        "0",
        &pictures[0],
    ]);
    let error = String::from_utf8_lossy(&none.stderr);
    assert!(error.contains("0 is not in 1..=4096"), "{error}");
}
