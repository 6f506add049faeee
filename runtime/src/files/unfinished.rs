//! Files that are not whole yet: unnamed where the system can do that, else under names that are remembered, to be removed.

use super::target::directory;
use std::fs::File;
use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use tempfile::{Builder, NamedTempFile, TempPath};

/// Names that are not final. Whoever holds the lock may make, remove and rename them.
static NAMES: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Removes what [`write_atomically`](super::write_atomically) has not finished, and lets nothing more begin or be finished: for a program
/// that is about to end, by a signal for instance. Others that are writing wait for that end.
pub fn stop_writing() {
    let names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    for name in names.iter() {
        // One that is gone already is as well.
        let _ = std::fs::remove_file(name);
    }
    mem::forget(names);
}

/// A file that is being written.
pub(super) struct Unfinished {
    file: File,
    /// Its name until it is whole, unless it has none.
    name: Option<Name>,
}

impl Unfinished {
    /// A new file in the directory of that path.
    pub(super) fn beside(path: &Path) -> io::Result<Unfinished> {
        let directory = directory(path);
        match unnamed(directory)? {
            Some(file) => Ok(Unfinished { file, name: None }),
            None => Unfinished::named(directory),
        }
    }

    pub(super) fn named(directory: &Path) -> io::Result<Unfinished> {
        let (file, name) = Name::make(directory, |name| {
            File::options().write(true).create_new(true).open(name)
        })?;
        let name = Some(name);
        Ok(Unfinished { file, name })
    }

    pub(super) fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Gives the file its name, which another may have had.
    pub(super) fn finish(self, path: &Path) -> io::Result<()> {
        let name = match self.name {
            Some(name) => name,
            None => match link(&self.file, path) {
                // A name is taken away by renaming another file only.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    let linked = Name::make(directory(path), |name| link(&self.file, name));
                    linked?.1
                }
                done => return done,
            },
        };
        name.replace(path)
    }
}

/// A name that is not final; it goes when this is dropped.
struct Name(Option<TempPath>);

impl Name {
    /// A new name, which `make` gives to a file.
    fn make<T>(
        directory: &Path,
        make: impl FnMut(&Path) -> io::Result<T>,
    ) -> io::Result<(T, Name)> {
        let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
        // Short, so that it fits wherever the final name does.
        let made = Builder::new()
            .prefix(".cnnc-")
            .suffix(".part")
            .make_in(directory, make)?;
        let (made, name) = NamedTempFile::into_parts(made);
        names.push(name.to_path_buf());
        Ok((made, Name(Some(name))))
    }

    /// Gives the file another name, which another may have had.
    fn replace(mut self, path: &Path) -> io::Result<()> {
        let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
        match self.0.take() {
            Some(name) => {
                names.retain(|other| **other != *name);
                name.persist(path).map_err(|error| error.error)
            }
            None => Ok(()),
        }
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        if let Some(name) = self.0.take() {
            let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
            names.retain(|other| **other != *name);
            drop(name);
        }
    }
}

/// A file without a name, if the file system can make one and give it a name later.
#[cfg(target_os = "linux")]
fn unnamed(directory: &Path) -> io::Result<Option<File>> {
    use rustix::fs::OFlags;
    use rustix::io::Errno;
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = File::options();
    options
        .write(true)
        .custom_flags(OFlags::TMPFILE.bits().cast_signed());
    match options.open(directory) {
        // It gets its name through there.
        Ok(file) => Ok(descriptor(&file).exists().then_some(file)),
        Err(error) => match Errno::from_io_error(&error) {
            // What systems say that have no such files.
            Some(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL | Errno::NOENT) => Ok(None),
            _ => Err(error),
        },
    }
}

#[cfg(target_os = "linux")]
fn descriptor(file: &File) -> PathBuf {
    use std::os::fd::AsRawFd;
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

/// Gives an unnamed file a name that nobody has.
#[cfg(target_os = "linux")]
fn link(file: &File, path: &Path) -> io::Result<()> {
    use rustix::fs::{AtFlags, CWD, linkat};
    Ok(linkat(
        CWD,
        descriptor(file),
        CWD,
        path,
        AtFlags::SYMLINK_FOLLOW,
    )?)
}

#[cfg(not(target_os = "linux"))]
fn unnamed(_: &Path) -> io::Result<Option<File>> {
    Ok(None)
}

#[cfg(not(target_os = "linux"))]
fn link(_: &File, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
