//! Files that judge, read ahead while others are judged by.

use super::data::{DataError, is_of_the_file, leave_out};
use super::error::TrainError;
use crate::source::{Ahead, each};
use std::path::Path;

/// Files that judge, read on threads ahead of what judges by them; those that cannot be read as pictures are left out, as many as of what is learned.
pub(super) struct Readable<'a> {
    /// The place that they are in, for messages.
    root: &'a Path,
    /// How many there are in it.
    count: usize,
    ahead: Ahead,
    any: bool,
    /// What is wrong with those that are left out.
    pub broken: Vec<String>,
}

impl<'a> Readable<'a> {
    /// So many files of a place, beside so many threads that compute on so many of them at once.
    pub fn new(root: &'a Path, count: usize, computing: usize, at_once: usize) -> Readable<'a> {
        Readable {
            root,
            count,
            ahead: Ahead::beside(computing, at_once),
            any: false,
            broken: Vec::new(),
        }
    }

    /// Hands on what is made of each of so many files that can be read, with its number, in the order of these.
    ///
    /// # Errors
    /// Those of `make` that are not of a file alone, those of `take`, and more broken files than are left out.
    pub fn each<T: Send>(
        &mut self,
        files: usize,
        make: &(dyn Fn(usize) -> Result<T, DataError> + Sync),
        take: &mut dyn FnMut(usize, T) -> Result<(), TrainError>,
    ) -> Result<(), TrainError> {
        let make = |at: usize| (at, make(at));
        let mut made = |(at, made): (usize, Result<T, DataError>)| -> Result<bool, TrainError> {
            match made {
                Ok(made) => {
                    self.any = true;
                    take(at, made)?;
                }
                Err(DataError::Picture(error)) if is_of_the_file(&error) => {
                    leave_out(self.root, error.to_string(), self.count, &mut self.broken)?;
                }
                Err(error) => return Err(error.into()),
            }
            Ok(true)
        };
        each(&mut (0..files), &make, self.ahead, &mut made, &|| ())?;
        Ok(())
    }

    /// What is wrong with those that were left out.
    ///
    /// # Errors
    /// Nothing else was there to judge by.
    pub fn done(self) -> Result<Vec<String>, DataError> {
        match self.any {
            true => Ok(self.broken),
            false => Err(DataError::Empty(self.root.to_owned(), "to be judged by")),
        }
    }
}
