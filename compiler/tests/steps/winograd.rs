//! Gradients of convolutions that Winograd's algorithm computes.

use crate::check::{SGD, check, check_on, train};
use cnnc_compiler::lower::lower_step;
use cnnc_compiler::target::{Arithmetic, Machine, Target};
use cnnc_runtime::Isa;

#[test]
fn convolutions_by_winograd_and_of_many_channels() {
    let body = "input x: 16x24x24; conv 3x3 32 relu; conv 3x3 16 relu; maxpool 2x2; conv 3x3 40 /2; globalavgpool; dense 5";
    check(body, &train(body, &SGD), 4);
}

/// Forward and in gradients of what is convolved, on tiles that hang over; weights' gradients are direct sums.
#[test]
fn convolutions_of_five_taps_by_winograd() {
    let machine = |isa| Machine {
        read: [0.01; 3],
        transforms_five: [1.0; 2],
        packing_five: 1.0,
        ..Machine::tiny(isa)
    };
    for (body, images) in [
        (
            "input x: 5x11x14; conv 5x5 16 pad half; conv 5x5 9; globalavgpool; dense 3",
            3,
        ),
        (
            "input x: 16x5x4; conv 5x5 16 pad half relu; a: conv 5x5 20 pad half tanh; b: conv 5x5 20 pad half bn; add(a, b); globalavgpool; dense 3",
            7,
        ),
    ] {
        let step = train(body, &SGD);
        check_on(machine, body, &step, images);
        let target = Target {
            machine: machine(Isa::Avx512),
            ..Target::new(Isa::Avx512, Arithmetic::Fast).batch(images)
        };
        let lowered = lower_step(&step.graph, &step.single, &step.state, &target);
        let mut notes = lowered.notes.iter();
        let five = notes.any(|note| note.applied && note.text.starts_with("F(2x2, 5x5)"));
        assert!(five, "{body}");
        let program = lowered.program.to_string();
        assert!(!program.contains("f32_winograd_filtergrad"), "{body}");
    }
}

/// Blocks of several images and of parts of one, images that no block is full of, sums for chunks and for all.
#[test]
fn gradients_of_weights_by_winograd() {
    let machine = |isa| Machine {
        transforms: [1.0, 1.0],
        ..Machine::tiny(isa)
    };
    for (picture, images) in [
        ("4x17x9", 5),
        ("4x24x24", 7),
        ("4x40x40", 2),
        ("7x9x17", 5),
        ("8x40x40", 2),
    ] {
        let body = format!(
            "input x: {picture}; conv 3x3 5 pad half; conv 3x3 4 pad 0; conv 3x3 7; globalavgpool; dense 3"
        );
        check_on(machine, &body, &train(&body, &SGD), images);
    }
    let body = "input x: 8x9x9; conv 3x3 44 pad half; globalavgpool; dense 3";
    let step = train(body, &SGD);
    check_on(machine, body, &step, 3);
    let target = Target {
        machine: machine(Isa::Avx512),
        ..Target::new(Isa::Avx512, Arithmetic::Fast).batch(3)
    };
    let lowered = lower_step(&step.graph, &step.single, &step.state, &target);
    assert!(
        lowered
            .program
            .to_string()
            .contains("f32_winograd_filtergrad")
    );
}
