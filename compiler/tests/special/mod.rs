//! Numbers on which arithmetic is easily wrong: NaN and infinities, the very small, and sums of very many.

mod activations;
mod norms;
mod planted;
mod sums;
mod zeros;

use crate::support::{interpreted, machine};
use cnnc_compiler::lower::Lowered;
use cnnc_runtime::Isa;

/// The ISAs that computations differ between: of `Portable16` only the plan does.
const ISAS: [Isa; 3] = [Isa::Avx512, Isa::Avx2, Isa::Portable];

/// What each engine makes of each of these inputs: the interpreter, and machine code where the ISA is available.
fn engines<const N: usize>(
    lowered: &Lowered,
    inputs: [&[Vec<f32>]; N],
) -> Vec<(&'static str, [Vec<Vec<f32>>; N])> {
    let mut results = vec![(
        "interpreted",
        inputs.map(|inputs| interpreted(lowered, inputs)),
    )];
    if cnnc_testing::has(lowered.plan.isa.available(), lowered.plan.isa) {
        results.push(("compiled", machine::compiled(lowered, inputs, 2)));
    }
    results
}
