//! The files of a program: the spec, what it imports, and the blocks and presets of all of them.

use crate::ast::{Block, Constant, File, Model, Name, Preset};
use crate::diagnostic::{Diagnostic, Files, Problems, codes};
use crate::foreign;
use crate::parse;
use crate::span::{FileId, Span};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// Longest chain of imports.
const MAX_IMPORTS: usize = 16;
/// Most files.
const MAX_FILES: usize = 256;
/// Most bytes in all of them.
const MAX_BYTES: usize = 4 << 20;

/// Everything that was read.
pub(super) struct Program {
    files: Vec<File>,
    blocks: HashMap<String, (usize, usize)>,
    presets: HashMap<String, (usize, usize)>,
    /// Those of imported files before those of the file.
    constants: Vec<(usize, usize)>,
    /// The spec's own file.
    pub(super) main: FileId,
    /// Bytes of all files.
    bytes: usize,
    /// What has been read, by its path.
    read: HashSet<PathBuf>,
    /// Imports that cannot be read, and why: they are not tried again.
    unread: HashMap<PathBuf, String>,
}

impl Program {
    /// Reads the spec and its imports.
    pub(super) fn load(
        files: &mut Files,
        path: &Path,
        text: &str,
        problems: &mut Problems,
    ) -> Program {
        let main = files.add(path, text);
        let mut program = Program {
            files: Vec::new(),
            blocks: HashMap::new(),
            presets: HashMap::new(),
            constants: Vec::new(),
            main,
            bytes: text.len(),
            read: HashSet::from([path.to_owned()]),
            unread: HashMap::new(),
        };
        program.file(files, main, &mut vec![path.to_owned()], problems);
        program
    }

    fn file(
        &mut self,
        files: &mut Files,
        id: FileId,
        chain: &mut Vec<PathBuf>,
        problems: &mut Problems,
    ) {
        if let Some(problem) = foreign::file::diagnose(id, files.path(id), files.text(id)) {
            problems.push(problem);
            return;
        }
        let parsed = parse::parse(id, files.text(id));
        // An edition that is not the first statement, or misspelt, has been complained about.
        let broken = !parsed.problems.is_empty();
        parsed
            .problems
            .into_iter()
            .for_each(|one| problems.push(one));
        if let Some(problem) = edition(&parsed.file, id, files.text(id))
            && !(broken && parsed.file.edition.is_none())
        {
            problems.push(problem);
        }
        let imports = parsed.file.imports.clone();
        let index = self.files.len();
        self.files.push(parsed.file);
        for import in &imports {
            self.import(files, id, import, chain, problems);
        }
        self.declare(index, problems);
    }

    fn import(
        &mut self,
        files: &mut Files,
        from: FileId,
        import: &Name,
        chain: &mut Vec<PathBuf>,
        problems: &mut Problems,
    ) {
        let path = files.resolve(from, &import.value);
        if chain.contains(&path) {
            let circle: Vec<String> = chain
                .iter()
                .chain([&path])
                .map(|path| format!("`{}`", path.display()))
                .collect();
            let message = format!("`{}` imports itself", import.value);
            problems.push(
                Diagnostic::new(codes::CYCLE, import.span, message)
                    .note(format!("the circle is {}", circle.join(" → "))),
            );
            return;
        }
        if self.read.contains(&path) {
            return;
        }
        let full = self.files.len() >= MAX_FILES || self.bytes >= MAX_BYTES;
        if chain.len() > MAX_IMPORTS || full {
            let message = format!("imports are more than {MAX_IMPORTS} deep, or too many");
            problems.push(Diagnostic::new(codes::LIMIT, import.span, message));
            return;
        }
        let read = match self.unread.get(&path) {
            Some(why) => Err(why.clone()),
            None => files.load(&path),
        };
        match read {
            Ok(text) if self.bytes + text.len() > MAX_BYTES => {
                let most = MAX_BYTES >> 20;
                let message = format!("the spec and its imports are larger than {most} MiB");
                problems.push(Diagnostic::new(codes::LIMIT, import.span, message));
                self.bytes = MAX_BYTES;
            }
            Ok(text) => {
                self.bytes += text.len();
                let id = files.add(&path, text);
                self.read.insert(path.clone());
                chain.push(path);
                self.file(files, id, chain, problems);
                chain.pop();
            }
            Err(why) => {
                let message = format!("`{}` cannot be read: {why}", import.value);
                let mut problem = Diagnostic::new(codes::READ, import.span, message);
                if !path.starts_with("std") {
                    problem = problem.note(format!("looked for `{}`", path.display()));
                }
                problems.push(problem);
                self.unread.insert(path, why);
            }
        }
    }

    /// Makes the blocks and presets of a file known.
    fn declare(&mut self, file: usize, problems: &mut Problems) {
        for index in 0..self.files[file].blocks.len() {
            let block = &self.files[file].blocks[index];
            if let Some(problem) = self.clash(&block.name) {
                problems.push(problem);
                continue;
            }
            let mut params: HashMap<&str, Span> = HashMap::new();
            for param in &block.params {
                if let Some(&first) = params.get(param.value.as_str()) {
                    let message = format!(
                        "`{}` is twice a parameter of `{}`",
                        param.value, block.name.value
                    );
                    problems.push(
                        Diagnostic::new(codes::DUPLICATE, param.span, message)
                            .also(first, "first here"),
                    );
                    continue;
                }
                params.insert(&param.value, param.span);
                if crate::layer::find(&param.value).is_some() {
                    let message = format!("`{}` is a layer and cannot be a parameter", param.value);
                    problems.push(Diagnostic::new(codes::RESERVED, param.span, message));
                }
            }
            self.blocks.insert(block.name.value.clone(), (file, index));
        }
        for index in 0..self.files[file].presets.len() {
            let name = &self.files[file].presets[index].name;
            if let Some(first) = self.preset(&name.value) {
                let message = format!("there is already a preset `{}`", name.value);
                problems.push(
                    Diagnostic::new(codes::DUPLICATE, name.span, message)
                        .also(first.name.span, "first here"),
                );
                continue;
            }
            self.presets.insert(name.value.clone(), (file, index));
        }
        let constants = 0..self.files[file].constants.len();
        self.constants.extend(constants.map(|index| (file, index)));
    }

    fn clash(&self, name: &Name) -> Option<Diagnostic> {
        if crate::layer::find(&name.value).is_some() {
            let message = format!("`{}` is a layer and cannot be a block", name.value);
            return Some(Diagnostic::new(codes::RESERVED, name.span, message));
        }
        let first = self.block(&name.value)?;
        let message = format!("there is already a block `{}`", name.value);
        Some(
            Diagnostic::new(codes::DUPLICATE, name.span, message)
                .also(first.name.span, "first here"),
        )
    }

    pub(super) fn block(&self, name: &str) -> Option<&Block> {
        let &(file, index) = self.blocks.get(name)?;
        Some(&self.files[file].blocks[index])
    }

    /// All blocks that can be called, in the order of the files.
    pub(super) fn blocks(&self) -> impl Iterator<Item = &Block> {
        let all = self.files.iter().flat_map(|file| &file.blocks);
        all.filter(|block| {
            self.block(&block.name.value)
                .is_some_and(|known| std::ptr::eq(known, *block))
        })
    }

    /// All presets, in the order of the files.
    pub(super) fn presets(&self) -> impl Iterator<Item = &Preset> {
        self.files.iter().flat_map(|file| &file.presets)
    }

    /// All constants that stand outside of blocks and models, each behind those that it can name.
    pub(super) fn constants(&self) -> impl Iterator<Item = &Constant> {
        let all = self.constants.iter();
        all.map(|&(file, index)| &self.files[file].constants[index])
    }

    pub(super) fn block_names(&self) -> impl Iterator<Item = &str> {
        self.blocks.keys().map(String::as_str)
    }

    pub(super) fn preset(&self, name: &str) -> Option<&Preset> {
        let &(file, index) = self.presets.get(name)?;
        Some(&self.files[file].presets[index])
    }

    pub(super) fn preset_names(&self) -> impl Iterator<Item = &str> {
        self.presets.keys().map(String::as_str)
    }

    /// Whether the name was to be made by a statement that does not parse.
    pub(super) fn is_lost(&self, name: &str) -> bool {
        self.files.iter().any(|file| file.lost.contains(name))
    }

    /// The models of the spec itself.
    pub(super) fn models(&self) -> &[Model] {
        self.files.first().map_or(&[], |file| &file.models)
    }
}

/// What is wrong with the file's edition.
fn edition(file: &File, id: FileId, text: &str) -> Option<Diagnostic> {
    match &file.edition {
        Some(edition) if edition.value == "1" => None,
        Some(edition) => {
            let message = format!("there is no edition {} of the language", edition.value);
            Some(Diagnostic::new(codes::EDITION, edition.span, message).fix(
                "the only edition is 1",
                edition.span,
                "1",
            ))
        }
        None => {
            let start = if text.starts_with('\u{feff}') { 3 } else { 0 };
            let span = Span::new(id, start..start);
            Some(
                Diagnostic::new(codes::EDITION, span, "the file does not say its edition").fix(
                    "begin with",
                    span,
                    "cnn 1\n",
                ),
            )
        }
    }
}
