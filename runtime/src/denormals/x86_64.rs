//! MXCSR, the control register of SSE and AVX. By assembly: the intrinsics are deprecated, as the compiler does not know this register.

use core::arch::asm;

/// The register.
pub type Register = u32;

/// Flush to zero and denormals are zero.
pub const FLUSH: Register = 1 << 15 | 1 << 6;

/// The register's content.
pub fn read() -> Register {
    let mut value = 0;
    // SAFETY: stores four bytes to `value`.
    unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut value, options(nostack, preserves_flags)) };
    value
}

/// Sets it.
///
/// # Safety
/// `value` must be what [`read`] gave, or differ from it by [`FLUSH`] only.
pub unsafe fn write(value: Register) {
    // SAFETY: loads four bytes from `value`, of which no reserved bit is set, by the caller's promise.
    unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const value, options(nostack, preserves_flags)) };
}
