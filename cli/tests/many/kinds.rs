//! What files may be but pictures: arrays of bytes, sounds, folders of frames.

use super::{NET, RUN, inputs, lines, picture, place};
use cnnc::rt::image::Picture;
use serde_json::Value;
use std::fs;

/// An array of bytes.
fn npy(shape: &str, cells: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({shape}), }}\n");
    let mut bytes = b"\x93NUMPY\x01\0".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.bytes());
    bytes.extend(cells);
    bytes
}

#[test]
fn bytes_of_arrays_are_pixels() {
    let place = place();
    let spec = NET.replace(
        "resize 8x8",
        "resize 8x8  filter nearest  normalize imagenet",
    );
    fs::write(place.path("net.cnn"), spec).unwrap();
    let pixels: Vec<u8> = (0..8 * 8 * 3_u32).map(|at| (at * 37 % 251) as u8).collect();
    let picture = Picture::from_rgb(8, 8, pixels.clone()).unwrap();
    picture.write_png(place.path("p.png")).unwrap();
    let planes: Vec<u8> = (0..3)
        .flat_map(|channel| pixels[channel..].iter().copied().step_by(3))
        .collect();
    fs::write(place.path("planes.npy"), npy("3, 8, 8", &planes)).unwrap();
    fs::write(place.path("pixels.npy"), npy("8, 8, 3", &pixels)).unwrap();
    fs::write(place.path("two.npy"), npy("2, 3, 8, 8", &planes.repeat(2))).unwrap();
    let answer = place.prints(&format!("{RUN} p.png planes.npy pixels.npy two.npy --json"));
    let results = lines(&answer);
    assert_eq!(results.len(), 5);
    for result in &results {
        assert_eq!(
            result["outputs"], results[0]["outputs"],
            "{}",
            result["input"]
        );
    }
    // Of another size they are resized, as pictures are.
    let large: Vec<u8> = pixels
        .chunks(24)
        .flat_map(|row| {
            let row: Vec<u8> = row.chunks(3).flat_map(|pixel| pixel.repeat(2)).collect();
            row.repeat(2)
        })
        .collect();
    fs::write(place.path("large.npy"), npy("16, 16, 3", &large)).unwrap();
    let answer: Value =
        serde_json::from_str(&place.prints(&format!("{RUN} large.npy --json"))).unwrap();
    assert_eq!(answer["results"][0]["outputs"], results[0]["outputs"]);
    fs::write(place.path("wrong.npy"), npy("4, 8, 8, 2", &[0; 512])).unwrap();
    let said = place.fails(&format!("{RUN} wrong.npy"));
    assert!(said.contains("the tensor is 4x8x8x2"), "{said}");
}

/// A sound of one channel, of 16 bits.
fn wav(rate: u32, samples: &[i16]) -> Vec<u8> {
    let data = 2 * samples.len() as u32;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + data).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    bytes.extend(rate.to_le_bytes());
    bytes.extend((2 * rate).to_le_bytes());
    bytes.extend(b"\x02\0\x10\0data");
    bytes.extend(data.to_le_bytes());
    bytes.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    bytes
}

#[test]
fn sounds_are_resampled_framed_and_standardized() {
    let place = place();
    let spec = |settings: &str| {
        format!("cnn 1\nmodel Ear {{\n  input sound: 1x100 {settings}\n  conv 1 1\n}}\n")
    };
    let tone = |rate: u32, count: u32| -> Vec<i16> {
        let at = |at: u32| {
            (20_000.0 * (f64::from(at) / f64::from(rate) * 440.0 * std::f64::consts::TAU).sin())
                as i16
        };
        (0..count).map(at).collect()
    };
    fs::create_dir(place.path("in")).unwrap();
    fs::write(place.path("in/a.wav"), wav(8_000, &tone(8_000, 250))).unwrap();
    fs::write(place.path("in/b.wav"), wav(16_000, &tone(16_000, 500))).unwrap();
    let run = "run ear.cnn --weights synthetic in --json";
    // Its middle.
    fs::write(place.path("ear.cnn"), spec("")).unwrap();
    assert_eq!(inputs(&lines(&place.prints(run))), ["in/a.wav", "in/b.wav"]);
    // Frames at one rate: those of both are nearly the same.
    fs::write(
        place.path("ear.cnn"),
        spec("{ rate 8000  hop 50  standardize }"),
    )
    .unwrap();
    let answers = lines(&place.prints(run));
    let names = ["0.000", "0.006", "0.013", "0.019"];
    let expected = ["a", "b"]
        .into_iter()
        .flat_map(|file| names.map(|at| format!("in/{file}.wav@{at}")));
    assert_eq!(inputs(&answers), expected.collect::<Vec<_>>());
    let number = |answer: &Value, key: &str| answer["outputs"][0][key].as_f64().unwrap();
    for (a, b) in answers[1..3].iter().zip(&answers[5..7]) {
        for key in ["min", "max", "std"] {
            assert!(
                (number(a, key) - number(b, key)).abs() < 0.05,
                "{key}: {a} {b}"
            );
        }
    }
    // Of a run that was killed between frames of a sound, the sound is answered again.
    place.prints("run ear.cnn --weights synthetic in --out out");
    let part = place.path("out/part-0.jsonl");
    let whole = fs::read_to_string(&part).unwrap();
    let cut: Vec<&str> = whole.lines().take(6).collect();
    fs::write(&part, cut.join("\n")).unwrap();
    place.prints("run ear.cnn --weights synthetic in --out out --resume");
    assert_eq!(fs::read_to_string(&part).unwrap(), whole);
    // Mistakes.
    fs::write(place.path("ear.cnn"), spec("{ rate 0 }")).unwrap();
    place.fails(run);
    fs::write(place.path("ear.cnn"), spec("").replace("1x100", "2x50")).unwrap();
    let said = place.fails("run ear.cnn --weights synthetic in");
    assert!(
        said.contains("`in/a.wav` cannot be read: 1 channels, but the network hears 2"),
        "{said}"
    );
    let said = place.fails("run net.cnn --weights synthetic in/a.wav");
    assert!(said.contains("in/a.wav: not a PNG"), "{said}");
}

#[test]
fn a_folder_of_frames_is_an_input_of_three_dimensions() {
    let place = place();
    let spec = "cnn 1
model Video {
  input video: 3x4x8x8 { resize 8x8  normalize unit }
  globalavgpool
}
";
    fs::write(place.path("video.cnn"), spec).unwrap();
    for number in 0..8_u8 {
        picture(
            &place,
            &format!("clips/one/{number}.png"),
            [30 * number, 0, 255],
        );
    }
    let answer = place.prints("run video.cnn clips/one --json");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let output = &answer["results"][0]["outputs"][0];
    // Frames 1, 3, 5 and 7 of red, none of green, all of blue.
    let mean = (30.0 * (1.0 + 3.0 + 5.0 + 7.0) / 4.0 / 255.0 + 1.0) / 3.0;
    assert!(
        (output["mean"].as_f64().unwrap() - mean).abs() < 1e-6,
        "{output}"
    );
    picture(&place, "clips/two/1.png", [0; 3]);
    let said = place.fails("run video.cnn clips/one clips/two");
    assert!(
        said.contains("`clips/two` cannot be read: it has 1 frames, but the network takes 4"),
        "{said}"
    );
}

/// A sound of some megabytes is answered as any other, and one that is cut off is left out.
#[test]
fn long_sounds_are_read_when_it_is_their_turn() {
    let place = place();
    let spec = "cnn 1\nmodel Ear {\n  input sound: 1x100 { hop 1000000 }\n  conv 1 1\n}\n";
    fs::write(place.path("ear.cnn"), spec).unwrap();
    let samples: Vec<i16> = (0..2_200_000_u32)
        .map(|at| (at % 311) as i16 * 50)
        .collect();
    let whole = wav(8_000, &samples);
    fs::create_dir(place.path("in")).unwrap();
    fs::write(place.path("in/a.wav"), &whole[..whole.len() - 1001]).unwrap();
    fs::write(place.path("in/b.wav"), &whole).unwrap();
    let output = place.output("run ear.cnn --weights synthetic in --json");
    assert_eq!(output.status.code(), Some(1));
    let answers = lines(std::str::from_utf8(&output.stdout).unwrap());
    let names = [
        "in/a.wav",
        "in/b.wav@0.000",
        "in/b.wav@125.000",
        "in/b.wav@250.000",
    ];
    assert_eq!(inputs(&answers), names);
    assert!(answers[0]["error"].is_string(), "{}", answers[0]);
    let alone = place.prints("run ear.cnn --weights synthetic in/b.wav --json");
    let alone: Value = serde_json::from_str(&alone).unwrap();
    for (answer, alone) in answers[1..]
        .iter()
        .zip(alone["results"].as_array().unwrap())
    {
        assert_eq!(answer["outputs"], alone["outputs"]);
    }
}

/// Frames that overlap are made one after another: all at once they would take 700 MB.
#[cfg(target_os = "linux")]
#[test]
fn frames_of_sounds_take_little_memory() {
    use std::process::Stdio;
    let place = place();
    let spec = "cnn 1\nmodel Ear {\n  input sound: 1x100000 { hop 500 }\n  conv 1 1\n}\n";
    fs::write(place.path("ear.cnn"), spec).unwrap();
    fs::create_dir(place.path("in")).unwrap();
    let sound = wav(8_000, &vec![100; 1_000_000]);
    fs::write(place.path("in/a.wav"), sound).unwrap();
    let mut command = place.command("run ear.cnn --weights synthetic in --json --decoders 1");
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0_u64;
    let ended = loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|peak| peak.split_whitespace().next()?.parse().ok());
        most = most.max(peak.unwrap_or(0));
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    assert!(ended.success());
    assert!((1..400 << 10).contains(&most), "{most} KiB");
}
