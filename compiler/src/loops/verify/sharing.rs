//! Which buffers share memory while both are in use.

use super::digits::pay;
use super::linear::TooHard;
use super::reach::{Item, Shape};
use super::{Space, address, at};
use crate::loops::{BufferId, Place, Program};
use std::collections::{BTreeMap, HashMap};

/// Other buffers, and the address of this one's first element minus theirs.
type Others = Vec<(BufferId, i64)>;

/// For each buffer, those that a write through it may take something from.
#[derive(Default)]
pub(super) struct Sharing(HashMap<BufferId, Others>);

impl Sharing {
    /// The others that share memory with a buffer.
    pub fn with(&self, buffer: BufferId) -> &[(BufferId, i64)] {
        self.0.get(&buffer).map_or(&[], Vec::as_slice)
    }
}

/// A buffer in use.
#[derive(Clone, Copy)]
struct Use {
    buffer: BufferId,
    space: Space,
    /// Addresses: the first, and the one behind the last.
    from: i64,
    to: i64,
    /// Top-level statements: the first and the last that mention it.
    since: usize,
    until: usize,
}

impl Use {
    fn meets(&self, other: &Use) -> bool {
        self.space == other.space
            && self.from < other.to
            && other.from < self.to
            && self.since <= other.until
            && other.since <= self.until
    }
}

/// Sweeps over the program with the buffers in use, sorted by address: where no two share memory, which is always so
/// in programs that come from lowering, each is compared with its neighbours only.
pub(super) fn sharing(
    program: &Program,
    shape: &Shape,
    effort: &mut u64,
) -> Result<Sharing, TooHard> {
    let mut sharing = Sharing::default();
    // Those in use that are disjoint, by space and address; and those that met another one.
    let mut apart: BTreeMap<(Space, i64), Use> = BTreeMap::new();
    let mut crowded: Vec<Use> = Vec::new();
    for new in uses(program, shape) {
        crowded.retain(|other| other.until >= new.since);
        let below = apart
            .range((new.space, i64::MIN)..(new.space, new.to))
            .rev();
        let below: Vec<Use> = below
            .map(|(_, other)| *other)
            .take_while(|other| new.from < other.to)
            .collect();
        pay(effort, below.len() + crowded.len())?;
        let mut alone = true;
        for other in below.iter().chain(&crowded) {
            if new.meets(other) {
                alone = false;
                sharing
                    .0
                    .entry(new.buffer)
                    .or_default()
                    .push((other.buffer, new.from - other.from));
                sharing
                    .0
                    .entry(other.buffer)
                    .or_default()
                    .push((new.buffer, other.from - new.from));
            }
        }
        for gone in below.iter().filter(|other| other.until < new.since) {
            apart.remove(&(gone.space, gone.from));
        }
        if alone {
            apart.insert((new.space, new.from), new);
        } else {
            crowded.push(new);
        }
    }
    Ok(sharing)
}

/// All buffers that are used, by their first use.
fn uses(program: &Program, shape: &Shape) -> Vec<Use> {
    let mut uses: Vec<Option<Use>> = program.buffers.ids().map(|_| None).collect();
    let mut order = Vec::new();
    for (time, item) in shape.items.iter().enumerate() {
        let calls = match item {
            Item::Loop(inner) => inner.calls.clone(),
            Item::Call(call) => *call..*call + 1,
        };
        for reach in shape.calls[calls].iter().flat_map(|call| &call.reaches) {
            let known = &mut uses[at(reach.buffer)];
            if known.is_none() {
                order.push(reach.buffer);
            }
            let buffer = &program.buffers[reach.buffer];
            let (space, from) = address(buffer.place);
            let using = known.get_or_insert(Use {
                buffer: reach.buffer,
                space,
                from,
                to: from + buffer.len as i64,
                since: time,
                until: time,
            });
            using.until = match buffer.place {
                // In the end every output is looked at.
                Place::Output(_) => usize::MAX,
                _ => time,
            };
        }
    }
    order.into_iter().filter_map(|id| uses[at(id)]).collect()
}
