//! Boxes as YOLO has them: `images` with pictures, `labels` with a text file for each, a row `class x y w h` for each box in fractions of the picture. Both may have folders `train` and `val` (or `test`).

use super::DataError;
use super::annotated::{Annotated, Purpose, Written};
use super::files::{entries, read, within};
use cnnc_runtime::answer::BBox;
use cnnc_runtime::image::is_called_a_picture;
use std::path::{Path, PathBuf};

/// The pictures of a folder, if it is such a one.
pub(super) fn pictures(folder: &Path) -> Result<Option<Vec<Annotated>>, DataError> {
    let (images, labels) = (folder.join("images"), folder.join("labels"));
    if !images.is_dir() || !labels.is_dir() {
        return Ok(None);
    }
    let mut all = Vec::new();
    for (inside, purpose) in Purpose::folders(&images) {
        let folder = images.join(inside);
        if !folder.is_dir() || purpose == Purpose::Nothing {
            continue;
        }
        for picture in entries(&folder)? {
            if !picture.is_dir() && is_called_a_picture(&picture) {
                let file = labels.join(within(&images, &picture)).with_extension("txt");
                all.push(annotated(picture, file, purpose)?);
            }
        }
    }
    Ok(Some(all))
}

/// A picture without a file has no boxes.
fn annotated(picture: PathBuf, file: PathBuf, purpose: Purpose) -> Result<Annotated, DataError> {
    let bytes = match file.is_file() {
        true => read(&file)?,
        false => Vec::new(),
    };
    let text = String::from_utf8_lossy(&bytes);
    let rows = text.lines().enumerate();
    let rows = rows.filter(|(_, row)| !row.trim().is_empty());
    let boxes = rows.map(|(index, row)| {
        row_of(row).ok_or_else(|| {
            let why = format!("line {}, `{row}`, is no row of a class, the centre and the size: `0 0.5 0.5 0.2 0.3`", index + 1);
            DataError::Broken(file.clone(), why)
        })
    });
    let boxes = boxes.collect::<Result<_, _>>()?;
    Ok(Annotated {
        picture,
        file,
        size: None,
        boxes,
        purpose,
    })
}

fn row_of(row: &str) -> Option<Written> {
    let words: Vec<&str> = row.split_whitespace().collect();
    let [class, numbers @ ..] = words.as_slice() else {
        return None;
    };
    class.parse::<usize>().ok()?;
    let numbers: Option<Vec<f32>> = numbers.iter().map(|word| word.parse().ok()).collect();
    let [x, y, w, h] = numbers?[..] else {
        return None;
    };
    Some(Written {
        class: (*class).to_owned(),
        bbox: BBox {
            left: x - w / 2.0,
            top: y - h / 2.0,
            right: x + w / 2.0,
            bottom: y + h / 2.0,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_centres_and_sizes() {
        let BBox {
            left,
            top,
            right,
            bottom,
        } = row_of("2 0.5 0.25 0.5 0.125").expect("a row").bbox;
        assert_eq!([left, top, right, bottom], [0.25, 0.1875, 0.75, 0.3125]);
        for row in [
            "2 0.5 0.25 0.5",
            "cat 0.5 0.25 0.5 0.1",
            "1 0.5 0.25 0.5 0.1 0.9",
            "1 a b c d",
        ] {
            assert_eq!(row_of(row), None, "{row}");
        }
    }
}
