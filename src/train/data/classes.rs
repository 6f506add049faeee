//! The class that a label is.

use super::DataError;
use super::reader::Reader;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

/// Most labels that a message lists.
const LISTED: usize = 8;

impl Reader<'_> {
    /// The classes of all labels of a set: the head's labels, the numbers of classes, or, where there are as many as classes, their order (that of numbers, if all are
    /// some), unless some are the head's. A set that is read later has the same.
    pub(super) fn numbering(
        &self,
        from: &Path,
        labels: &BTreeSet<&str>,
    ) -> Result<HashMap<String, u32>, DataError> {
        let by_place = |known: &[String]| -> Option<HashMap<String, u32>> {
            let place = |label: &&str| {
                let place = known.iter().position(|known| known == label)?;
                Some(((*label).to_owned(), place as u32))
            };
            labels.iter().map(place).collect()
        };
        if let Some(numbering) = self.order.get().and_then(|order| by_place(order)) {
            return Ok(numbering);
        }
        if let Some(numbering) = by_place(&self.labels) {
            return Ok(numbering);
        }
        let number = |label: &&str| {
            let class = label.parse::<u32>().ok()?;
            ((class as usize) < self.classes).then(|| ((*label).to_owned(), class))
        };
        let numbers: Option<HashMap<String, u32>> = labels.iter().map(number).collect();
        if let Some(numbering) = numbers {
            return Ok(numbering);
        }
        if labels.len() != self.classes || self.order.get().is_some() {
            let listed: Vec<&str> = labels.iter().copied().take(LISTED).collect();
            let more = if labels.len() > LISTED { " …" } else { "" };
            let why = format!(
                "{} different labels (`{}`{more}), but the network has {} classes",
                labels.len(),
                listed.join("`, `"),
                self.classes
            );
            return Err(DataError::Classes(from.to_owned(), why));
        }
        // Some are the head's: another one is a slip, and would be taken for a class that it is not.
        let known = |label: &&&str| self.labels.iter().any(|known| known == **label);
        if labels.iter().any(|label| known(&label))
            && let Some(slip) = labels.iter().find(|label| !known(label))
        {
            let why = format!(
                "the label `{slip}` is none of the head's `{}`, as others are",
                self.labels.join("`, `")
            );
            return Err(DataError::Classes(from.to_owned(), why));
        }
        let mut order: Vec<String> = labels.iter().map(|&label| label.to_owned()).collect();
        let value = |label: &String| label.parse::<f64>();
        if order.iter().all(|label| value(label).is_ok()) {
            order.sort_by(|a, b| match (value(a), value(b)) {
                (Ok(a), Ok(b)) => a.total_cmp(&b),
                _ => a.cmp(b),
            });
        }
        let numbering = by_place(&order).expect("each label is among them");
        // Nothing was there, or the function would have returned.
        let _ = self.order.set(order);
        Ok(numbering)
    }
}

/// Labels of a set while it is read: each is a number in the order in which they come, until all are known.
#[derive(Default)]
pub(super) struct Labels {
    known: HashMap<String, u32>,
}

impl Labels {
    /// The number of a label. More labels than classes are an error at once.
    pub fn number(
        &mut self,
        label: &str,
        reader: &Reader<'_>,
        from: &Path,
    ) -> Result<u32, DataError> {
        if let Some(&number) = self.known.get(label) {
            return Ok(number);
        }
        let number = self.known.len();
        self.known.insert(label.to_owned(), number as u32);
        if number >= reader.classes {
            self.numbering(reader, from)?;
            let why = format!("`{label}` is another way to write a class");
            return Err(DataError::Classes(from.to_owned(), why));
        }
        Ok(number as u32)
    }

    /// The class of each number.
    pub fn numbering(&self, reader: &Reader<'_>, from: &Path) -> Result<Vec<u32>, DataError> {
        let labels = self.known.keys().map(String::as_str).collect();
        let numbering = reader.numbering(from, &labels)?;
        let mut classes = vec![0; self.known.len()];
        for (label, &number) in &self.known {
            classes[number as usize] = numbering[label];
        }
        Ok(classes)
    }
}
