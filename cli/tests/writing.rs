//! What commands write, and what becomes of what was there: links, devices, modes, signals, full disks.

use cnnc_testing::file;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A network for pictures, with an import and a file of labels.
const SPEC: &str = "cnn 1
import \"blocks.cnn\"
model N {
  input image: 3x8x8 { resize 8x8 }
  narrow(4)
  globalavgpool
  dense 4
  head classify { labels \"labels.txt\" }
}
";

const BLOCKS: &str = "cnn 1
block narrow(channels) { conv 3x3 channels relu }
";

/// A network whose answer is a picture.
const PICTURE: &str = "cnn 1
model P { input image: 3x8x8 { resize 8x8 }; conv 1x1 3 bias off sigmoid; head image }
";

struct Place(TempDir);

impl Place {
    /// A folder with everything that commands read.
    fn new() -> Place {
        let place = Place(tempfile::tempdir().unwrap());
        place.write("net.cnn", SPEC);
        place.write("blocks.cnn", BLOCKS);
        place.write("labels.txt", "a\nb\nc\nd\n");
        place.write("net.cfg", "[net]\nwidth=8\nheight=8\nchannels=3\n\n[convolutional]\nfilters=4\nsize=1\nstride=1\nactivation=relu\n");
        let picture = file("runtime/tests/data/pictures/rgb8.png");
        fs::copy(picture, place.path("in.png")).unwrap();
        fs::create_dir(place.path("gallery")).unwrap();
        fs::copy(place.path("in.png"), place.path("gallery/anna.png")).unwrap();
        place.write("face.cnn", "cnn 1\nmodel F { input image: 3x8x8 { resize 8x8 }; globalavgpool; head embed { threshold 0.5 } }\n");
        place
            .cnnc(&[
                "convert",
                "net.cnn",
                "--weights",
                "synthetic",
                "net.safetensors",
            ])
            .succeeds();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cnnc"));
        command.args(args).current_dir(self.0.path());
        command
    }

    fn cnnc(&self, args: &[&str]) -> Ran {
        let output = self.command(args).output().unwrap();
        let args = args.join(" ");
        Ran { args, output }
    }

    fn names(&self) -> Vec<String> {
        let entries = self.0.path().read_dir().unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }
}

/// A command that has ended.
struct Ran {
    args: String,
    output: Output,
}

impl Ran {
    fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    #[track_caller]
    fn succeeds(&self) {
        assert!(
            self.output.status.success(),
            "{}: {}",
            self.args,
            self.stderr()
        );
    }

    #[track_caller]
    fn fails(&self, message: &str) {
        let found = self.stderr();
        assert!(
            self.output.status.code() == Some(1) && found.contains(message),
            "{}: {found}",
            self.args
        );
    }
}

#[test]
fn no_output_is_a_file_that_is_read() {
    let place = Place::new();
    let run = ["run", "net.cnn", "--weights", "net.safetensors", "in.png"];
    for (command, flag, read) in [
        (
            &["graph", "net.cnn"][..],
            &["-o"][..],
            &["net.cnn", "blocks.cnn", "labels.txt"][..],
        ),
        (
            &run,
            &["--raw"],
            &[
                "net.cnn",
                "blocks.cnn",
                "labels.txt",
                "net.safetensors",
                "in.png",
            ],
        ),
        (
            &run,
            &["--out"],
            &[
                "net.cnn",
                "blocks.cnn",
                "labels.txt",
                "net.safetensors",
                "in.png",
            ],
        ),
        (
            &run,
            &["--draw"],
            &[
                "net.cnn",
                "blocks.cnn",
                "labels.txt",
                "net.safetensors",
                "in.png",
            ],
        ),
        (
            &["import", "net.cfg", "--labels", "labels.txt"],
            &["-o"],
            &["net.cfg", "labels.txt"],
        ),
        (
            &["convert", "--weights", "net.safetensors"],
            &[],
            &["net.safetensors"],
        ),
        (
            &["convert", "--weights", "net.safetensors", "net.cnn"],
            &[],
            &["net.safetensors", "blocks.cnn", "labels.txt"],
        ),
    ] {
        for read in read {
            let before = fs::read(place.path(read)).unwrap();
            for name in names_of(&place, read) {
                // What is called otherwise is no weights file.
                let args = [command, flag, &[&name]].concat();
                let ran = place.cnnc(&args);
                if !ran.stderr().contains("although its name ends in") {
                    ran.fails(&format!("`{name}` would be overwritten, and it is read"));
                }
                assert!(
                    fs::read(place.path(read)).unwrap() == before,
                    "{}",
                    ran.args
                );
            }
        }
    }
}

/// A file's names: its own, one that is not straight, and where there are such, a symbolic and a hard link.
fn names_of(place: &Place, read: &str) -> Vec<String> {
    let mut names = vec![read.to_owned(), format!("./gallery/../{read}")];
    #[cfg(unix)]
    {
        let [link, hard] = ["link", "hard"].map(|name| format!("{name}_{read}.out"));
        let _ = std::os::unix::fs::symlink(read, place.path(&link));
        let _ = fs::hard_link(place.path(read), place.path(&hard));
        names.extend([link, hard]);
    }
    names
}

#[test]
fn no_output_is_written_over_another() {
    let place = Place::new();
    let run = ["run", "net.cnn", "--weights", "synthetic", "in.png"];
    for name in ["new", "./new", "gallery/../new"] {
        let twice = place.cnnc(&[&run[..], &["--raw", "new", "--out", name]].concat());
        twice.fails(&format!("`{name}` would be written twice"));
        assert!(!place.path("new").exists());
    }
    fs::write(place.path("new"), "old").unwrap();
    let twice = place.cnnc(&[&run[..], &["--raw", "new", "--out", "./new"]].concat());
    twice.fails("`./new` would be written twice");
}

#[cfg(unix)]
#[test]
fn links_stay_and_devices_too() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let place = Place::new();
    place.write("picture.cnn", PICTURE);
    fs::create_dir(place.path("elsewhere")).unwrap();
    let run = ["run", "picture.cnn", "--weights", "synthetic", "in.png"];
    for (index, args) in [
        &["graph", "net.cnn", "-o"][..],
        &[&run[..], &["--raw"]].concat(),
        &[&run[..], &["--out"]].concat(),
        &["import", "net.cfg", "-o"],
        &["convert", "net.cnn", "--weights", "synthetic"],
    ]
    .into_iter()
    .enumerate()
    {
        // Names of pictures say their format.
        let ending = ["svg", "safetensors", "png", "cnn", "safetensors"][index];
        let (link, real) = (
            format!("link{index}.{ending}"),
            format!("elsewhere/real{index}"),
        );
        symlink(&real, place.path(&link)).unwrap();
        place.write(&real, "old");
        let mode = fs::Permissions::from_mode(0o600);
        fs::set_permissions(place.path(&real), mode).unwrap();
        place.cnnc(&[args, &[&link]].concat()).succeeds();
        assert!(place.path(&link).is_symlink(), "{args:?}");
        assert_ne!(fs::read(place.path(&real)).unwrap(), b"old");
        let mode = fs::metadata(place.path(&real))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);

        place.cnnc(&[args, &["/dev/null"]].concat()).succeeds();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
        // Through a pipe.
        let shown = place.cnnc(&[args, &["/dev/stdout"]].concat());
        shown.succeeds();
        let real = fs::read(place.path(&real)).unwrap();
        // Beside what the command says.
        let mut parts = shown.output.stdout.windows(real.len());
        assert!(parts.any(|part| part == real), "{args:?}");
    }
    assert_eq!(fs::read_dir(place.path("elsewhere")).unwrap().count(), 5);
}

/// Every command, and `--json` where there is that: what does not fit on the disk is not lost without a word.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said() {
    let place = Place::new();
    let weights = ["--weights", "net.safetensors"];
    let full = "cannot write: No space left on device";
    for (args, json) in [
        (&["check", "net.cnn"][..], true),
        (&["summary", "net.cnn"], true),
        (&["graph", "net.cnn"], false),
        (&["dump", "net.cnn", "--stage", "graph"], false),
        (&["explain", "net.cnn"], true),
        (&["run", "net.cnn", weights[0], weights[1], "in.png"], true),
        (&["import", "net.cfg"], false),
        (
            &[
                "convert",
                "net.cnn",
                weights[0],
                weights[1],
                "new.safetensors",
            ],
            true,
        ),
        (
            &["identify", "face.cnn", "--gallery", "gallery", "in.png"],
            true,
        ),
        (&["bench", "net.cnn", "--seconds", "0.001"], true),
        // What is wrong could not be said where it should be.
        (
            &[
                "run", "net.cnn", weights[0], weights[1], "none.png", "--json",
            ],
            false,
        ),
    ] {
        for args in [args, &[args, &["--json"]].concat()]
            .into_iter()
            .take(1 + usize::from(json))
        {
            let device = fs::File::options().write(true).open("/dev/full").unwrap();
            let output = place.command(args).stdout(device).output().unwrap();
            let args = args.join(" ");
            Ran { args, output }.fails(full);
        }
    }
    for args in [
        &["--help"][..],
        &["-h"],
        &["--version"],
        &["help"],
        &["run", "--help"],
        &["help", "bench"],
        &["explain", "E0201"],
        &["weights", "net.safetensors"],
        &["weights", "net.safetensors", "net.cnn"],
        &["weights", "net.safetensors", "--json"],
        &["gradcheck", "net.cnn"],
        &["gradcheck", "net.cnn", "--json"],
    ] {
        let device = fs::File::options().write(true).open("/dev/full").unwrap();
        let output = place.command(args).stdout(device).output().unwrap();
        let args = args.join(" ");
        Ran { args, output }.fails(full);
    }
    let written = place.cnnc(&["graph", "net.cnn", "-o", "/dev/full"]);
    written.fails("cannot write /dev/full: No space left on device");
}

/// A program that is ended while it writes: what was there is there, and nothing else.
#[cfg(target_os = "linux")]
#[test]
fn nothing_stays_behind_after_a_signal() {
    let place = Place::new();
    // 800 MB, of which a few are written.
    place.write(
        "heavy.cnn",
        "cnn 1\nmodel H { input x: 10000; dense 10000; dense 10000 }\n",
    );
    place.write("old.safetensors", "old");
    let before = place.names();
    for (signal, number) in [
        ("TERM", 15),
        ("INT", 2),
        ("HUP", 1),
        ("QUIT", 3),
        ("KILL", 9),
    ] {
        if !cnnc_testing::has(!is_ignored(number), format_args!("SIG{signal}")) {
            continue;
        }
        let args = [
            "convert",
            "heavy.cnn",
            "--weights",
            "synthetic",
            "old.safetensors",
        ];
        let mut child = place.command(&args).stderr(Stdio::null()).spawn().unwrap();
        let descriptors = format!("/proc/{}/fd", child.id());
        // A file without a name, or with one that it will not keep.
        let has_begun = || {
            let open = fs::read_dir(&descriptors);
            let mut open = open.into_iter().flatten().filter_map(|file| {
                let path = file.ok()?.path();
                let name = fs::read_link(&path).ok()?;
                let name = name.to_string_lossy();
                let ours = name.ends_with(" (deleted)") || name.ends_with(".part");
                ours.then(|| fs::metadata(path).ok())?
            });
            open.any(|file| file.len() > 0)
        };
        while !has_begun() {
            assert!(child.try_wait().unwrap().is_none(), "it was too quick");
            std::thread::yield_now();
        }
        send(signal, child.id());
        let status = child.wait().unwrap();
        assert!(
            !status.success() && status.code().is_none(),
            "{signal}: {status}"
        );
        assert_eq!(place.names(), before, "{signal}");
        assert_eq!(fs::read(place.path("old.safetensors")).unwrap(), b"old");
    }
}

/// Whether this process, and so every command that it starts, ignores a signal: shells have background jobs ignore SIGINT.
#[cfg(target_os = "linux")]
fn is_ignored(signal: u32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = u64::from_str_radix(mask.unwrap().trim(), 16).unwrap();
    mask & (1 << (signal - 1)) != 0
}

/// `nohup cnnc …`: a signal that is ignored stays so.
#[cfg(target_os = "linux")]
#[test]
fn a_signal_that_is_ignored_ends_nothing() {
    let place = Place::new();
    let pipe = place.path("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let mut command = Command::new("sh");
    let script = "trap '' HUP; exec \"$0\" graph net.cnn -o pipe";
    command.args(["-c", script, env!("CARGO_BIN_EXE_cnnc")]);
    let mut child = command.current_dir(place.0.path()).spawn().unwrap();
    // It waits for a reader, once it has a thread for signals.
    let threads = format!("/proc/{}/task", child.id());
    while fs::read_dir(&threads).unwrap().count() < 2 {
        std::thread::yield_now();
    }
    send("HUP", child.id());
    assert!(fs::read_to_string(pipe).unwrap().starts_with("<svg"));
    assert!(child.wait().unwrap().success());
}

#[cfg(target_os = "linux")]
fn send(signal: &str, process: u32) {
    let script = format!("kill -{signal} {process}");
    let sent = Command::new("sh").args(["-c", &script]).status().unwrap();
    assert!(sent.success(), "{script}");
}

/// The file's own name may be as long as file systems have it.
#[test]
fn names_as_long_as_they_may_be() {
    let place = Place::new();
    let name = format!("{}.svg", "n".repeat(251));
    place.cnnc(&["graph", "net.cnn", "-o", &name]).succeeds();
    assert!(Path::new(&place.path(&name)).is_file());
}
