//! Machine code of a graph, run once.

use super::packed;
use cnnc_compiler::jit;
use cnnc_compiler::lower::Lowered;
use cnnc_runtime::input::Input;
use cnnc_runtime::session::{Network, Session, session_bytes_on};
use std::sync::Arc;

/// Compiles loops, with synthetic weights, and runs them on each of these inputs, in memory that is full of NaN before.
pub fn compiled<const N: usize>(
    lowered: &Lowered,
    inputs: [&[Vec<f32>]; N],
    threads: usize,
) -> [Vec<Vec<f32>>; N] {
    let code = jit::compile(lowered).expect("the ISA is available");
    let packed = packed(lowered);
    let drivers = code.drivers().to_vec();
    let plan = lowered.plan.clone();
    // SAFETY: the code was compiled, hence proven, for this plan, and is kept by the network.
    let network = unsafe { Network::new(plan, packed, &drivers, Some(Box::new(code))) };
    let mut arena = vec![0xFF; session_bytes_on(network.plan(), threads)];
    let mut session = Session::new_in(Arc::new(network), &mut arena, threads).expect("memory");
    inputs.map(|inputs| {
        let inputs: Vec<&dyn Input> = inputs.iter().map(|input| input as &dyn Input).collect();
        let outputs = session.run(&inputs).expect("inputs of these lengths");
        outputs.iter().map(|(_, data)| data.to_vec()).collect()
    })
}
