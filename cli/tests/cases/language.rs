use crate::{SYNTHETIC, cases, in_time};
use std::time::Duration;

fn messages(found: &[(String, String)]) -> String {
    found
        .iter()
        .map(|(code, message)| format!("{code}: {message}\n"))
        .collect()
}

/// What `check` says in full, when it ends with that code.
fn told(name: &str, code: i32) -> Option<String> {
    let cases = cases()?;
    Some(cases.ends(&["check", &format!("language/{name}.cnn")], code))
}

/// Checks that `check` finds as many mistakes, and says these things.
fn finds(name: &str, mistakes: usize, parts: &[&str]) {
    finds_and_ends(name, mistakes, parts, 1);
}

/// The same where it ends with that code.
fn finds_and_ends(name: &str, mistakes: usize, parts: &[&str], code: i32) {
    let Some(cases) = cases() else { return };
    let found = cases.check(&format!("language/{name}.cnn"));
    assert_eq!(found.len(), mistakes, "{}", messages(&found));
    let said = told(name, code).unwrap();
    for part in parts {
        assert!(said.contains(part), "`{part}`: {said}");
    }
}

#[test]
fn labels_may_be_keywords() {
    let Some(cases) = cases() else { return };
    for name in ["label_input", "label_model", "label_block", "blk2"] {
        assert_eq!(cases.check(&format!("language/{name}.cnn")), [], "{name}");
    }
}

#[test]
fn names_for_values() {
    let Some(cases) = cases() else { return };
    assert_eq!(cases.check("language/let.cnn"), []);
}

#[test]
fn shapes_of_other_frameworks() {
    finds("dim", 1, &["shapes are without the batch"]);
    finds("dim2", 1, &["channels come first", "3x224x224"]);
}

#[test]
fn words_of_other_frameworks() {
    finds("keras", 1, &["Python", "Keras"]);
    finds("u1", 2, &["`bilinear`", "`add`"]);
    // What is not supported is all that is wrong.
    finds_and_ends("ssd", 1, &["yolo8", "yolo1", "yolo2", "yolo3"], 3);
}

#[test]
fn every_independent_mistake_is_told() {
    finds("i8", 3, &["same_", "flase", "0x3"]);
    // `nonsense` might be an argument of what `undefinedvar` should have been.
    finds("unused", 2, &["foo", "undefinedvar"]);
}

#[test]
fn presets_are_the_frameworks_defaults() {
    let Some(cases) = cases() else { return };
    let (summary, _) = cases.prints(&["summary", "--json", "language/preset.cnn"]);
    assert!(
        summary.contains("count_include_pad on")
            || summary.contains(r#""count_include_pad": "on""#),
        "{summary}"
    );
    let (summary, _) = cases.prints(&["summary", "--json", "language/preset2.cnn"]);
    assert!(
        summary.contains("slope 0.1") || summary.contains(r#""slope": "0.1""#),
        "{summary}"
    );
}

#[test]
fn traps_are_warned_of() {
    let Some(cases) = cases() else { return };
    let warns = |name: &str, parts: &[&str]| {
        let output = cases.cnnc(&["check", &format!("language/{name}.cnn")]);
        let said = String::from_utf8(output.stderr).unwrap();
        for part in parts {
            assert!(said.contains(part), "{name}, `{part}`: {said}");
        }
    };
    warns("trap_add", &["warning", "dropped"]);
    warns("trap_map_unused", &["warning", "k{i}"]);
    let args = [
        "run",
        "language/trap_map_order.cnn",
        "--weights",
        "weights/lin.pth",
    ];
    let said = cases.fails(&[&args[..], &SYNTHETIC[2..]].concat());
    let pair = "conv2d_{i}/";
    assert!(
        said.contains(pair)
            || cases
                .check("language/trap_map_order.cnn")
                .iter()
                .any(|(_, text)| text.contains(pair)),
        "{said}"
    );
    assert_eq!(cases.check("language/trap_convtranspose_same.cnn"), []);
}

#[test]
fn a_detector_of_one_thing() {
    let Some(cases) = cases() else { return };
    assert_eq!(cases.check("heads/yolo2_noclass.cnn"), []);
    cases.prints(&[&["run", "heads/yolo2_noclass.cnn"], &SYNTHETIC[..]].concat());
}

#[test]
fn brackets_in_comments() {
    in_time(Duration::from_millis(20), || {
        finds("slow_brackets", 1, &["E0101"])
    });
    finds("doc_trailing", 1, &[]);
}

#[test]
fn a_chain_of_indices_is_counted() {
    finds("deep_index", 1, &["E0801"]);
}

#[test]
fn many_labels_on_a_line() {
    let Some(cases) = cases() else { return };
    for count in [21_841, 100_000] {
        let labels: Vec<String> = (1..=count).map(|label| format!("\"{label}\"")).collect();
        let labels = labels.join(",");
        let spec = cases.spec(&format!(
            "cnn 1\nmodel M {{ input x: 3\n dense {count}\n head classify {{ labels [{labels}]}} }}\n"
        ));
        in_time(Duration::from_millis(150), || {
            assert_eq!(cases.check(&spec), [])
        });
    }
}

#[test]
fn a_file_without_labels() {
    finds("labels_empty", 1, &["E0607"]);
}

#[test]
fn constants_are_finite_in_f32() {
    finds("const_range", 1, &["1e39"]);
}
