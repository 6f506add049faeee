//! What does not go together, and what ends a run.

use super::{NET, RUN, fed, picture, place};
use cnnc_testing::told;
use serde_json::Value;
use std::fs;

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
    assert!(said.contains("standard input:1"), "{said}");
}

#[test]
fn flags_that_would_do_nothing_are_refused() {
    let place = place();
    for line in [
        "--frames 8x8 --out f --resume",
        "--frames 8x8 --shard 0/2",
        "--input synthetic --csv",
        "--input synthetic --shard 1/2",
        "--input synthetic --allow-broken",
        "in --slide --decoders 2",
        "in --slide --csv",
    ] {
        let output = place.output(&format!("{RUN} {line}"));
        assert_eq!(output.status.code(), Some(2), "{line}: {}", told(&output));
        assert!(
            told(&output).contains("cannot be used with"),
            "{line}: {}",
            told(&output)
        );
    }
}

#[test]
fn inputs_that_are_many_are_not_compared() {
    let place = place();
    picture(&place, "in/1.png", [255, 0, 0]);
    picture(&place, "in/2.png", [0, 0, 255]);
    place.prints(&format!("{RUN} in/1.png in/2.png --raw two.safetensors"));
    // Two that are named are compared together.
    let said = place.prints(&format!(
        "{RUN} in/1.png in/2.png --compare two.safetensors"
    ));
    assert!(said.contains("they agree"), "{said}");
    let said = place.fails(&format!(
        "{RUN} in/2.png in/1.png --compare two.safetensors"
    ));
    assert!(said.contains("the outputs differ"), "{said}");
    for many in ["in", "in/*.png", "in/1.png in/2.png --csv"] {
        let said = place.fails(&format!("{RUN} {many} --compare two.safetensors"));
        assert!(
            said.contains("`--compare`: it has a tensor for inputs that are named"),
            "{many}: {said}"
        );
    }
}

#[test]
fn networks_with_two_inputs_take_no_folders() {
    let place = place();
    picture(&place, "in/1.png", [255, 0, 0]);
    let spec = "cnn 1\nmodel Two {\n  input a: 3x8x8\n  input b: 3x8x8\n  add(a, b)\n}\n";
    fs::write(place.path("two.cnn"), spec).unwrap();
    let said = place.fails("run two.cnn in");
    assert!(
        said.contains("`in` cannot be read: the network has 2 inputs"),
        "{said}"
    );
    let said = place.fails(&format!("{RUN} in --tap scores"));
    assert!(said.contains("inputs are answered one by one"), "{said}");
}

/// Where nothing takes answers any more, a run ends, although more may come on standard input.
#[cfg(target_os = "linux")]
#[test]
fn a_failed_write_ends_a_run_whose_input_is_open() {
    use std::io::Write as _;
    use std::process::Stdio;
    use std::time::{Duration, Instant};
    let place = place();
    picture(&place, "in/1.png", [255, 0, 0]);
    for (line, first) in [
        ("- --json", b"in/1.png\n".to_vec()),
        ("--frames 12x10 --json", vec![7; 3 * 12 * 10]),
    ] {
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let mut command = place.command(&format!("{RUN} {line}"));
        command
            .stdin(Stdio::piped())
            .stdout(full)
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut open = child.stdin.take().unwrap();
        open.write_all(&first).unwrap();
        open.flush().unwrap();
        let begun = Instant::now();
        let ended = loop {
            if let Some(ended) = child.try_wait().unwrap() {
                break ended;
            }
            if begun.elapsed() > Duration::from_secs(60) {
                child.kill().unwrap();
                panic!("{line}: it waits for standard input");
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        assert_eq!(ended.code(), Some(1), "{line}");
        drop(open);
    }
}
