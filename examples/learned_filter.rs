//! The course's third lecture: a filter need not be designed. A 3x3 convolution sees a photograph in tiles, and beside each what Sobel's filter for upright edges makes of it;
//! the squared error alone leads it to Sobel's nine numbers.
//!
//! ```sh
//! cargo run --release -p cnnc --example learned_filter [PICTURE]
//! ```

use cnnc::rt::image::Picture;
use cnnc::train::{Recipe, Targets, Trainer};
use std::error::Error;
use std::path::{Path, PathBuf};

/// Neighbours in a photograph are nearly equal, so that what tells them apart is learned slowly: the momentum is high.
const SPEC: &str = "cnn 1
model Filter {
  input tile: 1x16x16
  edges: conv 3x3 1 pad valid bias off
  head image
  train {
    loss squared
    optimizer sgd { momentum 0.99 nesterov  decay 0 }
    rate 0.05 { warmup 0  cosine }
    batch 64
  }
}
";
const SIDE: usize = 16;
const INNER: usize = SIDE - 2;
const BATCH: usize = 64;
const STEPS: u64 = 1500;
const SOBEL: [f32; 9] = [-1.0, 0.0, 1.0, -2.0, 0.0, 2.0, -1.0, 0.0, 1.0];

fn main() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = std::env::args_os()
        .nth(1)
        .map_or_else(|| here.join("examples/data/chelsea.png"), PathBuf::from);
    let tiles = tiles(&Picture::open(&path)?);
    if tiles.is_empty() {
        return Err(format!("{}: smaller than {SIDE}x{SIDE}", path.display()).into());
    }
    let model = cnnc::compile_str("filter", SPEC)?;
    let recipe = Recipe::of(&model);
    let mut trainer = Trainer::new(&model, &recipe)?;
    for step in 0..STEPS {
        let mut inputs = Vec::new();
        let mut targets = Vec::new();
        for sample in 0..BATCH as u64 {
            let number = (step * BATCH as u64 + sample).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let tile = &tiles[(number >> 32) as usize % tiles.len()];
            inputs.extend(tile);
            targets.extend(filtered(tile));
        }
        let rate = recipe.rate_of(step, STEPS);
        let done = trainer.step_targets(&inputs, Targets::Numbers(&targets), rate)?;
        if step % 250 == 0 {
            println!("step {step:>5}: mean squared error {:.1e}", done.loss);
        }
    }
    let (_, learned) = trainer.tensors().next().ok_or("the filter")?;
    println!("\n{:<28}Sobel's", "learned");
    for (found, want) in learned.chunks(3).zip(SOBEL.chunks(3)) {
        let row = |numbers: &[f32]| -> String {
            let numbers = numbers.iter().map(|number| format!("{number:>8.4}"));
            numbers.collect()
        };
        println!("{:<28}{}", row(found), row(want));
    }
    let apart = learned
        .iter()
        .zip(SOBEL)
        .map(|(found, want)| (found - want).abs());
    let apart = apart.fold(0.0, f32::max);
    println!("\nno number is further than {apart:.1e} from Sobel's");
    assert!(apart <= 1e-3, "the filter has not been found");
    Ok(())
}

/// Tiles of the photograph's brightness, in deviations from its mean.
fn tiles(picture: &Picture) -> Vec<[f32; SIDE * SIDE]> {
    let (width, height) = (picture.width(), picture.height());
    let grey: Vec<f32> = picture
        .rgb()
        .chunks(3)
        .map(|pixel| pixel.iter().map(|&byte| f32::from(byte)).sum::<f32>() / 3.0)
        .collect();
    let mean = grey.iter().sum::<f32>() / grey.len() as f32;
    let squares = grey.iter().map(|value| (value - mean).powi(2)).sum::<f32>();
    let deviation = (squares / grey.len() as f32).sqrt().max(1e-3);
    let mut tiles = Vec::new();
    for top in (0..(height + 1).saturating_sub(SIDE)).step_by(INNER) {
        for left in (0..(width + 1).saturating_sub(SIDE)).step_by(INNER) {
            tiles.push(std::array::from_fn(|at| {
                let pixel = (top + at / SIDE) * width + left + at % SIDE;
                (grey[pixel] - mean) / deviation
            }));
        }
    }
    tiles
}

/// What Sobel's filter makes of a tile.
fn filtered(tile: &[f32; SIDE * SIDE]) -> Vec<f32> {
    let places = (0..INNER).flat_map(|row| (0..INNER).map(move |column| row * SIDE + column));
    places
        .map(|corner| {
            let taps = SOBEL.iter().enumerate();
            taps.map(|(tap, weight)| weight * tile[corner + tap / 3 * SIDE + tap % 3])
                .sum()
        })
        .collect()
}
