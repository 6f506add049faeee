//! Files that make as much as they can of what is allowed: many tensors, members and containers, long names and shapes.

use super::torch::{tensor, torch};
use super::{allowed, peak, source, zip};
use cnnc_runtime::tensor_file::read_tensors;
use cnnc_runtime::weights::Weights;
use std::fmt::Write;
use std::fs;
use std::time::Instant;

/// Opens the file, uses what can be used, and says how that ended.
#[track_caller]
fn takes_no_more_than_allowed(file: Vec<u8>) -> String {
    let len = file.len();
    let mut said = String::new();
    let start = Instant::now();
    // The file is in memory beside what is counted.
    let taken = len
        + peak(|| match Weights::from_bytes(file) {
            Ok(weights) => {
                for name in weights.names().take(1000) {
                    let _ = weights.get(name).unwrap().to_f32();
                }
                let sources = ["a", "b.weight"].map(|name| source(name, &[3]));
                let _ = weights
                    .bind(&sources)
                    .map(|bound| bound.check_finite().is_ok());
                said = format!("{} tensors", weights.names().len());
            }
            Err(error) => said = error.to_string(),
        });
    let (taken, allowed) = (taken >> 20, allowed(len) >> 20);
    assert!(
        taken <= allowed,
        "{taken} MB of {allowed} MB for {len} bytes: {said}"
    );
    let seconds = start.elapsed().as_secs_f64();
    assert!(seconds < 10.0, "{seconds} s for {len} bytes: {said}");
    said
}

fn safetensors(header: &str, data: usize) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.resize(file.len() + data, 0);
    file
}

/// Files of a few bytes that claim gigabytes are refused in little memory.
#[test]
fn what_is_claimed_is_not_allocated() {
    #[track_caller]
    fn cheaply(refuse: impl FnOnce() -> bool) {
        let mut refused = false;
        let taken = peak(|| refused = refuse());
        assert!(refused);
        assert!(taken < 1 << 20, "{taken} bytes");
    }
    let tensor =
        r#"{"a":{"dtype":"F32","shape":[1000000,1000000],"data_offsets":[0,4000000000000]}}"#;
    for length in [99_000_000, u64::MAX, tensor.len() as u64] {
        let mut file = safetensors(tensor, 64);
        file[..8].copy_from_slice(&length.to_le_bytes());
        cheaply(|| Weights::from_bytes(file).is_err());
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.npy");
    for shape in ["(1000000000000,)", "(100000, 100000)"] {
        let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n");
        let length = (header.len() as u16).to_le_bytes();
        let start = b"\x93NUMPY\x01\0";
        let file = [start, &length[..], header.as_bytes(), &[0; 64]].concat();
        fs::write(&path, file).unwrap();
        cheaply(|| read_tensors(&path).is_err());
    }
}

#[test]
fn headers_of_safetensors() {
    let entries = |count: usize, shape: &str| {
        let mut header = String::from("{");
        for n in 0..count {
            let comma = if n == 0 { "" } else { "," };
            write!(
                header,
                r#"{comma}"{n:x}":{{"dtype":"U8","shape":[{shape}],"data_offsets":[0,0]}}"#
            )
            .unwrap();
        }
        header + "}"
    };
    let said = takes_no_more_than_allowed(safetensors(&entries(65_536, "0"), 0));
    assert_eq!(said, "65536 tensors");
    let said = takes_no_more_than_allowed(safetensors(&entries(65_537, "0"), 0));
    assert!(said.contains("more than 65536 tensors"), "{said}");
    // Extents take most of all in a program, and least in a file.
    takes_no_more_than_allowed(safetensors(&entries(40_000, &"0,".repeat(64)[..127]), 0));
    let long = "1,".repeat(4_000_000);
    let said = takes_no_more_than_allowed(safetensors(&entries(1, &long[..long.len() - 1]), 0));
    assert!(said.contains("more than 64 extents"), "{said}");
    let name = format!(
        r#"{{"{}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}}}"#,
        "a".repeat(8_000_000)
    );
    assert_eq!(
        takes_no_more_than_allowed(safetensors(&name, 0)),
        "1 tensors"
    );
}

#[test]
fn members_of_archives() {
    let array = b"\x93NUMPY\x01\0\x33\0{'descr':'|u1','fortran_order':False,'shape':(0,),}";
    assert_eq!(array.len(), 10 + 0x33);
    let names: Vec<String> = (0..66_000).map(|n| format!("{n:x}.npy")).collect();
    let members = |count: usize, compress| {
        let names = names[..count].iter();
        let members: Vec<_> = names
            .map(|name| (name.as_str(), &array[..], compress))
            .collect();
        takes_no_more_than_allowed(zip(&members))
    };
    assert_eq!(members(65_536, false), "65536 tensors");
    assert_eq!(members(10_000, true), "10000 tensors");
    let said = members(66_000, false);
    assert!(said.contains("more than 65536 tensors"), "{said}");
}

#[test]
fn objects_of_pickles() {
    let numbered = |count: u32, each: &dyn Fn(u32) -> Vec<u8>| -> Vec<u8> {
        (0..count).flat_map(each).collect()
    };
    let one = tensor("0", 6, 0, &[6], &[1]);
    // A tensor, kept as number 7, under many names.
    let kept = [&one[..one.len() - 1], b"q\x07s"].concat();
    let named = |count| {
        let names = numbered(count, &|n| {
            [
                &b"\x8c\x04"[..],
                &format!("{n:04x}").into_bytes()[..4],
                b"h\x07",
            ]
            .concat()
        });
        [&kept[..], b"(", &names, b"u"].concat()
    };
    assert_eq!(
        takes_no_more_than_allowed(torch(&named(60_000))),
        "60001 tensors"
    );
    // One long name in many dictionaries.
    let long = [
        &b"X"[..],
        &1_000_000u32.to_le_bytes(),
        &[b'n'; 1_000_000],
        b"q\x08",
    ]
    .concat();
    let dicts = numbered(30_000, &|n| {
        [
            &b"\x8c\x04"[..],
            &format!("{n:04x}").into_bytes()[..4],
            b"}h\x08h\x07s",
        ]
        .concat()
    });
    let said = takes_no_more_than_allowed(torch(&[&kept[..], &long, b"0(", &dicts, b"u"].concat()));
    assert!(said.contains("builds far more"), "{said}");
    // And what costs most for each byte of a pickle.
    for instruction in [
        &b"]"[..],
        b"}",
        b"N",
        b"(",
        b")\x85",
        b"]q\x09",
        b"K\x01\x85",
        b"}h\x07h\x07s",
        b"cx\ny\n",
        b"cx\ny\n)R",
        b"\x94",
    ] {
        let many = instruction.repeat(2_000_000 / instruction.len());
        takes_no_more_than_allowed(torch(&[&kept[..], &many].concat()));
        takes_no_more_than_allowed(torch(&[&kept[..], b"](", &many, b"e"].concat()));
    }
    // Shapes of many extents, again and again.
    let arguments = &tensor("0", 6, 0, &[1; 64], &[1; 64])[4..];
    let rebuilt = b"ctorch._utils\n_rebuild_tensor_v2\n";
    let start = rebuilt.len();
    assert_eq!(&arguments[..start], rebuilt);
    let (call, rest) = (&arguments[..start], &arguments[start..arguments.len() - 2]);
    let kept = [b"(", call, b"q\x01", rest, b"q\x02"].concat();
    takes_no_more_than_allowed(torch(
        &[&kept[..], &b"h\x01h\x02R".repeat(300_000)].concat(),
    ));
}
