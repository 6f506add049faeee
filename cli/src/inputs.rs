//! What a network is run on: pictures, files of tensors, or made-up numbers.

use crate::{Failure, print};
use cnnc::Model;
use cnnc::rt::answer::Placement;
use cnnc::rt::image::{Picture, PreProcess, is_called_a_picture};
use cnnc::rt::input::Input;
use cnnc::rt::memory::{OutOfMemory, reserved, zeros};
use cnnc::rt::plan::Port;
use cnnc::rt::synthetic::Synthetic;
use cnnc::rt::tensor_file::{Tensor, read_tensors};
use cnnc::source::{Heard, SourceError};
use std::borrow::{Borrow, Cow};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The inputs of one run.
pub struct Sample {
    /// Where they come from.
    pub name: String,
    /// Their elements, in the spec's order.
    tensors: Vec<Vec<f32>>,
    /// The first picture among them, and where it lies in its input.
    picture: Option<(Shown, Placement)>,
}

/// A picture that may be drawn on.
enum Shown {
    /// It is read again.
    File(PathBuf),
    /// It is kept.
    Kept(Box<Picture>),
}

impl Sample {
    /// Where the picture lies in the input: what is found is in its pixels. Without one, in the input's.
    pub fn placement(&self, ports: &[Port]) -> Placement {
        match (&self.picture, &*ports[0].shape) {
            (Some((_, place)), _) => *place,
            (None, &[.., rows, columns]) => Placement::new(columns, rows),
            (None, _) => Placement::new(1, 1),
        }
    }

    /// The picture as it was read, to be drawn on.
    pub fn picture(&self, flag: &'static str) -> Result<Picture, Failure> {
        let why = "the input is not a picture";
        match &self.picture {
            Some((Shown::File(path), _)) => Ok(Picture::open(path)?),
            Some((Shown::Kept(picture), _)) => Ok((**picture).clone()),
            None => Err(Failure::NotShown { flag, why }),
        }
    }

    /// The sample of a picture that has been decoded; where it is kept, it can be drawn on.
    pub fn of_picture(
        name: String,
        picture: Picture,
        pre: &PreProcess,
        kept: bool,
    ) -> Result<Sample, Failure> {
        let place = pre.placement(picture.width(), picture.height());
        let tensors = vec![pre.apply(&picture, &name)?];
        let shown = match kept {
            true => Shown::Kept(Box::new(picture)),
            false => Shown::File(PathBuf::from(&name)),
        };
        Ok(Sample {
            name,
            tensors,
            picture: Some((shown, place)),
        })
    }

    /// The inputs as a session takes them.
    pub fn views(&self) -> Vec<&dyn Input> {
        self.tensors
            .iter()
            .map(|tensor| tensor as &dyn Input)
            .collect()
    }
}

/// The inputs of several runs as those of one, each with all images behind one another.
pub fn together<'s>(
    samples: &'s [impl Borrow<Sample>],
) -> Result<Vec<Cow<'s, [f32]>>, OutOfMemory> {
    if let [sample] = samples {
        return Ok(sample
            .borrow()
            .tensors
            .iter()
            .map(|tensor| Cow::Borrowed(&**tensor))
            .collect());
    }
    let inputs = samples
        .first()
        .map_or(0, |sample| sample.borrow().tensors.len());
    let all = (0..inputs).map(|input| {
        let tensors = || samples.iter().map(|sample| &sample.borrow().tensors[input]);
        let mut all = reserved(tensors().map(Vec::len).sum())?;
        tensors().for_each(|tensor| all.extend_from_slice(tensor));
        Ok(Cow::Owned(all))
    });
    all.collect()
}

/// Inputs as a session takes them.
pub fn views<'a>(inputs: &'a [Cow<'_, [f32]>]) -> Vec<&'a dyn Input> {
    inputs.iter().map(|input| input as &dyn Input).collect()
}

/// Numbers made up from the inputs' names: `input` alone, or `input.a`, `input.b` and so on.
pub fn synthetic(ports: &[Port]) -> Result<Sample, OutOfMemory> {
    let tensors = ports.iter().map(|port| {
        let name = match ports.len() {
            1 => "input".to_owned(),
            _ => format!("input.{}", port.name),
        };
        Synthetic::input(&name).try_values(port.elements())
    });
    Ok(Sample {
        name: "synthetic".to_owned(),
        tensors: tensors.collect::<Result<_, _>>()?,
        picture: None,
    })
}

/// Reads files. A network with one input runs once for each picture or tensor; one with several takes that many
/// files for each run, or a file of tensors that has all of them by name.
pub fn read(model: &Model, ports: &[Port], files: &[PathBuf]) -> Result<Vec<Sample>, Failure> {
    if files.is_empty() {
        let names = ports.iter().map(|port| port.name.to_string()).collect();
        return Err(Failure::NoInput { names });
    }
    let mut samples = Vec::new();
    // Files of a run that still lacks some.
    let mut names: Vec<String> = Vec::new();
    let mut tensors: Vec<Vec<f32>> = Vec::new();
    let mut shown = None;
    for file in files {
        let name = file.display().to_string();
        let port = tensors.len();
        if ports.len() == 1 {
            samples.extend(each(model, &ports[0], file, false)?);
            continue;
        }
        if !is_tensors(file) {
            let (elements, place) = picture(model, port, &ports[port], file)?;
            tensors.push(elements);
            names.push(name);
            shown.get_or_insert_with(|| (Shown::File(file.clone()), place));
        } else {
            let found = read_tensors(file)?;
            match every(ports, &found) {
                Some(all) if ports.len() > 1 && tensors.is_empty() => {
                    let tensors = all
                        .into_iter()
                        .zip(ports)
                        .enumerate()
                        .map(|(at, (tensor, port))| one(tensor, port, pixels(model, at), &name));
                    let tensors = tensors.collect::<Result<_, _>>()?;
                    samples.push(Sample {
                        name,
                        tensors,
                        picture: None,
                    });
                    continue;
                }
                _ => {}
            }
            let tensor = select(found, &ports[port], &name)?;
            tensors.push(one(tensor, &ports[port], pixels(model, port), &name)?);
            names.push(name);
        }
        if tensors.len() == ports.len() {
            let name = std::mem::take(&mut names).join(" ");
            let tensors = std::mem::take(&mut tensors);
            samples.push(Sample {
                name,
                tensors,
                picture: shown.take(),
            });
        }
    }
    match tensors.len() {
        0 => Ok(samples),
        _ => Err(Failure::Uneven {
            files: files.len(),
            inputs: ports.len(),
        }),
    }
}

fn is_tensors(file: &Path) -> bool {
    ends_with(file, &["npy", "npz", "safetensors"])
}

fn is_sound(file: &Path) -> bool {
    ends_with(file, &["wav"])
}

fn ends_with(file: &Path, endings: &[&str]) -> bool {
    let ending = file.extension().and_then(OsStr::to_str).unwrap_or_default();
    endings.contains(&ending.to_ascii_lowercase().as_str())
}

/// The tensors of every input by name, if all are there.
fn every(ports: &[Port], found: &[Tensor]) -> Option<Vec<Tensor>> {
    let find = |port: &Port| found.iter().position(|tensor| tensor.name == port.name);
    let at: Vec<usize> = ports.iter().map(find).collect::<Option<_>>()?;
    Some(at.into_iter().map(|index| found[index].clone()).collect())
}

/// The tensor that is meant for the input: of its name, called `input`, or the only one.
fn select(mut found: Vec<Tensor>, port: &Port, file: &str) -> Result<Tensor, Failure> {
    let named = |name: &str| found.iter().position(|tensor| tensor.name == name);
    let only = (found.len() == 1).then_some(0);
    match named(&port.name).or_else(|| named("input")).or(only) {
        Some(index) => Ok(found.swap_remove(index)),
        None => Err(Failure::NoTensor {
            file: file.to_owned(),
            input: port.name.to_string(),
            names: found.into_iter().map(|tensor| tensor.name).collect(),
        }),
    }
}

/// How the bytes of an array become numbers of that input, if it takes pictures.
fn pixels(model: &Model, input: usize) -> Option<&PreProcess> {
    model.graph().inputs[input].pre.as_ref()
}

/// The elements of a tensor that has the input's shape, or that behind a batch of one. Bytes are pixels, as the spec's input declares them.
fn one(
    tensor: Tensor,
    port: &Port,
    pre: Option<&PreProcess>,
    file: &str,
) -> Result<Vec<f32>, Failure> {
    let pre = pre.filter(|_| tensor.bytes);
    match &tensor.shape[..] {
        [1, shape @ ..] | shape if *shape == *port.shape => {
            let mut values = tensor.values;
            if let Some(pre) = pre {
                let planes = values.chunks_exact_mut(pre.height * pre.width);
                for (plane, table) in planes.zip(pre.tables().iter().cycle()) {
                    plane
                        .iter_mut()
                        .for_each(|value| *value = table[*value as u8 as usize]);
                }
            }
            Ok(values)
        }
        shape => {
            let decoded = pre.and_then(|pre| Some((pre, decoded(&tensor)?)));
            if let Some((pre, picture)) = decoded {
                return Ok(pre.apply(&picture, file)?);
            }
            Err(Failure::Shape {
                file: file.to_owned(),
                input: port.name.to_string(),
                expected: print::shape(&port.shape),
                found: print::shape(shape),
            })
        }
    }
}

/// The picture that bytes are, as those who decode pictures into arrays lay them out: rows of pixels of one or three channels.
fn decoded(tensor: &Tensor) -> Option<Picture> {
    let bytes = || tensor.values.iter().map(|&value| value as u8).collect();
    match tensor.shape[..] {
        [height, width, 3] => Picture::from_rgb(width, height, bytes()),
        [height, width] | [height, width, 1] => {
            let grey: Vec<u8> = bytes();
            Picture::from_grey(width, height, &grey)
        }
        _ => None,
    }
}

/// A run for each element of the batch, if there is one.
fn batch(
    tensor: Tensor,
    port: &Port,
    pre: Option<&PreProcess>,
    file: &str,
) -> Result<Vec<Sample>, Failure> {
    let of = |name: String, tensor: Tensor| {
        Ok(Sample {
            name,
            tensors: vec![one(tensor, port, pre, file)?],
            picture: None,
        })
    };
    let Tensor { shape, bytes, .. } = &tensor;
    if let [count, shape @ ..] = &shape[..]
        && *shape == *port.shape
        && *count > 1
    {
        let elements = tensor.values.chunks_exact(tensor.values.len() / count);
        let sample = |(index, values): (usize, &[f32])| {
            let tensor = Tensor {
                name: String::new(),
                shape: shape.to_vec(),
                values: values.to_vec(),
                bytes: *bytes,
            };
            of(format!("{file}[{index}]"), tensor)
        };
        return elements.enumerate().map(sample).collect();
    }
    Ok(vec![of(file.to_owned(), tensor)?])
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
pub fn each(model: &Model, port: &Port, file: &Path, kept: bool) -> Result<Vec<Sample>, Failure> {
    let name = file.display().to_string();
    let input = &model.graph().inputs[0];
    if is_tensors(file) {
        let tensor = select(read_tensors(file)?, port, &name)?;
        return batch(tensor, port, input.pre.as_ref(), &name);
    }
    if let (true, Some(hearing)) = (is_sound(file), input.hearing) {
        let shape = match *port.shape {
            [channels, length] => [channels, length],
            _ => [1, port.elements()],
        };
        let heard = Heard::open(file, hearing, shape);
        let heard = heard.map_err(|error| Failure::Source(error.of(file)))?;
        let mut starts: Vec<Option<usize>> = heard.starts().into_iter().map(Some).collect();
        if starts.is_empty() {
            starts.push(None);
        }
        let frame = |start: Option<usize>| {
            let mut numbers = zeros(port.elements())?;
            heard.frame(start, &mut numbers);
            let second = start.map(|start| start as f64 / f64::from(heard.rate()));
            let name = match second {
                Some(second) => format!("{name}@{second:.3}"),
                None => name.clone(),
            };
            Ok(Sample {
                name,
                tensors: vec![numbers],
                picture: None,
            })
        };
        return starts.into_iter().map(frame).collect();
    }
    if let (true, Some(pre)) = (file.is_dir(), &input.frames) {
        return Ok(vec![video(port, pre, file)?]);
    }
    let Some(pre) = &input.pre else {
        return Err(Failure::NotAPicture {
            file: name,
            input: port.name.to_string(),
            shape: print::shape(&port.shape),
        });
    };
    let picture = Picture::open(file)?;
    let mut sample = Sample::of_picture(name, picture, pre, kept)?;
    if let (false, Some((shown, _))) = (kept, &mut sample.picture) {
        *shown = Shown::File(file.to_owned());
    }
    Ok(vec![sample])
}

/// The frames of a folder, in the order of their names, as planes behind one another: of more than the network takes those that are
/// evenly spread.
fn video(port: &Port, pre: &PreProcess, folder: &Path) -> Result<Sample, Failure> {
    let name = folder.display().to_string();
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
        let picture = Picture::open(frame)?;
        let seen = pre.apply(&picture, &frame.display().to_string())?;
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

/// A picture as the spec's input declares it, and where it lies in that input.
pub fn picture(
    model: &Model,
    index: usize,
    port: &Port,
    file: &Path,
) -> Result<(Vec<f32>, Placement), Failure> {
    let pre = model.graph().inputs[index].pre.as_ref();
    let Some(pre) = pre else {
        return Err(Failure::NotAPicture {
            file: file.display().to_string(),
            input: port.name.to_string(),
            shape: print::shape(&port.shape),
        });
    };
    let picture = Picture::open(file)?;
    let place = pre.placement(picture.width(), picture.height());
    Ok((pre.apply(&picture, &file.display().to_string())?, place))
}
