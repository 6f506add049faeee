//! Programs as the compiler lowers them.

use crate::loops::*;
use crate::lower::{lower, lower_step};
use crate::pass::optimize;
use crate::step::{Method, Optimizer, Recipe, Step};
use crate::target::{Arithmetic, Machine, Target};
use crate::{Files, compile_source};
use cnnc_runtime::Isa;

/// A network with every kind of join, as the compiler lowers it.
pub fn lowered() -> Program {
    let text = "cnn 1
    model Small {
        input image: 2x3x3
        c1: conv 3x3 9 pad half bn relu
        residual { conv 3x3 9 pad half }
        relu
        branch { conv 1x1 3; conv 3x3 5 pad half; maxpool 3x3 /1 pad 1 }
        depth: conv 3x3 17 pad half groups 17 bias off
        conv 1x1 8 /2
        globalavgpool
        out: dense 4
        head classify
    }";
    let model = compile_source(&mut Files::default(), "small.cnn", text);
    let (graph, _) = optimize(&model.unwrap().graph);
    lower(&graph, &Target::new(Isa::Portable, Arithmetic::Fast)).program
}

/// A convolution that is made of tiles which hang over, on a machine to which transforms cost nothing.
pub fn winograd(taps: usize) -> Program {
    let text =
        format!("cnn 1; model Tiles {{ input image: 1x3x3; conv {taps}x{taps} 2 pad half; relu }}");
    let model = compile_source(&mut Files::default(), "tiles.cnn", &text);
    let (graph, _) = optimize(&model.unwrap().graph);
    let isa = Isa::Portable;
    let free = Machine {
        transforms: [0.0; 2],
        transforms_five: [0.0; 2],
        product_entering: 0.0,
        direct_entering: 100.0,
        ..Machine::tiny(isa)
    };
    let target = Target {
        machine: free,
        ..Target::new(isa, Arithmetic::Fast)
    };
    let program = lower(&graph, &target).program;
    assert!(program.to_string().contains("f32_winograd_output"));
    program
}

/// A training step as the compiler lowers it, of so many images.
fn trained(body: &str, images: usize) -> Program {
    let text = format!("cnn 1\nmodel Small {{\n{body}\n}}\n");
    let model = compile_source(&mut Files::default(), "small.cnn", &text).unwrap();
    let optimizer = Optimizer {
        momentum: 0.9,
        ..Optimizer::new(Method::Sgd)
    };
    let recipe = Recipe {
        optimizer: &optimizer,
        trained: &|_| true,
        decayed: &|param| param.role != "bias",
    };
    let step = Step::classifier(&model.graph, &recipe).unwrap();
    let target = Target::new(Isa::Portable, Arithmetic::Fast).batch(images);
    lower_step(&step.graph, &step.single, &step.state, &target).program
}

pub fn step() -> Program {
    trained("input x: 2x3; conv 2 3 relu; flatten; dense 2", 1)
}

pub fn step_of_a_batch() -> Program {
    trained(
        "input x: 2x2; conv 1 3 bias off bn; flatten; dense 2 bias off",
        2,
    )
}
