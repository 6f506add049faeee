//! Each kind of data, and its mistakes.

use super::{Folder, all, counts, is_in, model};
use cnnc::train::{Data, DataKind, Source};
use cnnc_testing::properties;

/// A file of 16-bit sound.
fn wav(channels: u16, rate: u32, samples: &[i16]) -> Vec<u8> {
    let data = 2 * samples.len() as u32;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + data).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16_u32.to_le_bytes());
    for half in [1, channels] {
        bytes.extend(half.to_le_bytes());
    }
    bytes.extend(rate.to_le_bytes());
    bytes.extend((2 * rate * u32::from(channels)).to_le_bytes());
    for half in [2 * channels, 16] {
        bytes.extend(half.to_le_bytes());
    }
    bytes.extend(b"data");
    bytes.extend(data.to_le_bytes());
    bytes.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    bytes
}

/// An array of bytes.
fn npy(shape: &str, cells: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({shape}), }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(cells);
    bytes
}

#[test]
fn rows_of_numbers_have_a_label() {
    let folder = Folder::new();
    let plants = model("2", 2, "{ labels [\"fern\", \"moss\"] }");
    folder.write("a.csv", "1,2.5,moss\n-3,4e-1, fern \n");
    folder.write("b.csv", "class,x,y\nmoss,1,2.5\nfern,-3,0.4\n");
    folder.write("c.csv", "x,y,kind\n1,2.5,1\n-3,0.4,0\n");
    let expected = vec![(vec![1.0, 2.5], 1), (vec![-3.0, 0.4], 0)];
    for name in ["a.csv", "b.csv", "c.csv"] {
        let data = folder.open(name, Some("a.csv"), &plants).unwrap();
        assert_eq!(all(&data.train), expected, "{name}");
        assert_eq!(
            (all(&data.test), &*data.kind),
            (expected.clone(), "rows of numbers")
        );
    }
    // Labels that are neither names of the head nor numbers of classes are in their order.
    folder.write("d.csv", "1,2,10\n3,4,9\n5,6,10\n");
    let plain = model("2", 2, "");
    let data = folder.open("d.csv", Some("d.csv"), &plain).unwrap();
    assert_eq!(counts(&data.train, 2), [1, 2]);
    assert!(data.lacks(2).is_empty());
    folder.write("one.csv", "1,2,1\n3,4,1\n");
    let data_of_one = folder.open("one.csv", Some("one.csv"), &plain).unwrap();
    assert_eq!(data_of_one.lacks(2), [0]);
    // A test set that lacks a class means the same.
    folder.write("e.csv", "7,8,10\n");
    let data = folder.open("d.csv", Some("e.csv"), &plain).unwrap();
    assert_eq!(all(&data.test), [(vec![7.0, 8.0], 1)]);
    for (text, message) in [
        (
            "1,2,moss\n3,x,fern\n",
            "DIR/f.csv: line 2: `x` is no number",
        ),
        (
            "1,2,moss\n3,inf,fern\n",
            "DIR/f.csv: line 2: `inf` is no number",
        ),
        (
            "1,2,3,moss\n",
            "DIR/f.csv: line 1: 3 numbers and a label, but the network's input is 2",
        ),
        (
            "1,2,moss\n3,fern\n",
            "DIR/f.csv: CSV error: record 1 (line: 2, byte: 9): found record with 2 fields, but the previous record has 3 fields",
        ),
        (
            "1,2,moss\n1,2,fern\n1,2,oak\n",
            "DIR/f.csv: 3 different labels (`fern`, `moss`, `oak`), but the network has 2 classes",
        ),
        ("", "DIR/f.csv: nothing to learn from"),
    ] {
        folder.write("f.csv", text);
        is_in(&folder.open("f.csv", None, &plants).unwrap_err(), message);
    }
}

#[test]
fn rows_of_pictures_are_paths_and_labels() {
    let folder = Folder::new();
    let net = model("1x2x2", 2, "");
    folder.picture("p/a.png", 2, 255);
    folder.picture("p/b.png", 2, 0);
    folder.write("list.csv", "image,label\np/a.png,1\np/b.png,0\n");
    let data = folder.open("list.csv", Some("list.csv"), &net).unwrap();
    assert_eq!(all(&data.train), [(vec![1.0; 4], 1), (vec![0.0; 4], 0)]);
    assert_eq!(data.train.name(0), Some("p/a.png"));
    // A byte a pixel, not a float.
    assert_eq!(data.bytes(), 16);
    // Pixels may stand in the rows, too.
    folder.write("pixels.csv", "label,a,b,c,d\n1,255,0,0,255\n0,0,0,0,0\n");
    let data = folder.open("pixels.csv", Some("list.csv"), &net).unwrap();
    assert_eq!(all(&data.train)[0], (vec![1.0, 0.0, 0.0, 1.0], 1));
    folder.write("pixels.csv", "label,a,b,c,d\n1,256,0,0,255\n");
    let error = folder.open("pixels.csv", None, &net).unwrap_err();
    is_in(
        &error,
        "DIR/pixels.csv: line 2: a pixel is a whole number from 0 to 255, not 256",
    );
    folder.write("list.csv", "p/a.png,1\np/none.png,0\n");
    let data = folder.open("list.csv", Some("list.csv"), &net).unwrap();
    assert_eq!(data.broken.len(), 2);
    is_in(
        &folder.shortened(&data.broken[0]),
        "cannot read DIR/p/none.png: No such file",
    );
}

#[test]
fn columns_may_be_named() {
    let folder = Folder::new();
    folder.picture("p/a.png", 2, 255);
    folder.picture("p/b.png", 2, 0);
    folder.write(
        "list.csv",
        "label,kind,file name,size\n7,dark,p/b.png,2\n8,bright,p/a.png,2\n",
    );
    let net = model("1x2x2", 2, "{ labels [\"dark\", \"bright\"] }");
    let open = |columns: &[&str], file: &str, net: &cnnc::Model| {
        let path = folder.path(file);
        let source = Source {
            kind: Some(DataKind::Csv),
            columns: columns.iter().map(|&name| name.to_owned()).collect(),
            test: Some(path.clone()),
            path,
            ..Source::default()
        };
        let data = Data::of(&source, net.graph());
        data.map_err(|error| folder.shortened(&error.to_string()))
    };
    let data = open(&["File name", "kind"], "list.csv", &net).unwrap();
    assert_eq!(all(&data.train), [(vec![0.0; 4], 0), (vec![1.0; 4], 1)]);
    assert_eq!(data.train.name(1), Some("p/a.png"));
    // The label alone, in front of numbers.
    folder.write("rows.csv", "moss,x,y\n1,5,6\n0,7,8\n");
    let plants = model("2", 2, "");
    let data = open(&["moss"], "rows.csv", &plants).unwrap();
    assert_eq!(all(&data.train), [(vec![5.0, 6.0], 1), (vec![7.0, 8.0], 0)]);
    is_in(
        &open(&["image", "kind"], "list.csv", &net).unwrap_err(),
        "DIR/list.csv: its first row names no column `image`; it has `label`, `kind`, `file name`, `size`",
    );
}

#[test]
fn identities_are_for_networks_that_compare() {
    let folder = Folder::new();
    for name in [
        "a/1.png", "a/2.png", "b/1.png", "b/2.png", "c/1.png", "c/2.png",
    ] {
        folder.picture(&format!("faces/{name}"), 2, 9);
    }
    let source = Source {
        kind: Some(DataKind::Identities),
        path: folder.path("faces"),
        test: Some(folder.path("faces")),
        ..Source::default()
    };
    let text = "cnn 1; model Net { input x: 1x2x2; flatten; dense 2; head embed }";
    let embeds = cnnc::compile_str("net.cnn", text).unwrap();
    let data = Data::of(&source, embeds.graph()).unwrap();
    assert_eq!((data.train.len(), data.train.identity(2)), (6, Some("b")));
    let error = Data::of(&source, model("1x2x2", 3, "").graph()).unwrap_err();
    is_in(
        &folder.shortened(&error.to_string()),
        "DIR/faces: identities are compared, by `head embed` or a `head verify` of two pictures",
    );
}

#[test]
fn series_have_dimensions_and_a_label() {
    let folder = Folder::new();
    let net = model("2x3", 2, "");
    let header =
        "#a remark\n@problemName Toy\n@timeStamps false\n@classLabel true up down\n@data\n";
    folder.write(
        "Toy_TRAIN.ts",
        format!("{header}1,2,3:0,0,-1e-1:up\n\n3,2,1:0,0,1:down\n"),
    );
    folder.write("Toy_TEST.ts", format!("{header}1,2,3:0,0,0:up\n"));
    let data = folder.open("Toy_TRAIN.ts", None, &net).unwrap();
    let expected = [
        (vec![1.0, 2.0, 3.0, 0.0, 0.0, -0.1], 1),
        (vec![3.0, 2.0, 1.0, 0.0, 0.0, 1.0], 0),
    ];
    assert_eq!(
        (all(&data.train), &*data.kind),
        (expected.to_vec(), "time series")
    );
    assert_eq!(all(&data.test)[0].1, 1);
    for (lines, message) in [
        (
            "1,2,3:up",
            "DIR/a.ts: line 6: 1 dimensions, but the network's input is 2x3",
        ),
        (
            "1,2:1,2,3:up",
            "DIR/a.ts: line 6: dimension 1 has 2 values, but the network's input is 2x3",
        ),
        (
            "1,2,3:1,2,3:1,2,3:up",
            "DIR/a.ts: line 6: dimension 3 has 3 values",
        ),
        (
            "1,2,3",
            "DIR/a.ts: line 6: values and `:label` are expected",
        ),
        ("1,?,3:1,2,3:up", "DIR/a.ts: line 6: `?` is no number"),
        (
            "@timeStamps true",
            "DIR/a.ts: line 6: series with time stamps are not read",
        ),
        (
            "1,2,3:1,2,3:up",
            "DIR/a.ts: 1 different labels (`up`), but the network has 2 classes",
        ),
    ] {
        folder.write("a.ts", format!("{header}{lines}\n"));
        is_in(&folder.open("a.ts", None, &net).unwrap_err(), message);
    }
    let picture = model("3x4x4", 2, "");
    let error = folder.open("Toy_TRAIN.ts", None, &picture).unwrap_err();
    is_in(
        &error,
        "series are learned by networks whose input is DIMENSIONSxLENGTH, not 3x4x4",
    );
}

#[test]
fn sounds_are_as_long_as_the_input() {
    let folder = Folder::new();
    let net = model("1x4", 2, "");
    folder.write("s/0_ann_0.wav", wav(1, 8000, &[16384, -32768]));
    folder.write(
        "s/1_ann_0.wav",
        wav(1, 8000, &[1, 2, 3, 4, 5, 6].map(|n| n * 4096)),
    );
    folder.write("s/0_ann_5.wav", wav(1, 8000, &[0; 4]));
    folder.write("s/1_ann_12.wav", wav(2, 8000, &[8192, 16384, 0, 0]));
    folder.write("s/README", "");
    let data = folder.open("s", None, &net).unwrap();
    assert_eq!(&*data.kind, "sounds");
    // Takes 0 to 4 judge. The middle of what is longer, silence around what is shorter, the mean of channels.
    let test = [
        (vec![0.0, 0.5, -1.0, 0.0], 0),
        (vec![0.25, 0.375, 0.5, 0.625], 1),
    ];
    assert_eq!(all(&data.test), test);
    assert_eq!(
        all(&data.train),
        [(vec![0.0; 4], 0), (vec![0.0, 0.375, 0.0, 0.0], 1)]
    );
    assert_eq!(data.skipped, [folder.path("s/README")]);
    // A folder for each class.
    folder.write("f/a/x.wav", wav(1, 8000, &[16384; 4]));
    folder.write("f/b/y.wav", wav(1, 8000, &[8192; 4]));
    let data = folder.open("f", Some("f"), &net).unwrap();
    assert_eq!(all(&data.train), [(vec![0.5; 4], 0), (vec![0.25; 4], 1)]);
    assert_eq!(&*data.kind, "folders of 2 classes of sounds");
    folder.write("f/b/y.wav", wav(1, 16000, &[8192; 4]));
    let error = folder.open("f", None, &net).unwrap_err();
    is_in(
        &error,
        "DIR/f/b/y.wav: 16000 Hz, but DIR/f/a/x.wav has 8000 Hz; a network hears one rate: `rate` in the input's declaration can help",
    );
    folder.write("s/7.wav", wav(1, 8000, &[0; 4]));
    let error = folder.open("s", None, &net).unwrap_err();
    is_in(
        &error,
        "DIR/s/7.wav: its name does not say its class: `CLASS_….wav`",
    );
}

#[test]
fn sounds_that_are_broken_are_told_by_file() {
    let folder = Folder::new();
    let net = model("1x4", 2, "");
    folder.write("f/a/x.wav", wav(1, 8000, &[16384; 4]));
    let whole = wav(1, 8000, &[8192; 4]);
    let with = |at: usize, bytes: &[u8]| {
        let mut sound = whole.clone();
        sound[at..at + bytes.len()].copy_from_slice(bytes);
        sound
    };
    for sound in [
        b"RIFF".to_vec(),
        Vec::new(),
        whole[..whole.len() - 3].to_vec(),
        // Four billion bytes of sound, no channels, no bits, no rate.
        with(40, &u32::MAX.to_le_bytes()),
        with(22, &[0, 0]),
        with(34, &[0, 0]),
        with(34, &[64, 0]),
        wav(1, 8000, &[]),
    ] {
        folder.write("f/b/y.wav", sound);
        is_in(
            &folder.open("f", None, &net).unwrap_err(),
            "DIR/f/b/y.wav: ",
        );
    }
}

#[cfg(unix)]
#[test]
fn pipes_are_not_opened() {
    let folder = Folder::new();
    let net = model("1x4", 2, "");
    folder.write("f/a/x.wav", wav(1, 8000, &[16384; 4]));
    std::fs::create_dir(folder.path("f/b")).unwrap();
    for name in ["f/b/y.wav", "p.csv", "p.ts"] {
        let made = std::process::Command::new("mkfifo")
            .arg(folder.path(name))
            .status();
        assert!(made.unwrap().success());
    }
    for name in ["f", "p.csv", "p.ts"] {
        is_in(
            &folder.open(name, None, &net).unwrap_err(),
            "it is not a file",
        );
    }
}

#[test]
fn arrays_are_samples_or_have_many() {
    let folder = Folder::new();
    let net = model("1x2x2x2", 2, "");
    folder.write(
        "v/chair/all.npy",
        npy(
            "2, 2, 2, 2",
            &[1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
        ),
    );
    folder.write("v/monitor/one.npy", npy("2, 2, 2", &[255; 8]));
    let data = folder.open("v", Some("v"), &net).unwrap();
    assert_eq!(&*data.kind, "folders of 2 classes of arrays");
    assert_eq!(
        all(&data.train)[0].0,
        [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]
    );
    assert_eq!(all(&data.train)[2], (vec![255.0; 8], 1));
    let names: Vec<_> = (0..3)
        .map(|index| data.train.name(index).unwrap())
        .collect();
    assert_eq!(
        names,
        ["chair/all.npy#0", "chair/all.npy#1", "monitor/one.npy"]
    );
    assert_eq!(data.train.bytes(), 24);
    folder.write("v/monitor/one.npy", npy("2, 2, 3", &[0; 12]));
    let error = folder.open("v", None, &net).unwrap_err();
    is_in(
        &error,
        "DIR/v/monitor/one.npy: an array of 2x2x3, but the network's input is 1x2x2x2",
    );
    folder.write("v/monitor/one.npy", npy("99999999, 2, 2, 2", &[0; 12]));
    is_in(
        &folder.open("v", None, &net).unwrap_err(),
        "DIR/v/monitor/one.npy: the numpy array is truncated",
    );
}

#[test]
fn broken_pictures_are_named_up_to_a_limit() {
    let folder = Folder::new();
    let net = model("1x2x2", 2, "");
    for number in 0..20 {
        folder.picture(&format!("c/a/{number:02}.png"), 2, 9);
        folder.picture(&format!("c/b/{number:02}.png"), 2, 200);
    }
    for number in 0..10 {
        folder.write(&format!("c/b/{number:02}.png"), "no picture");
    }
    let data = folder.open("c", None, &net).unwrap();
    assert_eq!(data.train.len() + data.test.len(), 30);
    assert_eq!(data.broken.len(), 10);
    is_in(
        &folder.shortened(&data.broken[3]),
        "DIR/c/b/03.png: not a PNG, JPEG, BMP, PNM, GIF or WebP picture",
    );
    folder.write("c/b/10.png", "no picture");
    let error = folder.open("c", None, &net).unwrap_err();
    is_in(
        &error,
        "DIR/c: more than 10 files are broken; the next is DIR/c/b/10.png: not a PNG",
    );
    // Another size is no damage of a file: all would be left out.
    folder.picture("d/a/1.png", 3, 9);
    folder.picture("d/b/1.png", 2, 9);
    is_in(
        &folder.open("d", None, &net).unwrap_err(),
        "DIR/d/a/1.png: the picture is 3x3 after pre-processing",
    );
}

#[test]
fn what_is_no_data_says_what_would_be() {
    let folder = Folder::new();
    let net = model("1x2x2", 2, "");
    folder.write("notes.txt", "");
    let error = folder.open("notes.txt", None, &net).unwrap_err();
    is_in(
        &error,
        "DIR/notes.txt: no data is known by these files; there are idx files",
    );
    folder.picture("d/a/1.png", 2, 9);
    folder.write("d/b/notes.txt", "");
    is_in(
        &folder.open("d", None, &net).unwrap_err(),
        "DIR/d/b: nothing that is a picture",
    );
}

properties! {
    /// Whatever stands in a file, it is read or told by name, and nothing panics.
    fn any_bytes_are_an_error_or_data(kind in 0..4_usize, at in 0..120_usize, bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..9)) for 60 {
        let folder = Folder::new();
        let net = model("1x4", 2, "");
        let (name, mut file) = [
            ("0_a_1.wav", wav(1, 8000, &[1, 2, 3, 4])),
            ("a.csv", b"x,y,z,w,label\n1,2,3,4,0\n5,6,7,8,1\n".to_vec()),
            ("a.ts", b"@data\n1,2,3,4:0\n5,6,7,8:1\n".to_vec()),
            ("c/a/a.npy", npy("2, 4", &[0, 1, 2, 3, 4, 5, 6, 7])),
        ][kind].clone();
        let at = at.min(file.len());
        let end = (at + bytes.len()).min(file.len());
        file.splice(at..end, bytes);
        folder.write(name, file);
        if kind == 3 {
            folder.write("c/b/b.npy", npy("4", &[0, 1, 2, 3]));
        }
        let opened = match kind { 0 => "", 3 => "c", _ => name };
        if let Err(message) = folder.open(opened, None, &net) {
            assert!(message.contains("DIR"), "{message}");
        }
    }
}
