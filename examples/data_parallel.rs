//! Two trainers that share a batch: each computes the gradients of its half, both apply the mean of all, and stay what one trainer on the whole batch is.
//!
//! ```sh
//! cargo run --release -p cnnc --example data_parallel
//! ```

use cnnc::train::{Recipe, Targets, Trainer};

const SPEC: &str = "cnn 1
model Spots {
  defaults { pad half }
  input x: 1x8x8
  conv 3x3 8 /2 relu
  conv 3x3 16 /2 relu
  flatten
  dense 4
  head classify
}
";
const STEPS: u64 = 50;
const BATCH: usize = 32;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let model = cnnc::compile_str("spots", SPEC)?;
    let recipe = Recipe {
        batch: BATCH,
        ..Recipe::default()
    };
    // All begin with the same values, which are a function of the seed.
    let mut one = Trainer::new(&model, &recipe)?;
    let mut machines = [
        Trainer::new(&model, &recipe)?,
        Trainer::new(&model, &recipe)?,
    ];
    let mut losses = [0.0; 2];
    for step in 0..STEPS {
        let (inputs, labels) = batch(step);
        let rate = recipe.rate_of(step, STEPS);
        losses[usize::from(step > 0)] = one.step(&inputs, &labels, rate)?.loss;
        // Shares need not be equal: each sample counts as much as any other.
        let cut = 20;
        let (_, mut mean) =
            machines[0].gradients(&inputs[..64 * cut], Targets::Classes(&labels[..cut]))?;
        let (_, other) =
            machines[1].gradients(&inputs[64 * cut..], Targets::Classes(&labels[cut..]))?;
        // This is what goes over a network.
        mean.merge(&other)?;
        for machine in &mut machines {
            machine.apply(&mean, rate)?;
        }
    }
    let values = |trainer: &Trainer| -> Vec<f32> {
        let tensors = trainer.tensors();
        tensors.flat_map(|(_, values)| values.to_vec()).collect()
    };
    let (whole, halves) = (values(&one), machines.each_ref().map(values));
    assert!(halves[0] == halves[1], "both machines have the same bits");
    let far = whole
        .iter()
        .zip(&halves[0])
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max);
    println!("{STEPS} steps: loss {:.4} -> {:.4}", losses[0], losses[1]);
    println!(
        "both machines have the same bits; one trainer on whole batches differs by {far:.1e} at most"
    );
    assert!(far < 1e-4, "sums in another order differ by rounding only");
    Ok(())
}

/// Pictures whose class is the quarter that is bright.
fn batch(step: u64) -> (Vec<f32>, Vec<u32>) {
    let mut inputs = Vec::new();
    let mut labels = Vec::new();
    for sample in 0..BATCH as u64 {
        let number = (step * BATCH as u64 + sample).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let class = (number >> 62) as u32;
        labels.push(class);
        for pixel in 0..64_u64 {
            let noise = (number.rotate_left(pixel as u32) & 255) as f32 / 255.0;
            let quarter = pixel / 32 * 2 + pixel % 8 / 4;
            inputs.push(
                noise
                    + if quarter == u64::from(class) {
                        0.5
                    } else {
                        0.0
                    },
            );
        }
    }
    (inputs, labels)
}
