//! Writing files so that nobody ever sees half of one, and nothing is lost that was there; opening those that are read.
//!
//! ```text
//! path ──follow links──▶ a device, a pipe, a descriptor ──▶ written to
//!                        a file, or none yet ──▶ an unnamed file, or one of another name ──when whole──▶ takes the name
//! ```

mod target;
mod unfinished;

pub use target::same_file;
pub use unfinished::stop_writing;

use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::path::Path;
use target::Target;
use unfinished::Unfinished;

/// Opens an ordinary file for reading: a directory or a device has no end to read to, and a named pipe would wait for its writer.
///
/// # Errors
/// When it is none, or cannot be opened.
pub fn open_ordinary(path: impl AsRef<Path>) -> io::Result<File> {
    let path = path.as_ref();
    // Asked before opening, which is what waits.
    let found = std::fs::metadata(path)?;
    if found.is_dir() {
        Err(io::Error::other("it is a directory"))
    } else if !found.is_file() {
        Err(io::Error::other("it is not a file"))
    } else {
        File::open(path)
    }
}

/// All of an ordinary file.
///
/// # Errors
/// Those of [`open_ordinary`], and of reading.
pub fn read_ordinary(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_ordinary(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes a file as a whole: until it is, what was there stays as it was, and when anything fails, nothing is left of it.
///
/// Symbolic links are followed: the file that they lead to is written, or made. It keeps its mode, and its owner where
/// that is allowed. What is no ordinary file (a device, a pipe, `/dev/stdout`) is written to, bit by bit.
///
/// On Linux a file has no name before it is whole, where the file system can do that, so that nothing stays behind however the
/// process ends. Elsewhere it has another name in the same directory until then; [`stop_writing`] removes such files.
///
/// # Errors
/// Those of `write`, and of creating the file, and of putting it in its place.
pub fn write_atomically(
    path: impl AsRef<Path>,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    match Target::of(path.as_ref())? {
        Target::Stream(mut stream) => {
            write(&mut stream)?;
            stream.flush()
        }
        Target::File { path, old } => {
            let mut unfinished = Unfinished::beside(&path)?;
            write(unfinished.file())?;
            unfinished.file().flush()?;
            if let Some(old) = old {
                inherit(unfinished.file(), &old)?;
            }
            unfinished.finish(&path)
        }
    }
}

/// Gives a file the owner and the mode of the one that it replaces.
#[cfg(unix)]
fn inherit(file: &File, old: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    let new = file.metadata()?;
    let mut mode = old.mode() & 0o7777;
    if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
        // Only root may give files away; a group that one is in may be kept.
        let given = fchown(file, Some(old.uid()), Some(old.gid()));
        if given
            .or_else(|_| fchown(file, None, Some(old.gid())))
            .is_err()
            || file.metadata()?.uid() != old.uid()
        {
            // Of a program that runs as its owner, another one is not made.
            mode &= 0o777;
        }
    }
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn inherit(file: &File, old: &Metadata) -> io::Result<()> {
    file.set_permissions(old.permissions())
}

#[cfg(test)]
mod tests;
