//! FPCR, the control register of floating point.

use core::arch::asm;

/// The register.
pub type Register = u64;

/// FZ: denormals are zero as operands and as results.
pub const FLUSH: Register = 1 << 24;

/// The register's content.
pub fn read() -> Register {
    let value;
    // SAFETY: reads a register that every program may read.
    unsafe { asm!("mrs {}, fpcr", out(reg) value, options(nostack, preserves_flags)) };
    value
}

/// Sets it.
///
/// # Safety
/// `value` must be what [`read`] gave, or differ from it by [`FLUSH`] only.
pub unsafe fn write(value: Register) {
    // SAFETY: of the register's bits none but FZ differs from what was there, by the caller's promise.
    unsafe { asm!("msr fpcr, {}", in(reg) value, options(nostack, preserves_flags)) };
}
