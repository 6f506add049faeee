//! Signals that end the program: what it was writing goes first. A run is asked to stop, and ends with the second signal.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

/// Whether the first signal only asks.
static ASKS: AtomicBool = AtomicBool::new(false);

/// The signal that has asked; 0 if none has.
static ASKED: AtomicI32 = AtomicI32::new(0);

/// From now on the first Ctrl-C only asks to stop.
pub fn ask() {
    ASKS.store(true, Ordering::Relaxed);
}

/// The signal that has asked to stop.
pub fn asked() -> Option<i32> {
    Some(ASKED.load(Ordering::Relaxed)).filter(|signal| *signal != 0)
}

/// Waits for them, on a thread of its own.
#[cfg(unix)]
pub fn watch() {
    use cnnc::rt::files::stop_writing;
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;
    let ignored = ignored();
    let signals = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];
    // Those that the caller wants to be ignored (`nohup`) stay so.
    let signals = signals
        .into_iter()
        .filter(|signal| ignored >> (signal - 1) & 1 == 0);
    // Without a thread for it, a signal ends the program as ever.
    let Ok(mut signals) = Signals::new(signals) else {
        return;
    };
    let _ = std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for signal in signals.forever() {
                let gentle = matches!(signal, SIGINT | SIGTERM) && ASKS.load(Ordering::Relaxed);
                if gentle && ASKED.swap(signal, Ordering::Relaxed) == 0 {
                    continue;
                }
                stop_writing();
                let _ = emulate_default_handler(signal);
            }
        });
}

#[cfg(not(unix))]
pub fn watch() {}

/// A bit for each signal that is ignored, the first in the lowest, where the system says.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut lines = status.lines();
    let mask = lines.find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}
