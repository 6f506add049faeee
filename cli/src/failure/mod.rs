//! Why a command failed: what there is of failures; their texts, helps and exit codes have files of their own.

mod exit;
mod help;
mod text;

use cnnc::compiler::diagnostic::Diagnostics;
use cnnc::compiler::gradient::check::TooMuch;
use cnnc::compiler::jit::JitError;
use cnnc::onnx::ExportError;
use cnnc::rt::answer::AnswerError;
use cnnc::rt::image::ImageError;
use cnnc::rt::isa::IsaError;
use cnnc::rt::memory::OutOfMemory;
use cnnc::rt::tensor_file::TensorFileError;
use cnnc::rt::weights::WeightsError;
use cnnc::train::{DataError, TrainError};

/// Why a command failed: always the user's mistake.
#[derive(Debug)]
pub enum Failure {
    /// It has been said already.
    Reported,
    /// The same, where all that is wrong is what is not supported.
    Unsupported,
    /// A signal has stopped a run, which can go on.
    Stopped {
        /// The signal.
        signal: i32,
        /// The run's folder.
        folder: std::path::PathBuf,
    },
    /// A run has ended in the middle, and can go on.
    Ended {
        /// Why.
        error: Box<TrainError>,
        /// The run's folder.
        folder: std::path::PathBuf,
    },
    /// In the spec, the weights, or what they are run with.
    Network(cnnc::Error),
    /// In a picture.
    Image(ImageError),
    /// In a file of tensors.
    Tensors(TensorFileError),
    /// A spec that cannot be read.
    Read {
        /// The file.
        file: String,
        /// Why not.
        why: String,
    },
    /// Nothing says what to judge a network by.
    NoData,
    /// Pictures of what is judged by other figures.
    NothingDrawn,
    /// A network is less good than its spec expects.
    Missed,
    /// A file that would be written is there already.
    Exists(std::path::PathBuf),
    /// No weights were given.
    NoWeights {
        /// The first tensor that is missing.
        tensor: String,
    },
    /// No input was given.
    NoInput {
        /// Names of the inputs.
        names: Vec<String>,
    },
    /// The files do not add up to whole inputs of the network.
    Uneven {
        /// Number of files.
        files: usize,
        /// Number of inputs.
        inputs: usize,
    },
    /// A picture for something that is none.
    NotAPicture {
        /// The file.
        file: String,
        /// The input.
        input: String,
        /// Its shape.
        shape: String,
    },
    /// A file of tensors without the one that is wanted.
    NoTensor {
        /// The file.
        file: String,
        /// The input.
        input: String,
        /// What the file has.
        names: Vec<String>,
    },
    /// A tensor of another shape.
    Shape {
        /// The file.
        file: String,
        /// The input.
        input: String,
        /// The input's shape.
        expected: String,
        /// The file's.
        found: String,
    },
    /// `--out` or `--draw` for an answer that is no picture, or cannot be drawn on one.
    NotShown {
        /// The flag.
        flag: &'static str,
        /// Why not.
        why: &'static str,
    },
    /// A darknet configuration that cannot be imported.
    Cfg {
        /// The file.
        file: String,
        /// Why not.
        error: cnnc::darknet::CfgError,
    },
    /// An ONNX file that is not imported.
    Onnx {
        /// The file.
        file: String,
        /// Why not.
        error: cnnc::onnx::OnnxError,
    },
    /// What was said of pictures and classes of an ONNX file is not true of it.
    Pictures {
        /// The file.
        file: String,
        /// Why not.
        why: String,
    },
    /// What a spec says itself was given beside one.
    NotOnnx,
    /// Another file in the place of a darknet configuration.
    NotCfg {
        /// The file.
        file: String,
        /// What it is.
        kind: cnnc::rt::sniff::Kind,
    },
    /// A network that cannot be written as ONNX.
    Export {
        /// The spec.
        spec: String,
        /// Why not.
        error: Box<ExportError>,
    },
    /// Names of classes that do not suit a network.
    Labels {
        /// The file.
        file: String,
        /// Why not.
        why: String,
    },
    /// A file that cannot be written.
    WriteFile {
        /// The file.
        file: String,
        /// Why not.
        error: std::io::Error,
    },
    /// The file to be written is one of those that are read.
    Overwrite {
        /// The file.
        file: String,
    },
    /// Weights that are there, and that no import of this network wrote.
    Kept {
        /// The file.
        file: String,
    },
    /// Two files to be written are one.
    Twice {
        /// The file.
        file: String,
    },
    /// The file to be written is called as one of a format that is not written.
    Ending {
        /// The file.
        file: String,
        /// Its ending.
        ending: String,
    },
    /// Weights without names, and no spec to name them by.
    Nameless {
        /// The file.
        file: String,
    },
    /// `--out` or `--draw` for several inputs.
    OneOut(&'static str),
    /// A flag for a head that has nothing of the kind.
    NoSetting {
        /// The setting, whose flag has its name.
        key: &'static str,
        /// What is said of it.
        why: String,
    },
    /// Outputs that do not fit the head.
    Answer(AnswerError),
    /// `identify` for a network that makes no embeddings.
    NoEmbedding,
    /// A gallery without pictures.
    EmptyGallery(String),
    /// A picture with too many boxes.
    Picture(cnnc::TooLarge),
    /// A class that the spec's head does not have.
    NoLabel {
        /// What was asked for.
        label: String,
        /// The labels that there are.
        labels: Vec<String>,
    },
    /// Windows do not slide.
    Sliding(cnnc::sliding::SlidingError),
    /// `propose` without a picture, and without data.
    NothingToPropose,
    /// A label that is no name of a folder.
    LabelOfFolder(String),
    /// `--slide` without a picture.
    NoPicture,
    /// `--slide --raw` for several pictures.
    OneRaw,
    /// Layers and tensors whose gradients are not those of differences.
    Gradients(Vec<String>),
    /// `--show` of a network that is too large for it.
    Numbers(TooMuch),
    /// In training, or in what a network is trained with.
    Train(TrainError),
    /// Files that are not there, or are not what they should be.
    Source(cnnc::source::SourceError),
    /// What is asked for together and does not go together.
    Flag {
        /// The flag.
        flag: &'static str,
        /// Why not.
        why: String,
    },
    /// So many files that could not be answered, each of which has been reported.
    LeftOut {
        /// How many.
        broken: usize,
        /// Of how many.
        of: usize,
    },
    /// A flag for one network, and there are several.
    OneNetwork {
        /// The flag.
        flag: &'static str,
        /// Number of networks.
        networks: usize,
    },
    /// Figures that cannot be compared with.
    Base {
        /// The file.
        file: String,
        /// Why not.
        why: String,
    },
    /// There is no such error code.
    NoCode(String),
    /// A name that no network of the zoo has.
    NoNetwork {
        /// The name.
        name: String,
        /// What may have been meant.
        near: Option<String>,
    },
    /// A file that outputs cannot be compared with.
    Compare {
        /// The file.
        file: String,
        /// Why not.
        why: String,
    },
    /// Outputs differ from another engine's by more than they may.
    Differs {
        /// The output that differs most.
        output: String,
        /// How many of its elements do.
        elements: usize,
        /// How far they may be apart.
        tolerance: f64,
    },
    /// A file whose name says no format that a picture of a network has.
    Format(String),
    /// A file whose name says another format than a flag.
    OtherFormat(String),
    /// A format that is only written to files.
    FileOnly(&'static str),
    /// Standard output takes no more.
    Write(std::io::Error),
}

impl std::error::Error for Failure {}

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Failure {
        match error {
            // What is wrong with a network is told as of every command.
            TrainError::Cnnc(error) => Failure::Network(error),
            error => Failure::Train(error),
        }
    }
}

/// Implements `From` for errors that become a variant as they are.
macro_rules! from {
    ($($variant:ident($error:ty))*) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Failure {
                Failure::$variant(error.into())
            }
        }
    )*};
}

from! {
    Network(cnnc::Error)
    Network(IsaError)
    Network(JitError)
    Network(WeightsError)
    Network(Diagnostics)
    Network(OutOfMemory)
    Image(ImageError)
    Answer(AnswerError)
    Tensors(TensorFileError)
    Picture(cnnc::TooLarge)
    Numbers(TooMuch)
    Sliding(cnnc::sliding::SlidingError)
    Source(cnnc::source::SourceError)
    Train(DataError)
    Write(std::io::Error)
}
