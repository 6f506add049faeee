//! MNIST's idx files: pictures in shades of grey, and a byte for each label; with or without gzip.

use super::files::{find, read};
use super::reader::Reader;
use super::{Data, DataError, Samples};
use cnnc_runtime::image::Picture;
use flate2::read::GzDecoder;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Most bytes that a file unpacks to.
const MOST: u64 = 1 << 30;

impl Reader<'_> {
    /// The samples of idx files, if the folder has them.
    pub(super) fn idx(&self, files: &[PathBuf]) -> Result<Option<Data>, DataError> {
        let Some(train) = self.pair(files, "train")? else {
            return Ok(None);
        };
        let test = self.pair(files, "t10k")?.or(self.pair(files, "test")?);
        Ok(Some(Data {
            kind: "idx files".to_owned(),
            train,
            test: test.unwrap_or_default(),
            ..Data::default()
        }))
    }

    fn pair(&self, files: &[PathBuf], of: &str) -> Result<Option<Samples>, DataError> {
        let images = find(files, &format!("{of}-images-idx3-ubyte"));
        let labels = find(files, &format!("{of}-labels-idx1-ubyte"));
        let (Some(images), Some(labels)) = (images, labels) else {
            return Ok(None);
        };
        let (dims, pixels) = idx(images, 3)?;
        let (count, classes) = idx(labels, 1)?;
        let [images_of, height, width] = dims[..] else {
            unreachable!("three were asked for")
        };
        if count[0] != images_of {
            let why = format!(
                "{} labels, but {images_of} pictures in {}",
                count[0],
                images.display()
            );
            return Err(DataError::Broken(labels.clone(), why));
        }
        let pictures = pixels.chunks_exact((height * width).max(1)).zip(&classes);
        let pictures = pictures.map(|(grey, &class)| {
            let picture = Picture::from_grey(width, height, grey);
            let picture = picture.ok_or_else(|| {
                DataError::Broken(images.clone(), format!("pictures of {width}x{height}"))
            })?;
            Ok((picture, class.into()))
        });
        self.pictures(images, images_of, pictures).map(Some)
    }
}

/// Extents and bytes of a file with so many dimensions.
fn idx(path: &Path, rank: usize) -> Result<(Vec<usize>, Vec<u8>), DataError> {
    let broken = |why: String| DataError::Broken(path.to_owned(), why);
    let mut bytes = read(path)?;
    if bytes.starts_with(&[0x1F, 0x8B]) {
        let mut unpacked = Vec::new();
        let unpack = GzDecoder::new(&*bytes)
            .take(MOST)
            .read_to_end(&mut unpacked);
        unpack.map_err(|error| broken(format!("the gzip file is broken: {error}")))?;
        bytes = unpacked;
    }
    let header = 4 + 4 * rank;
    if bytes.len() < header || bytes[..4] != [0, 0, 8, rank as u8] {
        return Err(broken(format!(
            "not an idx file of bytes with {rank} dimensions"
        )));
    }
    let extents = bytes[4..header].chunks_exact(4);
    let extents = extents.map(|n| u32::from_be_bytes([n[0], n[1], n[2], n[3]]) as usize);
    let extents: Vec<usize> = extents.collect();
    let count = extents
        .iter()
        .try_fold(1, |all: usize, &n| all.checked_mul(n));
    let elements = bytes.split_off(header);
    if count != Some(elements.len()) {
        let shape: Vec<String> = extents.iter().map(ToString::to_string).collect();
        let why = format!(
            "{} bytes follow a header that says {}",
            elements.len(),
            shape.join("x")
        );
        return Err(broken(why));
    }
    Ok((extents, elements))
}
