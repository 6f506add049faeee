//! Generated Rust and machine code give the same bits for the same ISA: they are two prints of one program.

use crate::models;
use crate::shared::{model, say};
use cnnc::rt::synthetic::Synthetic;
use cnnc::{Isa, Options, Weights};
use std::process::Command;

/// A test per network, for the ISA that this process detects, which is also what the generated code chooses.
macro_rules! networks {
    ($($network:ident)*) => {
        mod detected {
            use super::*;
            $(
                #[test]
                fn $network() {
                    same_bits(stringify!($network), models::$network);
                }
            )*
        }
    };
}

networks! { lenet5 alexnet resnet18 resnet50 squeezenet1_1 googlenet mobilenet_v2 m5 mobilenet_v3_small convnext_block fast_style }

fn same_bits(name: &str, generated: models::Run) {
    let network = model(name)
        .jit(&Weights::synthetic(), &Options::new())
        .expect("synthetic weights fit");
    let input = Synthetic::input("input").values(network.inputs()[0].elements());
    let generated = generated(&[&input]);
    let mut session = network.session().expect("enough memory");
    let compiled = session.run(&[&input]).expect("an input of that size").raw();
    let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(
        bits(compiled),
        bits(&generated),
        "{name} on {}",
        network.isa()
    );
}

/// Runs the tests above once more for every other ISA of this machine, each in a process that detects it.
#[test]
fn on_every_isa() {
    let here = Isa::detect().expect("an ISA");
    for isa in Isa::ALL.into_iter().filter(|&isa| isa != here) {
        if !isa.available() {
            say(&format!(
                "SKIPPED: generated code on {isa}, which this machine lacks"
            ));
            continue;
        }
        let this = std::env::current_exe().expect("a test binary");
        let tests = Command::new(this)
            .arg("same_bits::detected::")
            .env("CNNC_ISA", isa.name())
            .output();
        let tests = tests.expect("the test binary runs");
        let said = String::from_utf8_lossy(&tests.stdout);
        assert!(
            tests.status.success() && said.contains("11 passed"),
            "{isa}: {said}"
        );
    }
}
