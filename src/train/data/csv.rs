//! Rows of numbers, or of paths of pictures, with a label.
//!
//! The label is the column called `label`, `class` or `target`, else the last one. A first row that has such a name, or words where there are numbers below, names the columns.
//! Where the network takes pictures and a row has two columns, the other one is a path, as seen from the folder of the file. A `data` clause may name the column of the
//! label, and in front of it that of the path.

use super::classes::Labels;
use super::files::read;
use super::reader::Reader;
use super::wav::shown;
use super::{Data, DataError};
use ::csv::{ReaderBuilder, StringRecord, Trim};
use cnnc_runtime::image::Seen;
use std::path::Path;

/// What a column of labels is called.
const LABEL: [&str; 3] = ["label", "class", "target"];

/// Most columns that a message names.
const NAMED: usize = 12;

/// What a column of paths is called.
const PATHS: [&str; 5] = ["image", "picture", "path", "file", "filename"];

impl Reader<'_> {
    /// The samples of a file.
    pub(super) fn csv(&self, path: &Path) -> Result<Data, DataError> {
        let bytes = read(path)?;
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .trim(Trim::All)
            .from_reader(&*bytes);
        let mut rows = reader.records().peekable();
        let broken = |why: String| DataError::Broken(path.to_owned(), why);
        let (mut label, mut header) = (None, false);
        if let Some(Ok(first)) = rows.peek() {
            label = first.iter().position(|name| is_one_of(name, &LABEL));
            let last = label.unwrap_or(first.len().saturating_sub(1));
            let others = || first.iter().enumerate().filter(|(at, _)| *at != last);
            header = label.is_some()
                || others().any(|(_, name)| is_one_of(name, &PATHS))
                || (first.len() != 2 && others().any(|(_, word)| word.parse::<f32>().is_err()));
        }
        let mut picture = None;
        if let Some(wanted) = self.columns.last() {
            let names: Vec<String> = match rows.peek() {
                Some(Ok(first)) => first.iter().map(str::to_owned).collect(),
                _ => Vec::new(),
            };
            let column = |name: &String| {
                let found = names
                    .iter()
                    .position(|known| known.eq_ignore_ascii_case(name));
                found.ok_or_else(|| {
                    let names = names.iter().take(NAMED).map(|name| format!("`{name}`"));
                    let names = names.collect::<Vec<String>>().join(", ");
                    broken(format!(
                        "its first row names no column `{name}`; it has {names}"
                    ))
                })
            };
            (label, header) = (Some(column(wanted)?), true);
            if let [of_picture, _] = self.columns.as_slice() {
                picture = Some(column(of_picture)?);
            }
        }
        if header {
            rows.next();
        }
        let table = Table {
            reader: self,
            path,
            label,
            picture,
            labels: Labels::default(),
        };
        let columns = rows
            .peek()
            .and_then(|row| row.as_ref().ok())
            .map(StringRecord::len);
        let rows = rows.map(|row| row.map_err(|error| broken(error.to_string())));
        match columns {
            Some(_) if picture.is_some() => table.paths(rows),
            Some(2) if self.pre.is_some() => table.paths(rows),
            _ => table.numbers(rows),
        }
    }
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// A file while it is read.
struct Table<'r, 'g> {
    reader: &'r Reader<'g>,
    path: &'r Path,
    /// The column of labels, if it is not the last one.
    label: Option<usize>,
    /// The column of paths, if it is named.
    picture: Option<usize>,
    labels: Labels,
}

impl Table<'_, '_> {
    /// The number of a row's label, and its column.
    fn label(&mut self, row: &StringRecord) -> Result<(u32, usize), DataError> {
        let at = self.label.unwrap_or(row.len().saturating_sub(1));
        let label = row.get(at).unwrap_or_default();
        let number = self.labels.number(label, self.reader, self.path)?;
        Ok((number, at))
    }

    fn numbers(
        mut self,
        rows: impl Iterator<Item = Result<StringRecord, DataError>>,
    ) -> Result<Data, DataError> {
        let (reader, path) = (self.reader, self.path);
        let mut filling = reader.filling(path);
        let mut numbers = Vec::new();
        for row in rows {
            let row = row?;
            let broken = |why: String| {
                let line = row.position().map_or(0, ::csv::Position::line);
                DataError::Broken(path.to_owned(), format!("line {line}: {why}"))
            };
            let (class, label) = self.label(&row)?;
            numbers.clear();
            for (_, word) in row.iter().enumerate().filter(|(at, _)| *at != label) {
                let number = word.parse::<f32>().ok().filter(|number| number.is_finite());
                numbers.push(number.ok_or_else(|| broken(format!("`{word}` is no number")))?);
            }
            if numbers.len() != reader.elements() {
                return Err(broken(format!(
                    "{} numbers and a label, but the network's input is {}",
                    numbers.len(),
                    shown(reader.shape)
                )));
            }
            if reader.pre.is_none() {
                filling.numbers(&numbers, class)?;
                continue;
            }
            let byte = |&number: &f32| {
                (f32::from(number as u8) == number)
                    .then_some(number as u8)
                    .ok_or_else(|| {
                        broken(format!(
                            "a pixel is a whole number from 0 to 255, not {number}"
                        ))
                    })
            };
            let bytes = numbers.iter().map(byte).collect::<Result<_, _>>()?;
            let seen = Seen {
                bytes,
                border: None,
            };
            filling.picture(seen, class)?;
        }
        filling.relabel(&self.labels.numbering(reader, path)?);
        Ok(Data {
            kind: "rows of numbers".to_owned(),
            train: filling.done(),
            ..Data::default()
        })
    }

    fn paths(
        mut self,
        rows: impl Iterator<Item = Result<StringRecord, DataError>>,
    ) -> Result<Data, DataError> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let mut files = Vec::new();
        for row in rows {
            let row = row?;
            let (class, label) = self.label(&row)?;
            let place = self.picture.unwrap_or(1 - label.min(1));
            let place = row.get(place).unwrap_or_default();
            files.push((folder.join(place), class));
        }
        let classes = self.labels.numbering(self.reader, self.path)?;
        for (_, class) in &mut files {
            *class = classes[*class as usize];
        }
        let (train, broken) = self.reader.picture_files(folder, &files)?;
        Ok(Data {
            kind: "rows of pictures".to_owned(),
            train,
            broken,
            ..Data::default()
        })
    }
}
