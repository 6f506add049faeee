//! The arena: which buffers may share memory, and where each goes.
//!
//! A buffer lives from the first section that mentions it to the last. Buffers are placed largest first
//! at the lowest offset that meets no other buffer alive at the same time.
//!
//! Memory that is taken is kept in a segment tree over time, so that a life is a few nodes of it and no two buffers are compared:
//!
//! ```text
//! sections    0   1   2   3   4   5   6   7
//!             [-------------------------------]
//!             [---------------]
//!             [-------][------][------][------]
//!             [--][--][--][--][--][--][--][--]
//! life 1…5        [--][------][------]              what it takes is noted in these nodes, and above them
//! ```

use crate::id::Map;
use crate::loops::{Buffer, BufferId, Place, Section, Stmt};
use std::collections::{BTreeMap, HashMap};

/// Offsets are multiples of this many floats (one cache line).
const ALIGN: usize = 16;

/// First and last section.
type Life = (usize, usize);

/// Places every arena buffer and returns the arena's length in floats.
pub(super) fn place(buffers: &mut Map<BufferId, Buffer>, sections: &[Section]) -> usize {
    let mut alive: HashMap<BufferId, Life> = HashMap::new();
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
    let mut memory = Memory::new(sections.len());
    let mut arena = 0;
    for id in waiting {
        let len = buffers[id].len.next_multiple_of(ALIGN);
        let offset = memory.place(len, alive[&id]);
        buffers[id].place = Place::Arena(offset);
        arena = arena.max(offset + len);
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

/// Stretches of memory: disjoint, neighbours merged, the end by the start.
#[derive(Clone, Default)]
struct Taken(BTreeMap<usize, usize>);

impl Taken {
    fn add(&mut self, mut from: usize, mut to: usize) {
        while let Some((&start, &end)) = self.0.range(..=to).next_back() {
            if end < from {
                break;
            }
            (from, to) = (from.min(start), to.max(end));
            self.0.remove(&start);
        }
        self.0.insert(from, to);
    }

    /// The end of the last stretch that meets `from..to`.
    fn beyond(&self, from: usize, to: usize) -> Option<usize> {
        let (_, &end) = self.0.range(..to).next_back()?;
        (end > from).then_some(end)
    }
}

/// A node of the segment tree.
#[derive(Clone, Default)]
struct Span {
    /// What is taken by lives of which this span is a part.
    here: Taken,
    /// That, and what is taken in the spans below.
    within: Taken,
}

/// What is taken, over time.
struct Memory {
    /// The tree: node `n` has the children `2n` and `2n + 1`; the root is 1.
    spans: Vec<Span>,
    /// Sections of the root's span.
    width: usize,
}

/// The part that a node of the tree has in a life.
enum Part {
    /// The life is inside the node's span, or laps over one of its ends.
    Above,
    /// The node's span is one of those that the life is made of.
    Whole,
}

impl Memory {
    fn new(sections: usize) -> Memory {
        let width = sections.max(1).next_power_of_two();
        Memory {
            spans: vec![Span::default(); 2 * width],
            width,
        }
    }

    /// Takes the lowest `len` floats that are free during the life.
    fn place(&mut self, len: usize, life: Life) -> usize {
        let mut nodes = Vec::new();
        parts(life, (1, 0, self.width), &mut nodes);
        let mut offset = 0;
        loop {
            let before = offset;
            for (node, part) in &nodes {
                let taken = match part {
                    Part::Above => &self.spans[*node].here,
                    Part::Whole => &self.spans[*node].within,
                };
                offset = taken.beyond(offset, offset + len).unwrap_or(offset);
            }
            if offset == before {
                break;
            }
        }
        for (node, part) in nodes {
            let span = &mut self.spans[node];
            span.within.add(offset, offset + len);
            if let Part::Whole = part {
                span.here.add(offset, offset + len);
            }
        }
        offset
    }
}

/// Every node that has a part in the life, from `(node, first section, sections)` down.
fn parts(life: Life, (node, first, width): (usize, usize, usize), found: &mut Vec<(usize, Part)>) {
    let last = first + width - 1;
    if last < life.0 || life.1 < first {
        return;
    }
    if life.0 <= first && last <= life.1 {
        found.push((node, Part::Whole));
        return;
    }
    found.push((node, Part::Above));
    let half = width / 2;
    parts(life, (2 * node, first, half), found);
    parts(life, (2 * node + 1, first + half, half), found);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition: the lowest offset at which no buffer is met that is alive at the same time.
    fn lowest(len: usize, life: Life, placed: &[(usize, usize, Life)]) -> usize {
        let meets = |offset: usize| {
            placed.iter().any(|&(from, to, other)| {
                let together = life.0 <= other.1 && other.0 <= life.1;
                together && offset < to && from < offset + len
            })
        };
        let ends = placed.iter().map(|&(_, to, _)| to);
        let mut candidates: Vec<usize> = ends.chain([0]).filter(|&at| !meets(at)).collect();
        candidates.sort_unstable();
        candidates[0]
    }

    cnnc_testing::properties! {
        fn buffers_go_where_the_definition_says(
            buffers in prop::collection::vec((1usize..20, 0usize..13, 0usize..13), 1..40),
        ) for 256 {
            let mut memory = Memory::new(13);
            let mut placed: Vec<(usize, usize, Life)> = Vec::new();
            for (len, a, b) in buffers {
                let life = (a.min(b), a.max(b));
                let offset = memory.place(len, life);
                prop_assert_eq!(offset, lowest(len, life, &placed));
                placed.push((offset, offset + len, life));
            }
        }
    }
}
