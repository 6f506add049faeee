//! What a file, or a folder of frames, is to a network with one input.

use super::Sample;
use super::arrays::{batch, select};
use super::sounds::{Runs, Unheard};
use crate::{Failure, print};
use cnnc::Model;
use cnnc::rt::image::{PreProcess, is_called_a_picture};
use cnnc::rt::memory::zeros;
use cnnc::rt::plan::Port;
use cnnc::rt::tensor_file::read_tensors;
use cnnc::source::{SourceError, Viewed};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Whether a file is called as one of tensors.
pub fn is_tensors(file: &Path) -> bool {
    ends_with(file, &["npy", "npz", "safetensors"])
}

fn is_sound(file: &Path) -> bool {
    ends_with(file, &["wav"])
}

fn ends_with(file: &Path, endings: &[&str]) -> bool {
    let ending = file.extension().and_then(OsStr::to_str).unwrap_or_default();
    endings.contains(&ending.to_ascii_lowercase().as_str())
}

/// Whether a file of a folder is called as one that the network's only input is made of.
pub fn is_called_an_input(model: &Model, file: &Path) -> bool {
    let input = &model.graph().inputs[0];
    match (&input.pre, &input.hearing) {
        (Some(_), _) => is_called_a_picture(file),
        (None, Some(_)) => is_sound(file) || is_tensors(file),
        _ => is_tensors(file),
    }
}

/// Whether the network's only input is frames, which a folder has.
pub fn takes_frames(model: &Model) -> bool {
    let [input] = &model.graph().inputs[..] else {
        return false;
    };
    input.frames.is_some()
}

/// The runs of a file of a network with one input: one, or one for each element of a batch, or for each frame of a sound. A picture that
/// is kept can be drawn on without reading it again.
pub fn each(
    model: &Model,
    port: &Port,
    (name, file): (String, &Path),
    kept: bool,
) -> Result<Runs, Failure> {
    let input = &model.graph().inputs[0];
    if is_tensors(file) {
        let tensor = select(read_tensors(file)?, port, &name)?;
        return Ok(Runs::Made(batch(tensor, port, input.pre.as_ref(), &name)?));
    }
    if let (true, Some(hearing)) = (is_sound(file), input.hearing) {
        let shape = match *port.shape {
            [channels, length] => [channels, length],
            _ => [1, port.elements()],
        };
        return Unheard {
            name,
            file: file.to_owned(),
            hearing,
            shape,
        }
        .runs();
    }
    if let (true, Some(pre)) = (file.is_dir(), &input.frames) {
        return Ok(Runs::Made(vec![video(port, pre, name, file)?]));
    }
    let Some(pre) = &input.pre else {
        return Err(Failure::NotAPicture {
            file: name,
            input: port.name.to_string(),
            shape: print::shape(&port.shape),
        });
    };
    let viewed = Viewed::open(file, pre, kept)?;
    Ok(Runs::Made(vec![Sample::of_view(name, file, viewed, pre)?]))
}

/// The frames of a folder, in the order of their names, as planes behind one another: of more than the network takes those that are
/// evenly spread.
fn video(port: &Port, pre: &PreProcess, name: String, folder: &Path) -> Result<Sample, Failure> {
    let broken = |why: String| {
        Failure::Source(SourceError {
            place: name.clone(),
            why,
        })
    };
    let entries = std::fs::read_dir(folder).map_err(|error| broken(error.to_string()))?;
    let mut frames: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    frames.retain(|path| path.is_file() && is_called_a_picture(path));
    frames.sort_unstable();
    let &[channels, depth, height, width] = &*port.shape else {
        return Err(broken("the network takes no frames".to_owned()));
    };
    if frames.len() < depth {
        let found = frames.len();
        return Err(broken(format!(
            "it has {found} frames, but the network takes {depth}"
        )));
    }
    let mut numbers = zeros(port.elements())?;
    let plane = height * width;
    for at in 0..depth {
        let frame = &frames[(2 * at + 1) * frames.len() / (2 * depth)];
        let viewed = Viewed::open(frame, pre, false)?;
        let seen = pre.input(&viewed.seen, &frame.display().to_string())?;
        for channel in 0..channels {
            let to = &mut numbers[(channel * depth + at) * plane..][..plane];
            to.copy_from_slice(&seen[channel * plane..][..plane]);
        }
    }
    Ok(Sample {
        name,
        tensors: vec![numbers],
        picture: None,
    })
}
