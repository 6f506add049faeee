//! Tensors that are compressed in their file: unpacked when they are asked for, one at a time.

#[cfg(feature = "foreign-weights")]
pub(crate) use deflated::{Packed, damaged, unpacker};
#[cfg(not(feature = "foreign-weights"))]
pub(crate) use none::Packed;

#[cfg(feature = "foreign-weights")]
mod deflated {
    use super::super::blob::Blob;
    use super::super::error::{ArchiveError, Fault};
    use flate2::Crc;
    use flate2::read::DeflateDecoder;
    use rawzip::RangeReader;
    use std::io::{self, Read};
    use std::ops::Range;

    /// Bytes that are unpacked at a time.
    const BLOCK: usize = 1 << 20;

    /// A compressed member of a zip archive that ends with the elements.
    #[derive(Debug)]
    pub(crate) struct Packed {
        /// Its name in the archive.
        pub name: String,
        /// Its bytes in the file.
        pub range: Range<usize>,
        /// Offset of the elements, unpacked.
        pub start: usize,
        /// Of the unpacked bytes.
        pub crc: u32,
        /// Where they are not in row-major order.
        pub strides: Option<Vec<usize>>,
    }

    impl Packed {
        /// How far apart the elements are, where that is not as in row-major order.
        pub fn strides(&self) -> Option<&[usize]> {
            self.strides.as_deref()
        }

        /// Unpacks the elements, which must be so many bytes, block by block.
        pub fn unpack<E: From<Fault>>(
            &self,
            file: &Blob,
            len: usize,
            mut each: impl FnMut(&[u8]) -> Result<(), E>,
        ) -> Result<(), E> {
            let corrupt = || E::from(ArchiveError::Corrupt(self.name.clone()).into());
            let end = self.start + len;
            let mut unpacked = unpacker(file, self.range.clone());
            let mut crc = Crc::new();
            // No more than claimed is unpacked, and one byte, so that a longer member is noticed.
            let mut block = vec![0; BLOCK.min(end + 1)];
            let mut at = 0;
            loop {
                let count = match unpacked.read(&mut block) {
                    Ok(0) => break,
                    Ok(count) if count <= end - at => count,
                    Err(error) if !damaged(&error) => return Err(Fault::Io(error).into()),
                    _ => return Err(corrupt()),
                };
                crc.update(&block[..count]);
                let skipped = self.start.saturating_sub(at).min(count);
                each(&block[skipped..count])?;
                at += count;
            }
            match at == end && crc.sum() == self.crc {
                true => Ok(()),
                false => Err(corrupt()),
            }
        }
    }

    /// Unpacks the bytes of a range.
    pub(crate) fn unpacker(file: &Blob, range: Range<usize>) -> DeflateDecoder<RangeReader<&Blob>> {
        let range = range.start as u64..range.end as u64;
        DeflateDecoder::new(RangeReader::new(file, range))
    }

    /// Whether it is the packed bytes that are at fault, not the system.
    pub(crate) fn damaged(error: &io::Error) -> bool {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof)
    }
}

/// Formats whose tensors may be compressed are not read.
#[cfg(not(feature = "foreign-weights"))]
mod none {
    use super::super::blob::Blob;
    use super::super::error::Fault;

    #[derive(Debug)]
    pub(crate) enum Packed {}

    impl Packed {
        pub fn strides(&self) -> Option<&[usize]> {
            match *self {}
        }

        pub fn unpack<E: From<Fault>>(
            &self,
            _: &Blob,
            _: usize,
            _: impl FnMut(&[u8]) -> Result<(), E>,
        ) -> Result<(), E> {
            match *self {}
        }
    }
}
