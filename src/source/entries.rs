//! Which files there are: those of folders and all that is in them, of patterns, of lists, and those that are named.

use super::SourceError;
use super::pattern::{Pattern, is_pattern};
use super::shard::Shard;
use cnnc_runtime::files::open_ordinary;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// Longest line of a list: no path is longer.
const LONGEST: u64 = 1 << 16;

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it is.
    pub path: PathBuf,
    /// Where in the path, in bytes, the part begins that is relative to the folder.
    from: usize,
}

impl Entry {
    /// A file that is named: its key is its name.
    pub fn named(path: PathBuf) -> Entry {
        let name = path
            .file_name()
            .map_or(0, |name| name.as_encoded_bytes().len());
        let from = path.as_os_str().as_encoded_bytes().len() - name;
        Entry { path, from }
    }

    /// A path as a list has it, which is its own key.
    fn listed(path: PathBuf) -> Entry {
        Entry { path, from: 0 }
    }

    /// A file below a folder.
    fn below(folder: &Path, path: PathBuf) -> Entry {
        let rest = path.strip_prefix(folder).unwrap_or(&path);
        let from =
            path.as_os_str().as_encoded_bytes().len() - rest.as_os_str().as_encoded_bytes().len();
        Entry { path, from }
    }

    /// Its path relative to the folder, with `/` between names: what shards go by.
    pub fn key(&self) -> Vec<u8> {
        let bytes = &self.path.as_os_str().as_encoded_bytes()[self.from..];
        let slash = |&byte: &u8| {
            if cfg!(windows) && byte == b'\\' {
                b'/'
            } else {
                byte
            }
        };
        bytes.iter().map(slash).collect()
    }

    /// Its path relative to the folder, without anything that would lead out of another folder.
    pub fn place(&self) -> PathBuf {
        let key = text(&self.key());
        let names = Path::new(&key).components();
        let inside = names.filter(|name| matches!(name, std::path::Component::Normal(_)));
        inside.collect()
    }

    /// What people and results call it: its path; bytes that are no text are written `\xff`, so that no two are called the same.
    pub fn name(&self) -> String {
        text(self.path.as_os_str().as_encoded_bytes())
    }
}

/// Bytes as text, those that are none as `\xff`.
fn text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text += chunk.valid();
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// A number for a file, however its path is written: without `.` and doubled slashes. That of two files is the same once in 10³⁸.
fn mark(path: &Path) -> u128 {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        salt.hash(&mut hasher);
        for name in path.components() {
            if name != std::path::Component::CurDir {
                name.hash(&mut hasher);
            }
        }
        u128::from(hasher.finish())
    };
    (half(0) << 64) | half(1)
}

/// What a word of the command line stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Paths on standard input, a line each.
    Pipe,
    /// A folder, and all folders in it.
    Folder(PathBuf),
    /// A text file with a path on each line.
    List(PathBuf),
    /// A pattern.
    Pattern(String),
    /// A file.
    File(PathBuf),
}

impl Place {
    /// What it stands for: a file or folder that is there, else what it looks like.
    pub fn of(word: &Path) -> Place {
        let text = word.to_str().unwrap_or_default();
        let ending = word.extension().and_then(OsStr::to_str).unwrap_or_default();
        if text == "-" {
            Place::Pipe
        } else if word.is_dir() {
            Place::Folder(word.to_owned())
        } else if ending.eq_ignore_ascii_case("txt") {
            Place::List(word.to_owned())
        } else if is_pattern(text) && !word.exists() {
            Place::Pattern(text.to_owned())
        } else {
            Place::File(word.to_owned())
        }
    }

    /// Whether it stands for more than itself.
    pub fn is_many(&self) -> bool {
        !matches!(self, Place::File(_))
    }
}

/// Which of the files there are are wanted.
#[derive(Default)]
pub struct Wanted<'a> {
    /// Which of a folder's; of patterns and lists all are.
    pub kind: Option<&'a dyn Fn(&Path) -> bool>,
    /// Folders that are not looked into: what is written goes there.
    pub without: &'a [&'a Path],
    /// The part that is this process's.
    pub shard: Option<Shard>,
    /// Names of those that have been done.
    pub done: HashSet<String>,
}

/// Files in their order: those of each folder and pattern by their paths, each once.
pub struct Entries {
    known: std::vec::IntoIter<Entry>,
    pipe: Option<Box<dyn BufRead + Send>>,
    /// Lines of standard input so far.
    lines: usize,
    shard: Option<Shard>,
    done: HashSet<u128>,
    /// Those that have been named, where more may come from standard input.
    seen: HashSet<u128>,
    skipped: Vec<Entry>,
}

impl Entries {
    /// The files that places stand for; standard input is read while they are taken.
    ///
    /// # Errors
    /// When a folder or a list cannot be read, or nothing is there.
    pub fn of(places: &[Place], wanted: Wanted<'_>) -> Result<Entries, SourceError> {
        let (mut all, mut pipe) = (Vec::new(), None::<Box<dyn BufRead + Send>>);
        let shard = wanted.shard;
        let done: HashSet<u128> = wanted.done.iter().map(|name| mark(name.as_ref())).collect();
        // A folder or a pattern alone has each file once.
        let once = match places {
            [Place::Folder(_) | Place::Pattern(_) | Place::File(_)] => true,
            _ => places.is_empty(),
        };
        let (mut skipped, mut seen) = (Vec::new(), HashSet::new());
        let mut add = |entry: Entry| {
            let is_mine = shard.is_none_or(|shard| shard.has(&entry.key()));
            if !is_mine || !(once || seen.insert(mark(&entry.path))) {
                return;
            }
            match !done.is_empty() && done.contains(&mark(entry.name().as_ref())) {
                true => skipped.push(entry),
                false => all.push(entry),
            }
        };
        for place in places {
            match place {
                Place::Pipe => pipe = Some(Box::new(BufReader::new(std::io::stdin()))),
                Place::File(path) => add(Entry::named(path.clone())),
                Place::List(path) => {
                    let failed = |error| error_of(path, error);
                    let file = open_ordinary(path).map_err(failed)?;
                    let (mut reader, mut number) = (BufReader::new(file), 0);
                    while let Some(path) = line(&mut reader, &mut number, path)? {
                        add(Entry::listed(path));
                    }
                }
                Place::Folder(folder) => {
                    let mut files = Vec::new();
                    let kind = |path: &Path| wanted.kind.is_none_or(|kind| kind(path));
                    below(folder, wanted.without, usize::MAX, &mut |path| {
                        if kind(&path) {
                            files.push(path);
                        }
                    })?;
                    if files.is_empty() {
                        return Err(nothing(folder, "there is no picture in it"));
                    }
                    files.sort_unstable();
                    files
                        .into_iter()
                        .for_each(|path| add(Entry::below(folder, path)));
                }
                Place::Pattern(text) => {
                    let (base, pattern) = Pattern::new(text);
                    let folder = match base.as_str() {
                        "" => Path::new("."),
                        base => Path::new(base),
                    };
                    let mut files = Vec::new();
                    below(
                        folder,
                        wanted.without,
                        pattern.depth().unwrap_or(usize::MAX),
                        &mut |path| {
                            let rest = path.strip_prefix(folder).unwrap_or(&path);
                            if pattern.is_of(&rest.to_string_lossy()) {
                                files.push(Path::new(base.as_str()).join(rest));
                            }
                        },
                    )?;
                    if files.is_empty() {
                        return Err(nothing(Path::new(text), "no file is called so"));
                    }
                    files.sort_unstable();
                    let base = Path::new(base.as_str());
                    files
                        .into_iter()
                        .for_each(|path| add(Entry::below(base, path)));
                }
            }
        }
        if pipe.is_none() {
            seen = HashSet::new();
        }
        all.shrink_to_fit();
        Ok(Entries {
            known: all.into_iter(),
            pipe,
            lines: 0,
            shard,
            done,
            seen,
            skipped,
        })
    }

    /// How many there are, unless more come from standard input.
    pub fn count(&self) -> Option<usize> {
        self.pipe.is_none().then(|| self.known.len())
    }

    /// Those of them that have been done already.
    pub fn skipped(&self) -> &[Entry] {
        &self.skipped
    }

    /// Those that are known from the beginning.
    pub fn known(&self) -> &[Entry] {
        self.known.as_slice()
    }
}

impl Iterator for Entries {
    type Item = Result<Entry, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(entry) = self.known.next() {
            return Some(Ok(entry));
        }
        let pipe = self.pipe.as_mut()?;
        loop {
            let place = Path::new("standard input");
            let entry = match line(pipe, &mut self.lines, place) {
                Ok(path) => Entry::listed(path?),
                Err(error) => {
                    self.pipe = None;
                    return Some(Err(error));
                }
            };
            let mine = self.shard.is_none_or(|shard| shard.has(&entry.key()));
            if mine
                && self.seen.insert(mark(&entry.path))
                && !self.done.contains(&mark(entry.name().as_ref()))
            {
                return Some(Ok(entry));
            }
        }
    }
}

/// The path on the next line that has one.
fn line(
    reader: &mut dyn BufRead,
    number: &mut usize,
    list: &Path,
) -> Result<Option<PathBuf>, SourceError> {
    loop {
        let mut bytes = Vec::new();
        *number += 1;
        let mut limited = std::io::Read::take(&mut *reader, LONGEST);
        let read = limited.read_until(b'\n', &mut bytes);
        if read.map_err(|error| error_of(list, error))? == 0 {
            return Ok(None);
        }
        let text = String::from_utf8(bytes).ok();
        let text = text.filter(|text| text.ends_with('\n') || (text.len() as u64) < LONGEST);
        let text = text.filter(|text| !text.contains('\0')).ok_or_else(|| {
            let why =
                format!("line {number} is no path: it is a list, and has a path on each line");
            nothing(list, &why)
        })?;
        let path = text.trim_end_matches(['\n', '\r']);
        if !path.is_empty() {
            return Ok(Some(PathBuf::from(path)));
        }
    }
}

/// Hands on all files in a folder and in those below it, so many folders deep; not what is hidden, and no folder that a link leads to.
fn below(
    folder: &Path,
    without: &[&Path],
    depth: usize,
    take: &mut dyn FnMut(PathBuf),
) -> Result<(), SourceError> {
    let out: Vec<PathBuf> = without
        .iter()
        .filter_map(|path| path.canonicalize().ok())
        .collect();
    let mut folders = vec![(folder.to_owned(), 1)];
    while let Some((folder, level)) = folders.pop() {
        let failed = |error| error_of(&folder, error);
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let kind = entry.file_type().map_err(failed)?;
            let path = entry.path();
            if kind.is_dir() {
                let own = || path.canonicalize().ok();
                let written = !out.is_empty() && own().is_some_and(|own| out.contains(&own));
                if level < depth && !written {
                    folders.push((path, level + 1));
                }
            } else if kind.is_file() || (kind.is_symlink() && path.is_file()) {
                take(path);
            }
        }
    }
    Ok(())
}

fn nothing(place: &Path, why: &str) -> SourceError {
    SourceError {
        place: place.display().to_string(),
        why: why.to_owned(),
    }
}

fn error_of(place: &Path, error: std::io::Error) -> SourceError {
    nothing(place, &error.to_string())
}

#[cfg(test)]
mod tests;
