//! What a run leaves: named tensors of one image, or of all.

use crate::answer::{Answer, AnswerError, Head, Placement, Tensor};
use crate::plan::Port;
use std::fmt;

/// The outputs of a run, in the spec's order, channels first.
#[derive(Clone, Copy)]
pub struct Outputs<'s> {
    ports: &'s [Port],
    data: Data<'s>,
    /// Images before the first that is looked at.
    first: usize,
    images: usize,
}

/// Where the elements of each output are.
#[derive(Clone, Copy)]
enum Data<'s> {
    /// In a session's memory, which has room for all images.
    Session(&'s [*mut f32]),
    /// In vectors of their own.
    Vectors(&'s [Vec<f32>]),
}

impl fmt::Debug for Outputs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outputs = self.iter().map(|(port, elements)| (&port.name, elements));
        f.debug_map().entries(outputs).finish()
    }
}

impl<'s> Outputs<'s> {
    /// Those in a session's memory, of so many images.
    pub(super) fn new(ports: &'s [Port], bases: &'s [*mut f32], images: usize) -> Outputs<'s> {
        Outputs {
            ports,
            data: Data::Session(bases),
            first: 0,
            images,
        }
    }

    /// Outputs that were computed elsewhere: of as many images as the vectors hold, one behind the other.
    ///
    /// # Panics
    /// When there is not a vector for each output, or they do not hold the same number of images.
    pub fn of(ports: &'s [Port], vectors: &'s [Vec<f32>]) -> Outputs<'s> {
        let first = ports.first().zip(vectors.first());
        let images = first.map_or(1, |(port, vector)| vector.len() / port.elements());
        let lengths = vectors.iter().map(Vec::len);
        let expected = ports.iter().map(|port| images * port.elements());
        assert!(lengths.eq(expected), "outputs of another network");
        Outputs {
            ports,
            data: Data::Vectors(vectors),
            first: 0,
            images,
        }
    }

    /// Number of outputs.
    pub fn len(&self) -> usize {
        self.ports.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ports.is_empty()
    }

    /// Images that the run was of.
    pub fn images(&self) -> usize {
        self.images
    }

    /// The outputs of one image of a batch.
    ///
    /// # Panics
    /// When there are not so many.
    #[must_use]
    pub fn image(&self, index: usize) -> Outputs<'s> {
        assert!(index < self.images, "image {index} of {}", self.images);
        Outputs {
            first: self.first + index,
            images: 1,
            ..*self
        }
    }

    /// Name, shape and elements of an output, if there are so many; of all images, one behind the other.
    pub fn at(&self, index: usize) -> Option<(&'s Port, &'s [f32])> {
        let port = self.ports.get(index)?;
        let one = port.elements();
        let (first, len) = (self.first * one, self.images * one);
        let elements = match self.data {
            // SAFETY: `Session::at` gave this region as many initialised floats for every image; `'s` borrows the session, so no run
            // writes them meanwhile.
            Data::Session(bases) => unsafe {
                std::slice::from_raw_parts(bases[index].wrapping_add(first), len)
            },
            Data::Vectors(all) => &all[index][first..][..len],
        };
        Some((port, elements))
    }

    /// Elements of the output of that name, if there is one.
    pub fn get(&self, name: &str) -> Option<&'s [f32]> {
        let index = self.ports.iter().position(|port| port.name == name)?;
        Some(self.at(index)?.1)
    }

    /// Every output.
    pub fn iter(self) -> impl Iterator<Item = (&'s Port, &'s [f32])> {
        (0..self.len()).filter_map(move |index| self.at(index))
    }

    /// The answer of a head to the first image; boxes and points are in pixels of the picture that `place` is of.
    ///
    /// # Errors
    /// When the outputs are not those of a network with this head.
    pub fn answer(&self, head: &Head, place: &Placement) -> Result<Answer, AnswerError> {
        let tensors: Vec<Tensor<'_>> = self
            .image(0)
            .iter()
            .map(|(port, data)| Tensor {
                name: &port.name,
                shape: &port.shape,
                data,
            })
            .collect();
        head.answer(&tensors, place)
    }

    /// The same of every image.
    ///
    /// # Panics
    /// When there is no such output, or it has another size.
    pub fn arrays<const N: usize>(&self, index: usize) -> &'s [[f32; N]] {
        let elements = self.at(index).map(|(_, elements)| elements.as_chunks());
        match elements {
            Some((arrays, [])) if arrays.len() == self.images => arrays,
            _ => panic!("output {index} does not have {N} elements"),
        }
    }

    /// Elements of an output whose size is known when the code is written: what generated code calls.
    ///
    /// # Panics
    /// When there is no such output, or it has another size.
    pub fn array<const N: usize>(&self, index: usize) -> &'s [f32; N] {
        let elements = self.at(index).map(|(_, elements)| elements.try_into());
        match elements {
            Some(Ok(array)) => array,
            _ => panic!("output {index} does not have {N} elements"),
        }
    }
}
