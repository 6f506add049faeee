//! Programs whose machine code has the bits of their loops.

use cnnc_compiler::loops::{Program, Stmt};
use cnnc_runtime::kernel::Step;

/// Whether every kernel that the program calls gives the same bits as its twin.
pub fn exact(program: &Program) -> bool {
    program
        .sections
        .iter()
        .all(|section| exact_body(&section.body))
}

fn exact_body(body: &[Stmt]) -> bool {
    body.iter().all(|stmt| match stmt {
        Stmt::For(inner) => exact_body(&inner.body),
        Stmt::Call(call) => {
            let row = call.kernel.row();
            let steps = (row.name == "f32_map").then(|| &call.consts[8..]);
            let plain = |steps: &[i64]| {
                let mut steps = steps
                    .chunks_exact(2)
                    .filter_map(|pair| Step::decode(pair[0], pair[1]));
                !steps.any(|step| step.approximate())
            };
            row.exact || steps.is_some_and(plain)
        }
    })
}
