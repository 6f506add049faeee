//! Batches: which layers compute all images at once, and where tensors are that cross from run to run.
//!
//! A network is run image by image, in the memory of one: its activations stay in the cache, and all images are computed by the same
//! loops. A layer that takes as long as its weights take to be read ([`Layer::reads_once`](crate::layer::Layer::reads_once)) is worth
//! more when it reads them once for all images; it sees each of them as a pixel. What it reads and writes then has a place for every image:
//!
//! ```text
//! for each image:  input … conv5  pool5 ──▶│          between, N × 9216
//! once:                                    │──▶ fc6  fc7  fc8 ──▶│        between, N × 1000
//! for each image:                                                │──▶ softmax  output
//! ```

use super::windows::concat_windows;
use super::{Lower, Storage};
use crate::id::ValueId;
use crate::loops::{Buffer, Place};
use crate::note::Note;
use std::collections::{BTreeMap, HashMap, HashSet};

impl Lower<'_> {
    /// Decides which nodes are computed for all images at once.
    pub(super) fn choose_whole(&mut self) {
        if self.batch == 1 {
            return;
        }
        let windows = concat_windows(self.graph);
        let parents = windows.values().map(|&(parent, _)| parent);
        let joined: HashSet<ValueId> = windows.keys().copied().chain(parents).collect();
        let whole = self.graph.live().filter(|(_, node)| {
            let inferred = &node.inferred;
            let values = || node.inputs.iter().chain([&node.output]);
            node.layer.reads_once()
                && inferred.macs as usize > self.machine.near
                && inferred.output.spatial().iter().all(|&extent| extent == 1)
                && values().all(|value| !joined.contains(value))
        });
        self.whole = whole.map(|(id, _)| id).collect();
        for (_, node) in self.graph.live().filter(|(id, _)| self.whole.contains(id)) {
            self.notes.push(Note {
                pass: "batch",
                label: node.label.clone(),
                applied: true,
                text: format!(
                    "computed for all {} images at once: its weights are read once",
                    self.batch
                ),
            });
        }
    }

    /// Gives the tensors that layers for all images read and write a place for each image, once those of one image are placed.
    pub(super) fn place_batch(&mut self) {
        if self.whole.is_empty() {
            return;
        }
        let mut uses: BTreeMap<ValueId, Vec<(usize, bool)>> = BTreeMap::new();
        let (mut run, mut before) = (0, false);
        for input in &self.graph.inputs {
            uses.entry(input.value).or_default().push((0, false));
        }
        for (id, node) in self.graph.live() {
            let whole = self.whole.contains(&id);
            run += usize::from(whole != before);
            before = whole;
            for &value in node.inputs.iter().chain([&node.output]) {
                uses.entry(value).or_default().push((run, whole));
            }
        }
        run += usize::from(before);
        for output in &self.graph.outputs {
            uses.entry(output.value).or_default().push((run, false));
        }
        // Windows of one buffer cross together.
        let mut crossing: HashMap<_, usize> = HashMap::new();
        let mut runs_of: HashMap<_, HashSet<usize>> = HashMap::new();
        for (value, uses) in &uses {
            let runs = runs_of.entry(self.storage[value].buffer).or_default();
            runs.extend(uses.iter().map(|&(run, _)| run));
        }
        for (value, uses) in uses {
            let one = self.storage[&value].clone();
            if runs_of[&one.buffer].len() > 1 && !crossing.contains_key(&one.buffer) {
                let index = self.between.len();
                crossing.insert(one.buffer, index);
                self.between.push(self.buffers[one.buffer].len);
                self.buffers[one.buffer].place = Place::Between {
                    index,
                    whole: false,
                };
            }
            if uses.iter().any(|&(_, whole)| whole) {
                let all = self.of_all(&one, crossing.get(&one.buffer).copied());
                self.batched.insert(value, all);
            }
        }
    }

    /// The tensors of all images, one behind the other, of which there is that of one.
    fn of_all(&mut self, one: &Storage, between: Option<usize>) -> Storage {
        let Buffer { len, name, .. } = self.buffers[one.buffer].clone();
        let place = match between {
            Some(index) => Place::Between { index, whole: true },
            None => Place::Arena(0),
        };
        let buffer = self.buffers.push(Buffer {
            len: len * self.batch,
            place,
            name,
        });
        Storage {
            buffer,
            images: self.batch,
            image: len as i64,
            ..one.clone()
        }
    }

    /// Whether the node that is lowered is for all images.
    pub(super) fn at_once(&self) -> bool {
        self.node.is_some_and(|node| self.whole.contains(&node))
    }

    /// Where a value is for the node that is lowered.
    pub(super) fn stored(&self, value: ValueId) -> &Storage {
        match self.at_once() {
            true => &self.batched[&value],
            false => &self.storage[&value],
        }
    }
}
