//! Files that claim gigabytes are refused in little memory: the process never grows beyond a few pages
//! more than what really is in them.

#![cfg(target_os = "linux")]

use cnnc_runtime::tensor_file::read_tensors;
use cnnc_runtime::weights::Weights;
use std::fs;

/// The most memory that this process ever had, in MB.
fn peak() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<usize>()
        .unwrap()
        / 1024
}

fn safetensors(length: u64, header: &str) -> Vec<u8> {
    [&length.to_le_bytes()[..], header.as_bytes(), &[0; 64]].concat()
}

#[test]
fn what_is_claimed_is_not_allocated() {
    let before = peak();
    let tensor =
        r#"{"a":{"dtype":"F32","shape":[1000000,1000000],"data_offsets":[0,4000000000000]}}"#;
    for bytes in [
        safetensors(99_000_000, tensor),
        safetensors(u64::MAX, tensor),
        safetensors(tensor.len() as u64, tensor),
    ] {
        assert!(Weights::from_bytes(bytes).is_err());
    }

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.npy");
    for shape in ["(1000000000000,)", "(100000, 100000)"] {
        let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n");
        let length = (header.len() as u16).to_le_bytes();
        fs::write(
            &path,
            [b"\x93NUMPY\x01\0", &length[..], header.as_bytes(), &[0; 64]].concat(),
        )
        .unwrap();
        assert!(read_tensors(&path).is_err());
    }

    let grown = peak() - before;
    assert!(grown < 32, "{grown} MB were needed to refuse these files");
}
