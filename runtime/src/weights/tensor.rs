//! Where the elements of a tensor are in its file, and how they become f32.

use super::blob::Blob;
use super::convert;
use super::error::{Fault, FormatError};
use super::packed::Packed;
use crate::memory::reserved;
use crate::npy::gather;
use safetensors::Dtype;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// One tensor of a file.
#[derive(Debug)]
pub(crate) struct Entry {
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub elements: Elements,
}

pub(crate) type Index = BTreeMap<String, Entry>;

/// Tensors with names, and what stands beside them.
#[derive(Debug, Default)]
pub(crate) struct Named {
    pub index: Index,
    /// What has a tensor's name but is of a kind that is not read; what that is, with its article.
    pub unread: BTreeMap<String, String>,
    /// What a user should know of the rest of the file.
    pub notes: Vec<String>,
}

impl From<Index> for Named {
    fn from(index: Index) -> Named {
        Named {
            index,
            ..Named::default()
        }
    }
}

/// Where a tensor's elements are, little-endian.
#[derive(Debug)]
#[cfg_attr(not(feature = "foreign-weights"), expect(dead_code))]
pub(crate) enum Elements {
    /// From that byte of the file on, in row-major order.
    Plain(usize),
    /// From that byte of the file on, so many elements apart.
    Strided(Box<(usize, Vec<usize>)>),
    /// In a member of a zip archive that is compressed.
    Packed(Box<Packed>),
}

/// Bytes that the elements of one tensor may take beyond twice those of the file.
const UNPACKED: u64 = 32 << 20;

/// Bytes that are copied at a time.
const BLOCK: usize = 1 << 20;

/// Where the elements of a tensor are; see [`Elements`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    Plain(usize),
    Strided(usize, &'a [usize]),
    Packed(&'a Packed),
}

impl Elements {
    pub fn place(&self) -> Place<'_> {
        match self {
            Elements::Plain(start) => Place::Plain(*start),
            Elements::Strided(strided) => Place::Strided(strided.0, &strided.1),
            Elements::Packed(packed) => Place::Packed(packed),
        }
    }
}

/// A tensor in its file, of a shape and a type whose bytes can be counted: readers see to that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stored<'a> {
    pub file: &'a Blob,
    pub shape: &'a [usize],
    pub dtype: Dtype,
    pub place: Place<'a>,
}

impl<'a> Stored<'a> {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    fn width(&self) -> usize {
        convert::width(self.dtype)
    }

    /// Bytes of all elements, some of which have less than one each.
    pub fn byte_len(&self) -> usize {
        self.len() * self.dtype.bitsize() / 8
    }

    /// Refuses a tensor that the file makes larger than a network of such a file would, before it is read for its own sake.
    pub fn affordable(&self) -> Result<(), Fault> {
        let needed = self.byte_len() as u64;
        let limit = (self.file.len() as u64)
            .saturating_mul(2)
            .saturating_add(UNPACKED);
        match self.place {
            Place::Strided(..) | Place::Packed(_) if needed > limit => {
                Err(FormatError::TooLarge { needed, limit }.into())
            }
            _ => Ok(()),
        }
    }

    /// The elements as they are, in row-major order.
    pub fn bytes(&self) -> Result<Cow<'a, [u8]>, Fault> {
        match self.place {
            Place::Plain(start) => Ok(self.file.read(start..start + self.byte_len())?),
            Place::Strided(start, strides) => {
                let reach = reach(self.shape, strides).map_or(0, |last| (last + 1) * self.width());
                let bytes = self.file.read(start..start + reach)?;
                let gathered = gather(&bytes, self.shape, strides, self.width());
                Ok(Cow::Owned(gathered?))
            }
            Place::Packed(packed) => {
                let mut bytes = reserved(self.byte_len())?;
                packed.unpack(self.file, self.byte_len(), |block| {
                    bytes.extend_from_slice(block);
                    Ok::<_, Fault>(())
                })?;
                Ok(Cow::Owned(match packed.strides() {
                    Some(strides) => gather(&bytes, self.shape, strides, self.width())?,
                    None => bytes,
                }))
            }
        }
    }

    /// Writes the elements as they are, in row-major order.
    pub fn copy_to(&self, out: &mut impl Write) -> Result<(), CopyError> {
        let mut write = |block: &[u8]| out.write_all(block).map_err(CopyError::Write);
        match self.place {
            Place::Plain(start) => {
                let end = start + self.byte_len();
                for block in (start..end).step_by(BLOCK) {
                    write(&self.file.read(block..end.min(block + BLOCK))?)?;
                }
                Ok(())
            }
            Place::Packed(packed) if packed.strides().is_none() => {
                packed.unpack(self.file, self.byte_len(), write)
            }
            _ => write(&self.bytes()?),
        }
    }

    /// The elements, where they already lie in memory as f32.
    pub fn borrow(&self) -> Option<&'a [f32]> {
        match self.place {
            Place::Plain(start) => {
                let bytes = self.file.borrow(start..start + self.byte_len())?;
                convert::borrow(self.dtype, bytes)
            }
            _ => None,
        }
    }

    /// Whether any part of the elements can be read without the others.
    pub fn in_parts(&self) -> bool {
        matches!(self.place, Place::Plain(_))
    }

    /// Reads the elements of a [readable](convert::readable) type from index `first` on as f32. Where they are not
    /// [in parts](Stored::in_parts), each call reads all of them.
    pub fn read(&self, first: usize, out: &mut [f32]) -> Result<(), Fault> {
        let Place::Plain(start) = self.place else {
            let bytes = self.bytes()?;
            convert::read(self.dtype, &bytes[first * self.width()..], out);
            return Ok(());
        };
        let start = start + first * self.width();
        if let Some(bytes) = self.file.borrow(start..start + out.len() * self.width()) {
            convert::read(self.dtype, bytes, out);
        } else if let Some(bytes) = convert::as_bytes(self.dtype, out) {
            self.file.read_into(start, bytes)?;
        } else {
            let mut bytes = [0; 1 << 14];
            let count = bytes.len() / self.width();
            for (index, out) in out.chunks_mut(count).enumerate() {
                let bytes = &mut bytes[..out.len() * self.width()];
                self.file
                    .read_into(start + index * count * self.width(), bytes)?;
                convert::read(self.dtype, bytes, out);
            }
        }
        Ok(())
    }
}

/// The extents that are not 1. Shapes that have the same are one shape to a file: `16x8` and `16x8x1x1` hold the same numbers in
/// the same order, and which of them is written is a matter of what layer a framework has for it.
pub(crate) fn long_extents(shape: &[usize]) -> impl Iterator<Item = usize> {
    shape.iter().copied().filter(|&extent| extent != 1)
}

/// Index of the last element of a strided tensor; `None` if it has none, or the index cannot be counted.
pub(crate) fn reach(shape: &[usize], strides: &[usize]) -> Option<usize> {
    let mut dims = shape.iter().zip(strides);
    dims.try_fold(0usize, |last, (&extent, &stride)| {
        last.checked_add(extent.checked_sub(1)?.checked_mul(stride)?)
    })
}

/// Why elements could not be copied.
#[derive(Debug)]
pub(crate) enum CopyError {
    Read(Fault),
    Write(io::Error),
}

impl From<Fault> for CopyError {
    fn from(fault: Fault) -> CopyError {
        CopyError::Read(fault)
    }
}
