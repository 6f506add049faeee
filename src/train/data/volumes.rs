//! Arrays of numpy in one `.npz` file: samples along the first axis of `x`, and what is known of each along that of `y`.
//!
//! `y` has a class for each, as whole numbers, or one for each pixel of what the network makes of it, or numbers in the shape of that.

use super::reader::{Reader, shape_is};
use super::wav::shown;
use super::{Data, DataError, Samples};
use cnnc_compiler::loss::UNLABELLED;
use cnnc_runtime::weights::{Dtype, TensorRef, Weights};
use std::path::Path;

/// What arrays are called: of both sets, or of one and of what judges.
const NAMES: [[&str; 2]; 3] = [["x", "y"], ["x_train", "y_train"], ["x_test", "y_test"]];

/// An array that has been read.
struct Array {
    name: &'static str,
    shape: Vec<usize>,
    values: Vec<f32>,
    bytes: bool,
}

/// What is known of each sample.
#[derive(Clone, Copy)]
enum Each {
    /// Classes.
    Classes(usize),
    /// Numbers.
    Numbers(usize),
}

impl Reader<'_> {
    /// The samples of a file.
    pub(super) fn volumes(&self, path: &Path) -> Result<Data, DataError> {
        let unreadable = |error: &dyn std::fmt::Display| DataError::Unreadable(error.to_string());
        let file = Weights::open(path).map_err(|error| unreadable(&error))?;
        let array = |name: &'static str| -> Result<Option<Array>, DataError> {
            let Some(tensor) = file.get(name) else {
                return Ok(None);
            };
            let TensorRef { shape, dtype, .. } = tensor;
            let values = tensor.to_f32().map_err(|error| unreadable(&error))?;
            Ok(Some(Array {
                name,
                shape: shape.to_vec(),
                values: values.into_owned(),
                bytes: dtype == Dtype::U8,
            }))
        };
        let set = |[x, y]: [&'static str; 2]| -> Result<Option<Samples>, DataError> {
            match (array(x)?, array(y)?) {
                (Some(x), Some(y)) => self.set(path, &x, &y).map(Some),
                (None, None) => Ok(None),
                (found, _) => {
                    let (there, lacks) = if found.is_some() { (x, y) } else { (y, x) };
                    let why = format!("it has an array `{there}`, but no `{lacks}`");
                    Err(DataError::Broken(path.to_owned(), why))
                }
            }
        };
        let [both, train, test] = NAMES;
        let kind = |name: &str| file.get(name).map(|tensor| tensor.dtype);
        let learned = [both[0], train[0]]
            .into_iter()
            .find(|name| kind(name).is_some());
        if let Some(learned) = learned
            && let (Some(a), Some(b)) = (kind(learned), kind(test[0]))
            && (a == Dtype::U8) != (b == Dtype::U8)
        {
            let why = format!(
                "`{learned}` is {a} and `{}` is {b}: bytes are pixels, which are scaled as the input says, and other numbers are inputs as they are, so that one is not judged by the other",
                test[0]
            );
            return Err(DataError::Broken(path.to_owned(), why));
        }
        let train = match set(both)? {
            Some(samples) => Some(samples),
            None => set(train)?,
        };
        let Some(train) = train else {
            let found = file.names().map(|name| {
                let shape = file
                    .get(name)
                    .map_or_else(String::new, |tensor| shown(tensor.shape));
                format!("`{name}` ({shape})")
            });
            let why = format!(
                "there are arrays {}; `x` and `y` are expected, or `x_train` and `y_train`, with `x_test` and `y_test` to be judged by",
                found.collect::<Vec<_>>().join(", ")
            );
            return Err(DataError::Broken(path.to_owned(), why));
        };
        Ok(Data {
            kind: "arrays".to_owned(),
            train,
            test: set(test)?.unwrap_or_default(),
            ..Data::default()
        })
    }

    fn set(&self, path: &Path, x: &Array, y: &Array) -> Result<Samples, DataError> {
        let broken = |why: String| DataError::Broken(path.to_owned(), why);
        let count = x.shape.first().copied().unwrap_or(0);
        if x.shape.len() < 2 || !shape_is(&x.shape[1..], self.shape) {
            return Err(broken(format!(
                "`{}` has the shape {}, but the network takes samples of {} along the first axis",
                x.name,
                shown(&x.shape),
                shown(self.shape)
            )));
        }
        if y.shape.first() != Some(&count) {
            return Err(broken(format!(
                "`{}` has the shape {}, but `{}` has {count} samples",
                y.name,
                shown(&y.shape),
                x.name
            )));
        }
        let each = self.each(&y.shape[1..]).ok_or_else(|| {
            broken(format!(
                "`{}` has {} for each sample: neither a class, nor a class for each pixel, nor the numbers of the network's output, {}",
                y.name,
                shown(&y.shape[1..]),
                self.output
            ))
        })?;
        // Bytes are pixels of pictures, for networks that take some; other numbers are inputs as they are.
        let mut filling = match x.bytes {
            true => self.filling(path),
            false => self.filling_of_numbers(path),
        };
        let mut labels = Vec::new();
        for (index, sample) in x.values.chunks_exact(self.elements().max(1)).enumerate() {
            match each {
                Each::Numbers(of) => {
                    let numbers = &y.values[index * of..][..of];
                    if let Some(number) = numbers.iter().find(|number| !number.is_finite()) {
                        let why = format!(
                            "{number} in `{}`, sample {}, is no number to learn from",
                            y.name,
                            index + 1
                        );
                        return Err(broken(why));
                    }
                    filling.known(sample, &[], numbers)?;
                }
                Each::Classes(of) => {
                    labels.clear();
                    for value in &y.values[index * of..][..of] {
                        labels.push(self.class_of(*value, of).ok_or_else(|| {
                            broken(format!(
                                "{value} in `{}`, sample {}, is none of the network's {} classes, which are 0 to {}",
                                y.name,
                                index + 1,
                                self.classes,
                                self.classes - 1
                            ))
                        })?);
                    }
                    filling.known(sample, &labels, &[])?;
                }
            }
        }
        Ok(filling.done())
    }

    /// What is known of a sample that has an array of that shape.
    fn each(&self, shape: &[usize]) -> Option<Each> {
        let count: usize = shape.iter().product();
        let (output, pixels) = (
            self.output.elements(),
            self.output.elements() / self.output.channels(),
        );
        match count {
            1 if output == 1 => Some(Each::Numbers(1)),
            1 if pixels == 1 => Some(Each::Classes(1)),
            _ if shape_is(shape, self.output.dims()) => Some(Each::Numbers(output)),
            _ if pixels > 1 && count == pixels && shape_is(shape, &self.output.dims()[1..]) => {
                Some(Each::Classes(pixels))
            }
            _ => None,
        }
    }

    /// The class that a number is; of pixels −1, and 255 where that is none, count for nothing.
    fn class_of(&self, value: f32, each: usize) -> Option<u32> {
        // Larger numbers are not all different in an f32.
        const DIFFERENT: u32 = 1 << 24;
        let class = value as u32;
        if class as f32 == value && (class as usize) < self.classes && class < DIFFERENT {
            return Some(class);
        }
        (each > 1 && [-1.0, 255.0].contains(&value)).then_some(UNLABELLED)
    }
}
