//! Samples that are being read from one place.

use super::DataError;
use super::maps::{Maps, View};
use super::samples::{Samples, Sight};
use super::store::Store;
use super::told::Told;
use cnnc_compiler::loss::BOX;
use cnnc_runtime::image::{PreProcess, Seen};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Most bytes of all samples.
pub(super) const MOST: usize = 4 << 30;

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
            Store::Files => 0,
        };
        let all = count.checked_mul(elements).ok_or_else(too_large)?;
        if all.saturating_mul(of).saturating_add(self.samples.bytes()) > MOST {
            return Err(too_large());
        }
        let labels = self.samples.labels.try_reserve(count);
        let store = match &mut self.samples.store {
            Store::Bytes(bytes) => bytes.try_reserve(all),
            Store::Numbers(numbers) => numbers.try_reserve(all),
            Store::Files => Ok(()),
        };
        labels.and(store).map_err(|_| self.too_large(count))
    }

    /// Makes room for so many pictures that have files, with targets if they are pictures, too; where all of them take more than that many bytes, they are read when they are needed.
    pub fn reserve_files(
        &mut self,
        count: usize,
        view: Option<View>,
        most: usize,
    ) -> Result<(), DataError> {
        let of_target = view.as_ref().map_or(0, View::elements);
        let each = self.samples.elements.saturating_add(of_target);
        let fits = count.saturating_mul(each) <= most;
        if !fits {
            self.samples.store = Store::Files;
        }
        self.samples.maps = view.map(|view| Maps::new(view, fits));
        self.reserve(count)
    }

    /// How targets that are pictures are read.
    pub fn view(&self) -> Option<Arc<View>> {
        let maps = self.samples.maps.as_ref();
        maps.map(|maps| Arc::clone(maps.view()))
    }

    fn too_large(&self, more: usize) -> DataError {
        let count = self.samples.len().saturating_add(more);
        DataError::TooLarge(self.from.to_path_buf(), count, self.samples.elements)
    }

    /// Adds what a network sees of a picture.
    pub fn picture(&mut self, seen: Seen, class: u32) -> Result<(), DataError> {
        self.reserve(1)?;
        self.class(class)?;
        self.seen(seen);
        Ok(())
    }

    /// The same of one that has a file.
    pub fn picture_of(&mut self, file: PathBuf, seen: Seen, class: u32) -> Result<(), DataError> {
        self.picture(seen, class)?;
        self.samples.files.push(file);
        Ok(())
    }

    /// Adds the file of a picture that is read when it is needed.
    pub fn unread(&mut self, file: PathBuf, class: u32) -> Result<(), DataError> {
        self.class(class)?;
        self.samples.files.push(file);
        Ok(())
    }

    /// The same with a target that is a picture, too.
    pub fn pair(
        &mut self,
        files: (PathBuf, PathBuf),
        seen: Seen,
        target: &[u8],
    ) -> Result<(), DataError> {
        self.reserve(1)?;
        self.seen(seen);
        self.samples.files.push(files.0);
        let maps = self.samples.maps.as_mut().expect("room was made for them");
        maps.add(files.1, target);
        Ok(())
    }

    fn seen(&mut self, seen: Seen) {
        match &mut self.samples.store {
            Store::Bytes(bytes) => bytes.extend(seen.bytes),
            Store::Files => {}
            Store::Numbers(_) => unreachable!("all samples of a place are pictures, or none"),
        }
        self.samples.borders.push(seen.border);
    }

    /// Adds numbers, as many as a sample has: as bytes, as long as that is what all are.
    pub fn numbers(&mut self, numbers: &[f32], class: u32) -> Result<(), DataError> {
        self.input(numbers)?;
        self.class(class)
    }

    /// The same with what the network should make of them: classes of its pixels, or numbers.
    pub fn known(
        &mut self,
        numbers: &[f32],
        labels: &[u32],
        targets: &[f32],
    ) -> Result<(), DataError> {
        self.input(numbers)?;
        self.samples.labels.extend(labels);
        self.samples.targets.extend(targets);
        Ok(())
    }

    fn input(&mut self, numbers: &[f32]) -> Result<(), DataError> {
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
        match &mut self.samples.store {
            Store::Bytes(bytes) => bytes.extend(numbers.iter().map(|&number| number as u8)),
            Store::Numbers(all) => all.extend(numbers),
            Store::Files => unreachable!("only pictures are read from their files"),
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
        self.done()
    }

    /// The samples, with numbers for each in place of its class, of which a loss is told so.
    pub fn told(mut self, kept: Vec<f32>, told: Option<Told>) -> Samples {
        self.samples.targets = kept;
        self.samples.labels.clear();
        self.samples.told = told;
        self.done()
    }

    /// The samples.
    pub fn done(mut self) -> Samples {
        // Most pictures have nothing around them.
        if self.samples.borders.iter().all(Option::is_none) {
            self.samples.borders.clear();
        }
        self.samples
    }
}
