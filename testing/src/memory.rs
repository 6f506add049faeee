//! Memory as a thread asks for it, counted.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, which counts; [`most`] and [`blocks`] need it as the `#[global_allocator]`. Growing is a new block beside the old one,
/// as it may be at worst.
pub struct Counting;

thread_local! {
    /// Bytes that the thread has, and had at most; less than none when it frees what others have allocated.
    static BYTES: Cell<(isize, isize)> = const { Cell::new((0, 0)) };

    /// How often it has asked for some.
    static BLOCKS: Cell<usize> = const { Cell::new(0) };
}

fn count(change: isize) {
    // Threads that are going away are not counted.
    let _ = BYTES.try_with(|bytes| {
        let (now, most) = bytes.get();
        bytes.set((now + change, most.max(now + change)));
    });
    if change > 0 {
        let _ = BLOCKS.try_with(|blocks| blocks.set(blocks.get() + 1));
    }
}

// SAFETY: every call is passed on to the system's allocator; cells of numbers need no allocation.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize);
        // SAFETY: the caller's promises are passed on.
        let moved = unsafe { System.realloc(at, layout, size) };
        count(-(layout.size() as isize));
        moved
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(at, layout) }
    }
}

/// Runs something; also says how many bytes this thread had at most, beyond those before.
pub fn most<T>(run: impl FnOnce() -> T) -> (T, usize) {
    let before = BYTES.with(|bytes| {
        let (now, _) = bytes.get();
        bytes.set((now, now));
        now
    });
    let result = run();
    let most = BYTES.with(|bytes| bytes.get().1);
    (result, (most - before).max(0) as usize)
}

/// Runs something; also says how often this thread asked for memory, though it may have given as much back.
pub fn blocks<T>(run: impl FnOnce() -> T) -> (T, usize) {
    let before = BLOCKS.get();
    let result = run();
    (result, BLOCKS.get() - before)
}
