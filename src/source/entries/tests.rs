//! Which files are named, each once.

use super::*;
use std::fs;

fn names(places: &[Place], wanted: Wanted<'_>) -> Vec<String> {
    let entries = Entries::of(places, wanted).unwrap();
    entries
        .map(|entry| String::from_utf8(entry.unwrap().key()).unwrap())
        .collect()
}

#[test]
fn files_of_folders_patterns_and_lists() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    for name in [
        "b/2.png",
        "b/1.png",
        "a.png",
        "a.txt",
        ".hidden/3.png",
        "b/.4.png",
        "out/5.png",
    ] {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder, folder.join("b/again")).unwrap();
    let is_picture = |path: &Path| path.extension() == Some(OsStr::new("png"));
    let out = folder.join("out");
    let without = [out.as_path()];
    let of_folder = |done: HashSet<String>, shard| Wanted {
        kind: Some(&is_picture),
        without: &without,
        shard,
        done,
    };
    let all = Place::of(folder);
    assert_eq!(all, Place::Folder(folder.to_owned()));
    let one = std::slice::from_ref(&all);
    assert_eq!(
        names(one, of_folder(HashSet::new(), None)),
        ["a.png", "b/1.png", "b/2.png"]
    );
    let done = HashSet::from([folder.join("b/1.png").display().to_string()]);
    assert_eq!(names(one, of_folder(done, None)), ["a.png", "b/2.png"]);
    let mut parts: Vec<String> = (0..3)
        .flat_map(|index| names(one, of_folder(HashSet::new(), Some(Shard { index, of: 3 }))))
        .collect();
    parts.sort();
    assert_eq!(parts, ["a.png", "b/1.png", "b/2.png"]);

    let pattern = Place::of(&folder.join("**/[12].png"));
    assert_eq!(
        names(std::slice::from_ref(&pattern), Wanted::default()),
        ["b/1.png", "b/2.png"]
    );
    // Each once.
    assert_eq!(
        names(&[pattern, all], of_folder(HashSet::new(), None)),
        ["b/1.png", "b/2.png", "a.png"]
    );
    // However it is written, and in a list and by itself.
    let twice = [
        Place::File(folder.join("b/./1.png")),
        Place::File(folder.join("b//1.png")),
        Place::Folder(folder.join(".").join("b")),
    ];
    assert_eq!(
        names(&twice, of_folder(HashSet::new(), None)),
        ["1.png", "2.png"]
    );
    let done = HashSet::from([folder.join("./b/1.png").display().to_string()]);
    assert_eq!(names(&twice, of_folder(done, None)), ["2.png"]);
    let list = folder.join("list.txt");
    fs::write(&list, "x/one.png\r\n\n../two.png\nx/one.png\n").unwrap();
    let listed = Entries::of(&[Place::of(&list)], Wanted::default()).unwrap();
    let listed: Vec<(String, PathBuf)> = listed
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.name(), entry.place()))
        .collect();
    let expected = [("x/one.png", "x/one.png"), ("../two.png", "two.png")];
    assert_eq!(
        listed,
        expected.map(|(name, place)| (name.to_owned(), PathBuf::from(place)))
    );
}

#[test]
fn a_folder_in_front_of_a_pattern_may_be_called_as_one() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("br[1]");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("a.png"), "a").unwrap();
    let pattern = [Place::of(&folder.join("*.png"))];
    assert_eq!(names(&pattern, Wanted::default()), ["a.png"]);
}

/// Two names that are no text are two names, and those of files that have been done, too.
#[cfg(target_os = "linux")]
#[test]
fn names_need_not_be_text() {
    use std::os::unix::ffi::OsStrExt;
    let place = tempfile::tempdir().unwrap();
    for name in [&b"a\xfe.png"[..], b"a\xff.png"] {
        fs::write(place.path().join(OsStr::from_bytes(name)), name).unwrap();
    }
    let all = [Place::of(place.path())];
    let found = |done: HashSet<String>| -> Vec<Entry> {
        let wanted = Wanted {
            done,
            ..Wanted::default()
        };
        let entries = Entries::of(&all, wanted).unwrap();
        entries.map(|entry| entry.unwrap()).collect()
    };
    let both = found(HashSet::new());
    assert_eq!((both.len(), both[0].name() == both[1].name()), (2, false));
    assert_ne!(both[0].place(), both[1].place());
    assert!(both[1].name().ends_with("a\\xff.png"), "{}", both[1].name());
    assert_eq!(found(HashSet::from([both[0].name()])), both[1..]);
    let pattern = [Place::of(&place.path().join("*.png"))];
    let entries = Entries::of(&pattern, Wanted::default()).unwrap();
    assert!(
        entries
            .map(|entry| entry.unwrap())
            .all(|entry| entry.path.exists())
    );
}

#[test]
fn what_is_not_there_and_what_is_no_list() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    fs::write(folder.join("list.txt"), b"a.png\n\xff\xfe").unwrap();
    fs::create_dir(folder.join("empty")).unwrap();
    for (word, why) in [
        ("list.txt", "line 2 is no path"),
        ("none.txt", "No such file"),
        ("empty", "there is no picture in it"),
        ("*.jpg", "no file is called so"),
        ("none/*.jpg", "No such file"),
    ] {
        let found = Entries::of(&[Place::of(&folder.join(word))], Wanted::default());
        let said = found.err().unwrap().to_string();
        assert!(said.contains(why), "{word}: {said}");
    }
}
