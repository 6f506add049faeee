//! Small programs written by hand, and what it takes to run them.

use cnnc_compiler::id::{Id, Map};
use cnnc_compiler::jit::Code;
use cnnc_compiler::loops::{
    Access, Affine, Buffer, BufferId, Call, For, Place, Program, Section, Stmt, VarId,
};
use cnnc_compiler::lower::Lowered;
use cnnc_runtime::Isa;
use cnnc_runtime::kernel::{CopyCall, Move};
use cnnc_runtime::plan::{Plan, Port, Run};
use cnnc_runtime::session::{Network, Session};
use std::sync::Arc;

/// A network of one input, one output and an arena of one buffer, with these sections.
pub fn network(
    isa: Isa,
    input: usize,
    arena: usize,
    output: usize,
    sections: Vec<Vec<Stmt>>,
) -> Lowered {
    let mut buffers = Map::new();
    let mut buffer = |len: usize, place: Place, name: &str| {
        let name = name.to_owned();
        buffers.push(Buffer { len, place, name })
    };
    buffer(input, Place::Input(0), "input");
    buffer(arena, Place::Arena(0), "arena");
    buffer(output, Place::Output(0), "output");
    let port = |name: &str, len: usize| Port {
        name: name.to_owned().into(),
        shape: vec![len].into(),
    };
    let sections = sections
        .into_iter()
        .enumerate()
        .map(|(index, body)| Section {
            node: None,
            label: format!("part{index}"),
            whole: false,
            body,
        });
    let program = Program {
        name: "hand".into(),
        isa,
        buffers,
        vars: 8,
        arena,
        batch: 1,
        sections: sections.collect(),
    };
    let plan = Plan {
        name: "hand".into(),
        isa,
        arena,
        packed: 0,
        sources: vec![].into(),
        literals: vec![].into(),
        packing: vec![].into(),
        inputs: vec![port("input", input)].into(),
        outputs: vec![port("output", output)].into(),
        batch: 1,
        between: vec![].into(),
        state: vec![].into(),
        runs: vec![Run::Each; program.runs().len()].into(),
    };
    let mut nothing = Map::new();
    nothing.push(Buffer {
        len: 0,
        place: Place::Output(0),
        name: "weights".into(),
    });
    let load = Program {
        buffers: nothing,
        vars: 0,
        arena: 0,
        sections: Vec::new(),
        ..program.clone()
    };
    Lowered {
        results: vec![None; program.sections.len()],
        program,
        load,
        plan,
        notes: Vec::new(),
        choices: Vec::new(),
    }
}

/// A pointer into the input of [`network`]: `base + Σ coefficient · variable`.
pub fn input(base: i64, terms: &[(usize, i64)]) -> Access {
    access(0, base, terms)
}

/// A pointer into the arena's buffer.
pub fn arena(base: i64, terms: &[(usize, i64)]) -> Access {
    access(1, base, terms)
}

/// A pointer into the output.
pub fn output(base: i64, terms: &[(usize, i64)]) -> Access {
    access(2, base, terms)
}

fn access(buffer: usize, base: i64, terms: &[(usize, i64)]) -> Access {
    let terms = terms
        .iter()
        .map(|&(var, coefficient)| (VarId::new(var), coefficient));
    Access {
        buffer: BufferId::new(buffer),
        offset: Affine {
            base,
            terms: terms.collect(),
        },
    }
}

/// `for var in 0..trip`
pub fn repeat(var: usize, trip: u32, body: Vec<Stmt>) -> Stmt {
    let (var, parallel) = (VarId::new(var), false);
    Stmt::For(For {
        var,
        trip,
        parallel,
        body,
    })
}

/// `parallel for var in 0..trip`
pub fn parallel(var: usize, trip: u32, body: Vec<Stmt>) -> Stmt {
    let (var, parallel) = (VarId::new(var), true);
    Stmt::For(For {
        var,
        trip,
        parallel,
        body,
    })
}

/// Copies `run` elements.
pub fn copy(to: Access, from: Access, run: i64) -> Stmt {
    let mut axes = [Move::ONCE; 5];
    axes[4] = Move {
        count: run as usize,
        out: 1,
        from: 1,
    };
    Stmt::Call(Call::new(&CopyCall {
        out: to,
        x: from,
        axes,
        flush: false,
    }))
}

/// Runs machine code once.
pub fn run(
    lowered: &Lowered,
    code: &Code,
    packed: &[f32],
    input: &[f32],
    threads: usize,
) -> Vec<Vec<f32>> {
    let (plan, drivers) = (lowered.plan.clone(), code.drivers());
    // SAFETY: the code was compiled, hence proven, for this plan, and is kept by the network.
    let network =
        unsafe { Network::new(plan, packed.to_vec(), drivers, Some(Box::new(code.clone()))) };
    let mut session = Session::new(Arc::new(network), threads).expect("memory");
    let outputs = session.run(&[&input]).expect("an input of that length");
    outputs.iter().map(|(_, data)| data.to_vec()).collect()
}
