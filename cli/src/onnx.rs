//! ONNX files in the place of specs: imported, compiled and run without leaving files.

use crate::inputs::Sample;
use crate::{Failure, print, size, spec};
use cnnc::onnx::{self, From, Imported, OnnxError, Options, Pictures};
use cnnc::rt::tensor_file::{read_tensors, write_npy};
use cnnc::{Model, Outputs};
use std::path::{Path, PathBuf};

/// Extents that an ONNX file leaves open.
#[derive(clap::Args, Clone, Default)]
pub struct Open {
    /// Of an .onnx: extents of an input that the file leaves open, without the batch: `--shape images=3x640x640`
    #[arg(long, value_name = "NAME=3x640x640", value_parser = shape)]
    shape: Vec<(String, Vec<usize>)>,
}

/// How pictures become the input of a network that does not say so.
#[derive(clap::Args, Clone, Default)]
pub struct Look {
    /// Of an .onnx: scale pictures, `256` for the shorter side or `227x227`
    #[arg(long, value_name = "N|WxH", value_parser = extents_of)]
    resize: Option<String>,
    /// Of an .onnx: cut out the middle
    #[arg(long, value_name = "N|WxH", value_parser = extents_of)]
    crop: Option<String>,
    /// Of an .onnx: what becomes of pixels: unit, imagenet, symmetric or caffe
    #[arg(long, value_name = "HOW", value_parser = ["unit", "imagenet", "symmetric", "caffe"])]
    normalize: Option<String>,
    /// Of an .onnx: channels are blue, green, red
    #[arg(long)]
    bgr: bool,
    /// Of an .onnx: what 8-bit values are multiplied by, instead of 1/255
    #[arg(long, value_name = "X", value_parser = scale)]
    pixel_scale: Option<f64>,
}

fn shape(text: &str) -> Result<(String, Vec<usize>), String> {
    let parsed = text.rsplit_once('=').and_then(|(name, dims)| {
        let dims: Option<Vec<usize>> = dims
            .split('x')
            .map(|n| n.parse().ok().filter(|n| (1..=1 << 24).contains(n)))
            .collect();
        Some((name.to_owned(), dims?))
    });
    parsed.ok_or_else(|| {
        "a shape is written like images=3x640x640: the extents behind the batch".to_owned()
    })
}

fn extents_of(text: &str) -> Result<String, String> {
    match size::one_or_both(text, 1 << 14) {
        Some(_) => Ok(text.to_owned()),
        None => Err("a size is written like 256 or 640x480".to_owned()),
    }
}

fn scale(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(x) if f64::is_finite(x) && x > 0.0 => Ok(x),
        _ => Err("a positive number is expected".to_owned()),
    }
}

impl Look {
    /// With what `--letterbox` and `--labels` say.
    pub fn pictures(
        &self,
        letterbox: Option<&str>,
        labels: Option<&Path>,
    ) -> Result<Pictures, Failure> {
        let letterbox = match letterbox {
            None => None,
            Some(text) => Some(extents_of(text).map_err(|why| Failure::Read {
                file: format!("--letterbox={text}"),
                why,
            })?),
        };
        Ok(Pictures {
            resize: self.resize.clone(),
            crop: self.crop.clone(),
            letterbox,
            normalize: self.normalize.clone(),
            bgr: self.bgr,
            pixel_scale: self.pixel_scale,
            labels: labels.map(|labels| labels.to_string_lossy().into_owned()),
        })
    }

    /// Whether anything is said.
    pub fn is_given(&self) -> bool {
        self.resize.is_some()
            || self.crop.is_some()
            || self.normalize.is_some()
            || self.bgr
            || self.pixel_scale.is_some()
    }
}

/// Whether a file is called as ONNX's are.
pub fn is_one(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("onnx"))
}

/// Imports a file.
pub fn import(
    path: &Path,
    open: &Open,
    pictures: Pictures,
    samples: Vec<Vec<usize>>,
    place: Option<PathBuf>,
) -> Result<Imported, Failure> {
    let stem = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let file: String = file.chars().filter(|c| !c.is_control()).collect();
    let mut options = Options {
        name: stem,
        doc: format!("Imported from {file}."),
        shapes: open.shape.clone(),
        samples,
        pictures,
        place,
    };
    onnx::import_file(path, &options).map_err(|error| {
        let file = path.display().to_string();
        let said = std::mem::take(&mut options.pictures) != Pictures::default();
        match error {
            // Where the file is imported without it, what is said is at fault.
            OnnxError::Beyond(why) if said && onnx::import_file(path, &options).is_ok() => {
                Failure::Pictures { file, why }
            }
            error => Failure::Onnx { file, error },
        }
    })
}

/// A spec, by its file or on standard input, or an ONNX file in its place.
pub fn model(path: &Path, open: &Open) -> Result<Model, Failure> {
    match is_one(path) {
        false => spec::compile(path),
        true => Ok(import(path, open, Pictures::default(), Vec::new(), None)?.model),
    }
}

/// Extents of the tensors in files, as far as each has one: they say what an .onnx leaves open.
pub fn extents(files: &[PathBuf]) -> Vec<Vec<usize>> {
    let tensors = files.iter().filter(|file| crate::inputs::is_tensors(file));
    let shape = |file: &PathBuf| match &read_tensors(file).ok()?[..] {
        [tensor] => Some(tensor.shape.clone()),
        _ => None,
    };
    tensors.map_while(shape).collect()
}

/// Tensors for the file's inputs, as its axes have them: the samples that they make, and what was read.
pub fn samples(
    imported: &Imported,
    files: &[PathBuf],
) -> Result<(Vec<Sample>, Vec<Vec<f32>>), Failure> {
    let inputs = &imported.inputs;
    let used: Vec<usize> = (0..inputs.len())
        .filter(|&at| inputs[at].port.is_some())
        .collect();
    // One file for each input, or for each that is read.
    let of: Vec<usize> = match files.len() {
        n if n > 0 && n.is_multiple_of(inputs.len()) => {
            (0..n).map(|at| at % inputs.len()).collect()
        }
        n if n > 0 && n.is_multiple_of(used.len()) => {
            (0..n).map(|at| used[at % used.len()]).collect()
        }
        n => {
            return Err(Failure::Uneven {
                files: n,
                inputs: inputs.len(),
            });
        }
    };
    let mut all = Vec::new();
    let mut kept: Vec<Vec<f32>> = vec![Vec::new(); inputs.len()];
    let mut run: Vec<(usize, Vec<f32>)> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for (at, file) in files.iter().enumerate() {
        let name = file.display().to_string();
        let mut found = read_tensors(file)?;
        let input = &inputs[of[at]];
        let place = found
            .iter()
            .position(|tensor| tensor.name == input.name)
            .or((found.len() == 1).then_some(0));
        let Some(place) = place else {
            let names = found.into_iter().map(|tensor| tensor.name).collect();
            return Err(Failure::NoTensor {
                file: name,
                input: input.name.clone(),
                names,
            });
        };
        let tensor = found.swap_remove(place);
        kept[of[at]].extend_from_slice(&tensor.values);
        if let Some(port) = input.port {
            let fed = imported.feed(of[at], &tensor.shape, &tensor.values);
            let fed = fed.map_err(|why| Failure::Read {
                file: name.clone(),
                why,
            })?;
            run.push((port, fed));
        }
        names.push(name);
        if of.get(at + 1).is_none_or(|&next| next <= of[at]) {
            run.sort_by_key(|(port, _)| *port);
            let name = std::mem::take(&mut names).join(" ");
            let tensors: Vec<Vec<f32>> = std::mem::take(&mut run)
                .into_iter()
                .map(|(_, values)| values)
                .collect();
            let ports = imported.model.graph().inputs.len();
            if tensors.len() != ports {
                return Err(Failure::Uneven {
                    files: files.len(),
                    inputs: inputs.len(),
                });
            }
            all.extend(Sample::images(&name, tensors, &imported.model)?);
        }
    }
    Ok((all, kept))
}

/// The outputs of an ONNX file, in its order and with its axes.
pub struct Results<'a> {
    imported: &'a Imported,
    values: Vec<Vec<f32>>,
    images: usize,
}

impl<'a> Results<'a> {
    /// None yet.
    pub fn new(imported: &'a Imported) -> Results<'a> {
        let values = vec![Vec::new(); imported.outputs.len()];
        Results {
            imported,
            values,
            images: 0,
        }
    }

    /// Adds those of one image.
    pub fn add(&mut self, outputs: &Outputs<'_>) {
        for (at, values) in self.values.iter_mut().enumerate() {
            if let Some(found) = self.imported.output(at, outputs) {
                values.extend_from_slice(&found);
            }
        }
        self.images += 1;
    }

    /// Writes them into a folder: `output_0.npy` and so on. `inputs` are the inputs as they were read.
    pub fn write(&self, folder: &Path, inputs: &[Vec<f32>]) -> Result<(), Failure> {
        make(folder)?;
        for (at, output) in self.imported.outputs.iter().enumerate() {
            let values = match &output.from {
                From::Port(_) | From::Head => &self.values[at],
                From::Input(input) => match inputs.get(*input) {
                    Some(values) => values,
                    None => continue,
                },
                From::Constant(values) => values,
            };
            let count: usize = output.dims.iter().product();
            let mut dims = output.dims.clone();
            if values.len() != count {
                // Several images stand behind one another along the batch.
                match dims.first_mut() {
                    Some(first) if *first > 0 && count > 0 => {
                        *first = *first * values.len() / count
                    }
                    _ => dims = vec![values.len()],
                }
            }
            write_npy(folder.join(format!("output_{at}.npy")), &dims, values)?;
        }
        Ok(())
    }
}

/// Whether `--raw` names a folder: one that is there, or a name that ends as a folder's does.
pub fn is_folder(path: &Path) -> bool {
    path.is_dir()
        || path
            .to_string_lossy()
            .ends_with(['/', std::path::MAIN_SEPARATOR])
}

/// Makes a folder, if it is not there.
pub fn make(folder: &Path) -> Result<(), Failure> {
    let file = folder.display().to_string();
    std::fs::create_dir_all(folder).map_err(|error| Failure::WriteFile { file, error })
}

/// Says what was guessed.
pub fn warn(imported: &Imported) {
    for note in &imported.notes {
        print::warning(note);
    }
}
