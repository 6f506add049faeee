//! Speed of the micro-kernels on this machine: `cargo run --release -p cnnc-runtime --example kernel_speed [ISA]`.

use cnnc_runtime::Isa;
use cnnc_runtime::kernel::{bits, conv_kernel, conv_tiles};
use cnnc_runtime::peak::peak_gflops;
use std::ptr::null;
use std::time::{Duration, Instant};

fn main() {
    let isa = match std::env::args().nth(1) {
        Some(name) => name.parse().ok().filter(|isa: &Isa| isa.available()),
        None => Isa::detect().ok(),
    };
    let Some(isa) = isa else {
        eprintln!(
            "no such ISA here; known: {}",
            Isa::ALL.map(Isa::name).join(", ")
        );
        std::process::exit(2);
    };
    let peak = peak_gflops(isa);
    println!("{isa}: peak {peak:.1} GFLOP/s");
    for &(mr, nr) in conv_tiles(isa) {
        let rate = conv_3x3(isa, mr, nr, 28, 128, 128);
        println!(
            "conv_{mr}x{nr}v  28x28x128 -> 128: {rate:6.1} GFLOP/s, {:3.0} %",
            100.0 * rate / peak
        );
    }
}

/// GFLOP/s of a 3x3 convolution with halo, on the largest part of the picture that whole tiles cover.
fn conv_3x3(isa: Isa, mr: u8, nr: u8, size: usize, inputs: usize, outputs: usize) -> f64 {
    let Some(entry) = (conv_kernel(mr, nr).row().entry)(isa) else {
        return 0.0;
    };
    let (tiles, panel) = (size / usize::from(mr), usize::from(nr) * isa.lanes());
    let panels = outputs / panel;
    let row = (size + 2) * inputs;
    let x = vec![0.5f32; row * (size + 2)];
    let w = vec![0.25f32; 9 * inputs * panel * panels];
    let bias = vec![0.0f32; panel];
    let mut out = vec![0.0f32; size * size * outputs];
    let consts = [
        size,
        size * outputs,
        row,
        0,
        tiles,
        outputs,
        inputs,
        0,
        1,
        0,
        3,
        row,
        1,
        0,
        3 * inputs,
        panel,
        0,
    ]
    .map(|size| size as i64);
    let consts: Vec<i64> = consts
        .into_iter()
        .chain([bits(0.0), bits(f64::INFINITY), 0])
        .collect();
    let seconds = best(Duration::from_millis(60), || {
        for index in 0..panels {
            // SAFETY: the buffers above cover the footprint of these constants, and the ISA is available.
            unsafe {
                entry(
                    out.as_mut_ptr().add(index * panel),
                    x.as_ptr(),
                    w.as_ptr().add(index * 9 * inputs * panel),
                    bias.as_ptr(),
                    null(),
                    null(),
                    consts.as_ptr(),
                );
            }
        }
    });
    let macs = size * tiles * usize::from(mr) * 9 * inputs * panels * panel;
    2.0 * macs as f64 / seconds / 1e9
}

/// The shortest time of one run within the budget, in seconds.
fn best(budget: Duration, mut run: impl FnMut()) -> f64 {
    let start = Instant::now();
    let mut best = f64::INFINITY;
    while start.elapsed() < budget {
        let begin = Instant::now();
        run();
        best = best.min(begin.elapsed().as_secs_f64());
    }
    best
}
