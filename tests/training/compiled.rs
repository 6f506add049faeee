//! A step as machine code for this machine.

use cnnc::Isa;
use cnnc::compiler::jit::{self, Code};
use cnnc::compiler::lower::lower_step;
use cnnc::compiler::step::Step;
use cnnc::compiler::target::{Arithmetic, Target};
use cnnc::rt::session::{State, StepSession};
use ndarray::ArrayD;

/// The code, and what it changes.
pub struct Compiled {
    session: StepSession,
    stays: State,
    // Behind the session, which calls it.
    _code: Code,
}

/// f64 numbers as those of a program.
fn narrow<'a>(to: &mut [f32], values: impl Iterator<Item = &'a f64>) {
    to.iter_mut()
        .zip(values)
        .for_each(|(to, &x)| *to = x as f32);
}

impl Compiled {
    /// For a batch of images, with what stays as it begins.
    pub fn new(
        step: &Step,
        images: usize,
        arithmetic: Arithmetic,
        state: &[ArrayD<f64>],
    ) -> Compiled {
        let isa = Isa::detect().expect("an ISA");
        let target = Target::new(isa, arithmetic).batch(images);
        let lowered = lower_step(&step.graph, &step.single, &step.state, &target);
        let code = jit::compile(&lowered).expect("proven");
        // SAFETY: the program is proven for the plan, and the code outlives the session.
        let session = unsafe { StepSession::new(lowered.plan.clone(), code.drivers()[0]) };
        let mut stays = State::new(&lowered.plan.state).expect("memory");
        for (index, tensor) in state.iter().enumerate() {
            narrow(stays.tensor_mut(index), tensor.iter());
        }
        Compiled {
            session: session.expect("memory"),
            stays,
            _code: code,
        }
    }

    /// One step, on inputs for all images or of each.
    pub fn run(&mut self, inputs: &[Vec<ArrayD<f64>>]) {
        for (index, all) in inputs.iter().enumerate() {
            narrow(self.session.input_mut(index), all.iter().flatten());
        }
        self.session.run(&mut self.stays, None);
    }

    /// An output, of all images.
    pub fn output(&self, index: usize) -> Vec<f64> {
        self.session
            .output(index)
            .iter()
            .map(|&x| x.into())
            .collect()
    }

    /// What a tensor has become.
    pub fn tensor(&self, index: usize) -> Vec<f64> {
        self.stays.tensor(index).iter().map(|&x| x.into()).collect()
    }
}
