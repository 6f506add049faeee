//! Videos: frames of a folder, or raw ones of a pipe, answered and drawn one by one.

use super::{
    BLUE, Folder, RED, SPOTS, boxes, cnnc, failure, picture, results_of, shown, spots, text,
};
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs with bytes on standard input.
fn fed(args: &[&str], bytes: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cnnc"));
    let pipe = Stdio::piped;
    let mut child = command
        .args(args)
        .stdin(pipe())
        .stdout(pipe())
        .stderr(pipe())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let bytes = bytes.to_vec();
    // A program that fails does not read all of it.
    let writer = std::thread::spawn(move || drop(input.write_all(&bytes)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

#[test]
fn videos_are_frames_of_a_folder_or_of_a_pipe() {
    let folder = Folder::new("video");
    let [spec, weights] = spots(&folder, SPOTS);
    let frames = [(RED, 0, 0), (BLUE, 1, 0), (RED, 3, 1)].map(|square| picture(160, 80, &[square]));
    for (number, frame) in frames.iter().enumerate() {
        folder.picture(&format!("frames/{number:04}.png"), frame);
    }
    let (from, to) = (folder.path("frames"), folder.path("drawn"));
    let run = ["run", &spec, "--weights", &weights];
    let answer = results_of(&text(&[&run[..], &[&from, "--json"]].concat()));
    assert_eq!(answer["results"][2]["weights"], weights);
    let found = (0..3).map(|frame| boxes(&answer, frame));
    let found: Vec<_> = found.collect();
    let of = |label: &str, x| vec![(label.to_owned(), [x, 0, 40, 40])];
    assert_eq!(found[..2], [of("red", 0), of("blue", 40)]);
    text(&[&run[..], &[&from, "--draw", &to]].concat());
    for (number, frame) in frames.iter().enumerate() {
        assert!(shown(&format!("{to}/{number:04}.png")) != *frame);
    }
    // The same through pipes: what comes out is what the folder has.
    let raw: Vec<u8> = frames
        .iter()
        .flat_map(|frame| frame.rgb().to_vec())
        .collect();
    let piped = [&run[..], &["--frames", "160x80"]].concat();
    let output = fed(&[&piped[..], &["--json"]].concat(), &raw);
    let same = results_of(&String::from_utf8(output.stdout).unwrap());
    assert_eq!(
        (0..3).map(|frame| boxes(&same, frame)).collect::<Vec<_>>(),
        found
    );
    let output = fed(&[&piped[..], &["--draw", "-"]].concat(), &raw);
    let drawn = (0..3).flat_map(|number| shown(&format!("{to}/{number:04}.png")).rgb().to_vec());
    assert!(output.status.success() && output.stdout == drawn.collect::<Vec<u8>>());
    // Mistakes: a video that is cut off, a folder that would be drawn over, what frames have no place for.
    let output = fed(&piped, &raw[..raw.len() - 1]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("frame 3 ends behind 38399 of 38400 bytes"),
        "{error}"
    );
    let file = format!("{to}.safetensors");
    for (more, message) in [
        (&["--draw", &from][..], "would be overwritten"),
        (&["--raw", &file][..], "inputs are answered one by one"),
    ] {
        let (_, error) = failure(&[&run[..], &[&from], more].concat());
        assert!(error.contains(message), "{error}");
    }
    for video in [[&run[..], &[&from]].concat(), piped.to_vec()] {
        // In JSON the error is the result.
        let output = cnnc(&[&video[..], &["--json", "--draw", "-"]].concat());
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(!output.status.success());
        assert!(
            said.contains("`--json` has standard output already"),
            "{said}"
        );
    }
    let size = |size: &'static str| [&run[..], &["--frames", size]].concat();
    for wrong in ["16384x16384", "16385x1", "0x8", "640"] {
        let (code, error) = failure(&size(wrong));
        assert_eq!(code, Some(2), "{error}");
        assert!(error.contains("134217728 pixels at most"), "{error}");
    }
    fs::create_dir(folder.path("empty")).unwrap();
    let (_, error) = failure(&[&run[..], &[&folder.path("empty")]].concat());
    assert!(error.contains("there is no picture in it"), "{error}");
}

/// Frames of a folder that do not go together where they are drawn.
#[test]
fn drawn_frames_have_places_of_their_own() {
    let folder = Folder::new("video_places");
    let [spec, weights] = spots(&folder, SPOTS);
    let run = ["run", &spec, "--weights", &weights];
    // Formats are told by what files say, not by their names.
    folder.picture("twins/a.jpg", &picture(64, 64, &[]));
    folder.picture("twins/a.jpg.png", &picture(64, 64, &[]));
    let (twins, to) = (folder.path("twins"), folder.path("drawn"));
    let (_, error) = failure(&[&run[..], &[&twins, "--draw", &to]].concat());
    assert!(
        error.contains("a.jpg.png` would be written twice"),
        "{error}"
    );
    assert!(!Path::new(&to).exists());
    folder.picture("sizes/a.png", &picture(64, 64, &[]));
    folder.picture("sizes/b.png", &picture(64, 32, &[]));
    let sizes = folder.path("sizes");
    let (_, error) = failure(&[&run[..], &[&sizes, "--draw", "-"]].concat());
    assert!(
        error.contains("b.png: it has 64 by 32 pixels, and the first frame 64 by 64"),
        "{error}"
    );
    text(&[&run[..], &[&sizes, "--draw", &to]].concat());
    assert_eq!(fs::read_dir(&to).unwrap().count(), 2);
}
