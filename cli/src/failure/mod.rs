//! Why a command failed.

use cnnc::compiler::diagnostic::{Diagnostic, Diagnostics, Severity, codes};
use cnnc::compiler::gradient::check::TooMuch;
use cnnc::compiler::jit::JitError;
use cnnc::compiler::slide::SlideError;
use cnnc::compiler::words;
use cnnc::darknet::Mistake;
use cnnc::onnx::ExportError;
use cnnc::rt::answer::AnswerError;
use cnnc::rt::image::{ImageError, ImageProblem};
use cnnc::rt::isa::IsaError;
use cnnc::rt::memory::OutOfMemory;
use cnnc::rt::tensor_file::TensorFileError;
use cnnc::rt::weights::WeightsError;
use cnnc::train::{DataError, TrainError};
use std::fmt;

/// Why a command failed: always the user's mistake.
#[derive(Debug)]
pub enum Failure {
    /// It has been said already.
    Reported,
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

impl Failure {
    /// The exit code: 1 for a mistake, or figures that are not what is expected; 3 for what this version, or this machine, does not support. `main` has
    /// 2, for a command line that cannot be understood.
    pub fn exit_code(&self) -> u8 {
        match self {
            _ if self.is_unsupported() => 3,
            _ => 1,
        }
    }

    /// Whether nothing is wrong, but that it cannot be done here.
    fn is_unsupported(&self) -> bool {
        match self {
            Failure::Network(cnnc::Error::Spec(diagnostics)) => {
                let errors = diagnostics.items().iter();
                let mut errors = errors.filter(|item| item.severity() == Severity::Error);
                let later = |item: &Diagnostic| {
                    let said = |note: &String| note.starts_with("not supported yet");
                    item.code == codes::NOT_YET || item.notes.iter().any(said)
                };
                errors.next().is_some_and(later) && errors.all(later)
            }
            Failure::Network(cnnc::Error::Isa(IsaError::Unavailable(_))) => true,
            Failure::Network(cnnc::Error::Jit(JitError::Host(_) | JitError::Unavailable(_))) => {
                true
            }
            Failure::Image(error) => matches!(error.problem, ImageProblem::Unsupported(_)),
            Failure::Cfg { error, .. } => matches!(error.mistake, Mistake::Unsupported { .. }),
            Failure::Onnx { error, .. } => error.is_unsupported(),
            Failure::Export { error, .. } => !matches!(**error, ExportError::Weights(_)),
            _ => false,
        }
    }

    /// The mistakes in a spec, if that is what it is.
    pub fn diagnostics(&self) -> Option<&Diagnostics> {
        match self {
            Failure::Network(cnnc::Error::Spec(diagnostics)) => Some(diagnostics),
            _ => None,
        }
    }

    /// What would help.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Failure::NoNetwork { near: Some(near), .. } => format!("did you mean `{near}`?"),
            Failure::NoNetwork { .. } => "`cnnc zoo` lists them".to_owned(),
            Failure::NoWeights { .. } => {
                "give `--weights FILE.safetensors`, or `--weights synthetic` for made-up ones"
                    .to_owned()
            }
            Failure::NoInput { names } if names.len() == 1 => {
                "name a picture, a .npy, .npz or .safetensors file, or give `--input synthetic`"
                    .to_owned()
            }
            Failure::NoInput { .. } => {
                "name one file for each input, or give `--input synthetic`".to_owned()
            }
            Failure::NotAPicture { .. } => "give it as .npy, .npz or .safetensors".to_owned(),
            Failure::NoTensor { names, .. } if !names.is_empty() => {
                format!("it has {}", list(names))
            }
            Failure::Nameless { .. } => {
                "name the spec of the network: `cnnc convert SPEC --weights FILE OUT`".to_owned()
            }
            Failure::Kept { .. } => {
                "give another name for the spec, or `--force` to replace them".to_owned()
            }
            Failure::Overwrite { .. } | Failure::Twice { .. } => "give another name for what is written".to_owned(),
            Failure::Ending { .. } => "call it `….safetensors`".to_owned(),
            Failure::EmptyGallery(_) => {
                "a gallery has a sub-folder of pictures for each identity, or a picture named after it"
                    .to_owned()
            }
            Failure::Picture(_) => "show less with `--depth 0`, or leave out `--expand`".to_owned(),
            Failure::Network(cnnc::Error::Slide(SlideError::Fixed { .. })) => {
                "every window is answered as if it were alone, so nothing may depend on its border: \
                 let the input have the pixels that the layer pads, as specs/lenet5_slide.cnn does"
                    .to_owned()
            }
            Failure::Numbers(TooMuch::Work(_)) => {
                "leave out `--show`: layers are checked one by one, whatever the size of the network"
                    .to_owned()
            }
            Failure::NoCode(_) => "codes look like E0101; a diagnostic shows its own".to_owned(),
            _ => return None,
        })
    }
}

/// `a`, `b` and 3 more.
fn list(names: &[String]) -> String {
    let shown: Vec<_> = names
        .iter()
        .take(8)
        .map(|name| format!("`{name}`"))
        .collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Reported => f.write_str("a spec has mistakes"),
            Failure::Stopped { folder, .. } => write!(
                f,
                "stopped, and saved behind its last step; `cnnc train --resume {}` goes on",
                folder.display()
            ),
            Failure::Ended { error, folder } => write!(
                f,
                "{error}\nwhat was saved is there; `cnnc train --resume {}` goes on from it",
                folder.display()
            ),
            Failure::Network(error) => error.fmt(f),
            Failure::Image(error) => error.fmt(f),
            Failure::Tensors(error) => error.fmt(f),
            Failure::Read { file, why } => write!(f, "`{file}` cannot be read: {why}"),
            Failure::NoData => f.write_str(
                "nothing says which pictures: give `--data DIR`, or the spec `expect { accuracy 0.98 on \"DIR\" }`",
            ),
            Failure::NothingDrawn => f.write_str(
                "`--out` and `--worst` draw what a network of one class, one box or points a picture mistakes, and `--out` how well boxes are found: there is nothing of that here",
            ),
            Failure::Missed => f.write_str("the accuracy is less than the spec expects"),
            Failure::Exists(path) => write!(f, "{}: it is there already", path.display()),
            Failure::NoWeights { tensor } => {
                write!(f, "the network needs weights, `{tensor}` for one")
            }
            Failure::NoInput { names } => write!(f, "the network needs an input: {}", list(names)),
            Failure::Uneven { files, inputs } => {
                write!(
                    f,
                    "{files} files do not make whole runs of a network with {inputs} inputs"
                )
            }
            Failure::NotAPicture { file, input, shape } => {
                write!(
                    f,
                    "{file}: input `{input}` is {shape}, which is not the shape of a picture"
                )
            }
            Failure::NoTensor { file, input, .. } => {
                write!(f, "{file}: it has no tensor for input `{input}`")
            }
            Failure::Shape {
                file,
                input,
                expected,
                found,
            } => {
                write!(
                    f,
                    "{file}: input `{input}` is {expected}, but the tensor is {found}"
                )
            }
            Failure::NotShown { flag, why } => write!(f, "`{flag}` cannot be written: {why}"),
            Failure::OneOut(flag) => {
                write!(
                    f,
                    "`{flag}` takes the answer to one input, but there are several"
                )
            }
            Failure::Cfg { file, error } => write!(f, "{file}: {error}"),
            Failure::Onnx { file, error } => write!(f, "{file}: {error}"),
            Failure::NotOnnx => f.write_str("how pictures become the input stands in the spec; `--resize` and its like are for .onnx files"),
            Failure::NotCfg { file, kind } => {
                write!(
                    f,
                    "`{file}` is {}, not a configuration of darknet",
                    kind.name
                )?;
                match kind.advice {
                    "" => Ok(()),
                    advice => write!(f, "; {advice}"),
                }
            }
            Failure::Export { error, .. } if matches!(**error, ExportError::Weights(_)) => {
                error.fmt(f)
            }
            Failure::Export { spec, error } => write!(f, "{spec}: {error}"),
            Failure::Labels { file, why } => write!(f, "--labels {file}: {why}"),
            Failure::WriteFile { file, error } => write!(f, "cannot write {file}: {error}"),
            Failure::Overwrite { file } => {
                write!(f, "`{file}` would be overwritten, and it is read")
            }
            Failure::Kept { file } => write!(
                f,
                "`{file}` would be replaced, and no import of this network wrote it"
            ),
            Failure::Twice { file } => write!(f, "`{file}` would be written twice"),
            Failure::Ending { file, ending } => write!(
                f,
                "`{file}` would be safetensors, although its name ends in `.{ending}`"
            ),
            Failure::Nameless { file } => {
                write!(f, "{file}: the tensors have no names of their own")
            }
            Failure::NoSetting { key, why } => write!(f, "`--{key}` {why}"),
            Failure::Answer(error) => error.fmt(f),
            Failure::NoEmbedding => f.write_str(
                "faces are compared by their embeddings, and the spec has no `head embed`",
            ),
            Failure::EmptyGallery(folder) => write!(f, "{folder}: there is no picture in it"),
            Failure::Picture(error) => error.fmt(f),
            Failure::NoLabel { label, labels } => match labels.is_empty() {
                true => write!(f, "`{label}` is no class: the spec's head has no `labels`"),
                false => write!(f, "`{label}` is no class; there are {}", list(labels)),
            },
            Failure::Sliding(error) => error.fmt(f),
            Failure::NothingToPropose => {
                f.write_str("`propose` needs pictures, or `--data DIR` with boxes to be judged by")
            }
            Failure::LabelOfFolder(label) => write!(
                f,
                "the class `{label}` is no name for a folder, so that its crops have no place"
            ),
            Failure::NoPicture => f.write_str("`--slide` needs a picture"),
            Failure::OneRaw => {
                f.write_str("`--slide --raw` takes one picture, since each has its own extents")
            }
            Failure::Gradients(wrong) => {
                write!(f, "gradients are not those of differences: {}", list(wrong))
            }
            Failure::Numbers(error) => error.fmt(f),
            Failure::Train(error) => error.fmt(f),
            Failure::Source(error) => error.fmt(f),
            Failure::Flag { flag, why } => write!(f, "`{flag}`: {why}"),
            Failure::LeftOut { broken, of } => {
                write!(f, "{broken} of {of} files could not be answered")
            }
            Failure::OneNetwork { flag, networks } => {
                write!(f, "`{flag}` is of one network, and there are {networks}")
            }
            Failure::Base { file, why } => write!(f, "`{file}` cannot be compared with: {why}"),
            Failure::NoNetwork { name, .. } => {
                write!(f, "there is no network `{name}` in the zoo")
            }
            Failure::Compare { file, why } => write!(f, "--compare {file}: {why}"),
            Failure::Differs {
                output,
                elements,
                tolerance,
            } => {
                let elements = words::count(*elements, "element");
                write!(
                    f,
                    "the outputs differ: {elements} of `{output}` by more than {tolerance} of its largest number"
                )
            }
            Failure::Format(file) => write!(
                f,
                "{file}: a picture of a network is written as .svg, .png, .mmd (Mermaid) or .dot"
            ),
            Failure::OtherFormat(file) => {
                write!(f, "{file}: `--format` says another format than the file's name")
            }
            Failure::FileOnly(flag) => write!(f, "`{flag}` is written to a file: name it with `-o`"),
            Failure::NoCode(code) => write!(f, "there is no error code `{code}`"),
            Failure::Write(error) => write!(f, "cannot write: {error}"),
        }
    }
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
