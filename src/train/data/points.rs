//! Rows of pictures with points: a path, as seen from the folder of the file, then x and y of each point in pixels of the picture; the middle of its first pixel is at ½, ½.
//!
//! A row without numbers is a picture in which there is nothing, which heads with a `presence` can say. A first row with words, and without a number, names the columns.

use super::ahead::{unbroken, views};
use super::files::{read, within};
use super::reader::Reader;
use super::told::Told;
use super::{Data, DataError};
use ::csv::{ReaderBuilder, StringRecord, Trim};
use std::path::{Path, PathBuf};

/// Pixels that a point may be outside of its picture: rounding.
const SLACK: f32 = 0.5;

/// Whether a row names columns.
fn is_header(row: &StringRecord) -> bool {
    let mut words = row
        .iter()
        .skip(1)
        .filter(|word| !word.is_empty())
        .peekable();
    words.peek().is_some() && words.all(|word| word.parse::<f32>().is_err())
}

/// The points of a row; none of a picture in which there is nothing.
fn points_of(row: &StringRecord, points: usize) -> Result<Option<Vec<[f32; 2]>>, String> {
    let words: Vec<&str> = row.iter().skip(1).collect();
    if words.iter().all(|word| word.is_empty()) {
        return Ok(None);
    }
    if words.len() != 2 * points {
        let found = words.len();
        return Err(match found {
            1 => format!("1 number is not x and y of {points} points"),
            _ => format!("{found} numbers are not x and y of {points} points"),
        });
    }
    let number = |word: &&str| {
        let number = word.parse::<f32>().ok().filter(|number| number.is_finite());
        number.ok_or_else(|| format!("`{word}` is no number"))
    };
    let numbers = words.iter().map(number).collect::<Result<Vec<f32>, _>>()?;
    Ok(Some(numbers.chunks(2).map(|at| [at[0], at[1]]).collect()))
}

impl Reader<'_> {
    /// The samples of a file, for a network that finds so many points.
    pub(super) fn points(&self, path: &Path, points: usize) -> Result<Data, DataError> {
        let pre = self.sight()?;
        let bytes = read(path)?;
        let mut rows = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(Trim::All)
            .from_reader(&*bytes);
        let broken = |why: String| DataError::Broken(path.to_owned(), why);
        let rows = rows.records().collect::<Result<Vec<_>, _>>();
        let mut rows = rows.map_err(|error| broken(error.to_string()))?;
        if rows.first().is_some_and(is_header) {
            rows.remove(0);
        }
        let presence = self.told.as_ref().is_some_and(Told::has_presence);
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut filling = self.filling(path);
        filling.reserve_files(rows.len(), None, self.most)?;
        let (mut kept, mut left_out) = (Vec::new(), Vec::new());
        let files = rows
            .iter()
            .map(|row| folder.join(row.get(0).unwrap_or_default()));
        let files: Vec<PathBuf> = files.collect();
        let mut paths = files.iter().map(PathBuf::as_path);
        views(&mut paths, pre, &mut |at, viewed| {
            let (row, file) = (&rows[at], &files[at]);
            let line = row.position().map_or(0, ::csv::Position::line);
            let broken = |why: String| broken(format!("line {line}: {why}"));
            let found = points_of(row, points).map_err(broken)?;
            if found.is_none() && !presence {
                let why = "no points, and the head has no `presence` that says so";
                return Err(broken(why.to_owned()));
            }
            let Some(viewed) = unbroken(path, viewed, rows.len(), &mut left_out)? else {
                return Ok(());
            };
            let ((width, height), place) = (viewed.size(), viewed.place);
            kept.push(if found.is_some() { 1.0 } else { 0.0 });
            for [x, y] in found.unwrap_or_else(|| vec![[0.0; 2]; points]) {
                let inside =
                    |along: f32, extent: usize| (-SLACK..=extent as f32 + SLACK).contains(&along);
                if !inside(x, width) || !inside(y, height) {
                    return Err(broken(format!(
                        "the point {x}, {y} is outside of the picture of {width} by {height} pixels"
                    )));
                }
                let (x, y) = place.fraction(x, y);
                kept.extend([x, y]);
            }
            filling.picture_of(file.clone(), viewed.seen, 0)?;
            filling.name(within(folder, file));
            Ok(())
        })?;
        if let (true, Some(first)) = (kept.is_empty(), left_out.first()) {
            let why = format!("none of its pictures can be read: {first}");
            return Err(DataError::Broken(path.to_owned(), why));
        }
        Ok(Data {
            kind: format!("pictures with {points} points"),
            train: filling.told(kept, self.told.clone()),
            broken: left_out,
            ..Data::default()
        })
    }
}
