//! Folders, patterns, lists and pipes; what is broken; shards, of which some are killed and go on.

use super::{RUN, fed, inputs, lines, picture, place, text_of};
use cnnc_testing::told;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

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
fn a_file_is_answered_once_however_it_is_named() {
    let place = place();
    for name in ["a/1.png", "b/1.png", "b/2.png"] {
        picture(&place, name, [255, 0, 0]);
    }
    fs::write(place.path("twice.txt"), "a/1.png\n./a//1.png\na/1.png\n").unwrap();
    for (line, all) in [
        ("twice.txt", &["a/1.png"][..]),
        ("a ./a/1.png", &["a/1.png"]),
        ("./b b", &["./b/1.png", "./b/2.png"]),
    ] {
        let found = lines(&place.prints(&format!("{RUN} {line} --json")));
        assert_eq!(inputs(&found), all, "{line}");
    }
    let output = fed(
        &place,
        &format!("{RUN} a/1.png - --json"),
        b"./a/1.png\nb/1.png\nb/1.png\n",
    );
    assert_eq!(
        inputs(&lines(&text_of(output.stdout))),
        ["a/1.png", "b/1.png"]
    );
}

/// With the flag the exit code tells whether the end was reached.
#[test]
fn broken_files_may_be_allowed() {
    let place = place();
    picture(&place, "in/1.png", [255, 0, 0]);
    fs::write(place.path("in/2.png"), "no picture").unwrap();
    let run = format!("{RUN} in --out out --allow-broken");
    let output = place.output(&run);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(
        told(&output).contains("in/2.png: not a PNG"),
        "{}",
        told(&output)
    );
    let broken = lines(&text_of(place.read("out/broken-0.jsonl")));
    assert_eq!(inputs(&broken), ["in/2.png"]);
    // Everything else is a failure, although that file is there.
    let said = place.fails(&run);
    assert!(said.contains("is there already"), "{said}");
    place.fails("run net.cnn --weights none.safetensors in --out out --resume --allow-broken");
}

/// A shell's own pattern: files by themselves, one of which is broken.
#[test]
fn files_that_are_named_are_answered_as_those_of_a_folder() {
    let place = place();
    for name in ["in/1.png", "in/3.png"] {
        picture(&place, name, [255, 0, 0]);
    }
    let output = place.output(&format!("{RUN} in/1.png none.png in/3.png --json"));
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let all = lines(&text_of(output.stdout));
    assert_eq!(inputs(&all), ["in/1.png", "none.png", "in/3.png"]);
    assert!(all[1]["error"].is_string(), "{}", all[1]);
    let folder = lines(&place.prints(&format!("{RUN} in --json")));
    assert_eq!([&all[0], &all[2]], [&folder[0], &folder[1]]);
    // One alone, and what is said of several together, is a document.
    let document = |line: &str| -> Value { serde_json::from_str(&place.prints(line)).unwrap() };
    let one = document(&format!("{RUN} in/1.png --json"));
    assert_eq!(inputs(one["results"].as_array().unwrap()), ["in/1.png"]);
    let tapped = document(&format!("{RUN} in/1.png in/3.png --tap scores --json"));
    assert_eq!(tapped["results"].as_array().unwrap().len(), 2);
    let output = place.output(&format!("{RUN} in/1.png none.png --tap scores --json"));
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let whole: Value = serde_json::from_slice(&output.stdout).unwrap();
    let broken = whole["broken"].as_array().unwrap();
    assert_eq!(inputs(broken), ["none.png"]);
    assert!(broken[0]["error"].is_string());
}
