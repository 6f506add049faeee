//! `cnnc run --weights`, `cnnc convert` and `cnnc weights` on weights of every format, and files that claim much, through the command line.

use cnnc::Weights;
use cnnc::rt::weights::Dtype;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

mod cases;
mod list;
mod memory;

/// Reads what every sample of `runtime/tests/data` has in common.
const SPEC: &str = "cnn 1
model Sample {
  input image: 1x4x5
  conv: conv 2x3 2 bias off
        globalavgpool
  fc:   dense 3 bias off
}";

/// The same with the bias that only PyTorch's samples have.
const WITH_BIAS: &str = "cnn 1
model Sample {
  input image: 1x4x5
  conv: conv 2x3 2
        globalavgpool
  fc:   dense 3 bias off
}";

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../runtime/tests/data")
        .join(name)
}

/// A directory with a spec in it.
struct Place(TempDir);

impl Place {
    fn new(spec: &str) -> Place {
        let place = Place(tempfile::tempdir().unwrap());
        std::fs::write(place.path("net.cnn"), spec).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs `cnnc` here.
    fn cnnc(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_cnnc"))
            .args(args)
            .current_dir(self.0.path())
            .output()
            .unwrap()
    }

    /// What it prints, when it is content.
    #[track_caller]
    fn prints(&self, args: &[&str]) -> String {
        let output = self.cnnc(args);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{args:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What it complains of.
    #[track_caller]
    fn complains(&self, args: &[&str]) -> String {
        let output = self.cnnc(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// The raw output on the synthetic input.
    #[track_caller]
    fn run(&self, weights: &Path) -> Vec<f32> {
        let weights = weights.to_str().unwrap();
        let raw = self.path("raw.safetensors");
        self.prints(&[
            "run",
            "net.cnn",
            "--weights",
            weights,
            "--input",
            "synthetic",
            "--raw",
            "raw.safetensors",
        ]);
        let raw = Weights::open(raw).unwrap();
        raw.get("raw").unwrap().to_f32().unwrap().into_owned()
    }

    fn files(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> = files
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

/// Darknet's file for [`WITH_BIAS`] with a bias more, of the numbers that PyTorch's samples hold.
fn darknet(place: &Place) -> PathBuf {
    // Its dense layers have a bias: zeros.
    let mut file: Vec<u8> = [0i32, 2, 0, 0, 0]
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .collect();
    let numbers = [22.0, 23.0].into_iter().chain((0..12).map(|n| n as f32));
    let numbers = numbers.chain([0.0; 3]).chain([6., 9., 7., 10., 8., 11.]);
    file.extend(numbers.flat_map(f32::to_le_bytes));
    let path = place.path("sample.weights");
    std::fs::write(&path, file).unwrap();
    path
}

#[test]
fn every_format_runs_whatever_it_is_called() {
    let place = Place::new(WITH_BIAS);
    let expected = place.run(&sample("torch.pt"));
    assert!(expected.iter().any(|&value| value != 0.0));
    for name in [
        "torch_checkpoint.pt",
        "torch_legacy.pt",
        "torch_objects.pt",
        "torch_objects_5.pt",
        "torch_legacy_objects_4.pt",
    ] {
        assert_eq!(place.run(&sample(name)), expected, "{name}");
    }
    // The content says what a file is, not its name.
    for (from, to) in [("torch.pt", "a.pth"), ("torch_legacy.pt", "b.safetensors")] {
        std::fs::copy(sample(from), place.path(to)).unwrap();
        assert_eq!(place.run(&place.path(to)), expected, "{to}");
    }
    let file = darknet(&place);
    std::fs::write(
        place.path("net.cnn"),
        WITH_BIAS.replace("dense 3 bias off", "dense 3"),
    )
    .unwrap();
    assert_eq!(place.run(&file), expected, "darknet");

    let place = Place::new(SPEC);
    let expected = place.run(&sample("stored.npz"));
    assert_eq!(place.run(&sample("deflated.npz")), expected);
}

#[test]
fn conversion_keeps_answers_and_types() {
    let place = Place::new(WITH_BIAS);
    for name in ["torch.pt", "torch_legacy.pt"] {
        let from = sample(name);
        let weights = from.to_str().unwrap();
        let expected = place.run(&from);
        let said = place.prints(&[
            "convert",
            "net.cnn",
            "--weights",
            weights,
            "out.safetensors",
        ]);
        assert_eq!(said, "out.safetensors: 3 tensors\n");
        let out = Weights::open(place.path("out.safetensors")).unwrap();
        let names: Vec<&str> = out.names().collect();
        assert_eq!(names, ["conv.bias", "conv.weight", "fc.weight"]);
        assert_eq!(place.run(&place.path("out.safetensors")), expected);
    }

    // Without a spec: everything, as it is.
    let weights = sample("torch.pt");
    place.prints(&[
        "convert",
        "--weights",
        weights.to_str().unwrap(),
        "all.safetensors",
    ]);
    let (before, after) = (
        Weights::open(weights).unwrap(),
        Weights::open(place.path("all.safetensors")).unwrap(),
    );
    assert!(before.names().eq(after.names()));
    for name in before.names() {
        let [before, after] = [&before, &after].map(|weights| weights.get(name).unwrap());
        assert_eq!(
            (before.shape, before.dtype, before.bytes().unwrap()),
            (after.shape, after.dtype, after.bytes().unwrap()),
            "{name}"
        );
    }
    assert_eq!(
        after.get("bn.running_mean").unwrap().dtype,
        Dtype::F16,
        "types are kept"
    );
}

#[test]
fn darknet_numbers_get_the_names_of_the_spec() {
    let place = Place::new(&WITH_BIAS.replace("dense 3 bias off", "dense 3"));
    let file = darknet(&place);
    let file = file.to_str().unwrap();
    let said = place.complains(&["convert", "--weights", file, "out.safetensors"]);
    assert!(
        said.contains("the tensors have no names of their own"),
        "{said}"
    );
    assert!(said.contains("cnnc convert SPEC"), "{said}");
    place.prints(&["convert", "net.cnn", "--weights", file, "out.safetensors"]);
    let out = Weights::open(place.path("out.safetensors")).unwrap();
    let bias = out.get("conv.bias").unwrap();
    assert_eq!(bias.to_f32().unwrap()[..], [22.0, 23.0]);
    let fc = out.get("fc.weight").unwrap();
    assert_eq!(fc.shape, [3, 2]);
    assert_eq!(fc.to_f32().unwrap()[..], [6., 9., 7., 10., 8., 11.]);
}

#[test]
fn synthetic_weights_can_be_written_down() {
    let place = Place::new(WITH_BIAS);
    place.prints(&[
        "convert",
        "net.cnn",
        "--weights",
        "synthetic",
        "s.safetensors",
    ]);
    let expected = place.run(Path::new("synthetic"));
    assert_eq!(place.run(&place.path("s.safetensors")), expected);
}

#[test]
fn what_does_not_fit_is_named_and_nothing_is_written() {
    let place = Place::new(
        "cnn 1
model Sample {
  input image: 1x4x5
  conw: conv 2x3 2 bias off
  conv: conv 1x1 2
        globalavgpool
  fc:   dense 3 bias off
  fd:   dense 2 bias off
}",
    );
    for name in ["torch.pt", "torch_legacy.pt"] {
        let file = sample(name);
        let file = file.to_str().unwrap();
        for args in [
            &["convert", "net.cnn", "--weights", file, "out.safetensors"][..],
            &["run", "net.cnn", "--weights", file, "--input", "synthetic"][..],
        ] {
            let said = place.complains(args);
            for expected in [
                "`conw.weight`",
                "`conv.weight`",
                "2x1x2x3",
                "2x2x1x1",
                "`fd.weight`",
            ] {
                assert!(said.contains(expected), "{expected}: {said}");
            }
        }
    }
    assert_eq!(place.files(), ["net.cnn"]);

    // An infinity, which no network can use.
    let place = Place::new("cnn 1; model M { input x: 2; fc: dense 1 bias off }");
    let tensors: [(&str, &[usize], &[f32]); 1] = [("fc.weight", &[1, 2], &[1.0, f32::INFINITY])];
    cnnc::rt::tensor_file::write_safetensors(place.path("w.safetensors"), &tensors).unwrap();
    let said = place.complains(&[
        "convert",
        "net.cnn",
        "--weights",
        "w.safetensors",
        "out.safetensors",
    ]);
    assert!(said.contains("`fc.weight` holds inf at index 1"), "{said}");
    assert_eq!(place.files(), ["net.cnn", "w.safetensors"]);
}

#[test]
fn missing_transposed_and_unused_by_name() {
    let place = Place::new(
        "cnn 1
model Sample {
  input image: 1x4x5
  conv: conv 2x3 2 bias off
        globalavgpool
  fc:   dense 3 bias off
}",
    );
    // `fc.weight` the other way round, `conv` under a name that is nearly right.
    let tensors: [(&str, &[usize], &[f32]); 2] = [
        ("conv1.weight", &[2, 1, 2, 3], &[0.5; 12]),
        ("fc.weight", &[2, 3], &[0.5; 6]),
    ];
    cnnc::rt::tensor_file::write_safetensors(place.path("w.safetensors"), &tensors).unwrap();
    let said = place.complains(&[
        "convert",
        "net.cnn",
        "--weights",
        "w.safetensors",
        "out.safetensors",
    ]);
    assert!(said.contains("`conv.weight`"), "{said}");
    assert!(said.contains("`conv1.weight`"), "nearest name: {said}");
    assert!(said.contains("transpose"), "{said}");

    // What is left over is a warning.
    let file = sample("stored.npz");
    let output = place.cnnc(&[
        "convert",
        "net.cnn",
        "--weights",
        file.to_str().unwrap(),
        "out.safetensors",
    ]);
    let warning = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{warning}");
    assert!(
        warning.contains("does not read `bn.running_mean` and 1 more"),
        "{warning}"
    );
    assert!(warning.contains("`--strict` refuses them"), "{warning}");
    // Unless it is to be an error.
    let file = file.to_str().unwrap();
    for command in [
        &[
            "convert",
            "net.cnn",
            "--strict",
            "--weights",
            file,
            "strict.safetensors",
        ][..],
        &[
            "run",
            "net.cnn",
            "--strict",
            "--weights",
            file,
            "--input",
            "synthetic",
        ],
        &["weights", "--strict", file, "net.cnn"],
    ] {
        let said = place.complains(command);
        assert!(
            said.contains("does not read 2 of its tensors, `bn.running_mean`, `bn.weight`"),
            "{said}"
        );
    }
    assert!(!place.path("strict.safetensors").exists());
}

#[test]
fn damaged_files_are_errors_and_nothing_is_written() {
    let place = Place::new(WITH_BIAS);
    let mut files = vec![darknet(&place)];
    for name in ["torch.pt", "torch_legacy.pt", "stored.npz", "deflated.npz"] {
        files.push(sample(name));
    }
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        // Cut off, with a tail, and as something else altogether.
        let half = bytes[..bytes.len() / 2].to_vec();
        let tail = [&bytes[..], &[1, 2, 3]].concat();
        let text = b"#!/bin/sh\necho weights\n".to_vec();
        let tails = matches!(file.extension(), Some(end) if end == "weights");
        for damaged in [half, text].into_iter().chain(tails.then_some(tail)) {
            std::fs::write(place.path("damaged"), damaged).unwrap();
            for args in [
                &["convert", "--weights", "damaged", "out.safetensors"][..],
                &[
                    "convert",
                    "net.cnn",
                    "--weights",
                    "damaged",
                    "out.safetensors",
                ],
                &[
                    "run",
                    "net.cnn",
                    "--weights",
                    "damaged",
                    "--input",
                    "synthetic",
                ],
            ] {
                let said = place.complains(args);
                assert!(said.contains("damaged"), "{}: {said}", file.display());
            }
            assert!(!place.path("out.safetensors").exists());
        }
    }
    let said = place.complains(&["convert", "net.cnn", "--weights", ".", "out.safetensors"]);
    assert!(said.contains("it is a directory"), "{said}");
}

#[test]
fn nothing_that_is_read_is_overwritten() {
    let place = Place::new(WITH_BIAS);
    std::fs::copy(sample("torch.pt"), place.path("w.safetensors")).unwrap();
    let before = std::fs::read(place.path("w.safetensors")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("w.safetensors", place.path("link.safetensors")).unwrap();
    let mut outs = vec!["w.safetensors", "./w.safetensors"];
    if cfg!(unix) {
        outs.push("link.safetensors");
    }
    for out in outs {
        let said = place.complains(&["convert", "net.cnn", "--weights", "w.safetensors", out]);
        assert!(said.contains("would be overwritten"), "{said}");
        assert_eq!(std::fs::read(place.path("w.safetensors")).unwrap(), before);
    }
    std::fs::write(place.path("spec"), WITH_BIAS).unwrap();
    let said = place.complains(&["convert", "spec", "--weights", "w.safetensors", "spec"]);
    assert!(said.contains("would be overwritten"), "{said}");
    let said = place.complains(&["convert", "net.cnn", "--weights", "w.safetensors", "w.npz"]);
    assert!(said.contains("its name ends in `.npz`"), "{said}");
    for wrong in [
        &["convert", "net.cnn"][..],
        &["convert", "--weights", "w.safetensors"],
        &["convert", "a", "b", "--weights", "w.safetensors", "c"],
    ] {
        assert_eq!(place.cnnc(wrong).status.code(), Some(2), "{wrong:?}");
    }
}
