//! `cnnc run` on many files: folders, patterns, lists and pipes; shards, of which some are killed and go on; what is broken is reported.

use cnnc::rt::image::Picture;
use cnnc_testing::{Place, told};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

/// Looks at the mean of each colour.
const NET: &str = "cnn 1
model Colours {
  input image: 3x8x8 { resize 8x8 }
  globalavgpool
  flatten
  scores: dense 3
  head classify { labels [\"red\", \"green, or so\", \"blue\"]  top 1 }
}
";

/// The same with so much to do in front of it that a process can be killed in the middle.
const SLOW: &str = "cnn 1
model Slow {
  input image: 3x64x64 { resize 64x64 }
  conv 3x3 16 relu
  conv 3x3 32 relu
  globalavgpool
  flatten
  scores: dense 3
  head classify { top 1 }
}
";

fn place() -> Place {
    let place = Place::new(env!("CARGO_BIN_EXE_cnnc"));
    fs::write(place.path("net.cnn"), NET).unwrap();
    fs::write(place.path("slow.cnn"), SLOW).unwrap();
    place
}

/// A picture of one colour, under a name in a folder.
fn picture(place: &Place, name: &str, colour: [u8; 3]) {
    let path = place.path(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let picture = Picture::from_rgb(12, 10, colour.repeat(120)).unwrap();
    picture.write_png(path).unwrap();
}

fn lines(text: &str) -> Vec<Value> {
    let line = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
    text.lines().map(line).collect()
}

fn inputs(lines: &[Value]) -> Vec<String> {
    lines
        .iter()
        .map(|line| line["input"].as_str().unwrap().to_owned())
        .collect()
}

fn text_of(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// With text on standard input.
fn fed(place: &Place, line: &str, text: &[u8]) -> Output {
    let mut command = place.command(line);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // One that fails does not read all of it.
    let _ = child.stdin.take().unwrap().write_all(text);
    child.wait_with_output().unwrap()
}

const RUN: &str = "run net.cnn --weights synthetic";

#[test]
fn folders_patterns_lists_and_pipes_are_many() {
    let place = place();
    for (name, colour) in [
        ("in/b/2.png", [0, 255, 0]),
        ("in/a.png", [255, 0, 0]),
        ("in/b/1.png", [0, 0, 255]),
    ] {
        picture(&place, name, colour);
    }
    fs::write(place.path("in/notes.txt"), "nothing").unwrap();
    let all = ["in/a.png", "in/b/1.png", "in/b/2.png"];
    let folder = place.prints(&format!("{RUN} in --json"));
    let answers = lines(&folder);
    assert_eq!(inputs(&answers), all);
    assert_eq!(answers[0]["model"], "Colours");
    // The answers are those that each gets alone, in batches too.
    for (answer, name) in answers.iter().zip(all) {
        let alone: Value =
            serde_json::from_str(&place.prints(&format!("{RUN} {name} --json"))).unwrap();
        assert_eq!(answer["top"], alone["results"][0]["top"], "{name}");
    }
    for more in ["--batch 2", "--batch 16 --decoders 3", "--threads 2"] {
        assert_eq!(
            place.prints(&format!("{RUN} in --json {more}")),
            folder,
            "{more}"
        );
    }
    // A pattern, a list, and one on standard input; what is named twice is answered once.
    let pattern = lines(&place.prints(&format!("{RUN} in/**/[12].png in/b --json")));
    assert_eq!(inputs(&pattern), all[1..]);
    fs::write(place.path("list.txt"), all.join("\n")).unwrap();
    assert_eq!(place.prints(&format!("{RUN} list.txt --json")), folder);
    let piped = fed(
        &place,
        &format!("{RUN} - --json"),
        all.join("\n").as_bytes(),
    );
    assert!(told(&piped).contains("3 answered in"), "{}", told(&piped));
    assert_eq!(text_of(piped.stdout), folder);
    // Rows, and text as it is of pictures that are named.
    let rows = place.prints(&format!("{RUN} in --csv"));
    let rows: Vec<&str> = rows.lines().collect();
    assert_eq!((rows[0], rows.len()), ("input,class,label,probability", 4));
    assert!(rows[1].starts_with("in/a.png,"), "{rows:?}");
    let named = place.prints(&format!("{RUN} {}", all.join(" ")));
    assert_eq!(place.prints(&format!("{RUN} in")), named);
    // Nothing that is written in a folder is read from it again.
    for _ in 0..2 {
        place.prints(&format!("{RUN} in --out in/out --resume"));
        assert_eq!(
            inputs(&lines(&text_of(place.read("in/out/part-0.jsonl")))),
            all
        );
    }
    let again = place.output(&format!("{RUN} in --out in/out --resume"));
    assert!(told(&again).contains("0 answered"), "{}", told(&again));
    assert!(
        told(&again).contains("3 answered before"),
        "{}",
        told(&again)
    );
}

#[test]
fn what_is_broken_is_reported_and_left_out() {
    let place = place();
    picture(&place, "in/1.png", [255, 0, 0]);
    picture(&place, "in/3.png", [0, 255, 0]);
    fs::write(place.path("in/2.png"), "no picture").unwrap();
    let sound = ["in/1.png", "in/3.png"];
    let output = place.output(&format!("{RUN} in"));
    let said = told(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("in/2.png: not a PNG"), "{said}");
    assert!(
        said.contains("1 of 3 files could not be answered"),
        "{said}"
    );
    let printed = text_of(output.stdout);
    assert!(sound.iter().all(|name| printed.contains(name)), "{printed}");
    // For tools it is a line like others; what a run comes to is said beside it.
    let output = place.output(&format!("{RUN} in --json"));
    assert_eq!(output.status.code(), Some(1));
    let answers = lines(&text_of(output.stdout));
    let broken = answers
        .iter()
        .find(|answer| answer["error"].is_string())
        .unwrap();
    assert_eq!(
        (answers.len(), &broken["input"]),
        (3, &Value::from("in/2.png"))
    );
    // A part has answers alone; what is broken stands beside it, and is tried again.
    place.fails(&format!("{RUN} in --out out"));
    assert_eq!(
        inputs(&lines(&text_of(place.read("out/part-0.jsonl")))),
        sound
    );
    assert_eq!(
        inputs(&lines(&text_of(place.read("out/broken-0.jsonl")))),
        ["in/2.png"]
    );
    picture(&place, "in/2.png", [0, 0, 255]);
    place.prints(&format!("{RUN} in --out out --resume"));
    assert_eq!(
        inputs(&lines(&text_of(place.read("out/part-0.jsonl")))),
        ["in/1.png", "in/3.png", "in/2.png"]
    );
    assert!(!place.path("out/broken-0.jsonl").exists());
    // A list that is none ends a run, behind what came before.
    let output = fed(&place, &format!("{RUN} - --csv"), b"in/1.png\n\xff\n");
    assert!(
        told(&output).contains("`standard input` cannot be read: line 2 is no path"),
        "{}",
        told(&output)
    );
    assert!(text_of(output.stdout).contains("in/1.png"));
}

/// A process for each of eight shards, two of which are killed in the middle: together they answer every picture once.
#[test]
fn eight_processes_answer_every_picture_once() {
    const SHARDS: usize = 8;
    let place = place();
    let mut all = BTreeSet::new();
    for number in 0..240_usize {
        let name = format!("in/{}/{number:03}.png", number % 7);
        picture(
            &place,
            &name,
            [number as u8, (number * 7) as u8, (number * 31) as u8],
        );
        all.insert(name);
    }
    let run = "run slow.cnn --weights synthetic --backend reference in";
    let start = |shard: usize, more: &str| -> Child {
        // As an indexed job says it, and as an array does.
        let mut command = place.command(&format!("{run} --out out {more}"));
        match shard % 2 {
            0 => command
                .args(["--shard", "/8"])
                .env("JOB_COMPLETION_INDEX", shard.to_string()),
            _ => command.args(["--shard", "auto"]).envs([
                ("SLURM_ARRAY_TASK_ID", (shard + 3).to_string()),
                ("SLURM_ARRAY_TASK_MIN", "3".to_owned()),
                ("SLURM_ARRAY_TASK_MAX", "10".to_owned()),
                ("SLURM_ARRAY_TASK_COUNT", "8".to_owned()),
                ("SLURM_ARRAY_TASK_STEP", "1".to_owned()),
            ]),
        };
        command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let part = |shard: usize| place.path(&format!("out/part-{shard}.jsonl"));
    let there = |shard: usize| fs::read_to_string(part(shard)).unwrap_or_default();
    let mut children: Vec<Child> = (0..SHARDS).map(|shard| start(shard, "")).collect();
    let killed = [2, 5];
    let mut before = BTreeMap::new();
    for shard in killed {
        let begun = Instant::now();
        while there(shard).lines().count() < 2 {
            assert!(
                begun.elapsed() < Duration::from_secs(120),
                "shard {shard} answers nothing"
            );
            std::thread::sleep(Duration::from_millis(1));
        }
        children[shard].kill().unwrap();
    }
    for (shard, child) in children.into_iter().enumerate() {
        let output = child.wait_with_output().unwrap();
        assert_eq!(
            output.status.success(),
            !killed.contains(&shard),
            "{shard}: {}",
            told(&output)
        );
        if killed.contains(&shard) {
            assert_eq!(output.status.code(), None, "it ended before it was killed");
            // What a write leaves behind that is cut off.
            let mut file = OpenOptions::new().append(true).open(part(shard)).unwrap();
            file.write_all(b"{\"input\":\"in/0/0").unwrap();
            before.insert(shard, there(shard));
        }
    }
    // A part is gone on with only where that is asked for.
    let refused = start(2, "").wait_with_output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        told(&refused).contains("part-2.jsonl` is there already; `--resume` goes on with it"),
        "{}",
        told(&refused)
    );
    for shard in killed {
        let output = start(shard, "--resume").wait_with_output().unwrap();
        assert!(output.status.success(), "{}", told(&output));
        // What was there stays, but for what was cut off, and is not computed again.
        let before = &before[&shard];
        let whole = &before[..=before.rfind('\n').unwrap()];
        assert!(there(shard).starts_with(whole));
        let said = format!("{} answered before", whole.lines().count());
        assert!(told(&output).contains(&said), "{}", told(&output));
    }
    let mut answers = BTreeMap::new();
    for shard in 0..SHARDS {
        let lines = lines(&there(shard));
        assert!(
            lines.len() > 10,
            "shard {shard} has {} of {} pictures",
            lines.len(),
            all.len()
        );
        for line in lines {
            assert_eq!(line["shard"], format!("{shard}/8"));
            let name = line["input"].as_str().unwrap().to_owned();
            assert!(
                answers.insert(name.clone(), line["top"].clone()).is_none(),
                "{name} twice"
            );
        }
    }
    assert_eq!(answers.keys().cloned().collect::<BTreeSet<_>>(), all);
    // Without the flag nothing is left out, whatever the cluster says.
    let mut whole = place.command(&format!("{run} --json"));
    whole
        .env("SLURM_ARRAY_TASK_ID", "3")
        .env("JOB_COMPLETION_INDEX", "3");
    let whole = lines(&text_of(whole.output().unwrap().stdout));
    assert_eq!(whole.len(), all.len());
    for line in whole {
        assert_eq!(answers[line["input"].as_str().unwrap()], line["top"]);
    }
    // What another network has answered is not gone on with.
    let said = place.fails("run net.cnn --weights synthetic in --out out --shard 2/8 --resume");
    assert!(
        said.contains("line 1 is of another run: its model is \"Slow\""),
        "{said}"
    );
}

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

#[test]
fn what_does_not_go_together_is_said() {
    let place = place();
    picture(&place, "in/1.png", [255, 0, 0]);
    for (line, why) in [
        ("in --out in", "`in` would be overwritten"),
        (
            "in --out answers.png",
            "it names a folder where there are many inputs",
        ),
        (
            "in --draw drawn.jpg",
            "it names a folder where there are many inputs",
        ),
        ("in --raw raw.safetensors", "have a place for each"),
        (
            "in/*.jpg",
            "`in/*.jpg` cannot be read: no file is called so",
        ),
        ("none.txt", "`none.txt` cannot be read: No such file"),
        ("--csv", "the network needs an input"),
        ("--frames 2x2 in/1.png", "no other file is read"),
    ] {
        let said = place.fails(&format!("{RUN} {line}"));
        assert!(said.contains(why), "{line}: {said}");
    }
    for (line, why) in [
        ("in --shard 8/8", "there is no shard 8 of 8"),
        (
            "in --shard /2",
            "neither JOB_COMPLETION_INDEX nor SLURM_ARRAY_TASK_ID is set",
        ),
        ("in --resume", "--out"),
        ("in --csv --json", "cannot be used with"),
    ] {
        let mut command = place.command(&format!("{RUN} {line}"));
        command
            .env_remove("JOB_COMPLETION_INDEX")
            .env_remove("SLURM_ARRAY_TASK_ID");
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{line}");
        assert!(told(&output).contains(why), "{line}: {}", told(&output));
    }
    let said = told(&fed(&place, "run - --weights synthetic -", NET.as_bytes()));
    assert!(
        said.contains("standard input has the spec, and no inputs"),
        "{said}"
    );
    let output = fed(
        &place,
        "run - --weights synthetic in/1.png --json",
        NET.as_bytes(),
    );
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["model"], "Colours");
    let said = told(&fed(
        &place,
        "run - --weights synthetic in",
        b"cnn 1; model",
    ));
    assert!(said.contains("stdin.cnn"), "{said}");
}

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
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let results = answer["results"].as_array().unwrap();
    assert_eq!(results.len(), 5);
    for result in results {
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
