//! Zip archives: bombs, and damage.

use super::{error, peak, source, zip};
use cnnc_runtime::weights::Weights;

fn npy(shape: &str, data: usize) -> Vec<u8> {
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}");
    let len = (header.len() as u16).to_le_bytes();
    [
        &b"\x93NUMPY\x01\0"[..],
        &len,
        header.as_bytes(),
        &vec![0; data],
    ]
    .concat()
}

#[test]
fn zip_bombs_and_broken_archives() {
    let array = npy("(2, 3)", 24);
    assert_eq!(
        error(zip(&[("readme.txt", b"hello", false)])),
        "not a weights file (safetensors, PyTorch, npz, darknet): it looks like a zip archive; unpack it first"
    );
    assert_eq!(
        error(zip(&[
            ("config.json", b"{}", false),
            ("model.weights.h5", b"", false)
        ])),
        "not a weights file (safetensors, PyTorch, npz, darknet): it looks like a Keras model; write the network as a spec, \
         and save its tensors as safetensors or .npz, kernels as (out, in, rows, columns)"
    );
    assert_eq!(
        error(zip(&[("a.npy", &npy("(1000000, 1000000)", 24), true)])),
        "tensor `a`: the numpy array is truncated: 103 bytes are there, 4000000000079 are needed"
    );
    assert_eq!(
        error(zip(&[("a.npy", &array, true), ("a.npy", &array, true)])),
        "`a.npy` in the zip archive stands twice or is no proper name"
    );

    let zeros = npy("(20000000,)", 80_000_000);
    let message = error(zip(&[("a.npy", &zeros, true)]));
    assert!(
        message.starts_with("`a.npy` in the zip archive would unpack to 80000"),
        "{message}"
    );
    assert!(
        message.ends_with("more than the 67108864 that an archive of its size may"),
        "{message}"
    );

    // Of half the size, it is there for a network that has such a tensor, but not for its own sake.
    let zeros = npy("(10000000,)", 40_000_000);
    let weights = Weights::from_bytes(zip(&[("a.npy", &zeros, true)])).unwrap();
    let message = weights.get("a").unwrap().to_f32().unwrap_err().to_string();
    assert!(
        message.starts_with("the weights in memory: a tensor takes 40000000 bytes, more than the "),
        "{message}"
    );
    let sources = [source("a", &[10_000_000])];
    let bound = weights.bind(&sources).unwrap();
    assert_eq!(bound.values(0).unwrap().len(), 10_000_000);

    // A directory that claims little: no more than claimed is unpacked.
    let long = [&array[..], &vec![0; 40_000_000]].concat();
    let mut liar = zip(&[("a.npy", &long, true)]);
    let len = (long.len() as u32).to_le_bytes();
    let claims = liar.windows(4).enumerate();
    let claims = claims.filter(|(_, window)| *window == len);
    let claims: Vec<usize> = claims.map(|(at, _)| at).collect();
    assert!(!claims.is_empty());
    for at in claims {
        liar[at..at + 4].copy_from_slice(&(array.len() as u32).to_le_bytes());
    }
    let taken = peak(|| {
        let weights = Weights::from_bytes(liar).unwrap();
        assert_eq!(
            weights.get("a").unwrap().to_f32().unwrap_err().to_string(),
            "the weights in memory: `a.npy` in the zip archive is damaged: it does not unpack to what was packed"
        );
    });
    assert!(taken < 2 << 20, "{taken} bytes");

    // Both entries of the directory point at one member.
    let mut overlap = zip(&[("a.npy", &array, false), ("b.npy", &array, false)]);
    let entries: Vec<usize> = (0..overlap.len() - 4)
        .filter(|&at| overlap[at..].starts_with(b"PK\x01\x02"))
        .collect();
    let offset = overlap[entries[0] + 42..entries[0] + 46].to_vec();
    overlap[entries[1] + 42..entries[1] + 46].copy_from_slice(&offset);
    assert_eq!(
        error(overlap),
        "`a.npy` and `b.npy` in the zip archive claim the same bytes"
    );

    let mut method = zip(&[("a.npy", &array, false)]);
    let entry = (0..method.len())
        .find(|&at| method[at..].starts_with(b"PK\x01\x02"))
        .unwrap();
    method[entry + 10] = 12;
    assert_eq!(
        error(method),
        "`a.npy` in the zip archive is encrypted, or not packed by deflate"
    );
}
