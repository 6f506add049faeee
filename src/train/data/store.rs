//! What is kept of inputs: bytes where bytes are all that there is to keep, numbers, or nothing where their files are read when they are needed.

use std::borrow::Cow;

/// What is kept of a sample.
#[derive(Clone, Debug)]
pub enum Kept<'s> {
    /// Bytes of a picture, channel by channel, or of an array.
    Bytes(Cow<'s, [u8]>),
    /// Numbers.
    Numbers(&'s [f32]),
}

/// Inputs of all samples, one behind another.
#[derive(Clone, Debug)]
pub(super) enum Store {
    Bytes(Vec<u8>),
    Numbers(Vec<f32>),
    /// Each is read from its file.
    Files,
}

impl Default for Store {
    fn default() -> Store {
        Store::Bytes(Vec::new())
    }
}

impl Store {
    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        match self {
            Store::Bytes(bytes) => bytes.len(),
            Store::Numbers(numbers) => size_of_val(numbers.as_slice()),
            Store::Files => 0,
        }
    }

    /// As numbers, whatever it was.
    pub fn numbers(&mut self) -> &mut Vec<f32> {
        if let Store::Bytes(bytes) = self {
            *self = Store::Numbers(bytes.iter().map(|&byte| byte.into()).collect());
        }
        match self {
            Store::Numbers(numbers) => numbers,
            _ => unreachable!("pictures are bytes, and bytes have become numbers"),
        }
    }

    /// Keeps these samples only, of so many elements each, whose numbers rise.
    pub fn keep(&mut self, indices: &[usize], elements: usize) {
        match self {
            Store::Bytes(bytes) => keep(bytes, indices, elements),
            Store::Numbers(numbers) => keep(numbers, indices, elements),
            Store::Files => {}
        }
    }

    /// These samples only.
    pub fn copy(&self, indices: &[usize], elements: usize) -> Store {
        match self {
            Store::Bytes(bytes) => Store::Bytes(pick(bytes, indices, elements)),
            Store::Numbers(numbers) => Store::Numbers(pick(numbers, indices, elements)),
            Store::Files => Store::Files,
        }
    }
}

/// Moves these to the front, of so many elements each, and drops the rest.
pub(super) fn keep<T: Copy>(all: &mut Vec<T>, indices: &[usize], of: usize) {
    for (to, &from) in indices.iter().enumerate() {
        all.copy_within(from * of..(from + 1) * of, to * of);
    }
    all.truncate(indices.len() * of);
}

/// A copy of these, of so many elements each.
pub(super) fn pick<T: Copy>(all: &[T], indices: &[usize], of: usize) -> Vec<T> {
    let picked = indices.iter().flat_map(|index| &all[index * of..][..of]);
    picked.copied().collect()
}

/// Those of these numbers that there are.
pub(super) fn of<T: Clone>(all: &[T], indices: &[usize]) -> Vec<T> {
    let present = indices.iter().filter_map(|&index| all.get(index));
    present.cloned().collect()
}
