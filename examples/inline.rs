//! A spec inside Rust: `cargo run --release -p cnnc --example inline`.
//!
//! The network has no learned weights: its filters are written into the spec. Change something and the compiler says what is wrong, at the
//! word that is wrong. Two to try:
//!
//! - `conv 3x3` → `convv 3x3`: `convv` is underlined, and `conv` suggested;
//! - `shape edges 1x5x5` → `shape edges 1x5x6`: the shape that was inferred is shown beside the one expected.

use std::error::Error;

cnnc::cnn_model! {
    Edges {
        defaults { bias off }
        input image: 1x7x7
        down:   image conv 3x3 1 weight [[-1, -2, -1], [0, 0, 0], [1, 2, 1]] abs
        across: image conv 3x3 1 weight [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]] abs
        edges:  down + across
        expect { params 0  macs 450  shape edges 1x5x5 }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let image = [
        [0., 0., 0., 0., 0., 0., 0.],
        [0., 1., 1., 1., 1., 1., 0.],
        [0., 1., 1., 1., 1., 1., 0.],
        [0., 1., 1., 1., 1., 1., 0.],
        [0., 1., 1., 1., 1., 1., 0.],
        [0., 1., 1., 1., 1., 1., 0.],
        [0., 0., 0., 0., 0., 0., 0.0f32],
    ];
    // No tensor comes from a file, so nothing is made up here.
    let network = Edges::synthetic()?;
    let mut session = network.session();
    let edges: &[f32; 25] = session.run(image.as_flattened())?.raw();
    for row in edges.chunks(5) {
        println!(
            "{}",
            row.iter()
                .map(|edge| format!("{edge:4}"))
                .collect::<String>()
        );
    }
    Ok(())
}
