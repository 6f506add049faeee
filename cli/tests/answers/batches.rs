//! `cnnc run --batch`: several files at once.

use super::{Folder, cnnc, json_of};
use cnnc_testing::Raster;
use serde_json::json;

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
        let mut found = json_of(&args);
        assert_eq!(found["batch"].to_string(), batch);
        let results = found["results"].as_array_mut().unwrap();
        for result in &mut *results {
            result.as_object_mut().unwrap().remove("run_ms");
        }
        results.clone()
    };
    let alone = run("1");
    assert_eq!(alone.len(), 4);
    let answer = |of: usize| json!([alone[of]["outputs"], alone[of]["classes"]]);
    assert_ne!(answer(0), answer(3));
    for batch in ["3", "4", "9"] {
        assert_eq!(run(batch), alone, "{batch} at once");
    }
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
