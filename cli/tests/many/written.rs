//! What is written beside answers: pictures, each in its place and none over another; and parts, which are gone on with by the run that they are of.

use super::{RUN, fed, inputs, lines, picture, place, text_of};
use cnnc::rt::image::Picture;
use cnnc_testing::{Place, told};
use std::fs;

#[test]
fn answers_that_are_pictures_and_drawn_ones_keep_their_folders() {
    let place = place();
    picture(&place, "in/a/1.png", [255, 0, 0]);
    picture(&place, "in/b/1.png", [0, 255, 0]);
    let spec = "cnn 1
model Same {
  input image: 3x10x12
  conv 1x1 3
  head image
}
";
    fs::write(place.path("same.cnn"), spec).unwrap();
    place.prints("run same.cnn --weights synthetic in --out out");
    for name in ["out/a/1.png", "out/b/1.png"] {
        let made = Picture::open(place.path(name)).unwrap();
        assert_eq!((made.width(), made.height()), (12, 10));
    }
    assert_eq!(lines(&text_of(place.read("out/part-0.jsonl"))).len(), 2);
    let said = place.fails("run same.cnn --weights synthetic in --draw drawn");
    assert!(
        said.contains("the answer of the spec's head has no place in the picture"),
        "{said}"
    );
    // Nothing is written over what is read.
    let said = place.fails("run same.cnn --weights synthetic in/a/*.png --out in/a");
    assert!(said.contains("in/a/1.png` would be overwritten"), "{said}");
    let points = "cnn 1
model Points {
  input image: 3x10x12
  globalavgpool
  flatten
  dense 4 sigmoid
  head landmarks
}
";
    fs::write(place.path("points.cnn"), points).unwrap();
    place.prints("run points.cnn --weights synthetic in --draw drawn");
    for name in ["drawn/a/1.png", "drawn/b/1.png"] {
        assert!(place.path(name).exists(), "{name}");
    }
}

const SAME: &str = "run same.cnn --weights synthetic";

/// With a network whose answer is a picture, and one that finds points.
fn painters() -> Place {
    let place = place();
    let spec = "cnn 1\nmodel Same {\n  input image: 3x10x12\n  conv 1x1 3\n  head image\n}\n";
    fs::write(place.path("same.cnn"), spec).unwrap();
    let spec = "cnn 1\nmodel Points {\n  input image: 3x10x12\n  globalavgpool\n  flatten\n  dense 4 sigmoid\n  head landmarks\n}\n";
    fs::write(place.path("points.cnn"), spec).unwrap();
    place
}

#[test]
fn no_answer_is_written_over_an_input() {
    let place = painters();
    for name in ["d/x.png", "c/x.png", "e/in/1.png", "e/1.png"] {
        picture(&place, name, [255, 0, 0]);
    }
    let before = ["c/x.png", "e/1.png"].map(|name| place.read(name));
    fs::write(place.path("list.txt"), "c/x.png\n").unwrap();
    for (line, why) in [
        ("d c/x.png --out c", "`c/x.png` would be written twice"),
        ("e/in e/1.png --out e", "`e/1.png` would be written twice"),
        ("d list.txt --out c", "`c/x.png` would be overwritten"),
    ] {
        let said = place.fails(&format!("{SAME} {line}"));
        assert!(said.contains(why), "{line}: {said}");
    }
    // What comes on standard input is not known before: what is there stays.
    let output = fed(&place, &format!("{SAME} d - --out c"), b"c/x.png\n");
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(
        told(&output).contains("c/x.png: it is there already"),
        "{}",
        told(&output)
    );
    let part = lines(&text_of(place.read("c/part-0.jsonl")));
    assert_eq!(inputs(&part), ["c/x.png"]);
    assert!(before == ["c/x.png", "e/1.png"].map(|name| place.read(name)));
}

#[test]
fn no_answer_is_written_over_another() {
    let place = painters();
    for name in ["a/1.png", "b/1.png", "p/1.png"] {
        picture(&place, name, [0, 255, 0]);
    }
    fs::copy(place.path("p/1.png"), place.path("p/1")).unwrap();
    let said = place.fails(&format!("{SAME} a b --out o1"));
    assert!(said.contains("`o1/1.png` would be written twice"), "{said}");
    assert!(!place.path("o1").exists());
    // Each of a batch has its own.
    let values = vec![0.5; 2 * 3 * 10 * 12];
    cnnc::rt::tensor_file::write_npy(place.path("two.npy"), &[2, 3, 10, 12], &values).unwrap();
    place.prints(&format!("{SAME} two.npy --out o2/"));
    for name in ["o2/two.npy.0.png", "o2/two.npy.1.png"] {
        assert!(place.path(name).exists(), "{name}");
    }
    // On standard input, the second is left out.
    let output = fed(
        &place,
        &format!("{SAME} - --out o3"),
        b"p/1\np/1.png\na/1.png\n",
    );
    assert_eq!(output.status.code(), Some(1));
    let said = told(&output);
    assert!(
        said.contains("`o3/p/1.png` would be written twice"),
        "{said}"
    );
    let part = lines(&text_of(place.read("o3/part-0.jsonl")));
    assert_eq!(inputs(&part), ["p/1", "a/1.png"]);
}

/// A file of tensors for each input, in a folder or named; what is tapped lies beside the outputs.
#[test]
fn outputs_are_files_in_a_folder() {
    let place = place();
    picture(&place, "in/a/1.png", [255, 0, 0]);
    picture(&place, "in/b/2.png", [0, 0, 255]);
    picture(&place, "other/1.png", [0, 255, 0]);
    let tensors = |name: &str| {
        let read = cnnc::rt::tensor_file::read_tensors(place.path(name)).unwrap();
        let read = read.into_iter().map(|of| (of.shape, of.values));
        read.collect::<Vec<(Vec<usize>, Vec<f32>)>>()
    };
    place.prints(&format!(
        "{RUN} in/a/1.png in/b/2.png --raw both.safetensors"
    ));
    let both = tensors("both.safetensors")[0].1.clone();
    assert_eq!(both.len(), 6);
    let folder = lines(&place.prints(&format!("{RUN} in --raw raw/ --json")));
    assert_eq!(inputs(&folder), ["in/a/1.png", "in/b/2.png"]);
    assert_eq!(
        tensors("raw/a/1.png.safetensors"),
        [(vec![3], both[..3].to_vec())]
    );
    assert_eq!(
        tensors("raw/b/2.png.safetensors"),
        [(vec![3], both[3..].to_vec())]
    );
    let named = format!("{RUN} in/a/1.png in/b/2.png --tap scores --raw named/ --json");
    assert_eq!(lines(&place.prints(&named)).len(), 2);
    let of_b = tensors("named/2.png.safetensors");
    assert!(of_b.iter().all(|of| of.1 == both[3..]), "{of_b:?}");
    // One alone has the names that other engines give.
    place.prints(&format!("{RUN} in/a/1.png --raw alone/"));
    assert!(place.path("alone/output_0.npy").exists());
    // Before anything is computed.
    for line in [
        "in --raw in/",
        "in/a/1.png other/1.png --raw twice/",
        "in --raw raw.safetensors",
    ] {
        let said = place.fails(&format!("{RUN} {line}"));
        let why = [
            "`in` would be overwritten",
            "would be written twice",
            "`--raw FOLDER/` have",
        ];
        assert!(why.iter().any(|why| said.contains(why)), "{line}: {said}");
    }
}

#[test]
fn what_cannot_be_drawn_on_is_left_out() {
    let place = painters();
    picture(&place, "a/1.png", [255, 0, 0]);
    picture(&place, "b/1.png", [0, 255, 0]);
    let values = vec![0.5; 3 * 10 * 12];
    cnnc::rt::tensor_file::write_npy(place.path("one.npy"), &[3, 10, 12], &values).unwrap();
    fs::write(place.path("list.txt"), "a/1.png\none.npy\nb/1.png\n").unwrap();
    let output = place.output("run points.cnn --weights synthetic list.txt --draw dr --json");
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let answers = lines(&text_of(output.stdout));
    let broken: Vec<&str> = answers
        .iter()
        .filter_map(|line| line["error"].as_str())
        .collect();
    assert_eq!((answers.len(), broken.len()), (3, 1));
    assert!(
        broken[0].contains("`one.npy` is not a picture"),
        "{broken:?}"
    );
    assert!(place.path("dr/b/1.png").exists());
}

#[test]
fn a_part_is_gone_on_with_by_the_run_that_it_is_of() {
    let place = place();
    picture(&place, "a/1.png", [255, 0, 0]);
    picture(&place, "b/2.png", [0, 255, 0]);
    place.prints(&format!("{RUN} a --out out"));
    let spec = text_of(place.read("net.cnn"));
    let other = spec.replace("resize 8x8", "resize 8x8  normalize imagenet");
    fs::write(place.path("net.cnn"), other).unwrap();
    let said = place.fails(&format!("{RUN} a b --out out --resume"));
    assert!(
        said.contains("line 1 is of another run: its network (by its hash)"),
        "{said}"
    );
    fs::write(place.path("net.cnn"), spec).unwrap();
    let said = place.fails(&format!("{RUN} a b --out out --resume --top 2"));
    assert!(
        said.contains("its head or thresholds (by their hash)"),
        "{said}"
    );
    place.prints(&format!("{RUN} a b --out out --resume"));
    assert_eq!(lines(&text_of(place.read("out/part-0.jsonl"))).len(), 2);
    // Weights are what they are, and not what they are called.
    place.prints("convert net.cnn --weights synthetic w.safetensors");
    place.prints("run net.cnn --weights w.safetensors a --out own");
    place.prints("run net.cnn --weights ./w.safetensors a b --out own --resume");
    let mut bytes = place.read("w.safetensors");
    *bytes.last_mut().unwrap() ^= 0x80;
    fs::write(place.path("w.safetensors"), bytes).unwrap();
    let said = place.fails("run net.cnn --weights w.safetensors a b --out own --resume");
    assert!(said.contains("its weights (by their hash)"), "{said}");
    // What was broken is known to be tried again, or the run does not begin.
    fs::create_dir_all(place.path("odd/broken-0.jsonl")).unwrap();
    let said = place.fails(&format!("{RUN} a --out odd"));
    assert!(said.contains("cannot write odd/broken-0.jsonl"), "{said}");
}
