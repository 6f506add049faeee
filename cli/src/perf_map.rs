//! `/tmp/perf-PID.map`, by which perf and other profilers name machine code that no file has: written where CNNC_PERF_MAP asks for it.

use crate::print;
use cnnc::Network;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// The file of this process, once there is one.
static MAP: Mutex<Option<File>> = Mutex::new(None);

/// Names a network's code for profilers, if the environment variable CNNC_PERF_MAP is set, and neither empty nor `0`.
pub fn name(network: &Network) {
    let asked = std::env::var_os("CNNC_PERF_MAP");
    if asked.is_none_or(|value| value.is_empty() || value == "0") {
        return;
    }
    let path = PathBuf::from(format!("/tmp/perf-{}.map", std::process::id()));
    let mut map = MAP.lock().unwrap_or_else(PoisonError::into_inner);
    if let Err(error) = append(&mut map, &path, &network.perf_map()) {
        print::warning(format_args!("cannot write {}: {error}", path.display()));
    }
}

fn append(map: &mut Option<File>, path: &PathBuf, lines: &str) -> io::Result<()> {
    let file = match map {
        Some(file) => file,
        None => {
            // What is there is an earlier process's of the same number, or a link that leads elsewhere.
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            map.insert(File::create_new(path)?)
        }
    };
    file.write_all(lines.as_bytes())
}
