//! What small programs are built of.

use crate::id::{Id, Map};
use crate::loops::*;
use cnnc_runtime::Isa;
use cnnc_runtime::kernel::{KernelId, bits};

/// A program without sections.
pub struct Build(pub Program);

pub fn build(arena: usize) -> Build {
    Build(Program {
        name: "test".into(),
        isa: Isa::Portable,
        buffers: Map::new(),
        vars: 0,
        arena,
        batch: 1,
        sections: Vec::new(),
    })
}

impl Build {
    pub fn buffer(&mut self, name: &str, place: Place, len: usize) -> BufferId {
        let name = name.into();
        self.0.buffers.push(Buffer { len, place, name })
    }

    pub fn repeat(
        &mut self,
        trip: u32,
        parallel: bool,
        body: impl FnOnce(&mut Self, VarId) -> Vec<Stmt>,
    ) -> Stmt {
        let var = VarId::new(self.0.vars);
        self.0.vars += 1;
        let body = body(self, var);
        Stmt::For(For {
            var,
            trip,
            parallel,
            body,
        })
    }

    pub fn section(&mut self, label: &str, body: Vec<Stmt>) {
        let label = label.into();
        self.0.sections.push(Section {
            node: None,
            label,
            whole: false,
            body,
        });
    }
}

pub fn to(buffer: BufferId, base: i64, terms: &[(VarId, i64)]) -> Option<Access> {
    let offset = Affine {
        base,
        terms: terms.to_vec(),
    };
    Some(Access { buffer, offset })
}

pub fn call(name: &str, args: &[Option<Access>], consts: &[i64]) -> Stmt {
    Stmt::Call(Call {
        kernel: KernelId::find(name).expect("a kernel"),
        args: args.to_vec(),
        consts: consts.to_vec(),
    })
}

/// `slope, hi` of no activation.
pub fn linear() -> [i64; 2] {
    [bits(1.0), bits(f64::INFINITY)]
}

pub fn fill(out: Option<Access>, rows: (i64, i64), run: i64) -> Stmt {
    call(
        "f32_fill",
        &[out],
        &[1, 0, 1, 0, rows.0, rows.1, run, bits(0.0)],
    )
}

/// `dims` of out and in, outermost first.
pub fn copy(out: Option<Access>, from: Option<Access>, dims: &[[i64; 3]]) -> Stmt {
    let mut consts = [1, 0, 0].repeat(5 - dims.len());
    consts.extend(dims.concat());
    call("f32_copy", &[out, from], &consts)
}

pub fn relu(out: Option<Access>, from: Option<Access>, rows: [i64; 3], run: i64) -> Stmt {
    let mut consts = vec![1, 0, 0];
    consts.extend(rows);
    consts.extend([run, 1, 2, bits(0.0)]);
    call("f32_map", &[out, from], &consts)
}

/// A program with an input and an output of `n` elements, and arena buffers of these places and lengths.
pub fn program(
    n: usize,
    arena: &[(usize, usize)],
    body: impl FnOnce(&mut Build, [BufferId; 2], &[BufferId]) -> Vec<Stmt>,
) -> Program {
    let end = arena.iter().map(|&(at, len)| at + len).max();
    let mut b = build(end.unwrap_or(0));
    let input = b.buffer("input", Place::Input(0), n);
    let output = b.buffer("output", Place::Output(0), n);
    let inner: Vec<BufferId> = arena
        .iter()
        .map(|&(at, len)| b.buffer("tensor", Place::Arena(at), len))
        .collect();
    let body = body(&mut b, [input, output], &inner);
    b.section("layer", body);
    b.0
}

/// Copies `n` elements.
pub fn run(out: Option<Access>, from: Option<Access>, n: i64) -> Stmt {
    copy(out, from, &[[n, 1, 1]])
}

/// A tensor of 40 elements is written, then changed by a parallel loop over `i0`, then copied to the output.
pub fn changed(trip: u32, body: impl FnOnce(&mut Build, VarId, BufferId) -> Vec<Stmt>) -> Program {
    program(40, &[(0, 40)], |b, [input, output], t| {
        let all = run(to(t[0], 0, &[]), to(input, 0, &[]), 40);
        let change = b.repeat(trip, true, |b, i| body(b, i, t[0]));
        vec![all, change, run(to(output, 0, &[]), to(t[0], 0, &[]), 40)]
    })
}
