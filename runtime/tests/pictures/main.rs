//! Picture files: every kind of every format, what is refused and why, and what decoding takes.

mod broken;
mod kinds;
mod mutants;

use cnnc_testing::Counting;
use std::path::PathBuf;

#[global_allocator]
static MEMORY: Counting = Counting;

/// The folder of samples: small pictures of every kind.
fn samples() -> PathBuf {
    cnnc_testing::file("runtime/tests/data/pictures")
}

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(samples().join(name)).unwrap()
}
