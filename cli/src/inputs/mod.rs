//! What a network is run on: pictures, files of tensors, or made-up numbers.

mod arrays;
mod files;
mod sounds;

pub use files::{each, is_called_an_input, takes_frames};
pub use sounds::Runs;

use crate::{Failure, print};
use arrays::{every, one, pixels, select};
use cnnc::Model;
use cnnc::rt::answer::Placement;
use cnnc::rt::image::{Picture, PreProcess};
use cnnc::rt::input::Input;
use cnnc::rt::memory::{OutOfMemory, reserved};
use cnnc::rt::plan::Port;
use cnnc::rt::synthetic::Synthetic;
use cnnc::rt::tensor_file::read_tensors;
use cnnc::source::Viewed;
pub use files::is_tensors;
use std::borrow::{Borrow, Cow};
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
    /// The images that tensors hold, one behind the other: as many in each as its input's elements go into it.
    pub fn images(
        name: &str,
        tensors: Vec<Vec<f32>>,
        model: &Model,
    ) -> Result<Vec<Sample>, Failure> {
        let graph = model.graph();
        let ports: Vec<usize> = graph
            .inputs
            .iter()
            .map(|input| graph.values[input.value].shape.elements())
            .collect();
        let counts: Vec<usize> = tensors
            .iter()
            .zip(&ports)
            .map(|(values, one)| values.len() / one)
            .collect();
        let images = counts.first().copied().unwrap_or(0);
        if counts.iter().any(|&count| count != images) {
            return Err(Failure::Uneven {
                files: tensors.len(),
                inputs: ports.len(),
            });
        }
        let sample = |image: usize| Sample {
            name: match images {
                1 => name.to_owned(),
                _ => format!("{name}[{image}]"),
            },
            tensors: tensors
                .iter()
                .zip(&ports)
                .map(|(values, &one)| values[image * one..][..one].to_vec())
                .collect(),
            picture: None,
        };
        Ok((0..images).map(sample).collect())
    }

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

    /// The sample of a picture; where it is not kept, it can be drawn on once it is read again from a file.
    pub fn of_view(
        name: String,
        file: &Path,
        viewed: Viewed,
        pre: &PreProcess,
    ) -> Result<Sample, Failure> {
        let tensors = vec![pre.input(&viewed.seen, &name)?];
        let shown = match viewed.picture {
            Some(picture) => Shown::Kept(Box::new(picture)),
            None => Shown::File(file.to_owned()),
        };
        Ok(Sample {
            name,
            tensors,
            picture: Some((shown, viewed.place)),
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
            samples.extend(each_of(model, &ports[0], file)?);
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

/// The same, but of several files of a network with one input those that cannot be read are left out, and added to what is broken.
pub fn read_unbroken(
    model: &Model,
    ports: &[Port],
    files: &[PathBuf],
    broken: &mut Vec<(String, Failure)>,
) -> Result<Vec<Sample>, Failure> {
    let ([port], [_, _, ..]) = (ports, files) else {
        return read(model, ports, files);
    };
    let mut samples = Vec::new();
    for file in files {
        match each_of(model, port, file) {
            Ok(of_file) => samples.extend(of_file),
            Err(failure) => broken.push((file.display().to_string(), failure)),
        }
    }
    Ok(samples)
}

/// The runs of a file of a network with one input, all at once.
fn each_of(model: &Model, port: &Port, file: &Path) -> Result<Vec<Sample>, Failure> {
    let runs = each(model, port, (file.display().to_string(), file), false)?;
    runs.begin()?.1.collect()
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
    let viewed = Viewed::open(file, pre, false)?;
    let numbers = pre.input(&viewed.seen, &file.display().to_string())?;
    Ok((numbers, viewed.place))
}
