//! `cnnc style` and `cnnc visualize`: pictures that are changed by their gradient, what layers look for, and what both say of what they cannot do.

use cnnc::rt::image::Picture;
use cnnc_testing::{file, shared};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn cnnc(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cnnc"));
    command.args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

const SQUEEZENET: &str = "specs/squeezenet1_1.cnn";
const WEIGHTS: &str = "examples/data/squeezenet1_1.safetensors";

/// A folder with a small network, made-up weights and two pictures.
struct Made {
    folder: tempfile::TempDir,
}

impl Made {
    fn new() -> Made {
        let made = Made {
            folder: tempfile::tempdir().unwrap(),
        };
        let spec = "cnn 1
model Net {
  input x: 3x24x24 { resize 24x24  normalize imagenet }
  first: conv 3x3 6 pad half relu
  second: conv 3x3 8 /2 pad half relu
  third: conv 3x3 8 /2 pad half relu
  globalavgpool dense 3
  head classify { labels \"labels.txt\" }
}
";
        std::fs::write(made.path("net.cnn"), spec).unwrap();
        std::fs::write(made.path("labels.txt"), "cat\ndog\ncow\n").unwrap();
        let net = made.path("net.cnn");
        let done = cnnc(&[
            "convert",
            net.to_str().unwrap(),
            "--weights",
            "synthetic",
            made.path("net.safetensors").to_str().unwrap(),
        ]);
        assert!(done.status.success(), "{}", text(&done.stderr));
        made.picture("content.png", 40, 30, |x, y| {
            [(6 * x) as u8, (8 * y) as u8, 90]
        });
        made.picture("style.png", 50, 50, |x, y| {
            if (x / 3 + y / 5) % 2 == 0 {
                [240, 200, 20]
            } else {
                [20, 30, 140]
            }
        });
        made
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn picture(
        &self,
        name: &str,
        width: usize,
        height: usize,
        pixel: impl Fn(usize, usize) -> [u8; 3],
    ) {
        let rgb = (0..width * height).flat_map(|at| pixel(at % width, at / width));
        let picture = Picture::from_rgb(width, height, rgb.collect()).unwrap();
        picture.write_png(self.path(name)).unwrap();
    }

    /// Arguments in which `@` stands for the folder.
    fn run(&self, args: &[&str]) -> Output {
        let folder = format!("{}/", self.folder.path().display());
        let args: Vec<String> = args.iter().map(|arg| arg.replace('@', &folder)).collect();
        cnnc(&args.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn json(&self, args: &[&str]) -> Value {
        let done = self.run(&[args, &["--json"]].concat());
        assert!(
            done.status.success(),
            "{args:?}: {}{}",
            text(&done.stdout),
            text(&done.stderr)
        );
        serde_json::from_slice(&done.stdout).unwrap()
    }

    /// What is said of what cannot be done.
    fn refused(&self, args: &[&str]) -> String {
        let done = self.run(args);
        assert!(!done.status.success(), "{args:?}: {}", text(&done.stdout));
        text(&done.stderr)
    }
}

const STYLE: [&str; 5] = [
    "style",
    "@net.cnn",
    "--weights",
    "@net.safetensors",
    "@content.png",
];

fn style<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    [&STYLE[..], &["@style.png", "-o", "@out.png"], rest].concat()
}

#[test]
fn a_picture_takes_a_style() {
    let made = Made::new();
    let all = [
        "--size",
        "32x24",
        "--steps",
        "40",
        "--every",
        "20",
        "--curves",
        "@curves.svg",
    ];
    let found = made.json(&style(&all));
    let total = |of: &Value| of["total"].as_f64().unwrap();
    assert!(
        total(&found["last"]) < 0.5 * total(&found["first"]),
        "{found:#}"
    );
    // The content picture itself costs no content.
    assert_eq!(found["first"]["content"], 0.0);
    let steps = found["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 40);
    let (begun, first) = (total(&steps[0]), total(&found["first"]));
    assert!((begun - first).abs() <= 1e-5 * first, "{begun} {first}");
    for name in ["out.png", "out-0020.png", "out-0040.png"] {
        let picture = Picture::open(made.path(name)).unwrap();
        assert_eq!((picture.width(), picture.height()), (32, 24), "{name}");
    }
    let curves = std::fs::read_to_string(made.path("curves.svg")).unwrap();
    assert!(
        curves.contains("beta x style") && curves.contains("content in the style of style"),
        "{curves}"
    );
    // Bits are the same for any number of threads, and with the same seed from noise.
    let noise = [
        "--size",
        "24",
        "--from",
        "noise",
        "--seed",
        "5",
        "--steps",
        "6",
        "--optimizer",
    ];
    for optimizer in ["adam", "lbfgs"] {
        let mut pictures = Vec::new();
        for threads in ["1", "3"] {
            made.json(&style(
                &[
                    &noise[..],
                    &[optimizer, "--tv", "1e-6", "--threads", threads],
                ]
                .concat(),
            ));
            pictures.push(std::fs::read(made.path("out.png")).unwrap());
        }
        assert_eq!(pictures[0], pictures[1], "{optimizer}");
    }
}

#[test]
fn grams_are_compared_and_layers_shown_side_by_side() {
    let made = Made::new();
    let found = made.json(&style(&[
        "--gram", "--style", "first", "second", "--size", "32x32",
    ]));
    let layers = found["layers"].as_array().unwrap();
    assert_eq!((layers.len(), layers[1]["channels"].as_u64()), (2, Some(8)));
    let sum: f64 = layers
        .iter()
        .map(|layer| layer["distance"].as_f64().unwrap())
        .sum();
    assert!(sum > 0.0 && (found["distance"].as_f64().unwrap() - sum / 2.0).abs() < 1e-9 * sum);
    // What transfers make small is this distance: that of the content picture as it is.
    let begun = made.json(&style(&[
        "--style", "first", "second", "--size", "32x32", "--steps", "1",
    ]));
    let first = begun["first"]["style"].as_f64().unwrap();
    assert!((first - sum / 2.0).abs() < 1e-4 * first, "{first} {sum}");
    // A picture is as far from itself as nothing.
    let own = [
        "style",
        "@net.cnn",
        "--weights",
        "@net.safetensors",
        "@style.png",
        "@style.png",
        "-o",
        "@out.png",
        "--gram",
    ];
    assert_eq!(made.json(&own)["distance"], 0.0);
    let each = [
        "--each",
        "--content",
        "first",
        "third",
        "--beta",
        "0",
        "--from",
        "noise",
        "--size",
        "24",
        "--steps",
        "30",
    ];
    let each: Vec<&str> = each
        .iter()
        .flat_map(|word| {
            if *word == "third" {
                vec!["--content", "third"]
            } else {
                vec![*word]
            }
        })
        .collect();
    let found = made.json(&style(&each));
    for layer in found.as_array().unwrap() {
        assert!(
            layer["last"].as_f64() < layer["first"].as_f64(),
            "{found:#}"
        );
    }
}

#[test]
fn layers_show_what_they_look_for() {
    let made = Made::new();
    std::fs::create_dir_all(made.path("photos/more")).unwrap();
    for name in ["content.png", "style.png"] {
        std::fs::copy(made.path(name), made.path(&format!("photos/more/{name}"))).unwrap();
    }
    std::fs::write(made.path("photos/broken.png"), b"nothing").unwrap();
    let all = [
        "visualize",
        "@net.cnn",
        "--weights",
        "@net.safetensors",
        "--data",
        "@photos",
        "--photo",
        "@content.png",
        "--ascent",
    ];
    let rest = [
        "--layer", "first", "third", "--units", "3", "--crops", "20", "--steps", "5", "--class",
        "dog", "-o", "@seen",
    ];
    let done = made.run(&[&all[..], &rest].concat());
    let (out, error) = (text(&done.stdout), text(&done.stderr));
    assert!(done.status.success(), "{error}");
    assert!(error.contains("broken.png"), "{error}");
    assert!(
        out.contains("of 8 channels, 9x9 pixels each, of 40 parts of 2 pictures"),
        "{out}"
    );
    assert!(out.contains("`dog` (class 1"), "{out}");
    for what in [
        "patches-first",
        "patches-third",
        "maps-first",
        "maps-third",
        "ascent-first",
        "ascent-third",
        "saliency",
    ] {
        let picture = Picture::open(made.path(&format!("seen/{what}.png"))).unwrap();
        assert!(picture.width() > 300, "{what}");
        let ink = picture
            .rgb()
            .chunks(3)
            .filter(|pixel| pixel.iter().any(|x| *x < 250))
            .count();
        assert!(ink > 1000, "{what}: {ink}");
    }
    // Without a folder, the sheets are in one called after the network.
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_cnnc"))
        .args([
            "visualize",
            "net.cnn",
            "--weights",
            "net.safetensors",
            "--data",
            "photos",
        ])
        .args(["--layer", "third", "--units", "3", "--crops", "20"])
        .current_dir(made.path(""))
        .output()
        .unwrap();
    let error = text(&output.stderr);
    assert!(output.status.success(), "{error}");
    let name = error.lines().find_map(|line| line.strip_prefix("wrote "));
    let name = name.unwrap_or_else(|| panic!("{error}"));
    assert!(name.ends_with("-layers"), "{name}");
    Picture::open(made.path(name).join("patches-third.png")).unwrap();
}

/// Mistakes are told before the first step.
#[test]
fn mistakes_are_told() {
    let made = Made::new();
    let says = |args: &[&str], words: &[&str]| {
        let error = made.refused(args);
        assert!(
            words.iter().all(|word| error.contains(word)),
            "{args:?}: {error}"
        );
        assert!(
            !made.path("out.png").exists() && !made.path("seen").exists(),
            "{args:?}"
        );
    };
    says(&style(&["--style", "secnd"]), &["`secnd`", "`second`"]);
    says(&style(&["--content", "frist=2"]), &["`frist`", "`first`"]);
    says(&style(&["--content", "first=-1"]), &["LABEL=W"]);
    says(&style(&["--content", "raw"]), &["no tensor"]);
    says(&style(&["--size", "0"]), &["1 to 4096"]);
    says(&style(&["--size", "8x0"]), &["1 to 4096"]);
    says(&style(&["--size", "1x9"]), &["1x9", "neighbours"]);
    says(
        &style(&["--alpha", "0", "--beta", "0"]),
        &["nothing to make small"],
    );
    says(&style(&["--rate", "nan"]), &["a rate"]);
    says(&style(&["--style", "first=0"]), &["weights of the style 0"]);
    says(
        &[&STYLE[..], &["@style.png", "-o", "@content.png"]].concat(),
        &["would be overwritten"],
    );
    says(
        &[&STYLE[..], &["@none.png", "-o", "@out.png"]].concat(),
        &["none.png"],
    );
    says(&style(&["--each"]), &["--content"]);
    // Pictures on the way, however many.
    std::fs::copy(made.path("content.png"), made.path("out-10002.png")).unwrap();
    let way = [
        "style",
        "@net.cnn",
        "--weights",
        "@net.safetensors",
        "@out-10002.png",
        "@style.png",
        "-o",
        "@out.png",
        "--every",
        "1",
        "--steps",
        "20000",
    ];
    says(&way, &["out-10002.png", "would be overwritten"]);
    says(
        &style(&["--every", "2", "--curves", "@out-0004.png"]),
        &["out-0004.png"],
    );
    // What would not be looked at.
    for flag in [
        "--content",
        "--alpha",
        "--beta",
        "--tv",
        "--steps",
        "--rate",
    ] {
        let value = if flag == "--content" { "first" } else { "3" };
        says(&style(&["--gram", flag, value]), &["--gram", flag]);
    }
    says(
        &style(&["--gram", "--style", "first=2"]),
        &["`--style first`"],
    );
    // A window that does not fit.
    std::fs::write(made.path("wide.cnn"), "cnn 1\nmodel Wide { input x: 3x24x24 { resize 24x24 }; first: conv 9x9 4 relu; second: conv 3x3 4 relu }").unwrap();
    let of = |spec: &'static str, more: &[&'static str]| {
        let both = [
            "style",
            spec,
            "--weights",
            "synthetic",
            "@content.png",
            "@style.png",
        ];
        [&both[..], &["-o", "@out.png", "--size", "10x10"], more].concat()
    };
    says(&of("@wide.cnn", &[]), &["`second", "10x10", "11x11"]);
    // Weights of a dense layer are for one size.
    std::fs::write(made.path("fixed.cnn"), "cnn 1\nmodel Fixed { input x: 3x8x8 { resize 8x8 }; f: flatten dense 12 reshape 3x2x2; last: conv 1x1 4 }").unwrap();
    says(
        &of("@fixed.cnn", &["--style", "last", "--content", "last"]),
        &["one of 8x8"],
    );
    // Networks that see no pictures.
    for input in [
        "input x: 2x9x9",
        "input x: 40; reshape 1x5x8",
        "input x, y: 3x9x9; add(x, y)",
    ] {
        let name = made.path("blind.cnn");
        std::fs::write(
            &name,
            format!("cnn 1\nmodel Blind {{ {input}; first: conv 3x3 4 }}"),
        )
        .unwrap();
        let blind = [
            "style",
            "@blind.cnn",
            "--weights",
            "synthetic",
            "@content.png",
            "@style.png",
            "-o",
            "@out.png",
        ];
        says(&blind, &["Blind"]);
        let blind = [
            "visualize",
            "@blind.cnn",
            "--weights",
            "synthetic",
            "--ascent",
            "-o",
            "@seen",
        ];
        says(&blind, &["Blind"]);
    }
    let visualize = [
        "visualize",
        "@net.cnn",
        "--weights",
        "@net.safetensors",
        "-o",
        "@seen",
    ];
    says(&visualize, &["--data", "--photo", "--ascent"]);
    says(
        &[&visualize[..], &["--ascent", "--layer", "thrid"]].concat(),
        &["`thrid`", "`third`"],
    );
    says(
        &[
            &visualize[..],
            &["--photo", "@content.png", "--class", "dig"],
        ]
        .concat(),
        &["`dig`", "`dog`"],
    );
    says(
        &[&visualize[..], &["--photo", "@content.png", "--class", "7"]].concat(),
        &["no class 7", "has 3"],
    );
    let steps = [&visualize[..], &["--photo", "@content.png", "--steps", "9"]];
    says(&steps.concat(), &["--ascent"]);
    let crops = [&visualize[..], &["--ascent", "--crops", "9"]];
    says(&crops.concat(), &["--data"]);
    std::fs::create_dir(made.path("empty")).unwrap();
    says(
        &[&visualize[..], &["--data", "@empty"]].concat(),
        &["empty"],
    );
    // Weights that are no numbers.
    let net = cnnc::compile_file(made.path("net.cnn")).unwrap();
    let sources = net.graph().sources();
    let tensors: Vec<(String, Vec<usize>, Vec<f32>)> = sources
        .iter()
        .map(|source| {
            let elements = source.shape.iter().product();
            let value = if source.name == "second.bias" {
                f32::NAN
            } else {
                0.1
            };
            (
                source.name.to_string(),
                source.shape.to_vec(),
                vec![value; elements],
            )
        })
        .collect();
    let tensors = tensors
        .iter()
        .map(|(name, shape, values)| (name.as_str(), shape.as_slice(), values.as_slice()));
    let weights = cnnc::Weights::from_tensors(tensors).unwrap();
    weights
        .write_safetensors(made.path("nan.safetensors"))
        .unwrap();
    let nan = [
        "style",
        "@net.cnn",
        "--weights",
        "@nan.safetensors",
        "@content.png",
        "@style.png",
        "-o",
        "@out.png",
    ];
    says(&nan, &["`second.bias`", "NaN"]);
}

/// SqueezeNet's share of what two photographs cost at first, in so many steps at 256x256.
fn squeezenet(images: &Path, pictures: [&str; 2], out: &Path, rest: &[&str]) -> (f64, f64) {
    let (spec, weights) = (file(SQUEEZENET), file(WEIGHTS));
    let pictures = pictures.map(|name| images.join(name));
    let given =
        [&spec, &weights, &pictures[0], &pictures[1], out].map(|path| path.to_str().unwrap());
    let [spec, weights, content, style, out] = given;
    let args = [
        "style",
        spec,
        "--weights",
        weights,
        content,
        style,
        "-o",
        out,
        "--size",
        "256x256",
        "--json",
    ];
    let done = cnnc(&[&args[..], rest].concat());
    assert!(done.status.success(), "{}", text(&done.stderr));
    let found: Value = serde_json::from_slice(&done.stdout).unwrap();
    let share =
        |part: &str| found["last"][part].as_f64().unwrap() / found["first"][part].as_f64().unwrap();
    (share("total"), share("style"))
}

#[test]
#[ignore = "takes a minute: a part of the long run"]
fn squeezenets_style_as_it_should_be_long() {
    let Some(images) = shared("data/images") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.png");
    for pictures in [["chelsea.png", "coffee.png"], ["horses.jpg", "coffee.png"]] {
        let cost = |rest: &[&str]| squeezenet(&images, pictures, &out, rest);
        let (total, style) = cost(&["--steps", "100"]);
        assert!(
            total <= 0.2 && style <= 0.08,
            "{pictures:?}: {total} {style}"
        );
        let (total, _) = cost(&["--from", "noise"]);
        assert!(total <= 0.1, "{pictures:?}: {total}");
        let (total, _) = cost(&["--optimizer", "lbfgs", "--steps", "60"]);
        assert!(total <= 0.2, "{pictures:?}: {total}");
    }
}
