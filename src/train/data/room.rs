//! How much of memory samples may take.

use super::filling::MOST;
use std::fs;

/// Bytes for pictures that can be read again: half of what is free, where the system says so, and no more than samples may take at all.
pub(super) fn room() -> usize {
    let free = [free(), left()].into_iter().flatten().min();
    free.map_or(MOST, |free| (free / 2).min(MOST as u64) as usize)
}

/// Bytes that the system could give without swapping, as Linux estimates them.
fn free() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    kib.checked_mul(1024)
}

/// What a container has left of its limit (cgroups, version 2).
fn left() -> Option<u64> {
    let number = |name: &str| -> Option<u64> {
        let text = fs::read_to_string(format!("/sys/fs/cgroup/{name}")).ok()?;
        text.trim().parse().ok()
    };
    // Files that were read count as used, but give way.
    let stat = fs::read_to_string("/sys/fs/cgroup/memory.stat").ok()?;
    let inactive = stat
        .lines()
        .find_map(|line| line.strip_prefix("inactive_file "))
        .and_then(|bytes| bytes.trim().parse().ok());
    let used = number("memory.current")?.saturating_sub(inactive.unwrap_or(0));
    Some(number("memory.max")?.saturating_sub(used))
}
