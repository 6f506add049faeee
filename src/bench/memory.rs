//! The arena over time: which tensors are where while a network runs.

use crate::{Error, Model, Options};
use cnnc_compiler::id::Map;
use cnnc_compiler::loops::{Buffer, BufferId, Place, Stmt};
use std::collections::BTreeMap;

/// What the arena holds, section by section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Bytes of the arena.
    pub bytes: usize,
    /// Labels of the sections, in order.
    pub sections: Vec<String>,
    /// What lies in the arena, in the order in which it is first mentioned.
    pub blocks: Vec<Block>,
}

/// A stretch of the arena while a tensor, or scratch memory, is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What it holds.
    pub name: String,
    /// Where it begins, in bytes.
    pub offset: usize,
    /// How long it is, in bytes.
    pub bytes: usize,
    /// The first section that mentions it.
    pub first: usize,
    /// The last one.
    pub last: usize,
}

/// Where tensors are while the network runs that is compiled in this way.
///
/// # Errors
/// When no ISA can be chosen.
pub fn memory(model: &Model, options: &Options) -> Result<Memory, Error> {
    let program = model.lower(options)?.program;
    let mut lives: BTreeMap<BufferId, (usize, usize)> = BTreeMap::new();
    for (time, section) in program.sections.iter().enumerate() {
        mention(&section.body, &mut |buffer| {
            lives.entry(buffer).or_insert((time, time)).1 = time;
        });
    }
    let sections = program.sections.iter();
    Ok(Memory {
        bytes: program.arena * size_of::<f32>(),
        sections: sections.map(|section| section.label.clone()).collect(),
        blocks: blocks(&program.buffers, &lives),
    })
}

fn blocks(
    buffers: &Map<BufferId, Buffer>,
    lives: &BTreeMap<BufferId, (usize, usize)>,
) -> Vec<Block> {
    let blocks = lives.iter().filter_map(|(&id, &(first, last))| {
        let buffer = &buffers[id];
        let Place::Arena(offset) = buffer.place else {
            return None;
        };
        Some(Block {
            name: buffer.name.clone(),
            offset: offset * size_of::<f32>(),
            bytes: buffer.len * size_of::<f32>(),
            first,
            last,
        })
    });
    let mut blocks: Vec<Block> = blocks.collect();
    blocks.sort_by_key(|block| (block.first, block.offset));
    blocks
}

fn mention(body: &[Stmt], see: &mut dyn FnMut(BufferId)) {
    for stmt in body {
        match stmt {
            Stmt::For(inner) => mention(&inner.body, see),
            Stmt::Call(call) => {
                let args = call.args.iter().flatten();
                args.for_each(|access| see(access.buffer));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing that lives at the same time overlaps, and all is within the arena.
    #[test]
    fn what_lives_together_lies_apart() {
        let text = "cnn 1; model Net { input x: 3x16x16; conv 3x3 8 relu; conv 3x3 8 relu; maxpool 2x2 /2; conv 3x3 4; globalavgpool }";
        let model = crate::compile_str("net", text).unwrap();
        let memory = memory(&model, &Options::new()).unwrap();
        assert!(memory.blocks.len() > 3, "{memory:?}");
        for (index, a) in memory.blocks.iter().enumerate() {
            assert!(a.offset + a.bytes <= memory.bytes && a.last < memory.sections.len());
            for b in &memory.blocks[..index] {
                let in_time = a.first <= b.last && b.first <= a.last;
                let in_space = a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
                assert!(!(in_time && in_space), "{a:?} {b:?}");
            }
        }
    }
}
