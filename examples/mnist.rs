//! Digits by a generated network: `cargo run --release -p cnnc --example mnist`.
//!
//! The network is compiled into this program, weights and all: the program reads one picture and nothing else.

use cnnc::rt::image::Picture;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Instant;

cnnc::cnn_model! {
    /// Reads a digit.
    LeNet5 = "specs/lenet5.cnn", weights = "examples/data/lenet5.safetensors"
}

const SIDE: usize = 28;

fn main() -> Result<(), Box<dyn Error>> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data");
    let picture = Picture::open(data.join("digits.png"))?;
    let labels = fs::read_to_string(data.join("digits.txt"))?;

    let network = LeNet5::embedded()?;
    let mut session = network.session();
    let (mut right, mut all) = (0, 0);
    let start = Instant::now();
    for (row, labels) in labels.lines().enumerate() {
        for (column, label) in labels.bytes().enumerate() {
            let digit = digit(&picture, row, column);
            let probabilities: &[f32; 10] = session.run(&digit)?.probabilities();
            let read = (0..10).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
            all += 1;
            if read == Some(usize::from(label - b'0')) {
                right += 1;
            } else if let Some(read) = read {
                let sure = 100.0 * probabilities[read];
                println!(
                    "row {row:2}, column {column:2}: a {} read as {read}, {sure:.0} % sure",
                    char::from(label)
                );
            }
        }
    }
    let each = start.elapsed() / all;
    println!(
        "{right} of {all} digits right, {each:.1?} each on {}",
        network.isa()
    );
    Ok(())
}

/// A digit of the picture, white on black, from 0 to 1.
fn digit(picture: &Picture, row: usize, column: usize) -> [f32; SIDE * SIDE] {
    std::array::from_fn(|pixel| {
        let (y, x) = (row * SIDE + pixel / SIDE, column * SIDE + pixel % SIDE);
        f32::from(picture.rgb()[3 * (y * picture.width() + x)]) / 255.0
    })
}
