//! Archives that a script unpacks, and what is in them then.

use super::{Folder, counts, model};
use cnnc_testing::{file, has, shared};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// Runs a script of docs/; what it prints, if there are its archives and a Python to run it.
fn unpacked(
    script: &str,
    archives: &[&str],
    args: impl FnOnce(Vec<PathBuf>) -> Vec<PathBuf>,
) -> Option<String> {
    let archives: Option<Vec<_>> = archives.iter().map(|path| shared(path)).collect();
    let archives = archives?;
    let there = Command::new("python3").arg("--version").output();
    if !has(there.is_ok(), "python3") {
        return None;
    }
    let mut command = Command::new("python3");
    command.arg(file("docs").join(script)).args(args(archives));
    let output = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {said}");
    Some(String::from_utf8(output.stdout).expect("text"))
}

/// Two archives with characters in common: 242 different ones in four quarter turns, of twenty drawers each.
#[test]
fn characters_of_both_archives_are_there_once() {
    let folder = Folder::new();
    let archives = [
        "data/omniglot/images_background_small1.zip",
        "data/omniglot/images_background_small2.zip",
        "data/omniglot/all_runs.zip",
    ];
    let to = folder.path("omniglot");
    let args = |archives| [vec![to], archives].concat();
    let Some(printed) = unpacked("unpack_omniglot.py", &archives, args) else {
        return;
    };
    assert_eq!(printed, "242 characters, 13 of which judge\n");
    let names = |path: &str| -> Vec<String> {
        let entries = fs::read_dir(folder.path(path)).expect("a folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        names
            .map(|name| name.into_string().expect("text"))
            .collect()
    };
    let mut alphabets: BTreeMap<String, usize> = BTreeMap::new();
    for name in names("omniglot/characters") {
        let (alphabet, _) = name.split_once('.').expect("ALPHABET.CHARACTER.TURN");
        *alphabets.entry(alphabet.to_owned()).or_default() += 1;
        let drawn = names(&format!("omniglot/characters/{name}")).len();
        assert_eq!(drawn, 20, "{name}");
    }
    assert_eq!(alphabets.values().sum::<usize>(), 4 * 242);
    // Those that both archives have.
    assert_eq!([alphabets["Latin"], alphabets["Greek"]], [4 * 26, 4 * 24]);
    let judge = fs::read_to_string(folder.path("omniglot/judge.txt")).expect("text");
    assert_eq!(judge.lines().count(), 4 * 13);
    assert_eq!(names("omniglot/runs").len(), 20);
}

/// 1,356 bodies, of ones and zeros.
#[test]
fn voxels_are_cells_that_are_full_or_empty() {
    let folder = Folder::new();
    let archive = ["data/voxels/chair_monitor_packbits.npz"];
    let to = folder.path("voxels");
    let args = |archives| [archives, vec![to]].concat();
    if unpacked("unpack_voxels.py", &archive, args).is_none() {
        return;
    }
    let data = folder.open("voxels", None, &model("1x32x32x32", 2, ""));
    let data = data.expect("volumes");
    assert_eq!(data.train.len() + data.test.len(), 1_356);
    let of_classes = [&data.train, &data.test].map(|samples| counts(samples, 2));
    let sums = [0, 1].map(|class| of_classes[0][class] + of_classes[1][class]);
    assert_eq!(sums, [890, 466]);
    let cells = data.train.input(0).expect("it is there");
    assert!(cells.iter().all(|x| [0.0, 1.0].contains(x)));
    assert!(cells.iter().sum::<f32>() > 100.0, "a body");
}
