//! Buffers of f32 that start on a cache line and are zero to begin with: arenas and packed weights.

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
        let error = OutOfMemory { elements: len };
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

/// A buffer that the operating system did not give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory {
    /// Number of f32 asked for.
    pub elements: usize,
}

impl fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no memory for a buffer of {} numbers", self.elements)
    }
}

impl std::error::Error for OutOfMemory {}

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
            assert_eq!(error, OutOfMemory { elements: len });
        }
        let message = Aligned::zeroed(usize::MAX).unwrap_err().to_string();
        assert_eq!(
            message,
            format!("no memory for a buffer of {} numbers", usize::MAX)
        );
    }
}
