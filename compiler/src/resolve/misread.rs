//! Inputs whose shape is written as other frameworks have it: with the batch (`1x3x224x224`), or channels last (`224x224x3`).
//!
//! Both are shapes, and networks of them may compile. It is when a layer does not fit that they are taken for what they most likely
//! are, and the mistake is told where it was made.

use super::Resolver;
use crate::diagnostic::{Diagnostic, codes};
use crate::id::ValueId;
use crate::layer::{Args, Decl};
use crate::shape::Shape;
use crate::span::Span;

/// An input whose shape is odd.
pub(super) struct Odd {
    /// Where it is written.
    span: Span,
    /// What it was meant to be.
    meant: Vec<usize>,
    /// Whether its first extent is that of a batch.
    batch: bool,
    /// Whether it has been complained about.
    told: bool,
}

/// Most channels that a picture has.
const CHANNELS: usize = 4;
/// Fewest rows and columns that one has.
const EXTENT: usize = 16;

impl Odd {
    /// How the shape may have been meant, if it is odd.
    pub(super) fn new(shape: &Shape, span: Span) -> Option<Odd> {
        let picture =
            |extents: &[usize]| extents.len() >= 2 && extents.iter().all(|&n| n >= EXTENT);
        let channels = |n: usize| (1..=CHANNELS).contains(&n);
        let last = |dims: &[usize]| match dims {
            [pixels @ .., last] if channels(*last) && picture(pixels) => {
                Some([&[*last], pixels].concat())
            }
            _ => None,
        };
        let dims = shape.dims();
        let (meant, batch) = match dims {
            [1, rest @ ..] if !rest.is_empty() => (last(rest).unwrap_or(rest.to_vec()), true),
            [_, rest @ ..] if dims.len() == 4 && channels(rest[0]) && picture(&rest[1..]) => {
                (rest.to_vec(), true)
            }
            dims => (last(dims)?, false),
        };
        Some(Odd {
            span,
            meant,
            batch,
            told: false,
        })
    }
}

impl Resolver<'_> {
    /// Whether a layer that cannot be applied is the fault of an odd input: that is then told instead, once.
    pub(super) fn is_misread(
        &mut self,
        decl: &'static Decl,
        args: &mut Args,
        values: &[ValueId],
        span: Span,
    ) -> bool {
        let Some(odd) = &self.odd else {
            return false;
        };
        if odd.batch && !self.fits_without_batch(decl, args, values) {
            return false;
        }
        if !odd.told {
            let message = match odd.batch {
                true => "shapes are without the batch",
                false => "channels come first",
            };
            let problem = self.odd_shape(codes::BAD_SHAPE, odd, message);
            let what = format!(
                "`{}` cannot be applied to {}",
                decl.keyword,
                self.shape(values[0])
            );
            self.error(problem.also(span, what));
        }
        if let Some(odd) = &mut self.odd {
            odd.told = true;
        }
        true
    }

    /// Warns of channels last, where the network has no mistake but may not be the one that was meant.
    pub(super) fn warn_of_channels_last(&mut self) {
        if let Some(odd) = self.odd.take().filter(|odd| !odd.batch && !odd.told) {
            let (channels, columns) = (odd.meant[1], odd.meant[0]);
            let message = format!("the input has {channels} channels and {columns} columns");
            let problem = self.odd_shape(codes::CHANNELS_LAST, &odd, &message);
            self.warn(problem);
        }
    }

    fn odd_shape(&self, code: crate::diagnostic::Code, odd: &Odd, message: &str) -> Diagnostic {
        let meant: Vec<String> = odd.meant.iter().map(usize::to_string).collect();
        let meant = meant.join("x");
        Diagnostic::new(code, odd.span, message)
            .label(match odd.batch {
                true => "the first extent is a batch's",
                false => "the last extent is that of the channels",
            })
            .fix(format!("did you mean `{meant}`?"), odd.span, meant)
    }

    fn fits_without_batch(&self, decl: &'static Decl, args: &mut Args, values: &[ValueId]) -> bool {
        let inner = |value: &ValueId| Shape::new(self.shape(*value).dims().get(1..)?.to_vec());
        let Some(shapes) = values.iter().map(inner).collect::<Option<Vec<Shape>>>() else {
            return false;
        };
        args.rank = shapes[0].spatial().len();
        (decl.build)(args).is_ok_and(|layer| layer.infer(&shapes).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_of_other_frameworks_are_odd() {
        for (dims, meant) in [
            (&[1, 3, 224, 224][..], Some((&[3, 224, 224][..], true))),
            (&[32, 3, 224, 224], Some((&[3, 224, 224], true))),
            (&[1, 224, 224, 3], Some((&[3, 224, 224], true))),
            (&[224, 224, 3], Some((&[3, 224, 224], false))),
            (&[480, 640, 1], Some((&[1, 480, 640], false))),
            (&[16, 112, 112, 3], Some((&[3, 16, 112, 112], false))),
            (&[1, 784], Some((&[784], true))),
            // A grey picture, which is only odd if something does not fit.
            (&[1, 28, 28], Some((&[28, 28], true))),
            (&[3, 224, 224], None),
            (&[3, 16, 112, 112], None),
            (&[64, 7, 7], None),
            (&[64, 1, 128], None),
            (&[784], None),
            (&[8, 8, 3], None),
        ] {
            let span = Span::none();
            let odd = Odd::new(&Shape::new(dims.to_vec()).unwrap(), span);
            let odd = odd.as_ref().map(|odd| (&odd.meant[..], odd.batch));
            assert_eq!(odd, meant, "{dims:?}");
        }
    }
}
