//! Samples that a program has made.

use super::{Data, DataError, Samples};
use std::path::Path;

impl Samples {
    /// Inputs of so many numbers each, one behind another, and their classes: one for each, or one for each pixel of what the network makes of it.
    ///
    /// # Errors
    /// Numbers that are no whole inputs, or classes that are not as many for each.
    pub fn of_classes(
        inputs: Vec<f32>,
        elements: usize,
        labels: Vec<u32>,
    ) -> Result<Samples, DataError> {
        whole(&inputs, elements, labels.len(), "classes")?;
        Ok(Samples::made(inputs, elements, labels, Vec::new()))
    }

    /// The same with the numbers that the network should make of each input.
    ///
    /// # Errors
    /// As [`Samples::of_classes`].
    pub fn of_numbers(
        inputs: Vec<f32>,
        elements: usize,
        numbers: Vec<f32>,
    ) -> Result<Samples, DataError> {
        whole(&inputs, elements, numbers.len(), "numbers")?;
        Ok(Samples::made(inputs, elements, Vec::new(), numbers))
    }
}

fn whole(inputs: &[f32], elements: usize, targets: usize, what: &str) -> Result<(), DataError> {
    let count = inputs.len().checked_div(elements).unwrap_or(0);
    if count > 0 && count * elements == inputs.len() && targets > 0 && targets.is_multiple_of(count)
    {
        return Ok(());
    }
    let why = format!(
        "{} numbers in inputs of {elements}, and {targets} {what}, are not samples",
        inputs.len()
    );
    Err(DataError::Broken(
        Path::new("samples in memory").to_owned(),
        why,
    ))
}

impl Data {
    /// Data that are nowhere but in memory: a run on them cannot go on once it has stopped.
    pub fn in_memory(train: Samples, test: Samples) -> Data {
        Data {
            train,
            test,
            kind: "in memory".to_owned(),
            ..Data::default()
        }
    }
}
