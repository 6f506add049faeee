//! Where samples lie, and which of them judge.

use std::path::PathBuf;

/// What a `data` clause says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// What lies there; where nothing is said, the files tell.
    pub kind: Option<DataKind>,
    /// A file or a folder.
    pub path: PathBuf,
    /// Names of columns of a table: of the label, and in front of it that of the picture; none where the table says itself which they are.
    pub columns: Vec<String>,
    /// Samples of their own to be judged by.
    pub test: Option<PathBuf>,
    /// How one set of samples is divided.
    pub split: Option<Split>,
}

/// How one set of samples is divided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Split {
    /// Shares to learn from, to be judged by, and to be kept apart, by the hash of each sample's place.
    Hash([u32; 3]),
    /// A file with a line for each sample that judges.
    List(PathBuf),
}

/// A kind of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataKind {
    /// A folder for each class, of pictures, sounds or arrays.
    Folder,
    /// A folder for each identity, of pictures.
    Identities,
    /// MNIST's files.
    Idx,
    /// Strips of pictures with a list of labels.
    Cifar,
    /// Numbers, or paths of pictures, with a label in each row.
    Csv,
    /// Time series of the UCR and UEA archives.
    Ts,
    /// Sounds whose names say their class.
    Wav,
    /// Pictures with boxes in VOC's XML.
    Voc,
    /// Pictures with boxes in rows of text, as YOLO has them.
    Yolo,
    /// Pictures with a picture each: classes of pixels, or what the network should make of them.
    Pictures,
    /// Arrays of numpy, with a target for each sample.
    Npz,
}

impl DataKind {
    /// All, as they are written.
    pub const NAMES: [&'static str; 11] = [
        "folder",
        "identities",
        "idx",
        "cifar",
        "csv",
        "ts",
        "wav",
        "voc",
        "yolo",
        "pictures",
        "npz",
    ];

    const ALL: [DataKind; 11] = [
        DataKind::Folder,
        DataKind::Identities,
        DataKind::Idx,
        DataKind::Cifar,
        DataKind::Csv,
        DataKind::Ts,
        DataKind::Wav,
        DataKind::Voc,
        DataKind::Yolo,
        DataKind::Pictures,
        DataKind::Npz,
    ];

    /// As it is written.
    pub fn name(self) -> &'static str {
        DataKind::NAMES[self as usize]
    }

    /// The one of that name.
    pub fn find(name: &str) -> Option<DataKind> {
        let at = DataKind::NAMES.iter().position(|known| *known == name)?;
        Some(DataKind::ALL[at])
    }
}
