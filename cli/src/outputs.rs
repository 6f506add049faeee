//! Files that a command writes: none that it reads, and none twice; in a format that their names say; and a line for each.

use crate::{Failure, print};
use cnnc::Model;
use cnnc::rt::files::{same_file, write_atomically};
use cnnc::rt::image::{Picture, is_called_a_picture, is_jpeg};
use cnnc::train::{Data, SheetFormat};
use std::io::Write as _;
use std::path::Path;

/// Refuses to write over what is read, under whatever name.
pub fn apart<'a>(
    written: impl IntoIterator<Item = &'a Path>,
    read: impl IntoIterator<Item = &'a Path>,
) -> Result<(), Failure> {
    let read: Vec<&Path> = read.into_iter().collect();
    let mut others: Vec<&Path> = Vec::new();
    for path in written {
        let file = || path.display().to_string();
        if read.iter().any(|read| same_file(read, path)) {
            return Err(Failure::Overwrite { file: file() });
        }
        if others
            .iter()
            .any(|other| same_file(other, path) || same_place(other, path))
        {
            return Err(Failure::Twice { file: file() });
        }
        others.push(path);
    }
    Ok(())
}

/// Refuses to write over samples, which were read from these places.
pub fn apart_from_samples<'a>(
    written: impl IntoIterator<Item = &'a Path>,
    data: &Data,
    places: &[&Path],
) -> Result<(), Failure> {
    let sets = [&data.train, &data.test, &data.apart];
    let is_read = |path: &Path| {
        let all = || {
            sets.into_iter()
                .flat_map(|set| (0..set.len()).map(move |at| (set, at)))
        };
        let named = all().filter_map(|(set, at)| set.name(at));
        let mut targets = all().filter_map(|(set, at)| set.target_file(at));
        targets.any(|target| same_file(target, path))
            || places.iter().any(|place| {
                let beside = place.parent().unwrap_or(Path::new(""));
                same_file(place, path)
                || named.clone().any(|name| {
                    same_file(place.join(name), path) || same_file(beside.join(name), path)
                })
                // Samples of one file have no names.
                || (named.clone().next().is_none() && lies_in(place, path))
            })
    };
    let over = written
        .into_iter()
        .find(|path| path.exists() && is_read(path));
    match over {
        Some(path) => Err(Failure::Overwrite {
            file: path.display().to_string(),
        }),
        None => Ok(()),
    }
}

/// Whether a file lies in a folder, or in one that is in it.
fn lies_in(folder: &Path, file: &Path) -> bool {
    match (folder.canonicalize(), file.canonicalize()) {
        (Ok(folder), Ok(file)) => file.starts_with(folder),
        _ => false,
    }
}

/// Whether two paths are one name in one directory, whether or not there is a file yet.
fn same_place(a: &Path, b: &Path) -> bool {
    let place = |path: &Path| {
        let directory = path.parent().filter(|parent| *parent != Path::new(""));
        let directory = directory.unwrap_or(Path::new(".")).canonicalize().ok()?;
        Some(directory.join(path.file_name()?))
    };
    a == b || place(a).is_some_and(|place_of_a| Some(place_of_a) == place(b))
}

/// Refuses pictures that would be written under names which say no format of pictures, before anything is computed.
pub fn pictures<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Result<(), Failure> {
    for path in paths {
        is_jpeg(path)?;
    }
    Ok(())
}

/// Refuses sheets, of pictures or of curves and numbers alone, under names which say no format of these.
pub fn sheets<'a>(
    paths: impl IntoIterator<Item = &'a Path>,
    pictures: bool,
) -> Result<(), Failure> {
    for path in paths {
        SheetFormat::of(path, pictures)?;
    }
    Ok(())
}

/// Refuses a folder of pictures that is called as one picture.
pub fn folder(flag: &'static str, path: &Path) -> Result<(), Failure> {
    if path.is_dir() || !is_called_a_picture(path) {
        return Ok(());
    }
    let path = path.display();
    let why = format!("it names a folder of pictures, and `{path}` is called as a picture");
    Err(Failure::Flag { flag, why })
}

/// Writes a picture, in the format that its name says, and says so.
pub fn picture(picture: &Picture, path: &Path) -> Result<(), Failure> {
    picture.write(path)?;
    print::wrote(path);
    Ok(())
}

/// Writes a text file, and says so.
pub fn write(path: &Path, text: &str) -> Result<(), Failure> {
    write_bytes(path, text.as_bytes())
}

/// Writes a file.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = write_atomically(path, |file| file.write_all(bytes));
    written.map_err(|error| unwritten(path, error))?;
    print::wrote(path);
    Ok(())
}

/// Writes a spec, and beside it what the spec that it comes of reads beside itself: imports and lists of labels, unless they are there.
pub fn with_what_it_reads(
    path: &Path,
    text: &str,
    model: &Model,
    from: &Path,
) -> Result<(), Failure> {
    let [home, folder] = [from, path].map(|of| of.parent().unwrap_or(Path::new("")));
    for file in model.files().iter().filter(|file| *file != from) {
        if let Ok(place) = file.strip_prefix(home) {
            let place = folder.join(place);
            if place == path {
                let file = path.display().to_string();
                return Err(Failure::Twice { file });
            }
            copy(file, &place)?;
        }
    }
    write(path, text)
}

/// Copies a file that may be one of the zoo, unless the same is there.
fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let read = |path: &Path| {
        cnnc::zoo::read(path).map_err(|error| Failure::Read {
            file: path.display().to_string(),
            why: error.to_string(),
        })
    };
    let bytes = read(from)?;
    if to.exists() {
        return match read(to)? == bytes {
            true => Ok(()),
            false => Err(Failure::Exists(to.to_owned())),
        };
    }
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(|error| unwritten(folder, error))?;
    }
    write_bytes(to, &bytes)
}

fn unwritten(path: &Path, error: std::io::Error) -> Failure {
    Failure::WriteFile {
        file: path.display().to_string(),
        error,
    }
}
