use super::*;
use std::fs;
use std::path::PathBuf;

/// A folder, and that nothing but these names is in it at the end.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    #[track_caller]
    fn has(&self, expected: &[&str]) {
        let entries = self.0.path().read_dir().unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        assert_eq!(names, expected);
    }
}

fn text(path: impl AsRef<Path>, text: &str) -> io::Result<()> {
    write_atomically(path, |file| file.write_all(text.as_bytes()))
}

#[track_caller]
fn reads(path: impl AsRef<Path>, expected: &str) {
    assert_eq!(fs::read_to_string(path).unwrap(), expected);
}

#[test]
fn all_or_nothing() {
    let folder = Folder::new();
    let path = folder.path("out.bin");
    text(&path, "first").unwrap();
    reads(&path, "first");

    let failed = write_atomically(&path, |file| {
        file.write_all(b"second, but")?;
        // Nobody sees it before it is whole.
        reads(&path, "first");
        Err(io::Error::other("the disk is full"))
    });
    assert_eq!(failed.unwrap_err().to_string(), "the disk is full");
    reads(&path, "first");

    text(&path, "third").unwrap();
    reads(&path, "third");
    folder.has(&["out.bin"]);

    let error = text(folder.0.path(), "").unwrap_err();
    assert_eq!(error.to_string(), "it is a directory");
    let error = text(folder.path("no/such"), "").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}

#[test]
fn files_that_need_a_name_from_the_start_are_whole_or_absent_too() {
    let folder = Folder::new();
    let path = folder.path("out.bin");
    for expected in ["first", "second"] {
        let mut unfinished = Unfinished::named(folder.0.path()).unwrap();
        unfinished.file().write_all(expected.as_bytes()).unwrap();
        unfinished.finish(&path).unwrap();
        reads(&path, expected);
        folder.has(&["out.bin"]);
    }
    let mut given_up = Unfinished::named(folder.0.path()).unwrap();
    given_up.file().write_all(b"half").unwrap();
    drop(given_up);
    folder.has(&["out.bin"]);
}

/// A program that ends removes what it has begun; it cannot write any more, so it is another one than this.
#[test]
fn nothing_stays_of_a_program_that_ends() {
    const FOLDER: &str = "CNNC_TEST_STOPS_IN";
    if let Some(folder) = std::env::var_os(FOLDER) {
        let mut unfinished = Unfinished::named(Path::new(&folder)).unwrap();
        unfinished.file().write_all(b"half").unwrap();
        stop_writing();
        std::process::exit(7);
    }
    let folder = Folder::new();
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args([
        "--exact",
        "files::tests::nothing_stays_of_a_program_that_ends",
    ]);
    let output = command.env(FOLDER, folder.0.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(7));
    folder.has(&[]);
}

#[test]
fn names_as_long_as_they_may_be() {
    let folder = Folder::new();
    let name = "n".repeat(255);
    for expected in ["first", "second"] {
        text(folder.path(&name), expected).unwrap();
        reads(folder.path(&name), expected);
    }
    folder.has(&[&name]);
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::io::Read;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::process::Command;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn others_may_read_what_the_umask_allows() {
        let folder = Folder::new();
        let [ours, named, plain] = ["ours", "named", "plain"].map(|name| folder.path(name));
        text(&ours, "").unwrap();
        Unfinished::named(folder.0.path())
            .unwrap()
            .finish(&named)
            .unwrap();
        File::create(&plain).unwrap();
        assert_eq!([mode(&ours), mode(&named)], [mode(&plain); 2]);
    }

    #[test]
    fn modes_stay_as_they_were() {
        let folder = Folder::new();
        let path = folder.path("out");
        text(&path, "first").unwrap();
        for kept in [0o600, 0o640, 0o755] {
            fs::set_permissions(&path, fs::Permissions::from_mode(kept)).unwrap();
            text(&path, "second").unwrap();
            assert_eq!(mode(&path), kept);
        }
    }

    /// Only root may give files away, so only root can try that owners are kept.
    #[test]
    fn owners_stay_as_they_were() {
        let folder = Folder::new();
        let path = folder.path("out");
        text(&path, "first").unwrap();
        if std::os::unix::fs::chown(&path, Some(1234), Some(1235)).is_err() {
            return;
        }
        text(&path, "second").unwrap();
        let found = fs::metadata(&path).unwrap();
        assert_eq!((found.uid(), found.gid()), (1234, 1235));
    }

    #[test]
    fn what_may_not_be_written_is_not_replaced() {
        let folder = Folder::new();
        let path = folder.path("out");
        text(&path, "first").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
        // Root may write everything.
        if File::options().append(true).open(&path).is_err() {
            let error = text(&path, "second").unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
            reads(&path, "first");
        }
    }

    #[test]
    fn links_are_followed() {
        let folder = Folder::new();
        fs::create_dir(folder.path("a")).unwrap();
        fs::create_dir(folder.path("b")).unwrap();
        // One to another, relative to where each is; the last to nothing yet.
        symlink("a/middle", folder.path("link")).unwrap();
        symlink("../b/real", folder.path("a/middle")).unwrap();
        for expected in ["first", "second"] {
            text(folder.path("link"), expected).unwrap();
            reads(folder.path("b/real"), expected);
            assert!(folder.path("link").is_symlink() && folder.path("a/middle").is_symlink());
            assert!(!folder.path("b/real").is_symlink());
        }
        folder.has(&["a", "b", "link"]);

        symlink("round", folder.path("round")).unwrap();
        assert!(text(folder.path("round"), "").is_err());
        symlink("a", folder.path("folder")).unwrap();
        let error = text(folder.path("folder"), "").unwrap_err();
        assert_eq!(error.to_string(), "it is a directory");
    }

    #[test]
    fn devices_and_pipes_are_written_to() {
        let folder = Folder::new();
        symlink("/dev/null", folder.path("nothing")).unwrap();
        text(folder.path("nothing"), "lost").unwrap();
        text("/dev/null", "lost").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());

        let pipe = folder.path("pipe");
        assert!(
            Command::new("mkfifo")
                .arg(&pipe)
                .status()
                .unwrap()
                .success()
        );
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read_to_string(pipe).unwrap()
        });
        text(&pipe, "through the pipe").unwrap();
        assert_eq!(reader.join().unwrap(), "through the pipe");
        folder.has(&["nothing", "pipe"]);
    }

    #[test]
    fn what_has_no_end_is_not_opened() {
        let folder = Folder::new();
        let pipe = folder.path("pipe");
        let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        fs::write(folder.path("file"), "text").unwrap();
        symlink(folder.path("file"), folder.path("link")).unwrap();
        let refused = |path: &Path| open_ordinary(path).unwrap_err().to_string();
        // Nobody writes into it: opening it would wait for ever.
        assert_eq!(refused(&pipe), "it is not a file");
        assert_eq!(refused(Path::new("/dev/null")), "it is not a file");
        assert_eq!(refused(folder.0.path()), "it is a directory");
        let none = open_ordinary(folder.path("none")).unwrap_err();
        assert_eq!(none.kind(), io::ErrorKind::NotFound);
        let mut read = String::new();
        let mut file = open_ordinary(folder.path("link")).unwrap();
        file.read_to_string(&mut read).unwrap();
        assert_eq!(read, "text");
        folder.has(&["file", "link", "pipe"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_said() {
        let error = text("/dev/full", "more than there is room for").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }

    /// `3>> out`, then `-o /dev/fd/3`: what is there stays.
    #[cfg(target_os = "linux")]
    #[test]
    fn descriptors_are_written_on() {
        use std::os::fd::AsRawFd;
        let folder = Folder::new();
        let path = folder.path("out");
        fs::write(&path, "before, ").unwrap();
        let open = File::options().append(true).open(&path).unwrap();
        for directory in ["/dev/fd", "/proc/self/fd"] {
            text(format!("{directory}/{}", open.as_raw_fd()), "after").unwrap();
        }
        reads(&path, "before, afterafter");
        folder.has(&["out"]);
    }

    #[test]
    fn one_file_by_several_names() {
        let folder = Folder::new();
        let [file, other, link, hard] = ["file", "other", "link", "hard"].map(|n| folder.path(n));
        text(&file, "same").unwrap();
        text(&other, "same").unwrap();
        symlink("file", &link).unwrap();
        fs::hard_link(&file, &hard).unwrap();
        assert!(same_file(&file, &link) && same_file(&hard, &link) && same_file(&file, &file));
        assert!(!same_file(&file, &other) && !same_file(&file, folder.path("none")));
        assert!(
            !same_file("/dev/null", "/dev/null"),
            "a device keeps nothing"
        );
    }
}
