//! The load program: the kernel calls that pack weights, and where in the packed weights each region is.
//!
//! ```text
//! section n0 conv1
//!   parallel for i0 in 0..4
//!     f32_pack_panels(b0[2352*i0], b1[2352*i0], b2[16*i0], b5[16*i0]; …)
//! ```
//! It is a program like any other, whose inputs are parameters and whose only output is the packed weights. Nothing changes
//! parameters while a network runs, so it is run once; what changes them will have the same calls in its own program.

use super::region::{Param, Region};
use crate::id::NodeId;
use crate::id::{Id, Map};
use crate::loops::{
    Access, Affine, Buffer, BufferId, Builder, Call, Place, Program, Section, Stmt, VarId,
};
use cnnc_runtime::Isa;
use cnnc_runtime::kernel::{Axis, FillCall};
use cnnc_runtime::plan::{Base, List, Pack, Pointer, Source};
use std::collections::HashMap;

/// Regions start at multiples of this many floats (one cache line).
const ALIGN: usize = 16;

/// The load program while it is written.
pub(super) struct Load {
    buffers: Map<BufferId, Buffer>,
    packed: BufferId,
    /// Number of tensors of the weights file; the parameters behind them are literals.
    sources: usize,
    builder: Builder,
    sections: Vec<Section>,
    len: usize,
    /// Where each region is; large as they are, a table that grows does not move them.
    known: HashMap<Box<Region>, usize>,
    literals: Literals,
}

/// Literal weights, equal ones once.
#[derive(Default)]
struct Literals {
    /// In the order in which they were asked for.
    values: Vec<List<f32>>,
    known: HashMap<Vec<u32>, usize>,
}

impl Load {
    pub fn new(sources: &[Source]) -> Load {
        let mut buffers = Map::new();
        let packed = buffers.push(Buffer {
            len: 0,
            place: Place::Output(0),
            name: "weights".into(),
        });
        for (index, source) in sources.iter().enumerate() {
            buffers.push(Buffer {
                len: source.shape.iter().product(),
                place: Place::Param(index),
                name: source.name.clone().into_owned(),
            });
        }
        Load {
            buffers,
            packed,
            sources: sources.len(),
            builder: Builder::default(),
            sections: Vec::new(),
            len: 0,
            known: HashMap::new(),
            literals: Literals::default(),
        }
    }

    /// Elements of all regions so far.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The parameter that has these values, again and again; at least `len` of its elements are used.
    pub fn literal(&mut self, values: &[f32], len: usize) -> Param {
        let bits: Vec<u32> = values.iter().map(|value| value.to_bits()).collect();
        let next = self.literals.values.len();
        let index = *self.literals.known.entry(bits).or_insert(next);
        let param = self.sources + index;
        if index == next {
            self.literals.values.push(values.to_vec().into());
            self.buffers.push(Buffer {
                len,
                place: Place::Param(param),
                name: format!("literal {index}"),
            });
        }
        let known = &mut self.buffers[buffer(param)].len;
        *known = len.max(*known);
        param as Param
    }

    /// Where a region is; it is packed in the name of the node that asks for it first.
    pub fn region(&mut self, region: Region, node: Option<NodeId>, label: &str) -> usize {
        // A `shared` sub-network asks again for what it has packed, and so do layers with the same literal weights.
        if let Some(&start) = self.known.get(&region) {
            return start;
        }
        let (start, len) = (self.len, region.len());
        let param = |param: Param| element(buffer(param as usize), 0);
        region.pack(&mut self.builder, &element(self.packed, start), &param);
        self.len += len.next_multiple_of(ALIGN);
        let gap = self.len - start - len;
        if gap > 0 {
            self.builder.call(Call::new(&FillCall {
                out: element(self.packed, start + len),
                axes: [Axis::ONCE; 3],
                run: gap,
                value: 0.0,
            }));
        }
        let body = self.builder.take();
        match self.sections.last_mut() {
            Some(section) if section.node == node && section.label == label => {
                section.body.extend(body);
            }
            _ => self.sections.push(Section {
                node,
                label: label.to_owned(),
                whole: false,
                body,
            }),
        }
        self.known.insert(Box::new(region), start);
        start
    }

    /// The program, and the literals that it reads.
    pub fn finish(mut self, name: &str, isa: Isa) -> (Program, Vec<List<f32>>) {
        let packed = self.packed;
        self.buffers[packed].len = self.len;
        let program = Program {
            name: name.to_owned(),
            isa,
            buffers: self.buffers,
            vars: self.builder.vars(),
            arena: 0,
            batch: 1,
            sections: self.sections,
        };
        (program, self.literals.values)
    }
}

/// The buffer of a parameter: they follow the packed weights.
fn buffer(param: usize) -> BufferId {
    BufferId::new(1 + param)
}

fn element(buffer: BufferId, at: usize) -> Access {
    Access {
        buffer,
        offset: Affine::constant(at as i64),
    }
}

/// The calls of a load program as plain data.
pub fn packing(load: &Program, sources: usize) -> Vec<Pack> {
    let mut packs = Vec::new();
    let bases = load.buffers.values().map(|buffer| match buffer.place {
        Place::Param(index) if index < sources => Base::Source(index as u32),
        Place::Param(index) => Base::Literal((index - sources) as u32),
        _ => Base::Packed,
    });
    let bases: Vec<Base> = bases.collect();
    for section in &load.sections {
        flatten(&section.body, &mut Vec::new(), &bases, &mut packs);
    }
    packs
}

fn flatten(body: &[Stmt], around: &mut Vec<(VarId, u32)>, bases: &[Base], packs: &mut Vec<Pack>) {
    for stmt in body {
        match stmt {
            Stmt::For(inner) => {
                around.push((inner.var, inner.trip));
                flatten(&inner.body, around, bases, packs);
                around.pop();
            }
            Stmt::Call(call) => {
                let args = call.args.iter().map(|arg| {
                    let Access { buffer, offset } = arg.as_ref()?;
                    let steps = around.iter().map(|&(var, _)| {
                        let terms = offset.terms.iter().filter(|(term, _)| *term == var);
                        terms.map(|&(_, coefficient)| coefficient).sum()
                    });
                    Some(Pointer {
                        base: bases[buffer.index()],
                        offset: offset.base,
                        steps: steps.collect(),
                    })
                });
                packs.push(Pack {
                    kernel: call.kernel,
                    trips: around.iter().map(|&(_, trip)| trip).collect(),
                    args: args.collect(),
                    consts: call.consts.clone().into(),
                });
            }
        }
    }
}
