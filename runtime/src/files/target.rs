//! What a path leads to, for those who want to write there.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Links that lead to links: as many as Linux follows.
const MOST_LINKS: usize = 40;

/// Where something is to be written.
pub(super) enum Target {
    /// It takes what it is given: a device, a pipe, a descriptor of this process.
    Stream(File),
    /// A file, or the name of one that is to be made; no link.
    File {
        path: PathBuf,
        /// What is there.
        old: Option<Metadata>,
    },
}

impl Target {
    /// Follows links, to their end even where there is nothing yet.
    pub(super) fn of(path: &Path) -> io::Result<Target> {
        let mut path = path.to_owned();
        for _ in 0..=MOST_LINKS {
            if path.file_name().is_none() {
                let why = match path.is_dir() {
                    true => "it is a directory",
                    false => "it is not the name of a file",
                };
                return Err(io::Error::other(why));
            }
            let found = match fs::symlink_metadata(&path) {
                Ok(found) => found,
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    return Ok(Target::File { path, old: None });
                }
                Err(error) => return Err(error),
            };
            if found.is_dir() {
                return Err(io::Error::other("it is a directory"));
            } else if found.is_file() {
                may_write(&path)?;
                let old = Some(found);
                return Ok(Target::File { path, old });
            } else if !found.is_symlink() || is_descriptor(&path) {
                // A file behind a descriptor is written on where others have stopped.
                let appended = fs::metadata(&path)?.is_file();
                let file = File::options().write(true).append(appended).open(&path)?;
                return Ok(Target::Stream(file));
            }
            let link = fs::read_link(&path)?;
            path = directory(&path).join(link);
        }
        Err(io::Error::other("too many links lead to each other"))
    }
}

/// The directory that a path is in.
pub(super) fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Whether a link is one that the system shows for an open file: `/dev/stdout` leads to such a one.
fn is_descriptor(link: &Path) -> bool {
    let directory = directory(link).canonicalize();
    directory.is_ok_and(|directory| directory.starts_with("/proc") && directory.ends_with("fd"))
}

/// Whether a file's mode lets it be written; replacing it asks for less.
#[cfg(unix)]
fn may_write(path: &Path) -> io::Result<()> {
    Ok(rustix::fs::access(path, rustix::fs::Access::WRITE_OK)?)
}

#[cfg(not(unix))]
fn may_write(path: &Path) -> io::Result<()> {
    match fs::metadata(path)?.permissions().readonly() {
        true => Err(ErrorKind::PermissionDenied.into()),
        false => Ok(()),
    }
}

/// Whether two paths lead to one ordinary file, by whatever names.
#[cfg(unix)]
pub fn same_file(a: impl AsRef<Path>, b: impl AsRef<Path>) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (fs::metadata(a), fs::metadata(b)) {
        (Ok(a), Ok(b)) => a.is_file() && (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}

/// Whether two paths lead to one ordinary file, by whatever names.
#[cfg(not(unix))]
pub fn same_file(a: impl AsRef<Path>, b: impl AsRef<Path>) -> bool {
    match (a.as_ref().canonicalize(), b.as_ref().canonicalize()) {
        (Ok(a), Ok(b)) => a.is_file() && a == b,
        _ => false,
    }
}
