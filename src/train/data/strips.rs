//! Strips: picture files whose rows are pictures, pixel by pixel, and a text file with a class in each line, as CIFAR-10 comes.

use super::files::{name, read};
use super::reader::Reader;
use super::{Data, DataError};
use cnnc_runtime::image::Picture;
use std::path::PathBuf;

impl Reader<'_> {
    /// The samples of strips, if the folder has them.
    pub(super) fn strips(&self, files: &[PathBuf]) -> Result<Option<Data>, DataError> {
        let is_labels =
            |path: &&PathBuf| name(path).starts_with("labels") && name(path).ends_with(".txt");
        let Some(list) = files.iter().find(is_labels) else {
            return Ok(None);
        };
        let strips: Vec<&PathBuf> = files
            .iter()
            .filter(|path| name(path).ends_with(".png"))
            .collect();
        if strips.is_empty() {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&read(list)?).into_owned();
        let mut classes = Vec::new();
        for (line, word) in text.split_whitespace().enumerate() {
            let class = word.parse::<u32>().map_err(|_| {
                DataError::Broken(
                    list.clone(),
                    format!("line {}: `{word}` is no class", line + 1),
                )
            })?;
            classes.push(class);
        }
        let pre = self.sight()?;
        let mut pictures = Vec::new();
        for path in strips {
            let strip = Picture::open(path).map_err(DataError::Picture)?;
            let (wanted, side) = (pre.width * pre.height, strip.width().isqrt());
            // Square, or of the network's extents.
            let (width, height) = match strip.width() == wanted {
                true => (pre.width, pre.height),
                false if side * side == strip.width() => (side, side),
                false => {
                    let why = format!("rows of {} pixels are not square pictures", strip.width());
                    return Err(DataError::Broken(path.clone(), why));
                }
            };
            for row in strip.rgb().chunks_exact(3 * strip.width()) {
                let picture = Picture::from_rgb(width, height, row.to_vec());
                pictures.push(picture.expect("as many pixels as the row has"));
            }
        }
        if pictures.len() != classes.len() {
            let why = format!(
                "{} classes, but the strips have {} pictures",
                classes.len(),
                pictures.len()
            );
            return Err(DataError::Broken(list.clone(), why));
        }
        let count = pictures.len();
        let pictures = pictures.into_iter().zip(classes).map(Ok);
        Ok(Some(Data {
            kind: "strips of pictures".to_owned(),
            train: self.pictures(list, count, pictures)?,
            ..Data::default()
        }))
    }
}
