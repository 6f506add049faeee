//! How pictures become the input: what flags say, and what is guessed. The oracle is a spec that says the same.

use super::{NET, alike, exported, json, place, tensor, write};
use cnnc::rt::image::Picture;
use cnnc_testing::{Place, Random, told};

/// A picture that is wider than high, of pixels at random.
fn picture(place: &Place) {
    let mut random = Random(7);
    let pixels: Vec<u8> = (0..20 * 12 * 3).map(|_| random.below(256) as u8).collect();
    let picture = Picture::from_rgb(20, 12, pixels).unwrap();
    picture.write_png(place.path("a.png")).unwrap();
}

/// What the spec with those settings makes of the picture.
fn expected(place: &Place, spec: &str, settings: &str) -> Vec<f32> {
    write(place, "said.cnn", spec.replace("SETTINGS", settings));
    place.prints("run said.cnn --weights synthetic a.png --raw said.safetensors");
    tensor(place, "said.safetensors").values
}

/// Flags, and the settings that mean the same.
const SAID: &[(&str, &str)] = &[
    ("--resize 8x8", "resize 8x8"),
    ("--resize 8 --crop 8", "resize 8  crop 8"),
    ("--resize 10x14 --crop 8x8", "resize 10x14  crop 8x8"),
    ("--crop 8", "crop 8"),
    ("--letterbox=8", "letterbox 8"),
    ("--letterbox=8x8", "letterbox 8x8"),
    ("--normalize unit", "resize 8x8  normalize unit"),
    ("--normalize imagenet", "resize 8x8  normalize imagenet"),
    ("--normalize symmetric", "resize 8x8  normalize symmetric"),
    ("--normalize caffe", "resize 8x8  normalize caffe"),
    ("--bgr", "resize 8x8  bgr"),
    (
        "--bgr --normalize imagenet",
        "resize 8x8  bgr  normalize imagenet",
    ),
    ("--pixel-scale 1", "resize 8x8  scale 1"),
    ("--pixel-scale 0.25 --bgr", "resize 8x8  bgr  scale 0.25"),
];

#[test]
fn flags_are_the_settings_of_the_input() {
    let place = place();
    picture(&place);
    let mut all: Vec<Vec<f32>> = Vec::new();
    for (flags, settings) in SAID {
        let expected = expected(&place, NET, settings);
        let output = place.output(&format!("run net.onnx a.png {flags} --raw out/"));
        let said = told(&output);
        assert!(output.status.success(), "{flags}: {said}");
        assert!(!said.contains("does not say"), "{flags}: {said}");
        alike(&tensor(&place, "out/output_0.npy").values, &expected, flags);
        // The imported spec says it, so its answer is the same.
        place.prints(&format!("import net.onnx {flags} -o again.cnn"));
        place.prints("run again.cnn --weights again.safetensors a.png --raw again_raw.safetensors");
        let again = tensor(&place, "again_raw.safetensors").values;
        alike(&again, &expected, flags);
        all.push(expected);
    }
    // Every one of them matters: no two answers are the same, but where flags say the same twice.
    let same = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6);
    for (at, answer) in all.iter().enumerate() {
        let others = (0..at).filter(|&other| same(answer, &all[other]));
        let others: Vec<&str> = others.map(|other| SAID[other].0).collect();
        let expected: &[&str] = match SAID[at].0 {
            "--letterbox=8x8" => &["--letterbox=8"],
            "--normalize unit" => &["--resize 8x8"],
            _ => &[],
        };
        assert_eq!(others, expected, "{}", SAID[at].0);
    }
}

#[test]
fn what_is_guessed_is_said() {
    let place = place();
    picture(&place);
    let guess = "they are stretched to 8x8, with values from 0 to 1";
    for line in ["run net.onnx a.png --raw out/", "import net.onnx"] {
        let output = place.output(line);
        let said = told(&output);
        assert!(output.status.success() && said.contains(guess), "{said}");
    }
    let stretched = expected(&place, NET, "resize 8x8");
    alike(
        &tensor(&place, "out/output_0.npy").values,
        &stretched,
        guess,
    );
    let output = place.output("run net.onnx a.png a.png --json");
    assert!(output.status.success(), "{}", told(&output));
}

#[test]
fn a_thousand_numbers_are_those_of_imagenet() {
    let place = place();
    picture(&place);
    let spec = NET.replace("dense 3", "dense 1000");
    write(&place, "large.cnn", spec.replace("SETTINGS", "resize 8x8"));
    exported(&place, "large");
    let output = place.output("run large.onnx a.png --raw out/");
    let said = told(&output);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("1,000 classes are taken for ImageNet's: resize 9, crop 8, torchvision's mean and deviation"),
        "{said}"
    );
    let expected = expected(&place, &spec, "resize 9  crop 8  normalize imagenet");
    alike(
        &tensor(&place, "out/output_0.npy").values,
        &expected,
        "ImageNet",
    );
    // The answer is of classes.
    let answer = json(&place.prints("run large.onnx a.png --json"));
    let largest = expected.iter().copied().fold(f32::MIN, f32::max);
    let class = expected.iter().position(|x| *x == largest).unwrap();
    assert_eq!(answer["results"][0]["top"][0]["class"], class, "{answer:#}");
    // What is said is not guessed.
    let output = place.output("run large.onnx a.png --resize 8x8");
    assert!(!told(&output).contains("ImageNet"), "{}", told(&output));
}

#[test]
fn classes_have_the_names_of_a_file() {
    let place = place();
    picture(&place);
    write(&place, "names.txt", "rot\ngr\u{fc}n\nblau\n");
    let text = place.prints("run net.onnx a.png --labels names.txt --resize 8x8");
    for name in ["rot", "gr\u{fc}n", "blau"] {
        assert!(text.contains(name), "{text}");
    }
    let without = place.prints("run net.onnx a.png --resize 8x8");
    assert!(!without.contains("rot"), "{without}");
    place.prints("import net.onnx --labels names.txt -o again.cnn");
    let again = place.prints("run again.cnn --weights again.safetensors a.png");
    assert!(again.contains("gr\u{fc}n"), "{again}");
    write(&place, "few.txt", "rot\nblau\n");
    let said = place.fails("run net.onnx a.png --labels few.txt");
    assert!(
        said.contains("does not suit the network: there are 2 labels for 3 outputs"),
        "{said}"
    );
    place.fails("import net.onnx --labels few.txt");
    let said = place.fails("run net.onnx a.png --labels nowhere.txt");
    assert!(said.contains("nowhere.txt"), "{said}");
}

#[test]
fn flags_that_say_nothing_are_refused() {
    let place = place();
    picture(&place);
    write(&place, "names.txt", "a\nb\nc\n");
    // A spec says it itself.
    for flags in [
        "--resize 8x8",
        "--crop 8",
        "--letterbox 8",
        "--normalize unit",
        "--bgr",
        "--pixel-scale 1",
        "--labels names.txt",
    ] {
        let said = place.fails(&format!("run net.cnn --weights synthetic a.png {flags}"));
        assert!(
            said.contains("how pictures become the input stands in the spec"),
            "{flags}: {said}"
        );
    }
    for (flags, why) in [
        ("--resize 0", "a size is written like 256 or 640x480"),
        ("--resize 8x", "a size is written like 256 or 640x480"),
        ("--crop -8", ""),
        ("--crop 99999", "a size is written like 256 or 640x480"),
        (
            "--normalize zero",
            "possible values: unit, imagenet, symmetric, caffe",
        ),
        ("--pixel-scale 0", "a positive number is expected"),
        ("--pixel-scale nan", "a positive number is expected"),
    ] {
        for line in ["run net.onnx a.png", "import net.onnx"] {
            let output = place.output(&format!("{line} {flags}"));
            assert_eq!(output.status.code(), Some(2), "{line} {flags}");
            assert!(told(&output).contains(why), "{flags}: {}", told(&output));
        }
    }
    let said = place.fails("run net.onnx a.png --letterbox x8");
    assert!(said.contains("a size is written like 256"), "{said}");
    let said = place.fails("import net.onnx --letterbox");
    assert!(said.contains("`--letterbox=640`"), "{said}");
    // One that is larger than what it is cut out of.
    let said = place.fails("run net.onnx a.png --resize 8x8 --crop 9");
    assert!(
        said.contains("does not suit the network: pictures become 9x9"),
        "{said}"
    );
}
