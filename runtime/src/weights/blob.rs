//! The bytes of a weights file, read where they are needed.
//!
//! A file is read at offsets, never mapped: whoever shortens a mapped file ends the process with a signal that no
//! library can handle, and whoever writes to it changes memory under a reference. A read gives what is there, or an
//! error. It costs no more than the page faults of a mapping do, and of the whole file only one tensor is in memory at a time.

use super::error::Fault;
use crate::files::open_ordinary;
use crate::memory::filled;
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;

/// The bytes of a file, on disk or in memory.
pub(crate) struct Blob {
    place: Place,
    len: usize,
}

enum Place {
    File(File),
    Memory(Cow<'static, [u8]>),
}

impl Blob {
    /// Opens an ordinary file.
    pub fn open(path: &Path) -> io::Result<Blob> {
        let mut file = open_ordinary(path)?;
        if cfg!(not(any(unix, windows))) {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            return Ok(Blob::from(Cow::Owned(bytes)));
        }
        let len = file.metadata()?.len();
        let len = usize::try_from(len).map_err(|_| io::Error::other("it is too large"))?;
        let place = Place::File(file);
        Ok(Blob { place, len })
    }

    /// Bytes of the file, when it was opened.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The bytes of a range; those that lie behind the end are not there.
    pub fn read(&self, range: Range<usize>) -> Result<Cow<'_, [u8]>, Fault> {
        let range = range.start.min(self.len)..range.end.min(self.len);
        if let Some(bytes) = self.borrow(range.clone()) {
            return Ok(Cow::Borrowed(bytes));
        }
        let mut bytes = filled(range.len(), 0)?;
        self.read_into(range.start, &mut bytes)?;
        Ok(Cow::Owned(bytes))
    }

    /// The bytes of a range that lies in the file, if they are in memory.
    pub fn borrow(&self, range: Range<usize>) -> Option<&[u8]> {
        match &self.place {
            Place::Memory(bytes) => Some(&bytes[range]),
            Place::File(_) => None,
        }
    }

    /// Fills `out` with the bytes from `start` on, which must lie in the file.
    pub fn read_into(&self, start: usize, out: &mut [u8]) -> io::Result<()> {
        let mut done = 0;
        while done < out.len() {
            match self.read_some(start + done, &mut out[done..]) {
                Ok(0) => return Err(shortened(self.len, start + done)),
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn read_some(&self, start: usize, out: &mut [u8]) -> io::Result<usize> {
        match &self.place {
            Place::Memory(bytes) => {
                let rest = bytes.get(start..).unwrap_or_default();
                let count = rest.len().min(out.len());
                out[..count].copy_from_slice(&rest[..count]);
                Ok(count)
            }
            #[cfg(unix)]
            Place::File(file) => std::os::unix::fs::FileExt::read_at(file, out, start as u64),
            #[cfg(windows)]
            Place::File(file) => std::os::windows::fs::FileExt::seek_read(file, out, start as u64),
            #[cfg(not(any(unix, windows)))]
            Place::File(_) => unreachable!("such files are read when they are opened"),
        }
    }
}

fn shortened(len: usize, left: usize) -> io::Error {
    io::Error::other(format!(
        "it became shorter while it was read: {left} of {len} bytes are left"
    ))
}

impl From<Cow<'static, [u8]>> for Blob {
    fn from(bytes: Cow<'static, [u8]>) -> Blob {
        let len = bytes.len();
        let place = Place::Memory(bytes);
        Blob { place, len }
    }
}

impl std::fmt::Debug for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Blob({} bytes)", self.len)
    }
}

#[cfg(feature = "foreign-weights")]
impl rawzip::ReaderAt for Blob {
    fn read_at(&self, out: &mut [u8], start: u64) -> io::Result<usize> {
        let start = usize::try_from(start).unwrap_or(self.len).min(self.len);
        let count = out.len().min(self.len - start);
        self.read_into(start, &mut out[..count])?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_becomes_shorter_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        std::fs::write(&path, [7; 100]).unwrap();
        let blob = Blob::open(&path).unwrap();
        assert_eq!(
            (blob.len(), &blob.read(98..200).unwrap()[..]),
            (100, &[7, 7][..])
        );
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(10)
            .unwrap();
        assert_eq!(blob.read(0..10).unwrap().len(), 10);
        let Err(Fault::Io(error)) = blob.read(0..100) else {
            panic!("ninety bytes are not there");
        };
        assert_eq!(
            error.to_string(),
            "it became shorter while it was read: 10 of 100 bytes are left"
        );
    }
}
