//! Picture files of a data set, read and prepared on threads ahead of what is made of them.

use super::DataError;
use crate::source::{Ahead, Viewed, each};
use cnnc_runtime::image::{ImageError, ImageProblem, PreProcess};
use std::path::Path;

/// Broken files that are left out, at most, however few there are.
const FEW_BROKEN: usize = 10;

/// Makes each entry into something, on a thread for each processor, eight at most, and hands that on in the order of entries.
///
/// # Errors
/// Those of `take`.
pub(super) fn ahead<E: Send, T: Send>(
    entries: &mut (dyn Iterator<Item = E> + Send),
    make: &(dyn Fn(E) -> T + Sync),
    take: &mut dyn FnMut(T) -> Result<(), DataError>,
) -> Result<(), DataError> {
    // Nothing is computed meanwhile.
    let ahead = Ahead::beside(0, 1);
    each(
        entries,
        make,
        ahead,
        &mut |made| take(made).map(|()| true),
        &|| (),
    )?;
    Ok(())
}

/// Hands on what a network sees of each file, with its number.
///
/// # Errors
/// Those of `take`.
pub(super) fn views(
    files: &mut (dyn Iterator<Item = &Path> + Send),
    pre: &PreProcess,
    take: &mut dyn FnMut(usize, Result<Viewed, ImageError>) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let make = |(at, file): (usize, &Path)| (at, Viewed::open(file, pre, false));
    ahead(&mut files.enumerate(), &make, &mut |(at, viewed)| {
        take(at, viewed)
    })
}

/// What was read of a file, or nothing where it cannot be read as a picture and is left out, of so many in a place.
pub(super) fn unbroken<T>(
    from: &Path,
    read: Result<T, ImageError>,
    count: usize,
    broken: &mut Vec<String>,
) -> Result<Option<T>, DataError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if is_of_the_file(&error) => {
            leave_out(from, error.to_string(), count, broken)?;
            Ok(None)
        }
        Err(error) => Err(DataError::Picture(error)),
    }
}

/// Adds what is wrong with a file to that of others, of so many in a place.
///
/// # Errors
/// There are more than are left out.
pub(in crate::train) fn leave_out(
    from: &Path,
    why: String,
    count: usize,
    broken: &mut Vec<String>,
) -> Result<(), DataError> {
    let most = FEW_BROKEN.max(count / 100);
    if broken.len() >= most {
        return Err(DataError::ManyBroken(from.to_owned(), most, why));
    }
    broken.push(why);
    Ok(())
}

/// Whether another file could be read and would become the input.
pub(in crate::train) fn is_of_the_file(error: &ImageError) -> bool {
    !matches!(
        error.problem,
        ImageProblem::Memory(_) | ImageProblem::Channels(_) | ImageProblem::Size { .. }
    )
}
