//! Samples in memory: bytes where bytes are all that there is to keep, and numbers when they are asked for.

use super::DataError;
use cnnc_compiler::loss::{BOX, Targets};
use cnnc_runtime::image::{Border, PreProcess, Seen};
use std::path::Path;
use std::sync::Arc;

/// Most bytes of all samples.
pub(super) const MOST: usize = 4 << 30;

/// Samples as a network takes them.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    store: Store,
    /// The classes of each: one, or one for each pixel of what the network makes of it.
    labels: Vec<u32>,
    /// What the network should make of each, where they have no classes.
    targets: Vec<f32>,
    /// Whether these are boxes: as many rows of five for each sample as the fullest has, of which a class of −1 is none.
    boxes: bool,
    /// Where each comes from, if each has a place of its own.
    names: Vec<String>,
    /// What lies around each picture, if something does.
    borders: Vec<Option<Border>>,
    elements: usize,
    seen: Option<Arc<Sight>>,
}

/// How the bytes of pictures become numbers.
#[derive(Debug)]
struct Sight {
    pre: PreProcess,
    tables: Vec<[f32; 256]>,
}

#[derive(Clone, Debug)]
enum Store {
    Bytes(Vec<u8>),
    Numbers(Vec<f32>),
}

impl Default for Store {
    fn default() -> Store {
        Store::Bytes(Vec::new())
    }
}

/// What is kept of a sample.
#[derive(Clone, Copy, Debug)]
pub enum Kept<'s> {
    /// Bytes of a picture, channel by channel, or of an array.
    Bytes(&'s [u8]),
    /// Numbers.
    Numbers(&'s [f32]),
}

impl Samples {
    /// Number of samples.
    pub fn len(&self) -> usize {
        let numbers = match &self.store {
            Store::Bytes(bytes) => bytes.len(),
            Store::Numbers(numbers) => numbers.len(),
        };
        numbers.checked_div(self.elements).unwrap_or(0)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Numbers of a sample.
    pub fn elements(&self) -> usize {
        self.elements
    }

    /// Bytes of memory that the samples take.
    pub fn bytes(&self) -> usize {
        match &self.store {
            Store::Bytes(bytes) => bytes.len(),
            Store::Numbers(numbers) => size_of_val(numbers.as_slice()),
        }
    }

    /// Inputs of so many numbers each, one behind another, with what is known of them.
    pub(super) fn made(
        inputs: Vec<f32>,
        elements: usize,
        labels: Vec<u32>,
        targets: Vec<f32>,
    ) -> Samples {
        Samples {
            store: Store::Numbers(inputs),
            labels,
            targets,
            elements,
            ..Samples::default()
        }
    }

    /// A sample's numbers.
    pub fn input(&self, index: usize) -> Vec<f32> {
        let mut numbers = vec![0.0; self.elements];
        self.fill(index, &mut numbers);
        numbers
    }

    /// The same, written where they are wanted.
    ///
    /// # Panics
    /// If there is not room for exactly one sample.
    pub fn fill(&self, index: usize, to: &mut [f32]) {
        match (self.kept(index), &self.seen) {
            (Kept::Numbers(numbers), _) => to.copy_from_slice(numbers),
            (Kept::Bytes(bytes), Some(sight)) => {
                let border = self.borders.get(index).and_then(Option::as_ref);
                sight.pre.numbers(&sight.tables, bytes, border, to);
            }
            (Kept::Bytes(bytes), None) => {
                for (to, &byte) in to.iter_mut().zip(bytes) {
                    *to = byte.into();
                }
            }
        }
    }

    /// Whether boxes are known of each.
    pub(in crate::train) fn are_boxes(&self) -> bool {
        self.boxes
    }

    /// Makes room for as many boxes as those of another set, whose rows of numbers are so long.
    fn widen(&mut self, to: usize) {
        let each = self.targets_each();
        if self.boxes && each < to {
            let rows = self.targets.chunks(each);
            let none = std::iter::repeat_n(-1.0, to - each);
            let wider = rows.flat_map(|row| row.iter().copied().chain(none.clone()));
            self.targets = wider.collect();
        }
    }

    /// What is kept of a sample.
    pub fn kept(&self, index: usize) -> Kept<'_> {
        let range = index * self.elements..(index + 1) * self.elements;
        match &self.store {
            Store::Bytes(bytes) => Kept::Bytes(&bytes[range]),
            Store::Numbers(numbers) => Kept::Numbers(&numbers[range]),
        }
    }

    /// How pictures become numbers, if the samples are some.
    pub fn pre(&self) -> Option<&PreProcess> {
        self.seen.as_ref().map(|sight| &sight.pre)
    }

    /// The class of a sample that has one.
    pub fn label(&self, index: usize) -> u32 {
        self.labels[index]
    }

    /// How many classes a sample has; 0 where it has numbers.
    pub fn labels_each(&self) -> usize {
        self.labels.len().checked_div(self.len()).unwrap_or(0)
    }

    fn targets_each(&self) -> usize {
        self.targets.len().checked_div(self.len()).unwrap_or(0)
    }

    /// What is known of a sample.
    pub fn targets(&self, index: usize) -> Targets<'_> {
        match self.targets_each() {
            0 => {
                let each = self.labels_each();
                Targets::Classes(&self.labels[index * each..][..each])
            }
            each => Targets::Numbers(&self.targets[index * each..][..each]),
        }
    }

    /// The place of a sample, within the data's folder, if it has one of its own.
    pub fn name(&self, index: usize) -> Option<&str> {
        self.names.get(index).map(String::as_str)
    }

    /// No inputs yet, but for what is known of all of them: inputs of so many numbers follow, in order.
    pub(in crate::train) fn emptied(&self, elements: usize) -> Samples {
        Samples {
            store: Store::Numbers(Vec::with_capacity(elements * self.len())),
            labels: self.labels.clone(),
            targets: self.targets.clone(),
            boxes: self.boxes,
            names: self.names.clone(),
            elements,
            ..Samples::default()
        }
    }

    /// Adds inputs.
    pub(in crate::train) fn extend(&mut self, inputs: &[f32]) {
        self.store.numbers().extend(inputs);
    }

    /// Takes samples out, those that the rule names.
    pub(super) fn take_out(&mut self, out: impl Fn(&Samples, usize) -> bool) -> Samples {
        let chosen: Vec<bool> = (0..self.len()).map(|index| out(self, index)).collect();
        let pick = |wanted: bool| {
            let indices = chosen.iter().enumerate();
            let of = indices.filter(|(_, chosen)| **chosen == wanted);
            of.map(|(index, _)| index).collect::<Vec<usize>>()
        };
        let taken = self.copy(&pick(true));
        self.keep(&pick(false));
        taken
    }

    /// Keeps these samples only, whose numbers rise.
    pub(super) fn keep(&mut self, indices: &[usize]) {
        fn move_to_front<T: Copy>(all: &mut Vec<T>, indices: &[usize], of: usize) {
            for (to, &from) in indices.iter().enumerate() {
                all.copy_within(from * of..(from + 1) * of, to * of);
            }
            all.truncate(indices.len() * of);
        }
        let (labels, targets) = (self.labels_each(), self.targets_each());
        match &mut self.store {
            Store::Bytes(bytes) => move_to_front(bytes, indices, self.elements),
            Store::Numbers(numbers) => move_to_front(numbers, indices, self.elements),
        }
        move_to_front(&mut self.labels, indices, labels);
        move_to_front(&mut self.targets, indices, targets);
        self.names = of(&self.names, indices);
        self.borders = of(&self.borders, indices);
    }

    fn copy(&self, indices: &[usize]) -> Samples {
        fn pick<T: Copy>(all: &[T], indices: &[usize], of: usize) -> Vec<T> {
            let picked = indices.iter().flat_map(|index| &all[index * of..][..of]);
            picked.copied().collect()
        }
        Samples {
            store: match &self.store {
                Store::Bytes(bytes) => Store::Bytes(pick(bytes, indices, self.elements)),
                Store::Numbers(numbers) => Store::Numbers(pick(numbers, indices, self.elements)),
            },
            labels: pick(&self.labels, indices, self.labels_each()),
            targets: pick(&self.targets, indices, self.targets_each()),
            boxes: self.boxes,
            names: of(&self.names, indices),
            borders: of(&self.borders, indices),
            elements: self.elements,
            seen: self.seen.clone(),
        }
    }

    /// Adds the samples of another set.
    pub(super) fn append(&mut self, mut other: Samples) {
        if self.is_empty() {
            *self = other;
            return;
        }
        let each = self.targets_each().max(other.targets_each());
        self.widen(each);
        other.widen(each);
        match (&mut self.store, &mut other.store) {
            (Store::Bytes(to), Store::Bytes(from)) => to.append(from),
            (store, from) => store.numbers().append(from.numbers()),
        }
        self.labels.append(&mut other.labels);
        self.targets.append(&mut other.targets);
        self.names.append(&mut other.names);
        self.borders.append(&mut other.borders);
        if self.names.len() != self.len() {
            self.names.clear();
        }
    }
}

fn of<T: Clone>(all: &[T], indices: &[usize]) -> Vec<T> {
    let present = indices.iter().filter_map(|&index| all.get(index));
    present.cloned().collect()
}

impl Store {
    /// As numbers, whatever it was.
    fn numbers(&mut self) -> &mut Vec<f32> {
        if let Store::Bytes(bytes) = self {
            *self = Store::Numbers(bytes.iter().map(|&byte| byte.into()).collect());
        }
        match self {
            Store::Numbers(numbers) => numbers,
            Store::Bytes(_) => unreachable!("they have become numbers"),
        }
    }
}

/// Samples that are being read from one place.
pub(super) struct Filling {
    samples: Samples,
    classes: usize,
    from: Box<Path>,
}

impl Filling {
    /// None yet, of so many numbers each.
    pub fn new(from: &Path, elements: usize, classes: usize, pre: Option<&PreProcess>) -> Filling {
        Filling {
            samples: Samples {
                elements,
                seen: pre.map(|pre| {
                    Arc::new(Sight {
                        tables: pre.tables(),
                        pre: pre.clone(),
                    })
                }),
                ..Samples::default()
            },
            classes,
            from: from.into(),
        }
    }

    /// Makes room for so many.
    pub fn reserve(&mut self, count: usize) -> Result<(), DataError> {
        let too_large = || self.too_large(count);
        let elements = self.samples.elements;
        let of = match self.samples.store {
            Store::Bytes(_) => 1,
            Store::Numbers(_) => size_of::<f32>(),
        };
        let all = count.checked_mul(elements).ok_or_else(too_large)?;
        if all.saturating_mul(of).saturating_add(self.samples.bytes()) > MOST {
            return Err(too_large());
        }
        let labels = self.samples.labels.try_reserve(count);
        let store = match &mut self.samples.store {
            Store::Bytes(bytes) => bytes.try_reserve(all),
            Store::Numbers(numbers) => numbers.try_reserve(all),
        };
        labels.and(store).map_err(|_| self.too_large(count))
    }

    fn too_large(&self, more: usize) -> DataError {
        let count = self.samples.len().saturating_add(more);
        DataError::TooLarge(self.from.to_path_buf(), count, self.samples.elements)
    }

    /// Adds what a network sees of a picture.
    pub fn picture(&mut self, seen: Seen, class: u32) -> Result<(), DataError> {
        self.reserve(1)?;
        self.class(class)?;
        let Store::Bytes(bytes) = &mut self.samples.store else {
            unreachable!("all samples of a place are pictures, or none")
        };
        bytes.extend(seen.bytes);
        if seen.border.is_some() {
            self.samples
                .borders
                .resize(self.samples.labels.len() - 1, None);
            self.samples.borders.push(seen.border);
        }
        Ok(())
    }

    /// Adds numbers, as many as a sample has: as bytes, as long as that is what all are.
    pub fn numbers(&mut self, numbers: &[f32], class: u32) -> Result<(), DataError> {
        assert_eq!(numbers.len(), self.samples.elements, "those of a sample");
        if let Some(number) = numbers.iter().find(|number| !number.is_finite()) {
            let why = format!(
                "{number} in sample {} is no number to learn from",
                self.samples.len() + 1
            );
            return Err(DataError::Broken(self.from.to_path_buf(), why));
        }
        let byte = |number: &f32| (*number as u8 as f32).to_bits() == number.to_bits();
        if matches!(self.samples.store, Store::Bytes(_)) && !numbers.iter().all(byte) {
            // What is there becomes four times as large.
            if self.samples.bytes().saturating_mul(size_of::<f32>()) > MOST {
                return Err(self.too_large(1));
            }
            self.samples.store.numbers();
        }
        self.reserve(1)?;
        self.class(class)?;
        match &mut self.samples.store {
            Store::Bytes(bytes) => bytes.extend(numbers.iter().map(|&number| number as u8)),
            Store::Numbers(all) => all.extend(numbers),
        }
        Ok(())
    }

    /// Says where the last sample comes from.
    pub fn name(&mut self, name: String) {
        self.samples.names.push(name);
    }

    fn class(&mut self, class: u32) -> Result<(), DataError> {
        if class as usize >= self.classes {
            return Err(DataError::Class(
                self.from.to_path_buf(),
                class,
                self.classes,
            ));
        }
        self.samples.labels.push(class);
        Ok(())
    }

    /// Gives each sample the class that its number stands for.
    pub fn relabel(&mut self, classes: &[u32]) {
        for label in &mut self.samples.labels {
            *label = classes[*label as usize];
        }
    }

    /// The samples, with boxes for each in place of its class.
    pub fn boxed(mut self, boxes: &[Vec<[f32; BOX]>]) -> Samples {
        // One row, at least, says that these are boxes.
        let most = boxes.iter().map(Vec::len).max().unwrap_or(0).max(1);
        for boxes in boxes {
            let none = std::iter::repeat_n([-1.0; BOX], most - boxes.len());
            let rows = boxes.iter().copied().chain(none);
            self.samples.targets.extend(rows.flatten());
        }
        self.samples.labels.clear();
        self.samples.boxes = true;
        self.samples
    }

    /// The samples.
    pub fn done(self) -> Samples {
        self.samples
    }
}
