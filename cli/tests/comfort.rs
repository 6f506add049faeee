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
fn a_spec_of_the_zoo_is_written_with_what_it_reads() {
    let folder = empty();
    let here = folder.path();
    let (text, error) = works(here, &["zoo", "squeezenet1_1"]);
    assert!(error.contains("it reads imagenet.txt beside it"), "{error}");
    let write = ["zoo", "squeezenet1_1", "-o", "net.cnn"];
    let (_, error) = works(here, &write);
    for name in ["net.cnn", "imagenet.txt"] {
        assert!(error.contains(&format!("wrote {name}")), "{error}");
    }
    let written = fs::read_to_string(here.join("net.cnn")).unwrap();
    assert_eq!(written.trim_end(), text.trim_end());
    works(here, &["check", "net.cnn"]);
    let (code, _, error) = cnnc(here, &write);
    assert!(
        code == 1 && error.contains("it is there already"),
        "{error}"
    );
    // What imports others has them in their folders; what reads nothing says nothing.
    works(here, &["zoo", "plain20_cifar10", "-o", "plain.cnn"]);
    works(here, &["check", "plain.cnn"]);
    assert_eq!(works(here, &["zoo", "lenet5"]).1, "");
    assert_eq!(cnnc(here, &["zoo", "-o", "all.cnn"]).0, 2);
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
        ("net.jpg", "\u{ff}\u{d8}\u{ff}"),
    ] {
        let (_, error) = works(here, &["graph", "lenet5", "-o", name]);
        assert!(error.contains(&format!("wrote {name}")), "{error}");
        let expected: Vec<u8> = begins.chars().map(|c| c as u8).collect();
        assert!(start(&here.join(name)).starts_with(&expected), "{name}");
    }
    let (code, _, error) = cnnc(here, &["graph", "lenet5", "-o", "net.gif"]);
    assert!(
        code == 1 && error.contains(".svg, .png, .jpg, .mmd (Mermaid) or .dot"),
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
fn sheets_and_folders_say_their_formats_too() {
    let folder = empty();
    let here = folder.path();
    fs::write(
        here.join("net.cnn"),
        "cnn 1\nmodel Net { input x: 3x16x16 { resize 16x16 }; map: conv 3x3 4 relu; globalavgpool; dense 2; head classify { labels [\"no\", \"yes\"] } }\n",
    )
    .unwrap();
    let photo = file("examples/data/pelican.jpeg");
    for class in ["no", "yes"] {
        fs::create_dir_all(here.join("signs").join(class)).unwrap();
        for name in ["a", "b", "c", "d", "e"] {
            let to = here.join(format!("signs/{class}/{name}.jpeg"));
            fs::copy(&photo, to).unwrap();
        }
    }
    fs::copy(&photo, here.join("cat.jpeg")).unwrap();
    let convert = "convert net.cnn --weights synthetic w.safetensors";
    let words = |line: &str| -> Vec<String> { line.split(' ').map(str::to_owned).collect() };
    let run = |line: &str| {
        let words = words(line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        cnnc(here, &words)
    };
    assert_eq!(run(convert).0, 0);
    let train = "train net.cnn --data signs --epochs 1 --batch 2 --threads 1 --name a";
    let style =
        "style net.cnn --weights w.safetensors cat.jpeg cat.jpeg --size 32 --style map --threads 1";
    let evaluate = "evaluate net.cnn --weights w.safetensors --data signs --threads 1";
    let visualize = "visualize net.cnn --weights w.safetensors --photo cat.jpeg --threads 1";
    for (line, name) in [
        (format!("{train} --show-batch batch.jpg"), "batch.jpg"),
        (format!("{style} --gram -o grams.jpeg"), "grams.jpeg"),
        (
            format!("{style} --content map --steps 1 -o s.png --curves curves.jpg"),
            "curves.jpg",
        ),
        (format!("{evaluate} --out matrix.jpg"), "matrix.jpg"),
        (format!("{evaluate} --worst worst.JPG"), "worst.JPG"),
        ("plot runs/a -o plot.jpg".to_owned(), "plot.jpg"),
        (
            "propose cat.jpeg --draw regions.jpg".to_owned(),
            "regions.jpg",
        ),
    ] {
        let (code, _, error) = run(&line);
        assert_eq!(code, 0, "{line}: {error}");
        let begins = start(&here.join(name));
        assert!(begins.starts_with(&[0xff, 0xd8, 0xff]), "{line}");
    }
    let chart = "it is written as .svg, .png or .jpg";
    let sheet = "a sheet of pictures is written as .png or .jpg";
    let picture = ".png, .jpg and .jpeg are written";
    let folder = "names a folder of pictures";
    for (line, list) in [
        (format!("{train} --show-batch x.gif"), chart),
        (format!("{style} --gram -o x.svg"), sheet),
        (format!("{style} -o x.svg"), picture),
        (format!("{style} -o x.png --curves x.gif"), chart),
        (format!("{evaluate} --out x"), chart),
        (format!("{evaluate} --worst x.svg"), sheet),
        ("plot runs/a -o x.gif".to_owned(), chart),
        ("propose cat.jpeg --draw x.svg".to_owned(), picture),
        (format!("{visualize} -o x.jpg"), folder),
        ("crops signs -o x.png".to_owned(), folder),
    ] {
        let (code, _, error) = run(&line);
        assert!(code == 1 && error.contains(list), "{line}: {error}");
        let names = here.read_dir().unwrap();
        let left = names.filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_string_lossy().starts_with('x')
        });
        assert_eq!(left.count(), 0, "{line}");
    }
    let (code, _, error) = run(&format!("{visualize} -o seen"));
    assert!(code == 0, "{error}");
    for entry in here.join("seen").read_dir().unwrap() {
        let path = entry.unwrap().path();
        assert!(start(&path).starts_with(b"\x89PNG"), "{}", path.display());
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
    // Names of networks and files, where a spec is expected.
    let (script, _) = works(folder.path(), &["completions", "zsh"]);
    assert!(
        script.contains(":spec -- ") && script.contains(":_cnnc_specs'"),
        "{script}"
    );
    let (script, _) = works(folder.path(), &["completions", "fish"]);
    for line in [
        "complete -c cnnc -n \"__fish_cnnc_using_subcommand run\" -a \"",
        "complete -c cnnc -n \"__fish_cnnc_using_subcommand zoo\" -f -a \"",
        "-l from -d 'The spec",
    ] {
        assert!(script.contains(line), "{line}");
    }
    for command in ["plot", "fmt"] {
        let line = format!("using_subcommand {command}\" -a");
        assert!(!script.contains(&line), "{command} takes no network");
    }
    let (text, _) = works(folder.path(), &["--version"]);
    assert!(
        text.contains("instruction set: ")
            && text.contains("available: ")
            && text.contains("portable"),
        "{text}"
    );
    assert_eq!(works(folder.path(), &["-V"]).0.lines().count(), 1);
}

/// What bash offers for the last of these words, with files `lemon tree.cnn` and `lens.cnn` there.
#[cfg(unix)]
fn offered(words: &[&str]) -> Vec<String> {
    let folder = empty();
    fs::write(folder.path().join("lemon tree.cnn"), "").unwrap();
    fs::write(folder.path().join("lens.cnn"), "").unwrap();
    fs::create_dir(folder.path().join("letters")).unwrap();
    let (mut script, _) = works(folder.path(), &["completions", "bash"]);
    script.push_str(
        r#"
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_cnnc cnnc "${COMP_WORDS[$COMP_CWORD]}" "${COMP_WORDS[$COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
"#,
    );
    let mut bash = Command::new("bash");
    let bash = bash.args(["--norc", "-c", &script, "bash"]).args(words);
    let output = bash.current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[cfg(unix)]
#[test]
fn bash_completes_networks_and_files_where_a_spec_is_expected() {
    let both = |words: &[&str]| {
        let found = offered(words);
        for name in ["lenet5", "lemon tree.cnn", "lens.cnn", "letters"] {
            assert!(found.iter().any(|it| it == name), "{words:?}: {found:?}");
        }
        assert!(!found.iter().any(|it| it.starts_with('-')), "{found:?}");
    };
    both(&["cnnc", "run", "le"]);
    both(&["cnnc", "run", "--exact", "le"]);
    both(&["cnnc", "check", "resnet50", ""]);
    both(&["cnnc", "new", "--from", "le"]);
    both(&["cnnc", "explain", "le"]);
    both(&["cnnc", "convert", "le"]);
    let flags = offered(&["cnnc", "summary", "--js"]);
    assert_eq!(flags, ["--json"]);
    assert_eq!(offered(&["cnnc", "train", "lenet5", "--js"]), ["--json"]);
    // Where no spec may stand, there is none.
    assert_eq!(offered(&["cnnc", "run", "--isa", "lenet"]), [""]);
    let networks = offered(&["cnnc", "zoo", "len"]);
    assert!(
        networks.contains(&"lenet5".to_owned()) && !networks.contains(&"lens.cnn".to_owned()),
        "{networks:?}"
    );
}
