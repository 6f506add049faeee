//! Samples as a network takes them: numbers when they are asked for, of what is kept.

use super::DataError;
use super::gathered::Gathered;
use super::known::Known;
use super::maps::Maps;
use super::store::{Kept, Store, keep, of, pick};
use super::told::Told;
use crate::source::Viewed;
use crate::train::affine::Affine;
use cnnc_runtime::image::{Border, PreProcess, Seen};
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Samples as a network takes them.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    pub(super) store: Store,
    /// The classes of each: one, or one for each pixel of what the network makes of it.
    pub(super) labels: Vec<u32>,
    /// What the network should make of each, where they have no classes.
    pub(super) targets: Vec<f32>,
    /// The same as pictures.
    pub(super) maps: Option<Maps>,
    /// Whether these are boxes: as many rows of five for each sample as the fullest has, of which a class of −1 is none.
    pub(super) boxes: bool,
    /// What a loss is told of the targets, where that is something else.
    pub(super) told: Option<Told>,
    /// What of them is learned at a time.
    pub(super) gathered: Gathered,
    /// Whether the folder that each lies in is what its class is called.
    pub(super) foldered: bool,
    /// Where each comes from, if each has a place of its own.
    pub(super) names: Vec<String>,
    /// The files of pictures, if each has one.
    pub(super) files: Vec<PathBuf>,
    /// What lies around each picture, if something does.
    pub(super) borders: Vec<Option<Border>>,
    pub(super) elements: usize,
    pub(super) seen: Option<Arc<Sight>>,
}

/// How the bytes of pictures become numbers.
#[derive(Debug)]
pub(super) struct Sight {
    pub pre: PreProcess,
    pub tables: Vec<[f32; 256]>,
}

impl Samples {
    /// Number of samples.
    pub fn len(&self) -> usize {
        let numbers = match &self.store {
            Store::Bytes(bytes) => bytes.len(),
            Store::Numbers(numbers) => numbers.len(),
            Store::Files => return self.files.len(),
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

    /// Bytes of memory that inputs take, and targets that are pictures.
    pub fn bytes(&self) -> usize {
        self.store.bytes() + self.maps.as_ref().map_or(0, Maps::len)
    }

    /// Whether pictures are read from their files each time that they are needed.
    pub fn are_in_files(&self) -> bool {
        matches!(self.store, Store::Files)
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
    ///
    /// # Errors
    /// As [`Samples::fill`].
    pub fn input(&self, index: usize) -> Result<Vec<f32>, DataError> {
        let mut numbers = vec![0.0; self.elements];
        self.fill(index, &mut numbers)?;
        Ok(numbers)
    }

    /// The same, written where they are wanted.
    ///
    /// # Errors
    /// A picture that is read when it is needed, and is not any more what it was.
    ///
    /// # Panics
    /// If there is not room for exactly one sample.
    pub fn fill(&self, index: usize, to: &mut [f32]) -> Result<(), DataError> {
        if let (Store::Files, Some(sight)) = (&self.store, &self.seen) {
            let Seen { bytes, border } = self.look(index)?;
            sight
                .pre
                .numbers(&sight.tables, &bytes, border.as_ref(), to);
            return Ok(());
        }
        match (self.kept(index)?, &self.seen) {
            (Kept::Numbers(numbers), _) => to.copy_from_slice(numbers),
            (Kept::Bytes(bytes), Some(sight)) => {
                let border = self.borders.get(index).and_then(Option::as_ref);
                sight.pre.numbers(&sight.tables, &bytes, border, to);
            }
            (Kept::Bytes(bytes), None) => {
                for (to, &byte) in to.iter_mut().zip(bytes.iter()) {
                    *to = byte.into();
                }
            }
        }
        Ok(())
    }

    /// Whether boxes are known of each.
    pub(in crate::train) fn are_boxes(&self) -> bool {
        self.boxes
    }

    /// Whether one box, or points, are known of each.
    pub(in crate::train) fn are_places(&self) -> bool {
        self.told.is_some()
    }

    /// Columns and rows of targets that are pictures, and whether these are classes.
    pub(in crate::train) fn maps(&self) -> Option<((usize, usize), bool)> {
        let maps = self.maps.as_ref();
        maps.map(|maps| (maps.output(), maps.are_classes()))
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

    /// What is kept of a sample, or would be if there were room.
    ///
    /// # Errors
    /// As [`Samples::fill`].
    pub fn kept(&self, index: usize) -> Result<Kept<'_>, DataError> {
        let range = index * self.elements..(index + 1) * self.elements;
        Ok(match (&self.store, &self.seen) {
            (Store::Bytes(bytes), _) => Kept::Bytes(Cow::Borrowed(&bytes[range])),
            (Store::Numbers(numbers), _) => Kept::Numbers(&numbers[range]),
            (Store::Files, _) => Kept::Bytes(Cow::Owned(self.look(index)?.bytes)),
        })
    }

    /// What is seen of a picture that is read when it is needed.
    fn look(&self, index: usize) -> Result<Seen, DataError> {
        let Some(sight) = &self.seen else {
            unreachable!("only pictures are read from their files")
        };
        let viewed = Viewed::open(&self.files[index], &sight.pre, false);
        Ok(viewed.map_err(DataError::Picture)?.seen)
    }

    /// The folder that a sample's name is relative to, or the sample's file.
    pub(in crate::train) fn root(&self, index: usize) -> PathBuf {
        let Some(file) = self.files.get(index) else {
            return PathBuf::new();
        };
        let name = Path::new(self.name(index).unwrap_or_default());
        let root = file.ancestors().nth(name.components().count());
        root.unwrap_or(file).to_owned()
    }

    /// How pictures become numbers, if the samples are some.
    pub fn pre(&self) -> Option<&PreProcess> {
        self.seen.as_ref().map(|sight| &sight.pre)
    }

    /// The class of a sample that has one.
    pub fn label(&self, index: usize) -> u32 {
        self.labels[index]
    }

    /// How many classes a sample has; 0 where it has numbers, or a picture.
    pub fn labels_each(&self) -> usize {
        self.labels.len().checked_div(self.len()).unwrap_or(0)
    }

    fn targets_each(&self) -> usize {
        self.targets.len().checked_div(self.len()).unwrap_or(0)
    }

    /// What is known of a sample.
    ///
    /// # Errors
    /// A target that is read when it is needed, and is not any more what it was.
    pub fn known(&self, index: usize) -> Result<Known, DataError> {
        let mut known = Known::default();
        self.tell(index, Affine::IDENTITY, &mut known)?;
        Ok(known)
    }

    /// Adds what is known of a sample, with targets that are pictures moved as the sample is.
    ///
    /// # Errors
    /// As [`Samples::known`].
    pub(in crate::train) fn tell(
        &self,
        index: usize,
        moved: Affine,
        known: &mut Known,
    ) -> Result<(), DataError> {
        if let Some(maps) = &self.maps {
            return maps.write(index, moved, known);
        }
        match self.targets_each() {
            0 => {
                let each = self.labels_each();
                known.labels.extend(&self.labels[index * each..][..each]);
            }
            each => {
                let kept = &self.targets[index * each..][..each];
                self.say(kept, moved, &mut known.numbers);
            }
        }
        Ok(())
    }

    /// The rows of a sample's boxes, as they are kept.
    pub(in crate::train) fn rows(&self, index: usize) -> &[f32] {
        let each = self.targets_each();
        &self.targets[index * each..][..each]
    }

    /// Adds what the loss is told of targets that have moved: boxes have before, and points do here.
    pub(in crate::train) fn say(&self, kept: &[f32], moved: Affine, to: &mut Vec<f32>) {
        match &self.told {
            Some(told) => told.tell(kept, moved, to),
            None => to.extend(kept),
        }
    }

    /// Folds the bits of what is known of all samples, but for pictures.
    pub(in crate::train) fn fold_known(&self, first: u64, fold: fn(u64, u32) -> u64) -> u64 {
        let targets = self.targets.iter().map(|target| target.to_bits());
        self.labels.iter().copied().chain(targets).fold(first, fold)
    }

    /// The place of a sample, within the data's folder, if it has one of its own.
    pub fn name(&self, index: usize) -> Option<&str> {
        self.names.get(index).map(String::as_str)
    }

    /// The file of the picture that the network should make of a sample, if it is one.
    pub fn target_file(&self, index: usize) -> Option<&Path> {
        self.maps.as_ref()?.file(index)
    }

    /// No inputs yet, but for what is known of all of them: inputs of so many numbers follow, in order.
    pub(in crate::train) fn emptied(&self, elements: usize) -> Samples {
        Samples {
            store: Store::Numbers(Vec::with_capacity(elements * self.len())),
            labels: self.labels.clone(),
            targets: self.targets.clone(),
            maps: self.maps.clone(),
            boxes: self.boxes,
            told: self.told.clone(),
            gathered: self.gathered,
            foldered: self.foldered,
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
        let (labels, targets) = (self.labels_each(), self.targets_each());
        self.store.keep(indices, self.elements);
        keep(&mut self.labels, indices, labels);
        keep(&mut self.targets, indices, targets);
        if let Some(maps) = &mut self.maps {
            maps.keep(indices);
        }
        self.names = of(&self.names, indices);
        self.files = of(&self.files, indices);
        self.borders = of(&self.borders, indices);
    }

    fn copy(&self, indices: &[usize]) -> Samples {
        Samples {
            store: self.store.copy(indices, self.elements),
            labels: pick(&self.labels, indices, self.labels_each()),
            targets: pick(&self.targets, indices, self.targets_each()),
            maps: self.maps.as_ref().map(|maps| maps.copy(indices)),
            boxes: self.boxes,
            told: self.told.clone(),
            gathered: self.gathered,
            foldered: self.foldered,
            names: of(&self.names, indices),
            files: of(&self.files, indices),
            borders: of(&self.borders, indices),
            elements: self.elements,
            seen: self.seen.clone(),
        }
    }

    /// Adds the samples of another set of the same kind.
    pub(super) fn append(&mut self, mut other: Samples) {
        if other.is_empty() {
            return;
        }
        if self.is_empty() {
            *self = other;
            return;
        }
        let each = self.targets_each().max(other.targets_each());
        self.widen(each);
        other.widen(each);
        let (own, more) = (self.len(), other.len());
        if !(self.borders.is_empty() && other.borders.is_empty()) {
            self.borders.resize(own, None);
            other.borders.resize(more, None);
            self.borders.append(&mut other.borders);
        }
        match (&mut self.store, &mut other.store) {
            (Store::Bytes(to), Store::Bytes(from)) => to.append(from),
            (Store::Files, _) | (_, Store::Files) => self.store = Store::Files,
            (store, from) => store.numbers().append(from.numbers()),
        }
        self.labels.append(&mut other.labels);
        self.targets.append(&mut other.targets);
        if let (Some(maps), Some(more)) = (&mut self.maps, other.maps) {
            maps.append(more);
        }
        self.foldered &= other.foldered;
        self.names.append(&mut other.names);
        self.files.append(&mut other.files);
        if self.names.len() != self.len() {
            self.names.clear();
        }
    }
}
