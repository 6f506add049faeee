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
