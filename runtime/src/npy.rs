//! Numpy's `.npy`: a header that says type, order and shape of one array, then its elements.

use crate::memory::{OutOfMemory, element_count, reserved};
use crate::sniff::{Guess, looks_like};
use safetensors::Dtype;
use std::fmt;

/// How every file begins.
pub(crate) const MAGIC: &[u8] = b"\x93NUMPY";

/// Bytes that say how long the header is.
pub(crate) const PREFIX: usize = 12;

/// Most extents of an array: numpy's own limit.
const MAX_RANK: usize = 64;

/// What a header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Npy {
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    /// Whether the first index runs fastest.
    pub fortran: bool,
    /// Offset of the elements; the file ends with them.
    pub start: usize,
}

/// What is wrong with a `.npy` file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NpyError {
    /// Something else altogether, with a guess what.
    NotNpy(Option<&'static str>),
    /// The header is not what numpy writes.
    Header,
    /// Elements of a type that is not read.
    Dtype(String),
    /// The file ends too early.
    Truncated {
        /// Bytes of header and elements; only of the header, if that is where the file ends.
        needed: usize,
        /// Bytes that are there.
        found: usize,
    },
    /// More bytes than the shape needs.
    TooLong {
        /// Bytes of header and elements.
        needed: usize,
        /// Bytes that are there.
        found: usize,
    },
    /// More elements than can be counted.
    Uncountable,
}

impl fmt::Display for NpyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NpyError::NotNpy(guess) => write!(f, "not a numpy array{}", Guess(*guess)),
            NpyError::Header => f.write_str("the header of the numpy array is damaged"),
            NpyError::Dtype(dtype) => {
                write!(f, "the numpy array holds `{dtype}`, which is not read")
            }
            NpyError::Truncated { needed, found } => write!(
                f,
                "the numpy array is truncated: {found} bytes are there, {needed} are needed"
            ),
            NpyError::TooLong { needed, found } => write!(
                f,
                "the numpy array needs {needed} bytes, but {found} are there"
            ),
            NpyError::Uncountable => {
                f.write_str("the numpy array claims more elements than can be counted")
            }
        }
    }
}

impl std::error::Error for NpyError {}

/// Longest header that is read.
const MAX_HEADER: usize = 1 << 20;

/// Where the header of an array ends that begins so and has so many bytes.
pub(crate) fn header_end(start: &[u8], len: usize) -> Result<usize, NpyError> {
    let cut = |needed| NpyError::Truncated { needed, found: len };
    let Some(rest) = start.strip_prefix(MAGIC) else {
        return Err(match !start.is_empty() && MAGIC.starts_with(start) {
            true => cut(MAGIC.len() + 4),
            false => NpyError::NotNpy(looks_like(start)),
        });
    };
    let end = match rest {
        [1, _, a, b, ..] => MAGIC.len() + 4 + usize::from(u16::from_le_bytes([*a, *b])),
        [2 | 3, _, a, b, c, d, ..] => {
            let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
            MAGIC.len() + 6 + length
        }
        [] | [1, ..] | [2 | 3, ..] if rest.len() < 6 => return Err(cut(MAGIC.len() + 6)),
        _ => return Err(NpyError::Header),
    };
    match end {
        _ if end > MAX_HEADER => Err(NpyError::Header),
        _ if end > len => Err(cut(end)),
        _ => Ok(end),
    }
}

/// Reads the header of an array whose bytes begin so, header included, and checks that exactly the array has so many.
pub(crate) fn parse(start: &[u8], len: usize) -> Result<Npy, NpyError> {
    let end = header_end(start, len)?;
    let lead = if start[MAGIC.len()] == 1 { 4 } else { 6 };
    let header = start.get(MAGIC.len() + lead..end).ok_or(NpyError::Header)?;
    let header = str::from_utf8(header).map_err(|_| NpyError::Header)?;
    let (descr, fortran, shape) = entries(header).ok_or(NpyError::Header)?;
    let dtype = dtype(descr).ok_or_else(|| NpyError::Dtype(descr.to_owned()))?;
    let count = element_count(&shape).and_then(|count| count.checked_mul(dtype.bitsize() / 8));
    let needed = count.and_then(|bytes| bytes.checked_add(end));
    let needed = needed.ok_or(NpyError::Uncountable)?;
    match len {
        found if found < needed => Err(NpyError::Truncated { needed, found }),
        found if found > needed => Err(NpyError::TooLong { needed, found }),
        _ => Ok(Npy {
            dtype,
            shape,
            fortran,
            start: end,
        }),
    }
}

/// `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`, in any order of the keys.
fn entries(header: &str) -> Option<(&str, bool, Vec<usize>)> {
    let mut rest = header.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
    let (mut descr, mut fortran, mut shape) = (None, None, None);
    while !rest.is_empty() {
        let (key, after) = rest.strip_prefix('\'')?.split_once('\'')?;
        let value = after.trim_start().strip_prefix(':')?.trim_start();
        let end = match value.as_bytes().first()? {
            b'(' => value.find(')')? + 1,
            b'[' => value.rfind(']')? + 1,
            b'\'' => value[1..].find('\'')? + 2,
            _ => value.find(',').unwrap_or(value.len()),
        };
        let (value, after) = value.split_at(end);
        match key {
            "descr" => descr = Some(value.trim_matches('\'')),
            "fortran_order" => {
                fortran = Some(match value.trim() {
                    "True" => true,
                    "False" => false,
                    _ => return None,
                });
            }
            "shape" => {
                let extents = value.strip_prefix('(')?.strip_suffix(')')?.split(',');
                let extents = extents.map(str::trim).filter(|extent| !extent.is_empty());
                shape = Some(
                    extents
                        .map(|extent| extent.parse().ok())
                        .collect::<Option<_>>()?,
                );
            }
            _ => return None,
        }
        rest = after.trim_start();
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    }
    let shape: Vec<usize> = shape?;
    (shape.len() <= MAX_RANK).then_some((descr?, fortran?, shape))
}

fn dtype(descr: &str) -> Option<Dtype> {
    Some(match descr {
        "<f2" => Dtype::F16,
        "<f4" => Dtype::F32,
        "<f8" => Dtype::F64,
        "|b1" => Dtype::BOOL,
        "|u1" => Dtype::U8,
        "|i1" => Dtype::I8,
        "<u2" => Dtype::U16,
        "<i2" => Dtype::I16,
        "<u4" => Dtype::U32,
        "<i4" => Dtype::I32,
        "<u8" => Dtype::U64,
        "<i8" => Dtype::I64,
        "<c8" => Dtype::C64,
        _ => return None,
    })
}

/// How far apart the elements are where the first index runs fastest.
pub(crate) fn fortran_strides(shape: &[usize]) -> Vec<usize> {
    let mut stride = 1;
    let strides = shape.iter().map(|extent| {
        let next = stride * extent;
        std::mem::replace(&mut stride, next)
    });
    strides.collect()
}

/// Elements of `width` bytes that lie `strides` elements apart, in row-major order.
///
/// All must lie in `bytes`, and no extent be so large that the result cannot be.
///
/// # Errors
/// When there is not so much memory.
pub(crate) fn gather(
    bytes: &[u8],
    shape: &[usize],
    strides: &[usize],
    width: usize,
) -> Result<Vec<u8>, OutOfMemory> {
    let count: usize = shape.iter().product();
    let mut out = reserved(count * width)?;
    let mut index = vec![0; shape.len()];
    for _ in 0..count {
        let at: usize = index
            .iter()
            .zip(strides)
            .map(|(index, stride)| index * stride)
            .sum();
        out.extend_from_slice(&bytes[at * width..][..width]);
        for (index, extent) in index.iter_mut().zip(shape).rev() {
            *index += 1;
            if *index < *extent {
                break;
            }
            *index = 0;
        }
    }
    Ok(out)
}

/// All of a file of little-endian f32 in row-major order, but its elements.
pub(crate) fn header(shape: &[usize]) -> Vec<u8> {
    let extents: String = shape.iter().map(|extent| format!("{extent}, ")).collect();
    let mut text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({extents}), }}");
    // The elements start at a multiple of 64, after a newline.
    let len = (MAGIC.len() + 4 + text.len() + 1).next_multiple_of(64) - MAGIC.len() - 4;
    text.push_str(&" ".repeat(len - text.len() - 1));
    text.push('\n');
    [MAGIC, &[1, 0], &(len as u16).to_le_bytes(), text.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(version: u8, header: &str, data: &[u8]) -> Vec<u8> {
        let mut file = [MAGIC, &[version, 0]].concat();
        match version {
            1 => file.extend((header.len() as u16).to_le_bytes()),
            _ => file.extend((header.len() as u32).to_le_bytes()),
        }
        [&file, header.as_bytes(), data].concat()
    }

    fn whole(file: &[u8]) -> Result<Npy, NpyError> {
        parse(file, file.len())
    }

    #[test]
    fn headers_of_every_version() {
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }      \n";
        for version in 1..=3 {
            let file = file(version, header, &[0; 24]);
            let npy = whole(&file).unwrap();
            assert_eq!((npy.dtype, npy.fortran), (Dtype::F32, false));
            assert_eq!((npy.shape, npy.start), (vec![2, 3], file.len() - 24));
        }
        let vector = file(
            1,
            "{'shape': (3,), 'fortran_order': True, 'descr': '<f2'}",
            &[0; 6],
        );
        assert_eq!(whole(&vector).unwrap().shape, [3]);
        let scalar = file(
            1,
            "{'descr': '<i8', 'fortran_order': False, 'shape': ()}",
            &[0; 8],
        );
        assert!(whole(&scalar).unwrap().shape.is_empty());
    }

    #[test]
    fn what_is_wrong_is_said() {
        let f4 =
            |shape: &str| format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}");
        let truncated = |needed, found| NpyError::Truncated { needed, found };
        let start = file(1, &f4("(2, 3)"), &[]).len();
        for (file, error) in [
            (b"GIF89a".to_vec(), NpyError::NotNpy(Some("a GIF picture"))),
            (b"\x93NUM".to_vec(), truncated(10, 4)),
            (b"\x93NUMPY\x01".to_vec(), truncated(12, 7)),
            (b"\x93NUMPY\x01\0\xff\xff{}".to_vec(), truncated(65545, 12)),
            (
                b"\x93NUMPY\x02\0\xff\xff\xff\xff{}".to_vec(),
                NpyError::Header,
            ),
            (file(9, "{}", &[]), NpyError::Header),
            (file(1, "{}", &[]), NpyError::Header),
            (file(1, &f4("(2, x)"), &[]), NpyError::Header),
            (file(1, &f4("(2, -1)"), &[]), NpyError::Header),
            (file(1, &f4("(2"), &[]), NpyError::Header),
            (
                file(1, "{'descr': '<f4', 'shape': (1,)}", &[]),
                NpyError::Header,
            ),
            (
                file(
                    1,
                    "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
                    &[],
                ),
                NpyError::Dtype("|O".into()),
            ),
            (
                file(
                    1,
                    "{'descr': '>f4', 'fortran_order': False, 'shape': (1,)}",
                    &[],
                ),
                NpyError::Dtype(">f4".into()),
            ),
            (
                file(
                    1,
                    "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}",
                    &[],
                ),
                NpyError::Dtype("[('a', '<f4')]".into()),
            ),
            (
                file(1, &f4("(2, 3)"), &[0; 20]),
                truncated(start + 24, start + 20),
            ),
            (
                file(1, &f4("(2, 3)"), &[0; 28]),
                NpyError::TooLong {
                    needed: start + 24,
                    found: start + 28,
                },
            ),
            (
                file(1, &f4("(1000, 10)"), &[0; 4]),
                truncated(start + 4 + 40_000, start + 8),
            ),
            (
                file(1, &f4("(4294967296, 4294967296)"), &[0; 4]),
                NpyError::Uncountable,
            ),
        ] {
            assert_eq!(
                whole(&file),
                Err(error),
                "{}",
                String::from_utf8_lossy(&file)
            );
        }
    }

    #[test]
    fn fortran_order_is_turned() {
        let header = |shape| format!("{{'descr': '|u1', 'fortran_order': True, 'shape': {shape}}}");
        let turned = |shape, data: &[u8]| {
            let file = file(1, &header(shape), data);
            let npy = whole(&file).unwrap();
            let strides = fortran_strides(&npy.shape);
            gather(&file[npy.start..], &npy.shape, &strides, 1).unwrap()
        };
        // Columns first: (0,0) (1,0) (0,1) (1,1) (0,2) (1,2)
        assert_eq!(
            turned("(2, 3)", &[0, 10, 1, 11, 2, 12]),
            [0, 1, 2, 10, 11, 12]
        );
        assert_eq!(turned("()", &[7]), [7]);
        assert!(turned("(0, 3)", &[]).is_empty());
    }

    #[test]
    fn elements_are_gathered_by_strides() {
        assert_eq!(
            gather(&[0, 1, 2, 3, 4, 5, 6, 7], &[2, 2], &[1, 2], 2).unwrap(),
            [0, 1, 4, 5, 2, 3, 6, 7]
        );
        assert_eq!(gather(&[9], &[2, 2], &[0, 0], 1).unwrap(), [9; 4]);
        // One element, as often as no memory has room for.
        let bytes = 1 << 60;
        assert_eq!(gather(&[9], &[bytes], &[0], 1), Err(OutOfMemory { bytes }));
    }
}
