//! The fit of weights to a network: every tensor that it reads, checked.

use super::{FormatError, Problem, TensorRef, Weights, WeightsError};
use super::{convert, darknet, element_count};
use crate::plan::Source;
use crate::synthetic::Synthetic;
use safetensors::Dtype;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

/// Names at least this similar are suggested (1 is equal).
const SIMILAR: f64 = 0.6;

/// Most names of a file that are compared, and most missing tensors that are compared with them:
/// a file of a million tensors must not take minutes to refuse.
const COMPARED: (usize, usize) = (10_000, 20);

/// The tensors that a network reads, in the order of its sources: all there, with the right shapes.
#[derive(Debug)]
pub struct Bound<'a> {
    pub(crate) origin: &'a str,
    pub(crate) sources: &'a [Source],
    pub(crate) tensors: Vec<Values<'a>>,
    unused: Vec<&'a str>,
}

/// Where the elements of one tensor come from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Values<'a> {
    /// Elements of a floating-point type.
    File(TensorRef<'a>),
    Synthetic(Synthetic, usize),
    /// Written in the spec; they repeat.
    Literal(&'a [f32]),
}

impl<'a> Values<'a> {
    pub fn len(&self) -> usize {
        match self {
            Values::File(tensor) => tensor.bytes.len() / convert::width(tensor.dtype),
            Values::Synthetic(_, len) => *len,
            Values::Literal(values) => values.len(),
        }
    }

    /// The first `count` elements, where they already lie in memory as f32.
    pub fn borrow(&self, count: usize) -> Option<&'a [f32]> {
        let all = match self {
            Values::File(tensor) => convert::borrow(tensor.dtype, tensor.bytes)?,
            Values::Synthetic(..) => return None,
            Values::Literal(values) => values,
        };
        all.get(..count)
    }

    /// Reads the elements from index `start` on.
    pub fn read(&self, start: usize, out: &mut [f32]) {
        match self {
            Values::File(tensor) => convert::read(tensor.dtype, tensor.bytes, start, out),
            Values::Synthetic(synthetic, _) => synthetic.fill(start, out),
            Values::Literal(values) => {
                let mut from = start % values.len();
                let mut left = out;
                while !left.is_empty() {
                    let (now, later) = left.split_at_mut(left.len().min(values.len() - from));
                    now.copy_from_slice(&values[from..][..now.len()]);
                    (left, from) = (later, 0);
                }
            }
        }
    }

    /// The first `count` elements.
    pub fn to_f32(self, count: usize) -> Cow<'a, [f32]> {
        match self.borrow(count) {
            Some(floats) => Cow::Borrowed(floats),
            None => {
                let mut values = vec![0.0; count];
                self.read(0, &mut values);
                Cow::Owned(values)
            }
        }
    }
}

impl Weights {
    /// Finds every source and checks its shape and type.
    ///
    /// Values are not read yet: [`pack`](crate::pack::pack) does that, and finds those that are
    /// not finite; whoever uses the values without packing calls [`Bound::check_finite`].
    ///
    /// # Errors
    /// [`WeightsError::Unfit`] with all problems of all sources; [`WeightsError::Format`] where a file
    /// without names has other numbers than the sources, which must then be in the order of the layers.
    pub fn bind<'a>(&'a self, sources: &'a [Source]) -> Result<Bound<'a>, WeightsError> {
        if let Some(header) = self.in_order {
            return self.bind_in_order(header, sources);
        }
        let mut tensors = Vec::with_capacity(sources.len());
        let mut problems = Vec::new();
        let wanted: BTreeSet<&str> = sources.iter().map(|source| &*source.name).collect();
        let unused: Vec<&str> = self.names().filter(|name| !wanted.contains(name)).collect();
        for source in sources {
            let candidates = if problems.len() < COMPARED.1 {
                &unused[..]
            } else {
                &[]
            };
            match self.find(source, candidates) {
                Ok(values) => tensors.push(values),
                Err(problem) => problems.push(problem),
            }
        }
        if !problems.is_empty() {
            return Err(WeightsError::Unfit {
                origin: self.origin.clone(),
                problems,
            });
        }
        // PyTorch's count of training batches, which inference never needs.
        let counts = |name: &&str| name.rsplit('.').next() == Some("num_batches_tracked");
        let unused = unused.into_iter().filter(|name| !counts(name)).collect();
        Ok(Bound {
            origin: &self.origin,
            sources,
            tensors,
            unused,
        })
    }

    fn bind_in_order<'a>(
        &'a self,
        header: darknet::Header,
        sources: &'a [Source],
    ) -> Result<Bound<'a>, WeightsError> {
        let file = self.file();
        let ranges = darknet::assign(file, header, sources).map_err(|error| {
            let (origin, error) = (self.origin.clone(), FormatError::Darknet(error));
            WeightsError::Format { origin, error }
        })?;
        let tensor = |(source, range): (&'a Source, Range<usize>)| {
            let (shape, bytes) = (&source.shape[..], &file[range]);
            let dtype = Dtype::F32;
            Values::File(TensorRef {
                shape,
                dtype,
                bytes,
            })
        };
        Ok(Bound {
            origin: &self.origin,
            sources,
            tensors: sources.iter().zip(ranges).map(tensor).collect(),
            unused: Vec::new(),
        })
    }

    fn find<'a>(&'a self, source: &Source, unused: &[&str]) -> Result<Values<'a>, Problem> {
        let name = source.name.clone().into_owned();
        let expected = source.shape.to_vec();
        if self.is_synthetic() {
            let len = element_count(&expected).expect("a network's shapes can be counted");
            return Ok(Values::Synthetic(Synthetic::tensor(&name, &expected), len));
        }
        let Some(tensor) = self.get(&name) else {
            let same_shape = self.of_shape(unused, &expected);
            let nearest = nearest(&name, unused, &same_shape);
            return Err(Problem::Missing {
                name,
                shape: expected,
                nearest,
                same_shape,
                pair: None,
            });
        };
        if tensor.shape != expected {
            return Err(Problem::Shape {
                name,
                expected,
                found: tensor.shape.to_vec(),
            });
        }
        match tensor.dtype {
            Dtype::F32 | Dtype::F16 | Dtype::BF16 | Dtype::F64 => Ok(Values::File(tensor)),
            dtype => Err(Problem::Dtype { name, dtype }),
        }
    }

    fn of_shape(&self, unused: &[&str], shape: &[usize]) -> Vec<String> {
        let same = unused
            .iter()
            .filter(|name| self.index[**name].shape == shape);
        same.take(3).map(|name| (*name).to_owned()).collect()
    }
}

fn nearest(name: &str, unused: &[&str], same_shape: &[String]) -> Option<String> {
    let mut best = (SIMILAR, None);
    for &candidate in unused.iter().take(COMPARED.0) {
        if candidate.len() > 2 * name.len() {
            continue;
        }
        let mut score = strsim::normalized_levenshtein(name, candidate);
        if same_shape.iter().any(|same| same == candidate) {
            // Between names that are about as similar, the shape decides.
            score += 0.1;
        }
        if score >= best.0 {
            best = (score, Some(candidate));
        }
    }
    best.1.map(str::to_owned)
}

impl<'a> Bound<'a> {
    /// Tensors of the file that the network does not read, without PyTorch's counters.
    pub fn unused(&self) -> &[&'a str] {
        &self.unused
    }

    /// The elements of a source, by its index.
    pub fn values(&self, source: usize) -> Cow<'a, [f32]> {
        let tensor = self.tensors[source];
        tensor.to_f32(tensor.len())
    }

    /// Looks for NaN and infinities, as packing does on the way.
    ///
    /// # Errors
    /// [`WeightsError::Unfit`] with the first such value of each tensor.
    pub fn check_finite(&self) -> Result<(), WeightsError> {
        self.refuse(
            (0..self.tensors.len())
                .filter_map(|source| self.not_finite(source))
                .collect(),
        )
    }

    /// The first value of a source that is NaN or infinite.
    pub(crate) fn not_finite(&self, source: usize) -> Option<Problem> {
        let values = self.values(source);
        let index = values.iter().position(|value| !value.is_finite())?;
        let name = self.sources[source].name.clone().into_owned();
        Some(Problem::NotFinite {
            name,
            index,
            value: values[index],
        })
    }

    pub(crate) fn refuse(&self, problems: Vec<Problem>) -> Result<(), WeightsError> {
        if problems.is_empty() {
            return Ok(());
        }
        Err(WeightsError::Unfit {
            origin: self.origin.to_owned(),
            problems,
        })
    }
}
