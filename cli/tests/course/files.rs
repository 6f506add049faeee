//! Files that a command has to write.

use super::printed::last_of;
use cnnc::Weights;
use cnnc::rt::image::{Picture, is_called_a_picture};
use std::fs;
use std::path::Path;

/// Flags that name what is written.
const WRITTEN: [&str; 10] = [
    "-o",
    "--out",
    "--draw",
    "--draw-all",
    "--heat",
    "--worst",
    "--show-batch",
    "--show-targets",
    "--curves",
    "--raw",
];

/// The word behind one of these.
pub fn behind<'c>(command: &'c str, flags: &[&str]) -> Vec<&'c str> {
    let words: Vec<&str> = command.split(' ').collect();
    let pairs = words.windows(2).filter(|pair| flags.contains(&pair[0]));
    pairs.map(|pair| pair[1]).collect()
}

/// Everything that a command's flags name is there, and is what its name says.
pub fn are_written(command: &str, folder: &Path) {
    for name in behind(command, &WRITTEN) {
        is_something(&folder.join(name), command);
    }
}

/// A picture of several colours, a drawing, or a folder with some of that.
fn is_something(path: &Path, command: &str) {
    if path.is_dir() {
        let entries: Vec<_> = fs::read_dir(path).unwrap().collect();
        assert!(
            !entries.is_empty(),
            "{command}: {} is empty",
            path.display()
        );
        for entry in entries {
            is_something(&entry.unwrap().path(), command);
        }
        return;
    }
    let bytes = fs::read(path).unwrap_or_else(|_| panic!("{command}: no {}", path.display()));
    assert!(!bytes.is_empty(), "{command}: {} is empty", path.display());
    if is_called_a_picture(path) {
        let picture = Picture::open(path).unwrap();
        let (pixels, _) = picture.rgb().as_chunks::<3>();
        let colours = pixels.iter().any(|pixel| *pixel != pixels[0]);
        assert!(colours, "{command}: {} has one colour", path.display());
    }
    if path.extension().is_some_and(|ending| ending == "svg") {
        let text = String::from_utf8(bytes).unwrap();
        let shapes = ["<path", "<polyline", "<rect"];
        let drawn = text.starts_with("<svg") && shapes.iter().any(|shape| text.contains(shape));
        assert!(drawn, "{command}: {} draws nothing", path.display());
    }
}

/// A run has its weights, its curves and a row of finite numbers for each epoch.
pub fn has_learned(run: &Path, command: &str) {
    let name = run.display();
    for weights in ["weights.safetensors", "last.safetensors"] {
        Weights::open(run.join(weights)).unwrap_or_else(|error| panic!("{command}: {error}"));
    }
    is_something(&run.join("loss.svg"), command);
    let table = fs::read_to_string(run.join("results.csv")).unwrap();
    let rows = table.lines().count() - 1;
    for column in ["loss", "test_"] {
        let last = last_of(&table, |head| head.starts_with(column));
        let sound = last.is_some_and(|last| last.is_finite() && last >= 0.0);
        assert!(
            sound,
            "{command}: {name} says {last:?} of {column}\n{table}"
        );
    }
    if let [epochs] = behind(command, &["--epochs"])[..] {
        assert_eq!(rows.to_string(), epochs, "{command}: {name}\n{table}");
    }
    assert!(rows > 0, "{command}: {name} has no epoch");
}
