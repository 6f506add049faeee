//! Tensors of files as inputs: by name, by shape, one for each element of a batch; bytes as pixels.

use super::Sample;
use crate::{Failure, print};
use cnnc::Model;
use cnnc::rt::image::{Picture, PreProcess};
use cnnc::rt::plan::Port;
use cnnc::rt::tensor_file::Tensor;

/// The tensors of every input by name, if all are there.
pub(super) fn every(ports: &[Port], found: &[Tensor]) -> Option<Vec<Tensor>> {
    let find = |port: &Port| found.iter().position(|tensor| tensor.name == port.name);
    let at: Vec<usize> = ports.iter().map(find).collect::<Option<_>>()?;
    Some(at.into_iter().map(|index| found[index].clone()).collect())
}

/// The tensor that is meant for the input: of its name, called `input`, or the only one.
pub(super) fn select(mut found: Vec<Tensor>, port: &Port, file: &str) -> Result<Tensor, Failure> {
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
pub(super) fn pixels(model: &Model, input: usize) -> Option<&PreProcess> {
    model.graph().inputs[input].pre.as_ref()
}

/// The elements of a tensor that has the input's shape, or that behind a batch of one. Bytes are pixels, as the spec's input declares them.
pub(super) fn one(
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
pub(super) fn batch(
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
