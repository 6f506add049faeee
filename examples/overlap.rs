//! The intersection over union of two boxes, each given by its left, top, right and bottom edges.
//!
//! ```sh
//! cargo run --release -p cnnc --example overlap -- 0 0 2 1 1 0 3 1
//! ```

use cnnc::rt::answer::BBox;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let words = std::env::args().skip(1);
    let edges = words
        .map(|word| word.parse())
        .collect::<Result<Vec<f32>, _>>()?;
    let [a, b, c, d, e, f, g, h] = edges[..] else {
        return Err(
            "give eight numbers: `overlap LEFT TOP RIGHT BOTTOM LEFT TOP RIGHT BOTTOM`".into(),
        );
    };
    let (one, other) = (BBox::new(a, b, c, d), BBox::new(e, f, g, h));
    let iou = one.iou(&other);
    println!(
        "areas {} and {}, intersection over union {iou:.4}",
        one.area(),
        other.area()
    );
    Ok(())
}
