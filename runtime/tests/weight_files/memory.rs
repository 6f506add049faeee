//! Memory as a thread asks for it, counted: what a file makes of it must be in proportion to its length.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

thread_local! {
    /// Bytes in use, and most of them since [`peak`] began.
    static BYTES: Cell<(isize, isize)> = const { Cell::new((0, 0)) };
}

fn count(change: isize) {
    // Threads that are going away are not counted.
    let _ = BYTES.try_with(|bytes| {
        let (now, most) = bytes.get();
        bytes.set((now + change, most.max(now + change)));
    });
}

// SAFETY: everything is the system's allocator. Growing is a new block beside the old one, as it may be at worst.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: passed on.
        unsafe { System.dealloc(block, layout) }
    }
}

/// The most bytes that were in use at a time, beyond those before.
pub fn peak(run: impl FnOnce()) -> usize {
    let before = BYTES.with(|bytes| {
        let (now, _) = bytes.get();
        bytes.set((now, now));
        now
    });
    run();
    BYTES.with(|bytes| bytes.get().1 - before) as usize
}

/// Bytes that reading a file of so many may take, the file included.
pub fn allowed(len: usize) -> usize {
    2 * len + (64 << 20)
}
