//! The text of `dump --stage=loops`, and of `--stage=load`.
//!
//! ```text
//! LeNet5 for avx2: arena 9664, weights 62368
//!   b1: 784 at arena 0, image
//! section n0 c1
//!   parallel for i0 in 0..28
//!     f32_conv_4x1v(b2[168*i0], b1[32*i0], weights[0], weights[208], -;
//!       rows=1 out_row=168 …)
//! ```

use super::{Access, Buffer, Call, Place, Program, Stmt};
use cnnc_runtime::kernel::{Type, double, float};
use std::fmt::{self, Display, Formatter};

/// The program as text.
pub fn dump(program: &Program) -> String {
    program.to_string()
}

impl Display for Program {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let weights = |buffer: &&Buffer| buffer.place == Place::Weights;
        let packed = self.buffers.values().find(weights).map_or(0, |b| b.len);
        let Program {
            name, isa, arena, ..
        } = self;
        writeln!(f, "{name} for {isa}: arena {arena}, weights {packed}")?;
        for (id, Buffer { len, place, name }) in self.buffers.iter() {
            match place {
                Place::Weights => continue,
                Place::Arena(at) => write!(f, "  {id}: {len} at arena {at}")?,
                Place::Param(index) => write!(f, "  {id}: {len} at parameter {index}")?,
                Place::State(index) => write!(f, "  {id}: {len} at state {index}")?,
                Place::Input(index) => write!(f, "  {id}: {len} at input {index}")?,
                Place::Output(index) => write!(f, "  {id}: {len} at output {index}")?,
                Place::Between { index, whole } => {
                    let of = if *whole { "all images" } else { "one image" };
                    write!(f, "  {id}: {len} between runs {index}, of {of}")?;
                }
            }
            writeln!(f, ", {name}")?;
        }
        for section in &self.sections {
            match section.node {
                Some(node) => writeln!(f, "section {node} {}", section.label)?,
                None => writeln!(f, "section {}", section.label)?,
            }
            body(self, &section.body, 1, f)?;
        }
        Ok(())
    }
}

fn body(program: &Program, stmts: &[Stmt], depth: usize, f: &mut Formatter<'_>) -> fmt::Result {
    for stmt in stmts {
        write!(f, "{:1$}", "", 2 * depth)?;
        match stmt {
            Stmt::For(inner) => {
                let parallel = if inner.parallel { "parallel " } else { "" };
                writeln!(f, "{parallel}for {} in 0..{}", inner.var, inner.trip)?;
                body(program, &inner.body, depth + 1, f)?;
            }
            Stmt::Call(inner) => call(program, inner, depth, f)?,
        }
    }
    Ok(())
}

fn call(program: &Program, call: &Call, depth: usize, f: &mut Formatter<'_>) -> fmt::Result {
    let kernel = call.kernel.row();
    write!(f, "{}(", kernel.name)?;
    for (index, arg) in call.args.iter().enumerate() {
        f.write_str(if index == 0 { "" } else { ", " })?;
        match arg {
            Some(arg) => access(program, arg, f)?,
            None => f.write_str("-")?,
        }
    }
    write!(f, ";\n{:1$}", "", 2 * depth + 2)?;
    let declared = kernel.signature.constants();
    for (index, (&constant, declared)) in call.consts.iter().zip(declared).enumerate() {
        f.write_str(if index == 0 { "" } else { " " })?;
        write!(f, "{}=", declared.name)?;
        match declared.ty {
            Type::Float => write!(f, "{:?}", float(constant))?,
            Type::Double => write!(f, "{:?}", double(constant))?,
            _ => write!(f, "{constant}")?,
        }
    }
    writeln!(f, ")")
}

fn access(program: &Program, access: &Access, f: &mut Formatter<'_>) -> fmt::Result {
    match program
        .buffers
        .get(access.buffer)
        .map(|buffer| buffer.place)
    {
        Some(Place::Weights) => f.write_str("weights[")?,
        _ => write!(f, "{}[", access.buffer)?,
    }
    let offset = &access.offset;
    for (index, (var, coefficient)) in offset.terms.iter().enumerate() {
        f.write_str(if index == 0 { "" } else { " + " })?;
        match coefficient {
            1 => write!(f, "{var}")?,
            _ => write!(f, "{coefficient}*{var}")?,
        }
    }
    match (offset.base, offset.terms.is_empty()) {
        (0, false) => f.write_str("]"),
        (base, true) => write!(f, "{base}]"),
        (base, false) => write!(f, " + {base}]"),
    }
}
