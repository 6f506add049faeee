//! Networks that make pictures of pictures, or find one box or points in them: they learn from folders, and `evaluate` says how well.

use cnnc::rt::image::Picture;
use cnnc::rt::tensor_file::read_tensors;
use cnnc_testing::{Random, file};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

struct Made(tempfile::TempDir);

impl Made {
    fn new() -> Made {
        Made(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, picture: &Picture) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        picture.write_png(path).unwrap();
    }

    /// What a command prints that succeeds.
    fn prints(&self, args: &[&str]) -> String {
        let output = self.output(args);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    fn fails(&self, args: &[&str]) -> String {
        let output = self.output(args);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    }

    fn output(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cnnc"));
        command.current_dir(self.0.path()).args(args);
        command.output().unwrap()
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// How a network is judged by `data`.
fn evaluate<'a>(spec: &'a Path, weights: &'a str) -> [&'a str; 6] {
    [
        "evaluate",
        text(spec),
        "--weights",
        weights,
        "--data",
        "data",
    ]
}

/// A square or a disc on a background, and what each pixel is, as a grey picture.
fn shape(random: &mut Random) -> (Picture, Picture) {
    const SIDE: usize = 32;
    let disc = random.below(2) == 1;
    let [row, column] = [0; 2].map(|_| 9 + random.below(14) as i64);
    let (mut rgb, mut classes) = (Vec::new(), Vec::new());
    for pixel in 0..(SIDE * SIDE) as i64 {
        let (down, right) = (pixel / 32 - row, pixel % 32 - column);
        let inside = match disc {
            true => down * down + right * right <= 50,
            false => down.abs() <= 6 && right.abs() <= 6,
        };
        let class = u8::from(inside) * (1 + u8::from(disc));
        let noise = random.below(70) as u8;
        let bright = if inside { 120 } else { 30 };
        rgb.extend([bright + noise, bright, 100]);
        // The edge of the picture has no label.
        let edge = pixel / 32 == 0;
        classes.push(if edge { 255 } else { class });
    }
    let picture = Picture::from_rgb(SIDE, SIDE, rgb).unwrap();
    (picture, Picture::from_grey(SIDE, SIDE, &classes).unwrap())
}

/// Writes a grey picture with one byte a pixel.
fn write_grey(path: &Path, picture: &Picture) {
    let file = std::fs::File::create(path).unwrap();
    let (width, height) = (picture.width() as u32, picture.height() as u32);
    let mut encoder = png::Encoder::new(file, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().unwrap();
    let bytes: Vec<u8> = picture.rgb().chunks(3).map(|pixel| pixel[0]).collect();
    writer.write_image_data(&bytes).unwrap();
}

#[test]
fn a_small_unet_learns_what_pixels_are() {
    let made = Made::new();
    let mut random = Random(3);
    for (of, count) in [("", 160), ("val/", 40)] {
        std::fs::create_dir_all(made.path(&format!("data/masks/{of}"))).unwrap();
        for number in 0..count {
            let (picture, classes) = shape(&mut random);
            made.write(&format!("data/images/{of}{number:03}.png"), &picture);
            let mask = made.path(&format!("data/masks/{of}{number:03}.png"));
            write_grey(&mask, &classes);
        }
    }
    let spec = file("examples/small_unet.cnn");
    let train = ["train", text(&spec), "--data", "data", "--name", "unet"];
    let printed = made.prints(&[&train[..], &["--show-batch", "batch.png"]].concat());
    assert!(
        printed.contains(
            "160 samples, 40 to be judged by (pictures with a class for each pixel, 800.0 KiB)"
        ),
        "{printed}"
    );
    let drawn = Picture::open(made.path("batch.png")).unwrap();
    // Each picture has its mask beside it, with a disc or a square in a colour of its own.
    assert!(drawn.width() > 2 * 96 && drawn.height() >= 96);
    let evaluate = evaluate(&spec, "runs/unet/weights.safetensors");
    let judged = made.prints(&evaluate);
    assert!(
        judged.contains("40 samples (pictures with a class for each pixel)"),
        "{judged}"
    );
    for part in [
        "mean iou ",
        "pixels that are right ",
        "ground",
        "square",
        "disc",
    ] {
        assert!(judged.contains(part), "{judged}");
    }
    let json = made.prints(&[&evaluate[..], &["--json"]].concat());
    let json: Value = serde_json::from_str(&json).unwrap();
    let value = json["value"].as_f64().unwrap();
    assert_eq!(json["measure"], "mean_iou");
    assert!(value >= 0.85, "{json}");
    let classes = json["classes"].as_array().unwrap();
    let mean: f64 = classes
        .iter()
        .map(|class| class["iou"].as_f64().unwrap())
        .sum::<f64>()
        / 3.0;
    assert!((mean - value).abs() < 1e-9);
    let table = std::fs::read_to_string(made.path("runs/unet/results.csv")).unwrap();
    let last: f64 = table
        .lines()
        .last()
        .unwrap()
        .split(',')
        .nth(4)
        .unwrap()
        .parse()
        .unwrap();
    assert!((last - value).abs() < 0.2, "{table}");
    // Nothing is drawn of masks, nor over them.
    let error = made.fails(&[&evaluate[..], &["--worst", "worst.png"]].concat());
    assert!(error.contains("`--out` and `--worst` draw what"), "{error}");
    let masks = std::fs::read_dir(made.path("data/masks/val")).unwrap();
    let mask = masks.map(|entry| entry.unwrap().path()).min().unwrap();
    let before = std::fs::read(&mask).unwrap();
    let show = [
        "train",
        text(&spec),
        "--data",
        "data",
        "--dry",
        "--show-batch",
    ];
    let error = made.fails(&[&show[..], &[text(&mask)]].concat());
    assert!(
        error.contains("would be overwritten, and it is read"),
        "{error}"
    );
    assert!(std::fs::read(&mask).unwrap() == before);
    // What a classifier says to masks, and a segmentation to class folders.
    std::fs::write(
        made.path("classes.cnn"),
        "cnn 1; model Net { input x: 3x32x32 { resize 32x32 }; flatten; dense 3; head classify }",
    )
    .unwrap();
    let error = made.fails(&["train", "classes.cnn", "--data", "data"]);
    assert!(
        error.contains("its pictures have pictures as targets, and `Net` makes 3 of each"),
        "{error}"
    );
    for class in ["a", "b", "c"] {
        made.write(&format!("folders/{class}/1.png"), &shape(&mut random).0);
        made.write(&format!("folders/{class}/2.png"), &shape(&mut random).0);
    }
    let error = made.fails(&["train", text(&spec), "--data", "folders", "--batch", "2"]);
    assert!(
        error.contains("`SmallUNet` has a class for each of 1024 pixels"),
        "{error}"
    );
}

const SOBEL: [f64; 9] = [-1.0, 0.0, 1.0, -2.0, 0.0, 2.0, -1.0, 0.0, 1.0];

/// Tiles of a photograph, and what Sobel's filter makes of their inner pixels: no edge is middle grey.
#[test]
fn a_filter_is_learned_from_a_photograph() {
    const SIDE: usize = 32;
    let made = Made::new();
    let photo = Picture::open(file("examples/data/pelican.jpeg")).unwrap();
    let grey = |x: usize, y: usize| photo.rgb()[3 * (y * photo.width() + x) + 1];
    let mut count = 0;
    let mut plain = 0.0;
    for top in (0..photo.height() - SIDE).step_by(SIDE) {
        for left in (0..photo.width() - SIDE).step_by(SIDE) {
            let tile: Vec<u8> = (0..SIDE * SIDE)
                .map(|at| grey(left + at % SIDE, top + at / SIDE))
                .collect();
            let inner = (1..SIDE - 1).flat_map(|y| (1..SIDE - 1).map(move |x| (x, y)));
            let answer: Vec<u8> = inner
                .map(|(x, y)| {
                    let term = |tap: usize| {
                        let at = (y + tap / 3 - 1) * SIDE + x + tap % 3 - 1;
                        SOBEL[tap] * f64::from(tile[at])
                    };
                    let sum: f64 = (0..9).map(term).sum();
                    (127.5 + sum / 8.0).round() as u8
                })
                .collect();
            let of = if count % 4 == 3 { "val/" } else { "" };
            if !of.is_empty() {
                let apart = answer
                    .iter()
                    .map(|&byte| (f64::from(byte) - 127.5).abs() / 255.0);
                plain += apart.sum::<f64>() / answer.len() as f64;
            }
            made.write(
                &format!("data/images/{of}{count}.png"),
                &Picture::from_grey(SIDE, SIDE, &tile).unwrap(),
            );
            made.write(
                &format!("data/targets/{of}{count}.png"),
                &Picture::from_grey(30, 30, &answer).unwrap(),
            );
            count += 1;
        }
    }
    let judges = (0..count).filter(|at| at % 4 == 3).count();
    let spec = file("examples/learned_edges.cnn");
    made.prints(&["train", text(&spec), "--data", "data", "--name", "edges"]);
    let evaluate = evaluate(&spec, "runs/edges/weights.safetensors");
    let judged = made.prints(&evaluate);
    assert!(
        judged.contains(&format!("{judges} samples (pictures with targets)")),
        "{judged}"
    );
    let json = made.prints(&[&evaluate[..], &["--json"]].concat());
    let json: Value = serde_json::from_str(&json).unwrap();
    let error = json["value"].as_f64().unwrap();
    // Half of what an answer without edges is off by, and half a grey value: rounding alone is a quarter of one.
    let plain = plain / judges as f64;
    assert!(
        error < plain / 2.0 && error < 0.5 / 255.0,
        "{error} of {plain}"
    );
    let tensors = read_tensors(made.path("runs/edges/weights.safetensors")).unwrap();
    let filter = tensors
        .iter()
        .find(|tensor| tensor.values.len() == 9)
        .unwrap();
    for (found, want) in filter.values.iter().zip(SOBEL) {
        assert!(
            (f64::from(*found) - want / 16.0).abs() < 0.01,
            "{:?}",
            filter.values
        );
    }
}

/// A network that needs no training: a picture of two by two pixels is its own answer, a heat map; or a box, of which the first value is the presence.
#[test]
fn places_are_judged_and_the_worst_are_drawn() {
    let made = Made::new();
    let grey = |name: &str, values: [u8; 4]| {
        made.write(name, &Picture::from_grey(2, 2, &values).unwrap());
    };
    // Found where it is, and half of the width off.
    grey("points/a.png", [0, 255, 0, 0]);
    grey("points/b.png", [0, 255, 0, 0]);
    std::fs::write(
        made.path("points/rows.csv"),
        "a.png,1.5,0.5\nb.png,0.5,0.5\n",
    )
    .unwrap();
    let input = "input image: 1x2x2 { resize 2x2 filter nearest gray }";
    let spec = |name: &str, body: &str| {
        let text = format!("cnn 1\nmodel M {{ {input}; {body} }}");
        std::fs::write(made.path(name), text).unwrap();
    };
    spec("map.cnn", "scale 50; head keypoints { around 1 }");
    let judge = |spec: &str, data: &str, more: &[&str]| {
        let args = [
            "evaluate",
            spec,
            "--weights",
            "none.safetensors",
            "--data",
            data,
        ];
        made.prints(&[&args[..], more].concat())
    };
    write_tensors(&made.path("none.safetensors"));
    let printed = judge("map.cnn", "points/rows.csv", &["--worst", "worst.png"]);
    assert!(
        printed.contains("mean error 25.00 % of the width (0.50 pixels) in 2 pictures"),
        "{printed}"
    );
    assert!(printed.contains("b.png: 50.00 % off"), "{printed}");
    let sheet = Picture::open(made.path("worst.png")).unwrap();
    let red = sheet
        .rgb()
        .chunks(3)
        .filter(|pixel| pixel[0] > 200 && pixel[1] < 80);
    assert!(red.count() > 50, "what was found is drawn");
    let json: Value =
        serde_json::from_str(&judge("map.cnn", "points/rows.csv", &["--json"])).unwrap();
    assert_eq!(
        (&json["point_error"], &json["places"]),
        (&0.25.into(), &2.into())
    );
    let args = [
        "evaluate",
        "map.cnn",
        "--weights",
        "none.safetensors",
        "--data",
        "points/rows.csv",
    ];
    let error = made.fails(&[&args[..], &["--out", "matrix.png"]].concat());
    assert!(error.contains("there is nothing of that here"), "{error}");
}

/// `head boxes` has targets to draw; where there are none, that is said, and nothing is judged.
#[test]
fn targets_are_drawn_of_one_box_and_refused_elsewhere() {
    let made = Made::new();
    let grey = |name: &str| {
        made.write(name, &Picture::from_grey(2, 2, &[0, 255, 90, 40]).unwrap());
    };
    std::fs::create_dir_all(made.path("boxes/labels")).unwrap();
    for name in ["a", "b"] {
        grey(&format!("boxes/images/{name}.png"));
        let labels = made.path(&format!("boxes/labels/{name}.txt"));
        std::fs::write(labels, "0 0.5 0.5 0.5 0.5\n").unwrap();
        grey(&format!("people/{name}/1.png"));
        grey(&format!("people/{name}/2.png"));
    }
    let input = "input image: 1x2x2 { resize 2x2 filter nearest gray }";
    for (name, head) in [
        ("box.cnn", "head boxes"),
        ("classes.cnn", "dense 2; head classify"),
        ("embed.cnn", "l2norm; head embed"),
    ] {
        let text = format!("cnn 1\nmodel M {{ {input}; flatten; {head} }}");
        std::fs::write(made.path(name), text).unwrap();
    }
    write_tensors(&made.path("none.safetensors"));
    let draw = |spec: &'static str, data: &'static str| {
        [
            "evaluate",
            spec,
            "--weights",
            "none.safetensors",
            "--data",
            data,
            "--show-targets",
            "targets.png",
        ]
    };
    let printed = made.prints(&draw("box.cnn", "boxes"));
    assert!(
        printed.contains("targets of 2 pictures with 2 boxes\n") && printed.contains("mean IoU"),
        "{printed}"
    );
    assert!(Picture::open(made.path("targets.png")).unwrap().width() > 300);
    std::fs::remove_file(made.path("targets.png")).unwrap();
    let error = made.fails(&draw("classes.cnn", "people"));
    assert!(error.contains("has no boxes to draw here"), "{error}");
    let error = made.fails(&draw("embed.cnn", "people"));
    assert!(
        error.contains("`--show-targets` cannot be written"),
        "{error}"
    );
    let slide = [&draw("classes.cnn", "boxes")[..], &["--slide"]].concat();
    let one_shot = [&draw("embed.cnn", "people")[..4], &["--one-shot", "people"]].concat();
    let one_shot = [&one_shot[..], &["--show-targets", "targets.png"]].concat();
    for args in [slide, one_shot] {
        let output = made.output(&args);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains("--show-targets"), "{error}");
    }
    assert!(!made.path("targets.png").exists());
}

/// A file of weights for networks that have none.
fn write_tensors(path: &Path) {
    let weights = cnnc::Weights::from_tensors([]).unwrap();
    weights.write_safetensors(path).unwrap();
}
