use crate::{BACKENDS, SYNTHETIC, cases};

#[cfg(unix)]
#[test]
fn links_are_followed_and_modes_kept() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let Some(cases) = cases() else { return };
    let (real, link) = (cases.out("real.svg"), cases.out("link.svg"));
    std::fs::write(&real, "").unwrap();
    std::fs::set_permissions(&real, PermissionsExt::from_mode(0o600)).unwrap();
    symlink("real.svg", &link).unwrap();
    cases.prints(&["graph", "process/net.cnn", "-o", &link]);
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(std::fs::read_to_string(&real).unwrap().contains("<svg"));
    assert_eq!(
        std::fs::metadata(&real).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[cfg(unix)]
#[test]
fn devices_and_pipes_are_written_to() {
    let Some(cases) = cases() else { return };
    let (out, _) = cases.prints(&["graph", "process/net.cnn", "-o", "/dev/stdout"]);
    assert!(out.contains("<svg"), "{out}");
    cases.prints(&["graph", "process/net.cnn", "-o", "/dev/null"]);
    use std::os::unix::fs::FileTypeExt;
    assert!(
        std::fs::metadata("/dev/null")
            .unwrap()
            .file_type()
            .is_char_device()
    );
}

#[test]
fn nothing_that_is_read_is_overwritten() {
    let Some(cases) = cases() else { return };
    let spec = cases.copy("process/net.cnn");
    let picture = cases.copy("pictures/slide_3200.png");
    let weights = cases.out("w.safetensors");
    cases.prints(&["convert", &spec, "--weights", "synthetic", &weights]);
    let run = ["run", &spec, "--weights", &weights, &picture];
    for (args, file) in [
        (&["graph", &spec, "-o", &spec][..], &spec),
        (&[&run[..], &["--raw", &weights]].concat(), &weights),
        (&[&run[..], &["--raw", &spec]].concat(), &spec),
        (&[&run[..], &["--draw", &picture]].concat(), &picture),
        (&[&run[..], &["--out", &picture]].concat(), &picture),
    ] {
        let before = std::fs::read(file).unwrap();
        cases.fails(args);
        assert!(
            std::fs::read(file).unwrap() == before,
            "{args:?} harms {file}"
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said() {
    use std::process::{Command, Stdio};
    let Some(cases) = cases() else { return };
    let run = [&["run", "process/net.cnn"], &SYNTHETIC[..]].concat();
    for args in [
        &["check", "process/net.cnn"][..],
        &["check", "process/net.cnn", "--json"],
        &["summary", "process/net.cnn"],
        &["summary", "process/net.cnn", "--json"],
        &["explain", "process/net.cnn"],
        &["explain", "process/net.cnn", "--json"],
        &["dump", "process/net.cnn", "--stage=loops"],
        &["graph", "process/net.cnn", "-o", "/dev/stdout"],
        &[
            "bench",
            "process/net.cnn",
            "--weights",
            "synthetic",
            "--seconds",
            "0.01",
        ],
        &[
            "bench",
            "process/net.cnn",
            "--weights",
            "synthetic",
            "--seconds",
            "0.01",
            "--json",
        ],
        &run,
        &[&run[..], &["--json"]].concat(),
        &[&run[..], &["--raw", "/dev/full"]].concat(),
    ] {
        let full = std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_cnnc"))
            .args(args)
            .current_dir(&cases.folder)
            .stdout(full)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        assert!(said.contains("No space left on device"), "{args:?}: {said}");
    }
}

#[cfg(unix)]
#[test]
fn memory_that_is_not_there_is_an_error() {
    let Some(cases) = cases() else { return };
    let within = |bytes: u64, args: &[&str], told: &str| {
        let output = cases.within(bytes, args);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        assert!(
            said.contains("not enough memory: ") && said.contains(told),
            "{args:?}: {said}"
        );
    };
    let big = |args: &[&str], told: &str| within(3_000_000 * 1024, args, told);
    let run = [&["run", "process/big_input.cnn"], &SYNTHETIC[..]].concat();
    big(&run, "(8.0 GiB)");
    big(
        &["bench", "process/big_input.cnn", "--weights", "synthetic"],
        "(4.0 GiB)",
    );
    for backend in BACKENDS {
        big(&[&run[..], backend].concat(), "GiB)");
    }
    // Weights, and arrays of f64, in turn; by now all is small but these.
    let weights = cases.spec("cnn 1\nmodel W { input x: 16777216; dense 100 }");
    let run = [&["run", &weights], &SYNTHETIC[..]].concat();
    for backend in BACKENDS {
        within(1 << 30, &[&run[..], backend].concat(), "GiB)");
    }
    let arrays = cases.spec("cnn 1\nmodel A { input x: 8x1024x1024; conv 3x3 8 relu }");
    let run = [&["run", &arrays], &SYNTHETIC[..], BACKENDS[0]].concat();
    within(300 << 20, &run, "MiB)");
    // Every cell of a map is a detection.
    let found = cases.spec(
        "cnn 1\nmodel D { input x: 3x1024x1024; conv 1x1 14; head yolo2 { anchors cells (1, 2) (3, 4) keep 0 labels [\"a\", \"b\"] } }",
    );
    let run = [&["run", &found], &SYNTHETIC[..]].concat();
    within(600 << 20, &run, "GiB)");
}

#[test]
fn sliding_over_a_large_picture() {
    let Some(cases) = cases() else { return };
    let (spec, weights) = (
        cnnc_testing::file("specs/lenet5_slide.cnn"),
        cnnc_testing::file("examples/data/lenet5.safetensors"),
    );
    let [spec, weights] = [spec, weights].map(|path| path.to_str().unwrap().to_owned());
    crate::in_time(std::time::Duration::from_secs(2), || {
        cases.prints(&[
            "run",
            &spec,
            "--weights",
            &weights,
            "--slide",
            "pictures/slide_3200.png",
        ]);
    });
}
