use crate::{Cases, SYNTHETIC, cases, in_time};
use serde_json::Value;
use std::time::Duration;

#[test]
fn whatever_is_sound_compiles() {
    let Some(cases) = cases() else { return };
    // To run them would take gigabytes.
    for name in ["upscale", "ct2"] {
        in_time(Duration::from_millis(500), || {
            cases.prints(&["dump", &format!("compiler/{name}.cnn"), "--stage=clif"]);
        });
    }
}

#[test]
fn what_check_accepts_compiles() {
    let Some(cases) = cases() else { return };
    // Both are sound; to run the second takes 32 GiB.
    for (name, runs) in [("dilation", true), ("vector", false)] {
        let spec = format!("compiler/{name}.cnn");
        assert_eq!(cases.check(&spec), []);
        for stage in ["--stage=clif", "--stage=rust"] {
            cases.prints(&["dump", &spec, stage]);
        }
        let run = [&["run", &spec], &SYNTHETIC[..]].concat();
        match runs {
            true => drop(cases.prints(&run)),
            false => {
                let said = cases.fails(&run);
                assert!(said.contains("not enough memory: "), "{said}");
            }
        }
    }
}

#[test]
fn a_repeated_kernel_stays_one() {
    let Some(cases) = cases() else { return };
    in_time(Duration::from_millis(50), || {
        cases.prints(&[&["run", "compiler/lit2.cnn"], &SYNTHETIC[..]].concat());
    });
    in_time(Duration::from_millis(50), || {
        let (text, _) = cases.prints(&["dump", "compiler/lit_rust.cnn", "--stage=rust"]);
        assert!(text.len() <= 50_000, "{} bytes", text.len());
    });
}

#[test]
fn many_layers() {
    let Some(cases) = cases() else { return };
    let run = [&["run", "compiler/many.cnn"], &SYNTHETIC[..]].concat();
    for args in [
        &["summary", "compiler/many.cnn"][..],
        &["explain", "compiler/many.cnn"],
        &run,
    ] {
        in_time(Duration::from_millis(500), || {
            cases.prints(args);
        });
    }
}

/// What `explain` says, a line a pass: layer, pass, text.
fn explained(cases: &Cases, spec: &str) -> Vec<String> {
    let (text, _) = cases.prints(&["explain", spec, "--json", "--isa", "portable"]);
    let notes: Vec<Value> = serde_json::from_str(&text).unwrap();
    let line = |note: &Value| {
        let [label, pass, text] = ["label", "pass", "text"].map(|key| note[key].as_str().unwrap());
        let mark = if note["applied"] == true {
            "✓"
        } else {
            "–"
        };
        format!("{mark} {label} {pass}: {text}")
    };
    notes.iter().map(line).collect()
}

#[test]
fn transposed_and_local_convolutions_fuse() {
    let Some(cases) = cases() else { return };
    assert_eq!(
        explained(&cases, "compiler/ctbn.cnn"),
        [
            "✓ a_bn fold_batch_norm: folded into the weights of `a_convtranspose`",
            "✓ a fuse_activation: fused into `a_bn`, in registers",
            "✓ b fuse_activation: fused into `b_local`, in registers",
        ]
    );
    cases.prints(&[&["run", "compiler/ctbn.cnn"], &SYNTHETIC[..]].concat());
}

#[test]
fn depthwise_is_one_thing() {
    let Some(cases) = cases() else { return };
    assert_eq!(
        explained(&cases, "compiler/note.cnn"),
        ["✓ s fuse_residual_add: fused into `c`"]
    );
    cases.prints(&[&["run", "compiler/note.cnn"], &SYNTHETIC[..]].concat());
}
