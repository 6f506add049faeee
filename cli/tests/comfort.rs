//! Names of the zoo in place of specs, formats that follow names of files, completions, and what `--version` says.

use cnnc_testing::file;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Exit code, standard output and standard error.
fn cnnc(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cnnc"));
    let output = command.current_dir(folder).args(args).output().unwrap();
    let [out, error] =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    (output.status.code().unwrap(), out, error)
}

#[track_caller]
fn works(folder: &Path, args: &[&str]) -> (String, String) {
    let (code, out, error) = cnnc(folder, args);
    assert_eq!(code, 0, "{args:?}: {error}");
    (out, error)
}

fn empty() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn every_command_that_takes_a_spec_takes_a_name() {
    let folder = empty();
    let here = folder.path();
    let weights = file("examples/data/lenet5.safetensors");
    let weights = weights.to_str().unwrap();
    works(here, &["check", "lenet5"]);
    works(here, &["summary", "lenet5"]);
    works(here, &["graph", "lenet5"]);
    works(here, &["dump", "lenet5", "--stage=ast"]);
    works(here, &["dump", "lenet5", "--stage=loops"]);
    works(here, &["explain", "lenet5"]);
    works(
        here,
        &[
            "run",
            "lenet5",
            "--weights",
            weights,
            "--input",
            "synthetic",
        ],
    );
    works(here, &["weights", weights, "lenet5"]);
    works(
        here,
        &["convert", "lenet5", "--weights", weights, "out.safetensors"],
    );
    works(here, &["bench", "lenet5", "--seconds", "0.01"]);
    works(here, &["gradcheck", "lenet5"]);
    // Imports and lists of labels are found.
    let photo = file("examples/data/pelican.jpeg");
    let squeeze = file("examples/data/squeezenet1_1.safetensors");
    let (text, _) = works(
        here,
        &[
            "run",
            "squeezenet1_1",
            "--weights",
            squeeze.to_str().unwrap(),
            photo.to_str().unwrap(),
        ],
    );
    assert!(text.contains("pelican"), "{text}");
    works(here, &["check", "resnet20_cifar10"]);
    // A photograph of any size.
    let resnet = file("examples/data/resnet20.safetensors");
    for (name, weights) in [
        ("lenet5", weights),
        ("resnet20_cifar10", resnet.to_str().unwrap()),
    ] {
        works(
            here,
            &["run", name, "--weights", weights, photo.to_str().unwrap()],
        );
    }
}

#[test]
fn a_run_and_a_new_head_keep_what_a_network_of_the_zoo_reads() {
    let folder = empty();
    let here = folder.path();
    let photo = file("examples/data/pelican.jpeg");
    for class in ["no", "yes"] {
        fs::create_dir_all(here.join("signs").join(class)).unwrap();
        for name in ["a", "b", "c", "d", "e"] {
            fs::copy(&photo, here.join(format!("signs/{class}/{name}.jpeg"))).unwrap();
        }
    }
    let weights = file("examples/data/squeezenet1_1.safetensors");
    let weights = weights.to_str().unwrap();
    works(
        here,
        &[
            "new",
            "--from",
            "squeezenet1_1",
            "--weights",
            weights,
            "--data",
            "signs",
            "-o",
            "signs.cnn",
        ],
    );
    works(here, &["check", "signs.cnn"]);
    let (code, _, error) = cnnc(
        here,
        &[
            "new",
            "--from",
            "squeezenet1_2",
            "--weights",
            weights,
            "--data",
            "signs",
            "-o",
            "b.cnn",
        ],
    );
    assert!(
        code == 1 && error.contains("did you mean `squeezenet1_"),
        "{error}"
    );
    let (code, _, error) = cnnc(
        here,
        &[
            "new",
            "--from",
            "squeezenet1_1",
            "--weights",
            weights,
            "--data",
            "signs",
            "-o",
            "signs.cnn",
        ],
    );
    assert!(
        code == 1 && error.contains("signs.cnn: it is there already"),
        "{error}"
    );
    // The spec of a run is that of the zoo, with its list of labels and its import.
    fs::create_dir_all(here.join("ten")).unwrap();
    for class in 0..10 {
        fs::create_dir_all(here.join(format!("ten/{class}"))).unwrap();
        for name in ["a", "b"] {
            fs::copy(&photo, here.join(format!("ten/{class}/{name}.jpeg"))).unwrap();
        }
    }
    let trained = [
        "train",
        "lenet5",
        "--data",
        "ten",
        "--epochs",
        "1",
        "--batch",
        "4",
        "--threads",
        "1",
        "--name",
        "a",
    ];
    works(here, &trained);
    works(here, &["check", "runs/a/spec.cnn"]);
}

#[test]
fn a_file_comes_before_a_name_and_near_misses_are_told() {
    let folder = empty();
    let here = folder.path();
    fs::write(
        here.join("lenet5"),
        "cnn 1\nmodel Mine { input x: 1x4x4; flatten; dense 2 }\n",
    )
    .unwrap();
    assert!(works(here, &["check", "lenet5"]).0.contains("Mine"));
    fs::create_dir(here.join("resnet18")).unwrap();
    assert!(works(here, &["check", "resnet18"]).0.contains("ResNet18"));
    let (code, _, error) = cnnc(here, &["summary", "squeeznet1_1"]);
    assert!(
        code == 1 && error.contains("did you mean `squeezenet1_1`?"),
        "{error}"
    );
    let (code, _, error) = cnnc(here, &["zoo", "lenet"]);
    assert!(
        code == 1 && error.contains("did you mean `lenet5`?"),
        "{error}"
    );
    let (table, _) = works(here, &["zoo"]);
    assert!(
        table.lines().count() > 60 && table.contains("squeezenet1_1 "),
        "{table}"
    );
    assert!(table.lines().all(|line| line.chars().count() < 180));
    let (text, _) = works(here, &["zoo", "lenet5"]);
    let spec = fs::read_to_string(file("specs/lenet5.cnn")).unwrap();
    assert_eq!(text.trim_end(), spec.trim_end());
}

/// What a file begins with.
fn start(path: &Path) -> Vec<u8> {
    let mut bytes = fs::read(path).unwrap();
    bytes.truncate(5);
    bytes
}

#[test]
fn formats_follow_the_names_of_files() {
    let folder = empty();
    let here = folder.path();
    for (name, begins) in [
        ("net.svg", "<svg "),
        ("net.dot", "digra"),
        ("net.mmd", "flowc"),
        ("net.png", "\u{89}PNG"),
    ] {
        let (_, error) = works(here, &["graph", "lenet5", "-o", name]);
        assert!(error.contains(&format!("wrote {name}")), "{error}");
        let expected: Vec<u8> = begins.chars().map(|c| c as u8).collect();
        assert!(start(&here.join(name)).starts_with(&expected), "{name}");
    }
    let (code, _, error) = cnnc(here, &["graph", "lenet5", "-o", "net.gif"]);
    assert!(
        code == 1 && error.contains(".svg, .png, .mmd (Mermaid) or .dot"),
        "{error}"
    );
    let (code, _, error) = cnnc(
        here,
        &["graph", "lenet5", "-o", "net.png", "--format", "dot"],
    );
    assert!(code == 1 && error.contains("another format"), "{error}");
    works(
        here,
        &["graph", "lenet5", "-o", "net.md", "--format", "mermaid"],
    );
    let (code, _, error) = cnnc(here, &["graph", "lenet5", "--format", "png"]);
    assert!(code == 1 && error.contains("`-o`"), "{error}");
    let photo = file("examples/data/pelican.jpeg");
    let photo = photo.to_str().unwrap();
    let run = |name: &str| {
        cnnc(
            here,
            &[
                "run",
                "yolov2_tiny_voc",
                "--weights",
                "synthetic",
                photo,
                "--draw",
                name,
            ],
        )
    };
    for (name, begins) in [
        ("a.jpg", [0xff, 0xd8, 0xff]),
        ("b.JPEG", [0xff, 0xd8, 0xff]),
        ("c.png", *b"\x89PN"),
    ] {
        let (code, _, error) = run(name);
        assert!(
            code == 0 && error.contains(&format!("wrote {name}")),
            "{error}"
        );
        assert!(start(&here.join(name)).starts_with(&begins), "{name}");
        // What was written can be read.
        works(
            here,
            &[
                "run",
                "edges",
                &here.join(name).to_string_lossy(),
                "--out",
                "again.png",
            ],
        );
    }
    for name in ["d.gif", "d"] {
        let (code, _, error) = run(name);
        assert!(
            code == 1 && error.contains(".png, .jpg and .jpeg are written"),
            "{error}"
        );
        assert!(!here.join(name).exists());
    }
}

#[test]
fn a_frame_is_no_edge() {
    let folder = empty();
    let here = folder.path();
    let photo = file("examples/data/chelsea.png");
    works(
        here,
        &[
            "run",
            "edges",
            photo.to_str().unwrap(),
            "--out",
            "edges.png",
        ],
    );
    let picture = cnnc::rt::image::Picture::open(here.join("edges.png")).unwrap();
    let (width, height) = (picture.width(), picture.height());
    let mean = |row: usize| {
        let pixels = picture.rgb()[3 * row * width..][..3 * width].iter();
        pixels.map(|&value| f64::from(value)).sum::<f64>() / (3 * width) as f64
    };
    let all = (0..height).map(mean).sum::<f64>() / height as f64;
    assert!(
        mean(0) < 2.0 * all && mean(height - 1) < 2.0 * all,
        "{} {} of {all}",
        mean(0),
        mean(height - 1)
    );
}

#[test]
fn shells_and_versions() {
    let folder = empty();
    for shell in ["bash", "zsh", "fish"] {
        let (script, _) = works(folder.path(), &["completions", shell]);
        for word in ["cnnc", "weights", "evaluate"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(cnnc(folder.path(), &["completions", "csh"]).0, 2);
    let (text, _) = works(folder.path(), &["--version"]);
    assert!(
        text.contains("instruction set: ")
            && text.contains("available: ")
            && text.contains("portable"),
        "{text}"
    );
    assert_eq!(works(folder.path(), &["-V"]).0.lines().count(), 1);
}
