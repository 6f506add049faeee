//! The texts of a compilation, and where they come from.

use crate::id::Map;
use crate::span::{FileId, Span};
use cnnc_runtime::files::open_ordinary;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Largest file that is read: specs, imports and label lists.
pub const MAX_FILE_BYTES: usize = 1 << 20;

/// Where imports and label files come from.
pub trait Loader: fmt::Debug + Send + Sync {
    /// The text of the file; never more than [`MAX_FILE_BYTES`].
    ///
    /// # Errors
    /// One sentence, lower case: why it cannot be had.
    fn read(&self, path: &Path) -> Result<String, String>;
}

/// The file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct DiskLoader;

impl Loader for DiskLoader {
    fn read(&self, path: &Path) -> Result<String, String> {
        let file = open_ordinary(path).map_err(|error| error.to_string().to_lowercase())?;
        let mut bytes = Vec::new();
        file.take(MAX_FILE_BYTES as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| error.to_string().to_lowercase())?;
        if bytes.len() > MAX_FILE_BYTES {
            return Err(format!("it is larger than {} KiB", MAX_FILE_BYTES / 1024));
        }
        String::from_utf8(bytes).map_err(|error| {
            format!(
                "it is not UTF-8 text (byte {})",
                error.utf8_error().valid_up_to()
            )
        })
    }
}

/// Files that exist only in memory, by path.
#[derive(Clone, Debug, Default)]
pub struct MemoryLoader(pub BTreeMap<PathBuf, String>);

impl Loader for MemoryLoader {
    fn read(&self, path: &Path) -> Result<String, String> {
        self.0
            .get(path)
            .cloned()
            .ok_or_else(|| "no such file".to_owned())
    }
}

#[derive(Clone, Debug)]
struct Source {
    path: PathBuf,
    text: Arc<str>,
    /// Where each line begins, once somebody has asked.
    lines: OnceLock<Arc<[usize]>>,
}

impl Source {
    fn lines(&self) -> &[usize] {
        self.lines.get_or_init(|| {
            let ends = self.text.match_indices('\n').map(|(at, _)| at + 1);
            std::iter::once(0).chain(ends).collect()
        })
    }
}

/// Every text that a compilation has read. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Files {
    sources: Map<FileId, Source>,
    read: Vec<PathBuf>,
    loader: Arc<dyn Loader>,
}

impl Default for Files {
    fn default() -> Self {
        Files::new(DiskLoader)
    }
}

/// What `import "std/…"` finds.
const STD: &[(&str, &str)] = &[
    ("std/blocks.cnn", include_str!("../preset/blocks.cnn")),
    ("std/presets.cnn", include_str!("../preset/presets.cnn")),
];

impl Files {
    /// No texts yet; imports come from there.
    pub fn new(loader: impl Loader + 'static) -> Files {
        Files {
            sources: Map::new(),
            read: Vec::new(),
            loader: Arc::new(loader),
        }
    }
    /// Adds a text that is at hand.
    pub fn add(&mut self, path: impl Into<PathBuf>, text: impl Into<Arc<str>>) -> FileId {
        self.sources.push(Source {
            path: path.into(),
            text: text.into(),
            lines: OnceLock::new(),
        })
    }
    /// Reads a file, recording that it was read.
    pub(crate) fn load(&mut self, path: &Path) -> Result<Arc<str>, String> {
        let standard = STD.iter().find(|(name, _)| Path::new(name) == path);
        if let Some(&(_, text)) = standard {
            return Ok(text.into());
        }
        if path.starts_with("std") {
            let names: Vec<&str> = STD.iter().map(|&(name, _)| name).collect();
            return Err(format!("the standard files are {}", names.join(", ")));
        }
        let text = self.loader.read(path)?;
        if !self.read.iter().any(|read| read == path) {
            self.read.push(path.to_owned());
        }
        Ok(text.into())
    }
    /// The path that `named` means in a text: `std/…` as it stands, others relative to the text's own place.
    pub(crate) fn resolve(&self, from: FileId, named: &str) -> PathBuf {
        let named = Path::new(named);
        if named.starts_with("std") || named.is_absolute() {
            return named.to_owned();
        }
        let directory = self.sources[from].path.parent().unwrap_or(Path::new(""));
        normal(&directory.join(named))
    }
    /// Path of a text, as it was named.
    pub fn path(&self, id: FileId) -> &Path {
        &self.sources[id].path
    }
    /// A text.
    pub fn text(&self, id: FileId) -> &str {
        &self.sources[id].text
    }
    /// What stands there; empty if the span is of no text.
    pub fn slice(&self, span: Span) -> &str {
        self.sources
            .get(span.file)
            .and_then(|source| source.text.get(span.range()))
            .unwrap_or("")
    }
    /// Line and column of a byte, both from 1; columns count characters.
    pub fn position(&self, file: FileId, byte: usize) -> (usize, usize) {
        let text = self.text(file);
        let mut byte = byte.min(text.len());
        while !text.is_char_boundary(byte) {
            byte -= 1;
        }
        let lines = self.sources[file].lines();
        let line = lines.partition_point(|&start| start <= byte);
        let column = text[lines[line - 1]..byte].chars().count() + 1;
        (line, column)
    }
    /// Every file that was read through the loader: what a build has to watch beside the spec itself.
    pub fn read(&self) -> &[PathBuf] {
        &self.read
    }
    pub(crate) fn contains(&self, span: Span) -> bool {
        self.sources.get(span.file).is_some()
    }
}

/// Takes `a/../` and `./` out of a path, so that a file is known by one name.
fn normal(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(out.components().next_back(), Some(Component::Normal(_))) =>
            {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}
