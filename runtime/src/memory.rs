//! Memory that is sized by a spec or by what a file claims: where it cannot be had, that is an error and not the end of the process.
//!
//! [`Aligned`] is for arenas and packed weights: f32 that start on a cache line and are zero to begin with. [`reserved`], [`filled`], [`zeros`] and [`collect`]
//! make vectors.

use memmap2::MmapMut;
use std::fmt;
use std::ops::{Deref, DerefMut};

/// Bytes that every [`Aligned`] buffer is aligned to.
pub const ALIGNMENT: usize = 64;

/// From this size on, pages of 2 MiB are asked for: fewer faults while packing, fewer TLB misses
/// while weights stream through.
#[cfg(target_os = "linux")]
const HUGE: usize = 4 << 20;

/// A buffer of f32, zeroed, aligned to [`ALIGNMENT`] bytes.
///
/// It is anonymous memory straight from the operating system: a page costs nothing until it is first
/// touched, and a size that cannot be had is an error instead of the end of the process.
pub struct Aligned {
    map: MmapMut,
    len: usize,
}

impl Aligned {
    /// A buffer of `len` zeros.
    ///
    /// # Errors
    /// When the operating system does not give that much.
    pub fn zeroed(len: usize) -> Result<Aligned, OutOfMemory> {
        let error = OutOfMemory::of::<f32>(len);
        let bytes = len.checked_mul(size_of::<f32>()).ok_or(error)?;
        // A mapping of no bytes is refused.
        let map = MmapMut::map_anon(bytes.max(1)).map_err(|_| error)?;
        #[cfg(target_os = "linux")]
        if bytes >= HUGE {
            // Only a hint: a kernel without huge pages refuses it, and nothing is lost.
            let _ = map.advise(memmap2::Advice::HugePage);
        }
        assert_eq!(
            map.as_ptr().align_offset(ALIGNMENT),
            0,
            "pages are larger than a cache line"
        );
        Ok(Aligned { map, len })
    }
}

impl Deref for Aligned {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        // SAFETY: `zeroed` checked that the mapping has at least `len * 4` bytes and its alignment;
        // it was zeroed by the system, every bit pattern is an f32, and it lives as long as `self`.
        unsafe { std::slice::from_raw_parts(self.map.as_ptr().cast(), self.len) }
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as in `deref`; `&mut self` makes this the only reference.
        unsafe { std::slice::from_raw_parts_mut(self.map.as_mut_ptr().cast(), self.len) }
    }
}

impl fmt::Debug for Aligned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Aligned({} f32)", self.len)
    }
}

/// A vector with room for so many elements, and none yet.
///
/// # Errors
/// When there is not so much memory.
pub fn reserved<T>(len: usize) -> Result<Vec<T>, OutOfMemory> {
    let mut elements = Vec::new();
    let reserved = elements.try_reserve_exact(len);
    reserved.map_err(|_| OutOfMemory::of::<T>(len))?;
    Ok(elements)
}

/// A vector of so many zeros.
///
/// # Errors
/// As [`reserved`].
pub fn zeros(len: usize) -> Result<Vec<f32>, OutOfMemory> {
    filled(len, 0.0)
}

/// A vector of so many elements that are all the same.
///
/// # Errors
/// As [`reserved`].
pub fn filled<T: Clone>(len: usize, value: T) -> Result<Vec<T>, OutOfMemory> {
    let mut elements = reserved(len)?;
    elements.resize(len, value);
    Ok(elements)
}

/// A vector of these elements.
///
/// # Errors
/// As [`reserved`].
pub fn collect<T>(elements: impl ExactSizeIterator<Item = T>) -> Result<Vec<T>, OutOfMemory> {
    let mut all = reserved(elements.len())?;
    all.extend(elements);
    Ok(all)
}

/// Asks for so many bytes and gives them back: before something that takes as much in pieces, and cannot fail on the way.
///
/// # Errors
/// When there are not so many.
pub fn ask(bytes: u64) -> Result<(), OutOfMemory> {
    let elements = usize::try_from(bytes).unwrap_or(usize::MAX) / size_of::<f32>();
    Aligned::zeroed(elements).map(drop)
}

/// Memory that the operating system did not give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory {
    /// Bytes that were asked for.
    pub bytes: usize,
}

impl OutOfMemory {
    pub(crate) fn of<T>(len: usize) -> OutOfMemory {
        OutOfMemory {
            bytes: len.saturating_mul(size_of::<T>()),
        }
    }
}

impl fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not enough memory: {} are needed", Bytes(self.bytes))
    }
}

impl std::error::Error for OutOfMemory {}

/// `4294967296 bytes (4.0 GiB)`
struct Bytes(usize);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0;
        let large = [(30, "GiB"), (20, "MiB")]
            .into_iter()
            .find(|(bits, _)| bytes >> bits > 0);
        match large {
            None => write!(f, "{bytes} bytes"),
            Some((bits, unit)) => {
                let number = bytes as f64 / f64::from(1 << bits);
                write!(f, "{bytes} bytes ({number:.1} {unit})")
            }
        }
    }
}

/// Elements of a shape, `None` where they cannot be counted.
pub(crate) fn element_count(shape: &[usize]) -> Option<usize> {
    shape
        .iter()
        .try_fold(1usize, |n, &size| n.checked_mul(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeroed_aligned_and_writable() {
        for len in [0, 1, 1000, (1 << 20) + 3] {
            let mut buffer = Aligned::zeroed(len).unwrap();
            assert_eq!(buffer.len(), len);
            assert_eq!(buffer.as_ptr() as usize % ALIGNMENT, 0);
            assert!(buffer.iter().all(|&value| value == 0.0));
            buffer.fill(2.5);
            assert!(buffer.iter().all(|&value| value == 2.5));
        }
    }

    #[test]
    fn a_huge_size_is_an_error() {
        for len in [usize::MAX, usize::MAX / 4, isize::MAX as usize / 4] {
            let error = Aligned::zeroed(len).unwrap_err();
            let bytes = len.saturating_mul(4);
            assert_eq!(error, OutOfMemory { bytes });
            assert_eq!(zeros(len), Err(error));
            assert_eq!(collect((0..len).map(|_| 0.0f32)), Err(error));
        }
        assert_eq!(ask(u64::MAX).unwrap_err().bytes, usize::MAX - 3);
        let message = |bytes| OutOfMemory { bytes }.to_string();
        assert_eq!(message(1000), "not enough memory: 1000 bytes are needed");
        assert_eq!(
            message(5 << 29),
            "not enough memory: 2684354560 bytes (2.5 GiB) are needed"
        );
    }
}
