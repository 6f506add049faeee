//! What is wrong with data.

use cnnc_runtime::image::ImageError;
use cnnc_runtime::memory::OutOfMemory;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// What is wrong with data.
#[derive(Debug)]
#[non_exhaustive]
pub enum DataError {
    /// Nobody said where samples are.
    Unsaid,
    /// A file or folder cannot be read.
    File(PathBuf, io::Error),
    /// A folder with nothing that is known.
    Unknown(PathBuf),
    /// Nothing of the kind that was asked for.
    NotThat(PathBuf, &'static str),
    /// More broken files than are left out: how many are, and what is wrong with the next.
    ManyBroken(PathBuf, usize, String),
    /// A file that is not what it should be, and why.
    Broken(PathBuf, String),
    /// An array that cannot be read, by its file.
    Unreadable(String),
    /// Samples of another shape than the network's input, and why.
    Shape(PathBuf, String),
    /// A picture that cannot be read or made an input.
    Picture(ImageError),
    /// A class that the network does not have: the number, and how many there are.
    Class(PathBuf, u32, usize),
    /// Folders that are not the network's classes, and why.
    Classes(PathBuf, String),
    /// No samples for a purpose.
    Empty(PathBuf, &'static str),
    /// More than fits: samples, and the numbers of each.
    TooLarge(PathBuf, usize, usize),
    /// There is no memory for them.
    Memory(PathBuf, OutOfMemory),
    /// A network whose input is no picture.
    NoPicture(String),
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DataError::Unsaid => f.write_str(
                "there is nothing to learn from: name it, `--data PATH`, or in the train section, `data folder \"signs/\"`",
            ),
            DataError::File(path, error) => write!(f, "{}: {error}", path.display()),
            DataError::Unknown(path) => write!(
                f,
                "{}: no data is known by these files; there are idx files (`train-images-idx3-ubyte` …), strips of pictures with a `labels….txt`, folders \
                 of pictures, sounds or arrays (`.npy`, `.npz`), one for each class, pictures with boxes (`Annotations` in VOC's XML, `labels` in YOLO's rows), pictures with pictures (`images` beside `masks` or `targets`), sounds called `CLASS_….wav`, and files ending in `.csv`, `.ts` and `.npz`",
                path.display()
            ),
            DataError::NotThat(path, kind) => {
                write!(f, "{}: no data of the kind `{kind}` are here", path.display())
            }
            DataError::ManyBroken(path, most, next) => write!(
                f,
                "{}: more than {most} files are broken; the next is {next}",
                path.display()
            ),
            DataError::Broken(path, why) | DataError::Shape(path, why) => {
                write!(f, "{}: {why}", path.display())
            }
            DataError::Unreadable(why) => f.write_str(why),
            DataError::Picture(error) => error.fmt(f),
            DataError::Class(path, class, classes) => write!(
                f,
                "{}: the class {class} is none of the network's {classes}, which are 0 to {}",
                path.display(),
                classes - 1
            ),
            DataError::Classes(path, why) => write!(f, "{}: {why}", path.display()),
            DataError::Empty(path, what) => write!(f, "{}: nothing {what}", path.display()),
            DataError::TooLarge(path, count, elements) => write!(
                f,
                "{}: {count} samples of {elements} numbers are more than the 4 GiB that samples may take",
                path.display()
            ),
            DataError::Memory(path, error) => write!(f, "{}: {error}", path.display()),
            DataError::NoPicture(network) => {
                write!(
                    f,
                    "the input of `{network}` is no picture, so that pictures cannot train it"
                )
            }
        }
    }
}

impl std::error::Error for DataError {}
