//! What is said of a failure.

use super::Failure;
use cnnc::compiler::words;
use cnnc::onnx::ExportError;
use std::fmt;

/// `a`, `b` and 3 more.
pub(super) fn list(names: &[String]) -> String {
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
            Failure::Unsupported => f.write_str("a spec has what is not supported"),
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
            Failure::Pictures { file, why } => write!(
                f,
                "{file}: what is said of pictures and classes does not suit the network: {why}"
            ),
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
                "{file}: a picture of a network is written as .svg, .png, .jpg, .mmd (Mermaid) or .dot"
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
