//! Tensor files: what is written is read back, and what is broken is refused with its exact message.

use cnnc_runtime::tensor_file::{Tensor, read_tensors, write_npy, write_safetensors};
use std::fs;

fn read(bytes: &[u8]) -> Result<Vec<Tensor>, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.npy");
    fs::write(&path, bytes).unwrap();
    let prefix = format!("{}: ", path.display());
    read_tensors(&path).map_err(|error| {
        let message = error.to_string();
        message.strip_prefix(&prefix).expect(&message).to_owned()
    })
}

/// An `.npy` file with that header.
fn npy(descr: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\0", &length[..], header.as_bytes(), data].concat()
}

fn values(bytes: &[u8]) -> (Vec<usize>, Vec<f32>) {
    let mut tensors = read(bytes).unwrap();
    assert_eq!((tensors.len(), &*tensors[0].name), (1, "x"));
    let tensor = tensors.remove(0);
    (tensor.shape, tensor.values)
}

#[test]
fn both_formats_round_trip() {
    let directory = tempfile::tempdir().unwrap();
    let grid: Vec<f32> = (0..12).map(|i| i as f32 * 0.5 - 1.0).collect();
    for shape in [&[12][..], &[3, 4], &[1, 3, 2, 2]] {
        let path = directory.path().join("grid.npy");
        write_npy(&path, shape, &grid).unwrap();
        let expected = Tensor {
            name: "grid".into(),
            shape: shape.to_vec(),
            values: grid.clone(),
            bytes: false,
        };
        assert_eq!(read_tensors(&path).unwrap(), [expected]);
        assert_eq!(
            fs::read(&path).unwrap().len() % 64,
            48,
            "the data starts at a multiple of 64"
        );
    }
    let path = directory.path().join("out.safetensors");
    let named: [(&str, &[usize], &[f32]); 3] = [
        ("b", &[2, 6], &grid),
        ("a", &[], &[7.5]),
        ("none", &[0, 3], &[]),
    ];
    write_safetensors(&path, &named).unwrap();
    let read_back = read_tensors(&path).unwrap();
    assert_eq!(read_back.len(), 3);
    for (name, shape, values) in named {
        let tensor = read_back.iter().find(|tensor| tensor.name == name).unwrap();
        assert_eq!((&tensor.shape[..], &tensor.values[..]), (shape, values));
    }
    let bytes = fs::read(&path).unwrap();
    let theirs = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(theirs.tensor("b").unwrap().shape(), [2, 6]);
    assert_eq!(
        fs::read_dir(&directory).unwrap().count(),
        2,
        "no temporary file is left"
    );
}

#[test]
fn the_bytes_that_numpy_writes() {
    // np.save of np.array([[1, 2, 3], [4, 5, 6]], dtype=np.int64, order="F"), numpy 2.4.
    let mut header = "{'descr': '<i8', 'fortran_order': True, 'shape': (2, 3), }".to_owned();
    header.push_str(&" ".repeat(117 - header.len()));
    header.push('\n');
    let data: Vec<u8> = [1i64, 4, 2, 5, 3, 6]
        .iter()
        .flat_map(|v| v.to_le_bytes())
        .collect();
    let bytes = [b"\x93NUMPY\x01\0\x76\0", header.as_bytes(), &data].concat();
    assert_eq!(
        values(&bytes),
        (vec![2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    );
}

#[test]
fn types_orders_and_ranks_of_npy() {
    assert_eq!(
        values(&npy("'|u1'", "False", "(3,)", &[0, 128, 255])),
        (vec![3], vec![0.0, 128.0, 255.0])
    );
    assert_eq!(
        values(&npy("'|b1'", "False", "(2,)", &[0, 1])),
        (vec![2], vec![0.0, 1.0])
    );
    assert_eq!(
        values(&npy("'<f8'", "False", "()", &2.5f64.to_le_bytes())),
        (vec![], vec![2.5])
    );
    assert_eq!(
        values(&npy("'<f2'", "False", "(1, 1)", &[0, 0x3c])),
        (vec![1, 1], vec![1.0])
    );
    assert_eq!(
        values(&npy("'<f4'", "True", "(0, 3)", &[])),
        (vec![0, 3], vec![])
    );
    let fortran = npy("'|u1'", "True", "(2, 2, 2)", &[0, 4, 2, 6, 1, 5, 3, 7]);
    assert_eq!(values(&fortran).1, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
    let any_order = "{'shape':(1,),'fortran_order':False,'descr':'|u1'}";
    let version_2 = [
        b"\x93NUMPY\x02\0",
        &(any_order.len() as u32).to_le_bytes()[..],
        any_order.as_bytes(),
        &[9],
    ]
    .concat();
    assert_eq!(values(&version_2), (vec![1], vec![9.0]));
}

#[test]
fn broken_npy_files() {
    let damaged = "the header of the numpy array is damaged";
    for (bytes, message) in [
        (
            npy("'<f4'", "False", "(1000000000000, 4)", &[0; 64]),
            "the numpy array is truncated: 146 bytes are there, 16000000000082 are needed",
        ),
        (
            npy("'<f4'", "False", "(4611686018427387904, 4)", &[0; 64]),
            "the numpy array claims more elements than can be counted",
        ),
        (
            npy("'<f4'", "False", "(2, 2)", &[0; 15]),
            "the numpy array is truncated: 85 bytes are there, 86 are needed",
        ),
        (
            npy("'>f4'", "False", "(1,)", &[0; 4]),
            "the numpy array holds `>f4`, which is not read",
        ),
        (
            npy("'|O'", "False", "(1,)", b"\x80\x04."),
            "the numpy array holds `|O`, which is not read",
        ),
        (npy("'<f4'", "False", "(-1,)", &[0; 4]), damaged),
        (npy("'<f4'", "None", "(1,)", &[0; 4]), damaged),
        (npy("'<f4'", "False", &"(".repeat(9000), &[]), damaged),
        (
            b"\x93NUMPY\x01\0\xff\xff{'descr'".to_vec(),
            "the numpy array is truncated: 18 bytes are there, 65545 are needed",
        ),
        (
            b"\x93NUMPY\x01".to_vec(),
            "the numpy array is truncated: 7 bytes are there, 12 are needed",
        ),
    ] {
        assert_eq!(read(&bytes).unwrap_err(), message);
    }
}

#[test]
fn files_that_are_something_else() {
    for (bytes, message) in [
        (
            &b""[..],
            "not a file of tensors (npy, npz, safetensors, pt): it looks like an empty file",
        ),
        (
            b"1.0 2.0 3.0\n",
            "not a file of tensors (npy, npz, safetensors, pt): it looks like text",
        ),
        (
            b"\x89PNG\r\n\x1a\n\0\0\0\r",
            "not a file of tensors (npy, npz, safetensors, pt): it looks like a PNG picture",
        ),
        (
            b"\x40\0\0\0\0\0\0\0{}",
            "the file is truncated: 10 bytes are there, at least 72 are needed",
        ),
    ] {
        assert_eq!(read(bytes).unwrap_err(), message);
    }
    let header = br#"{"z":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}"#;
    let complex = [&(header.len() as u64).to_le_bytes()[..], header, &[0; 8]].concat();
    assert_eq!(
        read(&complex).unwrap_err(),
        "tensor `z` holds C64, which is not read as f32"
    );
}

#[test]
fn nothing_is_written_when_writing_fails() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out.safetensors");
    let error = write_safetensors(&path, &[("a", &[3], &[1.0])]).unwrap_err();
    let path_text = path.display();
    assert_eq!(
        error.to_string(),
        format!("{path_text}: tensor `a` of shape 3 was given 1 elements")
    );
    let twice: [(&str, &[usize], &[f32]); 2] = [("a", &[1], &[1.0]), ("a", &[1], &[2.0])];
    let error = write_safetensors(&path, &twice).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{path_text}: the name `a` stands twice, or is not allowed")
    );
    let nowhere = directory.path().join("no/out.npy");
    let error = write_npy(&nowhere, &[1], &[1.0]).unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("cannot write {}: ", nowhere.display())),
        "{error}"
    );
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 0);
}
