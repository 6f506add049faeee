//! The arena: which buffers may share memory, and where each goes.
//!
//! A buffer lives from the first section that mentions it to the last. Buffers are placed largest first
//! at the lowest offset that meets no other buffer alive at the same time.

use crate::id::Map;
use crate::loops::{Buffer, BufferId, Place, Section, Stmt};
use std::collections::HashMap;

/// Offsets are multiples of this many floats (one cache line).
const ALIGN: usize = 16;

/// Places every arena buffer and returns the arena's length in floats.
pub(super) fn place(buffers: &mut Map<BufferId, Buffer>, sections: &[Section]) -> usize {
    let mut alive: HashMap<BufferId, (usize, usize)> = HashMap::new();
    for (time, section) in sections.iter().enumerate() {
        mention(&section.body, &mut |buffer| {
            let life = alive.entry(buffer).or_insert((time, time));
            life.1 = time;
        });
    }
    let mut waiting: Vec<BufferId> = alive
        .keys()
        .copied()
        .filter(|&id| matches!(buffers[id].place, Place::Arena(_)))
        .collect();
    waiting.sort_by_key(|&id| (std::cmp::Reverse(buffers[id].len), id));
    let mut placed: Vec<(usize, usize, (usize, usize))> = Vec::new();
    let mut arena = 0;
    for id in waiting {
        let (len, life) = (buffers[id].len.next_multiple_of(ALIGN), alive[&id]);
        let mut offset = 0;
        // `placed` is sorted by offset: slide past everything that is in the way.
        for &(from, to, other) in &placed {
            let meets = life.0 <= other.1 && other.0 <= life.1;
            if meets && offset < to && from < offset + len {
                offset = to;
            }
        }
        buffers[id].place = Place::Arena(offset);
        arena = arena.max(offset + len);
        let at = placed.partition_point(|&(from, ..)| from < offset);
        placed.insert(at, (offset, offset + len, life));
    }
    arena
}

fn mention(body: &[Stmt], see: &mut impl FnMut(BufferId)) {
    for stmt in body {
        match stmt {
            Stmt::For(inner) => mention(&inner.body, see),
            Stmt::Call(call) => call
                .args
                .iter()
                .flatten()
                .for_each(|access| see(access.buffer)),
        }
    }
}
