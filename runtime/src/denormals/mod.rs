//! Numbers too small to be normal count as zero while a network runs.
//!
//! On most machines an operation on such a number takes a hundred times as long as any other, and networks that decay towards zero are full of
//! them. So [`Session`](crate::session::Session), the interpreter and the threads of a [`Pool`](crate::threads::Pool) work in the processor's mode
//! that reads them as zero and writes zero for them. The mode belongs to the thread; [`Flushed`] sets it and puts back what was.
//!
//! Where the processor has no such mode that is known here, nothing happens. Denormals among inputs and constants are zero everywhere.

#[cfg(target_arch = "aarch64")]
#[path = "aarch64.rs"]
mod control;
#[cfg(target_arch = "x86_64")]
#[path = "x86_64.rs"]
mod control;

/// Processors of which no mode is known.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod control {
    pub type Register = u8;
    pub const FLUSH: Register = 0;
    pub fn read() -> Register {
        0
    }
    pub unsafe fn write(_: Register) {}
}

use std::marker::PhantomData;

/// While it lives, denormal numbers are zero on this thread. Dropping it, by a panic too, restores the mode that was.
#[must_use = "the mode lasts as long as this value"]
#[derive(Debug)]
pub struct Flushed {
    before: control::Register,
    /// The mode is the thread's, so this cannot leave it.
    _here: PhantomData<*const ()>,
}

impl Flushed {
    /// Sets the mode.
    pub fn enter() -> Flushed {
        let before = control::read();
        // SAFETY: what was, with two bits that change how denormals are treated and nothing else.
        unsafe { control::write(before | control::FLUSH) };
        Flushed {
            before,
            _here: PhantomData,
        }
    }
}

impl Drop for Flushed {
    fn drop(&mut self) {
        // SAFETY: what was there before.
        unsafe { control::write(self.before) };
    }
}

/// Whether denormal numbers are zero on this thread. False where no mode is known.
pub fn flushed() -> bool {
    control::FLUSH != 0 && control::read() & control::FLUSH == control::FLUSH
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hint::black_box;

    /// Half of the smallest normal number, as the processor computes it now.
    fn half_of_the_smallest() -> f32 {
        black_box(f32::MIN_POSITIVE) * black_box(0.5)
    }

    #[test]
    fn denormals_are_zero_within() {
        let known = control::FLUSH != 0;
        let before = control::read();
        {
            let _flushed = Flushed::enter();
            assert_eq!(flushed(), known);
            assert_eq!(half_of_the_smallest() == 0.0, known);
            // Read as zero, too: the product is not small.
            let denormal = black_box(f32::from_bits(1 << 20));
            assert_eq!(denormal * black_box(1e30) == 0.0, known);
            let _nested = Flushed::enter();
        }
        assert_eq!(control::read(), before);
        assert!(half_of_the_smallest() > 0.0);
    }

    #[test]
    fn a_panic_restores_the_mode() {
        let panic = std::panic::catch_unwind(|| {
            let _flushed = Flushed::enter();
            panic!("within");
        });
        assert!(panic.is_err());
        assert!(!flushed());
        assert!(half_of_the_smallest() > 0.0);
    }
}
