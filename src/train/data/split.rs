//! Which samples judge: one in five, shares by the hash of a sample's place, or those of a list.

use super::{Data, DataError, Samples};
use cnnc_compiler::recipe::Split;
use cnnc_runtime::files::read_ordinary;
use cnnc_runtime::synthetic::{hash, mix};
use std::collections::HashMap;
use std::path::Path;

/// Identities that judge where nothing says which, at least.
const LEAST: usize = 2;

impl Data {
    /// Every fifth sample judges, by the hash of its number; of identities every fifth with all that it has.
    pub(super) fn split_without_a_word(&mut self) {
        if !self.train.are_identities() {
            let chosen = |_: &Samples, index: usize| mix(index as u64 + 1).is_multiple_of(5);
            self.test = self.train.take_out(chosen);
            return;
        }
        let labels = (0..self.train.len()).map(|index| self.train.label(index));
        let mut labels: Vec<u32> = labels.collect();
        labels.sort_unstable();
        labels.dedup();
        labels.sort_by_key(|&label| mix(u64::from(label) + 1));
        labels.truncate((labels.len() / 5).max(LEAST));
        let chosen = |samples: &Samples, index: usize| labels.contains(&samples.label(index));
        self.test = self.train.take_out(chosen);
    }

    /// Divides the samples to learn from.
    pub(super) fn split(&mut self, split: &Split) -> Result<(), DataError> {
        match split {
            Split::Hash(shares) => self.split_by_hash(*shares),
            Split::List(list) => self.split_by_list(list)?,
        }
        Ok(())
    }

    /// Where a sample goes, its place says alone: whatever else is added, it stays there.
    fn split_by_hash(&mut self, shares: [u32; 3]) {
        let all: u64 = shares.iter().map(|&share| u64::from(share)).sum();
        let at = |index: usize| {
            // All of an identity stays together.
            let (name, number) = match self.train.are_identities() {
                true => (
                    self.train.identity(index),
                    u64::from(self.train.label(index)),
                ),
                false => (self.train.name(index), index as u64),
            };
            let key = name.map_or(number + 1, |name| hash(name.as_bytes()));
            mix(key) % all
        };
        let [learn, judge, _] = shares.map(u64::from);
        let mut places: Vec<u64> = (0..self.train.len()).map(at).collect();
        self.apart = self
            .train
            .take_out(|_, index| places[index] >= learn + judge);
        places.retain(|&place| place < learn + judge);
        self.test = self.train.take_out(|_, index| places[index] >= learn);
    }

    /// The samples in a list judge, each of which is a path within the data's folder, or lies in one of its folders.
    fn split_by_list(&mut self, list: &Path) -> Result<(), DataError> {
        let bytes = read_ordinary(list).map_err(|error| DataError::File(list.to_owned(), error))?;
        let text = String::from_utf8_lossy(&bytes);
        let broken = |why: String| DataError::Broken(list.to_owned(), why);
        if self.train.name(0).is_none() && !self.train.is_empty() {
            let why = format!(
                "the samples of {} have no paths of their own to be listed by",
                self.kind
            );
            return Err(broken(why));
        }
        let mut listed: HashMap<&str, (usize, bool)> = HashMap::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim().trim_start_matches("./");
            let line = line.trim_end_matches('/');
            if !line.is_empty() && !line.starts_with('#') {
                listed.insert(line, (number + 1, false));
            }
        }
        for index in 0..self.train.len() {
            let name = self.train.name(index).unwrap_or_default();
            for place in places(name) {
                if let Some((_, found)) = listed.get_mut(place) {
                    *found = true;
                }
            }
        }
        let missing = listed.iter().filter(|(_, (_, found))| !found);
        if let Some((line, (number, _))) = missing.min_by_key(|(_, (number, _))| *number) {
            return Err(broken(format!(
                "line {number}: there is no sample `{line}`, nor a folder with some"
            )));
        }
        self.test = self.train.take_out(|samples, index| {
            let name = samples.name(index).unwrap_or_default();
            places(name).any(|place| listed.contains_key(place))
        });
        Ok(())
    }
}

/// A sample's place, and the folders that it lies in.
fn places(name: &str) -> impl Iterator<Item = &str> {
    let folders = name.match_indices('/').map(|(at, _)| &name[..at]);
    std::iter::once(name).chain(folders)
}
