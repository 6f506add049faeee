//! What is not supported ends with 3 and a table of it, what is damaged with 1.

use super::{json, made, place, write};
use cnnc_testing::{shared, told};
use serde_json::Value;
use std::fs;

/// Lines for every command that takes a file.
const LINES: [&str; 7] = [
    "run FILE --input synthetic",
    "bench FILE --runs 2",
    "graph FILE",
    "summary FILE",
    "check FILE",
    "explain FILE",
    "import FILE",
];

#[test]
fn what_is_not_supported_is_listed() {
    let place = place();
    write(&place, "lstm.onnx", made::node("LSTM", &[1, 3, 4]));
    for line in LINES {
        let output = place.output(&line.replace("FILE", "lstm.onnx"));
        let said = told(&output);
        assert_eq!(output.status.code(), Some(3), "{line}: {said}");
        assert!(output.stdout.is_empty(), "{line}");
        for what in [
            "lstm.onnx",
            "not supported:",
            "LSTM",
            "1 ×",
            "/first",
            "the language has no recurrent layers",
        ] {
            assert!(said.contains(what), "{line}: no {what}: {said}");
        }
    }
    for line in [
        "run FILE --input synthetic",
        "bench FILE",
        "summary FILE",
        "explain FILE",
    ] {
        let output = place.output(&format!("{} --json", line.replace("FILE", "lstm.onnx")));
        assert_eq!(output.status.code(), Some(3), "{line}");
        let found = json(&String::from_utf8(output.stdout).unwrap());
        let message = found["error"]["message"].as_str().unwrap();
        assert!(message.contains("LSTM"), "{message}");
    }
    let output = place.output("check lstm.onnx net.onnx --json");
    assert_eq!(output.status.code(), Some(3));
    let found = json(&String::from_utf8(output.stdout).unwrap());
    assert!(
        found[0]["error"].as_str().unwrap().contains("LSTM"),
        "{found:#}"
    );
    assert_eq!(found[1]["sound"], true);
}

#[test]
fn what_is_damaged_is_a_mistake() {
    let place = place();
    let whole = place.read("net.onnx");
    write(&place, "short.onnx", &whole[..whole.len() / 2]);
    write(&place, "empty.onnx", "");
    write(&place, "text.onnx", "cnn 1\nmodel N { }\n");
    write(&place, "picture.onnx", b"\x89PNG\r\n\x1a\n");
    for file in [
        "short.onnx",
        "empty.onnx",
        "text.onnx",
        "picture.onnx",
        "absent.onnx",
    ] {
        for line in LINES {
            let said = place.fails(&line.replace("FILE", file));
            assert!(said.contains(file), "{line}: {said}");
        }
    }
    // A mistake outweighs what is not supported.
    write(&place, "lstm.onnx", made::node("LSTM", &[1, 3, 4]));
    place.fails("check lstm.onnx empty.onnx");
}

/// The packs of files that must be refused, and of broken ones.
#[test]
fn packs_end_with_their_codes() {
    let place = place();
    for (folder, code) in [("refuse", 3), ("hostile", 1)] {
        let Some(pack) = shared(&format!("onnx/{folder}")) else {
            return;
        };
        let index = fs::read_to_string(pack.join(format!("{folder}.json"))).unwrap();
        let Value::Object(index) = json(&index) else {
            panic!("{folder}.json is no object");
        };
        let mut refused = 0;
        for (name, _) in index
            .iter()
            .filter(|(_, entry)| entry["expect"] == "refuse")
        {
            let file = pack.join(format!("{name}.onnx"));
            let mut command = place.command("check");
            let output = command.arg(&file).output().unwrap();
            let said = told(&output);
            assert!(said.contains(&format!("{name}.onnx")), "{said}");
            // Of what is hostile some is sound, but too large.
            let sound = said.contains("not supported");
            let expected = if sound { 3 } else { code };
            assert_eq!(
                output.status.code(),
                Some(expected),
                "{folder}/{name}: {said}"
            );
            refused += usize::from(expected == code);
        }
        assert!(refused >= 10, "{folder}: {refused}");
    }
}
