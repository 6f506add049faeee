//! Weights files, sound and broken: what is read, and the exact message for what is not.

mod broken;
mod fit;

use cnnc_runtime::plan::Source;
use cnnc_runtime::weights::{Weights, WeightsError};
use std::fs;

/// A safetensors file with that header, and that many zero bytes of data.
fn file(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

fn entry(name: &str, dtype: &str, shape: &str, range: &str) -> String {
    format!(r#""{name}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{range}}}"#)
}

fn source(name: &'static str, shape: &[usize]) -> Source {
    Source {
        name: name.into(),
        shape: shape.to_vec().into(),
    }
}

/// The error of opening a file of those bytes, from disk and from memory alike; without its name.
fn refused(bytes: &[u8]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("net.safetensors");
    fs::write(&path, bytes).unwrap();
    let from_disk = Weights::open(&path).unwrap_err();
    assert!(matches!(from_disk, WeightsError::Format { .. }));
    let from_disk = from_disk.to_string();
    let message = from_disk
        .strip_prefix(&format!("{}: ", path.display()))
        .unwrap();
    let from_memory = Weights::from_bytes(bytes.to_vec()).unwrap_err().to_string();
    assert_eq!(
        from_memory.strip_prefix("the weights in memory: "),
        Some(message)
    );
    message.to_owned()
}
