use crate::{SYNTHETIC, cases, in_time};
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
fn what_is_too_large_is_an_error_of_check() {
    let Some(cases) = cases() else { return };
    for (name, parts) in [("dilation", &["pad", "dilation"][..]), ("vector", &[])] {
        let spec = format!("compiler/{name}.cnn");
        let found = cases.check(&spec);
        if found.is_empty() {
            // To run it would take gigabytes.
            cases.prints(&["dump", &spec, "--stage=clif"]);
            continue;
        }
        let said = cases.fails(&["check", &spec]);
        assert!(parts.iter().all(|part| said.contains(part)), "{said}");
        for command in [
            &["bench", &spec, "--weights", "synthetic"][..],
            &["dump", &spec, "--stage=rust"],
        ] {
            cases.fails(command);
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
